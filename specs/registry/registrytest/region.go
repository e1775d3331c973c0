// Package registrytest is a region in memory for tests: members, nodes, organisations and a
// CA with all their keys, the log with its checkpoints, and a node of it over HTTP. It is
// built on the exported parts of package registry only, and signs whatever a test asks,
// honest or not.
//
//	r := registrytest.New(t)
//	vaart := r.Admit("vaart", registry.Issuer)
//	chain, key := r.Certificate(vaart, registry.UsageCredential)
//	node := httptest.NewServer(r.Handler())
package registrytest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// Region is a region with all its keys. Its methods fail the test when something that must
// work does not. Use it from one goroutine; its [Region.Handler] locks.
type Region struct {
	T       testing.TB
	Charter registry.Charter
	State   *registry.State
	Leaves  [][]byte
	Now     time.Time                    // stamp of the next leaf, and time of signing
	Keys    map[string]*ecdsa.PrivateKey // by party: the key in force
	Nodes   map[string]NodeKeys          // by node id
	OnLeaf  func(registry.Leaf)          // called after each leaf

	ca        authority
	tree      *tlog.Tree
	notes     [][]byte
	handovers [][]byte
	mu        sync.RWMutex
	outcomes  map[string]registry.Outcome
}

// NodeKeys are the private keys of a node.
type NodeKeys struct {
	Log, Cosigner ed25519.PrivateKey
	Timestamp     *ecdsa.PrivateKey
}

// Start is when the regions of this package are founded.
var Start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// The members of the region, one of each group, as parties.
const (
	Werkgevers = "member/werkgevers-aakermonde"
	Vakbond    = "member/vakbond-de-eendracht"
	Opleiders  = "member/opleidersberaad"
	Gemeente   = "member/gemeente-aakermonde"
)

// Members lists the members as parties.
func Members() []string { return []string{Werkgevers, Vakbond, Opleiders, Gemeente} }

// NamedKey derives a P-256 key from a name: equal names, equal keys. For tests only.
func NamedKey(name string) *ecdsa.PrivateKey {
	for i := 0; ; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "test key %s %d", name, i))
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:]); err == nil {
			return key
		}
	}
}

