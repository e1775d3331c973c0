package evidence_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/statuslist"
)

// stage is a region with one issuer, one holder and a verifier with its service.
type stage struct {
	t       *testing.T
	clock   *testkit.Clock
	region  *evidencetest.Region
	issuer  *evidencetest.Issuer
	web     *evidencetest.Web
	follow  *evidence.Follower
	service *evidence.Service
	holder  *jose.PrivateKey
}

const (
	audience = "x509_hash:linde"
	nonce    = "n-1"
)

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, clock: testkit.NewClock(time.Time{})}
	s.region = evidencetest.New(t, s.clock.Now)
	s.issuer = s.region.Issuer("devaart.example", paspoort.Opleiding)
	s.web = evidencetest.NewWeb(s.issuer)
	s.follow = s.region.Follower()
	s.service = s.serve(evidence.Config{Copies: []evidence.Copy{s.follow}, Fetch: s.web})
	var err error
	if s.holder, err = jose.Generate(jose.ES256); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) serve(c evidence.Config) *evidence.Service {
	s.t.Helper()
	c.Clock, c.Log = s.clock.Now, testkit.Logger(s.t)
	service, err := evidence.New(c)
	if err != nil {
		s.t.Fatal(err)
	}
	return service
}

// refresh brings the verifier's copy up to date.
func (s *stage) refresh() {
	s.t.Helper()
	if err := s.follow.Refresh(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// present binds a credential to this transaction; stamps are paspoort_timestamps.
func (s *stage) present(token *sdjwt.SDJWT, stamps ...any) string {
	s.t.Helper()
	kb := sdjwt.KeyBinding{Audience: audience, Nonce: nonce, IssuedAt: s.clock.Now()}
	if len(stamps) > 0 {
		kb.Extra = map[string]any{paspoort.TimestampsClaim: stamps}
	}
	shown, err := token.Bind(s.holder, kb)
	if err != nil {
		s.t.Fatal(err)
	}
	return shown.String()
}

func (s *stage) verify(texts ...string) paspoort.Verdict {
	s.t.Helper()
	return s.verifyWith(s.service, texts...)
}

func (s *stage) verifyWith(service *evidence.Service, texts ...string) paspoort.Verdict {
	s.t.Helper()
	r := evidence.Request{Flow: paspoort.SameDevice, Expected: &paspoort.Expected{Nonce: nonce, Audience: audience}}
	for _, text := range texts {
		r.Presentations = append(r.Presentations, evidence.Presentation{Query: "q", Text: text})
	}
	v, err := service.Verify(s.t.Context(), r)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// expect compares the checks of the first credential: "name=state/code".
func expect(t *testing.T, v paspoort.Verdict, want ...string) {
	t.Helper()
	if len(v.Credentials) == 0 {
		t.Fatal("no credential in the verdict")
	}
	got := map[string]string{"outcome": string(v.Outcome) + "/" + v.Code}
	for _, c := range v.Credentials[0].Checks {
		got[c.Name] = string(c.State) + "/" + c.Code
	}
	for _, w := range want {
		name, value, _ := strings.Cut(w, "=")
		if !strings.HasPrefix(got[name], value) {
			t.Errorf("%s is %s, want %s", name, got[name], value)
		}
	}
	if t.Failed() {
		t.Logf("all: %v", got)
	}
}

func TestVerifyGood(t *testing.T) {
	s := newStage(t)
	for _, f := range paspoort.Formats() {
		t.Run(string(f), func(t *testing.T) {
			token := s.issuer.IssueAs(f, paspoort.Opleiding, s.holder.Public(), func(map[string]any, *jose.Header) {})
			s.clock.Advance(10 * time.Minute) // the list in the cache is from before
			v := s.verify(s.present(token))
			expect(t, v, "outcome=ok", "signature=ok", "status=ok/status_valid", "issuer_admitted=ok/admitted",
				"withdrawal=ok", "holder_binding=ok", "nonce_audience=ok", "schema=ok")
			if v.Registry == nil || v.Registry.Region != s.region.Genesis || v.Registry.Trust != paspoort.OwnNodes {
				t.Errorf("registry %+v", v.Registry)
			}
			if got := v.Credentials[0].Issuer; got.Organisation != s.issuer.ID || got.KeySource != "x5c" {
				t.Errorf("issuer %+v", got)
			}
		})
	}
}

func TestVerifyBroken(t *testing.T) {
	s := newStage(t)
	token := s.issuer.Issue(paspoort.Opleiding, s.holder.Public())
	good := s.present(token)
	last := strings.LastIndexByte(good, '~')
	for _, tt := range []struct {
		name string
		text string
		want []string
	}{
		{"empty", "", []string{"outcome=failed", "format=failed/format_broken"}},
		{"not an SD-JWT", "hallo", []string{"format=failed/format_broken"}},
		{"one disclosure taken out after signing", strings.Replace(good, "~"+strings.Split(good, "~")[1], "", 1),
			[]string{"outcome=failed", "signature=ok", "holder_binding=failed/key_binding_invalid"}},
		{"without key binding", good[:last+1], []string{"outcome=failed", "holder_binding=failed/key_binding_missing"}},
		{"signature of the issuer changed", strings.Replace(good, "."+signatureOf(good), "."+signatureOf(s.present(s.issuer.Issue(paspoort.Opleiding, s.holder.Public()))), 1),
			[]string{"outcome=failed", "signature=failed/signature_invalid"}},
	} {
		t.Run(tt.name, func(t *testing.T) { expect(t, s.verify(tt.text), tt.want...) })
	}
	if _, err := s.service.Verify(t.Context(), evidence.Request{Presentations: make([]evidence.Presentation, 1000)}); err == nil {
		t.Error("a thousand at once accepted")
	}
}

func signatureOf(text string) string {
	jwt, _, _ := strings.Cut(text, "~")
	return jwt[strings.LastIndexByte(jwt, '.')+1:]
}

// TestVerifyIssuers: a good signature is not enough, whoever made it.
func TestVerifyIssuers(t *testing.T) {
	s := newStage(t)
	other := s.region.Issuer("ossekamp.example", paspoort.Werkervaring)
	strangers := evidencetest.New(t, s.clock.Now)
	stranger := strangers.Issuer("devaart.example", paspoort.Opleiding) // the same name, another region
	s.refresh()
	for _, tt := range []struct {
		name   string
		issue  func() *sdjwt.SDJWT
		checks []string
	}{
		{"a type it was not admitted for", func() *sdjwt.SDJWT { return other.Issue(paspoort.Opleiding, s.holder.Public()) },
			[]string{"outcome=failed", "signature=ok", "issuer_admitted=failed/not_admitted_on_day"}},
		{"of another region under the same name", func() *sdjwt.SDJWT { return stranger.Issue(paspoort.Opleiding, s.holder.Public()) },
			[]string{"outcome=failed", "signature=ok", "issuer_admitted=failed/key_not_recorded"}},
		{"own certificate, another's iss", func() *sdjwt.SDJWT {
			return other.IssueAs(paspoort.FormatSDJWTVC, paspoort.Werkervaring, s.holder.Public(), func(c map[string]any, _ *jose.Header) { c["iss"] = s.issuer.URL })
		}, []string{"outcome=failed", "signature=failed/issuer_key_mismatch"}},
		{"another's certificate", func() *sdjwt.SDJWT {
			return other.IssueAs(paspoort.FormatSDJWTVC, paspoort.Werkervaring, s.holder.Public(), func(c map[string]any, h *jose.Header) {
				c["iss"], h.X5C = s.issuer.URL, [][]byte{s.issuer.Cert.Raw}
			})
		}, []string{"outcome=failed", "signature=failed/signature_invalid"}},
		{"certificate that cannot be read", func() *sdjwt.SDJWT {
			return s.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, s.holder.Public(), func(_ map[string]any, h *jose.Header) { h.X5C = [][]byte{{1, 2, 3}} })
		}, []string{"outcome=failed", "signature=failed/issuer_key_unusable"}},
		{"did:web that is not to be had", func() *sdjwt.SDJWT {
			return s.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, s.holder.Public(), func(_ map[string]any, h *jose.Header) { h.X5C = nil })
		}, []string{"outcome=unknown", "signature=unknown/issuer_key_unavailable"}},
	} {
		t.Run(tt.name, func(t *testing.T) { expect(t, s.verify(s.present(tt.issue())), tt.checks...) })
	}
}

func TestVerifyByDID(t *testing.T) {
	s := newStage(t)
	s.web.Pages["https://devaart.example/.well-known/did.json"] = func() string {
		return `{"id":"did:web:devaart.example","verificationMethod":[{"id":"#1","type":"JsonWebKey","controller":"did:web:devaart.example","publicKeyJwk":` + jwk(t, s.issuer.Key) + `}],"assertionMethod":["#1"]}`
	}
	token := s.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, s.holder.Public(), func(_ map[string]any, h *jose.Header) { h.X5C = nil })
	for range 3 {
		v := s.verify(s.present(token))
		expect(t, v, "outcome=ok", "issuer_admitted=ok")
		if got := v.Credentials[0].Issuer.KeySource; got != "did:web" {
			t.Errorf("key source %q", got)
		}
	}
	if n := s.web.Fetched["https://devaart.example/.well-known/did.json"]; n != 1 {
		t.Errorf("did.json fetched %d times", n)
	}
	if n := s.web.Fetched[s.issuer.StatusURI]; n != 1 {
		t.Errorf("status list fetched %d times", n)
	}
}

