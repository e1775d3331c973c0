package host

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/wallet"
)

var (
	errNoAccount = errors.New("no such account")
	errFull      = errors.New("this host takes no more paspoorten")
)

// An account is what the host knows of a holder: how to sign in, and nothing else.
type account struct {
	ID string `json:"id"` // 32 hexadecimal digits; also the user handle of passkeys
	// Number is the paspoortnummer, eight digits: what a person types to sign in.
	Number string    `json:"number"`
	Made   time.Time `json:"made"`
	// Whole: its paspoort was made. An account that is not was broken off, and is swept.
	Whole    bool      `json:"whole"`
	Passkeys []passkey `json:"passkeys,omitempty"`
	// Devices are hashes of the cookies of devices that signed in before. They have a limit
	// on attempts of their own, so that a stranger who guesses cannot lock the holder out.
	Devices []string `json:"devices,omitempty"`
	// Recovery is the lookup of the recovery code, hexadecimal.
	Recovery string `json:"recovery,omitempty"`
}

// A passkey is a WebAuthn credential of an account.
type passkey struct {
	Credential webauthn.Credential `json:"credential"`
	Added      time.Time           `json:"added"`
	// Opens: it unlocks the paspoort (PRF), and does not only sign in.
	Opens bool `json:"opens"`
}

const (
	maxDevices  = 10
	maxPasskeys = 10
)

// WebAuthnID and the others make an account a user of the WebAuthn library. The display
// name is the number: no name is known here.
func (a *account) WebAuthnID() []byte {
	id, _ := hex.DecodeString(a.ID)
	return id
}
func (a *account) WebAuthnName() string        { return spaced(a.Number) }
func (a *account) WebAuthnDisplayName() string { return "Paspoort " + spaced(a.Number) }
func (a *account) WebAuthnCredentials() []webauthn.Credential {
	out := make([]webauthn.Credential, len(a.Passkeys))
	for i, p := range a.Passkeys {
		out[i] = p.Credential
	}
	return out
}

// newAccount draws an id and a number that nobody has, and stores the account as not yet
// whole. Errors: errFull.
func (h *Host) newAccount() (*account, error) {
	a := &account{Made: h.c.Clock().UTC()}
	id := make([]byte, 16)
	if _, err := io.ReadFull(h.c.Rand, id); err != nil {
		return nil, fmt.Errorf("random bytes: %w", err)
	}
	a.ID = hex.EncodeToString(id)
	return a, h.c.Store.Update(func(tx kv.Tx) error {
		var n int
		if err := kv.GetJSON(tx, []byte(countKey), valueFormat, &n); err != nil && !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		if n >= h.c.MaxHolders {
			return errFull
		}
		for a.Number == "" {
			number, err := newNumber(h.c.Rand)
			if err != nil {
				return err
			}
			if _, err := tx.Get(numberKey(number)); errors.Is(err, kv.ErrNotFound) {
				a.Number = number
			} else if err != nil {
				return err
			}
		}
		if err := kv.PutJSON(tx, []byte(countKey), valueFormat, n+1); err != nil {
			return err
		}
		if err := kv.PutJSON(tx, numberKey(a.Number), valueFormat, a.ID); err != nil {
			return err
		}
		return kv.PutJSON(tx, accountKey(a.ID), valueFormat, a)
	})
}

// account reads one. errNoAccount.
func (h *Host) account(id string) (*account, error) {
	a := new(account)
	err := h.c.Store.View(func(tx kv.Tx) error { return kv.GetJSON(tx, accountKey(id), valueFormat, a) })
	if errors.Is(err, kv.ErrNotFound) || err == nil && !a.Whole {
		return nil, errNoAccount
	}
	return a, err
}

// accountOf finds the account behind a row that holds an id. errNoAccount.
func (h *Host) accountOf(key []byte) (*account, error) {
	var id string
	err := h.c.Store.View(func(tx kv.Tx) error { return kv.GetJSON(tx, key, valueFormat, &id) })
	if errors.Is(err, kv.ErrNotFound) {
		return nil, errNoAccount
	}
	if err != nil {
		return nil, err
	}
	return h.account(id)
}

