package node

import (
	"context"
	"slices"
	"sync"
	"time"
)

// listings makes lists for the federation, of which each takes a look at everybody and holds up
// the registry meanwhile: one at a time, and what was made is given out again for a while. Anybody
// may ask, as often as they like.
type listings struct {
	mu   sync.Mutex
	made map[string]listing
}

// listing is what was made, from so many leaves and so many known entities.
type listing struct {
	size     uint64
	entities int
	at       time.Time
	list     []string
}

const (
	listingLife = time.Minute // terms end, configurations come, and other regions are accepted
	maxListings = 64          // questions that are remembered
)

// get is the list that answers a question.
func (l *listings) get(ctx context.Context, f *federation, question string, list func(*anchor) []string) (out []string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err = f.read(ctx, func(a *anchor) error {
		old, ok := l.made[question]
		known := len(f.entities.signers())
		if age := a.now.Sub(old.at); ok && old.size == a.view.AsOf && old.entities == known && age >= 0 && age < listingLife {
			out = slices.Clone(old.list)
			return nil
		}
		out = list(a)
		if l.made == nil || len(l.made) >= maxListings {
			l.made = map[string]listing{}
		}
		if len(question) < 1024 {
			l.made[question] = listing{a.view.AsOf, known, a.now, slices.Clone(out)}
		}
		return nil
	})
	return out, err
}
