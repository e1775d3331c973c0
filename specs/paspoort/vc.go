package paspoort

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/sdjwt"
)

// The contexts of the W3C form. They are compared, never fetched.
const (
	contextVCDM       = "https://www.w3.org/ns/credentials/v2"
	contextOpenBadges = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
	vocabulary        = "urn:paspoort:terms:1#"
)

// achievement says which types are an Open Badges achievement, and of which
// achievementType. A reference is an endorsement; one's own words and a budget
// are no badge at all.
var achievement = map[Type]string{
	Opleiding: "Course", Werkervaring: "ext:Werkervaring", Assessment: "Assessment", Praktijkverklaring: "ext:Praktijkverklaring",
}

var achievementKinds = map[string]string{"micro_credential": "MicroCredential", "module": "ext:Module", "course": "Course"}

// VCContext is the `@context` of the W3C form: VCDM 2.0, Open Badges where the
// type uses it, and an inline context that gives our own words an IRI. The
// inline one maps the type's name to its vct, which is thereby the IRI that
// DCQL's type_values names.
func VCContext(t Type) []any {
	out := []any{contextVCDM}
	if achievement[t] != "" || t == Referentie {
		out = append(out, contextOpenBadges)
	}
	return append(out, map[string]any{"@vocab": vocabulary, string(t): t.VCT()})
}

// VCTypes is the `type` of the W3C form.
func VCTypes(t Type) []string {
	switch {
	case achievement[t] != "":
		return []string{"VerifiableCredential", "OpenBadgeCredential", string(t)}
	case t == Referentie:
		return []string{"VerifiableCredential", "EndorsementCredential", string(t)}
	}
	return []string{"VerifiableCredential", string(t)}
}

// camel turns quality_assurance into qualityAssurance.
func camel(name string) string {
	parts := strings.Split(name, "_")
	for i := 1; i < len(parts); i++ {
		parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
	}
	return strings.Join(parts, "")
}

// openBadgePlaces are claims with a place in Open Badges 3.0 or in the mapping
// of edubadges, whose value is the same there. What has another shape is in
// encodeAchievement; all else is a member of credentialSubject under its own name.
var openBadgePlaces = map[string][]string{
	"title":       {"credentialSubject", "achievement", "name"},
	"description": {"credentialSubject", "achievement", "description"},
	"language":    {"credentialSubject", "achievement", "inLanguage"},
	"module":      {"credentialSubject", "achievement", "humanCode"},
	"ec":          {"credentialSubject", "achievement", "creditsAvailable"},
}

// subjectNames are the members of credentialSubject whose name is not just the
// claim's name in camel case. `evidence` is something else in VCDM 2.0.
var subjectNames = map[string]string{"evidence": "evidenceKind", "statement": "endorsementComment"}

func place(t Type, name string) []string {
	if p, ok := openBadgePlaces[name]; ok && achievement[t] != "" {
		return p
	}
	if n, ok := subjectNames[name]; ok {
		return []string{"credentialSubject", n}
	}
	return []string{"credentialSubject", camel(name)}
}

// A shaped claim has another shape in Open Badges than in the flat form.
type shaped struct {
	paths  [][]any // claims paths, for display
	encode func(f Field, v any, root map[string]any)
	decode func(root map[string]any) (any, bool)
}

// shapedClaims gives the shaped claims of a type.
func shapedClaims(t Type) map[string]shaped {
	m := map[string]shaped{"period": periodShape}
	if achievement[t] == "" {
		return m
	}
	m["skills"] = skillsShape
	m["can_do"] = canDoShape
	m["result"] = resultShape
	m["grade"] = gradeShape
	m["kind"] = kindShape
	m["programme_code"] = programmeShape
	m["level_claimed"] = levelShape("level_claimed", "claimed")
	m["level_classified"] = levelShape("level_classified", "classified")
	m["awarded_on"] = awardedShape
	return m
}

func vcPaths(t Type, f Field) [][]any {
	if f.Name == claimIssuerName {
		return [][]any{{"issuer", "name"}}
	}
	if f.Name == claimIssuerCountry {
		return [][]any{{"issuer", "address", "addressCountryCode"}}
	}
	if s, ok := shapedClaims(t)[f.Name]; ok {
		return s.paths
	}
	var path []any
	for _, p := range place(t, f.Name) {
		path = append(path, p)
	}
	return [][]any{path}
}

