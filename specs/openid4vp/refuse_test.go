package openid4vp_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vp"
)

func errorCode(err error) openid4vp.Code {
	var e *openid4vp.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// forge is a verifier that signs what it is told to.
type forge struct {
	*world
	claims   map[string]any
	header   jose.Header
	clientID string // outside
	method   string
	mime     string
	status   int
	edit     func(object string) string
	values   url.Values // by value instead, when set
}

func newForge(t *testing.T) *forge {
	w := newWorld(t)
	f := &forge{world: w, mime: "application/oauth-authz-req+jwt", status: http.StatusOK}
	f.clientID = "decentralized_identifier:" + testDID
	f.header = jose.Header{Type: "oauth-authz-req+jwt", KeyID: testDID + "#key-1"}
	f.claims = map[string]any{
		"client_id": f.clientID, "response_type": "vp_token", "response_mode": "direct_post", "aud": "https://self-issued.me/v2",
		"response_uri": "https://werkgever.example/post", "nonce": "n-0S6_WzA2Mj", "state": "af0ifjsldkj",
		"dcql_query": map[string]any{"credentials": []any{map[string]any{
			"id": "a", "format": "dc+sd-jwt", "meta": map[string]any{"vct_values": []any{"urn:paspoort:opleiding:1"}},
		}}},
	}
	return f
}

func (f *forge) x509(prefix string) {
	for _, cert := range f.chain {
		f.header.X5C = append(f.header.X5C, cert.Raw)
	}
	f.header.KeyID = ""
	f.clientID = prefix
	f.claims["client_id"] = prefix
}

func (f *forge) fetch() (*openid4vp.Exchange, error) {
	payload, err := json.Marshal(f.claims)
	must(f.t, err)
	object, err := jose.Sign(f.key, f.header, payload)
	must(f.t, err)
	if f.edit != nil {
		object = f.edit(object)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", f.mime)
		w.WriteHeader(f.status)
		_, _ = w.Write([]byte(object))
	}))
	defer web.Close()
	values := f.values
	if values == nil {
		values = url.Values{"client_id": {f.clientID}, "request_uri": {web.URL}}
		if f.method != "" {
			values.Set("request_uri_method", f.method)
		}
	}
	inv, err := openid4vp.ParseInvocation("openid4vp://?" + values.Encode())
	if err != nil {
		return nil, err
	}
	return f.client.Fetch(context.Background(), inv, f.clock.Now())
}

func set(name string, value any) func(*forge) { return func(f *forge) { f.claims[name] = value } }
func drop(name string) func(*forge)           { return func(f *forge) { delete(f.claims, name) } }

func transactionData(members map[string]any) []any {
	raw, _ := json.Marshal(members)
	return []any{base64.RawURLEncoding.EncodeToString(raw)}
}

