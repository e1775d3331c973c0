package dev

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/outbound"
)

const (
	localCA      = "tls/ca.pem"
	localCAKey   = "tls/ca.key"
	localCert    = "tls/localhost.pem"
	localKey     = "tls/localhost.key"
	localTLSLife = 397 * 24 * time.Hour // browsers take no longer ones
)

// localTLS makes the authority and the certificate for https on this computer, or
// renews the certificate when it is about to run out.
func (l layout) localTLS(now time.Time) error {
	rootKey, err := keyfile.LoadOrCreate(l.path(localCAKey), keyfile.ES256)
	if err != nil {
		return err
	}
	root, err := l.certificate(localCA, now, func() (*x509.Certificate, error) {
		return ca.NewLocal(rootKey, now.Add(-time.Hour), now.AddDate(10, 0, 0))
	})
	if err != nil {
		return err
	}
	key, err := keyfile.LoadOrCreate(l.path(localKey), keyfile.ES256)
	if err != nil {
		return err
	}
	_, err = l.certificate(localCert, now, func() (*x509.Certificate, error) {
		return ca.ServerCertificate(root, rootKey, key.Public(), now.Add(-time.Hour), now.Add(localTLSLife))
	})
	return err
}

// certificate reads the first certificate of a file, or makes and writes it when it
// is absent or ends within a month.
func (l layout) certificate(file string, now time.Time, issue func() (*x509.Certificate, error)) (*x509.Certificate, error) {
	body, err := os.ReadFile(l.path(file))
	if err == nil {
		chain, err := ca.ParsePEM(body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if now.AddDate(0, 1, 0).Before(chain[0].NotAfter) {
			return chain[0], nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	cert, err := issue()
	if err != nil {
		return nil, err
	}
	return cert, keyfile.WriteAtomic(l.path(file), ca.PEM(cert), 0o644)
}

// outbound is what the processes may reach: each other, on this computer.
func (l layout) outbound(tls bool) outbound.Settings {
	if !tls {
		return outbound.Settings{LoopbackHTTP: true}
	}
	var ranges []string
	for _, p := range outbound.Loopback() {
		ranges = append(ranges, p.String())
	}
	return outbound.Settings{AllowPrivate: ranges, CAFile: l.path(localCA)}
}

// key reads a P-256 key of the folder, or makes it.
func (l layout) key(parts ...string) (crypto.Signer, error) {
	return keyfile.LoadOrCreate(l.path(parts...), keyfile.ES256)
}
