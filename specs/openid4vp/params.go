package openid4vp

import (
	"math"
	"time"

	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/ijson"
)

// params reads typed parameters out of decoded claims and keeps the first error.
type params struct {
	claims map[string]any
	err    error
}

func (p *params) fail(code Code, format string, args ...any) {
	if p.err == nil {
		p.err = fail(code, format, args...)
	}
}

func (p *params) text(name string) string {
	v, ok := p.claims[name]
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok || s == "" || len(s) > maxParameter {
		p.fail(InvalidRequest, "%s is not a string of 1 to %d bytes", name, maxParameter)
		return ""
	}
	return s
}

// forbid refuses parameters that must not occur.
func (p *params) forbid(names ...string) {
	for _, name := range names {
		if _, ok := p.claims[name]; ok {
			p.fail(InvalidRequestObject, "%s is inside the request object", name)
		}
	}
}

func (p *params) date(name string) time.Time {
	v, ok := p.claims[name]
	if !ok {
		return time.Time{}
	}
	seconds, ok := v.(float64)
	if !ok || seconds < 0 || seconds > 1<<40 {
		p.fail(InvalidRequest, "%s is not a NumericDate", name)
		return time.Time{}
	}
	whole, _ := math.Modf(seconds)
	return time.Unix(int64(whole), 0).UTC()
}

func (p *params) audience() []string {
	switch v := p.claims["aud"].(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	default:
		list, ok := stringList(v)
		if !ok {
			p.fail(InvalidRequest, "aud is neither a string nor an array of strings")
		}
		return list
	}
}

// again turns a decoded value back into JSON, for a type with a strict decoder of its own.
func (p *params) again(name string) ([]byte, bool) {
	v, ok := p.claims[name]
	if !ok {
		return nil, false
	}
	raw, err := ijson.Canonical(v)
	if err != nil {
		p.fail(InvalidRequest, "%s cannot be read: %w", name, err)
		return nil, false
	}
	return raw, true
}

func (p *params) query() *dcql.Query {
	raw, ok := p.again("dcql_query")
	if !ok {
		return nil
	}
	q, err := dcql.ParseQuery(raw)
	if err != nil {
		p.fail(InvalidRequest, "dcql_query: %w", err)
		return nil
	}
	return q
}

func (p *params) metadata() *ClientMetadata {
	raw, ok := p.again("client_metadata")
	if !ok {
		return nil
	}
	m, err := parseClientMetadata(raw)
	if err != nil {
		p.fail(InvalidRequest, "client_metadata: %w", err)
		return nil
	}
	return m
}

// verifierInfo is section 5.1: "A non-empty array of attestations".
func (p *params) verifierInfo() []VerifierInfo {
	v, ok := p.claims["verifier_info"]
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 || len(list) > 64 {
		p.fail(InvalidRequest, "verifier_info is not a non-empty array")
		return nil
	}
	out := make([]VerifierInfo, len(list))
	for i, element := range list {
		o, _ := element.(map[string]any)
		format, _ := o["format"].(string)
		switch o["data"].(type) {
		case string, map[string]any:
		default:
			format = ""
		}
		if format == "" {
			p.fail(InvalidRequest, "verifier_info[%d] has no format or no data", i)
			return nil
		}
		out[i] = VerifierInfo{Format: format, Data: o["data"]}
		if ids, ok := o["credential_ids"]; ok {
			if out[i].CredentialIDs, ok = stringList(ids); !ok {
				p.fail(InvalidRequest, "verifier_info[%d]: credential_ids is not a non-empty array of strings", i)
			}
		}
	}
	return out
}

func (p *params) transactionData() []TransactionData {
	v, ok := p.claims["transaction_data"]
	if !ok {
		return nil
	}
	raws, ok := stringList(v)
	if !ok {
		p.fail(InvalidTransactionData, "transaction_data is not a non-empty array of strings")
		return nil
	}
	out := make([]TransactionData, len(raws))
	for i, raw := range raws {
		t, err := parseTransactionData(raw)
		if err != nil {
			p.fail(err.Code, "%s", err.Description)
			return nil
		}
		out[i] = t
	}
	return out
}

func stringList(v any) ([]string, bool) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 || len(list) > 256 {
		return nil, false
	}
	out := make([]string, len(list))
	for i, element := range list {
		s, ok := element.(string)
		if !ok || s == "" {
			return nil, false
		}
		out[i] = s
	}
	return out, true
}

// urlSafe is section 5.2: "ASCII URL safe characters (uppercase and lowercase letters, decimal digits, hyphen, period,
// underscore, and tilde)".
func urlSafe(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return s != ""
}
