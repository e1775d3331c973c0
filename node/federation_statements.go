package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// subordinate is an admitted organisation as the federation sees it: one of its addresses with
// what it may do there.
type subordinate struct {
	id       string
	name     string
	event    string   // that admitted it
	types    []string // it may issue, by vct; empty for who may not
	issuer   bool
	verifier bool
	until    time.Time                 // when the first of its admissions ends
	vouched  map[string]registry.Usage // by SPKI hash: keys that the registry knows as its own
}

// subordinate finds who has this entity identifier and is admitted at this very moment; the
// registry itself judges by the day.
func (a *anchor) subordinate(id string) (*subordinate, bool) {
	s := &subordinate{id: id, vouched: map[string]registry.Usage{}}
	for _, role := range []registry.Role{registry.Issuer, registry.Verifier} {
		answer, err := a.view.Admission(registry.Question{Lookup: registry.Lookup{URL: id}, Role: role, At: a.now})
		if err != nil || !a.stands(answer) {
			continue
		}
		if role == registry.Issuer {
			s.issuer, s.types = true, answer.Grant.Types
		} else {
			s.verifier = true
		}
		if end := unix(answer.Until); s.until.IsZero() || end.Before(s.until) {
			s.until = end
		}
		if s.event == "" {
			s.event, s.name = answer.Grant.Event, answer.Organisation.Name
			a.vouch(s, *answer.Organisation)
		}
	}
	return s, s.event != ""
}

// stands says whether an admission holds now.
func (a *anchor) stands(answer registry.Answer) bool {
	now := a.now.Unix()
	return answer.Admitted && answer.Grant != nil && answer.Organisation != nil && answer.Since <= now && now < answer.Until &&
		(answer.Suspended == nil || answer.Suspended.From > now || answer.Suspended.Until != 0 && answer.Suspended.Until <= now)
}

// vouch collects the keys that are the organisation's by the registry: of its certificates that
// count now, and the one with which it signs events.
func (a *anchor) vouch(s *subordinate, org registry.Organisation) {
	if org.Key != "" {
		s.vouched[org.Key.SPKI()] = ""
	}
	for _, c := range a.view.Certificates(org.ID) {
		spki := a.view.SPKIOf(c)
		ended := c.NotAfter < a.now.Unix() || c.Revoked != nil && c.Revoked.EffectiveFrom <= a.now.Unix()
		if spki == "" || ended || !c.ValidOn(a.now) || a.view.CompromisedSince(c) != 0 {
			continue
		}
		if s.vouched[spki] != registry.UsageCredential {
			s.vouched[spki] = c.Usage
		}
	}
}

// known keeps the keys of a set that the registry knows as this organisation's; with a usage,
// only those recorded for it.
func (s *subordinate) known(set jose.KeySet, usage registry.Usage) (out jose.KeySet) {
	for _, k := range set.Keys {
		recorded, ok := s.vouched[registry.SPKIHash(k.Public)]
		if ok && k.KeyID != "" && (usage == "" || recorded == usage) {
			out.Keys = append(out.Keys, k)
		}
	}
	return out
}

// SubordinateStatement implements [openidfed.Superior]. Committed state decides; from the
// subject's own configuration come the keys whose hashes the registry knows, and the
// descriptions of what it may issue.
func (f *federation) SubordinateStatement(ctx context.Context, id string) (string, error) {
	var s *openidfed.Statement
	err := f.read(ctx, func(a *anchor) (err error) {
		s, err = f.about(a, id)
		return err
	})
	if err != nil {
		return "", err
	}
	return s.Sign(f.config.Key)
}

// about makes the statement about an entity.
func (f *federation) about(a *anchor, id string) (*openidfed.Statement, error) {
	if sub, ok := a.subordinate(id); ok {
		return f.aboutOrganisation(a, sub)
	}
	for _, p := range a.peers {
		if p.entity == id {
			return f.aboutRegion(a, p), nil
		}
	}
	return nil, openidfed.Refuse(openidfed.NotFound, "no organisation with this entity identifier is admitted here now")
}

