package registry_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// The machine draws sequences of honest and hostile events and keeps a model of what may come
// of them that shares nothing with the registry: the list of accepted events, read again from
// the leaves after each step.
type machine struct {
	*registrytest.Region
	rt      *rapid.T
	names   []string // organisations that exist or will
	sent    []registry.SignedEvent
	accept  []accepted
	ids     map[string]bool
	voters  map[string][]string // by proposal: members that approved it
	control map[string][]string // by application: members that control the applicant
	refused int
	mirror  *registry.State // sees only the leaves
	kept    *keeper         // as the mirror, with its rows in a store
	digests []string        // by leaf
	answers []remembered    // by leaf: what was answered when it was the newest
	planted bool
	replica *registry.Replica
	notes   map[int][]byte // checkpoint by size
	model
}

// remembered is an answer and when it was about.
type remembered struct {
	at   time.Time
	text string
}

type accepted struct {
	registry.SignedEvent
	id string
}

func newMachine(t *testing.T, rt *rapid.T, plant bool) *machine {
	rules := rapid.IntRange(1, registry.RulesVersion).Draw(rt, "rules")
	m := &machine{Region: registrytest.NewUnder(t, registrytest.Start, rules), rt: rt, names: []string{"vaart", "linde", "ossekamp"},
		ids: map[string]bool{}, voters: map[string][]string{}, control: map[string][]string{}}
	if plant {
		registry.PlantSelfApproval(m.State)
	}
	m.model, m.notes = newModel(m.Charter), map[int][]byte{}
	m.mirror = registry.NewState(m.Genesis())
	m.reopen(&memoryRows{values: map[string][]byte{}}, plant)
	var err error
	if m.replica, err = registry.NewReplica(m.Genesis()); err != nil {
		rt.Fatal(err)
	}
	if plant {
		registry.PlantSelfApproval(m.mirror)
		registry.PlantSelfApproval(m.replica.State())
	}
	m.OnLeaf = func(registry.Leaf) { m.follow() }
	m.follow()
	m.Do(registry.KindCatalogue, catalogue("voorlopig-0"), werkgevers, vakbond)
	return m
}

// follow gives the newest leaf to the mirror, from its bytes.
func (m *machine) follow() {
	leaf, err := registry.ParseLeaf(m.Leaves[len(m.Leaves)-1])
	if err != nil {
		m.rt.Fatalf("own leaf does not parse: %v", err)
	}
	if _, err := registry.Apply(m.mirror, leaf); err != nil {
		m.rt.Fatalf("the mirror refuses leaf %d: %v", len(m.Leaves)-1, err)
	}
	m.digests = append(m.digests, m.mirror.Digest())
	m.keep(leaf)
	if got := m.State.Digest(); got != m.mirror.Digest() {
		m.rt.Fatalf("after leaf %d: digests differ", len(m.Leaves)-1)
	}
	m.answers = append(m.answers, remembered{m.Now, m.ask(m.State.View(), m.Now)})
	m.read(accepted{leaf.Signed(), leaf.Event.ID()})
}

// ask is everything that a view says of organisations and hobbels at a time.
func (m *machine) ask(v registry.View, at time.Time) string {
	raw, err := ijson.Canonical([]any{v.Organisations(at), v.Hobbels(at)})
	if err != nil {
		m.rt.Fatal(err)
	}
	return string(raw)
}

// read adds an accepted event to the model.
func (m *machine) read(s accepted) {
	m.accept = append(m.accept, s)
	if m.ids[s.id] {
		m.rt.Fatal("one event, two leaves")
	}
	m.ids[s.id] = true
	m.readNewer(s)
	if s.Event.Kind != registry.KindFounded && s.Event.Genesis != m.Genesis() {
		m.rt.Fatal("an event of another region")
	}
	switch s.Event.Kind {
	case registry.KindApplied:
		var a registry.Application
		decode(m.rt, s.Event.Body, &a)
		m.control[s.id] = a.Members
	case registry.KindApproved:
		var d registry.Decision
		decode(m.rt, s.Event.Body, &d)
		m.voters[d.Proposal] = append(m.voters[d.Proposal], strings.TrimPrefix(d.Voter, "member/"))
	}
}

// send submits and remembers; a refusal must change nothing.
func (m *machine) send(s registry.SignedEvent, at time.Time) error {
	before, size := m.State.Digest(), m.State.Size()
	_, err := m.Stamp(s, at)
	if err != nil {
		m.refused++
		var refusal *registry.Refusal
		if !errors.As(err, &refusal) {
			m.rt.Fatalf("not a refusal: %v", err)
		}
		if m.State.Digest() != before || m.State.Size() != size {
			m.rt.Fatalf("refused with %v, but the state changed", err)
		}
	}
	if err == nil {
		m.catchUp()
	}
	m.sent = append(m.sent, s)
	return err
}

