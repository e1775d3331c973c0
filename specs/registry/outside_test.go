package registry_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
	"paspoort.example/paspoort/specs/tlog"
)

func TestPeers(t *testing.T) {
	r := registrytest.New(t)
	start := r.Now
	p := lindewaard(r)
	p.Types = []string{opleiding}
	s := r.Do(registry.KindPeerAccepted, p, werkgevers)
	if got := r.State.View().Peers(r.Now); len(got) != 0 {
		t.Errorf("accepted by one member: %+v", got)
	}
	r.Advance(day)
	r.Approve(s.Event.ID(), gemeente)
	accepted := r.Now
	r.Advance(300 * day)
	renewed := lindewaard(r)
	r.Do(registry.KindPeerAccepted, renewed, vakbond, gemeente)
	r.Advance(100 * day)
	r.Do(registry.KindPeerDropped, &registry.PeerDrop{Genesis: p.Genesis, Reason: "toont twee geschiedenissen", EffectiveFrom: accepted.Add(350 * day).Unix()}, vakbond, gemeente)
	dropped := r.Now
	r.Advance(10 * day)
	r.Do(registry.KindPeerAccepted, lindewaard(r), vakbond, gemeente)
	again := r.Now
	next := lindewaard(r)
	next.Genesis, next.Origin, next.Continues = registry.Fingerprint([]byte("verder")), "lindewaard.example/register-2", p.Genesis
	r.Do(registry.KindPeerAccepted, next, vakbond, gemeente)

	v := r.State.View()
	for _, tt := range []struct {
		name      string
		at        time.Time
		want      registry.PeerState
		since     time.Time
		relies    bool // on werkervaring
		continued bool
	}{
		{"before", start, "", time.Time{}, false, false},
		{"accepted for one type", accepted, registry.PeerAccepted, accepted, false, false},
		{"renewed for all", accepted.Add(301 * day), registry.PeerAccepted, accepted, true, false},
		{"dropped with effect on the past", accepted.Add(360 * day), registry.PeerDropped, accepted, true, false},
		{"when it was dropped", dropped, registry.PeerDropped, accepted, true, false},
		{"accepted anew", again, registry.PeerAccepted, again, true, true},
		{"run out", again.AddDate(1, 0, 0), registry.PeerEnded, again, true, true},
	} {
		got, ok := v.Peer(p.Genesis, tt.at)
		if ok != (tt.want != "") || got.State != tt.want || ok && got.Since != tt.since.Unix() || ok && got.Relies("urn:paspoort:werkervaring:1") != tt.relies ||
			(got.ContinuedBy == next.Genesis) != tt.continued {
			t.Errorf("%s: %+v, %v", tt.name, got, ok)
		}
	}
	if then, err := r.State.AsOf(uint64(len(r.Leaves)) - 3); err != nil {
		t.Error(err)
	} else if got, _ := then.Peer(p.Genesis, accepted.Add(360*day)); got.State != registry.PeerAccepted {
		t.Errorf("before anybody knew of the drop: %+v", got)
	}
	if got := v.Ending(again.AddDate(0, 11, 15), registry.Warning).Peers; len(got) != 1 || got[0].Genesis != next.Genesis {
		t.Errorf("warned of %+v, want the region that goes on only", got)
	}
	c, _ := serve(t, r)
	if got, err := c.Peers(context.Background(), registry.When{At: again}); err != nil || len(got.Peers) != 2 || got.Peers[0].Name != "Regio Lindewaard" {
		t.Errorf("over HTTP %+v, %v", got, err)
	}
}

// attempt is Try of what may have a body that cannot even be composed.
func attempt(r *registrytest.Region, kind registry.Kind, body registry.Body, signers ...string) error {
	var parties []registry.Party
	for _, s := range signers {
		parties = append(parties, r.Party(s))
	}
	s, err := registry.Compose(r.Draft(body), kind, body, parties...)
	if err != nil {
		return err
	}
	return submit(r, s)
}

