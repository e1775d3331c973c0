package issuer

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/statuslist"
)

func TestIssuanceOfEveryConfiguration(t *testing.T) {
	r := newRig(t)
	for _, id := range r.configurations() {
		t.Run(id, func(t *testing.T) {
			o := r.offer(id, true)
			if len(o.TxCode) != 6 || !strings.HasPrefix(o.CredentialOfferURI, testURL+"/") {
				t.Fatalf("offer: got %+v", o)
			}
			h := r.accept(o, 10)
			if len(h.copies) != 10 {
				t.Fatalf("copies: got %d, want 10", len(h.copies))
			}
			_, format, err := paspoort.ParseConfigurationID(id)
			if err != nil {
				t.Fatal(err)
			}
			for n, c := range h.copies {
				checkCopy(t, r, format, c, h.keys[n])
			}
		})
	}
}

// checkCopy verifies one copy as a wallet does.
func checkCopy(t *testing.T, r *rig, format paspoort.Format, credential string, key openid4vci.ProofKey) {
	t.Helper()
	token, err := sdjwt.Parse(credential)
	if err != nil {
		t.Fatal(err)
	}
	h := token.Header()
	if h.Type != string(format) || h.KeyID != r.credentialKeyID || len(h.X5C) != 1 {
		t.Errorf("header: got typ %q, kid %q, %d certificates", h.Type, h.KeyID, len(h.X5C))
	}
	chain, err := jose.ParseCertificates(h.X5C)
	if err != nil || len(chain[0].URIs) != 1 || chain[0].URIs[0].String() != testURL {
		t.Errorf("certificate: %v", err)
	}
	if err := token.VerifyIssuer(r.config.CredentialKey.Public(), jose.ES256); err != nil {
		t.Error(err)
	}
	claims, err := token.Claims()
	if err != nil {
		t.Fatal(err)
	}
	if holder, ok := paspoort.HolderKey(claims); !ok || !jose.SameKey(holder, key.Signer.Public()) {
		t.Error("the copy is bound to another key")
	}
	cnf, _ := claims["cnf"].(map[string]any)
	if cnf["kid"] != key.KeyID || cnf["jwk"] == nil {
		t.Errorf("cnf: got %v", cnf)
	}
	if c, err := paspoort.Read(claims); err != nil || c.Text("family_name") == "" {
		t.Errorf("content: %v", err)
	}
	if got := r.status(credential); got != statuslist.Valid {
		t.Errorf("status at once: got %v, want valid", got)
	}
}

// TestCopiesShareNothing: what is in clear in two copies of one credential must not
// tie them to one person: equal is only what all credentials of the issuer and type
// have in common.
func TestCopiesShareNothing(t *testing.T) {
	r := newRig(t)
	h := r.accept(r.offer(opleiding, false), 10)
	other := r.accept(r.offer(opleiding, false), 1)
	common := clear(t, other.copies[0])
	seen := map[string]int{}
	for _, c := range h.copies {
		for value := range clear(t, c) {
			seen[value]++
		}
	}
	for value, n := range seen {
		// All offers have the sample's content, so what is equal here is also in the other
		// person's credential.
		if _, everywhere := common[value]; n > 1 && !everywhere {
			t.Errorf("%d copies share %s", n, value)
		}
	}
	indices := map[statuslist.Reference]bool{}
	for _, c := range h.copies {
		indices[r.reference(c)] = true
	}
	if len(indices) != len(h.copies) {
		t.Errorf("status entries: got %d, want %d", len(indices), len(h.copies))
	}
}

// TestCopiesOfTwoPeopleLookAlike: the issuer-signed JWT of somebody with few claims
// has the length and the number of digests of one with many, in both formats.
func TestCopiesOfTwoPeopleLookAlike(t *testing.T) {
	r := newRig(t)
	for _, configuration := range []string{opleiding, "Opleiding_vc_sd_jwt"} {
		few := r.sample(configuration, false)
		claims := few["claims"].(map[string]any)
		for _, name := range []string{"description", "grade", "ec", "module", "language", "period", "programme_code", "skills", "kind"} {
			delete(claims, name)
		}
		claims["given_name"], claims["title"] = "Bo", "Basis"
		status, body := r.call(http.MethodPost, "/api/v1/offers", few)
		if status != http.StatusCreated {
			t.Fatalf("offer: %d %v", status, body)
		}
		raw, _ := json.Marshal(body)
		var small offerAnswer
		if err := json.Unmarshal(raw, &small); err != nil {
			t.Fatal(err)
		}
		first, second := r.accept(r.offer(configuration, false), 2).copies, r.accept(small, 2).copies
		want := countDigests(t, first[0])
		for _, c := range append(first, second...) {
			if got := countDigests(t, c); got != want || got < 20 {
				t.Errorf("%s: a copy has %d digests, another %d", configuration, got, want)
			}
		}
		if a, b := strings.Count(first[0], "~"), strings.Count(second[0], "~"); a <= b {
			t.Errorf("%s: %d and %d disclosures, so there was nothing to hide", configuration, a, b)
		}
	}
}

