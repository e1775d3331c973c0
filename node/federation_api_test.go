package node

import (
	"net/http"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// TestFederationOfANode: a running node answers the federation endpoints as its API describes
// them, once the charter names an entity and the node's key.
func TestFederationOfANode(t *testing.T) {
	key := namedP256("federation knoop-1")
	s := newAPIStage(t, func(c *Config) { c.FederationKey = key })
	if w := s.call(http.MethodGet, openidfed.WellKnown, "", ""); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "names no entity") {
		t.Errorf("before: got %d %s", w.Code, w.Body)
	}
	const entity = "https://knoop-1.example"
	s.cluster.event(registry.KindAmended, &registry.Amendment{Entity: entity, Reason: "vindbaar"}, "lid-1", "lid-4")
	if w := s.call(http.MethodGet, openidfed.WellKnown, "", ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a key in the charter: got %d %s", w.Code, w.Body)
	}
	s.cluster.event(registry.KindNodeKeys, &registry.NodeChange{ID: "knoop-1", Reason: "tekent", Keys: &registry.NodeKeys{Federation: publicText(t, key)}}, "lid-1", "lid-4")
	w := s.call(http.MethodGet, openidfed.WellKnown, "", "")
	own, err := openidfed.ParseStatement(w.Body.String())
	if err != nil || own.Subject != entity || own.Metadata.DisplayName() != s.cluster.charter.Name {
		t.Fatalf("got %d %s, %v", w.Code, w.Body, err)
	}
	mark := own.Subject + "/keurmerk/toegelaten/" + paspoort.Opleiding.Slug()
	token, err := openidfed.TrustMark{Issuer: entity, Subject: "https://x.example", Type: mark, IssuedAt: s.node().cfg.Clock()}.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, target, body string
		want                 int
	}{
		{"GET", "/federation/fetch?sub=https://x.example", "", 404},
		{"GET", "/federation/list", "", 200},
		{"GET", "/federation/resolve?sub=" + entity + "&trust_anchor=" + entity, "", 200},
		{"GET", "/federation/trust-mark?sub=https://x.example&trust_mark_type=" + mark, "", 404},
		{"GET", "/federation/trust-mark-list?trust_mark_type=" + mark, "", 200},
		{"POST", "/federation/trust-mark-status", "trust_mark=" + token, 200},
		{"GET", "/federation/historical-keys", "", 200},
	} {
		form := ""
		if c.body != "" {
			form = "application/x-www-form-urlencoded"
		}
		if w := s.call(c.method, c.target, form, c.body); w.Code != c.want {
			t.Errorf("%s %s: got %d %s, want %d", c.method, c.target, w.Code, w.Body, c.want)
		}
	}
}
