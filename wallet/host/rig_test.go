package host

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/wallet"
)

const (
	issuerName   = "devaart.example.com"
	askerName    = "linde.example.com"
	opleidingID  = "Opleiding_dc_sd_jwt"
	offerCode    = "493536"
	goodSecret   = "tulp fiets brug koek"
	verzorgenURI = "https://linkeddata.competentnl.nl/id/humancapability/DB59A57C01"
)

// A rig is a host with its world: a region with an admitted issuer and an admitted asker,
// each the other half of its protocol over real https.
type rig struct {
	t      *testing.T
	clock  *testkit.Clock
	region *evidencetest.Region
	issuer *evidencetest.Issuer
	vci    *vcitest.Issuer
	asker  *askerRig
	client *http.Client // of the host, to the world
	hosts  map[string]http.Handler
	store  kv.Store
	host   *Host
	server *httptest.Server
	log    *logBuffer
}

// logBuffer is what the host logged.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newRig(t *testing.T, change ...func(*Config)) *rig {
	t.Helper()
	g := &rig{t: t, clock: testkit.NewClock(time.Time{}), hosts: map[string]http.Handler{}, store: kv.NewMemory(), log: &logBuffer{}}
	g.region = evidencetest.New(t, g.clock.Now)
	g.issuer = g.region.Issuer(issuerName, paspoort.Opleiding)
	g.vci = vcitest.Start(t, vcitest.Options{Now: g.clock.Now, Batch: 10, Credential: g.issue, Change: func(c *openid4vci.ServerConfig) {
		c.Metadata.CredentialIssuer = "https://" + issuerName
		c.Metadata.Configurations = map[string]openid4vci.CredentialConfiguration{opleidingID: vcitest.Configuration(opleidingID)}
	}})
	g.hosts[issuerName] = g.vci.Server
	g.client = g.serveWorld()
	g.asker = g.newAsker()
	g.start(change...)
	return g
}

// start puts the host on its store, as after a restart.
func (g *rig) start(change ...func(*Config)) {
	g.t.Helper()
	follower := g.region.Follower()
	if err := follower.Refresh(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	web := evidencetest.NewWeb(g.issuer)
	judge, err := evidence.New(evidence.Config{Copies: []evidence.Copy{follower}, Fetch: web, StatusFetch: web, Clock: g.clock.Now})
	if err != nil {
		g.t.Fatal(err)
	}
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		g.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	at := "http://localhost:" + strings.TrimPrefix(listener.Addr().String(), "127.0.0.1:")
	c := Config{
		URL: at, Name: "Paspoorthuis Aakermonde", Store: g.store, Clock: g.clock.Now, ReceiptKey: key, Evidence: judge,
		Log:     slog.New(slog.NewTextHandler(g.log, nil)),
		Regions: []wallet.RegionSettings{{Genesis: g.region.Genesis, Nodes: []string{"https://knoop-1.example"}}}, RegionName: func(string) string { return "Regio Aakermonde" },
		Wallet: wallet.TestingCheap(wallet.Config{
			HTTP: g.client, Fetch: web, StatusFetch: web, CheckURL: func(u *url.URL) error {
				if u.Scheme != "https" {
					return outbound.ErrURL
				}
				return nil
			},
			Regions: func(wallet.RegionSettings) (wallet.Region, error) {
				return wallet.Region{Copy: follower, Refresh: follower.Refresh}, nil
			},
		}),
	}
	for _, fn := range change {
		fn(&c)
	}
	if g.host, err = New(c); err != nil {
		g.t.Fatal(err)
	}
	g.server = httptest.NewUnstartedServer(g.host.Handler())
	g.server.Listener.Close()
	g.server.Listener = listener
	g.server.Start()
	g.server.URL = at
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.host.Run(ctx) }()
	g.t.Cleanup(func() {
		g.server.Close()
		cancel()
		if err := <-done; err != nil {
			g.t.Error(err)
		}
	})
}

