//go:build cgo

package keyfile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"

	"github.com/ThalesGroup/crypto11"
	"github.com/miekg/pkcs11"
)

// open logs in to the token and finds the key, which must be one of ES256: the registry
// takes no other from a token.
func (a tokenAddress) open(pin string) (Opened, error) {
	config := &crypto11.Config{Path: a.module, TokenLabel: a.token, Pin: pin}
	if a.serial != "" { // it says more than the label, and only one may be given
		config.TokenLabel, config.TokenSerial = "", a.serial
	}
	token, err := crypto11.Configure(config)
	if err != nil {
		return Opened{}, tokenFault("open the token", err)
	}
	var label []byte
	if a.object != "" {
		label = []byte(a.object)
	}
	key, err := token.FindKeyPair(a.id, label)
	if err == nil && key == nil {
		err = errors.New("no such key; look at what the token holds with its own tool")
	}
	if err != nil {
		return Opened{}, errors.Join(tokenFault("find the key", err), token.Close())
	}
	if pub, ok := key.Public().(*ecdsa.PublicKey); !ok || pub.Curve != elliptic.P256() {
		return Opened{}, errors.Join(fmt.Errorf("%w: %w: only P-256 keys sign here", ErrToken, ErrContents), token.Close())
	}
	return Opened{Signer: key, close: token.Close}, nil
}

// tokenFault tells a wrong PIN apart: after a few of them a token locks itself.
func tokenFault(doing string, err error) error {
	if code, ok := errors.AsType[pkcs11.Error](err); ok {
		switch code {
		case pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE:
			return fmt.Errorf("%w: the PIN of the token", ErrPassphrase)
		case pkcs11.CKR_PIN_LOCKED:
			return fmt.Errorf("%w: too many wrong PINs, the token locked itself; unlock it with its own tool", ErrToken)
		}
	}
	return fmt.Errorf("%w: %s: %w", ErrToken, doing, err)
}
