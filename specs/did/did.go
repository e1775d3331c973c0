package did

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Errors of this package wrap one of these, or an error of the Fetcher or of jose.
var (
	ErrSyntax      = errors.New("did: malformed")
	ErrMethod      = errors.New("did: method not supported")
	ErrDocument    = errors.New("did: document not acceptable")
	ErrKeyNotFound = errors.New("did: no such key for this purpose")
)

// maxDID bounds a DID URL; did:jwk with an RSA key is the longest that occurs.
const maxDID = 4096

// Fetcher gets one resource over https. It is implemented by internal/outbound.
//
// Get returns the body of a 200 answer with its media type; every other status is an
// error. accept are media types for the Accept header. Implementations limit time,
// size and redirects.
type Fetcher interface {
	Get(ctx context.Context, url string, accept ...string) (body []byte, contentType string, err error)
}

// Split takes a DID URL apart into the DID and its fragment, which may be empty. DID
// URLs with a path or a query are refused: no key id has them.
func Split(didURL string) (did, fragment string, err error) {
	did, fragment, _ = strings.Cut(didURL, "#")
	if len(didURL) > maxDID || strings.ContainsAny(fragment, "#?/ ") {
		return "", "", ErrSyntax
	}
	if _, _, err := parse(did); err != nil {
		return "", "", err
	}
	return did, fragment, nil
}

// parse checks the generic syntax (DID Core 3.1) and returns method and
// method-specific id.
func parse(did string) (method, id string, err error) {
	rest, ok := strings.CutPrefix(did, "did:")
	method, id, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || len(did) > maxDID || method == "" || id == "" || strings.HasSuffix(id, ":") {
		return "", "", ErrSyntax
	}
	for _, c := range []byte(method) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return "", "", ErrSyntax
		}
	}
	for i := 0; i < len(id); i++ {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(".-_:", c) >= 0:
		case c == '%' && i+2 < len(id) && isHex(id[i+1]) && isHex(id[i+2]):
			i += 2
		default:
			return "", "", ErrSyntax
		}
	}
	return method, id, nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// Resolve returns the document of a DID (without fragment). Only did:web uses f,
// which may be nil when no DID of that method is expected.
func Resolve(ctx context.Context, did string, f Fetcher) (*Document, error) {
	method, id, err := parse(did)
	if err != nil {
		return nil, err
	}
	switch method {
	case "web":
		return resolveWeb(ctx, did, f)
	case "jwk":
		return resolveJWK(did, id)
	case "key":
		return resolveKey(did, id)
	}
	return nil, fmt.Errorf("%w: did:%.20s", ErrMethod, method)
}
