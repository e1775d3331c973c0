package evidencetest

import (
	"context"
	"crypto/rand"
	"slices"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// Freelancer admits a one-person firm as issuer: what names it is in payloads, and the log
// has commitments only.
func (r *Region) Freelancer(host string, types ...paspoort.Type) *Issuer {
	r.t.Helper()
	id, err := registry.NewOrganisationID(rand.Reader)
	r.check(err)
	commitments := r.commit(map[string]string{
		"name": "Trainingen " + host, registry.AliasURL: "https://" + host, registry.AliasDID: "did:web:" + host,
	})
	a := &registry.Application{Criteria: "criteria-1", OnePerson: true, Organisation: id, Role: registry.Issuer, Types: vcts(types)}
	r.doWith(commitments, []string{"vakbond-de-eendracht", "werkgevers-aakermonde"}, registry.KindApplied, a, registry.MemberParty("opleidersberaad"))
	return r.equip(host, id)
}

// commit seals contents by field and returns the commitments.
func (r *Region) commit(contents map[string]string) map[string]string {
	r.t.Helper()
	commitments := map[string]string{}
	for field, content := range contents {
		sealed, key, err := registry.Seal(rand.Reader, field, content)
		r.check(err)
		commitments[field] = sealed.Commitment
		r.mu.Lock()
		r.payloads = append(r.payloads, registry.NewOpenPayload(sealed, key))
		r.mu.Unlock()
	}
	return commitments
}

// Payloads implements registry.PayloadSource.
func (r *Region) Payloads(context.Context) ([]registry.OpenPayload, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.payloads), nil
}

// Erase has the region erase all payloads that it has. Payloads still gives them, as a
// dishonest node would.
func (r *Region) Erase() {
	r.t.Helper()
	e := &registry.Erasure{Reason: "op verzoek"}
	for _, p := range r.payloads {
		e.Commitments = append(e.Commitments, p.Commitment)
	}
	slices.Sort(e.Commitments)
	r.Do(nil, registry.KindErased, e, registry.MemberParty(operator), registry.MemberParty("opleidersberaad"))
}
