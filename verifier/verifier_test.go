package verifier_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/verifier"
)

const askSkills = `{"skills":["` + verzorgen + `",{"uri":"` + nobodyHas + `","label":"Vliegen"}],"purpose":"Wij zoeken iemand voor de zorg."`

// TestSkills is the main road: skills are asked, exactly those are shown, and the verdict says per skill who proved it.
func TestSkills(t *testing.T) {
	for _, variant := range []string{
		`}`, `,"response_mode":"direct_post"}`, `,"profile":"haip"}`, `,"profile":"diip"}`, `,"client_id_prefix":"decentralized_identifier"}`,
		`,"client_id_prefix":"redirect_uri"}`,
	} {
		t.Run(variant, func(t *testing.T) {
			s := newStage(t)
			made := s.ask(askSkills + variant)
			if got := s.read(made.ID).State; got != verifier.Waiting {
				t.Errorf("state %q, want waiting", got)
			}
			x := s.fetch(made.Invocation)
			if got := s.read(made.ID).State; got != verifier.Waiting {
				t.Errorf("the asker sees that the request was opened: %q", got)
			}
			if got := x.Request.Purpose(); got == nil || got.Purpose != "Wij zoeken iemand voor de zorg." || got.Region != s.region.Genesis {
				t.Errorf("purpose %+v", got)
			}
			token := s.answer(x)
			if _, err := s.wallet.Send(t.Context(), x, token); err != nil {
				t.Fatal(err)
			}
			done := s.read(made.ID)
			s.checkVerdict(done)
			if _, err := s.wallet.Send(t.Context(), x, token); !errors.Is(err, openid4vp.ErrFetch) {
				t.Errorf("the same answer again: %v, want it refused", err)
			}
		})
	}
}

// TestBothFormats: the same skill in the SD-JWT VC and in the W3C form; a wallet that holds both shows both, and they are the
// same holder's because they share a key.
func TestBothFormats(t *testing.T) {
	s := newStage(t)
	s.held = append(s.held, s.issuer.IssueAs(paspoort.FormatVCDM, paspoort.Opleiding, s.holder.Public(), func(map[string]any, *jose.Header) {}))
	made := s.ask(`{"skills":["` + verzorgen + `"],"formats":["dc+sd-jwt","vc+sd-jwt"],"names":true,"purpose":"Toets."}`)
	x := s.fetch(made.Invocation)
	token := s.answer(x)
	if len(token) != 2 {
		t.Fatalf("%d credential queries are answered, want both formats", len(token))
	}
	_, err := s.wallet.Send(t.Context(), x, token)
	must(t, err)
	got := s.read(made.ID)
	if got.Verdict.Outcome != paspoort.OK || got.Discarded != 0 || len(got.Verdict.Skills[0].Proofs) != 2 || got.Verdict.SameHolder.State != paspoort.OK {
		raw, _ := json.MarshalIndent(got, "", " ")
		t.Errorf("%s", raw)
	}
}

func (s *stage) checkVerdict(done request) {
	s.t.Helper()
	if done.State != verifier.Done || done.Verdict == nil {
		s.t.Fatalf("state %q, verdict %v", done.State, done.Verdict)
	}
	v := done.Verdict
	if len(v.Skills) != 2 {
		s.t.Fatalf("%d skills in the verdict, want the two asked: only matching elements are shown", len(v.Skills))
	}
	first, second := v.Skills[0], v.Skills[1]
	if first.State != paspoort.OK || first.Label != "Verzorgen" || len(first.Proofs) != 1 || first.Proofs[0].By.Organisation != s.issuer.ID {
		raw, _ := json.MarshalIndent(v, "", " ")
		s.t.Errorf("first skill %+v\n%s", first, raw)
	}
	if second.State != paspoort.Unknown || second.Code != "skill_not_shown" {
		s.t.Errorf("second skill %+v", second)
	}
	if v.Registry == nil || v.Registry.Region != s.region.Genesis {
		s.t.Errorf("registry %+v", v.Registry)
	}
}

