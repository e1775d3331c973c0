package verifier

import (
	"net/http"
	"slices"

	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
)

// Ask is the body of POST /api/v1/requests: what to ask, in one of two ways, and how.
type Ask struct {
	// Query is a DCQL query of the caller's own.
	Query *dcql.Query `json:"dcql_query"`
	// Skills are uris of skills; the query is made from them.
	Skills []Skill `json:"skills"`
	// Types restricts which credential types may prove the skills; empty means all that can.
	Types []paspoort.Type `json:"types"`
	// Formats in which proof is accepted; empty means dc+sd-jwt.
	Formats []paspoort.Format `json:"formats"`
	// Names asks for given and family name beside the skills, where a credential has them.
	Names bool `json:"names"`

	// Purpose says why, in one sentence for the holder. Language is its language, nl unless given.
	Purpose  string `json:"purpose"`
	Language string `json:"lang"`
	// ResponseMode is direct_post.jwt unless given.
	ResponseMode openid4vp.ResponseMode `json:"response_mode"`
	// Profile is standard (the default), diip or haip.
	Profile string `json:"profile"`
	// Prefix chooses how the verifier identifies itself; empty means the first that profile and certificates allow.
	Prefix openid4vp.Prefix `json:"client_id_prefix"`
}

// Skill is a skill that is asked for: a uri, or an object with one. Label is what the request page calls it.
type Skill struct {
	URI   string `json:"uri"`
	Label string `json:"label,omitempty"`
}

// UnmarshalJSON accepts "uri" and {"uri": "..."}.
func (s *Skill) UnmarshalJSON(raw []byte) error { return unmarshalSkill(raw, s) }

const (
	maxSkills  = 50
	maxPurpose = 500 // characters: one sentence on a phone
)

// skillTypes are the types whose credentials list skills.
func skillTypes() []paspoort.Type {
	var out []paspoort.Type
	for _, t := range paspoort.Types() {
		if slices.ContainsFunc(t.Fields(), func(f paspoort.Field) bool { return f.Name == "skills" }) {
			out = append(out, t)
		}
	}
	return out
}

func badAsk(format string, args ...any) error {
	return web.Errorf(http.StatusBadRequest, "invalid_request", format, args...)
}

// check fills in the defaults and refuses what cannot be asked.
func (a *Ask) check() error {
	switch {
	case (a.Query == nil) == (len(a.Skills) == 0):
		return badAsk("give either dcql_query or skills")
	case a.Query != nil && (len(a.Types) > 0 || len(a.Formats) > 0 || a.Names):
		return badAsk("types, formats and names go with skills; a dcql_query says these itself")
	case len(a.Skills) > maxSkills:
		return badAsk("ask for at most %d skills at once", maxSkills)
	case a.Purpose == "" || len([]rune(a.Purpose)) > maxPurpose:
		return badAsk("purpose is required: one sentence of at most %d characters that tells the holder why you ask", maxPurpose)
	}
	if a.Language == "" {
		a.Language = "nl"
	}
	if len(a.Language) > 16 {
		return badAsk("lang is not a language tag")
	}
	if a.ResponseMode == "" {
		a.ResponseMode = openid4vp.DirectPostJWT
	}
	if _, err := profile(a.Profile); err != nil {
		return err
	}
	if a.Query != nil {
		return a.checkQuery()
	}
	return a.buildQuery()
}

func (a *Ask) checkQuery() error {
	if err := a.Query.Validate(); err != nil {
		return badAsk("dcql_query: %v", err)
	}
	for i := range a.Query.Credentials {
		switch paspoort.Format(a.Query.Credentials[i].Format) {
		case paspoort.FormatSDJWTVC, paspoort.FormatVCDM:
		default:
			return badAsk("dcql_query: only dc+sd-jwt and vc+sd-jwt can be judged here")
		}
	}
	return nil
}

// profile returns the protocol profile of this name, with the formats that can be judged.
func profile(name string) (openid4vp.Profile, error) {
	var p openid4vp.Profile
	switch name {
	case "", "standard":
		p = openid4vp.Standard()
	case "diip":
		p = openid4vp.DIIP()
	case "haip":
		p = openid4vp.HAIP()
	default:
		return p, badAsk("profile is standard, diip or haip")
	}
	p.Formats = slices.DeleteFunc(slices.Clone(p.Formats), func(f string) bool { return f == dcql.FormatJWTVC })
	return p, nil
}