// TestFetchRefuses: each case is a good request with one thing wrong. authenticated tells whether the wallet knows who
// asked, and so may report the error.
func TestFetchRefuses(t *testing.T) {
	loose := map[string]any{"credentials": []any{map[string]any{
		"id": "a", "format": "dc+sd-jwt", "meta": map[string]any{}, "require_cryptographic_holder_binding": false}}}
	cases := map[string]struct {
		change        func(*forge)
		code          openid4vp.Code
		authenticated bool
	}{
		"typ JWT":                      {func(f *forge) { f.header.Type = "JWT" }, openid4vp.InvalidRequestObject, false},
		"no typ":                       {func(f *forge) { f.header.Type = "" }, openid4vp.InvalidRequestObject, false},
		"not a JWT":                    {func(f *forge) { f.edit = func(string) string { return "hello" } }, openid4vp.InvalidRequestObject, false},
		"alg none":                     {func(f *forge) { f.edit = withoutSignature }, openid4vp.InvalidClient, false},
		"signature of another payload": {func(f *forge) { f.edit = otherPayload }, openid4vp.InvalidClient, false},
		"signature with padding":       {func(f *forge) { f.edit = func(s string) string { return s + "=" } }, openid4vp.InvalidRequestObject, false},
		"signed by another key":        {func(f *forge) { f.key = newKey(f.t) }, openid4vp.InvalidClient, false},
		"kid of another DID":           {func(f *forge) { f.header.KeyID = "did:web:ander.example#key-1" }, openid4vp.InvalidClient, false},
		"kid not in the DID document":  {func(f *forge) { f.header.KeyID = testDID + "#key-2" }, openid4vp.InvalidClient, false},
		"no kid":                       {func(f *forge) { f.header.KeyID = "" }, openid4vp.InvalidClient, false},
		"client_id differs":            {set("client_id", "decentralized_identifier:did:web:ander.example"), openid4vp.InvalidRequestObject, false},
		"client_id without prefix":     {set("client_id", testDID), openid4vp.InvalidRequestObject, false},
		"wallet_nonce not repeated":    {func(f *forge) { f.method = "post" }, openid4vp.InvalidRequestObject, false},
		"content type text":            {func(f *forge) { f.mime = "text/plain" }, openid4vp.InvalidRequestURI, false},
		"prefix origin":                {func(f *forge) { f.clientID = "origin:https://werkgever.example" }, openid4vp.InvalidRequest, false},
		"prefix openid_federation":     {func(f *forge) { f.clientID = "openid_federation:https://werkgever.example" }, openid4vp.InvalidRequest, false},
		"prefix verifier_attestation":  {func(f *forge) { f.clientID = "verifier_attestation:werkgever" }, openid4vp.InvalidRequest, false},
		"pre-registered":               {func(f *forge) { f.clientID = "werkgever" }, openid4vp.InvalidClient, false},
		"unknown prefix":               {func(f *forge) { f.clientID = "x:y" }, openid4vp.InvalidClient, false},
		"signed with redirect_uri":     {func(f *forge) { f.clientID = "redirect_uri:https://werkgever.example/post" }, openid4vp.InvalidRequest, false},
		"no resolver of DIDs":          {func(f *forge) { f.client.DIDs = nil }, openid4vp.InvalidRequest, false},
		"request_uri_method put":       {func(f *forge) { f.method = "put" }, openid4vp.InvalidRequestURIMethod, false},
		"request_uri_method POST":      {func(f *forge) { f.method = "POST" }, openid4vp.InvalidRequestURIMethod, false},
		"empty nonce":                  {func(f *forge) { f.claims["nonce"] = "" }, openid4vp.InvalidRequest, true},

		"x509_hash without x5c":        {func(f *forge) { f.x509("x509_hash:AAAA"); f.header.X5C = nil }, openid4vp.InvalidClient, false},
		"x509_hash of something else":  {func(f *forge) { f.x509("x509_hash:AAAA") }, openid4vp.InvalidClient, false},
		"x509_san_dns of another host": {func(f *forge) { f.x509("x509_san_dns:ander.example") }, openid4vp.InvalidClient, false},
		"x509_san_dns, answer elsewhere": {func(f *forge) {
			f.x509("x509_san_dns:werkgever.example")
			f.claims["response_uri"] = "https://ander.example/post"
		}, openid4vp.InvalidRequest, false},
		"x509 signed by another key": {func(f *forge) { f.x509("x509_san_dns:werkgever.example"); f.key = newKey(f.t) }, openid4vp.InvalidClient, false},

		"no response_uri":               {drop("response_uri"), openid4vp.InvalidRequest, false},
		"response_uri relative":         {set("response_uri", "/post"), openid4vp.InvalidRequest, false},
		"response_uri with user":        {set("response_uri", "https://a@werkgever.example/post"), openid4vp.InvalidRequest, false},
		"response_uri with fragment":    {set("response_uri", "https://werkgever.example/post#x"), openid4vp.InvalidRequest, false},
		"response_uri with file scheme": {set("response_uri", "file:///etc/passwd"), openid4vp.InvalidRequest, false},

		"redirect_uri beside response_uri": {set("redirect_uri", "https://werkgever.example/cb"), openid4vp.InvalidRequest, true},
		"request_uri inside":               {set("request_uri", "https://werkgever.example/r"), openid4vp.InvalidRequestObject, true},
		"request inside":                   {set("request", "x.y.z"), openid4vp.InvalidRequestObject, true},
		"response_type code":               {set("response_type", "code"), openid4vp.UnsupportedResponseType, true},
		"no response_type":                 {drop("response_type"), openid4vp.UnsupportedResponseType, true},
		"response_mode fragment":           {set("response_mode", "fragment"), openid4vp.InvalidRequest, true},
		"no response_mode":                 {drop("response_mode"), openid4vp.InvalidRequest, true},
		"response_mode dc_api":             {set("response_mode", "dc_api"), openid4vp.InvalidRequest, true},
		"no nonce":                         {drop("nonce"), openid4vp.InvalidRequest, true},
		"nonce with a space":               {set("nonce", "a b"), openid4vp.InvalidRequest, true},
		"nonce as number":                  {set("nonce", 5), openid4vp.InvalidRequest, true},
		"state with a slash":               {set("state", "a/b"), openid4vp.InvalidRequest, true},
		"no aud":                           {drop("aud"), openid4vp.InvalidRequestObject, true},
		"aud is the request_uri":           {set("aud", "https://werkgever.example/request"), openid4vp.InvalidRequestObject, true},
		"aud as number":                    {set("aud", 5), openid4vp.InvalidRequest, true},
		"expired":                          {func(f *forge) { f.claims["exp"] = f.clock.Now().Add(-time.Hour).Unix() }, openid4vp.InvalidRequestObject, true},
		"issued in the future":             {func(f *forge) { f.claims["iat"] = f.clock.Now().Add(time.Hour).Unix() }, openid4vp.InvalidRequestObject, true},
		"not valid yet":                    {func(f *forge) { f.claims["nbf"] = f.clock.Now().Add(time.Hour).Unix() }, openid4vp.InvalidRequestObject, true},
		"exp as text":                      {set("exp", "tomorrow"), openid4vp.InvalidRequest, true},
		"no query":                         {drop("dcql_query"), openid4vp.InvalidRequest, true},
		"query and scope":                  {set("scope", "x"), openid4vp.InvalidRequest, true},
		"scope alone":                      {func(f *forge) { delete(f.claims, "dcql_query"); f.claims["scope"] = "x" }, openid4vp.InvalidScope, true},
		"query that breaks a rule":         {set("dcql_query", map[string]any{"credentials": []any{}}), openid4vp.InvalidRequest, true},
		"no state without holder binding":  {func(f *forge) { delete(f.claims, "state"); f.claims["dcql_query"] = loose }, openid4vp.InvalidRequest, true},
		"only mdoc": {set("dcql_query", map[string]any{"credentials": []any{map[string]any{"id": "a", "format": "mso_mdoc", "meta": map[string]any{}}}}),
			openid4vp.VPFormatsNotSupported, true},
		"format not in vp_formats_supported": {set("client_metadata", map[string]any{"vp_formats_supported": map[string]any{"mso_mdoc": map[string]any{}}}),
			openid4vp.VPFormatsNotSupported, true},
		"encryption without a key": {set("response_mode", "direct_post.jwt"), openid4vp.InvalidRequest, true},
		"encryption key without alg": {func(f *forge) {
			f.encrypt(map[string]any{"alg": nil}, "A256GCM")
		}, openid4vp.InvalidRequest, true},
		"encryption key without kid":    {func(f *forge) { f.encrypt(map[string]any{"kid": nil}, "A256GCM") }, openid4vp.InvalidRequest, true},
		"encryption key for signing":    {func(f *forge) { f.encrypt(map[string]any{"use": "sig"}, "A256GCM") }, openid4vp.InvalidRequest, true},
		"encryption key off the curve":  {func(f *forge) { f.encrypt(map[string]any{"y": strings.Repeat("A", 43)}, "A256GCM") }, openid4vp.InvalidRequest, true},
		"encryption with CBC only":      {func(f *forge) { f.encrypt(nil, "A128CBC-HS256") }, openid4vp.InvalidRequest, true},
		"empty enc values":              {set("client_metadata", map[string]any{"encrypted_response_enc_values_supported": []any{}}), openid4vp.InvalidRequest, true},
		"client_metadata as text":       {set("client_metadata", "x"), openid4vp.InvalidRequest, true},
		"verifier_info empty":           {set("verifier_info", []any{}), openid4vp.InvalidRequest, true},
		"verifier_info without format":  {set("verifier_info", []any{map[string]any{"data": "x"}}), openid4vp.InvalidRequest, true},
		"verifier_info without data":    {set("verifier_info", []any{map[string]any{"format": "x"}}), openid4vp.InvalidRequest, true},
		"transaction_data not base64":   {set("transaction_data", []any{"?"}), openid4vp.InvalidTransactionData, true},
		"transaction_data empty":        {set("transaction_data", []any{}), openid4vp.InvalidTransactionData, true},
		"transaction_data without type": {set("transaction_data", transactionData(map[string]any{"credential_ids": []any{"a"}})), openid4vp.InvalidTransactionData, true},
		"transaction_data without ids":  {set("transaction_data", transactionData(map[string]any{"type": "known"})), openid4vp.InvalidTransactionData, true},
		"transaction_data unknown type": {set("transaction_data", transactionData(map[string]any{"type": "pay", "credential_ids": []any{"a"}})), openid4vp.InvalidTransactionData, true},
		"transaction_data unknown id":   {set("transaction_data", transactionData(map[string]any{"type": "known", "credential_ids": []any{"b"}})), openid4vp.InvalidTransactionData, true},
		"transaction_data without holder binding": {func(f *forge) {
			f.claims["dcql_query"] = loose
			f.claims["transaction_data"] = transactionData(map[string]any{"type": "known", "credential_ids": []any{"a"}})
		}, openid4vp.InvalidTransactionData, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newForge(t)
			f.client.TransactionDataTypes = []string{"known"}
			c.change(f)
			x, err := f.fetch()
			if got := errorCode(err); got != c.code {
				t.Fatalf("code %q (%v), want %q", got, err, c.code)
			}
			if got := x != nil; got != c.authenticated {
				t.Errorf("exchange returned: %v, want %v", got, c.authenticated)
			}
			if x != nil && x.Request.ResponseURI == "" {
				t.Error("authenticated, but nowhere to report to")
			}
		})
	}
}