// TestVerifyByMetadata: an issuer whose key is in its JWT VC Issuer Metadata (SD-JWT VC 3).
func TestVerifyByMetadata(t *testing.T) {
	s := newStage(t)
	token := s.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, s.holder.Public(), func(_ map[string]any, h *jose.Header) { h.X5C, h.KeyID = nil, "k1" })
	const at = "https://devaart.example/.well-known/jwt-vc-issuer"
	key := `{"kid":"k1",` + jwk(t, s.issuer.Key)[1:]
	for _, tt := range []struct{ name, page, want string }{
		{"good", `{"issuer":"https://devaart.example","jwks":{"keys":[` + key + `]}}`, "signature=ok"},
		{"of another issuer", `{"issuer":"https://ossekamp.example","jwks":{"keys":[` + key + `]}}`, "signature=unknown/issuer_key_unavailable"},
		{"without the key", `{"issuer":"https://devaart.example","jwks":{"keys":[]}}`, "signature=unknown/issuer_key_unavailable"},
		{"not JSON", `<html>`, "signature=unknown/issuer_key_unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.web.Pages[at] = func() string { return tt.page }
			fresh := s.serve(evidence.Config{Copies: []evidence.Copy{s.follow}, Fetch: s.web})
			v := s.verifyWith(fresh, s.present(token))
			expect(t, v, tt.want)
			if tt.name == "good" {
				expect(t, v, "outcome=ok", "issuer_admitted=ok")
			}
		})
	}
}

