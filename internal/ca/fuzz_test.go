package ca

import (
	"bytes"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
)

// FuzzParsePEM: what is read comes back when it is written and read again.
func FuzzParsePEM(f *testing.F) {
	key := testkit.P256(f)
	root, err := NewRoot(key, Root{Name: "Regio", NotBefore: testkit.Noon, NotAfter: testkit.Noon.Add(time.Hour)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(PEM(root))
	f.Add(append([]byte("text before\n"), PEM(root, root)...))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		chain, err := ParsePEM(body)
		if err != nil {
			return
		}
		again, err := ParsePEM(PEM(chain...))
		if err != nil || len(again) != len(chain) {
			t.Fatalf("got %d of %d certificates back, %v", len(again), len(chain), err)
		}
		for i := range chain {
			if !bytes.Equal(chain[i].Raw, again[i].Raw) {
				t.Errorf("certificate %d changed", i)
			}
		}
	})
}
