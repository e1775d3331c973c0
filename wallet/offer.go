package wallet

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/registry"
)

// ErrUnusableOffer: nothing in the offer can be accepted by this wallet.
var ErrUnusableOffer = errors.New("this offer cannot be accepted here")

// An Offer is an offer that was read, with the issuer's own metadata fetched and
// the regions asked about the issuer. Show it before accepting.
type Offer struct {
	Issuer Party
	Items  []OfferedCredential
	// TxCode is not nil when the holder must type a code that came another way.
	TxCode *openid4vci.TxCode

	session *openid4vci.Session
	trust   Trust
}

// An OfferedCredential is one of the credentials offered.
type OfferedCredential struct {
	ConfigurationID string `json:"configuration"`
	Format          string `json:"format"`
	Type            string `json:"type"` // vct, or the last of the W3C types
	Name            string `json:"name"`
	Description     string `json:"description,omitempty"`
	Copies          int    `json:"copies"`
}

// Offer reads an offer (OpenID4VCI 1.0, 4.1), by value or by reference. An issuer
// that no region has admitted is refused with an UnknownError, unless trust says
// otherwise. Nothing is asked of the issuer yet but its metadata.
func (w *Wallet) Offer(ctx context.Context, invocation string, trust Trust) (*Offer, error) {
	w.refresh(ctx)
	offered, err := w.vci.Offer(ctx, invocation)
	if err != nil {
		return nil, err
	}
	session, err := w.vci.Begin(ctx, offered)
	if err != nil {
		return nil, err
	}
	o := &Offer{session: session, trust: trust}
	m := session.Issuer
	o.Issuer = Party{ID: m.CredentialIssuer, CallsItself: openid4vci.Localized(m.Display, w.c.Languages...).Name}
	if err := w.lookUp(ctx, &o.Issuer, registry.Issuer, registry.Lookup{URL: m.CredentialIssuer}); err != nil {
		return nil, err
	}
	for _, id := range offered.ConfigurationIDs {
		item, err := w.offered(m, id)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnusableOffer, err)
		}
		o.Items = append(o.Items, item)
	}
	if grant := offered.PreAuthorized(); grant == nil {
		return nil, fmt.Errorf("%w: %w", ErrUnusableOffer, openid4vci.ErrGrant)
	} else if grant.TxCode != nil {
		o.TxCode = grant.TxCode
	}
	// Another anchor can only be checked once a certificate is there: with the
	// credential itself.
	if !(o.Issuer.Known && o.Issuer.Admitted) && !trust.AcceptUnknown && len(trust.Anchors) == 0 {
		return nil, w.unknown(ctx, o.Issuer, nil)
	}
	return o, nil
}

func (w *Wallet) offered(m *openid4vci.IssuerMetadata, id string) (OfferedCredential, error) {
	c, err := m.Configuration(id)
	if err != nil {
		return OfferedCredential{}, err
	}
	item := OfferedCredential{ConfigurationID: id, Format: c.Format, Name: id, Copies: m.BatchSize()}
	switch c.Format {
	case openid4vci.FormatDCSDJWT:
		item.Type = c.VCT
	case openid4vci.FormatVCSDJWT:
		if c.CredentialDefinition != nil && len(c.CredentialDefinition.Type) > 0 {
			item.Type = c.CredentialDefinition.Type[len(c.CredentialDefinition.Type)-1]
		}
	default:
		return item, fmt.Errorf("format %.20q", c.Format)
	}
	if c.Metadata != nil {
		d := openid4vci.Localized(c.Metadata.Display, w.c.Languages...)
		if d.Name != "" {
			item.Name = d.Name
		}
		item.Description = d.Description
	}
	return item, nil
}

// wantsDID says whether a proof names its key by did:jwk (DIIP v5) rather than
// carrying it as jwk (HAIP 1.0).
func wantsDID(methods []string) bool {
	for _, m := range methods {
		if m == "did:jwk" || m == "did" {
			return true
		}
	}
	return false
}

// describe makes a configuration id fit for people: "Opleiding_dc_sd_jwt" is
// "Opleiding".
func describe(configurationID string) string {
	name, _, _ := strings.Cut(configurationID, "_")
	return name
}
