package openid4vp_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vp"
)

// call is one HTTP request to an endpoint and the answer that is due.
type call struct {
	method, path, contentType, body string
	status                          int
	code                            openid4vp.Code
}

func (w *world) do(c call) (int, map[string]any, http.Header) {
	w.t.Helper()
	req, err := http.NewRequest(c.method, w.web.URL+"/openid4vp"+c.path, strings.NewReader(c.body))
	must(w.t, err)
	if c.contentType != "" {
		req.Header.Set("Content-Type", c.contentType)
	}
	resp, err := w.web.Client().Do(req)
	must(w.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(w.t, err)
	var body map[string]any
	_ = json.Unmarshal(raw, &body)
	return resp.StatusCode, body, resp.Header
}

const form = "application/x-www-form-urlencoded"

func post(path string, values url.Values) call {
	return call{method: "POST", path: path, contentType: form, body: values.Encode()}
}

func (c call) gives(status int, code openid4vp.Code) call {
	c.status, c.code = status, code
	return c
}

// TestEndpoints is the table of everything that can be wrong at the two endpoints of a verifier.
func TestEndpoints(t *testing.T) {
	const bad, gone = http.StatusBadRequest, http.StatusNotFound
	w := newWorld(t)
	plain, _ := w.begin(openid4vp.Ask{})
	sealed, _ := w.begin(openid4vp.Ask{ResponseMode: openid4vp.DirectPostJWT})
	answered, _ := w.begin(openid4vp.Ask{})
	w.backend.open[answered.ID].Answered = true
	expired, _ := w.begin(openid4vp.Ask{})
	expired.Expires = w.clock.Now()

	request, response := "/request/"+plain.ID, "/response/"+plain.ID
	sealedResponse := "/response/" + sealed.ID
	state := plain.Request.State
	audience := string(plain.Request.ClientID)
	good := w.present(plain.Request.Nonce, audience)
	token := func(presentations ...string) string {
		raw, _ := json.Marshal(map[string]any{"opleiding": presentations})
		return string(raw)
	}
	answer := func(vpToken string) call {
		return post(response, url.Values{"vp_token": {vpToken}, "state": {state}})
	}
	cases := map[string]call{
		"request: PUT":                     call{method: "PUT", path: request}.gives(http.StatusMethodNotAllowed, openid4vp.InvalidRequest),
		"request: unknown id":              call{method: "GET", path: "/request/AAAA"}.gives(gone, openid4vp.InvalidRequestURI),
		"request: expired":                 call{method: "GET", path: "/request/" + expired.ID}.gives(gone, openid4vp.InvalidRequestURI),
		"request: answered":                call{method: "GET", path: "/request/" + answered.ID}.gives(bad, openid4vp.InvalidRequestURI),
		"request: POST of JSON":            call{method: "POST", path: request, contentType: "application/json", body: "{}"}.gives(http.StatusUnsupportedMediaType, openid4vp.InvalidRequest),
		"request: wallet_metadata as text": post(request, url.Values{"wallet_metadata": {"x"}}).gives(bad, openid4vp.InvalidRequest),
		"request: wallet_nonce too long":   post(request, url.Values{"wallet_nonce": {strings.Repeat("x", 5000)}}).gives(bad, openid4vp.InvalidRequest),
		"request: wallet_nonce twice":      post(request, url.Values{"wallet_nonce": {"a", "b"}}).gives(bad, openid4vp.InvalidRequest),
		"request: body too large":          post(request, url.Values{"x": {strings.Repeat("x", 70<<10)}}).gives(http.StatusRequestEntityTooLarge, openid4vp.InvalidRequest),
		"request: members one by one":      post(request, url.Values{"vp_formats_supported": {"{}"}}).gives(http.StatusOK, ""),

		"response: GET":                       call{method: "GET", path: response}.gives(http.StatusMethodNotAllowed, openid4vp.InvalidRequest),
		"response: JSON":                      call{method: "POST", path: response, contentType: "application/json", body: "{}"}.gives(http.StatusUnsupportedMediaType, openid4vp.InvalidRequest),
		"response: no content type":           call{method: "POST", path: response, body: "vp_token=x"}.gives(http.StatusUnsupportedMediaType, openid4vp.InvalidRequest),
		"response: not a form":                call{method: "POST", path: response, contentType: form, body: "%zz"}.gives(bad, openid4vp.InvalidRequest),
		"response: too large":                 post(response, url.Values{"vp_token": {strings.Repeat("x", openid4vp.MaxResponseSize)}}).gives(http.StatusRequestEntityTooLarge, openid4vp.InvalidRequest),
		"response: parameter twice":           post(response, url.Values{"state": {state, state}, "vp_token": {token(good)}}).gives(bad, openid4vp.InvalidRequest),
		"response: unknown transaction":       post("/response/AAAA", url.Values{"vp_token": {token(good)}}).gives(gone, openid4vp.InvalidRequest),
		"response: expired":                   post("/response/"+expired.ID, url.Values{"vp_token": {token(good)}}).gives(gone, openid4vp.InvalidRequest),
		"response: replayed":                  post("/response/"+answered.ID, url.Values{"vp_token": {token(good)}}).gives(bad, openid4vp.InvalidRequest),
		"response: empty":                     post(response, url.Values{"state": {state}}).gives(bad, openid4vp.InvalidRequest),
		"response: no state":                  post(response, url.Values{"vp_token": {token(good)}}).gives(bad, openid4vp.InvalidRequest),
		"response: other state":               post(response, url.Values{"vp_token": {token(good)}, "state": {"x"}}).gives(bad, openid4vp.InvalidRequest),
		"response: error, other state":        post(response, url.Values{"error": {"access_denied"}, "state": {"x"}}).gives(bad, openid4vp.InvalidRequest),
		"response: JWE not asked":             post(response, url.Values{"response": {"a.b.c.d.e"}, "state": {state}}).gives(bad, openid4vp.InvalidRequest),
		"vp_token: text":                      answer("x").gives(bad, openid4vp.InvalidRequest),
		"vp_token: array":                     answer("[]").gives(bad, openid4vp.InvalidRequest),
		"vp_token: empty object":              answer("{}").gives(bad, openid4vp.InvalidRequest),
		"vp_token: duplicate id":              answer(`{"opleiding":["a"],"opleiding":["b"]}`).gives(bad, openid4vp.InvalidRequest),
		"vp_token: trailing bytes":            answer(token(good)+"x").gives(bad, openid4vp.InvalidRequest),
		"vp_token: string, not array":         answer(`{"opleiding":"a"}`).gives(bad, openid4vp.InvalidRequest),
		"vp_token: empty array":               answer(`{"opleiding":[]}`).gives(bad, openid4vp.InvalidRequest),
		"vp_token: object in the array":       answer(`{"opleiding":[{}]}`).gives(bad, openid4vp.InvalidRequest),
		"vp_token: id not asked":              answer(`{"diploma":["a"]}`).gives(bad, openid4vp.InvalidRequest),
		"vp_token: two where one":             answer(token(good, good)).gives(bad, openid4vp.InvalidRequest),
		"presentation: no SD-JWT":             answer(token("a.b.c")).gives(bad, openid4vp.InvalidRequest),
		"presentation: no key binding":        answer(token("e30.e30.c2ln~")).gives(bad, openid4vp.InvalidRequest),
		"presentation: binding no JWS":        answer(token("e30.e30.c2ln~abc")).gives(bad, openid4vp.InvalidRequest),
		"presentation: other nonce":           answer(token(w.present("x", audience))).gives(bad, openid4vp.InvalidRequest),
		"presentation: other audience":        answer(token(w.present(plain.Request.Nonce, "x509_hash:x"))).gives(bad, openid4vp.InvalidRequest),
		"presentation: aud, no prefix":        answer(token(w.present(plain.Request.Nonce, testDID))).gives(bad, openid4vp.InvalidRequest),
		"encrypted: vp_token in the clear":    post(sealedResponse, url.Values{"vp_token": {token(good)}, "state": {sealed.Request.State}}).gives(bad, openid4vp.InvalidRequest),
		"encrypted: not a JWE":                post(sealedResponse, url.Values{"response": {"x"}}).gives(bad, openid4vp.InvalidRequest),
		"encrypted: to another key":           post(sealedResponse, url.Values{"response": {w.seal(sealed, sealedKey{other: true}, "{}")}}).gives(bad, openid4vp.InvalidRequest),
		"encrypted: without kid":              post(sealedResponse, url.Values{"response": {w.seal(sealed, sealedKey{noKeyID: true}, "{}")}}).gives(bad, openid4vp.InvalidRequest),
		"encrypted: with another kid":         post(sealedResponse, url.Values{"response": {w.seal(sealed, sealedKey{keyID: "x"}, "{}")}}).gives(bad, openid4vp.InvalidRequest),
		"encrypted: no JSON inside":           post(sealedResponse, url.Values{"response": {w.seal(sealed, sealedKey{}, "x")}}).gives(bad, openid4vp.InvalidRequest),
		"encrypted: no vp_token inside":       post(sealedResponse, url.Values{"response": {w.seal(sealed, sealedKey{}, `{"state":"`+sealed.Request.State+`"}`)}}).gives(bad, openid4vp.InvalidRequest),
		"encrypted: no state inside":          post(sealedResponse, url.Values{"response": {w.seal(sealed, sealedKey{}, `{"vp_token":`+token(good)+`}`)}}).gives(bad, openid4vp.InvalidRequest),
		"encrypted: nonce of another request": post(sealedResponse, url.Values{"response": {w.seal(sealed, sealedKey{}, `{"state":"`+sealed.Request.State+`","vp_token":`+token(good)+`}`)}}).gives(bad, openid4vp.InvalidRequest),
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			status, body, header := w.do(c)
			if status != c.status {
				t.Errorf("status %d (%v), want %d", status, body, c.status)
			}
			if got, _ := body["error"].(string); got != string(c.code) {
				t.Errorf("error %q, want %q", got, c.code)
			}
			if header.Get("Cache-Control") != "no-store" {
				t.Error("the answer may be cached")
			}
			if c.code != "" && body["error_description"] == "" {
				t.Error("no sentence that says what to do")
			}
		})
	}
	// None of it used up the transactions.
	if status, body, _ := w.do(answer(token(good))); status != http.StatusOK {
		t.Errorf("the right answer after all wrong ones: %d %v", status, body)
	}
	if status, _, _ := w.do(answer(token(good))); status != bad {
		t.Errorf("the same answer again: %d, want %d", status, bad)
	}
}

