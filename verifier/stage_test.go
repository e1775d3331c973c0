package verifier_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/verifier"
)

const adminToken = "beheer-geheim"

// skills of the sample opleiding.
const (
	verzorgen  = "https://linkeddata.competentnl.nl/id/humancapability/DB59A57C01"
	luisteren  = "https://linkeddata.competentnl.nl/id/humancapability/8500CACF46"
	nobodyHas  = "urn:skill:nobody-has"
	sampleName = "Voorbeeld-Idrissi"
)

// address is where the verifier is to be met: a name under the certificate of httptest. Its clients dial the test server.
const address = "https://ossekamp.example.com"

// stage is a region with an issuer and an admitted verifier over https, and a wallet with a credential.
type stage struct {
	t        *testing.T
	clock    *testkit.Clock
	region   *evidencetest.Region
	issuer   *evidencetest.Issuer
	follower *evidence.Follower
	web      *httptest.Server
	http     *http.Client
	address  string
	verifier *verifier.Verifier
	store    kv.Store
	log      *journal
	wallet   *openid4vp.Client
	holder   *jose.PrivateKey
	held     []*sdjwt.SDJWT
	restart  func() // a new process on the same store and keys
}

func newStage(t *testing.T, change ...func(*verifier.Config)) *stage {
	t.Helper()
	s := &stage{t: t, clock: testkit.NewClock(time.Time{}), store: kv.NewMemory(), log: &journal{}, address: address}
	s.region = evidencetest.New(t, s.clock.Now)
	s.issuer = s.region.Issuer("devaart.example", paspoort.Opleiding)
	var handler http.Handler
	s.web = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(s.web.Close)
	transport := s.web.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.web.Listener.Addr().String())
	}
	t.Cleanup(transport.CloseIdleConnections)
	s.http = &http.Client{Transport: transport}

	didKey, accessKey := key(t), key(t)
	org := s.region.Admit(registry.Application{Role: registry.Verifier, Name: "Machinefabriek Ossekamp", Purposes: []string{"aanname"},
		Aliases: []registry.Alias{{Type: registry.AliasURL, Value: address}}})
	cert := s.region.Certify(org, address, accessKey.Public(), registry.UsageAccess)
	s.follower = s.region.Follower()
	s.refresh()
	service, err := evidence.New(evidence.Config{Copies: []evidence.Copy{s.follower}, Fetch: evidencetest.NewWeb(s.issuer), Clock: s.clock.Now})
	must(t, err)
	config := verifier.Config{
		URL: address, Name: "Machinefabriek Ossekamp", Organisation: org, Region: s.region.Genesis,
		DIDKey: didKey, AccessKey: accessKey, AccessChain: []*x509.Certificate{cert},
		Evidence: service, Store: s.store, AdminToken: adminToken, Clock: s.clock.Now,
		Wallets: []verifier.Wallet{{Name: "Regio Aakermonde", URL: "https://wallet.example/present"}},
		Log:     slog.New(slog.NewJSONHandler(s.log, nil)),
	}
	for _, c := range change {
		c(&config)
	}
	s.restart = func() {
		t.Helper()
		s.verifier, err = verifier.New(config)
		must(t, err)
		handler = s.verifier.Handler()
	}
	s.restart()

	anchorDER, err := s.region.Charter.Anchors[0].DER()
	must(t, err)
	anchor, err := x509.ParseCertificate(anchorDER)
	must(t, err)
	s.wallet = &openid4vp.Client{
		HTTP: s.http, Profile: openid4vp.Standard(), Anchors: []*x509.Certificate{anchor},
		DIDs: openid4vp.DIDResolver{Fetcher: fetcher{s.http}},
	}
	s.holder = key(t)
	s.held = []*sdjwt.SDJWT{s.issuer.Issue(paspoort.Opleiding, s.holder.Public())}
	return s
}

func (s *stage) refresh() {
	s.t.Helper()
	must(s.t, s.follower.Refresh(s.t.Context()))
}

