package govern_test

import (
	"slices"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// TestEveryKindHasWords: a person reads what a kind does, in both languages.
func TestEveryKindHasWords(t *testing.T) {
	active, reserved := registry.Kinds()
	for _, kind := range slices.Concat(active, reserved) {
		if text := govern.KindText(kind); text.NL == string(kind) || text.EN == string(kind) || text.EN == "" {
			t.Errorf("%s has no words", kind)
		}
	}
	for _, role := range []registry.Role{registry.Issuer, registry.Verifier, registry.WalletHost, registry.StatusSigner} {
		if govern.RoleText(role).NL == string(role) {
			t.Errorf("%s has no words", role)
		}
	}
}

// TestFacts: all that members weigh is shown, in both languages.
func TestFacts(t *testing.T) {
	r := registrytest.New(t)
	a := r.Application("vaart", registry.Issuer)
	a.Domains = []string{"zorg"}
	a.Levels = []registry.LevelFact{{Auditor: "Toetswacht", Basis: "audit van de examinering", Domain: "zorg", Independence: "geen banden", Level: 3, On: 1, Until: registrytest.Start.AddDate(1, 0, 0).Unix(), Types: a.Types[:1]}}
	applied := r.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation)).Event
	r.Approve(applied.ID(), registrytest.Vakbond, registrytest.Gemeente)
	m := &registry.Measure{Organisation: a.Organisation, Role: registry.Issuer, Reason: "valse bewijzen", Fraud: true, EffectiveFrom: registrytest.Start.Unix()}
	withdrawn := r.Do(registry.KindWithdrawn, m, registrytest.Opleiders).Event
	for _, c := range []struct {
		event registry.Event
		want  []string
	}{
		{applied, []string{"Organisatie vaart", "https://vaart.example", "criteria-1", "zorg", "Toetswacht", "geen banden", "2027-03-02"}},
		{withdrawn, []string{a.Organisation, "valse bewijzen", "2026-03-02"}},
	} {
		for _, lang := range []string{"nl", "en"} {
			var said []string
			for _, f := range govern.Facts(c.event) {
				if f.Label.In(lang) == "" {
					t.Errorf("%s: a fact without a name: %+v", lang, f)
				}
				said = append(said, f.In(lang))
			}
			for _, want := range c.want {
				if !strings.Contains(strings.Join(said, "\n"), want) {
					t.Errorf("%s: %q is not said in %q", lang, want, said)
				}
			}
		}
	}
	if got := govern.NameIn(applied); got != "Organisatie vaart" || govern.About(withdrawn) != a.Organisation {
		t.Errorf("got %q and %q", got, govern.About(withdrawn))
	}
}

// TestEveryProposalHasFacts: no kind that members vote on is shown as it stands on the wire.
func TestEveryProposalHasFacts(t *testing.T) {
	seen := map[registry.Kind]bool{}
	story, _ := registrytest.Story(t, strings.NewReader(strings.Repeat("a story of a region", 5000)))
	for _, raw := range story.Leaves {
		l, err := registry.ParseLeaf(raw)
		if err != nil {
			t.Fatal(err)
		}
		seen[l.Event.Kind] = true
		if slices.Contains(withoutVote, l.Event.Kind) {
			continue
		}
		list := govern.Facts(l.Event)
		if len(list) == 0 || list[0].Label.NL == "Inhoud" {
			t.Errorf("%s: got %+v", l.Event.Kind, list)
		}
	}
	if len(seen) < 20 {
		t.Errorf("the story has only %d kinds", len(seen))
	}
}

// TestContactsAreShownToWhoVotes: where a member is reached is decided on, and so shown.
func TestContactsAreShownToWhoVotes(t *testing.T) {
	r := registrytest.New(t)
	s := r.Compose(registry.KindAmended, &registry.Amendment{Reason: "bereikbaar", Contacts: map[string]string{
		"gemeente-aakermonde": "toelating@gemeente.example", "vakbond-de-eendracht": "",
	}}, registrytest.Gemeente)
	var got []string
	for _, f := range govern.Facts(s.Event) {
		got = append(got, f.Label.NL+" "+f.Value.NL)
	}
	want := []string{"Lid te bereiken via gemeente-aakermonde: toelating@gemeente.example", "Lid te bereiken via vakbond-de-eendracht: niet meer vermeld", "Reden bereikbaar"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// withoutVote are the kinds on which nobody votes.
var withoutVote = []registry.Kind{
	registry.KindApproved, registry.KindRefused, registry.KindConfirmed, registry.KindCertificate, registry.KindFounded, registry.KindDigest,
	registry.KindFunction, registry.KindFunctionChanged, registry.KindFunctionClosed, registry.KindModule, registry.KindModuleChanged, registry.KindModuleClosed,
}