func (g *rig) issue(r *openid4vci.Issuance, i int) (string, error) {
	return g.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, r.Keys[i].Public, func(map[string]any, *jose.Header) {}).String(), nil
}

// serveWorld is one https server for every name, and a client that finds it.
func (g *rig) serveWorld() *http.Client {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, ok := g.hosts[r.Host]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	g.t.Cleanup(server.Close)
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // one certificate for all names
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	g.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// An askerRig is a verifier over a map.
type askerRig struct {
	g      *rig
	server *openid4vp.Server

	mu       sync.Mutex
	open     map[string]*openid4vp.Transaction
	answers  []openid4vp.VPToken
	refusals []openid4vp.Code
}

func (g *rig) newAsker() *askerRig {
	a := &askerRig{g: g, open: map[string]*openid4vp.Transaction{}}
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		g.t.Fatal(err)
	}
	org := g.region.Admit(registry.Application{Role: registry.Verifier, Name: "Zorggroep Linde", Purposes: []string{"werving"},
		Aliases: []registry.Alias{{Type: registry.AliasURL, Value: "https://" + askerName}}})
	cert := g.region.Certify(org, "https://"+askerName, key.Public(), registry.UsageAccess)
	identity, err := openid4vp.NewX509HashIdentity(certificates(cert), key)
	if err != nil {
		g.t.Fatal(err)
	}
	a.server, err = openid4vp.NewServer(openid4vp.ServerConfig{Backend: a, BaseURL: "https://" + askerName, Identities: []openid4vp.Identity{identity}, Now: g.clock.Now})
	if err != nil {
		g.t.Fatal(err)
	}
	g.hosts[askerName] = a.server.Handler()
	return a
}

// ask makes a request for skills and gives the query of its invocation.
func (a *askerRig) ask(names bool, uris ...string) string {
	a.g.t.Helper()
	q, err := paspoort.SkillsRequest{URIs: uris, Names: names}.Query()
	if err != nil {
		a.g.t.Fatal(err)
	}
	t, err := a.server.Begin(openid4vp.Ask{Query: q, Profile: openid4vp.Standard(), ResponseMode: openid4vp.DirectPostJWT, Lifetime: 10 * time.Minute,
		VerifierInfo: []openid4vp.VerifierInfo{{Format: openid4vp.PurposeFormat, Data: map[string]any{"purpose": "Wij zoeken een helpende.", "lang": "nl"}}}})
	if err != nil {
		a.g.t.Fatal(err)
	}
	a.mu.Lock()
	a.open[t.ID] = t
	a.mu.Unlock()
	inv, err := a.server.Invocation(t)
	if err != nil {
		a.g.t.Fatal(err)
	}
	link, err := inv.Link("openid4vp://")
	if err != nil {
		a.g.t.Fatal(err)
	}
	_, query, _ := strings.Cut(link, "?")
	return query
}

func (a *askerRig) Transaction(_ context.Context, id string) (*openid4vp.Transaction, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.open[id]
	if !ok {
		return nil, openid4vp.ErrUnknownTransaction
	}
	c := *t
	return &c, nil
}

func (a *askerRig) Answer(_ context.Context, _ *openid4vp.Transaction, token openid4vp.VPToken) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers = append(a.answers, token)
	return "https://" + askerName + "/klaar", nil
}

func (a *askerRig) Refusal(_ context.Context, _ *openid4vp.Transaction, e *openid4vp.Error) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refusals = append(a.refusals, e.Code)
	return "", nil
}

// heard is how many answers and refusals came.
func (a *askerRig) heard() (answers, refusals int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.answers), len(a.refusals)
}

// A browser is one person's, without script.
type browser struct {
	g      *rig
	client *http.Client
	Page   string // the last page
	Path   string
	Status int
	Header http.Header
}

func (g *rig) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.t.Fatal(err)
	}
	transport := &http.Transport{}
	g.t.Cleanup(transport.CloseIdleConnections)
	return &browser{g: g, client: &http.Client{Jar: jar, Transport: transport}}
}

