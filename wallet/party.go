package wallet

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// ErrUnknownParty: no region knows this issuer or verifier. It comes inside an
// UnknownError, which says who it claims to be.
var ErrUnknownParty = errors.New("no region that you chose knows this organisation")

// Trust is how far the holder goes beyond the regions, for one meeting.
type Trust struct {
	// AcceptUnknown meets an organisation that no region knows, after the holder was
	// shown whom it claims to be.
	AcceptUnknown bool
	// Anchors are certificate authorities that the holder trusts as well.
	Anchors []*x509.Certificate
}

// A Party is an issuer or a verifier, as far as is known. Names that a region does
// not vouch for are the party's own words.
type Party struct {
	ID          string `json:"id"` // credential_issuer or client_id
	CallsItself string `json:"calls_itself,omitempty"`
	// Known: a region's registry has it, in this role.
	Known        bool     `json:"known"`
	Organisation string   `json:"organisation,omitempty"` // permanent id
	Name         string   `json:"name,omitempty"`         // from the registry
	Region       string   `json:"region,omitempty"`
	Role         string   `json:"role"`
	Admitted     bool     `json:"admitted"`        // today
	Code         string   `json:"code,omitempty"`  // the registry's reason
	Since        string   `json:"since,omitempty"` // day
	Purposes     []string `json:"purposes,omitempty"`
	// RegistryTime is how fresh the registry copy was for certain.
	RegistryTime time.Time         `json:"registry_time,omitzero"`
	Certificate  *CertificateFacts `json:"certificate,omitempty"`
	// Anchored: the certificate leads to an anchor of a region, or to one that the
	// holder named (ByOwnAnchor).
	Anchored    bool `json:"anchored,omitempty"`
	ByOwnAnchor bool `json:"by_own_anchor,omitempty"`
}

// DisplayName is the best name for the screen.
func (p Party) DisplayName() string {
	for _, s := range []string{p.Name, p.CallsItself, p.ID} {
		if s != "" {
			return s
		}
	}
	return "?"
}

// CertificateFacts are what a certificate says of its subject.
type CertificateFacts struct {
	Subject     string    `json:"subject"`
	IssuedBy    string    `json:"issued_by"`
	Names       []string  `json:"names,omitempty"` // SAN
	NotAfter    time.Time `json:"not_after"`
	Fingerprint string    `json:"fingerprint"` // SHA-256, hexadecimal
}

func certificateFacts(c *x509.Certificate) *CertificateFacts {
	if c == nil {
		return nil
	}
	f := &CertificateFacts{Subject: c.Subject.String(), IssuedBy: c.Issuer.String(), NotAfter: c.NotAfter, Fingerprint: fingerprint(c)}
	f.Names = append(f.Names, c.DNSNames...)
	for _, u := range c.URIs {
		f.Names = append(f.Names, u.String())
	}
	return f
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// An UnknownError refuses a party until the holder decides otherwise: no region knows
// it, or the one that does has not admitted it today.
type UnknownError struct {
	Party Party
	// Cause is the reason when it is not simply that the regions do not know it: a
	// certificate that was not accepted, ErrNoRegion, ErrRegionAway.
	Cause error
}

var (
	// ErrNoRegion: the wallet relies on no region, so nobody is known.
	ErrNoRegion = errors.New("this paspoort relies on no region yet")
	// ErrRegionAway: no node of the region could be reached yet, so there is no registry
	// to look in.
	ErrRegionAway = errors.New("the region cannot be reached, and its registry was never read here")
)

// unknown refuses a party, and says when the fault may be ours.
func (w *Wallet) unknown(ctx context.Context, p Party, cause error) *UnknownError {
	if len(w.regions) == 0 {
		cause = ErrNoRegion
	}
	readable := func(r Region) bool {
		return r.Copy.Read(ctx, func(registry.View, paspoort.RegistryFacts) error { return nil }) == nil
	}
	if len(w.regions) > 0 && !slices.ContainsFunc(w.regions, readable) {
		cause = ErrRegionAway
	}
	return &UnknownError{Party: p, Cause: cause}
}

func (e *UnknownError) Error() string {
	if e.Party.Known {
		return fmt.Sprintf("%s is not admitted in the region at present", e.Party.DisplayName())
	}
	return fmt.Sprintf("%v: it calls itself %q", ErrUnknownParty, e.Party.DisplayName())
}

// Unwrap makes it an ErrUnknownParty.
func (e *UnknownError) Unwrap() []error {
	if e.Cause == nil {
		return []error{ErrUnknownParty}
	}
	return []error{ErrUnknownParty, e.Cause}
}

// lookUp asks the regions about a party in a role and fills in what they know.
func (w *Wallet) lookUp(ctx context.Context, p *Party, role registry.Role, names ...registry.Lookup) error {
	p.Role = string(role)
	for _, name := range names {
		if name == (registry.Lookup{}) {
			continue
		}
		s, err := w.evidence.Admission(ctx, registry.Question{Lookup: name, Role: role, At: w.c.Clock()})
		if errors.Is(err, evidence.ErrNoCopy) {
			return nil // no region: nobody is known
		}
		if err != nil {
			return err
		}
		p.Code, p.Region, p.RegistryTime = string(s.Code), s.Registry.Region, s.Registry.Time
		if s.Organisation == nil {
			continue
		}
		p.Known, p.Organisation, p.Name, p.Admitted = true, s.Organisation.ID, s.Organisation.Name, s.Admitted
		if s.Since != 0 {
			p.Since = time.Unix(s.Since, 0).UTC().Format(time.DateOnly)
		}
		if s.Grant != nil {
			p.Purposes = s.Grant.Purposes
		}
		return nil
	}
	return nil
}

// anchors are the certificate authorities of all regions, and of those that the first accepted.
func (w *Wallet) anchors(ctx context.Context) []*x509.Certificate {
	var out []*x509.Certificate
	now := w.c.Clock()
	read := func(region evidence.Copy) {
		err := region.Read(ctx, func(v registry.View, facts paspoort.RegistryFacts) error {
			if !facts.Relied(now) {
				return nil
			}
			for _, der := range v.Anchors(now) {
				if c, err := x509.ParseCertificate(der); err == nil {
					out = append(out, c)
				}
			}
			return nil
		})
		if err != nil {
			w.c.Log.WarnContext(ctx, "region has no copy yet", "region", region.Genesis(), "cause", err)
		}
	}
	for _, r := range w.regions {
		read(r.Copy)
	}
	for _, c := range w.evidence.Neighbours() {
		read(c)
	}
	return out
}
