package ca

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// A revocation list (RFC 5280 5) tells the world outside, which does not read the registry, which
// certificates of an authority of the region do not count. It repeats the registry: what is
// revoked there stands in it, what belongs to an organisation whose admission is suspended or
// withdrawn is on hold, and nothing else is in it. There is no OCSP: it would tell the authority
// who checks whom.

// MaxCRL is how long a list is at most: some 20,000 certificates.
const MaxCRL = 1 << 20

// Reasons (RFC 5280 5.3.1).
const (
	keyCompromise   = 1
	certificateHold = 6
)

// maxCRLLife is the longest time until the next list.
const maxCRLLife = 400 * 24 * time.Hour

// ErrCRL: not a revocation list of this authority, or not one that tells what the registry tells.
var ErrCRL = errors.New("ca: not a good revocation list")

// Serial is the serial number of a certificate of the region: it follows from what the registry
// records of every certificate, so that a list of serial numbers can be held against the
// registry, which keeps no certificates. Unique per key and time (RFC 5280 4.1.2.2).
func Serial(spki [32]byte, notBefore, notAfter time.Time) *big.Int {
	h := sha256.New()
	h.Write([]byte("paspoort certificate serial number\n"))
	h.Write(spki[:])
	binary.Write(h, binary.BigEndian, [2]int64{notBefore.Unix(), notAfter.Unix()})
	raw := h.Sum(nil)[:16]
	raw[0] = raw[0]&0x7f | 0x40 // positive, and always 16 octets
	return new(big.Int).SetBytes(raw)
}

// Revoked is a certificate that does not count.
type Revoked struct {
	Serial       *big.Int
	Decided      time.Time
	Since        time.Time // may lie before Decided
	Compromised  bool
	Held         bool      // not revoked: its organisation is not admitted at the moment, and may be again
	NotAfter     time.Time // of the certificate: a list need not name what has run out
	Organisation string
	Reason       string // of the event; it does not go into the list
}

// RevokedIn lists what the registry knows of an authority as revoked or on hold, by serial
// number. hidden counts certificates of one-person firms of which this copy does not know the
// key: nobody can find out their serial number here.
func RevokedIn(v registry.View, anchor string, at time.Time) (list []Revoked, hidden int) {
	for _, o := range v.Organisations(at).Organisations {
		for _, c := range v.Certificates(o.ID) {
			if c.Anchor != anchor {
				continue
			}
			r, out := revokedOf(o, c, at)
			if !out {
				continue
			}
			spki, err := hex.DecodeString(v.SPKIOf(c))
			if err != nil || len(spki) != sha256.Size {
				hidden++
				continue
			}
			r.Serial, r.NotAfter = Serial([32]byte(spki), time.Unix(c.NotBefore, 0), time.Unix(c.NotAfter, 0)), time.Unix(c.NotAfter, 0).UTC()
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b Revoked) int { return a.Serial.Cmp(b.Serial) })
	return list, hidden
}

// revokedOf says whether a certificate belongs in a list, and why.
func revokedOf(o registry.Organisation, c registry.CertificateFact, at time.Time) (Revoked, bool) {
	r := Revoked{Organisation: o.ID}
	if c.Revoked != nil {
		r.Decided, r.Since = time.Unix(c.Revoked.Decided, 0).UTC(), time.Unix(c.Revoked.EffectiveFrom, 0).UTC()
		r.Compromised, r.Reason = c.Revoked.Compromised, c.Revoked.Reason
		return r, true
	}
	for _, role := range o.Roles {
		steps := role.Standing.Steps("", at.Unix())
		if !slices.Contains(rolesOf(c.Usage), role.Role) || len(steps) == 0 {
			continue
		}
		switch last := steps[len(steps)-1]; last.Code {
		case registry.CodeAdmitted:
			return r, false
		case registry.CodeSuspended, registry.CodeWithdrawn, registry.CodeFraud:
			r.Held, r.Decided = true, time.Unix(last.From, 0).UTC()
			r.Since = r.Decided
		}
	}
	return r, r.Held
}

// rolesOf are the roles for which a usage is.
func rolesOf(u registry.Usage) []registry.Role {
	switch u {
	case registry.UsageStatus:
		return []registry.Role{registry.Issuer, registry.StatusSigner}
	case registry.UsageAccess:
		return []registry.Role{registry.Verifier}
	}
	return []registry.Role{registry.Issuer}
}

