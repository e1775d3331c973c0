package verifier_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
)

// openAPI is the document as the verifier serves it, with a compiler over its schemas (OpenAPI 3.1: JSON Schema 2020-12).
type openAPI struct {
	t        *testing.T
	document map[string]any
	compiler *jsonschema.Compiler
}

func (s *stage) openAPI() *openAPI {
	s.t.Helper()
	resp, err := s.http.Get(address + "/openapi.yaml")
	must(s.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(s.t, err)
	o := &openAPI{t: s.t, compiler: jsonschema.NewCompiler()}
	var document any
	must(s.t, yaml.Unmarshal(raw, &document))
	// Through JSON, so that numbers are of the kind that the schema compiler expects.
	asJSON, err := json.Marshal(document)
	must(s.t, err)
	document, err = jsonschema.UnmarshalJSON(strings.NewReader(string(asJSON)))
	must(s.t, err)
	o.document = document.(map[string]any)
	o.compiler.DefaultDraft(jsonschema.Draft2020)
	o.compiler.AssertFormat()
	must(s.t, o.compiler.AddResource("mem:///openapi.json", document))
	return o
}

// check holds a JSON text against a schema of the document.
func (o *openAPI) check(name string, raw []byte) error {
	o.t.Helper()
	schema, err := o.compiler.Compile("mem:///openapi.json#/components/schemas/" + name)
	must(o.t, err)
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	must(o.t, err)
	return schema.Validate(v)
}

// call sends a request to the API and returns status and body.
func (s *stage) call(method, path, token, contentType, body string) (int, []byte) {
	s.t.Helper()
	req, err := http.NewRequest(method, address+path, strings.NewReader(body))
	must(s.t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := s.http.Do(req)
	must(s.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(s.t, err)
	return resp.StatusCode, raw
}

// TestOpenAPI holds the document to the server and the server to the document: every operation exists and is closed
// without the token, and what the server answers is what the schemas say.
func TestOpenAPI(t *testing.T) {
	s := newStage(t)
	api := s.openAPI()
	operations := 0
	for path, item := range api.document["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			operations++
			path := strings.ReplaceAll(path, "{id}", "x")
			if status, body := s.call(strings.ToUpper(method), path, "", "", ""); status != http.StatusUnauthorized {
				t.Errorf("%s %s without a token: %d %s", method, path, status, body)
			} else if err := api.check("Error", body); err != nil {
				t.Errorf("%s %s: %v", method, path, err)
			}
		}
	}
	if operations != 3 {
		t.Errorf("%d operations are described, want the 3 that exist", operations)
	}
	for _, path := range []string{"/api/v1/requests", "/api/v1/requests/x"} {
		if status, _ := s.call("PATCH", path, adminToken, "", ""); status != http.StatusMethodNotAllowed {
			t.Errorf("PATCH %s: %d, want %d", path, status, http.StatusMethodNotAllowed)
		}
	}

	ask := askSkills + `}`
	if err := api.check("Ask", []byte(ask)); err != nil {
		t.Errorf("ask: %v", err)
	}
	status, raw := s.call("POST", "/api/v1/requests", adminToken, "application/json", ask)
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, raw)
	}
	if err := api.check("Created", raw); err != nil {
		t.Errorf("created: %v", err)
	}
	var made request
	must(t, json.Unmarshal(raw, &made))
	for _, when := range []string{"waiting", "done"} {
		_, raw = s.call("GET", "/api/v1/requests/"+made.ID, adminToken, "", "")
		if err := api.check("Request", raw); err != nil {
			t.Errorf("%s: %v\n%s", when, err, raw)
		}
		if when == "waiting" {
			x := s.fetch(made.Invocation)
			_, err := s.wallet.Send(t.Context(), x, s.answer(x))
			must(t, err)
		}
	}
}

