package wallet_test

import (
	"testing"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/wallet"
)

// BenchmarkFull reads a wallet of 200 credentials with ten copies each, as a page does.
// Each should take well under 60 ms.
func BenchmarkFull(b *testing.B) {
	w := newWorld(b)
	s, err := kv.OpenBadger(b.TempDir(), kv.Options{})
	must(b, err)
	defer s.Close()
	w.store = s
	holder := w.wallet()
	w.accept(holder, configID)
	wallet.Multiply(holder, 200)
	for _, bb := range []struct {
		name string
		read func() (int, error)
	}{
		{"list", func() (int, error) { items, err := holder.List(); return len(items), err }},
		{"page", func() (int, error) { _, err := holder.Page(b.Context()); return 200, err }},
		{"standings", func() (int, error) { return wallet.Held(holder) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				if n, err := bb.read(); err != nil || n != 200 {
					b.Fatal(n, err)
				}
			}
		})
	}
}
