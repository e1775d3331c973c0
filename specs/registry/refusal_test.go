package registry_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// applied is a region with an application of vaart that waits for approval.
func applied(r *registrytest.Region) (proposal, org string) {
	a := r.Application("vaart", registry.Issuer)
	s := r.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	return s.Event.ID(), a.Organisation
}

func approval(r *registrytest.Region, proposal, voter string) registry.SignedEvent {
	return r.Compose(registry.KindApproved, &registry.Decision{Proposal: proposal, Voter: voter}, voter)
}

func submit(r *registrytest.Region, s registry.SignedEvent) error {
	_, err := r.Submit(s)
	return err
}

// changed is the event with its body or envelope changed after signing.
func changed(s registry.SignedEvent, change func(*registry.Event)) registry.SignedEvent {
	s.Event.Signers = slices.Clone(s.Event.Signers)
	change(&s.Event)
	return s
}

// resigned is the event changed and signed again by the same parties.
func resigned(r *registrytest.Region, s registry.SignedEvent, change func(*registry.Event)) registry.SignedEvent {
	s = changed(s, change)
	var parties []registry.Party
	for _, signer := range s.Event.Signers {
		parties = append(parties, r.Party(signer.Party))
	}
	out, err := registry.Sign(s.Event, keysOf(parties)...)
	if err != nil {
		r.T.Fatal(err)
	}
	return out
}

