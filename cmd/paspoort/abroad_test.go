package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/node"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// abroad is where other regions are, whose nodes say what the test prepared. The region that
// accepted them is real.
type abroad struct {
	t      *testing.T
	home   *region
	url    string
	client *outbound.Client
	holder *jose.PrivateKey
	known  map[string]string // an organisation of each region, by the id of the region

	mu   sync.Mutex
	logs map[string]registry.Log // what a node answers, by the first part of the path; nil answers nothing
}

func newAbroad(t *testing.T, home *region) *abroad {
	t.Helper()
	a := &abroad{t: t, home: home, known: map[string]string{}, logs: map[string]registry.Log{}}
	cert, err := tls.LoadX509KeyPair(filepath.Join(home.dir, "tls/localhost.pem"), filepath.Join(home.dir, "tls/localhost.key"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(a)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}
	server.StartTLS()
	t.Cleanup(server.Close)
	a.url = "https://localhost" + server.URL[strings.LastIndexByte(server.URL, ':'):]
	policy, err := outbound.Settings{CAFile: home.ready.CAFile, AllowPrivate: thisComputer}.Policy()
	if err != nil {
		t.Fatal(err)
	}
	a.client = outbound.New(policy)
	if a.holder, err = jose.Generate(jose.ES256); err != nil {
		t.Fatal(err)
	}
	return a
}

// ServeHTTP answers as the node does that the path begins with.
func (a *abroad) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	a.mu.Lock()
	log := a.logs[name]
	a.mu.Unlock()
	if log == nil {
		panic(http.ErrAbortHandler) // the line goes dead, as with a node that is gone
	}
	http.StripPrefix("/"+name, registry.NewServer(registry.ServerConfig{Log: log, Now: time.Now})).ServeHTTP(w, r)
}

// says lets a region's nodes answer with logs, the last one for all that follow.
func (a *abroad) says(name string, logs ...registry.Log) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range 3 {
		a.logs[fmt.Sprintf("%s-%d", name, i+1)] = logs[min(i, len(logs)-1)]
	}
}

// found founds a region of three nodes that answer here.
func (a *abroad) found(name string, change ...func(*registry.Charter)) *evidencetest.Region {
	a.t.Helper()
	at := func(c *registry.Charter) {
		for i := range c.Nodes {
			c.Nodes[i].URL = fmt.Sprintf("%s/%s-%d", a.url, name, i+1)
		}
	}
	r := evidencetest.Named(a.t, time.Now, "Regio "+strings.ToUpper(name[:1])+name[1:], name+".example", append(change, at)...)
	a.says(name, r)
	return r
}

// decide brings what two members of the home region decide into its log.
func (a *abroad) decide(kind registry.Kind, body registry.Body) {
	a.t.Helper()
	c := govern.Client{Genesis: a.home.ready.Regions[0].Genesis, Clock: time.Now}
	for _, n := range a.home.ready.Regions[0].Nodes {
		c.Nodes = append(c.Nodes, registry.Client{HTTP: a.client, URL: n.URL})
	}
	var parties []registry.Party
	for _, id := range []string{"vakbond-het-anker", "gemeente-aakermonde"} {
		key, err := keyfile.Load(filepath.Join(a.home.dir, "members", id+".key"), nil)
		if err != nil {
			a.t.Fatal(err)
		}
		parties = append(parties, registry.Party{Name: registry.MemberParty(id), Key: key})
	}
	if _, err := c.Submit(a.t.Context(), govern.Act{Kind: kind, Body: body}, parties...); err != nil {
		a.t.Fatal(err)
	}
}

// accept has the home region rely on another one until a moment.
func (a *abroad) accept(r *evidencetest.Region, until time.Time) {
	a.t.Helper()
	p := &registry.PeerAcceptance{Genesis: r.Genesis, Name: r.Charter.Name, Origin: r.Charter.Origin, Reason: "zij werken zoals wij", Until: until.Unix()}
	for _, n := range r.Charter.Nodes {
		p.URLs = append(p.URLs, n.URL)
	}
	a.decide(registry.KindPeerAccepted, p)
}

