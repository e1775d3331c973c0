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
	var ids []string
	for _, wish := range []string{"Werken in de zorg", "Werken met dieren"} {
		id, err := holder.Declare(map[string]any{"evidence": "self", "language": "nl", "title": wish, "wishes": []any{wish}})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	first, second := ids[0], ids[1]
	q, err := dcql.ParseQuery([]byte(`{"credentials":[{"id":"words","format":"dc+sd-jwt","meta":{"vct_values":["` + paspoort.Zelfverklaring.VCT() + `"]},"claims":[{"path":["wishes",null]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for n := range 2 {
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
		if len(r.Consent.Items) != 1 || seen[r.Consent.Items[0].Credential] {
			t.Fatalf("choice %d: got %+v, want another one than before", n, r.Consent.Items)
		}
		chosen := r.Consent.Items[0].Credential
		seen[chosen] = true
		if _, err := holder.Present(t.Context(), r, wallet.Decision{}); err != nil {
			t.Fatal(err)
		}
		events, err := holder.History()
		if err != nil {
			t.Fatal(err)
		}
		if last := events[len(events)-1]; len(last.Shown) != 1 || last.Shown[0].Credential != chosen {
			t.Errorf("what went was %+v, want %s alone", last.Shown, chosen)
		}
	}
	if !seen[first] || !seen[second] {
		t.Errorf("chosen were %v, want both", seen)
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
