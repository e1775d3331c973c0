package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/testkit"
)

func do(t *testing.T, h http.Handler, method, target, body string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func site(o Options) http.Handler {
	s := New(o)
	s.Protocol.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			A int `json:"a"`
		}
		if err := ReadJSON(r, 100, &in); err != nil {
			WriteFailure(w, err)
			return
		}
		WriteJSON(w, http.StatusOK, in)
	}).Methods("POST")
	s.Protocol.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("Willemijn") }).Methods("GET")
	s.Protocol.Handle("/admin", Bearer("s3cret")(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		WriteJSON(w, http.StatusOK, "in")
	}))).Methods("GET")
	s.Pages.HandleFunc("/offer/{id}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, mux.Vars(r)["id"]) }).Methods("GET", "POST")
	return s.Handler()
}

func TestRouting(t *testing.T) {
	h := site(Options{})
	for _, tt := range []struct {
		name, method, target string
		headers              []string
		want                 int
	}{
		{"protocol", "POST", "/token", []string{"Content-Type", "application/json"}, 200},
		{"protocol is cross-origin", "POST", "/token", []string{"Content-Type", "application/json", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 200},
		{"protocol wrong method", "GET", "/token", nil, 405},
		{"page", "GET", "/offer/7", nil, 200},
		{"page post from here", "POST", "/offer/7", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"page post from elsewhere", "POST", "/offer/7", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		{"page wrong method", "DELETE", "/offer/7", nil, 405},
		{"nothing", "GET", "/nothing", nil, 404},
		{"health", "GET", "/healthz", nil, 200},
		{"ready", "GET", "/readyz", nil, 200},
		{"panic", "GET", "/panic", nil, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := do(t, h, tt.method, tt.target, `{"a":1}`, tt.headers...)
			if resp.StatusCode != tt.want {
				t.Errorf("got %d, want %d: %s", resp.StatusCode, tt.want, text(t, resp))
			}
			for _, name := range []string{"X-Content-Type-Options", "Referrer-Policy", "Content-Security-Policy", "Cache-Control"} {
				if resp.Header.Get(name) == "" {
					t.Errorf("no header %s", name)
				}
			}
			if resp.StatusCode == 405 && resp.Header.Get("Allow") == "" {
				t.Error("405 without Allow (RFC 9110 15.5.6)")
			}
		})
	}
}

func TestReadJSON(t *testing.T) {
	h := site(Options{MaxBody: 1000})
	for _, tt := range []struct {
		name, contentType, body string
		want                    int
	}{
		{"good", "application/json", `{"a":1}`, 200},
		{"charset", "application/json; charset=UTF-8", `{"a":1}`, 200},
		{"another charset", "application/json; charset=latin1", `{"a":1}`, 415},
		{"a form", "application/x-www-form-urlencoded", `{"a":1}`, 415},
		{"no type", "", `{"a":1}`, 415},
		{"not json", "application/json", `{"a":`, 400},
		{"duplicate", "application/json", `{"a":1,"a":2}`, 400},
		{"trailing", "application/json", `{"a":1} x`, 400},
		{"wrong type", "application/json", `{"a":"Willemijn"}`, 400},
		{"over the limit of the handler", "application/json", `{"a":1}` + strings.Repeat(" ", 200), 413},
		{"over the limit of the site", "application/json", strings.Repeat(" ", 2000), 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := do(t, h, "POST", "/token", tt.body, "Content-Type", tt.contentType)
			body := text(t, resp)
			if resp.StatusCode != tt.want {
				t.Errorf("got %d, want %d: %s", resp.StatusCode, tt.want, body)
			}
			if tt.want != 200 && !strings.Contains(body, `"error":"invalid_request"`) {
				t.Errorf("got %s, want an error object", body)
			}
			if strings.Contains(body, "Willemijn") {
				t.Errorf("the refusal repeats what was sent: %s", body)
			}
		})
	}
}

