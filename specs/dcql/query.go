package dcql

// Credential Format Identifiers (OpenID4VP 1.0 Appendix B; vc+sd-jwt is the identifier that DIIP v5 uses for a W3C VCDM 2.0
// credential secured as SD-JWT, for which OpenID4VP names none).
const (
	FormatSDJWTVC = "dc+sd-jwt"
	FormatVCSDJWT = "vc+sd-jwt"
	FormatJWTVC   = "jwt_vc_json"
	FormatMdoc    = "mso_mdoc"
)

// Types of a Trusted Authorities Query (section 6.1.1).
const (
	AuthorityKeyIdentifier    = "aki"               // 6.1.1.1: base64url KeyIdentifier of a certificate in the chain
	AuthorityETSITrustedList  = "etsi_tl"           // 6.1.1.2: identifier of a trusted list
	AuthorityOpenIDFederation = "openid_federation" // 6.1.1.3: an Entity Identifier on the trust path
)

// Query is a DCQL query (section 6). One that came from [ParseQuery] obeys every rule of the text.
type Query struct {
	Credentials    []CredentialQuery    `json:"credentials"`
	CredentialSets []CredentialSetQuery `json:"credential_sets,omitempty"`
}

// CredentialQuery asks for presentations of one or more credentials of one format (section 6.1).
type CredentialQuery struct {
	ID                 string             `json:"id"`
	Format             string             `json:"format"`
	Multiple           bool               `json:"multiple,omitzero"`
	Meta               Meta               `json:"meta"`
	TrustedAuthorities []TrustedAuthority `json:"trusted_authorities,omitempty"`
	// HolderBinding is require_cryptographic_holder_binding; nil means the default, true.
	HolderBinding *bool         `json:"require_cryptographic_holder_binding,omitempty"`
	Claims        []ClaimsQuery `json:"claims,omitempty"`
	ClaimSets     [][]string    `json:"claim_sets,omitempty"`
}

// RequiresHolderBinding tells whether a presentation must prove possession of the holder's key (section 6.1: default true).
func (c *CredentialQuery) RequiresHolderBinding() bool {
	return c.HolderBinding == nil || *c.HolderBinding
}

// Meta holds the format's own constraints. The empty Meta places no constraint (section 6.1).
type Meta struct {
	VCTValues    []string   `json:"vct_values,omitempty"`    // B.3.5, dc+sd-jwt
	TypeValues   [][]string `json:"type_values,omitempty"`   // B.1.1, W3C formats: alternatives, each a set of expanded types
	DoctypeValue string     `json:"doctype_value,omitempty"` // B.2.3, mso_mdoc
}

// TrustedAuthority asks for credentials whose issuer one of these authorities certifies (section 6.1.1).
type TrustedAuthority struct {
	Type   string   `json:"type"`
	Values []string `json:"values"`
}

// ClaimsQuery asks for one claim, or for the claims that a path with null selects (section 6.3).
type ClaimsQuery struct {
	ID   string `json:"id,omitempty"`
	Path Path   `json:"path"`
	// Values holds strings, booleans and int64: the claim counts only when it equals one of them in type and value.
	Values []any `json:"values,omitempty"`
	// IntentToRetain is of mdoc only (B.2.4): whether the verifier means to keep the element.
	IntentToRetain *bool `json:"intent_to_retain,omitempty"`
}

// CredentialSetQuery names sets of credentials that serve one use case, in order of preference (section 6.2).
type CredentialSetQuery struct {
	Options [][]string `json:"options"`
	// Required nil means the default, true.
	Required *bool `json:"required,omitempty"`
}

// IsRequired tells whether the set must be satisfied for the query to be (section 6.2: default true).
func (s *CredentialSetQuery) IsRequired() bool { return s.Required == nil || *s.Required }

// Credential returns the credential query with this id, or nil.
func (q *Query) Credential(id string) *CredentialQuery {
	for i := range q.Credentials {
		if q.Credentials[i].ID == id {
			return &q.Credentials[i]
		}
	}
	return nil
}

// RequiresHolderBinding tells whether every credential query asks for a proof of holder binding. Where it does not, the
// request must carry a state (section 5.3).
func (q *Query) RequiresHolderBinding() bool {
	for i := range q.Credentials {
		if !q.Credentials[i].RequiresHolderBinding() {
			return false
		}
	}
	return true
}