type sealedKey struct {
	other, noKeyID bool
	keyID          string
}

// seal encrypts to the key of the transaction, or to one that differs in one way.
func (w *world) seal(t *openid4vp.Transaction, k sealedKey, payload string) string {
	w.t.Helper()
	key := t.Request.Metadata.Keys[0]
	if k.other {
		key.Public = newKey(w.t).Public()
	}
	if k.noKeyID {
		key.KeyID = ""
	}
	if k.keyID != "" {
		key.KeyID = k.keyID
	}
	jwe, err := jose.Encrypt([]byte(payload), key, openid4vp.A256GCM, jose.Header{})
	must(w.t, err)
	return jwe
}

func TestRefusalWithUnknownCode(t *testing.T) {
	w := newWorld(t)
	tx, _ := w.begin(openid4vp.Ask{})
	status, _, _ := w.do(post("/response/"+tx.ID, url.Values{"error": {"something_of_mine"}, "state": {tx.Request.State}}))
	if status != http.StatusOK || w.backend.refusals[tx.ID] != openid4vp.InvalidRequest {
		t.Errorf("status %d, kept %q", status, w.backend.refusals[tx.ID])
	}
}

func TestBeginRefuses(t *testing.T) {
	w := newWorld(t)
	good := query(t, `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}}]}`)
	cases := map[string]openid4vp.Ask{
		"no query":               {Profile: openid4vp.Standard(), ResponseMode: openid4vp.DirectPost, Lifetime: time.Minute},
		"no lifetime":            {Query: good, Profile: openid4vp.Standard(), ResponseMode: openid4vp.DirectPost},
		"haip unencrypted":       {Query: good, Profile: openid4vp.HAIP(), ResponseMode: openid4vp.DirectPost, Lifetime: time.Minute},
		"haip with a DID":        {Query: good, Profile: openid4vp.HAIP(), ResponseMode: openid4vp.DirectPostJWT, Prefix: openid4vp.DecentralizedIdentifier, Lifetime: time.Minute},
		"diip with redirect_uri": {Query: good, Profile: openid4vp.DIIP(), ResponseMode: openid4vp.DirectPost, Prefix: openid4vp.RedirectURI, Lifetime: time.Minute},
		"fragment":               {Query: good, Profile: openid4vp.Standard(), ResponseMode: openid4vp.Fragment, Lifetime: time.Minute},
		"haip with vc+sd-jwt": {Query: query(t, `{"credentials":[{"id":"a","format":"vc+sd-jwt","meta":{}}]}`), Profile: openid4vp.HAIP(),
			ResponseMode: openid4vp.DirectPostJWT, Lifetime: time.Minute},
	}
	for name, ask := range cases {
		t.Run(name, func(t *testing.T) {
			if tx, err := w.server.Begin(ask); err == nil {
				t.Errorf("got transaction %v", tx.Request.ClientID)
			}
		})
	}
}

// FuzzResponse: whatever a stranger posts to the response endpoint of a request, it is refused in JSON, and the request stays
// open. Nobody can guess nonce and state.
func FuzzResponse(f *testing.F) {
	f.Add(form, `vp_token={"opleiding":["e30.e30.c2ln~e30.e30.c2ln"]}&state=x`, false)
	f.Add(form, "response=a.b.c.d.e", true)
	f.Add(form, "error=access_denied&state=", true)
	f.Add("multipart/form-data; boundary=x", "--x--", false)
	w := newWorld(f)
	plain, _ := w.begin(openid4vp.Ask{})
	sealed, _ := w.begin(openid4vp.Ask{ResponseMode: openid4vp.DirectPostJWT})
	handler := w.server.Handler()
	f.Fuzz(func(t *testing.T, contentType, body string, encrypted bool) {
		tx := plain
		if encrypted {
			tx = sealed
		}
		r := httptest.NewRequest(http.MethodPost, "/response/"+tx.ID, strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		if rec.Code < 400 || rec.Code >= 500 || !json.Valid(rec.Body.Bytes()) {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		if w.backend.open[tx.ID].Answered {
			t.Fatal("the request was closed")
		}
	})
}
