package wallet_test

import (
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// TestChoose: where the asker takes one of several the holder chooses which, and exactly that
// one goes.
func TestChoose(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	first, second := w.accept(holder, configID), w.accept(holder, configID)
	q, err := dcql.ParseQuery([]byte(`{"credentials":[{"id":"module","format":"dc+sd-jwt","meta":{"vct_values":["` + paspoort.Opleiding.VCT() + `"]},"claims":[{"path":["title"]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{first.ID, second.ID} {
		r, err := holder.Request(t.Context(), w.verifier.ask(q, openid4vp.DirectPost), wallet.Trust{})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Consent.Choices; len(got) != 1 || len(got[0].Options) != 2 || got[0].Chosen != 0 {
			t.Fatalf("choices: got %+v, want one with two options", got)
		}
		id := r.Consent.Choices[0].ID
		if err := holder.Choose(t.Context(), r, map[string]int{id: 2}); !errors.Is(err, wallet.ErrChoice) {
			t.Errorf("beyond the options: got %v", err)
		}
		if err := holder.Choose(t.Context(), r, map[string]int{id: n}); err != nil {
			t.Fatal(err)
		}
		if len(r.Consent.Items) != 1 || r.Consent.Items[0].Credential != want {
			t.Fatalf("choice %d: got %+v, want %s", n, r.Consent.Items, want)
		}
		if _, err := holder.Present(t.Context(), r, wallet.Decision{}); err != nil {
			t.Fatal(err)
		}
	}
	events, err := holder.History()
	if err != nil {
		t.Fatal(err)
	}
	if last := events[len(events)-1]; last.Shown[0].Credential != second.ID {
		t.Errorf("the last answer showed %s, want %s", last.Shown[0].Credential, second.ID)
	}
}

// TestChooseSet: of two sets of credentials that both can be answered the holder takes one.
func TestChooseSet(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	w.accept(holder, configID)
	if _, err := holder.Declare(map[string]any{"evidence": "self", "language": "nl", "title": "Mijn woorden", "wishes": []any{"Werken in de zorg"}}); err != nil {
		t.Fatal(err)
	}
	q, err := dcql.ParseQuery([]byte(`{"credentials":[
		{"id":"module","format":"dc+sd-jwt","meta":{"vct_values":["` + paspoort.Opleiding.VCT() + `"]}},
		{"id":"words","format":"dc+sd-jwt","meta":{"vct_values":["` + paspoort.Zelfverklaring.VCT() + `"]}}],
		"credential_sets":[{"options":[["module"],["words"]]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := holder.Request(t.Context(), w.verifier.ask(q, openid4vp.DirectPost), wallet.Trust{})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Consent; len(got.Choices) != 1 || len(got.Items) != 1 || got.Items[0].OwnWords || len(got.Missing) != 0 {
		t.Fatalf("before: got %+v", got)
	}
	if err := holder.Choose(t.Context(), r, map[string]int{r.Consent.Choices[0].ID: 1}); err != nil {
		t.Fatal(err)
	}
	if got := r.Consent; len(got.Items) != 1 || !got.Items[0].OwnWords || len(got.Missing) != 0 {
		t.Errorf("after: got %+v", got)
	}
}
