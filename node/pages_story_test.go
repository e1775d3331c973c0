package node

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"paspoort.example/paspoort/internal/page/pagetest"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// steady is randomness that is the same every time.
type steady struct{ n byte }

func (z *steady) Read(p []byte) (int, error) {
	for i := range p {
		z.n += 37
		p[i] = z.n
	}
	return len(p), nil
}

// TestPagesOfAStory shows every page of a region in which each kind of event happened, under
// all rules: no page may break over a fact that the samples do not have.
func TestPagesOfAStory(t *testing.T) {
	p, err := newPages(&Node{founding: region{name: "Regio Aakermonde"}})
	if err != nil {
		t.Fatal(err)
	}
	for rules := 1; rules <= registry.RulesVersion; rules++ {
		r, _ := registrytest.StoryUnder(t, &steady{}, rules)
		if rules >= 3 {
			outsideStory(r)
		}
		s := story{t: t, p: p, v: r.State.View(), now: r.Now}
		s.organisations()
		s.hobbels()
		s.decisions()
		s.listings()
		if s.shown < 30 {
			t.Errorf("rules %d: only %d pages were shown", rules, s.shown)
		}
	}
}

// outsideStory has everything happen that is about who is outside the region.
func outsideStory(r *registrytest.Region) {
	peer := &registry.PeerAcceptance{Genesis: registry.Fingerprint(nil), Name: "Regio Lindewaard", Origin: "lindewaard.example/register", Reason: "zelfde criteria",
		Types: []string{"urn:paspoort:opleiding:1"}, Until: r.Now.AddDate(1, 0, 0).Unix(), URLs: []string{"https://knoop.lindewaard.example"}}
	r.Do(registry.KindPeerAccepted, peer, registrytest.Vakbond, registrytest.Gemeente)
	r.Do(registry.KindWitness, &registry.WitnessChange{Reason: "getuigen voor elkaar", Witnesses: []registry.Witness{{Genesis: peer.Genesis, ID: "lindewaard-1",
		Key: "3b6ahMnyFIXXSLa9xsM5NTAv4g8BBO_Cbn7x9ALEKzk", Name: "lindewaard.example/register/node/knoop-1", URL: "https://knoop.lindewaard.example/witness"}}}, registrytest.Vakbond, registrytest.Gemeente)
	r.Do(registry.KindPeerDropped, &registry.PeerDrop{Genesis: peer.Genesis, Reason: "twee geschiedenissen"}, registrytest.Vakbond, registrytest.Gemeente)
	admit := func(name string) string {
		a := r.Application(name, registry.Issuer)
		a.Criteria = r.State.View().Region(r.Now).Criteria
		return r.AdmitApplication(a)
	}
	lost, by := admit("veer"), admit("bureau")
	r.Do(registry.KindCustodian, &registry.Custodian{Organisation: lost, By: by, Reason: "failliet"}, registrytest.Vakbond, registrytest.Gemeente)
}

type story struct {
	t     *testing.T
	p     *pages
	v     registry.View
	now   time.Time
	shown int
}

func (s *story) show(what string, render func(http.ResponseWriter, *http.Request) error) string {
	s.t.Helper()
	s.shown++
	var last string
	for _, lang := range []string{"nl", "en"} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", lang)
		if err := render(w, r); err != nil {
			s.t.Errorf("%s in %s: %v", what, lang, err)
		}
		for _, fault := range pagetest.Check(w.Body.Bytes()) {
			s.t.Errorf("%s in %s: %s", what, lang, fault)
		}
		last = w.Body.String()
	}
	return last
}

func (s *story) organisations() {
	for _, o := range s.v.Organisations(s.now).Organisations {
		data, err := newOrganisationPage(s.v, o.ID, source{}, s.now)
		if err != nil {
			s.t.Fatal(err)
		}
		s.show(o.ID, func(w http.ResponseWriter, r *http.Request) error { return s.p.organisation.Render(w, r, 200, data) })
		for i, role := range data.Roles {
			standing := o.Roles[i].Standing
			if want := len(standing.Grants) + len(standing.Suspensions) + len(standing.Withdrawals); len(role.Moves) < want {
				s.t.Errorf("%s as %s: got %d moves, want %d or more", o.Name, role.Role, len(role.Moves), want)
			}
		}
	}
}

func (s *story) hobbels() {
	list := s.v.Hobbels(s.now)
	scopes := map[string]bool{"": true}
	for i, h := range list.Hobbels {
		data := newHobbelPage(s.v, list, i, source{}, s.now)
		steps := len(h.History)
		for _, o := range h.Scopes {
			steps += len(o.History)
			scopes[string(o.Kind)+"/"+o.Name] = true
		}
		if len(data.Steps) != steps {
			s.t.Errorf("%s: got %d steps, want %d", h.ID, len(data.Steps), steps)
		}
		s.show(h.ID, func(w http.ResponseWriter, r *http.Request) error { return s.p.hobbel.Render(w, r, 200, data) })
	}
	for scope := range scopes {
		data := hobbelsPage{From: began(s.v.Region(s.now)), To: s.now}
		data.fill(list.Hobbels, scope)
		s.show("hobbels in "+scope, func(w http.ResponseWriter, r *http.Request) error { return s.p.hobbels.Render(w, r, 200, data) })
	}
}

