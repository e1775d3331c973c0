// Package evidencetest is a whole region in memory, for tests: members who approve,
// organisations with recorded certificates, credentials, status lists, timestamps, and
// the log that proves it all. Everything is made by the packages that the product uses;
// nothing is faked.
//
//	region := evidencetest.New(t, clock.Now)
//	issuer := region.Issuer("devaart.example", paspoort.Opleiding)
//	credential := issuer.Issue(paspoort.Opleiding, holder.Public())
//	follower := region.Follower() // an evidence.Copy
package evidencetest

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// operator is the member that keeps the region's CA.
const operator = "gemeente-aakermonde"

// Region is a region that is kept by the test itself.
type Region struct {
	Genesis string
	Charter registry.Charter

	t       testing.TB
	clock   func() time.Time
	keys    map[string]crypto.Signer // by party
	root    *x509.Certificate
	rootKey crypto.Signer
	state   *registry.State

	mu        sync.Mutex // of what a follower reads while the test goes on
	nodes     map[string]nodeKeys
	tree      *tlog.Tree
	leaves    [][]byte
	handovers [][]byte
	payloads  []registry.OpenPayload
}

type nodeKeys struct {
	log, cosigner ed25519.PrivateKey
	timestamp     crypto.Signer
}

// New founds a region at the clock's time.
func New(t testing.TB, clock func() time.Time) *Region {
	t.Helper()
	return Named(t, clock, "Regio Aakermonde", "aakermonde.example")
}

// Named founds a region with a name and the host that its log is named after.
func Named(t testing.TB, clock func() time.Time, name, host string, change ...func(*registry.Charter)) *Region {
	t.Helper()
	r := &Region{
		t: t, clock: clock, keys: map[string]crypto.Signer{}, nodes: map[string]nodeKeys{},
		state: registry.NewState(""), tree: tlog.NewTree(), rootKey: newKey(t),
	}
	var err error
	r.root, err = ca.NewRoot(r.rootKey, ca.Root{Name: name, NotBefore: clock().Add(-time.Hour), NotAfter: clock().AddDate(20, 0, 0)})
	r.check(err)
	nonce, err := registry.NewNonce(rand.Reader)
	r.check(err)
	r.Charter = registry.Charter{
		Admission: registry.DefaultTerm(), Criteria: "criteria-1", Name: name, Nonce: nonce,
		Origin: host + "/register", Thresholds: registry.DefaultThresholds(),
		Anchors: []registry.Anchor{registry.NewAnchor(r.root.Raw, operator)},
	}
	members := map[string]crypto.Signer{}
	for id, group := range map[string]registry.Group{
		"werkgevers-aakermonde": registry.Werkgevers, "vakbond-de-eendracht": registry.Werknemers,
		"opleidersberaad": registry.Opleiders, operator: registry.Overheid,
	} {
		key := newKey(t)
		members[id], r.keys[registry.MemberParty(id)] = key, key
		r.Charter.Members = append(r.Charter.Members, registry.Member{Group: group, ID: id, Key: r.publicKey(key), Name: "Lid " + id})
	}
	for i := range 3 {
		r.Charter.Nodes = append(r.Charter.Nodes, r.node(fmt.Sprintf("knoop-%d", i+1)))
	}
	for _, f := range change {
		f(&r.Charter)
	}
	founding, err := registry.Found(r.Charter, clock(), members)
	r.check(err)
	r.submit(founding)
	r.Genesis = r.state.Genesis()
	return r
}