// catchUp gives the leaves to a replica, as an offline verifier gets them: under a checkpoint.
func (m *machine) catchUp() {
	more, note := m.Leaves[m.replica.Size():], m.Checkpoint()
	m.notes[len(m.Leaves)] = note
	if err := m.replica.Extend(more, note); err != nil {
		m.rt.Fatalf("a replica refuses leaf %d: %v", len(m.Leaves)-1, err)
	}
	if m.replica.State().Digest() != m.digests[len(m.digests)-1] {
		m.rt.Fatalf("a replica has another digest at leaf %d", len(m.Leaves)-1)
	}
}

func (m *machine) member() string {
	return rapid.SampledFrom(registrytest.Members()).Draw(m.rt, "member")
}
func (m *machine) name() string { return rapid.SampledFrom(m.names).Draw(m.rt, "organisation") }

func (m *machine) proposal() (registry.Proposal, bool) {
	list := m.State.View().Proposals()
	if len(list) == 0 {
		return registry.Proposal{}, false
	}
	return list[rapid.IntRange(0, len(list)-1).Draw(m.rt, "proposal")], true
}

// actions are what honest and hostile parties do.
func (m *machine) actions() map[string]func(*rapid.T) {
	all := m.newer()
	maps.Copy(all, m.older())
	return all
}

