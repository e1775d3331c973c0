package govern_test

import (
	"testing"
	"time"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// Who was never admitted goes by its own application, the newest that still waits; who is, by
// what the registry says.
func TestClaimed(t *testing.T) {
	r := registrytest.New(t)
	first := r.Application("vaart", registry.Issuer)
	first.Name = "De Vaart"
	self := registry.OrganisationParty(first.Organisation)
	id := r.Do(registry.KindApplied, first, self).Event.ID()
	r.Advance(time.Hour)
	second := r.Application("vaart", registry.Verifier)
	second.Name, second.Aliases = "Opleidingshuis De Vaart", nil
	r.Do(registry.KindApplied, second, self)
	named := func() (registry.Organisation, bool) {
		v := r.State.View()
		o, err := v.Organisation(first.Organisation, r.Now)
		if err != nil {
			t.Fatal(err)
		}
		return govern.Claimed(o, v.ProposalsLike(registry.ProposalFilter{Subject: self}, r.Now), r.Now.Unix())
	}
	if o, ok := named(); !ok || o.Name != second.Name || o.Registration != second.Registration {
		t.Errorf("before: %q, %v", o.Name, ok)
	}
	r.Approve(id, registrytest.Vakbond, registrytest.Gemeente)
	if o, ok := named(); ok || o.Name != first.Name {
		t.Errorf("admitted: %q, %v", o.Name, ok)
	}
}
