package paspoort

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

const region = "9f2c5e0b7a1d4c3e8f6a5b4c3d2e1f00112233445566778899aabbccddeeff00"

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}

var now = at("2026-11-02 10:00")

// claimsOf is the processed payload of a sample, all disclosed.
func claimsOf(t testing.TB, ty Type, f Format) map[string]any {
	t.Helper()
	return processed(t, issueCopy(t, f, sampleDataset(t, ty), 42))
}

// goodFacts are those of a credential of an admitted issuer about which
// everything is known and in order.
func goodFacts(t testing.TB, ty Type) Facts {
	f := Facts{
		Query: ty.Slug(), Format: Finding{State: OK}, Claims: claimsOf(t, ty, FormatSDJWTVC),
		Signature: Finding{State: OK}, Key: "issuer-key", KeySource: "x5c", HolderKey: "slot-1",
		Binding: Binding{Present: true, Signature: Finding{State: OK}, Nonce: "n-1", Audience: "x509_hash:abc", IssuedAt: now.Add(-time.Minute)},
		Timestamps: []Timestamp{
			{Node: "node_a", At: at("2026-05-08 15:00"), Valid: Finding{State: OK}},
			{Node: "node_b", At: at("2026-05-08 15:01"), Valid: Finding{State: OK}},
		},
	}
	if ty.SelfSigned() {
		f.Key, f.KeySource, f.Timestamps = f.HolderKey, "did:jwk", nil
		return f
	}
	f.Status = &StatusFacts{Trusted: Finding{State: OK}, URI: issuer.ID + "/status/3", Index: 42,
		IssuedAt: now.Add(-10 * time.Minute), ExpiresAt: now.Add(time.Hour)}
	f.Admission = &Admission{Found: true, Organisation: "org_vaart", Name: "Opleidingshuis De Vaart",
		Key:    &KeyRecord{NotBefore: at("2026-01-01 09:00"), NotAfter: at("2027-12-31 00:00")},
		Grants: []Grant{{Types: []string{string(ty)}, From: at("2026-01-01 09:00"), Until: at("2027-07-01 00:00")}}}
	return f
}

func goodInput(t testing.TB, types ...Type) Input {
	in := Input{Now: now, Flow: SameDevice, Expected: &Expected{Nonce: "n-1", Audience: "x509_hash:abc"},
		Registry: &RegistryFacts{Region: region, Name: "Regio Aakermonde", Leaves: 31, Time: now.Add(-time.Hour), Trust: OwnNodes, Source: "own copy"}}
	for _, ty := range types {
		in.Credentials = append(in.Credentials, goodFacts(t, ty))
	}
	return in
}

func checkOf(t testing.TB, v Verdict, name string) Check {
	t.Helper()
	if name == CheckSameHolder {
		return v.SameHolder
	}
	for _, c := range v.Credentials[0].Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no check %s", name)
	return Check{}
}

type verdictRule struct {
	name   string
	change func(in *Input, f *Facts)
	check  string
	state  State
	code   string
}

func testRules(t *testing.T, ty Type, rules []verdictRule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			in := goodInput(t, ty)
			r.change(&in, &in.Credentials[0])
			v := Decide(in)
			got := checkOf(t, v, r.check)
			if got.State != r.state || got.Code != r.code {
				t.Errorf("%s: got %s %s, want %s %s", r.check, got.State, got.Code, r.state, r.code)
			}
			if r.state != OK && v.Outcome == OK {
				t.Error("outcome is ok all the same")
			}
			if r.state == Failed && v.Outcome != Failed {
				t.Errorf("outcome %s after a failed check", v.Outcome)
			}
		})
	}
}

func TestEverythingInOrder(t *testing.T) {
	in := goodInput(t, Opleiding, Werkervaring, Zelfverklaring)
	in.Credentials[1].Admission.Name = "Machinefabriek Ossekamp"
	v := Decide(in)
	if v.Outcome != OK || v.SameHolder.Code != "same_key" {
		raw, _ := json.MarshalIndent(v, "", " ")
		t.Fatalf("outcome %s: %s", v.Outcome, raw)
	}
	for _, c := range v.Credentials {
		for _, k := range c.Checks {
			if k.State != OK {
				t.Errorf("%s %s: %s %s", c.Type, k.Name, k.State, k.Code)
			}
		}
	}
}