// TestAPIRefuses is the table of what cannot be asked. Where the schema can say so, it does.
func TestAPIRefuses(t *testing.T) {
	s := newStage(t)
	api := s.openAPI()
	many := `"` + strings.Repeat(`urn:a","`, 60) + `urn:b"`
	cases := map[string]struct {
		token, contentType, body string
		status                   int
		code                     string
		schema                   bool // the schema refuses it too
	}{
		"no token":              {"", "application/json", `{}`, http.StatusUnauthorized, "invalid_request", false},
		"wrong token":           {"x", "application/json", `{}`, http.StatusUnauthorized, "invalid_token", false},
		"form":                  {adminToken, "application/x-www-form-urlencoded", `a=b`, http.StatusUnsupportedMediaType, "invalid_request", false},
		"not json":              {adminToken, "application/json", `{`, http.StatusBadRequest, "invalid_request", false},
		"duplicate member":      {adminToken, "application/json", `{"purpose":"a","purpose":"b"}`, http.StatusBadRequest, "invalid_request", false},
		"trailing bytes":        {adminToken, "application/json", `{}x`, http.StatusBadRequest, "invalid_request", false},
		"too large":             {adminToken, "application/json", `{"purpose":"` + strings.Repeat("a", 200<<10) + `"}`, http.StatusRequestEntityTooLarge, "invalid_request", false},
		"nothing asked":         {adminToken, "application/json", `{"purpose":"a"}`, http.StatusBadRequest, "invalid_request", true},
		"no purpose":            {adminToken, "application/json", `{"skills":["urn:a"]}`, http.StatusBadRequest, "invalid_request", true},
		"purpose too long":      {adminToken, "application/json", `{"skills":["urn:a"],"purpose":"` + strings.Repeat("a", 501) + `"}`, http.StatusBadRequest, "invalid_request", true},
		"both ways":             {adminToken, "application/json", `{"skills":["urn:a"],"dcql_query":{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}}]},"purpose":"a"}`, http.StatusBadRequest, "invalid_request", true},
		"too many skills":       {adminToken, "application/json", `{"skills":[` + many + `],"purpose":"a"}`, http.StatusBadRequest, "invalid_request", true},
		"empty skill":           {adminToken, "application/json", `{"skills":[""],"purpose":"a"}`, http.StatusBadRequest, "invalid_request", true},
		"skill as number":       {adminToken, "application/json", `{"skills":[1],"purpose":"a"}`, http.StatusBadRequest, "invalid_request", true},
		"type without skills":   {adminToken, "application/json", `{"skills":["urn:a"],"types":["Ontwikkelbudget"],"purpose":"a"}`, http.StatusBadRequest, "invalid_request", true},
		"type twice":            {adminToken, "application/json", `{"skills":["urn:a"],"types":["Opleiding","Opleiding"],"purpose":"a"}`, http.StatusBadRequest, "invalid_request", false},
		"format not judged":     {adminToken, "application/json", `{"skills":["urn:a"],"formats":["mso_mdoc"],"purpose":"a"}`, http.StatusBadRequest, "invalid_request", true},
		"haip in the clear":     {adminToken, "application/json", `{"skills":["urn:a"],"profile":"haip","response_mode":"direct_post","purpose":"a"}`, http.StatusBadRequest, "invalid_request", false},
		"haip with vc+sd-jwt":   {adminToken, "application/json", `{"skills":["urn:a"],"profile":"haip","formats":["vc+sd-jwt"],"purpose":"a"}`, http.StatusBadRequest, "vp_formats_not_supported", false},
		"unknown profile":       {adminToken, "application/json", `{"skills":["urn:a"],"profile":"x","purpose":"a"}`, http.StatusBadRequest, "invalid_request", true},
		"unknown response mode": {adminToken, "application/json", `{"skills":["urn:a"],"response_mode":"fragment","purpose":"a"}`, http.StatusBadRequest, "invalid_request", true},
		"prefix out of profile": {adminToken, "application/json", `{"skills":["urn:a"],"profile":"diip","client_id_prefix":"x509_hash","purpose":"a"}`, http.StatusBadRequest, "invalid_request", false},
		"query breaks a rule":   {adminToken, "application/json", `{"dcql_query":{"credentials":[]},"purpose":"a"}`, http.StatusBadRequest, "invalid_request", false},
		"query for mdoc":        {adminToken, "application/json", `{"dcql_query":{"credentials":[{"id":"a","format":"mso_mdoc","meta":{}}]},"purpose":"a"}`, http.StatusBadRequest, "invalid_request", false},
		"query and names":       {adminToken, "application/json", `{"dcql_query":{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}}]},"names":true,"purpose":"a"}`, http.StatusBadRequest, "invalid_request", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			status, body := s.call("POST", "/api/v1/requests", c.token, c.contentType, c.body)
			var got struct {
				Error string `json:"error"`
			}
			_ = json.Unmarshal(body, &got)
			if status != c.status || (got.Error != c.code && c.status != http.StatusUnauthorized) {
				t.Errorf("got %d %s, want %d %s", status, body, c.status, c.code)
			}
			if c.schema {
				if api.check("Ask", []byte(c.body)) == nil {
					t.Error("the schema allows what the server refuses")
				}
			}
		})
	}
}