// decisions looks at each proposal as it stands now, as it stood a moment after it was made,
// and long after.
func (s *story) decisions() {
	data := newDecisionsPage(s.v, 1, s.now)
	s.show("decisions", func(w http.ResponseWriter, r *http.Request) error { return s.p.decisions.Render(w, r, 200, data) })
	for _, d := range s.v.Proposals() {
		index, _ := s.v.State.Leaf(d.ID)
		then, err := s.v.State.AsOf(index + 1)
		if err != nil {
			s.t.Fatal(err)
		}
		at := time.Unix(d.Opened, 0)
		for _, v := range []struct {
			registry.View
			at time.Time
		}{{s.v, s.now}, {then, at}, {then, at.AddDate(5, 0, 0)}} {
			progress, err := v.Progress(d.ID, v.at)
			if err != nil {
				s.t.Fatal(err)
			}
			data := newDecisionPage(v.View, progress, v.at)
			view := s.p.decision
			if d.Event.Kind == registry.KindApplied {
				view = s.p.application
				s.applicant(v.View, d, v.at)
			}
			body := s.show(string(d.Event.Kind)+" "+d.ID, func(w http.ResponseWriter, r *http.Request) error { return view.Render(w, r, 200, data) })
			if turned := progress.Status == registry.Enacted && d.Appeal != ""; turned && v.at.Equal(s.now) && !strings.Contains(body, `href="/decisions/`+d.Appeal+`"`) {
				s.t.Errorf("%s: the page does not lead to the appeal that turned it", d.ID)
			}
			for _, vote := range d.Refusals {
				if v.at.Equal(s.now) && !strings.Contains(body, html.EscapeString(vote.Reason)) {
					s.t.Errorf("%s: the page does not say why %s refused", d.ID, vote.Member)
				}
			}
		}
	}
}

// applicant holds that who was never admitted goes by the name it asks for, and is said to; only a
// one-person firm has none.
func (s *story) applicant(v registry.View, d registry.Proposal, at time.Time) {
	var asked registry.Application
	if err := json.Unmarshal(d.Event.Body, &asked); err != nil {
		s.t.Fatal(err)
	}
	data, err := newOrganisationPage(v, asked.Organisation, source{}, at)
	if err != nil {
		s.t.Fatal(err)
	}
	body := s.show(asked.Organisation, func(w http.ResponseWriter, r *http.Request) error { return s.p.organisation.Render(w, r, 200, data) })
	if data.Since.IsZero() && !asked.OnePerson && (!data.Claims || data.Name != asked.Name || len(data.Addresses) != len(asked.Aliases)) {
		s.t.Errorf("%s: got %q (claims %v), want what it asked to be called, %q", asked.Organisation, data.Name, data.Claims, asked.Name)
	}
	if !asked.OnePerson && strings.Contains(body, "One-person firm") {
		s.t.Errorf("%s is called a one-person firm", asked.Organisation)
	}
	who := newNames(v, at)
	if row := who.party(registry.OrganisationParty(asked.Organisation)); row.Name != data.Name || row.Claims != data.Claims {
		s.t.Errorf("%s is %q where it signs, and %q on its page", asked.Organisation, row.Name, data.Name)
	}
}

func (s *story) listings() {
	for _, f := range s.v.Functions(registry.ListingQuery{Closed: true}, s.now).Items {
		data := newFunctionPage(s.v, f, source{}, s.now)
		s.show(f.ID, func(w http.ResponseWriter, r *http.Request) error { return s.p.function.Render(w, r, 200, data) })
	}
	for _, m := range s.v.Modules(registry.ListingQuery{Closed: true}, s.now).Items {
		data := newModulePage(s.v, m, source{}, s.now)
		s.show(m.ID, func(w http.ResponseWriter, r *http.Request) error { return s.p.module.Render(w, r, 200, data) })
	}
}