func TestRulesOfFormatAndSignature(t *testing.T) {
	testRules(t, Opleiding, []verdictRule{
		{"format not looked at", func(_ *Input, f *Facts) { f.Format = Finding{} }, CheckFormat, Unknown, "no_fact"},
		{"format broken", func(_ *Input, f *Facts) { f.Format = Finding{Failed, "format_broken"} }, CheckFormat, Failed, "format_broken"},
		{"format broken leaves the rest unchecked", func(_ *Input, f *Facts) { f.Format = Finding{Failed, "format_broken"} }, CheckSignature, Unknown, "not_checked"},
		{"ok without claims is not ok", func(_ *Input, f *Facts) { f.Claims = nil }, CheckFormat, Unknown, "no_fact"},
		{"signature not looked at", func(_ *Input, f *Facts) { f.Signature = Finding{} }, CheckSignature, Unknown, "no_fact"},
		{"signature wrong", func(_ *Input, f *Facts) { f.Signature = Finding{Failed, "signature_invalid"} }, CheckSignature, Failed, "signature_invalid"},
		{"no key to check with", func(_ *Input, f *Facts) { f.Signature = Finding{Unknown, "issuer_key_unavailable"} }, CheckSignature, Unknown, "issuer_key_unavailable"},
		{"ok by an unnamed key is not ok", func(_ *Input, f *Facts) { f.Key = "" }, CheckSignature, Unknown, "no_fact"},
		{"signature wrong makes admission unknown", func(_ *Input, f *Facts) { f.Signature = Finding{Failed, "signature_invalid"} }, CheckIssuerAdmitted, Unknown, "signature_not_ok"},
		{"foreign type", func(_ *Input, f *Facts) { f.Claims = map[string]any{"vct": "urn:other:1", "iss": "x"} }, CheckSchema, Unknown, "type_unknown"},
		{"claim that the type lacks", func(_ *Input, f *Facts) { f.Claims["birthdate"] = "2000-01-01" }, CheckSchema, Failed, "schema_broken"},
		{"times that are no numbers", func(_ *Input, f *Facts) { f.Claims["exp"] = "tomorrow" }, CheckSchema, Failed, "schema_broken"},
		{"status of another mechanism", func(_ *Input, f *Facts) { f.Claims["status"] = map[string]any{"other": 1} }, CheckSchema, Failed, "schema_broken"},
	})
}

// A credential of a type that is not ours: its times, status and admission are
// judged, its contents are not, and it proves no skill.
func TestForeignType(t *testing.T) {
	for _, format := range Formats() {
		in := goodInput(t, Opleiding)
		f := &in.Credentials[0]
		f.Claims = claimsOf(t, Opleiding, format)
		admitted := OK
		if format == FormatSDJWTVC {
			f.Claims["vct"] = "urn:other:1"
		} else {
			// Its type has no name that an admission could have.
			f.Claims["type"], admitted = []any{"VerifiableCredential", "Rijbewijs"}, Unknown
		}
		f.Admission.Grants[0].Types = []string{"urn:other:1", ""}
		v := Decide(in)
		for name, state := range map[string]State{CheckValidity: OK, CheckStatus: OK, CheckIssuerAdmitted: admitted, CheckSchema: Unknown, CheckHolderBinding: OK} {
			if got := checkOf(t, v, name); got.State != state {
				t.Errorf("%s %s: got %s %s", format, name, got.State, got.Code)
			}
		}
		if v.Outcome != Unknown || v.Credentials[0].ProofLevel != nil || len(v.Skills) != 0 || len(v.Credentials[0].Claims) == 0 {
			t.Errorf("%s: got %s, %d skills", format, v.Outcome, len(v.Skills))
		}
		f.Status.Value = 1
		if v := Decide(in); v.Outcome != Failed {
			t.Errorf("%s: revoked, and the outcome is %s", format, v.Outcome)
		}
	}
}

