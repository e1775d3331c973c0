package ca

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"net"
	"time"
)

// NewLocal makes an authority for https on this computer. Name constraints (RFC
// 5280 4.2.1.10) keep it to localhost and the loopback addresses, so that who puts
// it in a browser gives away nothing else.
func NewLocal(key crypto.Signer, from, to time.Time) (*x509.Certificate, error) {
	template, err := base("Paspoort on this computer", from, to)
	if err != nil {
		return nil, err
	}
	asAuthority(template)
	template.PermittedDNSDomainsCritical = true
	template.PermittedDNSDomains = []string{"localhost"}
	template.PermittedIPRanges = []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
		{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
	return sign(template, template, key.Public(), key)
}

// ServerCertificate certifies a key for https at localhost.
func ServerCertificate(root *x509.Certificate, key crypto.Signer, pub crypto.PublicKey, from, to time.Time) (*x509.Certificate, error) {
	template, err := base("localhost", from, to)
	if err != nil {
		return nil, err
	}
	template.DNSNames = []string{"localhost"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.BasicConstraintsValid = true
	return sign(template, root, pub, key)
}

// SelfSigned wraps a node's TLS key for mutual TLS. The certificate says nothing
// that counts: the other side compares the key with the charter's (SPKI).
func SelfSigned(key crypto.Signer, name string, from, to time.Time) (tls.Certificate, error) {
	template, err := base(name, from, to)
	if err != nil {
		return tls.Certificate{}, err
	}
	template.DNSNames = []string{name}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	template.BasicConstraintsValid = true
	cert, err := sign(template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}, nil
}