func (f *federation) aboutOrganisation(a *anchor, sub *subordinate) (*openidfed.Statement, error) {
	own, err := f.entities.get(sub.id)
	if err != nil {
		return nil, openidfed.Refuse(openidfed.TemporarilyUnavailable, "it is admitted, and "+err.Error())
	}
	keys := sub.known(own.Keys, "")
	if err := own.Verify(keys, own.IssuedAt); len(keys.Keys) == 0 || err != nil {
		return nil, openidfed.Refuse(openidfed.NotFound, "its entity configuration is not signed with a key that the registry knows as its own")
	}
	none := 0
	s := &openidfed.Statement{
		Issuer: a.entity, Subject: sub.id, IssuedAt: a.now, ExpiresAt: earlier(a.now.Add(statementLife), sub.until), Keys: keys,
		Metadata:    openidfed.Metadata{openidfed.FederationEntity: {}},
		Constraints: &openidfed.Constraints{MaxPathLength: &none, AllowedEntityTypes: []string{}},
		Extra:       a.logged(sub.event), SourceEndpoint: f.fetchEndpoint(a),
	}
	if sub.name != "" { // what people are shown is the name that was admitted
		s.Metadata[openidfed.FederationEntity] = map[string]any{"organization_name": sub.name, "display_name": sub.name}
	}
	if sub.issuer {
		s.Constraints.AllowedEntityTypes = append(s.Constraints.AllowedEntityTypes, openidfed.AuthorizationServer, openidfed.CredentialIssuer, openidfed.VCIssuer)
		if err := sub.restrict(s, own); err != nil {
			return nil, err
		}
	}
	if sub.verifier {
		s.Constraints.AllowedEntityTypes = append(s.Constraints.AllowedEntityTypes, openidfed.CredentialVerifier)
	}
	return s, nil
}

// restrict overrides what an issuer says of itself with the part that it was admitted for (DIIP
// v5, Appendix B, Subordinate statements). What it says not at all is overridden too: whoever
// follows this statement reads the configuration of that moment, which may be another than the
// one that was looked at here.
func (sub *subordinate) restrict(s, own *openidfed.Statement) error {
	admitted := map[string]any{}
	offered, _ := own.Metadata[openidfed.CredentialIssuer]["credential_configurations_supported"].(map[string]any)
	for id, v := range offered {
		if configuration, ok := v.(map[string]any); ok && slices.Contains(sub.types, vctOf(configuration)) {
			admitted[id] = configuration
		}
	}
	s.Metadata[openidfed.CredentialIssuer] = map[string]any{"credential_configurations_supported": admitted}
	known := jose.KeySet{}
	if _, ok := own.Metadata[openidfed.VCIssuer]; ok {
		keys, err := own.Metadata.Keys(openidfed.VCIssuer)
		if err != nil {
			return openidfed.Refuse(openidfed.InvalidMetadata, "the vc_issuer keys of the entity cannot be read")
		}
		known = sub.known(keys, registry.UsageCredential)
	}
	if known.Keys == nil {
		known.Keys = []jose.Key{}
	}
	var err error
	s.Metadata[openidfed.VCIssuer], err = openidfed.Object(map[string]any{"jwks": known})
	// Keys by reference (5.2.1) would be others than those: a value of null takes the parameter
	// away (6.1.3.1.1).
	s.Policy = openidfed.Policy{openidfed.VCIssuer: {
		"jwks_uri": {"value": nil}, "signed_jwks_uri": {"value": nil},
	}}
	return err
}

// vctOf is the credential type of a configuration: its vct, or that of a W3C credential whose
// types are those of the profile (DIIP v5 and OpenID4VCI A.1).
func vctOf(configuration map[string]any) string {
	if vct, ok := configuration["vct"].(string); ok {
		return vct
	}
	definition, _ := configuration["credential_definition"].(map[string]any)
	types, _ := definition["type"].([]any)
	for _, t := range paspoort.Types() {
		names := paspoort.VCTypes(t)
		if len(types) == len(names) && slices.EqualFunc(types, names, func(a any, b string) bool { return a == b }) {
			return t.VCT()
		}
	}
	return ""
}

// aboutRegion is the statement about an accepted region: its own organisations and nobody
// below these (acceptance is not transitive, D10).
func (f *federation) aboutRegion(a *anchor, p peerAnchor) *openidfed.Statement {
	one := 1
	return &openidfed.Statement{
		Issuer: a.entity, Subject: p.entity, IssuedAt: a.now, ExpiresAt: earlier(a.now.Add(statementLife), unix(p.Until)), Keys: p.keys,
		Metadata: openidfed.Metadata{openidfed.FederationEntity: {"organization_name": p.Name, "display_name": p.Name}},
		Constraints: &openidfed.Constraints{MaxPathLength: &one, AllowedEntityTypes: []string{
			openidfed.AuthorizationServer, openidfed.CredentialIssuer, openidfed.CredentialVerifier, openidfed.VCIssuer,
		}},
		Extra: a.logged(p.Event), SourceEndpoint: f.fetchEndpoint(a),
	}
}