// change stores a change of an account, whatever else changed meanwhile.
func (h *Host) change(id string, fn func(*account) error) error {
	return h.c.Store.Update(func(tx kv.Tx) error {
		var a account
		if err := kv.GetJSON(tx, accountKey(id), valueFormat, &a); errors.Is(err, kv.ErrNotFound) {
			return errNoAccount
		} else if err != nil {
			return err
		}
		had := a.Recovery
		if err := fn(&a); err != nil {
			return err
		}
		if had != a.Recovery && had != "" {
			if err := tx.Delete([]byte(recoveryPrefix + had)); err != nil {
				return err
			}
		}
		if had != a.Recovery && a.Recovery != "" {
			if err := kv.PutJSON(tx, []byte(recoveryPrefix+a.Recovery), valueFormat, a.ID); err != nil {
				return err
			}
		}
		return kv.PutJSON(tx, accountKey(id), valueFormat, &a)
	})
}

// remove takes an account away, in an order that can be broken off and done again: it is
// marked, so that the next start goes on; then every way to open the paspoort goes; then the
// rows by which it is found, with their traces in the files.
func (h *Host) remove(id string) error {
	var a account
	err := h.c.Store.Update(func(tx kv.Tx) error {
		if err := kv.GetJSON(tx, accountKey(id), valueFormat, &a); err != nil {
			return err
		}
		a.Whole = false
		return kv.PutJSON(tx, accountKey(id), valueFormat, &a)
	})
	if err != nil {
		return err
	}
	if err := wallet.Destroy(h.part(id)); err != nil {
		return err
	}
	keys := []string{numberPrefix + a.Number}
	if a.Recovery != "" {
		keys = append(keys, recoveryPrefix+a.Recovery)
	}
	for _, key := range append(keys, accountPrefix+id) { // the account last: it knows the others
		if err := kv.Purge(h.c.Store, key); err != nil {
			return err
		}
	}
	return h.c.Store.Update(func(tx kv.Tx) error {
		var n int
		if err := kv.GetJSON(tx, []byte(countKey), valueFormat, &n); err != nil {
			return err
		}
		return kv.PutJSON(tx, []byte(countKey), valueFormat, max(n-1, 0))
	})
}

// numberSize is how many digits a paspoortnummer has. Eight, because nine would be taken
// for a burgerservicenummer and ten for a telephone number.
const numberSize = 8

// newNumber draws seven digits and adds the check digit of ISO/IEC 7064, MOD 11,10: it
// finds every digit mistyped and nearly every two that were swapped.
func newNumber(random io.Reader) (string, error) {
	var b [1]byte
	digits := make([]byte, 0, numberSize)
	for len(digits) < numberSize-1 {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("random bytes: %w", err)
		}
		d := b[0] % 10
		if b[0] >= 250 || len(digits) == 0 && d == 0 { // even chances, and no zero in front
			continue
		}
		digits = append(digits, '0'+d)
	}
	return string(append(digits, '0'+(11-mod1110(digits))%10)), nil
}

func mod1110(digits []byte) byte {
	p := byte(10)
	for _, d := range digits {
		s := (p + d - '0') % 10
		if s == 0 {
			s = 10
		}
		p = s * 2 % 11
	}
	return p
}

// readNumber takes what a person typed, with whatever stands between the digits. It is
// false for what can be no number.
func readNumber(typed string) (string, bool) {
	digits := make([]byte, 0, numberSize)
	for _, c := range []byte(typed) {
		switch {
		case c >= '0' && c <= '9' && len(digits) < numberSize:
			digits = append(digits, c)
		case c >= '0' && c <= '9':
			return "", false
		}
	}
	if len(digits) != numberSize {
		return "", false
	}
	last := len(digits) - 1
	return string(digits), digits[last] == '0'+(11-mod1110(digits[:last]))%10
}

// spaced writes a number as people read it: 4821 9150.
func spaced(number string) string {
	if len(number) != numberSize {
		return number
	}
	return number[:4] + " " + number[4:]
}

// knows says whether the account was used on the device with this cookie.
func (a *account) knows(device string) bool {
	_, token, _ := strings.Cut(device, ".")
	want := hashText(token)
	for _, d := range a.Devices {
		if token != "" && subtle.ConstantTimeCompare([]byte(d), []byte(want)) == 1 {
			return true
		}
	}
	return false
}

func hashText(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