// NewCRL makes a list of an authority and signs it.
func NewCRL(root *x509.Certificate, key crypto.Signer, number int64, list []Revoked, from, next time.Time) ([]byte, error) {
	template := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: from.UTC(), NextUpdate: next.UTC()}
	for _, r := range list {
		if r.NotAfter.Before(from) {
			continue
		}
		e := x509.RevocationListEntry{SerialNumber: r.Serial, RevocationTime: r.Decided}
		switch { // 5.3.1
		case r.Compromised:
			e.ReasonCode = keyCompromise
		case r.Held: // the only reason of which a certificate may leave a list again
			e.ReasonCode = certificateHold
		}
		if r.Since.Before(r.Decided) {
			invalid, err := asn1.MarshalWithParams(r.Since, "generalized")
			if err != nil {
				return nil, fmt.Errorf("ca: %w", err)
			}
			e.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 24}, Value: invalid}} // invalidityDate (5.3.2)
		}
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, e)
	}
	if root.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return nil, fmt.Errorf("%w: the certificate of this authority was not made for signing revocation lists; add a new authority to the region first", ErrCRL)
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, root, key)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	return der, nil
}

// ParseCRL reads a list. Nothing in it may be relied on before [CheckCRL].
func ParseCRL(der []byte) (*x509.RevocationList, error) {
	if len(der) > MaxCRL {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrCRL, MaxCRL)
	}
	l, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCRL, err)
	}
	if l.Number == nil || l.Number.Sign() <= 0 || !l.Number.IsInt64() || !l.NextUpdate.After(l.ThisUpdate) || l.NextUpdate.Sub(l.ThisUpdate) > maxCRLLife {
		return nil, fmt.Errorf("%w: it has a number, and a time within 400 days at which the next one comes", ErrCRL)
	}
	for _, e := range l.Extensions { // 5.2: authorityKeyIdentifier and number, neither critical; no delta and no partial lists
		if e.Critical {
			return nil, fmt.Errorf("%w: a critical extension %s", ErrCRL, e.Id)
		}
	}
	return l, nil
}

// CheckCRL says whether a list is signed by the authority, holds now, and names nothing that the
// registry did not revoke: want and hidden are of [RevokedIn]. What is on hold in it may have
// been admitted again since. Whether it is complete, [Missing] says.
func CheckCRL(l *x509.RevocationList, root *x509.Certificate, want []Revoked, hidden int, now time.Time) error {
	if !bytes.Equal(l.RawIssuer, root.RawSubject) {
		return fmt.Errorf("%w: another authority signed it", ErrCRL)
	}
	if err := l.CheckSignatureFrom(root); err != nil {
		return fmt.Errorf("%w: %w", ErrCRL, err)
	}
	if l.ThisUpdate.After(now.Add(5*time.Minute)) || !now.Before(l.NextUpdate) {
		return fmt.Errorf("%w: it does not hold now", ErrCRL)
	}
	strange := 0
	for _, e := range l.RevokedCertificateEntries {
		i, ok := slices.BinarySearchFunc(want, e.SerialNumber, bySerial)
		if !ok && e.ReasonCode != certificateHold || ok && e.ReasonCode == keyCompromise && !want[i].Compromised {
			strange++
		}
	}
	if strange > hidden {
		return fmt.Errorf("%w: it names %d certificates that the registry did not revoke, as far as this copy goes", ErrCRL, strange-hidden)
	}
	return nil
}

// OnHold counts what a list puts on hold and none of the given lists of [RevokedIn] has. A list
// could take everybody's certificates away by it, with no decision of the region.
func OnHold(l *x509.RevocationList, want ...[]Revoked) (strange int) {
	for _, e := range l.RevokedCertificateEntries {
		known := slices.ContainsFunc(want, func(list []Revoked) bool {
			_, ok := slices.BinarySearchFunc(list, e.SerialNumber, bySerial)
			return ok
		})
		if e.ReasonCode == certificateHold && !known {
			strange++
		}
	}
	return strange
}

// Missing counts what the registry revoked, has not run out at a moment and the list does not name.
func Missing(l *x509.RevocationList, want []Revoked, at time.Time) (missing int) {
	listed := map[string]bool{}
	for _, e := range l.RevokedCertificateEntries {
		listed[string(e.SerialNumber.Bytes())] = true
	}
	for _, r := range want {
		if !r.NotAfter.Before(at) && !listed[string(r.Serial.Bytes())] {
			missing++
		}
	}
	return missing
}

func bySerial(r Revoked, serial *big.Int) int { return r.Serial.Cmp(serial) }
