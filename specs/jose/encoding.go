package jose

import (
	"encoding/base64"
	"fmt"
)

// strictURL is base64url without padding (RFC 7515 2) whose unused bits are zero:
// otherwise one signature would have several spellings.
var strictURL = base64.RawURLEncoding.Strict()

// strictStd is the base64 of x5c (RFC 7515 4.1.6), padded.
var strictStd = base64.StdEncoding.Strict()

// DecodeBase64URL decodes base64url without padding, and accepts only the one
// spelling that encoding the result gives. The standard library skips line breaks;
// here they are an error.
func DecodeBase64URL(s string) ([]byte, error) {
	out := make([]byte, strictURL.DecodedLen(len(s)))
	n, err := strictURL.Decode(out, []byte(s))
	if err != nil || n != len(out) || len(s)%4 == 1 {
		return nil, fmt.Errorf("%w: not base64url without padding", ErrSyntax)
	}
	return out, nil
}

// EncodeBase64URL encodes as base64url without padding.
func EncodeBase64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decodeBase64(s string) ([]byte, error) {
	out, err := strictStd.DecodeString(s)
	if err != nil || strictStd.EncodedLen(len(out)) != len(s) {
		return nil, fmt.Errorf("%w: not base64", ErrSyntax)
	}
	return out, nil
}
