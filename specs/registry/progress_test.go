package registry_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

func TestProgressTellsWhatIsMissing(t *testing.T) {
	r := registrytest.New(t)
	a := r.Application("vaart", registry.Issuer)
	a.Members = []string{"opleidersberaad"}
	draft := r.Draft(a)
	draft.Lifetime = 30 * day
	s := r.ComposeWith(draft, registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	r.Must(s)
	id := s.Event.ID()
	at := func(t0 time.Time) registry.Progress {
		t.Helper()
		p, err := r.State.View().Progress(id, t0)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := at(r.Now)
	if p.Status != registry.Pending || p.Name != "Organisatie vaart" || p.Role != registry.Issuer || p.Deadline != s.Event.Expires {
		t.Errorf("applied: %+v", p)
	}
	if m := p.Missing; m.Members != 2 || m.Groups != 2 || !m.Reachable ||
		!slices.Equal(m.From, []registry.Group{registry.Overheid, registry.Werkgevers, registry.Werknemers}) {
		t.Errorf("missing at first: %+v", m)
	}
	barred := func(p registry.Progress) (out []string) {
		for _, v := range p.Ask {
			if v.Barred != "" {
				out = append(out, v.Member+" "+string(v.Barred))
			}
		}
		return out
	}
	if got := barred(p); !slices.Equal(got, []string{"opleidersberaad asks"}) {
		t.Errorf("barred: %v", got)
	}
	r.Approve(id, vakbond)
	r.Do(registry.KindRefused, &registry.Decision{Proposal: id, Voter: werkgevers, Reason: "geen toetsplan"}, werkgevers)
	p = at(r.Now)
	if m := p.Missing; m.Members != 1 || m.Groups != 1 || !slices.Equal(m.From, []registry.Group{registry.Overheid}) || !m.Reachable {
		t.Errorf("missing after two votes: %+v", m)
	}
	if p.Refusals[0].Reason != "geen toetsplan" || p.Refusals[0].Name != "Werkgeversvereniging Aakermonde" || !p.Approvals[0].Counts {
		t.Errorf("votes: %+v %+v", p.Refusals, p.Approvals)
	}
	if late := at(time.Unix(p.Deadline+1, 0)); late.Status != registry.Lapsed || late.Missing != nil || late.Decided != p.Deadline {
		t.Errorf("after the deadline: %+v", late)
	}
	then := r.State.Size()
	r.Advance(time.Hour)
	r.Approve(id, gemeente)
	if p = at(r.Now); p.Status != registry.Enacted || p.Decided != r.Now.Unix() || p.Missing != nil || len(p.Approvals) != 2 {
		t.Errorf("approved: %+v", p)
	}
	v, err := r.State.AsOf(then)
	if err != nil {
		t.Fatal(err)
	}
	if p, err = v.Progress(id, r.Now); err != nil || p.Status != registry.Pending || p.Missing.Members != 1 {
		t.Errorf("as known before: %+v, %v", p, err)
	}
	if _, err := v.Progress(r.Genesis(), r.Now); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("no proposal: %v", err)
	}
}

// A vote of a member that left is shown and does not count.
func TestProgressOfWhatCannotBeReached(t *testing.T) {
	r := registrytest.New(t)
	a := r.Application("vaart", registry.Issuer)
	a.Members = []string{"gemeente-aakermonde", "opleidersberaad", "vakbond-de-eendracht"}
	s := r.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	p, err := r.State.View().Progress(s.Event.ID(), r.Now)
	if err != nil || p.Missing.Reachable || len(p.Missing.From) != 1 {
		t.Errorf("one member can vote: %+v, %v", p.Missing, err)
	}
	r.Approve(s.Event.ID(), werkgevers)
	r.Do(registry.KindKeyStolen, &registry.MemberKey{CompromisedSince: r.Now.Unix() - 1, Member: "werkgevers-aakermonde", Reason: "gestolen"}, werkgevers)
	p, err = r.State.View().Progress(s.Event.ID(), r.Now)
	if err != nil || p.Approvals[0].Counts || p.Missing.Members != 2 {
		t.Errorf("a vote with a stolen key: %+v, %v", p, err)
	}
}

func TestWhyFindsTheDecision(t *testing.T) {
	r := registrytest.New(t)
	vaart := registry.OrganisationParty(r.Admit("vaart", registry.Issuer))
	linde := registry.OrganisationParty(r.Admit("linde", registry.Verifier))
	r.Do(registry.KindCatalogue, catalogue("voorlopig-0"), werkgevers, vakbond)
	claim := r.Do(registry.KindHobbel, &registry.HobbelClaim{
		Catalogue: "voorlopig-0", Hobbel: "H03", On: r.Now.Unix(), Status: registry.Experiment,
		Evidence: []registry.Evidence{{URL: "https://vaart.example/proef"}}, Summary: registry.Text{NL: "Proef"},
	}, vaart)
	id := claim.Event.ID()
	if p, err := r.State.View().Progress(id, r.Now); err != nil || !p.Missing.Confirmation {
		t.Errorf("unconfirmed: %+v, %v", p.Missing, err)
	}
	confirmed := r.Do(registry.KindConfirmed, &registry.Decision{Proposal: id, Voter: linde}, linde)
	approved := r.Compose(registry.KindApproved, &registry.Decision{Proposal: id, Voter: vakbond}, vakbond)
	r.Must(approved)
	refused := r.Do(registry.KindRefused, &registry.Decision{Proposal: id, Voter: gemeente, Reason: "te vroeg"}, gemeente)
	v := r.State.View()
	for _, tt := range []struct {
		event registry.SignedEvent
		as    registry.As
	}{
		{claim, registry.AsProposal}, {confirmed, registry.AsConfirmation},
		{approved, registry.AsApproval}, {refused, registry.AsRefusal},
	} {
		why, err := v.Why(tt.event.Event, r.Now)
		if err != nil || why.As != tt.as || why.Proposal == nil || why.Proposal.ID != id {
			t.Errorf("%s: %+v, %v", tt.as, why, err)
		}
		leaf, err := registry.ParseLeaf(r.Leaves[why.Index])
		if err != nil {
			t.Fatal(err)
		}
		if leaf.Event.ID() != tt.event.Event.ID() {
			t.Errorf("%s: its leaf has another event", tt.as)
		}
	}
	founding, err := registry.ParseLeaf(r.Leaves[0])
	if err != nil {
		t.Fatal(err)
	}
	if why, err := v.Why(founding.Event, r.Now); err != nil || why.Proposal != nil || why.Index != 0 {
		t.Errorf("the founding event: %+v, %v", why, err)
	}
	if _, err := v.Why(registry.Event{}, r.Now); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("nothing: %v", err)
	}
}

