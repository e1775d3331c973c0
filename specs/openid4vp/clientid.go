package openid4vp

import "strings"

// Prefix is a Client Identifier Prefix (section 5.9): how a client_id is to be understood and authenticated.
type Prefix string

// The prefixes of section 5.9.3. PreRegistered stands for a client_id without one, as in client_id_prefixes_supported.
const (
	PreRegistered           Prefix = "pre-registered"
	RedirectURI             Prefix = "redirect_uri"
	OpenIDFederation        Prefix = "openid_federation"
	DecentralizedIdentifier Prefix = "decentralized_identifier"
	VerifierAttestation     Prefix = "verifier_attestation"
	X509SANDNS              Prefix = "x509_san_dns"
	X509Hash                Prefix = "x509_hash"
	// Origin is reserved for the Digital Credentials API: "The Wallet MUST NOT accept this Client Identifier Prefix in
	// requests."
	Origin Prefix = "origin"
)

// ClientID is a full Client Identifier with its prefix, e.g. "x509_san_dns:client.example.org". Section 14.8: it is always
// used whole, also as the audience of a presentation.
type ClientID string

// Split returns the prefix and the identifier within it. A colon after something that is no known prefix belongs to the
// identifier of a pre-registered client (section 5.9.2).
func (id ClientID) Split() (Prefix, string) {
	before, after, found := strings.Cut(string(id), ":")
	if found {
		switch p := Prefix(before); p {
		case RedirectURI, OpenIDFederation, DecentralizedIdentifier, VerifierAttestation, X509SANDNS, X509Hash, Origin:
			return p, after
		}
	}
	return PreRegistered, string(id)
}

// Prefix returns the prefix alone.
func (id ClientID) Prefix() Prefix { p, _ := id.Split(); return p }

// NewClientID joins prefix and identifier.
func NewClientID(p Prefix, original string) ClientID {
	if p == PreRegistered {
		return ClientID(original)
	}
	return ClientID(string(p) + ":" + original)
}
