package openid4vp_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/specs/openid4vp"
)

func TestParseInvocation(t *testing.T) {
	reference := &openid4vp.Invocation{ClientID: "x509_san_dns:werkgever.example", RequestURI: "https://werkgever.example/r/1"}
	with := func(scheme, method string) *openid4vp.Invocation {
		inv := *reference
		inv.Scheme, inv.RequestURIMethod = scheme, method
		return &inv
	}
	const query = "client_id=x509_san_dns%3Awerkgever.example&request_uri=https%3A%2F%2Fwerkgever.example%2Fr%2F1"
	cases := map[string]struct {
		text string
		want *openid4vp.Invocation
		code openid4vp.Code
		err  error
	}{
		"openid4vp":                {"openid4vp://?" + query, with("openid4vp", ""), "", nil},
		"openid4vp, one colon":     {"openid4vp:?" + query, with("openid4vp", ""), "", nil},
		"upper case scheme":        {"OPENID4VP://authorize?" + query, with("openid4vp", ""), "", nil},
		"haip-vp":                  {"haip-vp://?" + query + "&request_uri_method=post", with("haip-vp", "post"), "", nil},
		"https":                    {"https://wallet.example/present?" + query, with("https", ""), "", nil},
		"query only":               {query, with("", ""), "", nil},
		"white space around it":    {" openid4vp://?" + query + "\n", with("openid4vp", ""), "", nil},
		"by value":                 {"openid4vp://?client_id=a&request=x.y.z", &openid4vp.Invocation{Scheme: "openid4vp", ClientID: "a", RequestObject: "x.y.z"}, "", nil},
		"empty":                    {"", nil, "", openid4vp.ErrInvocation},
		"text":                     {"hello", nil, "", openid4vp.ErrInvocation},
		"an offer":                 {"openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fx.example", nil, "", openid4vp.ErrInvocation},
		"no scheme":                {"wallet.example/present?" + query, nil, "", openid4vp.ErrInvocation},
		"bad escape":               {"openid4vp://?client_id=%zz", nil, "", openid4vp.ErrInvocation},
		"too long":                 {"openid4vp://?client_id=a&x=" + strings.Repeat("x", openid4vp.MaxInvocationSize), nil, "", openid4vp.ErrInvocation},
		"client_id twice":          {"openid4vp://?client_id=b&" + query, nil, openid4vp.InvalidRequest, nil},
		"request and request_uri":  {"openid4vp://?request=x&" + query, nil, openid4vp.InvalidRequest, nil},
		"method without reference": {"openid4vp://?client_id=a&request_uri_method=get", nil, openid4vp.InvalidRequest, nil},
		"method in upper case":     {"openid4vp://?request_uri_method=GET&" + query, nil, openid4vp.InvalidRequestURIMethod, nil},
		"request_uri relative":     {"openid4vp://?client_id=a&request_uri=%2Fr", nil, openid4vp.InvalidRequestURI, nil},
		"query is no JSON":         {"openid4vp://?client_id=a&dcql_query=x", nil, openid4vp.InvalidRequest, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := openid4vp.ParseInvocation(c.text)
			if c.code != "" || c.err != nil {
				if errorCode(err) != c.code || (c.err != nil && !errors.Is(err, c.err)) || got != nil {
					t.Fatalf("got %v, %v, want %v %v", got, err, c.code, c.err)
				}
				return
			}
			must(t, err)
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("(-got +want)\n%s", diff)
			}
		})
	}
}

func TestClientIDSplit(t *testing.T) {
	cases := map[openid4vp.ClientID]struct {
		prefix   openid4vp.Prefix
		original string
	}{
		"redirect_uri:https://a.example/cb":      {openid4vp.RedirectURI, "https://a.example/cb"},
		"decentralized_identifier:did:example:1": {openid4vp.DecentralizedIdentifier, "did:example:1"},
		"x509_hash:Uvo3":                         {openid4vp.X509Hash, "Uvo3"},
		"https://a.example":                      {openid4vp.PreRegistered, "https://a.example"},
		"example-client":                         {openid4vp.PreRegistered, "example-client"},
		"X509_HASH:x":                            {openid4vp.PreRegistered, "X509_HASH:x"},
	}
	for id, want := range cases {
		prefix, original := id.Split()
		if prefix != want.prefix || original != want.original {
			t.Errorf("%s: got %s, %s, want %s, %s", id, prefix, original, want.prefix, want.original)
		}
		if got := openid4vp.NewClientID(prefix, original); got != id {
			t.Errorf("joined again: %s, want %s", got, id)
		}
	}
}

// FuzzParseInvocation: what parses can be written and parses to the same.
func FuzzParseInvocation(f *testing.F) {
	f.Add("openid4vp://?client_id=a%3Ab&request_uri=https%3A%2F%2Fa.example%2Fr&request_uri_method=post")
	f.Add(`openid4vp://?client_id=redirect_uri%3Ahttps%3A%2F%2Fa.example&dcql_query={"credentials":[]}&nonce=x`)
	f.Add("client_id=a&request=x.y.z")
	f.Fuzz(func(t *testing.T, text string) {
		inv, err := openid4vp.ParseInvocation(text)
		if err != nil {
			if inv != nil {
				t.Fatal("an error and an invocation")
			}
			return
		}
		link, err := inv.Link("openid4vp://")
		must(t, err)
		if len(link) > openid4vp.MaxInvocationSize {
			return
		}
		again, err := openid4vp.ParseInvocation(link)
		must(t, err)
		inv.Scheme = "openid4vp"
		if diff := cmp.Diff(again, inv); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzRequest: a request that parses is written to one that parses to the same.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"client_id":"x509_hash:a","response_type":"vp_token","aud":["a","b"],"nonce":"n","iat":1,
		"dcql_query":{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}}]},
		"verifier_info":[{"format":"jwt","data":"x","credential_ids":["a"]}],
		"transaction_data":["eyJ0eXBlIjoieCIsImNyZWRlbnRpYWxfaWRzIjpbImEiXX0"],
		"client_metadata":{"vp_formats_supported":{"dc+sd-jwt":{"sd-jwt_alg_values":["ES256"]}},"encrypted_response_enc_values_supported":["A256GCM"]}}`))
	f.Add([]byte(`{"client_metadata":{"jwks":{"keys":[{"kty":"EC","kid":"ac","use":"enc","crv":"P-256","alg":"ECDH-ES",
		"x":"YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk","y":"Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk"}]}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r openid4vp.Request
		if r.UnmarshalJSON(raw) != nil {
			return
		}
		written, err := json.Marshal(r)
		must(t, err)
		var again openid4vp.Request
		if err := again.UnmarshalJSON(written); err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		twice, err := json.Marshal(again)
		must(t, err)
		if diff := cmp.Diff(string(twice), string(written)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzParseVPToken: what parses has presentations under every id.
func FuzzParseVPToken(f *testing.F) {
	f.Add([]byte(`{"a":["x~y"],"b":["z","z"]}`))
	f.Add([]byte(`{"a":[{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		token, err := openid4vp.ParseVPToken(raw)
		if (err == nil) != (token != nil) {
			t.Fatalf("token %v, error %v", token, err)
		}
		for id, presentations := range token {
			if len(presentations) == 0 {
				t.Fatalf("%q has no presentations", id)
			}
		}
	})
}