func jwk(t *testing.T, key *jose.PrivateKey) string {
	raw, err := jose.Key{Public: key.Public()}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestVerifyStatus: the road of demo step 7, and what lists cannot do.
func TestVerifyStatus(t *testing.T) {
	s := newStage(t)
	token := s.issuer.Issue(paspoort.Opleiding, s.holder.Public())
	set := func(value statuslist.Status) {
		t.Helper()
		if err := s.issuer.List.Set(0, value); err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(11 * time.Minute) // the ttl of the list has passed
	}
	expect(t, s.verify(s.present(token)), "outcome=ok", "status=ok")
	set(statuslist.Suspended)
	expect(t, s.verify(s.present(token)), "outcome=failed", "status=failed/suspended")
	set(statuslist.Valid)
	expect(t, s.verify(s.present(token)), "outcome=ok", "status=ok")
	set(statuslist.Invalid)
	expect(t, s.verify(s.present(token)), "outcome=failed", "status=failed/revoked")

	t.Run("a list from before does not undo it", func(t *testing.T) {
		if err := s.issuer.List.Set(0, statuslist.Valid); err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(-30 * time.Minute)
		replayed := s.issuer.StatusToken()
		s.clock.Advance(45 * time.Minute)
		s.web.Pages[s.issuer.StatusURI] = func() string { return replayed }
		expect(t, s.verify(s.present(token)), "status=failed/revoked")
	})
	t.Run("the issuer is down", func(t *testing.T) {
		s.web.Down = true
		s.clock.Advance(time.Hour)
		expect(t, s.verify(s.present(token)), "status=failed/revoked")
		fresh := s.serve(evidence.Config{Copies: []evidence.Copy{s.follow}, Fetch: s.web})
		expect(t, s.verifyWith(fresh, s.present(token)), "outcome=unknown", "status=unknown/status_not_available")
	})
}

func TestVerifyStatusSigners(t *testing.T) {
	s := newStage(t)
	other := s.region.Issuer("ossekamp.example", paspoort.Werkervaring)
	s.refresh()
	token := s.issuer.Issue(paspoort.Opleiding, s.holder.Public())
	for _, tt := range []struct {
		name string
		page func() string
		want string
	}{
		{"its own", s.issuer.StatusToken, "status=ok"},
		{"of another issuer", func() string { return relabel(s, other) }, "status=unknown/status_"},
		{"with the certificate for credentials", func() string { return s.issuer.SignStatus(s.issuer.Key, s.issuer.Cert, s.issuer.StatusURI) }, "status=unknown/status_"},
		{"about another address", func() string { return s.issuer.SignStatus(s.issuer.Key, s.issuer.Cert, s.issuer.StatusURI+"0") }, "status=unknown/status_not_available"},
		{"not a token", func() string { return "<html>" }, "status=unknown/status_not_available"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.web.Pages[s.issuer.StatusURI] = tt.page
			fresh := s.serve(evidence.Config{Copies: []evidence.Copy{s.follow}, Fetch: s.web})
			expect(t, s.verifyWith(fresh, s.present(token)), tt.want)
		})
	}
}

