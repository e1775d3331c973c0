package issuer

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/interop"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
)

// foreignWallet is what the script vci.mjs says.
type foreignWallet struct {
	Version     string           `json:"version"`
	Display     []string         `json:"display"`
	TokenType   string           `json:"tokenType"`
	Credentials []string         `json:"credentials"`
	Verified    []map[string]any `json:"verified"`
	Notified    bool             `json:"notified"`
	Refreshed   int              `json:"refreshed"`
	Code        string           `json:"code"`
	Error       string           `json:"error"`
}

// foreign is an issuer before a wallet that is not ours, in real time: the libraries
// read the clock themselves.
type foreign struct {
	t      *testing.T
	issuer *Issuer
	site   *interop.Site
	anchor string
}

func newForeign(t *testing.T) *foreign {
	t.Helper()
	if testing.Short() {
		t.Skip("starts node")
	}
	f := &foreign{t: t}
	rootKey, from, to := testkit.P256(t), time.Now().Add(-time.Hour).Truncate(time.Second), time.Now().AddDate(1, 0, 0).Truncate(time.Second)
	root, err := ca.NewRoot(rootKey, ca.Root{Name: "Regio Aakermonde", NotBefore: from, NotAfter: to})
	if err != nil {
		t.Fatal(err)
	}
	f.anchor = base64.StdEncoding.EncodeToString(root.Raw)
	f.site = interop.Serve(t, func(url string) http.Handler {
		c := Config{
			URL: url, Name: "Opleidingshuis De Vaart", Country: "NL", Types: []paspoort.Type{paspoort.Opleiding}, Store: kv.NewMemory(),
			Secret: make([]byte, 32), CredentialKey: testkit.P256(t), StatusKey: testkit.P256(t), AdminToken: adminToken, StatusReserve: 200,
		}
		leaf := func(pub any) []*x509.Certificate {
			cert, err := ca.Leaf(root, rootKey, ca.Request{Public: pub, Organisation: c.Name, URI: url, NotBefore: from, NotAfter: to})
			if err != nil {
				t.Fatal(err)
			}
			return []*x509.Certificate{cert}
		}
		c.CredentialChain, c.StatusChain = leaf(c.CredentialKey.Public()), leaf(c.StatusKey.Public())
		if f.issuer, err = New(c); err != nil {
			t.Fatal(err)
		}
		if err := f.issuer.Publish(t.Context()); err != nil {
			t.Fatal(err)
		}
		return f.issuer.Handler()
	})
	return f
}

// accept makes an offer of the sample and lets the foreign wallet take it.
func (f *foreign) accept(format paspoort.Format, keys int, change func(input map[string]any)) foreignWallet {
	f.t.Helper()
	raw, err := paspoort.Sample(paspoort.Opleiding)
	if err != nil {
		f.t.Fatal(err)
	}
	q := offerRequest{ConfigurationID: paspoort.ConfigurationID(paspoort.Opleiding, format), TxCode: json.RawMessage("true")}
	if err := json.Unmarshal(raw, &q.Claims); err != nil {
		f.t.Fatal(err)
	}
	var offer *offerAnswer
	if err := f.issuer.c.Store.Update(func(tx kv.Tx) (err error) { offer, err = f.issuer.createOffer(tx, q); return err }); err != nil {
		f.t.Fatal(err)
	}
	input := map[string]any{"invocation": offer.Invocation, "txCode": offer.TxCode, "binding": "jwk", "anchors": []string{f.anchor}, "dpop": nil}
	var private []json.RawMessage
	for range keys {
		private = append(private, privateJWK(f.t))
	}
	input["keys"] = private
	if change != nil {
		change(input)
	}
	var out foreignWallet
	f.site.Run(f.t, "vci.mjs", input, &out)
	return out
}

func privateJWK(t *testing.T) json.RawMessage {
	t.Helper()
	raw, err := jose.MarshalPrivate(testkit.P256(t))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestForeignWallet: a wallet library that nobody changed takes both formats, with a
// transaction code, in a batch, with either binding, and checks what it gets.
func TestForeignWallet(t *testing.T) {
	f := newForeign(t)
	for _, test := range []struct {
		name    string
		format  paspoort.Format
		keys    int
		binding string
		dpop    bool
		token   string
	}{
		{"SD-JWT VC, ten copies by jwk", paspoort.FormatSDJWTVC, 10, "jwk", false, "Bearer"},
		{"SD-JWT VC, three copies by DID", paspoort.FormatSDJWTVC, 3, "did", false, "Bearer"},
		{"SD-JWT VC, bound tokens", paspoort.FormatSDJWTVC, 2, "jwk", true, "DPoP"},
		{"W3C, three copies by DID", paspoort.FormatVCDM, 3, "did", false, "Bearer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f.t = t
			got := f.accept(test.format, test.keys, func(input map[string]any) {
				input["binding"] = test.binding
				if test.dpop {
					input["dpop"] = privateJWK(t)
				}
			})
			if got.Error != "" {
				t.Fatal(got.Error)
			}
			if got.Version != "V1" {
				t.Errorf("metadata is taken for version %q", got.Version)
			}
			if len(got.Display) != 2 || got.Display[0] != "nl "+paspoort.Opleiding.Name().NL {
				t.Errorf("display: got %q", got.Display)
			}
			if !strings.EqualFold(got.TokenType, test.token) || len(got.Credentials) != test.keys || !got.Notified || got.Refreshed != test.keys {
				t.Errorf("got %d copies, token %s, notified %v, refreshed %d", len(got.Credentials), got.TokenType, got.Notified, got.Refreshed)
			}
			for n, claims := range got.Verified {
				if claims["iss"] != f.site.URL || claims["cnf"] == nil {
					t.Errorf("copy %d: %v", n, claims)
				}
			}
		})
	}
}

// TestForeignWalletHostile: the same library with a proof that is wrong in one way.
func TestForeignWalletHostile(t *testing.T) {
	f := newForeign(t)
	for hostile, code := range map[string]string{"replay": "invalid_nonce", "audience": "invalid_proof", "key": "invalid_proof", "typ": "invalid_proof"} {
		t.Run(hostile, func(t *testing.T) {
			f.t = t
			got := f.accept(paspoort.FormatSDJWTVC, 2, func(input map[string]any) { input["hostile"] = hostile })
			if got.Code != code || got.Credentials != nil {
				t.Errorf("got %q, want %q\n%s", got.Code, code, got.Error)
			}
		})
	}
	t.Run("wrong transaction code", func(t *testing.T) {
		f.t = t
		got := f.accept(paspoort.FormatSDJWTVC, 1, func(input map[string]any) { input["txCode"] = "x" })
		if got.Code != "invalid_grant" {
			t.Errorf("got %q\n%s", got.Code, got.Error)
		}
	})
}
