package paspoort

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

// another is a dataset of somebody else with as little in it as the type allows,
// and the same in the clear: what may never be hidden tells people apart anyway.
func another(t testing.TB, ty Type) Dataset {
	t.Helper()
	claims := sampleClaims(t, ty)
	for _, f := range ty.Fields() {
		if f.SD == SDAlways && !ty.mandatory(f.Name) {
			delete(claims, f.Name)
		}
		if list, ok := claims[f.Name].([]any); ok && f.Each {
			claims[f.Name] = list[:1]
		}
	}
	if _, ok := claims["given_name"]; ok {
		claims["given_name"], claims["family_name"] = "Bo", "van den Oudenhoven-Terwispel"
	}
	d, err := NewDataset(ty, claims, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var (
	variable = regexp.MustCompile(`"[A-Za-z0-9_-]{43}"|urn:uuid:[0-9a-f-]{36}|did:jwk:[A-Za-z0-9_-]+`)
	position = regexp.MustCompile(`"idx":\d+`)
)

// outline is the issuer-signed JWT of a copy with every random value replaced by
// its length: members and their order, digests per level, header and lengths stay.
func outline(t testing.TB, tok *sdjwt.SDJWT) string {
	t.Helper()
	parts := strings.Split(tok.IssuerJWT(), ".")
	var out []string
	for _, part := range parts[:2] {
		raw, err := jose.DecodeBase64URL(part)
		if err != nil {
			t.Fatal(err)
		}
		raw = variable.ReplaceAllFunc(raw, func(b []byte) []byte { return fmt.Appendf(nil, "<%d>", len(b)) })
		out = append(out, string(position.ReplaceAll(raw, []byte(`"idx":0`))))
	}
	return strings.Join(append(out, fmt.Sprint(len(parts[2]))), "\n")
}

// Copies of two people's credentials of one type cannot be told apart by their
// shape, so nobody can use it to recognise one of them with another verifier.
func TestCopiesHaveOneShape(t *testing.T) {
	for _, ty := range Types() {
		for _, f := range Formats() {
			t.Run(ConfigurationID(ty, f), func(t *testing.T) {
				people := []Dataset{sampleDataset(t, ty), another(t, ty)}
				var want string
				for _, d := range people {
					for i := range 2 {
						got := outline(t, issueCopy(t, f, d, 100+i))
						if want == "" {
							want = got
						}
						if diff := cmp.Diff(got, want); diff != "" {
							t.Fatalf("a copy has a shape of its own (-got +want):\n%s", diff)
						}
					}
				}
				if !strings.Contains(want, `"_sd":["`) && !strings.Contains(want, "<45>") {
					t.Error("no digest was seen, so nothing was compared")
				}
			})
		}
	}
}

// hiddenElements counts the elements of the first array under a name.
func hiddenElements(t testing.TB, v any, name string) int {
	t.Helper()
	m, _ := v.(map[string]any)
	if list, ok := m[name].([]any); ok {
		return len(list)
	}
	for _, below := range m {
		if _, ok := below.(map[string]any); ok {
			if n := hiddenElements(t, below, name); n >= 0 {
				return n
			}
		}
	}
	return -1
}

// A list grows by buckets, also when it has nothing in it.
func TestListsGrowByBuckets(t *testing.T) {
	for _, test := range []struct{ skills, want int }{{0, 8}, {1, 8}, {8, 8}, {9, 16}, {16, 16}, {50, 56}} {
		claims := sampleClaims(t, Referentie)
		var list []any
		for i := range test.skills {
			list = append(list, map[string]any{"label": fmt.Sprint("vaardigheid ", i)})
		}
		claims["skills"] = list
		if test.skills == 0 {
			delete(claims, "skills")
		}
		d, err := NewDataset(Referentie, claims, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range Formats() {
			tok := issueCopy(t, f, d, 1)
			if got := hiddenElements(t, tok.Payload(), "skills"); got != test.want {
				t.Errorf("%s: %d skills look like %d, want %d", f, test.skills, got, test.want)
			}
			c, err := Read(processed(t, tok))
			if err != nil || c.Schema != nil || len(c.Skills) != test.skills {
				t.Errorf("%s: read back %d skills of %d: %v %v", f, len(c.Skills), test.skills, err, c.Schema)
			}
		}
	}
}

// Random bytes are read once per copy: reading them often costs more than signing.
func TestOneReadPerCopy(t *testing.T) {
	for _, f := range Formats() {
		typ, claims, err := Render(f, issuer, sampleDataset(t, Opleiding), Copy{Holder: newKey(t).Public(), IssuedAt: issuedAt, ExpiresAt: issuedAt.Add(365 * 24 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		once := &onceReader{bytes: bytes.NewReader(slices.Repeat([]byte{7, 91, 3, 200, 18}, 2000))}
		if _, err := sdjwt.IssueCompact(sdjwt.IssueOptions{Signer: newKey(t), Header: jose.Header{Type: typ}, Claims: claims, Rand: once}); err != nil {
			t.Fatal(err)
		}
		if once.n != 1 {
			t.Errorf("%s: %d reads", f, once.n)
		}
	}
}

type onceReader struct {
	bytes *bytes.Reader
	n     int
}

func (r *onceReader) Read(p []byte) (int, error) { r.n++; return r.bytes.Read(p) }

// An element has the same place in what was signed as in what the holder reads:
// wallets that take one for the other exist, and would show another skill.
func TestDecoysStandLast(t *testing.T) {
	tok := issueCopy(t, FormatSDJWTVC, sampleDataset(t, Opleiding), 1)
	signed, _ := tok.Payload()["skills"].([]any)
	places, err := tok.Disclosable()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, p := range places {
		if len(p.Path) != 2 || p.Path[0] != "skills" {
			continue
		}
		seen++
		if got := signed[p.Path[1].(int)].(map[string]any)["..."]; got != p.Disclosure.Digest() {
			t.Errorf("skill %v stands elsewhere in what was signed", p.Path[1])
		}
	}
	if seen == 0 || len(signed) != bucket {
		t.Errorf("%d skills of %d elements", seen, len(signed))
	}
}
