package did

import (
	"crypto"
	"fmt"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// Purposes: the verification relationships of DID Core 5.3 that matter here.
const (
	AssertionMethod = "assertionMethod" // to sign credentials
	Authentication  = "authentication"  // to prove who asks or answers
	KeyAgreement    = "keyAgreement"    // to encrypt to
)

// maxDocument bounds a DID document in bytes, maxMethods its keys.
const (
	maxDocument = 256 << 10
	maxMethods  = 200
)

// Document is a DID document (DID Core 5) as far as keys go.
type Document struct {
	Context            any            `json:"@context,omitzero"`
	ID                 string         `json:"id"`
	AlsoKnownAs        []string       `json:"alsoKnownAs,omitempty"`
	VerificationMethod []Method       `json:"verificationMethod,omitempty"`
	AssertionMethod    []Relationship `json:"assertionMethod,omitempty"`
	Authentication     []Relationship `json:"authentication,omitempty"`
	KeyAgreement       []Relationship `json:"keyAgreement,omitempty"`
	Service            []any          `json:"service,omitempty"`
}

// Method is a verification method (DID Core 5.2). One of the two forms of the key
// is set.
type Method struct {
	ID                 string `json:"id"` // DID URL, or "#fragment" relative to the document
	Type               string `json:"type"`
	Controller         string `json:"controller"`
	PublicKeyJWK       rawKey `json:"publicKeyJwk,omitempty"`
	PublicKeyMultibase string `json:"publicKeyMultibase,omitempty"`
}

// rawKey is a JWK that is only read when its method is asked for: a document may
// well list keys that we cannot use.
type rawKey []byte

func (r rawKey) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("null"), nil
	}
	return r, nil
}

func (r *rawKey) UnmarshalJSON(b []byte) error {
	*r = append(rawKey(nil), b...)
	return nil
}

// Relationship is an entry of assertionMethod and its like: a reference to a
// method, or a method of its own.
type Relationship struct {
	Reference string
	Embedded  *Method
}

// MarshalJSON writes a reference as a string.
func (r Relationship) MarshalJSON() ([]byte, error) {
	if r.Embedded != nil {
		return ijson.Marshal(r.Embedded)
	}
	return ijson.Marshal(r.Reference)
}

// UnmarshalJSON reads a string or an object.
func (r *Relationship) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		r.Embedded = new(Method)
		return ijson.Unmarshal(b, r.Embedded)
	}
	return ijson.Unmarshal(b, &r.Reference)
}

// ParseDocument reads the document of this DID. "The value of the id property in the
// DID document MUST match the DID being resolved" (did:web, Read).
func ParseDocument(raw []byte, did string) (*Document, error) {
	var d Document
	if err := (ijson.Limits{Bytes: maxDocument, Depth: 32}).Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if d.ID != did {
		return nil, fmt.Errorf("%w: its id is another DID", ErrDocument)
	}
	if len(d.VerificationMethod)+len(d.AssertionMethod)+len(d.Authentication)+len(d.KeyAgreement) > maxMethods {
		return nil, fmt.Errorf("%w: too many keys", ErrDocument)
	}
	seen := map[string]bool{}
	for _, m := range d.methods() {
		id := d.absolute(m.ID)
		if seen[id] {
			return nil, fmt.Errorf("%w: two keys with one id", ErrDocument)
		}
		seen[id] = true
	}
	return &d, nil
}

// methods lists all verification methods, the embedded ones too.
func (d *Document) methods() []Method {
	out := append([]Method(nil), d.VerificationMethod...)
	for _, list := range [][]Relationship{d.AssertionMethod, d.Authentication, d.KeyAgreement} {
		for _, r := range list {
			if r.Embedded != nil {
				out = append(out, *r.Embedded)
			}
		}
	}
	return out
}

// absolute makes a DID URL of an id that may be relative (DID Core 3.2.2). A bare
// fragment without "#" is taken as one too: key ids are often written so.
func (d *Document) absolute(id string) string {
	switch {
	case strings.HasPrefix(id, "did:"):
		return id
	case strings.HasPrefix(id, "#"):
		return d.ID + id
	}
	return d.ID + "#" + id
}

func (d *Document) relationships(purpose string) ([]Relationship, error) {
	switch purpose {
	case AssertionMethod:
		return d.AssertionMethod, nil
	case Authentication:
		return d.Authentication, nil
	case KeyAgreement:
		return d.KeyAgreement, nil
	}
	return nil, fmt.Errorf("%w: purpose %.30q", ErrKeyNotFound, purpose)
}

// Key returns the key with this id (DID URL or fragment) when the document allows
// it for the purpose. "If the verification method is not listed under the
// relationship, it must not be used for it": a key that is merely in the document
// gives [ErrKeyNotFound].
func (d *Document) Key(id, purpose string) (crypto.PublicKey, error) {
	allowed, err := d.relationships(purpose)
	if err != nil {
		return nil, err
	}
	want := d.absolute(id)
	for _, r := range allowed {
		if r.Embedded != nil {
			if d.absolute(r.Embedded.ID) == want {
				return r.Embedded.Key()
			}
			continue
		}
		if d.absolute(r.Reference) != want {
			continue
		}
		for _, m := range d.VerificationMethod {
			if d.absolute(m.ID) == want {
				return m.Key()
			}
		}
	}
	return nil, ErrKeyNotFound
}

// Key returns the public key of the method.
func (m Method) Key() (crypto.PublicKey, error) {
	switch {
	case len(m.PublicKeyJWK) > 0 && m.PublicKeyMultibase != "":
		// DID Core 5.2: a method MUST NOT have several forms of its material.
		return nil, fmt.Errorf("%w: key in two forms", ErrDocument)
	case len(m.PublicKeyJWK) > 0:
		k, err := jose.ParseKey(m.PublicKeyJWK)
		return k.Public, err
	case m.PublicKeyMultibase != "":
		return parseMultikey(m.PublicKeyMultibase)
	}
	return nil, fmt.Errorf("%w: method without a key that is understood", ErrDocument)
}

// NewDocument builds our own did.json: every key may sign credentials and requests,
// and alsoKnownAs names the https URL of the issuer. The fragment of a key is its
// KeyID, or its thumbprint when it has none.
func NewDocument(did, issuerURL string, keys ...jose.Key) (*Document, error) {
	d := &Document{
		Context: []any{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"},
		ID:      did,
	}
	if issuerURL != "" {
		d.AlsoKnownAs = []string{issuerURL}
	}
	for _, k := range keys {
		fragment := k.KeyID
		if fragment == "" {
			thumbprint, err := jose.Thumbprint(k.Public)
			if err != nil {
				return nil, err
			}
			fragment = thumbprint
		}
		id := did + "#" + fragment
		k.KeyID = fragment
		raw, err := ijson.Marshal(k)
		if err != nil {
			return nil, err
		}
		d.VerificationMethod = append(d.VerificationMethod,
			Method{ID: id, Type: "JsonWebKey", Controller: did, PublicKeyJWK: raw})
		d.AssertionMethod = append(d.AssertionMethod, Relationship{Reference: id})
		d.Authentication = append(d.Authentication, Relationship{Reference: id})
	}
	return d, nil
}
