package evidence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/sdjwtvc"
	"paspoort.example/paspoort/specs/statuslist"
)

// FederationAnchor is a trust anchor of OpenID Federation, outside the regions, that the
// operator of a verifier chose to rely on. Its keys are pinned.
type FederationAnchor struct {
	openidfed.TrustAnchor
	Name string // for people; empty: the entity identifier
	// Types are the credential types (vct) that issuers of this federation are relied on for,
	// each with the trust mark that an issuer must then have; an empty mark means that every
	// issuer of the federation may issue it, which is the federation's word for all of them.
	Types map[string]string
}

// FederationConfig says which federations count.
type FederationConfig struct {
	Anchors []FederationAnchor
	HTTP    openidfed.Doer
	Clock   func() time.Time
	Log     *slog.Logger
}

// Federation finds trust chains of issuers that no region knows. To find one it asks the issuer
// and those above it, so these see that somebody looks; what it found is used for an hour.
type Federation struct {
	config FederationConfig
	client openidfed.Client
	cache  *cache[member]
	lists  *cache[federatedList]
	group  singleflight.Group
}

// member is an issuer in a federation.
type member struct {
	chain *openidfed.Chain
	keys  jose.KeySet // with which it signs credentials
	marks []string    // types of its valid trust marks
	at    time.Time
	err   error
	until time.Time // when it is looked up again
}

const (
	memberTTL      = time.Hour
	memberNegative = time.Minute
	memberCache    = 16 << 20
	listCache      = 32 << 20
)

// errNoMember: the issuer names no entity, or is in no federation that counts.
var errNoMember = errors.New("no trust chain for this issuer")

