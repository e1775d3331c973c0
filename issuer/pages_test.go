package issuer

import (
	"crypto"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page/pagetest"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
)

// TestPages shows every page in every state and language to the checks of the kit.
func TestPages(t *testing.T) {
	p, err := newPages("Opleidingshuis De Vaart")
	if err != nil {
		t.Fatal(err)
	}
	pagetest.Run(t, p.kit)
	pagetest.Readable(t, p.kit)
	r := mux.NewRouter()
	(&Issuer{}).pageRoutes(r, p)
	pagetest.Routes(t, r, p.kit)
}

// get fetches a page without any right.
func (r *rig) get(path string, headers ...string) (*http.Response, string) {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, testURL+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for n := 0; n < len(headers); n += 2 {
		q.Header.Set(headers[n], headers[n+1])
	}
	response, err := r.http.Client().Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response, string(body)
}

// TestOfferPage follows one offer. The page shows nothing of the person and nothing
// of the claims: who has the address sees what kind of proof waits, and from whom.
func TestOfferPage(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Wallets = []Wallet{{"Regio Aakermonde", "https://wallet.example/offer"}} })
	o := r.offer(opleiding, true)
	path := strings.TrimPrefix(o.Page, testURL)
	response, body := r.get(path)
	if response.StatusCode != 200 || !strings.HasPrefix(response.Header.Get("Cache-Control"), "no-store") {
		t.Errorf("open: %d %v", response.StatusCode, response.Header)
	}
	for _, want := range []string{"code van 6 cijfers", "openid-credential-offer://?credential_offer_uri=", path + "/qr.svg", `<a class="button" href="https://wallet.example/offer?credential_offer_uri=`, `<a class="button quiet" href="openid-credential-offer://`} {
		if !strings.Contains(body, want) {
			t.Errorf("open: no %q in\n%s", want, body)
		}
	}
	for _, secret := range []string{"Samira", "Voorbeeld", "dagelijkse zorg", o.TxCode, o.ID} {
		if strings.Contains(body, secret) {
			t.Errorf("the page shows %q", secret)
		}
	}
	if response, body := r.get(path + "/qr.svg"); response.StatusCode != 200 || !strings.Contains(body, "<svg") {
		t.Errorf("QR: %d", response.StatusCode)
	}
	if _, body := r.get(path, "Accept-Language", "en"); !strings.Contains(body, "There is a credential waiting for you") {
		t.Error("no English")
	}
	// Somebody pastes the address of the page in a wallet: the offer itself, as from
	// the address in the QR code, and nothing of the page.
	response, body = r.get(path, "Accept", "application/json")
	offer, err := openid4vci.ParseOffer([]byte(body))
	if err != nil || response.StatusCode != 200 || response.Header.Get("Content-Type") != "application/json" || offer.PreAuthorized() == nil {
		t.Errorf("for a wallet: %d %v\n%s", response.StatusCode, err, body)
	}
	for _, secret := range []string{"Samira", "Voorbeeld", "dagelijkse zorg", o.TxCode, o.ID} {
		if strings.Contains(body, secret) {
			t.Errorf("a wallet that accepted nothing yet sees %q", secret)
		}
	}
	r.accept(o, 1)
	if response, body := r.get(path, "Accept", "application/json"); response.StatusCode != 404 || !strings.Contains(body, `"error"`) {
		t.Errorf("taken, for a wallet: %d %s", response.StatusCode, body)
	}
	if response, body := r.get(path); response.StatusCode != 200 || !strings.Contains(body, "is opgehaald") || strings.Contains(body, "openid-credential-offer") {
		t.Errorf("taken: %d\n%s", response.StatusCode, body)
	}
	if response, _ := r.get(path + "/qr.svg"); response.StatusCode != 404 {
		t.Errorf("QR of a taken offer: %d", response.StatusCode)
	}
	r.call(http.MethodPost, "/api/v1/credentials/"+o.ID+"/revoke", nil)
	if _, body := r.get(path); !strings.Contains(body, "niet meer op te halen") {
		t.Errorf("revoked:\n%s", body)
	}
	if response, _ := r.get("/offer/nobody"); response.StatusCode != 404 {
		t.Errorf("nobody's offer: %d", response.StatusCode)
	}
	if response, body := r.get("/"); response.StatusCode != 200 || !strings.Contains(body, "Opleidingshuis De Vaart") {
		t.Errorf("start page: %d", response.StatusCode)
	}
}