// request is the answer to the admin API, as a caller of it reads it.
type request struct {
	ID         string            `json:"id"`
	Invocation string            `json:"invocation"`
	Page       string            `json:"page"`
	State      verifier.State    `json:"state"`
	Refusal    string            `json:"refusal"`
	Verdict    *paspoort.Verdict `json:"verdict"`
	Discarded  int               `json:"discarded"`
	Contents   bool              `json:"contents"`
}

// api calls the admin API and decodes a success into v.
func (s *stage) api(method, path, body string, want int, v any) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.address+path, strings.NewReader(body))
	must(s.t, err)
	req.Header.Set("Authorization", "Bearer "+adminToken)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.http.Do(req)
	must(s.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(s.t, err)
	if resp.StatusCode != want {
		s.t.Fatalf("%s %s: %d %s, want %d", method, path, resp.StatusCode, raw, want)
	}
	if v != nil {
		must(s.t, json.Unmarshal(raw, v))
	}
}

func (s *stage) ask(body string) request {
	s.t.Helper()
	var r request
	s.api("POST", "/api/v1/requests", body, http.StatusCreated, &r)
	return r
}

func (s *stage) read(id string) request {
	s.t.Helper()
	var r request
	s.api("GET", "/api/v1/requests/"+id, "", http.StatusOK, &r)
	return r
}

func (s *stage) fetch(invocation string) *openid4vp.Exchange {
	s.t.Helper()
	inv, err := openid4vp.ParseInvocation(invocation)
	must(s.t, err)
	x, err := s.wallet.Fetch(context.Background(), inv, s.clock.Now())
	must(s.t, err)
	return x
}

// answer makes what a wallet sends: of each credential that matches, exactly what was asked, bound to the holder's key.
func (s *stage) answer(x *openid4vp.Exchange) openid4vp.VPToken {
	s.t.Helper()
	var seen []dcql.Credential
	for _, token := range s.held {
		claims, err := token.Claims()
		must(s.t, err)
		read, err := paspoort.Read(claims)
		must(s.t, err)
		seen = append(seen, dcql.Credential{Format: string(read.Format), Types: []string{read.Type.VCT()}, HolderBound: true, Claims: claims})
	}
	result := dcql.Evaluate(x.Request.Query, seen)
	token := openid4vp.VPToken{}
	for _, id := range result.Answerable() {
		for _, m := range result.Matches[id] {
			shown, err := s.held[m.Credential].Select(func(path []any, _ any) bool {
				for _, d := range m.Disclose {
					if d.Covers(path) && len(path) <= len(d) {
						return true
					}
				}
				return false
			})
			must(s.t, err)
			token[id] = append(token[id], s.bind(shown, x.Request.Nonce, string(x.Request.ClientID)))
		}
	}
	return token
}

func (s *stage) bind(token *sdjwt.SDJWT, nonce, audience string) string {
	s.t.Helper()
	bound, err := token.Bind(s.holder, sdjwt.KeyBinding{Audience: audience, Nonce: nonce, IssuedAt: s.clock.Now()})
	must(s.t, err)
	return bound.String()
}

// browser is a browser with cookies that follows no redirects.
func (s *stage) browser() *http.Client {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	return &http.Client{Transport: s.http.Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// get returns status, Location and body.
func (s *stage) get(c *http.Client, target string) (int, string, string) {
	s.t.Helper()
	resp, err := c.Get(target)
	must(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(s.t, err)
	return resp.StatusCode, resp.Header.Get("Location"), string(body)
}

// fetcher is a did.Fetcher over the client of the test server.
type fetcher struct{ client *http.Client }

func (f fetcher) Get(ctx context.Context, target string, _ ...string) ([]byte, string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, "", err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return body, resp.Header.Get("Content-Type"), err
}

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func key(t testing.TB) *jose.PrivateKey {
	t.Helper()
	k, err := jose.Generate(jose.ES256)
	must(t, err)
	return k
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
