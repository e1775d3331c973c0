package desk

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// seat is a region, a desk of one of its members, and a browser at it.
type seat struct {
	t      *testing.T
	region *registrytest.Region
	url    string
	http   *http.Client

	mu    sync.Mutex
	now   time.Time
	links []string
	sent  []string // what the desk asked of the node: method and path
	posts []string // bodies of what it sent
}

func (s *seat) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func sit(t *testing.T, member string) *seat {
	t.Helper()
	r := registrytest.New(t)
	s := &seat{t: t, region: r, now: r.Now}
	inner := r.Handler()
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		q.Body = io.NopCloser(strings.NewReader(string(body)))
		s.mu.Lock()
		s.sent = append(s.sent, q.Method+" "+q.URL.Path)
		if len(body) > 0 {
			s.posts = append(s.posts, string(body))
		}
		s.mu.Unlock()
		inner.ServeHTTP(w, q)
	}))
	t.Cleanup(node.Close)
	client := registry.Client{HTTP: node.Client(), URL: node.URL}
	r.Checkpoint()
	follower, err := evidence.NewFollower(evidence.FollowerConfig{Genesis: r.Genesis(), Sources: []evidence.Source{client}, Clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	d, err := New(Config{Copy: follower, Host: server.Listener.Addr().String(), Clock: s.clock, Member: r.Party(member),
		Region:   &govern.Client{Genesis: r.Genesis(), Nodes: []registry.Client{client}, Clock: s.clock, Patience: 5 * time.Second},
		Announce: func(link string) { s.mu.Lock(); s.links = append(s.links, link); s.mu.Unlock() }})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = d.Handler()
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	s.http = s.browser()
	return s
}

// browser is a new one, without the session of any other.
func (s *seat) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func (s *seat) answer(resp *http.Response, err error) (int, string) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, resp.Request.URL.Path + "\n" + string(body)
}

func (s *seat) get(path string) (int, string) { return s.answer(s.http.Get(s.url + path)) }

func (s *seat) post(path string, fields ...string) (int, string) {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return s.answer(s.http.PostForm(s.url+path, form))
}

// open uses the newest link.
func (s *seat) open() *seat {
	s.t.Helper()
	if status, body := s.answer(s.http.Get(s.links[len(s.links)-1])); status != http.StatusOK || !strings.HasPrefix(body, "/\n") {
		s.t.Fatalf("the link led to %d %.200s", status, body)
	}
	return s
}

func (s *seat) apply(name string) (proposal string) {
	a := s.region.Application(name, registry.Issuer)
	proposal = s.region.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation)).Event.ID()
	s.region.Checkpoint()
	return proposal
}

func (s *seat) sees(body string, want ...string) {
	s.t.Helper()
	for _, w := range want {
		if !strings.Contains(body, w) {
			s.t.Errorf("%q is not on the page\n%s", w, body)
		}
	}
}