// buildQuery turns skills into the query of which the shape was decided once and for all: one optional credential query per
// type, multiple, with the uris as values. What nobody holds is left out by the wallet and is the verdict's business; a
// query that demanded everything would return nothing at all.
func (a *Ask) buildQuery() error {
	values := make([]any, 0, len(a.Skills))
	for _, s := range a.Skills {
		if s.URI == "" || len(s.URI) > 2048 || len(s.Label) > 200 {
			return badAsk("a skill has no uri, or a uri or label that is too long")
		}
		if !slices.Contains(values, any(s.URI)) {
			values = append(values, s.URI)
		}
	}
	types, formats := a.Types, a.Formats
	if len(types) == 0 {
		types = skillTypes()
	}
	if len(formats) == 0 {
		formats = []paspoort.Format{paspoort.FormatSDJWTVC}
	}
	q := &dcql.Query{}
	for _, t := range types {
		if !slices.Contains(skillTypes(), t) {
			return badAsk("types: %.40q is no type with skills", string(t))
		}
		for _, f := range formats {
			c, err := skillQuery(t, f, values, a.Names)
			if err != nil {
				return err
			}
			if q.Credential(c.ID) != nil {
				return badAsk("types or formats has the same twice")
			}
			q.Credentials = append(q.Credentials, c)
			optional := false
			q.CredentialSets = append(q.CredentialSets, dcql.CredentialSetQuery{Options: [][]string{{c.ID}}, Required: &optional})
		}
	}
	a.Query = q
	return nil
}

// skillQuery asks credentials of one type in one format for the skills, and names where wanted: a wallet answers with the
// first claim set that the credential has, so that words of one's own, which bear no name, still count.
func skillQuery(t paspoort.Type, f paspoort.Format, values []any, names bool) (dcql.CredentialQuery, error) {
	c := dcql.CredentialQuery{ID: t.Slug(), Format: string(f), Multiple: true}
	root := dcql.Path{}
	switch f {
	case paspoort.FormatSDJWTVC:
		c.Meta.VCTValues = []string{t.VCT()}
		c.Claims = []dcql.ClaimsQuery{{Path: dcql.Path{"skills", nil, "uri"}, Values: values}}
	case paspoort.FormatVCDM:
		c.ID += "-vc"
		c.Meta.TypeValues = [][]string{{t.VCT()}}
		root = dcql.Path{"credentialSubject"}
		c.Claims = []dcql.ClaimsQuery{{Path: vcSkillPath(t), Values: values}}
	default:
		return c, badAsk("formats: %.40q is neither dc+sd-jwt nor vc+sd-jwt", string(f))
	}
	if !names {
		return c, nil
	}
	given, family := "given_name", "family_name"
	if f == paspoort.FormatVCDM {
		given, family = "givenName", "familyName"
	}
	c.Claims[0].ID = "skills"
	c.Claims = append(c.Claims,
		dcql.ClaimsQuery{ID: "given", Path: append(slices.Clone(root), given)},
		dcql.ClaimsQuery{ID: "family", Path: append(slices.Clone(root), family)})
	c.ClaimSets = [][]string{{"skills", "given", "family"}, {"skills"}}
	return c, nil
}

// vcSkillPath is where the W3C form keeps the uri of a skill: an alignment of an Open Badges achievement, or beside the
// subject for types that are no badge.
func vcSkillPath(t paspoort.Type) dcql.Path {
	if slices.Contains(paspoort.VCTypes(t), "OpenBadgeCredential") {
		return dcql.Path{"credentialSubject", "achievement", "alignment", nil, "targetUrl"}
	}
	return dcql.Path{"credentialSubject", "skills", nil, "uri"}
}

// asked returns the skills that are asked for, each once.
func (a *Ask) asked() []Skill {
	var out []Skill
	for _, s := range a.Skills {
		if !slices.ContainsFunc(out, func(o Skill) bool { return o.URI == s.URI }) {
			out = append(out, s)
		}
	}
	return out
}
