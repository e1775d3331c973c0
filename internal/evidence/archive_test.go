package evidence_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/statusarchive"
	"paspoort.example/paspoort/specs/statuslist"
)

// recorder is every way out of a verifier: it notes whom it asked what.
type recorder struct {
	hosts map[string]http.Handler
	asked map[string]int // by host
	lines []string
}

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	r.asked[req.URL.Host]++
	r.lines = append(r.lines, req.URL.String())
	h := r.hosts[req.URL.Host]
	if h == nil {
		return nil, errors.New("no road to " + req.URL.Host)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec.Result(), nil
}

// Get implements did.Fetcher.
func (r *recorder) Get(ctx context.Context, url string, _ ...string) ([]byte, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, "", err
	}
	res, err := r.Do(req)
	if err != nil {
		return nil, "", err
	}
	if res.StatusCode != http.StatusOK {
		return nil, "", errors.New(res.Status)
	}
	body, err := io.ReadAll(res.Body)
	return body, "", err
}

// shelves is the archive of a node: what it last had of each list.
type shelves struct{ tokens map[string]string }

func (s *shelves) keep(token string) {
	parsed, err := statuslist.ParseToken(token, statuslist.Limits{})
	if err != nil {
		panic(err)
	}
	s.tokens[parsed.Subject] = token
}

func (s *shelves) Lists(context.Context) (out []statusarchive.List, err error) {
	for uri, token := range s.tokens {
		parsed, err := statuslist.ParseToken(token, statuslist.Limits{})
		if err != nil {
			return nil, err
		}
		out = append(out, statusarchive.List{URI: uri, IssuedAt: parsed.IssuedAt})
	}
	slices.SortFunc(out, func(a, b statusarchive.List) int { return len(a.URI) - len(b.URI) })
	return out, nil
}

func (s *shelves) Token(_ context.Context, uri string, _ time.Time) (string, error) {
	if s.tokens[uri] == "" {
		return "", statusarchive.ErrNotHeld
	}
	return s.tokens[uri], nil
}

func (s *shelves) Proof(context.Context, string, string) ([]string, error) {
	return nil, statusarchive.ErrNotHeld
}

// night is a stage with a node that archives, and the verifier's ways out recorded.
type night struct {
	*stage
	issuers []*evidencetest.Issuer
	shelves *shelves
	ways    *recorder
	follow  *evidence.Follower
	bundles *evidence.Bundles
}

const nodeHost = "knoop-1.example"

