package interop

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/testkit"
)

// scriptTime bounds one run of a script.
const scriptTime = time.Minute

// Site is an https server at https://localhost:PORT under an authority of its own, which the scripts are told of.
type Site struct {
	URL string
	// Client trusts the authority.
	Client *http.Client
	caFile string
}

// Serve starts a site for the length of a test. make gets the public URL, which identifiers are made from. Without the
// libraries the test is skipped, or fails when CI is set.
func Serve(t testing.TB, make func(url string) http.Handler) *Site {
	t.Helper()
	folder(t)
	root, cert := authority(t)
	var handler http.Handler
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(root)
	site := &Site{
		URL:    strings.Replace(server.URL, "127.0.0.1", "localhost", 1),
		Client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}},
		caFile: filepath.Join(t.TempDir(), "ca.pem"),
	}
	if err := os.WriteFile(site.caFile, ca.PEM(root), 0o600); err != nil {
		t.Fatal(err)
	}
	handler = make(site.URL)
	return site
}

// authority makes a local authority and a certificate for localhost.
func authority(t testing.TB) (*x509.Certificate, tls.Certificate) {
	t.Helper()
	from, to := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	rootKey, key := newKey(t), newKey(t)
	root, err := ca.NewLocal(rootKey, from, to)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.ServerCertificate(root, rootKey, key.Public(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	return root, tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := keyfile.Generate(keyfile.ES256)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// folder is where the scripts stand, with their libraries installed.
func folder(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(testkit.Root(t), "internal", "interop")
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		testkit.Missing(t, "the libraries of other wallets are not installed: run `npm ci` in internal/interop")
	}
	if _, err := exec.LookPath("node"); err != nil {
		testkit.Missing(t, "there is no node to run the wallets of others with")
	}
	return dir
}

// Run starts a script with this input and decodes what it answers into output.
func (s *Site) Run(t testing.TB, script string, input, output any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Dir = folder(t)
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+s.caFile)
	exchange(t, cmd, input, output)
}
