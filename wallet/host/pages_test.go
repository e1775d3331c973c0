package host

import (
	"testing"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/page/pagetest"
	"paspoort.example/paspoort/specs/jose"
)

// bare is a host that meets nobody, for its pages.
func bare(t *testing.T) *Host {
	t.Helper()
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(Config{URL: "https://paspoort.example", Name: "Paspoorthuis Aakermonde", Store: kv.NewMemory(), ReceiptKey: key})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPages(t *testing.T) { pagetest.Run(t, bare(t).kit) }

// TestRoutes: every address that shows a page shows one that has samples.
func TestRoutes(t *testing.T) {
	h := bare(t)
	pagetest.Routes(t, h.site.Pages, h.kit)
}

// TestReadable looks at every text that a person reads here.
func TestReadable(t *testing.T) { pagetest.Readable(t, bare(t).kit) }