// TestOnlyWhoHasTheLink: the desk opens by its link, once, for one browser, on its own name.
func TestOnlyWhoHasTheLink(t *testing.T) {
	s := sit(t, registrytest.Vakbond)
	if _, body := s.get("/"); !strings.HasPrefix(body, "/in\n") || len(s.links) != 1 {
		t.Errorf("without the link: got %.100s, %d links", body, len(s.links))
	}
	if _, body := s.get("/open?code=x"); !strings.HasPrefix(body, "/in\n") {
		t.Errorf("another code: got %.100s", body)
	}
	s.open()
	first := s.http
	s.http = s.browser()
	if _, body := s.answer(s.http.Get(s.links[0])); !strings.HasPrefix(body, "/in\n") || len(s.links) != 2 {
		t.Errorf("a second time: got %.100s, %d links, want a new one", body, len(s.links))
	}
	s.open()
	s.http, first = first, s.http
	if _, body := s.get("/"); !strings.HasPrefix(body, "/in\n") {
		t.Errorf("the first browser is still in: %.100s", body)
	}
	s.http = first
	r, _ := http.NewRequest(http.MethodGet, s.url+"/", nil)
	r.Host = "desk.evil.example"
	if status, _ := s.answer(s.http.Do(r)); status != http.StatusMisdirectedRequest {
		t.Errorf("another host: got %d", status)
	}
	r, _ = http.NewRequest(http.MethodPost, s.url+"/leave", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if status, _ := s.answer(s.http.Do(r)); status != http.StatusForbidden {
		t.Errorf("a form of another site: got %d", status)
	}
	if status, body := s.post("/session/stay", "back", "//evil.example"); status != http.StatusOK || !strings.HasPrefix(body, "/\n") {
		t.Errorf("stay: got %d %.100s", status, body)
	}
	s.mu.Lock()
	s.now = s.now.Add(idle + time.Second)
	s.mu.Unlock()
	if _, body := s.get("/"); !strings.HasPrefix(body, "/in\n") {
		t.Errorf("the session did not end: %.100s", body)
	}
	s.open()
	if _, body := s.post("/leave"); !strings.HasPrefix(body, "/in\n") {
		t.Errorf("leave: got %.100s", body)
	}
	if _, body := s.post("/proposals/x", "decision", "approve"); !strings.HasPrefix(body, "/in\n") {
		t.Errorf("a decision without session: got %.100s", body)
	}
}

// TestDecide: what waits, a refusal that lacks its reason, an approval, and what the page says
// of what the region refuses.
func TestDecide(t *testing.T) {
	s := sit(t, registrytest.Vakbond)
	id := s.apply("vaart")
	s.open()
	_, body := s.get("/")
	s.sees(body, "Vakbond De Eendracht", "1 besluit wacht op u", "Organisatie vaart", "/proposals/"+id)
	_, body = s.get("/proposals/" + id)
	s.sees(body, "https://vaart.example", "criteria-1", "Teken: goedkeuren", "Gemeente Aakermonde")
	for _, wrong := range [][]string{{"decision", "refuse", "reason", " \r\n"}, {"decision", "approve", "reason", strings.Repeat("x", maxReason+1)}, {"reason", "ja"}} {
		if status, _ := s.post("/proposals/"+id, wrong...); status != http.StatusBadRequest {
			t.Errorf("%.40v: got %d", wrong, status)
		}
	}
	if len(s.posts) != 0 {
		t.Errorf("something was sent: %q", s.posts)
	}
	status, body := s.post("/proposals/"+id, "decision", "approve", "reason", "Alles\r\ngezien")
	s.sees(body, "Uw goedkeuring is getekend", "Alles\ngezien")
	if p, err := s.region.State.View().Proposal(id); status != http.StatusOK || err != nil || len(p.Approvals) != 1 || p.Approvals[0].Reason != "Alles\ngezien" {
		t.Errorf("got %d %+v %v", status, p, err)
	}
	status, body = s.post("/proposals/"+id, "decision", "refuse", "reason", "toch niet")
	s.sees(body, "U hebt hierover al besloten")
	if status != http.StatusConflict {
		t.Errorf("twice: got %d", status)
	}
	if status, _ := s.get("/proposals/" + strings.Repeat("a", 64)); status != http.StatusNotFound {
		t.Errorf("unknown: got %d", status)
	}
	sent := len(s.posts)
	if status, _ := s.post("/proposals/"+strings.Repeat("a", 64), "decision", "approve"); status != http.StatusNotFound || len(s.posts) != sent {
		t.Errorf("unknown: got %d, and %d events were signed", status, len(s.posts)-sent)
	}
}

// TestLastVoteEnacts: the vote that completes the threshold is said to.
func TestLastVoteEnacts(t *testing.T) {
	s := sit(t, registrytest.Vakbond)
	id := s.apply("vaart")
	s.region.Approve(id, registrytest.Gemeente)
	s.region.Checkpoint()
	s.open()
	_, body := s.post("/proposals/"+id, "decision", "approve")
	s.sees(body, "het besluit geldt vanaf nu", "besloten")
}

// TestConfirm: a member confirms a step of a hobbel as the second organisation.
func TestConfirm(t *testing.T) {
	s := sit(t, registrytest.Vakbond)
	list := &registry.Catalogue{Version: "voorlopig-0", Hobbels: []registry.Hobbel{{
		ID: "H03", Levels: []string{"bedrijf"}, Title: registry.Text{NL: "Werven op diploma"}, Doorbraak: registry.Text{NL: "Werven op het paspoort"}}}}
	s.region.Do(registry.KindCatalogue, list, registrytest.Gemeente, registrytest.Opleiders)
	claim := &registry.HobbelClaim{Catalogue: "voorlopig-0", Hobbel: "H03", On: s.region.Now.Unix(), Status: registry.Experiment,
		Summary: registry.Text{NL: "Begonnen"}, Evidence: []registry.Evidence{{Title: "Proeftuin Zij-instroom"}}}
	id := s.region.Do(registry.KindHobbel, claim, registrytest.Werkgevers).Event.ID()
	s.region.Checkpoint()
	s.open()
	_, body := s.get("/proposals/" + id)
	s.sees(body, "Proeftuin Zij-instroom", "Teken: bevestigen", "dan besluit u niet meer mee")
	_, body = s.post("/proposals/"+id, "decision", "confirm")
	s.sees(body, "Uw bevestiging is getekend", "U hebt hierin geen stem")
	if p, err := s.region.State.View().Proposal(id); err != nil || p.Confirmed != registrytest.Vakbond {
		t.Errorf("got %q %v", p.Confirmed, err)
	}
}

// TestMeasures: suspend, end it, and what a form must say.
func TestMeasures(t *testing.T) {
	s := sit(t, registrytest.Gemeente)
	org := s.region.Admit("vaart", registry.Issuer)
	s.region.Checkpoint()
	s.open()
	_, body := s.get("/organisations")
	s.sees(body, "Organisatie vaart", "toegelaten")
	path := "/organisations/" + org
	_, body = s.get(path)
	s.sees(body, "Schorsen", "Intrekken wegens fraude", "https://vaart.example")
	for _, wrong := range [][]string{
		{"measure", "suspend", "role", "issuer"}, {"role", "issuer", "reason", "x"}, {"measure", "suspend", "reason", "x"},
		{"measure", "fraud", "role", "issuer", "reason", "x"}, {"measure", "fraud", "role", "issuer", "reason", "x", "since", "2999-01-01"},
	} {
		if status, _ := s.post(path, wrong...); status != http.StatusBadRequest {
			t.Errorf("%v: got %d", wrong, status)
		}
	}
	status, body := s.post(path, "measure", "reinstate", "role", "issuer", "reason", "x")
	if s.sees(body, "Dit volgt niet uit"); status != http.StatusBadRequest || len(s.posts) != 0 {
		t.Errorf("got %d", status)
	}
	_, body = s.post(path, "measure", "suspend", "role", "issuer", "reason", "Onderzoek loopt")
	s.sees(body, "het besluit geldt vanaf nu", "geschorst", "Schorsing opheffen")
	_, body = s.post(path, "measure", "fraud", "role", "issuer", "reason", "Valse bewijzen", "since", "2026-03-01")
	s.sees(body, "Er zijn nog andere leden nodig")
}

// TestNothingElseLeaves: the desk reads the public log and sends signed events, and nothing
// that a person typed besides.
func TestNothingElseLeaves(t *testing.T) {
	s := sit(t, registrytest.Vakbond)
	id := s.apply("vaart")
	s.open()
	s.get("/")
	s.post("/proposals/"+id, "decision", "refuse", "reason", "") // a draft that is not signed
	s.post("/proposals/"+id, "decision", "approve", "reason", "gezien", "note", "alleen voor mij")
	allowed := []string{"GET /v1/checkpoint", "GET /v1/handovers", "GET /v1/leaves", "GET /v1/payloads", "GET /v1/head", "POST /v1/events"}
	for _, request := range s.sent {
		if !slices.Contains(allowed, request) {
			t.Errorf("the desk asked for %s", request)
		}
	}
	if len(s.posts) != 1 || strings.Contains(s.posts[0], "alleen voor mij") {
		t.Fatalf("got %d bodies: %q", len(s.posts), s.posts)
	}
	if _, err := registry.ParseSubmission([]byte(s.posts[0])); err != nil {
		t.Errorf("what left is no signed event: %v", err)
	}
}

// TestEveryProblemHasASentence, in both languages.
func TestEveryProblemHasASentence(t *testing.T) {
	d := &Desk{}
	if err := d.views(); err != nil {
		t.Fatal(err)
	}
	keys := []string{"choice", "reason", "long", "since", "other"}
	for _, p := range problems {
		keys = append(keys, p.key)
	}
	for _, lang := range d.kit.Languages() {
		for _, key := range keys {
			if len(d.kit.Texts(lang)["desk.problem."+key]) == 0 {
				t.Errorf("%s: no sentence for %s", lang, key)
			}
		}
		for _, done := range []string{"approved", "refused", "confirmed", "enacted", "proposed"} {
			if len(d.kit.Texts(lang)["notice."+done]) == 0 {
				t.Errorf("%s: no sentence for %s", lang, done)
			}
		}
	}
}