func TestRulesOfTheHolder(t *testing.T) {
	testRules(t, Opleiding, []verdictRule{
		{"bare file", func(in *Input, f *Facts) { in.Expected, f.Binding = nil, Binding{} }, CheckHolderBinding, Unknown, "holder_not_shown"},
		{"bare file has no nonce", func(in *Input, f *Facts) { in.Expected, f.Binding = nil, Binding{} }, CheckNonceAudience, Unknown, "nothing_asked"},
		{"asked and not given", func(_ *Input, f *Facts) { f.Binding = Binding{} }, CheckHolderBinding, Failed, "key_binding_missing"},
		{"no key in cnf", func(_ *Input, f *Facts) { f.HolderKey = "" }, CheckHolderBinding, Unknown, "no_holder_key"},
		{"signature of another key", func(_ *Input, f *Facts) { f.Binding.Signature = Finding{Failed, "key_binding_invalid"} }, CheckHolderBinding, Failed, "key_binding_invalid"},
		{"a key that no issuer signed for", func(_ *Input, f *Facts) { f.Signature = Finding{Failed, "signature_invalid"} }, CheckHolderBinding, Unknown, "signature_not_ok"},
		{"signature not checked", func(_ *Input, f *Facts) { f.Binding.Signature = Finding{} }, CheckHolderBinding, Unknown, "no_fact"},
		{"unsigned nonce proves nothing", func(_ *Input, f *Facts) { f.Binding.Signature = Finding{} }, CheckNonceAudience, Unknown, "binding_not_verified"},
		{"binding without a time", func(_ *Input, f *Facts) { f.Binding.IssuedAt = time.Time{} }, CheckHolderBinding, Unknown, "no_fact"},
		{"binding too old", func(_ *Input, f *Facts) { f.Binding.IssuedAt = now.Add(-time.Hour) }, CheckHolderBinding, Failed, "binding_too_old"},
		{"binding from tomorrow", func(_ *Input, f *Facts) { f.Binding.IssuedAt = now.Add(time.Hour) }, CheckHolderBinding, Failed, "binding_in_future"},
		{"a captured presentation", func(in *Input, _ *Facts) { in.Expected = nil }, CheckHolderBinding, Unknown, "binding_for_another"},
		{"a file that the holder made", func(in *Input, f *Facts) { in.Expected, f.Binding.Audience = nil, FileAudience }, CheckHolderBinding, Unknown, "binding_for_file"},
		{"a file for a request", func(_ *Input, f *Facts) { f.Binding.Audience = FileAudience }, CheckNonceAudience, Failed, "wrong_audience"},
		{"another nonce", func(_ *Input, f *Facts) { f.Binding.Nonce = "n-2" }, CheckNonceAudience, Failed, "wrong_nonce"},
		{"another audience", func(_ *Input, f *Facts) { f.Binding.Audience = "x509_hash:abd" }, CheckNonceAudience, Failed, "wrong_audience"},
		{"an empty nonce never matches", func(in *Input, f *Facts) { in.Expected.Nonce, f.Binding.Nonce = "", "" }, CheckNonceAudience, Unknown, "no_fact"},
		{"same holder needs the holder", func(in *Input, f *Facts) { in.Expected, f.Binding = nil, Binding{} }, CheckSameHolder, Unknown, "holder_not_shown"},
	})
}

func TestRulesOfTime(t *testing.T) {
	testRules(t, Opleiding, []verdictRule{
		{"expired", func(_ *Input, f *Facts) { f.Claims["exp"] = float64(now.Add(-time.Hour).Unix()) }, CheckValidity, Failed, "expired"},
		{"not yet", func(_ *Input, f *Facts) { f.Claims["nbf"] = float64(now.Add(time.Hour).Unix()) }, CheckValidity, Failed, "not_yet_valid"},
		{"issued tomorrow", func(_ *Input, f *Facts) { f.Claims["iat"] = float64(now.Add(30 * time.Hour).Unix()) }, CheckValidity, Failed, "issued_in_future"},
		{"no end", func(_ *Input, f *Facts) { delete(f.Claims, "exp") }, CheckValidity, OK, "no_end"},
		{"no clock", func(in *Input, _ *Facts) { in.Now = time.Time{} }, CheckValidity, Unknown, "not_checked"},
		{"no clock, no admission", func(in *Input, _ *Facts) { in.Now = time.Time{} }, CheckIssuerAdmitted, Unknown, "registry_too_old"},
	})
}