// relabel signs a list of one issuer with the status key of another.
func relabel(s *stage, other *evidencetest.Issuer) string {
	uri := other.StatusURI
	other.StatusURI = s.issuer.StatusURI
	defer func() { other.StatusURI = uri }()
	return other.StatusToken()
}

// TestVerifyWithdrawal is the second half of demo step 7.
func TestVerifyWithdrawal(t *testing.T) {
	s := newStage(t)
	token := s.issuer.Issue(paspoort.Opleiding, s.holder.Public())
	stamps := []any{s.region.Timestamp("knoop-1", token.IssuerJWT()), s.region.Timestamp("knoop-3", token.IssuerJWT())}
	later := s.issuer.Issue(paspoort.Opleiding, s.holder.Public())
	fraudFrom := s.clock.Now().Add(24 * time.Hour)
	s.clock.Advance(48 * time.Hour)
	late := []any{s.region.Timestamp("knoop-1", later.IssuerJWT()), s.region.Timestamp("knoop-3", later.IssuerJWT())}

	s.region.Withdraw(s.issuer.ID, false, time.Time{})
	s.clock.Advance(time.Hour)
	s.refresh()
	expect(t, s.verify(s.present(token, stamps...)), "outcome=ok", "issuer_admitted=ok/admitted_then", "withdrawal=ok/withdrawn_since", "signing_day=ok/timestamped")
	expect(t, s.verify(s.present(token)), "outcome=unknown", "issuer_admitted=unknown/signing_day_unknown")
	expect(t, s.verify(s.present(token, stamps[0])), "outcome=unknown", "issuer_admitted=unknown/signing_day_unknown")
	expect(t, s.verify(s.present(token, late...)), "outcome=unknown")     // of another credential
	expect(t, s.verify(s.present(token, "x", 1, nil)), "outcome=unknown") // rubbish can only not help

	s.region.Withdraw(s.issuer.ID, true, fraudFrom)
	s.clock.Advance(time.Hour)
	s.refresh()
	expect(t, s.verify(s.present(token, stamps...)), "withdrawal=ok/existed_before_fraud")
	expect(t, s.verify(s.present(token)), "outcome=failed", "withdrawal=failed/withdrawn_for_fraud")
	expect(t, s.verify(s.present(later, late...)), "outcome=failed", "withdrawal=failed/withdrawn_for_fraud")
}

