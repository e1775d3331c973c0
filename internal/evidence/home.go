package evidence

import (
	"context"
	"crypto"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// What an accepted region may say is about its own issuers. This file keeps it from speaking for
// those of one's own regions, and its nodes from dating what others signed.

// ofHome are the issuers shown that one's own regions know today, though they did not on the day
// of the credential, and which regions those continue.
type ofHome struct {
	known     map[*examined]bool
	continues map[string]bool
}

func (s *Service) ofHome(ctx context.Context, shown []*examined, now time.Time) ofHome {
	out := ofHome{map[*examined]bool{}, map[string]bool{}}
	for _, own := range s.config.Copies {
		err := own.Read(ctx, func(v registry.View, _ RegistryFacts) error {
			if c := v.Region(now).Continues; c != nil {
				out.continues[c.Genesis] = true
			}
			for _, e := range shown {
				if e.facts.Admission != nil || !e.asks() {
					continue
				}
				a := admission(v, e.iss, e.key, now)
				// One that came here with its key did sign as that region's issuer.
				_, came := certificateOfKey(v, a.Organisation, e.key.Public, now)
				out.known[e] = out.known[e] || a.Erased || a.Found && !came
			}
			return nil
		})
		if err != nil {
			s.config.Log.Debug("registry not to be read again", "error", err)
		}
	}
	return out
}

// refuse says whether a region may not speak for the issuer of a credential: it is one's own
// region's, and a date of before it was admitted does not change that.
func (h ofHome) refuse(e *examined, genesis string) bool { return h.known[e] && !h.continues[genesis] }

// judge is the region that a credential is judged by; empty when there is none.
func (e *examined) judge(main *consulted) string {
	switch {
	case e.facts.Registry != nil:
		return e.facts.Registry.Region
	case main != nil:
		return main.facts.Region
	}
	return ""
}

// nodeKey finds a node's timestamp key in the region that the timestamp names. Nodes of one's own
// regions are believed about every credential, those of an accepted region about what it is relied
// on for: its own issuers' credentials. Dated back by two nodes of any other region, what was
// signed after a fraud would count.
func (s *Service) nodeKey(ctx context.Context, judge string) paspoort.NodeKey {
	return func(genesis, node string, at time.Time) (pub crypto.PublicKey, ok bool) {
		find := func(v registry.View, _ RegistryFacts) error {
			text, err := v.TimestampKey(node, at)
			if err != nil {
				return err
			}
			key, err := text.ECDSA()
			pub, ok = key, err == nil
			return err
		}
		for _, region := range s.config.Copies {
			if region.Genesis() == genesis {
				_ = region.Read(ctx, find)
			}
		}
		for _, region := range s.config.Neighbours.copies() {
			if region.Genesis() == genesis && !ok && s.mayDate(ctx, region, judge) {
				_ = region.Read(ctx, find)
			}
		}
		return pub, ok
	}
}

// mayDate: a region dates its own credentials, and of before those of the region that goes on for
// it, unless it was dropped or is in doubt. The first is judged where all is judged.
func (s *Service) mayDate(ctx context.Context, region foreign, judge string) (ok bool) {
	if region.Genesis() == judge {
		return true
	}
	continued := region.ContinuedBy == judge
	for _, own := range s.config.Copies {
		_ = own.Read(ctx, func(v registry.View, _ RegistryFacts) error { // without it, it continues nothing
			c := v.Region(s.config.Clock()).Continues
			continued = continued || own.Genesis() == judge && c != nil && c.Genesis == region.Genesis()
			return nil
		})
	}
	if !continued {
		return false
	}
	_ = region.Read(ctx, func(_ registry.View, facts RegistryFacts) error {
		dropped := facts.Via == nil || !facts.Via.DroppedFrom.IsZero()
		ok = facts.Settled() && !dropped
		return nil
	})
	return ok
}
