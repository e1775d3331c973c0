package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// apiStage is a founded region of one node, with three leaves under a checkpoint, and the
// document that describes its API.
type apiStage struct {
	t       *testing.T
	cluster *cluster
	handler http.Handler
	doc     map[string]any
	schemas *jsonschema.Compiler
	log     *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newAPIStage(t *testing.T, tune func(*Config)) *apiStage {
	s := &apiStage{t: t, log: &lockedBuffer{}}
	s.cluster = newClusterWith(t, 1, func(c *Config) {
		c.CheckpointInterval = 5 * time.Millisecond
		c.Log = slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		if tune != nil {
			tune(c)
		}
	})
	t.Cleanup(s.cluster.close)
	s.cluster.leader()
	s.cluster.mustSubmit("knoop-1", "Zorggroep Linde")
	s.cluster.mustSubmit("knoop-1", "Machinefabriek Ossekamp")
	n := s.node()
	eventually(t, "a checkpoint covers the log", func() bool { return n.covered() == 3 })
	var err error
	if s.handler, err = n.Handler(); err != nil {
		t.Fatal(err)
	}
	s.readDocument()
	return s
}

func (s *apiStage) node() *Node { return s.cluster.get("knoop-1") }

func (s *apiStage) readDocument() {
	var loose any
	if err := yaml.Unmarshal(openAPI, &loose); err != nil {
		s.t.Fatal(err)
	}
	raw, err := json.Marshal(loose)
	if err != nil {
		s.t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	s.doc = doc.(map[string]any)
	s.schemas = jsonschema.NewCompiler()
	s.schemas.DefaultDraft(jsonschema.Draft2020)
	if err := s.schemas.AddResource("mem:///openapi.json", doc); err != nil {
		s.t.Fatal(err)
	}
}

func (s *apiStage) call(method, target, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	s.holds(method, target, w)
	return w
}

// holds checks an answer against the document: the operation, the status, the media type
// and, for JSON, the schema.
func (s *apiStage) holds(method, target string, w *httptest.ResponseRecorder) {
	s.t.Helper()
	pattern := s.describedPath(target)
	if pattern == "" {
		return
	}
	operation, ok := s.doc["paths"].(map[string]any)[pattern].(map[string]any)[strings.ToLower(method)].(map[string]any)
	if !ok {
		if w.Code != http.StatusMethodNotAllowed {
			s.t.Errorf("%s %s is not described and answers %d", method, pattern, w.Code)
		}
		return
	}
	at := []string{"paths", pattern, strings.ToLower(method), "responses", fmt.Sprint(w.Code)}
	response, ok := operation["responses"].(map[string]any)[fmt.Sprint(w.Code)].(map[string]any)
	if !ok {
		s.t.Errorf("%s %s answers %d, which is not described: %s", method, target, w.Code, w.Body)
		return
	}
	if _, ref := response["$ref"]; ref {
		at = []string{"components", "responses", "Refused"}
		response = s.doc["components"].(map[string]any)["responses"].(map[string]any)["Refused"].(map[string]any)
	}
	media, _, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if _, ok := response["content"].(map[string]any)[media]; !ok || err != nil {
		s.t.Errorf("%s %s answers %d as %q, which is not described", method, target, w.Code, media)
		return
	}
	if media == "application/json" {
		s.valid(append(at, "content", media, "schema"), w.Body.Bytes())
	}
}

func (s *apiStage) valid(at []string, body []byte) {
	s.t.Helper()
	for i, part := range at {
		at[i] = url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(part))
	}
	schema, err := s.schemas.Compile("mem:///openapi.json#/" + strings.Join(at, "/"))
	if err != nil {
		s.t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		s.t.Errorf("not JSON: %s", body)
		return
	}
	if err := schema.Validate(v); err != nil {
		s.t.Errorf("%s: %v\n%s", strings.Join(at, "/"), err, body)
	}
}

// describedPath finds the path of the document that a target belongs to.
func (s *apiStage) describedPath(target string) string {
	path, _, _ := strings.Cut(target, "?")
	if strings.HasPrefix(path, "/tile/") {
		return "/tile/{path}"
	}
	parts := strings.Split(path, "/")
	best := ""
	for pattern := range s.doc["paths"].(map[string]any) {
		want := strings.Split(pattern, "/")
		same := len(want) == len(parts)
		for i := 0; same && i < len(parts); i++ {
			same = want[i] == parts[i] || strings.HasPrefix(want[i], "{")
		}
		if same && (best == "" || strings.Count(pattern, "{") < strings.Count(best, "{")) {
			best = pattern
		}
	}
	return best
}

func TestAPIAnswersAsDescribed(t *testing.T) {
	s := newAPIStage(t, nil)
	event := s.cluster.application("Opleidingshuis De Vaart", time.Now())
	raw, err := event.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	known := s.cluster.application("Opleidingshuis De Vaart", time.Now()).Event.Subject
	id := strings.TrimPrefix(known, "organisation/")
	s.cluster.publishListings("Zorggroep Linde")
	called := map[string]bool{}
	for _, c := range []struct {
		method, target, contentType, body string
	}{
		{"GET", "/checkpoint", "", ""}, {"GET", "/v1/checkpoint", "", ""}, {"GET", "/tile/0/000.p/3", "", ""}, {"GET", "/tile/entries/000.p/2", "", ""},
		{"GET", "/v1/status", "", ""}, {"GET", "/v1/proof/2", "", ""}, {"GET", "/v1/policy", "", ""}, {"GET", "/v1/cosigned?cosigner=elsewhere", "", ""}, {"GET", "/v1/types/opleiding/1", "", ""},
		{"POST", "/v1/events", "application/json", string(raw)}, {"GET", "/v1/events/" + event.Event.ID(), "", ""},
		{"GET", "/v1/organisations", "", ""}, {"GET", "/v1/organisations?at=2026-03-02&asof=2&consistency=linearizable", "", ""},
		{"GET", "/v1/organisations/" + id, "", ""}, {"GET", "/v1/admission?role=verifier&organisation=" + id, "", ""}, {"GET", "/v1/hobbels", "", ""},
		{"GET", "/v1/region", "", ""}, {"GET", "/v1/proposals", "", ""}, {"GET", "/v1/head?subject=region", "", ""}, {"GET", "/v1/snapshot", "", ""},
		{"GET", "/v1/functions?q=wijk&place=aakermonde&skill=https://linkeddata.competentnl.nl/id/humancapability/DB59A57C01&sector=zorg&limit=5", "", ""},
		{"GET", "/v1/functions/" + sampleFunction, "", ""}, {"GET", "/v1/modules?closed=true", "", ""}, {"GET", "/v1/modules/" + sampleModule, "", ""},
		{"GET", "/v1/proposals/" + event.Event.ID(), "", ""}, {"GET", "/v1/ending?within=30", "", ""},
		{"GET", "/v1/peers", "", ""}, {"GET", "/v1/witnesses", "", ""}, {"GET", "/v1/custodians", "", ""},
		{"GET", "/v1/schemas/function", "", ""}, {"GET", "/v1/schemas/module", "", ""},
		{"GET", "/v1/handovers", "", ""}, {"GET", "/v1/leaves?from=0&to=3", "", ""}, {"GET", "/v1/payloads", "", ""},
		{"GET", "/.well-known/paspoort-region", "", ""}, {"GET", "/v1/regions", "", ""}, {"GET", "/v1/lote.json", "", ""}, {"GET", "/v1/aki", "", ""}, {"GET", "/v1/crl", "", ""},
		{"GET", "/v1/statuses", "", ""}, {"GET", "/v1/statuses/bundle", "", ""},
		{"POST", "/v1/timestamp", "application/json", `{"commitment":"` + strings.Repeat("A", 43) + `"}`},
		{"POST", "/v1/verify", "application/json", `{"credential":"e30.e30.AA~"}`},
		{"POST", "/v1/verify", "application/json", `{"presentation":["e30.e30.AA~e30.e30.AA"],"expected":{"nonce":"n","aud":"a"},"flow":"same_device","asked":["urn:x"]}`},
	} {
		if w := s.call(c.method, c.target, c.contentType, c.body); w.Code != http.StatusOK {
			t.Errorf("%s %s: %d %s", c.method, c.target, w.Code, w.Body)
		}
		called[strings.ToLower(c.method)+" "+s.describedPath(c.target)] = true
	}
	for path, item := range s.doc["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			// See TestMirrors and TestWitnessOfAPeer, which have another region, TestFederationOfANode, TestListsOfANode and TestRevocationLists;
			// TestArchiveNotices and statusarchive.TestBothHalves, which have tokens.
			abroad := strings.HasPrefix(path, "/witness/") || strings.HasPrefix(path, "/regions/") || strings.Contains(path, "federation") || path == "/v1/lote" || path == "/v1/crl/{anchor}" || method+path == "post/v1/crl" || strings.HasPrefix(path, "/trqp/") ||
				strings.HasPrefix(path, "/v1/statuses/")
			if method != "parameters" && !abroad && !called[method+" "+path] {
				t.Errorf("%s %s is described and was not called", method, path)
			}
		}
	}
}

