package node

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/specs/registry"
)

// authority adds an authority of the region, with one revoked certificate.
func (s *apiStage) authority() (root *x509.Certificate, revoked []ca.Revoked) {
	s.t.Helper()
	now, key := time.Now().Truncate(time.Second), namedP256("authority")
	root, err := ca.NewRoot(key, ca.Root{Name: "Regio Aakermonde CA", NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0)})
	if err != nil {
		s.t.Fatal(err)
	}
	anchor := registry.NewAnchor(root.Raw, "lid-4")
	s.cluster.event(registry.KindAnchorAdded, &registry.AnchorChange{Anchor: &anchor, Reason: "nieuw"}, "lid-1", "lid-4")
	s.cluster.publishListings("Zorggroep Linde")
	org := s.cluster.application("Zorggroep Linde", now).Event.Subject
	id := strings.TrimPrefix(org, "organisation/")
	leaf, err := ca.Leaf(root, key, ca.Request{Public: namedP256("credential").Public(), Organisation: id, URI: "https://zorggroep-linde.example", NotBefore: now, NotAfter: now.AddDate(1, 0, 0)})
	if err != nil {
		s.t.Fatal(err)
	}
	record := registry.NewCertificateRecord(leaf, registry.Fingerprint(root.Raw), id, registry.UsageCredential)
	s.cluster.signed(registry.KindCertificate, record, append(s.cluster.parties("lid-4"), registry.Party{Name: org, Key: namedP256("organisation Zorggroep Linde")})...)
	s.cluster.event(registry.KindCertRevoked, &registry.CertificateRevocation{Certificate: record.Fingerprint, Compromised: true, Reason: "sleutel zoekgeraakt"}, "lid-4")
	n := s.node()
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	revoked, _ = ca.RevokedIn(n.machine.state.View(), registry.Fingerprint(root.Raw), now)
	if len(revoked) != 1 || revoked[0].Serial.Cmp(leaf.SerialNumber) != 0 {
		s.t.Fatalf("got %+v, want serial number %x", revoked, leaf.SerialNumber)
	}
	return root, revoked
}

func TestRevocationLists(t *testing.T) {
	s := newAPIStage(t, nil)
	root, revoked := s.authority()
	path := "/v1/crl/" + registry.Fingerprint(root.Raw)
	if w := s.call("GET", path, "", ""); w.Code != http.StatusNotFound {
		t.Errorf("before there is one: got %d %s", w.Code, w.Body)
	}
	now := time.Now()
	made := func(number int64, key string, list []ca.Revoked) string {
		der, err := ca.NewCRL(root, namedP256(key), number, list, now.Add(-time.Minute), now.AddDate(0, 0, 30))
		if err != nil {
			t.Fatal(err)
		}
		return string(der)
	}
	other := []ca.Revoked{revoked[0], {Serial: ca.Serial([32]byte{1}, now, now), Decided: now, NotAfter: now.AddDate(1, 0, 0)}}
	held := []ca.Revoked{revoked[0], {Serial: ca.Serial([32]byte{2}, now, now), Decided: now, NotAfter: now.AddDate(1, 0, 0), Held: true}}
	first, second := made(1, "authority", revoked), made(2, "authority", revoked)
	for _, c := range []struct {
		name, media, body string
		want              int
		says              string
	}{
		{"as something else", "application/json", first, 415, "pkix-crl"},
		{"no list", "application/pkix-crl", "{}", 422, "revocation list"},
		{"too long", "application/pkix-crl", strings.Repeat("x", ca.MaxCRL+1), 413, ""},
		{"without what was revoked", "application/pkix-crl", made(1, "authority", nil), 422, "are not in it: 1"},
		{"with more than was revoked", "application/pkix-crl", made(1, "authority", other), 422, "did not revoke"},
		{"with one on hold that is admitted", "application/pkix-crl", made(1, "authority", held), 422, "on hold"},
		{"the first", "application/pkix-crl", first, 200, `"missing":0`},
		{"the first again", "application/pkix-crl", first, 200, `"number":1`},
		{"a newer one", "application/pkix-crl", second, 200, `"number":2`},
		{"the first after it", "application/pkix-crl", first, 422, "number 2 is kept here"},
		{"another of the same number", "application/pkix-crl", made(2, "authority", revoked), 422, "number 2 is kept here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := s.call("POST", "/v1/crl", c.media, c.body)
			if w.Code != c.want || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("got %d %s, want %d and %q", w.Code, w.Body, c.want, c.says)
			}
		})
	}
	w := s.call("GET", path, "", "")
	if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), []byte(second)) {
		t.Errorf("got %d, and not the newest list", w.Code)
	}
	var listed struct{ Authorities []crlState }
	if err := json.Unmarshal(s.call("GET", "/v1/crl", "", "").Body.Bytes(), &listed); err != nil || len(listed.Authorities) != 1 || listed.Authorities[0].Path != path || listed.Authorities[0].Missing != 0 {
		t.Errorf("got %+v, %v", listed, err)
	}
	given, err := s.node().serveCRLs()
	if err != nil || !bytes.Contains(given, []byte("[\"")) {
		t.Errorf("to other nodes: got %s, %v", given, err)
	}
}

// TestRevocationListReachesAll: a list that one node takes is with the others too, and with one
// that was away.
func TestRevocationListReachesAll(t *testing.T) {
	c := newCluster(t, 3)
	defer c.close()
	c.leader()
	now, key := time.Now().Truncate(time.Second), namedP256("authority")
	root, err := ca.NewRoot(key, ca.Root{Name: "Regio Aakermonde CA", NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	anchor := registry.NewAnchor(root.Raw, "lid-4")
	c.event(registry.KindAnchorAdded, &registry.AnchorChange{Anchor: &anchor, Reason: "nieuw"}, "lid-1", "lid-4")
	size := c.get(c.leader()).size()
	eventually(t, "all nodes know the authority", func() bool {
		for _, id := range c.ids() {
			if c.get(id).size() < size {
				return false
			}
		}
		return true
	})
	c.isolate("knoop-3")
	der, err := ca.NewCRL(root, key, 1, nil, now.Add(-time.Minute), now.AddDate(0, 0, 30))
	if err != nil {
		t.Fatal(err)
	}
	has := func(id string) bool {
		_, l, err := c.get(id).storedCRL(anchor.Fingerprint)
		return err == nil && l != nil
	}
	if _, err := c.get("knoop-1").keepCRL(der, true); err != nil {
		t.Fatal(err)
	}
	c.get("knoop-1").offerCRL(t.Context(), der)
	if !has("knoop-2") || has("knoop-3") {
		t.Errorf("knoop-2 has it: %t; knoop-3, which is away, has it: %t", has("knoop-2"), has("knoop-3"))
	}
	c.heal()
	c.get("knoop-3").fetchCRLs(t.Context(), "knoop-2")
	if !has("knoop-3") {
		t.Error("knoop-3 asked and has it not")
	}
}
