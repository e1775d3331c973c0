package registry_test

import (
	"bytes"
	"crypto"
	"fmt"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// An opleider asks for admission, members of two groups approve.
func Example() {
	key := registrytest.NamedKey
	party := func(name string) registry.Party { return registry.Party{Name: name, Key: key(name)} }
	vakbond, gemeente := registry.MemberParty("vakbond"), registry.MemberParty("gemeente")
	node, _ := registrytest.Node("knoop-1", "gemeente")
	charter := registry.Charter{
		Admission: registry.DefaultTerm(), Criteria: "criteria-1", Name: "Regio Aakermonde",
		Nonce: "AAAAAAAAAAAAAAAAAAAAAA", Origin: "aakermonde.example/register", Thresholds: registry.DefaultThresholds(),
		Members: []registry.Member{
			{Group: registry.Werknemers, ID: "vakbond", Key: registrytest.PublicKey(key(vakbond)), Name: "Vakbond De Eendracht"},
			{Group: registry.Overheid, ID: "gemeente", Key: registrytest.PublicKey(key(gemeente)), Name: "Gemeente Aakermonde"},
		},
		Nodes:   []registry.Node{node},
		Anchors: []registry.Anchor{registry.NewAnchor([]byte("certificate of the region's CA"), "gemeente")},
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	founding, err := registry.Found(charter, now, map[string]crypto.Signer{"vakbond": key(vakbond), "gemeente": key(gemeente)})
	if err != nil {
		panic(err)
	}
	state := registry.NewState(founding.Event.ID()) // the region that is pinned
	apply := func(s registry.SignedEvent, err error) string {
		if err == nil {
			_, err = registry.Apply(state, registry.NewLeaf(s, now))
		}
		if err != nil {
			panic(err)
		}
		return s.Event.ID()
	}
	apply(founding, nil)

	id := registrytest.OrganisationID("vaart")
	self := registry.OrganisationParty(id)
	application := &registry.Application{
		Aliases:  []registry.Alias{{Type: registry.AliasURL, Value: "https://vaart.example"}},
		Criteria: "criteria-1", Key: registrytest.PublicKey(key(self)), Name: "Opleidingshuis De Vaart",
		Organisation: id, Role: registry.Issuer, Types: []string{"urn:paspoort:opleiding:1"},
	}
	draft := registry.Draft{Genesis: state.Genesis(), Now: now} // the organisation's first event: no predecessor
	proposal := apply(registry.Compose(draft, registry.KindApplied, application, party(self)))
	for _, member := range []string{vakbond, gemeente} {
		vote := &registry.Decision{Proposal: proposal, Voter: member}
		draft.Predecessor = state.Head(registry.SubjectOf(vote))
		apply(registry.Compose(draft, registry.KindApproved, vote, party(member)))
	}

	answer, err := state.View().Admission(registry.Question{
		Lookup: registry.Lookup{URL: "https://vaart.example"}, Role: registry.Issuer, Type: "urn:paspoort:opleiding:1", At: now,
	})
	fmt.Println(answer.Organisation.Name, answer.Admitted, answer.AsOf, err)
	before, err := state.AsOf(3) // what was known after three leaves
	if err != nil {
		panic(err)
	}
	answer, err = before.Admission(registry.Question{
		Lookup: registry.Lookup{Organisation: id}, Role: registry.Issuer, At: now,
	})
	fmt.Println(answer.Admitted, answer.Code, err)
	// Output:
	// Opleidingshuis De Vaart true 4 <nil>
	// false never-admitted <nil>
}

// An applicant asks what its application still lacks.
func ExampleView_Progress() {
	r := registrytest.New(new(testing.T))
	a := r.Application("vaart", registry.Issuer)
	id := r.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation)).Event.ID()
	r.Approve(id, registrytest.Vakbond)
	p, err := r.State.View().Progress(id, r.Now)
	if err != nil {
		panic(err)
	}
	fmt.Println(p.Name, "is", p.Status, "until", time.Unix(p.Deadline, 0).UTC().Format(time.DateOnly))
	fmt.Println("approvals missing:", p.Missing.Members, "from", p.Missing.From)
	for _, v := range p.Ask {
		if v.Vote == "" && v.Barred == "" {
			fmt.Println("ask", v.Name)
		}
	}
	// Output:
	// Organisatie vaart is pending until 2026-03-09
	// approvals missing: 1 from [opleiders overheid werkgevers]
	// ask Gemeente Aakermonde
	// ask Opleidersberaad Aakermonde
	// ask Werkgeversvereniging Aakermonde
}

// A verifier without a network reads a file, against the region that it pinned.
func ExampleSnapshot_Replay() {
	file := exampleFile()
	snapshot, err := registry.ReadSnapshot(bytes.NewReader(file.content))
	if err != nil {
		panic(err)
	}
	replica, _, err := snapshot.Replay(file.genesis)
	if err != nil {
		panic(err)
	}
	fmt.Println(replica.State().View().Region(file.at).Name, replica.Freshness().Time.Format(time.DateOnly))
	_, _, err = snapshot.Replay("0000000000000000000000000000000000000000000000000000000000000000")
	fmt.Println(err)
	// Output:
	// Regio Aakermonde 2026-05-14
	// other-region: the snapshot is of another region than the one asked for
}
