package dcql

import (
	"errors"
	"fmt"
	"math"

	"paspoort.example/paspoort/specs/ijson"
)

// Limits on a query from outside. They are ours: the text sets none. The query of the largest example in the text has
// five credential queries of four claims.
const (
	MaxQuerySize = 64 << 10 // bytes of JSON

	maxCredentials = 64
	maxClaims      = 128
	maxSets        = 128
	maxValues      = 512
	maxPath        = 32
	maxIDLength    = 128
	maxSelected    = 10_000
)

// ErrQuery: the query is not one that section 6 allows. Verifiers sent it wrong: the wallet answers invalid_request.
var ErrQuery = errors.New("invalid dcql query")

// ParseQuery reads a query in JSON. Unknown members are ignored, as section 6 asks ("Implementations MUST ignore any
// unknown properties"); everything that the text forbids is refused with [ErrQuery] and the place.
func ParseQuery(raw []byte) (*Query, error) {
	if len(raw) > MaxQuerySize {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrQuery, MaxQuerySize)
	}
	var v any
	if err := ijson.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrQuery, err)
	}
	q, err := fromValue(v)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrQuery, err)
	}
	return q, nil
}

// UnmarshalJSON reads a query as [ParseQuery] does, wherever it stands inside another object.
func (q *Query) UnmarshalJSON(raw []byte) error {
	parsed, err := ParseQuery(raw)
	if err != nil {
		return err
	}
	*q = *parsed
	return nil
}

func fromValue(v any) (*Query, error) {
	top, err := asObject("query", v)
	if err != nil {
		return nil, err
	}
	credentials, err := arrayOf(top, "credentials", maxCredentials, true, readCredential)
	if err != nil {
		return nil, err
	}
	sets, err := arrayOf(top, "credential_sets", maxSets, false, readCredentialSet)
	if err != nil {
		return nil, err
	}
	q := &Query{Credentials: credentials, CredentialSets: sets}
	return q, q.validate()
}

func readCredential(v any) (c CredentialQuery, err error) {
	o, err := asObject("credential query", v)
	if err != nil {
		return c, err
	}
	if c.ID, err = stringMember(o, "id", true); err != nil {
		return c, err
	}
	if c.Format, err = stringMember(o, "format", true); err != nil {
		return c, err
	}
	multiple, err := boolMember(o, "multiple")
	if err != nil {
		return c, err
	}
	c.Multiple = multiple != nil && *multiple
	if c.HolderBinding, err = boolMember(o, "require_cryptographic_holder_binding"); err != nil {
		return c, err
	}
	if c.Meta, err = readMeta(o, c.Format); err != nil {
		return c, err
	}
	if c.TrustedAuthorities, err = arrayOf(o, "trusted_authorities", maxSets, false, readAuthority); err != nil {
		return c, err
	}
	if c.Claims, err = arrayOf(o, "claims", maxClaims, false, readClaim); err != nil {
		return c, err
	}
	c.ClaimSets, err = arrayOf(o, "claim_sets", maxSets, false, readIDs)
	return c, err
}

// readMeta is section 6.1: "meta: REQUIRED", which may be empty; what each format defines in it is in Appendix B. A member of
// another format is an unknown property here, and ignored.
func readMeta(o map[string]any, format string) (m Meta, err error) {
	v, ok := o["meta"]
	if !ok {
		return m, errors.New("meta is missing")
	}
	meta, err := asObject("meta", v)
	if err != nil {
		return m, err
	}
	switch format {
	case FormatSDJWTVC:
		m.VCTValues, err = arrayOf(meta, "vct_values", maxValues, false, asString)
	case FormatVCSDJWT, FormatJWTVC:
		m.TypeValues, err = arrayOf(meta, "type_values", maxValues, false, readStrings)
	case FormatMdoc:
		m.DoctypeValue, err = stringMember(meta, "doctype_value", false)
	}
	return m, err
}

func readAuthority(v any) (a TrustedAuthority, err error) {
	o, err := asObject("trusted authority", v)
	if err != nil {
		return a, err
	}
	if a.Type, err = stringMember(o, "type", true); err != nil {
		return a, err
	}
	a.Values, err = arrayOf(o, "values", maxValues, true, asString)
	return a, err
}

func readClaim(v any) (c ClaimsQuery, err error) {
	o, err := asObject("claims query", v)
	if err != nil {
		return c, err
	}
	if _, ok := o["id"]; ok {
		if c.ID, err = stringMember(o, "id", true); err != nil {
			return c, err
		}
	}
	if c.Path, err = NewPath(o["path"]); err != nil {
		return c, err
	}
	if c.IntentToRetain, err = boolMember(o, "intent_to_retain"); err != nil {
		return c, err
	}
	c.Values, err = arrayOf(o, "values", maxValues, false, readValue)
	return c, err
}

// readValue is section 6.3: "strings, integers or boolean values".
func readValue(v any) (any, error) {
	switch v := v.(type) {
	case string, bool:
		return v, nil
	case float64:
		if v != math.Trunc(v) || math.Abs(v) > 1<<53-1 {
			return nil, errors.New("a value is a number but not an integer")
		}
		return int64(v), nil
	}
	return nil, errors.New("a value is neither string, integer nor boolean")
}

func readCredentialSet(v any) (s CredentialSetQuery, err error) {
	o, err := asObject("credential set query", v)
	if err != nil {
		return s, err
	}
	if s.Options, err = arrayOf(o, "options", maxSets, true, readIDs); err != nil {
		return s, err
	}
	s.Required, err = boolMember(o, "required")
	return s, err
}
