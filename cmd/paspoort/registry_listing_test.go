package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// publisher is an organisation at its terminal, in a region in memory.
type publisher struct {
	t         *testing.T
	dir, seat string
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	r := registrytest.New(t)
	r.SetNow(time.Now())
	linde := r.Admit("linde", registry.Verifier)
	r.Admit("linde", registry.Issuer)
	node := httptest.NewServer(r.Handler())
	t.Cleanup(node.Close)
	p := &publisher{t: t, dir: t.TempDir()}
	p.seat = filepath.Join(p.dir, "seat.json")
	key := filepath.Join(p.dir, "linde.key")
	if err := keyfile.Create(key, r.Keys[registry.OrganisationParty(linde)], ""); err != nil {
		t.Fatal(err)
	}
	p.must("init", "--pin", r.Genesis()+"="+node.URL, "--as", "organisation/"+linde, "--key", key)
	return p
}

func (p *publisher) types(args ...string) (code int, out, errs string) {
	p.t.Helper()
	full := append([]string{"registry", "--config", p.seat, "--loopback-http", "--lang", "nl"}, args...)
	return play(p.t, full...)
}

func (p *publisher) must(args ...string) string {
	p.t.Helper()
	code, out, errs := p.types(args...)
	if code != exitOK {
		p.t.Fatalf("%v: exit code %d\n%s%s", args, code, out, errs)
	}
	return out
}

// says types a command and looks for words in what it prints.
func (p *publisher) says(args []string, want ...string) {
	p.t.Helper()
	out := p.must(args...)
	for _, w := range want {
		if !strings.Contains(out, w) {
			p.t.Errorf("%v: no %q in\n%s", args, w, out)
		}
	}
}

func (p *publisher) publish(command, file string) string {
	p.t.Helper()
	var answer struct {
		ID    string `json:"id"`
		State string `json:"state"`
	}
	if err := json.Unmarshal([]byte(p.must(command, "publish", file, "--yes", "--json")), &answer); err != nil || answer.State != "committed" {
		p.t.Fatalf("%+v %v", answer, err)
	}
	return answer.ID
}

func TestFunctionFromTheCommandLine(t *testing.T) {
	p := newPublisher(t)
	file := "../../specs/registry/registrytest/documents/function.json"
	p.says([]string{"function", "check", file}, "in orde", "Helpende in de wijk")
	id := p.publish("function", file)
	p.says([]string{"function", "list", "wijk", "--place", "aaker", "--sector", "zorg"}, "Helpende in de wijk", "Organisatie linde", id)
	p.says([]string{"function", "list", "lasser"}, "Niets gevonden")
	p.says([]string{"function", "show", id}, "Verzorgen (genoeg: bevestigd door een werkgever", "16 - 32 uur per week", "elke maand, 2026-09-01",
		"leertijdvergoeding", "100% van het loon", "begeleiding", "leerwerktraject", "oriëntatietijd", "staat", "open",
		"overdag, 's avonds, in het weekend", "leerbaan, vast", "€ 14,85 - € 19,10 per uur, Cao Zorg Aakermonde, schaal 25", "elektrische fiets", "gepubliceerd")
	p.says([]string{"function", "show", id, "--lang", "en"}, "Care assistant", "16 - 32 hours a week")

	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(p.dir, "nieuw.json")
	write := func(old, now string) {
		if err := os.WriteFile(changed, bytes.Replace(raw, []byte(old), []byte(now), 1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`"nl": "Helpende in de wijk"`, `"nl": "Helpende in het dorp"`)
	p.says([]string{"function", "change", id, changed, "--yes"}, "Gepubliceerd: Helpende in het dorp")
	if code, _, errs := p.types("function", "close", id, "--yes"); code == exitOK || !strings.Contains(errs, "Zeg waarom") {
		t.Errorf("closed without a reason: %d %s", code, errs)
	}
	p.says([]string{"function", "close", id, "--yes", "--reason", "De plaatsen zijn vervuld."}, "Gesloten")
	p.says([]string{"function", "list"}, "Niets gevonden")
	p.says([]string{"function", "list", "--closed"}, "Helpende in het dorp", "gesloten")
	p.says([]string{"function", "show", id}, "De plaatsen zijn vervuld.", "versie 2")

	write(`"proof_level": 2`, `"proof_levels": 2`)
	if code, _, errs := p.types("function", "check", changed); code == exitOK || !strings.Contains(errs, "essential[0].proof_level") || !strings.Contains(errs, "function schema") {
		t.Errorf("a wrong file: %d %s", code, errs)
	}
	if code, out, _ := p.types("function", "check", changed, "--json"); code == exitOK || !strings.Contains(out, `"bad_function"`) {
		t.Errorf("a wrong file as JSON: %d %s", code, out)
	}
	if code, _, errs := p.types("function", "publish", file); code == exitOK || !strings.Contains(errs, "niets getekend") {
		t.Errorf("published unasked: %d %s", code, errs)
	}
	if code, _, errs := p.types("function", "publish", file, "--yes", "--as", "member/gemeente-aakermonde"); code == exitOK || !strings.Contains(errs, "Alleen een organisatie") {
		t.Errorf("by a member: %d %s", code, errs)
	}
	if code, _, errs := p.types("function", "show", "fn_x"); code == exitOK || !strings.Contains(errs, "nummer") {
		t.Errorf("nothing: %d %s", code, errs)
	}
	p.says([]string{"function", "schema"}, "urn:paspoort:function:1")
}

// Every word that a document can choose has words for people.
func TestChoicesHaveWords(t *testing.T) {
	for name, c := range map[string]struct {
		texts map[string]paspoort.Text
		list  []string
	}{
		"shifts": {shiftTexts, registry.Shifts()}, "contracts": {contractTexts, registry.Contracts()}, "workplaces": {workplaceTexts, registry.Workplaces()},
		"times": {timeTexts, registry.Times()}, "assessments": {assessmentTexts, registry.AssessmentForms()}, "forms": {formTexts, registry.Forms()}, "starts": {everyTexts, registry.Paces()},
	} {
		for _, w := range c.list {
			if text := c.texts[w]; text.NL == "" || text.EN == "" {
				t.Errorf("%s: %s has no words", name, w)
			}
		}
	}
}

func TestModuleFromTheCommandLine(t *testing.T) {
	p := newPublisher(t)
	file := "../../specs/registry/registrytest/documents/module.json"
	p.says([]string{"module", "check", file}, "in orde", "Helpen bij dagelijkse zorg")
	id := p.publish("module", file)
	p.says([]string{"module", "list", "afdeling"}, "84 uur in 12 weken, € 945,00, elke maand", id)
	p.says([]string{"module", "show", id}, "NLQF 2", "na afloop", "Een diploma is niet nodig.", "Helpende zorg en welzijn", "Opleiding", "€ 945,00")
	p.says([]string{"module", "show", id, "--lang", "en"}, "€ 945.00", "Helping with daily care")
	p.says([]string{"module", "change", id, file, "--yes"}, "Gepubliceerd")
	p.says([]string{"module", "close", id, "--yes", "--reason", "Wordt niet meer gegeven."}, "Gesloten")
	p.says([]string{"module", "schema"}, "urn:paspoort:module:1")
}