// TestOpenedLooksLikeNeverSeen: whether the holder's wallet fetched the request, or the holder pressed the button, stands
// nowhere that the asker reads.
func TestOpenedLooksLikeNeverSeen(t *testing.T) {
	s := newStage(t)
	made := s.ask(askSkills + `}`)
	metrics := func() string {
		_, _, text := s.get(s.browser(), address+"/metrics")
		var ours []string
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "paspoort_") && !strings.Contains(line, `route="/metrics"`) {
				ours = append(ours, line)
			}
		}
		return strings.Join(ours, "")
	}
	answer := func() string {
		got := s.read(made.ID)
		return fmt.Sprint(got.State, got.Refusal, got.Invocation, got.Verdict)
	}
	look := map[string]func() string{"metrics": metrics, "API": answer}
	before := map[string]string{}
	for where, text := range look {
		before[where] = text()
	}
	before["metrics"] = metrics() // after the API was read
	lines := strings.Count(s.log.String(), "\n")
	s.fetch(made.Invocation)
	if status, location, _ := s.get(s.browser(), made.Page+"/open"); status != http.StatusSeeOther || location == "" {
		t.Fatalf("the button: %d", status)
	}
	if got := strings.Count(s.log.String(), "\n"); got != lines {
		t.Errorf("the log has %d lines more: %s", got-lines, s.log)
	}
	for _, where := range []string{"metrics", "API"} {
		if got := look[where](); got != before[where] {
			t.Errorf("%s: got\n%s\nwant\n%s", where, got, before[where])
		}
	}
}

func TestRefusalIsToldOnlyWhenTheHolderSaysSo(t *testing.T) {
	s := newStage(t)
	made := s.ask(askSkills + `}`)
	x := s.fetch(made.Invocation)
	if _, err := s.wallet.Refuse(t.Context(), x, openid4vp.AccessDenied, "Samira wil niet"); err != nil {
		t.Fatal(err)
	}
	got := s.read(made.ID)
	if got.State != verifier.Refused || got.Refusal != "access_denied" || got.Verdict != nil {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(s.dump(), "Samira") {
		t.Error("the words of the wallet were kept")
	}
}

func TestExpiry(t *testing.T) {
	s := newStage(t)
	made := s.ask(askSkills + `}`)
	x := s.fetch(made.Invocation)
	token := s.answer(x)
	s.clock.Advance(11 * time.Minute)
	if got := s.read(made.ID).State; got != verifier.Expired {
		t.Errorf("state %q, want expired", got)
	}
	if _, err := s.wallet.Send(t.Context(), x, token); err == nil {
		t.Error("an answer after the end was taken")
	}
	must(t, s.verifier.Sweep())
	if strings.Contains(s.dump(), "decryption_key") {
		t.Error("the decryption key of an expired request was kept")
	}
	s.clock.Advance(8 * 24 * time.Hour)
	// Also before it is swept nobody reads what is past its term.
	s.api("GET", "/api/v1/requests/"+made.ID, "", http.StatusNotFound, nil)
	must(t, s.verifier.Sweep())
	if got := s.dump(); strings.Contains(got, made.ID) {
		t.Errorf("kept past its term: %s", got)
	}
	s.api("GET", "/api/v1/requests/"+made.ID, "", http.StatusNotFound, nil)
}

// TestNothingDisclosedIsKept looks for the holder in the store, the log and the metrics.
func TestNothingDisclosedIsKept(t *testing.T) {
	s := newStage(t)
	made := s.ask(`{"skills":["` + verzorgen + `"],"names":true,"purpose":"Wij willen weten wie u bent."}`)
	x := s.fetch(made.Invocation)
	token := s.answer(x)
	if _, err := s.wallet.Send(t.Context(), x, token); err != nil {
		t.Fatal(err)
	}
	done := s.read(made.ID)
	if !done.Contents || done.Verdict.Credentials[0].Claims["family_name"] != sampleName {
		t.Errorf("the asker cannot read what was disclosed: %v", done.Verdict.Credentials[0].Claims)
	}
	_, _, shown := s.get(s.browser(), made.Page)
	_, _, metrics := s.get(s.browser(), address+"/metrics")
	for where, text := range map[string]string{"store": s.dump(), "log": s.log.String(), "page": shown, "metrics": metrics} {
		for _, secret := range []string{sampleName, "Samira", token["opleiding"][0][:60], "decryption_key"} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s holds %q", where, secret)
			}
		}
	}
	for where, text := range map[string]string{"log": s.log.String(), "metrics": metrics} {
		if strings.Contains(text, made.ID) {
			t.Errorf("the %s names a request", where)
		}
	}
	s.clock.Advance(16 * time.Minute)
	if got := s.read(made.ID); got.Contents || len(got.Verdict.Credentials[0].Claims) != 0 || len(got.Verdict.Skills) != 1 {
		t.Errorf("what was disclosed is still there: %v", got.Verdict.Credentials[0].Claims)
	}
	s.api("DELETE", "/api/v1/requests/"+made.ID, "", http.StatusNoContent, nil)
	if strings.Contains(s.dump(), made.ID) {
		t.Error("a deleted request is still in the store")
	}
}

