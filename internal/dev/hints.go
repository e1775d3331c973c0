package dev

import (
	"fmt"
	"os"
	"path/filepath"
)

// Logs is the folder with a log of each process.
func (w *World) Logs() string { return near(w.l.path("logs")) }

// Name is the name of the organisation at a public address.
func (w *World) Name(url string) string {
	for _, r := range w.regions() {
		for _, o := range r.organisations {
			if w.settings.url(o.process) == url {
				return o.name
			}
		}
	}
	return url
}

// Hint is a command to type, and what it does.
type Hint struct{ Does, Command string }

// FirstSteps are the commands with which a person begins without a browser: a wallet,
// offers, one that is accepted, a request that is answered.
func (w *World) FirstSteps(program, ready string) []Hint {
	curl := "curl -s"
	if w.settings.TLS {
		curl += " --cacert " + near(w.l.path(localCA))
	}
	ask := fmt.Sprintf(`%s -H "Authorization: Bearer $(cat %s)" -H "Content-Type: application/json" -d '{"skills":[{"uri":"%s","label":"Verzorgen"}],"purpose":"Wij zoeken een helpende."}' %s/api/v1/requests`,
		curl, near(w.l.path(verifier, adminToken)), skillCare, w.settings.url(verifier))
	return []Hint{
		{"make a paspoort", fmt.Sprintf("%s wallet init --ready-file %s", program, near(ready))},
		{"the opleider makes offers from a spreadsheet", fmt.Sprintf("%s issuer offers --config %s", program, near(w.l.config(opleider)))},
		{"accept one of them", fmt.Sprintf("%s wallet accept LINK --tx-code CODE", program)},
		{"the employer asks for a skill", ask},
		{"see who asks and why, and answer", fmt.Sprintf("%s wallet present 'INVOCATION'", program)},
		{"decide as a member of the region", fmt.Sprintf("%s desk --config %s", program, near(w.l.path("members", w.caOperator+".json")))},
	}
}

// near is a path as a person would type it in this folder.
func near(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
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
