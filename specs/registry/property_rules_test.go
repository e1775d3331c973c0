package registry_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// model is what the accepted events say by themselves of what came with rules version 2.
type model struct {
	appeals  map[string]string         // by application: its appeal
	refusers map[string][]string       // by proposal: members that refused it
	mandates map[string]int64          // by member that joined: end of its mandate
	groups   map[string]registry.Group // by member
	owners   map[string][]string       // by organisation: members that control it, as said so far
	about    map[string][]string       // by succession: the two organisations
	held     []registry.SignedEvent    // signed, and not sent yet
	done     map[registry.Kind]int     // accepted events
}

func newModel(charter registry.Charter) model {
	m := model{
		appeals: map[string]string{}, refusers: map[string][]string{}, mandates: map[string]int64{}, groups: map[string]registry.Group{},
		owners: map[string][]string{}, about: map[string][]string{}, done: map[registry.Kind]int{},
	}
	for _, c := range charter.Members {
		m.groups[c.ID] = c.Group
	}
	return m
}

// readNewer adds an accepted event to the model, and checks what can be checked at that leaf.
func (m *machine) readNewer(s accepted) {
	m.done[s.Event.Kind]++
	switch s.Event.Kind {
	case registry.KindApplied:
		var a registry.Application
		decode(m.rt, s.Event.Body, &a)
		m.owners[a.Organisation] = append(m.owners[a.Organisation], a.Members...)
	case registry.KindAmended:
		var a registry.Amendment
		decode(m.rt, s.Event.Body, &a)
		for _, member := range a.Add {
			m.mandates[member.ID], m.groups[member.ID] = member.Until, member.Group
		}
	case registry.KindAppealed:
		var a registry.Appeal
		decode(m.rt, s.Event.Body, &a)
		if m.appeals[a.Proposal] != "" {
			m.rt.Fatal("two appeals of one application")
		}
		m.appeals[a.Proposal] = s.id
	case registry.KindSucceeded:
		var b registry.Succession
		decode(m.rt, s.Event.Body, &b)
		m.about[s.id] = []string{b.Organisation, b.Successor}
		for _, signer := range s.Event.Signers {
			if id, ok := strings.CutPrefix(signer.Party, "member/"); ok && !m.controls(s.id, id) {
				m.voters[s.id] = append(m.voters[s.id], id)
			}
		}
	case registry.KindApproved, registry.KindRefused:
		m.readVote(s)
	}
}

func (m *machine) readVote(s accepted) {
	var d registry.Decision
	decode(m.rt, s.Event.Body, &d)
	id := strings.TrimPrefix(d.Voter, "member/")
	if until := m.mandates[id]; until != 0 && m.Now.Unix() > until {
		m.rt.Fatalf("%s voted after its mandate", id)
	}
	if m.controls(d.Proposal, id) {
		m.rt.Fatalf("%s voted on the succession of its own organisation", id)
	}
	if s.Event.Kind == registry.KindRefused {
		m.refusers[d.Proposal] = append(m.refusers[d.Proposal], id)
	}
}

// controls says whether a member was said to control an organisation of a succession.
func (m *machine) controls(succession, member string) bool {
	return slices.ContainsFunc(m.about[succession], func(org string) bool { return slices.Contains(m.owners[org], member) })
}

// newer are actions about what rules versions 2 and 3 brought, and hostile ones of all times.
func (m *machine) newer() map[string]func(*rapid.T) {
	hostile := map[string]func(*rapid.T){
		"hold back":       func(*rapid.T) { m.hold() },
		"let go":          func(*rapid.T) { m.letGo() },
		"stale":           func(*rapid.T) { m.stale() },
		"guest":           func(*rapid.T) { m.guest() },
		"vote of a guest": func(*rapid.T) { m.guestVote() },
		"raise":           func(*rapid.T) { m.raise() },
		"admit":           func(*rapid.T) { m.everyoneVotes(m.apply()) },
	}
	since2 := map[string]func(){
		"appeal": m.appeal, "succeed": m.succeed, "scope": m.scope, "digest": m.digest, "refuse and appeal": m.refuseAndAppeal,
	}
	for name, act := range since2 {
		hostile[name] = func(*rapid.T) {
			if m.State.Rules() >= 2 {
				act()
			}
		}
	}
	for name, act := range map[string]func(){"peer": m.peer, "witness": m.witness, "custody": m.custody} {
		hostile[name] = func(*rapid.T) {
			if m.State.Rules() >= 3 {
				act()
			}
		}
	}
	return hostile
}

// hold signs a vote or a measure that is sent another day, whatever happens meanwhile.
func (m *machine) hold() {
	if p, ok := m.proposal(); ok && rapid.Bool().Draw(m.rt, "vote") {
		voter := m.member()
		m.held = append(m.held, m.Compose(registry.KindApproved, &registry.Decision{Proposal: p.ID, Voter: voter}, voter))
		return
	}
	b := &registry.Measure{Organisation: registrytest.OrganisationID(m.name()), Role: registry.Issuer, Reason: "besloten"}
	m.held = append(m.held, m.Compose(registry.KindSuspended, b, m.member()))
}

