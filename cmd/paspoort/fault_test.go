package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// TestFaultWords: each row has words in both languages, as whole sentences, and says what
// to do.
func TestFaultWords(t *testing.T) {
	for _, k := range knownFaults {
		for _, lang := range []string{"nl", "en"} {
			if text := k.text.In(lang); !strings.HasSuffix(text, ".") || inCode(text) {
				t.Errorf("%s, %s: %q is no sentence", k.code, lang, text)
			}
			if next := k.next.In(lang); next == "" && k.code != "no_renewal" || inCode(next) {
				t.Errorf("%s, %s: what to do: %q", k.code, lang, next)
			}
		}
		if k.text.NL == k.text.EN {
			t.Errorf("%s has one language", k.code)
		}
	}
}

// inCode: a name of a package stands in it.
func inCode(s string) bool {
	for _, name := range []string{"openid4v", "outbound:", "kv:", "wallet:", "sdjwt:", "evidence:", "%!"} {
		if strings.Contains(s, name) {
			return true
		}
	}
	return false
}

// TestExplain: errors of the engine, and what is said of them.
func TestExplain(t *testing.T) {
	known := &wallet.UnknownError{Party: wallet.Party{Known: true, Name: "Zorggroep Linde"}}
	wrong := func(description string) error {
		return &openid4vci.Error{Code: openid4vci.InvalidGrant, Description: description, Status: 400}
	}
	refused := func(status int, code openid4vp.Code) error {
		return &openid4vp.RefusedError{Status: status, Code: code, Description: "ask for a new one"}
	}
	for name, c := range map[string]struct {
		err              error
		code, text, next string
	}{
		"wrong code":                {wrong("the tx_code is wrong; attempts left: 3"), "invalid_grant", "De code klopt niet.", "nog 3 keer"},
		"wrong code, closed":        {wrong("the tx_code is wrong; the offer is closed"), "invalid_grant", "De code klopt niet.", "nieuw"},
		"another issuer's refusal":  {wrong("no"), "invalid_grant", "de code klopt niet, of het aanbod is al gebruikt", "nieuw aanbod"},
		"offer gone":                {fmt.Errorf("x: %w", openid4vci.ErrOfferGone), "offer_gone", "al gebruikt, verlopen of ingetrokken", "nieuw aanbod"},
		"no code":                   {openid4vci.ErrTxCodeNeeded, "tx_code_needed", "hoort een code", "--tx-code"},
		"issuer says no":            {&openid4vci.Error{Code: openid4vci.CredentialRequestDenied}, "credential_request_denied", "uitgever", ""},
		"issuer's metadata":         {fmt.Errorf("%w: x", openid4vci.ErrMetadata), "issuer_faulty", "niet klopt", ""},
		"unknown party":             {&wallet.UnknownError{}, "unknown_party", "Geen regio die u koos kent deze", "--accept-unknown"},
		"other anchor, offer used":  {fmt.Errorf("%w: %w", errSpent, &wallet.UnknownError{}), "unknown_party", "aanbod is wel gebruikt", "--trust-ca"},
		"not admitted":              {known, "not_admitted", "niet toegelaten", "--accept-unknown"},
		"no region":                 {&wallet.UnknownError{Cause: wallet.ErrNoRegion}, "no_region", "nog geen regio", "--accept-unknown"},
		"region away":               {&wallet.UnknownError{Cause: wallet.ErrRegionAway}, "region_unreachable", "niet bereikbaar", "later"},
		"request answered":          {refused(400, openid4vp.InvalidRequestURI), "invalid_request_uri", "al beantwoord of verlopen", "nieuwe link"},
		"request gone":              {refused(404, ""), "request_gone", "al beantwoord of verlopen", "nieuwe link"},
		"answer refused":            {fmt.Errorf("%w: %w", errTakenBack, refused(400, openid4vp.InvalidRequest)), "invalid_request", "nam uw antwoord niet aan", "nieuwe link"},
		"asker's server is ill":     {refused(500, ""), "asker_faulty", "antwoord dat niet klopt", ""},
		"request against the rules": {&openid4vp.Error{Code: openid4vp.VPFormatsNotSupported}, "vp_formats_not_supported", "vraag klopt niet", ""},
		"nothing fits":              {withData{wallet.ErrNothing, nil}, "nothing_fits", "niets dat past", "--refuse"},
		"changed":                   {wallet.ErrAgain, "consent_changed", "veranderd", ""},
		"bad copy":                  {fmt.Errorf("%w: no", wallet.ErrRefused), "bad_credential", "niets van bewaard", ""},
		"passphrase":                {wallet.ErrPassphrase, "wrong_passphrase", "klopt niet", ""},
		"in use":                    {fmt.Errorf("%w: here", kv.ErrInUse), "wallet_in_use", "ander venster", ""},
		"damaged":                   {wallet.ErrDamaged, "wallet_damaged", "beschadigd", ""},
		"read only":                 {&fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS}, "read_only", "niets veranderd", ""},
		"disk full":                 {&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, "disk_full", "schijf is vol", ""},
		"broken off":                {fmt.Errorf("x: %w", context.Canceled), "interrupted", "afgebroken", ""},
		"anything else":             {errors.New("never heard of"), "failed", "niet gelukt", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := explain(c.err, "nl")
			if f.code != c.code || !strings.Contains(f.Error(), c.text) || !strings.Contains(f.next.NL, c.next) {
				t.Errorf("got %s: %q, %q", f.code, f.Error(), f.next.NL)
			}
			if inCode(f.Error()) || inCode(f.detail) && c.code != "failed" {
				t.Errorf("names of packages: %q (%s)", f.Error(), f.detail)
			}
			if en := explain(c.err, "en"); en.Error() == f.Error() || en.code != f.code {
				t.Errorf("English: %s: %q", en.code, en.Error())
			}
			if !errors.Is(f, c.err) && c.err != nil {
				t.Error("the cause is lost")
			}
		})
	}
}

