package wallet

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

// A Line is one fact for the screen.
type Line struct {
	Name  string `json:"name"` // the claim
	Label string `json:"label"`
	Value string `json:"value"`
	// Always: the fact goes along whatever is asked, because a verifier needs it to
	// weigh the rest.
	Always bool `json:"always,omitempty"`
	// Beyond: the fact says more than what the request is about.
	Beyond bool `json:"beyond,omitempty"`
}

// lines are the facts that a token shows, in the holder's language.
func (w *Wallet) lines(t *sdjwt.SDJWT, labels []openid4vci.Claim) ([]Line, error) {
	claims, err := t.Claims()
	if err != nil {
		return nil, err
	}
	if c, err := paspoort.Read(claims); err == nil {
		return flatLines(c.Type, c.Claims, c.Skills, w.c.Languages[0]), nil
	}
	disclosed := map[string]bool{}
	places, err := t.Disclosable()
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		if name, ok := p.Path[0].(string); ok {
			disclosed[name] = true
		}
	}
	out := []Line{}
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if technical[name] {
			continue
		}
		out = append(out, Line{Name: name, Label: labelOf(labels, name, w.c.Languages), Value: valueText(name, claims[name], w.c.Languages[0]), Always: !disclosed[name]})
	}
	return out, nil
}

// technical are claims about the credential, not about the holder.
var technical = map[string]bool{
	"iss": true, "vct": true, "vct#integrity": true, "cnf": true, "status": true, "iat": true, "nbf": true, "exp": true,
	"@context": true, "type": true, "id": true, "credentialStatus": true, "credentialSchema": true,
}

// flatLines are the facts of a credential of ours, in reading order, one for each
// skill.
func flatLines(t paspoort.Type, claims map[string]any, skills []paspoort.Skill, lang string) []Line {
	out := []Line{}
	for _, f := range t.Fields() {
		v, ok := claims[f.Name]
		if !ok || f.Name == "record" {
			continue
		}
		l := Line{Name: f.Name, Label: f.Label.In(lang), Always: f.SD == paspoort.SDNever}
		if f.Name != "skills" {
			l.Value = valueText(f.Name, v, lang)
			out = append(out, l)
			continue
		}
		if skills == nil {
			skills = skillsOf(v)
		}
		for _, s := range skills {
			l.Value = s.Label
			if s.Level != "" {
				l.Value += " (" + s.Level + ")"
			}
			out = append(out, l)
		}
	}
	return out
}

// skillsOf reads the skills of own words, which were not rendered yet.
func skillsOf(v any) []paspoort.Skill {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out []paspoort.Skill
	_ = json.Unmarshal(raw, &out) // the schema was checked when they were written
	return out
}

// labelOf is the issuer's word for a claim.
func labelOf(labels []openid4vci.Claim, name string, languages []string) string {
	for _, l := range labels {
		if len(l.Path) != 1 || l.Path[0] != any(name) {
			continue
		}
		for _, language := range languages {
			for _, d := range l.Display {
				if strings.HasPrefix(strings.ToLower(d.Locale), language) && d.Name != "" {
					return d.Name
				}
			}
		}
		if len(l.Display) > 0 && l.Display[0].Name != "" {
			return l.Display[0].Name
		}
	}
	return strings.ReplaceAll(name, "_", " ")
}

// valueText writes the value of a claim for people: codes as words, a period as two
// days, and of an object the parts in a sensible order.
func valueText(claim string, v any, lang string) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		if words, ok := paspoort.ValueText(claim, v); ok {
			return words.In(lang)
		}
		if day, err := time.Parse(time.DateOnly, v); err == nil {
			return paspoort.Day(day).In(lang)
		}
		return v
	case bool:
		return paspoort.Text{NL: map[bool]string{true: "ja", false: "nee"}[v], EN: map[bool]string{true: "yes", false: "no"}[v]}.In(lang)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = valueText(claim, e, lang)
		}
		return list(parts)
	case map[string]any:
		return objectText(v, lang)
	default:
		return fmt.Sprint(v)
	}
}

// list joins values: sentences follow one another, anything else has a semicolon between.
func list(parts []string) string {
	for _, p := range parts {
		if !strings.HasSuffix(p, ".") {
			return strings.Join(parts, "; ")
		}
	}
	return strings.Join(parts, " ")
}

// objectText writes an object: start and end as a period, else its parts, names and
// titles first.
func objectText(v map[string]any, lang string) string {
	if start, ok := v["start"].(string); ok && len(v) <= 2 {
		if end, ok := v["end"].(string); ok {
			return valueText("", start, lang) + paspoort.Text{NL: " tot en met ", EN: " up to and including "}.In(lang) + valueText("", end, lang)
		}
		return paspoort.Text{NL: "sinds ", EN: "since "}.In(lang) + valueText("", start, lang)
	}
	var parts []string
	done := map[string]bool{}
	for _, name := range slices.Concat([]string{"title", "name", "label", "framework", "level", "scheme", "code"}, slices.Sorted(maps.Keys(v))) {
		if e, ok := v[name]; ok && !done[name] {
			done[name] = true
			parts = append(parts, valueText(name, e, lang))
		}
	}
	return strings.Join(parts, ", ")
}
