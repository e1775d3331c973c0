package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
	"testing"

	"paspoort.example/paspoort/specs/jose"
)

func newKey(t testing.TB, alg jose.Algorithm) *jose.PrivateKey {
	t.Helper()
	key, err := jose.Generate(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// rawPoint makes a key that no parser would let through.
func rawPoint(x, y int64) *ecdsa.PublicKey {
	//lint:ignore SA1019 the coordinates are wrong on purpose
	return &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(x), Y: big.NewInt(y)}
}

// signsWith signs nothing of interest with a key.
type signsWith struct{ key crypto.Signer }

func with(key crypto.Signer) signsWith { return signsWith{key} }

func (s signsWith) Sign(h jose.Header) error {
	_, err := jose.Sign(s.key, h, []byte("{}"))
	return err
}