// older are those of all rules.
func (m *machine) older() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"apply": func(*rapid.T) { m.apply() },
		"apply and vote": func(*rapid.T) {
			id := m.apply()
			for range rapid.IntRange(1, 4).Draw(m.rt, "votes") {
				voter := m.member()
				_ = m.send(m.Compose(registry.KindApproved, &registry.Decision{Proposal: id, Voter: voter}, voter), m.Now)
			}
		},
		"vote": func(*rapid.T) {
			p, ok := m.proposal()
			if !ok {
				return
			}
			voter := m.member()
			kind := rapid.SampledFrom([]registry.Kind{registry.KindApproved, registry.KindApproved, registry.KindApproved, registry.KindRefused}).Draw(m.rt, "vote")
			_ = m.send(m.Compose(kind, &registry.Decision{Proposal: p.ID, Voter: voter, Reason: "beoordeeld"}, voter), m.Now)
		},
		"measure": func(*rapid.T) {
			kind := rapid.SampledFrom([]registry.Kind{registry.KindSuspended, registry.KindReinstated, registry.KindWithdrawn}).Draw(m.rt, "measure")
			b := &registry.Measure{Organisation: registrytest.OrganisationID(m.name()), Role: registry.Issuer, Reason: "besloten"}
			if kind == registry.KindWithdrawn && rapid.Bool().Draw(m.rt, "fraud") {
				b.Fraud, b.EffectiveFrom = true, m.Now.Add(-time.Duration(rapid.IntRange(0, 400).Draw(m.rt, "hours"))*time.Hour).Unix()
			}
			signers := rapid.SliceOfNDistinct(rapid.SampledFrom(registrytest.Members()), 1, 3, rapid.ID).Draw(m.rt, "signers")
			_ = m.send(m.Compose(kind, b, signers...), m.Now)
		},
		"rotate": func(*rapid.T) {
			party := m.member()
			next := registrytest.NamedKey(fmt.Sprint("rotated ", party, len(m.sent)))
			k := &registry.MemberKey{Key: registrytest.PublicKey(next), Member: strings.TrimPrefix(party, "member/"), Reason: "jaarlijks"}
			s, err := registry.Compose(m.Draft(k), registry.KindKeyRotated, k, m.Party(party), registry.Party{Name: party, Key: next})
			if err != nil {
				m.rt.Fatal(err)
			}
			if m.send(s, m.Now) == nil && rapid.Bool().Draw(m.rt, "uses it") {
				m.Keys[party] = next // otherwise it goes on signing with a retired key
			}
		},
		"lose key": func(*rapid.T) {
			party := m.member()
			signers := m.signers()
			_ = m.send(m.Compose(registry.KindKeyLost, &registry.MemberKey{Member: strings.TrimPrefix(party, "member/"), Reason: "kwijt"}, signers...), m.Now)
		},
		"find key": func(*rapid.T) {
			party := m.member()
			m.Keys[party] = registrytest.NamedKey(fmt.Sprint("found ", party, len(m.sent)))
			k := &registry.MemberKey{Key: registrytest.PublicKey(m.Keys[party]), Member: strings.TrimPrefix(party, "member/"), Reason: "nieuw"}
			signers := []string{party}
			for _, other := range registrytest.Members() {
				if other != party {
					signers = append(signers, other)
				}
			}
			_ = m.send(m.Compose(registry.KindKeyLost, k, signers...), m.Now)
		},
		"tighten": func(*rapid.T) {
			c := registry.DefaultThresholds()
			n := rapid.IntRange(2, 5).Draw(m.rt, "members")
			c[registry.ForHobbels] = registry.Threshold{Groups: min(n, 4), Members: n}
			signers := m.signers()
			_ = m.send(m.Compose(registry.KindAmended, &registry.Amendment{Reason: "afspraak", Thresholds: c}, signers...), m.Now)
		},
		"move": func(*rapid.T) {
			org := registrytest.OrganisationID(m.name())
			change := &registry.AliasChange{Organisation: org}
			alias := func() []registry.Alias {
				return []registry.Alias{{Type: registry.AliasURL, Value: "https://" + m.name() + ".example"}}
			}
			if rapid.Bool().Draw(m.rt, "add") {
				change.Add = alias()
			} else {
				change.End = alias()
			}
			if _, err := m.State.View().Organisation(org, m.Now); err == nil {
				_ = m.send(m.Compose(registry.KindAliases, change, registry.OrganisationParty(org), m.member()), m.Now)
			}
		},
		"catalogue": func(*rapid.T) {
			version := rapid.SampledFrom([]string{"voorlopig-0", "voorlopig-0", "voorlopig-0", "voorlopig-1"}).Draw(m.rt, "version")
			_ = m.send(m.Compose(registry.KindCatalogue, catalogue(version), m.signers()...), m.Now)
		},
		"claim and confirm": func(*rapid.T) {
			claimant, other := m.party(), m.party()
			status := rapid.SampledFrom([]registry.HobbelStatus{registry.Experiment, registry.Experiment, registry.Doorbraak, registry.Teruggevallen, registry.Open}).Draw(m.rt, "status")
			s := m.Compose(registry.KindHobbel, &registry.HobbelClaim{
				Catalogue: "voorlopig-0", Hobbel: "H03", On: m.Now.Unix(), Status: status,
				Evidence: []registry.Evidence{{URL: "https://vaart.example/proef"}}, Summary: registry.Text{NL: "Proef"},
			}, claimant)
			_ = m.send(s, m.Now)
			_ = m.send(m.Compose(registry.KindConfirmed, &registry.Decision{Proposal: s.Event.ID(), Voter: other}, other), m.Now)
			for _, voter := range registrytest.Members() {
				_ = m.send(m.Compose(registry.KindApproved, &registry.Decision{Proposal: s.Event.ID(), Voter: voter}, voter), m.Now)
			}
		},
		"wait": func(*rapid.T) { m.Advance(time.Duration(rapid.IntRange(1, 200).Draw(m.rt, "hours")) * time.Hour) },
		// What was sent before, again: replayed, held back or reordered.
		"replay": func(*rapid.T) {
			if len(m.sent) > 0 {
				_ = m.send(rapid.SampledFrom(m.sent).Draw(m.rt, "event"), m.Now)
			}
		},
		"forge": func(*rapid.T) {
			if len(m.sent) == 0 {
				return
			}
			s := rapid.SampledFrom(m.sent).Draw(m.rt, "event")
			s.Event.Signed++ // another event under the old signature
			if err := m.send(s, m.Now); err == nil {
				m.rt.Fatal("a forged event was accepted")
			}
		},
		"sign again": func(*rapid.T) {
			if len(m.accept) < 2 {
				return
			}
			s := rapid.SampledFrom(m.accept[1:]).Draw(m.rt, "event").SignedEvent
			s.Signatures = slices.Clone(s.Signatures)
			s.Signatures[0] = registry.HighS(m.T, s.Signatures[0])
			if err := m.send(s, m.Now); !errors.Is(err, registry.ErrDuplicate) {
				m.rt.Fatalf("an accepted event under another signature: %v", err)
			}
		},
		"stamp far ahead": func(*rapid.T) {
			p, ok := m.proposal()
			if !ok {
				return
			}
			voter := m.member()
			s := m.Compose(registry.KindApproved, &registry.Decision{Proposal: p.ID, Voter: voter}, voter)
			if err := m.send(s, m.Now.AddDate(1, 0, 0)); err == nil {
				m.rt.Fatal("a stamp of next year was accepted")
			}
		},
		"": func(*rapid.T) { m.check() },
	}
}

