package host

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/wallet"
)

// Config is what a host needs. URL, Name, Store, Wallet and ReceiptKey are required.
type Config struct {
	// URL is the public address without trailing slash. The Host header of a request is
	// never believed.
	URL string
	// Name is who speaks on the pages.
	Name string
	// Store holds everything; see keys.go.
	Store kv.Store
	// Wallet is how the engine reaches the world. Its Store is set for each holder, and its
	// Languages for each session.
	Wallet wallet.Config
	// Regions are what a new paspoort relies on.
	Regions []wallet.RegionSettings
	// RegionName is what a region calls itself, by genesis; "" when nothing of it was read
	// yet. Nil knows none.
	RegionName func(genesis string) string
	// Evidence judges what a share shows, for whoever reads it. Nil means that the pages say
	// that nothing was checked here.
	Evidence *evidence.Service
	// ReceiptKey signs the receipts of openings.
	ReceiptKey *jose.PrivateKey
	// Labels are words to suggest while the holder types what he or she can.
	Labels []string

	// Idle is after how long without a page a session ends, Longest when it ends whatever is
	// done. Zero means half an hour and eight hours.
	Idle, Longest time.Duration
	// BackupDays is how long backups of this host are kept, for the page about deleting. Zero
	// means that none are made.
	BackupDays int
	// Proxies is how many proxies of one's own stand before this host and add to
	// X-Forwarded-For. Zero means that it is reached directly.
	Proxies int
	// MaxHolders bounds the accounts; zero means 100,000.
	MaxHolders int

	// Clock tells the time. Nil means time.Now.
	Clock func() time.Time
	Rand  io.Reader // nil means crypto/rand
	Log   *slog.Logger
}

// check fills in what may be left out.
func (c *Config) check() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http", strings.HasSuffix(c.URL, "/"), u.RawQuery != "":
		return fmt.Errorf("host: the address %q is not of the form https://host", c.URL)
	case c.Name == "", c.Store == nil, c.ReceiptKey == nil:
		return errors.New("host: name, store and receipt key are required")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Idle == 0 {
		c.Idle = 30 * time.Minute
	}
	if c.Longest == 0 {
		c.Longest = 8 * time.Hour
	}
	if c.MaxHolders == 0 {
		c.MaxHolders = 100_000
	}
	return nil
}

// secure says whether the host is reached by https: cookies and passkeys hang on it.
func (h *Host) secure() bool { return strings.HasPrefix(h.c.URL, "https://") }
