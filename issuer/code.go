package issuer

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// codeLifetime is how long a pre-authorized code is good: OpenID4VCI 4.1.1, "This
// code MUST be short lived and single use". An offer lives for days, its codes do
// not: each time that a wallet fetches the offer it gets a new one.
const codeLifetime = 15 * time.Minute

// A code is the time at which it ends, the id of the credential, and a MAC over
// both, so that fetching an offer stores nothing. Single use is kept in the record:
// the first code that is redeemed spends the offer.
const (
	codeTime = 8
	codeMAC  = 32
	codeSize = codeTime + idBytes + codeMAC
)

func (i *Issuer) newCode(r *record) (string, error) {
	id, err := base64.RawURLEncoding.DecodeString(r.ID)
	if err != nil {
		return "", err
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(i.c.Clock().Add(codeLifetime).Unix()))
	b = append(b, id...)
	mac, err := i.vault.mac("code", b)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(b, mac...)), nil
}

// codeID is the id that a code is for; not ok for a code that is not ours or has
// ended.
func (i *Issuer) codeID(code string) (id string, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil || len(b) != codeSize {
		return "", false
	}
	signed, mac := b[:codeTime+idBytes], b[codeTime+idBytes:]
	want, err := i.vault.mac("code", signed)
	if err != nil || !hmac.Equal(want, mac) {
		return "", false
	}
	if end := time.Unix(int64(binary.BigEndian.Uint64(signed)), 0); !i.c.Clock().Before(end) {
		return "", false
	}
	return base64.RawURLEncoding.EncodeToString(signed[codeTime:]), true
}
