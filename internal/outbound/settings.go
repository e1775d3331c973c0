package outbound

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"os"
	"time"
)

// Settings are a Policy as it stands in a role's configuration file.
type Settings struct {
	// LoopbackHTTP permits plain http on this computer.
	LoopbackHTTP bool `json:"loopback_http,omitempty"`
	// AllowPrivate are permitted private ranges, such as "10.20.0.0/16".
	AllowPrivate []string `json:"allow_private,omitempty"`
	// CAFile holds PEM certificates that are trusted beside the system's.
	CAFile string `json:"ca_file,omitempty"`
	// TimeoutSeconds and MaxBytes as in Policy.
	TimeoutSeconds int   `json:"timeout_seconds,omitempty"`
	MaxBytes       int64 `json:"max_bytes,omitempty"`
}

// Policy reads the files that the settings name.
func (s Settings) Policy() (Policy, error) {
	p := Policy{
		AllowLoopbackHTTP: s.LoopbackHTTP,
		Timeout:           time.Duration(s.TimeoutSeconds) * time.Second,
		MaxBytes:          s.MaxBytes,
	}
	for _, raw := range s.AllowPrivate {
		prefix, err := netip.ParsePrefix(raw)
		if err != nil {
			return Policy{}, fmt.Errorf("outbound: allow_private: %w", err)
		}
		p.AllowPrivate = append(p.AllowPrivate, prefix)
	}
	if s.CAFile != "" {
		roots, err := Roots(s.CAFile)
		if err != nil {
			return Policy{}, err
		}
		p.Roots = roots
	}
	return p, nil
}

// Roots gives the system's certificate authorities and those in a PEM file.
func Roots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("outbound: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("outbound: %s holds no certificate", file)
	}
	return pool, nil
}
