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
func (r *Region) writeConfig(o organisation) error {
	id, err := o.id(r.w.l)
	if err != nil {
		return err
	}
	switch o.role {
	case registry.WalletHost:
		return r.writeWalletHost(o, id)
	case registry.Verifier:
		return r.writeVerifier(o, id)
	}
	return r.writeIssuer(o, id)
}

// writeSeats writes from where each member and each organisation has its say: for
// `paspoort registry --config` and `paspoort desk --config`.
func (r *Region) writeSeats() error {
	for _, m := range r.members {
		seat := conf.Seat{Region: r.region(), Outbound: r.w.outbound, Party: registry.MemberParty(m.id), Key: m.id + ".key", Data: m.id + "-copy"}
		if err := conf.Write(r.w.l.path("members", m.id+".json"), seat); err != nil {
			return err
		}
	}
	for _, o := range r.organisations {
		id, err := o.id(r.w.l)
		if err != nil {
			return err
		}
		seat := conf.Seat{Region: r.region(), Outbound: r.w.outbound, Party: registry.OrganisationParty(id), Key: "organisation.key"}
		if err := conf.Write(r.w.l.path(o.process, "seat.json"), seat); err != nil {
			return err
		}
	}
	return nil
}

// region is how a process finds the region: every node, asked often.
func (r *Region) region() conf.Region {
	out := conf.Region{Genesis: r.Genesis, EverySeconds: 1}
	for _, n := range r.nodes {
		out.Nodes = append(out.Nodes, r.w.settings.url(n.id))
	}
	return out
}

// federation is the entity of the region, as its charter names it.
func (r *Region) federation() []string { return []string{r.w.settings.url(r.nodes[0].id)} }

// wallets are the wallet hosts to offer a button for, of this region or its neighbour; path is
// what they are called for.
func (r *Region) wallets(path string) []conf.Wallet {
	return []conf.Wallet{{Name: r.w.Name(r.w.settings.url(wallet)), URL: r.w.settings.url(wallet) + path}}
}

func (r *Region) writeIssuer(o organisation, id string) error {
	if _, err := keyfile.Secret(r.w.l.path(o.process, adminToken)); err != nil {
		return err
	}
	var types []string
	for _, t := range o.types {
		types = append(types, string(t))
	}
	return conf.Write(r.w.l.config(o.process), conf.Issuer{
		Server: r.w.server(o.process), Region: r.region(), Outbound: r.w.outbound, Data: "data", Name: o.name, Country: "NL",
		Organisation: id, Types: types, AdminToken: adminToken, CredentialKey: "credential.key", CredentialChain: "credential.pem",
		StatusKey: "status.key", StatusChain: "status.pem", PublishSeconds: publishSeconds, Wallets: r.wallets("/offer"),
		Federation: r.federation(),
	})
}

func (r *Region) writeVerifier(o organisation, id string) error {
	if _, err := keyfile.Secret(r.w.l.path(o.process, adminToken)); err != nil {
		return err
	}
	if _, err := r.w.l.key(o.process, "did.key"); err != nil {
		return err
	}
	return conf.Write(r.w.l.config(o.process), conf.Verifier{
		Server: r.w.server(o.process), Region: r.region(), Outbound: r.w.outbound, Data: "data", Name: o.name, Organisation: id,
		AdminToken: adminToken, DIDKey: "did.key", AccessKey: "access.key", AccessChain: "access.pem",
		RequestSeconds: requestSeconds, Wallets: r.wallets("/present"), Federation: r.federation(),
	})
}

func (r *Region) writeWalletHost(o organisation, id string) error {
	return conf.Write(r.w.l.config(o.process), conf.WalletHost{
		Server: r.w.server(o.process), Regions: []conf.Region{r.region()}, Outbound: r.w.outbound, Data: "data", Name: o.name,
		Organisation: id, ReceiptKey: "receipt.key",
	})
}
