package registry_test

import (
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// Who signed an application has no say in its appeal, also when another of them appeals.
func TestAskersDoNotDecideTheAppeal(t *testing.T) {
	r := registrytest.New(t)
	id := registrytest.OrganisationID("eenmanszaak")
	a := &registry.Application{Criteria: "criteria-1", OnePerson: true, Organisation: id, Role: registry.Issuer, Types: []string{"urn:paspoort:opleiding:1"}}
	d := r.Draft(a)
	d.Commitments = map[string]string{"name": registry.Fingerprint([]byte("name"))}
	s := r.ComposeWith(d, registry.KindApplied, a, opleiders, werkgevers)
	r.Must(s)
	r.Advance(8 * day)
	appeal := r.Do(registry.KindAppealed, &registry.Appeal{Organisation: id, Proposal: s.Event.ID(), Reason: "toch"}, opleiders).Event.ID()
	for _, m := range []string{opleiders, werkgevers} {
		if err := r.Try(registry.KindApproved, &registry.Decision{Proposal: appeal, Voter: m}, m); !errors.Is(err, registry.ErrConflict) {
			t.Errorf("%s asked: %v", m, err)
		}
	}
	r.Approve(appeal, vakbond, gemeente)
}

// What went on in another organisation is admitted no more, whatever was under way.
func TestNothingUnderWayOutlivesASuccession(t *testing.T) {
	r := registrytest.New(t)
	old, next := r.Admit("vaart", registry.Issuer), r.Admit("linde", registry.Verifier)
	r.Advance(day)
	apply := func(role registry.Role) string {
		a := r.Application("vaart", role)
		a.Name, a.Key, a.Aliases = "", "", nil
		return r.Do(registry.KindApplied, a, registry.OrganisationParty(old)).Event.ID()
	}
	refused := apply(registry.Issuer)
	for _, m := range []string{werkgevers, opleiders} {
		r.Do(registry.KindRefused, &registry.Decision{Proposal: refused, Voter: m, Reason: "nee"}, m)
	}
	appeal := r.Do(registry.KindAppealed, &registry.Appeal{Organisation: old, Proposal: refused, Reason: "toch"}, registry.OrganisationParty(old)).Event.ID()
	second, third := apply(registry.Verifier), apply(registry.WalletHost)
	for _, m := range []string{werkgevers, opleiders} {
		r.Do(registry.KindRefused, &registry.Decision{Proposal: third, Voter: m, Reason: "nee"}, m)
	}
	s := r.Do(registry.KindSucceeded, &registry.Succession{On: r.Now.Unix(), Organisation: old, Successor: next, Reason: "fusie"}, registry.OrganisationParty(next))
	r.Approve(s.Event.ID(), vakbond, gemeente)
	for name, id := range map[string]string{"application": second, "appeal": appeal} {
		r.Approve(id, vakbond)
		if err := r.Try(registry.KindApproved, &registry.Decision{Proposal: id, Voter: gemeente}, gemeente); !errors.Is(err, registry.ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.Try(registry.KindAppealed, &registry.Appeal{Organisation: old, Proposal: third, Reason: "toch"}, registry.OrganisationParty(old)); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("a new appeal: %v", err)
	}
	r.Advance(2 * day)
	for _, role := range []registry.Role{registry.Issuer, registry.Verifier, registry.WalletHost} {
		a, err := r.State.View().Admission(registry.Question{Lookup: registry.Lookup{Organisation: old}, Role: role, At: r.Now})
		if err != nil || a.Admitted {
			t.Errorf("admitted as %s: %v", role, err)
		}
	}
}

// By succession two organisations are one hand, in both directions.
func TestSuccessionMakesOneHand(t *testing.T) {
	r := registrytest.New(t)
	old := r.Admit("vaart", registry.Issuer)
	a := r.Application("linde", registry.Verifier)
	a.Members = []string{"opleidersberaad"}
	next := r.AdmitApplication(a)
	r.Do(registry.KindCatalogue, &registry.Catalogue{Version: "officieel-1", Hobbels: []registry.Hobbel{{
		ID: "H03", Levels: []string{"bedrijf"}, Title: registry.Text{NL: "Werven op diploma"}, Doorbraak: registry.Text{NL: "Werven op het paspoort"},
	}}}, vakbond, gemeente)
	claim := r.Do(registry.KindHobbel, &registry.HobbelClaim{
		Catalogue: "officieel-1", Evidence: []registry.Evidence{{Title: "proeftuin"}}, Hobbel: "H03", On: r.Now.Unix(), Status: registry.Experiment, Summary: registry.Text{NL: "het begon"},
	}, registry.OrganisationParty(old)).Event.ID()
	before := r.Now
	r.Advance(3 * day)
	s := r.Do(registry.KindSucceeded, &registry.Succession{On: r.Now.Unix(), Organisation: old, Successor: next, Reason: "fusie"}, registry.OrganisationParty(next))
	r.Approve(s.Event.ID(), vakbond, gemeente)
	self := registry.OrganisationParty(next)
	if err := r.Try(registry.KindConfirmed, &registry.Decision{Proposal: claim, Voter: self}, self); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("the successor confirms: %v", err)
	}
	if err := r.Try(registry.KindApproved, &registry.Decision{Proposal: claim, Voter: opleiders}, opleiders); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("who controls the successor approves: %v", err)
	}
	for at, want := range map[bool]int{false: 0, true: 1} {
		moment := before
		if at {
			moment = r.Now
		}
		o, err := r.State.View().Organisation(next, moment)
		was, err2 := r.State.View().Organisation(old, moment)
		if err != nil || err2 != nil || len(o.Predecessors) != want || (was.Succeeded != nil) != at {
			t.Errorf("after the succession %t: %v, %+v, %v %v", at, o.Predecessors, was.Succeeded, err, err2)
		}
	}
}

// Rules 1 know nothing of what audited facts are about, in whichever of them it stands.
func TestRules1KnowsNoDomainOfAnyFact(t *testing.T) {
	r := registrytest.NewUnder(t, registrytest.Start, 1)
	a := r.Application("vaart", registry.Issuer)
	plain := registry.LevelFact{Auditor: "Toetswacht", Basis: "audit", Level: 3, On: 1, Until: 9, Types: a.Types[:1]}
	about := plain
	about.Domain = "zorg"
	a.Levels = []registry.LevelFact{plain, about}
	if _, err := registry.Compose(r.Draft(a), registry.KindApplied, a, r.Party(registry.OrganisationParty(a.Organisation))); !errors.Is(err, registry.ErrBody) {
		t.Errorf("the second fact says it: %v", err)
	}
}