func (r *Region) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func newKey(t testing.TB) *jose.PrivateKey {
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (r *Region) publicKey(key crypto.Signer) registry.PublicKey {
	pub, err := registry.NewPublicKey(key.Public())
	r.check(err)
	return pub
}

func (r *Region) node(id string) registry.Node {
	var keys nodeKeys
	var err error
	_, keys.log, err = ed25519.GenerateKey(rand.Reader)
	r.check(err)
	_, keys.cosigner, err = ed25519.GenerateKey(rand.Reader)
	r.check(err)
	keys.timestamp = newKey(r.t)
	r.mu.Lock()
	r.nodes[id] = keys
	r.mu.Unlock()
	tls := sha256.Sum256([]byte(id))
	text := func(k ed25519.PrivateKey) string {
		return base64.RawURLEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
	}
	return registry.Node{
		CosignerKey: text(keys.cosigner), ID: id, LogKey: text(keys.log), Operator: operator,
		RaftAddress: id + ".example:7000", TLSKey: hex.EncodeToString(tls[:]),
		TimestampKey: r.publicKey(keys.timestamp), URL: "https://" + id + ".example",
	}
}

// submit appends an event that must be accepted.
func (r *Region) submit(e registry.SignedEvent) {
	r.t.Helper()
	leaf := registry.NewLeaf(e, r.clock())
	if _, err := registry.Apply(r.state, leaf); err != nil {
		r.t.Fatalf("%s refused: %v", e.Event.Kind, err)
	}
	raw, err := leaf.Marshal()
	r.check(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err = r.tree.Append(registry.LeafHash(raw))
	r.check(err)
	r.leaves = append(r.leaves, raw)
}

// Do signs and submits an event by parties, and returns its id. A proposal is then approved
// by members.
func (r *Region) Do(approvers []string, kind registry.Kind, body registry.Body, parties ...string) string {
	r.t.Helper()
	return r.doWith(nil, approvers, kind, body, parties...)
}

// doWith is Do for an event that commits to payloads.
func (r *Region) doWith(commitments map[string]string, approvers []string, kind registry.Kind, body registry.Body, parties ...string) string {
	r.t.Helper()
	var signers []registry.Party
	for _, name := range parties {
		signers = append(signers, registry.Party{Name: name, Key: r.keys[name]})
	}
	draft := registry.Draft{
		Genesis: r.state.Genesis(), Predecessor: r.state.Head(registry.SubjectOf(body)), Now: r.clock(), Commitments: commitments,
	}
	event, err := registry.Compose(draft, kind, body, signers...)
	r.check(err)
	r.submit(event)
	for _, id := range approvers {
		voter := registry.MemberParty(id)
		r.Do(nil, registry.KindApproved, &registry.Decision{Proposal: event.Event.ID(), Voter: voter}, voter)
	}
	return event.Event.ID()
}

// Admit brings an organisation in, in one role, and returns its id.
func (r *Region) Admit(a registry.Application) string {
	r.t.Helper()
	id, err := registry.NewOrganisationID(rand.Reader)
	r.check(err)
	key := newKey(r.t)
	party := registry.OrganisationParty(id)
	r.keys[party] = key
	a.Organisation, a.Key, a.Criteria = id, r.publicKey(key), "criteria-1"
	r.Do([]string{"vakbond-de-eendracht", "werkgevers-aakermonde"}, registry.KindApplied, &a, party)
	return id
}

// Certify makes a certificate for a key of an organisation and records it.
func (r *Region) Certify(organisation, url string, pub crypto.PublicKey, usage registry.Usage) *x509.Certificate {
	r.t.Helper()
	from, to := r.clock().Truncate(time.Second), r.clock().AddDate(1, 0, 0).Truncate(time.Second)
	cert, err := ca.Leaf(r.root, r.rootKey, ca.Request{Public: pub, Organisation: organisation, URI: url, NotBefore: from, NotAfter: to})
	r.check(err)
	record := registry.NewCertificateRecord(cert, registry.Fingerprint(r.root.Raw), organisation, usage)
	if r.keys[registry.OrganisationParty(organisation)] != nil {
		r.Do(nil, registry.KindCertificate, record, registry.MemberParty(operator), registry.OrganisationParty(organisation))
		return cert
	}
	commitments := r.commit(map[string]string{"certificate": record.Fingerprint, "spki": record.SPKI})
	record.Fingerprint, record.SPKI = "", ""
	r.doWith(commitments, nil, registry.KindCertificate, record, registry.MemberParty(operator), registry.MemberParty("opleidersberaad"))
	return cert
}

// Withdraw ends an issuer's admission; with fraud, from a moment in the past on.
func (r *Region) Withdraw(organisation string, fraud bool, from time.Time) {
	r.t.Helper()
	m := &registry.Measure{Organisation: organisation, Role: registry.Issuer, Reason: "besluit van de leden", Fraud: fraud}
	if fraud {
		m.EffectiveFrom = from.Unix()
	}
	// Who proposes agrees; one more makes two groups.
	r.Do([]string{"vakbond-de-eendracht"}, registry.KindWithdrawn, m, registry.MemberParty("opleidersberaad"))
}

// Revoke ends a certificate of an organisation, by itself; compromised, from a moment in the
// past on.
func (r *Region) Revoke(organisation string, cert *x509.Certificate, compromised bool, from time.Time) {
	r.t.Helper()
	r.Do(nil, registry.KindCertRevoked, &registry.CertificateRevocation{
		Certificate: registry.Fingerprint(cert.Raw), Compromised: compromised, EffectiveFrom: from.Unix(), Reason: "de sleutel is weg",
	}, registry.OrganisationParty(organisation))
}

// Sign makes a checkpoint over the whole log, cosigned by the named nodes, by default all.
func (r *Region) Sign(nodes ...string) []byte {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(nodes) == 0 {
		nodes = slices.Sorted(maps.Keys(r.nodes))
	}
	c := tlog.Checkpoint{Origin: r.Charter.Origin, Size: r.tree.Size(), Root: r.tree.Root()}
	line := func(name string, kind tlog.KeyType, key ed25519.PrivateKey) string {
		signer, err := tlog.NewSigner(name, kind, key)
		r.check(err)
		text, err := signer.Line(c.Text(), r.clock())
		r.check(err)
		return text
	}
	lines := []string{line(c.Origin, tlog.TypeLog, r.nodes[nodes[0]].log)}
	for _, id := range nodes {
		lines = append(lines, line(registry.CosignerName(c.Origin, id), tlog.TypeCosigner, r.nodes[id].cosigner))
	}
	return tlog.JoinNote(c.Text(), lines...)
}

// Checkpoint implements evidence.Source.
func (r *Region) Checkpoint(context.Context) ([]byte, error) { return r.Sign(), nil }

// Handovers implements evidence.Source.
func (r *Region) Handovers(context.Context) ([][]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.handovers), nil
}

// Leaves implements evidence.Source; it sends at most ten at a time.
func (r *Region) Leaves(_ context.Context, from, to uint64) ([][]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.leaves[from:min(to, from+10)]), nil
}

