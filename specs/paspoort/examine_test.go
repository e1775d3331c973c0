package paspoort

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/sdjwtvc"
)

// A world with real keys: an issuer, a holder's slot, two nodes.
type world struct {
	issuer, slot, nodeA, nodeB *ecdsa.PrivateKey
}

func newWorld(t testing.TB) world {
	return world{newKey(t), newKey(t), newKey(t), newKey(t)}
}

func (w world) issue(t testing.TB, f Format, ty Type) *sdjwt.SDJWT {
	t.Helper()
	c := Copy{Holder: w.slot.Public(), IssuedAt: issuedAt, ExpiresAt: issuedAt.AddDate(5, 0, 0), Status: &StatusRef{issuer.ID + "/status/3", 42}}
	iss, signer := issuer, w.issuer
	if ty.SelfSigned() {
		c.Status, iss, signer = nil, Issuer{ID: "did:jwk:self"}, w.slot
	}
	typ, claims, err := Render(f, iss, sampleDataset(t, ty), c)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: signer, Header: jose.Header{Type: typ}, Claims: claims, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func (w world) stamp(t testing.TB, tok *sdjwt.SDJWT, node string, key crypto.Signer) map[string]any {
	t.Helper()
	salt := make([]byte, 16)
	rand.Read(salt)
	jws, err := SignTimestamp(key, region, node, Commitment(salt, tok.IssuerJWT()), issuedAt.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"salt": jose.EncodeBase64URL(salt), "timestamp": jws}
}

func (w world) present(t testing.TB, tok *sdjwt.SDJWT, key crypto.Signer) string {
	t.Helper()
	stamps := []any{w.stamp(t, tok, "node_a", w.nodeA), w.stamp(t, tok, "node_b", w.nodeB)}
	bound, err := tok.Bind(key, sdjwt.KeyBinding{Audience: "x509_hash:abc", Nonce: "n-1", IssuedAt: now.Add(-time.Minute),
		Extra: map[string]any{TimestampsClaim: stamps}})
	if err != nil {
		t.Fatal(err)
	}
	return bound.String()
}

func (w world) keys() []IssuerKey { return []IssuerKey{{w.issuer.Public(), "x5c"}} }

func (w world) nodeKey(r, node string, _ time.Time) (crypto.PublicKey, bool) {
	switch {
	case r == region && node == "node_a":
		return w.nodeA.Public(), true
	case r == region && node == "node_b":
		return w.nodeB.Public(), true
	}
	return nil, false
}

func TestExamineInBothFormats(t *testing.T) {
	for _, f := range Formats() {
		for _, ty := range []Type{Opleiding, Werkervaring, Assessment, Praktijkverklaring, Referentie, Ontwikkelbudget} {
			t.Run(ConfigurationID(ty, f), func(t *testing.T) {
				w := newWorld(t)
				tok := w.issue(t, f, ty)
				got := Examine(w.present(t, tok, w.slot), w.keys())
				for name, finding := range map[string]Finding{"format": got.Format, "signature": got.Signature, "binding": got.Binding.Signature} {
					if finding.State != OK {
						t.Errorf("%s: %+v", name, finding)
					}
				}
				if got.Key == "" || got.HolderKey == "" || got.KeySource != "x5c" || got.Binding.Nonce != "n-1" {
					t.Errorf("facts %+v", got)
				}
				in := goodInput(t, ty)
				known := in.Credentials[0]
				got.Status, got.Admission = known.Status, known.Admission
				for _, p := range TimestampProofs(got.Binding.Claims) {
					got.Timestamps = append(got.Timestamps, CheckTimestamp(p, tok.IssuerJWT(), w.nodeKey))
				}
				in.Credentials = []Facts{got}
				v := Decide(in)
				if v.Outcome != OK {
					t.Errorf("outcome %s: %+v", v.Outcome, v.Credentials[0].Checks)
				}
				if v.Credentials[0].ExistedOn == "" {
					t.Error("timestamps were not counted")
				}
			})
		}
	}
}

func TestExamineFindsWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	tok := w.issue(t, FormatSDJWTVC, Opleiding)
	presented := w.present(t, tok, w.slot)
	other := newKey(t)
	for _, test := range []struct {
		name                       string
		text                       string
		keys                       []IssuerKey
		format, signature, binding State
	}{
		{"in order", presented, w.keys(), OK, OK, OK},
		{"no key", presented, nil, OK, Unknown, OK},
		{"other key", presented, []IssuerKey{{other.Public(), "x5c"}}, OK, Failed, OK},
		{"second key fits", presented, append([]IssuerKey{{other.Public(), "did:web"}}, w.keys()...), OK, OK, OK},
		{"nothing", "", w.keys(), Failed, "", ""},
		{"no token", strings.Repeat("~", 40), w.keys(), Failed, "", ""},
		{"bare file", tok.String(), w.keys(), OK, OK, ""},
		{"bound by another", w.present(t, tok, other), w.keys(), OK, OK, Failed},
		{"a disclosure left out after binding", dropDisclosure(presented), w.keys(), OK, OK, Failed},
		{"a disclosure added", addDisclosure(presented), w.keys(), Failed, "", ""},
		{"signature changed", flip(presented), w.keys(), OK, Failed, Failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Examine(test.text, test.keys)
			if got.Format.State != test.format || got.Signature.State != test.signature || got.Binding.Signature.State != test.binding {
				t.Errorf("got format %q signature %q binding %q", got.Format.State, got.Signature.State, got.Binding.Signature.State)
			}
		})
	}
}

