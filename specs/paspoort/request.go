package paspoort

import (
	"errors"
	"fmt"
)

// ErrRequest says that a request cannot be made from what was given.
var ErrRequest = errors.New("cannot make a skills request")

// MaxAsked bounds the skills of one request.
const MaxAsked = 50

// skillTypes are the types that can show a skill.
var skillTypes = []Type{Opleiding, Werkervaring, Assessment, Praktijkverklaring, Referentie, Zelfverklaring}

// SkillsQuery is a DCQL query (OpenID4VP 1.0, 6) for skills by their uri: one
// credential query per type, each in a set of its own that is not required, so
// that whatever the holder has is an answer. What is missing is the verdict's
// business: an unmet query would return nothing at all. `multiple` lets a
// holder show the same skill from several sources. With names, the person's
// name is asked too; ask it only when the purpose needs it.
//
// Only claims whose value is one of `values` match ["skills", null, "uri"], so
// a wallet that keeps to 6.4 sends exactly those elements.
func SkillsQuery(uris []string, names bool) (map[string]any, error) {
	if len(uris) == 0 || len(uris) > MaxAsked {
		return nil, fmt.Errorf("%w: ask between 1 and %d skills", ErrRequest, MaxAsked)
	}
	values := make([]any, 0, len(uris))
	seen := map[string]bool{}
	for _, u := range uris {
		if u == "" || len(u) > 400 {
			return nil, fmt.Errorf("%w: a skill is named by its uri", ErrRequest)
		}
		if !seen[u] {
			values = append(values, u)
		}
		seen[u] = true
	}
	var queries, sets []any
	for _, t := range skillTypes {
		id := t.Slug()
		claims := []any{map[string]any{"path": []any{"skills", nil, "uri"}, "values": values}}
		if names && !t.SelfSigned() {
			claims = append(claims, map[string]any{"path": []any{"given_name"}}, map[string]any{"path": []any{"family_name"}})
		}
		queries = append(queries, map[string]any{
			"id":       id,
			"format":   string(FormatSDJWTVC),
			"multiple": true,
			"meta":     map[string]any{"vct_values": []any{t.VCT()}},
			"claims":   claims,
		})
		sets = append(sets, map[string]any{"options": []any{[]any{id}}, "required": false})
	}
	return map[string]any{"credentials": queries, "credential_sets": sets}, nil
}
