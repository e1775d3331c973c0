package paspoort

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Words that may stand in no schema, in Dutch and English (design 4): what
// they name is never in a credential of ours.
var forbidden = regexp.MustCompile(`(?i)\bbsn\b|burgerservice|birth|geboort|photo|portrait|\bfoto|gender|geslacht|\bsex\b|national|health|gezondheid|sickness|ziekte|benefit|uitkering|salary|salaris|\bloon|wage|religion|ethnic`)

// names collects the property names of a schema, with the words apart.
func names(v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		if props, ok := v["properties"].(map[string]any); ok {
			for name := range props {
				into[strings.ReplaceAll(name, "_", " ")] = true
			}
		}
		for _, m := range v {
			names(m, into)
		}
	case []any:
		for _, m := range v {
			names(m, into)
		}
	}
}

func TestNoForbiddenFields(t *testing.T) {
	for _, ty := range Types() {
		for _, load := range []func(Type) ([]byte, error){ClaimsSchema, CredentialSchema} {
			raw, err := load(ty)
			if err != nil {
				t.Fatal(err)
			}
			var doc any
			if err := json.Unmarshal(raw, &doc); err != nil {
				t.Fatal(err)
			}
			found := map[string]bool{}
			names(doc, found)
			if len(found) < 5 {
				t.Fatalf("%s: %d names found", ty, len(found))
			}
			for name := range found {
				if forbidden.MatchString(name) {
					t.Errorf("%s has %q", ty, name)
				}
			}
			closed(t, string(ty), doc)
		}
	}
	for _, word := range []string{"birth date", "bsn", "gender", "salary", "health status"} {
		if !forbidden.MatchString(word) {
			t.Errorf("the test would miss %q", word)
		}
	}
}

// closed checks that every object with properties refuses others, but for cnf
// and status, which other standards describe.
func closed(t *testing.T, at string, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["properties"]; ok && v["type"] == "object" && v["additionalProperties"] != false {
			t.Errorf("%s is open", at)
		}
		for name, m := range v {
			closed(t, at+"/"+name, m)
		}
	case []any:
		for _, m := range v {
			closed(t, at, m)
		}
	}
}

func TestClaimsThatDoNotFit(t *testing.T) {
	type m = map[string]any
	for _, test := range []struct {
		name   string
		ty     Type
		change func(c m)
		says   string
	}{
		{"missing title", Opleiding, func(c m) { delete(c, "title") }, "missing title"},
		{"missing identity check", Werkervaring, func(c m) { delete(c, "identity_check") }, "missing identity_check"},
		{"birth date", Opleiding, func(c m) { c["birth_date"] = "1990-01-01" }, "does not have"},
		{"record is drawn, not given", Opleiding, func(c m) { c["record"] = "AAAAAAAAAAAAAAAAAAAAAA" }, "does not have"},
		{"evidence of another type", Opleiding, func(c m) { c["evidence"] = "work" }, "/evidence: must be one of"},
		{"eight sentences", Opleiding, func(c m) { c["can_do"] = []any{"a", "b", "c", "d", "e", "f", "g", "h"} }, "/can_do"},
		{"a date that is none", Opleiding, func(c m) { c["awarded_on"] = "2026-02-30" }, "/awarded_on: must be a date"},
		{"a line break in a title", Opleiding, func(c m) { c["title"] = "a\nb" }, "/title"},
		{"an escape in a label", Opleiding, func(c m) { c["skills"] = []any{m{"label": "a\x1b[31m"}} }, "/skills/0/label"},
		{"a code without its framework", Opleiding, func(c m) { c["skills"] = []any{m{"label": "x", "uri": "https://x.example/1"}} }, "/skills/0"},
		{"a skill without a label", Opleiding, func(c m) { c["skills"] = []any{m{"framework": "ESCO", "uri": "https://x.example/1"}} }, "missing label"},
		{"ends before it starts", Werkervaring, func(c m) { c["period"] = m{"start": "2026-01-02", "end": "2026-01-01"} }, "before the start"},
		{"hours as text", Opleiding, func(c m) { c["hours"] = "84" }, "/hours: must be integer"},
		{"http link", Opleiding, func(c m) { c["further_information"] = "http://x.example" }, "/further_information"},
		{"classified without a register", Opleiding, func(c m) { c["level_classified"] = m{"framework": "NLQF", "level": "3"} }, "missing register"},
		{"a level that does not exist", Opleiding, func(c m) { c["level_claimed"] = m{"framework": "NLQF", "level": "9"} }, "/level_claimed/level"},
		{"names in one's own words", Zelfverklaring, func(c m) { c["given_name"] = "Samira" }, "does not have"},
	} {
		t.Run(test.name, func(t *testing.T) {
			claims := sampleClaims(t, test.ty)
			test.change(claims)
			err := CheckClaims(test.ty, claims)
			if !errors.Is(err, ErrClaims) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %q, want %q in it", err, test.says)
			}
			for _, value := range []string{"Samira", "Idrissi", "1990", "31m"} {
				if strings.Contains(err.Error(), value) {
					t.Errorf("the error repeats a value: %v", err)
				}
			}
		})
	}
	if err := CheckClaims("Diploma", nil); !errors.Is(err, ErrUnknownType) {
		t.Errorf("got %v", err)
	}
}

