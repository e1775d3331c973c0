package wallet

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrRecoveryCode: a text that is no recovery code, or one that does not open.
var ErrRecoveryCode = errors.New("the recovery code is not right")

// A RecoveryCode opens a wallet whose passphrase is lost. On paper it is 25 characters
// for 125 random bits and five that show a mistake in typing, in groups of five:
//
//	7Q2XK-0M9ZT-4HWBE-VR8NC-D61YA-JS3FG
//
// The bits are enough by themselves: no slow derivation is needed.
type RecoveryCode struct{ digits [recoveryDigits]byte } // values 0 to 31

const (
	recoveryDigits = 25
	checkDigits    = 5
	groupDigits    = 5
)

// crockford is the alphabet of https://www.crockford.com/base32.html: no I, L, O or U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func drawRecoveryCode(random io.Reader) (c RecoveryCode, err error) {
	if _, err = io.ReadFull(random, c.digits[:]); err != nil {
		return c, fmt.Errorf("random bytes: %w", err)
	}
	for i := range c.digits {
		c.digits[i] &= 31
	}
	return c, nil
}

// String is the code as a person writes it down. It opens the wallet: it is for the
// holder's screen or paper only.
func (c RecoveryCode) String() string {
	check := c.check()
	var b strings.Builder
	for i, d := range append(c.digits[:], check[:]...) {
		if i > 0 && i%groupDigits == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(crockford[d])
	}
	return b.String()
}

// LogValue keeps the code out of logs.
func (c RecoveryCode) LogValue() slog.Value { return slog.StringValue("hidden") }

// check is 25 bits over the digits.
func (c RecoveryCode) check() (out [checkDigits]byte) {
	sum := sha256.Sum256(append([]byte("paspoort/wallet/recovery/check/v1\n"), c.digits[:]...))
	for i := range out {
		out[i] = sum[i] & 31
	}
	return out
}

// ParseRecoveryCode reads a code as people type it: in any case, with or without dashes
// and spaces, O for 0 and I or L for 1. ErrRecoveryCode when it is none or has a mistake.
func ParseRecoveryCode(text string) (RecoveryCode, error) {
	var c RecoveryCode
	var digits []byte
	for _, r := range text {
		if unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) {
			continue
		}
		d := crockfordDigit(r)
		if d < 0 || len(digits) == recoveryDigits+checkDigits {
			return RecoveryCode{}, ErrRecoveryCode
		}
		digits = append(digits, byte(d))
	}
	if len(digits) != recoveryDigits+checkDigits {
		return RecoveryCode{}, ErrRecoveryCode
	}
	copy(c.digits[:], digits)
	if c.check() != [checkDigits]byte(digits[recoveryDigits:]) {
		return RecoveryCode{}, ErrRecoveryCode
	}
	return c, nil
}

// crockfordDigit is the value of a character, or -1.
func crockfordDigit(r rune) int {
	switch r = unicode.ToUpper(r); r {
	case 'O':
		r = '0'
	case 'I', 'L':
		r = '1'
	}
	return strings.IndexRune(crockford, r)
}

// Lookup is a name to find the wallet by that belongs to this code, for a host with many.
// It is derived apart from the key, so it tells nothing that helps to open.
func (c RecoveryCode) Lookup() (out [32]byte) {
	// The only error is of a length beyond what HKDF gives.
	raw, _ := hkdf.Key(sha256.New, c.digits[:], nil, "paspoort/wallet/recovery/lookup/v1", len(out))
	copy(out[:], raw)
	return out
}

// key is what the data key is sealed under.
func (c RecoveryCode) key() ([]byte, error) {
	return hkdf.Key(sha256.New, c.digits[:], nil, "paspoort/wallet/recovery/key/v1", chacha20poly1305.KeySize)
}