// TestVerifyOffline is demo step 8: a snapshot, a folder, no network.
func TestVerifyOffline(t *testing.T) {
	s := newStage(t)
	token := s.issuer.Issue(paspoort.Opleiding, s.holder.Public())
	snapshot, list := s.region.Snapshot(), s.issuer.StatusToken()
	s.clock.Advance(time.Hour)

	kept, err := evidence.ReadSnapshot(strings.NewReader(string(snapshot)), s.region.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"devaart-1.jwt": {Data: []byte(list + "\n")}, ".hidden": {Data: []byte("x")}}
	with := s.serve(evidence.Config{Copies: []evidence.Copy{kept}, StatusDir: files})
	v := s.verifyWith(with, s.present(token))
	expect(t, v, "outcome=ok", "status=ok", "issuer_admitted=ok")
	if v.Registry.Source != "snapshot" || v.Registry.AgeSeconds != 3600 {
		t.Errorf("registry %+v", v.Registry)
	}
	without := s.serve(evidence.Config{Copies: []evidence.Copy{kept}})
	expect(t, s.verifyWith(without, s.present(token)), "outcome=unknown", "status=unknown/status_not_available", "issuer_admitted=ok")

	nothing := s.serve(evidence.Config{})
	expect(t, s.verifyWith(nothing, s.present(token)), "outcome=unknown", "signature=ok", "issuer_admitted=unknown/registry_absent")

	s.clock.Advance(10 * 24 * time.Hour)
	expect(t, s.verifyWith(with, s.present(token)), "outcome=unknown", "issuer_admitted=unknown/registry_too_old", "status=unknown/status_too_old")
	past, err := with.Verify(t.Context(), evidence.Request{At: s.clock.Now().Add(-10 * 24 * time.Hour), Flow: paspoort.File,
		Presentations: []evidence.Presentation{{Text: token.String()}}})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, past, "issuer_admitted=ok", "status=ok", "holder_binding=unknown/holder_not_shown")

	strangers := evidencetest.New(t, s.clock.Now)
	if _, err := evidence.ReadSnapshot(strings.NewReader(string(snapshot)), strangers.Genesis); err == nil {
		t.Error("snapshot of another region accepted")
	}
	if _, err := evidence.New(evidence.Config{StatusDir: fstest.MapFS{"x": {Data: []byte("rubbish")}}}); err == nil {
		t.Error("a file that is no status token passed over")
	}
}

// TestVerifyRegions: the region that knows the issuer is the one relied on.
func TestVerifyRegions(t *testing.T) {
	s := newStage(t)
	other := evidencetest.New(t, s.clock.Now)
	both := s.serve(evidence.Config{Copies: []evidence.Copy{other.Follower(), s.follow}, Fetch: s.web})
	v := s.verifyWith(both, s.present(s.issuer.Issue(paspoort.Opleiding, s.holder.Public())))
	expect(t, v, "outcome=ok", "issuer_admitted=ok")
	if v.Registry.Region != s.region.Genesis {
		t.Errorf("relied on %s", v.Registry.Region)
	}
	if _, err := evidence.New(evidence.Config{Copies: []evidence.Copy{s.follow, s.follow}}); err == nil {
		t.Error("two copies of one region accepted")
	}
	standing, err := both.Admission(t.Context(), registry.Question{Lookup: registry.Lookup{URL: s.issuer.URL}, Role: registry.Issuer, At: s.clock.Now()})
	if err != nil || !standing.Admitted || standing.Registry.Region != s.region.Genesis {
		t.Errorf("standing %+v, %v", standing, err)
	}
}

// TestVerifyTwoRegionsAtOnce: each credential of an answer is judged by the region that knows
// its issuer; an issuer that none knows is in none.
func TestVerifyTwoRegionsAtOnce(t *testing.T) {
	s := newStage(t)
	other, third := evidencetest.New(t, s.clock.Now), evidencetest.New(t, s.clock.Now)
	far := other.Issuer("ossekamp.example", paspoort.Werkervaring)
	stranger := third.Issuer("elders.example", paspoort.Werkervaring)
	for _, i := range []*evidencetest.Issuer{far, stranger} {
		s.web.Pages[i.StatusURI] = i.StatusToken
	}
	farCopy := other.Follower()
	both := s.serve(evidence.Config{Copies: []evidence.Copy{s.follow, farCopy}, Fetch: s.web})
	here := s.present(s.issuer.Issue(paspoort.Opleiding, s.holder.Public()))
	there := s.present(far.Issue(paspoort.Werkervaring, s.holder.Public()))

	for name, texts := range map[string][]string{"here first": {here, there}, "there first": {there, here}} {
		v := s.verifyWith(both, texts...)
		if v.Outcome != paspoort.OK || v.Registry.Region != s.region.Genesis || len(v.Registries) != 1 || v.Registries[0].Region != other.Genesis {
			t.Errorf("%s: %s, registry %+v, others %+v", name, v.Outcome, v.Registry, v.Registries)
		}
		for _, c := range v.Credentials {
			want := map[paspoort.Type]string{paspoort.Opleiding: s.region.Genesis, paspoort.Werkervaring: other.Genesis}[c.Type]
			if c.Issuer.Region != want || c.Outcome != paspoort.OK {
				t.Errorf("%s: %s of region %s is %s", name, c.Type, c.Issuer.Region, c.Outcome)
			}
		}
	}
	if v := s.verifyWith(both, there); v.Registry.Region != other.Genesis || v.Registries != nil {
		t.Errorf("one region: registry %+v, others %+v", v.Registry, v.Registries)
	}
	v := s.verifyWith(both, s.present(stranger.Issue(paspoort.Werkervaring, s.holder.Public())), there)
	expect(t, v, "issuer_admitted=failed/issuer_not_in_region", "status=unknown/issuer_not_in_region")
	if v.Credentials[1].Outcome != paspoort.OK {
		t.Errorf("beside a stranger: %+v", v.Credentials[1])
	}
	if s.web.Fetched[stranger.StatusURI] != 0 {
		t.Error("the list of a stranger was fetched")
	}

	// The age of each region's copy counts for its own credentials.
	s.clock.Advance(8 * 24 * time.Hour)
	s.refresh()
	v = s.verifyWith(both, s.present(s.issuer.Issue(paspoort.Opleiding, s.holder.Public())), s.present(far.Issue(paspoort.Werkervaring, s.holder.Public())))
	expect(t, v, "withdrawal=ok")
	for _, c := range v.Credentials[1].Checks {
		if c.Name == paspoort.CheckWithdrawal && c.Code != "registry_too_old" {
			t.Errorf("withdrawal by the old copy: %s %s", c.State, c.Code)
		}
	}
}

