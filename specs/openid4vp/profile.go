package openid4vp

import "slices"

// Profile switches strictness; both halves take one. The zero Profile allows nothing: use one of the functions.
type Profile struct {
	Name          string
	Prefixes      []Prefix
	ResponseModes []ResponseMode
	Formats       []string
	// ByReference: the request must come as a signed object behind request_uri.
	ByReference bool
	// AnyAudience accepts a request object with another aud than [StaticAudience]. Section 5.8 demands it ("the aud claim
	// MUST be https://self-issued.me/v2, when Static Discovery metadata is used"), yet some verifiers in the field put
	// the request URI there. Nothing in our reading of a request rests on aud, so a tolerant wallet loses no protection:
	// the request is bound by response_uri, nonce and client_id.
	AnyAudience bool
	// BothEncodings: verifiers list A128GCM and A256GCM (HAIP 5).
	BothEncodings bool
}

// StaticAudience is the aud of a request object for a wallet that was not discovered dynamically (section 5.8).
const StaticAudience = "https://self-issued.me/v2"

// Standard is everything of OpenID4VP 1.0 that this package speaks, in strict form.
func Standard() Profile {
	return Profile{
		Name:          "standard",
		Prefixes:      []Prefix{RedirectURI, DecentralizedIdentifier, X509SANDNS, X509Hash},
		ResponseModes: []ResponseMode{DirectPost, DirectPostJWT},
		Formats:       []string{"dc+sd-jwt", "vc+sd-jwt", "jwt_vc_json"},
	}
}

// Tolerant is [Standard] with any aud.
func Tolerant() Profile {
	p := Standard()
	p.Name, p.AnyAudience = "tolerant", true
	return p
}

// DIIP is the Decentralized Identity Interop Profile v5: by reference, GET, decentralized_identifier, unencrypted allowed.
func DIIP() Profile {
	return Profile{
		Name:          "diip",
		Prefixes:      []Prefix{DecentralizedIdentifier},
		ResponseModes: []ResponseMode{DirectPost, DirectPostJWT},
		Formats:       []string{"dc+sd-jwt", "vc+sd-jwt"},
		ByReference:   true,
	}
}

// HAIP is the OpenID4VC High Assurance Interoperability Profile 1.0, sections 5 and 5.1, for dc+sd-jwt. That the anchor
// stays out of x5c and the leaf is not self-signed holds in every profile: [jose.VerifyChain] refuses both.
func HAIP() Profile {
	return Profile{
		Name:          "haip",
		Prefixes:      []Prefix{X509Hash},
		ResponseModes: []ResponseMode{DirectPostJWT},
		Formats:       []string{"dc+sd-jwt"},
		ByReference:   true,
		BothEncodings: true,
	}
}

func (p *Profile) allowsPrefix(x Prefix) bool     { return slices.Contains(p.Prefixes, x) }
func (p *Profile) allowsMode(m ResponseMode) bool { return slices.Contains(p.ResponseModes, m) }
func (p *Profile) allowsFormat(f string) bool     { return slices.Contains(p.Formats, f) }
