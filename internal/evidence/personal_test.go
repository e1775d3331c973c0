package evidence_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/sdjwt"
)

// TestOnePersonFirmIsVerifiedOnline: a one-person firm is judged as any other issuer, from a
// copy that was followed, also after a restart with the nodes away, until the region erases it.
func TestOnePersonFirmIsVerifiedOnline(t *testing.T) {
	s := newStage(t)
	firm := s.region.Freelancer("voorbeeld.example", paspoort.Opleiding)
	s.web.Pages[firm.StatusURI] = firm.StatusToken
	store := kv.NewMemory()
	config := evidence.FollowerConfig{Genesis: s.region.Genesis, Sources: []evidence.Source{s.region}, Store: store, Clock: s.clock.Now}
	s.follow = newFollower(t, config)
	s.refresh()
	s.service = s.serve(evidence.Config{Copies: []evidence.Copy{s.follow}, Fetch: s.web})

	byChain := firm.Issue(paspoort.Opleiding, s.holder.Public())
	byDID := firm.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, s.holder.Public(), func(_ map[string]any, h *jose.Header) { h.X5C = nil })
	s.publishDID(firm)
	check := func(want ...string) {
		t.Helper()
		for name, token := range map[string]*sdjwt.SDJWT{"x5c": byChain, "did:web": byDID} {
			v := s.verify(s.present(token))
			expect(t, v, want...)
			if t.Failed() {
				t.Fatal(name)
			}
		}
	}
	good := []string{"issuer_admitted=ok", "status=ok/status_valid", "outcome=ok"}
	check(good...)
	if v := s.verify(s.present(byChain)); v.Credentials[0].Issuer.Name != "Trainingen voorbeeld.example" {
		t.Errorf("issuer %+v", v.Credentials[0].Issuer)
	}

	// A restart without nodes.
	alone := config
	alone.Sources = []evidence.Source{&fake{err: errors.New("down")}}
	s.follow = newFollower(t, alone)
	s.service = s.serve(evidence.Config{Copies: []evidence.Copy{s.follow}, Fetch: s.web})
	check(good...)

	// The erasure destroys the payloads here too, and a node that still gives them is not heard.
	s.region.Erase()
	s.follow = newFollower(t, config)
	s.refresh()
	s.clock.Advance(time.Hour)
	s.refresh()
	s.service = s.serve(evidence.Config{Copies: []evidence.Copy{s.follow}, Fetch: s.web})
	if v := s.verify(s.present(byChain)); v.Outcome == paspoort.OK {
		t.Errorf("after the erasure: %s", v.Outcome)
	}
	payloads, err := s.region.Payloads(t.Context())
	if err != nil || len(payloads) == 0 {
		t.Fatal("no payloads to look for")
	}
	err = store.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(k, v []byte) error {
			for _, p := range payloads {
				if strings.Contains(string(k), "/payload/") || bytes.Contains(v, []byte(p.Key)) || bytes.Contains(v, []byte(p.Sealed)) {
					t.Errorf("%s was not destroyed", k)
				}
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// publishDID puts the DID document of an issuer on the web.
func (s *stage) publishDID(i *evidencetest.Issuer) {
	s.t.Helper()
	id, err := did.WebFromURL(i.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	where, err := did.WebURL(id)
	if err != nil {
		s.t.Fatal(err)
	}
	key := jose.Key{Public: i.Key.Public()}
	raw, err := key.MarshalJSON()
	if err != nil {
		s.t.Fatal(err)
	}
	s.web.Pages[where] = func() string {
		return `{"@context":["https://www.w3.org/ns/did/v1"],"id":"` + id + `","verificationMethod":[{"id":"` + id + `#1","type":"JsonWebKey2020","controller":"` +
			id + `","publicKeyJwk":` + string(raw) + `}],"assertionMethod":["` + id + `#1"]}`
	}
}

// payloadsOnly gives payloads that belong to nothing.
type payloadsOnly struct {
	evidence.Source
	list  []registry.OpenPayload
	asked int
}

func (p *payloadsOnly) Payloads(context.Context) ([]registry.OpenPayload, error) {
	p.asked++
	return p.list, nil
}

// TestFollowerTakesNoOtherPayloads: what the log does not commit to is not kept, and a node
// that has nothing is not asked all the time.
func TestFollowerTakesNoOtherPayloads(t *testing.T) {
	s := newStage(t)
	s.region.Freelancer("voorbeeld.example", paspoort.Opleiding)
	other := evidencetest.New(t, s.clock.Now)
	other.Freelancer("elders.example", paspoort.Opleiding)
	list, err := other.Payloads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	store := kv.NewMemory()
	source := &payloadsOnly{Source: s.region, list: list}
	f := newFollower(t, evidence.FollowerConfig{Genesis: s.region.Genesis, Sources: []evidence.Source{source}, Store: store, Clock: s.clock.Now})
	for range 3 {
		if err := f.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if source.asked != 1 {
		t.Errorf("asked %d times at one moment", source.asked)
	}
	s.clock.Advance(time.Hour)
	if err := f.Refresh(t.Context()); err != nil || source.asked != 2 {
		t.Errorf("an hour later: asked %d times, %v", source.asked, err)
	}
	err = store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte("region/"+s.region.Genesis+"/payload/"), func(k, _ []byte) error {
			t.Errorf("kept %s", k)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
