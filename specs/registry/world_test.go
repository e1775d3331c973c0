package registry

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/tlog"
)

// world is a region with all its keys, for tests: it composes events as honest and as hostile
// parties would. Its keys come from names, so that golden files can be made again.
type world struct {
	t       testing.TB
	keys    map[string]*ecdsa.PrivateKey // by party, current
	node    map[string]nodeSecrets
	charter Charter
	state   *State
	leaves  [][]byte
	notes   [][]byte // checkpoints that were signed
	tree    *tlog.Tree
	now     time.Time
	onApply func(Leaf)
}

type nodeSecrets struct {
	log, cosigner ed25519.PrivateKey
	timestamp     *ecdsa.PrivateKey
}

// namedKey derives a P-256 key from a name. Never do this outside of tests.
func namedKey(name string) *ecdsa.PrivateKey {
	for i := 0; ; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "test key %s %d", name, i))
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:])
		if err == nil {
			return key
		}
	}
}

func namedEd25519(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("test seed " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicText(key crypto.Signer) PublicKey {
	pub, err := NewPublicKey(key.Public())
	if err != nil {
		panic(err)
	}
	return pub
}

// organisationID derives an id from a name.
func organisationID(name string) string {
	sum := sha256.Sum256([]byte("test organisation " + name))
	id, err := NewOrganisationID(strings.NewReader(string(sum[:])))
	if err != nil {
		panic(err)
	}
	return id
}

func testNode(id, operator string) (Node, nodeSecrets) {
	sec := nodeSecrets{log: namedEd25519("log " + id), cosigner: namedEd25519("cosigner " + id), timestamp: namedKey("timestamp " + id)}
	tls := sha256.Sum256([]byte("tls " + id))
	return Node{
		CosignerKey: b64.EncodeToString(sec.cosigner.Public().(ed25519.PublicKey)), ID: id,
		LogKey: b64.EncodeToString(sec.log.Public().(ed25519.PublicKey)), Operator: operator,
		RaftAddress: id + ".example:7000", TLSKey: fmt.Sprintf("%x", tls), TimestampKey: publicText(sec.timestamp),
		URL: "https://" + id + ".example",
	}, sec
}

var testStart = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func testCharter() (Charter, map[string]*ecdsa.PrivateKey, map[string]nodeSecrets) {
	keys, nodes := map[string]*ecdsa.PrivateKey{}, map[string]nodeSecrets{}
	c := Charter{
		Admission: DefaultTerm(), Criteria: "criteria-1", Name: "Regio Aakermonde",
		Nonce: b64.EncodeToString(make([]byte, 16)), Origin: "aakermonde.example/register", Thresholds: DefaultThresholds(),
	}
	for _, m := range []struct {
		id, name string
		group    Group
	}{
		{"werkgevers-aakermonde", "Werkgeversvereniging Aakermonde", Werkgevers},
		{"vakbond-de-eendracht", "Vakbond De Eendracht", Werknemers},
		{"opleidersberaad", "Opleidersberaad Aakermonde", Opleiders},
		{"gemeente-aakermonde", "Gemeente Aakermonde", Overheid},
	} {
		key := namedKey(m.id)
		keys[MemberParty(m.id)] = key
		c.Members = append(c.Members, Member{Group: m.group, ID: m.id, Key: publicText(key), Name: m.name})
	}
	for i, operator := range []string{"werkgevers-aakermonde", "vakbond-de-eendracht", "gemeente-aakermonde"} {
		n, sec := testNode(fmt.Sprintf("knoop-%d", i+1), operator)
		c.Nodes, nodes[n.ID] = append(c.Nodes, n), sec
	}
	c.Anchors = []Anchor{NewAnchor([]byte("test anchor certificate"), "gemeente-aakermonde")}
	return c, keys, nodes
}

// newWorld is a region just after its founding.
func newWorld(t testing.TB) *world {
	w := &world{t: t, state: NewState(""), tree: tlog.NewTree(), now: testStart}
	w.charter, w.keys, w.node = testCharter()
	signers := map[string]crypto.Signer{}
	for _, m := range w.charter.Members {
		signers[m.ID] = w.keys[MemberParty(m.ID)]
	}
	founding, err := Found(w.charter, w.now, signers)
	if err != nil {
		t.Fatal(err)
	}
	w.must(founding)
	return w
}

func member(i int) string {
	return MemberParty([]string{"werkgevers-aakermonde", "vakbond-de-eendracht", "opleidersberaad", "gemeente-aakermonde"}[i])
}

func (w *world) party(name string) Party {
	key, ok := w.keys[name]
	if !ok {
		key = namedKey(name)
		w.keys[name] = key
	}
	return Party{name, key}
}

// draft is an honest draft for a body.
func (w *world) draft(body Body) Draft {
	return Draft{Genesis: w.state.Genesis(), Predecessor: w.state.Head(body.subject()), Now: w.now}
}

// compose makes an honest event.
func (w *world) compose(kind Kind, body Body, parties ...string) SignedEvent {
	w.t.Helper()
	return w.composeWith(w.draft(body), kind, body, parties...)
}

func (w *world) composeWith(d Draft, kind Kind, body Body, parties ...string) SignedEvent {
	w.t.Helper()
	var ps []Party
	for _, p := range parties {
		ps = append(ps, w.party(p))
	}
	s, err := Compose(d, kind, body, ps...)
	if err != nil {
		w.t.Fatalf("compose %s: %v", kind, err)
	}
	return s
}

// submit stamps an event with the world's time and applies it.
func (w *world) submit(s SignedEvent) (Effect, error) { return w.stamp(s, w.now) }

func (w *world) stamp(s SignedEvent, at time.Time) (Effect, error) {
	w.t.Helper()
	leaf := NewLeaf(s, at)
	effect, err := Apply(w.state, leaf)
	if err != nil {
		return effect, err
	}
	raw, err := leaf.Marshal()
	if err != nil {
		w.t.Fatal(err)
	}
	w.leaves = append(w.leaves, raw)
	if _, err := w.tree.Append(LeafHash(raw)); err != nil {
		w.t.Fatal(err)
	}
	if w.onApply != nil {
		w.onApply(leaf)
	}
	return effect, nil
}

func (w *world) must(s SignedEvent) Effect {
	w.t.Helper()
	effect, err := w.submit(s)
	if err != nil {
		w.t.Fatalf("%s refused: %v", s.Event.Kind, err)
	}
	return effect
}

func (w *world) advance(d time.Duration) { w.now = w.now.Add(d) }

// do composes and submits an event that must be accepted.
func (w *world) do(kind Kind, body Body, parties ...string) SignedEvent {
	w.t.Helper()
	s := w.compose(kind, body, parties...)
	w.must(s)
	return s
}

// try composes and submits an event and returns the refusal.
func (w *world) try(kind Kind, body Body, parties ...string) error {
	w.t.Helper()
	_, err := w.submit(w.compose(kind, body, parties...))
	return err
}

func (w *world) approve(proposal string, members ...string) {
	w.t.Helper()
	for _, m := range members {
		w.do(KindApproved, &Decision{Proposal: proposal, Voter: m}, m)
	}
}

func (w *world) application(name string, role Role) *Application {
	id := organisationID(name)
	a := &Application{
		Aliases:  []Alias{{AliasURL, "https://" + name + ".example"}, {AliasDID, "did:web:" + name + ".example"}},
		Criteria: "criteria-1", Key: publicText(w.party(OrganisationParty(id)).Key), Name: "Organisatie " + name, Organisation: id, Role: role,
	}
	switch role {
	case Issuer:
		a.Types = []string{"urn:paspoort:opleiding:1"}
	case Verifier:
		a.Purposes = []string{"werving"}
	case StatusSigner:
		a.Serves = []string{organisationID("vaart")}
	}
	return a
}

// admit brings an organisation in, with the approval of two members.
func (w *world) admit(name string, role Role, approvers ...string) string {
	w.t.Helper()
	if len(approvers) == 0 {
		approvers = []string{member(1), member(3)}
	}
	a := w.application(name, role)
	if org, ok := w.state.orgs.get(a.Organisation, w.state.size); ok && org.Since != 0 {
		a.Name, a.Key, a.Aliases = "", "", nil
	}
	s := w.do(KindApplied, a, OrganisationParty(a.Organisation))
	w.approve(s.Event.ID(), approvers...)
	return a.Organisation
}

// admission asks about an organisation as an issuer of Opleiding.
func (w *world) admission(org string, at time.Time) Answer {
	w.t.Helper()
	a, err := w.state.View().Admission(Question{Lookup: Lookup{Organisation: org}, Role: Issuer, Type: "urn:paspoort:opleiding:1", At: at})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// checkpoint signs the log with the first node and cosigns with the named ones.
func (w *world) checkpoint(cosigners ...string) []byte {
	w.t.Helper()
	c := tlog.Checkpoint{Origin: w.charter.Origin, Size: w.tree.Size(), Root: w.tree.Root()}
	var lines []string
	line := func(name string, kind tlog.KeyType, key ed25519.PrivateKey) {
		s, err := tlog.NewSigner(name, kind, key)
		if err != nil {
			w.t.Fatal(err)
		}
		l, err := s.Line(c.Text(), w.now)
		if err != nil {
			w.t.Fatal(err)
		}
		lines = append(lines, l)
	}
	line(c.Origin, tlog.TypeLog, w.node[cosigners[0]].log)
	for _, id := range cosigners {
		line(CosignerName(c.Origin, id), tlog.TypeCosigner, w.node[id].cosigner)
	}
	note := tlog.JoinNote(c.Text(), lines...)
	w.notes = append(w.notes, note)
	return note
}

// highS turns a signature into its other form.
func highS(t testing.TB, signature string) string {
	raw, err := b64.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	s := new(big.Int).SetBytes(raw[32:])
	s.Sub(p256Order, s).FillBytes(raw[32:])
	return b64.EncodeToString(raw)
}

// words of 8 bytes: a counter for tests that need distinct texts.
func word(n uint64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return fmt.Sprintf("%x", b)
}