func TestPeersAreRefused(t *testing.T) {
	r := registrytest.New(t)
	r.Do(registry.KindPeerAccepted, lindewaard(r), vakbond, gemeente)
	other := func(change func(*registry.PeerAcceptance)) *registry.PeerAcceptance {
		p := lindewaard(r)
		p.Genesis, p.Origin = registry.Fingerprint([]byte("derde")), "derde.example/register"
		change(p)
		return p
	}
	org := registry.OrganisationParty(r.Admit("vaart", registry.Issuer))
	drop := &registry.PeerDrop{Genesis: registry.Fingerprint([]byte("derde")), Reason: "weg"}
	for _, tt := range []struct {
		name    string
		kind    registry.Kind
		body    registry.Body
		signers []string
		want    error
	}{
		{"itself", registry.KindPeerAccepted, other(func(p *registry.PeerAcceptance) { p.Genesis = r.Genesis() }), []string{vakbond, gemeente}, registry.ErrTransition},
		{"its own origin", registry.KindPeerAccepted, other(func(p *registry.PeerAcceptance) { p.Origin = r.Charter.Origin }), []string{vakbond, gemeente}, registry.ErrTaken},
		{"the origin of another", registry.KindPeerAccepted, other(func(p *registry.PeerAcceptance) { p.Origin = lindewaard(r).Origin }), []string{vakbond, gemeente}, registry.ErrTaken},
		{"for four years", registry.KindPeerAccepted, other(func(p *registry.PeerAcceptance) { p.Until = r.Now.AddDate(4, 0, 0).Unix() }), []string{vakbond, gemeente}, registry.ErrBody},
		{"until yesterday", registry.KindPeerAccepted, other(func(p *registry.PeerAcceptance) { p.Until = r.Now.Add(-day).Unix() }), []string{vakbond, gemeente}, registry.ErrBody},
		{"without end", registry.KindPeerAccepted, other(func(p *registry.PeerAcceptance) { p.Until = 0 }), []string{vakbond, gemeente}, registry.ErrBody},
		{"without nodes", registry.KindPeerAccepted, other(func(p *registry.PeerAcceptance) { p.URLs = nil }), []string{vakbond, gemeente}, registry.ErrBody},
		{"types out of order", registry.KindPeerAccepted, other(func(p *registry.PeerAcceptance) { p.Types = []string{"b", "a"} }), []string{vakbond, gemeente}, registry.ErrBody},
		{"in the place of one unknown", registry.KindPeerAccepted, other(func(p *registry.PeerAcceptance) { p.Continues = registry.Fingerprint(nil) }), []string{vakbond, gemeente}, registry.ErrUnknown},
		{"by an organisation", registry.KindPeerAccepted, other(func(*registry.PeerAcceptance) {}), []string{org}, registry.ErrSigner},
		{"dropped before it was accepted", registry.KindPeerDropped, drop, []string{vakbond, gemeente}, registry.ErrUnknown},
	} {
		if err := attempt(r, tt.kind, tt.body, tt.signers...); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	d := &registry.PeerDrop{Genesis: lindewaard(r).Genesis, Reason: "weg"}
	r.Do(registry.KindPeerDropped, d, vakbond, gemeente)
	if err := r.Try(registry.KindPeerDropped, d, vakbond, gemeente); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("dropped twice: %v", err)
	}
	older := registrytest.NewUnder(t, registrytest.Start, 2)
	under2 := func(kind registry.Kind, body registry.Body) error {
		d := older.Draft(body)
		d.Rules = 3
		return submit(older, resigned(older, older.ComposeWith(d, kind, body, vakbond, gemeente), func(e *registry.Event) { e.Rules = 2 }))
	}
	if err := under2(registry.KindPeerAccepted, lindewaard(older)); !errors.Is(err, registry.ErrReserved) {
		t.Errorf("under rules 2: %v", err)
	}
	if err := under2(registry.KindAmended, &registry.Amendment{Entity: "https://a.example", Reason: "x"}); !errors.Is(err, registry.ErrBody) {
		t.Errorf("an entity id under rules 2: %v", err)
	}
	keys := &registry.NodeChange{ID: "knoop-1", Keys: &registry.NodeKeys{Federation: registrytest.PublicKey(registrytest.NamedKey("x"))}, Reason: "x"}
	if err := under2(registry.KindNodeKeys, keys); !errors.Is(err, registry.ErrBody) {
		t.Errorf("a federation key under rules 2: %v", err)
	}
}

// cosigned adds a witness's cosignature to a note.
func cosigned(t *testing.T, note []byte, w registry.Witness, key ed25519.PrivateKey, at time.Time) []byte {
	t.Helper()
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		t.Fatal(err)
	}
	s, err := tlog.NewSigner(w.Name, tlog.TypeCosigner, key)
	if err != nil {
		t.Fatal(err)
	}
	line, err := s.Line(c.Text(), at)
	if err != nil {
		t.Fatal(err)
	}
	return append(slices.Clone(note), line+"\n"...)
}

