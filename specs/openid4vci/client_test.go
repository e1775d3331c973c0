package openid4vci_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
)

// rewrite answers instead of the issuer for one path.
func rewrite(suffix string, answer func(w http.ResponseWriter, body map[string]any)) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.URL.Path, suffix) {
				h.ServeHTTP(w, r)
				return
			}
			recorded := &recorder{header: http.Header{}}
			h.ServeHTTP(recorded, r)
			body := map[string]any{}
			_ = json.Unmarshal(recorded.body, &body)
			answer(w, body)
		})
	}
}

type recorder struct {
	header http.Header
	body   []byte
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(int)     {}
func (r *recorder) Write(b []byte) (int, error) {
	r.body = append(r.body, b...)
	return len(b), nil
}

func writeBody(w http.ResponseWriter, contentType string, v any) {
	w.Header().Set("Content-Type", contentType)
	_ = json.NewEncoder(w).Encode(v)
}

// TestClientRefusesHostileIssuers: everything that an issuer may send wrong ends in
// an error before something is stored.
func TestClientRefusesHostileIssuers(t *testing.T) {
	change := func(member string, value any) func(http.ResponseWriter, map[string]any) {
		return func(w http.ResponseWriter, body map[string]any) {
			body[member] = value
			writeBody(w, "application/json", body)
		}
	}
	many := []any{}
	for i := range 3 {
		many = append(many, map[string]string{"credential": fmt.Sprint(i)})
	}
	const metadata, server = "openid-credential-issuer", "oauth-authorization-server"
	tests := []struct {
		name, path string
		answer     func(http.ResponseWriter, map[string]any)
		want       error
	}{
		{"offer as text", "/credential-offer/", func(w http.ResponseWriter, b map[string]any) { writeBody(w, "text/html", b) }, openid4vci.ErrResponse},
		{"offer too long", "/credential-offer/", change("x", strings.Repeat("a", 20<<10)), openid4vci.ErrResponse},
		{"offer of http issuer", "/credential-offer/", change("credential_issuer", "http://vaart.example"), openid4vci.ErrOffer},
		{"offer of unknown configuration", "/credential-offer/", change("credential_configuration_ids", []string{"x"}), openid4vci.ErrMetadata},
		{"metadata of another", metadata, change("credential_issuer", "https://elders.example"), openid4vci.ErrMetadata},
		{"metadata with http endpoint", metadata, change("nonce_endpoint", "http://vaart.example/nonce"), openid4vci.ErrMetadata},
		{"metadata with relative endpoint", metadata, change("credential_endpoint", "/credential"), openid4vci.ErrMetadata},
		{"metadata with http server", metadata, change("authorization_servers", []string{"http://vaart.example"}), openid4vci.ErrMetadata},
		{"server metadata of another", server, change("issuer", "https://elders.example"), openid4vci.ErrMetadata},
		{"server with http token endpoint", server, change("token_endpoint", "http://vaart.example/token"), openid4vci.ErrMetadata},
		{"server without the grant", server, change("grant_types_supported", []string{"authorization_code"}), openid4vci.ErrMetadata},
		{"token missing", "/token", change("access_token", ""), openid4vci.ErrResponse},
		{"token with a line break", "/token", change("access_token", "a\r\nX: y"), openid4vci.ErrResponse},
		{"token of unknown type", "/token", change("token_type", "mac"), openid4vci.ErrResponse},
		{"token bound to no key", "/token", change("token_type", "DPoP"), openid4vci.ErrResponse},
		{"nonce missing", "/nonce", change("c_nonce", ""), openid4vci.ErrResponse},
		{"more credentials than keys", "/credential", change("credentials", many), openid4vci.ErrResponse},
		{"no credentials", "/credential", change("credentials", []any{}), openid4vci.ErrResponse},
		{"credential null", "/credential", change("credentials", []any{map[string]any{"credential": nil}}), openid4vci.ErrResponse},
		{"credentials and transaction", "/credential", change("transaction_id", "x"), openid4vci.ErrResponse},
		{"credentials as text", "/credential", func(w http.ResponseWriter, b map[string]any) { writeBody(w, "text/plain", b) }, openid4vci.ErrResponse},
		{"credentials encrypted unasked", "/credential", func(w http.ResponseWriter, b map[string]any) { writeBody(w, "application/jwt", b) }, openid4vci.ErrResponse},
		{"error as a page", "/token", func(w http.ResponseWriter, _ map[string]any) { http.Error(w, "<html>", 500) }, openid4vci.ErrResponse},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := test.path
			wrap := rewrite(path, test.answer)
			if path == "/credential" {
				wrap = func(h http.Handler) http.Handler {
					inner := rewrite(path, test.answer)(h)
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if strings.HasSuffix(r.URL.Path, path) {
							inner.ServeHTTP(w, r)
							return
						}
						h.ServeHTTP(w, r)
					})
				}
			}
			issuer := vcitest.Start(t, vcitest.Options{Wrap: wrap})
			if err := accept(t, issuer); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// accept runs the whole road for two copies and returns the first error.
func accept(t *testing.T, issuer *vcitest.Issuer) error {
	t.Helper()
	c := issuer.Client()
	offer, err := c.Offer(t.Context(), issuer.Link(vcitest.ConfigurationID, ""))
	if err != nil {
		return err
	}
	s, err := c.Begin(t.Context(), offer)
	if err != nil {
		return err
	}
	token, err := s.PreAuthorized(t.Context(), "")
	if err != nil {
		return err
	}
	_, err = s.Credentials(t.Context(), token, openid4vci.Wanted{ConfigurationID: vcitest.ConfigurationID, Keys: newKeys(t, 2)})
	return err
}

// TestClientCallsNoPlainHTTP: by default only https is called at all.
func TestClientCallsNoPlainHTTP(t *testing.T) {
	c := &openid4vci.Client{HTTP: refusing{t}}
	for _, link := range []string{
		"openid-credential-offer://?credential_offer_uri=http%3A%2F%2Fvaart.example%2Fo",
		"openid-credential-offer://?credential_offer_uri=file%3A%2F%2F%2Fetc%2Fpasswd",
		"openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fuser%40vaart.example",
	} {
		if _, err := c.Offer(t.Context(), link); err == nil {
			t.Errorf("%s: accepted", link)
		}
	}
}

type refusing struct{ t *testing.T }

func (r refusing) Do(request *http.Request) (*http.Response, error) {
	r.t.Errorf("called %s", request.URL)
	return nil, errors.New("not to be called")
}

func TestClientRefusesHint(t *testing.T) {
	issuer := vcitest.Start(t, vcitest.Options{})
	_, err := issuer.Client().Resume(t.Context(), issuer.Server.Metadata().CredentialIssuer, "https://elders.example")
	if !errors.Is(err, openid4vci.ErrMetadata) {
		t.Errorf("authorization_server of the offer that the metadata does not name: got %v", err)
	}
}

func TestSecretsStayOutOfErrorsAndLogs(t *testing.T) {
	issuer := vcitest.Start(t, vcitest.Options{})
	id := issuer.MakeOffer(vcitest.ConfigurationID, "")
	issuer.HTTP.Close()
	_, err := issuer.Client().Offer(t.Context(), openid4vci.LinkByReference("x://", issuer.Server.OfferURI(id)))
	if err == nil || strings.Contains(err.Error(), id) {
		t.Errorf("got %v, want an error without the offer's id", err)
	}
	token := openid4vci.Token{TokenResponse: openid4vci.TokenResponse{AccessToken: "secret"}}
	if got := token.LogValue().String(); strings.Contains(got, "secret") {
		t.Errorf("log value: %s", got)
	}
}