// play runs the program and returns its exit code and both outputs.
func play(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

// TestFailures plays what goes wrong with the commands themselves: what a program reads,
// and what a person does.
func TestFailures(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, body string) string {
		t.Helper()
		if err := os.WriteFile(at(name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/page"):
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<p>Welkom.</p>")
		case strings.HasPrefix(r.URL.Path, "/ill"):
			w.WriteHeader(http.StatusInternalServerError)
		case r.URL.Path == "/offer/stranger":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"credential_issuer":"https://`+r.Host+`","credential_configuration_ids":["x"]}`)
		default:
			http.NotFound(w, r)
		}
	}))
	site.Config.ErrorLog = nil
	defer site.Close()
	gone := httptest.NewTLSServer(nil)
	nobody := gone.URL
	gone.Close()
	anchor := write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw})))
	secret, other := write("secret", "een lange wachtwoordzin\n"), write("other", "een andere wachtwoordzin\n")
	empty, words := write("empty", ""), write("words.json", `{"birth_date": 1}`)
	if code, _, errs := play(t, "wallet", "--dir", at("w"), "--passphrase-file", secret, "init", "--ca-file", anchor, "--loopback-http"); code != 0 {
		t.Fatal(errs)
	}
	if code, _, errs := play(t, "wallet", "--dir", at("strict"), "--passphrase-file", secret, "init", "--loopback-http"); code != 0 {
		t.Fatal(errs)
	}
	wallet := func(args ...string) []string {
		return append([]string{"wallet", "--dir", at("w"), "--passphrase-file", secret}, args...)
	}
	genesis := strings.Repeat("a", 64)
	for name, c := range map[string]struct {
		args []string
		code string
		exit int
	}{
		"no wallet":               {[]string{"wallet", "--dir", at("none"), "--passphrase-file", secret, "list"}, "no_wallet", 1},
		"made twice":              {wallet("init"), "wallet_exists", 1},
		"wrong passphrase":        {[]string{"wallet", "--dir", at("w"), "--passphrase-file", other, "list"}, "wrong_passphrase", 1},
		"no passphrase file":      {[]string{"wallet", "--dir", at("w"), "--passphrase-file", at("absent"), "list"}, "file_missing", 1},
		"nobody to ask":           {[]string{"wallet", "--dir", at("w"), "--passphrase-file", "", "list"}, "no_terminal", 1},
		"short passphrase":        {[]string{"wallet", "--dir", at("new"), "--passphrase-file", write("short", "kort"), "init"}, "weak_passphrase", 1},
		"no genesis":              {[]string{"wallet", "--dir", at("new"), "--passphrase-file", secret, "init", "--region", "aakermonde"}, "bad_region", 2},
		"no ready file":           {[]string{"wallet", "--dir", at("new"), "--passphrase-file", secret, "init", "--ready-file", empty}, "bad_file", 1},
		"nothing to show":         {wallet("show", "nietes"), "not_here", 1},
		"nothing to delete":       {wallet("delete", "nietes"), "not_here", 1},
		"nothing to renew":        {wallet("renew", "nietes"), "not_here", 1},
		"words that do not fit":   {wallet("declare", "--claims", words), "claims_invalid", 1},
		"words that are no JSON":  {wallet("declare", "--claims", empty), "bad_file", 1},
		"words that are not here": {wallet("declare", "--claims", at("absent")), "file_missing", 1},
		"no certificates":         {wallet("accept", "x", "--trust-ca", empty), "bad_file", 1},
		"no offer":                {wallet("accept", "onzin"), "invalid_offer", 1},
		"an offer nobody serves":  {wallet("accept", nobody+"/offer/x"), "unreachable", 1},
		"an offer that is gone":   {wallet("accept", site.URL+"/offer/x"), "offer_gone", 1},
		"another page":            {wallet("accept", site.URL+"/page"), "issuer_faulty", 1},
		"an ill issuer":           {wallet("accept", site.URL+"/ill"), "issuer_faulty", 1},
		"no issuer behind it":     {wallet("accept", site.URL+"/offer/stranger"), "issuer_faulty", 1},
		"plain http":              {wallet("accept", "http://vreemd.example/offer"), "address_refused", 1},
		"untrusted https":         {[]string{"wallet", "--dir", at("strict"), "--passphrase-file", secret, "accept", site.URL + "/offer/x"}, "untrusted_connection", 1},
		"no request":              {wallet("present", "onzin"), "invalid_invocation", 1},
		"a request nobody serves": {wallet("present", nobody+"/r/x"), "unreachable", 1},
		"a request that is gone":  {wallet("present", site.URL+"/r/x"), "request_gone", 1},
		"a page without request":  {wallet("present", site.URL+"/page"), "invalid_invocation", 1},
		"an ill asker":            {wallet("present", site.URL+"/ill"), "asker_faulty", 1},
		"against the protocol":    {wallet("present", "openid4vp://?client_id=origin:x&request_uri=https%3A%2F%2Fx.example"), "invalid_request", 1},
		"verify: no region":       {[]string{"verify", empty}, "region_needed", 2},
		"verify: no file":         {[]string{"verify", at("absent"), "--genesis", genesis, "--registry", empty}, "file_missing", 1},
		"verify: empty file":      {[]string{"verify", empty, "--genesis", genesis, "--registry", empty}, "no_credential", 1},
		"verify: no registry":     {[]string{"verify", words, "--genesis", genesis, "--registry", at("absent")}, "file_missing", 1},
		"verify: bad registry":    {[]string{"verify", words, "--genesis", genesis, "--registry", empty}, "bad_registry", 5},
		"verify: bad moment":      {[]string{"verify", words, "--genesis", genesis, "--registry", empty, "--at", "gisteren"}, "bad_moment", 2},
	} {
		t.Run(name, func(t *testing.T) {
			exit, out, errs := play(t, append(c.args, "--json", "--lang", "nl")...)
			var got failure
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("%v in %q (%s)", err, out, errs)
			}
			if got.Error != c.code || exit != c.exit {
				t.Errorf("got %s with exit code %d, want %s with %d: %s", got.Error, exit, c.code, c.exit, errs)
			}
			if inCode(got.Description+got.Next+got.Detail) || !strings.HasPrefix(errs, "paspoort: "+got.Description+"\n") {
				t.Errorf("a person reads %q", errs)
			}
		})
	}
	if _, err := os.Stat(at("new")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something is left behind of a paspoort that was not made")
	}
}

// TestDefaultLanguage: Dutch, unless the first variable that is set says English.
func TestDefaultLanguage(t *testing.T) {
	for name, c := range map[string]struct{ all, messages, lang, want string }{
		"nothing set":         {"", "", "", "nl"},
		"C":                   {"", "", "C", "nl"},
		"POSIX":               {"", "", "POSIX", "nl"},
		"C.UTF-8":             {"", "", "C.UTF-8", "nl"},
		"Dutch":               {"", "", "nl_NL.UTF-8", "nl"},
		"German":              {"", "", "de_DE.UTF-8", "nl"},
		"English":             {"", "", "en_GB.UTF-8", "en"},
		"messages in English": {"", "en_US.UTF-8", "nl_NL.UTF-8", "en"},
		"all in C":            {"C", "en_US.UTF-8", "en_US.UTF-8", "nl"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("LC_ALL", c.all)
			t.Setenv("LC_MESSAGES", c.messages)
			t.Setenv("LANG", c.lang)
			if got := defaultLanguage(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestProofOfAFile: of a file it is said who proved each skill and how strongly, and that
// whose it is was not shown.
func TestProofOfAFile(t *testing.T) {
	level := paspoort.LevelAssessed
	check := func(name string, state paspoort.State) paspoort.Check {
		return paspoort.Check{Name: name, State: state}
	}
	v := paspoort.Verdict{
		Credentials: []paspoort.CredentialVerdict{{Index: 0, Checks: []paspoort.Check{
			check(paspoort.CheckSignature, paspoort.OK), check(paspoort.CheckHolderBinding, paspoort.Unknown), check(paspoort.CheckNonceAudience, paspoort.Unknown)}}},
		Skills: []paspoort.SkillVerdict{{Label: "Verzorgen", State: paspoort.Unknown, Proofs: []paspoort.Proof{
			{State: paspoort.Unknown, ProofLevel: &level, By: paspoort.IssuerView{Name: "Opleidingshuis De Vaart"}}}}},
	}
	got := proof(v, v.Skills[0], verdictTexts["nl"], "nl")
	if want := "onafhankelijk beoordeeld door Opleidingshuis De Vaart (bewijsniveau 3); van wie is niet getoond"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	v.Credentials[0].Checks[1].State = paspoort.OK
	v.Credentials[0].Checks = append(v.Credentials[0].Checks, check(paspoort.CheckStatus, paspoort.Unknown))
	got = proof(v, v.Skills[0], verdictTexts["en"], "en")
	if want := "assessed independently by Opleidingshuis De Vaart (proof level 3); whether it still holds is not known"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	v.Skills[0].Proofs[0].State = paspoort.Failed
	if got := proof(v, v.Skills[0], verdictTexts["nl"], "nl"); got != "nog niet bewezen" {
		t.Errorf("a proof that failed: %q", got)
	}
}
