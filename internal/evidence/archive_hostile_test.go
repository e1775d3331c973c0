package evidence_test

import (
	"net/http"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/statusarchive"
	"paspoort.example/paspoort/specs/statuslist"
)

// TestOlderListDoesNotReplaceANewerOne: one node of a region gives true but older status tokens.
// Who was revoked stays revoked when the verifier asks it.
func TestOlderListDoesNotReplaceANewerOne(t *testing.T) {
	n := newNight(t)
	lagging := &shelves{map[string]string{}}
	mux := http.NewServeMux()
	mux.Handle("/v1/statuses/", http.StripPrefix("/v1/statuses", &statusarchive.Server{Archive: lagging}))
	n.ways.hosts["knoop-2.example"] = mux
	bundles, err := evidence.NewBundles(evidence.BundlesConfig{
		HTTP: n.ways, Clock: n.clock.Now, Every: time.Minute,
		Regions: func() [][]string {
			return [][]string{{"https://" + nodeHost + "/v1/statuses", "https://knoop-2.example/v1/statuses"}}
		},
		Copies: func() []evidence.Copy { return []evidence.Copy{n.follow} },
	})
	if err != nil {
		t.Fatal(err)
	}
	token := n.issuers[0].Issue(paspoort.Opleiding, n.holder.Public())
	uri, index := statusOf(t, token.IssuerJWT())
	if err := n.follow.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	lagging.keep(n.issuers[0].StatusToken())
	n.clock.Advance(10 * time.Minute)
	if err := n.issuers[0].List.Set(index, statuslist.Invalid); err != nil {
		t.Fatal(err)
	}
	n.shelves.keep(n.issuers[0].StatusToken())
	for turn := range 4 { // the nodes take turns
		n.clock.Advance(2 * time.Minute)
		got, err := bundles.StatusToken(t.Context(), uri)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := got.List.Get(index); err != nil || s != statuslist.Invalid {
			t.Errorf("turn %d: got %v, %v, want revoked", turn, s, err)
		}
	}
	if n.ways.asked["knoop-2.example"] == 0 {
		t.Error("the node that lags was never asked")
	}
}
