package registry_test

import (
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

func TestHobbelsStandPerScope(t *testing.T) {
	r := registrytest.New(t)
	vaart := registry.OrganisationParty(r.Admit("vaart", registry.Issuer))
	linde := registry.OrganisationParty(r.Admit("linde", registry.Verifier))
	r.Do(registry.KindCatalogue, catalogue("voorlopig-0"), werkgevers, vakbond)
	zorg := &registry.Scope{Kind: registry.ScopeSector, Name: "zorg en welzijn"}
	placed := 0
	claim := func(scope *registry.Scope, status registry.HobbelStatus) *registry.HobbelClaim {
		return &registry.HobbelClaim{
			Catalogue: "voorlopig-0", Hobbel: "H03", On: r.Now.Unix(), Scope: scope, Status: status, Summary: registry.Text{NL: "Proeftuin"},
			Evidence: []registry.Evidence{{
				Title: "Proeftuin thuiszorg", Place: "Aakermonde", From: r.Now.Unix() - 86400, Until: r.Now.Unix(), Participants: 12, Placed: &placed,
			}},
		}
	}
	// Two scopes at the same time: neither stands in the other's way.
	inZorg := r.Compose(registry.KindHobbel, claim(zorg, registry.Experiment), vaart)
	inRegion := r.Compose(registry.KindHobbel, claim(nil, registry.Experiment), linde)
	r.Must(inZorg)
	r.Must(inRegion)
	confirm := func(s registry.SignedEvent, by string) {
		t.Helper()
		r.Do(registry.KindConfirmed, &registry.Decision{Proposal: s.Event.ID(), Voter: by}, by)
		r.Approve(s.Event.ID(), werkgevers, vakbond)
	}
	confirm(inZorg, linde)
	h := r.State.View().Hobbels(r.Now).Hobbels[0]
	if h.Status != registry.Open || len(h.Scopes) != 1 || h.Scopes[0].Scope != *zorg || h.Scopes[0].Status != registry.Experiment {
		t.Fatalf("after one sector moved: %+v", h)
	}
	if e := h.Scopes[0].History[0].Evidence[0]; e.Participants != 12 || e.Placed == nil || *e.Placed != 0 {
		t.Errorf("evidence %+v", e)
	}
	confirm(inRegion, vaart)
	confirm(r.Do(registry.KindHobbel, claim(zorg, registry.Doorbraak), vaart), linde)
	if err := r.Try(registry.KindHobbel, claim(&registry.Scope{Kind: registry.ScopeBranche, Name: "techniek"}, registry.Doorbraak), vaart); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("another branche from open to doorbraak: %v", err)
	}
	h = r.State.View().Hobbels(r.Now).Hobbels[0]
	if h.Status != registry.Experiment || h.Scopes[0].Status != registry.Doorbraak || len(h.Scopes[0].History) != 2 {
		t.Errorf("in the end: %+v", h)
	}
	if h := r.State.View().Hobbels(r.Now.Add(-day)).Hobbels; len(h) != 0 {
		t.Errorf("before the catalogue: %+v", h)
	}
}

// What version 2 added is unknown to programs of version 1, and so it is in their regions.
func TestRules1KnowsNoScopes(t *testing.T) {
	r := registrytest.NewUnder(t, registrytest.Start, 1)
	vaart := registry.OrganisationParty(r.Admit("vaart", registry.Issuer))
	r.Do(registry.KindCatalogue, catalogue("voorlopig-0"), werkgevers, vakbond)
	for name, change := range map[string]func(*registry.HobbelClaim){
		"scope":      func(h *registry.HobbelClaim) { h.Scope = &registry.Scope{Kind: registry.ScopeSector, Name: "zorg"} },
		"title":      func(h *registry.HobbelClaim) { h.Evidence[0].Title = "Proeftuin" },
		"no address": func(h *registry.HobbelClaim) { h.Evidence[0] = registry.Evidence{Title: "Proeftuin"} },
		"count":      func(h *registry.HobbelClaim) { h.Evidence[0].Participants = 3 },
	} {
		h := &registry.HobbelClaim{
			Catalogue: "voorlopig-0", Hobbel: "H03", On: r.Now.Unix(), Status: registry.Experiment,
			Evidence: []registry.Evidence{{URL: "https://vaart.example/proef"}}, Summary: registry.Text{NL: "Proef"},
		}
		change(h)
		draft := r.Draft(h)
		if _, err := registry.Compose(draft, registry.KindHobbel, h, r.Party(vaart)); !errors.Is(err, registry.ErrBody) {
			t.Errorf("%s, composed: %v", name, err)
		}
		draft.Rules = 2
		s, err := registry.Compose(draft, registry.KindHobbel, h, r.Party(vaart))
		if err != nil {
			t.Fatal(err)
		}
		if err := submit(r, resigned(r, s, func(e *registry.Event) { e.Rules = 1 })); !errors.Is(err, registry.ErrBody) {
			t.Errorf("%s, sent: %v", name, err)
		}
	}
}
