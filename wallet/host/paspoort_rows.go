package host

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// A proofRow is one proof as a line.
type proofRow struct {
	ID, Title string
	Type      paspoort.Text
	By        string // empty for own words
	Known     bool   // By is a name from the registry
	Day       time.Time
	Ongoing   bool
	Got       time.Time
	// Degree is what the issuer wrote about a skill: "zelfstandig".
	Degree string
	Cut    bool // not on paper: there is no room
	judgement
}

// Own says that these are the holder's own words.
func (r proofRow) Own() bool { return r.By == "" }

// A skillRow is a skill with what shows it, the strongest first.
type skillRow struct {
	Label string
	proofRow
	More []proofRow
	Rest int // that are not listed
}

// A judgement is how something stands, in the words of the page.
type judgement struct {
	// Level is the rung of the proof ladder, levelDoubt when it is not known, or
	// levelNone when it proves no skill.
	Level string
	Stand string // what is wrong or not known; empty when all is well
	Gone  bool   // it holds no longer
}

const (
	levelOwn   = "0"
	levelDoubt = "x"
	levelNone  = "d"

	standUnchecked = "unchecked" // not looked at yet
	standPartly    = "partly"    // not everything could be seen
	standForeign   = "foreign"   // a type that is none of ours
	standRevoked   = "revoked"
	standSuspended = "suspended"
	standExpired   = "expired"
	standFailed    = "failed"
)

// A judge words how proofs stand.
type judge struct {
	now       time.Time
	standings map[string]wallet.Standing
}

func (h *Host) judge(r *http.Request, s *session) judge {
	return judge{h.c.Clock(), s.standingsNow(r.Context())}
}

func (j judge) of(e wallet.Entry) judgement {
	if e.OwnWords {
		return judgement{Level: levelOwn}
	}
	standing, known := j.standings[e.ID]
	if !known {
		if !e.Expires.IsZero() && !j.now.Before(e.Expires) {
			return judgement{levelNone, standExpired, true}
		}
		return judgement{levelDoubt, standUnchecked, false}
	}
	return judged(standing, e.Read)
}

// judged words a standing. Levels 3 and 4 come from the registry by way of the verdict, and
// from nowhere else.
func judged(s wallet.Standing, read bool) judgement {
	switch {
	case s.State == paspoort.Failed && s.Status == "suspended":
		return judgement{levelNone, standSuspended, true}
	case s.State == paspoort.Failed && s.Status == "invalid":
		return judgement{levelNone, standRevoked, true}
	case s.State == paspoort.Failed && s.Code == "expired":
		return judgement{levelNone, standExpired, true}
	case !read:
		return judgement{levelDoubt, standForeign, false}
	case s.State == paspoort.Failed:
		return judgement{levelNone, standFailed, true}
	}
	out := judgement{Level: levelNone}
	if s.Level != nil {
		out.Level = levelWord(s.Level)
	}
	if s.State != paspoort.OK {
		out.Stand = standPartly
		if s.Level == nil {
			out.Level = levelDoubt
		}
	}
	return out
}

func (j judge) row(e wallet.Entry) proofRow {
	row := proofRow{ID: e.ID, Title: e.Name, Type: typeText(e.Type), Ongoing: e.Ongoing, Got: e.Accepted, judgement: j.of(e)}
	if !e.OwnWords {
		row.By, row.Known = e.Issuer.DisplayName(), e.Issuer.Known
	}
	if day, err := time.Parse(time.DateOnly, e.Day); err == nil && !e.Ongoing {
		row.Day = day
	}
	if row.Title == "" {
		row.Title = e.Type
	}
	return row
}

// strength orders judgements: what is not known yet stands below what somebody confirmed,
// and above what the holder says.
func (j judgement) strength() int {
	return slices.Index([]string{levelNone, levelOwn, levelDoubt, "1", "2", "3", "4"}, j.Level)
}

// mostBehind is how many proofs of one skill are listed.
const mostBehind = 4

// skills gathers what the proofs show, the best proved first. What holds no longer shows
// nothing.
func (j judge) skills(entries []wallet.Entry) []skillRow {
	at := map[string]int{}
	var out []skillRow
	for _, e := range entries {
		if !e.Proves || len(e.Skills) == 0 {
			continue
		}
		row := j.row(e)
		if row.Gone || row.Level == levelNone {
			continue
		}
		for _, s := range e.Skills {
			row.Degree = s.Level
			key := s.URI
			if key == "" {
				key = "\x00" + strings.ToLower(s.Label)
			}
			i, ok := at[key]
			if !ok {
				i = len(out)
				at[key] = i
				out = append(out, skillRow{Label: s.Label, proofRow: row})
				continue
			}
			out[i].add(s.Label, row)
		}
	}
	slices.SortStableFunc(out, func(a, b skillRow) int {
		return cmp.Or(cmp.Compare(b.strength(), a.strength()), strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label)))
	})
	return out
}

// add puts one more proof behind a skill. What it is called is the word of the strongest.
func (s *skillRow) add(label string, row proofRow) {
	if row.ID == s.ID {
		return
	}
	if row.strength() > s.strength() {
		row, s.proofRow = s.proofRow, row
		s.Label = label
	}
	if len(s.More) < mostBehind {
		s.More = append(s.More, row)
	} else {
		s.Rest++
	}
}

// All is how many proofs stand behind a skill beside the first.
func (s skillRow) All() int { return len(s.More) + s.Rest }