func TestAPIRefuses(t *testing.T) {
	s := newAPIStage(t, nil)
	now := time.Now()
	marshal := func(e registry.SignedEvent) string {
		raw, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	good := s.cluster.application("Goed", now)
	forged := s.cluster.application("Vals", now)
	forged.Signatures[0] = good.Signatures[0]
	otherRegion := newRegion(t, 2, now, func(i int) string { return fmt.Sprintf("elders-%d.example:1", i) })
	json := "application/json"
	for _, c := range []struct {
		name, method, target, contentType, body string
		status                                  int
		code                                    string
	}{
		{"event: form", "POST", "/v1/events", "application/x-www-form-urlencoded", "a=b", 400, "bad-request"},
		{"event: not JSON", "POST", "/v1/events", json, "{", 400, "malformed"},
		{"event: not canonical", "POST", "/v1/events", json, " " + marshal(good), 400, "malformed"},
		{"event: trailing bytes", "POST", "/v1/events", json, marshal(good) + "{}", 400, "malformed"},
		{"event: deep", "POST", "/v1/events", json, strings.Repeat("[", 5000) + strings.Repeat("]", 5000), 400, "malformed"},
		{"event: too large", "POST", "/v1/events", json, `"` + strings.Repeat("a", registry.MaxSubmission) + `"`, 413, "too-large"},
		{"event: forged", "POST", "/v1/events", json, marshal(forged), 403, "bad-signature"},
		{"event: other region", "POST", "/v1/events", json, marshal(otherRegion.application("Elders", now)), 422, "other-region"},
		{"event: from the future", "POST", "/v1/events", json, marshal(s.cluster.application("Later", now.Add(time.Hour))), 422, "bad-log-time"},
		{"event: expired", "POST", "/v1/events", json, marshal(s.cluster.application("Eerder", now.Add(-8*24*time.Hour))), 422, "bad-log-time"},
		{"event id: not one", "GET", "/v1/events/xyz", "", "", 400, "bad-request"},
		{"at: not a time", "GET", "/v1/organisations?at=yesterday", "", "", 400, "bad-request"},
		{"asof: not a number", "GET", "/v1/hobbels?asof=-1", "", "", 400, "bad-request"},
		{"asof: ahead", "GET", "/v1/organisations?asof=1000000", "", "", 400, "asof-ahead"},
		{"consistency: unknown", "GET", "/v1/region?consistency=strong", "", "", 400, "bad-request"},
		{"organisation: unknown", "GET", "/v1/organisations/org_x", "", "", 404, "not-found"},
		{"admission: no role", "GET", "/v1/admission", "", "", 400, "bad-query"},
		{"timestamp: short", "POST", "/v1/timestamp", json, `{"commitment":"AAAA"}`, 400, "bad-request"},
		{"timestamp: padded", "POST", "/v1/timestamp", json, `{"commitment":"` + strings.Repeat("A", 43) + `="}`, 400, "bad-request"},
		{"timestamp: more members", "POST", "/v1/timestamp", json, `{"commitment":"` + strings.Repeat("A", 43) + `","name":"Jan"}`, 400, "bad-request"},
		{"timestamp: too large", "POST", "/v1/timestamp", json, `{"commitment":"` + strings.Repeat("A", 5000) + `"}`, 413, "too-large"},
		{"tile: beyond the checkpoint", "GET", "/tile/0/000.p/4", "", "", 404, "not-found"},
		{"tile: full but partial", "GET", "/tile/0/000", "", "", 404, "not-found"},
		{"tile: other spelling", "GET", "/tile/0/0", "", "", 400, "bad-tile"},
		{"tile: climbing", "GET", "/tile/0/../../etc/passwd", "", "", 400, "bad-tile"},
		{"proof: beyond", "GET", "/v1/proof/3", "", "", 404, "not-found"},
		{"proof: not a number", "GET", "/v1/proof/0x1", "", "", 400, "bad-index"},
		{"type: unknown", "GET", "/v1/types/rijbewijs/1", "", "", 404, "not-found"},
		{"type: other version", "GET", "/v1/types/opleiding/2", "", "", 404, "not-found"},
		{"region: unknown", "GET", "/regions/" + strings.Repeat("ab", 32) + "/checkpoint", "", "", 404, "unknown-region"},
		{"leaves: backwards", "GET", "/v1/leaves?from=3&to=1", "", "", 400, "bad-request"},
		{"verify: form", "POST", "/v1/verify", "text/plain", "x", 415, "invalid_request"},
		{"verify: nothing", "POST", "/v1/verify", json, `{}`, 400, "bad-request"},
		{"verify: both", "POST", "/v1/verify", json, `{"credential":"a","presentation":"b"}`, 400, "bad-request"},
		{"verify: credential with expected", "POST", "/v1/verify", json, `{"credential":"a","expected":{"nonce":"n","aud":"a"}}`, 400, "bad-request"},
		{"verify: expected without aud", "POST", "/v1/verify", json, `{"presentation":"a","expected":{"nonce":"n"}}`, 400, "bad-request"},
		{"verify: unknown flow", "POST", "/v1/verify", json, `{"presentation":"a","flow":"pigeon"}`, 400, "bad-request"},
		{"verify: presentation a number", "POST", "/v1/verify", json, `{"presentation":1}`, 400, "invalid_request"},
		{"verify: member twice", "POST", "/v1/verify", json, `{"credential":"a","credential":"b"}`, 400, "invalid_request"},
		{"verify: too large", "POST", "/v1/verify", json, `{"credential":"` + strings.Repeat("a", maxVerifyBody) + `"}`, 413, "invalid_request"},
		{"verify: too many", "POST", "/v1/verify", json, `{"presentation":["` + strings.Repeat(`a","`, 100) + `a"]}`, 413, "too-many"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &apiStage{t: t, cluster: s.cluster, handler: s.handler, doc: s.doc, schemas: s.schemas}
			w := s.call(c.method, c.target, c.contentType, c.body)
			if w.Code != c.status || !strings.Contains(w.Body.String(), `"error":"`+c.code+`"`) {
				t.Errorf("got %d %s, want %d %s", w.Code, strings.TrimSpace(w.Body.String()), c.status, c.code)
			}
		})
	}
	if s.node().size() != 3 {
		t.Errorf("a refused request made a leaf: %d", s.node().size())
	}
	for _, target := range []string{"/v1/verify", "/v1/status", "/checkpoint", "/v1/organisations"} {
		if w := s.call("DELETE", target, "", ""); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("DELETE %s: %d", target, w.Code)
		}
	}
}