func newNight(t *testing.T) *night {
	n := &night{stage: newStage(t), shelves: &shelves{map[string]string{}}}
	n.issuers = []*evidencetest.Issuer{n.issuer}
	for _, host := range []string{"linde.example", "avondschool.example"} {
		n.issuers = append(n.issuers, n.region.Issuer(host, paspoort.Opleiding))
	}
	served := newFollower(t, evidence.FollowerConfig{Genesis: n.region.Genesis, Sources: []evidence.Source{n.region}, Store: kv.NewMemory(), Clock: n.clock.Now})
	mux := http.NewServeMux()
	mux.Handle("/v1/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := served.Refresh(r.Context()); err != nil {
			t.Error(err)
		}
		registry.NewServer(registry.ServerConfig{Reader: served, Log: served, Writer: served, Now: n.clock.Now}).ServeHTTP(w, r)
	}))
	mux.Handle("/v1/statuses/", http.StripPrefix("/v1/statuses", &statusarchive.Server{Archive: n.shelves}))
	n.ways = &recorder{hosts: map[string]http.Handler{nodeHost: mux}, asked: map[string]int{}}
	for _, i := range n.issuers {
		n.ways.hosts[i.URL[len("https://"):]] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, i.StatusToken()) })
	}
	n.follow = newFollower(t, evidence.FollowerConfig{Genesis: n.region.Genesis, Clock: n.clock.Now,
		Sources: []evidence.Source{registry.Client{HTTP: n.ways, URL: "https://" + nodeHost}}})
	if err := n.follow.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	var err error
	n.bundles, err = evidence.NewBundles(evidence.BundlesConfig{
		HTTP: n.ways, Regions: func() [][]string { return [][]string{{"https://" + nodeHost + "/v1/statuses"}} },
		Copies: func() []evidence.Copy { return []evidence.Copy{n.follow} }, Clock: n.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// day verifies a credential of each issuer every half hour for a day. The issuers publish and the
// node archives meanwhile; one credential is revoked at noon.
func (n *night) day(service *evidence.Service) {
	var tokens []*sdjwt.SDJWT
	for _, issuer := range n.issuers {
		tokens = append(tokens, issuer.Issue(paspoort.Opleiding, n.holder.Public()))
	}
	_, index := statusOf(n.t, tokens[0].IssuerJWT())
	for half := range 48 {
		if half == 24 {
			if err := n.issuers[0].List.Set(index, statuslist.Invalid); err != nil {
				n.t.Fatal(err)
			}
		}
		for _, issuer := range n.issuers {
			n.shelves.keep(issuer.StatusToken())
		}
		if err := n.follow.Refresh(n.t.Context()); err != nil {
			n.t.Fatal(err)
		}
		var texts []string
		for _, token := range tokens {
			texts = append(texts, n.present(token))
		}
		switch v := n.verifyWith(service, texts...); {
		case half < 24:
			expect(n.t, v, "outcome=ok", "status=ok/status_valid")
		case half > 25:
			expect(n.t, v, "status=failed/revoked")
		}
		n.clock.Advance(30 * time.Minute)
	}
}

func statusOf(t *testing.T, compact string) (uri string, index int) {
	t.Helper()
	signed, err := jose.Parse(compact)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := signed.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	ref, err := statuslist.ParseReference(claims)
	if err != nil {
		t.Fatal(err)
	}
	return ref.URI, ref.Index
}

// A verifier that asks nodes contacts no issuer in a whole day, and asks the nodes nothing that
// tells whose credentials it saw.
func TestNoIssuerIsContacted(t *testing.T) {
	n := newNight(t)
	n.day(n.serve(evidence.Config{Copies: []evidence.Copy{n.follow}, StatusArchive: n.bundles}))
	for host, times := range n.ways.asked {
		if host != nodeHost {
			t.Errorf("%s was asked %d times", host, times)
		}
	}
	bundles := 0
	for _, line := range n.ways.lines {
		if line == "https://"+nodeHost+"/v1/statuses/bundle" {
			bundles++
		}
	}
	if bundles < 24 || bundles > 2*24+1 {
		t.Errorf("%d bundles in a day", bundles)
	}
	for _, line := range n.ways.lines {
		for _, i := range n.issuers {
			if strings.Contains(line, i.URL[len("https://"):]) {
				t.Errorf("names an issuer: %s", line)
			}
		}
	}
	t.Logf("%d requests in a day, all to the node, %d of them for bundles", len(n.ways.lines), bundles)
	// The control: a verifier that fetches lists itself is seen by all three.
	c := newNight(t)
	c.day(c.serve(evidence.Config{Copies: []evidence.Copy{c.follow}, Fetch: c.ways}))
	if len(c.ways.asked) != 4 {
		t.Errorf("the recording shows %v of a verifier that asks issuers", c.ways.asked)
	}
}

// selfSigned is a certificate that no registry recorded.
func selfSigned(t *testing.T, key *jose.PrivateKey) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// When an issuer ceases its list ends, and what was last known is said with its date; a custodian
// who signs it on makes it known again.
func TestCeasedIssuer(t *testing.T) {
	n := newNight(t)
	vaart, linde := n.issuers[0], n.issuers[1]
	service := n.serve(evidence.Config{Copies: []evidence.Copy{n.follow}, Fetch: n.ways, StatusArchive: n.bundles})
	token := vaart.Issue(paspoort.Opleiding, n.holder.Public())
	last := vaart.StatusToken()
	n.shelves.keep(last)
	look := func(want ...string) {
		t.Helper()
		if err := n.follow.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(t, n.verifyWith(service, n.present(token)), want...)
	}
	look("outcome=ok", "status=ok/status_valid")
	delete(n.ways.hosts, "devaart.example")
	n.clock.Advance(25 * time.Hour)
	look("outcome=unknown", "status=unknown/status_too_old")
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	cert := n.region.Certify(linde.ID, linde.URL, key.Public(), registry.UsageStatus)
	n.shelves.keep(vaart.SignStatus(key, cert, vaart.StatusURI))
	n.clock.Advance(time.Hour)
	look("status=unknown/status_signer_unknown") // nobody asked it to
	n.region.Do([]string{"vakbond-de-eendracht"}, registry.KindCustodian,
		&registry.Custodian{By: linde.ID, Organisation: vaart.ID, Reason: "opgehouden"}, registry.MemberParty("opleidersberaad"))
	n.clock.Advance(time.Minute)
	n.shelves.keep(vaart.SignStatus(key, cert, vaart.StatusURI))
	n.clock.Advance(time.Hour)
	look("outcome=ok", "status=ok/status_valid")
	// Somebody else got the address of the issuer that is gone.
	stranger, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	n.ways.hosts["devaart.example"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, vaart.SignStatus(stranger, selfSigned(t, stranger), vaart.StatusURI))
	})
	n.clock.Advance(time.Hour)
	look("outcome=ok", "status=ok/status_valid")
}

// A node that gives what no recorded certificate signed does not push aside what does count.
func TestBundleOfALyingNode(t *testing.T) {
	n := newNight(t)
	token := n.issuer.Issue(paspoort.Opleiding, n.holder.Public())
	service := n.serve(evidence.Config{Copies: []evidence.Copy{n.follow}, StatusArchive: n.bundles})
	n.shelves.keep(n.issuer.StatusToken())
	expect(t, n.verifyWith(service, n.present(token)), "outcome=ok")
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(time.Hour)
	n.shelves.keep(n.issuer.SignStatus(key, selfSigned(t, key), n.issuer.StatusURI))
	expect(t, n.verifyWith(service, n.present(token)), "outcome=ok")
}
