package desk

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// waitsPage is what waits for this member, and for others.
type waitsPage struct {
	Mine, Others, Recent []row
	Ending               []endingRow
	Source               source
}

// row is a proposal in a list.
type row struct {
	ID       string
	Number   string // the beginning of the id, by which two of one organisation are told apart
	Kind     paspoort.Text
	Name     string // of the organisation, or what it is about
	Status   registry.Disposition
	Deadline time.Time
	Soon     bool // the deadline is near
	Decided  time.Time
	Members  int    // how many more are needed
	Mine     string // "", approved, refused or barred: what this member did or cannot do
}

type endingRow struct {
	Path, Name string
	What       paspoort.Text
	Until      time.Time
	Renewal    string // path of the proposal that renews it
}

const (
	recentDays = 30
	mostRecent = 10
	looked     = 100 // of the newest proposals, for those that were decided lately
	soon       = 3 * 24 * time.Hour
)

func (d *Desk) showWaits(w http.ResponseWriter, r *http.Request) {
	var data waitsPage
	now := d.c.Clock()
	ok := d.read(w, r, func(v registry.View, s source) error {
		data = waitsPage{Source: s}
		for _, p := range v.ProposalsLike(registry.ProposalFilter{Status: registry.Pending}, now) {
			data.add(v.ProgressOf(p, now), d.id, now)
		}
		for _, p := range v.ProposalsLike(registry.ProposalFilter{Limit: looked}, now) {
			if x := v.ProgressOf(p, now); x.Status != registry.Pending {
				data.add(x, d.id, now)
			}
		}
		data.ending(v.Ending(now, registry.Warning))
		return nil
	})
	if !ok {
		return
	}
	byDeadline := func(a, b row) int { return a.Deadline.Compare(b.Deadline) }
	slices.SortFunc(data.Mine, byDeadline)
	slices.SortFunc(data.Others, byDeadline)
	slices.SortFunc(data.Recent, func(a, b row) int { return b.Decided.Compare(a.Decided) })
	data.Recent = data.Recent[:min(len(data.Recent), mostRecent)]
	d.shown(d.waits.Render(w, r, http.StatusOK, data))
}

// add puts a proposal in the list where it belongs.
func (p *waitsPage) add(x registry.Progress, member string, now time.Time) {
	out := newRow(x, member, now)
	switch {
	case x.Status == registry.Pending && out.Mine == "":
		p.Mine = append(p.Mine, out)
	case x.Status == registry.Pending:
		p.Others = append(p.Others, out)
	case now.Sub(out.Decided) < recentDays*24*time.Hour:
		p.Recent = append(p.Recent, out)
	}
}

func newRow(x registry.Progress, member string, now time.Time) row {
	out := row{ID: x.ID, Kind: doingOf(x.Event), Number: x.ID[:min(12, len(x.ID))], Name: cmp.Or(x.Name, x.Organisation), Status: x.Status, Deadline: moment(x.Deadline), Decided: moment(x.Decided), Mine: partOf(x, member)}
	out.Soon = x.Status == registry.Pending && out.Deadline.Sub(now) < soon
	if x.Missing != nil {
		out.Members = x.Missing.Members
	}
	return out
}

// partOf is what a member did in a pending proposal, or "barred" when it has no say; "" when
// it can decide.
func partOf(x registry.Progress, member string) string {
	for _, a := range x.Ask {
		switch {
		case a.Member != member:
		case a.Vote == registry.KindApproved:
			return "approved"
		case a.Vote == registry.KindRefused:
			return "refused"
		case a.Barred != "":
			return "barred"
		default:
			return ""
		}
	}
	return "barred"
}

func (p *waitsPage) ending(e registry.Ending) {
	for _, g := range e.Grants {
		out := endingRow{Path: "/organisations/" + g.Organisation, Name: cmp.Or(g.Name, g.Organisation), What: govern.RoleText(g.Role), Until: moment(g.Until)}
		if g.Renewal != "" {
			out.Renewal = "/proposals/" + g.Renewal
		}
		p.Ending = append(p.Ending, out)
	}
	for _, l := range e.Levels {
		p.Ending = append(p.Ending, endingRow{Path: "/organisations/" + l.Organisation, Name: cmp.Or(l.Name, l.Organisation), Until: moment(l.Until),
			What: paspoort.Text{NL: l.Basis, EN: l.Basis}})
	}
	for _, c := range e.Certificates {
		p.Ending = append(p.Ending, endingRow{Path: "/organisations/" + c.Organisation, Name: cmp.Or(c.Name, c.Organisation), Until: moment(c.Until),
			What: paspoort.Text{NL: "certificaat", EN: "certificate"}})
	}
	for _, m := range e.Mandates {
		p.Ending = append(p.Ending, endingRow{Name: m.Name, Until: moment(m.Until), What: paspoort.Text{NL: "mandaat", EN: "mandate"}})
	}
	for _, r := range e.Peers {
		p.Ending = append(p.Ending, endingRow{Name: r.Name, Until: moment(r.Until), What: paspoort.Text{NL: "erkenning als andere regio", EN: "acceptance as another region"}})
	}
	for _, c := range e.Custodians {
		p.Ending = append(p.Ending, endingRow{Path: "/organisations/" + c.Organisation, Name: cmp.Or(c.Name, c.Organisation), Until: moment(c.Until),
			What: paspoort.Text{NL: "wie haar lijsten tekent", EN: "who signs its status lists"}})
	}
	slices.SortStableFunc(p.Ending, func(a, b endingRow) int { return a.Until.Compare(b.Until) })
}

// moment is a time of the registry; 0 is none.
func moment(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(t, 0).UTC()
}

// kindOf is what an event does, as the beginning of a sentence.
func kindOf(k registry.Kind) paspoort.Text { return beginning(govern.KindText(k)) }

// doingOf is kindOf with the role that the event is about.
func doingOf(e registry.Event) paspoort.Text { return beginning(govern.DoingText(e)) }

func beginning(t paspoort.Text) paspoort.Text {
	return paspoort.Text{NL: capital(t.NL), EN: capital(t.EN)}
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
