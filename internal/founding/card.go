// Package founding puts a region together out of what several organisations bring, before
// there is a region: each makes its keys at home and sends a card, one of them makes a charter
// of the cards, and each signs that charter with its own key. Nobody ever holds another's key.
//
// A card is to a node what a certificate request (RFC 2986) is to a certificate: what is public
// about a member and its node, signed with each private key that belongs to it, so that nobody
// can bring a key that somebody else holds. It proves nothing about who sent it: people compare
// its fingerprint over another channel.
//
// It is not the registry: whether a charter is one is decided by registry.Check.
//
//	card, err := founding.NewCard(founding.Holder{Member: m, MemberKey: key, Node: &n, ...})
//	draft, err := founding.NewDraft(charter, now)
//	err = draft.Sign(key)
//	event, err := draft.Founding()
package founding

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
)

var (
	// ErrCard: the file is not a card, or a signature on it does not hold.
	ErrCard = errors.New("not a card that can be used")
	// ErrDraft: the file is not a draft of a founding event, or a signature does not hold.
	ErrDraft = errors.New("not a draft of a founding")
	// ErrCharter: the cards do not make a charter; the text says what is missing.
	ErrCharter = errors.New("these cards make no charter")
	// ErrNotInDraft: a card is of a member that the draft does not have.
	ErrNotInDraft = errors.New("is not in this draft")
	// ErrUnsigned: members have not signed yet; the text names them.
	ErrUnsigned = errors.New("not signed by all members yet")
	// ErrNoMember: the key belongs to no member of the charter.
	ErrNoMember = errors.New("this key belongs to no member of the charter")
)

const (
	cardVersion = 1
	cardPrefix  = "paspoort/node-card/v1\n" // a signature over a card is one over nothing else
	maxFile     = 1 << 20
)

// The keys of a card, by their names in its signatures.
const (
	KeyMember     = "member"
	KeyTLS        = "tls"
	KeyLog        = "log"
	KeyCosigner   = "cosigner"
	KeyTimestamp  = "timestamp"
	KeyFederation = "federation"
	KeyAnchor     = "anchor"
)

// Facts are what a card says.
type Facts struct {
	Version int              `json:"version"`
	Member  *registry.Member `json:"member,omitempty"` // absent on the card of a node that a member adds later
	Node    *registry.Node   `json:"node,omitempty"`   // absent for a member that runs none
	TLSKey  string           `json:"tls_spki,omitempty"`
	Anchor  *registry.Anchor `json:"anchor,omitempty"` // the region's CA, if this member keeps it
	Region  string           `json:"region,omitempty"` // genesis of the region that the node is for; absent for a new one
}

// Card is Facts, signed with each key that they name.
type Card struct {
	Facts      Facts             `json:"card"`
	Signatures map[string]string `json:"signatures"` // key name -> signature, base64
}

// NewCard signs facts with keys, by the names above. It fails with [ErrCard] when a key is
// missing or is not the one that the facts name.
func NewCard(f Facts, keys map[string]crypto.Signer) (Card, error) {
	f.Version = cardVersion
	if key, ok := keys[KeyTLS]; ok && f.Node != nil {
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			return Card{}, fmt.Errorf("card: %w", err)
		}
		f.TLSKey = base64.StdEncoding.EncodeToString(der)
	}
	c := Card{Facts: f, Signatures: map[string]string{}}
	input, err := f.input()
	if err != nil {
		return Card{}, err
	}
	for name, key := range keys {
		if c.Signatures[name], err = sign(key, input); err != nil {
			return Card{}, fmt.Errorf("card: %s key: %w", name, err)
		}
	}
	return c, c.Check()
}

func (f Facts) input() ([]byte, error) {
	raw, err := ijson.Canonical(f)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCard, err)
	}
	return append([]byte(cardPrefix), raw...), nil
}

func sign(key crypto.Signer, input []byte) (string, error) {
	message, opts := input, crypto.SignerOpts(crypto.Hash(0))
	if _, ok := key.Public().(ed25519.PublicKey); !ok {
		digest := sha256.Sum256(input)
		message, opts = digest[:], crypto.SHA256
	}
	sig, err := key.Sign(rand.Reader, message, opts)
	return base64.StdEncoding.EncodeToString(sig), err
}

