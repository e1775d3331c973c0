package audit_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"fmt"
	"testing"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/audit/audittest"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// BenchmarkAudit is how many events an audit checks in a second, against how many signatures the same
// processor checks by themselves.
func BenchmarkAudit(b *testing.B) {
	r := registrytest.New(b)
	for i := range 1000 {
		r.Admit(fmt.Sprintf("organisatie-%d", i), registry.WalletHost)
	}
	web := audittest.Internet{"log.example": audittest.Serve(b, r.Leaves, audittest.Signed(b, r, r.Leaves))}
	b.Run("log", func(b *testing.B) {
		for b.Loop() {
			report, err := audit.Run(b.Context(), audit.Config{Genesis: r.Genesis(), Source: audit.Web(web, "https://log.example")})
			if err != nil || report.Verdict() != audit.InOrder {
				b.Fatal(err, report)
			}
		}
		b.ReportMetric(float64(len(r.Leaves)*b.N)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("signatures alone", func(b *testing.B) {
		key, sum := registrytest.NamedKey("bench"), sha256.Sum256([]byte("event"))
		sig, err := ecdsa.SignASN1(nil, key, sum[:])
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if !ecdsa.VerifyASN1(&key.PublicKey, sum[:], sig) {
				b.Fatal("not good")
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
	})
}
