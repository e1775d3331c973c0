package host

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/wallet"
)

// A Host keeps paspoorten for many holders. Make one with New, serve its Handler, and let
// Run do what must be done now and then.
type Host struct {
	c        Config
	born     time.Time // what was made before is of an earlier run
	kit      *page.Kit
	views    views
	sessions *sessions
	codes    sync.Mutex // one recovery code is made at a time
	acts     shareLocks // by holder: one change of own words at a time
	limits   *limits
	shares   *shareDesk
	paspoort paspoortDesk
	webauthn *webauthn.WebAuthn
	site     *web.Site
	handler  http.Handler

	// life ends with Run; background are the looks that were begun and end with it.
	life       context.Context
	end        context.CancelFunc
	background sync.WaitGroup
}

// New checks everything and starts nothing.
func New(c Config) (*Host, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := kv.CheckFormat(c.Store, storeName, storeFormat); err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	if _, err := io.ReadFull(c.Rand, key); err != nil {
		return nil, fmt.Errorf("random bytes: %w", err)
	}
	h := &Host{c: c, born: c.Clock(), limits: newLimits(c.Clock, key, c.Proxies)}
	h.life, h.end = context.WithCancel(context.Background())
	h.sessions = &sessions{
		clock: c.Clock, random: c.Rand, idle: c.Idle, longest: c.Longest,
		live: map[[32]byte]*session{}, ended: map[[32]byte]endedSession{},
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	h.webauthn, err = webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: c.Name, RPOrigins: []string{c.URL}})
	if err != nil {
		return nil, fmt.Errorf("host: passkeys: %w", err)
	}
	if err := h.makePages(); err != nil {
		return nil, err
	}
	if err := h.makeShares(); err != nil {
		return nil, err
	}
	h.routes()
	return h, nil
}

// Handler is the whole site.
func (h *Host) Handler() http.Handler { return h.handler }

// Run ends old sessions, closes shares whose time has come and takes away what was left
// half-made, until ctx ends.
func (h *Host) Run(ctx context.Context) error {
	if err := h.sweepAccounts(); err != nil {
		return err
	}
	h.background.Go(h.watchShares)
	h.sessions.run(ctx)
	h.end()
	h.background.Wait()
	return nil
}

// ready is for /readyz.
func (h *Host) ready(context.Context) error {
	return h.c.Store.View(func(kv.Tx) error { return nil })
}

// engine is the configuration of one holder's wallet, in the language of the reader.
func (h *Host) engine(id string, lang page.Language) wallet.Config {
	c := h.c.Wallet
	c.Store, c.Evidence = h.part(id), h.c.Evidence
	c.Clock, c.Rand, c.Log = h.c.Clock, h.c.Rand, h.c.Log
	c.Languages = languages(lang)
	return c
}

// languages of the engine, which knows no easy Dutch.
func languages(lang page.Language) []string {
	if lang == page.English {
		return []string{"en", "nl"}
	}
	return []string{"nl", "en"}
}

func (h *Host) makePages() (err error) {
	h.kit, err = page.New(page.Options{
		Owner: h.c.Name, Sources: []fs.FS{files}, Languages: []page.Language{page.Dutch, page.EasyDutch, page.English}, ReadAloud: true,
		Member: []page.Link{{Key: "nav.paspoort", Path: "/paspoort"}, {Key: "nav.collect", Path: "/collect"}, {Key: "nav.shares", Path: "/shares"}, {Key: "nav.history", Path: "/history"}, {Key: "nav.care", Path: "/care"}},
	})
	if err != nil {
		return err
	}
	return h.makeViews()
}
