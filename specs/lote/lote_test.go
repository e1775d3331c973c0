package lote_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/lote"
)

var now = testkit.Noon

func certificate(t testing.TB, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Regio Aakermonde"},
		NotBefore: now, NotAfter: now.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sample has every member that the data model knows.
func sample(t testing.TB, sequence int64) *lote.List {
	t.Helper()
	key := testkit.P256(t)
	texts, uris := []lote.Text{{Lang: "nl", Value: "Regio Aakermonde"}}, []lote.URI{{Lang: "nl", Value: "https://aakermonde.example/regio"}}
	postal := []lote.Postal{{Lang: "nl", Street: "Kade 1", City: "Aakermonde", State: "NB", Code: "1000 AA", Country: "NL"}}
	since := now.AddDate(0, -1, 0)
	identity := lote.Identity{
		Certificates: []lote.Certificate{{Encoding: "urn:der", Specification: "RFC5280", DER: certificate(t, key).Raw}},
		SubjectNames: []string{"CN=org_a"}, Keys: []jose.Key{{Public: key.Public(), KeyID: "k1"}}, SKIs: [][]byte{{1, 2, 3}},
		OtherIDs: []string{"https://vaart.example", "did:web:vaart.example"},
	}
	extension := []lote.Extension{{"paspoort_log": map[string]any{"index": 3.0}}}
	return &lote.List{
		Scheme: lote.Scheme{
			Version: lote.Version, Sequence: sequence, Type: "urn:x:list", Operator: texts, Address: &lote.Address{Postal: postal, Electronic: uris},
			Name: texts, Information: uris, Approach: "urn:x:approach", Rules: uris, Territory: "NL", PoliciesNotices: []lote.Policy{{URI: &uris[0]}},
			HistoricalDays: 65535, Issued: now, NextUpdate: now.Add(24 * time.Hour), Distribution: []string{"https://aakermonde.example/lote"}, Extensions: extension,
			Pointers: []lote.Pointer{{Location: "https://berkelo.example/lote", Identities: []lote.Identity{identity},
				Qualifiers: []lote.Qualifier{{Type: "urn:x:list", Operator: texts, Rules: uris, Territory: "NL", MimeType: lote.MediaType}}}},
		},
		Entities: []lote.Entity{{
			Information: lote.EntityInformation{Name: texts, TradeName: texts, Address: lote.EntityAddress{Postal: postal, Electronic: uris}, Information: uris, Extensions: extension},
			Services: []lote.Service{{
				Now: lote.ServiceInformation{Name: texts, Identity: identity, Type: "urn:x:issuance", Status: "urn:x:withdrawn", Since: &since, SchemeDefinition: uris,
					SupplyPoints: []lote.SupplyPoint{{Type: "urn:x:api", URI: "https://vaart.example"}}, Definition: uris, Extensions: extension},
				History: []lote.ServiceHistory{{Name: texts, Identity: identity, Status: "urn:x:granted", Since: since.AddDate(-1, 0, 0), Type: "urn:x:issuance", Extensions: extension}},
			}},
		}},
	}
}

// TestSchema holds what we write against the published schema.
func TestSchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	const url = "https://schema.example/1960201_json_schema.json"
	for name, raw := range map[string][]byte{
		url: testkit.Vectors(t, "etsi-lote").Read(t, "1960201_json_schema.json"),
		// The schema refers to one for JWKs that was not published with it.
		"https://schema.example/rfcs/rfc7517.json": []byte(`{"definitions": {"jwk": {"type": "object", "required": ["kty"]}}}`),
	} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(name, doc); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile(url)
	if err != nil {
		t.Fatal(err)
	}
	whole, bare := sample(t, 7), sample(t, 7)
	bare.Entities, bare.Scheme = nil, lote.Scheme{Version: 1, Sequence: 1, Operator: whole.Scheme.Operator, Issued: now, NextUpdate: now.Add(time.Hour)}
	for name, list := range map[string]*lote.List{"every member": whole, "only what is required": bare} {
		raw, err := list.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		again, err := lote.Unmarshal(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if back, err := again.Marshal(); err != nil || !bytes.Equal(back, raw) {
			t.Errorf("%s: got %s and %v back, want %s", name, back, err, raw)
		}
	}
}

func TestRead(t *testing.T) {
	key, other := testkit.P256(t), testkit.P256(t)
	cert, stranger := certificate(t, key), certificate(t, other)
	token, err := lote.Sign(sample(t, 7), key, []*x509.Certificate{cert}, now)
	if err != nil {
		t.Fatal(err)
	}
	pinned := []*x509.Certificate{cert}
	head, rest, _ := strings.Cut(token, ".")
	for _, tt := range []struct {
		name   string
		reader lote.Reader
		token  string
		at     time.Time
		want   error
	}{
		{"good", lote.Reader{Operators: pinned}, token, now, nil},
		{"the same list again", lote.Reader{Operators: pinned, Seen: 7}, token, now, nil},
		{"after a newer one", lote.Reader{Operators: pinned, Seen: 8}, token, now, lote.ErrOlder},
		{"overdue", lote.Reader{Operators: pinned}, token, now.Add(24 * time.Hour), lote.ErrStale},
		{"nobody pinned", lote.Reader{}, token, now, lote.ErrSignature},
		{"another operator", lote.Reader{Operators: []*x509.Certificate{stranger}}, token, now, lote.ErrSignature},
		{"changed", lote.Reader{Operators: pinned}, head + "." + strings.Replace(rest, "A", "B", 1), now, lote.ErrSignature},
		{"no token", lote.Reader{Operators: pinned}, "{}", now, lote.ErrList},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tt.reader.Read(tt.token, tt.at); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	if l, _ := (lote.Reader{Operators: pinned}).Read(token, now.Add(48*time.Hour)); l == nil {
		t.Error("an overdue list is not given at all")
	}
	if _, err := lote.Sign(sample(t, 7), key, []*x509.Certificate{stranger}, now); !errors.Is(err, lote.ErrSignature) {
		t.Errorf("signed with a certificate of another key: %v", err)
	}
}

// TestRefused: the schema's demands hold for what is read and for what is written.
func TestRefused(t *testing.T) {
	for name, change := range map[string]func(*lote.List){
		"no sequence number":      func(l *lote.List) { l.Scheme.Sequence = 0 },
		"no operator":             func(l *lote.List) { l.Scheme.Operator = nil },
		"an empty operator":       func(l *lote.List) { l.Scheme.Operator[0].Value = "" },
		"no next update":          func(l *lote.List) { l.Scheme.NextUpdate = time.Time{} },
		"a territory of three":    func(l *lote.List) { l.Scheme.Territory = "NLD" },
		"a type that is no URI":   func(l *lote.List) { l.Scheme.Type = "list" },
		"an entity without name":  func(l *lote.List) { l.Entities[0].Information.Name = nil },
		"no page about an entity": func(l *lote.List) { l.Entities[0].Information.Information = nil },
		"no services":             func(l *lote.List) { l.Entities[0].Services = nil },
		"a status that is no URI": func(l *lote.List) { l.Entities[0].Services[0].Now.Status = "granted" },
		"history without a date":  func(l *lote.List) { l.Entities[0].Services[0].History[0].Since = time.Time{} },
		"a pointer to nowhere":    func(l *lote.List) { l.Scheme.Pointers[0].Location = "" },
		"a certificate of no DER": func(l *lote.List) { l.Scheme.Pointers[0].Identities[0].Certificates[0].DER = nil },
	} {
		l := sample(t, 1)
		change(l)
		if _, err := l.Marshal(); !errors.Is(err, lote.ErrList) {
			t.Errorf("%s: got %v, want ErrList", name, err)
		}
		raw, err := json.Marshal(map[string]any{"LoTE": l})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := lote.Unmarshal(raw); !errors.Is(err, lote.ErrList) {
			t.Errorf("%s, read: got %v, want ErrList", name, err)
		}
	}
	for name, raw := range map[string]string{
		"nothing": "", "null": "null", "another document": `{"TrustServiceStatusList":{}}`, "the shape only": `{"LoTE":{}}`,
		"twice": `{"LoTE":{},"LoTE":{}}`, "deep": strings.Repeat(`{"LoTE":`, 100),
	} {
		if _, err := lote.Unmarshal([]byte(raw)); !errors.Is(err, lote.ErrList) {
			t.Errorf("%s: got %v, want ErrList", name, err)
		}
	}
}

func TestStatusAt(t *testing.T) {
	s := sample(t, 1).Entities[0].Services[0]
	for _, tt := range []struct {
		name string
		at   time.Time
		want string
	}{
		{"today", now, "urn:x:withdrawn"},
		{"when it was granted", now.AddDate(0, -6, 0), "urn:x:granted"},
		{"before all", now.AddDate(-5, 0, 0), ""},
	} {
		if got, ok := s.StatusAt(tt.at); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: got %q and %t, want %q", tt.name, got, ok, tt.want)
		}
	}
	if got := sample(t, 1).Find("did:web:vaart.example"); len(got) != 1 {
		t.Errorf("got %d services of a known identity", len(got))
	}
	if got := sample(t, 1).Find("did:web:linde.example"); len(got) != 0 {
		t.Errorf("got %d services of an unknown identity", len(got))
	}
}

// FuzzUnmarshal: what is read comes back when it is written and read again; what is not read
// gives nothing but an error.
func FuzzUnmarshal(f *testing.F) {
	raw, err := sample(f, 3).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"LoTE":{"ListAndSchemeInformation":{"LoTEVersionIdentifier":1,"LoTESequenceNumber":1,"SchemeOperatorName":[{"lang":"nl","value":"x"}],"ListIssueDateTime":"2026-01-01T00:00:00Z","NextUpdate":"2026-01-02T00:00:00Z"}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := lote.Unmarshal(raw)
		if err != nil {
			return
		}
		first, err := l.Marshal()
		if err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		again, err := lote.Unmarshal(first)
		if err != nil {
			t.Fatalf("written but not read: %v", err)
		}
		if second, err := again.Marshal(); err != nil || !bytes.Equal(first, second) {
			t.Errorf("got %s, then %s", first, second)
		}
	})
}
