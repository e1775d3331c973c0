package paspoort

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"
)

// ErrClaims says that claims do not fit their type. The wrapping message names
// the place and the rule, never the value.
var ErrClaims = errors.New("claims do not fit the credential type")

// A Dataset is what one credential says, before it is rendered: the same for
// every copy and both formats.
type Dataset struct {
	Type Type
	// Record is 128 random bits in base64url, equal over the copies of a dataset
	// and selectively disclosable: shown only when one credential must be seen to
	// refer to another.
	Record string
	// Claims is the input as the schema of the type describes it, decoded from
	// JSON (map[string]any, []any, string, float64, bool).
	Claims map[string]any
}

// NewDataset checks the claims against the schema of the type and draws a
// record from random. ErrUnknownType, ErrClaims, or the error of random.
func NewDataset(t Type, claims map[string]any, random io.Reader) (Dataset, error) {
	if err := CheckClaims(t, claims); err != nil {
		return Dataset{}, err
	}
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Dataset{}, fmt.Errorf("draw a record: %w", err)
	}
	return Dataset{Type: t, Record: base64.RawURLEncoding.EncodeToString(b[:]), Claims: maps.Clone(claims)}, nil
}

// ValidUntil is the last day the claims say they are valid, with ok false when
// they name none.
func (d Dataset) ValidUntil() (day time.Time, ok bool) {
	s, ok := d.Claims[claimValidUntil].(string)
	if !ok {
		return time.Time{}, false
	}
	day, err := time.Parse(time.DateOnly, s)
	return day, err == nil
}

// checkDates refuses periods that end before they start: a rule that JSON
// Schema cannot express.
func checkDates(claims map[string]any) error {
	p, ok := claims["period"].(map[string]any)
	if !ok {
		return nil
	}
	start, _ := p["start"].(string)
	end, ok := p["end"].(string)
	// Both are RFC 3339 full-dates by now, so their order is that of their text.
	if ok && end < start {
		return fmt.Errorf("%w: at /period: the end lies before the start", ErrClaims)
	}
	return nil
}