func (m *machine) letGo() {
	if len(m.held) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.held)-1).Draw(m.rt, "held")
	s := m.held[i]
	m.held = slices.Delete(m.held, i, i+1)
	head := m.State.Head(s.Event.Subject)
	err := m.send(s, m.Now)
	if err == nil && (head != s.Event.Predecessor || m.Now.Unix() > s.Event.Expires) {
		m.rt.Fatal("an event that was held back took effect behind what came after it")
	}
}

// stale names an older event of the subject, or one of something else, as its predecessor.
func (m *machine) stale() {
	if len(m.accept) < 2 {
		return
	}
	b := &registry.Measure{Organisation: registrytest.OrganisationID(m.name()), Role: registry.Issuer, Reason: "besloten"}
	d := m.Draft(b)
	was := d.Predecessor
	d.Predecessor = rapid.SampledFrom(m.accept).Draw(m.rt, "predecessor").id
	if d.Predecessor == was {
		return
	}
	if err := m.send(m.ComposeWith(d, registry.KindSuspended, b, m.member()), m.Now); !errors.Is(err, registry.ErrStale) {
		m.rt.Fatalf("a stale predecessor: %v", err)
	}
}

// guest joins for a few days; always of the same group, so that with its fellows it is many
// members and one group.
func (m *machine) guest() {
	id := fmt.Sprintf("gast-%d", len(m.sent))
	party := registry.MemberParty(id)
	joins := registry.Member{
		Group: registry.Opleiders, ID: id, Key: registrytest.PublicKey(m.Party(party).Key), Name: "Gast",
		Until: m.Now.Unix() + int64(rapid.IntRange(1, 100).Draw(m.rt, "hours"))*3600,
	}
	_ = m.send(m.Compose(registry.KindAmended, &registry.Amendment{Add: []registry.Member{joins}, Reason: "gast"}, append([]string{party}, m.signers()...)...), m.Now)
}

func (m *machine) guestVote() {
	p, ok := m.proposal()
	if !ok || len(m.mandates) == 0 {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(m.mandates)) {
		voter := registry.MemberParty(id)
		err := m.send(m.Compose(registry.KindApproved, &registry.Decision{Proposal: p.ID, Voter: voter}, voter), m.Now)
		if err == nil && m.Now.Unix() > m.mandates[id] {
			m.rt.Fatal("an expired member approved")
		}
	}
}

// everyoneVotes: the members approve; those who may not are refused.
func (m *machine) everyoneVotes(proposal string) {
	for _, voter := range registrytest.Members() {
		_ = m.send(m.Compose(registry.KindApproved, &registry.Decision{Proposal: proposal, Voter: voter}, voter), m.Now)
	}
}

// raise: to the next version, or to one that nobody here knows.
func (m *machine) raise() {
	version := m.State.Rules() + rapid.IntRange(1, 2).Draw(m.rt, "up")
	err := m.send(m.Compose(registry.KindRules, &registry.RulesChange{Version: version, Reason: "nieuw"}, m.signers()...), m.Now)
	if err == nil && m.State.Rules() > registry.RulesVersion {
		m.rt.Fatalf("rules %d are in force", m.State.Rules())
	}
}

func (m *machine) appeal() {
	p, ok := m.proposal()
	if !ok {
		return
	}
	m.appealOf(p.ID, strings.TrimPrefix(p.Event.Subject, "organisation/"))
}

// appealOf lets the applicant, or sometimes somebody else, appeal, and members decide.
func (m *machine) appealOf(application, org string) {
	if !strings.HasPrefix(org, "org_") {
		return
	}
	by := registry.OrganisationParty(org)
	if rapid.IntRange(0, 4).Draw(m.rt, "by another") == 0 {
		by = m.party()
	}
	s := m.Compose(registry.KindAppealed, &registry.Appeal{Organisation: org, Proposal: application, Reason: "toch"}, by)
	if m.send(s, m.Now) != nil {
		return
	}
	id := s.Event.ID()
	m.everyoneVotes(id)
	if err := m.judgedTwice(id, application); err != nil {
		m.rt.Fatal(err)
	}
}

// judgedTwice says who decided on an appeal after refusing the application, although the others
// were enough to decide.
func (m *machine) judgedTwice(appeal, application string) error {
	p, err := m.State.View().Proposal(appeal)
	if err != nil || len(p.Barred) == 0 {
		return err
	}
	for _, id := range m.voters[appeal] {
		if slices.Contains(m.refusers[application], id) {
			return fmt.Errorf("%s refused the application and decided on the appeal", id)
		}
	}
	return nil
}

