package registry_test

import (
	"errors"
	"slices"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// refusedApplication is an application that werkgevers and opleiders refused.
func refusedApplication(r *registrytest.Region) (id, org string) {
	r.T.Helper()
	id, org = applied(r)
	for _, m := range []string{werkgevers, opleiders} {
		r.Do(registry.KindRefused, &registry.Decision{Proposal: id, Voter: m, Reason: "geen toetsplan"}, m)
	}
	return id, org
}

func TestAppealIsDecidedByOthers(t *testing.T) {
	r := registrytest.New(t)
	id, org := refusedApplication(r)
	self := registry.OrganisationParty(org)
	p, err := r.State.View().Progress(id, r.Now)
	if err != nil || p.Status != registry.Refused || p.Appeal == nil || !p.Appeal.Possible || p.Appeal.Until != r.Now.Unix()+42*86400 {
		t.Fatalf("refused: %+v, %v", p.Appeal, err)
	}
	appeal := &registry.Appeal{Organisation: org, Proposal: id, Reason: "het toetsplan is er nu"}
	if err := r.Try(registry.KindAppealed, appeal, vakbond); !errors.Is(err, registry.ErrSigner) {
		t.Errorf("by a member: %v", err)
	}
	r.Advance(10 * day)
	s := r.Do(registry.KindAppealed, appeal, self)
	if err := r.Try(registry.KindAppealed, appeal, self); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("twice: %v", err)
	}
	again, err := r.State.View().Progress(s.Event.ID(), r.Now)
	if err != nil || again.Appealed != id || again.Name != "Organisatie vaart" || again.Role != registry.Issuer {
		t.Errorf("the appeal: %+v, %v", again, err)
	}
	for _, v := range again.Ask {
		refused := v.Member == "werkgevers-aakermonde" || v.Member == "opleidersberaad"
		if (v.Barred == registry.BarRefused) != refused {
			t.Errorf("%s is barred by %q", v.Member, v.Barred)
		}
	}
	if err := r.Try(registry.KindApproved, &registry.Decision{Proposal: s.Event.ID(), Voter: werkgevers}, werkgevers); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("decided by who refused: %v", err)
	}
	r.Approve(s.Event.ID(), vakbond)
	effect := r.Must(r.Compose(registry.KindApproved, &registry.Decision{Proposal: s.Event.ID(), Voter: gemeente}, gemeente))
	if !slices.Equal(effect.Enacted, []string{s.Event.ID(), id}) {
		t.Errorf("enacted %v", effect.Enacted)
	}
	if a := r.Admission(org, r.Now); !a.Admitted || a.Grant.Event != id || a.Grant.Since != r.Now.Unix() {
		t.Errorf("after the appeal: %+v", a)
	}
	if p, err := r.State.View().Progress(id, r.Now); err != nil || p.Status != registry.Enacted || p.Appeal != nil {
		t.Errorf("the application: %+v, %v", p, err)
	}
}

func TestAppealsThatAreNone(t *testing.T) {
	for _, tt := range []struct {
		name string
		want error
		then func(r *registrytest.Region) (id, org string)
	}{
		{"pending", registry.ErrTransition, applied},
		{"too late", registry.ErrClosed, func(r *registrytest.Region) (string, string) {
			id, org := refusedApplication(r)
			r.Advance(43 * day)
			return id, org
		}},
		{"other criteria", registry.ErrTransition, func(r *registrytest.Region) (string, string) {
			id, org := refusedApplication(r)
			r.Do(registry.KindAmended, &registry.Amendment{Criteria: "criteria-2", Reason: "nieuw"}, vakbond, gemeente)
			return id, org
		}},
		{"admitted since", registry.ErrTransition, func(r *registrytest.Region) (string, string) {
			id, org := refusedApplication(r)
			r.Admit("vaart", registry.Issuer)
			return id, org
		}},
		{"no application", registry.ErrUnknown, func(r *registrytest.Region) (string, string) {
			_, org := refusedApplication(r)
			return r.Genesis(), org
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := registrytest.New(t)
			id, org := tt.then(r)
			err := r.Try(registry.KindAppealed, &registry.Appeal{Organisation: org, Proposal: id, Reason: "toch"}, registry.OrganisationParty(org))
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

// What ran out can be appealed; who refused it looks again where the others are too few.
func TestAppealInASmallRegion(t *testing.T) {
	r := registrytest.New(t)
	a := r.Application("vaart", registry.Issuer)
	a.Members = []string{"gemeente-aakermonde"}
	self := registry.OrganisationParty(a.Organisation)
	s := r.Do(registry.KindApplied, a, self)
	id := s.Event.ID()
	r.Do(registry.KindRefused, &registry.Decision{Proposal: id, Voter: vakbond, Reason: "onduidelijk"}, vakbond)
	r.Do(registry.KindAmended, &registry.Amendment{Remove: []string{"opleidersberaad"}, Reason: "opgeheven"}, vakbond, werkgevers)
	r.Now = s.Event.SignedTime().Add(8 * day)
	appeal := r.Do(registry.KindAppealed, &registry.Appeal{Organisation: a.Organisation, Proposal: id, Reason: "niemand keek"}, self)
	r.Approve(appeal.Event.ID(), werkgevers, vakbond)
	if got := r.Admission(a.Organisation, r.Now); !got.Admitted {
		t.Errorf("two of the three members, one of them with a say again: %s", got.Code)
	}
}

func TestOnePersonFirmAppeals(t *testing.T) {
	r := registrytest.New(t)
	id := registrytest.OrganisationID("eenmanszaak")
	a := &registry.Application{Criteria: "criteria-1", OnePerson: true, Organisation: id, Role: registry.Issuer, Types: []string{"urn:paspoort:opleiding:1"}}
	d := r.Draft(a)
	d.Commitments = map[string]string{"name": registry.Fingerprint([]byte("name"))}
	s := r.ComposeWith(d, registry.KindApplied, a, opleiders)
	r.Must(s)
	for _, m := range []string{werkgevers, vakbond} {
		r.Do(registry.KindRefused, &registry.Decision{Proposal: s.Event.ID(), Voter: m, Reason: "nee"}, m)
	}
	appeal := &registry.Appeal{Organisation: id, Proposal: s.Event.ID(), Reason: "toch"}
	if err := r.Try(registry.KindAppealed, appeal, gemeente); !errors.Is(err, registry.ErrSigner) {
		t.Errorf("by another member than asked for it: %v", err)
	}
	got := r.Do(registry.KindAppealed, appeal, opleiders)
	// opleiders asks, werkgevers and vakbond refused: only gemeente is left, so those two look again.
	r.Approve(got.Event.ID(), gemeente, vakbond)
	org, err := r.State.View().Organisation(id, r.Now)
	if err != nil || org.Since == 0 {
		t.Errorf("admitted: %+v, %v", org, err)
	}
}