func (b *browser) do(r *http.Request) *browser {
	b.g.t.Helper()
	r.Header.Set("Accept-Language", "nl")
	resp, err := b.client.Do(r)
	if err != nil {
		b.g.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.g.t.Fatal(err)
	}
	b.Page, b.Path, b.Status, b.Header = string(body), resp.Request.URL.Path, resp.StatusCode, resp.Header
	return b
}

func (b *browser) get(path string) *browser {
	b.g.t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.g.server.URL+path, nil)
	if err != nil {
		b.g.t.Fatal(err)
	}
	return b.do(r)
}

// post sends a form: name, value, name, value.
func (b *browser) post(path string, fields ...string) *browser {
	b.g.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r, err := http.NewRequest(http.MethodPost, b.g.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.g.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.g.server.URL)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

// at checks where the browser is.
func (b *browser) at(path string) *browser {
	b.g.t.Helper()
	if b.Path != path && !regexp.MustCompile("^"+path+"$").MatchString(b.Path) {
		b.g.t.Fatalf("the browser is at %s (%d), want %s\n%s\nlog:\n%s", b.Path, b.Status, path, text(b.Page), b.g.log)
	}
	return b
}

// says checks that the page holds a text.
func (b *browser) says(want ...string) *browser {
	b.g.t.Helper()
	for _, s := range want {
		if !strings.Contains(text(b.Page), s) {
			b.g.t.Fatalf("the page at %s does not say %q:\n%s", b.Path, s, text(b.Page))
		}
	}
	return b
}

// hidden is the value of a hidden field on the page.
func (b *browser) hidden(name string) string {
	b.g.t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(b.Page)
	if m == nil {
		b.g.t.Fatalf("no field %s on %s: %s", name, b.Path, text(b.Page))
	}
	return m[1]
}

var tags = regexp.MustCompile(`(?s)<(script|style).*?</(script|style)>|<[^>]*>`)

// text is what a page says, without tags.
func text(page string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("&#39;", "'", "&amp;", "&", "&#34;", `"`).Replace(tags.ReplaceAllString(page, " "))), " ")
}

var (
	numberOnPage = regexp.MustCompile(`<strong class="number">(\d{4} \d{4})</strong>`)
	codeOnPage   = regexp.MustCompile(`<li>([0-9A-Z]{5})</li>`)
)

// A holder is a person with a paspoort and its papers.
type holder struct {
	*browser
	number, code string
}

// holder makes a paspoort with a confirmed recovery code.
func (g *rig) holder(name string) *holder {
	g.t.Helper()
	p := &holder{browser: g.browser()}
	p.post("/begin", "name", name, "passphrase", goodSecret).at("/code")
	p.papers()
	p.post("/code", "last", p.code[len(p.code)-5:]).at("/paspoort")
	return p
}

// papers writes down what the page about the recovery code shows.
func (p *holder) papers() {
	p.g.t.Helper()
	number := numberOnPage.FindStringSubmatch(p.Page)
	groups := codeOnPage.FindAllStringSubmatch(p.Page, -1)
	if number == nil || len(groups) != 6 {
		p.g.t.Fatalf("no papers on %s", text(p.Page))
	}
	p.number, p.code = number[1], ""
	for _, group := range groups {
		p.code += group[1]
	}
}

// collect accepts one opleiding.
func (p *holder) collect() *holder {
	p.g.t.Helper()
	_, query, _ := strings.Cut(p.g.vci.Link(opleidingID, offerCode), "?")
	p.get("/offer?" + query).at("/offer/[^/]+")
	p.post(p.Path, "code", offerCode).at("/offer/[^/]+/look")
	p.post(strings.TrimSuffix(p.Path, "/look") + "/keep").at("/paspoort/[^/]+")
	return p
}

// asJSON decodes the last answer.
func (b *browser) asJSON(v any) {
	b.g.t.Helper()
	if err := json.Unmarshal([]byte(b.Page), v); err != nil {
		b.g.t.Fatalf("%v in %s", err, b.Page)
	}
}