func (s *stage) dump() string {
	s.t.Helper()
	var out strings.Builder
	must(s.t, s.store.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(k, v []byte) error {
			out.Write(k)
			out.Write(v)
			return nil
		})
	}))
	return out.String()
}

// TestSkillsThatNobodyAskedAreNotKept: a wallet that shows more than was asked leaves no trace of it in the store.
func TestSkillsThatNobodyAskedAreNotKept(t *testing.T) {
	s := newStage(t)
	made := s.ask(askSkills + `}`)
	x := s.fetch(made.Invocation)
	all := openid4vp.VPToken{"opleiding": {s.bind(s.held[0], x.Request.Nonce, string(x.Request.ClientID))}}
	_, err := s.wallet.Send(t.Context(), x, all)
	must(t, err)
	if got := s.read(made.ID).Verdict.Skills; len(got) <= 2 {
		t.Errorf("%d skills in the verdict while it is held, want those shown as well", len(got))
	}
	for _, secret := range []string{"Actief luisteren", sampleName} {
		if strings.Contains(s.dump(), secret) {
			t.Errorf("the store holds %q", secret)
		}
	}
}

// TestSameDevice: the verdict counts only when the browser that asked comes back with the response code.
func TestSameDevice(t *testing.T) {
	type outcome struct {
		state  verifier.State
		status int
	}
	cases := map[string]struct {
		other bool                         // another browser comes back
		edit  func(redirect string) string // of the address it comes back to
		want  outcome
	}{
		"same browser":    {false, func(r string) string { return r }, outcome{verifier.Done, http.StatusSeeOther}},
		"another browser": {true, func(r string) string { return r }, outcome{verifier.Rejected, http.StatusForbidden}},
		"another code":    {false, func(r string) string { return r + "x" }, outcome{verifier.Received, http.StatusSeeOther}},
		"no code":         {false, func(r string) string { return strings.Split(r, "?")[0] }, outcome{verifier.Received, http.StatusSeeOther}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			made := s.ask(askSkills + `}`)
			browser := s.browser()
			status, link, _ := s.get(browser, made.Page+"/open")
			if status != http.StatusSeeOther || !strings.HasPrefix(link, "openid4vp://?") {
				t.Fatalf("button: %d to %q", status, link)
			}
			x := s.fetch(link)
			redirect, err := s.wallet.Send(t.Context(), x, s.answer(x))
			must(t, err)
			if !strings.HasPrefix(redirect, made.Page+"/return?response_code=") {
				t.Fatalf("redirect_uri %q", redirect)
			}
			if got := s.read(made.ID); got.State != verifier.Received || got.Verdict != nil {
				t.Fatalf("before the browser came back: %q, verdict %v", got.State, got.Verdict)
			}
			if c.other {
				browser = s.browser()
			}
			if status, _, _ = s.get(browser, c.edit(redirect)); status != c.want.status {
				t.Errorf("return: %d, want %d", status, c.want.status)
			}
			got := s.read(made.ID)
			if got.State != c.want.state {
				t.Errorf("state %q, want %q", got.State, c.want.state)
			}
			if got.State == verifier.Done && got.Verdict.Flow != paspoort.SameDevice {
				t.Errorf("flow %q", got.Verdict.Flow)
			}
			if got.State != verifier.Done && got.Verdict != nil {
				t.Error("a verdict that does not count is shown")
			}
		})
	}
}

