package openid4vp

import (
	"encoding/base64"
	"time"

	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/ijson"
)

// ResponseMode says how the answer travels (sections 8.2, 8.3.1, RFC 6749 and Appendix A).
type ResponseMode string

// Response modes. This package sends and receives the two direct_post ones.
const (
	Fragment      ResponseMode = "fragment" // the default of vp_token (section 5.6)
	QueryMode     ResponseMode = "query"
	DirectPost    ResponseMode = "direct_post"
	DirectPostJWT ResponseMode = "direct_post.jwt"
	DCAPI         ResponseMode = "dc_api"
	DCAPIJWT      ResponseMode = "dc_api.jwt"
)

// Encrypted tells whether the answer must be a JWE (section 8.3).
func (m ResponseMode) Encrypted() bool { return m == DirectPostJWT || m == DCAPIJWT }

// ResponseTypeVPToken is the only response_type spoken here (section 5.6).
const ResponseTypeVPToken = "vp_token"

// RequestObjectType is the typ of a request object (section 5).
const RequestObjectType = "oauth-authz-req+jwt"

// Limits on what comes from outside, in bytes.
const (
	MaxInvocationSize    = 64 << 10
	MaxRequestObjectSize = 256 << 10
	MaxResponseSize      = 2 << 20
	maxParameter         = 4 << 10
)

// Request is an Authorization Request (section 5): the parameters of a request object, or of a link that carries them by
// value. Unrecognised parameters are dropped; iss is ignored, as section 5 demands.
type Request struct {
	ClientID     ClientID
	ResponseType string
	ResponseMode ResponseMode
	ResponseURI  string
	RedirectURI  string
	// Audience is aud; a request object may hold several, a link none.
	Audience []string
	// Nonce and State are ASCII URL safe (section 5.2).
	Nonce, State    string
	Scope           string
	Query           *dcql.Query
	Metadata        *ClientMetadata
	TransactionData []TransactionData
	VerifierInfo    []VerifierInfo
	WalletNonce     string
	// IssuedAt, NotBefore and ExpiresAt are zero when absent.
	IssuedAt, NotBefore, ExpiresAt time.Time
}

// TransactionData is one element of transaction_data (section 5.1). Raw is what a hash would be made over.
type TransactionData struct {
	Raw           string
	Type          string
	CredentialIDs []string
	Members       map[string]any
}

// VerifierInfo is one attestation about the verifier (sections 5.1 and 5.11). Data is a string or an object.
type VerifierInfo struct {
	Format        string   `json:"format"`
	Data          any      `json:"data"`
	CredentialIDs []string `json:"credential_ids,omitempty"`
}

// PurposeFormat is the format of the verifier_info in which Paspoort verifiers say why they ask.
const PurposeFormat = "urn:paspoort:verifier-info:purpose:1"

// Purpose is the data of a [PurposeFormat] verifier_info: the asker's own words, signed with the request.
type Purpose struct {
	Purpose  string `json:"purpose"`
	Language string `json:"lang,omitempty"` // BCP 47, of the sentence
	// Organisation and Region say as whom the asker is known: permanent organisation id and genesis hash. A claim, to be
	// held against the registry.
	Organisation string `json:"organisation,omitempty"`
	Region       string `json:"region,omitempty"`
}

// Purpose returns the purpose statement of the request, or nil.
func (r *Request) Purpose() *Purpose {
	for _, info := range r.VerifierInfo {
		data, ok := info.Data.(map[string]any)
		if info.Format != PurposeFormat || !ok {
			continue
		}
		p := &Purpose{}
		for name, field := range map[string]*string{
			"purpose": &p.Purpose, "lang": &p.Language, "organisation": &p.Organisation, "region": &p.Region,
		} {
			*field, _ = data[name].(string)
		}
		if p.Purpose != "" && len(p.Purpose) <= maxParameter {
			return p
		}
	}
	return nil
}

// parseRequest reads the JSON payload of a request object. Beside an error about one parameter it returns what the others
// say, so that the error can be reported where an authenticated request asks for the answer.
func parseRequest(payload []byte) (*Request, error) {
	if len(payload) > MaxRequestObjectSize {
		return nil, fail(InvalidRequestObject, "the request object is larger than %d bytes", MaxRequestObjectSize)
	}
	var claims map[string]any
	if err := ijson.Unmarshal(payload, &claims); err != nil {
		return nil, fail(InvalidRequestObject, "the request object is not strict JSON: %w", err)
	}
	return readRequest(claims)
}

