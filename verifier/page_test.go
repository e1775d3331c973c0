package verifier_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/verifier"
)

// TestRequestPage walks one request from question to outcome as a person sees it, without script.
func TestRequestPage(t *testing.T) {
	s := newStage(t)
	made := s.ask(askSkills + `}`)
	browser := s.browser()
	shows := func(want ...string) string {
		t.Helper()
		status, _, body := s.get(browser, made.Page)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("the page does not say %q", text)
			}
		}
		return body
	}
	waiting := shows("Wij zoeken iemand voor de zorg.", "Vliegen", verzorgen, "/qr.svg", `class="button" href="`+made.Page[len(address):]+`/open?wallet=1"`, `class="button quiet" href="`+made.Page[len(address):]+`/open"`, "Er wordt niet om uw naam gevraagd.")
	if strings.Contains(waiting, "openid4vp://") {
		t.Error("the page gives out the invocation of the QR code as text")
	}
	if status, _, body := s.get(browser, made.Page+"/qr.svg"); status != http.StatusOK || !strings.Contains(body, "<svg") {
		t.Errorf("QR code: %d", status)
	}
	if status, link, _ := s.get(browser, made.Page+"/open?wallet=1"); status != http.StatusSeeOther || !strings.HasPrefix(link, "https://wallet.example/present?client_id=") {
		t.Errorf("wallet host: %d %s", status, link)
	}
	if status, _, _ := s.get(browser, made.Page+"/open?wallet=7"); status != http.StatusNotFound {
		t.Errorf("unknown wallet host: %d", status)
	}
	x := s.fetch(made.Invocation)
	_, err := s.wallet.Send(t.Context(), x, s.answer(x))
	must(t, err)
	done := shows("Verzorgen", "aangetoond", "Opleidingshuis devaart.example", "Regio Aakermonde", "niet getoond", "Niet alles is getoond.", "2 maart 2026")
	if strings.Contains(done, sampleName) {
		t.Error("the page names the holder")
	}
	if status, _, _ := s.get(browser, made.Page+"/qr.svg"); status != http.StatusGone {
		t.Errorf("QR code of an answered request: %d, want %d", status, http.StatusGone)
	}
	if _, _, body := s.get(browser, made.Page+"?lang=en"); !strings.Contains(body, "Issued by") {
		t.Error("no English")
	}
}

func TestPagesThatAreNotThere(t *testing.T) {
	s := newStage(t)
	long := strings.Repeat("x", kv.MaxKey)
	for path, want := range map[string]int{
		"/r/" + long: http.StatusGone, "/r/" + long + "/open": http.StatusGone, "/openid4vp/request/" + long: http.StatusNotFound,
		"/": http.StatusOK, "/nowhere": http.StatusNotFound, "/r/unknown": http.StatusGone, "/r/unknown/qr.svg": http.StatusGone,
		"/r/unknown/open": http.StatusGone, "/r/unknown/return?response_code=x": http.StatusGone,
	} {
		if status, _, _ := s.get(s.browser(), address+path); status != want {
			t.Errorf("%.40s: %d, want %d", path, status, want)
		}
	}
	if strings.Contains(s.log.String(), `"ERROR"`) {
		t.Errorf("a stranger can fill the log with errors:\n%s", s.log)
	}
}

// TestTwoAnswersAtOnce: of answers that arrive together one counts, and every other is told so.
func TestTwoAnswersAtOnce(t *testing.T) {
	s := newStage(t)
	made := s.ask(askSkills + `}`)
	x := s.fetch(made.Invocation)
	token := s.answer(x)
	var group sync.WaitGroup
	taken := make(chan bool, 8)
	for range cap(taken) {
		group.Go(func() {
			_, err := s.wallet.Send(t.Context(), x, token)
			taken <- err == nil
		})
	}
	group.Wait()
	close(taken)
	count := 0
	for ok := range taken {
		if ok {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d answers were taken, want 1", count)
	}
	if got := s.read(made.ID).State; got != verifier.Done {
		t.Errorf("state %q", got)
	}
}

// TestAnswerSurvivesARestart: what is kept is enough for a new process on the same store to take the answer.
func TestAnswerSurvivesARestart(t *testing.T) {
	s := newStage(t)
	made := s.ask(askSkills + `}`)
	x := s.fetch(made.Invocation)
	s.restart()
	_, err := s.wallet.Send(t.Context(), x, s.answer(x))
	must(t, err)
	s.checkVerdict(s.read(made.ID))
	s.restart()
	got := s.read(made.ID)
	s.checkVerdict(got)
	if got.Contents {
		t.Error("what was disclosed outlived the process")
	}
}

// TestRunForgets: the running role forgets on its own, and leaves nothing running when it is stopped.
func TestRunForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kv.NewMemory()
		v, err := verifier.New(verifier.Config{
			URL: address, DIDKey: key(t), Evidence: unused{}, Store: store, AdminToken: adminToken, KeepVerdict: time.Hour,
		})
		must(t, err)
		call := func(method, path, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+adminToken)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			v.Handler().ServeHTTP(w, r)
			return w
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- v.Run(ctx) }()
		location := call("POST", "/api/v1/requests", askSkills+`}`).Header().Get("Location")
		path := strings.TrimPrefix(location, address)
		time.Sleep(59 * time.Minute)
		if got := call("GET", path, "").Code; got != http.StatusOK {
			t.Errorf("within its term: %d", got)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := call("GET", path, "").Code; got != http.StatusNotFound {
			t.Errorf("after its term: %d, want %d", got, http.StatusNotFound)
		}
		must(t, store.View(func(tx kv.Tx) error {
			return tx.Scan([]byte("request/"), func(k, _ []byte) error { return fmt.Errorf("%s is still in the store", k) })
		}))
		stop()
		must(t, <-ended)
	})
}

// unused is evidence for a test in which nobody answers.
type unused struct{}

func (unused) Verify(context.Context, evidence.Request) (paspoort.Verdict, error) {
	return paspoort.Verdict{}, errors.New("nobody answers here")
}

// TestRequestForAWallet: whoever pastes the address of the page in a wallet gets what the
// QR code says, and nothing of what the page shows besides; later why there is nothing.
func TestRequestForAWallet(t *testing.T) {
	s := newStage(t)
	made := s.ask(askSkills + `}`)
	get := func(id string) (int, map[string]any) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/r/"+id, nil)
		must(t, err)
		r.Header.Set("Accept", "application/json")
		resp, err := s.http.Do(r)
		must(t, err)
		defer resp.Body.Close()
		var body map[string]any
		must(t, json.NewDecoder(resp.Body).Decode(&body))
		return resp.StatusCode, body
	}
	if status, body := get(made.ID); status != http.StatusOK || len(body) != 1 || body["invocation"] != made.Invocation {
		t.Errorf("open: %d %v", status, body)
	}
	if status, body := get("unknown"); status != http.StatusNotFound || body["error"] != "invalid_request_uri" {
		t.Errorf("unknown: %d %v", status, body)
	}
	s.clock.Advance(time.Hour)
	if status, body := get(made.ID); status != http.StatusGone || body["error"] != "invalid_request_uri" {
		t.Errorf("expired: %d %v", status, body)
	}
}
