package paspoort

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

// What a stranger can put into a payload, and what must come of it.
func TestReadRefuses(t *testing.T) {
	type m = map[string]any
	status := func(v any) func(m) { return func(c m) { c["status"] = m{"status_list": v} } }
	for _, test := range []struct {
		name   string
		format Format
		change func(c m)
		want   error
	}{
		{"both vct and @context", FormatSDJWTVC, func(c m) { c["@context"] = []any{contextVCDM} }, ErrRead},
		{"neither", FormatSDJWTVC, func(c m) { delete(c, "vct") }, ErrRead},
		{"another type", FormatSDJWTVC, func(c m) { c["vct"] = "urn:paspoort:opleiding:2" }, ErrUnknownType},
		{"vct as number", FormatSDJWTVC, func(c m) { c["vct"] = 1.0 }, ErrUnknownType},
		{"time as text", FormatSDJWTVC, func(c m) { c["iat"] = "now" }, ErrRead},
		{"time before the epoch", FormatSDJWTVC, func(c m) { c["nbf"] = -1.0 }, ErrRead},
		{"time after all years", FormatSDJWTVC, func(c m) { c["exp"] = 1e18 }, ErrRead},
		{"status without a list", FormatSDJWTVC, func(c m) { c["status"] = m{} }, ErrRead},
		{"negative index", FormatSDJWTVC, status(m{"idx": -1.0, "uri": "https://x.example"}), ErrRead},
		{"half an index", FormatSDJWTVC, status(m{"idx": 0.5, "uri": "https://x.example"}), ErrRead},
		{"index as text", FormatSDJWTVC, status(m{"idx": "1", "uri": "https://x.example"}), ErrRead},
		{"no uri", FormatSDJWTVC, status(m{"idx": 1.0}), ErrRead},
		{"first context is not VCDM", FormatVCDM, func(c m) { c["@context"] = []any{contextOpenBadges, contextVCDM} }, ErrRead},
		{"no context", FormatVCDM, func(c m) { c["@context"] = []any{} }, ErrRead},
		{"not a credential", FormatVCDM, func(c m) { c["type"] = []any{"Opleiding"} }, ErrRead},
		{"our word in another's mouth", FormatVCDM, func(c m) { c["@context"] = []any{contextVCDM, contextOpenBadges} }, ErrUnknownType},
		{"our word with another meaning", FormatVCDM, func(c m) {
			c["@context"] = []any{contextVCDM, m{"@vocab": vocabulary, "Opleiding": "urn:other"}}
		}, ErrUnknownType},
		{"two of our types", FormatVCDM, func(c m) {
			c["type"] = []any{"VerifiableCredential", "Opleiding", "Werkervaring"}
			c["@context"] = []any{contextVCDM, m{"@vocab": vocabulary, "Opleiding": Opleiding.VCT(), "Werkervaring": Werkervaring.VCT()}}
		}, ErrUnknownType},
		{"no issuer", FormatVCDM, func(c m) { delete(c, "issuer") }, ErrRead},
		{"iss and issuer differ", FormatVCDM, func(c m) { c["iss"] = "https://other.example" }, ErrRead},
		{"validFrom is no moment", FormatVCDM, func(c m) { c["validFrom"] = "yesterday" }, ErrRead},
		{"exp and validUntil differ", FormatVCDM, func(c m) { c["exp"] = 1.0 }, ErrRead},
	} {
		t.Run(test.name, func(t *testing.T) {
			claims := claimsOf(t, Opleiding, test.format)
			test.change(claims)
			if _, err := Read(claims); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// Shapes of the W3C form that are not ours are left out, and the schema says
// what is then missing.
func TestReadLeavesOutWhatIsNotOurs(t *testing.T) {
	type m = map[string]any
	for _, test := range []struct {
		name   string
		change func(subject m)
		lost   string
	}{
		{"result without an outcome", func(s m) { s["result"] = []any{m{"status": "Completed"}} }, "result"},
		{"no result", func(s m) { delete(s, "result") }, "result"},
		{"achievement type of another kind", func(s m) { s["achievement"].(m)["achievementType"] = "Diploma" }, "kind"},
		{"achievement that is no object", func(s m) { s["achievement"] = "x" }, "title"},
		{"period without a start", func(s m) { delete(s, "activityStartDate") }, "period"},
		{"a day that is none", func(s m) { s["activityStartDate"] = "soon" }, "period"},
		{"alignments that are none", func(s m) { s["achievement"].(m)["alignment"] = []any{1.0, "x"} }, "level_claimed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			claims := claimsOf(t, Opleiding, FormatVCDM)
			test.change(claims["credentialSubject"].(m))
			c, err := Read(claims)
			if err != nil {
				t.Fatal(err)
			}
			if v, ok := c.Claims[test.lost]; ok {
				t.Errorf("%s: got %v", test.lost, v)
			}
		})
	}
}

func TestRenderRefuses(t *testing.T) {
	holder := newKey(t).Public()
	good := Copy{Holder: holder, IssuedAt: issuedAt}
	d := sampleDataset(t, Opleiding)
	for _, test := range []struct {
		name string
		f    Format
		iss  Issuer
		d    Dataset
		c    Copy
		want error
	}{
		{"type", FormatSDJWTVC, issuer, Dataset{Type: "Diploma", Record: "x"}, good, ErrUnknownType},
		{"format", "jwt_vc_json", issuer, d, good, ErrRender},
		{"no issuer", FormatSDJWTVC, Issuer{}, d, good, ErrRender},
		{"no day", FormatSDJWTVC, issuer, d, Copy{Holder: holder}, ErrRender},
		{"no record", FormatSDJWTVC, issuer, Dataset{Type: Opleiding}, good, ErrRender},
		{"no holder", FormatVCDM, issuer, d, Copy{IssuedAt: issuedAt}, ErrRender},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, _, err := Render(test.f, test.iss, test.d, test.c); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	if _, err := NewDataset(Opleiding, sampleClaims(t, Opleiding), iotest.ErrReader(errors.New("dry"))); err == nil {
		t.Error("a dataset without randomness")
	}
	if _, err := NewDataset(Opleiding, nil, rand.Reader); !errors.Is(err, ErrClaims) {
		t.Errorf("got %v", err)
	}
}

// Times of a copy are whole days, and the end is the earlier of the two.
func TestTimesAreDays(t *testing.T) {
	d := sampleDataset(t, Ontwikkelbudget) // valid until 2027-12-31
	for _, test := range []struct {
		name    string
		expires time.Time
		want    string
	}{
		{"the claims end first", at("2030-01-01 12:00"), "2028-01-01T00:00:00Z"},
		{"the copy ends first", at("2027-03-04 05:06"), "2027-03-05T00:00:00Z"},
		{"the copy has no end", time.Time{}, "2028-01-01T00:00:00Z"},
	} {
		got := expiry(d, Copy{ExpiresAt: test.expires})
		if got.Format(time.RFC3339) != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got.Format(time.RFC3339), test.want)
		}
	}
	if got := expiry(sampleDataset(t, Opleiding), Copy{}); !got.IsZero() {
		t.Errorf("no end: got %v", got)
	}
}

// A credential that hides what may not be hidden, or says another type than it
// holds, is no credential.
func TestExamineRefusesFormats(t *testing.T) {
	w := newWorld(t)
	issue := func(typ string, change func(map[string]any)) string {
		_, claims, err := Render(FormatSDJWTVC, issuer, sampleDataset(t, Opleiding), Copy{Holder: w.slot.Public(), IssuedAt: issuedAt,
			Status: &StatusRef{issuer.ID + "/status/3", 42}})
		if err != nil {
			t.Fatal(err)
		}
		change(claims)
		tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: w.issuer, Header: jose.Header{Type: typ}, Claims: claims, Rand: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		return tok.String()
	}
	nothing := func(map[string]any) {}
	for _, test := range []struct {
		name, text string
		want       State
	}{
		{"as it should be", issue("dc+sd-jwt", nothing), OK},
		{"the old name of the type", issue("vc+sd-jwt", nothing), OK},
		{"another type", issue("JWT", nothing), Failed},
		{"status can be hidden", issue("dc+sd-jwt", func(c map[string]any) { c["status"] = sdjwt.SD{Value: c["status"]} }), Failed},
		{"end can be hidden", issue("dc+sd-jwt", func(c map[string]any) { c["exp"] = sdjwt.SD{Value: 4102444800} }), Failed},
		{"no vct", issue("dc+sd-jwt", func(c map[string]any) { delete(c, "vct") }), Failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Examine(test.text, w.keys()); got.Format.State != test.want {
				t.Errorf("got %+v", got.Format)
			}
		})
	}
	// A key that is no key binds nobody.
	got := Examine(issue("dc+sd-jwt", func(c map[string]any) { c["cnf"] = map[string]any{"jwk": map[string]any{"kty": "oct", "k": "AAAA"}} }), w.keys())
	if got.HolderKey != "" || got.Binding.Present {
		t.Errorf("bound to %q", got.HolderKey)
	}
	// Neither does what stands in the place of a key binding.
	odd := Examine(w.issue(t, FormatSDJWTVC, Opleiding).String()+"a.b.c", w.keys())
	if odd.Binding.Signature.State == OK {
		t.Error("bound by nothing")
	}
}

func TestAges(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "minder dan een minuut", 5 * time.Minute: "5 minuten", 3 * time.Hour: "3 uur", 72 * time.Hour: "3 dagen",
	} {
		if got := age(d).NL; got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	if Sentence("ok of nothing") != general || !strings.Contains(Sentence("revoked").NL, "{date}") {
		t.Error("sentences by code")
	}
	if LevelText(5) != (Text{}) || LevelText(-1) != (Text{}) {
		t.Error("a level that does not exist has a name")
	}
}