// NewFederation checks the anchors.
func NewFederation(c FederationConfig) (*Federation, error) {
	if c.HTTP == nil || len(c.Anchors) == 0 {
		return nil, errors.New("federation: which trust anchors, and how are they reached?")
	}
	for _, a := range c.Anchors {
		if err := openidfed.CheckEntityID(a.EntityID); err != nil {
			return nil, fmt.Errorf("federation: trust anchor %q: %w", a.EntityID, err)
		}
		if len(a.Keys.Keys) == 0 {
			return nil, fmt.Errorf("federation: trust anchor %s has no keys; pin at least one", a.EntityID)
		}
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Federation{
		config: c, cache: newCache[member](memberCache), lists: newCache[federatedList](listCache),
		// Whether plain http may be used is the outbound client's rule. One credential of a
		// stranger may cost no more than these requests.
		client: openidfed.Client{HTTP: c.HTTP, AllowHTTP: true, Limits: openidfed.Limits{Depth: 4, Fetches: 12, Hints: 4, Marks: 8}},
	}, nil
}

// entityOf is the Entity Identifier of the issuer: `fed` in an SD-JWT VC, the policyId of
// termsOfUse in a W3C credential (DIIP v5, Appendix B), else an https iss, which is one
// (OpenID Federation for Wallet Architectures). Two that differ name nobody.
func entityOf(payload map[string]any) string {
	iss, _ := issuedBy(payload)
	named, _ := payload["fed"].(string)
	terms, _ := payload["termsOfUse"].([]any)
	if one, ok := payload["termsOfUse"].(map[string]any); ok {
		terms = []any{one}
	}
	for _, t := range terms {
		if m, ok := t.(map[string]any); ok && m["type"] == "OpenIDFederation" && named == "" {
			named, _ = m["policyId"].(string)
		}
	}
	url := strings.HasPrefix(iss, "https://") || strings.HasPrefix(iss, "http://")
	switch {
	case named == "" && url:
		return iss
	case named != "" && url && named != iss:
		return ""
	}
	return named
}

// lookups is how many more entities may be looked up for one answer: each costs requests to
// addresses that a stranger chose.
type lookups int

const maxLookups lookups = 8

// member looks an entity up.
func (f *Federation) member(ctx context.Context, entity string, left *lookups) (member, error) {
	if f == nil || entity == "" {
		return member{}, errNoMember
	}
	if m, ok := f.cache.get(entity); ok && f.config.Clock().Before(m.until) {
		return m, m.err
	}
	if *left--; *left < 0 {
		return member{}, errNoMember
	}
	m, err := together(ctx, &f.group, "member "+entity, func(ctx context.Context) member { return f.find(ctx, entity) })
	if err != nil {
		return member{}, err
	}
	return m, m.err
}

func (f *Federation) find(ctx context.Context, entity string) member {
	now := f.config.Clock()
	m := member{at: now, until: now.Add(memberNegative)}
	cost := len(entity) + 256
	if m.chain, m.err = f.client.Chain(ctx, entity, f.anchors(), now); m.err == nil {
		m.keys, m.err = m.chain.Metadata.Keys(openidfed.VCIssuer)
	}
	if m.err == nil {
		for _, mark := range f.client.TrustMarks(ctx, m.chain, f.anchors(), now) {
			m.marks = append(m.marks, mark.Type)
		}
		if m.until = now.Add(memberTTL); m.chain.ExpiresAt.Before(m.until) {
			m.until = m.chain.ExpiresAt
		}
		for _, token := range m.chain.Tokens() {
			cost += 4 * len(token)
		}
	} else {
		m.chain = nil
		f.config.Log.Debug("no trust chain", "error", m.err)
	}
	f.cache.put(entity, m, cost)
	return m
}

func (f *Federation) anchors() (out []openidfed.TrustAnchor) {
	for _, a := range f.config.Anchors {
		out = append(out, a.TrustAnchor)
	}
	return out
}

// facts are what the chain says of a credential that was signed with a key.
func (f *Federation) facts(m member, vct string, key sdjwtvc.IssuerKeyResult) *paspoort.FederationFacts {
	out := &paspoort.FederationFacts{
		Anchor: m.chain.Anchor, Issuer: m.chain.Metadata.DisplayName(), At: m.at, Until: m.chain.ExpiresAt,
		Listed: slices.ContainsFunc(m.keys.Keys, func(k jose.Key) bool { return jose.SameKey(k.Public, key.Public) }),
	}
	for _, s := range m.chain.Statements {
		if len(out.Path) == 0 || out.Path[len(out.Path)-1] != s.Issuer {
			out.Path = append(out.Path, s.Issuer)
		}
	}
	for _, a := range f.config.Anchors {
		if a.EntityID == m.chain.Anchor {
			out.Name = a.Name
			mark, relied := a.Types[vct]
			out.Entitled = relied && (mark == "" || slices.Contains(m.marks, mark))
		}
	}
	return out
}

// federationKey is the key that a credential names, out of the issuer's vc_issuer: "must
// contain a key with the kid value equal to the kid header" (DIIP v5, Appendix B). One that
// comes with a certificate or names a DID is held to these: a bad certificate stays bad.
func (s *Service) federationKey(ctx context.Context, token *sdjwt.SDJWT, left *lookups) (sdjwtvc.IssuerKeyResult, bool) {
	h := token.Header()
	iss, _ := issuedBy(token.Payload())
	if h.KeyID == "" || len(h.X5C) > 0 || strings.HasPrefix(h.KeyID, "did:") || strings.HasPrefix(iss, "did:") {
		return sdjwtvc.IssuerKeyResult{}, false
	}
	m, err := s.config.Federation.member(ctx, entityOf(token.Payload()), left)
	if err != nil {
		return sdjwtvc.IssuerKeyResult{}, false
	}
	key, ok := m.keys.Find(h.KeyID)
	return sdjwtvc.IssuerKeyResult{Public: key.Public, Mechanism: byFederation}, ok
}

const byFederation sdjwtvc.Mechanism = "federation"

// federated asks the federations about the issuers that no region knows.
func (s *Service) federated(ctx context.Context, shown []*examined, left *lookups) {
	if s.config.Federation == nil {
		return
	}
	for _, e := range shown {
		if e.facts.Admission != nil || !e.asks() {
			continue
		}
		m, err := s.config.Federation.member(ctx, entityOf(e.facts.Claims), left)
		if err != nil {
			continue
		}
		e.facts.Federation = s.config.Federation.facts(m, vctOf(e.facts.Claims), e.key)
		if e.listed && e.facts.Federation.Listed && s.config.StatusFetch != nil {
			e.status = s.config.Federation.list(ctx, s.config.StatusFetch, e.ref.URI, m.keys)
		}
		if e.status != nil {
			e.facts.Status = e.statusFacts()
			e.facts.Status.Trusted = paspoort.Finding{State: paspoort.OK}
		}
	}
}

// vctOf is the type that a credential says it has; a W3C credential says it by its types.
func vctOf(claims map[string]any) string {
	if vct, ok := claims["vct"].(string); ok {
		return vct
	}
	types, _ := claims["type"].([]any)
	for _, t := range paspoort.Types() {
		if slices.Contains(types, any(string(t))) {
			return t.VCT()
		}
	}
	return ""
}

// federatedList is a status list with the keys that it was held against.
type federatedList struct {
	token *StatusToken
	until time.Time
}

// list fetches a status list and takes it when one of the issuer's keys signed it, named by kid
// or by the certificate that came along.
func (f *Federation) list(ctx context.Context, fetch did.Fetcher, uri string, keys jose.KeySet) *StatusToken {
	known, _ := f.lists.get(uri)
	if !f.config.Clock().Before(known.until) {
		fetched, err := together(ctx, &f.group, "list "+uri, func(ctx context.Context) federatedList { return f.download(ctx, fetch, uri, known) })
		if err != nil {
			return nil
		}
		known = fetched
	}
	if known.token == nil {
		return nil
	}
	for _, k := range keys.Keys {
		if known.token.signedBy(k) {
			return known.token
		}
	}
	return nil
}

func (f *Federation) download(ctx context.Context, fetch did.Fetcher, uri string, old federatedList) federatedList {
	now := f.config.Clock()
	out := federatedList{token: old.token, until: now.Add(negativeTTL)}
	body, _, err := fetch.Get(ctx, uri, statuslist.MediaType)
	if err == nil {
		var token *statuslist.Token
		token, err = statuslist.ParseToken(strings.TrimSpace(string(body)), statuslist.Limits{})
		switch {
		case err != nil:
		case token.Subject != uri:
			err = statuslist.ErrSubject
		case old.token == nil || !token.IssuedAt.Before(old.token.IssuedAt):
			out = federatedList{token: &StatusToken{Token: token}, until: retryAt(&StatusToken{Token: token}, now)}
		}
	}
	if err != nil {
		f.config.Log.Debug("status list of a federation not to be had", "error", err)
	}
	cost := len(uri) + 256
	if out.token != nil {
		cost += len(out.token.String()) + len(out.token.List.Bytes())
	}
	f.lists.put(uri, out, cost)
	return out
}

// signedBy says whether a key signed the list and is the one that it names.
func (t *StatusToken) signedBy(k jose.Key) bool {
	if len(t.Header.X5C) > 0 {
		_, pub, err := statusSigner(t.Token)
		if err != nil || !jose.SameKey(pub, k.Public) {
			return false
		}
	} else if t.Header.KeyID != k.KeyID {
		return false
	}
	// Only the signature: how old is too old is the verdict's business.
	return t.Token.Verify(k.Public, t.IssuedAt) == nil
}
