package registry

import (
	"cmp"
	"slices"
	"time"
)

// Warning is how long before its end an admission, a certificate, a mandate or the acceptance of
// another region is warned of.
const Warning = 60 * 24 * time.Hour

// Ending is what ends soon and was not renewed yet. Each list is sorted by its end.
type Ending struct {
	Moment
	Until        int64               `json:"until"` // what ends up to here is listed
	Grants       []EndingGrant       `json:"grants"`
	Levels       []EndingLevel       `json:"levels"`
	Certificates []EndingCertificate `json:"certificates"`
	Mandates     []EndingMandate     `json:"mandates"`
	Peers        []EndingPeer        `json:"peers,omitempty"`
	Custodians   []EndingCustodian   `json:"custodians,omitempty"`
}

// EndingGrant is an admission that runs out.
type EndingGrant struct {
	Organisation string `json:"organisation"`
	Name         string `json:"name,omitempty"`
	Role         Role   `json:"role"`
	Until        int64  `json:"until"`
	Grant        string `json:"grant"`             // id of the application that it came from
	Renewal      string `json:"renewal,omitempty"` // application for the same role that is pending
}

// EndingLevel is an audited fact that runs out: from then on nothing of this organisation
// reaches the proof level that rests on it.
type EndingLevel struct {
	Organisation string   `json:"organisation"`
	Name         string   `json:"name,omitempty"`
	Level        int      `json:"level"`
	Basis        string   `json:"basis"`
	Types        []string `json:"types"`
	Until        int64    `json:"until"`
}

// EndingCertificate is a certificate that runs out without another for the same usage.
type EndingCertificate struct {
	Organisation string `json:"organisation"`
	Name         string `json:"name,omitempty"`
	Usage        Usage  `json:"usage"`
	Certificate  string `json:"certificate"` // fingerprint or commitment
	Until        int64  `json:"until"`
}

// EndingMandate is a member whose mandate runs out.
type EndingMandate struct {
	Member string `json:"member"`
	Name   string `json:"name"`
	Group  Group  `json:"group"`
	Until  int64  `json:"until"`
}

// EndingPeer is another region whose acceptance runs out: whom it admitted then counts no more.
type EndingPeer struct {
	Genesis string `json:"genesis"`
	Name    string `json:"name"`
	Until   int64  `json:"until"`
}

// EndingCustodian is a custody that runs out: nobody signs on the organisation's status lists then.
type EndingCustodian struct {
	Organisation string `json:"organisation"`
	Name         string `json:"name,omitempty"`
	Until        int64  `json:"until"`
}

