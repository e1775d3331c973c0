package openid4vci

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"paspoort.example/paspoort/specs/ijson"
)

// Limits of what an offer may bring. Offers are unsigned and come from anybody.
const (
	MaxInvocation    = 16 << 10 // bytes of the link or QR text
	MaxOffer         = 16 << 10 // bytes of the offer object
	maxOfferIDs      = 32
	maxIdentifier    = 1024
	maxOfferURI      = 2048
	maxTxDescription = 300 // 4.1.1: "MUST NOT exceed 300 characters"
	maxTxLength      = 64
)

// Grant types that an offer or a token request may name.
const (
	GrantPreAuthorizedCode = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
)

// OfferScheme is the custom scheme that invokes a wallet whose credential offer
// endpoint is not known (12.1.1).
const OfferScheme = "openid-credential-offer"

// ErrOffer is wrapped by every refusal of an offer or of the link that carries it.
var ErrOffer = errors.New("openid4vci: not a usable credential offer")

// ErrOfferGone: there is no offer at its address (any more): used, expired, or never
// made.
var ErrOfferGone = errors.New("openid4vci: the offer is gone")

// CredentialOffer is the Credential Offer object of 4.1.1.
type CredentialOffer struct {
	CredentialIssuer string   `json:"credential_issuer"`
	ConfigurationIDs []string `json:"credential_configuration_ids"`
	Grants           *Grants  `json:"grants,omitempty"`
}

// Grants are the grant types that the authorization server is prepared to process
// for an offer.
type Grants struct {
	AuthorizationCode *AuthorizationCodeGrant `json:"authorization_code,omitempty"`
	PreAuthorized     *PreAuthorizedGrant     `json:"urn:ietf:params:oauth:grant-type:pre-authorized_code,omitempty"`
}

// AuthorizationCodeGrant holds what the wallet sends with its authorization request.
type AuthorizationCodeGrant struct {
	IssuerState         string `json:"issuer_state,omitempty"`
	AuthorizationServer string `json:"authorization_server,omitempty"`
}

// PreAuthorizedGrant is the issuer's authorization for whoever holds the offer.
type PreAuthorizedGrant struct {
	Code string `json:"pre-authorized_code"`
	// TxCode is present, even if empty, when a transaction code is required
	// (4.1.1). A pointer, so that an empty object survives as `{}`.
	TxCode              *TxCode `json:"tx_code,omitzero"`
	AuthorizationServer string  `json:"authorization_server,omitempty"`
}

// TxCode describes the transaction code that goes to the person over another
// channel than the offer.
type TxCode struct {
	InputMode   string `json:"input_mode,omitempty"` // "numeric" (default) or "text"
	Length      int    `json:"length,omitempty"`     // characters, 0: not said
	Description string `json:"description,omitempty"`
}

// Values of TxCode.InputMode.
const (
	InputNumeric = "numeric"
	InputText    = "text"
)

// OfferLink is what invokes a wallet: exactly one of the two is set (4.1).
type OfferLink struct {
	Offer *CredentialOffer // credential_offer, by value
	URI   string           // credential_offer_uri, by reference
}

// ParseOfferLink reads a link or QR text with a credential offer: any scheme and
// host (openid-credential-offer://?..., https://wallet.example/offer?...). People
// also paste the credential_offer_uri itself: a web address with neither parameter
// is taken as one. Whether the URI of an offer by reference may be fetched is for
// the client to decide.
func ParseOfferLink(link string) (OfferLink, error) {
	if len(link) > MaxInvocation {
		return OfferLink{}, fmt.Errorf("%w: the link is longer than %d bytes", ErrOffer, MaxInvocation)
	}
	link = strings.TrimSpace(link)
	_, query, _ := strings.Cut(link, "?")
	query, _, _ = strings.Cut(query, "#")
	values, err := url.ParseQuery(query)
	if err != nil {
		return OfferLink{}, fmt.Errorf("%w: the query of the link is malformed", ErrOffer)
	}
	byValue, byReference := values["credential_offer"], values["credential_offer_uri"]
	if len(byValue)+len(byReference) == 0 && isWebAddress(link) {
		byReference = []string{link}
	}
	// 4.1: each "MUST NOT be present when the" other "parameter is present".
	if len(byValue)+len(byReference) != 1 {
		return OfferLink{}, fmt.Errorf("%w: want exactly one of credential_offer and credential_offer_uri", ErrOffer)
	}
	if len(byReference) == 1 {
		if n := len(byReference[0]); n == 0 || n > maxOfferURI {
			return OfferLink{}, fmt.Errorf("%w: credential_offer_uri is empty or too long", ErrOffer)
		}
		return OfferLink{URI: byReference[0]}, nil
	}
	offer, err := ParseOffer([]byte(byValue[0]))
	return OfferLink{Offer: offer}, err
}