// shown waits until every node of the home region says so of another one, and its pages about that
// region and an organisation there say it in words, by the keys of these.
func (a *abroad) shown(genesis string, so func(node.Mirror) bool, keys ...string) (m node.Mirror) {
	a.t.Helper()
	words := catalogs(a.t, "node/catalogs/regions.*.json")["nl"]
	for _, n := range a.home.ready.Regions[0].Nodes {
		until(a.t, time.Minute, fmt.Sprintf("%s says of region %.8s as it should; last %+v", n.URL, genesis, m), func() bool {
			var list struct{ Regions []node.Mirror }
			if err := json.Unmarshal(a.get(n.URL+"/v1/regions"), &list); err != nil {
				a.t.Fatal(err)
			}
			m = node.Mirror{} // not as another node said it
			for _, one := range list.Regions {
				if one.Genesis == genesis {
					m = one
				}
			}
			return m.Genesis == genesis && so(m)
		})
		page := string(a.get(n.URL + "/regions/" + genesis))
		if id := a.known[genesis]; id != "" {
			page += string(a.get(n.URL + "/regions/" + genesis + "/organisations/" + id))
		}
		for _, key := range keys {
			want, _, _ := strings.Cut(words[key], "{") // what it is called comes after
			if want == "" || !strings.Contains(page, html.EscapeString(want)) {
				a.t.Errorf("%s does not say %q on its pages about %s", n.URL, cmp.Or(want, key), m.Name)
			}
		}
	}
	return m
}

// healthy waits until the region is in this health everywhere.
func (a *abroad) healthy(r *evidencetest.Region, health string, keys ...string) node.Mirror {
	a.t.Helper()
	return a.shown(r.Genesis, func(m node.Mirror) bool { return m.Health == health && m.Leaves > 0 }, keys...)
}

func (a *abroad) get(url string) []byte {
	a.t.Helper()
	body, _, err := a.client.Get(a.t.Context(), url)
	if err != nil {
		a.t.Fatalf("%s: %v", url, err)
	}
	return body
}

