package node

import (
	"net/http"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

type organisationsPage struct {
	Organisations []organisationRow
	At            time.Time
	Source        source
}

type organisationRow struct {
	ID, Name, Registration string
	Path                   string // of its page
	Erased                 bool
	Roles                  []roleRow
}

type roleRow struct {
	Role     registry.Role
	Code     registry.Code
	Admitted bool
	Until    time.Time
	Types    []paspoort.Text
	Purposes []string
	Reason   string // of a suspension or withdrawal: decisions are public with their reason
}

func admittedRoles(o registry.Organisation) []registry.Role {
	var out []registry.Role
	for _, r := range o.Roles {
		if r.Admitted {
			out = append(out, r.Role)
		}
	}
	return out
}

func (p *pages) showOrganisations(w http.ResponseWriter, r *http.Request) {
	data := organisationsPage{At: p.n.cfg.Clock()}
	ok := p.view(w, r, func(v registry.View, s source) {
		data.Source = s
		if v.AsOf == 0 {
			return
		}
		for _, o := range v.Organisations(data.At).Organisations {
			data.Organisations = append(data.Organisations, newOrganisationRow(o))
		}
	})
	if ok {
		p.rendered(p.organisations.Render(w, r, http.StatusOK, data))
	}
}

func newOrganisationRow(o registry.Organisation) organisationRow {
	row := organisationRow{ID: o.ID, Path: "/organisations/" + o.ID, Name: o.Name, Registration: o.Registration, Erased: o.Erased}
	for _, role := range o.Roles {
		row.Roles = append(row.Roles, newRoleRow(role))
	}
	return row
}

func newRoleRow(role registry.RoleView) roleRow {
	out := roleRow{Role: role.Role, Code: role.Code, Admitted: role.Admitted}
	if n := len(role.Standing.Grants); n > 0 {
		grant := role.Standing.Grants[n-1]
		out.Until, out.Purposes, out.Types = dated(grant.Until), grant.Purposes, typeNames(grant.Types)
	}
	if n := len(role.Standing.Suspensions); n > 0 && role.Code == registry.CodeSuspended {
		out.Reason = role.Standing.Suspensions[n-1].Reason
	}
	if n := len(role.Standing.Withdrawals); n > 0 && (role.Code == registry.CodeWithdrawn || role.Code == registry.CodeFraud) {
		out.Reason = role.Standing.Withdrawals[n-1].Reason
	}
	return out
}

// typeNames are the names of credential types for people; a type of elsewhere is named by
// its address.
func typeNames(vcts []string) []paspoort.Text {
	var out []paspoort.Text
	for _, vct := range vcts {
		name := paspoort.Text{NL: vct, EN: vct}
		if t, err := paspoort.TypeOf(vct); err == nil {
			name = t.Name()
		}
		out = append(out, name)
	}
	return out
}