// TestReplayedEvent: the same bytes again are answered with the same leaf, and the same
// event under another signature is the same event.
func TestReplayedEvent(t *testing.T) {
	s := newAPIStage(t, nil)
	e := s.cluster.application("Nog een keer", time.Now())
	input, err := e.Event.SigningInput()
	if err != nil || len(input) == 0 {
		t.Fatal(err)
	}
	again, err := registry.Sign(e.Event, namedP256("organisation Nog een keer"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []registry.SignedEvent{e, e, again} {
		raw, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var o registry.Outcome
		w := s.call("POST", "/v1/events", "application/json", string(raw))
		if err := json.Unmarshal(w.Body.Bytes(), &o); err != nil || w.Code != 200 || *o.Index != 3 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

// TestPublicToolsCanCheck: with the policy file and nothing else, checkpoint, tile and
// proof agree.
func TestPublicToolsCanCheck(t *testing.T) {
	s := newAPIStage(t, nil)
	policy, err := tlog.ParsePolicy(s.call("GET", "/v1/policy", "", "").Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	seen, err := policy.Check(s.call("GET", "/checkpoint", "", "").Body.Bytes())
	if err != nil || seen.Checkpoint.Size != 3 {
		t.Fatalf("%+v, %v", seen, err)
	}
	entries, err := tlog.ParseBundle(s.call("GET", "/tile/entries/000.p/3", "", "").Body.Bytes(), 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range entries {
		proof, err := tlog.ParseProof(s.call("GET", fmt.Sprint("/v1/proof/", i), "", "").Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := proof.Verify(policy, tlog.LeafHash(entry)); err != nil {
			t.Errorf("leaf %d: %v", i, err)
		}
	}
	tile := s.call("GET", "/tile/0/000.p/3", "", "")
	if want := tlog.LeafHash(entries[1]); !bytes.Equal(tile.Body.Bytes()[32:64], want[:]) {
		t.Error("the tile holds another hash")
	}
	if got := tile.Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("a tile is cached as %q", got)
	}
}

// TestTimestampIsSigned by the key that the charter names, and nothing of it is kept.
func TestTimestampIsSigned(t *testing.T) {
	s := newAPIStage(t, nil)
	commitment := jose.EncodeBase64URL(bytes.Repeat([]byte{7}, 32))
	w := s.call("POST", "/v1/timestamp", "application/json", `{"commitment":"`+commitment+`"}`)
	var answer registry.TimestampAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	signed, err := jose.Parse(answer.Timestamp)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := signed.Claims(&claims); err != nil || claims["commitment"] != commitment || claims["iss"] != s.cluster.genesis || claims["node"] != "knoop-1" {
		t.Errorf("claims = %v, %v", claims, err)
	}
	if err := signed.Verify(s.cluster.testRegion.nodes["knoop-1"].timestamp.Public()); err != nil {
		t.Error(err)
	}
	s.keptNothing(commitment, answer.Timestamp)
}

// keptNothing looks for texts in everything that the node has: log, store, metrics.
func (s *apiStage) keptNothing(texts ...string) {
	s.t.Helper()
	metrics := s.call("GET", "/metrics", "", "").Body.String()
	err := s.cluster.nodes["knoop-1"].store.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(k, v []byte) error {
			for _, text := range texts {
				if bytes.Contains(v, []byte(text)) || bytes.Contains(k, []byte(text)) {
					s.t.Errorf("the store holds %.40q under %q", text, k)
				}
			}
			return nil
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, text := range texts {
		if strings.Contains(s.log.String(), text) || strings.Contains(metrics, text) {
			s.t.Errorf("log or metrics hold %.40q", text)
		}
	}
	if !strings.Contains(s.log.String(), "/v1/") {
		s.t.Error("the log says nothing of requests: this test tests nothing")
	}
}

// TestVerifyKeepsNothing: neither the API nor the page leaves anything behind.
func TestVerifyKeepsNothing(t *testing.T) {
	s := newAPIStage(t, nil)
	const secret = "Geheimenaam"
	credential := jose.EncodeBase64URL([]byte(`{"alg":"ES256","typ":"dc+sd-jwt"}`)) + "." + jose.EncodeBase64URL([]byte(`{"iss":"https://`+secret+`.example","vct":"urn:paspoort:opleiding:1"}`)) + ".AAAA~"
	w := s.call("POST", "/v1/verify", "application/json", `{"credential":"`+credential+`"}`)
	if w.Code != 200 || strings.Contains(w.Body.String(), `"outcome":"ok"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	form := url.Values{"credential": {credential}}.Encode()
	if w := s.call("POST", "/check", "application/x-www-form-urlencoded", form); w.Code != 200 || !strings.Contains(w.Body.String(), "stamp") {
		t.Errorf("page: %d", w.Code)
	}
	payload, _, _ := strings.Cut(strings.SplitN(credential, ".", 2)[1], ".")
	s.keptNothing(secret, strings.ToLower(secret), payload)
}

func TestVerifySwitchedOff(t *testing.T) {
	s := newAPIStage(t, func(c *Config) { c.VerifyOff = true })
	if w := s.call("POST", "/v1/verify", "application/json", `{"credential":"a"}`); w.Code != 404 || !strings.Contains(w.Body.String(), "switched-off") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.call("POST", "/check", "application/x-www-form-urlencoded", "credential=a"); w.Code != 404 {
		t.Errorf("page: %d", w.Code)
	}
	if w := s.call("GET", "/check", "", ""); w.Code != 200 || strings.Contains(w.Body.String(), "<form") {
		t.Errorf("page: %d", w.Code)
	}
}

func TestPagesShowTheRegion(t *testing.T) {
	s := newAPIStage(t, nil)
	for target, want := range map[string]string{
		"/": "Regio Aakermonde", "/organisations": "<h1>", "/hobbels": "<h1>", "/log": "knoop-1", "/check": "knoop-1", "/log?lang=en": "The public log", "/healthz": "ok", "/readyz": "", "/openapi.yaml": "openapi: 3.1.0",
	} {
		if w := s.call("GET", target, "", ""); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d, without %q", target, w.Code, want)
		}
	}
	r := httptest.NewRequest("POST", "https://knoop-1.example/check", strings.NewReader("credential=a"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("a form from elsewhere: %d", w.Code)
	}
	io.Copy(io.Discard, w.Body)
}
