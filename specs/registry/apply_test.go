package registry_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

const day = 24 * time.Hour

// Members by a short name.
const (
	werkgevers = registrytest.Werkgevers
	vakbond    = registrytest.Vakbond
	opleiders  = registrytest.Opleiders
	gemeente   = registrytest.Gemeente
)

func TestAnAdmissionTakesTwoGroups(t *testing.T) {
	r := registrytest.New(t)
	a := r.Application("vaart", registry.Issuer)
	s := r.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	if got := r.Admission(a.Organisation, r.Now); got.Admitted || got.Code != registry.CodeNever {
		t.Errorf("after applying: admitted %v, code %s", got.Admitted, got.Code)
	}
	r.Approve(s.Event.ID(), werkgevers)
	if got := r.Admission(a.Organisation, r.Now); got.Admitted {
		t.Error("admitted by one member")
	}
	r.Advance(time.Hour)
	e := r.Must(r.Compose(registry.KindApproved, &registry.Decision{Proposal: s.Event.ID(), Voter: vakbond}, vakbond))
	if !slices.Equal(e.Enacted, []string{s.Event.ID()}) {
		t.Errorf("the second approval enacted %v", e.Enacted)
	}
	got := r.Admission(a.Organisation, r.Now)
	if !got.Admitted || got.Since != r.Now.Unix() || got.Until != r.Now.Unix()+548*86400 {
		t.Errorf("admitted %v since %d until %d", got.Admitted, got.Since, got.Until)
	}
	if got := r.Admission(a.Organisation, r.Now.Add(549*day)); got.Admitted || got.Code != registry.CodeExpired {
		t.Errorf("after 18 months: admitted %v, code %s", got.Admitted, got.Code)
	}
	if got := r.Admission(a.Organisation, r.Now.Add(-2*day)); got.Admitted || got.Code != registry.CodeNotYet {
		t.Errorf("before: admitted %v, code %s", got.Admitted, got.Code)
	}
}

func TestTwoMembersOfOneGroupAreNotEnough(t *testing.T) {
	r := registrytest.New(t)
	second := "member/tweede-werkgever"
	r.Do(registry.KindAmended, &registry.Amendment{Reason: "nieuw lid", Add: []registry.Member{{
		Group: registry.Werkgevers, ID: "tweede-werkgever", Key: registrytest.PublicKey(r.Party(second).Key), Name: "Tweede Werkgever",
	}}}, second, werkgevers, vakbond)
	a := r.Application("vaart", registry.Issuer)
	s := r.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	r.Approve(s.Event.ID(), werkgevers, second)
	if got := r.Admission(a.Organisation, r.Now); got.Admitted {
		t.Fatal("admitted by two members of one group")
	}
	r.Approve(s.Event.ID(), opleiders)
	if got := r.Admission(a.Organisation, r.Now); !got.Admitted {
		t.Errorf("not admitted by three members of two groups: %s", got.Code)
	}
}

func TestWithdrawalLeavesThePastUnlessForFraud(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	admitted := r.Now
	r.Advance(30 * day)
	size := r.State.Size()
	r.Do(registry.KindWithdrawn, &registry.Measure{Organisation: org, Role: registry.Issuer, Reason: "gestopt"}, werkgevers, vakbond)
	withdrawn := r.Now
	r.Advance(day)

	if got := r.Admission(org, admitted.Add(day)); !got.Admitted || got.Withdrawn == nil || got.WithdrawnAt(admitted.Add(day)) {
		t.Errorf("a day before the withdrawal: %+v", got)
	}
	if got := r.Admission(org, r.Now); got.Admitted || got.Code != registry.CodeWithdrawn {
		t.Errorf("a day after the withdrawal: %s", got.Code)
	}
	fraud := &registry.Measure{Organisation: org, Role: registry.Issuer, Reason: "vervalste toetsen", Fraud: true, EffectiveFrom: admitted.Add(10 * day).Unix()}
	r.Do(registry.KindWithdrawn, fraud, vakbond, opleiders)
	if got := r.Admission(org, admitted.Add(20*day)); got.Admitted || got.Code != registry.CodeFraud || !got.Withdrawn.Retroactive() {
		t.Errorf("after the beginning of the fraud: %+v", got)
	}
	if got := r.Admission(org, admitted.Add(5*day)); !got.Admitted || !got.Withdrawn.Fraud {
		t.Errorf("before the beginning of the fraud: %+v", got)
	}
	v, err := r.State.AsOf(size)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Admission(registry.Question{Lookup: registry.Lookup{Organisation: org}, Role: registry.Issuer, At: withdrawn.Add(day)})
	if err != nil || !got.Admitted || got.Withdrawn != nil {
		t.Errorf("as of %d leaves: %+v, %v", size, got, err)
	}
	again := &registry.Measure{Organisation: org, Role: registry.Issuer, Reason: "nog eens"}
	if err := r.Try(registry.KindWithdrawn, again, werkgevers, vakbond); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("a withdrawal that goes no further: %v", err)
	}
}

func TestSuspensionIsATimeWithoutAdmission(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	start := r.Now
	r.Advance(10 * day)
	m := &registry.Measure{Organisation: org, Role: registry.Issuer, Reason: "onderzoek"}
	r.Do(registry.KindSuspended, m, opleiders)
	r.Advance(10 * day)
	if got := r.Admission(org, r.Now); got.Admitted || got.Code != registry.CodeSuspended || got.Suspended == nil {
		t.Errorf("while suspended: %+v", got)
	}
	if err := r.Try(registry.KindSuspended, m, opleiders); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("suspended twice: %v", err)
	}
	r.Do(registry.KindReinstated, m, opleiders, vakbond)
	r.Advance(day)
	for _, tt := range []struct {
		name string
		at   time.Time
		want bool
	}{
		{"before", start.Add(5 * day), true},
		{"on the day it began", start.Add(10 * day), true},
		{"within", start.Add(15 * day), false},
		{"on the day it ended", start.Add(20 * day), true},
		{"after", start.Add(21 * day), true},
	} {
		if got := r.Admission(org, tt.at); got.Admitted != tt.want {
			t.Errorf("%s: admitted %v, want %v", tt.name, got.Admitted, tt.want)
		}
	}
}

