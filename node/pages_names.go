package node

import (
	"strings"
	"time"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
)

// partyRow is who did something, as people know it.
type partyRow struct {
	Name    string
	Title   registry.Text  // of what is no party: a hobbel, a function, a module
	Group   registry.Group // of a member
	Contact string         // of a member, when it says where it is reached
	Path    string         // of an organisation's page
	Erased  bool           // its name was erased by law
	Claims  bool           // it was never admitted: the name is what it asks to be called
}

// Reach is the link to a member: its page, or an e-mail.
func (p partyRow) Reach() string { return registry.ContactLink(p.Contact) }

// Address is the contact as people read it.
func (p partyRow) Address() string { return strings.TrimPrefix(p.Contact, "https://") }

// names tells who a party is. It looks each up once: a page names the same few again and
// again.
type names struct {
	v       registry.View
	at      time.Time
	members map[string]registry.MemberRecord
	known   map[string]partyRow
	hobbels map[string]registry.Text       // titles, once they were asked for
	asked   map[string][]registry.Proposal // applications by organisation, likewise
}

func newNames(v registry.View, at time.Time) *names {
	n := &names{v: v, at: at, members: map[string]registry.MemberRecord{}, known: map[string]partyRow{}}
	for _, m := range v.Region(at).Members {
		n.members[m.ID] = m
	}
	return n
}

// party names a signer: a member or an organisation. Who is not known is named by its id.
func (n *names) party(party string) partyRow {
	if row, ok := n.known[party]; ok {
		return row
	}
	row := partyRow{Name: party}
	if m, ok := n.members[strings.TrimPrefix(party, registry.MemberParty(""))]; ok && strings.HasPrefix(party, registry.MemberParty("")) {
		row = partyRow{Name: m.Name, Group: m.Group, Contact: m.Contact}
	}
	if id, ok := strings.CutPrefix(party, registry.OrganisationParty("")); ok {
		row = n.organisation(id)
	}
	n.known[party] = row
	return row
}

func (n *names) member(id string) partyRow { return n.party(registry.MemberParty(id)) }

func (n *names) organisation(id string) partyRow {
	o, err := n.v.Organisation(id, n.at)
	if err != nil {
		return partyRow{Name: id}
	}
	o, claims := n.claimed(o)
	return partyRow{Name: o.Name, Erased: o.Erased, Path: "/organisations/" + id, Claims: claims}
}

// claimed names an organisation that was never admitted by what it asks to be called, or else
// by its id. Only a one-person firm has no name.
func (n *names) claimed(o registry.Organisation) (registry.Organisation, bool) {
	if o.Name != "" || o.OnePerson || o.Erased { // most: then nobody looks for applications
		return o, false
	}
	o, claims := govern.Claimed(o, n.applications(o.ID), n.at.Unix())
	if !claims {
		o.Name = o.ID
	}
	return o, claims
}

// applications are those of an organisation, newest first.
func (n *names) applications(id string) []registry.Proposal {
	if n.asked == nil {
		n.asked = map[string][]registry.Proposal{}
		for _, p := range n.v.ProposalsLike(registry.ProposalFilter{Kind: registry.KindApplied}, n.at) {
			about := govern.About(p.Event)
			n.asked[about] = append(n.asked[about], p)
		}
	}
	return n.asked[id]
}

// hobbel names a hobbel by its title.
func (n *names) hobbel(id string) partyRow {
	if n.hobbels == nil {
		n.hobbels = map[string]registry.Text{}
		for _, h := range n.v.Hobbels(n.at).Hobbels {
			n.hobbels[h.ID] = h.Title
		}
	}
	if title, ok := n.hobbels[id]; ok {
		return partyRow{Title: title, Path: "/hobbels/" + id}
	}
	return partyRow{Name: id} // of an earlier catalogue
}

// dated is a time of the registry, zero when it has none.
func dated(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(t, 0).UTC()
}
