package dpop_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/dpop"
	"paspoort.example/paspoort/specs/jose"
)

func TestVectors(t *testing.T) {
	var v struct {
		Now     int64 `json:"now"`
		Request struct {
			Method, URL, Authorization string
		} `json:"request"`
		Thumbprint string `json:"token_cnf_jkt"`
		Nonce      string `json:"server_nonce"`
		Cases      []struct {
			Name    string
			Headers []string `json:"dpop_headers"`
			Expect  string
			URL     string `json:"request_url"`
		} `json:"cases"`
	}
	testkit.Vectors(t, "rfc9449-dpop").JSON(t, "derived-cases.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			want := dpop.Expected{
				Method: v.Request.Method, URL: v.Request.URL, Now: time.Unix(v.Now, 0), Algorithms: []jose.Algorithm{jose.ES256},
				AccessToken: strings.TrimPrefix(v.Request.Authorization, "DPoP "),
				CheckNonce:  func(n string) bool { return n == v.Nonce },
			}
			if c.URL != "" {
				want.URL = c.URL
			}
			proof, err := dpop.Verify(c.Headers, want)
			got := "accept"
			if errors.Is(err, dpop.ErrProof) || err == nil && proof.Thumbprint != v.Thumbprint {
				got = "401 invalid_dpop_proof"
			}
			if got != c.Expect {
				t.Errorf("got %s (%v), want %s", got, err, c.Expect)
			}
		})
	}
}

// TestExamples: the proofs printed in RFC 9449.
func TestExamples(t *testing.T) {
	var v struct {
		Token string `json:"access_token"`
		JWTs  []struct {
			JWT     string
			Header  struct{ Typ string }
			Payload struct {
				HTM, HTU string
				IAT      int64
				ATH      string
			}
			Thumbprint string `json:"jkt"`
		} `json:"jwts"`
	}
	testkit.Vectors(t, "rfc9449-dpop").JSON(t, "proofs.json", &v)
	read := 0
	for i, j := range v.JWTs {
		if j.Header.Typ != "dpop+jwt" {
			continue
		}
		want := dpop.Expected{Method: j.Payload.HTM, URL: j.Payload.HTU, Now: time.Unix(j.Payload.IAT, 0), Algorithms: []jose.Algorithm{jose.ES256}}
		if j.Payload.ATH != "" {
			want.AccessToken = v.Token
		}
		proof, err := dpop.Verify([]string{j.JWT}, want)
		if err != nil || proof.Thumbprint != j.Thumbprint {
			t.Errorf("proof %d: got %+v, %v", i, proof, err)
		}
		read++
	}
	if read == 0 {
		t.Fatal("no proofs")
	}
}

