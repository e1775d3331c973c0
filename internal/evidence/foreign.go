package evidence

import (
	"cmp"
	"context"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// RegistryFacts is short for the facts that every copy tells with what it answers.
type RegistryFacts = paspoort.RegistryFacts

// foreign is the copy of a neighbour, with by whose word it counts. It implements [Copy].
type foreign struct {
	n *Neighbours
	*Neighbour
}

// copies are those of the neighbours that were read.
func (n *Neighbours) copies() (out []foreign) {
	if n == nil {
		return nil
	}
	for _, peer := range n.List() {
		if peer.Follower != nil {
			out = append(out, foreign{n, peer})
		}
	}
	return out
}

// Genesis implements [Copy].
func (c foreign) Genesis() string { return c.Neighbour.Genesis }

// Read implements [Copy]. What the home region decided is looked up each time: who is dropped
// counts no more from that moment on.
func (c foreign) Read(ctx context.Context, fn func(registry.View, paspoort.RegistryFacts) error) error {
	via, standing, err := c.n.via(ctx, c.Genesis())
	if err != nil {
		return err
	}
	end, closed := c.n.closing(ctx, standing)
	return c.Follower.Read(ctx, func(v registry.View, facts RegistryFacts) error {
		facts.Via = via
		if closed && end.Size <= v.AsOf {
			// The region stopped, and the one that goes on for it says with which leaves: what it
			// knew then is as fresh as that one's word.
			v.AsOf, facts.Leaves = end.Size, end.Size
			if end.at.After(facts.Time) {
				facts.Time = end.at
			}
		}
		return fn(v, facts)
	})
}

// via is by whose word a region counts now, as the home region's copy says.
func (n *Neighbours) via(ctx context.Context, genesis string) (*paspoort.Via, registry.PeerStanding, error) {
	var out *paspoort.Via
	var standing registry.PeerStanding
	err := n.config.Home.Read(ctx, func(v registry.View, facts RegistryFacts) error {
		p, ok := v.Peer(genesis, n.config.Clock())
		if !ok {
			return ErrNoCopy
		}
		standing = p
		out = &paspoort.Via{
			Region: facts.Region, Name: facts.Name, Time: facts.Time, Types: typeNames(p.Types),
			Until: unix(p.Until), DroppedFrom: unix(p.DroppedFrom),
		}
		return nil
	})
	return out, standing, err
}

// ending is where a region stopped, as the one says that continues it.
type ending struct {
	registry.Continuation
	at time.Time // how fresh the word of that one is
}

// closing is how a region ended that another one continues, when that one was accepted for it and
// knows the same history.
func (n *Neighbours) closing(ctx context.Context, old registry.PeerStanding) (end ending, ok bool) {
	next, known := n.Get(old.ContinuedBy)
	before, here := n.Get(old.Genesis)
	if !known || !here || next.Follower == nil || next.State != registry.PeerAccepted {
		return end, false
	}
	err := next.Follower.Read(ctx, func(v registry.View, facts RegistryFacts) error {
		c := v.Region(n.config.Clock()).Continues
		if c == nil || c.Genesis != old.Genesis {
			return ErrNoCopy
		}
		end = ending{*c, facts.Time}
		return nil
	})
	if err != nil {
		return end, false
	}
	root, err := before.Follower.RootAt(end.Size)
	return end, err == nil && root.String() == end.Root
}

// continuingFirst orders the copies so that a region that continues another comes before it.
func continuingFirst(copies []foreign) []foreign {
	out := slices.Clone(copies)
	slices.SortStableFunc(out, func(a, b foreign) int {
		switch {
		case b.ContinuedBy == a.Genesis():
			return -1
		case a.ContinuedBy == b.Genesis():
			return 1
		}
		return 0
	})
	return out
}

// continues says whether a region goes on for another neighbour.
func (n *Neighbours) continues(genesis string) bool {
	return slices.ContainsFunc(n.List(), func(p *Neighbour) bool { return p.ContinuedBy == genesis })
}

// said is what one region says of an issuer.
type said struct {
	from      foreign
	facts     paspoort.RegistryFacts
	admission paspoort.Admission
}

// neighbours asks the neighbours about the issuers that no region of one's own knows. Nobody
// speaks for an issuer of the home region but the home region. Of several that know an issuer
// the one counts that recorded the key.
func (s *Service) neighbours(ctx context.Context, shown []*examined, now time.Time, past bool) (out []*consulted) {
	answers := map[*examined][]said{}
	copies := s.config.Neighbours.copies()
	if len(copies) == 0 {
		return nil
	}
	home := s.ofHome(ctx, shown, now)
	for _, region := range continuingFirst(copies) {
		err := region.Read(ctx, func(v registry.View, facts RegistryFacts) error {
			facts = s.asKnownAt(facts, now, past)
			for _, e := range shown {
				if e.facts.Admission != nil || !e.asks() || home.refuse(e, region.Genesis()) {
					continue
				}
				a := admission(v, e.iss, e.key, e.day(now))
				if !a.Found && region.n.continues(region.Genesis()) {
					a = admission(v, e.iss, e.key, now) // on that day its log had not begun
				}
				if a.Found || a.Erased || a.Certified {
					answers[e] = append(answers[e], said{region, facts, a})
				}
			}
			return nil
		})
		if err != nil {
			s.config.Log.Debug("neighbour not to be read", "region", region.Genesis()[:8], "error", err)
		}
	}
	byRegion := map[string]*consulted{}
	for _, e := range shown {
		if len(answers[e]) == 0 {
			continue
		}
		best := s.judgedBy(answers[e], now)
		c := byRegion[best.facts.Region]
		if c == nil {
			c = &consulted{from: best.from, facts: best.facts}
			byRegion[best.facts.Region], out = c, append(out, c)
		}
		e.facts.Admission, e.facts.Registry = &best.admission, &c.facts
		c.shown = append(c.shown, e)
	}
	return out
}

// judgedBy chooses among what regions say, and adds what one that continues another knows beside
// it: what was decided before and after belongs to one organisation.
func (s *Service) judgedBy(all []said, now time.Time) said {
	best := all[0]
	for _, one := range all {
		if one.admission.Key != nil {
			best = one
			break
		}
	}
	for _, other := range all {
		switch {
		case !other.admission.Found || !best.admission.Found:
		case other.from.ContinuedBy == best.facts.Region:
			best = withBefore(best, s.asBefore(other, now))
		case best.from.ContinuedBy == other.facts.Region:
			best = withBefore(other, s.asBefore(best, now))
		}
	}
	return best
}

// withBefore is what a region says with what the one said that it continues.
func withBefore(next, old said) said {
	a, b := next.admission, old.admission
	a.Key = longerKnown(a.Key, b.Key)
	a.Grants, a.Withdrawals = slices.Concat(b.Grants, a.Grants), slices.Concat(b.Withdrawals, a.Withdrawals)
	a.Suspensions = slices.Concat(b.Suspensions, a.Suspensions)
	next.admission = a
	return next
}

// asBefore is what a region that another continues says beside that one: what it says against
// anybody, and in favour only what the home region relied on it for. Else who was dropped would
// go on vouching behind its successor.
func (s *Service) asBefore(old said, now time.Time) said {
	via, a := old.facts.Via, old.admission
	limit := cmp.Or(s.config.Limits.RegistryAge, defaultRegistryAge)
	dropped := via == nil || !via.DroppedFrom.IsZero() && !via.DroppedFrom.After(now)
	if dropped || !old.facts.Settled() || now.Sub(old.facts.Time) > limit {
		a.Grants = nil
		if a.Key != nil && a.Key.CompromisedFrom.IsZero() {
			a.Key = nil
		}
	}
	var grants []paspoort.Grant
	for _, g := range a.Grants {
		if len(via.Types) > 0 {
			g.Types = slices.DeleteFunc(slices.Clone(g.Types), func(t string) bool { return !slices.Contains(via.Types, t) })
		}
		if len(g.Types) > 0 && g.From.Before(via.Until) {
			grants = append(grants, g)
		}
	}
	a.Grants = grants
	old.admission = a
	return old
}

// defaultRegistryAge is that of a verdict.
const defaultRegistryAge = 7 * 24 * time.Hour

// longerKnown is one key in two records: known since the older one, and ended or stolen by
// either.
func longerKnown(newer, older *paspoort.KeyRecord) *paspoort.KeyRecord {
	if newer == nil || older == nil {
		return cmp.Or(newer, older)
	}
	key := *newer
	if older.NotBefore.Before(key.NotBefore) {
		key.NotBefore = older.NotBefore
	}
	if from := older.CompromisedFrom; !from.IsZero() && (key.CompromisedFrom.IsZero() || from.Before(key.CompromisedFrom)) {
		key.CompromisedFrom = from
	}
	return &key
}

// RootAt is the root of the tree of the first size leaves of the copy. It fails without a store.
func (f *Follower) RootAt(size uint64) (root tlog.Hash, err error) {
	note, err := f.Checkpoint(context.Background())
	if err != nil {
		return root, err
	}
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		return root, err
	}
	return root, f.config.Store.View(func(tx kv.Tx) (err error) {
		root, err = tlog.RootAt(c, size, storedTiles{tx, f.keys})
		return err
	})
}