func (f *federation) fetchEndpoint(a *anchor) string {
	at, _ := f.server(a.entity).Endpoints()["federation_fetch_endpoint"].(string)
	return at
}

// Subordinates implements [openidfed.Superior]: those about whom a statement can be made now.
func (f *federation) Subordinates(ctx context.Context, q openidfed.ListQuery) (out []string, err error) {
	vct := ""
	if q.TrustMarkType != "" {
		entity, err := f.entity(ctx)
		if err != nil {
			return nil, err
		}
		if vct = typeOfMark(entity, q.TrustMarkType); vct == "" {
			return []string{}, nil
		}
	}
	intermediate := "-"
	if q.Intermediate != nil {
		intermediate = fmt.Sprint(*q.Intermediate)
	}
	return f.listings.get(ctx, f, fmt.Sprintf("%q %t %s %q", q.EntityTypes, q.TrustMarked, intermediate, q.TrustMarkType), func(a *anchor) (out []string) {
		for id, signer := range f.entities.signers() {
			sub, ok := a.subordinate(id)
			if !ok || !sub.listed(q, vct) {
				continue
			}
			if _, vouched := sub.vouched[signer]; vouched {
				out = append(out, id)
			}
		}
		for _, p := range a.peers {
			// What types of entities a region has below it is not a type of its own.
			if len(q.EntityTypes) == 0 && !q.TrustMarked && vct == "" && (q.Intermediate == nil || *q.Intermediate) {
				out = append(out, p.entity)
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	})
}

func (s *subordinate) listed(q openidfed.ListQuery, vct string) bool {
	if q.Intermediate != nil && *q.Intermediate || q.TrustMarked && len(marked(s.types)) == 0 || vct != "" && !slices.Contains(s.types, vct) {
		return false
	}
	for _, t := range q.EntityTypes {
		switch t {
		case openidfed.FederationEntity:
		case openidfed.CredentialIssuer, openidfed.VCIssuer, openidfed.AuthorizationServer:
			if !s.issuer {
				return false
			}
		case openidfed.CredentialVerifier:
			if !s.verifier {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func earlier(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// ResolveEntity implements [openidfed.Resolver], from what this node has already: "the resolve
// endpoint should only respond to unauthenticated Client requests with cached information"
// (18.1). It resolves under the region's own anchor.
func (f *federation) ResolveEntity(ctx context.Context, q openidfed.ResolveQuery) (string, error) {
	var chain []*openidfed.Statement
	var a anchor
	err := f.read(ctx, func(read *anchor) (err error) {
		a = *read
		if !slices.Contains(q.TrustAnchors, a.entity) {
			return openidfed.Refuse(openidfed.InvalidTrustAnchor, "this resolver knows one trust anchor: "+a.entity)
		}
		chain, err = f.chainOf(read, q.Subject)
		return err
	})
	if err != nil {
		return "", err
	}
	for i, s := range chain {
		if s.String() != "" { // the subject's own
			continue
		}
		token, err := s.Sign(f.config.Key)
		if err != nil {
			return "", err
		}
		if chain[i], err = openidfed.ParseStatement(token); err != nil {
			return "", err
		}
	}
	valid, err := openidfed.ValidateChain(chain, []openidfed.TrustAnchor{{EntityID: a.entity, Keys: a.keys}}, a.now)
	switch {
	case errors.Is(err, openidfed.ErrPolicy), errors.Is(err, openidfed.ErrMetadata):
		return "", openidfed.Refuse(openidfed.InvalidMetadata, err.Error())
	case err != nil:
		return "", openidfed.Refuse(openidfed.InvalidTrustChain, err.Error())
	}
	marks, err := f.activeMarks(ctx, valid)
	if err != nil {
		return "", err
	}
	return openidfed.NewResolved(a.entity, valid, marks, q.EntityTypes, a.now).Sign(f.config.Key)
}

// chainOf is the chain of a subject, of which the region's own statements are still to be signed.
func (f *federation) chainOf(a *anchor, id string) ([]*openidfed.Statement, error) {
	if id == a.entity {
		return []*openidfed.Statement{f.configuration(a)}, nil
	}
	sub, ok := a.subordinate(id)
	if !ok {
		return nil, openidfed.Refuse(openidfed.InvalidSubject, "no organisation with this entity identifier is admitted here now")
	}
	about, err := f.aboutOrganisation(a, sub)
	if err != nil {
		return nil, err
	}
	own, err := f.entities.get(id)
	if err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	return []*openidfed.Statement{own, about, f.configuration(a)}, nil
}
