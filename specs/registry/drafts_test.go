package registry_test

import (
	"encoding/json"
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// An event of two signers travels from one machine to the other and is the same event.
func TestDraftsAreSignedInTurn(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	self := registry.OrganisationParty(org)
	cert, _ := r.UnrecordedCertificate(org, registry.UsageStatus)
	record := registry.NewCertificateRecord(cert, registry.Fingerprint(r.Anchor().Raw), org, registry.UsageStatus)
	signer := func(party string) registry.Signer {
		return registry.Signer{Key: registrytest.PublicKey(r.Party(party).Key).Thumbprint(), Party: party}
	}
	if o, err := r.State.View().Organisation(org, r.Now); err != nil || o.Key.Thumbprint() != signer(self).Key {
		t.Fatalf("key in force %s, %v", o.Key, err)
	}
	s, err := registry.Unsigned(r.Draft(record), registry.KindCertificate, record, signer(gemeente), signer(self))
	if err != nil {
		t.Fatal(err)
	}
	id := s.Event.ID()
	for _, party := range []string{self, gemeente} { // the order of signing does not matter
		raw, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if s, _, err = registry.ParseUnsigned(raw); err != nil || s.Event.ID() != id {
			t.Fatalf("read again: %s, %v", s.Event.ID(), err)
		}
		if err := submit(r, s); !errors.Is(err, registry.ErrMalformed) {
			t.Errorf("sent with %d signatures missing: %v", len(s.Waiting()), err)
		}
		if err := s.AddSignature(party, r.Keys[party]); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddSignature(vakbond, r.Keys[vakbond]); !errors.Is(err, registry.ErrSigner) {
		t.Errorf("signed by another: %v", err)
	}
	if err := s.AddSignature(self, r.Keys[vakbond]); !errors.Is(err, registry.ErrKey) {
		t.Errorf("signed with another key: %v", err)
	}
	if len(s.Waiting()) != 0 {
		t.Errorf("waits for %v", s.Waiting())
	}
	r.Must(s)
}

func TestBodiesAreReadAsPeopleWriteThem(t *testing.T) {
	for _, tt := range []struct {
		name, raw string
		rules     int
		kind      registry.Kind
		want      error
	}{
		{"in any order", ` { "voter" : "member/a", "proposal": "` + registry.Fingerprint(nil) + `" } `, 2, registry.KindApproved, nil},
		{"unknown member", `{"reason":"x","colour":"red"}`, 2, registry.KindClock, registry.ErrBody},
		{"nothing in it", `{}`, 2, registry.KindClock, registry.ErrBody},
		{"no JSON", `reason: x`, 2, registry.KindClock, registry.ErrBody},
		{"no such kind", `{}`, 2, "region.painted", registry.ErrKind},
		{"kind without effect", `{}`, 2, registry.KindWitness, registry.ErrReserved},
		{"kind of later rules", `{}`, 1, registry.KindAppealed, registry.ErrReserved},
		{"form of later rules", `{"reason":"x","criteria":"c","criteria_text":{"url":"https://a.example"}}`, 1, registry.KindAmended, registry.ErrBody},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := registry.ParseBody(tt.rules, tt.kind, []byte(tt.raw)); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	for name, raw := range map[string]string{
		"nothing": ``, "no signers": `{"event":{"rules":2,"kind":"region.clock","body":{"reason":"x"},"subject":"region"},"signatures":[]}`,
		"other subject": `{"event":{"rules":2,"kind":"region.clock","body":{"reason":"x"},"subject":"digest","signers":[{"key":"k","party":"member/a"}]},"signatures":[""]}`,
		"bad body":      `{"event":{"rules":2,"kind":"region.clock","body":{},"subject":"region","signers":[{"key":"k","party":"member/a"}]},"signatures":[""]}`,
		"newer":         `{"event":{"rules":9,"kind":"region.clock","body":{"reason":"x"},"subject":"region","signers":[{"key":"k","party":"member/a"}]},"signatures":[""]}`,
	} {
		if _, _, err := registry.ParseUnsigned([]byte(raw)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
