package sdjwt

import (
	"fmt"
	"math"
	"time"
)

// CheckTimes checks exp and nbf of a processed payload, where present (RFC 9901
// 7.1 step 6, RFC 7519 4.1.4 and 4.1.5), allowing clocks to differ by skew. A
// claim that is present and no NumericDate is malformed, never absent. Whether a
// missing one is acceptable is the caller's to say (9.7).
//
// Errors: ErrExpired, ErrNotYetValid, ErrMalformed.
func CheckTimes(claims map[string]any, now time.Time, skew time.Duration) error {
	if v, ok := claims["exp"]; ok {
		exp, ok := NumericDate(v)
		if !ok {
			return fmt.Errorf("%w: exp", ErrMalformed)
		}
		// "the current date/time MUST be before the expiration date/time"
		if !now.Add(-skew).Before(exp) {
			return fmt.Errorf("%w at %s", ErrExpired, exp.Format(time.RFC3339))
		}
	}
	if v, ok := claims["nbf"]; ok {
		nbf, ok := NumericDate(v)
		if !ok {
			return fmt.Errorf("%w: nbf", ErrMalformed)
		}
		if now.Add(skew).Before(nbf) {
			return fmt.Errorf("%w before %s", ErrNotYetValid, nbf.Format(time.RFC3339))
		}
	}
	return nil
}

// maxNumericDate keeps times inside the years that time.Time and every other
// party can write: 9999-12-31T23:59:59Z.
const maxNumericDate = 253402300799

// NumericDate reads a decoded NumericDate (RFC 7519 2: seconds since the epoch,
// fractions allowed), as UTC. false when v is no number, negative, or after the
// year 9999.
func NumericDate(v any) (time.Time, bool) {
	f, ok := v.(float64)
	if !ok || math.IsNaN(f) || f < 0 || f > maxNumericDate {
		return time.Time{}, false
	}
	whole, frac := math.Modf(f)
	return time.Unix(int64(whole), int64(frac*1e9)).UTC(), true
}
