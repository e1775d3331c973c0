package dev

import (
	"fmt"

	"paspoort.example/paspoort/specs/paspoort"
)

// Logs is the folder with a log of each process.
func (w *World) Logs() string { return w.l.path("logs") }

// Name is the name of the organisation at a public address.
func (w *World) Name(url string) string {
	for _, o := range organisations {
		if w.settings.url(o.process) == url {
			return o.name
		}
	}
	return url
}

// FirstSteps are the commands with which a person begins: a wallet, an offer that
// is made and accepted.
func (w *World) FirstSteps(program, ready string) []string {
	id := paspoort.ConfigurationID(paspoort.Opleiding, paspoort.FormatSDJWTVC)
	curl, url := "curl -s", w.settings.url(opleider)
	if w.settings.TLS {
		curl += " --cacert " + w.l.path(localCA)
	}
	curl += ` -H "Authorization: Bearer $(cat ` + w.l.path(opleider, adminToken) + `)"`
	return []string{
		fmt.Sprintf("%s wallet init --ready-file %s", program, ready),
		fmt.Sprintf("%s %s/api/v1/configurations/%s/sample > claims.json", curl, url, id),
		fmt.Sprintf(`%s -H "Content-Type: application/json" -d "{\"credential_configuration_id\":\"%s\",\"claims\":$(cat claims.json)}" %s/api/v1/offers`, curl, id, url),
		fmt.Sprintf("%s wallet accept 'THE credential_offer_uri'", program),
	}
}

// Dir is the folder of the region.
func (w *World) Dir() string { return w.l.dir }

// Addresses are the public URLs of the processes by name.
func (w *World) Addresses() map[string]string {
	out := map[string]string{}
	for _, p := range w.processes {
		out[p.Name] = w.settings.url(p.Name)
	}
	return out
}
