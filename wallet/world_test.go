package wallet_test

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
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
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/wallet"
)

const (
	issuerHost   = "devaart.example.com"
	verifierHost = "ossekamp.example.com"
	passphrase   = "een lange wachtwoordzin"
	configID     = "Opleiding_dc_sd_jwt"
)

// Skills of the sample opleiding.
const (
	verzorgen = "https://linkeddata.competentnl.nl/id/humancapability/DB59A57C01"
	luisteren = "https://linkeddata.competentnl.nl/id/humancapability/8500CACF46"
)

// A world is a region with an admitted issuer and an admitted verifier, each the
// other half of the protocol over real https, and nodes that give timestamps.
type world struct {
	t        testing.TB
	clock    *testkit.Clock
	region   *evidencetest.Region
	follower *evidence.Follower
	issuer   *evidencetest.Issuer
	vci      *vcitest.Issuer
	verifier *asker
	client   *http.Client
	web      *evidencetest.Web
	hosts    map[string]http.Handler // by host
	store    kv.Store

	mu         sync.Mutex
	committed  [][32]byte // what nodes were asked
	nodesDown  map[string]bool
	stale      bool                                                // the region does not answer
	credential func(r *openid4vci.Issuance, i int) (string, error) // nil: the issuer's
}

// newWorld makes the world; its issuer gives batches of ten copies.
func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOf(t, 10)
}

func newWorldOf(t testing.TB, batch int) *world {
	t.Helper()
	w := &world{t: t, clock: testkit.NewClock(time.Time{}), hosts: map[string]http.Handler{}, store: kv.NewMemory(), nodesDown: map[string]bool{}}
	w.region = evidencetest.New(t, w.clock.Now)
	w.issuer = w.region.Issuer(issuerHost, paspoort.Opleiding)
	w.vci = vcitest.Start(t, vcitest.Options{Now: w.clock.Now, Batch: batch, Credential: w.issue, Change: func(c *openid4vci.ServerConfig) {
		c.Metadata.CredentialIssuer = "https://" + issuerHost
		c.Metadata.Configurations = configurations()
	}})
	w.hosts[issuerHost] = w.vci.Server
	w.serveNodes()
	w.client = w.serve()
	w.verifier = w.newAsker(verifierHost, true)
	w.follower = w.region.Follower()
	w.refresh()
	w.web = evidencetest.NewWeb(w.issuer)
	return w
}

func configurations() map[string]openid4vci.CredentialConfiguration {
	out := map[string]openid4vci.CredentialConfiguration{}
	for _, f := range paspoort.Formats() {
		id := paspoort.ConfigurationID(paspoort.Opleiding, f)
		c := vcitest.Configuration(id)
		if f == paspoort.FormatVCDM {
			c.Format, c.VCT = string(f), ""
			c.CredentialDefinition = &openid4vci.CredentialDefinition{Context: paspoort.VCContext(paspoort.Opleiding), Type: paspoort.VCTypes(paspoort.Opleiding)}
		}
		out[id] = c
	}
	return out
}

// issue makes a copy for each proven key.
func (w *world) issue(r *openid4vci.Issuance, i int) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.credential != nil {
		return w.credential(r, i)
	}
	f := paspoort.FormatSDJWTVC
	if r.Configuration.Format == string(paspoort.FormatVCDM) {
		f = paspoort.FormatVCDM
	}
	return w.issuer.IssueAs(f, paspoort.Opleiding, r.Keys[i].Public, func(map[string]any, *jose.Header) {}).String(), nil
}

