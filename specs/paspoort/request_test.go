package paspoort

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"paspoort.example/paspoort/specs/dcql"
)

func holdings(t *testing.T, f Format) (held []dcql.Credential) {
	t.Helper()
	for _, ty := range Types() {
		held = append(held, dcql.Credential{Format: string(f), Types: []string{ty.VCT()}, HolderBound: true, Claims: claimsOf(t, ty, f)})
	}
	return held
}

func query(t *testing.T, r SkillsRequest) *dcql.Query {
	t.Helper()
	made, err := r.Query()
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Validate(); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	q, err := dcql.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestSkillsQuery(t *testing.T) {
	q := query(t, SkillsRequest{URIs: []string{caring, together, caring}, Names: true})
	r := dcql.Evaluate(q, holdings(t, FormatSDJWTVC))
	if !r.Satisfiable {
		t.Fatal("not satisfiable")
	}
	for _, ty := range []Type{Opleiding, Werkervaring, Praktijkverklaring, Referentie} {
		if len(r.Matches[ty.Slug()]) != 1 {
			t.Errorf("%s: %d matches", ty, len(r.Matches[ty.Slug()]))
		}
	}
	// Own words hold neither skill, an assessment neither: no match, and the rest
	// is answered all the same.
	if len(r.Matches["zelfverklaring"])+len(r.Matches["assessment"]) != 0 {
		t.Error("a credential without the skill matches")
	}
	if got := r.Answerable(); !slices.Contains(got, "opleiding") || slices.Contains(got, "assessment") {
		t.Errorf("answerable %v", got)
	}
	for _, p := range r.Matches["opleiding"][0].Disclose {
		if p[0] == "skills" && p[1] != 0 && p[1] != int64(0) && p[1] != float64(0) {
			t.Errorf("discloses %v: only the first skill was asked", p)
		}
	}
}

// In the W3C form the same skills stand in alignments, and only what was asked
// is disclosed.
func TestSkillsQueryInTheW3CForm(t *testing.T) {
	q := query(t, SkillsRequest{URIs: []string{caring, together}, Formats: []Format{FormatVCDM}, Names: true})
	r := dcql.Evaluate(q, holdings(t, FormatVCDM))
	for _, ty := range []Type{Opleiding, Werkervaring, Praktijkverklaring, Referentie} {
		m := r.Matches[ty.Slug()+"-vc"]
		if len(m) != 1 || len(m[0].Disclose) != 3 {
			t.Errorf("%s: matches %+v", ty, m)
		}
	}
}

func TestSkillsQueryRefuses(t *testing.T) {
	some := []string{caring}
	for name, r := range map[string]SkillsRequest{
		"none": {}, "empty": {URIs: []string{""}}, "many": {URIs: make([]string, MaxAsked+1)},
		"type without skills": {URIs: some, Types: []Type{Ontwikkelbudget}},
		"type twice":          {URIs: some, Types: []Type{Opleiding, Opleiding}},
		"other format":        {URIs: some, Formats: []Format{"mso_mdoc"}},
	} {
		if _, err := r.Query(); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A query with nothing in common returns nothing at all, which is the holder's
// right; each set is optional so that one match is enough.
func TestOneMatchIsEnough(t *testing.T) {
	q := query(t, SkillsRequest{URIs: []string{caring}})
	if got := dcql.Evaluate(q, holdings(t, FormatSDJWTVC)[:1]).Answerable(); !slices.Equal(got, []string{"opleiding"}) {
		t.Errorf("answerable %v", got)
	}
}
