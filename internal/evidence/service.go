package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

var (
	// ErrOffline says that something would have to be fetched and nothing may be.
	ErrOffline = errors.New("nothing can be fetched here")
	// ErrTooMany says that more was presented at once than is looked at.
	ErrTooMany = errors.New("too many credentials at once")
)

// maxPresentations bounds what one request to verify may hold.
const maxPresentations = 64

// Config says what a [Service] may use. All fields may be zero: what is then not known is
// unknown in the verdict.
type Config struct {
	// Copies are the regions, preferred first. A verdict relies on one of them: the
	// first that knows the issuers shown.
	Copies []Copy
	// Neighbours are the regions that the first of these accepted; nil: they do not count.
	Neighbours *Neighbours
	// Federation are federations outside the regions, for issuers that no region knows; nil:
	// none counts.
	Federation *Federation
	// Fetch gets DID documents and issuer metadata. Nil fetches nothing.
	Fetch did.Fetcher
	// StatusFetch gets status lists, which are larger; nil means Fetch.
	StatusFetch did.Fetcher
	// StatusStore keeps fetched status lists for after a restart; nil keeps them in memory
	// only. What is written is in the clear: for who may know whose lists were looked at.
	StatusStore kv.Store
	// StatusArchive is asked for a status list that its issuer does not give, or not any more.
	// With StatusFetch and Fetch nil it is all that is asked: then no issuer learns that
	// somebody looks.
	StatusArchive StatusArchive
	// StatusDir holds status list tokens, one a file, that are used instead of
	// fetching theirs.
	StatusDir fs.FS
	Limits    paspoort.Limits
	// Patience is how long one call of Verify waits for all that it has to fetch; what
	// did not come by then is unknown. Zero means 20 seconds.
	Patience time.Duration
	Clock    func() time.Time
	Log      *slog.Logger
}

// Service gathers facts and asks for verdicts. Safe for use from many goroutines.
type Service struct {
	config    Config
	documents *documents
	statuses  *statuses
}

// New checks the configuration and reads the folder of status tokens.
func New(c Config) (*Service, error) {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Patience <= 0 {
		c.Patience = 20 * time.Second
	}
	if c.StatusFetch == nil {
		c.StatusFetch = c.Fetch
	}
	seen := map[string]bool{}
	for _, region := range c.Copies {
		if seen[region.Genesis()] {
			return nil, fmt.Errorf("evidence: two copies of region %s", region.Genesis())
		}
		seen[region.Genesis()] = true
	}
	s := &Service{config: c, documents: newDocuments(c.Fetch, c.Clock), statuses: newStatuses(c)}
	if c.StatusDir != nil {
		if err := s.statuses.load(c.StatusDir); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Fetcher gets documents about keys, and remembers them for a few minutes: for who resolves
// the DID of an asker.
func (s *Service) Fetcher() did.Fetcher { return s.documents }

// Status is the status token at an address, for a wallet that looks at its own credentials.
// The error wraps [ErrNoStatus].
func (s *Service) Status(ctx context.Context, uri string) (*StatusToken, error) {
	return s.statuses.get(ctx, uri)
}

// Neighbours are the copies of other regions that the home region accepted. What each says counts
// as far as its facts tell: see paspoort.RegistryFacts.Relied.
func (s *Service) Neighbours() []Copy {
	var out []Copy
	for _, c := range s.config.Neighbours.copies() {
		out = append(out, c)
	}
	return out
}

// A Standing is what one region's registry answers about an organisation.
type Standing struct {
	registry.Answer
	Registry paspoort.RegistryFacts
}

// Admission asks the regions about an organisation: who asks, who issues. It answers with
// the first region that knows it, else with the first region's answer. It fails with
// [ErrNoCopy] when there is no copy to ask.
func (s *Service) Admission(ctx context.Context, q registry.Question) (Standing, error) {
	copies := slices.Concat(s.config.Copies, s.Neighbours())
	var first *Standing
	for _, region := range copies {
		var got Standing
		err := region.Read(ctx, func(v registry.View, facts paspoort.RegistryFacts) (err error) {
			if !facts.Relied(s.config.Clock()) {
				return ErrNoCopy
			}
			got.Registry = facts
			got.Answer, err = v.Admission(q)
			return err
		})
		switch {
		case errors.Is(err, ErrNoCopy):
			continue
		case err != nil:
			return Standing{}, err
		case got.Organisation != nil:
			return got, nil
		case first == nil:
			first = &got
		}
	}
	if first == nil {
		return Standing{}, ErrNoCopy
	}
	return *first, nil
}
