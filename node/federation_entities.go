package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/registry"
)

// entities keeps the entity configurations of the organisations that are admitted. What they
// say is theirs; the region repeats only the part that its registry vouches for. They are in
// memory only: of a one-person firm its address is personal, and may have to be forgotten.
type entities struct {
	config federationConfig
	client openidfed.Client

	mu     sync.Mutex
	known  map[string]*known // by entity identifier
	listed listed            // of one goroutine, see refresh
}

// listed is who is admitted, as of a size of the log.
type listed struct {
	ids  []string
	size uint64
	at   time.Time
}

// known is what came of asking one entity.
type known struct {
	token   string    // newest configuration; "" when there never was one
	signer  string    // SPKI hash of the key that signed it
	next    time.Time // when it is asked again
	failed  int       // times in a row
	problem string    // of the last time
}

const (
	entityEvery   = 10 * time.Minute // between two looks at an entity that answers
	entityPause   = time.Hour        // at most, at one that does not
	entityTick    = 5 * time.Second
	entityList    = time.Hour // after which the registry is listed again though nothing was decided: terms end
	entityWorkers = 4
	maxEntities   = 20_000   // whose configurations are kept
	maxEntity     = 64 << 10 // bytes of one that is kept: it has some marks and types
)

var errNoConfiguration = errors.New("its own entity configuration could not be fetched yet; try again later")

func newEntities(c federationConfig) *entities {
	// Whether plain http may be used is the outbound client's rule.
	return &entities{config: c, client: openidfed.Client{HTTP: c.HTTP, AllowHTTP: true}, known: map[string]*known{}}
}

// run keeps the configurations up to date until ctx ends.
func (f *federation) run(ctx context.Context) {
	if f.config.HTTP == nil || f.config.Key == nil {
		return // a node that signs nothing needs nothing
	}
	for {
		if err := f.refresh(ctx); err != nil && ctx.Err() == nil {
			f.config.Log.Debug("federation: entities could not be looked up", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(entityTick):
		}
	}
}

// refresh asks every entity whose turn it is.
func (f *federation) refresh(ctx context.Context) error {
	list := &f.entities.listed
	err := f.read(ctx, func(a *anchor) error {
		if a.view.AsOf != list.size || a.now.Sub(list.at) >= entityList {
			*list = listed{a.addresses(), a.view.AsOf, a.now}
		}
		return nil
	})
	var refused *openidfed.Error
	if errors.As(err, &refused) { // a region without an entity, or a node that may not speak
		return nil
	}
	if err != nil {
		return err
	}
	f.entities.fetch(ctx, f.entities.due(list.ids))
	return nil
}

// due drops who is admitted no more and says who is to be asked.
func (e *entities) due(ids []string) (out []string) {
	if len(ids) > maxEntities {
		e.config.Log.Warn("more entities than are kept", "entities", len(ids), "kept", maxEntities)
		ids = ids[:maxEntities]
	}
	now := e.config.Clock()
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.DeleteFunc(e.known, func(id string, _ *known) bool {
		_, still := slices.BinarySearch(ids, id)
		return !still
	})
	for _, id := range ids {
		if k := e.known[id]; k == nil || !now.Before(k.next) {
			out = append(out, id)
		}
	}
	return out
}

// fetch asks entities, some at a time.
func (e *entities) fetch(ctx context.Context, ids []string) {
	var asking errgroup.Group
	asking.SetLimit(entityWorkers)
	for _, id := range ids {
		asking.Go(func() error {
			s, err := e.client.Configuration(ctx, id, e.config.Clock())
			if ctx.Err() == nil {
				e.keep(id, s, err)
			}
			return nil
		})
	}
	asking.Wait()
}

func (e *entities) keep(id string, s *openidfed.Statement, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	k := e.known[id]
	if k == nil {
		k = &known{}
		e.known[id] = k
	}
	pause := entityEvery
	if err == nil && len(s.String()) > maxEntity {
		err = fmt.Errorf("its entity configuration has more than %d bytes", maxEntity)
	}
	if err != nil {
		// One that has just been admitted may publish its own in a moment, most do so much
		// later: ask less and less often.
		k.failed, k.problem = k.failed+1, err.Error()
		pause = min(entityTick<<min(k.failed-1, 10), entityPause)
	} else {
		k.token, k.signer, k.failed, k.problem = s.String(), signerOf(s), 0, ""
		if left := s.ExpiresAt.Sub(e.config.Clock()) / 2; left < pause {
			pause = max(left, time.Minute)
		}
	}
	k.next = e.config.Clock().Add(pause)
}

// get is the newest configuration of an entity.
func (e *entities) get(id string) (*openidfed.Statement, error) {
	e.mu.Lock()
	token := ""
	if k := e.known[id]; k != nil {
		token = k.token
	}
	e.mu.Unlock()
	if token == "" {
		return nil, errNoConfiguration
	}
	s, err := openidfed.ParseStatement(token)
	if err != nil {
		return nil, fmt.Errorf("entity %s: %w", id, err)
	}
	return s, nil
}

// signers are the entities whose configuration is here, each with the key that signed it.
func (e *entities) signers() map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make(map[string]string, len(e.known))
	for id, k := range e.known {
		if k.token != "" {
			out[id] = k.signer
		}
	}
	return out
}

// signerOf is the SPKI hash of the key that signed a configuration.
func signerOf(s *openidfed.Statement) string {
	for _, k := range s.Keys.Keys {
		if s.Verify(jose.KeySet{Keys: []jose.Key{k}}, s.IssuedAt) == nil {
			return registry.SPKIHash(k.Public)
		}
	}
	return ""
}
