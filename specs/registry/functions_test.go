package registry_test

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

const (
	functionID = "fn_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	moduleID   = "mod_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	opleiding  = "urn:paspoort:opleiding:1"
)

// published reads a document of registrytest.
func published[T registry.Document](t testing.TB, name string) T {
	t.Helper()
	raw, err := os.ReadFile("registrytest/documents/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := registry.ParseDocument[T](raw)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestFunctionIsPublishedChangedAndClosedByItsOwner(t *testing.T) {
	r := registrytest.New(t)
	linde := r.Admit("linde", registry.Verifier)
	other := registry.OrganisationParty(r.Admit("ossekamp", registry.Verifier))
	host := r.Admit("paspoorthuis", registry.WalletHost)
	owner := registry.OrganisationParty(linde)
	p := &registry.FunctionPublication{Document: published[registry.FunctionProfile](t, "function"), ID: functionID, Organisation: linde}

	refused := func(what string, want error, kind registry.Kind, body registry.Body, parties ...string) {
		t.Helper()
		before := r.State.Digest()
		if err := r.Try(kind, body, parties...); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
		if r.State.Digest() != before {
			t.Errorf("%s: the state changed", what)
		}
	}
	closing := &registry.Closing{ID: functionID, Organisation: linde, Reason: registry.Text{NL: "De plaatsen zijn vervuld."}}
	hosts := *p
	hosts.Organisation = host
	refused("changed before it was published", registry.ErrUnknown, registry.KindFunctionChanged, p, owner)
	refused("closed before it was published", registry.ErrUnknown, registry.KindFunctionClosed, closing, owner)
	refused("by another", registry.ErrSigner, registry.KindFunction, p, other)
	refused("by a member", registry.ErrSigner, registry.KindFunction, p, vakbond)
	refused("by two", registry.ErrSigner, registry.KindFunction, p, owner, other)
	refused("by a wallet host", registry.ErrNotAdmitted, registry.KindFunction, &hosts, registry.OrganisationParty(host))

	r.Do(registry.KindFunction, p, owner)
	first := r.Now
	refused("published again", registry.ErrTaken, registry.KindFunction, p, owner)
	r.Advance(day)
	changed := *p
	changed.Document.Title.NL = "Helpende in de wijk"
	theirs := changed
	theirs.Organisation = strings.TrimPrefix(other, "organisation/")
	refused("taken over", registry.ErrSigner, registry.KindFunctionChanged, &theirs, other)
	r.Do(registry.KindFunctionChanged, &changed, owner)
	r.Advance(day)
	changing := r.Now
	r.Do(registry.KindSuspended, &registry.Measure{Organisation: linde, Role: registry.Verifier, Reason: "onderzoek"}, opleiders)
	refused("changed while suspended", registry.ErrNotAdmitted, registry.KindFunctionChanged, &changed, owner)
	r.Advance(2 * day)
	if f, _, err := r.State.View().Function(functionID, r.Now); err != nil || f.State != registry.ListingUnlisted {
		t.Errorf("while suspended: %s %v", f.State, err)
	}
	r.Do(registry.KindFunctionClosed, closing, owner) // who is suspended can still stop
	r.Do(registry.KindReinstated, &registry.Measure{Organisation: linde, Role: registry.Verifier, Reason: "niets gevonden"}, opleiders, vakbond)
	refused("changed after it was closed", registry.ErrTransition, registry.KindFunctionChanged, &changed, owner)
	refused("closed twice", registry.ErrTransition, registry.KindFunctionClosed, closing, owner)

	v := r.State.View()
	f, steps, err := v.Function(functionID, r.Now)
	if err != nil || f.State != registry.ListingClosed || f.Version != 2 || f.Reason.NL == "" || f.Document.Title.NL != "Helpende in de wijk" || f.OwnerName != "Organisatie linde" {
		t.Errorf("in the end: %+v %v", f, err)
	}
	kinds := []registry.Kind{registry.KindFunction, registry.KindFunctionChanged, registry.KindFunctionClosed}
	if len(steps) != 3 || !slices.EqualFunc(steps, kinds, func(s registry.ListingStep, k registry.Kind) bool { return s.Kind == k }) {
		t.Errorf("steps %+v", steps)
	}
	if f, steps, err := v.Function(functionID, first); err != nil || f.Version != 1 || f.State != registry.ListingOpen || len(steps) != 1 {
		t.Errorf("on the first day: %+v %v", f, err)
	}
	if f, _, err := v.Function(functionID, changing); err != nil || f.Version != 2 {
		t.Errorf("after the change: %+v %v", f, err)
	}
	if _, _, err := v.Function(functionID, first.Add(-day)); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("before: %v", err)
	}
	if _, _, err := v.Module(functionID, r.Now); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("a function as a module: %v", err)
	}
}

