package issuer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"paspoort.example/paspoort/internal/web"
)

// document is openapi.yaml as JSON values.
func document(t *testing.T) map[string]any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(openAPI, &v); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// described holds answers against the document.
type described struct {
	t    *testing.T
	r    *rig
	doc  map[string]any
	used map[string]bool // "POST /api/v1/offers 201"
}

func describe(t *testing.T, r *rig) *described {
	return &described{t, r, document(t), map[string]bool{}}
}

// call does a request and checks status and body against the operation.
func (d *described) call(method, operation, path string, body any, want int, headers ...string) map[string]any {
	d.t.Helper()
	status, got := d.r.call(method, path, body, headers...)
	if status != want {
		d.t.Fatalf("%s %s: got %d %v, want %d", method, path, status, got, want)
	}
	at := fmt.Sprintf("%s %s %d", method, operation, status)
	d.used[at] = true
	op, _ := dig(d.doc, "paths", operation, strings.ToLower(method)).(map[string]any)
	response, ok := dig(op, "responses", fmt.Sprint(status)).(map[string]any)
	if !ok {
		d.t.Fatalf("%s is not in openapi.yaml", at)
	}
	if ref, ok := response["$ref"].(string); ok {
		response, _ = dig(d.doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(map[string]any)
	}
	schema := dig(response, "content", "application/json", "schema")
	if err := d.compile(schema).Validate(got); err != nil {
		d.t.Errorf("%s: %v\n%v", at, err, got)
	}
	return got
}

// compile makes a schema whose references point into the document.
func (d *described) compile(schema any) *jsonschema.Schema {
	d.t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("urn:doc", map[string]any{"components": d.doc["components"], "$defs": map[string]any{"it": schema}}); err != nil {
		d.t.Fatal(err)
	}
	compiled, err := c.Compile("urn:doc#/$defs/it")
	if err != nil {
		d.t.Fatal(err)
	}
	return compiled
}

func dig(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// TestAPIIsAsDescribed walks the API, and every answer fits openapi.yaml; every
// answer that the document promises was seen, or is named here.
func TestAPIIsAsDescribed(t *testing.T) {
	r := newRig(t)
	d := describe(t, r)
	const offers, list, one, act = "/api/v1/offers", "/api/v1/credentials", "/api/v1/credentials/{id}", "/api/v1/credentials/{id}/{action}"
	const sample, configurations = "/api/v1/configurations/{id}/sample", "/api/v1/configurations"
	q := r.sample(opleiding, true)
	if err := d.compile(dig(d.doc, "components", "schemas", "OfferRequest")).Validate(jsonValue(t, q)); err != nil {
		t.Errorf("our own request: %v", err)
	}
	d.call("GET", sample, "/api/v1/configurations/"+opleiding+"/sample", nil, 200)
	d.call("GET", sample, "/api/v1/configurations/x/sample", nil, 404)
	d.call("GET", configurations, configurations, nil, 200)
	id, _ := d.call("POST", offers, offers, q, 201)["id"].(string)
	d.call("GET", list, list, nil, 200)
	d.call("GET", list, list+"?limit=0", nil, 400)
	d.call("GET", one, list+"/"+id, nil, 200)
	d.call("GET", one, list+"/nobody", nil, 404)
	d.call("POST", act, list+"/"+id+"/suspend", nil, 409)
	r.accept(r.offer(opleiding, false), 2)
	d.call("GET", list, list, nil, 200)
	d.call("POST", act, list+"/"+id+"/revoke", nil, 200, "Idempotency-Key", "k")
	d.call("POST", act, list+"/nobody/revoke", nil, 404)
	d.call("POST", act, list+"/"+id+"/suspend", nil, 422, "Idempotency-Key", "k")
	d.call("POST", offers, offers, "{", 400)
	d.call("POST", offers, offers, "x", 415, "Content-Type", "text/plain")
	d.call("POST", offers, offers, strings.Repeat(" ", maxAPIBody+1), 413)
	q["claims"] = map[string]any{}
	d.call("POST", offers, offers, q, 422)
	for operation, method := range map[string]string{offers: "POST", list: "GET", one: "GET", act: "POST", sample: "GET", configurations: "GET"} {
		path := strings.NewReplacer("{id}", id, "{action}", "revoke").Replace(operation)
		d.call(method, operation, path, nil, 401, "Authorization", "Bearer wrong")
	}
	for path, methods := range d.doc["paths"].(map[string]any) {
		for method, op := range methods.(map[string]any) {
			for status := range dig(op, "responses").(map[string]any) {
				if at := strings.ToUpper(method) + " " + path + " " + status; !d.used[at] {
					t.Errorf("openapi.yaml promises %s and no request here gets it", at)
				}
			}
		}
	}
}

func jsonValue(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryRouteIsDescribed: what the router takes is in openapi.yaml.
func TestEveryRouteIsDescribed(t *testing.T) {
	r := newRig(t)
	paths, _ := document(t)["paths"].(map[string]any)
	pattern := regexp.MustCompile(`\{(\w+):[^}]*\}`)
	seen := 0
	site := web.New(web.Options{})
	r.api(site)
	err := site.Protocol.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		template, err := route.GetPathTemplate()
		if err != nil || !strings.HasPrefix(template, "/api/v1/") {
			return nil
		}
		methods, err := route.GetMethods()
		if err != nil {
			return nil // the subrouter itself
		}
		for _, method := range methods {
			if dig(paths, pattern.ReplaceAllString(template, "{$1}"), strings.ToLower(method)) == nil {
				t.Errorf("%s %s is not in openapi.yaml", method, template)
			}
			seen++
		}
		return nil
	})
	if err != nil || seen != len(paths) {
		t.Errorf("routes: got %d, the document has %d paths (%v)", seen, len(paths), err)
	}
}

func TestOfferRefuses(t *testing.T) {
	r := newRig(t)
	change := func(name string, v any) map[string]any {
		q := r.sample(opleiding, true)
		q[name] = v
		return q
	}
	bad := change("x", nil)
	delete(bad, "x")
	claims := bad["claims"].(map[string]any)
	claims["hours"] = "veel"
	secret := change("x", nil)
	delete(secret, "x")
	secret["claims"].(map[string]any)["birth_date"] = "1970-01-01"
	tests := []struct {
		name   string
		body   any
		status int
		code   string
	}{
		{"no object", `[]`, 400, "invalid_request"},
		{"member twice", `{"claims":{},"claims":{}}`, 400, "invalid_request"},
		{"member unknown", change("txcode", true), 400, "invalid_request"},
		{"configuration unknown", change("credential_configuration_id", "x"), 400, "unknown_credential_configuration"},
		{"configuration of another issuer", change("credential_configuration_id", "Assessment_dc_sd_jwt"), 400, "unknown_credential_configuration"},
		{"own words of the holder", change("credential_configuration_id", "Zelfverklaring_dc_sd_jwt"), 400, "unknown_credential_configuration"},
		{"claims missing", change("claims", nil), 422, "invalid_claims"},
		{"claims of the wrong type", bad, 422, "invalid_claims"},
		{"claim that is never allowed", secret, 422, "invalid_claims"},
		{"code a number", change("tx_code", 7), 400, "invalid_request"},
		{"code too short", change("tx_code", "1"), 400, "invalid_request"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, body := r.call(http.MethodPost, "/api/v1/offers", test.body)
			if status != test.status || body["error"] != test.code {
				t.Errorf("got %d %v, want %d %s", status, body, test.status, test.code)
			}
			if d, _ := body["error_description"].(string); d == "" || strings.Contains(d, "veel") || strings.Contains(d, "1970") {
				t.Errorf("description: %q", d)
			}
		})
	}
	if _, body := r.call(http.MethodGet, "/api/v1/credentials", nil); len(body["credentials"].([]any)) != 0 {
		t.Errorf("something half-done stayed behind: %v", body)
	}
}

