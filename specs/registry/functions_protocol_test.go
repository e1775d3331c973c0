package registry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

func TestListingsOverHTTP(t *testing.T) {
	r := registrytest.New(t)
	linde, vaart := r.Admit("linde", registry.Verifier), r.Admit("vaart", registry.Issuer)
	f := &registry.FunctionPublication{Document: published[registry.FunctionProfile](t, "function"), ID: functionID, Organisation: linde}
	r.Do(registry.KindFunction, f, registry.OrganisationParty(linde))
	m := &registry.ModulePublication{Document: published[registry.Module](t, "module"), ID: moduleID, Organisation: vaart}
	r.Do(registry.KindModule, m, registry.OrganisationParty(vaart))
	ts := httptest.NewServer(r.Handler())
	defer ts.Close()
	c := registry.Client{HTTP: ts.Client(), URL: ts.URL}
	ctx := context.Background()

	list, err := c.Functions(ctx, registry.ListingQuery{Text: "wijk", Place: "aaker", Skills: []string{f.Document.Essential[0].URI}, Sector: "zorg", Owner: linde, Closed: true, Limit: 5}, registry.When{})
	if err != nil || list.Total != 1 || !reflect.DeepEqual(list.Items[0].Document, f.Document) || list.Read.Node == "" || list.AsOf == 0 {
		t.Errorf("functions: %+v %v", list, err)
	}
	if none, err := c.Functions(ctx, registry.ListingQuery{Text: "lasser"}, registry.When{}); err != nil || none.Total != 0 || none.Items == nil {
		t.Errorf("no such function: %+v %v", none, err)
	}
	mods, err := c.Modules(ctx, registry.ListingQuery{}, registry.When{})
	if err != nil || mods.Total != 1 || !reflect.DeepEqual(mods.Items[0].Document, m.Document) {
		t.Errorf("modules: %+v %v", mods, err)
	}
	one, err := c.Function(ctx, functionID, registry.When{})
	if err != nil || one.ID != functionID || one.State != registry.ListingOpen || len(one.Steps) != 1 || one.OwnerName == "" {
		t.Errorf("function: %+v %v", one, err)
	}
	module, err := c.Module(ctx, moduleID, registry.When{})
	if err != nil || module.ID != moduleID || len(module.Steps) != 1 {
		t.Errorf("module: %+v %v", module, err)
	}
	if _, err := c.Module(ctx, functionID, registry.When{}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("no such module: %v", err)
	}
	if _, err := c.Function(ctx, functionID, registry.When{AsOf: 1}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("before it was known: %v", err)
	}
	for _, bad := range []string{"limit=0", "limit=201", "limit=x", "closed=maybe", "q=" + strings.Repeat("x", 201), "skill=a" + strings.Repeat("&skill=a", 16), "at=x"} {
		res, err := http.Get(ts.URL + "/v1/functions?" + bad)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("%.20s: status %d", bad, res.StatusCode)
		}
	}
	for name, want := range map[string][]byte{"function": registry.FunctionJSONSchema(), "module": registry.ModuleJSONSchema()} {
		res, err := http.Get(ts.URL + "/v1/schemas/" + name)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.Header.Get("Content-Type") != "application/schema+json" || res.ContentLength != int64(len(want)) {
			t.Errorf("schema %s: %v", name, res.Header)
		}
	}
}

// The whole list comes in parts as of one moment, whatever is published in between.
func TestWholeListIsOfOneMoment(t *testing.T) {
	r := registrytest.New(t)
	linde := r.Admit("linde", registry.Verifier)
	owner := registry.OrganisationParty(linde)
	doc := published[registry.FunctionProfile](t, "function")
	publish := func() {
		seed := sha256.Sum256([]byte(doc.Title.NL))
		id, err := registry.NewFunctionID(bytes.NewReader(seed[:]))
		if err != nil {
			t.Fatal(err)
		}
		r.Do(registry.KindFunction, &registry.FunctionPublication{Document: doc, ID: id, Organisation: linde}, owner)
	}
	const n = 203
	for i := range n {
		doc.Title.NL = "Functie " + strings.Repeat("i", i+1)
		if len(doc.Title.NL) > 120 {
			doc.Title.NL = "Functie " + strings.Repeat("j", i-100)
		}
		publish()
	}
	handler, pages := r.Handler(), 0
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if pages++; pages == 2 { // between two parts somebody publishes
			doc.Title.NL = "Zaakwaarnemer"
			publish()
		}
		handler.ServeHTTP(w, q)
	}))
	defer ts.Close()
	c := registry.Client{HTTP: ts.Client(), URL: ts.URL}
	all, moment, err := c.AllFunctions(context.Background(), registry.When{})
	if err != nil || len(all) != n || pages != 2 || moment.AsOf != r.State.Size()-1 {
		t.Errorf("%d of %d in %d parts, as of %d of %d: %v", len(all), n, pages, moment.AsOf, r.State.Size(), err)
	}
	if all, _, err := c.AllModules(context.Background(), registry.When{}); err != nil || len(all) != 0 {
		t.Errorf("modules: %d %v", len(all), err)
	}
	// A node that never comes to an end is left.
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"at":"2026-01-01T00:00:00Z","asof":1,"genesis":"","items":[],"total":1,"next":"x","read":{}}`))
	}))
	defer endless.Close()
	if _, _, err := (registry.Client{HTTP: endless.Client(), URL: endless.URL}).AllModules(context.Background(), registry.When{}); !errors.Is(err, registry.ErrResponse) {
		t.Errorf("endless: %v", err)
	}
}
