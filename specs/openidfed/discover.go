package openidfed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Chain finds a Trust Chain from id to one of the pinned anchors and validates it (10).
// Of several the shortest counts (10.3). Nothing is fetched twice, and no more than the
// client's limits; errors wrap [ErrNoChain] and what went wrong on the way.
func (c *Client) Chain(ctx context.Context, id string, anchors []TrustAnchor, now time.Time) (*Chain, error) {
	d := &discovery{client: c, limits: c.Limits.orDefault(), anchors: anchors, now: now, seen: map[string]*Statement{}}
	return d.chain(ctx, id)
}

// TrustMarks are those marks in the subject's Entity Configuration that are valid under
// the anchor of its chain (7.3): each issuer has a chain of its own to that anchor. A
// mark that is not valid is left out, as in a resolve response (8.3.2).
func (c *Client) TrustMarks(ctx context.Context, chain *Chain, anchors []TrustAnchor, now time.Time) []*TrustMark {
	anchor := chain.AnchorConfiguration()
	if anchor == nil {
		return nil
	}
	d := &discovery{client: c, limits: c.Limits.orDefault(), now: now, seen: map[string]*Statement{anchor.Subject: anchor}}
	for _, a := range anchors {
		if a.EntityID == chain.Anchor {
			d.anchors = []TrustAnchor{a}
		}
	}
	var out []*TrustMark
	for i, entry := range chain.Subject().TrustMarks {
		if i == d.limits.Marks {
			break
		}
		m, err := ParseTrustMark(entry.Token)
		if err != nil || anchor.recognises(m) != nil { // before anything is fetched for it
			continue
		}
		keys := anchor.Keys
		if m.Issuer != anchor.Subject {
			issuer, err := d.chain(ctx, m.Issuer)
			if err != nil {
				continue
			}
			keys = issuer.Subject().Keys
		}
		if m.Validate(chain.Subject().Subject, keys, anchor, now) == nil {
			out = append(out, m)
		}
	}
	return out
}

// discovery is one search: what was fetched, and how much may still be.
type discovery struct {
	client  *Client
	limits  Limits
	anchors []TrustAnchor
	now     time.Time
	seen    map[string]*Statement // Entity Configurations by entity; nil: could not be had
	fetched int
	wrong   []error // why paths ended, for the one who asks
}

// path is a chain that is not finished: statements from the subject up, and the Entity
// Configuration of the entity on top.
type path struct {
	statements []*Statement
	top        *Statement
}

func (d *discovery) chain(ctx context.Context, id string) (*Chain, error) {
	d.wrong = nil
	subject, err := d.configuration(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoChain, err)
	}
	if d.pinned(id) {
		return ValidateChain([]*Statement{subject}, d.anchors, d.now)
	}
	level, visited := []path{{[]*Statement{subject}, subject}}, map[string]bool{id: true}
	for depth := 0; depth <= d.limits.Depth && len(level) > 0; depth++ {
		var next []path
		for _, p := range level {
			for _, hint := range d.hints(p.top) {
				if visited[hint] { // "If a loop is detected, the authority hint that led to it MUST NOT be used"
					continue
				}
				longer, err := d.climb(ctx, p, hint)
				if err != nil {
					d.wrong = append(d.wrong, fmt.Errorf("%s: %w", hint, err))
					if errors.Is(err, ErrLimit) || ctx.Err() != nil {
						return nil, d.failed(id)
					}
					continue
				}
				if !d.pinned(hint) {
					visited[hint] = true
					next = append(next, longer)
					continue
				}
				chain, err := ValidateChain(append(longer.statements, longer.top), d.anchors, d.now)
				if err == nil {
					return chain, nil
				}
				d.wrong = append(d.wrong, fmt.Errorf("%s: %w", hint, err))
			}
		}
		level = next
	}
	return nil, d.failed(id)
}

func (d *discovery) failed(id string) error {
	return fmt.Errorf("%w: %s: %w", ErrNoChain, id, errors.Join(d.wrong...))
}

func (d *discovery) pinned(id string) bool {
	return slices.ContainsFunc(d.anchors, func(a TrustAnchor) bool { return a.EntityID == id })
}

// hints are the superiors worth trying: pinned anchors first, and not too many.
func (d *discovery) hints(s *Statement) []string {
	out := slices.Clone(s.AuthorityHints)
	slices.SortStableFunc(out, func(a, b string) int {
		return rank(d.pinned(a)) - rank(d.pinned(b))
	})
	return out[:min(len(out), d.limits.Hints)]
}

func rank(pinned bool) int {
	if pinned {
		return 0
	}
	return 1
}

// climb fetches what a superior says about the top of a path.
func (d *discovery) climb(ctx context.Context, p path, superior string) (path, error) {
	configuration, err := d.configuration(ctx, superior)
	if err != nil {
		return path{}, err
	}
	if err := d.spend(); err != nil {
		return path{}, err
	}
	s, err := d.client.Subordinate(ctx, configuration, p.top.Subject, d.now)
	if err != nil {
		return path{}, err
	}
	return path{append(slices.Clone(p.statements), s), configuration}, nil
}

// configuration fetches an Entity Configuration once.
func (d *discovery) configuration(ctx context.Context, id string) (*Statement, error) {
	if s, ok := d.seen[id]; ok {
		if s == nil {
			return nil, fmt.Errorf("%w: its entity configuration could not be had before", ErrResponse)
		}
		return s, nil
	}
	if err := d.spend(); err != nil {
		return nil, err
	}
	s, err := d.client.Configuration(ctx, id, d.now)
	if err != nil {
		d.seen[id] = nil
		return nil, err
	}
	d.seen[id] = s
	return s, nil
}

func (d *discovery) spend() error {
	if d.fetched++; d.fetched > d.limits.Fetches {
		return fmt.Errorf("%w: %d requests", ErrLimit, d.limits.Fetches)
	}
	return nil
}