// party draws an organisation or a member.
func (m *machine) party() string {
	if rapid.Bool().Draw(m.rt, "member") {
		return m.member()
	}
	return registry.OrganisationParty(registrytest.OrganisationID(m.name()))
}

// signers draws two or three members.
func (m *machine) signers() []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(registrytest.Members()), 2, 3, rapid.ID).Draw(m.rt, "signers")
}

// apply lets an organisation ask for admission, and gives the proposal.
func (m *machine) apply() string {
	a := m.Application(m.name(), rapid.SampledFrom([]registry.Role{registry.Issuer, registry.Issuer, registry.Verifier}).Draw(m.rt, "role"))
	if o, err := m.State.View().Organisation(a.Organisation, m.Now); err == nil && o.Since != 0 {
		a.Name, a.Key, a.Aliases = "", "", nil
	}
	if rapid.IntRange(0, 3).Draw(m.rt, "controlled") == 0 {
		a.Members = []string{strings.TrimPrefix(m.member(), "member/")}
	}
	s := m.Compose(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	_ = m.send(s, m.Now)
	return s.Event.ID()
}

// check holds the state against what the accepted events themselves say.
func (m *machine) check() {
	for _, name := range m.names {
		if err := m.unbacked(registrytest.OrganisationID(name)); err != nil {
			m.rt.Fatal(err)
		}
	}
	m.checkThresholds()
	m.checkAliases()
	m.checkHobbel()
	m.checkScopes()
	m.checkSuccessions()
	m.checkProgress()
	m.checkOutside()
	// What was known is still what was known (D9).
	leaf := rapid.IntRange(0, len(m.answers)-1).Draw(m.rt, "asked again")
	v, err := m.State.AsOf(uint64(leaf) + 1)
	if err != nil {
		m.rt.Fatal(err)
	}
	if got := m.ask(v, m.answers[leaf].at); got != m.answers[leaf].text {
		m.rt.Fatalf("as of leaf %d the answer was\n%s\nand is now\n%s", leaf, m.answers[leaf].text, got)
	}
}

// checkAliases: nobody has what another has.
func (m *machine) checkAliases() {
	holders := map[registry.Alias]string{}
	tomorrow := m.Now.Add(24 * time.Hour) // today an alias may have been of two, one after the other
	for _, o := range m.State.View().Organisations(tomorrow).Organisations {
		for _, a := range o.Aliases {
			if other := holders[a]; other != "" {
				m.rt.Fatalf("%s is an alias of %s and of %s", a.Value, other, o.ID)
			}
			holders[a] = o.ID
		}
	}
}

// checkHobbel: each step follows from the one before, told by one and confirmed by another.
func (m *machine) checkHobbel() {
	for _, h := range m.State.View().Hobbels(m.Now).Hobbels {
		m.checkSteps(h.History)
	}
}

func (m *machine) checkSteps(history []registry.HobbelFact) {
	before := registry.Open
	for _, f := range history {
		if f.Claimant == f.Confirmed || f.Status == before || f.Status == registry.Doorbraak && before != registry.Experiment {
			m.rt.Fatalf("from %s to %s, told by %s, confirmed by %s", before, f.Status, f.Claimant, f.Confirmed)
		}
		before = f.Status
	}
}

// unbacked says which admission should not be: each admission rests on approvals in the log, by two members of two groups
// at least, none of them the applicant or one hand with it, and it ends.
func (m *machine) unbacked(org string) error {
	o, err := m.State.View().Organisation(org, m.Now)
	if err != nil {
		return nil
	}
	for _, role := range o.Roles {
		for _, g := range role.Standing.Grants {
			if g.Until <= g.Since || g.Until-g.Since > int64(m.Charter.Admission.MaxDays)*86400 {
				return fmt.Errorf("admission from %d until %d", g.Since, g.Until)
			}
			if err := m.backed(g.Event); err != nil {
				return fmt.Errorf("%s of %s: %w", role.Role, org, err)
			}
		}
	}
	return nil
}

// backed holds an application, or the appeal that came of it, against the votes in the log, not
// those in the state.
func (m *machine) backed(application string) error {
	err := m.backedBy(application, application)
	if appeal := m.appeals[application]; err != nil && appeal != "" {
		return m.backedBy(application, appeal)
	}
	return err
}

func (m *machine) backedBy(application, proposal string) error {
	groups, members := map[registry.Group]bool{}, map[string]bool{}
	for _, id := range m.voters[proposal] {
		members[id], groups[m.groups[id]] = true, true
		if slices.Contains(m.control[application], id) {
			return fmt.Errorf("approved by %s, who controls it", id)
		}
	}
	if len(members) < 2 || len(groups) < 2 {
		return fmt.Errorf("approved by %d members of %d groups", len(members), len(groups))
	}
	return nil
}

// checkThresholds: what the charter demands can still be done.
func (m *machine) checkThresholds() {
	region := m.State.View().Region(m.Now)
	can := 0
	for _, r := range region.Members {
		if n := len(r.Keys); r.Removed == 0 && r.Keys[n-1].Until == 0 {
			can++
		}
	}
	for name, t := range region.Thresholds {
		if can < t.Members {
			m.rt.Fatalf("%d members can sign, %s needs %d", can, name, t.Members)
		}
	}
}

// howMany sets the number of sequences, unless somebody asked for one.
func howMany(t *testing.T) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f == nil || f.Value.String() != f.DefValue {
		return
	}
	if err := f.Value.Set(sequences); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(f.DefValue) })
	if steps := flag.Lookup("rapid.steps"); steps != nil && steps.Value.String() == steps.DefValue {
		if err := steps.Value.Set("60"); err != nil { // long enough for what follows from what
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = steps.Value.Set(steps.DefValue) })
	}
}

