package openid4vci

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"time"

	"paspoort.example/paspoort/specs/dpop"
	"paspoort.example/paspoort/specs/jose"
)

// DPoPVerifier checks the DPoP header of a request.
type DPoPVerifier interface {
	// Verify returns the thumbprint of the proof's key. Without a DPoP header it
	// returns "" at the token endpoint (accessToken empty) and an error elsewhere. The
	// error is an *Error; with use_dpop_nonce the header has a fresh nonce.
	Verify(w http.ResponseWriter, r *http.Request, url, accessToken string) (key string, err error)
	// Offer puts a fresh nonce in the header of an answer.
	Offer(w http.ResponseWriter)
}

// DPoPGuard is a DPoPVerifier that hands out nonces that need no memory: a time and
// its MAC. Seen is the memory for the ids of proofs.
type DPoPGuard struct {
	Secret []byte // 32 bytes, known to all processes of this issuer
	Now    func() time.Time
	// Seen records a proof id until the given time and reports whether it was there
	// already.
	Seen func(ctx context.Context, id string, until time.Time) (bool, error)
}

// NewDPoPSecret makes a secret for DPoPGuard.
func NewDPoPSecret(rand io.Reader) ([]byte, error) {
	secret := make([]byte, 32)
	_, err := io.ReadFull(rand, secret)
	return secret, err
}

// dpopNonceAge is how long a nonce is good.
const dpopNonceAge = 5 * time.Minute

// Verify implements DPoPVerifier.
func (g *DPoPGuard) Verify(w http.ResponseWriter, r *http.Request, url, accessToken string) (string, error) {
	values := r.Header.Values(headerDPoP)
	if len(values) == 0 && accessToken == "" {
		return "", nil
	}
	scheme, status := "", http.StatusBadRequest
	if accessToken != "" {
		scheme, status = tokenTypeDPoP, http.StatusUnauthorized // RFC 9449 7.1, 9
	}
	proof, err := dpop.Verify(values, dpop.Expected{
		Method: r.Method, URL: url, AccessToken: accessToken, Now: g.Now(),
		Algorithms: []jose.Algorithm{jose.ES256}, CheckNonce: g.fresh,
	})
	g.Offer(w)
	switch {
	case errors.Is(err, dpop.ErrNonce):
		return "", &Error{Code: UseDPoPNonce, Description: "use the nonce of the DPoP-Nonce header", Status: status, Scheme: scheme}
	case err != nil:
		return "", &Error{Code: InvalidDPoPProof, Description: "the DPoP proof is not acceptable", Status: status, Scheme: scheme}
	}
	seen, err := g.Seen(r.Context(), proof.Thumbprint+"."+proof.ID, g.Now().Add(dpop.DefaultMaxAge+time.Minute))
	if err != nil {
		return "", err
	}
	if seen { // 11.1: a replayed proof
		return "", &Error{Code: InvalidDPoPProof, Description: "the DPoP proof was used before", Status: status, Scheme: scheme}
	}
	return proof.Thumbprint, nil
}

// Offer implements DPoPVerifier.
func (g *DPoPGuard) Offer(w http.ResponseWriter) {
	w.Header().Set(headerDPoPNonce, g.nonce(g.Now()))
}

// nonce is base64url(time || HMAC-SHA-256(secret, time)): unpredictable without the
// secret, which is all that RFC 9449 8 asks of it.
func (g *DPoPGuard) nonce(at time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))
	mac := hmac.New(sha256.New, g.Secret)
	mac.Write([]byte("dpop nonce\n"))
	mac.Write(b)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(b))
}

func (g *DPoPGuard) fresh(nonce string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(b) != 8+sha256.Size {
		return false
	}
	at := time.Unix(int64(binary.BigEndian.Uint64(b)), 0)
	now := g.Now()
	return hmac.Equal([]byte(nonce), []byte(g.nonce(at))) && !at.After(now) && now.Sub(at) < dpopNonceAge
}