func TestRulesOfStatus(t *testing.T) {
	testRules(t, Opleiding, []verdictRule{
		{"valid", func(*Input, *Facts) {}, CheckStatus, OK, "status_valid"},
		{"revoked", func(_ *Input, f *Facts) { f.Status.Value = 1 }, CheckStatus, Failed, "revoked"},
		{"revoked in an old list is revoked", func(_ *Input, f *Facts) {
			f.Status.Value, f.Status.IssuedAt, f.Status.ExpiresAt = 1, at("2026-06-01 00:00"), at("2026-06-02 00:00")
		}, CheckStatus, Failed, "revoked"},
		{"suspended", func(_ *Input, f *Facts) { f.Status.Value = 2 }, CheckStatus, Failed, "suspended"},
		{"suspended in an old list", func(_ *Input, f *Facts) { f.Status.Value, f.Status.IssuedAt = 2, now.Add(-48*time.Hour) }, CheckStatus, Unknown, "suspended_when_last_seen"},
		{"old list", func(_ *Input, f *Facts) { f.Status.IssuedAt = now.Add(-48 * time.Hour) }, CheckStatus, Unknown, "status_too_old"},
		{"expired list", func(_ *Input, f *Facts) { f.Status.ExpiresAt = now.Add(-time.Hour) }, CheckStatus, Unknown, "status_too_old"},
		{"list from the future", func(_ *Input, f *Facts) { f.Status.IssuedAt = now.Add(time.Hour) }, CheckStatus, Unknown, "status_in_future"},
		{"list without a date", func(_ *Input, f *Facts) { f.Status.IssuedAt = time.Time{} }, CheckStatus, Unknown, "status_without_date"},
		{"unsigned list", func(_ *Input, f *Facts) { f.Status.Trusted = Finding{} }, CheckStatus, Unknown, "status_not_trusted"},
		{"unsigned list cannot revoke", func(_ *Input, f *Facts) {
			f.Status.Trusted, f.Status.Value = Finding{Failed, "status_signer_unknown"}, 1
		}, CheckStatus, Unknown, "status_signer_unknown"},
		{"another index", func(_ *Input, f *Facts) { f.Status.Index = 43 }, CheckStatus, Unknown, "status_of_another"},
		{"another list", func(_ *Input, f *Facts) { f.Status.URI += "1" }, CheckStatus, Unknown, "status_of_another"},
		{"application value", func(_ *Input, f *Facts) { f.Status.Value = 3 }, CheckStatus, Unknown, "status_value_unknown"},
		{"no list", func(_ *Input, f *Facts) { f.Status = nil }, CheckStatus, Unknown, "status_not_available"},
		{"no reference", func(_ *Input, f *Facts) { delete(f.Claims, "status") }, CheckStatus, Unknown, "no_status"},
	})
}

// A missing fact never turns an answer into ok: whatever is taken away from
// any input, no check becomes ok that was not, but for evidence that only helps
// and limits that fall back to their defaults.
func TestMissingFactsNeverHelp(t *testing.T) {
	strip := map[string]func(*Input, *Facts){
		"format":     func(_ *Input, f *Facts) { f.Format = Finding{} },
		"claims":     func(_ *Input, f *Facts) { f.Claims = nil },
		"signature":  func(_ *Input, f *Facts) { f.Signature = Finding{} },
		"key":        func(_ *Input, f *Facts) { f.Key = "" },
		"holder":     func(_ *Input, f *Facts) { f.HolderKey = "" },
		"binding":    func(_ *Input, f *Facts) { f.Binding = Binding{} },
		"kb sig":     func(_ *Input, f *Facts) { f.Binding.Signature = Finding{} },
		"status":     func(_ *Input, f *Facts) { f.Status = nil },
		"trusted":    func(_ *Input, f *Facts) { f.Status = &StatusFacts{} },
		"admission":  func(_ *Input, f *Facts) { f.Admission = nil },
		"found":      func(_ *Input, f *Facts) { f.Admission = &Admission{} },
		"key record": func(_ *Input, f *Facts) { a := *f.Admission; a.Key = nil; f.Admission = &a },
		"grants":     func(_ *Input, f *Facts) { a := *f.Admission; a.Grants = nil; f.Admission = &a },
		"registry":   func(in *Input, _ *Facts) { in.Registry = nil },
		"freshness":  func(in *Input, _ *Facts) { r := *in.Registry; r.Time = time.Time{}; in.Registry = &r },
		"now":        func(in *Input, _ *Facts) { in.Now = time.Time{} },
		"expected":   func(in *Input, _ *Facts) { in.Expected = nil },
	}
	names := slices.Sorted(maps.Keys(strip))
	base := goodInput(t, Opleiding)
	rapid.Check(t, func(rt *rapid.T) {
		in := base
		in.Credentials = slices.Clone(base.Credentials)
		picked := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 5, rapid.ID[string]).Draw(rt, "missing")
		func() {
			defer func() { recover() }() // a later strip may meet what an earlier one took
			for _, n := range picked {
				strip[n](&in, &in.Credentials[0])
			}
		}()
		if v := Decide(in); v.Outcome == OK {
			rt.Fatalf("ok without %v", picked)
		}
	})
}

