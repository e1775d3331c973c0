package issuer

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/openid4vci"
)

// nonceLifetime is how long a c_nonce can be used.
const nonceLifetime = 5 * time.Minute

// Nonce implements openid4vci.Nonces. Anybody may ask for nonces, so nothing is
// stored: a nonce is a time, 128 random bits, and a MAC over both.
func (i *Issuer) Nonce(context.Context) (string, error) {
	b := binary.BigEndian.AppendUint64(nil, uint64(i.c.Clock().Unix()))
	var random [16]byte
	if _, err := io.ReadFull(i.c.Rand, random[:]); err != nil {
		return "", err
	}
	b = append(b, random[:]...)
	mac, err := i.vault.mac("nonce", b)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(b, mac...)), nil
}

// Spend implements openid4vci.Nonces. What was spent is stored until it would have
// expired anyway, so a nonce cannot be used twice, a restart in between or not.
func (i *Issuer) Spend(_ context.Context, nonces []string) error {
	refuse := openid4vci.Refuse(openid4vci.InvalidNonce, "the c_nonce is unknown, used or expired: fetch a new one")
	now := i.c.Clock()
	ends := make([]time.Time, len(nonces))
	for k, n := range nonces {
		at, ok := i.nonceTime(n)
		if !ok || at.After(now.Add(time.Minute)) || now.Sub(at) >= nonceLifetime {
			return refuse
		}
		ends[k] = at.Add(nonceLifetime)
	}
	return i.c.Store.Update(func(tx kv.Tx) error {
		for k, n := range nonces {
			// Until its own end, which a clock that was put back does not bring nearer.
			seen, err := remember(tx, "c_nonce "+n, ends[k])
			if err != nil {
				return err
			}
			if seen {
				return refuse
			}
		}
		return nil
	})
}

// nonceTime is when we made a nonce; not ok for one that we did not make.
func (i *Issuer) nonceTime(nonce string) (time.Time, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(b) != 8+16+32 {
		return time.Time{}, false
	}
	mac, err := i.vault.mac("nonce", b[:24])
	if err != nil || !hmac.Equal(mac, b[24:]) {
		return time.Time{}, false
	}
	return time.Unix(int64(binary.BigEndian.Uint64(b)), 0), true
}

// remember stores that something was used and says whether it was before.
func remember(tx kv.Tx, what string, until time.Time) (bool, error) {
	k := hashKey(prefixSpent, hash(what))
	_, err := tx.Get(k)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, kv.ErrNotFound) {
		return false, err
	}
	return false, kv.PutJSON(tx, k, valueVersion, spent{Until: until.UTC()})
}

// seen is the memory of openid4vci.DPoPGuard.
func (i *Issuer) seen(_ context.Context, id string, until time.Time) (was bool, err error) {
	err = i.c.Store.Update(func(tx kv.Tx) error {
		was, err = remember(tx, "proof "+id, until)
		return err
	})
	return was, err
}