// encrypt asks for an encrypted answer with a key of which some members are changed, or dropped when nil.
func (f *forge) encrypt(members map[string]any, enc string) {
	raw, err := json.Marshal(jose.Key{Public: newKey(f.t).Public(), KeyID: "k", Use: "enc", Algorithm: "ECDH-ES"})
	must(f.t, err)
	var key map[string]any
	must(f.t, json.Unmarshal(raw, &key))
	maps.Copy(key, members)
	maps.DeleteFunc(key, func(_ string, v any) bool { return v == nil })
	f.claims["response_mode"] = "direct_post.jwt"
	f.claims["client_metadata"] = map[string]any{
		"jwks": map[string]any{"keys": []any{map[string]any{"kty": "OKP", "crv": "X25519", "kid": "x", "alg": "ECDH-ES", "x": "AAAA"}, key}},
		"encrypted_response_enc_values_supported": []any{enc},
	}
}

func TestFetchAccepts(t *testing.T) {
	cases := map[string]func(*forge){
		"as it is":                     func(*forge) {},
		"iss is ignored":               set("iss", "https://somebody.example"),
		"unknown parameters":           set("later", map[string]any{"x": 1}),
		"typ with application/":        func(f *forge) { f.header.Type = "application/oauth-authz-req+jwt" },
		"aud in an array":              set("aud", []any{"https://x.example", "https://self-issued.me/v2"}),
		"known transaction_data":       set("transaction_data", transactionData(map[string]any{"type": "known", "credential_ids": []any{"a"}})),
		"another key and another enc":  func(f *forge) { f.encrypt(nil, "A128GCM") },
		"formats of somebody else too": set("client_metadata", map[string]any{"vp_formats_supported": map[string]any{"dc+sd-jwt": map[string]any{}, "x": 1}}),
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			f := newForge(t)
			f.client.TransactionDataTypes = []string{"known"}
			change(f)
			if _, err := f.fetch(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUnknownAnchorIsMetKnowingly(t *testing.T) {
	f := newForge(t)
	f.x509("x509_san_dns:werkgever.example")
	f.client.Anchors = nil
	x, err := f.fetch()
	var untrusted *openid4vp.UntrustedError
	if !errors.Is(err, openid4vp.ErrUntrusted) || !errors.As(err, &untrusted) || x != nil {
		t.Fatalf("got %v, %v, want %v", x, err, openid4vp.ErrUntrusted)
	}
	if got, want := untrusted.Verifier.Chain[0].Subject.CommonName, "Machinefabriek Ossekamp"; got != want {
		t.Errorf("claims to be %q, want %q", got, want)
	}
	f.client.AcceptUntrusted = true
	x, err = f.fetch()
	must(t, err)
	if x.Verifier.ChainError == nil {
		t.Error("the exchange does not say that the chain was not accepted")
	}
}

func TestExpiredCertificateIsRefused(t *testing.T) {
	f := newForge(t)
	f.x509("x509_san_dns:werkgever.example")
	f.clock.Advance(60 * 24 * time.Hour)
	if _, err := f.fetch(); !errors.Is(err, openid4vp.ErrUntrusted) {
		t.Errorf("got %v, want %v", err, openid4vp.ErrUntrusted)
	}
}

func TestHTTPErrorEndsTheExchange(t *testing.T) {
	f := newForge(t)
	f.status = http.StatusNotFound
	f.edit = func(string) string { return `{"error":"invalid_request_uri","error_description":"ask for a new one"}` }
	_, err := f.fetch()
	if !errors.Is(err, openid4vp.ErrFetch) || !strings.Contains(err.Error(), "ask for a new one") {
		t.Errorf("got %v, want %v with the reason of the other side", err, openid4vp.ErrFetch)
	}
}

func TestHAIPRefuses(t *testing.T) {
	cases := map[string]func(*forge){
		"decentralized_identifier": func(*forge) {},
		"x509_san_dns":             func(f *forge) { f.x509("x509_san_dns:werkgever.example") },
		"unencrypted":              func(f *forge) { f.haip() },
		"one content encryption":   func(f *forge) { f.haip(); f.encrypt(nil, "A256GCM") },
		"anchor in x5c": func(f *forge) {
			f.haip()
			f.header.X5C = append(f.header.X5C, f.anchor.Raw)
		},
		"by value": func(f *forge) {
			f.haip()
			payload, _ := json.Marshal(f.claims)
			object, err := jose.Sign(f.key, f.header, payload)
			must(f.t, err)
			f.values = url.Values{"client_id": {f.clientID}, "request": {object}}
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			f := newForge(t)
			f.client.Profile = openid4vp.HAIP()
			change(f)
			if _, err := f.fetch(); errorCode(err) != openid4vp.InvalidRequest && !errors.Is(err, openid4vp.ErrUntrusted) {
				t.Errorf("got %v, want it refused", err)
			}
		})
	}
}

func (f *forge) haip() {
	id, err := openid4vp.NewX509HashIdentity(f.chain, f.key)
	must(f.t, err)
	f.x509(string(id.ClientID))
}

func TestSelfSignedCertificateIsRefused(t *testing.T) {
	f := newForge(t)
	template := *f.chain[0]
	self := certify(t, &template, &template, f.key.Public(), f.key)
	f.chain = []*x509.Certificate{self}
	f.client.Anchors = f.chain
	f.x509("x509_san_dns:werkgever.example")
	if _, err := f.fetch(); !errors.Is(err, openid4vp.ErrUntrusted) {
		t.Errorf("got %v, want %v", err, openid4vp.ErrUntrusted)
	}
}

// withoutSignature is the request object as `alg: none`.
func withoutSignature(object string) string {
	parts := strings.Split(object, ".")
	var header map[string]any
	raw, _ := base64.RawURLEncoding.DecodeString(parts[0])
	_ = json.Unmarshal(raw, &header)
	header["alg"] = "none"
	raw, _ = json.Marshal(header)
	return base64.RawURLEncoding.EncodeToString(raw) + "." + parts[1] + "."
}

func otherPayload(object string) string {
	parts := strings.Split(object, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
	changed := strings.Replace(string(raw), "werkgever.example/post", "ander.example/post", 1)
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(changed)) + "." + parts[2]
}
