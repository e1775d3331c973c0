package registry_test

import (
	"fmt"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

func BenchmarkParseLeaf(b *testing.B) {
	_, snap := goldenSnapshot(b)
	for b.Loop() {
		if _, err := registry.ParseLeaf(snap.Leaves[1]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkApply applies applications of new organisations.
func BenchmarkApply(b *testing.B) {
	r := registrytest.New(b)
	var leaves []registry.Leaf
	for i := range 2000 {
		a := r.Application(fmt.Sprint("organisatie-", i), registry.Verifier)
		leaves = append(leaves, registry.NewLeaf(r.Compose(registry.KindApplied, a, registry.OrganisationParty(a.Organisation)), r.Now))
	}
	first, err := registry.ParseLeaf(r.Leaves[0])
	if err != nil {
		b.Fatal(err)
	}
	var s *registry.State
	i := len(leaves)
	for b.Loop() {
		if i == len(leaves) {
			b.StopTimer()
			s, i = registry.NewState(r.Genesis()), 0
			if _, err := registry.Apply(s, first); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		if _, err := registry.Apply(s, leaves[i]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkAdmission(b *testing.B) {
	r := registrytest.New(b)
	for i := range 1000 {
		r.Admit(fmt.Sprint("organisatie-", i), registry.Issuer)
	}
	chain, _ := r.Certificate(registrytest.OrganisationID("organisatie-500"), registry.UsageCredential)
	q := registry.Question{Lookup: registry.Lookup{Certificate: registry.Fingerprint(chain[0].Raw)}, Role: registry.Issuer, At: r.Now}
	v := r.State.View()
	for b.Loop() {
		if a, err := v.Admission(q); err != nil || !a.Admitted {
			b.Fatal(a.Code, err)
		}
	}
}
