package node

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
)

// TestCheckSeveral: a file of several proofs, one a line, is several proofs and not a forged
// one, however its lines end; each is judged and told by itself.
func TestCheckSeveral(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	region := evidencetest.New(t, clock.Now)
	issuer := region.Issuer("devaart.example.com", paspoort.Opleiding)
	follower := region.Follower()
	if err := follower.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	service, err := evidence.New(evidence.Config{Copies: []evidence.Copy{follower}, Fetch: evidencetest.NewWeb(issuer), Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	holder, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	real := issuer.Issue(paspoort.Opleiding, holder.Public()).String()
	another := issuer.Issue(paspoort.Opleiding, holder.Public()).String()
	head, rest, _ := strings.Cut(real, "~")
	forged := head[:len(head)-8] + "AAAAAAAA~" + rest

	s := newAPIStage(t, nil)
	s.node().checker = service
	for _, c := range []struct {
		name, text  string
		credentials int
		failed      int
		says        string
	}{
		{"one", real, 1, 0, "Dit bewijs is echt."},
		{"one with a line end", real + "\r\n", 1, 0, "Dit bewijs is echt."},
		{"a file of two", real + "\n" + another + "\n", 2, 0, "Alle 2 bewijzen zijn echt."},
		{"blank lines and CRLF", "\r\n" + real + "\r\n\r\n \t" + another + "\r\n\r\n", 2, 0, "Alle 2 bewijzen zijn echt."},
		{"a forged one among them", real + "\n" + forged + "\n" + another, 3, 1, "1 van de 3 bewijzen klopt niet"},
		{"one that is none", "e30.e30.AA~", 1, 1, "Dit is geen geldig bewijs"},
		{"as many as fit", strings.Repeat(real+"\n", mostChecked), mostChecked, 0, "Alle 25 bewijzen zijn echt."},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := s.call("POST", "/check", "application/x-www-form-urlencoded", url.Values{"credential": {c.text}}.Encode())
			page := w.Body.String()
			if w.Code != http.StatusOK || strings.Count(page, `<article class="card checked`) != c.credentials {
				t.Errorf("the page: %d, %s", w.Code, page)
			}
			if !strings.Contains(page, c.says) {
				t.Errorf("it does not say %q: %s", c.says, page)
			}
			if numbered := strings.Count(page, `<p class="small">Bewijs `); c.credentials == 1 && numbered != 0 || c.credentials > 1 && numbered != c.credentials {
				t.Errorf("%d have a number above them", numbered)
			}
			for _, member := range []string{"credential", "presentation"} {
				body, err := json.Marshal(map[string]string{member: c.text})
				if err != nil {
					t.Fatal(err)
				}
				w := s.call("POST", "/v1/verify", "application/json", string(body))
				var verdict paspoort.Verdict
				if err := json.Unmarshal(w.Body.Bytes(), &verdict); err != nil || w.Code != http.StatusOK {
					t.Fatalf("%s: %d %v", member, w.Code, err)
				}
				failed := 0
				for _, v := range verdict.Credentials {
					if v.Outcome == paspoort.Failed {
						failed++
					}
				}
				if len(verdict.Credentials) != c.credentials || failed != c.failed {
					t.Errorf("%s: %d credentials, %d failed", member, len(verdict.Credentials), failed)
				}
			}
		})
	}
}

// TestCheckBounds: too many are refused with a sentence, and white space is nothing.
func TestCheckBounds(t *testing.T) {
	s := newAPIStage(t, nil)
	form := func(text string) string { return url.Values{"credential": {text}}.Encode() }
	if w := s.call("POST", "/check", "application/x-www-form-urlencoded", form(strings.Repeat("e30.e30.AA~\n", mostChecked+1))); w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "hoogstens 25 bewijzen") {
		t.Errorf("too many: %d %s", w.Code, w.Body)
	}
	if w := s.call("POST", "/check", "application/x-www-form-urlencoded", form(" \r\n\t")); w.Code != http.StatusBadRequest {
		t.Errorf("white space: %d", w.Code)
	}
	for body, want := range map[string]int{
		`{"credential":" \n"}`: http.StatusBadRequest,
		`{"credential":"` + strings.Repeat(`e30.e30.AA~\n`, 65) + `"}`: http.StatusRequestEntityTooLarge,
		`{"credential":"` + strings.Repeat(`e30.e30.AA~\n`, 64) + `"}`: http.StatusOK,
	} {
		if w := s.call("POST", "/v1/verify", "application/json", body); w.Code != want {
			t.Errorf("%.60s: %d, want %d", body, w.Code, want)
		}
	}
}