func namedEd25519(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("test seed " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// PublicKey is the text form of a key's public half.
func PublicKey(key crypto.Signer) registry.PublicKey {
	pub, err := registry.NewPublicKey(key.Public())
	if err != nil {
		panic(err)
	}
	return pub
}

// OrganisationID derives an organisation's id from a name.
func OrganisationID(name string) string {
	sum := sha256.Sum256([]byte("test organisation " + name))
	id, err := registry.NewOrganisationID(strings.NewReader(string(sum[:])))
	if err != nil {
		panic(err)
	}
	return id
}

// Node makes a node with keys derived from its id.
func Node(id, operator string) (registry.Node, NodeKeys) {
	keys := NodeKeys{Log: namedEd25519("log " + id), Cosigner: namedEd25519("cosigner " + id), Timestamp: NamedKey("timestamp " + id)}
	text := func(k ed25519.PrivateKey) string {
		return base64.RawURLEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
	}
	return registry.Node{
		CosignerKey: text(keys.Cosigner), ID: id, LogKey: text(keys.Log), Operator: operator,
		RaftAddress: id + ".example:7000", TLSKey: fmt.Sprintf("%x", sha256.Sum256([]byte("tls "+id))),
		TimestampKey: PublicKey(keys.Timestamp), URL: "https://" + id + ".example",
	}, keys
}

// New founds a region of four members and three nodes, at [Start].
func New(t testing.TB) *Region { return NewAt(t, Start) }

// NewAt founds a region at a time.
func NewAt(t testing.TB, now time.Time) *Region {
	t.Helper()
	return NewUnder(t, now, registry.RulesVersion)
}

// NewNamed founds a region at a time that is called otherwise than those of [New]: its members and
// nodes have the same keys.
func NewNamed(t testing.TB, now time.Time, name, origin string) *Region {
	t.Helper()
	return newRegion(t, now, registry.RulesVersion, name, origin)
}

// NewUnder founds a region under a version of the rules.
func NewUnder(t testing.TB, now time.Time, rules int) *Region {
	t.Helper()
	return newRegion(t, now, rules, "Regio Aakermonde", "aakermonde.example/register")
}

func newRegion(t testing.TB, now time.Time, rules int, name, origin string) *Region {
	t.Helper()
	r := &Region{
		T: t, State: registry.NewState(""), Now: now.UTC().Truncate(time.Second), Keys: map[string]*ecdsa.PrivateKey{},
		Nodes: map[string]NodeKeys{}, tree: tlog.NewTree(), outcomes: map[string]registry.Outcome{},
	}
	r.ca = newAuthority(t, r.Now)
	r.Charter = registry.Charter{
		Admission: registry.DefaultTerm(), Criteria: "criteria-1", Name: name,
		Nonce: base64.RawURLEncoding.EncodeToString(make([]byte, 16)), Origin: origin,
		Anchors:    []registry.Anchor{registry.NewAnchor(r.ca.cert.Raw, "gemeente-aakermonde")},
		Thresholds: registry.DefaultThresholds(),
	}
	var signers []registry.Party
	for _, m := range []struct {
		party, name string
		group       registry.Group
	}{
		{Werkgevers, "Werkgeversvereniging Aakermonde", registry.Werkgevers},
		{Vakbond, "Vakbond De Eendracht", registry.Werknemers},
		{Opleiders, "Opleidersberaad Aakermonde", registry.Opleiders},
		{Gemeente, "Gemeente Aakermonde", registry.Overheid},
	} {
		id := strings.TrimPrefix(m.party, "member/")
		key := NamedKey(m.party)
		r.Keys[m.party], signers = key, append(signers, registry.Party{Name: m.party, Key: key})
		r.Charter.Members = append(r.Charter.Members, registry.Member{Group: m.group, ID: id, Key: PublicKey(key), Name: m.name})
	}
	for i, operator := range []string{"werkgevers-aakermonde", "vakbond-de-eendracht", "gemeente-aakermonde"} {
		n, keys := Node(fmt.Sprintf("knoop-%d", i+1), operator)
		r.Charter.Nodes, r.Nodes[n.ID] = append(r.Charter.Nodes, n), keys
	}
	founding, err := registry.Compose(registry.Draft{Now: r.Now, Rules: rules}, registry.KindFounded, &r.Charter, signers...)
	if err != nil {
		t.Fatal(err)
	}
	r.Must(founding)
	return r
}

// Genesis is the region's id.
func (r *Region) Genesis() string { return r.State.Genesis() }

// Party is a party with its key in force; an unknown one gets a key derived from its name.
func (r *Region) Party(name string) registry.Party {
	key, ok := r.Keys[name]
	if !ok {
		key = NamedKey(name)
		r.Keys[name] = key
	}
	return registry.Party{Name: name, Key: key}
}

// Draft is an honest draft for an event with this body, signed now.
func (r *Region) Draft(body registry.Body) registry.Draft {
	return registry.Draft{Genesis: r.Genesis(), Predecessor: r.State.Head(registry.SubjectOf(body)), Now: r.Now, Rules: r.State.Rules()}
}

// Compose makes an honest event.
func (r *Region) Compose(kind registry.Kind, body registry.Body, parties ...string) registry.SignedEvent {
	r.T.Helper()
	return r.ComposeWith(r.Draft(body), kind, body, parties...)
}

// ComposeWith makes an event from any draft.
func (r *Region) ComposeWith(d registry.Draft, kind registry.Kind, body registry.Body, parties ...string) registry.SignedEvent {
	r.T.Helper()
	ps := make([]registry.Party, len(parties))
	for i, p := range parties {
		ps[i] = r.Party(p)
	}
	s, err := registry.Compose(d, kind, body, ps...)
	if err != nil {
		r.T.Fatalf("compose %s: %v", kind, err)
	}
	return s
}

// Submit stamps an event with Now and applies it.
func (r *Region) Submit(s registry.SignedEvent) (registry.Effect, error) { return r.Stamp(s, r.Now) }

// Stamp applies an event with a log time.
func (r *Region) Stamp(s registry.SignedEvent, at time.Time) (registry.Effect, error) {
	r.T.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	leaf := registry.NewLeaf(s, at)
	effect, err := registry.Apply(r.State, leaf)
	if err != nil {
		return effect, err
	}
	raw, err := leaf.Marshal()
	if err != nil {
		r.T.Fatal(err)
	}
	r.Leaves = append(r.Leaves, raw)
	if _, err := r.tree.Append(registry.LeafHash(raw)); err != nil {
		r.T.Fatal(err)
	}
	if r.OnLeaf != nil {
		r.OnLeaf(leaf)
	}
	return effect, nil
}

// Must submits an event that has to be accepted.
func (r *Region) Must(s registry.SignedEvent) registry.Effect {
	r.T.Helper()
	effect, err := r.Submit(s)
	if err != nil {
		r.T.Fatalf("%s refused: %v", s.Event.Kind, err)
	}
	return effect
}

// Do composes and submits an event that has to be accepted.
func (r *Region) Do(kind registry.Kind, body registry.Body, parties ...string) registry.SignedEvent {
	r.T.Helper()
	s := r.Compose(kind, body, parties...)
	r.Must(s)
	return s
}

// Try composes and submits an event and returns the refusal, or nil.
func (r *Region) Try(kind registry.Kind, body registry.Body, parties ...string) error {
	r.T.Helper()
	_, err := r.Submit(r.Compose(kind, body, parties...))
	return err
}

// Approve lets members approve a proposal.
func (r *Region) Approve(proposal string, members ...string) {
	r.T.Helper()
	for _, m := range members {
		r.Do(registry.KindApproved, &registry.Decision{Proposal: proposal, Voter: m}, m)
	}
}

// Advance lets time pass.
func (r *Region) Advance(d time.Duration) { r.Now = r.Now.Add(d) }

// Application is an application of the organisation that a name stands for, with the URL
// https://NAME.example and the DID that belongs to it.
func (r *Region) Application(name string, role registry.Role) *registry.Application {
	return r.ApplicationFor(name, "https://"+name+".example", role)
}

// ApplicationFor is an application with a URL of its own.
func (r *Region) ApplicationFor(name, url string, role registry.Role) *registry.Application {
	id := OrganisationID(name)
	_, rest, _ := strings.Cut(url, "://")
	did := "did:web:" + strings.ReplaceAll(strings.ReplaceAll(rest, ":", "%3A"), "/", ":")
	a := &registry.Application{
		Aliases:  []registry.Alias{{Type: registry.AliasURL, Value: url}, {Type: registry.AliasDID, Value: did}},
		Criteria: "criteria-1", Name: "Organisatie " + name, Organisation: id, Role: role,
		Key: PublicKey(r.Party(registry.OrganisationParty(id)).Key),
	}
	switch role {
	case registry.Issuer:
		a.Types = []string{"urn:paspoort:opleiding:1", "urn:paspoort:werkervaring:1"}
	case registry.Verifier:
		a.Purposes = []string{"werving"}
	case registry.StatusSigner:
		a.Serves = []string{OrganisationID("vaart")}
	}
	return a
}

// Admit admits the organisation that a name stands for in a role, with the approval of
// vakbond and gemeente, and returns its id.
func (r *Region) Admit(name string, role registry.Role) string {
	r.T.Helper()
	return r.AdmitApplication(r.Application(name, role))
}

// AdmitApplication admits by an application, whose identity is left out if the organisation
// is known already.
func (r *Region) AdmitApplication(a *registry.Application) string {
	r.T.Helper()
	if org, err := r.State.View().Organisation(a.Organisation, r.Now); err == nil && org.Since != 0 {
		a.Name, a.Key, a.Registration, a.Aliases = "", "", "", nil
	}
	s := r.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	r.Approve(s.Event.ID(), Vakbond, Gemeente)
	return a.Organisation
}

// Admission asks whether an organisation is admitted as issuer of Opleiding.
func (r *Region) Admission(org string, at time.Time) registry.Answer {
	r.T.Helper()
	a, err := r.State.View().Admission(registry.Question{
		Lookup: registry.Lookup{Organisation: org}, Role: registry.Issuer, Type: "urn:paspoort:opleiding:1", At: at,
	})
	if err != nil {
		r.T.Fatal(err)
	}
	return a
}
