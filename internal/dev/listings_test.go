package dev

import (
	"slices"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// Every sample is in order, in both languages, by an organisation of the region that may
// publish it, and names only modules that are there.
func TestSampleListings(t *testing.T) {
	list, err := sampleListings()
	if err != nil {
		t.Fatal(err)
	}
	r := registrytest.New(t)
	orgs := map[string]string{}
	for _, o := range aakermonde.organisations {
		a := r.Application(o.process, o.role)
		if o.role == registry.Issuer {
			a.Types = nil
			for _, typ := range o.types {
				a.Types = append(a.Types, typ.VCT())
			}
			slices.Sort(a.Types)
		}
		orgs[o.process] = r.AdmitApplication(a)
	}
	named := map[string]bool{}
	for _, l := range list {
		if orgs[l.process] == "" {
			t.Fatalf("no organisation %q", l.process)
		}
		kind, body := l.body(orgs[l.process])
		r.Do(kind, body, registry.OrganisationParty(orgs[l.process]))
		switch b := body.(type) {
		case *registry.FunctionPublication:
			if b.Document.Title.EN == "" || b.Document.Summary.EN == "" {
				t.Errorf("%s is not in English", b.Document.Title.NL)
			}
			if c := b.Document.Conditions.LearningTrack; c != nil {
				mark(named, c.Modules)
			}
		case *registry.ModulePublication:
			if b.Document.Title.EN == "" || b.Document.Summary.EN == "" {
				t.Errorf("%s is not in English", b.Document.Title.NL)
			}
			mark(named, slices.Concat(b.Document.Entry.Modules, b.Document.Stacking.After, b.Document.Stacking.Before))
		}
	}
	v := r.State.View()
	functions, modules := v.Functions(registry.ListingQuery{}, r.Now), v.Modules(registry.ListingQuery{}, r.Now)
	if functions.Total < 5 || modules.Total < 5 || functions.Total+modules.Total != len(list) {
		t.Errorf("%d functions and %d modules of %d samples are open", functions.Total, modules.Total, len(list))
	}
	for id := range named {
		if m, _, err := v.Module(id, r.Now); err != nil || m.State != registry.ListingOpen {
			t.Errorf("a sample names module %s: %v", id, err)
		}
	}
}

func mark(named map[string]bool, ids []string) {
	for _, id := range ids {
		named[id] = true
	}
}
