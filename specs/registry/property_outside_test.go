package registry_test

import (
	"strings"
	"time"

	"pgregory.net/rapid"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// peer accepts another region or drops it; now and then one that cannot be accepted.
func (m *machine) peer() {
	p := lindewaard(m.Region)
	which := rapid.SampledFrom([]string{"lindewaard", "derde", "lindewaard", "zelf"}).Draw(m.rt, "region")
	if p.Genesis, p.Origin = registry.Fingerprint([]byte(which)), which+".example/register"; which == "zelf" {
		p.Genesis = m.Genesis()
	}
	if rapid.IntRange(0, 2).Draw(m.rt, "drop") == 2 {
		d := &registry.PeerDrop{Genesis: p.Genesis, Reason: "weg"}
		if rapid.Bool().Draw(m.rt, "reach back") {
			d.EffectiveFrom = m.Now.Add(-time.Duration(rapid.IntRange(0, 400).Draw(m.rt, "hours")) * time.Hour).Unix()
		}
		_ = m.send(m.Compose(registry.KindPeerDropped, d, m.signers()...), m.Now)
		return
	}
	p.Until = m.Now.AddDate(0, rapid.SampledFrom([]int{12, 36, 6, 1, -1, 40}).Draw(m.rt, "months"), 0).Unix()
	if rapid.Bool().Draw(m.rt, "one type") {
		p.Types = []string{opleiding}
	}
	_ = m.send(m.Compose(registry.KindPeerAccepted, p, m.signers()...), m.Now)
}

// witness names witnesses, now and then a node of the region itself.
func (m *machine) witness() {
	change := &registry.WitnessChange{Reason: "getuigen", Witnesses: []registry.Witness{}}
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"lindewaard-1", "derde-1", "knoop-2"}), 0, 2, rapid.ID).Draw(m.rt, "witnesses") {
		w, _ := outside(id, "lindewaard.example/register/"+id)
		if id == "knoop-2" {
			w.Key = m.Charter.Nodes[1].CosignerKey
		}
		change.Witnesses = append(change.Witnesses, w)
	}
	_ = m.send(m.Compose(registry.KindWitness, change, m.signers()...), m.Now)
}

// custody names who signs on the status lists of another, or ends that.
func (m *machine) custody() {
	c := &registry.Custodian{Organisation: registrytest.OrganisationID(m.name()), Reason: "opgehouden"}
	if rapid.IntRange(0, 2).Draw(m.rt, "end") > 0 {
		c.By = registrytest.OrganisationID(m.name())
	}
	if c.By != c.Organisation {
		_ = m.send(m.Compose(registry.KindCustodian, c, m.signers()...), m.Now)
	}
}

// checkOutside: nobody outside the region counts without members of two groups, longer than 36
// months, or in the place of the region itself.
func (m *machine) checkOutside() {
	v := m.State.View()
	if m.State.Rules() < 3 && (len(v.Peers(m.Now)) > 0 || len(v.Witnesses()) > 0 || len(v.Custodians(m.Now)) > 0) {
		m.rt.Fatal("older rules know nobody outside")
	}
	for _, p := range v.Peers(m.Now) {
		if p.Genesis == m.Genesis() || time.Unix(p.Until, 0).After(m.Now.AddDate(3, 0, 2)) {
			m.rt.Fatalf("accepted %+v", p)
		}
		if p.State == registry.PeerAccepted && (m.Now.Unix() >= p.Until || p.Dropped != 0 && m.Now.Unix() >= p.DroppedFrom) {
			m.rt.Fatalf("accepted, dropped or ended: %+v", p)
		}
		m.mustBeBacked(p.Event)
	}
	for _, w := range v.Witnesses() {
		if w.Key == m.Charter.Nodes[1].CosignerKey {
			m.rt.Fatal("a node of the region is its witness")
		}
	}
	for _, c := range v.Custodians(m.Now) {
		if c.By == c.Organisation || c.Since > m.Now.Unix() {
			m.rt.Fatalf("custodian %+v", c)
		}
		m.mustBeBacked(c.Event)
	}
}

// mustBeBacked: members of two groups signed the event or approved it.
func (m *machine) mustBeBacked(event string) {
	groups := map[registry.Group]bool{}
	for _, id := range m.voters[event] {
		groups[m.groups[id]] = true
	}
	for _, s := range m.accept {
		if s.id != event {
			continue
		}
		for _, signer := range s.Event.Signers {
			groups[m.groups[strings.TrimPrefix(signer.Party, "member/")]] = true
		}
	}
	if len(groups) < 2 {
		m.rt.Fatalf("%s is backed by one group", event)
	}
}
