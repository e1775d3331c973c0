package paspoort

import (
	"sort"
	"strings"
)

// A Profile is the page of the paspoort: wie ben ik, wat kan ik, wat wil ik.
// It is for the holder's own eyes and for what the holder prints; nothing here
// was verified by whoever reads it.
type Profile struct {
	// Who: the names on the credentials, each once, and the holder's own words.
	Names []string `json:"names"`
	Who   []string `json:"who"`
	// Can: per skill what shows it, strongest first.
	Can []ProfileSkill `json:"can"`
	// Done: the credentials, latest first.
	Done []ProfileItem `json:"done"`
	// Want: drives and wishes in the holder's own words.
	Drives []string `json:"drives"`
	Wants  []string `json:"wants"`
}

// A ProfileSkill is a skill with the credentials that show it.
type ProfileSkill struct {
	Skill Skill `json:"skill"`
	// Level is the proof level that a verdict found or, where none was asked or known, what
	// the type alone can reach without a registry: 0, 1 or 2.
	Level int   `json:"level"`
	From  []int `json:"from"` // indexes into the credentials
}

// A ProfileItem is one credential as a line on the page.
type ProfileItem struct {
	Index  int      `json:"index"`
	Type   Type     `json:"type"`
	Title  string   `json:"title"`
	Issuer string   `json:"issuer"`
	Period string   `json:"period"`
	CanDo  []string `json:"can_do"`
	sort   string
}

// NewProfile makes the page of the credentials a holder has. found are the proof levels
// that verdicts found, by index in credentials.
func NewProfile(credentials []Credential, found map[int]int) Profile {
	p := Profile{Names: []string{}, Who: []string{}, Can: []ProfileSkill{}, Done: []ProfileItem{}, Drives: []string{}, Wants: []string{}}
	skillAt := map[string]int{}
	for i, c := range credentials {
		if name := strings.TrimSpace(c.Text("given_name") + " " + c.Text("family_name")); name != "" {
			p.Names = addOnce(p.Names, name)
		}
		if c.Type == Zelfverklaring {
			p.addOwnWords(c)
		} else {
			p.Done = append(p.Done, item(i, c))
		}
		level, proves := ladder(c, 0)
		if !proves {
			continue
		}
		if l, ok := found[i]; ok {
			level = l
		}
		for _, s := range c.Skills {
			key := s.URI
			if key == "" {
				key = "\x00" + strings.ToLower(s.Label)
			}
			at, ok := skillAt[key]
			if !ok {
				at = len(p.Can)
				skillAt[key] = at
				p.Can = append(p.Can, ProfileSkill{Skill: s})
			}
			p.Can[at].Level = max(p.Can[at].Level, level)
			p.Can[at].From = append(p.Can[at].From, i)
		}
	}
	sort.SliceStable(p.Can, func(a, b int) bool {
		if p.Can[a].Level != p.Can[b].Level {
			return p.Can[a].Level > p.Can[b].Level
		}
		return p.Can[a].Skill.Label < p.Can[b].Skill.Label
	})
	sort.SliceStable(p.Done, func(a, b int) bool { return p.Done[a].sort > p.Done[b].sort })
	return p
}

func (p *Profile) addOwnWords(c Credential) {
	if w := c.Text("who_i_am"); w != "" {
		p.Who = addOnce(p.Who, w)
	}
	for _, s := range texts(c.Claims["talents"]) {
		p.Who = addOnce(p.Who, s)
	}
	for _, s := range texts(c.Claims["drives"]) {
		p.Drives = addOnce(p.Drives, s)
	}
	for _, s := range texts(c.Claims["wishes"]) {
		p.Wants = addOnce(p.Wants, s)
	}
}

func item(i int, c Credential) ProfileItem {
	start, _ := get(c.Claims, "period", "start")
	end, _ := get(c.Claims, "period", "end")
	from, _ := start.(string)
	to, _ := end.(string)
	it := ProfileItem{Index: i, Type: c.Type, Title: c.Text("title"), Issuer: c.Text(claimIssuerName), CanDo: texts(c.Claims["can_do"])}
	it.sort = to
	switch {
	case from != "" && to != "":
		it.Period = from + " - " + to
	case from != "":
		it.Period, it.sort = from+" -", "9999" // still going on
	default:
		it.Period = c.Text("awarded_on")
		it.sort = it.Period
	}
	return it
}

func texts(v any) []string {
	out := []string{}
	list, _ := v.([]any)
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func addOnce(list []string, s string) []string {
	for _, o := range list {
		if o == s {
			return list
		}
	}
	return append(list, s)
}
