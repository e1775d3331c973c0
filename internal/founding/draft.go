package founding

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// Plan is what the founders agree on beside their cards.
type Plan struct {
	Name     string                 // of the region
	Origin   string                 // of its log, e.g. "aakermonde.example/register"
	Entity   string                 // OpenID Federation entity id, e.g. "https://aakermonde.example"; "" for a region that serves no federation
	Criteria string                 // version of the criteria for admission, e.g. "criteria-2026-1"
	Text     *registry.CriteriaText // where they can be read; nil when nobody said so
	// Continues is the region that this one goes on from, when that one lost the keys of most
	// of its nodes. See [Continuation].
	Continues *registry.Continuation
}

// Continuation reads where a region stopped from a snapshot of it, the largest that anybody
// has, after verifying it against the region's id. It fails as registry.Snapshot.Replay does.
func Continuation(genesis string, snapshot io.Reader, losses *registry.Text) (*registry.Continuation, error) {
	s, err := registry.ReadSnapshot(snapshot)
	if err != nil {
		return nil, err
	}
	if _, _, err := s.Replay(genesis); err != nil {
		return nil, err
	}
	c, err := tlog.PeekCheckpoint(s.Checkpoint)
	if err != nil {
		return nil, err
	}
	return &registry.Continuation{Genesis: genesis, Size: c.Size, Root: c.Root.String(), Losses: losses}, nil
}

// Charter makes a charter of cards, with the thresholds and the term that the rules propose.
// It fails with [ErrCharter] when something is missing, and says what.
func Charter(p Plan, random io.Reader, cards ...Card) (registry.Charter, error) {
	if random == nil {
		random = rand.Reader
	}
	nonce, err := registry.NewNonce(random)
	if err != nil {
		return registry.Charter{}, err
	}
	c := registry.Charter{
		Admission: registry.DefaultTerm(), Criteria: p.Criteria, Text: p.Text, Name: p.Name, Entity: p.Entity, Nonce: nonce, Origin: p.Origin,
		Thresholds: registry.DefaultThresholds(),
		Continues:  p.Continues,
	}
	groups := map[registry.Group]bool{}
	for _, card := range cards {
		if err := card.Check(); err != nil {
			return c, err
		}
		f := card.Facts
		if f.Region != "" {
			return c, fmt.Errorf("%w: card %s is for a region that runs already: %.12s", ErrCharter, card.Fingerprint(), f.Region)
		}
		if f.Member == nil {
			return c, fmt.Errorf("%w: the card of node %s names no member", ErrCharter, f.Node.ID)
		}
		groups[f.Member.Group] = true
		c.Members = append(c.Members, *f.Member)
		if f.Node != nil {
			c.Nodes = append(c.Nodes, *f.Node)
		}
		if f.Anchor != nil {
			c.Anchors = append(c.Anchors, *f.Anchor)
		}
	}
	switch {
	case len(groups) < 2:
		return c, fmt.Errorf("%w: the members must be of at least two of the groups werkgevers, werknemers, opleiders, overheid", ErrCharter)
	case len(c.Nodes) == 0:
		return c, fmt.Errorf("%w: no card brings a node", ErrCharter)
	case len(c.Anchors) == 0:
		return c, fmt.Errorf("%w: no card brings the region's certificate authority: one member makes its card with --ca", ErrCharter)
	}
	return c, nil
}

// Draft is a founding event on its way past the members. Signatures are absent until given.
type Draft struct {
	Event      registry.Event    `json:"event"`
	Signatures map[string]string `json:"signatures"` // party -> signature
}

// NewDraft makes the founding event of a charter, unsigned. The event is registry.Found's own,
// made with signers that sign nothing: which rules a region is founded under, and what such an
// event holds, is decided there.
func NewDraft(c registry.Charter, now time.Time) (*Draft, error) {
	keys := map[string]crypto.Signer{}
	for _, m := range c.Members {
		key, err := m.Key.ECDSA()
		if err != nil {
			return nil, fmt.Errorf("%w: member %s: %w", ErrCharter, m.ID, err)
		}
		keys[m.ID] = blank{key}
	}
	event, err := registry.Found(c, now, keys)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCharter, err)
	}
	return &Draft{Event: event.Event, Signatures: map[string]string{}}, nil
}

// blank stands where the key of somebody else would: it knows the public key, and what it
// gives for a signature verifies nowhere and is thrown away.
type blank struct{ pub crypto.PublicKey }

// Public implements crypto.Signer.
func (b blank) Public() crypto.PublicKey { return b.pub }

// Sign implements crypto.Signer.
func (blank) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return asn1.Marshal(struct{ R, S *big.Int }{big.NewInt(1), big.NewInt(1)})
}

// Charter is what the draft would found.
func (d *Draft) Charter() (registry.Charter, error) {
	body, err := registry.ParseBody(d.Event.Rules, d.Event.Kind, d.Event.Body)
	if err != nil {
		return registry.Charter{}, fmt.Errorf("%w: %w", ErrDraft, err)
	}
	c, ok := body.(*registry.Charter)
	if !ok {
		return registry.Charter{}, fmt.Errorf("%w: it is an event of kind %s", ErrDraft, d.Event.Kind)
	}
	return *c, nil
}