// readRequest reads decoded parameters; it always returns a request.
func readRequest(claims map[string]any) (*Request, error) {
	p := params{claims: claims}
	// RFC 9101 4: "request and request_uri parameters MUST NOT be included in Request Objects."
	p.forbid("request", "request_uri")
	r := &Request{
		ClientID:     ClientID(p.text("client_id")),
		ResponseType: p.text("response_type"),
		ResponseMode: ResponseMode(p.text("response_mode")),
		ResponseURI:  p.text("response_uri"),
		RedirectURI:  p.text("redirect_uri"),
		Nonce:        p.text("nonce"),
		State:        p.text("state"),
		Scope:        p.text("scope"),
		WalletNonce:  p.text("wallet_nonce"),
		Audience:     p.audience(),
		IssuedAt:     p.date("iat"),
		NotBefore:    p.date("nbf"),
		ExpiresAt:    p.date("exp"),
		Query:        p.query(),
		Metadata:     p.metadata(),
		VerifierInfo: p.verifierInfo(),
	}
	r.TransactionData = p.transactionData()
	return r, p.err
}

// UnmarshalJSON reads a request as kept by a verifier; the same rules as for a request object hold.
func (r *Request) UnmarshalJSON(raw []byte) error {
	parsed, err := parseRequest(raw)
	if err != nil {
		return err
	}
	*r = *parsed
	return nil
}

// MarshalJSON writes the claims of the request object (RFC 9101: parameters as claims, objects as objects).
func (r Request) MarshalJSON() ([]byte, error) { return ijson.Canonical(r.claims()) }

func (r *Request) claims() map[string]any {
	claims := map[string]any{}
	for name, value := range map[string]string{
		"client_id": string(r.ClientID), "response_type": r.ResponseType, "response_mode": string(r.ResponseMode),
		"response_uri": r.ResponseURI, "redirect_uri": r.RedirectURI, "nonce": r.Nonce, "state": r.State,
		"scope": r.Scope, "wallet_nonce": r.WalletNonce,
	} {
		if value != "" {
			claims[name] = value
		}
	}
	for name, value := range map[string]time.Time{"iat": r.IssuedAt, "nbf": r.NotBefore, "exp": r.ExpiresAt} {
		if !value.IsZero() {
			claims[name] = value.Unix()
		}
	}
	switch len(r.Audience) {
	case 0:
	case 1:
		claims["aud"] = r.Audience[0]
	default:
		claims["aud"] = r.Audience
	}
	if r.Query != nil {
		claims["dcql_query"] = r.Query
	}
	if r.Metadata != nil {
		claims["client_metadata"] = r.Metadata
	}
	if len(r.VerifierInfo) > 0 {
		claims["verifier_info"] = r.VerifierInfo
	}
	if len(r.TransactionData) > 0 {
		raw := make([]string, len(r.TransactionData))
		for i, t := range r.TransactionData {
			raw[i] = t.Raw
		}
		claims["transaction_data"] = raw
	}
	return claims
}

// parseTransactionData reads one base64url-encoded JSON object. A fault in it is invalid_transaction_data (section 8.5).
func parseTransactionData(raw string) (t TransactionData, err *Error) {
	t.Raw = raw
	decoded, decodeErr := base64.RawURLEncoding.Strict().DecodeString(raw)
	if decodeErr != nil {
		return t, fail(InvalidTransactionData, "transaction_data is not base64url")
	}
	if ijson.Unmarshal(decoded, &t.Members) != nil || t.Members == nil {
		return t, fail(InvalidTransactionData, "transaction_data is not a JSON object")
	}
	var ok bool
	if t.Type, ok = t.Members["type"].(string); !ok || t.Type == "" {
		return t, fail(InvalidTransactionData, "transaction_data has no type")
	}
	ids, ok := stringList(t.Members["credential_ids"])
	if !ok {
		return t, fail(InvalidTransactionData, "transaction_data has no credential_ids")
	}
	t.CredentialIDs = ids
	return t, nil
}
