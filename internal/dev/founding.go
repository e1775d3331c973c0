package dev

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/registry"
)

// The region. All names are invented.
const (
	regionName = "Regio Aakermonde"
	origin     = "aakermonde.example/register"
	criteria   = "criteria-2026-1"
	foundingAt = "region/founding.json"
	anchorCert = "region/ca.pem"
	anchorKey  = "region/ca.key" // a member's, kept offline in earnest
)

// member is a body that decides in the region.
type member struct {
	id, name string
	group    registry.Group
	contact  string // an invented one
}

// members are of the four groups. The last one keeps the region's CA.
var members = []member{
	{"werkgeverskring", "Werkgeverskring Aakermonde", registry.Werkgevers, "https://werkgeverskring.example/toelating"},
	{"vakbond-het-anker", "Vakbond Het Anker", registry.Werknemers, "toelating@vakbondhetanker.example"},
	{"opleidersberaad", "Opleidersberaad Aakermonde", registry.Opleiders, "toelating@opleidersberaad.example"},
	{"gemeente-aakermonde", "Gemeente Aakermonde", registry.Overheid, "https://gemeente-aakermonde.example/paspoort"},
}

const caOperator = "gemeente-aakermonde"

// nodeOf is a node and the member that runs it.
type nodeOf struct{ id, operator string }

// nodes are run by members of three groups.
var nodes = []nodeOf{
	{"knoop-1", "werkgeverskring"},
	{"knoop-2", "vakbond-het-anker"},
	{"knoop-3", "gemeente-aakermonde"},
}

// founding gives the founding event of the region in the folder, and makes it the
// first time: keys of members and nodes, the CA, the charter that all members sign.
func (l layout) founding(s settings, now time.Time) (registry.SignedEvent, error) {
	body, err := os.ReadFile(l.path(foundingAt))
	if err == nil {
		return registry.ParseEvent(body)
	}
	charter, keys, err := l.charter(s, now)
	if err != nil {
		return registry.SignedEvent{}, fmt.Errorf("found the region: %w", err)
	}
	event, err := registry.Found(charter, now, keys)
	if err != nil {
		return registry.SignedEvent{}, fmt.Errorf("found the region: %w", err)
	}
	if body, err = event.Marshal(); err != nil {
		return registry.SignedEvent{}, err
	}
	return event, keyfile.WriteAtomic(l.path(foundingAt), body, 0o600)
}

func (l layout) charter(s settings, now time.Time) (registry.Charter, map[string]crypto.Signer, error) {
	nonce, err := registry.NewNonce(rand.Reader)
	if err != nil {
		return registry.Charter{}, nil, err
	}
	c := registry.Charter{
		Admission: registry.DefaultTerm(), Criteria: criteria, Name: regionName, Nonce: nonce,
		Origin: origin, Thresholds: registry.DefaultThresholds(),
		Entity: s.url(nodes[0].id), // one node's address; any node answers for it
	}
	keys := map[string]crypto.Signer{}
	for _, m := range members {
		key, err := l.memberKey(m.id)
		if err != nil {
			return c, nil, err
		}
		pub, err := registry.NewPublicKey(key.Public())
		if err != nil {
			return c, nil, err
		}
		keys[m.id] = key
		c.Members = append(c.Members, registry.Member{Contact: m.contact, Group: m.group, ID: m.id, Key: pub, Name: m.name})
	}
	for _, n := range nodes {
		node, err := l.charterNode(s, n.id, n.operator)
		if err != nil {
			return c, nil, err
		}
		c.Nodes = append(c.Nodes, node)
	}
	_, anchor, err := l.regionCA(now)
	if err != nil {
		return c, nil, err
	}
	c.Anchors = []registry.Anchor{registry.NewAnchor(anchor.Raw, caOperator)}
	return c, keys, nil
}

func (l layout) memberKey(id string) (crypto.Signer, error) { return l.key("members", id+".key") }

// regionCA is the key and the certificate of the region's CA.
func (l layout) regionCA(now time.Time) (crypto.Signer, *x509.Certificate, error) {
	key, err := l.key(anchorKey)
	if err != nil {
		return nil, nil, err
	}
	cert, err := l.certificate(anchorCert, now, func() (*x509.Certificate, error) {
		return ca.NewRoot(key, ca.Root{Name: regionName + " CA", NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0)})
	})
	return key, cert, err
}

// charterNode describes a node, and makes its five keys.
func (l layout) charterNode(s settings, id, operator string) (registry.Node, error) {
	n := registry.Node{ID: id, Operator: operator, RaftAddress: s.address(peerPort(id)), URL: s.url(id)}
	for file, into := range map[string]*string{"log.key": &n.LogKey, "cosigner.key": &n.CosignerKey} {
		key, err := keyfile.LoadOrCreate(l.path(id, file), keyfile.Ed25519)
		if err != nil {
			return n, err
		}
		*into = base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	}
	timestamp, err := l.key(id, "timestamp.key")
	if err != nil {
		return n, err
	}
	if n.TimestampKey, err = registry.NewPublicKey(timestamp.Public()); err != nil {
		return n, err
	}
	federation, err := l.key(id, "federation.key")
	if err != nil {
		return n, err
	}
	if n.FederationKey, err = registry.NewPublicKey(federation.Public()); err != nil {
		return n, err
	}
	peer, err := l.key(id, "peer.key")
	if err != nil {
		return n, err
	}
	n.TLSKey = registry.SPKIHash(peer.Public())
	return n, nil
}

// peerPort is the name of the port on which nodes meet each other.
func peerPort(node string) string { return node + "-peer" }
