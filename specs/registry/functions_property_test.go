package registry_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// listed is what a model that shares nothing with the registry knows of a function profile.
type listed struct {
	owner   string
	version int
	closed  bool
}

// Whatever honest and hostile organisations send, in whatever order: only an owner that is
// admitted publishes and changes, only the owner closes, nothing closed comes back, a refusal
// changes nothing, and a replica that sees only the leaves has the same state.
func TestListingsKeepTheInvariants(t *testing.T) {
	base := registrytest.Function()
	rapid.Check(t, func(rt *rapid.T) {
		r := registrytest.New(t)
		names := []string{"linde", "ossekamp", "vreemd"}
		orgs := map[string]string{"linde": r.Admit("linde", registry.Verifier), "ossekamp": r.Admit("ossekamp", registry.Issuer)}
		a := r.Application("vreemd", registry.Verifier) // applies, and is never admitted
		r.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
		orgs["vreemd"] = a.Organisation
		suspended := map[string]bool{"vreemd": true}
		model := map[string]listed{}
		var sent []registry.SignedEvent // and accepted
		mirror := registry.NewState(r.Genesis())
		for _, raw := range r.Leaves {
			follow(rt, mirror, raw)
		}
		for range rapid.IntRange(5, 15).Draw(rt, "steps") {
			name := rapid.SampledFrom(names).Draw(rt, "owner")
			signer := rapid.SampledFrom([]string{name, name, name, rapid.SampledFrom(names).Draw(rt, "other")}).Draw(rt, "signer")
			id := "fn_" + strings.Repeat(rapid.SampledFrom([]string{"b", "c", "d"}).Draw(rt, "id"), 25) + "a"
			var s registry.SignedEvent
			want := false
			now, known := model[id]
			next := now
			owns := known && now.owner == name && signer == name && !now.closed
			switch what := rapid.SampledFrom([]string{"publish", "change", "close", "suspend", "replay"}).Draw(rt, "what"); what {
			case "publish", "change":
				kind := registry.KindFunction
				want = !known && signer == name && !suspended[name]
				if what == "change" {
					kind, want = registry.KindFunctionChanged, owns && !suspended[name]
				}
				doc := base
				doc.Positions = rapid.IntRange(1, 9).Draw(rt, "positions")
				b := &registry.FunctionPublication{Document: doc, ID: id, Organisation: orgs[name]}
				s = r.Compose(kind, b, registry.OrganisationParty(orgs[signer]))
				next = listed{owner: name, version: now.version + 1}
			case "close":
				b := &registry.Closing{ID: id, Organisation: orgs[name], Reason: registry.Text{NL: "klaar"}}
				s = r.Compose(registry.KindFunctionClosed, b, registry.OrganisationParty(orgs[signer]))
				want, next.closed = owns, true
			case "suspend":
				if name != "linde" {
					continue
				}
				kind := registry.KindSuspended
				if suspended[name] {
					kind = registry.KindReinstated
				}
				r.Do(kind, &registry.Measure{Organisation: orgs[name], Role: registry.Verifier, Reason: "onderzoek"}, opleiders, vakbond)
				suspended[name] = !suspended[name]
				follow(rt, mirror, r.Leaves[len(r.Leaves)-1])
				continue
			case "replay":
				if len(sent) == 0 {
					continue
				}
				s = sent[rapid.IntRange(0, len(sent)-1).Draw(rt, "which")]
			}
			before := r.State.Digest()
			_, err := r.Submit(s)
			if (err == nil) != want {
				rt.Fatalf("%s of %s by %s for %s: %v", s.Event.Kind, id, signer, name, err)
			}
			if err != nil {
				if refusal := (*registry.Refusal)(nil); !errors.As(err, &refusal) || r.State.Digest() != before {
					rt.Fatalf("refused with %v, and the state changed: %v", err, r.State.Digest() != before)
				}
				continue
			}
			sent = append(sent, s)
			model[id] = next
			follow(rt, mirror, r.Leaves[len(r.Leaves)-1])
			if mirror.Digest() != r.State.Digest() {
				rt.Fatal("the digests differ")
			}
		}
		for id, want := range model {
			f, _, err := r.State.View().Function(id, r.Now)
			if err != nil || f.Organisation != orgs[want.owner] || f.Version != want.version || (f.Closed != 0) != want.closed {
				rt.Fatalf("%s is %+v, want %+v: %v", id, f.Listing, want, err)
			}
			if open := slices.ContainsFunc(r.State.View().Functions(registry.ListingQuery{}, r.Now).Items, func(v registry.FunctionView) bool { return v.ID == id }); open && want.closed {
				rt.Fatalf("%s is closed and listed", id)
			}
		}
	})
}

func follow(rt *rapid.T, s *registry.State, raw []byte) {
	leaf, err := registry.ParseLeaf(raw)
	if err == nil {
		_, err = registry.Apply(s, leaf)
	}
	if err != nil {
		rt.Fatal(err)
	}
}

func BenchmarkListings(b *testing.B) {
	r := registrytest.New(b)
	linde := r.Admit("linde", registry.Verifier)
	doc := registrytest.Function()
	const n = 2000
	for i := range n {
		doc.Title.NL = fmt.Sprintf("Functie %d", i*7919%n)
		id, err := registry.NewFunctionID(strings.NewReader(fmt.Sprintf("%016d", i)))
		if err != nil {
			b.Fatal(err)
		}
		r.Do(registry.KindFunction, &registry.FunctionPublication{Document: doc, ID: id, Organisation: linde}, registry.OrganisationParty(linde))
	}
	for name, q := range map[string]registry.ListingQuery{"page": {Limit: 100}, "words": {Text: "functie 19", Limit: 100}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if got := r.State.View().Functions(q, r.Now); got.Total == 0 {
					b.Fatal("nothing found")
				}
			}
		})
	}
}
