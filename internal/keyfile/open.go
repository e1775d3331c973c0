package keyfile

import (
	"crypto"
	"strings"
)

// Opened is a key that is ready to sign, wherever it is kept.
type Opened struct {
	crypto.Signer
	close func() error
}

// Close lets go of the token that the key is on, if it is on one.
func (o Opened) Close() error {
	if o.close == nil {
		return nil
	}
	return o.close()
}

// Open reads the key at an address: the path of a key file, or that of a key on a token,
// "pkcs11:token=NAME;object=NAME?module-path=FILE" (RFC 7512). ask gives the passphrase of
// a sealed file or the PIN of the token; it is called only when there is something to open.
func Open(address string, ask func() (string, error)) (Opened, error) {
	if strings.HasPrefix(address, tokenScheme) {
		return openToken(address, ask)
	}
	key, err := Load(address, ask)
	return Opened{Signer: key}, err
}
