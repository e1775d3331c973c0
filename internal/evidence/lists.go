package evidence

import (
	"context"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// lists fetches the status lists, and judges whose word they are. Anyone can sign a
// credential that names any address, so those of issuers that the region does not know are
// left alone: what they say counts for nothing.
func (s *Service) lists(ctx, patience context.Context, region Copy, shown []*examined) {
	fetched := false
	for _, e := range shown {
		switch a := e.facts.Admission; {
		case !e.listed || a == nil:
		case !a.Found:
			e.unlisted("issuer_not_in_region")
		case a.Key == nil:
			e.unlisted("key_not_recorded")
		default:
			var err error
			if e.status, err = s.statuses.get(patience, e.ref.URI); err != nil {
				s.config.Log.Debug("status list not to be had", "error", err)
			}
			fetched = fetched || e.status != nil
		}
	}
	if !fetched {
		return
	}
	s.trust(ctx, region, shown)
	// The address of an issuer that is gone may be somebody else's by now, who answers with
	// another list: what its last word was, or its custodian's, the archive knows.
	var strange []*examined
	for _, e := range shown {
		if e.status == nil || e.facts.Status == nil || e.facts.Status.Trusted.State == paspoort.OK {
			continue
		}
		if kept, err := s.statuses.archived(patience, e.ref.URI); err == nil {
			e.status = kept
			strange = append(strange, e)
		}
	}
	if len(strange) > 0 {
		s.trust(ctx, region, strange)
	}
}

// trust judges whose word the lists are, by a region and those that it goes on for.
func (s *Service) trust(ctx context.Context, region Copy, shown []*examined) {
	for _, c := range s.withContinued(region) {
		err := c.Read(ctx, func(v registry.View, _ paspoort.RegistryFacts) error {
			for _, e := range shown {
				e.trust(v)
			}
			return nil
		})
		if err != nil {
			s.config.Log.Debug("registry not to be read again", "error", err)
		}
	}
}

// withContinued is a region with those that it goes on for: who signed the lists there may do so
// still.
func (s *Service) withContinued(region Copy) []Copy {
	out := []Copy{region}
	for _, c := range s.config.Neighbours.copies() {
		if c.ContinuedBy == region.Genesis() {
			out = append(out, c)
		}
	}
	return out
}

// trust says whether the list that was fetched is the issuer's word.
func (e *examined) trust(v registry.View) {
	if e.status == nil || e.facts.Status != nil && e.facts.Status.Trusted.State == paspoort.OK {
		return
	}
	f := e.statusFacts()
	f.Trusted = paspoort.Finding{State: paspoort.Failed, Code: "status_signer_unknown"}
	if v.MaySignStatus(e.status.Fingerprint, e.facts.Admission.Organisation, e.status.IssuedAt) {
		f.Trusted = paspoort.Finding{State: paspoort.OK}
	}
	e.facts.Status = f
}

// unlisted says why no list was asked for.
func (e *examined) unlisted(code string) {
	if e.listed {
		e.facts.Status = &paspoort.StatusFacts{Trusted: paspoort.Finding{State: paspoort.Unknown, Code: code}}
	}
}

func (e *examined) statusFacts() *paspoort.StatusFacts {
	f := &paspoort.StatusFacts{
		URI: e.status.Subject, Index: e.ref.Index,
		IssuedAt: e.status.IssuedAt, ExpiresAt: e.status.ExpiresAt, TTL: e.status.TTL,
	}
	value, err := e.status.Status(e.ref)
	if err != nil {
		f.Index = -1 // beyond the list: it says nothing about this credential
		return f
	}
	f.Value = uint8(value)
	return f
}
