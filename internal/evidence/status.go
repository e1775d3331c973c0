package evidence

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/statuslist"
)

const (
	statusTTL   = 5 * time.Minute  // for tokens that name neither ttl nor exp
	statusLong  = 30 * time.Minute // whatever a token allows: a revocation is to be seen
	statusCache = 128 << 20        // bytes of inflated lists
	statusFiles = 10_000           // files in a directory of tokens
	maxStatus   = 16 << 20         // bytes of one file
)

// ErrNoStatus says that no status token for an address could be had.
var ErrNoStatus = errors.New("no status token")

// A StatusToken is a status list token of which the signature fits the certificate that
// came with it. Whether that certificate may speak for the issuer is judged against the
// registry each time, so that a revocation takes effect at once.
type StatusToken struct {
	*statuslist.Token
	Fingerprint string // of the x5c leaf, lower-case hexadecimal SHA-256 of its DER
}

// statuses finds status list tokens by their address: in a directory, in memory, on disk, or
// by fetching.
type statuses struct {
	fetch   did.Fetcher   // nil: only what is at hand
	archive StatusArchive // nil: no other way
	clock   func() time.Time
	local   map[string]*StatusToken // from a directory, by address; never refreshed
	cache   *cache[statusEntry]
	kept    keptTokens // on disk, for after a restart
	log     *slog.Logger
	group   singleflight.Group
}

type statusEntry struct {
	token *StatusToken // the last good one; nil when there is none
	retry time.Time    // when to fetch again
}

func newStatuses(c Config) *statuses {
	return &statuses{
		fetch: c.StatusFetch, archive: c.StatusArchive, clock: c.Clock, cache: newCache[statusEntry](statusCache), kept: keptTokens{c.StatusStore}, log: c.Log,
	}
}

// load reads tokens from files, one compact token each. What is no token is an error:
// someone who hands over a folder wants to know that part of it is not used. Of two
// tokens for one address the newer counts.
func (s *statuses) load(dir fs.FS) error {
	s.local = map[string]*StatusToken{}
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return fmt.Errorf("read status folder: %w", err)
	}
	if len(entries) > statusFiles {
		return fmt.Errorf("read status folder: more than %d files", statusFiles)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if info, err := e.Info(); err != nil || info.Size() > maxStatus {
			return fmt.Errorf("status file %s: too large or not readable", e.Name())
		}
		text, err := fs.ReadFile(dir, e.Name())
		if err != nil {
			return fmt.Errorf("status file: %w", err)
		}
		token, err := parseStatus(strings.TrimSpace(string(text)))
		if err != nil {
			return fmt.Errorf("status file %s: %w", e.Name(), err)
		}
		if old, ok := s.local[token.Subject]; !ok || old.IssuedAt.Before(token.IssuedAt) {
			s.local[token.Subject] = token
		}
	}
	return nil
}

// get returns the token for an address. A token that should be refreshed but cannot be is
// still returned: how old is too old is the verdict's business. The error wraps
// [ErrNoStatus].
func (s *statuses) get(ctx context.Context, uri string) (*StatusToken, error) {
	if token, ok := s.local[uri]; ok {
		return token, nil
	}
	entry := s.known(uri)
	if s.clock().Before(entry.retry) || s.fetch == nil && s.archive == nil {
		return entry.answer()
	}
	got, err := together(ctx, &s.group, uri, func(ctx context.Context) statusEntry { return s.refresh(ctx, uri, entry.token) })
	if err != nil {
		return entry.answer() // out of time: what was known before
	}
	return got.answer()
}

// known is what is at hand without asking anybody: in memory, or else what an earlier process
// fetched. The zero entry means nothing.
func (s *statuses) known(uri string) statusEntry {
	if entry, ok := s.cache.get(uri); ok {
		return entry
	}
	// The name differs from that of the fetch: neither may wait for the other.
	got, _, _ := s.group.Do("kept "+uri, func() (any, error) {
		token, fetched, err := s.kept.get(uri)
		if err != nil {
			if !errors.Is(err, kv.ErrNotFound) {
				s.log.Warn("kept status list not usable", "error", err)
			}
			return statusEntry{}, nil
		}
		entry := statusEntry{token: token}
		if !fetched.After(s.clock()) {
			entry.retry = retryAt(token, fetched)
		}
		s.cache.put(uri, entry, entry.cost(uri))
		return entry, nil
	})
	return got.(statusEntry)
}

