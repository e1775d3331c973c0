package openid4vci_test

import (
	"bytes"
	"crypto"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
)

// TestProofVectors: key proofs that must be accepted or refused, with the code.
func TestProofVectors(t *testing.T) {
	var v struct {
		Now    int64  `json:"now"`
		Issuer string `json:"credential_issuer"`
		Nonce  string `json:"valid_c_nonce"`
		Cases  []struct {
			Name   string          `json:"name"`
			Proofs json.RawMessage `json:"proofs"`
			Expect string          `json:"expect"`
		} `json:"cases"`
	}
	testkit.Vectors(t, "openid4vci").JSON(t, "key-proof-derived-cases.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases")
	}
	policy := openid4vci.ProofPolicy{
		Issuer: v.Issuer, Algorithms: []jose.Algorithm{jose.ES256}, BindingMethods: []string{"jwk", "did:jwk"},
		MaxKeys: 10, Now: time.Unix(v.Now, 0), NonceNeeded: true,
	}
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			got := "accept"
			request, err := openid4vci.ParseCredentialRequest([]byte(`{"credential_configuration_id":"x","proofs":` + string(c.Proofs) + `}`))
			if err == nil {
				var proven *openid4vci.ProvenKeys
				proven, err = policy.Verify(request.Proofs)
				if err == nil && (len(proven.Nonces) != 1 || proven.Nonces[0] != v.Nonce) {
					err = openid4vci.Refuse(openid4vci.InvalidNonce, "")
				}
			}
			if err != nil {
				got = string(openid4vci.AsError(err).Code)
			}
			if got != c.Expect {
				t.Errorf("got %s (%v), want %s", got, err, c.Expect)
			}
		})
	}
}

// TestMetadataVectors: the standard's metadata examples and those of a real issuer
// are read, checked and written again without loss of what we know.
func TestMetadataVectors(t *testing.T) {
	folder := testkit.Vectors(t, "openid4vci")
	names, err := fs.Glob(folder, "spec-1.0/credential_metadata_*.json")
	if err != nil || len(names) != 4 {
		t.Fatalf("examples: got %v, %v, want 4", names, err)
	}
	const issuer = "https://issuer.example"
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			head := `{"credential_issuer":"` + issuer + `","credential_endpoint":"` + issuer + `/credential",`
			raw := append([]byte(head), bytes.TrimSpace(folder.Read(t, name))[1:]...)
			m, err := openid4vci.ParseIssuerMetadata(raw, issuer)
			if err != nil {
				t.Fatal(err)
			}
			for id := range m.Configurations {
				c, err := m.Configuration(id)
				if err != nil || c.Metadata == nil || len(c.Metadata.Display) == 0 {
					t.Errorf("%s: %v, %+v", id, err, c)
				}
			}
			wantSame(t, raw, m)
		})
	}
}

// wantSame checks that v encodes to the same JSON value as raw.
func wantSame(t *testing.T, raw []byte, v any) {
	t.Helper()
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if json.Unmarshal(raw, &a) != nil || json.Unmarshal(encoded, &b) != nil {
		t.Fatal("no JSON")
	}
	want, _ := json.Marshal(a)
	got, _ := json.Marshal(b)
	if string(got) != string(want) {
		t.Errorf("written again:\ngot  %s\nwant %s", got, want)
	}
}

func TestOfferVectors(t *testing.T) {
	folder := testkit.Vectors(t, "openid4vci")
	for name, code := range map[string]bool{
		"spec-1.0/credential_offer_by_reference.json":   true,
		"spec-1.0/credential_offer_pre-authz_code.json": true,
		"spec-1.0/credential_offer_authz_code.txt":      false,
	} {
		t.Run(name, func(t *testing.T) {
			raw := folder.Read(t, name)
			raw = raw[bytes.IndexByte(raw, '{'):]
			offer, err := openid4vci.ParseOffer(raw)
			if err != nil {
				t.Fatal(err)
			}
			if got := offer.PreAuthorized() != nil; got != code {
				t.Errorf("pre-authorized: got %v, want %v", got, code)
			}
			if code && offer.PreAuthorized().TxCode == nil {
				t.Error("tx_code, even if empty, must be seen")
			}
			wantSame(t, raw, offer)
		})
	}
}

