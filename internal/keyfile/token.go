package keyfile

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// ErrToken: the address of a key on a token, or the token, cannot be used.
var ErrToken = errors.New("key on a token")

// tokenScheme begins the address of a key on a token (RFC 7512).
const tokenScheme = "pkcs11:"

// tokenAddress is what we use of a PKCS #11 URI.
type tokenAddress struct {
	token, serial string // which token
	object        string // label of the key
	id            []byte // its id, beside or instead of the label
	module        string // file of the library that speaks to the token
	pinSource     string // file with the PIN; else it is asked
}

// parseToken reads the address of a key on a token. RFC 7512 2.3: attributes of the path are
// separated by ";", those of the query by "&", values are percent-encoded.
func parseToken(address string) (a tokenAddress, err error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(address, tokenScheme), "?")
	fields := map[string]*string{
		"token": &a.token, "serial": &a.serial, "object": &a.object, "module-path": &a.module, "pin-source": &a.pinSource,
	}
	seen := map[string]bool{}
	for _, part := range append(strings.Split(path, ";"), strings.Split(query, "&")...) {
		if part == "" {
			continue
		}
		name, raw, _ := strings.Cut(part, "=")
		value, err := url.PathUnescape(raw)
		if err != nil || seen[name] {
			return a, fmt.Errorf("%w: %q is written wrongly, or stands there twice", ErrToken, name)
		}
		seen[name] = true
		switch field, known := fields[name]; {
		case known:
			*field = value
		case name == "id":
			a.id = []byte(value)
		case name == "pin-value":
			return a, fmt.Errorf("%w: a PIN never stands in an address; leave it out and it is asked, or name its file with pin-source", ErrToken)
		case name == "type" && value == "private":
		default:
			return a, fmt.Errorf("%w: %q is not used here; use token or serial, object or id, module-path, pin-source", ErrToken, name)
		}
	}
	a.pinSource = strings.TrimPrefix(a.pinSource, "file:")
	switch {
	case a.token == "" && a.serial == "":
		return a, fmt.Errorf("%w: name the token, as in pkcs11:token=NAME;object=NAME", ErrToken)
	case a.object == "" && len(a.id) == 0:
		return a, fmt.Errorf("%w: name the key, as in pkcs11:token=NAME;object=NAME", ErrToken)
	case a.module == "":
		return a, fmt.Errorf("%w: name the library of the token with ?module-path=/usr/lib/softhsm/libsofthsm2.so", ErrToken)
	}
	return a, nil
}

// pin is the PIN: from its file, else asked.
func (a tokenAddress) pin(ask func() (string, error)) (string, error) {
	if a.pinSource != "" {
		body, err := read(a.pinSource)
		return strings.TrimSpace(string(body)), err
	}
	if ask == nil {
		return "", ErrPassphrase
	}
	pin, err := ask()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrPassphrase, err)
	}
	return pin, nil
}

// openToken opens the token and finds the key. The private half stays on the token.
func openToken(address string, ask func() (string, error)) (Opened, error) {
	a, err := parseToken(address)
	if err != nil {
		return Opened{}, err
	}
	if _, err := os.Stat(a.module); err != nil {
		return Opened{}, fmt.Errorf("%w: the library of the token is not there: %w", ErrToken, err)
	}
	pin, err := a.pin(ask)
	if err != nil {
		return Opened{}, err
	}
	return a.open(pin)
}