// Everything that a hostile party, leader or network can do to an event or a leaf: nothing of
// it enters the log, and the state does not change.
var hostile = []struct {
	name string
	want error
	try  func(*registrytest.Region) error
}{
	{"founding event again", registry.ErrDuplicate, func(r *registrytest.Region) error {
		leaf, err := registry.ParseLeaf(r.Leaves[0])
		if err != nil {
			return err
		}
		return submit(r, leaf.Signed())
	}},
	{"second founding event", registry.ErrGenesis, func(r *registrytest.Region) error {
		other := registrytest.NewAt(r.T, registrytest.Start.Add(time.Minute))
		leaf, err := registry.ParseLeaf(other.Leaves[0])
		if err != nil {
			return err
		}
		return submit(r, leaf.Signed())
	}},
	{"event of another region", registry.ErrRegion, func(r *registrytest.Region) error {
		other := registrytest.NewAt(r.T, registrytest.Start.Add(time.Minute))
		return submit(r, other.Compose(registry.KindApplied, other.Application("vaart", registry.Issuer), registry.OrganisationParty(registrytest.OrganisationID("vaart"))))
	}},
	{"event of no region", registry.ErrRegion, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, resigned(r, approval(r, p, vakbond), func(e *registry.Event) { e.Genesis = "" }))
	}},
	{"replayed", registry.ErrDuplicate, func(r *registrytest.Region) error {
		p, _ := applied(r)
		s := approval(r, p, vakbond)
		r.Must(s)
		return submit(r, s)
	}},
	{"replayed with another signature", registry.ErrDuplicate, func(r *registrytest.Region) error {
		p, _ := applied(r)
		s := approval(r, p, vakbond)
		r.Must(s)
		return submit(r, resigned(r, s, func(*registry.Event) {}))
	}},
	{"high s", registry.ErrSignature, func(r *registrytest.Region) error {
		p, _ := applied(r)
		s := approval(r, p, vakbond)
		s.Signatures = []string{registry.HighS(r.T, s.Signatures[0])}
		return submit(r, s)
	}},
	{"signature of zeros", registry.ErrSignature, func(r *registrytest.Region) error {
		p, _ := applied(r)
		s := approval(r, p, vakbond)
		s.Signatures = []string{strings.Repeat("A", 86)}
		return submit(r, s)
	}},
	{"signature with a line end in it", registry.ErrSignature, func(r *registrytest.Region) error {
		p, _ := applied(r)
		s := approval(r, p, vakbond)
		s.Signatures = []string{s.Signatures[0][:10] + "\n" + s.Signatures[0][11:]}
		return submit(r, s)
	}},
	{"signature with spare bits set", registry.ErrSignature, func(r *registrytest.Region) error {
		p, _ := applied(r)
		s := approval(r, p, vakbond)
		last := s.Signatures[0][85]
		s.Signatures = []string{s.Signatures[0][:85] + string("AQgw"[(strings.IndexByte("AQgw", last)+1)%4]|1)}
		return submit(r, s)
	}},
	{"changed after signing", registry.ErrSignature, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, changed(approval(r, p, vakbond), func(e *registry.Event) { e.Signed++ }))
	}},
	{"another member's name under it", registry.ErrKey, func(r *registrytest.Region) error {
		p, _ := applied(r)
		d := &registry.Decision{Proposal: p, Voter: gemeente}
		s, err := registry.Compose(r.Draft(d), registry.KindApproved, d, registry.Party{Name: gemeente, Key: r.Keys[vakbond]})
		if err != nil {
			return err
		}
		return submit(r, s)
	}},
	{"no signer", registry.ErrMalformed, func(r *registrytest.Region) error {
		p, _ := applied(r)
		s := approval(r, p, vakbond)
		s.Event.Signers, s.Signatures = nil, nil
		return submit(r, s)
	}},
	{"fewer signatures than signers", registry.ErrMalformed, func(r *registrytest.Region) error {
		p, _ := applied(r)
		s := approval(r, p, vakbond)
		s.Event.Signers = append(slices.Clone(s.Event.Signers), registry.Signer{Key: s.Event.Signers[0].Key, Party: gemeente})
		return submit(r, s)
	}},
	{"a signer who is nobody", registry.ErrSigner, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, approval(r, p, "member/niemand"))
	}},
	{"an organisation votes", registry.ErrSigner, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, approval(r, p, registry.OrganisationParty(r.Admit("linde", registry.Verifier))))
	}},
	{"self-approval by a shared key", registry.ErrConflict, func(r *registrytest.Region) error {
		a := r.Application("gemeente", registry.Issuer)
		party := registry.OrganisationParty(a.Organisation)
		r.Keys[party], a.Key = r.Keys[gemeente], registrytest.PublicKey(r.Keys[gemeente])
		s := r.Do(registry.KindApplied, a, party)
		return submit(r, approval(r, s.Event.ID(), gemeente))
	}},
	{"self-approval by a member that controls it", registry.ErrConflict, func(r *registrytest.Region) error {
		a := r.Application("gemeentewinkel", registry.Issuer)
		a.Members = []string{"gemeente-aakermonde"}
		s := r.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
		return submit(r, approval(r, s.Event.ID(), gemeente))
	}},
	{"voting twice", registry.ErrStale, func(r *registrytest.Region) error {
		p, _ := applied(r)
		s := approval(r, p, vakbond)
		r.Must(approval(r, p, vakbond))
		s = resigned(r, s, func(e *registry.Event) { e.Signed++ })
		return submit(r, s)
	}},
	{"voting twice in order", registry.ErrTwice, func(r *registrytest.Region) error {
		p, _ := applied(r)
		r.Must(approval(r, p, vakbond))
		return submit(r, approval(r, p, vakbond))
	}},
	{"vote under another's subject", registry.ErrSubject, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, resigned(r, approval(r, p, vakbond), func(e *registry.Event) { e.Subject = registry.VoteSubject(p, gemeente) }))
	}},
	{"vote on nothing", registry.ErrUnknown, func(r *registrytest.Region) error {
		return submit(r, approval(r, strings.Repeat("0", 64), vakbond))
	}},
	{"vote on what is decided", registry.ErrClosed, func(r *registrytest.Region) error {
		p, _ := applied(r)
		r.Approve(p, vakbond, opleiders)
		return submit(r, approval(r, p, gemeente))
	}},
	{"vote on what has run out", registry.ErrClosed, func(r *registrytest.Region) error {
		p, _ := applied(r)
		r.Approve(p, vakbond)
		r.Advance(8 * day)
		return submit(r, approval(r, p, gemeente))
	}},
	{"held back beyond a newer event", registry.ErrStale, func(r *registrytest.Region) error {
		org := r.Admit("vaart", registry.Issuer)
		m := &registry.Measure{Organisation: org, Role: registry.Issuer, Reason: "onderzoek"}
		held := r.Compose(registry.KindSuspended, m, opleiders)
		r.Do(registry.KindSuspended, m, werkgevers)
		r.Do(registry.KindReinstated, m, werkgevers, vakbond)
		return submit(r, held)
	}},
	{"held back beyond an approval", registry.ErrStale, func(r *registrytest.Region) error {
		p, org := applied(r)
		self := registry.OrganisationParty(org)
		held := r.Compose(registry.KindAliases, &registry.AliasChange{Organisation: org, Add: []registry.Alias{{Type: registry.AliasURL, Value: "https://nieuw.example"}}}, self)
		r.Approve(p, vakbond, gemeente)
		return submit(r, held)
	}},
	{"held back beyond its expiry", registry.ErrExpired, func(r *registrytest.Region) error {
		p, _ := applied(r)
		d := &registry.Decision{Proposal: p, Voter: vakbond}
		draft := r.Draft(d)
		draft.Lifetime = time.Hour
		s := r.ComposeWith(draft, registry.KindApproved, d, vakbond)
		r.Advance(time.Hour + time.Second)
		return submit(r, s)
	}},
	{"held back for more than seven days", registry.ErrLogTime, func(r *registrytest.Region) error {
		a := r.Application("vaart", registry.Issuer)
		draft := r.Draft(a)
		draft.Lifetime = 30 * day
		s := r.ComposeWith(draft, registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
		r.Advance(7*day + time.Second)
		return submit(r, s)
	}},
	{"valid for years", registry.ErrMalformed, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, resigned(r, approval(r, p, vakbond), func(e *registry.Event) { e.Expires += 400 * 86400 }))
	}},
	{"reordered", registry.ErrStale, func(r *registrytest.Region) error {
		_, org := applied(r)
		self := registry.OrganisationParty(org)
		rotate := func() registry.SignedEvent {
			next := registrytest.NamedKey("next key of vaart")
			k := &registry.OrganisationKey{Key: registrytest.PublicKey(next), Organisation: org}
			s, err := registry.Compose(r.Draft(k), registry.KindOrgKeys, k, r.Party(self), registry.Party{Name: self, Key: next})
			if err != nil {
				r.T.Fatal(err)
			}
			return s
		}
		first := rotate()
		a := r.Application("vaart", registry.Verifier)
		r.Do(registry.KindApplied, a, self)
		return submit(r, first)
	}},
	{"stamped a year ahead", registry.ErrLogTime, func(r *registrytest.Region) error {
		p, _ := applied(r)
		_, err := r.Stamp(approval(r, p, vakbond), r.Now.AddDate(1, 0, 0))
		return err
	}},
	{"stamped before the newest leaf", registry.ErrLogTime, func(r *registrytest.Region) error {
		p, _ := applied(r)
		s := approval(r, p, vakbond)
		_, err := r.Stamp(s, r.Now.Add(-time.Second))
		return err
	}},
	{"signed ten minutes ahead", registry.ErrLogTime, func(r *registrytest.Region) error {
		p, _ := applied(r)
		d := &registry.Decision{Proposal: p, Voter: vakbond}
		draft := r.Draft(d)
		draft.Now = r.Now.Add(10 * time.Minute)
		return submit(r, r.ComposeWith(draft, registry.KindApproved, d, vakbond))
	}},
	{"retired key", registry.ErrKey, func(r *registrytest.Region) error {
		p, _ := applied(r)
		old := r.Party(vakbond)
		rotateMember(r, vakbond, "second key")
		d := &registry.Decision{Proposal: p, Voter: vakbond}
		s, err := registry.Compose(r.Draft(d), registry.KindApproved, d, old)
		if err != nil {
			return err
		}
		return submit(r, s)
	}},
	{"mandate run out", registry.ErrSigner, func(r *registrytest.Region) error {
		guest := "member/gast"
		r.Do(registry.KindAmended, &registry.Amendment{Reason: "gast", Add: []registry.Member{{
			Group: registry.Overheid, ID: "gast", Key: registrytest.PublicKey(r.Party(guest).Key), Name: "Gast", Until: r.Now.Add(day).Unix(),
		}}}, guest, vakbond, werkgevers)
		p, _ := applied(r)
		r.Advance(2 * day)
		return submit(r, approval(r, p, guest))
	}},
	{"stolen key given a successor by the thief", registry.ErrSigner, func(r *registrytest.Region) error {
		k := &registry.MemberKey{Member: "vakbond-de-eendracht", Reason: "gestolen", CompromisedSince: r.Now.Unix(),
			Key: registrytest.PublicKey(registrytest.NamedKey("key of the thief"))}
		s := r.Compose(registry.KindKeyStolen, k, vakbond)
		return submit(r, s)
	}},
	{"threshold out of reach by removal", registry.ErrUnreachable, func(r *registrytest.Region) error {
		c := registry.DefaultThresholds()
		c[registry.ForHobbels] = registry.Threshold{Groups: 3, Members: 3}
		r.Do(registry.KindAmended, &registry.Amendment{Reason: "strenger", Thresholds: c}, werkgevers, vakbond)
		r.Do(registry.KindKeyLost, &registry.MemberKey{Member: "opleidersberaad", Reason: "kwijt"}, werkgevers, vakbond)
		return r.Try(registry.KindKeyLost, &registry.MemberKey{Member: "vakbond-de-eendracht", Reason: "kwijt"}, werkgevers, gemeente)
	}},
	{"threshold out of reach by amendment", registry.ErrUnreachable, func(r *registrytest.Region) error {
		c := registry.DefaultThresholds()
		c[registry.ForHobbels] = registry.Threshold{Groups: 4, Members: 5}
		return r.Try(registry.KindAmended, &registry.Amendment{Reason: "strenger", Thresholds: c}, werkgevers, vakbond)
	}},
	{"last node removed", registry.ErrUnreachable, func(r *registrytest.Region) error {
		for _, id := range []string{"knoop-1", "knoop-2"} {
			r.Do(registry.KindNodeRemoved, &registry.NodeChange{ID: id, Reason: "weg"}, werkgevers, vakbond)
		}
		return r.Try(registry.KindNodeRemoved, &registry.NodeChange{ID: "knoop-3", Reason: "weg"}, werkgevers, vakbond)
	}},
	{"rules of the future", registry.ErrRules, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, resigned(r, approval(r, p, vakbond), func(e *registry.Event) { e.Rules = registry.RulesVersion + 1 }))
	}},
	{"rules of the past", registry.ErrRules, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, resigned(r, approval(r, p, vakbond), func(e *registry.Event) { e.Rules = 1 }))
	}},
	{"unknown kind", registry.ErrKind, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, resigned(r, approval(r, p, vakbond), func(e *registry.Event) { e.Kind = "member.crowned" }))
	}},
	{"reserved kind", registry.ErrReserved, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, resigned(r, approval(r, p, vakbond), func(e *registry.Event) { e.Kind = registry.KindRenewed }))
	}},
	{"unknown member in the body", registry.ErrBody, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, resigned(r, approval(r, p, vakbond), func(e *registry.Event) {
			e.Body = json.RawMessage(`{"extra":1,"proposal":"` + p + `","voter":"` + vakbond + `"}`)
		}))
	}},
	{"second spelling of the body", registry.ErrBody, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, resigned(r, approval(r, p, vakbond), func(e *registry.Event) {
			e.Body = json.RawMessage(`{"proposal":"` + p + `","reason":"","voter":"` + vakbond + `"}`)
		}))
	}},
	{"somebody else's id", registry.ErrTaken, func(r *registrytest.Region) error {
		_, org := applied(r)
		a := r.Application("dief", registry.Issuer)
		a.Organisation = org
		party := registry.OrganisationParty(org)
		r.Keys[party] = registrytest.NamedKey("key of the thief")
		a.Key = registrytest.PublicKey(r.Keys[party])
		return r.Try(registry.KindApplied, a, party)
	}},
	{"somebody else's address", registry.ErrTaken, func(r *registrytest.Region) error {
		r.Admit("vaart", registry.Issuer)
		a := r.ApplicationFor("dief", "https://vaart.example", registry.Issuer)
		return r.Try(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	}},
	{"application under older criteria", registry.ErrTransition, func(r *registrytest.Region) error {
		a := r.Application("vaart", registry.Issuer)
		a.Criteria = "criteria-0"
		return r.Try(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	}},
	{"signed in the far future", registry.ErrMalformed, func(r *registrytest.Region) error {
		p, _ := applied(r)
		s := resigned(r, approval(r, p, vakbond), func(e *registry.Event) { e.Signed = 1 << 50; e.Expires = 1 << 50 })
		_, err := r.Stamp(s, time.Unix(1<<50, 0))
		return err
	}},
	{"an application signed by others only", registry.ErrSigner, func(r *registrytest.Region) error {
		return r.Try(registry.KindApplied, r.Application("vaart", registry.Issuer), vakbond)
	}},
	{"commitments where none belong", registry.ErrCommitment, func(r *registrytest.Region) error {
		p, _ := applied(r)
		return submit(r, resigned(r, approval(r, p, vakbond), func(e *registry.Event) { e.Commitments = map[string]string{"name": p} }))
	}},
	{"too large", registry.ErrTooLarge, func(r *registrytest.Region) error {
		c := catalogue("groot")
		for range 98 {
			h := c.Hobbels[0]
			h.ID = "G" + string(rune('A'+len(c.Hobbels)%26)) + strings.Repeat("x", len(c.Hobbels)/26)
			h.Title.NL = strings.Repeat("lang ", 100) + "."
			c.Hobbels = append(c.Hobbels, h)
		}
		return r.Try(registry.KindCatalogue, c, werkgevers, vakbond)
	}},
}

func TestHostileEventsChangeNothing(t *testing.T) {
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			r := registrytest.New(t)
			var before string
			r.OnLeaf = func(registry.Leaf) { before = r.State.Digest() }
			before = r.State.Digest()
			if err := tt.try(r); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if r.State.Digest() != before {
				t.Error("the state changed")
			}
		})
	}
}

func TestReservedKindsAreRefusedByName(t *testing.T) {
	active, without := registry.Kinds()
	if len(active) < 30 || len(without) < 1 {
		t.Fatalf("%d kinds with effect, %d without", len(active), len(without))
	}
	r := registrytest.New(t)
	p, _ := applied(r)
	for _, kind := range without {
		s := resigned(r, approval(r, p, vakbond), func(e *registry.Event) { e.Kind = kind })
		if err := submit(r, s); !errors.Is(err, registry.ErrReserved) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
