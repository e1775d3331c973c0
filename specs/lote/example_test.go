package lote_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"paspoort.example/paspoort/specs/lote"
)

// A region lists who may issue; a verifier that pinned its certificate reads the list.
func Example() {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	cert := selfSigned(key)
	granted := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	list := &lote.List{
		Scheme: lote.Scheme{
			Version: lote.Version, Sequence: 42, Operator: []lote.Text{{Lang: "nl", Value: "Regio Aakermonde"}},
			Issued: granted.AddDate(0, 6, 0), NextUpdate: granted.AddDate(0, 6, 1),
		},
		Entities: []lote.Entity{{
			Information: lote.EntityInformation{
				Name:        []lote.Text{{Lang: "nl", Value: "Opleidingshuis De Vaart"}},
				Information: []lote.URI{{Lang: "nl", Value: "https://vaart.example"}},
			},
			Services: []lote.Service{{Now: lote.ServiceInformation{
				Name:     []lote.Text{{Lang: "nl", Value: "Geeft opleidingen uit"}},
				Identity: lote.Identity{OtherIDs: []string{"https://vaart.example"}},
				Status:   "urn:paspoort:lote:status:granted", Since: &granted,
			}}},
		}},
	}
	token, err := lote.Sign(list, key, []*x509.Certificate{cert}, list.Scheme.Issued)
	if err != nil {
		panic(err)
	}
	r := lote.Reader{Operators: []*x509.Certificate{cert}, Seen: 41}
	read, err := r.Read(token, list.Scheme.Issued.Add(time.Hour))
	if err != nil {
		panic(err)
	}
	for _, s := range read.Find("https://vaart.example") {
		status, _ := s.StatusAt(granted.AddDate(0, 1, 0))
		fmt.Println(read.Scheme.Sequence, status)
	}
	// Output: 42 urn:paspoort:lote:status:granted
}

func selfSigned(key crypto.Signer) *x509.Certificate {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cert
}