func TestAuthorizationDetailsVectors(t *testing.T) {
	folder := testkit.Vectors(t, "openid4vci")
	names, err := fs.Glob(folder, "spec-1.0/authorization_details*.json")
	if err != nil || len(names) != 5 {
		t.Fatalf("examples: got %v, %v, want 5", names, err)
	}
	for _, name := range names {
		details, err := openid4vci.ParseAuthorizationDetails(string(folder.Read(t, name)))
		if err != nil || len(details) != 1 {
			t.Errorf("%s: got %v, %v", name, details, err)
		}
	}
}

func TestResponseVectors(t *testing.T) {
	folder := testkit.Vectors(t, "openid4vci")
	for _, name := range []string{"spec-1.0/credential_response_jwt_vc_json.txt", "spec-1.0/credential_response_sd_jwt_vc.txt"} {
		raw := string(folder.Read(t, name))
		raw = strings.NewReplacer("\n      ", "").Replace(raw[strings.IndexByte(raw, '{'):]) // lines are wrapped for display
		r, err := openid4vci.ParseCredentialResponse([]byte(raw))
		if err != nil || len(r.Credentials) != 1 {
			t.Fatalf("%s: got %v, %v", name, r, err)
		}
		if text, err := r.Credentials[0].Text(); err != nil || strings.Count(text, ".") < 2 {
			t.Errorf("%s: got %q, %v", name, text, err)
		}
	}
}

// TestSignedMetadataVector: the example of 12.2.3 is signed with a self-signed
// leaf; shape and signature are checked, trust is given here.
func TestSignedMetadataVector(t *testing.T) {
	var v struct {
		JWT string `json:"jwt"`
	}
	testkit.Vectors(t, "openid4vci").JSON(t, "signed-issuer-metadata.json", &v)
	trust := func(h jose.Header) (crypto.PublicKey, error) {
		chain, err := jose.ParseCertificates(h.X5C)
		if err != nil {
			return nil, err
		}
		return chain[0].PublicKey, nil
	}
	const issuer = "https://credential-issuer.example.com"
	m, err := openid4vci.VerifySignedMetadata(v.JWT, issuer, testkit.Noon, trust)
	if err != nil || len(m.Configurations) != 1 || m.ResponseEncryption == nil {
		t.Fatalf("got %+v, %v", m, err)
	}
	if _, err := openid4vci.VerifySignedMetadata(v.JWT, "https://elders.example", testkit.Noon, trust); err == nil {
		t.Error("signed metadata of another issuer was accepted")
	}
}

func TestPKCEVectors(t *testing.T) {
	var v struct {
		Cases []struct {
			Verifier  string `json:"code_verifier"`
			Challenge string `json:"code_challenge"`
			Valid     bool   `json:"valid"`
			Why       string `json:"why"`
		} `json:"cases"`
	}
	testkit.Vectors(t, "rfc7636").JSON(t, "pkce.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range v.Cases {
		if c.Challenge == "" {
			c.Challenge = openid4vci.CodeChallenge(c.Verifier)
		}
		if err := openid4vci.VerifyCodeChallenge(c.Verifier, c.Challenge); (err == nil) != c.Valid {
			t.Errorf("%q (%s): got %v, want valid %v", c.Verifier, c.Why, err, c.Valid)
		}
	}
}

// TestRealIssuerVectors: metadata of the EUDI reference issuer.
func TestRealIssuerVectors(t *testing.T) {
	folder := testkit.Vectors(t, "openid4vci")
	names, err := fs.Glob(folder, "eudi-issuer-metadata/*_*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	read := 0
	for _, name := range names {
		var configurations map[string]json.RawMessage
		if json.Unmarshal(folder.Read(t, name), &configurations) != nil {
			continue
		}
		for id, raw := range configurations {
			if !bytes.Contains(raw, []byte(`"format"`)) || bytes.Contains(raw, []byte("credential_configurations_supported")) {
				continue
			}
			const issuer = "https://issuer.example"
			doc := `{"credential_issuer":"` + issuer + `","credential_endpoint":"` + issuer + `/c","credential_configurations_supported":{"x":` + string(raw) + `}}`
			m, err := openid4vci.ParseIssuerMetadata([]byte(doc), issuer)
			if err != nil {
				t.Errorf("%s %s: %v", name, id, err)
				continue
			}
			if _, err := m.Configuration("x"); err != nil {
				t.Errorf("%s %s: %v", name, id, err)
			}
			read++
		}
	}
	if read == 0 {
		t.Fatal("no configuration was read")
	}
}
