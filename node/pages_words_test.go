package node

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// dutch is a page as somebody reads it.
func dutch(t *testing.T, render func(http.ResponseWriter, *http.Request) error) string {
	t.Helper()
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Language", "nl")
	if err := render(w, r); err != nil {
		t.Fatal(err)
	}
	return w.Body.String()
}

// Numbers begin at 0: with 33 leaves under it, a checkpoint covers up to number 32.
func TestPagesCountFromZero(t *testing.T) {
	p, err := newPages(&Node{founding: region{name: "Regio Aakermonde"}})
	if err != nil {
		t.Fatal(err)
	}
	data := logPage{Status: Status{Leaves: 33, Checkpoint: &CheckpointState{Size: 33}}}
	body := dutch(t, func(w http.ResponseWriter, r *http.Request) error { return p.log.Render(w, r, 200, data) })
	if !strings.Contains(body, "tot en met nummer 32,") {
		t.Error("the page does not say that number 32 is the last that is covered")
	}
}

// What happened before the region wrote anything down counts from its own day, in a sector as
// well; and what is open everywhere is not listed again.
func TestHobbelsCountFromTheirDay(t *testing.T) {
	began := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	on := began.AddDate(0, 0, -25)
	sector := registry.Scope{Kind: registry.ScopeSector, Name: "zorg"}
	step := registry.HobbelFact{Since: began.Unix(), HobbelClaim: registry.HobbelClaim{Status: registry.Experiment, On: on.Unix(), Scope: &sector}}
	moved := registry.HobbelView{Hobbel: registry.Hobbel{ID: "H01"}, Status: registry.Open,
		Scopes: []registry.HobbelScope{{Scope: sector, Status: registry.Experiment, History: []registry.HobbelFact{step}}}}
	from := beganWith(registry.Region{CharterRecord: registry.CharterRecord{From: began.Unix()}}, moved)
	if row := newHobbelRow(inScope(moved, scopeRow{Kind: sector.Kind, Name: sector.Name}), from, began); !row.Since.Equal(on) {
		t.Errorf("it counts since %v, want %v", row.Since, on)
	}
	data := hobbelsPage{From: began, To: began}
	data.fill([]registry.HobbelView{moved, {Hobbel: registry.Hobbel{ID: "H02"}, Status: registry.Open}}, "")
	if len(data.Table) != 1 || data.Table[0].ID != "H01" || data.StillOpen != 1 {
		t.Errorf("got %d lines and %d that are open, want H01 and one", len(data.Table), data.StillOpen)
	}
}

// A module does not promise what its provider did not say.
func TestModulePromisesNothingOfItsOwn(t *testing.T) {
	p, err := newPages(&Node{founding: region{name: "Regio Aakermonde"}})
	if err != nil {
		t.Fatal(err)
	}
	data := moduleSamples()[0].Data
	data.Document.Entry = registry.Entry{}
	data.Document.Load = &registry.Load{Contact: 12, SelfStudy: 1}
	data.Entry, data.EntryTypes, data.EntryModules = nil, nil, nil
	body := dutch(t, func(w http.ResponseWriter, r *http.Request) error { return p.module.Render(w, r, 200, data) })
	if !strings.Contains(body, "De opleider zegt hier niets over.") || !strings.Contains(body, "12 uur met een docent, 1 uur zelf<") {
		t.Error("the page does not say what was said, and no more")
	}
}

// A decision that does not exist leads to the decisions that do.
func TestUnknownDecisionLeadsToTheList(t *testing.T) {
	s := newAPIStage(t, nil)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, httptest.NewRequest("GET", "/applications/"+strings.Repeat("0", 64), nil))
	if body := w.Body.String(); w.Code != http.StatusNotFound || !strings.Contains(body, `href="/decisions">Bekijk het overzicht`) && !strings.Contains(body, `href="/decisions">See the whole list`) {
		t.Errorf("got %d and no link to all decisions", w.Code)
	}
}

// An admission that an appeal turned does not claim that the members agreed at once.
func TestAdmissionTurnedByAnAppeal(t *testing.T) {
	r := registrytest.New(t)
	a := r.Application("vaart", registry.Issuer)
	self := registry.OrganisationParty(a.Organisation)
	id := r.Do(registry.KindApplied, a, self).Event.ID()
	for _, m := range []string{registrytest.Werkgevers, registrytest.Opleiders} {
		r.Do(registry.KindRefused, &registry.Decision{Proposal: id, Voter: m, Reason: "geen toetsplan"}, m)
	}
	appeal := r.Do(registry.KindAppealed, &registry.Appeal{Organisation: a.Organisation, Proposal: id, Reason: "het is er nu"}, self).Event.ID()
	r.Approve(appeal, registrytest.Vakbond, registrytest.Gemeente)
	v := r.State.View()
	progress, err := v.Progress(id, r.Now)
	if err != nil || progress.Status != registry.Enacted {
		t.Fatalf("%s: %v", progress.Status, err)
	}
	p, err := newPages(&Node{founding: region{name: "Regio Aakermonde"}})
	if err != nil {
		t.Fatal(err)
	}
	data := newDecisionPage(v, progress, r.Now)
	body := dutch(t, func(w http.ResponseWriter, r *http.Request) error { return p.application.Render(w, r, 200, data) })
	if !strings.Contains(body, `href="/decisions/`+appeal+`"`) || strings.Contains(body, "Genoeg leden uit genoeg groepen") {
		t.Error("the page does not say that an appeal turned it")
	}
}
