package dev

import (
	"fmt"

	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// Ready is the contents of the ready file: what a program needs to use the region.
// It holds tokens, so the file is for its owner only.
type Ready struct {
	Regions   []ReadyRegion   `json:"regions"`
	Issuers   []ReadyIssuer   `json:"issuers"`
	Verifiers []ReadyVerifier `json:"verifiers"`
	Wallet    ReadyWallet     `json:"wallet"`
	// Neighbours are other regions that run here. Nobody pins them: they count because the
	// region relies on them.
	Neighbours []ReadyNeighbour `json:"neighbours"`
	// CAFile is the authority of the https certificates; empty without --tls.
	CAFile string `json:"ca_file"`
}

// ReadyRegion is a region: its pinned id and its nodes.
type ReadyRegion struct {
	Genesis string      `json:"genesis"`
	Nodes   []ReadyNode `json:"nodes"`
}

// ReadyNeighbour is a region that Regions rely on, with the issuers that it admitted.
type ReadyNeighbour struct {
	Name string `json:"name"`
	ReadyRegion
	Issuers []ReadyIssuer `json:"issuers"`
}

// ReadyNode is a registry node.
type ReadyNode struct {
	URL string `json:"url"`
}

// ReadyIssuer is an issuer with its admin API.
type ReadyIssuer struct {
	Role           string   `json:"role"` // opleider, werkgever
	URL            string   `json:"url"`
	AdminToken     string   `json:"admin_token"`
	Configurations []string `json:"credential_configuration_ids"`
}

// ReadyVerifier is a verifier with its admin API.
type ReadyVerifier struct {
	URL        string `json:"url"`
	AdminToken string `json:"admin_token"`
}

// ReadyWallet is where people have a paspoort in a browser. It has no administrator: nobody
// but its holder opens a paspoort.
type ReadyWallet struct {
	URL string `json:"url"`
}

// Ready describes the running regions.
func (w *World) Ready() (Ready, error) {
	r := Ready{CAFile: w.outbound.CAFile, Regions: []ReadyRegion{w.readyRegion()}}
	for _, o := range w.organisations {
		url := w.settings.url(o.process)
		switch o.role {
		case registry.WalletHost:
			r.Wallet.URL = url
		case registry.Verifier:
			token, err := w.token(o.process)
			if err != nil {
				return r, err
			}
			r.Verifiers = append(r.Verifiers, ReadyVerifier{url, token})
		case registry.Issuer:
			issuer, err := w.readyIssuer(o)
			if err != nil {
				return r, err
			}
			r.Issuers = append(r.Issuers, issuer)
		}
	}
	other := ReadyNeighbour{Name: w.Neighbour.name, ReadyRegion: w.Neighbour.readyRegion()}
	for _, o := range w.Neighbour.organisations {
		issuer, err := w.readyIssuer(o)
		if err != nil {
			return r, err
		}
		other.Issuers = append(other.Issuers, issuer)
	}
	r.Neighbours = []ReadyNeighbour{other}
	return r, nil
}

func (r *Region) readyRegion() ReadyRegion {
	out := ReadyRegion{Genesis: r.Genesis}
	for _, n := range r.nodes {
		out.Nodes = append(out.Nodes, ReadyNode{r.w.settings.url(n.id)})
	}
	return out
}

func (w *World) readyIssuer(o organisation) (ReadyIssuer, error) {
	token, err := w.token(o.process)
	issuer := ReadyIssuer{Role: o.kind, URL: w.settings.url(o.process), AdminToken: token}
	for _, t := range o.types {
		for _, f := range []paspoort.Format{paspoort.FormatSDJWTVC, paspoort.FormatVCDM} {
			issuer.Configurations = append(issuer.Configurations, paspoort.ConfigurationID(t, f))
		}
	}
	return issuer, err
}

// WriteReady writes the ready file, whole or not at all.
func (w *World) WriteReady(file string) error {
	r, err := w.Ready()
	if err != nil {
		return err
	}
	if err := writeJSON(file, r); err != nil {
		return fmt.Errorf("write the ready file: %w", err)
	}
	return nil
}

// RemoveReady takes an old ready file away, so that nobody takes it for this start.
func RemoveReady(file string) error { return keyfile.Remove(file) }

// token is the admin token of a process.
func (w *World) token(process string) (string, error) {
	return keyfile.Secret(w.l.path(process, adminToken))
}