// TestVerifySelfDeclared: own words, signed with the slot key at presentation.
func TestVerifySelfDeclared(t *testing.T) {
	s := newStage(t)
	declare := func(signer *jose.PrivateKey) string {
		t.Helper()
		issuer := *s.issuer
		issuer.Key = signer
		token := issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Zelfverklaring, s.holder.Public(), func(c map[string]any, h *jose.Header) {
			id := didJWK(t, signer)
			c["iss"], h.KeyID, h.X5C = id, id+"#0", nil
			delete(c, "status")
		})
		return s.present(token)
	}
	expect(t, s.verify(declare(s.holder)), "outcome=ok", "signature=ok", "issuer_admitted=ok/self_said", "status=ok/status_not_used")
	other, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, s.verify(declare(other)), "outcome=failed", "issuer_admitted=failed/self_signed_by_other")
}

func didJWK(t *testing.T, key *jose.PrivateKey) string {
	t.Helper()
	id, err := did.JWK(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestVerifyFetchesLittle: what leaves is the address of a list or a document, and of a list
// only when the issuer signed it.
func TestVerifyFetchesLittle(t *testing.T) {
	s := newStage(t)
	good := s.present(s.issuer.Issue(paspoort.Opleiding, s.holder.Public()))
	other := s.present(s.issuer.Issue(paspoort.Opleiding, s.holder.Public()))
	s.verify(strings.Replace(good, "."+signatureOf(good), "."+signatureOf(other), 1), "rubbish~", good[:len(good)/2])
	if len(s.web.Fetched) != 0 {
		t.Errorf("fetched %v for credentials that the issuer did not sign", s.web.Fetched)
	}
	s.verify(good)
	if len(s.web.Fetched) != 1 || s.web.Fetched[s.issuer.StatusURI] != 1 {
		t.Errorf("fetched %v, want the status list only", s.web.Fetched)
	}
}

// slow is a web that never answers in time.
type slow struct{}

func (slow) Get(ctx context.Context, _ string, _ ...string) ([]byte, string, error) {
	<-ctx.Done()
	return nil, "", ctx.Err()
}

func TestVerifyHasPatience(t *testing.T) {
	s := newStage(t)
	var shown []evidence.Presentation
	for range 5 {
		shown = append(shown, evidence.Presentation{Text: s.present(s.issuer.Issue(paspoort.Opleiding, s.holder.Public()))})
	}
	synctest.Test(t, func(t *testing.T) {
		service, err := evidence.New(evidence.Config{Copies: []evidence.Copy{s.follow}, Fetch: slow{}, Clock: s.clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		v, err := service.Verify(t.Context(), evidence.Request{Presentations: shown})
		if err != nil || time.Since(start) > 25*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		expect(t, v, "signature=ok", "status=unknown/status_not_available")
		synctest.Wait()
	})
}