// The verdict of random facts keeps to the rule of the outcome and is the same
// each time.
func TestVerdictIsAFunctionOfItsInput(t *testing.T) {
	base := goodInput(t, Opleiding, Werkervaring)
	findings := []Finding{{}, {State: OK}, {Failed, "x"}, {Unknown, "y"}}
	rapid.Check(t, func(rt *rapid.T) {
		in := base
		in.Credentials = slices.Clone(base.Credentials)
		for i := range in.Credentials {
			f := &in.Credentials[i]
			f.Format = rapid.SampledFrom(findings).Draw(rt, "format")
			f.Signature = rapid.SampledFrom(findings).Draw(rt, "signature")
			f.Binding.Signature = rapid.SampledFrom(findings).Draw(rt, "binding")
			s := *f.Status
			s.Value = rapid.Uint8Range(0, 3).Draw(rt, "status")
			f.Status = &s
		}
		v := Decide(in)
		for _, c := range v.Credentials {
			if c.Outcome != worst(c.Checks...) {
				rt.Fatal("outcome of a credential")
			}
			if v.Outcome == OK && c.Outcome != OK || c.Outcome == Failed && v.Outcome != Failed {
				rt.Fatalf("%s beside a credential that is %s", v.Outcome, c.Outcome)
			}
			for _, k := range c.Checks {
				if k.State != OK && k.State != Failed && k.State != Unknown || k.Sentence.NL == "" || k.Sentence.EN == "" {
					rt.Fatalf("check %+v", k)
				}
			}
		}
		a, _ := json.Marshal(v)
		b, _ := json.Marshal(Decide(in))
		if !bytes.Equal(a, b) || !bytes.Equal(v.Essence(), Decide(in).Essence()) {
			rt.Fatal("two verdicts about one input")
		}
	})
}

func TestEssenceForgetsAges(t *testing.T) {
	a, b := goodInput(t, Opleiding), Input{}
	b = a
	later := *a.Registry
	later.Leaves, later.Source, later.Time = 33, "node_c", later.Time.Add(-time.Minute)
	b.Registry, b.Now = &later, a.Now.Add(time.Second)
	if x, y := Decide(a).Essence(), Decide(b).Essence(); !bytes.Equal(x, y) {
		t.Errorf("got %s\nwant %s", y, x)
	}
}

// Every code has a sentence in both languages, no sentence is without a code's
// form, and none of the words that may not stand on a page occur.
func TestSentences(t *testing.T) {
	for _, c := range append(Decide(goodInput(t, Opleiding)).Credentials[0].Checks, Check{Name: CheckSameHolder}) {
		if title := CheckTitle(c.Name); title.NL == "" || title.EN == "" {
			t.Errorf("%s has no title", c.Name)
		}
	}
	for code, s := range sentences {
		if s.NL == "" || s.EN == "" || !strings.HasSuffix(s.NL, ".") {
			t.Errorf("%s: %+v", code, s)
		}
		for _, word := range []string{"gekwalificeerd", "erkend door de overheid", "credential", "wallet", "issuer", "verifier"} {
			if strings.Contains(strings.ToLower(s.NL), word) {
				t.Errorf("%s: %q on a Dutch page", code, word)
			}
		}
	}
}

func TestVerdictSchema(t *testing.T) {
	raw, err := VerdictSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("verdict", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("verdict")
	if err != nil {
		t.Fatal(err)
	}
	broken := goodInput(t, Opleiding)
	broken.Credentials[0].Format = Finding{Failed, "format_broken"}
	asked := goodInput(t, Werkervaring)
	asked.Asked = []string{"urn:nothing"}
	for name, in := range map[string]Input{"good": goodInput(t, Types()...), "empty": {}, "broken": broken, "asked": asked} {
		out, err := json.Marshal(Decide(in))
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