func TestIdempotency(t *testing.T) {
	r := newRig(t)
	q := r.sample(opleiding, true)
	post := func(key string, q any) (int, map[string]any) {
		return r.call(http.MethodPost, "/api/v1/offers", q, "Idempotency-Key", key)
	}
	_, first := post("a", q)
	r.start() // also over a restart
	if status, again := post("a", q); status != 201 || again["id"] != first["id"] || again["tx_code"] != first["tx_code"] {
		t.Errorf("same key and request: got %d %v, want %v", status, again, first)
	}
	if _, other := post("b", q); other["id"] == first["id"] {
		t.Error("another key gave the same offer")
	}
	q["tx_code"] = false
	if status, body := post("a", q); status != 422 || body["error"] != "idempotency_mismatch" {
		t.Errorf("same key, another request: got %d %v", status, body)
	}
	q["claims"] = map[string]any{}
	if status, _ := post("c", q); status != 422 {
		t.Errorf("refused request: got %d", status)
	}
	if status, _ := post("c", r.sample(opleiding, false)); status != 201 {
		t.Errorf("a refusal is not remembered: got %d", status)
	}
	if status, _ := post(strings.Repeat("k", 256), q); status != 400 {
		t.Errorf("overlong key: got %d", status)
	}
	r.clock.Advance(idempotencyLifetime)
	if _, later := post("a", r.sample(opleiding, true)); later["id"] == first["id"] {
		t.Error("after a day the key still stands for the old offer")
	}
}