func TestProposalsAreFiltered(t *testing.T) {
	r := registrytest.New(t)
	first, org := applied(r)
	r.Advance(day)
	r.Admit("linde", registry.Verifier)
	r.Do(registry.KindCatalogue, catalogue("voorlopig-0"), werkgevers, vakbond)
	r.Checkpoint()
	c, _ := serve(t, r)
	for name, tt := range map[string]struct {
		f    registry.ProposalFilter
		days int
		want int
	}{
		"pending":           {registry.ProposalFilter{Status: registry.Pending}, 0, 1},
		"enacted":           {registry.ProposalFilter{Status: registry.Enacted}, 0, 2},
		"lapsed later":      {registry.ProposalFilter{Status: registry.Lapsed}, 30, 1},
		"of a kind":         {registry.ProposalFilter{Kind: registry.KindApplied}, 0, 2},
		"of one":            {registry.ProposalFilter{Subject: registry.OrganisationParty(org)}, 0, 1},
		"of half a subject": {registry.ProposalFilter{Subject: registry.OrganisationParty(org)[:20]}, 0, 0},
		"newest":            {registry.ProposalFilter{Limit: 2}, 0, 2},
	} {
		got, err := c.ProposalsLike(context.Background(), tt.f, registry.When{At: r.Now.AddDate(0, 0, tt.days)})
		if err != nil || len(got.Proposals) != tt.want {
			t.Errorf("%s: %d, %v, want %d", name, len(got.Proposals), err, tt.want)
		}
	}
	if got := r.State.View().ProposalsLike(registry.ProposalFilter{}, r.Now); len(got) != 3 || got[2].ID != first {
		t.Errorf("newest first: %+v", got)
	}
	if _, err := c.ProposalsLike(context.Background(), registry.ProposalFilter{Status: "open"}, registry.When{}); !errors.Is(err, registry.ErrRequest) {
		t.Errorf("no such status: %v", err)
	}
}