func isWebAddress(link string) bool {
	u, err := url.Parse(link)
	return err == nil && u.Host != "" && (strings.EqualFold(u.Scheme, "https") || strings.EqualFold(u.Scheme, "http"))
}

// ParseOffer reads a Credential Offer object. Unrecognised parameters are
// ignored (4.1.1: "The Wallet MUST ignore any unrecognized parameters").
func ParseOffer(data []byte) (*CredentialOffer, error) {
	if len(data) > MaxOffer {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrOffer, MaxOffer)
	}
	var offer CredentialOffer
	if err := ijson.Unmarshal(data, &offer); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOffer, err)
	}
	if err := offer.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOffer, err)
	}
	return &offer, nil
}

// check holds the offer to 4.1.1, except for the scheme of its URLs.
func (o *CredentialOffer) check() error {
	if o.CredentialIssuer == "" || len(o.CredentialIssuer) > maxIdentifier {
		return errors.New("credential_issuer is missing or too long")
	}
	if len(o.ConfigurationIDs) == 0 || len(o.ConfigurationIDs) > maxOfferIDs {
		return fmt.Errorf("credential_configuration_ids has %d entries", len(o.ConfigurationIDs))
	}
	seen := map[string]bool{}
	for _, id := range o.ConfigurationIDs {
		// 4.1.1: "A non-empty array of unique strings".
		if id == "" || len(id) > maxIdentifier || seen[id] {
			return errors.New("credential_configuration_ids has an empty, overlong or repeated entry")
		}
		seen[id] = true
	}
	if o.Grants == nil || o.Grants.PreAuthorized == nil {
		return nil
	}
	return o.Grants.PreAuthorized.check()
}

func (g *PreAuthorizedGrant) check() error {
	if g.Code == "" || len(g.Code) > maxIdentifier {
		return errors.New("pre-authorized_code is missing or too long")
	}
	if t := g.TxCode; t != nil {
		if t.InputMode != "" && t.InputMode != InputNumeric && t.InputMode != InputText {
			return errors.New("tx_code has an unknown input_mode")
		}
		if t.Length < 0 || t.Length > maxTxLength {
			return errors.New("tx_code has an impossible length")
		}
		if utf8.RuneCountInString(t.Description) > maxTxDescription {
			return fmt.Errorf("the description of tx_code exceeds %d characters", maxTxDescription)
		}
	}
	return nil
}

// PreAuthorized returns the pre-authorized code grant, or nil.
func (o *CredentialOffer) PreAuthorized() *PreAuthorizedGrant {
	if o.Grants == nil {
		return nil
	}
	return o.Grants.PreAuthorized
}

// LinkByValue puts the offer itself in a link to endpoint: the wallet's credential
// offer endpoint, or "openid-credential-offer://" when it is not known.
func (o *CredentialOffer) LinkByValue(endpoint string) (string, error) {
	if err := o.check(); err != nil {
		return "", fmt.Errorf("%w: %w", ErrOffer, err)
	}
	body, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("openid4vci: encode offer: %w", err)
	}
	return withQuery(endpoint, url.Values{"credential_offer": {string(body)}}), nil
}

// LinkByReference makes the link for an offer that is fetched from offerURI.
// For a QR code this is the form to use.
func LinkByReference(endpoint, offerURI string) string {
	return withQuery(endpoint, url.Values{"credential_offer_uri": {offerURI}})
}

// withQuery appends q. A space becomes %20: wallets that decode with the web's
// decodeURIComponent would keep a plus sign.
func withQuery(endpoint string, q url.Values) string {
	query := strings.ReplaceAll(q.Encode(), "+", "%20")
	if strings.Contains(endpoint, "?") {
		return endpoint + "&" + query
	}
	return endpoint + "?" + query
}