// TestRefusalsSayWhatIsWrong: the sentence names the place, so that the caller can mend it.
func TestRefusalsSayWhatIsWrong(t *testing.T) {
	s := newStage(t)
	for body, want := range map[string]string{
		`{"dcql_query":{"credentials":[{"id":"a","format":"dc+sd-jwt"}]},"purpose":"a"}`:             "meta is missing",
		`{"dcql_query":{"credentials":[{"id":"a b","format":"dc+sd-jwt","meta":{}}]},"purpose":"a"}`: "id is not made of letters",
		`{"skills":[1],"purpose":"a"}`:                     "uri",
		`{"skills":["urn:a"]}`:                             "purpose is required",
		`{"skills":["urn:a"],"purpose":"a","profile":"x"}`: "profile is standard, diip or haip",
	} {
		status, answer := s.call("POST", "/api/v1/requests", adminToken, "application/json", body)
		if status != http.StatusBadRequest || !strings.Contains(string(answer), want) {
			t.Errorf("%s: %d %s, want %q in it", body, status, answer, want)
		}
	}
}

// TestSkillsQuery: one optional credential query per type, multiple, with the uris as values; each must find its skill in
// the sample of its type, in both formats.
func TestSkillsQuery(t *testing.T) {
	s := newStage(t)
	for _, format := range paspoort.Formats() {
		t.Run(string(format), func(t *testing.T) {
			var made struct {
				ID string `json:"id"`
			}
			s.api("POST", "/api/v1/requests", `{"skills":["`+verzorgen+`"],"formats":["`+string(format)+`"],"purpose":"a"}`, http.StatusCreated, &made)
			var got struct {
				Query *dcql.Query `json:"dcql_query"`
			}
			s.api("GET", "/api/v1/requests/"+made.ID, "", http.StatusOK, &got)
			if len(got.Query.Credentials) != 6 || len(got.Query.CredentialSets) != 6 {
				t.Fatalf("%d credential queries in %d sets", len(got.Query.Credentials), len(got.Query.CredentialSets))
			}
			for _, c := range got.Query.Credentials {
				if !c.Multiple || !c.RequiresHolderBinding() {
					t.Errorf("%s: multiple %v", c.ID, c.Multiple)
				}
			}
			token := s.issuer.IssueAs(format, paspoort.Opleiding, s.holder.Public(), func(map[string]any, *jose.Header) {})
			claims, err := token.Claims()
			must(t, err)
			types := []string{paspoort.Opleiding.VCT()}
			r := dcql.Evaluate(got.Query, []dcql.Credential{{Format: string(format), Types: types, HolderBound: true, Claims: claims}})
			id := "opleiding"
			if format == paspoort.FormatVCDM {
				id += "-vc"
			}
			if len(r.Matches[id]) != 1 || len(r.Matches[id][0].Disclose) != 1 || !r.Satisfiable {
				t.Errorf("matches %+v", r.Matches)
			}
		})
	}
}
