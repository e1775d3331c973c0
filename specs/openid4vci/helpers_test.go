package openid4vci_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/openid4vci/vcitest"
)

// request is a raw HTTP request to the double.
type request struct {
	method, url, path     string // path is under the credential issuer, when url is empty
	contentType, accept   string
	authorization, body   string
	extra                 map[string]string
	authorizationRepeated bool
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	code   string // error
}

func call(t *testing.T, issuer *vcitest.Issuer, r request) answer {
	t.Helper()
	if r.url == "" {
		r.url = issuer.Server.Metadata().CredentialIssuer + r.path
	}
	if r.method == "" {
		r.method = http.MethodPost
	}
	hr, err := http.NewRequestWithContext(t.Context(), r.method, r.url, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": r.contentType, "Accept": r.accept, "Authorization": r.authorization} {
		if value != "" {
			hr.Header.Set(name, value)
		}
	}
	if r.authorizationRepeated {
		hr.Header.Add("Authorization", r.authorization)
	}
	for name, value := range r.extra {
		hr.Header.Set(name, value)
	}
	response, err := issuer.HTTP.Client().Do(hr)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := answer{status: response.StatusCode, header: response.Header, body: string(body)}
	var failure struct {
		Error string `json:"error"`
	}
	if response.StatusCode >= 400 {
		if err := json.Unmarshal(body, &failure); err != nil {
			t.Fatalf("an error that is no JSON: %v\n%s", err, body)
		}
		out.code = failure.Error
	}
	return out
}

// readAll reads a body and leaves it to be read again.
func readAll(r *http.Request) string {
	raw, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(raw)))
	return string(raw)
}
