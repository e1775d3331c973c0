package conf

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad: a file is read or refused, whatever it holds, and paths that come out
// are absolute.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{`{}`, `{"data":"d","outbound":{"ca_file":"x"}}`, `{"tls_key":"../k"}`, `[`, `{"listen":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		path := filepath.Join(t.TempDir(), "c.json")
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		var c Issuer
		if err := Load(path, &c); err != nil {
			return
		}
		for _, p := range []string{c.Data, c.TLSKey, c.AdminToken, c.Outbound.CAFile} {
			if p != "" && !filepath.IsAbs(p) {
				t.Errorf("%q is not absolute", p)
			}
		}
	})
}