// Ending lists what ends between at and within later, and was not renewed beyond that.
func (v View) Ending(at time.Time, within time.Duration) Ending {
	from, until := at.Unix(), at.Add(within).Unix()
	out := Ending{Moment: v.moment(at), Until: until,
		Grants: []EndingGrant{}, Levels: []EndingLevel{}, Certificates: []EndingCertificate{}, Mandates: []EndingMandate{}}
	pending := v.ProposalsLike(ProposalFilter{Status: Pending, Kind: KindApplied}, at)
	for _, key := range v.State.standings.keys(v.AsOf) {
		st, _ := v.State.standings.get(key, v.AsOf)
		v.endingGrants(&out, st, pending, at)
	}
	for _, org := range v.State.holdings.keys(v.AsOf) {
		v.endingCertificates(&out, org, at, from, until)
	}
	for _, id := range v.State.members.keys(v.AsOf) {
		m, _ := v.State.members.get(id, v.AsOf)
		if m.Removed == 0 && m.Until > from && m.Until <= until {
			out.Mandates = append(out.Mandates, EndingMandate{Member: id, Name: m.Name, Group: m.Group, Until: m.Until})
		}
	}
	for _, p := range v.Peers(at) {
		if p.State == PeerAccepted && p.Until <= until && p.ContinuedBy == "" {
			out.Peers = append(out.Peers, EndingPeer{Genesis: p.Genesis, Name: p.Name, Until: p.Until})
		}
	}
	for _, c := range v.Custodians(at) {
		if _, after := v.Custodian(c.Organisation, time.Unix(c.Until, 0)); c.Until != 0 && c.Until <= until && !after {
			out.Custodians = append(out.Custodians, EndingCustodian{Organisation: c.Organisation, Name: v.nameOf(c.Organisation, at), Until: c.Until})
		}
	}
	slices.SortStableFunc(out.Peers, func(a, b EndingPeer) int { return cmp.Compare(a.Until, b.Until) })
	slices.SortStableFunc(out.Custodians, func(a, b EndingCustodian) int { return cmp.Compare(a.Until, b.Until) })
	slices.SortStableFunc(out.Grants, func(a, b EndingGrant) int { return cmp.Compare(a.Until, b.Until) })
	slices.SortStableFunc(out.Levels, func(a, b EndingLevel) int { return cmp.Compare(a.Until, b.Until) })
	slices.SortStableFunc(out.Certificates, func(a, b EndingCertificate) int { return cmp.Compare(a.Until, b.Until) })
	slices.SortStableFunc(out.Mandates, func(a, b EndingMandate) int { return cmp.Compare(a.Until, b.Until) })
	return out
}

// endingGrants adds the admission of a standing, if the last of its grants in force ends in
// time; withdrawn ones ended already. Its audited facts may end before it does.
func (v View) endingGrants(out *Ending, st Standing, pending []Proposal, at time.Time) {
	from, until := at.Unix(), out.Until
	last, end := -1, from
	for i := range st.Grants {
		if since, to := st.interval(i); since <= from && to > end {
			last, end = i, to
		}
	}
	if last < 0 {
		return
	}
	name := v.nameOf(st.Organisation, at)
	if end <= until {
		out.Grants = append(out.Grants, EndingGrant{
			Organisation: st.Organisation, Name: name, Role: st.Role, Until: end, Grant: st.Grants[last].Event,
			Renewal: renewal(pending, st.Organisation, st.Role),
		})
	}
	for _, level := range st.Grants[last].Levels {
		if level.Until > from && level.Until <= until && level.Until <= end {
			out.Levels = append(out.Levels, EndingLevel{
				Organisation: st.Organisation, Name: name, Level: level.Level, Basis: level.Basis, Types: level.Types, Until: level.Until,
			})
		}
	}
}

// renewal is the first of the pending applications that is of an organisation for a role.
func renewal(pending []Proposal, organisation string, role Role) string {
	for _, p := range pending {
		if a, err := p.application(); err == nil && a.Organisation == organisation && a.Role == role {
			return p.ID
		}
	}
	return ""
}

// endingCertificates adds, for each usage, the certificate of an organisation that is the last
// to end, if it does in time.
func (v View) endingCertificates(out *Ending, organisation string, at time.Time, from, until int64) {
	last := map[Usage]EndingCertificate{}
	held, _ := v.State.holdings.get(organisation, v.AsOf)
	for _, name := range held {
		c, _ := v.State.certificates.get(name, v.AsOf)
		if c.Revoked == nil && c.NotAfter > from && c.NotAfter > last[c.Usage].Until {
			last[c.Usage] = EndingCertificate{Organisation: organisation, Usage: c.Usage, Certificate: name, Until: c.NotAfter}
		}
	}
	for _, usage := range []Usage{UsageAccess, UsageCredential, UsageStatus} {
		if c := last[usage]; c.Until > 0 && c.Until <= until {
			c.Name = v.nameOf(organisation, at)
			out.Certificates = append(out.Certificates, c)
		}
	}
}

func (v View) nameOf(organisation string, at time.Time) string {
	org, err := v.Organisation(organisation, at)
	if err != nil {
		return ""
	}
	return org.Name
}
