package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/dev"
	"paspoort.example/paspoort/internal/privacyscan"
	"paspoort.example/paspoort/specs/paspoort"
)

// planted are the names of people in the sample data that the demo uses. None may
// be left behind anywhere: not on a disk, in a log or in a metric.
var planted = []string{"Samira", "Voorbeeld-Idrissi", "Testerveen", "Agnieszka", "Proefowska", "Modelpersad", "Schijnstra", "Fictihabte"}

// inRegistry stands in the registry, so on every node's disk: if the scan does not find
// it there, it finds nothing.
const inRegistry = "Opleidingshuis De Vaart"

// TestDemo runs the whole demo in real processes, this test binary as the program,
// and then looks at everything that is left behind.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo starts a dozen processes; run without -short")
	}
	t.Setenv("PASPOORT_TEST_PROGRAM", "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	scanned := false
	err = dev.Demo(t.Context(), dev.DemoOptions{
		Dir: t.TempDir() + "/region", Program: self, Out: &out, Log: t.Output(),
		Before: func(w *dev.World) error {
			scanned = true
			livesAtHost(t, w)
			return leftBehind(t, w)
		},
	})
	if err != nil {
		t.Errorf("%v\nuntil then:\n%s", err, out.String())
	}
	t.Log("\n" + out.String())
	if got := strings.Count(out.String(), "\n"); err == nil && (got != 9 || !scanned) {
		t.Errorf("got %d lines, want one for each of 9 steps, and the scan %v", got, scanned)
	}
}

// livesAtHost lets a person use the wallet host, so that there is something to find in its
// folder, its logs and its metrics. The opleider is out by now: the employer offers.
func livesAtHost(t *testing.T, w *dev.World) {
	t.Helper()
	ready, err := w.Ready()
	if err != nil {
		t.Fatal(err)
	}
	issuer, verifier := ready.Issuers[1], ready.Verifiers[0]
	var sample map[string]any
	id := paspoort.ConfigurationID(paspoort.Werkervaring, paspoort.FormatSDJWTVC)
	admin(t, w, issuer.AdminToken, http.MethodGet, issuer.URL+"/api/v1/configurations/"+id+"/sample", nil, &sample)
	var offer struct{ Page string }
	admin(t, w, issuer.AdminToken, http.MethodPost, issuer.URL+"/api/v1/offers", map[string]any{"credential_configuration_id": id, "claims": sample, "tx_code": "274610"}, &offer)
	skill := sample["skills"].([]any)[0]
	var request struct{ Page string }
	admin(t, w, verifier.AdminToken, http.MethodPost, verifier.URL+"/api/v1/requests", map[string]any{"skills": []any{map[string]any{
		"uri": skill.(map[string]any)["uri"], "label": skill.(map[string]any)["label"],
	}}, "purpose": "Wij zoeken een collega."}, &request)
	person{
		name: planted[0], passphrase: planted[1] + " gaat naar het strand", offer: offer.Page, code: "274610", request: request.Page,
		knownAs: w.Name(issuer.URL), asker: w.Name(verifier.URL), skill: fmt.Sprint(skill.(map[string]any)["label"]),
	}.lives(newVisitor(t, ready.CAFile))
}

// admin asks an admin API something and reads the answer.
func admin(t *testing.T, w *dev.World, token, method, address string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := w.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil || resp.StatusCode > 299 {
		t.Fatalf("%s %s: %s, %v", method, address, resp.Status, err)
	}
}

// leftBehind scans the folder of the region and the metrics of its processes.
func leftBehind(t *testing.T, w *dev.World) error {
	scanner, err := privacyscan.New(planted...)
	if err != nil {
		return err
	}
	report, err := scanner.Tree(w.Dir())
	if err != nil {
		return err
	}
	t.Logf("scanned %d files, %d stores with %d entries, %d bytes", report.Files, report.Stores, report.Entries, report.Bytes)
	findings := report.Findings
	for name, url := range w.Addresses() {
		body, _, err := w.HTTP.Get(t.Context(), url+"/metrics")
		if err != nil {
			return err
		}
		findings = append(findings, scanner.Bytes("metrics of "+name, body)...)
	}
	for _, f := range findings {
		err = errors.Join(err, fmt.Errorf("a person's name is left behind: %v", f))
	}
	return errors.Join(err, control(w))
}

// control scans for words that must be there: on the nodes what the registry says, in the
// folder and the log of the wallet host that somebody was there.
func control(w *dev.World) error {
	known := map[string]string{"wallet": "host/account/", "logs/wallet.log": "/offer/{id}/keep"}
	for name := range w.Addresses() {
		switch {
		case name == "knoop-lindewaard": // of another region: in its copy of this one
			known[name+"/data/mirrors"] = inRegistry
		case strings.HasPrefix(name, "knoop-"):
			known[name+"/data/store"] = inRegistry
		}
	}
	for place, word := range known {
		scanner, err := privacyscan.New(word)
		if err != nil {
			return err
		}
		report, err := scanner.Tree(filepath.Join(w.Dir(), place))
		if err != nil {
			return err
		}
		if len(report.Findings) == 0 {
			return fmt.Errorf("control: %q is not found in %s, so the scan sees nothing", word, place)
		}
	}
	return nil
}

// TestDevRefuses tries what must not start a region.
func TestDevRefuses(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := play(t, "dev", "--data", file); code != exitFailed {
		t.Errorf("a file for a folder: got exit code %d", code)
	}
	if code, _, _ := play(t, "dev", "extra"); code != exitUsage {
		t.Errorf("an argument: got exit code %d", code)
	}
}
