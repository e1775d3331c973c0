package openid4vp

import (
	"slices"
	"strings"
	"time"
)

// clockSkew is how far the clocks of wallet and verifier may differ.
const clockSkew = 2 * time.Minute

// checkTarget makes sure that the answer goes where the client identifier allows (section 14.3.1). A request that fails
// here gets no answer at all, not even an error.
func checkTarget(x *Exchange) error {
	r := x.Request
	prefix, original := r.ClientID.Split()
	if prefix == RedirectURI && r.ResponseURI == "" {
		// "The Verifier MAY omit the redirect_uri Authorization Request parameter (or response_uri when Response Mode
		// direct_post is used)."
		r.ResponseURI = original
	}
	// Section 8.2: with response_uri, redirect_uri MUST NOT be present. Such a request still says where an error goes.
	target, err := absoluteURL(r.ResponseURI)
	if err != nil {
		return fail(InvalidRequest, "response_uri: %w", err)
	}
	switch prefix {
	case RedirectURI:
		if r.ResponseURI != original {
			return fail(InvalidRequest, "response_uri is not the one in client_id")
		}
	case X509SANDNS:
		// "the FQDN of the redirect_uri value MUST match the Client Identifier without the prefix"
		if !strings.EqualFold(target.Hostname(), original) {
			return fail(InvalidRequest, "response_uri is not at the host in client_id")
		}
	}
	return nil
}

// checkRequest is section 5 for a request whose sender is known.
func (c *Client) checkRequest(x *Exchange, isObject bool, now time.Time) error {
	r := x.Request
	switch {
	case r.ResponseType != ResponseTypeVPToken:
		return fail(UnsupportedResponseType, "response_type is not vp_token")
	case r.RedirectURI != "":
		return fail(InvalidRequest, "redirect_uri is used together with a direct_post response mode")
	case !c.Profile.allowsMode(r.ResponseMode):
		return fail(InvalidRequest, "response_mode %.40q is not supported in the profile %s", r.ResponseMode, c.Profile.Name)
	case !urlSafe(r.Nonce):
		return fail(InvalidRequest, "nonce is missing or has characters that are not URL safe")
	case r.State != "" && !urlSafe(r.State):
		return fail(InvalidRequest, "state has characters that are not URL safe")
	}
	if isObject {
		if err := c.checkObject(r, now); err != nil {
			return err
		}
	}
	if err := c.checkQuery(r); err != nil {
		return err
	}
	return c.checkTransactionData(r)
}

// checkObject checks what only a request object has.
func (c *Client) checkObject(r *Request, now time.Time) error {
	if !c.Profile.AnyAudience && !slices.Contains(r.Audience, StaticAudience) {
		return fail(InvalidRequestObject, "aud of the request object is not %s", StaticAudience)
	}
	switch {
	case !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt.Add(clockSkew)):
		return fail(InvalidRequestObject, "the request object has expired")
	case now.Add(clockSkew).Before(r.NotBefore), now.Add(clockSkew).Before(r.IssuedAt):
		return fail(InvalidRequestObject, "the request object is from the future")
	}
	return nil
}

func (c *Client) checkQuery(r *Request) error {
	switch {
	case r.Query != nil && r.Scope != "":
		return fail(InvalidRequest, "dcql_query and scope are used together")
	case r.Scope != "":
		return fail(InvalidScope, "no scope stands for a query here")
	case r.Query == nil:
		return fail(InvalidRequest, "dcql_query is missing")
	case !r.Query.RequiresHolderBinding() && r.State == "":
		// Section 5.3: without holder binding "the Verifier MUST include a state parameter".
		return fail(InvalidRequest, "state is missing though a presentation without holder binding is asked")
	}
	if !c.speaksOneOf(r) {
		return fail(VPFormatsNotSupported, "none of the formats that are asked is supported")
	}
	if r.ResponseMode.Encrypted() {
		if _, _, err := r.Metadata.encryption(); err != nil {
			return fail(InvalidRequest, "%w", err)
		}
	}
	if c.Profile.BothEncodings {
		if m := r.Metadata.EncryptionMethods; !slices.Contains(m, A128GCM) || !slices.Contains(m, A256GCM) {
			return fail(InvalidRequest, "encrypted_response_enc_values_supported does not list A128GCM and A256GCM")
		}
	}
	return nil
}

func (c *Client) speaksOneOf(r *Request) bool {
	for i := range r.Query.Credentials {
		format := r.Query.Credentials[i].Format
		if !c.Profile.allowsFormat(format) {
			continue
		}
		if r.Metadata == nil || r.Metadata.VPFormats == nil {
			return true
		}
		if _, ok := r.Metadata.VPFormats[format]; ok {
			return true
		}
	}
	return false
}

// checkTransactionData is section 8.4: "If the Wallet does not support transaction_data parameter, it MUST return an error".
func (c *Client) checkTransactionData(r *Request) error {
	for _, t := range r.TransactionData {
		if !slices.Contains(c.TransactionDataTypes, t.Type) {
			return fail(InvalidTransactionData, "the type of transaction_data is not supported")
		}
		for _, id := range t.CredentialIDs {
			query := r.Query.Credential(id)
			if query == nil {
				return fail(InvalidTransactionData, "credential_ids of transaction_data does not match the query")
			}
			if !query.RequiresHolderBinding() {
				// B.3.3: MUST reject with require_cryptographic_holder_binding false.
				return fail(InvalidTransactionData, "transaction_data needs holder binding")
			}
		}
	}
	return nil
}