// Check verifies that whoever made the card holds every key that it names. It fails with
// [ErrCard].
func (c Card) Check() error {
	if c.Facts.Version != cardVersion {
		return fmt.Errorf("%w: it is of version %d, this program reads %d", ErrCard, c.Facts.Version, cardVersion)
	}
	if c.Facts.Member == nil && c.Facts.Node == nil {
		return fmt.Errorf("%w: it names neither a member nor a node", ErrCard)
	}
	if err := c.Facts.ownHand(); err != nil {
		return err
	}
	keys, err := c.Facts.keys()
	if err != nil {
		return err
	}
	input, err := c.Facts.input()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		sig, err := base64.StdEncoding.DecodeString(c.Signatures[name])
		if err != nil || !verify(keys[name], input, sig) {
			return fmt.Errorf("%w: the signature with the %s key is missing or does not hold", ErrCard, name)
		}
	}
	return nil
}

// ownHand refuses a card that brings a node or an authority in the name of another member.
func (f Facts) ownHand() error {
	if m := f.Member; m != nil && (f.Node != nil && f.Node.Operator != m.ID || f.Anchor != nil && f.Anchor.Operator != m.ID) {
		return fmt.Errorf("%w: it brings a node or an authority of another member than %s", ErrCard, m.ID)
	}
	return nil
}

func verify(key crypto.PublicKey, input, sig []byte) bool {
	switch key := key.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(key, input, sig)
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(input)
		return ecdsa.VerifyASN1(key, digest[:], sig)
	}
	return false
}

// keys are the public keys that the facts name.
func (f Facts) keys() (map[string]crypto.PublicKey, error) {
	out := map[string]crypto.PublicKey{}
	if f.Member != nil {
		key, err := f.Member.Key.ECDSA()
		if err != nil {
			return nil, fmt.Errorf("%w: member key: %w", ErrCard, err)
		}
		out[KeyMember] = key
	}
	if f.Anchor != nil {
		der, err := f.Anchor.DER()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCard, err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%w: its CA certificate cannot be read: %w", ErrCard, err)
		}
		out[KeyAnchor] = cert.PublicKey
	}
	if f.Node == nil {
		return out, nil
	}
	return out, f.nodeKeys(out)
}

func (f Facts) nodeKeys(out map[string]crypto.PublicKey) error {
	n := f.Node
	der, err := base64.StdEncoding.DecodeString(f.TLSKey)
	if err != nil {
		return fmt.Errorf("%w: tls key: %w", ErrCard, err)
	}
	tls, err := x509.ParsePKIXPublicKey(der)
	if err != nil || registry.SPKIHash(tls) != n.TLSKey {
		return fmt.Errorf("%w: its tls key is not the one that the node names", ErrCard)
	}
	timestamp, err := n.TimestampKey.ECDSA()
	if err != nil {
		return fmt.Errorf("%w: timestamp key: %w", ErrCard, err)
	}
	out[KeyTLS], out[KeyTimestamp] = tls, timestamp
	if n.FederationKey != "" { // cards of before rules version 3 have none
		if out[KeyFederation], err = n.FederationKey.ECDSA(); err != nil {
			return fmt.Errorf("%w: federation key: %w", ErrCard, err)
		}
	}
	for name, text := range map[string]string{KeyLog: n.LogKey, KeyCosigner: n.CosignerKey} {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return fmt.Errorf("%w: its %s key is not an Ed25519 key", ErrCard, name)
		}
		out[name] = ed25519.PublicKey(raw)
	}
	return nil
}

// Fingerprint is what people compare over the telephone: the first 16 bytes of the SHA-256 of
// the facts, in groups of four digits.
func (c Card) Fingerprint() string {
	input, err := c.Facts.input()
	if err != nil {
		return ""
	}
	return fingerprint(input)
}

func fingerprint(input []byte) string {
	sum := sha256.Sum256(input)
	text := hex.EncodeToString(sum[:16])
	var out []byte
	for i := range 8 {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, text[4*i:4*i+4]...)
	}
	return string(out)
}

// ReadCard reads and checks a card. It fails with [ErrCard].
func ReadCard(raw []byte) (Card, error) {
	var c Card
	if err := readFile(raw, &c); err != nil {
		return c, fmt.Errorf("%w: a card is the card.json that \"node init\" or \"region card\" made: %w", ErrCard, err)
	}
	return c, c.Check()
}

// Marshal is the card as a file.
func (c Card) Marshal() ([]byte, error) { return writeFile(c) }

func readFile(raw []byte, v any) error {
	if len(raw) > maxFile {
		return errors.New("the file is too large")
	}
	return ijson.UnmarshalClosed(raw, v)
}

func writeFile(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return out.Bytes(), err
}
