package evidence_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/statuslist"
)

// ecosystem is a federation outside the regions: an anchor, and a school below it that
// publishes an entity configuration, signs credentials with a key that only stands there, and
// status lists with the same.
type ecosystem struct {
	*stage
	key    *jose.PrivateKey // of the anchor
	school *evidencetest.Issuer
	gone   bool // the anchor says nothing about the school any more
	marks  []openidfed.TrustMarkEntry
	asked  int
}

const (
	ecoAnchor = "https://stelsel.example"
	ecoMark   = "https://stelsel.example/keurmerk/school"
)

func newEcosystem(t *testing.T) *ecosystem {
	e := &ecosystem{stage: newStage(t)}
	var err error
	if e.key, err = jose.Generate(jose.ES256); err != nil {
		t.Fatal(err)
	}
	// A school of a region that this verifier knows nothing of.
	e.school = evidencetest.Named(t, e.clock.Now, "Elders", "elders.example").Issuer("school.example", paspoort.Opleiding)
	e.web = evidencetest.NewWeb(e.issuer)
	e.web.Pages[e.school.StatusURI] = func() string { return e.statusList(e.school.Key) }
	return e
}

func keySet(t *testing.T, key *jose.PrivateKey) jose.KeySet {
	t.Helper()
	set, err := openidfed.Keys(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// statusList is the school's, signed by kid and without a certificate.
func (e *ecosystem) statusList(key *jose.PrivateKey) string {
	now := e.clock.Now()
	token, err := e.school.List.Token(key, jose.Header{KeyID: keySet(e.t, e.school.Key).Keys[0].KeyID}, statuslist.TokenClaims{
		Subject: e.school.StatusURI, IssuedAt: now, ExpiresAt: now.Add(24 * time.Hour), TTL: 10 * time.Minute,
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return token
}

func (e *ecosystem) sign(key *jose.PrivateKey, s openidfed.Statement) (string, error) {
	s.IssuedAt, s.ExpiresAt = e.clock.Now(), e.clock.Now().Add(2*time.Hour)
	return s.Sign(key)
}

// EntityConfiguration is of the anchor.
func (e *ecosystem) EntityConfiguration(context.Context) (string, error) {
	server := openidfed.Server{EntityID: ecoAnchor, Superior: e}
	return e.sign(e.key, openidfed.Statement{Issuer: ecoAnchor, Subject: ecoAnchor, Keys: keySet(e.t, e.key),
		TrustMarkIssuers: map[string][]string{ecoMark: {ecoAnchor}}, Metadata: openidfed.Metadata{openidfed.FederationEntity: server.Endpoints()}})
}

func (e *ecosystem) SubordinateStatement(_ context.Context, sub string) (string, error) {
	if sub != e.school.URL || e.gone {
		return "", openidfed.Refuse(openidfed.NotFound, "nobody here")
	}
	return e.sign(e.key, openidfed.Statement{Issuer: ecoAnchor, Subject: sub, Keys: keySet(e.t, e.school.Key)})
}

func (e *ecosystem) Subordinates(context.Context, openidfed.ListQuery) ([]string, error) {
	return nil, nil
}

// schoolSelf is the school's own half.
type schoolSelf struct{ *ecosystem }

func (e schoolSelf) EntityConfiguration(context.Context) (string, error) {
	vc, err := openidfed.Object(map[string]any{"jwks": keySet(e.t, e.school.Key)})
	if err != nil {
		return "", err
	}
	return e.sign(e.school.Key, openidfed.Statement{Issuer: e.school.URL, Subject: e.school.URL, Keys: keySet(e.t, e.school.Key), AuthorityHints: []string{ecoAnchor},
		TrustMarks: e.marks, Metadata: openidfed.Metadata{openidfed.FederationEntity: {"display_name": "School Voorbeeld"}, openidfed.VCIssuer: vc}})
}

// Do is the network.
func (e *ecosystem) Do(r *http.Request) (*http.Response, error) {
	e.asked++
	rec := httptest.NewRecorder()
	switch r.URL.Host {
	case "stelsel.example":
		(&openidfed.Server{EntityID: ecoAnchor, Entity: e, Superior: e}).ServeHTTP(rec, r)
	case strings.TrimPrefix(e.school.URL, "https://"):
		(&openidfed.Server{EntityID: e.school.URL, Entity: schoolSelf{e}}).ServeHTTP(rec, r)
	default:
		rec.WriteHeader(http.StatusBadGateway)
	}
	return rec.Result(), nil
}

// relying is a verifier that pinned the anchor and relies on its issuers for a type.
func (e *ecosystem) relying(types map[string]string) *evidence.Service {
	e.t.Helper()
	federation, err := evidence.NewFederation(evidence.FederationConfig{HTTP: e, Clock: e.clock.Now, Anchors: []evidence.FederationAnchor{{
		TrustAnchor: openidfed.TrustAnchor{EntityID: ecoAnchor, Keys: keySet(e.t, e.key)}, Name: "Het Stelsel", Types: types,
	}}})
	if err != nil {
		e.t.Fatal(err)
	}
	return e.serve(evidence.Config{Copies: []evidence.Copy{e.follow}, Fetch: e.web, Federation: federation})
}

// issue makes a credential whose key is found in the federation alone.
func (e *ecosystem) issue(change func(claims map[string]any, h *jose.Header)) *sdjwt.SDJWT {
	return e.school.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, e.holder.Public(), func(claims map[string]any, h *jose.Header) {
		h.X5C, h.KeyID = nil, keySet(e.t, e.school.Key).Keys[0].KeyID
		claims["fed"] = e.school.URL
		if change != nil {
			change(claims, h)
		}
	})
}

func TestFederationOutsideTheRegions(t *testing.T) {
	e := newEcosystem(t)
	opleiding := map[string]string{paspoort.Opleiding.VCT(): ""}
	service := e.relying(opleiding)
	shown := e.present(e.issue(nil))
	e.clock.Advance(time.Minute)
	v := e.verifyWith(service, shown)
	expect(t, v, "signature=ok", "issuer_admitted=ok/federation_admitted", "withdrawal=ok/federation_listed", "status=ok", "outcome=ok")
	c := v.Credentials[0]
	if c.Federation == nil || c.Federation.Anchor != ecoAnchor || len(c.Federation.Path) != 2 || c.Issuer.KeySource != "federation" || c.Issuer.Region != "" || c.Issuer.Name != "" {
		t.Errorf("got %+v, issuer %+v", c.Federation, c.Issuer)
	}
	// What was found is used for an hour, and no issuer is asked meanwhile.
	asked := e.asked
	e.verifyWith(service, shown)
	if e.asked != asked {
		t.Errorf("got %d more requests, want none", e.asked-asked)
	}
	// Left out: after that hour it counts no more.
	e.gone = true
	e.clock.Advance(time.Hour)
	again := e.present(e.issue(nil))
	e.clock.Advance(time.Minute)
	expect(t, e.verifyWith(service, again), "issuer_admitted=unknown", "outcome=unknown")
}

func TestFederationThatDoesNotVouch(t *testing.T) {
	for name, tt := range map[string]struct {
		types  map[string]string
		change func(claims map[string]any, h *jose.Header)
		want   []string
	}{
		"not for this type":    {map[string]string{paspoort.Assessment.VCT(): ""}, nil, []string{"issuer_admitted=failed/federation_other_types", "withdrawal=unknown"}},
		"without a mark":       {map[string]string{paspoort.Opleiding.VCT(): ecoMark}, nil, []string{"issuer_admitted=failed/federation_other_types"}},
		"fed names another":    {map[string]string{paspoort.Opleiding.VCT(): ""}, func(claims map[string]any, _ *jose.Header) { claims["fed"] = ecoAnchor }, []string{"signature=unknown", "issuer_admitted=unknown"}},
		"kid it does not list": {map[string]string{paspoort.Opleiding.VCT(): ""}, func(_ map[string]any, h *jose.Header) { h.KeyID = "other" }, []string{"signature=unknown", "issuer_admitted=unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEcosystem(t)
			shown := e.present(e.issue(tt.change))
			e.clock.Advance(time.Minute)
			expect(t, e.verifyWith(e.relying(tt.types), shown), tt.want...)
		})
	}
}

func TestFederationTrustMarkEntitles(t *testing.T) {
	e := newEcosystem(t)
	token, err := openidfed.TrustMark{Issuer: ecoAnchor, Subject: e.school.URL, Type: ecoMark, IssuedAt: e.clock.Now()}.Sign(e.key)
	if err != nil {
		t.Fatal(err)
	}
	e.marks = []openidfed.TrustMarkEntry{{Type: ecoMark, Token: token}}
	shown := e.present(e.issue(nil))
	e.clock.Advance(time.Minute)
	expect(t, e.verifyWith(e.relying(map[string]string{paspoort.Opleiding.VCT(): ecoMark}), shown), "issuer_admitted=ok/federation_admitted", "outcome=ok")
}

// TestRegionComesBeforeFederation: an issuer that a region knows is judged by that region, and
// no federation is asked.
func TestRegionComesBeforeFederation(t *testing.T) {
	e := newEcosystem(t)
	service := e.relying(map[string]string{paspoort.Opleiding.VCT(): ""})
	e.refresh()
	shown := e.present(e.issuer.Issue(paspoort.Opleiding, e.holder.Public()))
	e.clock.Advance(time.Minute)
	e.region.Sign()
	e.refresh()
	v := e.verifyWith(service, shown)
	expect(t, v, "issuer_admitted=ok/admitted")
	if v.Credentials[0].Federation != nil || e.asked != 0 {
		t.Errorf("got %+v after %d requests", v.Credentials[0].Federation, e.asked)
	}
}

// TestForeignListOfAFederation: a list that another key signed says nothing.
func TestForeignListOfAFederation(t *testing.T) {
	e := newEcosystem(t)
	other, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	e.web.Pages[e.school.StatusURI] = func() string { return e.statusList(other) }
	shown := e.present(e.issue(nil))
	e.clock.Advance(time.Minute)
	expect(t, e.verifyWith(e.relying(map[string]string{paspoort.Opleiding.VCT(): ""}), shown), "issuer_admitted=ok", "status=unknown/status_not_available")
}

// TestManyStrangersCostLittle: an answer full of issuers that nobody knows makes a bounded number
// of requests.
func TestManyStrangersCostLittle(t *testing.T) {
	e := newEcosystem(t)
	service := e.relying(map[string]string{paspoort.Opleiding.VCT(): ""})
	var shown []string
	for i := range 40 {
		shown = append(shown, e.present(e.issue(func(claims map[string]any, _ *jose.Header) {
			claims["iss"] = fmt.Sprintf("https://vreemd-%d.example", i)
			delete(claims, "fed")
		})))
	}
	e.clock.Advance(time.Minute)
	v := e.verifyWith(service, shown...)
	if v.Outcome == paspoort.OK || e.asked > 8 {
		t.Errorf("got %s after %d requests, want at most 8", v.Outcome, e.asked)
	}
}