func (m *machine) refuseAndAppeal() {
	id := m.apply()
	for _, voter := range registrytest.Members() {
		_ = m.send(m.Compose(registry.KindRefused, &registry.Decision{Proposal: id, Voter: voter, Reason: "nee"}, voter), m.Now)
	}
	if p, err := m.State.View().Proposal(id); err == nil {
		m.appealOf(id, strings.TrimPrefix(p.Event.Subject, "organisation/"))
	}
}

func (m *machine) succeed() {
	old, next := registrytest.OrganisationID(m.name()), registrytest.OrganisationID(m.name())
	if old == next {
		return
	}
	b := &registry.Succession{On: m.Now.Unix(), Organisation: old, Successor: next, Reason: "fusie"}
	if rapid.Bool().Draw(m.rt, "role goes over") {
		b.Roles = []registry.Role{registry.Issuer}
	}
	if o, err := m.State.View().Organisation(old, m.Now); err == nil && rapid.Bool().Draw(m.rt, "names go over") {
		b.Aliases = o.Aliases
	}
	signers := append([]string{registry.OrganisationParty(next)}, m.signers()...)
	_ = m.send(m.Compose(registry.KindSucceeded, b, signers...), m.Now)
}

func (m *machine) scope() {
	claimant, other := m.party(), m.party()
	scope := &registry.Scope{Kind: registry.ScopeSector, Name: rapid.SampledFrom([]string{"zorg", "techniek"}).Draw(m.rt, "sector")}
	s := m.Compose(registry.KindHobbel, &registry.HobbelClaim{
		Catalogue: "voorlopig-0", Hobbel: "H04", On: m.Now.Unix(), Scope: scope, Summary: registry.Text{NL: "Proef"},
		Status:   rapid.SampledFrom([]registry.HobbelStatus{registry.Experiment, registry.Doorbraak, registry.Teruggevallen}).Draw(m.rt, "status"),
		Evidence: []registry.Evidence{{Title: "Proeftuin", Participants: 3}},
	}, claimant)
	_ = m.send(s, m.Now)
	_ = m.send(m.Compose(registry.KindConfirmed, &registry.Decision{Proposal: s.Event.ID(), Voter: other}, other), m.Now)
	m.everyoneVotes(s.Event.ID())
}

// digest writes down the digest of a number of leaves, or of another number.
func (m *machine) digest() {
	size := rapid.IntRange(1, len(m.digests)).Draw(m.rt, "size")
	of := rapid.IntRange(1, len(m.digests)).Draw(m.rt, "of")
	voter := m.member()
	err := m.send(m.Compose(registry.KindDigest, &registry.StateDigest{Digest: m.digests[of-1], Size: uint64(size)}, voter), m.Now)
	if err == nil && size != of {
		m.rt.Fatal("a digest of another state was accepted")
	}
}

// checkSuccessions: what went on in another holds nothing any more, and leads to one that did not.
func (m *machine) checkSuccessions() {
	v := m.State.View()
	for _, o := range v.Organisations(m.Now).Organisations {
		seen := 0
		for at := o; at.Succeeded != nil; seen++ {
			if seen > len(m.names) {
				m.rt.Fatal("a circle of successors")
			}
			var err error
			if at, err = v.Organisation(at.Succeeded.Successor, m.Now); err != nil {
				m.rt.Fatal(err)
			}
		}
		if seen == 0 {
			continue
		}
		tomorrow, err := v.Organisation(o.ID, m.Now.Add(24*time.Hour))
		if err != nil {
			m.rt.Fatal(err)
		}
		for _, role := range tomorrow.Roles {
			if role.Admitted {
				m.rt.Fatalf("%s went on in another and is admitted as %s", o.ID, role.Role)
			}
		}
	}
}

// checkScopes: every scope goes the way that a hobbel goes.
func (m *machine) checkScopes() {
	for _, h := range m.State.View().Hobbels(m.Now).Hobbels {
		for _, s := range h.Scopes {
			m.checkSteps(s.History)
		}
	}
}

// checkProgress: what is said to be missing is what is missing.
func (m *machine) checkProgress() {
	p, ok := m.proposal()
	if !ok {
		return
	}
	got := m.State.View().ProgressOf(p, m.Now)
	switch {
	case got.Status != registry.Pending:
		if got.Missing != nil || len(got.Ask) > 0 {
			m.rt.Fatalf("a decided proposal that lacks something: %+v", got)
		}
	case got.Missing.Members == 0 && got.Missing.Groups == 0 && !got.Missing.Confirmation && p.Event.Kind != registry.KindClock:
		// Votes count by who can sign now: a key that was found again may have completed it.
		counted := 0
		for _, v := range got.Approvals {
			if v.Counts {
				counted++
			}
		}
		if counted < got.Need.Members {
			m.rt.Fatalf("nothing is missing and %d of %d approve", counted, got.Need.Members)
		}
	}
}
