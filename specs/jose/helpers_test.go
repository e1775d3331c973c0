package jose_test

import (
	"crypto"
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

// signsWith signs nothing of interest with a key.
type signsWith struct{ key crypto.Signer }

func with(key crypto.Signer) signsWith { return signsWith{key} }

func (s signsWith) Sign(h jose.Header) error {
	_, err := jose.Sign(s.key, h, []byte("{}"))
	return err
}
