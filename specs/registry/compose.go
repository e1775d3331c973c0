package registry

import (
	"crypto"
	"crypto/x509"
	"encoding/base32"
	"fmt"
	"io"
	"strings"
	"time"
)

// Party is who signs an event, and with what.
type Party struct {
	Name string // as [MemberParty] and [OrganisationParty] give it
	Key  crypto.Signer
}

// Draft is what an event needs beside its body.
type Draft struct {
	Genesis     string            // region id; "" only for the founding event
	Predecessor string            // head of the subject, see [State.Head] and [Client.Head]
	Now         time.Time         // time of signing
	Lifetime    time.Duration     // until it expires; for a proposal how long members can decide. 0: 7 days
	Rules       int               // version in force, see [State.Rules] and [HeadAnswer]; 0: the newest
	Commitments map[string]string // field -> commitment, see [Seal]
}

// Compose makes and signs an event. It checks the body, not whether a registry would accept
// the event. It fails with [ErrBody], [ErrKind], [ErrKey] or an error of a signer.
func Compose(d Draft, kind Kind, body Body, parties ...Party) (SignedEvent, error) {
	signers, keys := make([]Signer, len(parties)), make([]crypto.Signer, len(parties))
	for i, p := range parties {
		pub, err := NewPublicKey(p.Key.Public())
		if err != nil {
			return SignedEvent{}, err
		}
		signers[i], keys[i] = Signer{Key: pub.Thumbprint(), Party: p.Name}, p.Key
	}
	e, err := compose(d, kind, body, signers)
	if err != nil {
		return SignedEvent{}, err
	}
	s, err := Sign(e, keys...)
	if err != nil {
		return SignedEvent{}, err
	}
	return s, s.checkForm()
}

// SubjectOf is the subject of an event with this body: whose head is its predecessor.
func SubjectOf(b Body) string { return b.subject() }

// NewOrganisationID draws an organisation's permanent id: 128 random bits.
func NewOrganisationID(random io.Reader) (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", fmt.Errorf("draw organisation id: %w", err)
	}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:])
	return organisationPrefix + strings.ToLower(text), nil
}

// NewNonce draws what makes a charter's region unlike any other.
func NewNonce(random io.Reader) (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", fmt.Errorf("draw nonce: %w", err)
	}
	return b64.EncodeToString(raw[:]), nil
}

// Found makes the founding event of a region, signed by all members of the charter. keys are
// by member id. Its id is the region's.
func Found(c Charter, now time.Time, keys map[string]crypto.Signer) (SignedEvent, error) {
	parties := make([]Party, len(c.Members))
	for i, m := range c.Members {
		key, ok := keys[m.ID]
		if !ok {
			return SignedEvent{}, ErrSigner.with("no key for member %s", m.ID)
		}
		parties[i] = Party{MemberParty(m.ID), key}
	}
	return Compose(Draft{Now: now}, KindFounded, &c, parties...)
}

// NewCertificateRecord describes a certificate that the CA with the given anchor fingerprint
// issued. The certificate of a one-person firm is told of by commitments instead.
func NewCertificateRecord(cert *x509.Certificate, anchor, organisation string, usage Usage) *CertificateRecord {
	return &CertificateRecord{
		Anchor: anchor, Fingerprint: Fingerprint(cert.Raw), NotAfter: cert.NotAfter.Unix(), NotBefore: cert.NotBefore.Unix(),
		Organisation: organisation, SPKI: SPKIHash(cert.PublicKey), Usage: usage,
	}
}
