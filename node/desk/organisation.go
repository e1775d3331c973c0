package desk

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// organisationsPage lists who is or was admitted.
type organisationsPage struct {
	Organisations []organisationRow
	Source        source
}

type organisationRow struct {
	ID, Name string
	Erased   bool
	Roles    []roleRow
}

type roleRow struct {
	Role     registry.Role
	Name     paspoort.Text
	Code     registry.Code
	Standing paspoort.Text
	Admitted bool
	Until    time.Time
}

// organisationPage is one organisation, and what can be decided about it.
type organisationPage struct {
	organisationRow
	Registration string
	Claims       bool // it was never admitted: it says itself what it is called
	Addresses    []string
	Decisions    []row
	Can          []string // measures that follow from how it stands
	Typed        typedMeasure
	Problem      string // key of a sentence
	Source       source
}

// typedMeasure is the form as it was filled in.
type typedMeasure struct{ Measure, Role, Since, Reason string }

func (d *Desk) showOrganisations(w http.ResponseWriter, r *http.Request) {
	var data organisationsPage
	ok := d.read(w, r, func(v registry.View, s source) error {
		data = organisationsPage{Source: s}
		for _, o := range v.Organisations(d.c.Clock()).Organisations {
			data.Organisations = append(data.Organisations, newOrganisationRow(o))
		}
		return nil
	})
	slices.SortFunc(data.Organisations, func(a, b organisationRow) int { return cmp.Compare(a.Name, b.Name) })
	if ok {
		d.shown(d.organisations.Render(w, r, http.StatusOK, data))
	}
}

func newOrganisationRow(o registry.Organisation) organisationRow {
	out := organisationRow{ID: o.ID, Name: o.Name, Erased: o.Erased}
	for _, r := range o.Roles {
		role := roleRow{Role: r.Role, Name: govern.RoleText(r.Role), Code: r.Code, Standing: govern.CodeText(r.Code), Admitted: r.Admitted}
		if n := len(r.Standing.Grants); n > 0 && (r.Admitted || r.Code == registry.CodeExpired) {
			role.Until = moment(r.Standing.Grants[n-1].Until)
		}
		out.Roles = append(out.Roles, role)
	}
	return out
}

func (d *Desk) showOrganisation(w http.ResponseWriter, r *http.Request) {
	d.renderOrganisation(w, r, http.StatusOK, "", typedMeasure{})
}

func (d *Desk) renderOrganisation(w http.ResponseWriter, r *http.Request, status int, problem string, typed typedMeasure) {
	var data organisationPage
	now := d.c.Clock()
	ok := d.read(w, r, func(v registry.View, s source) error {
		o, err := v.Organisation(mux.Vars(r)["id"], now)
		if err != nil {
			return err
		}
		about := v.ProposalsLike(registry.ProposalFilter{Subject: registry.OrganisationParty(o.ID)}, now)
		can := measuresFor(o)
		o, claims := govern.Claimed(o, about, now.Unix())
		data = organisationPage{organisationRow: newOrganisationRow(o), Claims: claims, Registration: o.Registration, Typed: typed, Problem: problem, Source: s, Can: can}
		for _, a := range o.Aliases {
			data.Addresses = append(data.Addresses, a.Value)
		}
		for _, p := range about {
			data.Decisions = append(data.Decisions, newRow(v.ProgressOf(p, now), d.id, now))
		}
		return nil
	})
	if ok {
		d.shown(d.organisation.Render(w, r, status, data))
	}
}

// follows are the measures that follow from where an admission stands.
var follows = map[registry.Code][]string{
	registry.CodeAdmitted:  {"suspend", "withdraw", "fraud"},
	registry.CodeSuspended: {"reinstate", "withdraw", "fraud"},
	registry.CodeExpired:   {"fraud"},
	registry.CodeWithdrawn: {"fraud"},
}

// measuresFor are the measures that follow from how an organisation stands in any role.
func measuresFor(o registry.Organisation) []string {
	var all []string
	for _, r := range o.Roles {
		all = append(all, follows[r.Code]...)
	}
	order := []string{"suspend", "reinstate", "withdraw", "fraud"}
	return slices.DeleteFunc(order, func(m string) bool { return !slices.Contains(all, m) })
}

// fits says whether a measure follows from how an organisation stands in a role: the region
// takes a proposal that nobody could carry out, and members would look at it in vain.
func (d *Desk) fits(r *http.Request, id string, typed typedMeasure) bool {
	fits := false
	err := d.c.Copy.Read(r.Context(), func(v registry.View, _ paspoort.RegistryFacts) error {
		o, err := v.Organisation(id, d.c.Clock())
		for _, role := range o.Roles {
			fits = fits || string(role.Role) == typed.Role && slices.Contains(follows[role.Code], typed.Measure)
		}
		return err
	})
	return err == nil && fits
}

// kinds are the events behind the choices of the form.
var kinds = map[string]registry.Kind{
	"suspend": registry.KindSuspended, "reinstate": registry.KindReinstated, "withdraw": registry.KindWithdrawn, "fraud": registry.KindWithdrawn,
}

// monthToDecide is how long other members can decide about a measure.
const monthToDecide = 30 * 24 * time.Hour

// measure proposes a suspension, its end, or a withdrawal, with this member's approval.
func (d *Desk) measure(w http.ResponseWriter, r *http.Request) {
	id := mux.Vars(r)["id"]
	typed := typedMeasure{Measure: r.PostFormValue("measure"), Role: r.PostFormValue("role"), Since: strings.TrimSpace(r.PostFormValue("since")), Reason: reasonOf(r)}
	act, problem := d.actOf(id, typed)
	if problem == "" && !d.fits(r, id, typed) {
		problem = "standing"
	}
	if problem != "" {
		d.renderOrganisation(w, r, http.StatusBadRequest, problem, typed)
		return
	}
	out, err := d.c.Region.Submit(r.Context(), act, d.c.Member)
	if err != nil {
		d.c.Log.Warn("a measure was not taken", "error", err)
		d.renderOrganisation(w, r, http.StatusConflict, problemOf(err), typed)
		return
	}
	done := "proposed"
	if len(out.Enacted) > 0 {
		done = "enacted"
	}
	d.await(r.Context(), out.Event)
	http.Redirect(w, r, "/organisations/"+id+"?done="+done, http.StatusSeeOther)
}

// actOf reads the form; problem is the key of what is wrong with it.
func (d *Desk) actOf(id string, typed typedMeasure) (act govern.Act, problem string) {
	kind, known := kinds[typed.Measure]
	body := &registry.Measure{Organisation: id, Role: registry.Role(typed.Role), Reason: typed.Reason, Fraud: typed.Measure == "fraud"}
	switch {
	case !known || typed.Role == "":
		return act, "choice"
	case typed.Reason == "":
		return act, "reason"
	case len(typed.Reason) > maxReason:
		return act, "long"
	}
	if body.Fraud {
		day, err := time.Parse(time.DateOnly, typed.Since)
		if err != nil || day.After(d.c.Clock()) {
			return act, "since"
		}
		body.EffectiveFrom = day.Unix()
	}
	return govern.Act{Kind: kind, Body: body, Lifetime: monthToDecide}, ""
}
