package paspoort

import (
	"errors"
	"fmt"
	"slices"

	"paspoort.example/paspoort/specs/dcql"
)

// ErrRequest says that a request cannot be made from what was given.
var ErrRequest = errors.New("cannot make a skills request")

// MaxAsked bounds the skills of one request.
const MaxAsked = 50

// A SkillsRequest asks for skills instead of diplomas.
type SkillsRequest struct {
	// URIs name the skills.
	URIs []string
	// Types restricts which types may prove them; empty means all that can.
	Types []Type
	// Formats in which proof is taken; empty means dc+sd-jwt.
	Formats []Format
	// Names asks for the person's name as well, where a credential has one. Ask it
	// only when the purpose needs it.
	Names bool
}

// SkillTypes are the types whose credentials list skills.
func SkillTypes() []Type {
	return slices.DeleteFunc(Types(), func(t Type) bool {
		return !slices.ContainsFunc(typeFieldList[t], func(f Field) bool { return f.Name == "skills" })
	})
}

// Query is the DCQL query (OpenID4VP 1.0, 6) of a shape that was decided once
// and for all: one credential query per type and format, `multiple`, each in a
// set of its own that is not required, with the uris as `values`. What nobody
// holds is left out by the wallet and is the verdict's business; a query that
// demanded everything would return nothing at all (6.4.2).
func (r SkillsRequest) Query() (*dcql.Query, error) {
	if len(r.URIs) == 0 || len(r.URIs) > MaxAsked {
		return nil, fmt.Errorf("%w: ask between 1 and %d skills", ErrRequest, MaxAsked)
	}
	var values []any
	for _, u := range r.URIs {
		if u == "" || len(u) > 2048 {
			return nil, fmt.Errorf("%w: a skill has no uri, or one that is too long", ErrRequest)
		}
		if !slices.Contains(values, any(u)) {
			values = append(values, u)
		}
	}
	types, formats := r.Types, r.Formats
	if len(types) == 0 {
		types = SkillTypes()
	}
	if len(formats) == 0 {
		formats = []Format{FormatSDJWTVC}
	}
	q := &dcql.Query{}
	for _, t := range types {
		if !slices.Contains(SkillTypes(), t) {
			return nil, fmt.Errorf("%w: %.40q is no type with skills", ErrRequest, string(t))
		}
		for _, f := range formats {
			if !slices.Contains(Formats(), f) {
				return nil, fmt.Errorf("%w: format %.40q is neither dc+sd-jwt nor vc+sd-jwt", ErrRequest, string(f))
			}
			c := skillQuery(t, f, values, r.Names)
			if q.Credential(c.ID) != nil {
				return nil, fmt.Errorf("%w: the same type or format twice", ErrRequest)
			}
			optional := false
			q.Credentials = append(q.Credentials, c)
			q.CredentialSets = append(q.CredentialSets, dcql.CredentialSetQuery{Options: [][]string{{c.ID}}, Required: &optional})
		}
	}
	return q, nil
}

// skillQuery asks credentials of one type in one format for the skills, and for
// names where wanted: a wallet answers with the first claim set that the
// credential has, so that words of one's own, which bear no name, still count.
func skillQuery(t Type, f Format, values []any, names bool) dcql.CredentialQuery {
	c := dcql.CredentialQuery{ID: t.Slug(), Format: string(f), Multiple: true}
	given, family := dcql.Path{"given_name"}, dcql.Path{"family_name"}
	if f == FormatSDJWTVC {
		c.Meta.VCTValues = []string{t.VCT()}
		c.Claims = []dcql.ClaimsQuery{{Path: dcql.Path{"skills", nil, "uri"}, Values: values}}
	} else {
		c.ID += "-vc"
		c.Meta.TypeValues = [][]string{{t.VCT()}}
		c.Claims = []dcql.ClaimsQuery{{Path: vcSkillPath(t), Values: values}}
		given, family = dcql.Path{"credentialSubject", "givenName"}, dcql.Path{"credentialSubject", "familyName"}
	}
	if !names {
		return c
	}
	c.Claims[0].ID = "skills"
	c.Claims = append(c.Claims, dcql.ClaimsQuery{ID: "given", Path: given}, dcql.ClaimsQuery{ID: "family", Path: family})
	c.ClaimSets = [][]string{{"skills", "given", "family"}, {"skills"}}
	return c
}

// vcSkillPath is where the W3C form keeps the uri of a skill: an alignment of
// an Open Badges achievement, or beside the subject for what is no badge.
func vcSkillPath(t Type) dcql.Path {
	if achievement[t] != "" {
		return dcql.Path{"credentialSubject", "achievement", "alignment", nil, "targetUrl"}
	}
	return dcql.Path{"credentialSubject", "skills", nil, "uri"}
}