func (e statusEntry) answer() (*StatusToken, error) {
	if e.token == nil {
		return nil, ErrNoStatus
	}
	return e.token, nil
}

// refresh fetches a token and remembers what came of it. old is kept when nothing newer
// comes: a list never goes back in time, or a replayed one could undo a revocation.
func (s *statuses) refresh(ctx context.Context, uri string, old *StatusToken) statusEntry {
	now := s.clock()
	token, err := s.obtain(ctx, uri)
	entry := statusEntry{token: old, retry: now.Add(negativeTTL)}
	if err == nil && (old == nil || !token.IssuedAt.Before(old.IssuedAt)) {
		entry = statusEntry{token: token, retry: retryAt(token, now)}
		if err := s.kept.put(uri, token.String(), now); err != nil {
			s.log.Warn("status list not kept on disk", "error", err)
		}
	}
	s.cache.put(uri, entry, entry.cost(uri))
	return entry
}

// retryAt is when a token fetched at a moment is to be fetched again.
func retryAt(token *StatusToken, fetched time.Time) time.Time {
	at := token.RefreshAt(fetched)
	if at.IsZero() || !at.After(fetched) {
		return fetched.Add(statusTTL)
	}
	// Token Status List draft 20, 5.1: ttl is "the maximum amount of time", not the least.
	if latest := fetched.Add(statusLong); at.After(latest) {
		return latest
	}
	return at
}

func (e statusEntry) cost(uri string) int {
	cost := len(uri) + 256
	if e.token != nil {
		cost += len(e.token.String()) + len(e.token.List.Bytes())
	}
	return cost
}

// obtain gets a token from its own address or, when there is none that counts now, from the
// archive. One that has expired still says what was last known; that it is too old is for the
// verdict to say.
func (s *statuses) obtain(ctx context.Context, uri string) (token *StatusToken, err error) {
	err = ErrNoStatus
	if s.fetch != nil {
		if token, err = s.download(ctx, uri); err == nil {
			return token, nil
		}
		if !errors.Is(err, statuslist.ErrExpired) {
			token = nil
		}
	}
	kept, missing := s.archived(ctx, uri)
	switch {
	case missing == nil && (token == nil || !kept.IssuedAt.Before(token.IssuedAt)):
		return kept, nil
	case token != nil:
		return token, nil
	}
	return nil, errors.Join(err, missing)
}

func (s *statuses) download(ctx context.Context, uri string) (*StatusToken, error) {
	body, _, err := s.fetch.Get(ctx, uri, statuslist.MediaType)
	if err != nil {
		return nil, fmt.Errorf("fetch status token: %w", err)
	}
	token, err := parseStatus(strings.TrimSpace(string(body)))
	if err != nil {
		return nil, err
	}
	// Token Status List draft 20, 8.3 step 4: "The subject claim ... MUST be equal to
	// the uri claim".
	if token.Subject != uri {
		return nil, statuslist.ErrSubject
	}
	return token, token.CheckTime(s.clock())
}

func parseStatus(compact string) (*StatusToken, error) {
	return ParseStatusToken(compact, StatusLimits)
}

// statusSigner is the certificate of the signer. HAIP 1.0 6.1 demands x5c; without it no
// key of the registry can be found.
func statusSigner(token *statuslist.Token) (fingerprint string, pub crypto.PublicKey, err error) {
	chain, err := jose.ParseCertificates(token.Header.X5C)
	if err != nil {
		return "", nil, fmt.Errorf("status token: %w", err)
	}
	return fingerprintOf(chain[0]), chain[0].PublicKey, nil
}
