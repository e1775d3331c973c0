package wallet

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/paspoort"
)

// An Entry is one thing in the wallet with what it says, for a face that shows the paspoort
// whole: wie ben ik, wat kan ik, wat wil ik. Nothing here was verified; see Standings.
type Entry struct {
	Item
	// Read is false for a type that is none of ours.
	Read bool
	// Given and Family are the name on it.
	Given, Family string
	CanDo         []string
	Skills        []paspoort.Skill
	// Proves is false when it proves no skill: an exam that was not passed, a budget.
	Proves bool
	// Day is the last day that it is about; empty when it does not say. Ongoing: that day is
	// still to come.
	Day     string
	Ongoing bool
	Expires time.Time // zero: no end
	// Claims are the own words as they were declared; nil for what another signed.
	Claims map[string]any
}

// Person is the name of whom it is about, as the issuer wrote it.
func (e Entry) Person() string { return strings.TrimSpace(e.Given + " " + e.Family) }

// Everything is all in the wallet with what it says, latest first.
func (w *Wallet) Everything() ([]Entry, error) {
	out := []Entry{}
	err := w.c.Store.View(func(tx kv.Tx) error {
		credentials, err := w.credentials(tx)
		if err != nil {
			return err
		}
		for _, c := range credentials {
			e, err := c.entry()
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		declarations, err := w.declarations(tx)
		for _, d := range declarations {
			out = append(out, d.entry())
		}
		return err
	})
	slices.SortStableFunc(out, func(a, b Entry) int {
		if a.Ongoing != b.Ongoing {
			return map[bool]int{true: -1, false: 1}[a.Ongoing]
		}
		return strings.Compare(b.latest(), a.latest())
	})
	return out, err
}

func (e Entry) latest() string {
	if e.Day != "" {
		return e.Day
	}
	return e.Accepted.Format(time.DateOnly)
}

func (c *credential) entry() (Entry, error) {
	e := Entry{Item: c.item()}
	t, err := c.token()
	if err != nil {
		return e, err
	}
	claims, err := t.Claims()
	if err != nil {
		return e, err
	}
	read, err := paspoort.Read(claims)
	e.Expires = read.ExpiresAt
	if err != nil {
		return e, nil // foreign: what every credential has is known, and no more
	}
	e.Read, e.Given, e.Family, e.Skills = true, read.Text("given_name"), read.Text("family_name"), read.Skills
	e.CanDo = texts(read.Claims["can_do"])
	e.Proves = paspoort.ProvesSkills(read)
	e.Day = read.Text("awarded_on")
	if period, ok := read.Claims["period"].(map[string]any); ok {
		end, closed := period["end"].(string)
		e.Ongoing = !closed
		if e.Day == "" {
			e.Day = end
		}
	}
	return e, nil
}

func (d *declaration) entry() Entry {
	return Entry{
		Item: Item{ID: d.ID, Name: d.name(), Type: string(paspoort.Zelfverklaring), OwnWords: true, Accepted: d.Written},
		Read: true, CanDo: texts(d.Data.Claims["can_do"]), Skills: skillsOf(d.Data.Claims["skills"]), Proves: true, Claims: d.Data.Claims,
	}
}

// Look gives one thing without asking anybody how it stands. ErrNotHere.
func (w *Wallet) Look(id string) (*Details, error) {
	c, d, err := w.find(id)
	if err != nil {
		return nil, err
	}
	if d != nil {
		return &Details{
			Item:  d.entry().Item,
			Lines: flatLines(paspoort.Zelfverklaring, d.Data.Claims, nil, w.c.Languages[0]), Claims: d.Data.Claims,
		}, nil
	}
	t, err := c.token()
	if err != nil {
		return nil, err
	}
	out := &Details{Item: c.item(), Timestamps: len(c.Copies[0].Timestamps), Renewable: c.Renewal != nil}
	if out.Lines, err = w.lines(t, c.Labels); err != nil {
		return nil, err
	}
	out.Claims, err = t.Claims()
	return out, err
}

// Judge gives what anybody would find who checks a credential now. ErrNotHere, also for own
// words: nobody stands behind those.
func (w *Wallet) Judge(ctx context.Context, id string) (paspoort.Verdict, error) {
	c, d, err := w.find(id)
	if err == nil && d != nil {
		err = ErrNotHere
	}
	if err != nil {
		return paspoort.Verdict{}, err
	}
	w.refresh(ctx)
	text, err := w.lookAt(c)
	if err != nil {
		return paspoort.Verdict{}, err
	}
	verdict, err := w.verdict(ctx, text)
	if err == nil && len(verdict.Credentials) == 0 {
		err = errors.New("wallet: a verdict about nothing")
	}
	return verdict, err
}