func TestDocuments(t *testing.T) {
	r := newRig(t)
	for path, want := range map[string][]string{
		"/.well-known/did.json":                   {`"id":"did:web:vaart.example.com"`, `"alsoKnownAs":["https://vaart.example.com"]`, r.credentialKeyID, r.statusKeyID},
		"/.well-known/jwt-vc-issuer":              {`"issuer":"https://vaart.example.com"`, `"jwks":{"keys":[`, r.credentialKeyID},
		"/.well-known/openid-credential-issuer":   {`"credential_metadata"`, `"batch_size":10`, `"credential_request_encryption"`, `"credential_response_encryption"`},
		"/.well-known/oauth-authorization-server": {`"pre-authorized_grant_anonymous_access_supported":true`, `"status_list_aggregation_endpoint":"https://vaart.example.com/status"`},
		"/jwks":                 {r.credentialKeyID, r.statusKeyID, `"x5c"`},
		"/v1/types/opleiding/1": {`"urn:paspoort:opleiding:1"`},
		"/openapi.yaml":         {"openapi: 3.1.0"},
		"/healthz":              {"ok"},
		"/readyz":               {"ready"},
	} {
		response, body := r.get(path)
		if response.StatusCode != 200 {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: no %s in\n%s", path, w, body)
			}
		}
		if strings.Contains(body, `"d":`) {
			t.Errorf("%s shows a private key", path)
		}
	}
	r.clock.Advance(4 * defaultPublishEvery)
	if response, body := r.get("/readyz"); response.StatusCode != 503 || !strings.Contains(body, "behind their schedule") {
		t.Errorf("behind schedule: %d %s", response.StatusCode, body)
	}
	for _, path := range []string{"/.well-known/did.json", "/.well-known/openid-credential-issuer", "/jwks", "/v1/types/opleiding/1"} {
		if response, _ := r.get(path); response.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: no CORS", path)
		}
	}
}

// TestBrowserWallets: a wallet in a browser comes from another origin, to the
// protocol and to nothing else.
func TestBrowserWallets(t *testing.T) {
	r := newRig(t)
	for path, open := range map[string]bool{
		"/token": true, "/nonce": true, "/credential": true, "/notification": true, "/credential-offer/x": true,
		"/status/1": true, "/jwks": true, "/api/v1/offers": false, "/api/v1/credentials": false, "/": false,
	} {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, testURL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Origin", "https://wallet.example")
		q.Header.Set("Access-Control-Request-Method", http.MethodPost)
		response, err := r.http.Client().Do(q)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		allowed := response.Header.Get("Access-Control-Allow-Origin") == "*" && response.StatusCode == http.StatusNoContent
		if allowed != open || response.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v, want open %v", path, response.StatusCode, response.Header, open)
		}
	}
}

// TestSignedMetadata: who asks for application/jwt gets metadata signed with the key
// and certificate of the issuer (OpenID4VCI 12.2.3, HAIP 1.0 4.1).
func TestSignedMetadata(t *testing.T) {
	r := newRig(t)
	response, body := r.get("/.well-known/openid-credential-issuer", "Accept", "application/jwt")
	if response.Header.Get("Content-Type") != "application/jwt" {
		t.Fatalf("Content-Type: %q", response.Header.Get("Content-Type"))
	}
	m, err := openid4vci.VerifySignedMetadata(body, testURL, r.clock.Now(), func(h jose.Header) (crypto.PublicKey, error) {
		chain, err := jose.ParseCertificates(h.X5C)
		if err != nil {
			return nil, err
		}
		return chain[0].PublicKey, jose.VerifyChain(chain, r.anchors, r.clock.Now())
	})
	if err != nil || len(m.Configurations) != len(r.configurations()) {
		t.Errorf("got %v, %v", m, err)
	}
}

// TestHostHeaderIsNotBelieved: identifiers and links are made from Config.URL.
func TestHostHeaderIsNotBelieved(t *testing.T) {
	r := newRig(t)
	o := r.offer(opleiding, false)
	for _, path := range []string{"/.well-known/openid-credential-issuer", "/.well-known/did.json", strings.TrimPrefix(o.Page, testURL), strings.TrimPrefix(o.CredentialOfferURI, testURL)} {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, testURL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Host = "evil.example.com"
		q.Header.Set("X-Forwarded-Host", "evil.example.com")
		response, err := r.http.Client().Do(q)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != 200 || strings.Contains(string(body), "evil") {
			t.Errorf("%s: %d believes the Host header", path, response.StatusCode)
		}
	}
}
