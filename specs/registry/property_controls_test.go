package registry_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// The control: with the rule against self-approval taken out, the same check finds what the
// same hostile sequences do; with the rule in, it finds nothing.
func TestPropertyCatchesPlantedSelfApproval(t *testing.T) {
	for _, planted := range []bool{false, true} {
		found := 0
		for seed := range 12 {
			rapid.Custom(func(rt *rapid.T) bool {
				m := newMachine(t, rt, planted)
				org := m.selfApprove()
				if m.unbacked(org) != nil {
					found++
				}
				return true
			}).Example(seed)
		}
		if planted != (found > 0) {
			t.Errorf("planted %v: %d of 12 sequences noticed", planted, found)
		}
	}
}

// The same control for appeals: who refused votes again.
func TestPropertyCatchesPlantedSecondVotes(t *testing.T) {
	for _, planted := range []bool{false, true} {
		found := 0
		for seed := range 12 {
			rapid.Custom(func(rt *rapid.T) bool {
				m := newMachine(t, rt, planted)
				if m.State.Rules() < 2 {
					m.Do(registry.KindRules, &registry.RulesChange{Version: 2, Reason: "nieuw"}, werkgevers, gemeente)
				}
				appeal, application := m.voteTwice()
				if m.judgedTwice(appeal, application) != nil {
					found++
				}
				return true
			}).Example(seed)
		}
		if planted != (found > 0) {
			t.Errorf("planted %v: %d of 12 sequences noticed", planted, found)
		}
	}
}

// voteTwice is a hostile sequence: two members refuse an application, and want a say in its appeal.
func (m *machine) voteTwice() (appeal, application string) {
	a := m.Application(m.name(), registry.Issuer)
	self := registry.OrganisationParty(a.Organisation)
	application = m.Do(registry.KindApplied, a, self).Event.ID()
	refusers := rapid.SliceOfNDistinct(rapid.SampledFrom(registrytest.Members()), 2, 2, rapid.ID).Draw(m.rt, "refusers")
	for _, voter := range refusers {
		m.Do(registry.KindRefused, &registry.Decision{Proposal: application, Voter: voter, Reason: "nee"}, voter)
	}
	appeal = m.Do(registry.KindAppealed, &registry.Appeal{Organisation: a.Organisation, Proposal: application, Reason: "toch"}, self).Event.ID()
	for _, voter := range append(refusers, registrytest.Members()...) {
		_ = m.send(m.Compose(registry.KindApproved, &registry.Decision{Proposal: appeal, Voter: voter}, voter), m.Now)
	}
	return appeal, application
}

// selfApprove is a hostile sequence: a member votes for an organisation that it controls.
func (m *machine) selfApprove() string {
	owner := m.member()
	a := m.Application(m.name(), registry.Issuer)
	a.Members = []string{strings.TrimPrefix(owner, "member/")}
	s := m.Compose(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	_ = m.send(s, m.Now)
	for _, voter := range []string{owner, m.member(), m.member()} {
		_ = m.send(m.Compose(registry.KindApproved, &registry.Decision{Proposal: s.Event.ID(), Voter: voter}, voter), m.Now)
	}
	return a.Organisation
}