func TestSequencesKeepTheInvariants(t *testing.T) {
	howMany(t)
	leaves, admissions, hobbels, refusals := 0, 0, 0, 0
	kinds := map[registry.Kind]int{}
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(t, rt, false)
		rt.Repeat(m.actions())
		m.replay()
		leaves, refusals = leaves+len(m.Leaves), refusals+m.refused
		for kind, n := range m.done {
			kinds[kind] += n
		}
		admissions += len(m.State.View().Organisations(m.Now).Organisations)
		for _, h := range m.State.View().Hobbels(m.Now).Hobbels {
			hobbels += len(h.History)
		}
	})
	// Sequences in which nothing happens would prove nothing.
	t.Logf("%d leaves, %d admitted, %d steps of hobbels, %d refused, accepted %v", leaves, admissions, hobbels, refusals, kinds)
	if leaves == 0 || admissions == 0 || refusals == 0 {
		t.Error("the sequences do too little")
	}
}

// replay: whoever comes late, by mirror or from a file, has the same state at each leaf.
func (m *machine) replay() {
	late := registry.NewState(m.Genesis())
	for i, raw := range m.Leaves {
		leaf, err := registry.ParseLeaf(raw)
		if err != nil {
			m.rt.Fatal(err)
		}
		if _, err := registry.Apply(late, leaf); err != nil {
			m.rt.Fatalf("leaf %d: %v", i, err)
		}
		if late.Digest() != m.digests[i] {
			m.rt.Fatalf("leaf %d: another digest", i)
		}
	}
	rep, _, err := m.Snapshot().Replay(m.Genesis())
	if err != nil {
		m.rt.Fatal(err)
	}
	if rep.State().Digest() != m.State.Digest() {
		m.rt.Fatal("the snapshot gives another state")
	}
	for i, want := range m.digests {
		if m.State.DigestAt(uint64(i)+1) != want {
			m.rt.Fatalf("leaf %d: another digest when asked for later", i)
		}
	}
	m.restore()
	// And who is thrown back to any leaf has the digest of that leaf again.
	n := rapid.IntRange(1, len(m.Leaves)).Draw(m.rt, "back to")
	leaf, err := registry.ParseLeaf(m.Leaves[n-1])
	if err != nil {
		m.rt.Fatal(err)
	}
	registry.Rollback(late, uint64(n), leaf.LogTime)
	if late.Digest() != m.digests[n-1] {
		m.rt.Fatalf("back to %d leaves: another digest", n)
	}
}

// restore: a snapshot of any leaf that a checkpoint covers gives the state of that leaf, and goes
// on to the newest one.
func (m *machine) restore() {
	for range 3 {
		size := rapid.IntRange(1, len(m.Leaves)).Draw(m.rt, "snapshot of")
		note := m.notes[size]
		if note == nil {
			continue // a leaf of the beginning, which came with others
		}
		rep, _, err := registry.Snapshot{Genesis: m.Genesis(), Checkpoint: note, Leaves: m.Leaves[:size]}.Replay(m.Genesis())
		if err != nil {
			m.rt.Fatal(err)
		}
		if rep.State().Digest() != m.digests[size-1] {
			m.rt.Fatalf("the snapshot of %d leaves gives another state", size)
		}
		if err := rep.Extend(m.Leaves[size:], m.Checkpoint()); err != nil {
			m.rt.Fatal(err)
		}
		if rep.State().Digest() != m.State.Digest() {
			m.rt.Fatalf("from the snapshot of %d leaves on another state", size)
		}
	}
}
