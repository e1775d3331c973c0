package evidence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/sdjwtvc"
	"paspoort.example/paspoort/specs/statuslist"
)

// Request is what is to be judged.
type Request struct {
	Presentations []Presentation
	Flow          paspoort.Flow
	// Expected is what the asker asked, nil for a file or a credential at acceptance.
	Expected *paspoort.Expected
	// Asked are the uris of the skills that were asked for.
	Asked []string
	// At is the moment that the verdict is about; zero means now. What is known now is
	// used for any moment.
	At time.Time
}

// Presentation is one credential as it was shown: an SD-JWT, with or without key binding.
type Presentation struct {
	Query string // id of the DCQL credential query that it answers, if any
	Text  string
}

// Verify gathers what is known about the presentations and decides. Whatever is presented,
// however broken, gives a verdict; it fails with [ErrTooMany] only, or when ctx ended.
func (s *Service) Verify(ctx context.Context, r Request) (paspoort.Verdict, error) {
	if len(r.Presentations) > maxPresentations {
		return paspoort.Verdict{}, fmt.Errorf("%w: %d, at most %d", ErrTooMany, len(r.Presentations), maxPresentations)
	}
	in := paspoort.Input{
		Now: r.At, Flow: r.Flow, Expected: r.Expected, Asked: r.Asked, Limits: s.config.Limits,
		Credentials: make([]paspoort.Facts, len(r.Presentations)),
	}
	if in.Now.IsZero() {
		in.Now = s.config.Clock()
	}
	shown := make([]*examined, len(r.Presentations))
	patience, cancel := context.WithTimeout(ctx, s.config.Patience)
	defer cancel()
	left := maxLookups
	for i, p := range r.Presentations {
		shown[i] = s.examine(patience, p, in.Now, &left)
	}
	if err := ctx.Err(); err != nil {
		return paspoort.Verdict{}, err
	}
	s.consult(ctx, patience, shown, &in, !r.At.IsZero(), &left)
	for i, e := range shown {
		in.Credentials[i] = e.facts
	}
	if err := ctx.Err(); err != nil {
		return paspoort.Verdict{}, err
	}
	return paspoort.Decide(in), nil
}

// examined is one presentation with what came out of it.
type examined struct {
	token  *sdjwt.SDJWT // nil when it could not be read
	key    sdjwtvc.IssuerKeyResult
	facts  paspoort.Facts
	iss    string
	signed time.Time // iat: the issuer's own word
	listed bool      // the issuer signed ref
	ref    statuslist.Reference
	status *StatusToken
}

// examine does what needs no registry: form, keys, signatures.
func (s *Service) examine(ctx context.Context, p Presentation, now time.Time, left *lookups) *examined {
	e := &examined{}
	token, err := sdjwt.Parse(p.Text)
	if err != nil {
		e.facts = paspoort.Facts{Query: p.Query, Format: paspoort.Finding{State: paspoort.Failed, Code: "format_broken"}}
		return e
	}
	e.token = token
	var keys []paspoort.IssuerKey
	var keyErr error
	if e.key, keyErr = sdjwtvc.IssuerKey(ctx, token, sdjwtvc.KeyOptions{Fetcher: s.documents, At: now}); keyErr != nil {
		if key, ok := s.federationKey(ctx, token, left); ok {
			e.key, keyErr = key, nil
		}
	}
	if keyErr == nil {
		keys = []paspoort.IssuerKey{{Public: e.key.Public, Source: sourceOf(e.key)}}
	}
	e.facts = paspoort.ExamineToken(token, keys)
	e.facts.Query = p.Query
	if keyErr != nil && e.facts.Format.State == paspoort.OK {
		e.facts.Signature = keyFinding(keyErr)
	}
	if e.facts.Claims == nil {
		return e
	}
	e.iss, e.signed = issuedBy(e.facts.Claims)
	// Only an address that the issuer signed is fetched from.
	if e.facts.Signature.State == paspoort.OK {
		e.ref, err = statuslist.ParseReference(e.facts.Claims)
		e.listed = err == nil
	}
	return e
}

// sourceOf names where the key came from, in the words of the verdict.
func sourceOf(k sdjwtvc.IssuerKeyResult) string {
	if k.Mechanism != sdjwtvc.ByDID {
		return string(k.Mechanism)
	}
	if len(k.DID) > 7 {
		return k.DID[:7] // "did:web", "did:jwk", "did:key"
	}
	return string(k.Mechanism)
}

// keyFinding tells a key that is wrong from one that could not be had.
func keyFinding(err error) paspoort.Finding {
	switch {
	case errors.Is(err, sdjwtvc.ErrIssuerMismatch):
		return paspoort.Finding{State: paspoort.Failed, Code: "issuer_key_mismatch"}
	case errors.Is(err, jose.ErrCertificate), errors.Is(err, jose.ErrKey), errors.Is(err, jose.ErrPrivate):
		return paspoort.Finding{State: paspoort.Failed, Code: "issuer_key_unusable"}
	}
	return paspoort.Finding{State: paspoort.Unknown, Code: "issuer_key_unavailable"}
}

