package verifier

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"paspoort.example/paspoort/internal/entity"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
)

// Verifier is the role. Make one with [New].
type Verifier struct {
	config Config
	server *openid4vp.Server
	did    *did.Document
	keys   jose.KeySet
	entity *entity.Entity // nil: takes no part in a federation
	kit    *page.Kit
	views  views
	site   *web.Site

	answers  *prometheus.CounterVec
	contents contents
}

// New checks the configuration and builds everything; it starts nothing.
func New(config Config) (*Verifier, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	if err := kv.CheckFormat(config.Store, "verifier", storeFormat); err != nil {
		return nil, err
	}
	v := &Verifier{config: config, contents: contents{byRequest: map[string]disclosed{}}}
	identities, err := v.identities()
	if err != nil {
		return nil, err
	}
	v.server, err = openid4vp.NewServer(openid4vp.ServerConfig{
		Backend:    backend{v},
		BaseURL:    config.URL + protocolPath,
		Identities: identities,
		Now:        config.Clock,
		Rand:       config.Rand,
		Observe:    v.observe,
	})
	if err != nil {
		return nil, err
	}
	if err := v.makePages(); err != nil {
		return nil, err
	}
	v.site = web.New(web.Options{
		Role: "verifier", Log: config.Log, Clock: config.Clock, Ready: config.Ready,
		MaxBody: openid4vp.MaxResponseSize + 64<<10, // the response endpoint has the largest bodies
	})
	v.answers = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "paspoort_verifier_answers_total", Help: "Answers to requests, by how they ended.",
	}, []string{"outcome"})
	v.site.Metrics.MustRegister(v.answers)
	if err := v.federate(); err != nil {
		return nil, err
	}
	v.routes()
	return v, nil
}

const protocolPath = "/openid4vp"

// identities are the ways in which this verifier shows who it is, the preferred first: the certificate of a region, then
// its DID. The same order for everybody: a request says nothing about whom it is meant for.
func (v *Verifier) identities() ([]openid4vp.Identity, error) {
	var out []openid4vp.Identity
	c := &v.config
	if c.AccessKey != nil {
		hash, err := openid4vp.NewX509HashIdentity(c.AccessChain, c.AccessKey)
		if err != nil {
			return nil, fmt.Errorf("verifier: access certificate: %w", err)
		}
		out = append(out, hash)
		v.keys.Keys = append(v.keys.Keys, jose.Key{Public: c.AccessKey.Public(), Use: "sig", Algorithm: string(jose.ES256)})
	}
	id, err := did.WebFromURL(c.URL)
	if err != nil {
		return nil, fmt.Errorf("verifier: %w", err)
	}
	fragment, err := jose.Thumbprint(c.DIDKey.Public())
	if err != nil {
		return nil, fmt.Errorf("verifier: DIDKey: %w", err)
	}
	key := jose.Key{Public: c.DIDKey.Public(), KeyID: fragment, Use: "sig"}
	if v.did, err = did.NewDocument(id, c.URL, key); err != nil {
		return nil, fmt.Errorf("verifier: %w", err)
	}
	v.keys.Keys = append(v.keys.Keys, key)
	identity, err := openid4vp.NewDIDIdentity(id, id+"#"+fragment, c.DIDKey)
	if err != nil {
		return nil, fmt.Errorf("verifier: %w", err)
	}
	out = append(out, identity)
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("verifier: %w", err)
	}
	if c.AccessKey != nil {
		// A certificate without the host as DNS name serves x509_hash only.
		if dns, err := openid4vp.NewX509SANDNSIdentity(u.Hostname(), c.AccessChain, c.AccessKey); err == nil {
			out = append(out, dns)
		}
	}
	return out, nil
}

// Handler serves everything of the role.
func (v *Verifier) Handler() http.Handler { return v.site.Handler() }

func (v *Verifier) routes() {
	p := v.site.Protocol
	// A wallet may be a page in a browser: the protocol's endpoints are open to scripts of any origin. They rest on secrets in
	// the request, never on cookies.
	protocol := web.CORS(http.StripPrefix(protocolPath, v.server.Handler()))
	// Opened, refused and never seen look the same, in the log and the metrics too.
	p.PathPrefix(protocolPath + "/request/").Handler(web.Unrecorded(protocol))
	p.PathPrefix(protocolPath + "/").Handler(protocol)
	p.Handle("/.well-known/did.json", web.Unrecorded(http.HandlerFunc(v.serveDID))).Methods(http.MethodGet, http.MethodHead)
	p.HandleFunc("/.well-known/jwks.json", v.serveKeys).Methods(http.MethodGet, http.MethodHead)
	v.apiRoutes(p)
	v.pageRoutes(v.site.Pages)
}

func (v *Verifier) serveDID(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "max-age=300")
	web.WriteJSON(w, http.StatusOK, v.did)
}

func (v *Verifier) serveKeys(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "max-age=300")
	web.WriteJSON(w, http.StatusOK, v.keys)
}

// Run forgets on time, until ctx ends.
func (v *Verifier) Run(ctx context.Context) error {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	if v.entity != nil {
		var running sync.WaitGroup
		defer running.Wait()
		running.Go(func() { _ = v.entity.Run(ctx) }) // it ends with ctx only
	}
	for {
		if err := v.Sweep(); err != nil {
			v.config.Log.Error("requests past their term were not forgotten", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Sweep forgets everything that is past its term, once. [Verifier.Run] does so every minute.
func (v *Verifier) Sweep() error {
	now := v.config.Clock()
	gone, err := v.sweep(now)
	v.contents.forget(now, gone)
	return err
}

// observe hears of each answer of the protocol endpoints. The log says which endpoint and code, never which request.
func (v *Verifier) observe(endpoint string, status int, code openid4vp.Code, cause error) {
	if status < http.StatusBadRequest {
		return
	}
	if endpoint == "response" {
		v.answers.WithLabelValues("refused_" + string(code)).Inc()
	}
	level := slog.LevelInfo
	if cause != nil {
		level = slog.LevelError
	}
	v.config.Log.Log(context.Background(), level, "protocol request refused", "endpoint", endpoint, "status", status, "code", string(code), "error", cause)
}

// contents holds what was disclosed, in memory, for a short while.
type contents struct {
	mu        sync.Mutex
	byRequest map[string]disclosed
}

type disclosed struct {
	until   time.Time
	verdict paspoort.Verdict // with the claims in it
	shown   shown
}

// shown is what came, word for word, with what it was asked for: enough to have it judged once more, elsewhere.
type shown struct {
	Presentations []string `json:"presentations"`
	Expected      expected `json:"expected"`
}

type expected struct {
	Nonce    string `json:"nonce"`
	Audience string `json:"aud"`
}

func (c *contents) put(id string, d disclosed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byRequest[id] = d
}

func (c *contents) get(id string, now time.Time) (d disclosed, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok = c.byRequest[id]
	return d, ok && now.Before(d.until)
}

// forget drops what is past its time, and what belongs to these requests.
func (c *contents) forget(now time.Time, requests []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range requests {
		delete(c.byRequest, id)
	}
	for id, d := range c.byRequest {
		if !now.Before(d.until) {
			delete(c.byRequest, id)
		}
	}
}

// secret is 128 bits of randomness in URL safe characters.
func (v *Verifier) secret() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(v.config.Rand, b[:]); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// https tells whether cookies can be restricted to https.
func (v *Verifier) https() bool { return strings.HasPrefix(v.config.URL, "https://") }