var digest = regexp.MustCompile(`"[A-Za-z0-9_-]{43}"`)

// countDigests counts what looks like a digest, the two coordinates of the key too.
func countDigests(t *testing.T, credential string) int {
	t.Helper()
	jwt, _, _ := strings.Cut(credential, "~")
	jws, err := jose.Parse(jwt)
	if err != nil {
		t.Fatal(err)
	}
	return len(digest.FindAll(jws.Payload, -1))
}

// clear are the values of the payload and the header that nobody can withhold.
func clear(t *testing.T, credential string) map[string]bool {
	t.Helper()
	jwt, _, _ := strings.Cut(credential, "~")
	jws, err := jose.Parse(jwt)
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	if err := jws.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	values := map[string]bool{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(path+"/"+name, v[name])
			}
		case []any:
			for _, e := range v {
				walk(path, e)
			}
		case string:
			values[path+"="+v] = true
		}
	}
	walk("", claims)
	return values
}

func TestRefresh(t *testing.T) {
	r := newRig(t)
	h := r.accept(r.offer(opleiding, false), 10)
	record := disclosed(t, h.copies[0], "record")
	r.clock.Advance(30 * 24 * time.Hour)
	r.publish()

	later, err := r.client().Resume(t.Context(), testURL, "")
	if err != nil {
		t.Fatal(err)
	}
	token, err := later.Refresh(t.Context(), h.token.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	fresh := r.fetch(held{session: later, token: token, keys: newKeys(t, 10)})
	if got := disclosed(t, fresh.copies[9], "record"); got != record || record == "" {
		t.Errorf("record of a new copy: got %q, want that of the dataset, %q", got, record)
	}
	if slices.Contains(h.copies, fresh.copies[0]) {
		t.Error("a new copy is an old one")
	}

	t.Run("the answer was lost", func(t *testing.T) {
		again, err := later.Refresh(t.Context(), h.token.RefreshToken)
		if err != nil {
			t.Fatalf("the token before the last: %v", err)
		}
		if _, err := later.Refresh(t.Context(), again.RefreshToken); err != nil {
			t.Errorf("its successor: %v", err)
		}
	})
	t.Run("stolen", func(t *testing.T) {
		if _, err := later.Refresh(t.Context(), h.token.RefreshToken); !errors.Is(err, openid4vci.InvalidGrant) {
			t.Errorf("a token from before: got %v, want %v", err, openid4vci.InvalidGrant)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		if _, err := later.Refresh(t.Context(), "nobody"); !errors.Is(err, openid4vci.InvalidGrant) {
			t.Errorf("got %v", err)
		}
	})
}

func disclosed(t *testing.T, credential, name string) string {
	t.Helper()
	token, err := sdjwt.Parse(credential)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := token.Claims()
	if err != nil {
		t.Fatal(err)
	}
	s, _ := claims[name].(string)
	return s
}

func TestRefreshEnds(t *testing.T) {
	for _, test := range []struct {
		name   string
		before func(r *rig, id string)
	}{
		{"after revocation", func(r *rig, id string) { r.call(http.MethodPost, "/api/v1/credentials/"+id+"/revoke", nil) }},
		{"after the window", func(r *rig, _ string) { r.clock.Advance(defaultRefreshWindow + time.Hour) }},
		{"after the window and a sweep", func(r *rig, _ string) {
			r.clock.Advance(defaultRefreshWindow + time.Hour)
			if err := r.sweep(); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			o := r.offer(opleiding, false)
			h := r.accept(o, 2)
			test.before(r, o.ID)
			if _, err := h.session.Refresh(t.Context(), h.token.RefreshToken); !errors.Is(err, openid4vci.InvalidGrant) {
				t.Errorf("got %v, want %v", err, openid4vci.InvalidGrant)
			}
		})
	}
}

func TestSuspendedGetsNoCopies(t *testing.T) {
	r := newRig(t)
	o := r.offer(opleiding, false)
	h := r.accept(o, 2)
	if status, body := r.call(http.MethodPost, "/api/v1/credentials/"+o.ID+"/suspend", nil); status != http.StatusOK {
		t.Fatalf("suspend: %d %v", status, body)
	}
	token, err := h.session.Refresh(t.Context(), h.token.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	want := openid4vci.Wanted{ConfigurationID: opleiding, Keys: newKeys(t, 1)}
	if _, err := h.session.Credentials(t.Context(), token, want); !errors.Is(err, openid4vci.CredentialRequestDenied) {
		t.Errorf("suspended: got %v, want %v", err, openid4vci.CredentialRequestDenied)
	}
	r.call(http.MethodPost, "/api/v1/credentials/"+o.ID+"/reinstate", nil)
	if _, err := h.session.Credentials(t.Context(), token, want); err != nil {
		t.Errorf("reinstated: %v", err)
	}
}

func TestTransactionCode(t *testing.T) {
	r := newRig(t)
	o := r.offer(opleiding, true)
	s := r.begin(o)
	if tx := s.Offer.PreAuthorized().TxCode; tx == nil || tx.Length != 6 || tx.InputMode != openid4vci.InputNumeric {
		t.Errorf("tx_code of the offer: got %+v", tx)
	}
	wrong := "000000"
	if o.TxCode == wrong {
		wrong = "000001"
	}
	for range defaultTxCodeAttempts {
		if _, err := s.PreAuthorized(t.Context(), wrong); !errors.Is(err, openid4vci.InvalidGrant) {
			t.Errorf("wrong code: got %v, want %v", err, openid4vci.InvalidGrant)
		}
	}
	if _, err := s.PreAuthorized(t.Context(), o.TxCode); !errors.Is(err, openid4vci.InvalidGrant) {
		t.Errorf("right code, too late: got %v, want %v", err, openid4vci.InvalidGrant)
	}
	if _, err := r.client().Offer(t.Context(), o.Invocation); err == nil {
		t.Error("a closed offer can still be fetched")
	}
	if _, body := r.call(http.MethodGet, "/api/v1/credentials/"+o.ID, nil); body["state"] != string(Closed) {
		t.Errorf("state: got %v, want %v", body["state"], Closed)
	}
	own := r.offer(opleiding, "vaart-2026")
	if tx := r.begin(own).Offer.PreAuthorized().TxCode; tx == nil || tx.InputMode != openid4vci.InputText {
		t.Errorf("tx_code of letters: got %+v", tx)
	}
	if r.accept(own, 1); own.TxCode != "vaart-2026" {
		t.Errorf("own code: got %q", own.TxCode)
	}
}

// TestCodeIsUsedOnce and in time (4.1.1: "short lived and single use").
func TestCodeIsUsedOnce(t *testing.T) {
	r := newRig(t)
	o := r.offer(opleiding, false)
	s := r.begin(o)
	if _, err := s.PreAuthorized(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PreAuthorized(t.Context(), ""); !errors.Is(err, openid4vci.InvalidGrant) {
		t.Errorf("twice: got %v", err)
	}
	old, other := r.offer(opleiding, false), r.begin(r.offer(opleiding, false))
	slow := r.begin(old)
	r.clock.Advance(codeLifetime)
	if _, err := slow.PreAuthorized(t.Context(), ""); !errors.Is(err, openid4vci.InvalidGrant) {
		t.Errorf("a code of a while ago: got %v", err)
	}
	again, twin := r.begin(old), r.begin(old) // the offer stands, and gives fresh codes
	if _, err := again.PreAuthorized(t.Context(), ""); err != nil {
		t.Errorf("a fresh code of the same offer: %v", err)
	}
	if _, err := twin.PreAuthorized(t.Context(), ""); !errors.Is(err, openid4vci.InvalidGrant) {
		t.Errorf("another code of an offer that was taken: got %v", err)
	}
	code := other.Offer.PreAuthorized().Code
	for _, forged := range []string{code[:len(code)-1] + "A", "AAAA", code + "A", strings.Repeat("A", len(code))} {
		other.Offer.PreAuthorized().Code = forged
		if _, err := other.PreAuthorized(t.Context(), ""); !errors.Is(err, openid4vci.InvalidGrant) {
			t.Errorf("forged code: got %v", err)
		}
	}
	late := r.begin(r.offer(opleiding, false))
	r.clock.Advance(defaultOfferLifetime)
	if _, err := late.PreAuthorized(t.Context(), ""); !errors.Is(err, openid4vci.InvalidGrant) {
		t.Errorf("expired: got %v", err)
	}
}

func TestAccessTokenLimits(t *testing.T) {
	r := newRig(t)
	h := r.accept(r.offer(opleiding, false), 10)
	h = r.fetch(h) // the answer was lost: once more
	want := openid4vci.Wanted{ConfigurationID: opleiding, Keys: newKeys(t, 1)}
	if _, err := h.session.Credentials(t.Context(), h.token, want); !errors.Is(err, openid4vci.CredentialRequestDenied) {
		t.Errorf("a third time: got %v, want %v", err, openid4vci.CredentialRequestDenied)
	}
	r.clock.Advance(accessLifetime)
	if _, err := h.session.Credentials(t.Context(), h.token, want); !errors.Is(err, openid4vci.InvalidToken) {
		t.Errorf("after five minutes: got %v, want %v", err, openid4vci.InvalidToken)
	}
}

func TestNotification(t *testing.T) {
	r := newRig(t)
	o := r.offer(opleiding, false)
	h := r.accept(o, 1)
	stranger := r.accept(r.offer(opleiding, false), 1)
	n := openid4vci.Notification{ID: h.answer.NotificationID, Event: openid4vci.CredentialAccepted}
	for range 2 {
		if err := h.session.Notify(t.Context(), h.token, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := stranger.session.Notify(t.Context(), stranger.token, n); !errors.Is(err, openid4vci.InvalidNotificationID) {
		t.Errorf("with another's token: got %v", err)
	}
	if _, body := r.call(http.MethodGet, "/api/v1/credentials/"+o.ID, nil); body["notified"] != string(openid4vci.CredentialAccepted) {
		t.Errorf("notified: got %v", body["notified"])
	}
}

func TestNonceIsUsedOnce(t *testing.T) {
	r := newRig(t)
	nonce, err := r.Nonce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other := newRig(t, func(c *Config) { c.Secret = []byte("another-secret-of-another-issuer") })
	if err := other.Spend(t.Context(), []string{nonce}); !errors.Is(err, openid4vci.InvalidNonce) {
		t.Errorf("at another issuer: got %v", err)
	}
	if err := r.Spend(t.Context(), []string{nonce}); err != nil {
		t.Fatal(err)
	}
	r.start() // a restart forgets nothing
	if err := r.Spend(t.Context(), []string{nonce}); !errors.Is(err, openid4vci.InvalidNonce) {
		t.Errorf("twice: got %v", err)
	}
	if nonce, err = r.Nonce(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(nonceLifetime)
	if err := r.Spend(t.Context(), []string{nonce}); !errors.Is(err, openid4vci.InvalidNonce) {
		t.Errorf("too late: got %v", err)
	}
}

// TestBoundTokens: a wallet that proves possession of a key gets tokens that are
// good with that key only.
func TestBoundTokens(t *testing.T) {
	r := newRig(t)
	s := r.begin(r.offer(opleiding, false))
	s.DPoPKey = newKeys(t, 1)[0].Signer
	token, err := s.PreAuthorized(t.Context(), "")
	if err != nil || token.TokenType != "DPoP" {
		t.Fatalf("token: %v, %v", token, err)
	}
	h := r.fetch(held{session: s, token: token, keys: newKeys(t, 2)})
	if len(h.copies) != 2 {
		t.Errorf("copies: got %d", len(h.copies))
	}
	if _, err := r.begin(r.offer(opleiding, false)).Refresh(t.Context(), token.RefreshToken); !errors.Is(err, openid4vci.InvalidGrant) {
		t.Errorf("refresh without the key: got %v", err)
	}
}

func TestEncryptedIssuance(t *testing.T) {
	r := newRig(t)
	s := r.begin(r.offer(opleiding, false))
	token, err := s.PreAuthorized(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	r.start() // the key that wallets encrypt to outlives a restart
	answer, err := s.Credentials(t.Context(), token, openid4vci.Wanted{ConfigurationID: opleiding, Keys: newKeys(t, 3), Encrypt: true})
	if err != nil || len(answer.Credentials) != 3 {
		t.Errorf("got %v, %v", answer, err)
	}
}

// TestDIIPWallet: a wallet by DIIP v5 asks with authorization_details, names its
// keys by DID, and gets the dataset by its credential identifier.
func TestDIIPWallet(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Profile = openid4vci.DIIP })
	c := r.client()
	c.Profile = openid4vci.DIIP
	offer, err := c.Offer(t.Context(), r.offer(opleiding, false).Invocation)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Begin(t.Context(), offer)
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.PreAuthorized(t.Context(), "")
	if err != nil || len(token.Identifiers(opleiding)) != 1 {
		t.Fatalf("token: %v, %v", token.Identifiers(opleiding), err)
	}
	h := r.fetch(held{session: s, token: token, keys: newKeys(t, 10)})
	for n, c := range h.copies {
		checkCopy(t, r, paspoort.FormatSDJWTVC, c, h.keys[n])
	}
	fresh, err := s.Refresh(t.Context(), token.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	r.fetch(held{session: s, token: fresh, keys: newKeys(t, 2)})
}