func TestBearer(t *testing.T) {
	h := site(Options{})
	for _, tt := range []struct {
		name, header, challenge string
		want                    int
	}{
		{"right", "Bearer s3cret", "", 200},
		{"right, other case", "bearer s3cret", "", 200},
		{"none", "", `Bearer realm="paspoort"`, 401},
		{"wrong", "Bearer s3cre", `Bearer realm="paspoort", error="invalid_token"`, 401},
		{"other scheme", "Basic s3cret", `Bearer realm="paspoort"`, 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := do(t, h, "GET", "/admin", "", "Authorization", tt.header)
			if got := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != tt.want || got != tt.challenge {
				t.Errorf("got %d %q, want %d %q", resp.StatusCode, got, tt.want, tt.challenge)
			}
		})
	}
	empty := Bearer("")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("an empty token opened the door") }))
	do(t, empty, "GET", "/", "", "Authorization", "Bearer ")
	do(t, empty, "GET", "/", "")
}

// TestTracesHoldNoPerson sends a name through every door of a request and looks for
// it in the log and in the metrics.
func TestTracesHoldNoPerson(t *testing.T) {
	var log bytes.Buffer
	h := site(Options{Role: "issuer", Log: slog.New(slog.NewTextHandler(&log, nil))})
	do(t, h, "GET", "/offer/Willemijn?name=Willemijn", "Willemijn", "User-Agent", "Willemijn", "X-Forwarded-For", "203.0.113.7")
	do(t, h, "GET", "/absent/Willemijn", "")
	do(t, h, "WILLEMIJN", "/token", "")
	do(t, h, "GET", "/panic", "")
	metrics := text(t, do(t, h, "GET", "/metrics", ""))
	for where, trace := range map[string]string{"log": log.String(), "metrics": metrics} {
		for _, planted := range []string{"willemijn", "203.0.113.7", "192.0.2.1"} {
			if strings.Contains(strings.ToLower(trace), planted) {
				t.Errorf("%s holds %q:\n%s", where, planted, trace)
			}
		}
		if !strings.Contains(trace, "/offer/{id}") { // the control: the request was seen
			t.Errorf("%s does not name the route", where)
		}
	}
}

func TestNotReady(t *testing.T) {
	h := site(Options{Ready: func(context.Context) error { return errors.New("no leader") }})
	if resp := do(t, h, "GET", "/readyz", ""); resp.StatusCode != 503 {
		t.Errorf("got %d, want 503", resp.StatusCode)
	}
	if resp := do(t, h, "GET", "/healthz", ""); resp.StatusCode != 200 {
		t.Errorf("alive: got %d, want 200", resp.StatusCode)
	}
}

func TestStatic(t *testing.T) {
	h := Static("text/css", []byte("body{}"), 3600e9)
	first := do(t, h, "GET", "/", "")
	if got := first.Header.Get("Cache-Control"); got != "public, max-age=3600" {
		t.Errorf("got %q", got)
	}
	if again := do(t, h, "GET", "/", "", "If-None-Match", first.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("got %d, want 304", again.StatusCode)
	}
}

func TestCORS(t *testing.T) {
	h := CORS(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { WriteJSON(w, 200, 1) }))
	if resp := do(t, h, "OPTIONS", "/", "", "Origin", "https://wallet.example"); resp.StatusCode != 204 || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("got %d %v", resp.StatusCode, resp.Header)
	}
	if resp := do(t, h, "GET", "/", ""); resp.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error("credentials must not cross origins")
	}
}

func TestErrorDescriptionsStayInTheirAlphabet(t *testing.T) {
	w := httptest.NewRecorder()
	WriteError(w, 400, "invalid_request", "zeg \"ja\" \\ één\n")
	if got, want := strings.TrimSpace(w.Body.String()), `{"error":"invalid_request","error_description":"zeg 'ja' ' ??n?"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestServeEndsCleanly(t *testing.T) {
	l := testkit.Listen(t)
	ctx, stop := context.WithCancel(context.Background())
	entered, leave := make(chan struct{}), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		_, _ = io.WriteString(w, "done")
	})
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, l, h, nil) }()
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		b, _ := io.ReadAll(resp.Body)
		answer <- string(b)
	}()
	<-entered
	stop()
	close(leave)
	if got := <-answer; got != "done" {
		t.Errorf("the running request got %q, want done", got)
	}
	if err := <-served; err != nil {
		t.Errorf("got %v, want nil", err)
	}
}
