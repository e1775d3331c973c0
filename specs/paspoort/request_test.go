package paspoort

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"paspoort.example/paspoort/specs/dcql"
)

func TestSkillsQuery(t *testing.T) {
	raw, err := SkillsQuery([]string{caring, together, caring}, true)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(raw)
	q, err := dcql.ParseQuery(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Validate(); err != nil {
		t.Fatal(err)
	}
	var held []dcql.Credential
	for _, ty := range Types() {
		held = append(held, dcql.Credential{Format: string(FormatSDJWTVC), Types: []string{ty.VCT()}, HolderBound: true, Claims: claimsOf(t, ty, FormatSDJWTVC)})
	}
	r := dcql.Evaluate(q, held)
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

func TestSkillsQueryRefuses(t *testing.T) {
	for name, uris := range map[string][]string{"none": nil, "empty": {""}, "many": make([]string, MaxAsked+1)} {
		if _, err := SkillsQuery(uris, false); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A query with nothing in common returns nothing at all, which is the holder's
// right; each set is optional so that one match is enough.
func TestOneMatchIsEnough(t *testing.T) {
	raw, err := SkillsQuery([]string{caring}, false)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(raw)
	q, err := dcql.ParseQuery(b)
	if err != nil {
		t.Fatal(err)
	}
	held := []dcql.Credential{{Format: string(FormatSDJWTVC), Types: []string{Opleiding.VCT()}, HolderBound: true, Claims: claimsOf(t, Opleiding, FormatSDJWTVC)}}
	if got := dcql.Evaluate(q, held).Answerable(); !slices.Equal(got, []string{"opleiding"}) {
		t.Errorf("answerable %v", got)
	}
}
