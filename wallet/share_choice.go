package wallet

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

// A ShareItem is one thing in the paspoort with what of it may go into a share.
type ShareItem struct {
	Item
	Lines []ShareLine `json:"lines"`
	// Seen: the next share would show a copy that somebody saw before.
	Seen bool `json:"seen,omitempty"`
}

// A ShareLine is one fact that goes or stays.
type ShareLine struct {
	Line
	// Key names the choice; empty for what always goes along. It is the claim, or the
	// contents of a skill: the places of skills may differ between copies.
	Key string `json:"key,omitempty"`
	// Default: it is chosen until the holder says otherwise.
	Default bool `json:"default,omitempty"`
}

// notAtFirst are claims that are shared only when the holder picks them: who it is, what
// he or she wants, and what is about somebody else.
var notAtFirst = []string{"given_name", "family_name", "drives", "wishes", "hours_wanted", "contact", "about_record"}

// Shareable is everything in the paspoort with the choices that a share offers, oldest
// first.
func (w *Wallet) Shareable() ([]ShareItem, error) {
	out := []ShareItem{}
	err := w.c.Store.View(func(tx kv.Tx) error {
		a, err := w.readAskers(tx)
		if err != nil {
			return err
		}
		next := a.slotOf("share:")
		credentials, err := w.credentials(tx)
		if err != nil {
			return err
		}
		for _, c := range credentials {
			t, err := c.token()
			if err != nil {
				return err
			}
			i := ShareItem{Item: c.item(), Seen: c.seenAt(next)}
			if i.Lines, err = w.shareLines(t, c.Labels); err != nil {
				return err
			}
			out = append(out, i)
		}
		declarations, err := w.declarations(tx)
		if err != nil {
			return err
		}
		for _, d := range declarations {
			lines := flatLines(paspoort.Zelfverklaring, d.Data.Claims, nil, w.c.Languages[0])
			out = append(out, ShareItem{
				Item:  Item{ID: d.ID, Name: d.name(), Type: string(paspoort.Zelfverklaring), OwnWords: true, Accepted: d.Written},
				Lines: keyed(lines, skillsOf(d.Data.Claims["skills"])),
			})
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b ShareItem) int { return a.Accepted.Compare(b.Accepted) })
	return out, err
}

// seenAt says whether showing the credential at a slot shows a copy that was seen.
func (c *credential) seenAt(slot int) bool {
	if at := c.copyAt(slot); at != nil {
		return at.Uses > 0
	}
	return c.Copies[0].Slot >= 0 || c.Copies[0].Uses > 0
}

// shareLines are the facts of a token with their keys.
func (w *Wallet) shareLines(t *sdjwt.SDJWT, labels []openid4vci.Claim) ([]ShareLine, error) {
	lines, err := w.lines(t, labels)
	if err != nil {
		return nil, err
	}
	claims, err := t.Claims()
	if err != nil {
		return nil, err
	}
	read, _ := paspoort.Read(claims) // of a foreign type there are no skills
	return keyed(lines, read.Skills), nil
}

// keyed gives each line its key. Lines of skills come in the order of the skills.
func keyed(lines []Line, skills []paspoort.Skill) []ShareLine {
	out := make([]ShareLine, len(lines))
	n := 0
	for i, l := range lines {
		out[i] = ShareLine{Line: l}
		if l.Always {
			continue
		}
		out[i].Key, out[i].Default = l.Name, !slices.Contains(notAtFirst, l.Name)
		if l.Name == "skills" && n < len(skills) {
			out[i].Key = skillKey(skills[n])
			n++
		}
	}
	return out
}

// skillKey names a skill by its contents.
func skillKey(s paspoort.Skill) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{s.URI, s.Framework, s.Version, s.Label, s.Level}, "\x00")))
	return "skill-" + base64.RawURLEncoding.EncodeToString(sum[:12])
}

// reduceTo keeps of a token the disclosures that the chosen keys name and no other. It
// fails with ErrAgain when a key names nothing: what goes would not be what was agreed.
func reduceTo(t *sdjwt.SDJWT, chosen []string) (*sdjwt.SDJWT, error) {
	places, err := t.Disclosable()
	if err != nil {
		return nil, err
	}
	keys, err := keysOf(t, places)
	if err != nil {
		return nil, err
	}
	for _, key := range chosen {
		if !slices.ContainsFunc(keys, func(of []string) bool { return slices.Contains(of, key) }) {
			return nil, ErrAgain
		}
	}
	keep := map[string]bool{}
	for i, of := range keys {
		for _, key := range of {
			if slices.Contains(chosen, key) {
				keep[placeName(places[i].Path)] = true
			}
		}
	}
	return t.Select(func(path []any, _ any) bool { return keep[placeName(path)] })
}

// placeName is a path as a text, to compare.
func placeName(path []any) string { return fmt.Sprintf("%q", path) }

// keysOf says of each disclosure which choices it belongs to.
func keysOf(t *sdjwt.SDJWT, places []sdjwt.DisclosedAt) ([][]string, error) {
	claims, err := t.Claims()
	if err != nil {
		return nil, err
	}
	whole, err := paspoort.Read(claims)
	if err == nil && whole.Format == paspoort.FormatVCDM {
		return keysByOmission(t, places, whole)
	}
	out := make([][]string, len(places))
	for i, p := range places {
		name, ok := p.Path[0].(string)
		if !ok {
			continue
		}
		out[i] = []string{name}
		if err == nil && name == "skills" && len(p.Path) > 1 {
			out[i] = nil
			if n, ok := p.Path[1].(int); ok {
				out[i] = skillAt(claims, n)
			}
		}
	}
	return out, nil
}

// skillAt is the key of the element at a place of the processed list.
func skillAt(claims map[string]any, n int) []string {
	list, _ := claims["skills"].([]any)
	if n >= len(list) {
		return nil
	}
	read := skillsOf([]any{list[n]})
	if len(read) != 1 {
		return nil
	}
	return []string{skillKey(read[0])}
}

// keysByOmission finds out what a disclosure of the W3C form is about by reading the
// credential without it: there one field may stand in several places, and a place may
// belong to none.
func keysByOmission(t *sdjwt.SDJWT, places []sdjwt.DisclosedAt, whole paspoort.Credential) ([][]string, error) {
	all := values(whole)
	out := make([][]string, len(places))
	for i := range places {
		at := placeName(places[i].Path)
		without, err := t.Select(func(path []any, _ any) bool { return placeName(path) != at })
		if err != nil {
			return nil, err
		}
		claims, err := without.Claims()
		if err != nil {
			return nil, err
		}
		read, err := paspoort.Read(claims)
		if err != nil {
			continue // it holds the credential together, and is no field
		}
		left := values(read)
		for key, text := range all {
			if left[key] != text {
				out[i] = append(out[i], key)
			}
		}
	}
	return out, nil
}

// values are the facts of a credential by key.
func values(c paspoort.Credential) map[string]string {
	out := map[string]string{}
	for _, l := range keyed(flatLines(c.Type, c.Claims, c.Skills, "nl"), c.Skills) {
		if l.Key != "" {
			out[l.Key] += l.Value + "\n"
		}
	}
	return out
}
