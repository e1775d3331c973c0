package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"paspoort.example/paspoort/specs/dcql"
)

// A Choice is a place where a query takes one of several: one of the credentials that fit
// (OpenID4VP 1.0, 6.1: without "multiple" the wallet returns one), or one of the sets of
// credentials (6.4.2). The first option is what goes when the holder chooses nothing.
type Choice struct {
	ID      string         `json:"id"`
	Query   string         `json:"query"` // what is asked, in words
	Options []ChoiceOption `json:"options"`
	Chosen  int            `json:"chosen"`
}

// A ChoiceOption is one of them.
type ChoiceOption struct {
	Name   string `json:"name"`
	Issuer string `json:"issuer,omitempty"`
}

// ErrChoice: what was chosen is not among the options.
var ErrChoice = errors.New("this choice is not there")

// maxOptions bounds what is offered to choose from.
const maxOptions = 20

// Choose takes other options than the first, by Choice.ID, and describes anew what goes:
// r.Consent has changed, and is what Present sends. ErrChoice.
func (w *Wallet) Choose(ctx context.Context, r *Request, picks map[string]int) error {
	for id, n := range picks {
		at := slices.IndexFunc(r.Consent.Choices, func(c Choice) bool { return c.ID == id })
		if at < 0 || n < 0 || n >= len(r.Consent.Choices[at].Options) {
			return ErrChoice
		}
	}
	before := r.picks
	r.picks = picks
	if err := w.offerChoice(ctx, r); err != nil {
		r.picks = before
		return err
	}
	return nil
}

// offerChoice works out what goes by what was chosen so far, and describes it.
func (w *Wallet) offerChoice(ctx context.Context, r *Request) error {
	r.told = w.c.Languages[0]
	r.choose(r.told)
	if len(r.shows) == 0 {
		r.Consent.Items, r.Consent.Warnings = []ConsentItem{}, slices.Clone(r.first)
		r.warn(warnNothing)
		return nil
	}
	return w.prepare(ctx, r, !r.noFetch)
}

// choose takes the matches that go: all of them where the query takes several, else the one
// that the holder chose or the first.
func (r *Request) choose(lang string) {
	q := r.exchange.Request.Query
	r.shows, r.Consent.Missing, r.Consent.Choices = nil, nil, nil
	r.chooseSets(q, lang)
	answered := map[string]bool{}
	for _, id := range r.found.Answerable() {
		matches, cq := r.found.Matches[id], q.Credential(id)
		if !cq.Multiple && len(matches) > 1 {
			matches = r.chooseOne(cq, matches, lang)
		}
		for _, m := range matches {
			p := r.candidates[m.Credential]
			p.query, p.match = id, m
			r.shows = append(r.shows, p)
			answered[id] = true
		}
	}
	missing := r.missing(q)
	for _, cq := range q.Credentials {
		if !answered[cq.ID] && (missing[cq.ID] || len(r.shows) == 0) {
			r.Consent.Missing = append(r.Consent.Missing, queryName(cq, lang))
		}
	}
}

// missing are the queries that were not answered though the asker wants them: without sets
// all, with sets those of the required ones of which no option can be answered. What the
// asker takes as well, or instead, is not missing when something else goes.
func (r *Request) missing(q *dcql.Query) map[string]bool {
	out := map[string]bool{}
	if len(q.CredentialSets) == 0 {
		for _, cq := range q.Credentials {
			out[cq.ID] = true
		}
	}
	for i, set := range q.CredentialSets {
		if !set.IsRequired() || len(r.found.Alternatives[i]) > 0 {
			continue
		}
		for _, option := range set.Options {
			for _, id := range option {
				out[id] = true
			}
		}
	}
	return out
}

// chooseSets offers the options of each credential set of which several can be answered.
func (r *Request) chooseSets(q *dcql.Query, lang string) {
	for i, can := range r.found.Alternatives {
		if len(can) < 2 {
			continue
		}
		can = can[:min(len(can), maxOptions)]
		c := Choice{ID: fmt.Sprintf("set-%d", i), Chosen: min(r.picks[fmt.Sprintf("set-%d", i)], len(can)-1)}
		for _, option := range can {
			var names []string
			for _, id := range option {
				names = append(names, queryName(*q.Credential(id), lang))
			}
			c.Options = append(c.Options, ChoiceOption{Name: strings.Join(names, ", ")})
		}
		r.Consent.Choices = append(r.Consent.Choices, c)
		r.found.Options[i] = can[c.Chosen]
	}
}

// chooseOne offers the credentials that fit a query which takes one.
func (r *Request) chooseOne(cq *dcql.CredentialQuery, matches []dcql.Match, lang string) []dcql.Match {
	matches = matches[:min(len(matches), maxOptions)]
	c := Choice{ID: "one-" + cq.ID, Query: queryName(*cq, lang), Chosen: min(r.picks["one-"+cq.ID], len(matches)-1)}
	for _, m := range matches {
		p := r.candidates[m.Credential]
		if p.credential != nil {
			c.Options = append(c.Options, ChoiceOption{Name: p.credential.item().Name, Issuer: p.credential.Party.DisplayName()})
		} else {
			c.Options = append(c.Options, ChoiceOption{Name: p.declaration.name()})
		}
	}
	r.Consent.Choices = append(r.Consent.Choices, c)
	return matches[c.Chosen : c.Chosen+1]
}