func TestCredentialPages(t *testing.T) {
	r := newRig(t)
	want := map[string]bool{}
	for range 7 {
		want[r.offer(opleiding, false).ID] = true
	}
	after, pages := "", 0
	for {
		_, body := r.call(http.MethodGet, "/api/v1/credentials?limit=3&after="+after, nil)
		for _, c := range body["credentials"].([]any) {
			id := c.(map[string]any)["id"].(string)
			if !want[id] {
				t.Errorf("%s came twice or from nowhere", id)
			}
			delete(want, id)
		}
		pages++
		next, more := body["next"].(string)
		if !more {
			break
		}
		after = next
	}
	if len(want) != 0 || pages != 3 {
		t.Errorf("missing %d, in %d pages", len(want), pages)
	}
	if _, body := r.call(http.MethodGet, "/api/v1/credentials?state=valid", nil); len(body["credentials"].([]any)) != 0 {
		t.Errorf("valid: %v", body)
	}
	r.clock.Advance(defaultOfferLifetime)
	if _, body := r.call(http.MethodGet, "/api/v1/credentials?state=expired", nil); len(body["credentials"].([]any)) != 7 {
		t.Errorf("expired: %v", body)
	}
	for _, bad := range []string{"limit=x", "limit=1001", "state=lost"} {
		if status, _ := r.call(http.MethodGet, "/api/v1/credentials?"+bad, nil); status != 400 {
			t.Errorf("%s: got %d", bad, status)
		}
	}
}

// TestRevocationForgets: nothing can be had any more, so nothing is kept; an offer
// that nobody took is withdrawn.
func TestRevocationForgets(t *testing.T) {
	r := newRig(t)
	taken, open := r.offer(opleiding, false), r.offer(opleiding, true)
	r.accept(taken, 1)
	for _, o := range []offerAnswer{taken, open} {
		if status, body := r.call(http.MethodPost, "/api/v1/credentials/"+o.ID+"/revoke", nil); status != 200 || body["state"] != string(Revoked) {
			t.Errorf("revoke: %d %v", status, body)
		}
	}
	for _, prefix := range []string{prefixDataset} {
		if left := r.keys(prefix); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	if _, err := r.client().Offer(t.Context(), open.Invocation); err == nil {
		t.Error("a withdrawn offer can still be fetched")
	}
}

// TestSweepForgets: what has had its time is deleted, and nothing else.
func TestSweepForgets(t *testing.T) {
	r := newRig(t)
	taken, left := r.offer(opleiding, false), r.offer(opleiding, true)
	h := r.accept(taken, 2)
	count := func(prefix string) int {
		return len(r.keys(prefix))
	}
	if count(prefixDataset) != 2 || count(prefixAccess) != 1 || count(prefixSpent) == 0 {
		t.Fatalf("before: %d datasets, %d tokens, %d nonces", count(prefixDataset), count(prefixAccess), count(prefixSpent))
	}
	r.clock.Advance(defaultOfferLifetime + time.Hour)
	if err := r.sweep(); err != nil {
		t.Fatal(err)
	}
	if got := []int{count(prefixDataset), count(prefixAccess), count(prefixSpent), count(prefixDelivered), count(prefixRefresh)}; !slices.Equal(got, []int{1, 0, 0, 0, 1}) {
		t.Errorf("after a week: datasets, tokens, nonces, deliveries, refresh tokens: %v", got)
	}
	if _, body := r.call(http.MethodGet, "/api/v1/credentials/"+left.ID, nil); body["state"] != string(Expired) {
		t.Errorf("state of an offer that nobody took: %v", body["state"])
	}
	r.clock.Advance(neverIssuedTerm)
	if err := r.sweep(); err != nil {
		t.Fatal(err)
	}
	if got := []int{count(prefixCredential), count(prefixLink)}; !slices.Equal(got, []int{1, 1}) {
		t.Errorf("after a quarter, records and links: %v, want those of the credential that was issued", got)
	}
	if _, err := h.session.Refresh(t.Context(), h.token.RefreshToken); err != nil {
		t.Errorf("new copies within the window: %v", err)
	}
	r.clock.Advance(defaultRefreshWindow)
	if err := r.sweep(); err != nil {
		t.Fatal(err)
	}
	if n := count(prefixDataset); n != 0 {
		t.Errorf("after the window: %d datasets", n)
	}
	if status, _ := r.call(http.MethodPost, "/api/v1/credentials/"+taken.ID+"/revoke", nil); status != 200 {
		t.Errorf("a credential without claims can still be revoked: got %d", status)
	}
}