// issuedBy reads who issued and when, in either format, before the profile is asked.
func issuedBy(claims map[string]any) (iss string, at time.Time) {
	iss, _ = claims["iss"].(string)
	if iss == "" {
		switch issuer := claims["issuer"].(type) { // VCDM 2.0 4.7: a URL or an object with an id
		case string:
			iss = issuer
		case map[string]any:
			iss, _ = issuer["id"].(string)
		}
	}
	// The day must be the one that paspoort.Read gives and Decide judges: validFrom where there
	// is one (VCDM 2.0 4.9), else iat.
	if from, w3c := claims["validFrom"].(string); w3c && claims["vct"] == nil {
		at, err := time.Parse(time.RFC3339, from)
		if err != nil {
			return iss, time.Time{}
		}
		return iss, at
	}
	at, _ = sdjwt.NumericDate(claims["iat"])
	return iss, at
}

// consult asks the registries: each credential is judged by the first region that knows its
// issuer, of one's own first, then of those that the home region accepted. Those whose issuer
// nobody knows are judged by the region that the others rely on, or else by the first that
// there is. Without a copy the facts stay as they are, and who is admitted is unknown.
func (s *Service) consult(ctx, patience context.Context, shown []*examined, in *paspoort.Input, past bool, left *lookups) {
	var asked []*consulted
	for _, region := range s.config.Copies {
		if c, err := s.ask(ctx, region, shown, in.Now, past); err == nil {
			asked = append(asked, c)
		}
	}
	asked = append(asked, s.neighbours(ctx, shown, in.Now, past)...)
	s.federated(patience, shown, left)
	var main *consulted
	for _, c := range asked {
		if main == nil && len(c.shown) > 0 {
			main = c
		}
		s.lists(ctx, patience, c.from, c.shown)
	}
	if main == nil && len(asked) > 0 {
		main = asked[0]
	}
	if main != nil {
		in.Registry = &main.facts
	}
	for _, e := range shown {
		judge := e.judge(main)
		e.settle(main)
		s.timestamps(ctx, e, judge)
	}
}

// consulted is a region that was asked, with the credentials whose issuer it knows.
type consulted struct {
	from  Copy
	facts paspoort.RegistryFacts
	shown []*examined
}

// asKnownAt: for a verdict about the past a copy only has to know that moment; it may well be
// from later.
// One that says to be from a moment still to come says nothing about any.
func (s *Service) asKnownAt(facts paspoort.RegistryFacts, now time.Time, past bool) paspoort.RegistryFacts {
	if !past {
		return facts
	}
	latest := s.config.Clock().Add(maxAhead)
	if facts.Time.After(now) && !facts.Time.After(latest) {
		facts.Time = now
	}
	if facts.Via != nil && facts.Via.Time.After(now) && !facts.Via.Time.After(latest) {
		via := *facts.Via
		via.Time, facts.Via = now, &via
	}
	return facts
}

// ask asks one region about the issuers that no region before knew.
func (s *Service) ask(ctx context.Context, region Copy, shown []*examined, now time.Time, past bool) (*consulted, error) {
	c := &consulted{from: region}
	err := region.Read(ctx, func(v registry.View, facts paspoort.RegistryFacts) error {
		c.facts = s.asKnownAt(facts, now, past)
		for _, e := range shown {
			if e.facts.Admission != nil || !e.asks() {
				continue
			}
			if a := admission(v, e.iss, e.key, e.day(now)); a.Found || a.Erased || a.Certified {
				e.facts.Admission, e.facts.Registry = &a, &c.facts
				c.shown = append(c.shown, e)
			}
		}
		return nil
	})
	return c, err
}

// settle says what is left to say of a credential when all regions were asked.
func (e *examined) settle(main *consulted) {
	switch {
	case e.facts.Federation != nil: // no registry knows it
	case main == nil:
		e.unlisted("registry_absent")
	case e.facts.Registry == &main.facts:
		e.facts.Registry = nil // as the verdict as a whole
	case e.facts.Admission == nil && e.asks():
		e.facts.Admission = &paspoort.Admission{}
		e.unlisted("issuer_not_in_region")
	}
}

// asks says whether there is anything to ask a registry: claims and a key, and an issuer
// that is not the holder.
func (e *examined) asks() bool { return e.facts.Claims != nil && e.key.Public != nil }

// day is the moment for which admission is judged.
func (e *examined) day(now time.Time) time.Time {
	if e.signed.IsZero() {
		return now
	}
	return e.signed
}

// timestamps checks what nodes said of this copy, each by its own region's registry.
func (s *Service) timestamps(ctx context.Context, e *examined, judge string) {
	if e.token == nil || e.facts.Binding.Signature.State != paspoort.OK {
		return
	}
	for _, proof := range paspoort.TimestampProofs(e.facts.Binding.Claims) {
		e.facts.Timestamps = append(e.facts.Timestamps, paspoort.CheckTimestamp(proof, e.token.IssuerJWT(), s.nodeKey(ctx, judge)))
	}
}
