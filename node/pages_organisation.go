package node

import (
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// organisationPage is all that the region says in public about one organisation.
type organisationPage struct {
	ID, Name, Registration string
	OnePerson, Erased      bool
	Claims                 bool      // it was never admitted: it says itself what it is called
	Since                  time.Time // first admission; zero for who only applied
	Addresses              []registry.Alias
	Roles                  []roleDetail
	Certificates           []certificateRow
	Pending                []decisionRow
	Successor              *partyRow // it went on in this one
	Succeeded              time.Time
	Predecessors           []partyRow
	Functions, Modules     int // that are open
	Status                 statusPart
	At                     time.Time
	Region                 *neighbourRow // of another region; nil for this one
	Source                 source
}

// roleDetail is where it stands in one role, and how that came about.
type roleDetail struct {
	roleRow
	Since   time.Time
	Ending  int // days that are left, when that is worth saying
	Domains []string
	Serves  []partyRow
	Levels  []levelRow
	Moves   []standingMove // newest first
}

// levelRow is an audited fact that the two highest proof levels rest on.
type levelRow struct {
	Level                     paspoort.Text
	Basis, Auditor, Reference string
	Domain, Independence      string // since the second rules
	Until                     time.Time
	Over                      bool
}

// standingMove is a decision about an admission.
type standingMove struct {
	What   string // granted, suspended, reinstated, withdrawn, fraud, given: key of a text
	On     time.Time
	From   time.Time // of a withdrawal that reaches back
	Reason string
	Event  string
}

type certificateRow struct {
	Usage       registry.Usage
	From, Until time.Time
	Code        string // valid, soon, over, revoked: key of a text
	Reason      string
}

func (p *pages) showOrganisation(w http.ResponseWriter, r *http.Request) {
	lists, err := p.n.archive.ofOrganisation(mux.Vars(r)["id"])
	p.rendered(err) // the page tells the rest
	showOne(p, w, r, p.organisation, "/organisations", func(v registry.View, id string, s source, now time.Time) (organisationPage, error) {
		data, err := newOrganisationPage(v, id, s, now)
		if err == nil && !data.Erased {
			data.Status = newStatusPart(v, id, lists, now)
		}
		return data, err
	})
}

func newOrganisationPage(v registry.View, id string, s source, now time.Time) (organisationPage, error) {
	o, err := v.Organisation(id, now)
	if err != nil {
		return organisationPage{}, err
	}
	who := newNames(v, now)
	o, claims := who.claimed(o)
	data := organisationPage{ID: o.ID, Name: o.Name, Registration: o.Registration, OnePerson: o.OnePerson, Erased: o.Erased, Claims: claims,
		Since: dated(o.Since), Addresses: o.Aliases, At: now, Source: s}
	if s := o.Succeeded; s != nil {
		row := who.organisation(s.Successor)
		data.Successor, data.Succeeded = &row, dated(s.On)
	}
	for _, p := range o.Predecessors {
		data.Predecessors = append(data.Predecessors, who.organisation(p))
	}
	mine := registry.ListingQuery{Owner: id, Limit: 1}
	data.Functions, data.Modules = v.Functions(mine, now).Total, v.Modules(mine, now).Total
	for _, role := range o.Roles {
		data.Roles = append(data.Roles, newRoleDetail(role, who, now))
	}
	for _, c := range slices.Backward(v.Certificates(id)) {
		data.Certificates = append(data.Certificates, newCertificateRow(c, now))
	}
	for _, d := range v.ProposalsLike(registry.ProposalFilter{Status: registry.Pending, Subject: registry.OrganisationParty(id)}, now) {
		data.Pending = append(data.Pending, newDecisionRow(d, who, now))
	}
	return data, nil
}

func newRoleDetail(role registry.RoleView, who *names, now time.Time) roleDetail {
	out := roleDetail{roleRow: newRoleRow(role), Moves: standingMoves(role.Standing)}
	n := len(role.Standing.Grants)
	if n == 0 {
		return out
	}
	grant := role.Standing.Grants[n-1]
	out.Since, out.Domains = dated(grant.Since), grant.Domains
	if left := out.Until.Sub(now); out.Admitted && left < registry.Warning {
		out.Ending = max(int(left/(24*time.Hour)), 0) + 1
	}
	for _, id := range grant.Serves {
		out.Serves = append(out.Serves, who.organisation(id))
	}
	for _, l := range grant.Levels {
		out.Levels = append(out.Levels, newLevelRow(l, now))
	}
	return out
}

func newLevelRow(l registry.LevelFact, now time.Time) levelRow {
	until := dated(l.Until)
	return levelRow{Level: paspoort.LevelText(l.Level), Basis: l.Basis, Auditor: l.Auditor, Reference: l.Reference, Domain: l.Domain, Independence: l.Independence,
		Until: until, Over: until.Before(now)}
}

// standingMoves tells what was decided about an admission, the newest first.
func standingMoves(s registry.Standing) []standingMove {
	var out []standingMove
	for _, g := range s.Grants {
		out = append(out, standingMove{What: "granted", On: dated(g.Since), Event: g.Event})
	}
	for _, p := range s.Suspensions {
		out = append(out, standingMove{What: "suspended", On: dated(p.From), Reason: p.Reason, Event: p.Event})
		if p.Until != 0 {
			out = append(out, standingMove{What: "reinstated", On: dated(p.Until)})
		}
	}
	for _, w := range s.Withdrawals {
		move := standingMove{What: "withdrawn", On: dated(w.Decided), Reason: w.Reason, Event: w.Event}
		if w.Fraud {
			move.What = "fraud"
		}
		if w.Retroactive() {
			move.From = dated(w.EffectiveFrom)
		}
		out = append(out, move)
	}
	slices.SortStableFunc(out, func(a, b standingMove) int { return b.On.Compare(a.On) })
	return out
}

func newCertificateRow(c registry.CertificateFact, now time.Time) certificateRow {
	row := certificateRow{Usage: c.Usage, From: dated(max(c.NotBefore, c.Recorded)), Until: dated(c.NotAfter), Code: "valid"}
	switch {
	case c.Revoked != nil && !dated(c.Revoked.EffectiveFrom).After(now):
		row.Code, row.Reason, row.Until = "revoked", c.Revoked.Reason, dated(c.Revoked.EffectiveFrom)
	case row.Until.Before(now):
		row.Code = "over"
	case row.Until.Sub(now) < registry.Warning:
		row.Code = "soon"
	}
	return row
}