func TestWitnesses(t *testing.T) {
	r := registrytest.New(t)
	p := lindewaard(r)
	r.Do(registry.KindPeerAccepted, p, vakbond, gemeente)
	w, key := outside("lindewaard-1", p.Origin)
	w.Genesis = p.Genesis
	second, _ := outside("journalist", "archief.example/getuige")
	before := r.Checkpoint()
	r.Do(registry.KindWitness, &registry.WitnessChange{Reason: "getuigen voor elkaar", Witnesses: []registry.Witness{w, second}}, vakbond, gemeente)
	r.Advance(time.Hour)
	v, note := r.State.View(), r.Checkpoint()
	if got := v.Witnesses(); len(got) != 2 || got[0] != w {
		t.Fatalf("witnesses %+v", got)
	}
	policy, err := v.WitnessedPolicy(r.State.Size())
	if err != nil || !strings.Contains(policy, w.URL) {
		t.Fatalf("policy %q, %v", policy, err)
	}
	if _, err := v.WitnessedPolicy(2); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("before there were witnesses: %v", err)
	}
	_, stranger := outside("vreemde", p.Origin)
	early := r.Now.Add(-10 * time.Minute)
	for _, tt := range []struct {
		name string
		note []byte
		own  bool
		at   time.Time
		err  error
	}{
		{"nodes only", note, true, r.Now, nil},
		{"with a witness", cosigned(t, note, w, key, r.Now), false, r.Now, nil},
		{"a witness that was there earlier", cosigned(t, note, w, key, early), false, early, nil},
		{"a witness of last week", cosigned(t, note, w, key, r.Now.Add(-7*day)), true, r.Now, nil},
		{"a witness of next week", cosigned(t, note, w, key, r.Now.Add(7*day)), true, r.Now, nil},
		{"a stranger under its name", cosigned(t, note, w, stranger, r.Now), true, r.Now, nil},
		{"witness without the nodes", cosigned(t, r.Checkpoint("knoop-1"), w, key, r.Now), true, time.Time{}, registry.ErrCheckpoint},
		{"a checkpoint of before", cosigned(t, before, w, key, r.Now), true, r.Now.Add(-time.Hour), nil},
	} {
		got, err := v.Freshness(tt.note)
		if tt.err != nil {
			if !errors.Is(err, tt.err) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err != nil || got.OwnNodesOnly != tt.own || !got.Time.Equal(tt.at) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
	rep := newReplica(t, r.Genesis())
	if err := rep.Extend(r.Leaves, cosigned(t, note, w, key, r.Now)); err != nil || rep.Freshness().OwnNodesOnly {
		t.Errorf("replica: %+v, %v", rep.Freshness(), err)
	}
	if err := rep.Extend(nil, note); err != nil || !rep.Freshness().OwnNodesOnly {
		t.Errorf("a region goes on without its witness: %+v, %v", rep.Freshness(), err)
	}
	c, _ := serve(t, r)
	if got, err := c.Witnesses(context.Background(), registry.When{}); err != nil || len(got.Witnesses) != 2 {
		t.Errorf("over HTTP %+v, %v", got, err)
	}
}

func TestWitnessesAreFromOutside(t *testing.T) {
	r := registrytest.New(t)
	good, _ := outside("lindewaard-1", "lindewaard.example/register")
	change := func(edit func(*registry.Witness)) *registry.WitnessChange {
		w := good
		edit(&w)
		return &registry.WitnessChange{Reason: "x", Witnesses: []registry.Witness{w}}
	}
	node, dropped := r.Charter.Nodes[1], lindewaard(r)
	r.Do(registry.KindPeerAccepted, dropped, vakbond, gemeente)
	r.Do(registry.KindPeerDropped, &registry.PeerDrop{Genesis: dropped.Genesis, Reason: "x"}, vakbond, gemeente)
	for _, tt := range []struct {
		name string
		body *registry.WitnessChange
		want error
	}{
		{"a cosigner key of its own", change(func(w *registry.Witness) { w.Key = node.CosignerKey }), registry.ErrTaken},
		{"a log key of its own", change(func(w *registry.Witness) { w.Key = node.LogKey }), registry.ErrTaken},
		{"of a region that was not accepted", change(func(w *registry.Witness) { w.Genesis = registry.Fingerprint(nil) }), registry.ErrUnknown},
		{"a name of its own nodes", change(func(w *registry.Witness) { w.Name = registry.CosignerName(r.Charter.Origin, node.ID) }), registry.ErrTaken},
		{"of a region that was dropped", change(func(w *registry.Witness) { w.Genesis = dropped.Genesis }), registry.ErrUnknown},
		{"no key", change(func(w *registry.Witness) { w.Key = "" }), registry.ErrBody},
		{"a name that no key can have", change(func(w *registry.Witness) { w.Name = "a+b" }), registry.ErrBody},
		{"no address", change(func(w *registry.Witness) { w.URL = "lindewaard.example" }), registry.ErrBody},
		{"twice", &registry.WitnessChange{Reason: "x", Witnesses: []registry.Witness{good, good}}, registry.ErrBody},
	} {
		if err := attempt(r, registry.KindWitness, tt.body, vakbond, gemeente); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	// And a witness does not become a node.
	n, _ := registrytest.Node("knoop-4", "gemeente-aakermonde")
	w := good
	w.Key = n.CosignerKey
	r.Do(registry.KindWitness, &registry.WitnessChange{Reason: "x", Witnesses: []registry.Witness{w}}, vakbond, gemeente)
	if err := r.Try(registry.KindNodeAdded, &registry.NodeChange{Node: &n, Reason: "x"}, vakbond, gemeente); !errors.Is(err, registry.ErrTaken) {
		t.Errorf("a node with the key of a witness: %v", err)
	}
}

func TestCustodian(t *testing.T) {
	r := registrytest.New(t)
	vaart, linde := r.Admit("vaart", registry.Issuer), r.Admit("linde", registry.Issuer)
	body := func() *registry.Custodian {
		return &registry.Custodian{By: linde, Organisation: vaart, Reason: "opgehouden", Until: r.Now.AddDate(1, 0, 0).Unix()}
	}
	chain, _ := r.Certificate(linde, registry.UsageStatus)
	cert := registry.Fingerprint(chain[0].Raw)
	may := func(at time.Time) bool { return r.State.View().MaySignStatus(cert, vaart, at) }
	before := r.Now
	r.Advance(10 * day)
	if err := r.Try(registry.KindCustodian, &registry.Custodian{By: registrytest.OrganisationID("niemand"), Organisation: vaart, Reason: "x"}, vakbond, gemeente); !errors.Is(err, registry.ErrNotAdmitted) {
		t.Errorf("a custodian that is not admitted: %v", err)
	}
	if err := r.Try(registry.KindCustodian, body(), registry.OrganisationParty(registrytest.OrganisationID("niemand")), vakbond); !errors.Is(err, registry.ErrSigner) {
		t.Errorf("signed by who has nothing to do with it: %v", err)
	}
	s := r.Do(registry.KindCustodian, body(), registry.OrganisationParty(vaart), registry.OrganisationParty(linde))
	if may(r.Now) {
		t.Error("custodian by its own word")
	}
	r.Approve(s.Event.ID(), vakbond, gemeente)
	since := r.Now
	r.Advance(30 * day)
	if !may(r.Now) || may(before) || may(since.AddDate(1, 0, 1)) {
		t.Errorf("signs now %v, before %v, after its end %v", may(r.Now), may(before), may(since.AddDate(1, 0, 1)))
	}
	if c, ok := r.State.View().Custodian(vaart, r.Now); !ok || c.By != linde || c.Since != since.Unix() {
		t.Errorf("custodian %+v, %v", c, ok)
	}
	c, _ := serve(t, r)
	if got, err := c.Custodians(context.Background(), registry.When{At: r.Now}); err != nil || len(got.Custodians) != 1 {
		t.Errorf("over HTTP %+v, %v", got, err)
	}
	ending := r.State.View().Ending(r.Now, 400*day)
	if len(ending.Custodians) != 1 || ending.Custodians[0].Name != "Organisatie vaart" {
		t.Errorf("warned of %+v", ending.Custodians)
	}
	end := &registry.Custodian{Organisation: vaart, Reason: "niet meer nodig"}
	r.Do(registry.KindCustodian, end, vakbond, gemeente)
	if may(r.Now.Add(day)) || !may(since.Add(day)) {
		t.Error("what ended has effect on another time")
	}
	if err := r.Try(registry.KindCustodian, end, vakbond, gemeente); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("ended twice: %v", err)
	}
}

// A custodian has a say neither in its own custody nor, as a member, in that of its own
// organisation.
func TestCustodianHasConflicts(t *testing.T) {
	r := registrytest.New(t)
	vaart := r.Admit("vaart", registry.Issuer)
	a := r.Application("linde", registry.Issuer)
	a.Members = []string{"opleidersberaad"}
	r.AdmitApplication(a)
	s := r.Do(registry.KindCustodian, &registry.Custodian{By: a.Organisation, Organisation: vaart, Reason: "opgehouden"}, opleiders, vakbond)
	if _, ok := r.State.View().Custodian(vaart, r.Now); ok {
		t.Error("named by the member that controls it and one other")
	}
	if err := r.Try(registry.KindApproved, &registry.Decision{Proposal: s.Event.ID(), Voter: opleiders}, opleiders); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("a vote by who controls it: %v", err)
	}
	r.Approve(s.Event.ID(), gemeente)
	if _, ok := r.State.View().Custodian(vaart, r.Now); !ok {
		t.Error("not named by two others")
	}
}
