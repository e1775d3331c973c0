package registry_test

import (
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// TestStrangersOpenNoProposals: some events bring a key and are signed with it. That alone
// opens no proposal: whoever makes a key could otherwise move the head of any subject for
// ever, so that what is signed about it is always stale (D3).
func TestStrangersOpenNoProposals(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	key := registrytest.NamedKey("of nobody")
	pub := registrytest.PublicKey(key)
	newcomer := registry.Member{Group: registry.Werknemers, ID: "niemand", Key: pub, Name: "Niemand"}
	for _, tt := range []struct {
		kind  registry.Kind
		body  registry.Body
		party string
	}{
		{registry.KindKeyLost, &registry.MemberKey{Key: pub, Member: "vakbond-de-eendracht", Reason: "kwijt"}, vakbond},
		{registry.KindKeyStolen, &registry.MemberKey{CompromisedSince: r.Now.Unix(), Key: pub, Member: "vakbond-de-eendracht", Reason: "gestolen"}, vakbond},
		{registry.KindAmended, &registry.Amendment{Add: []registry.Member{newcomer}, Reason: "erbij"}, registry.MemberParty("niemand")},
		{registry.KindOrgKeys, &registry.OrganisationKey{Key: pub, Organisation: org, Reason: "kwijt"}, registry.OrganisationParty(org)},
	} {
		before := r.State.Digest()
		s, err := registry.Compose(r.Draft(tt.body), tt.kind, tt.body, registry.Party{Name: tt.party, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if err := submit(r, s); !errors.Is(err, registry.ErrSigner) {
			t.Errorf("%s: %v, want %v", tt.kind, err, registry.ErrSigner)
		}
		if r.State.Digest() != before {
			t.Errorf("%s: the state changed", tt.kind)
		}
	}
}

// TestWhoIsKnown: an organisation is known from its admission until that ends, and vouches
// with its own key only.
func TestWhoIsKnown(t *testing.T) {
	r := registrytest.New(t)
	expect := func(when string, s registry.SignedEvent, known, vouched bool) {
		t.Helper()
		if k, v := r.State.Known(s), r.State.Vouched(s); k != known || v != vouched {
			t.Errorf("%s: known %v, vouched %v, want %v, %v", when, k, v, known, vouched)
		}
	}
	a := r.Application("vaart", registry.Issuer)
	self := registry.OrganisationParty(a.Organisation)
	s := r.Do(registry.KindApplied, a, self)
	expect("applied", s, false, false)
	r.Approve(s.Event.ID(), vakbond, gemeente)
	expect("admitted", s, true, true)
	forged := s
	forged.Event.Expires++
	expect("forged", forged, true, false)
	m := &registry.Measure{Organisation: a.Organisation, Role: registry.Issuer, Reason: "bedrog", Fraud: true, EffectiveFrom: r.Now.Unix()}
	w := r.Do(registry.KindWithdrawn, m, vakbond, gemeente)
	expect("withdrawn", s, false, false)
	expect("members", w, true, true)
}