// serveNodes gives each node of the region its timestamp endpoint.
func (w *world) serveNodes() {
	for _, n := range w.region.Charter.Nodes {
		host := strings.TrimPrefix(n.URL, "https://")
		w.hosts[host] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			var body registry.TimestampRequest
			if r.URL.Path != "/v1/timestamp" || json.NewDecoder(r.Body).Decode(&body) != nil || w.nodesDown[n.ID] {
				http.Error(rw, `{"error":"unavailable"}`, http.StatusServiceUnavailable)
				return
			}
			raw, err := jose.DecodeBase64URL(body.Commitment)
			if err != nil || len(raw) != 32 {
				http.Error(rw, `{"error":"invalid_request"}`, http.StatusBadRequest)
				return
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.committed = append(w.committed, [32]byte(raw))
			jws, err := w.region.SignCommitment(n.ID, [32]byte(raw))
			if err != nil {
				http.Error(rw, err.Error(), http.StatusInternalServerError)
				return
			}
			rw.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(rw).Encode(registry.TimestampAnswer{Timestamp: jws})
		})
	}
}

// serve runs one https server for all hosts and returns a client that finds it by
// any name.
func (w *world) serve() *http.Client {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h, ok := w.hosts[r.Host]
		if !ok {
			http.NotFound(rw, r)
			return
		}
		h.ServeHTTP(rw, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that a test leaves
	server.StartTLS()
	w.t.Cleanup(server.Close)
	transport := server.Client().Transport.(*http.Transport).Clone()
	// The certificate of the test server has one name; who is who is shown by the
	// protocols here.
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (w *world) refresh() {
	w.t.Helper()
	if err := w.follower.Refresh(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// config is a wallet's configuration in this world.
func (w *world) config() wallet.Config {
	return wallet.Quick(wallet.Config{
		Store: w.store, HTTP: w.client, Fetch: w.web, Clock: w.clock.Now, Log: testkit.Quiet(), Languages: []string{"nl"},
		Regions: func(wallet.RegionSettings) (wallet.Region, error) {
			return wallet.Region{Copy: w.follower, Refresh: func(ctx context.Context) error {
				if w.stale {
					return errors.New("the region does not answer")
				}
				return w.follower.Refresh(ctx)
			}}, nil
		},
	})
}

// wallet is a fresh wallet that knows the region.
func (w *world) wallet() *wallet.Wallet {
	w.t.Helper()
	got, err := wallet.Init(w.config(), []byte(passphrase), wallet.RegionSettings{Genesis: w.region.Genesis, Nodes: []string{"https://knoop-1.example"}})
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// accept lets a wallet accept one opleiding.
func (w *world) accept(holder *wallet.Wallet, configuration string) wallet.Accepted {
	w.t.Helper()
	offer, err := holder.Offer(w.t.Context(), w.vci.Link(configuration, "493536"), wallet.Trust{})
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := holder.Accept(w.t.Context(), offer, wallet.Choices{TxCode: "493536"})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(got) != 1 {
		w.t.Fatalf("accepted %v", got)
	}
	return got[0]
}

// An asker is a verifier: the other half of OpenID4VP over a map.
type asker struct {
	w      *world
	server *openid4vp.Server
	cert   *x509.Certificate

	mu       sync.Mutex
	open     map[string]*openid4vp.Transaction
	answers  []openid4vp.VPToken
	refusals []openid4vp.Code
	fails    bool
}

// newAsker makes a verifier on a host, admitted with a recorded certificate or a
// stranger whose certificate leads nowhere.
func (w *world) newAsker(host string, admitted bool) *asker {
	w.t.Helper()
	a := &asker{w: w, open: map[string]*openid4vp.Transaction{}}
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		w.t.Fatal(err)
	}
	region := w.region
	if !admitted {
		region = evidencetest.New(w.t, w.clock.Now) // another region, that the wallet does not know
	}
	org := region.Admit(registry.Application{Role: registry.Verifier, Name: "Machinefabriek Ossekamp", Purposes: []string{"aanname"},
		Aliases: []registry.Alias{{Type: registry.AliasURL, Value: "https://" + host}}})
	a.cert = region.Certify(org, "https://"+host, key.Public(), registry.UsageAccess)
	identity, err := openid4vp.NewX509HashIdentity([]*x509.Certificate{a.cert}, key)
	if err != nil {
		w.t.Fatal(err)
	}
	a.server, err = openid4vp.NewServer(openid4vp.ServerConfig{
		Backend: a, BaseURL: "https://" + host, Identities: []openid4vp.Identity{identity}, Now: w.clock.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.hosts[host] = a.server.Handler()
	return a
}

// ask makes a request and returns its link.
func (a *asker) ask(q *dcql.Query, mode openid4vp.ResponseMode) string {
	a.w.t.Helper()
	t, err := a.server.Begin(openid4vp.Ask{Query: q, Profile: openid4vp.Standard(), ResponseMode: mode, Lifetime: 10 * time.Minute,
		VerifierInfo: []openid4vp.VerifierInfo{{Format: openid4vp.PurposeFormat, Data: map[string]any{"purpose": "Wij zoeken iemand voor de zorg.", "lang": "nl"}}}})
	if err != nil {
		a.w.t.Fatal(err)
	}
	a.mu.Lock()
	a.open[t.ID] = t
	a.mu.Unlock()
	inv, err := a.server.Invocation(t)
	if err != nil {
		a.w.t.Fatal(err)
	}
	link, err := inv.Link("openid4vp://")
	if err != nil {
		a.w.t.Fatal(err)
	}
	return link
}

// skills asks for skills, with the name when asked.
func (a *asker) skills(names bool, mode openid4vp.ResponseMode, uris ...string) string {
	a.w.t.Helper()
	q, err := paspoort.SkillsRequest{URIs: uris, Names: names}.Query()
	if err != nil {
		a.w.t.Fatal(err)
	}
	return a.ask(q, mode)
}

func (a *asker) Transaction(_ context.Context, id string) (*openid4vp.Transaction, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.open[id]
	if !ok {
		return nil, openid4vp.ErrUnknownTransaction
	}
	c := *t
	return &c, nil
}

func (a *asker) Answer(_ context.Context, t *openid4vp.Transaction, token openid4vp.VPToken) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fails {
		return "", errors.New("disk full")
	}
	a.answers = append(a.answers, token)
	return "https://" + verifierHost + "/klaar", nil
}

func (a *asker) Refusal(_ context.Context, t *openid4vp.Transaction, e *openid4vp.Error) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refusals = append(a.refusals, e.Code)
	return "", nil
}

// answered says whether anything came.
func (a *asker) answered() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.answers)+len(a.refusals) > 0
}

// shown are the presentations of the last answer, parsed.
func (a *asker) shown() []*sdjwt.SDJWT {
	a.w.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.answers) == 0 {
		a.w.t.Fatal("nothing was sent")
	}
	var out []*sdjwt.SDJWT
	for _, texts := range a.answers[len(a.answers)-1] {
		for _, text := range texts {
			t, err := sdjwt.Parse(text)
			if err != nil {
				a.w.t.Fatal(err)
			}
			out = append(out, t)
		}
	}
	return out
}

// holderKey is the thumbprint of the key that a presentation is bound to.
func holderKey(t testing.TB, token *sdjwt.SDJWT) string {
	t.Helper()
	claims, err := token.Claims()
	if err != nil {
		t.Fatal(err)
	}
	pub, ok := paspoort.HolderKey(claims)
	if !ok {
		t.Fatal("no holder key")
	}
	return thumbprint(t, pub)
}

func thumbprint(t testing.TB, pub crypto.PublicKey) string {
	t.Helper()
	s, err := jose.Thumbprint(pub)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// anchorOf is the certificate authority of a region.
func anchorOf(t testing.TB, r *evidencetest.Region) []*x509.Certificate {
	t.Helper()
	der, err := r.Charter.Anchors[0].DER()
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return []*x509.Certificate{c}
}

// keyOfCnf is the holder's key of a processed payload.
func keyOfCnf(t testing.TB, claims map[string]any) crypto.PublicKey {
	t.Helper()
	pub, ok := paspoort.HolderKey(claims)
	if !ok {
		t.Fatal("no holder key")
	}
	return pub
}