func TestRenewalGoesOn(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	first := r.Now
	r.Advance(500 * day)
	r.Admit("vaart", registry.Issuer)
	if got := r.Admission(org, first.Add(1000*day)); !got.Admitted {
		t.Errorf("after renewal: %s", got.Code)
	}
	if got := r.Admission(org, first.Add(10*day)); !got.Admitted || got.Since != first.Unix() {
		t.Errorf("in the first admission: %+v", got)
	}
	// A withdrawal ends both; a new admission starts after it.
	r.Do(registry.KindWithdrawn, &registry.Measure{Organisation: org, Role: registry.Issuer, Reason: "gestopt"}, gemeente, vakbond)
	r.Advance(30 * day)
	if got := r.Admission(org, r.Now); got.Admitted {
		t.Error("admitted after withdrawal")
	}
	r.Admit("vaart", registry.Issuer)
	if got := r.Admission(org, r.Now); !got.Admitted || got.Withdrawn != nil {
		t.Errorf("admitted anew: %+v", got)
	}
	if got := r.Admission(org, r.Now.Add(-10*day)); got.Admitted || got.Code != registry.CodeWithdrawn {
		t.Errorf("between withdrawal and new admission: %s", got.Code)
	}
}

func TestAnOrganisationGivesUpItsOwnAdmission(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	self := registry.OrganisationParty(org)
	r.Advance(day)
	fraud := &registry.Measure{Organisation: org, Role: registry.Issuer, Reason: "wij stoppen", EffectiveFrom: r.Now.Unix() - 5, Fraud: true}
	if err := r.Try(registry.KindWithdrawn, fraud, self); !errors.Is(err, registry.ErrSigner) {
		t.Errorf("fraud by own word: %v", err)
	}
	r.Do(registry.KindWithdrawn, &registry.Measure{Organisation: org, Role: registry.Issuer, Reason: "wij stoppen"}, self)
	r.Advance(day)
	if got := r.Admission(org, r.Now); got.Admitted || got.Code != registry.CodeWithdrawn {
		t.Errorf("after giving up: %s", got.Code)
	}
}

func TestRefusalClosesAProposal(t *testing.T) {
	r := registrytest.New(t)
	a := r.Application("vaart", registry.Issuer)
	s := r.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	id := s.Event.ID()
	for _, m := range []string{werkgevers, opleiders} {
		r.Do(registry.KindRefused, &registry.Decision{Proposal: id, Voter: m, Reason: "geen toezicht"}, m)
	}
	p, err := r.State.View().Proposal(id)
	if err != nil || p.Status != registry.Refused {
		t.Fatalf("status %s, %v", p.Status, err)
	}
	if err := r.Try(registry.KindApproved, &registry.Decision{Proposal: id, Voter: gemeente}, gemeente); !errors.Is(err, registry.ErrClosed) {
		t.Errorf("approving what was refused: %v", err)
	}
	// It can ask again, with the same key.
	r.Admit("vaart", registry.Issuer)
	if got := r.Admission(a.Organisation, r.Now); !got.Admitted {
		t.Errorf("after a second application: %s", got.Code)
	}
}

// Members approve a name together with the rest; another application for the same id cannot
// slip another name under their votes.
func TestWhatMembersApproveIsWhatIsAdmitted(t *testing.T) {
	r := registrytest.New(t)
	p, org := applied(r)
	self := registry.OrganisationParty(org)
	r.Approve(p, vakbond)
	other := r.Application("vaart", registry.Verifier)
	other.Name, other.Aliases = "Ministerie van Alles", []registry.Alias{{Type: registry.AliasURL, Value: "https://alles.example"}}
	second := r.Do(registry.KindApplied, other, self)
	r.Approve(p, gemeente)
	o, err := r.State.View().Organisation(org, r.Now)
	if err != nil || o.Name != "Organisatie vaart" || len(o.Aliases) != 2 {
		t.Errorf("admitted as %q with %v, %v", o.Name, o.Aliases, err)
	}
	r.Approve(second.Event.ID(), vakbond)
	if err := r.Try(registry.KindApproved, &registry.Decision{Proposal: second.Event.ID(), Voter: gemeente}, gemeente); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("a second name: %v", err)
	}
}

// What one member alone says about an organisation changes nothing about who it is.
func TestOneMemberCannotRenameAnOrganisation(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	evil := registry.Alias{Type: registry.AliasURL, Value: "https://kwaad.example"}
	s := r.Do(registry.KindAliases, &registry.AliasChange{Organisation: org, Add: []registry.Alias{evil}}, werkgevers)
	ask := func() registry.Answer {
		a, err := r.State.View().Admission(registry.Question{Lookup: registry.Lookup{URL: evil.Value}, Role: registry.Issuer, At: r.Now})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if got := ask(); got.Code != registry.CodeUnknown {
		t.Errorf("by one member: %s", got.Code)
	}
	r.Approve(s.Event.ID(), vakbond)
	if got := ask(); !got.Admitted {
		t.Errorf("by two: %s", got.Code)
	}
}