// TestButtonPressedTwice: a person who pressed again, because the wallet was slow, can answer what came first.
func TestButtonPressedTwice(t *testing.T) {
	for name, answered := range map[string]int{"the first": 0, "the second": 1} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			made, browser := s.ask(askSkills+`}`), s.browser()
			var links [2]string
			for n := range links {
				_, links[n], _ = s.get(browser, made.Page+"/open")
			}
			x := s.fetch(links[answered])
			redirect, err := s.wallet.Send(t.Context(), x, s.answer(x))
			must(t, err)
			if status, _, _ := s.get(browser, redirect); status != http.StatusSeeOther {
				t.Errorf("return: %d, want %d", status, http.StatusSeeOther)
			}
			if got := s.read(made.ID); got.State != verifier.Done {
				t.Errorf("state %q, want done", got.State)
			}
		})
	}
}

func TestNeverComingBackExpires(t *testing.T) {
	s := newStage(t)
	made := s.ask(askSkills + `}`)
	_, link, _ := s.get(s.browser(), made.Page+"/open")
	x := s.fetch(link)
	_, err := s.wallet.Send(t.Context(), x, s.answer(x))
	must(t, err)
	s.clock.Advance(11 * time.Minute)
	must(t, s.verifier.Sweep())
	if got := s.read(made.ID); got.State != verifier.Expired || got.Verdict != nil {
		t.Errorf("state %q, verdict %v", got.State, got.Verdict)
	}
	if strings.Contains(s.dump(), "Verzorgen") {
		t.Error("a verdict that never counted was kept")
	}
}

func TestOneAnswerClosesAllWays(t *testing.T) {
	s := newStage(t)
	made := s.ask(askSkills + `}`)
	_, link, _ := s.get(s.browser(), made.Page+"/open")
	button, code := s.fetch(link), s.fetch(made.Invocation)
	if button.Request.Nonce == code.Request.Nonce {
		t.Error("button and QR code share a nonce")
	}
	if _, err := s.wallet.Send(t.Context(), code, s.answer(code)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.wallet.Send(t.Context(), button, s.answer(button)); !errors.Is(err, openid4vp.ErrFetch) {
		t.Errorf("the second way: %v, want it closed", err)
	}
	if status, _, _ := s.get(s.browser(), made.Page+"/open"); status != http.StatusGone {
		t.Errorf("button after the answer: %d, want %d", status, http.StatusGone)
	}
}

func TestButtonIsBounded(t *testing.T) {
	s := newStage(t)
	made := s.ask(askSkills + `}`)
	last := 0
	for range 12 {
		last, _, _ = s.get(s.browser(), made.Page+"/open")
	}
	if last != http.StatusGone {
		t.Errorf("the twelfth press: %d, want %d", last, http.StatusGone)
	}
}

// TestAnswersThatDoNotFit: what was not asked is discarded or refused; a forged credential is judged, not hidden.
func TestAnswersThatDoNotFit(t *testing.T) {
	query := `{"dcql_query":{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["urn:paspoort:opleiding:1"]},
		"claims":[{"path":["title"]}]}]},"purpose":"Toets."}`
	cases := map[string]struct {
		token func(s *stage, x *openid4vp.Exchange) openid4vp.VPToken
		state verifier.State
	}{
		"what was asked": {func(s *stage, x *openid4vp.Exchange) openid4vp.VPToken { return s.answer(x) }, verifier.Done},
		"claim is missing": {func(s *stage, x *openid4vp.Exchange) openid4vp.VPToken {
			none, err := s.held[0].Select(func([]any, any) bool { return false })
			must(s.t, err)
			return openid4vp.VPToken{"a": {s.bind(none, x.Request.Nonce, string(x.Request.ClientID))}}
		}, verifier.Waiting},
		"another type": {func(s *stage, x *openid4vp.Exchange) openid4vp.VPToken {
			other := s.issuer.Issue(paspoort.Assessment, s.holder.Public())
			return openid4vp.VPToken{"a": {s.bind(other, x.Request.Nonce, string(x.Request.ClientID))}}
		}, verifier.Waiting},
		"another nonce": {func(s *stage, x *openid4vp.Exchange) openid4vp.VPToken {
			return openid4vp.VPToken{"a": {s.bind(s.held[0], "x", string(x.Request.ClientID))}}
		}, verifier.Waiting},
		"another audience": {func(s *stage, x *openid4vp.Exchange) openid4vp.VPToken {
			return openid4vp.VPToken{"a": {s.bind(s.held[0], x.Request.Nonce, "x509_hash:other")}}
		}, verifier.Waiting},
		"bound by another key": {func(s *stage, x *openid4vp.Exchange) openid4vp.VPToken {
			s.holder = key(s.t)
			return s.answer(x)
		}, verifier.Done},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			made := s.ask(query)
			x := s.fetch(made.Invocation)
			_, err := s.wallet.Send(context.Background(), x, c.token(s, x))
			got := s.read(made.ID)
			if got.State != c.state {
				t.Fatalf("state %q (%v), want %q", got.State, err, c.state)
			}
			if (err == nil) != (c.state == verifier.Done) {
				t.Errorf("the wallet was told %v", err)
			}
			if name == "bound by another key" && got.Verdict.Outcome != paspoort.Failed {
				t.Errorf("outcome %q, want failed", got.Verdict.Outcome)
			}
		})
	}
}

