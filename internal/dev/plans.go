package dev

import (
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// plan describes a region: who decides in it, who keeps its nodes, whom it admits. All names are
// invented.
type plan struct {
	folder        string // of the founding event and the CA, in the folder of the world
	name          string
	origin        string // of its log
	members       []member
	caOperator    string    // member that keeps the region's CA
	deciders      [2]string // members of two groups, who decide what no application asks for
	nodes         []nodeOf
	organisations []organisation
}

// member is a body that decides in the region.
type member struct {
	id, name string
	group    registry.Group
	contact  string // an invented one
}

// nodeOf is a node and the member that runs it. Its id is the name of its process, its folder and
// its port too.
type nodeOf struct{ id, operator string }

const criteria = "criteria-2026-1"

const (
	opleider  = "opleider"
	werkgever = "werkgever"
	verifier  = "verifier"
	wallet    = "wallet"
)

// aakermonde is the region with everything: the home of who tries it.
var aakermonde = plan{
	folder: "region", name: "Regio Aakermonde", origin: "aakermonde.example/register", caOperator: "gemeente-aakermonde",
	members: []member{
		{"werkgeverskring", "Werkgeverskring Aakermonde", registry.Werkgevers, "https://werkgeverskring.example/toelating"},
		{"vakbond-het-anker", "Vakbond Het Anker", registry.Werknemers, "toelating@vakbondhetanker.example"},
		{"opleidersberaad", "Opleidersberaad Aakermonde", registry.Opleiders, "toelating@opleidersberaad.example"},
		{"gemeente-aakermonde", "Gemeente Aakermonde", registry.Overheid, "https://gemeente-aakermonde.example/paspoort"},
	},
	deciders: [2]string{"vakbond-het-anker", "gemeente-aakermonde"},
	nodes: []nodeOf{ // by members of three groups
		{"knoop-1", "werkgeverskring"},
		{"knoop-2", "vakbond-het-anker"},
		{"knoop-3", "gemeente-aakermonde"},
	},
	organisations: []organisation{
		{
			process: opleider, kind: "opleider", name: "Opleidingshuis De Vaart", registration: "KvK 90000001", role: registry.Issuer,
			types: []paspoort.Type{paspoort.Opleiding, paspoort.Praktijkverklaring}, domains: []string{"techniek", "zorg"},
			audited:   []paspoort.Type{paspoort.Opleiding},
			approvers: []string{"vakbond-het-anker", "gemeente-aakermonde"},
		},
		{
			process: werkgever, kind: "werkgever", name: "Machinefabriek Ossekamp", registration: "KvK 90000002", role: registry.Issuer,
			types: []paspoort.Type{paspoort.Referentie, paspoort.Werkervaring}, domains: []string{"techniek"},
			approvers: []string{"vakbond-het-anker", "opleidersberaad"},
		},
		{
			process: verifier, kind: "werkgever", name: "Zorggroep Linde", registration: "KvK 90000003", role: registry.Verifier,
			purposes: []string{"werving"}, domains: []string{"zorg"},
			approvers: []string{"werkgeverskring", "vakbond-het-anker"},
		},
		{
			process: wallet, name: "Paspoorthuis Aakermonde", registration: "KvK 90000004", role: registry.WalletHost,
			approvers: []string{"vakbond-het-anker", "gemeente-aakermonde"},
		},
	},
}

// The processes of the neighbour.
const (
	farNode     = "knoop-lindewaard"
	farOpleider = "opleider-lindewaard"
)

// lindewaard is its neighbour, no larger than it must be: one node, and an opleider that issues.
var lindewaard = plan{
	folder: "lindewaard", name: "Regio Lindewaard", origin: "lindewaard.example/register", caOperator: "gemeente-lindewaard",
	members: []member{
		{"werkgevers-lindewaard", "Werkgevers Lindewaard", registry.Werkgevers, "https://werkgeverslindewaard.example/register"},
		{"vakbond-de-linde", "Vakbond De Linde", registry.Werknemers, "register@vakbonddelinde.example"},
		{"scholen-lindewaard", "Scholenkring Lindewaard", registry.Opleiders, "register@scholenlindewaard.example"},
		{"gemeente-lindewaard", "Gemeente Lindewaard", registry.Overheid, "https://gemeente-lindewaard.example/register"},
	},
	deciders: [2]string{"vakbond-de-linde", "gemeente-lindewaard"},
	nodes:    []nodeOf{{farNode, "gemeente-lindewaard"}},
	organisations: []organisation{{
		process: farOpleider, kind: "opleider", name: "Vakschool Lindewaard", registration: "KvK 90000011", role: registry.Issuer,
		types: []paspoort.Type{paspoort.Opleiding}, domains: []string{"zorg"},
		approvers: []string{"vakbond-de-linde", "gemeente-lindewaard"},
	}},
}

// foundingAt is the file of the founding event.
func (p plan) foundingAt() string { return p.folder + "/founding.json" }

// named is the organisation of a process.
func (p plan) named(process string) (organisation, bool) {
	for _, o := range p.organisations {
		if o.process == process {
			return o, true
		}
	}
	return organisation{}, false
}