// renderVCDM makes the W3C form. VC-JOSE-COSE 3.2.1: `@context`, `type` and
// the like are never selectively disclosable.
func renderVCDM(iss Issuer, d Dataset, c Copy, cnf map[string]any) map[string]any {
	t := d.Type
	root := map[string]any{
		"@context":          VCContext(t),
		"type":              anyStrings(VCTypes(t)),
		"id":                copyID(cnf, c.Status),
		"iss":               iss.ID,
		"issuer":            issuerProfile(iss, t),
		"validFrom":         floorDay(c.IssuedAt).Format(time.RFC3339),
		"cnf":               cnf,
		"credentialSubject": subject(t, cnf),
	}
	if end := expiry(d, c); !end.IsZero() {
		root["validUntil"] = end.Format(time.RFC3339)
	}
	if c.Status != nil {
		root["status"] = statusClaim(*c.Status)
	}
	if iss.Entity != "" {
		root["termsOfUse"] = map[string]any{"type": "OpenIDFederation", "policyId": iss.Entity}
	}
	special := shapedClaims(t)
	for f, v := range flatClaims(iss, d) {
		if f.Name == claimIssuerName || f.Name == claimIssuerCountry {
			continue // in the issuer's profile
		}
		if s, ok := special[f.Name]; ok {
			s.encode(f, v, root)
			continue
		}
		set(root, place(t, f.Name), mark(f, v))
	}
	if achievement[t] != "" {
		completeAchievement(root, iss, d)
	}
	return root
}

// completeAchievement adds what Open Badges 3.0 requires of an achievement and
// our claims may not have: an id, a description, criteria.
func completeAchievement(root map[string]any, iss Issuer, d Dataset) {
	// Whoever knows the title could compute the id, so it is disclosed like the
	// title itself.
	title, _ := d.Claims["title"].(string)
	sum := sha256.Sum256([]byte(iss.ID + "\n" + string(d.Type) + "\n" + title))
	set(root, []string{"credentialSubject", "achievement", "id"}, sdjwt.SD{Value: uuid(sum)})
	// The general sentence about the type says nothing of the person. It is hidden
	// all the same: in clear it would tell that the person's credential has none.
	for _, path := range [][]string{{"credentialSubject", "achievement", "description"}, {"credentialSubject", "achievement", "criteria", "narrative"}} {
		if _, ok := get(root, path...); !ok {
			set(root, path, sdjwt.SD{Value: d.Type.About().NL})
		}
	}
}

func subject(t Type, cnf map[string]any) map[string]any {
	s := map[string]any{"id": holderDID(cnf)}
	switch {
	case achievement[t] != "":
		a := map[string]any{"type": []any{"Achievement"}}
		if t != Opleiding {
			a["achievementType"] = achievement[t]
		}
		s["type"], s["achievement"] = []any{"AchievementSubject"}, a
	case t == Referentie:
		s["type"] = []any{"EndorsementSubject"}
	}
	return s
}

func issuerProfile(iss Issuer, t Type) any {
	if t.SelfSigned() {
		return iss.ID
	}
	p := map[string]any{"id": iss.ID, "type": []any{"Profile"}}
	if iss.Name != "" {
		p["name"] = iss.Name
	}
	if iss.Country != "" {
		p["address"] = map[string]any{"type": []any{"Address"}, "addressCountryCode": iss.Country}
	}
	return p
}

// copyID is the `id` that Open Badges requires. It is computed from what only
// this copy has and shows anyway, so it ties it to no other copy.
func copyID(cnf map[string]any, s *StatusRef) string {
	seed, _ := json.Marshal([]any{cnf, s}) // strings and numbers only
	return uuid(sha256.Sum256(seed))
}

// uuid is version 8 of RFC 9562 5.8: 122 bits of our own making.
func uuid(sum [32]byte) string {
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func anyStrings(in []string) []any {
	out := make([]any, len(in))
	for i, s := range in {
		out[i] = s
	}
	return out
}

// set stores a value under a path of object members, making the objects.
func set(root map[string]any, path []string, v any) {
	for _, p := range path[:len(path)-1] {
		next, ok := root[p].(map[string]any)
		if !ok {
			next = map[string]any{}
			root[p] = next
		}
		root = next
	}
	root[path[len(path)-1]] = v
}

// get reads a value under a path of object members.
func get(root map[string]any, path ...string) (any, bool) {
	for _, p := range path[:len(path)-1] {
		next, ok := root[p].(map[string]any)
		if !ok {
			return nil, false
		}
		root = next
	}
	v, ok := root[path[len(path)-1]]
	return v, ok
}
