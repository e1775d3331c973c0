package openidfed

import (
	"context"
	"crypto"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
)

var now = time.Unix(1_800_000_000, 0)

// party is one entity of the federation in these tests, with all endpoints.
type party struct {
	t       testing.TB
	id      string
	key     crypto.Signer
	keys    jose.KeySet
	server  *Server
	own     Statement            // what its configuration says beside keys, times and endpoints
	below   map[string]Statement // what it says about others
	marks   map[string]string    // subject to Trust Mark
	old     []HistoricalKey
	resolve func(ResolveQuery) (string, error)
}

// world is a set of entities by host; it is the network.
type world struct {
	t     testing.TB
	hosts map[string]*party
	asked []string
}

func newWorld(t testing.TB) *world { return &world{t: t, hosts: map[string]*party{}} }

func (w *world) add(host string, own Statement) *party {
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		w.t.Fatal(err)
	}
	keys, err := Keys(key.Public())
	if err != nil {
		w.t.Fatal(err)
	}
	p := &party{t: w.t, id: "https://" + host + "/e", key: key, keys: keys, own: own, below: map[string]Statement{}, marks: map[string]string{}}
	p.server = &Server{EntityID: p.id, Entity: p, Superior: p, MarkIssuer: p, Resolver: p, Historian: p}
	w.hosts[host] = p
	return p
}

// under lets superior make a statement about p, as it stands in add.
func (p *party) under(superior *party, s Statement) {
	p.own.AuthorityHints = append(p.own.AuthorityHints, superior.id)
	s.Keys = p.keys
	superior.below[p.id] = s
}

func (p *party) anchor() TrustAnchor { return TrustAnchor{EntityID: p.id, Keys: p.keys} }

func (w *world) Do(r *http.Request) (*http.Response, error) {
	w.asked = append(w.asked, r.URL.String())
	rec := httptest.NewRecorder()
	if p := w.hosts[r.URL.Host]; p != nil {
		p.server.ServeHTTP(rec, r)
	} else {
		rec.WriteHeader(http.StatusBadGateway)
	}
	return rec.Result(), nil
}

func (p *party) statement(s Statement, sub string) (string, error) {
	s.Issuer, s.Subject = p.id, sub
	if s.IssuedAt.IsZero() {
		s.IssuedAt = now
	}
	if s.ExpiresAt.IsZero() {
		s.ExpiresAt = now.Add(time.Hour)
	}
	return s.Sign(p.key)
}

func (p *party) EntityConfiguration(context.Context) (string, error) {
	s := p.own
	s.Keys = p.keys
	s.Metadata = s.Metadata.clone()
	s.Metadata[FederationEntity] = p.server.Endpoints()
	return p.statement(s, p.id)
}

func (p *party) SubordinateStatement(_ context.Context, sub string) (string, error) {
	s, ok := p.below[sub]
	if !ok {
		return "", Refuse(NotFound, "no such subordinate")
	}
	return p.statement(s, sub)
}

func (p *party) Subordinates(_ context.Context, q ListQuery) ([]string, error) {
	if q.Intermediate != nil {
		return nil, Refuse(UnsupportedParameter, "intermediate is not known here")
	}
	var out []string
	for id := range p.below {
		out = append(out, id)
	}
	return out, nil
}

func (p *party) TrustMark(_ context.Context, markType, sub string) (string, error) {
	token, ok := p.marks[sub]
	if !ok {
		return "", Refuse(NotFound, "no such trust mark")
	}
	return token, nil
}

func (p *party) TrustMarked(context.Context, string, string) ([]string, error) {
	var out []string
	for sub := range p.marks {
		out = append(out, sub)
	}
	return out, nil
}

func (p *party) TrustMarkStatus(_ context.Context, mark string) (string, error) {
	status := TrustMarkStatus{Issuer: p.id, IssuedAt: now, Mark: mark, Status: MarkRevoked}
	for _, token := range p.marks {
		if token == mark {
			status.Status = MarkActive
		}
	}
	return status.Sign(p.key)
}

func (p *party) HistoricalKeys(context.Context) (string, error) {
	return HistoricalKeys{Issuer: p.id, IssuedAt: now, Keys: p.old}.Sign(p.key)
}

func (p *party) ResolveEntity(_ context.Context, q ResolveQuery) (string, error) {
	if p.resolve == nil {
		return "", Refuse(InvalidSubject, "not resolved here")
	}
	return p.resolve(q)
}

// sign is a statement of p about sub as others would see it.
func (p *party) read(s Statement, sub string) *Statement {
	p.t.Helper()
	token, err := p.statement(s, sub)
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := ParseStatement(token)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}
