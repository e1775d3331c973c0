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

// founding gives the founding event of the region in the folder, and makes it the
// first time: keys of members and nodes, the CA, the charter that all members sign.
func (p plan) founding(l layout, s settings, now time.Time) (registry.SignedEvent, error) {
	body, err := os.ReadFile(l.path(p.foundingAt()))
	if err == nil {
		return registry.ParseEvent(body)
	}
	charter, keys, err := p.charter(l, s, now)
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
	return event, keyfile.WriteAtomic(l.path(p.foundingAt()), body, 0o600)
}

func (p plan) charter(l layout, s settings, now time.Time) (registry.Charter, map[string]crypto.Signer, error) {
	nonce, err := registry.NewNonce(rand.Reader)
	if err != nil {
		return registry.Charter{}, nil, err
	}
	c := registry.Charter{
		Admission: registry.DefaultTerm(), Criteria: criteria, Name: p.name, Nonce: nonce,
		Origin: p.origin, Thresholds: registry.DefaultThresholds(),
		Entity: s.url(p.nodes[0].id), // one node's address; any node answers for it
	}
	keys := map[string]crypto.Signer{}
	for _, m := range p.members {
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
	for _, n := range p.nodes {
		node, err := l.charterNode(s, n.id, n.operator)
		if err != nil {
			return c, nil, err
		}
		c.Nodes = append(c.Nodes, node)
	}
	_, anchor, err := p.regionCA(l, now)
	if err != nil {
		return c, nil, err
	}
	c.Anchors = []registry.Anchor{registry.NewAnchor(anchor.Raw, p.caOperator)}
	return c, keys, nil
}

func (l layout) memberKey(id string) (crypto.Signer, error) { return l.key("members", id+".key") }

// regionCA is the key and the certificate of the region's CA.
func (p plan) regionCA(l layout, now time.Time) (crypto.Signer, *x509.Certificate, error) {
	key, err := l.key(p.folder, "ca.key") // a member's, kept offline in earnest
	if err != nil {
		return nil, nil, err
	}
	cert, err := l.certificate(p.folder+"/ca.pem", now, func() (*x509.Certificate, error) {
		return ca.NewRoot(key, ca.Root{Name: p.name + " CA", NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0)})
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
