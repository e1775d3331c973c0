package statuslist

import (
	"errors"
	"fmt"
	"math"
	"net/url"

	"paspoort.example/paspoort/specs/ijson"
)

// Reference is where a credential's status stands (section 6.2).
type Reference struct {
	Index int    // idx, from 0
	URI   string // of the Status List Token, and its sub
}

// Sentinels of references.
var (
	// ErrNoReference says that the claims hold no status_list. Such a credential has no
	// status by this mechanism; another may apply.
	ErrNoReference = errors.New("credential has no status list reference")
	ErrReference   = errors.New("malformed status list reference")
)

// Claim is the value of the `status` claim that makes this reference.
func (r Reference) Claim() map[string]any {
	return map[string]any{"status_list": map[string]any{"idx": float64(r.Index), "uri": r.URI}}
}

// ParseReference finds the reference in the processed claims of a credential. It fails
// with [ErrNoReference] or [ErrReference].
func ParseReference(claims map[string]any) (Reference, error) {
	status, present := claims["status"]
	if !present {
		return Reference{}, ErrNoReference
	}
	object, ok := status.(map[string]any)
	if !ok { // "The status claim MUST specify a JSON Object"
		return Reference{}, fmt.Errorf("%w: status is not an object", ErrReference)
	}
	list, present := object["status_list"]
	if !present {
		return Reference{}, ErrNoReference
	}
	members, ok := list.(map[string]any)
	if !ok {
		return Reference{}, fmt.Errorf("%w: status_list is not an object", ErrReference)
	}
	// "idx ... MUST specify a non-negative Integer"
	idx, ok := members["idx"].(float64)
	if !ok || idx < 0 || idx != math.Trunc(idx) || idx > math.MaxInt32 {
		return Reference{}, fmt.Errorf("%w: idx", ErrReference)
	}
	// "The value of uri MUST be a URI conforming to [RFC3986]."
	uri, ok := members["uri"].(string)
	if u, err := url.Parse(uri); !ok || err != nil || !u.IsAbs() || u.Fragment != "" {
		return Reference{}, fmt.Errorf("%w: uri", ErrReference)
	}
	return Reference{Index: int(idx), URI: uri}, nil
}

// Aggregation is the document of section 9.3: where an issuer's lists are, so that a
// verifier fetches all of them before it meets any credential.
type Aggregation struct {
	StatusLists []string `json:"status_lists"`
}

// maxAggregation bounds the number of lists in an aggregation.
const maxAggregation = 10_000

// ParseAggregation reads an aggregation (media type application/json).
func ParseAggregation(data []byte) (Aggregation, error) {
	var raw struct {
		StatusLists *[]string `json:"status_lists"` // REQUIRED
	}
	if err := ijson.Unmarshal(data, &raw); err != nil {
		return Aggregation{}, fmt.Errorf("status list aggregation: %w", err)
	}
	if raw.StatusLists == nil || len(*raw.StatusLists) > maxAggregation {
		return Aggregation{}, fmt.Errorf("status list aggregation: %w: status_lists", ErrReference)
	}
	for _, uri := range *raw.StatusLists {
		if u, err := url.Parse(uri); err != nil || !u.IsAbs() {
			return Aggregation{}, fmt.Errorf("status list aggregation: %w: uri", ErrReference)
		}
	}
	return Aggregation{*raw.StatusLists}, nil
}