// Snapshot is the region in one file.
func (r *Region) Snapshot() []byte {
	r.t.Helper()
	var out strings.Builder
	_, err := registry.Snapshot{Genesis: r.Genesis, Checkpoint: r.Sign(), Handovers: r.handovers, Leaves: r.leaves, Payloads: r.payloads}.WriteTo(&out)
	r.check(err)
	return []byte(out.String())
}

// Follower is a copy of the region as it stands, that Refresh brings up to date.
func (r *Region) Follower() *evidence.Follower {
	r.t.Helper()
	f, err := evidence.NewFollower(evidence.FollowerConfig{Genesis: r.Genesis, Sources: []evidence.Source{r}, Clock: r.clock})
	r.check(err)
	r.check(f.Refresh(context.Background()))
	return f
}

// Timestamp is what a node says now about a copy: a proof for the key binding.
func (r *Region) Timestamp(node, issuerJWT string) map[string]any {
	r.t.Helper()
	salt := make([]byte, 16)
	_, err := rand.Read(salt)
	r.check(err)
	signed, err := paspoort.SignTimestamp(r.nodes[node].timestamp, r.Genesis, node, paspoort.Commitment(salt, issuerJWT), r.clock())
	r.check(err)
	return map[string]any{"salt": jose.EncodeBase64URL(salt), "timestamp": signed}
}

// SignCommitment is the answer of a node that is asked for a timestamp.
func (r *Region) SignCommitment(node string, commitment [32]byte) (string, error) {
	return paspoort.SignTimestamp(r.nodes[node].timestamp, r.Genesis, node, commitment, r.clock())
}

// AddNode brings a node into the region and keeps the checkpoint of the handover (design D7):
// the first one beyond the change, by the old nodes and the new one.
func (r *Region) AddNode(id string) {
	r.t.Helper()
	n := r.node(id)
	change := &registry.NodeChange{Node: &n, Reason: "een knoop erbij"}
	r.Do([]string{"vakbond-de-eendracht"}, registry.KindNodeAdded, change, registry.MemberParty(operator))
	r.Admit(registry.Application{Role: registry.WalletHost, Name: "Zorggroep Linde " + id})
	note := r.Sign()
	r.mu.Lock()
	r.handovers = append(r.handovers, note)
	r.mu.Unlock()
}