// Holds says whether the charter takes over these cards as they are: whoever made the draft
// could have put another key under a name. It fails with [ErrCharter] and names the card.
func (d *Draft) Holds(cards ...Card) error {
	c, err := d.Charter()
	if err != nil {
		return err
	}
	for _, card := range cards {
		f := card.Facts
		name := card.Fingerprint()
		if f.Member != nil {
			name = f.Member.ID
		}
		switch {
		case f.Member != nil && !slices.ContainsFunc(c.Members, func(m registry.Member) bool { return m.ID == f.Member.ID }):
			return fmt.Errorf("member %s %w", name, ErrNotInDraft)
		case f.Member != nil && !holds(c.Members, *f.Member):
			return fmt.Errorf("%w: member %s stands otherwise on its card", ErrCharter, name)
		case f.Node != nil && !holds(c.Nodes, *f.Node):
			return fmt.Errorf("%w: the node of %s stands otherwise on its card", ErrCharter, name)
		case f.Anchor != nil && !holds(c.Anchors, *f.Anchor):
			return fmt.Errorf("%w: the authority of %s stands otherwise on its card", ErrCharter, name)
		}
	}
	return nil
}

func holds[T any](list []T, want T) bool {
	return slices.ContainsFunc(list, func(got T) bool { return reflect.DeepEqual(got, want) })
}

// Region is the id that the region will have.
func (d *Draft) Region() string { return d.Event.ID() }

// Sign adds the signature of the member that holds key, and says which member that is. It
// fails with [ErrNoMember].
func (d *Draft) Sign(key crypto.Signer) (member string, err error) {
	pub, err := registry.NewPublicKey(key.Public())
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(d.Event.Signers, func(s registry.Signer) bool { return s.Key == pub.Thumbprint() })
	if i < 0 {
		return "", ErrNoMember
	}
	keys, err := d.blanks()
	if err != nil {
		return "", err
	}
	keys[i] = key
	signed, err := registry.Sign(d.Event, keys...)
	if err != nil {
		return "", err
	}
	party := d.Event.Signers[i].Party
	d.Signatures[party] = signed.Signatures[i]
	return strings.TrimPrefix(party, registry.MemberParty("")), nil
}

// blanks are signers that sign nothing, one for each member.
func (d *Draft) blanks() ([]crypto.Signer, error) {
	c, err := d.Charter()
	if err != nil {
		return nil, err
	}
	out := make([]crypto.Signer, len(d.Event.Signers))
	for i, s := range d.Event.Signers {
		for _, m := range c.Members {
			if key, err := m.Key.ECDSA(); err == nil && registry.MemberParty(m.ID) == s.Party {
				out[i] = blank{key}
			}
		}
		if out[i] == nil {
			return nil, fmt.Errorf("%w: %s signs and is no member", ErrDraft, s.Party)
		}
	}
	return out, nil
}

// Missing are the members that have not signed, in the order of the charter.
func (d *Draft) Missing() []string {
	var out []string
	for _, s := range d.Event.Signers {
		if d.Signatures[s.Party] == "" {
			out = append(out, strings.TrimPrefix(s.Party, registry.MemberParty("")))
		}
	}
	return out
}

// Merge takes over the signatures of another copy of the same draft. It fails with
// [ErrDraft] when the copy is of something else.
func (d *Draft) Merge(other *Draft) error {
	if d.Region() != other.Region() {
		return fmt.Errorf("%w: the files are drafts of different regions", ErrDraft)
	}
	maps.Copy(d.Signatures, other.Signatures)
	return nil
}

// Founding is the founding event, once all have signed: checked by the registry's own rules
// at the moment of signing. It fails with [ErrUnsigned] or [ErrDraft].
func (d *Draft) Founding() ([]byte, error) {
	if missing := d.Missing(); len(missing) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnsigned, strings.Join(missing, ", "))
	}
	event := registry.SignedEvent{Event: d.Event}
	for _, s := range d.Event.Signers {
		event.Signatures = append(event.Signatures, d.Signatures[s.Party])
	}
	if err := registry.Check(registry.NewState(d.Region()), event, d.Event.SignedTime()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDraft, err)
	}
	return event.Marshal()
}

// Fingerprint is what the founders compare before they sign.
func (d *Draft) Fingerprint() string {
	input, err := d.Event.SigningInput()
	if err != nil {
		return ""
	}
	return fingerprint(input)
}

// ReadDraft reads a draft. It fails with [ErrDraft].
func ReadDraft(raw []byte) (*Draft, error) {
	d := &Draft{}
	if err := readFile(raw, d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDraft, err)
	}
	body, err := ijson.Canonical(d.Event.Body) // the file is indented; what is signed is not
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDraft, err)
	}
	d.Event.Body = body
	if d.Event.Kind != registry.KindFounded {
		return nil, fmt.Errorf("%w: it is an event of kind %s", ErrDraft, d.Event.Kind)
	}
	if d.Signatures == nil {
		d.Signatures = map[string]string{}
	}
	return d, d.check()
}

// check holds each signature that is there against the key of its member: a copy with a bad one
// would spoil the others, and nobody could tell whose it was.
func (d *Draft) check() error {
	c, err := d.Charter()
	if err != nil {
		return err
	}
	if _, err := d.blanks(); err != nil {
		return err
	}
	input, err := d.Event.SigningInput()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDraft, err)
	}
	digest := sha256.Sum256(input)
	for party, text := range d.Signatures {
		id := strings.TrimPrefix(party, registry.MemberParty(""))
		i := slices.IndexFunc(c.Members, func(m registry.Member) bool { return registry.MemberParty(m.ID) == party })
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if i < 0 || err != nil || len(raw) != 64 {
			return fmt.Errorf("%w: %s signed it and is no member, or the signature is none", ErrDraft, id)
		}
		key, err := c.Members[i].Key.ECDSA()
		if err != nil || !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])) {
			return fmt.Errorf("%w: the signature of %s does not hold; let that member sign again", ErrDraft, id)
		}
	}
	return nil
}

// Marshal is the draft as a file.
func (d *Draft) Marshal() ([]byte, error) { return writeFile(d) }