// TestEvidenceThatFails: without a verdict nothing is taken, nothing inside is told, and the holder can try again.
func TestEvidenceThatFails(t *testing.T) {
	s := newStage(t, func(c *verifier.Config) { c.Evidence = unused{} })
	made := s.ask(askSkills + `}`)
	x := s.fetch(made.Invocation)
	_, err := s.wallet.Send(t.Context(), x, s.answer(x))
	if err == nil || !strings.Contains(err.Error(), "500") || strings.Contains(err.Error(), "nobody answers here") {
		t.Errorf("the wallet was told %v", err)
	}
	if got := s.read(made.ID); got.State != verifier.Waiting || got.Verdict != nil {
		t.Errorf("state %q", got.State)
	}
	if !strings.Contains(s.log.String(), "nobody answers here") {
		t.Error("the cause is not in the log")
	}
}

func TestRevocationShows(t *testing.T) {
	s := newStage(t)
	must(t, s.issuer.List.Set(0, 1))
	made := s.ask(askSkills + `}`)
	x := s.fetch(made.Invocation)
	_, err := s.wallet.Send(t.Context(), x, s.answer(x))
	must(t, err)
	if got := s.read(made.ID).Verdict; got.Outcome != paspoort.Failed || got.Credentials[0].Status != "invalid" {
		t.Errorf("outcome %q, status %q", got.Outcome, got.Credentials[0].Status)
	}
}

func TestWellKnown(t *testing.T) {
	s := newStage(t)
	for path, want := range map[string]string{
		"/.well-known/did.json": "did:web:ossekamp.example.com", "/.well-known/jwks.json": `"keys"`, "/openapi.yaml": "openapi: 3.1.0", "/healthz": "ok",
	} {
		resp, err := s.http.Get(address + path)
		must(t, err)
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %.80s", path, resp.StatusCode, body)
		}
	}
}

// TestProtocolIsOpenToScripts: a wallet that is a page in a browser can reach the protocol, and nothing else.
func TestProtocolIsOpenToScripts(t *testing.T) {
	s := newStage(t)
	made := s.ask(askSkills + `}`)
	inv, err := openid4vp.ParseInvocation(made.Invocation)
	must(t, err)
	for target, want := range map[string]string{inv.RequestURI: "*", made.Page: "", address + "/api/v1/requests/" + made.ID: ""} {
		resp, err := s.http.Get(target)
		must(t, err)
		resp.Body.Close()
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: allows %q, want %q", target, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	s := newStage(t)
	good := verifier.Config{URL: "https://ossekamp.example", DIDKey: key(t), Evidence: nil, Store: kv.NewMemory()}
	cases := map[string]func(*verifier.Config){
		"no evidence":         func(*verifier.Config) {},
		"url with a path":     func(c *verifier.Config) { c.URL += "/x" },
		"url with a slash":    func(c *verifier.Config) { c.URL += "/" },
		"no url":              func(c *verifier.Config) { c.URL = "" },
		"no key":              func(c *verifier.Config) { c.DIDKey = nil },
		"key without a chain": func(c *verifier.Config) { c.AccessKey = key(t) },
		"no store":            func(c *verifier.Config) { c.Store = nil },
		"store of another":    func(c *verifier.Config) { c.Store = kv.NewMemory(); must(t, kv.CheckFormat(c.Store, "issuer", 1)) },
	}
	_ = s
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			c := good
			change(&c)
			if _, err := verifier.New(c); err == nil {
				t.Error("accepted")
			}
		})
	}
}
