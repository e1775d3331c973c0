package evidence_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/statusarchive"
)

// A custodian takes the newest token of each list that it was asked to sign on, from whichever
// node has it, and nothing that somebody made up.
func TestCustody(t *testing.T) {
	n := newNight(t)
	vaart, linde := n.issuers[0], n.issuers[1]
	behind := &shelves{map[string]string{}}
	n.ways.hosts["knoop-2.example"] = http.StripPrefix("/v1/statuses", &statusarchive.Server{Archive: ofOne{behind, vaart.ID}})
	n.ways.hosts["knoop-3.example"] = http.StripPrefix("/v1/statuses", &statusarchive.Server{Archive: ofOne{n.shelves, vaart.ID}})
	urls := []string{"https://knoop-2.example/v1/statuses", "https://away.example/v1/statuses", "https://knoop-3.example/v1/statuses"}
	c := evidence.NewCustody(evidence.CustodyConfig{Organisation: linde.ID, Region: n.follow, HTTP: n.ways, Clock: n.clock.Now,
		Archives: func() []string { return urls }})
	held := func() map[string][]evidence.Held {
		t.Helper()
		if err := n.follow.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := c.Held(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	behind.keep(vaart.StatusToken())
	n.clock.Advance(time.Hour)
	last := vaart.StatusToken()
	n.shelves.keep(last)
	if got := held(); len(got) != 0 {
		t.Errorf("nobody asked: %v", got)
	}
	n.region.Do([]string{"vakbond-de-eendracht"}, registry.KindCustodian,
		&registry.Custodian{By: linde.ID, Organisation: vaart.ID, Reason: "opgehouden"}, registry.MemberParty("opleidersberaad"))
	if got := held()[vaart.ID]; len(got) != 1 || got[0].String() != last || got[0].Own {
		t.Errorf("got %d tokens, want the newest of all nodes", len(got))
	}
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(time.Hour)
	n.shelves.keep(vaart.SignStatus(key, selfSigned(t, key), vaart.StatusURI))
	if got := held()[vaart.ID]; len(got) != 1 || got[0].String() != behind.tokens[vaart.StatusURI] {
		t.Errorf("made up: got %d tokens, want the one that counts", len(got))
	}
	own := n.region.Certify(linde.ID, linde.URL, key.Public(), registry.UsageStatus)
	n.clock.Advance(time.Hour)
	n.shelves.keep(vaart.SignStatus(key, own, vaart.StatusURI))
	if got := held()[vaart.ID]; len(got) != 1 || !got[0].Own {
		t.Errorf("its own: %d tokens", len(got))
	}
	urls = urls[1:2]
	if _, err := c.Held(t.Context()); err == nil {
		t.Error("no node answered, and something is held")
	}
}

// ofOne says of every list that it is one organisation's.
type ofOne struct {
	*shelves
	id string
}

func (s ofOne) Lists(ctx context.Context) ([]statusarchive.List, error) {
	all, err := s.shelves.Lists(ctx)
	for i := range all {
		all[i].Organisation = s.id
	}
	return all, err
}
