package openidfed

import (
	"context"
	"net/url"

	"paspoort.example/paspoort/specs/ijson"
)

// one is a parameter that occurs at most once; twice is ambiguous.
func one(q url.Values, name string, required bool) (string, error) {
	v := q[name]
	if len(v) > 1 {
		return "", Refuse(InvalidRequest, "parameter "+name+" occurs more than once")
	}
	if len(v) == 0 || v[0] == "" {
		if required {
			return "", Refuse(InvalidRequest, "parameter "+name+" is missing")
		}
		return "", nil
	}
	return v[0], nil
}

// entityParameter is a parameter that is an entity identifier.
func entityParameter(q url.Values, name string, required bool) (string, error) {
	id, err := one(q, name, required)
	if err != nil || id == "" {
		return id, err
	}
	if CheckEntityID(id) != nil {
		return "", Refuse(InvalidRequest, "parameter "+name+" is no entity identifier")
	}
	return id, nil
}

func boolParameter(q url.Values, name string) (*bool, error) {
	v, err := one(q, name, false)
	if err != nil || v == "" {
		return nil, err
	}
	value := v == "true"
	if !value && v != "false" {
		return nil, Refuse(InvalidRequest, "parameter "+name+" is neither true nor false")
	}
	return &value, nil
}

// jwt is an answer that was signed already.
func jwt(typ, token string, err error) (answer, error) {
	return answer{mediaPrefix + typ, []byte(token)}, err
}

func entities(list []string, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	if list == nil {
		list = []string{}
	}
	body, err := ijson.Marshal(list)
	return answer{mediaJSON, body}, err
}

func (s *Server) configuration(ctx context.Context, _ url.Values) (answer, error) {
	token, err := s.Entity.EntityConfiguration(ctx)
	return jwt(TypeStatement, token, err)
}

// fetch is 8.1: asking about the issuer itself is an invalid_request.
func (s *Server) fetch(ctx context.Context, q url.Values) (answer, error) {
	sub, err := entityParameter(q, "sub", true)
	if err != nil {
		return answer{}, err
	}
	if sub == s.EntityID {
		return answer{}, Refuse(InvalidRequest, "about this entity itself there is only its entity configuration")
	}
	token, err := s.Superior.SubordinateStatement(ctx, sub)
	return jwt(TypeStatement, token, err)
}

// list is 8.2.
func (s *Server) list(ctx context.Context, q url.Values) (answer, error) {
	query := ListQuery{EntityTypes: q["entity_type"]}
	marked, err := boolParameter(q, "trust_marked")
	if err != nil {
		return answer{}, err
	}
	query.TrustMarked = marked != nil && *marked
	if query.Intermediate, err = boolParameter(q, "intermediate"); err != nil {
		return answer{}, err
	}
	if query.TrustMarkType, err = one(q, "trust_mark_type", false); err != nil {
		return answer{}, err
	}
	return entities(s.Superior.Subordinates(ctx, query))
}

// resolve is 8.3.
func (s *Server) resolve(ctx context.Context, q url.Values) (answer, error) {
	sub, err := entityParameter(q, "sub", true)
	if err != nil {
		return answer{}, err
	}
	if len(q["trust_anchor"]) == 0 {
		return answer{}, Refuse(InvalidRequest, "parameter trust_anchor is missing")
	}
	token, err := s.Resolver.ResolveEntity(ctx, ResolveQuery{Subject: sub, TrustAnchors: q["trust_anchor"], EntityTypes: q["entity_type"]})
	return jwt(TypeResolveResponse, token, err)
}

// mark is 8.6.
func (s *Server) mark(ctx context.Context, q url.Values) (answer, error) {
	markType, err := one(q, "trust_mark_type", true)
	if err != nil {
		return answer{}, err
	}
	sub, err := entityParameter(q, "sub", true)
	if err != nil {
		return answer{}, err
	}
	token, err := s.MarkIssuer.TrustMark(ctx, markType, sub)
	return jwt(TypeTrustMark, token, err)
}

// markList is 8.5.
func (s *Server) markList(ctx context.Context, q url.Values) (answer, error) {
	markType, err := one(q, "trust_mark_type", true)
	if err != nil {
		return answer{}, err
	}
	sub, err := entityParameter(q, "sub", false)
	if err != nil {
		return answer{}, err
	}
	return entities(s.MarkIssuer.TrustMarked(ctx, markType, sub))
}

// markStatus is 8.4.
func (s *Server) markStatus(ctx context.Context, q url.Values) (answer, error) {
	mark, err := one(q, "trust_mark", true)
	if err != nil {
		return answer{}, err
	}
	token, err := s.MarkIssuer.TrustMarkStatus(ctx, mark)
	return jwt(TypeTrustMarkStatus, token, err)
}

// historical is 8.7.
func (s *Server) historical(ctx context.Context, _ url.Values) (answer, error) {
	token, err := s.Historian.HistoricalKeys(ctx)
	return jwt(TypeKeySet, token, err)
}