func TestModuleNeedsAnIssuerOfItsCredential(t *testing.T) {
	r := registrytest.New(t)
	a := r.Application("vaart", registry.Issuer)
	a.Types = []string{"urn:paspoort:werkervaring:1"}
	vaart := r.AdmitApplication(a)
	owner := registry.OrganisationParty(vaart)
	p := &registry.ModulePublication{Document: published[registry.Module](t, "module"), ID: moduleID, Organisation: vaart}
	if err := r.Try(registry.KindModule, p, owner); !errors.Is(err, registry.ErrNotAdmitted) {
		t.Errorf("admitted for another type: %v", err)
	}
	r.Admit("linde", registry.Verifier)
	theirs := *p
	theirs.Organisation = registrytest.OrganisationID("linde")
	if err := r.Try(registry.KindModule, &theirs, registry.OrganisationParty(theirs.Organisation)); !errors.Is(err, registry.ErrNotAdmitted) {
		t.Errorf("by a verifier: %v", err)
	}
	a = r.Application("vaart", registry.Issuer)
	r.AdmitApplication(a)
	r.Do(registry.KindModule, p, owner)
	changed := *p
	changed.Document.Hours, changed.Document.Load = 90, nil
	r.Do(registry.KindModuleChanged, &changed, owner)
	if m, _, err := r.State.View().Module(moduleID, r.Now); err != nil || m.State != registry.ListingOpen || m.Document.Hours != 90 {
		t.Errorf("changed: %+v %v", m, err)
	}
	r.Do(registry.KindModuleClosed, &registry.Closing{ID: moduleID, Organisation: vaart, Reason: registry.Text{NL: "Wordt niet meer gegeven."}}, owner)
	if m, steps, err := r.State.View().Module(moduleID, r.Now); err != nil || m.State != registry.ListingClosed || len(steps) != 3 {
		t.Errorf("closed: %+v %v", m, err)
	}
}

// What an organisation published goes over to the one that it went on in.
func TestSuccessorOwnsWhatWasPublished(t *testing.T) {
	r := registrytest.New(t)
	linde, nieuw := r.Admit("linde", registry.Verifier), r.Admit("nieuw", registry.WalletHost)
	old, successor := registry.OrganisationParty(linde), registry.OrganisationParty(nieuw)
	p := &registry.FunctionPublication{Document: published[registry.FunctionProfile](t, "function"), ID: functionID, Organisation: linde}
	r.Do(registry.KindFunction, p, old)
	before := r.Now
	theirs := *p
	theirs.Organisation = nieuw
	if err := r.Try(registry.KindFunctionChanged, &theirs, successor); !errors.Is(err, registry.ErrNotAdmitted) && !errors.Is(err, registry.ErrSigner) {
		t.Errorf("before the succession: %v", err)
	}
	r.Advance(day)
	s := r.Do(registry.KindSucceeded, &registry.Succession{On: r.Now.Unix(), Organisation: linde, Reason: "fusie", Roles: []registry.Role{registry.Verifier}, Successor: nieuw}, successor)
	r.Approve(s.Event.ID(), vakbond, gemeente)
	if f, _, err := r.State.View().Function(functionID, r.Now); err != nil || f.Organisation != nieuw || f.State != registry.ListingOpen || f.OwnerName != "Organisatie nieuw" {
		t.Errorf("after the succession: %+v %v", f.Organisation, err)
	}
	if f, _, err := r.State.View().Function(functionID, before); err != nil || f.Organisation != linde {
		t.Errorf("before it: %+v %v", f.Organisation, err)
	}
	if err := r.Try(registry.KindFunctionChanged, p, old); !errors.Is(err, registry.ErrNotAdmitted) {
		t.Errorf("by the old one: %v", err)
	}
	r.Do(registry.KindFunctionChanged, &theirs, successor)
	r.Do(registry.KindFunctionClosed, &registry.Closing{ID: functionID, Organisation: nieuw, Reason: registry.Text{NL: "vervuld"}}, successor)
	if f, steps, err := r.State.View().Function(functionID, r.Now); err != nil || f.Organisation != nieuw || f.State != registry.ListingClosed || len(steps) != 3 {
		t.Errorf("closed: %+v %v", f, err)
	}
}

