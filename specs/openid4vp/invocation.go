package openid4vp

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
)

// Invocation is what a wallet is called with (section 9): a link, the text of a QR code, or a bare query string. It refers
// to a request object (RequestURI), holds one (RequestObject), or holds the parameters themselves (Parameters).
type Invocation struct {
	// Scheme is how it came: "openid4vp", "haip-vp", "https", or "" for a bare query string.
	Scheme           string
	ClientID         ClientID
	RequestURI       string
	RequestURIMethod string // "", "get" or "post"
	RequestObject    string
	Parameters       map[string]any
}

var objectParameters = map[string]bool{
	"dcql_query": true, "client_metadata": true, "transaction_data": true, "verifier_info": true,
}

// ParseInvocation reads an invocation: openid4vp://…, haip-vp://…, another custom scheme of a wallet, an https link of a
// wallet host, or only the query string. A text that is none of these is [ErrInvocation]; one that breaks the protocol is
// an [*Error].
func ParseInvocation(text string) (*Invocation, error) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > MaxInvocationSize {
		return nil, fmt.Errorf("%w: empty or larger than %d bytes", ErrInvocation, MaxInvocationSize)
	}
	scheme, query := "", text
	if before, after, found := strings.Cut(text, "?"); found {
		query = after
		s, _, ok := strings.Cut(before, ":")
		if !ok {
			return nil, fmt.Errorf("%w: no scheme before the question mark", ErrInvocation)
		}
		scheme = strings.ToLower(s)
	}
	query, _, _ = strings.Cut(query, "#")
	values, err := url.ParseQuery(query)
	if err != nil || values.Get("client_id") == "" {
		return nil, fmt.Errorf("%w: no client_id in it", ErrInvocation)
	}
	for name, list := range values {
		// RFC 6749 3.1: "Request and response parameters MUST NOT be included more than once."
		if len(list) > 1 {
			return nil, fail(InvalidRequest, "the parameter %.40s occurs twice", name)
		}
	}
	return readInvocation(scheme, values)
}

func readInvocation(scheme string, values url.Values) (*Invocation, error) {
	inv := &Invocation{
		Scheme:           scheme,
		ClientID:         ClientID(values.Get("client_id")),
		RequestURI:       values.Get("request_uri"),
		RequestURIMethod: values.Get("request_uri_method"),
		RequestObject:    values.Get("request"),
	}
	switch {
	case len(inv.ClientID) > maxParameter:
		return nil, fail(InvalidRequest, "client_id is longer than %d bytes", maxParameter)
	case inv.RequestURI != "" && inv.RequestObject != "":
		// RFC 9101 5: "request and request_uri parameters MUST NOT be used together".
		return nil, fail(InvalidRequest, "request and request_uri are used together")
	case values.Has("request_uri_method") && inv.RequestURI == "":
		return nil, fail(InvalidRequest, "request_uri_method without request_uri")
	}
	switch inv.RequestURIMethod {
	case "", "get", "post":
	default:
		return nil, fail(InvalidRequestURIMethod, "request_uri_method is neither get nor post")
	}
	if inv.RequestURI != "" {
		if _, err := absoluteURL(inv.RequestURI); err != nil {
			return nil, fail(InvalidRequestURI, "request_uri: %w", err)
		}
		return inv, nil
	}
	if inv.RequestObject != "" {
		return inv, nil
	}
	if err := inv.readParameters(values); err != nil {
		return nil, err
	}
	return inv, nil
}

// readParameters decodes the parameters of a request by value: section 5.1, "parameters containing objects are transferred
// as JSON-serialized strings".
func (inv *Invocation) readParameters(values url.Values) error {
	inv.Parameters = make(map[string]any, len(values))
	for name := range values {
		value := values.Get(name)
		if !objectParameters[name] {
			inv.Parameters[name] = value
			continue
		}
		var v any
		if err := ijson.Unmarshal([]byte(value), &v); err != nil {
			return fail(InvalidRequest, "%s is not strict JSON: %w", name, err)
		}
		inv.Parameters[name] = v
	}
	return nil
}

// Link writes the invocation for a wallet that is reached at base, e.g. "openid4vp://" or "https://wallet.example/present".
func (inv *Invocation) Link(base string) (string, error) {
	values := url.Values{"client_id": {string(inv.ClientID)}}
	switch {
	case inv.RequestURI != "":
		values.Set("request_uri", inv.RequestURI)
		if inv.RequestURIMethod != "" {
			values.Set("request_uri_method", inv.RequestURIMethod)
		}
	case inv.RequestObject != "":
		values.Set("request", inv.RequestObject)
	default:
		for name, v := range inv.Parameters {
			if s, ok := v.(string); ok {
				values.Set(name, s)
				continue
			}
			raw, err := json.Marshal(v)
			if err != nil {
				return "", fmt.Errorf("write invocation: %w", err)
			}
			values.Set(name, string(raw))
		}
	}
	separator := "?"
	if strings.Contains(base, "?") {
		separator = "&"
	}
	return base + separator + values.Encode(), nil
}

// absoluteURL checks what a wallet will connect to: an absolute http(s) URL with a host and nothing hidden. Whether plain
// http may be used at all is the policy of the [Doer].
func absoluteURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, fmt.Errorf("not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("not an https URL")
	case u.Host == "" || u.User != nil || u.Opaque != "":
		return nil, fmt.Errorf("not a plain https URL with a host")
	case u.Fragment != "" || strings.Contains(s, "#"):
		return nil, fmt.Errorf("has a fragment")
	}
	return u, nil
}