// A claim without any code is fully valid.
func TestSkillsNeedNoCode(t *testing.T) {
	claims := sampleClaims(t, Opleiding)
	claims["skills"] = []any{map[string]any{"label": "Bloemen schikken"}}
	if err := CheckClaims(Opleiding, claims); err != nil {
		t.Error(err)
	}
	delete(claims, "skills")
	if err := CheckClaims(Opleiding, claims); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	if got := Opleiding.VCT(); got != "urn:paspoort:opleiding:1" {
		t.Errorf("got %s", got)
	}
	if got := ConfigurationID(Werkervaring, FormatVCDM); got != "Werkervaring_vc_sd_jwt" {
		t.Errorf("got %s", got)
	}
	for _, ty := range Types() {
		for _, f := range Formats() {
			gotT, gotF, err := ParseConfigurationID(ConfigurationID(ty, f))
			if err != nil || gotT != ty || gotF != f {
				t.Errorf("%s %s: got %s %s %v", ty, f, gotT, gotF, err)
			}
		}
		if ty.Name().NL == "" || ty.About().EN == "" {
			t.Errorf("%s has no name", ty)
		}
		if got, err := TypeOf(ty.VCT()); err != nil || got != ty {
			t.Errorf("%s: got %s %v", ty, got, err)
		}
	}
	for _, odd := range []string{"", "opleiding", "urn:paspoort:opleiding:2", "urn:paspoort::1"} {
		if _, err := TypeOf(odd); !errors.Is(err, ErrUnknownType) {
			t.Errorf("%q is a vct", odd)
		}
	}
}

// The mandatory elements of the EU micro-credential, each with its claim.
func TestMicroCredentialElements(t *testing.T) {
	elements := map[string]string{
		"identification of the learner": "given_name", "title": "title", "country of the issuer": claimIssuerCountry,
		"awarding body": claimIssuerName, "date of issuing": "awarded_on", "learning outcomes": "can_do", "workload": "hours",
		"type of assessment": "assessment_form", "form of participation": "participation", "quality assurance": "quality_assurance",
	}
	var have []string
	for _, f := range Opleiding.Fields() {
		have = append(have, f.Name)
	}
	for element, claim := range elements {
		if !slices.Contains(have, claim) {
			t.Errorf("%s: no %s", element, claim)
		}
		if claim != claimIssuerCountry && !Opleiding.mandatory(claim) {
			t.Errorf("%s may be left out", element)
		}
	}
}

// What a verifier needs to weigh the rest is never selectively disclosable.
func TestNeverDisclosable(t *testing.T) {
	var got []string
	for _, f := range fields {
		if f.SD == SDNever && f.Name != claimValidUntil {
			got = append(got, f.Name)
		}
	}
	want := []string{"evidence", "result", "supervision", "identity_check", "level_claimed", "level_classified", claimIssuerName, claimIssuerCountry}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestCredentialMetadata(t *testing.T) {
	for _, ty := range Types() {
		for _, f := range Formats() {
			raw, err := json.Marshal(CredentialMetadata(ty, f))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{`"locale":"nl"`, `"locale":"en"`, `"path"`} {
				if !strings.Contains(string(raw), want) {
					t.Errorf("%s %s lacks %s", ty, f, want)
				}
			}
		}
	}
}

func TestHobbelCatalogue(t *testing.T) {
	raw, err := HobbelCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Version string
		Hobbels []struct {
			ID               string
			Levels           []string
			Title, Doorbraak Text
		}
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	if c.Version != ProvisionalHobbels || len(c.Hobbels) != 14 || len(raw) > 30<<10 {
		t.Errorf("%s with %d hobbels in %d bytes", c.Version, len(c.Hobbels), len(raw))
	}
	for _, h := range c.Hobbels {
		if h.Title.NL == "" || h.Title.EN == "" || h.Doorbraak.NL == "" || h.Doorbraak.EN == "" || len(h.Levels) == 0 {
			t.Errorf("%s is not complete", h.ID)
		}
		// Two names that go around and stand in neither source.
		for _, word := range []string{"terugkeergarantie", "loonkloof"} {
			if strings.Contains(strings.ToLower(h.Title.NL+h.Doorbraak.NL), word) {
				t.Errorf("%s speaks of %s", h.ID, word)
			}
		}
	}
}

func TestProfile(t *testing.T) {
	var held []Credential
	for _, ty := range Types() {
		c, err := Read(claimsOf(t, ty, FormatSDJWTVC))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	p := NewProfile(held, nil)
	if diff := cmp.Diff(p.Names, []string{"Samira Voorbeeld-Idrissi"}); diff != "" {
		t.Error(diff)
	}
	if len(p.Who) == 0 || len(p.Wants) == 0 || len(p.Drives) == 0 || len(p.Done) != len(Types())-1 {
		t.Errorf("profile %+v", p)
	}
	if p.Can[0].Level != LevelEmployer || p.Can[len(p.Can)-1].Level != LevelSelf {
		t.Error("strongest first")
	}
}
