package node

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// What the pages about functions and modules share: the list, the search form and the parts
// that both documents have.

// listingsShown is how many stand on one page.
const listingsShown = 20

// listingsPage lists functions or modules that are open.
type listingsPage[R any] struct {
	Search searchRow
	Items  []R
	Total  int
	Next   string // path of the next page
	Source source
}

// showListings finds what somebody looks for with a query of the registry, and shows a row of
// each.
func showListings[T registry.Document, R any](p *pages, w http.ResponseWriter, r *http.Request, shown page.View[listingsPage[R]],
	find func(registry.View, registry.ListingQuery, time.Time) registry.ListingPage[T], row func(registry.ListingView[T], partyRow, time.Time) R) {
	now := p.n.cfg.Clock()
	data := listingsPage[R]{Search: searchOf(r)}
	ok := p.view(w, r, func(v registry.View, s source) {
		if data.Source = s; v.AsOf == 0 {
			return
		}
		who, found := newNames(v, now), find(v, data.Search.query(), now)
		data.Total = found.Total
		for _, l := range found.Items {
			data.Items = append(data.Items, row(l, who.organisation(l.Organisation), now))
			data.Search.find(l.Document.AllSkills())
		}
		if data.Search.Owner != "" {
			data.Search.OwnerName = who.organisation(data.Search.Owner)
		}
		if found.Next != "" {
			data.Next = data.Search.More(found.Next)
		}
	})
	if ok {
		p.rendered(shown.Render(w, r, http.StatusOK, data))
	}
}

// searchRow is what somebody looks for.
type searchRow struct {
	Text, Place string
	Skill       string        // uri
	Label       registry.Text // of the skill, where anything on the page names it
	Owner       string        // organisation id
	OwnerName   partyRow
	path, after string
}

func searchOf(r *http.Request) searchRow {
	field := func(name string) string {
		s := strings.TrimSpace(r.FormValue(name))
		return s[:min(len(s), 400)]
	}
	return searchRow{Text: field("q"), Place: field("place"), Skill: field("skill"), Owner: field("owner"), path: r.URL.Path, after: field("after")}
}

func (s searchRow) query() registry.ListingQuery {
	q := registry.ListingQuery{Text: s.Text, Place: s.Place, Owner: s.Owner, After: s.after, Limit: listingsShown}
	if s.Skill != "" {
		q.Skills = []string{s.Skill}
	}
	return q
}

// Any says whether something is looked for.
func (s searchRow) Any() bool { return s.Text != "" || s.Place != "" || s.Skill != "" || s.Owner != "" }

// All is the page without a search.
func (s searchRow) All() string { return s.path }

// More is the page that follows, behind an item.
func (s searchRow) More(after string) string {
	v := url.Values{"after": {after}}
	for name, value := range map[string]string{"q": s.Text, "place": s.Place, "skill": s.Skill, "owner": s.Owner} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return s.path + "?" + v.Encode()
}

// find names the skill that is looked for, from a document that has it.
func (s *searchRow) find(skills []registry.SkillRef) {
	for _, k := range skills {
		if k.URI == s.Skill && s.Label.NL == "" {
			s.Label = k.Label
		}
	}
}

// skillRow is a skill with the proof that is enough for it, and where it leads.
type skillRow struct {
	registry.SkillRef
	How   registry.Text // it is learned
	Level int
	Proof paspoort.Text
	Count int    // of modules that teach it, or of functions that ask for it
	Path  string // of these
}

// skillRows makes rows; counts says how often the other list names a skill, whose page is
// path.
func skillRows(needs []registry.SkillNeed, counts map[string]int, path string) []skillRow {
	var out []skillRow
	for _, n := range needs {
		row := newSkillRow(n.SkillRef, counts, path)
		row.Level, row.Proof = n.ProofLevel, paspoort.LevelText(n.ProofLevel)
		out = append(out, row)
	}
	return out
}

func newSkillRow(s registry.SkillRef, counts map[string]int, path string) skillRow {
	row := skillRow{SkillRef: s}
	if s.URI != "" {
		row.Count, row.Path = counts[s.URI], path+"?"+url.Values{"skill": {s.URI}}.Encode()
	}
	return row
}

// money is an amount in cents of a euro.
type money int

// NL is the amount as it is written in Dutch: 1.234,50.
func (m money) NL() string { return m.grouped(".", ",") }

// EN is the amount as it is written in English.
func (m money) EN() string { return m.grouped(",", ".") }

func (m money) grouped(thousands, decimals string) string {
	whole := strconv.Itoa(int(m) / 100)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + thousands + whole[i:]
	}
	if cents := int(m) % 100; cents != 0 {
		whole += decimals + strconv.Itoa(100 + cents)[1:]
	}
	return whole
}

// dayOf reads a day as it stands in a document. Noon in UTC is the same day everywhere here.
func dayOf(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}
	}
	return t.Add(12 * time.Hour)
}

// upcoming are the days that are not over.
func upcoming(days []string, now time.Time) []time.Time {
	var out []time.Time
	for _, d := range days {
		if t := dayOf(d); t.Add(12 * time.Hour).After(now) {
			out = append(out, t)
		}
	}
	return out
}

// moduleLink is a module that another document names.
type moduleLink struct {
	ID    string
	Title registry.Text // empty when this region has no such module
	Open  bool
}

func moduleLinks(v registry.View, ids []string, now time.Time) []moduleLink {
	var out []moduleLink
	for _, id := range ids {
		link := moduleLink{ID: id}
		if m, _, err := v.Module(id, now); err == nil {
			link.Title, link.Open = m.Document.Title, m.State == registry.ListingOpen
		}
		out = append(out, link)
	}
	return out
}

// taught says how many open modules teach each skill, and asked how many open functions ask
// for it.
func taught(v registry.View, now time.Time) map[string]int {
	return bySkill(v.Modules(registry.ListingQuery{}, now).Items)
}

func asked(v registry.View, now time.Time) map[string]int {
	return bySkill(v.Functions(registry.ListingQuery{}, now).Items)
}

func bySkill[T registry.Document](items []registry.ListingView[T]) map[string]int {
	counts := map[string]int{}
	for _, l := range items {
		for _, s := range l.Document.AllSkills() {
			counts[s.URI]++
		}
	}
	return counts
}