// judged holds what a node of the home region says of an issuer abroad against a code and, in the
// note about the registry, words.
func (a *abroad) judged(credential, code string, words ...string) {
	a.t.Helper()
	body, err := json.Marshal(map[string]any{"presentation": []string{credential}, "asked": []string{skillCare}})
	if err != nil {
		a.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.home.ready.Regions[0].Nodes[1].URL+"/v1/verify", bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := a.client.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	var v paspoort.Verdict
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil || len(v.Credentials) != 1 || v.Registry == nil {
		a.t.Fatalf("the verdict: %v\n%s", err, raw)
	}
	said := v.Registry.Note.NL
	for _, c := range v.Credentials[0].Checks {
		if c.Name == paspoort.CheckIssuerAdmitted {
			said += " " + c.Sentence.NL
			if c.Code != code {
				a.t.Errorf("%s: admission is %s (%s), want %s", v.Registry.Name, c.State, c.Code, code)
			}
		}
	}
	for _, want := range words {
		if !strings.Contains(said, want) {
			a.t.Errorf("%s: %q is not said: %s", v.Registry.Name, want, said)
		}
	}
}

// liar gives leaves that are not what was signed.
type liar struct{ *evidencetest.Region }

func (l liar) Leaves(ctx context.Context, from, to uint64) ([][]byte, error) {
	leaves, err := l.Region.Leaves(ctx, from, to)
	for i := range leaves {
		leaves[i] = bytes.Replace(leaves[i], []byte("Linde"), []byte("Linda"), 1)
	}
	return leaves, err
}

// neighbours has a running region rely on others in which everything goes wrong that can, and
// reads what people see of it. What it gives looks whether that is remembered after a restart.
func neighbours(t *testing.T, home *region) (remembered func(*region)) {
	t.Helper()
	a := newAbroad(t, home)
	a.shown(home.ready.Neighbours[0].Genesis, func(m node.Mirror) bool { return m.Health == "ok" && m.Trust == string(paspoort.Witnessed) }, "node.regions.witnessed")
	year := time.Now().AddDate(1, 0, 0)
	regions, issuers := map[string]*evidencetest.Region{}, map[string]*evidencetest.Issuer{}
	for _, name := range []string{"kreek", "duin", "veen", "terp", "heide", "polder", "rietland"} {
		regions[name] = a.found(name)
		if name == "polder" {
			issuers[name] = regions[name].Freelancer(name+".example", paspoort.Opleiding)
		} else {
			issuers[name] = regions[name].Issuer(name+".example", paspoort.Opleiding)
		}
		a.known[regions[name].Genesis] = issuers[name].ID
		a.accept(regions[name], year)
	}
	credentials := map[string]string{}
	for name, i := range issuers {
		a.healthy(regions[name], "ok", "node.regions.health.ok", "node.regions.counts.accepted")
		credentials[name] = i.Issue(paspoort.Opleiding, a.holder.Public()).String()
		a.judged(credentials[name], "admitted", "Regio Aakermonde vertrouwt op het register van "+regions[name].Charter.Name)
	}
	newcomer := registry.Application{Role: registry.WalletHost, Name: "Zorggroep Linde"}

	a.says("kreek", nil) // down
	regions["duin"].Admit(newcomer)
	a.says("duin", liar{regions["duin"]}) // lies
	other := regions["veen"].Fork()
	regions["veen"].Admit(newcomer)
	other.Admit(registry.Application{Role: registry.WalletHost, Name: "Zorggroep Eik"})
	a.says("veen", regions["veen"], other) // two histories
	regions["terp"].NewerRules()
	regions["heide"].BreakRules()
	foreign := fmt.Sprintf("%s/regions/%s/organisations/%s", home.ready.Regions[0].Nodes[2].URL, regions["polder"].Genesis, issuers["polder"].ID)
	if !bytes.Contains(a.get(foreign), []byte("Trainingen polder.example")) {
		t.Error("control: the name of the one-person firm is not shown before it is erased")
	}
	regions["polder"].Erase()

	a.healthy(regions["kreek"], evidence.RegionDown, "node.regions.health.region_down")
	a.judged(credentials["kreek"], "admitted")
	a.healthy(regions["duin"], evidence.RegionLies, "node.regions.health.region_lies")
	a.judged(credentials["duin"], "admitted")
	a.healthy(regions["veen"], paspoort.DoubtForked, "node.regions.health.region_forked", "node.regions.fork", "node.regions.counts.halted")
	a.judged(credentials["veen"], paspoort.DoubtForked, "Regio Veen heeft twee verschillende registers ondertekend. Welk register klopt, is niet te zien.")
	a.healthy(regions["terp"], paspoort.DoubtNewer, "node.regions.health.region_newer_rules")
	a.judged(credentials["terp"], "admitted", "Regio Terp werkt met nieuwere regels dan dit programma kent.")
	a.healthy(regions["heide"], paspoort.DoubtFrozen, "node.regions.health.region_frozen")
	a.judged(credentials["heide"], paspoort.DoubtFrozen, "Wij volgen het niet verder.")
	until(t, time.Minute, "the mirror erases what the region erased", func() bool {
		page := a.get(foreign)
		return bytes.Contains(page, []byte("Naam gewist, volgens de wet")) && !bytes.Contains(page, []byte("Trainingen"))
	})
	a.judged(credentials["polder"], "perhaps_erased") // what named it is gone

	for _, n := range home.ready.Regions[0].Nodes {
		var fork evidence.Fork
		if err := json.Unmarshal(a.get(n.URL+"/regions/"+regions["veen"].Genesis+"/fork"), &fork); err != nil || fork.Check() != nil {
			t.Errorf("%s keeps no proof of two histories: %v, %v", n.URL, err, fork.Check())
		}
	}
	a.ends(regions["duin"], credentials["duin"])
	a.goesOn(regions["rietland"], credentials["rietland"])
	return func(again *region) {
		a.home = again
		a.healthy(regions["veen"], paspoort.DoubtForked, "node.regions.fork")
		a.healthy(regions["terp"], paspoort.DoubtNewer)
		a.healthy(regions["heide"], paspoort.DoubtFrozen)
		a.healthy(regions["kreek"], evidence.RegionDown)
		a.judged(credentials["kreek"], "admitted")
	}
}

// ends: an acceptance that runs out.
func (a *abroad) ends(r *evidencetest.Region, credential string) {
	a.t.Helper()
	a.says("duin", r)
	a.healthy(r, "ok")
	a.accept(r, time.Now().Add(3*time.Second))
	a.shown(r.Genesis, func(m node.Mirror) bool { return m.State == registry.PeerEnded && !m.Relied }, "node.regions.state.ended", "node.regions.counts.ended")
	a.judged(credential, "region_ended_day_unknown", "Regio Aakermonde vertrouwde op het register van Regio Duin tot", "De afspraak is voorbij.")
}

// goesOn: a region stops, and another one goes on for it under a new id. Members type what they
// decide about that.
func (a *abroad) goesOn(old *evidencetest.Region, credential string) {
	a.t.Helper()
	root, size := old.Root()
	next := a.found("rietkraag", func(c *registry.Charter) {
		c.Continues = &registry.Continuation{Genesis: old.Genesis, Root: root, Size: size}
	})
	a.says("rietland", nil)
	member := func(id string, words ...string) string {
		a.t.Helper()
		code, out, errs := play(a.t, append(words, "--config", filepath.Join(a.home.dir, "members", id+".json"), "--yes", "--json")...)
		if code != exitOK {
			a.t.Fatalf("%v: exit code %d\n%s%s", words, code, out, errs)
		}
		return out
	}
	var asked struct{ Outcome struct{ Event string } }
	out := member("vakbond-het-anker", "node", "peer", "accept", next.Charter.Nodes[0].URL, "--genesis", next.Genesis, "--reason", "zij gaan verder")
	if err := json.Unmarshal([]byte(out), &asked); err != nil {
		a.t.Fatal(err)
	}
	member("gemeente-aakermonde", "registry", "approve", asked.Outcome.Event)
	a.healthy(next, "ok")
	a.shown(old.Genesis, func(m node.Mirror) bool { return m.ContinuedBy == next.Genesis }, "node.regions.continued")
	a.judged(credential, "admitted")
}
