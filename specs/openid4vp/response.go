package openid4vp

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// VPToken is vp_token: credential query id to the presentations for it (section 8.1). Every format spoken here writes a
// presentation as a string.
type VPToken map[string][]string

const maxPresentations = 256

// ParseVPToken reads a vp_token: a JSON object with an array of strings per id.
func ParseVPToken(raw []byte) (VPToken, error) {
	if len(raw) > MaxResponseSize {
		return nil, fail(InvalidRequest, "vp_token is larger than %d bytes", MaxResponseSize)
	}
	var v map[string]any
	if err := ijson.Unmarshal(raw, &v); err != nil {
		return nil, fail(InvalidRequest, "vp_token is not a JSON object: %w", err)
	}
	return readVPToken(v)
}

func readVPToken(v map[string]any) (VPToken, error) {
	if len(v) == 0 {
		return nil, fail(InvalidRequest, "vp_token is empty")
	}
	token := make(VPToken, len(v))
	total := 0
	for id, entry := range v {
		list, ok := entry.([]any)
		if !ok || len(list) == 0 {
			return nil, fail(InvalidRequest, "an entry of vp_token is not a non-empty array of presentations")
		}
		if total += len(list); total > maxPresentations {
			return nil, fail(InvalidRequest, "vp_token has more than %d presentations", maxPresentations)
		}
		for _, presentation := range list {
			s, ok := presentation.(string)
			if !ok || s == "" {
				return nil, fail(InvalidRequest, "a presentation is not a string, as its format demands")
			}
			token[id] = append(token[id], s)
		}
	}
	return token, nil
}

// Counts returns the number of presentations per credential query id.
func (t VPToken) Counts() map[string]int {
	counts := make(map[string]int, len(t))
	for id, presentations := range t {
		counts[id] = len(presentations)
	}
	return counts
}

// checkBinding holds a presentation's own words about nonce and audience against the request (section 14.1.2). It does not
// verify the signature over them: who judges the presentation does. It keeps an answer to another request, or to
// another verifier, from being taken for the answer to this one.
func checkBinding(c *dcql.CredentialQuery, presentation string, r *Request) error {
	proof := presentation
	switch c.Format {
	case dcql.FormatSDJWTVC, dcql.FormatVCSDJWT:
		// RFC 9901 4: the key binding JWT stands after the last tilde; nothing there means none.
		i := strings.LastIndexByte(presentation, '~')
		if i < 0 {
			return errors.New("a presentation is not an SD-JWT")
		}
		if proof = presentation[i+1:]; proof == "" {
			if c.RequiresHolderBinding() {
				return errors.New("a presentation has no key binding though holder binding was asked")
			}
			return nil
		}
	case dcql.FormatJWTVC:
		if !c.RequiresHolderBinding() {
			return nil
		}
	default:
		return errors.New("a presentation is of a format that is not spoken here")
	}
	signed, err := jose.Parse(proof)
	if err != nil {
		return errors.New("a holder binding proof is not a JWS")
	}
	var claims map[string]any
	if err := ijson.Unmarshal(signed.Payload, &claims); err != nil {
		return errors.New("a holder binding proof is not strict JSON")
	}
	if claims["nonce"] != r.Nonce {
		return errors.New("a presentation was made for another nonce")
	}
	// B.3.6: "the aud claim MUST be the value of the Client Identifier", which is the whole of it, prefix included.
	if claims["aud"] != string(r.ClientID) {
		return errors.New("a presentation was made for another audience")
	}
	return nil
}

// respond makes the form that answers the request: vp_token in the clear, or the JWE of section 8.3.
func respond(r *Request, token VPToken) (url.Values, error) {
	if err := r.Query.CheckShape(token.Counts()); err != nil {
		return nil, err
	}
	if !r.ResponseMode.Encrypted() {
		raw, err := json.Marshal(token)
		if err != nil {
			return nil, err
		}
		form := url.Values{"vp_token": {string(raw)}}
		if r.State != "" {
			form.Set("state", r.State)
		}
		return form, nil
	}
	key, enc, err := r.Metadata.encryption()
	if err != nil {
		return nil, err
	}
	// Section 8.3: "The payload of the encrypted JWT response MUST include the contents of the response as defined in
	// Section 8.1 as top-level JSON members."
	payload := map[string]any{"vp_token": token}
	if r.State != "" {
		payload["state"] = r.State
	}
	plain, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	jwe, err := jose.Encrypt(plain, key, enc, jose.Header{})
	if err != nil {
		return nil, fmt.Errorf("encrypt the answer: %w", err)
	}
	return url.Values{"response": {jwe}}, nil
}

func errorForm(r *Request, code Code, description string) url.Values {
	form := url.Values{"error": {string(code)}}
	if description != "" {
		form.Set("error_description", description)
	}
	if r.State != "" {
		form.Set("state", r.State)
	}
	return form
}
