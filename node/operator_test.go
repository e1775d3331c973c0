package node

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/operate"
	"paspoort.example/paspoort/internal/page/pagetest"
	"paspoort.example/paspoort/internal/web"
)

func TestPagesOfOperator(t *testing.T) {
	w, err := operate.New(operate.Config{Role: "node"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := newOperatorPages(&Node{founding: region{name: "Regio Aakermonde"}}, w)
	if err != nil {
		t.Fatal(err)
	}
	pagetest.Run(t, p.kit)
	pagetest.Readable(t, p.kit)
	r := mux.NewRouter()
	p.mount(r)
	pagetest.Routes(t, r, p.kit)
}

// The operator sees page, status and metrics of a running node; the world sees none of them.
func TestOperator(t *testing.T) {
	s := newAPIStage(t, nil)
	n := s.node()
	watch, err := operate.New(operate.Config{Role: "node", Dir: t.TempDir(), Ready: n.ready, Look: n.Look})
	if err != nil {
		t.Fatal(err)
	}
	watch.Look(t.Context())
	pages, err := n.OperatorPages(watch)
	if err != nil {
		t.Fatal(err)
	}
	operator, public := web.Operator(s.handler, pages), web.Public(s.handler)
	get := func(h http.Handler, path string) (int, string) {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "127.0.0.1:9101"
		r.Header.Set("Accept-Language", "en")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	for path, wants := range map[string][]string{
		"/":            {"How knoop-1 is doing", "All is well", "1 of the 1 nodes that vote"},
		"/status.json": {`"problems":[]`, `"voters":1`, `"disk_free_bytes":`},
		"/readyz":      {"ready"},
		"/metrics":     {"paspoort_node_voters_reached 1", "paspoort_node_has_leader 1", `paspoort_node_events_total{outcome="committed"}`, "paspoort_node_commit_seconds_bucket", "paspoort_node_checkpoint_age_seconds", "paspoort_node_data_bytes", `paspoort_node_ending{what="certificate"} 0`},
	} {
		code, body := get(operator, path)
		for _, want := range wants {
			if code != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s: got %d, no %q in\n%s", path, code, want, body)
			}
		}
	}
	for _, path := range []string{"/status.json", "/metrics"} {
		if code, _ := get(public, path); code != http.StatusNotFound {
			t.Errorf("%s is public: got %d", path, code)
		}
	}
	_, raw := get(operator, "/status.json")
	var status operatorStatus
	if err := json.Unmarshal([]byte(raw), &status); err != nil || status.Status.Leader != "knoop-1" {
		t.Errorf("got %+v, %v", status, err)
	}
	// The page changes nothing: it takes no form, from nowhere.
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Host = "127.0.0.1:9101"
	w := httptest.NewRecorder()
	operator.ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("a post: got %d", w.Code)
	}
}

// lookFor lets a watch look every ten seconds of the bubble's time.
func lookFor(t *testing.T, w *operate.Watch, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Second) {
		w.Look(t.Context())
	}
}