func TestVerifyRefuses(t *testing.T) {
	key, now := testkit.P256(t), testkit.Noon
	claims := dpop.Claims{Method: "POST", URL: "https://vaart.example/token?x=1", AccessToken: "a", Nonce: "n", IssuedAt: now}
	proof, err := dpop.Sign(key, testkit.Rand(1), claims)
	if err != nil {
		t.Fatal(err)
	}
	good := dpop.Expected{Method: "POST", URL: "HTTPS://Vaart.example:443/token#f", AccessToken: "a", Now: now,
		Algorithms: []jose.Algorithm{jose.ES256}, CheckNonce: func(n string) bool { return n == "n" }}
	if _, err := dpop.Verify([]string{proof}, good); err != nil {
		t.Fatalf("good proof: %v", err)
	}
	raw := func(h jose.Header, body string) []string {
		compact, err := jose.Sign(key, h, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return []string{compact}
	}
	jwk := &jose.Key{Public: key.Public()}
	body := func(members string) string { return fmt.Sprintf(`{"htm":"POST","htu":%q,%s}`, good.URL, members) }
	tests := map[string]struct {
		values []string
		change func(e *dpop.Expected)
		want   error
	}{
		"no header":         {nil, nil, dpop.ErrProof},
		"two headers":       {[]string{proof, proof}, nil, dpop.ErrProof},
		"no JWT":            {[]string{"x"}, nil, dpop.ErrProof},
		"typ JWT":           {raw(jose.Header{Type: "JWT", JWK: jwk}, body(`"jti":"a","iat":1`)), nil, dpop.ErrProof},
		"no jwk":            {raw(jose.Header{Type: "dpop+jwt"}, body(`"jti":"a","iat":1`)), nil, dpop.ErrProof},
		"jti missing":       {raw(jose.Header{Type: "dpop+jwt", JWK: jwk}, body(`"iat":1`)), nil, dpop.ErrProof},
		"iat missing":       {raw(jose.Header{Type: "dpop+jwt", JWK: jwk}, body(`"jti":"a"`)), nil, dpop.ErrProof},
		"htu relative":      {raw(jose.Header{Type: "dpop+jwt", JWK: jwk}, `{"htm":"POST","htu":"/token","jti":"a","iat":1}`), nil, dpop.ErrProof},
		"algorithm":         {[]string{proof}, func(e *dpop.Expected) { e.Algorithms = []jose.Algorithm{jose.EdDSA} }, dpop.ErrProof},
		"another address":   {[]string{proof}, func(e *dpop.Expected) { e.URL = "https://vaart.example/token/" }, dpop.ErrProof},
		"another token":     {[]string{proof}, func(e *dpop.Expected) { e.AccessToken = "b" }, dpop.ErrProof},
		"too old":           {[]string{proof}, func(e *dpop.Expected) { e.Now = now.Add(time.Hour) }, dpop.ErrProof},
		"from the future":   {[]string{proof}, func(e *dpop.Expected) { e.Now = now.Add(-time.Hour) }, dpop.ErrProof},
		"nonce not fresh":   {[]string{proof}, func(e *dpop.Expected) { e.CheckNonce = func(string) bool { return false } }, dpop.ErrNonce},
		"signature of none": {[]string{proof[:strings.LastIndex(proof, ".")+1]}, nil, dpop.ErrProof},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := good
			if test.change != nil {
				test.change(&want)
			}
			if got, err := dpop.Verify(test.values, want); !errors.Is(err, test.want) || got != nil {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	key := testkit.P256(f)
	proof, err := dpop.Sign(key, testkit.Rand(1), dpop.Claims{Method: "POST", URL: "https://vaart.example/token", IssuedAt: testkit.Noon})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(proof)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := dpop.Verify([]string{s}, dpop.Expected{Method: "POST", URL: "https://vaart.example/token", Now: testkit.Noon, Algorithms: []jose.Algorithm{jose.ES256}})
		if err != nil {
			return
		}
		// What is accepted is signed by the key that it shows.
		jws, err := jose.Parse(s)
		if err != nil || got.ID == "" || jws.Verify(jws.Header.JWK.Public, jose.ES256) != nil {
			t.Errorf("accepted %q", s)
		}
	})
}

func Example() {
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	proof, err := dpop.Sign(key, testkit.Rand(1), dpop.Claims{Method: "POST", URL: "https://issuer.example/token", IssuedAt: at})
	if err != nil {
		panic(err)
	}
	_, err = dpop.Verify([]string{proof}, dpop.Expected{
		Method: "POST", URL: "https://issuer.example/token", Now: at, Algorithms: []jose.Algorithm{jose.ES256},
	})
	fmt.Println("at the token endpoint:", err)
	_, err = dpop.Verify([]string{proof}, dpop.Expected{
		Method: "POST", URL: "https://issuer.example/credential", Now: at, Algorithms: []jose.Algorithm{jose.ES256},
	})
	fmt.Println("elsewhere:", err)
	// Output:
	// at the token endpoint: <nil>
	// elsewhere: dpop: proof not acceptable: htu
}
