package desk

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// proposalPage is one proposal, and the decision about it.
type proposalPage struct {
	ID           string
	Kind         paspoort.Text
	Name         string
	Organisation string // path of its page, when the region knows it
	Status       registry.Disposition
	Facts        []govern.Fact
	Earlier      string // path of the application that this is an appeal of
	Later        string // path of the appeal of this application
	Criteria     *criteria
	Opened       time.Time
	Deadline     time.Time
	Decided      time.Time
	Votes        []voteRow
	Ask          []askRow
	Members      int  // how many more are needed,
	Groups       int  // and from how many groups
	Begun        bool // a member agreed: they are other groups
	Confirmation bool
	Unreachable  bool
	Mine         string // "" when this member can decide
	Reason       string // as it was typed
	Problem      string // key of a sentence
	Source       source
}

// criteria are what an application is held against.
type criteria struct {
	Version string
	Summary paspoort.Text
	URL     string
	Old     bool // another version is in force now
	InForce string
}

type voteRow struct {
	Name, Reason string
	Group        paspoort.Text
	On           time.Time
	Approved     bool
	Counts       bool
}

type askRow struct {
	Name    string
	Group   paspoort.Text
	Contact string // where it is reached, when it says so
	Barred  bool
}

// Reach is the link to the member.
func (a askRow) Reach() string { return registry.ContactLink(a.Contact) }

func (d *Desk) showProposal(w http.ResponseWriter, r *http.Request) {
	d.renderProposal(w, r, http.StatusOK, "", "")
}

// renderProposal shows the proposal, with what went wrong when something did.
func (d *Desk) renderProposal(w http.ResponseWriter, r *http.Request, status int, problem, reason string) {
	var data proposalPage
	now := d.c.Clock()
	ok := d.read(w, r, func(v registry.View, s source) error {
		x, err := v.Progress(mux.Vars(r)["id"], now)
		if err != nil {
			return err
		}
		data = newProposalPage(x, d.id)
		data.Source, data.Problem, data.Reason = s, problem, reason
		if _, err := v.Organisation(x.Organisation, now); err == nil {
			data.Organisation = "/organisations/" + x.Organisation
		}
		if asked := govern.CriteriaIn(x.Event); asked != "" {
			data.Criteria = newCriteria(v, asked, now)
		}
		return nil
	})
	if ok {
		d.shown(d.proposal.Render(w, r, status, data))
	}
}

func newProposalPage(x registry.Progress, member string) proposalPage {
	p := proposalPage{ID: x.ID, Kind: kindOf(x.Kind), Name: x.Name, Status: x.Status, Opened: moment(x.Opened),
		Deadline: moment(x.Deadline), Decided: moment(x.Decided), Facts: govern.Facts(x.Event), Mine: partOf(x, member)}
	if x.Appealed != "" {
		p.Earlier = "/proposals/" + x.Appealed
	}
	if x.Appeal != nil && x.Appeal.Event != "" {
		p.Later = "/proposals/" + x.Appeal.Event
	}
	for _, v := range x.Approvals {
		p.Votes = append(p.Votes, newVote(v, true))
	}
	for _, v := range x.Refusals {
		p.Votes = append(p.Votes, newVote(v, false))
	}
	slices.SortStableFunc(p.Votes, func(a, b voteRow) int { return a.On.Compare(b.On) })
	for _, a := range x.Ask {
		if a.Vote == "" && a.Member != member {
			p.Ask = append(p.Ask, askRow{a.Name, govern.GroupText(a.Group), a.Contact, a.Barred != ""})
		}
	}
	if m := x.Missing; m != nil {
		p.Members, p.Groups, p.Confirmation, p.Unreachable = m.Members, m.Groups, m.Confirmation, !m.Reachable
		p.Begun = slices.ContainsFunc(x.Approvals, func(v registry.VoteView) bool { return v.Counts })
	}
	return p
}

func newVote(v registry.VoteView, approved bool) voteRow {
	return voteRow{Name: v.Name, Reason: v.Reason, Group: govern.GroupText(v.Group), On: moment(v.At), Approved: approved, Counts: v.Counts}
}

func newCriteria(v registry.View, asked string, now time.Time) *criteria {
	out := &criteria{Version: asked}
	for _, c := range v.Criteria(now) {
		out.InForce = c.Version
		if c.Version == asked && c.Text != nil {
			out.URL = c.Text.URL
			if t := c.Text.Summary; t != nil {
				out.Summary = paspoort.Text{NL: t.NL, EN: t.EN}
			}
		}
	}
	out.Old = out.InForce != "" && out.InForce != asked
	return out
}

// maxReason is what a reason may be long.
const maxReason = 2000

// reasonOf is the reason as it was typed; a browser sends lines with the ends of a network.
func reasonOf(r *http.Request) string {
	return strings.TrimSpace(strings.ReplaceAll(r.PostFormValue("reason"), "\r\n", "\n"))
}

// decide signs the member's decision. What is shown and what is signed are the same: the id
// in the address is the hash of the proposal, and the copy was verified.
func (d *Desk) decide(w http.ResponseWriter, r *http.Request) {
	id, reason := mux.Vars(r)["id"], reasonOf(r)
	decision := r.PostFormValue("decision")
	problem := ""
	switch {
	case decision != "approve" && decision != "refuse" && decision != "confirm":
		problem = "choice"
	case decision == "refuse" && reason == "":
		problem = "reason"
	case len(reason) > maxReason:
		problem = "long"
	}
	if problem != "" {
		d.renderProposal(w, r, http.StatusBadRequest, problem, reason)
		return
	}
	if !d.known(r, id) {
		d.renderProposal(w, r, http.StatusNotFound, "", "")
		return
	}
	out, err := d.cast(r.Context(), decision, id, reason)
	if err != nil {
		d.c.Log.Warn("a decision was not taken", "error", err)
		d.renderProposal(w, r, http.StatusConflict, problemOf(err), reason)
		return
	}
	done := map[string]string{"approve": "approved", "refuse": "refused", "confirm": "confirmed"}[decision]
	if slices.Contains(out.Enacted, id) {
		done = "enacted"
	}
	d.await(r.Context(), out.Event)
	http.Redirect(w, r, "/proposals/"+id+"?done="+done, http.StatusSeeOther)
}

// cast signs one of the decisions that a member can take.
func (d *Desk) cast(ctx context.Context, decision, id, reason string) (registry.Outcome, error) {
	switch decision {
	case "approve":
		return d.c.Region.Approve(ctx, id, reason, d.c.Member)
	case "refuse":
		return d.c.Region.Refuse(ctx, id, reason, d.c.Member)
	}
	body := &registry.Decision{Proposal: id, Reason: reason, Voter: d.c.Member.Name}
	return d.c.Region.Submit(ctx, govern.Act{Kind: registry.KindConfirmed, Body: body}, d.c.Member)
}