// Under rules 1 the kinds have no effect.
func TestFunctionsNeedRules2(t *testing.T) {
	active, without := registry.KindsUnder(1)
	for _, k := range []registry.Kind{registry.KindFunction, registry.KindFunctionChanged, registry.KindFunctionClosed, registry.KindModule, registry.KindModuleChanged, registry.KindModuleClosed} {
		if slices.Contains(active, k) || !slices.Contains(without, k) {
			t.Errorf("%s has effect under rules 1", k)
		}
	}
}

func TestListingsAreFound(t *testing.T) {
	r := registrytest.New(t)
	linde, vaart := r.Admit("linde", registry.Verifier), r.Admit("vaart", registry.Issuer)
	doc := published[registry.FunctionProfile](t, "function")
	publish := func(n string, change func(*registry.FunctionProfile)) {
		d := doc
		change(&d)
		id := "fn_" + strings.Repeat(n, 25) + "a"
		r.Do(registry.KindFunction, &registry.FunctionPublication{Document: d, ID: id, Organisation: linde}, registry.OrganisationParty(linde))
	}
	publish("b", func(d *registry.FunctionProfile) { d.Title.NL = "Zorgmedewerker één dag" })
	publish("c", func(d *registry.FunctionProfile) {
		d.Title, d.Places = registry.Text{NL: "Afdelingshulp"}, []registry.Place{{Name: "Oud-Ossekamp", Postcode: "9871", Region: "AM99"}}
	})
	publish("d", func(d *registry.FunctionProfile) { d.Title.NL, d.Until = "Kok", r.Now.Format(time.DateOnly) })
	m := published[registry.Module](t, "module")
	r.Do(registry.KindModule, &registry.ModulePublication{Document: m, ID: moduleID, Organisation: vaart}, registry.OrganisationParty(vaart))

	v := r.State.View()
	for name, c := range map[string]struct {
		q    registry.ListingQuery
		want string // first letters of the titles
	}{
		"all, by title":       {registry.ListingQuery{}, "AKZ"},
		"words":               {registry.ListingQuery{Text: "EEN Dag"}, "Z"},
		"words of the owner":  {registry.ListingQuery{Text: "organisatie LINDE kok"}, "K"},
		"words of a skill":    {registry.ListingQuery{Text: doc.Essential[0].Label.NL}, "AKZ"},
		"no such word":        {registry.ListingQuery{Text: "kok bestaatniet"}, ""},
		"place by name":       {registry.ListingQuery{Place: "oud-oss"}, "A"},
		"place by postcode":   {registry.ListingQuery{Place: "9871"}, "A"},
		"place by region":     {registry.ListingQuery{Place: "am99"}, "A"},
		"sector":              {registry.ListingQuery{Sector: "Zorg"}, "AKZ"},
		"no such sector":      {registry.ListingQuery{Sector: "zor"}, ""},
		"skill":               {registry.ListingQuery{Skills: []string{doc.Essential[0].URI}}, "AKZ"},
		"skill on the job":    {registry.ListingQuery{Skills: []string{doc.Learned[0].URI}}, "AKZ"},
		"no such skill":       {registry.ListingQuery{Skills: []string{doc.Essential[0].URI, "urn:x:y"}}, ""},
		"of nobody":           {registry.ListingQuery{Owner: vaart}, ""},
		"a page":              {registry.ListingQuery{Limit: 2}, "AK"},
		"the next page":       {registry.ListingQuery{Limit: 2, After: "fn_" + strings.Repeat("d", 25) + "a"}, "Z"},
		"behind what is gone": {registry.ListingQuery{After: "fn_x"}, ""},
	} {
		page := v.Functions(c.q, r.Now)
		var got string
		for _, f := range page.Items {
			got += f.Document.Title.NL[:1]
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if (page.Next != "") != (c.q.Limit > 0 && c.q.After == "") {
			t.Errorf("%s: next is %q", name, page.Next)
		}
	}
	if got := v.Functions(registry.ListingQuery{}, r.Now.Add(day)); got.Total != 2 {
		t.Errorf("the day after the last day of one: %d", got.Total)
	}
	if got := v.Functions(registry.ListingQuery{Closed: true}, r.Now.Add(day)); got.Total != 3 {
		t.Errorf("with those that ended: %d", got.Total)
	}
	if got := v.Modules(registry.ListingQuery{Text: m.Outcomes[0].NL, Skills: []string{m.Skills[0].URI}, Place: m.Places[0].Name}, r.Now); got.Total != 1 {
		t.Errorf("modules: %d", got.Total)
	}
}

// A document says the same after it was read and written, and what is left out or added is
// pointed at.
func TestDocumentsAreRead(t *testing.T) {
	raw, err := os.ReadFile("registrytest/documents/function.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown member":     {`"workplace"`, `"salaris": 1, "workplace"`, "salaris"},
		"unknown member in":  {`"proof_level": 2`, `"proof_level": 2, "levels": 3`, "essential[0].levels"},
		"no proof level":     {`"proof_level": 2`, `"level": "basis"`, "essential[0].proof_level"},
		"no hours":           {`"min": 16, `, ``, "hours.min"},
		"not JSON":           {`{`, `[`, "not a JSON text"},
		"a number in quotes": {`"min": 16`, `"min": "16"`, "does not fit"},
		"another schema":     {`urn:paspoort:function:1`, `urn:paspoort:function:9`, "schema"},
		"a module":           {`urn:paspoort:function:1`, `urn:paspoort:module:1`, "schema"},
	} {
		broken := strings.Replace(string(raw), c.old, c.new, 1)
		if broken == string(raw) {
			t.Errorf("%s: nothing was replaced", name)
		}
		doc, err := registry.ParseDocument[registry.FunctionProfile]([]byte(broken))
		if !errors.Is(err, registry.ErrBody) || !strings.Contains(err.Error(), c.want) || !reflect.ValueOf(doc).IsZero() {
			t.Errorf("%s: %v, want one that names %s", name, err, c.want)
		}
	}
	empty := bytes.Replace(raw, []byte(`"positions": 4`), []byte(`"positions": 0, "preferred": []`), 1)
	empty = bytes.Replace(empty, []byte(`"shifts": ["day", "evening", "weekend"]`), []byte(`"shifts": []`), 1)
	if _, err := registry.ParseDocument[registry.FunctionProfile](empty); err != nil {
		t.Errorf("what is empty may stand there: %v", err)
	}
	doc := published[registry.Module](t, "module")
	again, err := ijson.Canonical(doc)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := registry.ParseDocument[registry.Module](again); err != nil || !reflect.DeepEqual(back, doc) {
		t.Errorf("read again: %v", err)
	}
}

// One owner, without anybody's vote, does not make a row that every node has to carry for ever.
func TestVersionsAreBounded(t *testing.T) {
	r := registrytest.New(t)
	linde := r.Admit("linde", registry.Verifier)
	owner := registry.OrganisationParty(linde)
	p := &registry.FunctionPublication{Document: published[registry.FunctionProfile](t, "function"), ID: functionID, Organisation: linde}
	r.Do(registry.KindFunction, p, owner)
	for range registry.MaxVersions - 1 {
		r.Do(registry.KindFunctionChanged, p, owner)
	}
	if err := r.Try(registry.KindFunctionChanged, p, owner); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("one more: %v", err)
	}
	r.Do(registry.KindFunctionClosed, &registry.Closing{ID: functionID, Organisation: linde, Reason: registry.Text{NL: "Opnieuw gepubliceerd."}}, owner)
}
