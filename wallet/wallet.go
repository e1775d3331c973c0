package wallet

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vp"
)

// Doer sends HTTP requests and decides which addresses may be reached.
// internal/outbound's client is one.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Config is what a wallet needs. Store, HTTP, Fetch and Clock are required.
type Config struct {
	Store kv.Store // empty, or a wallet's
	HTTP  Doer     // for the protocols
	Fetch did.Fetcher
	Clock func() time.Time
	// StatusFetch gets status lists, which are larger; nil means Fetch.
	StatusFetch did.Fetcher
	// CheckURL refuses a URL of an issuer that may not be called; nil means https
	// only.
	CheckURL func(*url.URL) error
	// Regions opens the verified copies of the regions that the holder chose. Nil
	// means that no region is known, and every party is met knowingly.
	Regions func(RegionSettings) (Region, error)
	// Evidence judges for this wallet. Nil means a service of its own over the regions: a
	// host with many holders gives them all one, so that a status list is in memory once.
	Evidence *evidence.Service
	Rand     io.Reader // nil means crypto/rand
	Log      *slog.Logger
	// Languages of the holder, most wanted first; nil means Dutch, then English.
	Languages []string
	// ClientID is told to issuers that take no anonymous wallet.
	ClientID string

	testingKDF *argon2id // a cheap one, for tests only
}

// Region is a region whose registry the wallet can ask.
type Region struct {
	Copy evidence.Copy
	// Neighbours are the regions that this one accepted; those of the first region count.
	Neighbours *evidence.Neighbours
	// Refresh asks the nodes for news; nil when the copy keeps itself up to date.
	Refresh func(context.Context) error
}

// RegionSettings is a region that the holder chose: what is pinned, and where its
// nodes are.
type RegionSettings struct {
	Genesis string   `json:"genesis"`
	Nodes   []string `json:"nodes"`
}

// A Wallet is one holder's, unlocked. Its methods may be called concurrently.
type Wallet struct {
	c        Config
	box      *box
	regions  []Region
	evidence *evidence.Service
	vci      *openid4vci.Client
	renewals *renewals
	taking   chan struct{} // holds one while an archive is taken in
}

// settings is the value under keySettings.
type settings struct {
	Regions []RegionSettings `json:"regions"`
}

// Init makes a wallet in an empty store and unlocks it. Errors: ErrExists,
// ErrWeakPassphrase.
func Init(c Config, passphrase []byte, regions ...RegionSettings) (*Wallet, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := kv.CheckFormat(c.Store, storeName, storeFormat); err != nil {
		return nil, err
	}
	v, dataKey, err := newVault(passphrase, c.Rand, c.testingKDF)
	if err != nil {
		return nil, err
	}
	b, err := newBox(c.Store, dataKey, c.Rand)
	if err != nil {
		return nil, err
	}
	err = c.Store.Update(func(tx kv.Tx) error {
		if _, err := readVault(tx); !errors.Is(err, ErrNoWallet) {
			return errors.Join(ErrExists, err)
		}
		if err := b.put(tx, keySettings, settings{Regions: regions}); err != nil {
			return err
		}
		return v.write(tx)
	})
	if err != nil {
		return nil, err
	}
	return open(c, b)
}

// Unlock opens the wallet of a store. Errors: ErrNoWallet, ErrPassphrase.
func Unlock(c Config, passphrase []byte) (*Wallet, error) {
	return unlock(c, func(v *vault) ([]byte, error) { return v.open(passphrase) })
}

// unlock opens the wallet with the data key that an unlocker gives.
func unlock(c Config, dataKeyOf func(*vault) ([]byte, error)) (*Wallet, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := kv.CheckFormat(c.Store, storeName, storeFormat); err != nil {
		return nil, err
	}
	var v *vault
	err := c.Store.View(func(tx kv.Tx) (err error) {
		v, err = readVault(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	dataKey, err := dataKeyOf(v)
	if err != nil {
		return nil, err
	}
	b, err := newBox(c.Store, dataKey, c.Rand)
	if err != nil {
		return nil, err
	}
	return open(c, b)
}

// check fills in what may be left out.
func (c *Config) check() error {
	if c.Store == nil || c.HTTP == nil || c.Fetch == nil || c.Clock == nil {
		return errors.New("wallet: store, HTTP client, fetcher and clock are required")
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Languages == nil {
		c.Languages = []string{"nl", "en"}
	}
	return nil
}

// open reads the settings and connects the parts.
func open(c Config, b *box) (*Wallet, error) {
	w := &Wallet{c: c, box: b, renewals: &renewals{going: map[string]chan struct{}{}}, taking: make(chan struct{}, 1)}
	var s settings
	err := c.Store.View(func(tx kv.Tx) error { return b.get(tx, keySettings, &s) })
	if errors.Is(err, kv.ErrNotFound) {
		err = ErrDamaged // a vault without its wallet
	}
	if err == nil {
		err = b.checkInbox()
	}
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	var copies []evidence.Copy
	var neighbours *evidence.Neighbours
	for i, r := range s.Regions {
		if c.Regions == nil {
			break
		}
		region, err := c.Regions(r)
		if err != nil {
			return nil, fmt.Errorf("region %.12s: %w", r.Genesis, err)
		}
		w.regions, copies = append(w.regions, region), append(copies, region.Copy)
		if i == 0 {
			neighbours = region.Neighbours
		}
	}
	if w.evidence = c.Evidence; w.evidence == nil {
		w.evidence, err = evidence.New(evidence.Config{
			Copies: copies, Neighbours: neighbours, Fetch: c.Fetch, StatusFetch: c.StatusFetch, Clock: c.Clock, Log: c.Log,
		})
	}
	if err != nil {
		return nil, err
	}
	w.vci = &openid4vci.Client{HTTP: c.HTTP, Now: c.Clock, Rand: c.Rand, CheckURL: c.CheckURL, Languages: c.Languages}
	return w, nil
}

// vp is the wallet half of OpenID4VP for one request.
func (w *Wallet) vp(anchors []*x509.Certificate, acceptUntrusted bool) *openid4vp.Client {
	return &openid4vp.Client{
		HTTP: w.c.HTTP, Profile: openid4vp.Tolerant(), Anchors: anchors, Rand: w.c.Rand,
		DIDs: openid4vp.DIDResolver{Fetcher: w.evidence.Fetcher()}, AcceptUntrusted: acceptUntrusted,
	}
}

// refresh asks the nodes of the regions for news. A region that does not answer is
// still known by the copy that we have, with its age.
func (w *Wallet) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for _, r := range w.regions {
		if r.Refresh == nil {
			continue
		}
		if err := r.Refresh(ctx); err != nil && !errors.Is(context.Cause(ctx), context.Canceled) {
			w.c.Log.WarnContext(ctx, "region could not be refreshed", "region", r.Copy.Genesis(), "cause", err)
		}
	}
}
