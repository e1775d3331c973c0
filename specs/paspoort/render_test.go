package paspoort

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

var issuer = Issuer{ID: "https://opleidingshuis-devaart.example", Name: "Opleidingshuis De Vaart", Country: "NL"}

func sampleClaims(t testing.TB, ty Type) map[string]any {
	t.Helper()
	raw, err := Sample(ty)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func sampleDataset(t testing.TB, ty Type) Dataset {
	t.Helper()
	d, err := NewDataset(ty, sampleClaims(t, ty), rand.Reader)
	if err != nil {
		t.Fatalf("%s: %v", ty, err)
	}
	return d
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var issuedAt = time.Date(2026, 5, 8, 14, 33, 21, 0, time.UTC)

func issueCopy(t testing.TB, f Format, d Dataset, index int) *sdjwt.SDJWT {
	t.Helper()
	c := Copy{Holder: newKey(t).Public(), IssuedAt: issuedAt, ExpiresAt: issuedAt.AddDate(5, 0, 0)}
	iss := issuer
	if d.Type.SelfSigned() {
		iss = Issuer{ID: "did:jwk:abc"}
	} else {
		c.Status = &StatusRef{URI: issuer.ID + "/status/3", Index: index}
	}
	typ, claims, err := Render(f, iss, d, c)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: newKey(t), Header: jose.Header{Type: typ}, Claims: claims, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func processed(t testing.TB, tok *sdjwt.SDJWT) map[string]any {
	t.Helper()
	again, err := sdjwt.Parse(tok.String())
	if err != nil {
		t.Fatal(err)
	}
	m, err := again.Claims()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSamplesComeBackFromEveryFormat(t *testing.T) {
	for _, ty := range Types() {
		for _, f := range Formats() {
			t.Run(ConfigurationID(ty, f), func(t *testing.T) {
				d := sampleDataset(t, ty)
				got, err := Read(processed(t, issueCopy(t, f, d, 7)))
				if err != nil {
					t.Fatal(err)
				}
				if got.Schema != nil {
					t.Errorf("schema: %v", got.Schema)
				}
				want := sampleClaims(t, ty)
				delete(want, claimValidUntil)
				want[claimRecord] = d.Record
				if !ty.SelfSigned() {
					want[claimIssuerName], want[claimIssuerCountry] = issuer.Name, issuer.Country
				}
				sortSkills(got.Claims, want)
				if diff := cmp.Diff(got.Claims, want); diff != "" {
					t.Errorf("claims differ (-got +want):\n%s", diff)
				}
				if got.Format != f || got.Type != ty || !got.IssuedAt.Equal(floorDay(issuedAt)) || len(got.Skills) == 0 && ty != Ontwikkelbudget {
					t.Errorf("got %v %v %v, %d skills", got.Format, got.Type, got.IssuedAt, len(got.Skills))
				}
			})
		}
	}
}

// sortSkills puts skills without a code last: in Open Badges they stand apart.
func sortSkills(sets ...map[string]any) {
	for _, m := range sets {
		list, ok := m["skills"].([]any)
		if !ok {
			continue
		}
		var coded, plain []any
		for _, s := range list {
			if s.(map[string]any)["uri"] != nil {
				coded = append(coded, s)
			} else {
				plain = append(plain, s)
			}
		}
		m["skills"] = append(coded, plain...)
	}
}

// personSpecific walks two processed payloads and collects the scalars that
// both have.
func scalars(v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for _, m := range v {
			scalars(m, into)
		}
	case []any:
		for _, m := range v {
			scalars(m, into)
		}
	case nil, bool:
	default:
		into[fmt.Sprint(v)] = true
	}
}

// Two copies that disclose nothing have in common only what is said of every
// credential of that issuer, type and day (design 4, Copies).
func TestCopiesShareNothingPersonal(t *testing.T) {
	for _, ty := range Types() {
		if ty.SelfSigned() {
			continue // signed at presentation, there are no copies
		}
		for _, f := range Formats() {
			t.Run(ConfigurationID(ty, f), func(t *testing.T) {
				d := sampleDataset(t, ty)
				var seen [2]map[string]bool
				for i := range seen {
					tok := issueCopy(t, f, d, 100+i)
					bare, err := tok.Select(func([]any, any) bool { return false })
					if err != nil {
						t.Fatal(err)
					}
					seen[i] = map[string]bool{}
					scalars(processed(t, bare), seen[i])
				}
				allowed := map[string]bool{}
				general := map[string]any{"iss": issuer.ID, "vct": ty.VCT(), "name": issuer.Name, "country": issuer.Country,
					"uri": issuer.ID + "/status/3", "kty": "EC", "crv": "P-256", "alg": "ES256",
					"iat": float64(floorDay(issuedAt).Unix()), "validFrom": floorDay(issuedAt).Format(time.RFC3339),
					"exp": []any{}, "context": VCContext(ty), "type": anyStrings(VCTypes(ty)), "sd_alg": "sha-256",
					"subject": []any{"AchievementSubject", "EndorsementSubject", "Achievement", "Profile", "Address", "Result", "Alignment", levelTarget, eqfPage, achievement[ty], ty.About().NL}}
				scalars(general, allowed)
				if end := expiry(d, Copy{ExpiresAt: issuedAt.AddDate(5, 0, 0)}); !end.IsZero() {
					scalars([]any{float64(end.Unix()), end.Format(time.RFC3339)}, allowed)
				}
				for _, field := range ty.Fields() {
					if field.SD == SDNever {
						scalars(d.Claims[field.Name], allowed)
					}
				}
				if s, ok := d.Claims["result"].(string); ok {
					allowed[resultStatus[s]] = true
				}
				for _, name := range []string{"level_claimed", "level_classified"} {
					if l, ok := d.Claims[name].(map[string]any); ok {
						allowed[fmt.Sprint(l["framework"], " ", l["level"])] = true
						allowed["claimed"] = true
					}
				}
				for s := range seen[0] {
					if seen[1][s] && !allowed[s] {
						t.Errorf("both copies show %q", s)
					}
				}
			})
		}
	}
}

// Everything that names the person is gone when nothing is disclosed.
func TestBareCopyNamesNobody(t *testing.T) {
	for _, ty := range Types() {
		for _, f := range Formats() {
			tok := issueCopy(t, f, sampleDataset(t, ty), 1)
			bare, err := tok.Select(func([]any, any) bool { return false })
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := json.Marshal(processed(t, bare))
			for _, word := range []string{"Samira", "Idrissi", "Verzorgen", "ZORG-02", "draaierij"} {
				if bytes.Contains(raw, []byte(word)) {
					t.Errorf("%s %s: %q stands in the clear", ty, f, word)
				}
			}
		}
	}
}
