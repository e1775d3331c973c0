package dev

import (
	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/registry"
)

const (
	adminToken = "admin.token"
	// publishSeconds is shorter here than in earnest, so that a change is seen soon.
	publishSeconds = 2
	// requestSeconds is longer here than in earnest, so that the sample request can be
	// answered all day.
	requestSeconds = 24 * 60 * 60
)

// writeConfig writes the configuration file of the organisation's process.
func (w *World) writeConfig(o organisation) error {
	id, err := o.id(w.l)
	if err != nil {
		return err
	}
	switch o.role {
	case registry.WalletHost:
		return w.writeWalletHost(o, id)
	case registry.Verifier:
		return w.writeVerifier(o, id)
	}
	return w.writeIssuer(o, id)
}

// writeSeats writes from where each member and each organisation has its say: for
// `paspoort registry --config` and `paspoort desk --config`.
func (w *World) writeSeats() error {
	for _, m := range members {
		seat := conf.Seat{Region: w.region(), Outbound: w.outbound, Party: registry.MemberParty(m.id), Key: m.id + ".key", Data: m.id + "-copy"}
		if err := conf.Write(w.l.path("members", m.id+".json"), seat); err != nil {
			return err
		}
	}
	for _, o := range organisations {
		id, err := o.id(w.l)
		if err != nil {
			return err
		}
		seat := conf.Seat{Region: w.region(), Outbound: w.outbound, Party: registry.OrganisationParty(id), Key: "organisation.key"}
		if err := conf.Write(w.l.path(o.process, "seat.json"), seat); err != nil {
			return err
		}
	}
	return nil
}

// region is how a process finds the region: every node, asked often.
func (w *World) region() conf.Region {
	r := conf.Region{Genesis: w.Genesis, EverySeconds: 1}
	for _, n := range nodes {
		r.Nodes = append(r.Nodes, w.settings.url(n.id))
	}
	return r
}

// federation is the entity of the region, as its charter names it.
func (w *World) federation() []string { return []string{w.settings.url(nodes[0].id)} }

// wallets are the wallet hosts to offer a button for; path is what they are called for.
func (w *World) wallets(path string) []conf.Wallet {
	return []conf.Wallet{{Name: named(wallet).name, URL: w.settings.url(wallet) + path}}
}

func (w *World) writeIssuer(o organisation, id string) error {
	if _, err := keyfile.Secret(w.l.path(o.process, adminToken)); err != nil {
		return err
	}
	var types []string
	for _, t := range o.types {
		types = append(types, string(t))
	}
	return conf.Write(w.l.config(o.process), conf.Issuer{
		Server: w.server(o.process), Region: w.region(), Outbound: w.outbound, Data: "data", Name: o.name, Country: "NL",
		Organisation: id, Types: types, AdminToken: adminToken, CredentialKey: "credential.key", CredentialChain: "credential.pem",
		StatusKey: "status.key", StatusChain: "status.pem", PublishSeconds: publishSeconds, Wallets: w.wallets("/offer"),
		Federation: w.federation(),
	})
}

func (w *World) writeVerifier(o organisation, id string) error {
	if _, err := keyfile.Secret(w.l.path(o.process, adminToken)); err != nil {
		return err
	}
	if _, err := w.l.key(o.process, "did.key"); err != nil {
		return err
	}
	return conf.Write(w.l.config(o.process), conf.Verifier{
		Server: w.server(o.process), Region: w.region(), Outbound: w.outbound, Data: "data", Name: o.name, Organisation: id,
		AdminToken: adminToken, DIDKey: "did.key", AccessKey: "access.key", AccessChain: "access.pem",
		RequestSeconds: requestSeconds, Wallets: w.wallets("/present"), Federation: w.federation(),
	})
}

func (w *World) writeWalletHost(o organisation, id string) error {
	return conf.Write(w.l.config(o.process), conf.WalletHost{
		Server: w.server(o.process), Regions: []conf.Region{w.region()}, Outbound: w.outbound, Data: "data", Name: o.name,
		Organisation: id, ReceiptKey: "receipt.key",
	})
}