func dropDisclosure(s string) string {
	parts := strings.Split(s, "~")
	return strings.Join(append(parts[:1:1], parts[2:]...), "~")
}

func addDisclosure(s string) string {
	parts := strings.Split(s, "~")
	extra := jose.EncodeBase64URL([]byte(`["c2FsdHNhbHRzYWx0c2FsdA","extra","x"]`))
	return strings.Join(append(append(parts[:1:1], extra), parts[1:]...), "~")
}

// flip changes a character in the middle of the issuer's signature.
func flip(s string) string {
	end := strings.IndexByte(s, '~')
	b := []byte(s)
	i := end - 40
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

func TestSelfSigned(t *testing.T) {
	w := newWorld(t)
	tok := w.issue(t, FormatSDJWTVC, Zelfverklaring)
	got := Examine(w.present(t, tok, w.slot), []IssuerKey{{w.slot.Public(), "did:jwk"}})
	in := goodInput(t, Zelfverklaring)
	in.Credentials = []Facts{got}
	if v := Decide(in); v.Outcome != OK || !same(v.Credentials[0].ProofLevel, level(0)) {
		t.Errorf("got %s %+v", v.Outcome, v.Credentials[0].Checks)
	}
}

func TestTypFitsThePayload(t *testing.T) {
	for _, test := range []struct {
		typ  string
		f    Format
		want bool
	}{
		{"dc+sd-jwt", FormatSDJWTVC, true}, {"vc+sd-jwt", FormatSDJWTVC, true}, {"", FormatSDJWTVC, false}, {"JWT", FormatSDJWTVC, false},
		{"vc+sd-jwt", FormatVCDM, true}, {"dc+sd-jwt", FormatVCDM, false}, {"", FormatVCDM, true}, {"application/vc+sd-jwt", FormatVCDM, true},
	} {
		if got := typeFits(test.typ, test.f); got != test.want {
			t.Errorf("typ %q for %s: got %v", test.typ, test.f, got)
		}
	}
}

func TestTimestamps(t *testing.T) {
	w := newWorld(t)
	tok, another := w.issue(t, FormatSDJWTVC, Opleiding), w.issue(t, FormatSDJWTVC, Opleiding)
	good := TimestampProofs(map[string]any{TimestampsClaim: []any{w.stamp(t, tok, "node_a", w.nodeA)}})[0]
	for _, test := range []struct {
		name   string
		change func(p *TimestampProof)
		state  State
	}{
		{"in order", func(*TimestampProof) {}, OK},
		{"other salt", func(p *TimestampProof) { p.Salt = jose.EncodeBase64URL(make([]byte, 16)) }, Failed},
		{"short salt", func(p *TimestampProof) { p.Salt = "AAAA" }, Failed},
		{"no token", func(p *TimestampProof) { p.Timestamp = "x" }, Failed},
		{"for another copy", func(p *TimestampProof) {
			*p = TimestampProofs(map[string]any{TimestampsClaim: []any{w.stamp(t, another, "node_a", w.nodeA)}})[0]
		}, Failed},
		{"signed by another node", func(p *TimestampProof) {
			*p = TimestampProofs(map[string]any{TimestampsClaim: []any{w.stamp(t, tok, "node_a", w.nodeB)}})[0]
		}, Failed},
		{"node that nobody knows", func(p *TimestampProof) {
			*p = TimestampProofs(map[string]any{TimestampsClaim: []any{w.stamp(t, tok, "node_z", w.nodeA)}})[0]
		}, Unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := good
			test.change(&p)
			if got := CheckTimestamp(p, tok.IssuerJWT(), w.nodeKey); got.Valid.State != test.state {
				t.Errorf("got %+v", got)
			}
		})
	}
	for _, odd := range []any{nil, "x", []any{"x"}, []any{map[string]any{"salt": 1.0}}} {
		if got := TimestampProofs(map[string]any{TimestampsClaim: odd}); len(got) != 0 {
			t.Errorf("%v: got %v", odd, got)
		}
	}
}

type bundled struct{}

func (bundled) TypeMetadata(_ context.Context, vct string) ([]byte, error) {
	t, err := TypeOf(vct)
	if err != nil {
		return nil, err
	}
	return TypeMetadata(t)
}

// What Render makes keeps to the Type Metadata: every `sd` and `mandatory`.
func TestRenderedKeepsToTypeMetadata(t *testing.T) {
	for _, ty := range Types() {
		t.Run(string(ty), func(t *testing.T) {
			m, err := sdjwtvc.ResolveType(context.Background(), bundled{}, ty.VCT(), "")
			if err != nil {
				t.Fatal(err)
			}
			tok, err := sdjwt.Parse(newWorld(t).issue(t, FormatSDJWTVC, ty).String())
			if err != nil {
				t.Fatal(err)
			}
			c, err := sdjwtvc.Read(tok, sdjwtvc.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.CheckType(m, true); err != nil {
				t.Error(err)
			}
		})
	}
}
