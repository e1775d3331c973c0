package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/testkit"
)

// A renewed certificate is served without a restart, and half a renewal breaks nothing.
func TestTLSReadsRenewedFiles(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	second := 0
	write := func(name string, withKey bool) {
		t.Helper()
		key := testkit.P256(t)
		cert, err := ca.SelfSigned(key, name, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		second++ // file systems tell times coarsely
		put := func(file, kind string, body []byte) {
			at := time.Now().Add(time.Duration(second) * time.Second)
			if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: body}), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
		}
		put(certFile, "CERTIFICATE", cert.Certificate[0])
		if withKey {
			put(keyFile, "PRIVATE KEY", raw)
		}
	}
	if _, err := TLS(certFile, keyFile); err == nil {
		t.Fatal("no files are no certificate")
	}
	write("one.example", true)
	config, err := TLS(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	l := testkit.Listen(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, New(Options{}).Handler(), config) }()
	served := func() string {
		t.Helper()
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].DNSNames[0]
	}
	if got := served(); got != "one.example" {
		t.Errorf("got %s", got)
	}
	write("half.example", false)
	if got := served(); got != "one.example" {
		t.Errorf("after half a renewal: got %s", got)
	}
	write("two.example", true)
	if got := served(); got != "two.example" {
		t.Errorf("after a renewal: got %s", got)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