func TestEndingWarnsInTime(t *testing.T) {
	r := registrytest.New(t)
	a := r.Application("vaart", registry.Issuer)
	a.Days = 400
	org := r.AdmitApplication(a)
	r.Certificate(org, registry.UsageCredential) // of a year
	started := r.Now
	count := func(days int) [2]int {
		e := r.State.View().Ending(started.Add(time.Duration(days)*day), registry.Warning)
		return [2]int{len(e.Grants), len(e.Certificates)}
	}
	for _, tt := range []struct {
		days int
		want [2]int
	}{{0, [2]int{0, 0}}, {304, [2]int{0, 0}}, {306, [2]int{0, 1}}, {341, [2]int{1, 1}}, {366, [2]int{1, 0}}, {401, [2]int{0, 0}}} {
		if got := count(tt.days); got != tt.want {
			t.Errorf("after %d days: %v, want %v", tt.days, got, tt.want)
		}
	}
	// Renewed in time: not warned of any more.
	r.Now = started.Add(350 * day)
	again := r.Application("vaart", registry.Issuer)
	again.Name, again.Key, again.Aliases = "", "", nil
	s := r.Do(registry.KindApplied, again, registry.OrganisationParty(org))
	if e := r.State.View().Ending(r.Now, registry.Warning); len(e.Grants) != 1 || e.Grants[0].Renewal != s.Event.ID() || e.Grants[0].Name != "Organisatie vaart" {
		t.Errorf("renewal under way: %+v", e.Grants)
	}
	r.Approve(s.Event.ID(), vakbond, gemeente)
	r.Certificate(org, registry.UsageCredential)
	if e := r.State.View().Ending(r.Now, registry.Warning); len(e.Grants)+len(e.Certificates) != 0 {
		t.Errorf("renewed: %+v", e)
	}
}

func TestQuestionsOverHTTP(t *testing.T) {
	r := registrytest.New(t)
	r.Checkpoint()
	c, _ := serve(t, r)
	ctx := context.Background()
	a := r.Application("vaart", registry.Issuer)
	s := r.Compose(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	if _, err := c.Submit(ctx, registry.Submission{Event: s}); err != nil {
		t.Fatal(err)
	}
	id := s.Event.ID()
	p, err := c.Progress(ctx, id, registry.When{})
	if err != nil || p.Status != registry.Pending || len(p.Ask) != 4 || p.Read.Node != "knoop-1" {
		t.Errorf("progress %+v, %v", p, err)
	}
	if _, err := c.Progress(ctx, r.Genesis(), registry.When{}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("no proposal: %v", err)
	}
	e, err := c.Event(ctx, id)
	if err != nil || e.State != registry.OutcomeCommitted || e.Leaf == nil || e.Leaf.Event.ID() != id || e.Why.As != registry.AsProposal {
		t.Errorf("event %+v, %v", e, err)
	}
	if e, err := c.Event(ctx, registry.Fingerprint(nil)); err != nil || e.State != registry.OutcomeUnknown || e.Leaf != nil || e.Why != nil {
		t.Errorf("unknown event %+v, %v", e, err)
	}
	r.Approve(id, vakbond, gemeente)
	if got, err := c.Ending(ctx, 600*day, registry.When{}); err != nil || len(got.Grants) != 1 || got.Read.Node != "knoop-1" {
		t.Errorf("ending in 600 days %+v, %v", got, err)
	}
	if got, err := c.Ending(ctx, 0, registry.When{}); err != nil || len(got.Grants) != 0 {
		t.Errorf("ending in 60 days %+v, %v", got, err)
	}
	if _, err := c.Ending(ctx, 4000*day, registry.When{}); !errors.Is(err, registry.ErrRequest) {
		t.Errorf("ending in 11 years: %v", err)
	}
}
