package verifier

import (
	"encoding/json"
	"net/http"
	"slices"

	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
)

// Ask is the body of POST /api/v1/requests: what to ask, in one of two ways, and how.
type Ask struct {
	// Query is a DCQL query of the caller's own, as it came.
	Query json.RawMessage `json:"dcql_query"`
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

	query *dcql.Query // what is asked, once the rest was checked
}

// Skill is a skill that is asked for: a uri, or an object with one. Label is what the request page calls it.
type Skill struct {
	URI   string `json:"uri"`
	Label string `json:"label,omitempty"`
}

// UnmarshalJSON accepts "uri" and {"uri": "..."}. Anything else is a skill without a uri, which is refused with the words
// that belong to it.
func (s *Skill) UnmarshalJSON(raw []byte) error {
	type plain Skill
	*s = Skill{}
	if json.Unmarshal(raw, &s.URI) != nil && json.Unmarshal(raw, (*plain)(s)) != nil {
		*s = Skill{}
	}
	return nil
}

const (
	maxSkills  = paspoort.MaxAsked
	maxPurpose = 500 // characters: one sentence on a phone
)

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

func (a *Ask) checkQuery() (err error) {
	if a.query, err = dcql.ParseQuery(a.Query); err == nil {
		err = a.query.Validate()
	}
	if err != nil {
		return badAsk("dcql_query: %v", err)
	}
	for i := range a.query.Credentials {
		switch paspoort.Format(a.query.Credentials[i].Format) {
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

// buildQuery turns skills into a query.
func (a *Ask) buildQuery() error {
	r := paspoort.SkillsRequest{Types: a.Types, Formats: a.Formats, Names: a.Names}
	for _, s := range a.Skills {
		if len(s.Label) > 200 {
			return badAsk("the label of a skill is too long")
		}
		r.URIs = append(r.URIs, s.URI)
	}
	q, err := r.Query()
	if err != nil {
		return badAsk("%v", err)
	}
	a.query = q
	return nil
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
