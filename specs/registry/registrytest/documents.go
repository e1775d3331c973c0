package registrytest

import (
	_ "embed"

	"paspoort.example/paspoort/specs/registry"
)

//go:embed documents/function.json
var functionDocument []byte

//go:embed documents/module.json
var moduleDocument []byte

// Function is a function profile in which every field says something.
func Function() registry.FunctionProfile {
	return mustParse[registry.FunctionProfile](functionDocument)
}

// Module is a module in which every field says something.
func Module() registry.Module { return mustParse[registry.Module](moduleDocument) }

func mustParse[T registry.Document](raw []byte) T {
	doc, err := registry.ParseDocument[T](raw)
	if err != nil {
		panic(err)
	}
	return doc
}

// The ids under which a [Story] publishes.
const (
	FunctionID = "fn_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	ModuleID   = "mod_aaaaaaaaaaaaaaaaaaaaaaaaaa"
)

// listings: an employer and an opleider tell what they offer, change it, and close it; one of
// each stays open.
func (s *story) listings() {
	if s.State.Rules() < 2 {
		return
	}
	linde, vaart := registry.OrganisationParty(s.linde), registry.OrganisationParty(s.vaart)
	f := &registry.FunctionPublication{Document: Function(), ID: FunctionID, Organisation: s.linde}
	s.Do(registry.KindFunction, f, linde)
	f.Document.Positions = 3
	s.Do(registry.KindFunctionChanged, f, linde)
	m := &registry.ModulePublication{Document: Module(), ID: ModuleID, Organisation: s.vaart}
	s.Do(registry.KindModule, m, vaart)
	m.Document.Price.Cents = 99500
	s.Do(registry.KindModuleChanged, m, vaart)
	f.ID, m.ID = FunctionID[:3]+"b"+FunctionID[4:], ModuleID[:4]+"b"+ModuleID[5:]
	s.Do(registry.KindFunction, f, linde)
	s.Do(registry.KindModule, m, vaart)
	s.Do(registry.KindFunctionClosed, &registry.Closing{ID: f.ID, Organisation: s.linde, Reason: registry.Text{NL: "De plaatsen zijn vervuld.", EN: "The places are filled."}}, linde)
	s.Do(registry.KindModuleClosed, &registry.Closing{ID: m.ID, Organisation: s.vaart, Reason: registry.Text{NL: "Deze module wordt niet meer gegeven."}}, vaart)
}
