package evidence

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

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

// statuses finds status list tokens by their address: in memory, in a directory, or by
// fetching.
type statuses struct {
	fetch did.Fetcher // nil: only what is at hand
	clock func() time.Time
	local map[string]*StatusToken // from a directory, by address; never refreshed
	cache *cache[statusEntry]
	group singleflight.Group
}

type statusEntry struct {
	token *StatusToken // the last good one; nil when there is none
	retry time.Time    // when to fetch again
}

func newStatuses(fetch did.Fetcher, clock func() time.Time) *statuses {
	return &statuses{fetch: fetch, clock: clock, cache: newCache[statusEntry](statusCache)}
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
	entry, known := s.cache.get(uri)
	if known && s.clock().Before(entry.retry) {
		return entry.answer()
	}
	if s.fetch == nil {
		return nil, ErrNoStatus
	}
	got, err := together(ctx, &s.group, uri, func(ctx context.Context) statusEntry { return s.refresh(ctx, uri, entry.token) })
	if err != nil {
		return entry.answer() // out of time: what was known before
	}
	return got.answer()
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
	token, err := s.download(ctx, uri)
	entry := statusEntry{token: old, retry: now.Add(negativeTTL)}
	if err == nil && (old == nil || !token.IssuedAt.Before(old.IssuedAt)) {
		entry = statusEntry{token: token, retry: now.Add(statusTTL)}
		if at := token.RefreshAt(now); !at.IsZero() && at.After(now) {
			// Token Status List draft 20, 5.1: ttl is "the maximum amount of time", not the least.
			entry.retry = at
			if latest := now.Add(statusLong); at.After(latest) {
				entry.retry = latest
			}
		}
	}
	s.cache.put(uri, entry, entry.cost(uri))
	return entry
}

func (e statusEntry) cost(uri string) int {
	cost := len(uri) + 256
	if e.token != nil {
		cost += len(e.token.String()) + len(e.token.List.Bytes())
	}
	return cost
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

// parseStatus reads a token and verifies its signature with the certificate that it
// carries.
func parseStatus(compact string) (*StatusToken, error) {
	token, err := statuslist.ParseToken(compact, statuslist.Limits{})
	if err != nil {
		return nil, err
	}
	fingerprint, pub, err := statusSigner(token)
	if err != nil {
		return nil, err
	}
	// Only the signature: a token that has expired is still evidence of what was.
	if err := token.Verify(pub, token.IssuedAt); err != nil {
		return nil, err
	}
	return &StatusToken{Token: token, Fingerprint: fingerprint}, nil
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