// TestPagesLeadSomewhere follows every link from the first page: each leads to a page, and
// each place on a page that is linked to is there.
func TestPagesLeadSomewhere(t *testing.T) {
	s := newAPIStage(t, nil)
	s.cluster.publishListings("Zorggroep Linde")
	seen, queue := map[string]bool{"/": true}, []string{"/"}
	pages := 0
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		r := httptest.NewRequest("GET", at, nil)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code == http.StatusSeeOther || w.Code == http.StatusFound {
			continue // to itself in another language, or to the page of what was voted on
		}
		if w.Code != http.StatusOK {
			t.Errorf("%s answers %d", at, w.Code)
			continue
		}
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			continue
		}
		pages++
		links, ids := linksOf(t, w.Body.String())
		for _, link := range links {
			target, fragment, _ := strings.Cut(link, "#")
			if target == "" && fragment != "" && !ids[fragment] {
				t.Errorf("%s links to #%s, which is not on the page", at, fragment)
			}
			if strings.HasPrefix(target, "/") && !seen[target] {
				seen[target] = true
				queue = append(queue, target)
			}
		}
	}
	for _, kind := range []string{"/functions/", "/modules/", "/organisations/", "/applications/", "/decisions/"} {
		found := false
		for at := range seen {
			found = found || strings.HasPrefix(at, kind)
		}
		if !found {
			t.Errorf("no page leads to one below %s", kind)
		}
	}
	if pages < 15 {
		t.Errorf("only %d pages were found", pages)
	}
}

func linksOf(t *testing.T, body string) (links []string, ids map[string]bool) {
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	ids = map[string]bool{}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			switch a.Key {
			case "href", "src", "action":
				links = append(links, a.Val)
			case "id":
				ids[a.Val] = true
			}
		}
	}
	return links, ids
}

// TestPagesSayWhereMembersAreReached: an applicant is told whom to ask, and where.
func TestPagesSayWhereMembersAreReached(t *testing.T) {
	p, err := newPages(&Node{founding: region{name: "Regio Aakermonde"}})
	if err != nil {
		t.Fatal(err)
	}
	r := registrytest.New(t)
	r.Do(registry.KindAmended, &registry.Amendment{Reason: "bereikbaar", Contacts: map[string]string{
		"gemeente-aakermonde": "toelating@gemeente.example", "vakbond-de-eendracht": "https://vakbond.example/toelating",
	}}, registrytest.Vakbond, registrytest.Gemeente)
	a := r.Application("vaart", registry.Issuer)
	asked := r.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	d, err := r.State.View().Progress(asked.Event.ID(), r.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := story{t: t, p: p, v: r.State.View(), now: r.Now}
	body := s.show("application", func(w http.ResponseWriter, q *http.Request) error {
		return p.application.Render(w, q, 200, newDecisionPage(s.v, d, s.now))
	})
	links, _ := linksOf(t, body)
	for _, want := range []string{"mailto:toelating@gemeente.example", "https://vakbond.example/toelating"} {
		if !slices.Contains(links, want) {
			t.Errorf("no link to %s", want)
		}
	}
}

// TestPagesSayWhatIsNotThere: what nobody knows is not found, the id of a vote leads to what
// was voted on, and an application is not shown as any other decision.
func TestPagesSayWhatIsNotThere(t *testing.T) {
	s := newAPIStage(t, nil)
	s.cluster.publishListings("Zorggroep Linde")
	var application, vote string
	n := s.node()
	n.machine.mu.RLock()
	for _, d := range n.machine.state.View().Proposals() {
		if len(d.Approvals) > 0 {
			application, vote = d.ID, d.Approvals[0].Event
		}
	}
	n.machine.mu.RUnlock()
	for _, c := range []struct {
		name, path string
		status     int
		to         string
	}{
		{"application", "/applications/" + application, 200, ""},
		{"application as a decision", "/decisions/" + application, 303, "/applications/" + application},
		{"vote", "/decisions/" + vote, 303, "/applications/" + application},
		{"unknown decision", "/decisions/" + strings.Repeat("0", 64), 404, ""},
		{"not an id", "/applications/x", 404, ""},
		{"unknown organisation", "/organisations/org_zzzzzzzzzzzzzzzzzzzzzzzzzz", 404, ""},
		{"unknown hobbel", "/hobbels/H99", 404, ""},
		{"unknown function", "/functions/fn_zzzzzzzzzzzzzzzzzzzzzzzzzz", 404, ""},
		{"unknown module", "/modules/x", 404, ""},
		{"page that does not exist", "/decisions?page=999", 200, ""},
		{"page that is no number", "/decisions?page=x", 200, ""},
		{"search", "/functions?q=helpende&place=aak", 200, ""},
		{"search in vain", "/modules?q=duiken", 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, httptest.NewRequest("GET", c.path, nil))
			if w.Code != c.status || w.Header().Get("Location") != c.to {
				t.Errorf("got %d to %q, want %d to %q", w.Code, w.Header().Get("Location"), c.status, c.to)
			}
		})
	}
}

// TestHobbelsOnPaper: where the region stands is taken to meetings on one sheet, both sides.
func TestHobbelsOnPaper(t *testing.T) {
	p, err := newPages(&Node{founding: region{name: "Regio Aakermonde"}})
	if err != nil {
		t.Fatal(err)
	}
	if n := pagetest.Sheets(t, p.kit, "hobbels", "some", p.kit.Languages()[0]); n > 2 {
		t.Errorf("got %d pages of A4, want 2 or fewer", n)
	}
}
