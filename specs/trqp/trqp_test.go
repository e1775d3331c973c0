package trqp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"paspoort.example/paspoort/internal/testkit"
)

// book is a registry that knows one entity and one other region.
type book struct{ err error }

func (b book) Authorized(_ context.Context, q Query) (Answer, error) {
	if q.Entity != "https://vaart.example" {
		return Answer{}, NotKnown("no such organisation")
	}
	index := uint64(3)
	return Answer{Yes: q.Action == "issue" && q.Time.Year() != 2020, Message: "admitted", Log: &Log{Origin: "aakermonde.example/register", Size: 9, Index: &index}}, b.err
}

func (b book) Recognized(_ context.Context, q Query) (Answer, error) {
	return Answer{Yes: q.Entity == "https://berkelo.example"}, b.err
}

func stage(t *testing.T, b book) Client {
	srv := httptest.NewServer(&Server{Registry: b, Clock: func() time.Time { return testkit.Noon }})
	t.Cleanup(srv.Close)
	return Client{HTTP: srv.Client(), Endpoint: srv.URL + "/trqp/"}
}

func question(entity, action string, at time.Time) Query {
	return Query{Entity: entity, Authority: "https://aakermonde.example", Action: action, Resource: "urn:paspoort:opleiding:1", Time: at}
}

func TestBothHalves(t *testing.T) {
	c, ctx := stage(t, book{}), t.Context()
	q := question("https://vaart.example", "issue", testkit.Noon.AddDate(0, -1, 0))
	q.Context = map[string]string{"locator": "drawer 3", "colour": "blue"}
	a, err := c.Authorization(ctx, q)
	if err != nil || !a.Yes || !a.Evaluated.Equal(testkit.Noon) || a.Log == nil || *a.Log.Index != 3 || a.Context["colour"] != "blue" {
		t.Errorf("authorization: got %+v and %v", a, err)
	}
	if a, err := c.Authorization(ctx, question("https://vaart.example", "issue", time.Date(2020, 5, 1, 0, 0, 0, 500, time.UTC))); err != nil || a.Yes {
		t.Errorf("authorization of another time: got %+v and %v", a, err)
	}
	if a, err := c.Recognition(ctx, question("https://berkelo.example", "issue", time.Time{})); err != nil || !a.Yes {
		t.Errorf("recognition: got %+v and %v", a, err)
	}
	var p *Problem
	if _, err := c.Authorization(ctx, question("https://linde.example", "issue", time.Time{})); !errors.As(err, &p) || p.Status != http.StatusNotFound || p.Detail == "" {
		t.Errorf("an unknown entity: got %v", err)
	}
	if _, err := stage(t, book{errors.New("the disk is gone")}).Recognition(ctx, question("https://x.example", "issue", time.Time{})); !errors.As(err, &p) ||
		p.Status != http.StatusInternalServerError || strings.Contains(p.Detail, "disk") {
		t.Errorf("a failure of the registry: got %v", err)
	}
}

// TestSchemas holds questions and answers against the published schemas.
func TestSchemas(t *testing.T) {
	vectors := testkit.Vectors(t, "trqp-v2")
	compiled := func(name string) *jsonschema.Schema {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(vectors.Read(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		if err := c.AddResource("https://schema.example/"+name, doc); err != nil {
			t.Fatal(err)
		}
		s, err := c.Compile("https://schema.example/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	holds := func(schema string, raw []byte) {
		t.Helper()
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled(schema).Validate(doc); err != nil {
			t.Errorf("%s: %s: %v", schema, raw, err)
		}
	}
	asked := question("https://vaart.example", "issue", testkit.Noon)
	asked.Context = map[string]string{"locator": "x"}
	for _, q := range []Query{asked, question("https://vaart.example", "issue", time.Time{})} {
		raw, err := q.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		holds("trqp_authorization_request.schema.json", raw)
		holds("trqp_recognition_request.schema.json", raw)
		for k, schema := range map[kind]string{authorization: "trqp_authorization_response.schema.json", recognition: "trqp_recognition_response.schema.json"} {
			raw, err := Answer{Query: q, Yes: true, Evaluated: testkit.Noon, Message: "yes", Log: &Log{Origin: "a.example/b", Size: 3}}.marshal(k)
			if err != nil {
				t.Fatal(err)
			}
			holds(schema, raw)
		}
	}
}

// TestExamples reads every message that is printed in the text.
func TestExamples(t *testing.T) {
	var doc struct {
		Examples []struct {
			FirstLine string          `json:"first_line"`
			Body      json.RawMessage `json:"body"`
		}
	}
	vectors := testkit.Vectors(t, "trqp-v2")
	vectors.JSON(t, "examples-in-text.json", &doc)
	if len(doc.Examples) == 0 {
		t.Fatal("no examples")
	}
	for _, e := range doc.Examples {
		raw, k := e.Body, recognition
		if bytes.Contains(raw, []byte(`"authorized"`)) {
			k = authorization
		}
		var err error
		if strings.HasPrefix(e.FirstLine, "POST") {
			_, err = ParseQuery(raw)
		} else {
			var a Answer
			a, err = parseAnswer(raw, k)
			if !a.Yes {
				t.Errorf("%s: got no", raw)
			}
		}
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestQueriesAreRefused(t *testing.T) {
	for name, raw := range map[string]string{
		"no JSON":            `entity_id=x`,
		"no entity":          `{"authority_id":"a","action":"issue","resource":"r"}`,
		"no authority":       `{"entity_id":"e","action":"issue","resource":"r"}`,
		"an empty action":    `{"entity_id":"e","authority_id":"a","action":"","resource":"r"}`,
		"no resource":        `{"entity_id":"e","authority_id":"a","action":"issue"}`,
		"a space":            `{"entity_id":"e f","authority_id":"a","action":"issue","resource":"r"}`,
		"a letter beyond":    `{"entity_id":"é","authority_id":"a","action":"issue","resource":"r"}`,
		"a bad escape":       `{"entity_id":"https://a.example/%zz","authority_id":"a","action":"issue","resource":"r"}`,
		"a list as entity":   `{"entity_id":["e"],"authority_id":"a","action":"issue","resource":"r"}`,
		"context as a text":  `{"entity_id":"e","authority_id":"a","action":"issue","resource":"r","context":"now"}`,
		"time as a number":   `{"entity_id":"e","authority_id":"a","action":"issue","resource":"r","context":{"time":1}}`,
		"time of a zone":     `{"entity_id":"e","authority_id":"a","action":"issue","resource":"r","context":{"time":"2026-06-19T11:30:00+02:00"}}`,
		"a member twice":     `{"entity_id":"e","entity_id":"f","authority_id":"a","action":"issue","resource":"r"}`,
		"too long an entity": `{"entity_id":"` + strings.Repeat("e", 3000) + `","authority_id":"a","action":"issue","resource":"r"}`,
	} {
		if q, err := ParseQuery([]byte(raw)); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: got %+v and %v, want ErrMessage", name, q, err)
		}
	}
	q, err := ParseQuery([]byte(`{"entity_id":"e","authority_id":"a","action":"issue","resource":"r","context":{"depth":[1],"locator":"x"},"more":1}`))
	if err != nil || q.Context["locator"] != "x" || len(q.Context) != 1 {
		t.Errorf("members that are not known: got %+v and %v", q, err)
	}
}

func TestRequestsAreRefused(t *testing.T) {
	s := &Server{Registry: book{}, Clock: func() time.Time { return testkit.Noon }}
	good := `{"entity_id":"https://vaart.example","authority_id":"a","action":"issue","resource":"r"}`
	for _, tt := range []struct {
		name, method, path, media, body string
		want                            int
	}{
		{"good", "POST", "/trqp/authorization", "application/json; charset=utf-8", good, 200},
		{"another question", "POST", "/trqp/delegation", "application/json", good, 404},
		{"a look", "GET", "/trqp/authorization", "", "", 405},
		{"a form", "POST", "/trqp/recognition", "application/x-www-form-urlencoded", good, 415},
		{"no JSON", "POST", "/trqp/recognition", "application/json", "{", 400},
		{"too much", "POST", "/trqp/recognition", "application/json", strings.Repeat(" ", MaxBytes+1), 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.media)
			r.Header.Set("X-Request-ID", "d4f34c12")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("got %d, want %d: %s", w.Code, tt.want, w.Body)
			}
			want := "application/problem+json"
			if tt.want == 200 {
				want = "application/json"
			}
			if got := w.Header().Get("Content-Type"); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestAnswersAreRefused: a client takes no answer to another question, and none that is neither
// yes nor no.
func TestAnswersAreRefused(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":                 ``,
		"to the other question":   `{"entity_id":"e","authority_id":"a","action":"issue","resource":"r","recognized":true,"time_evaluated":"2026-01-01T00:00:00Z"}`,
		"about another entity":    `{"entity_id":"f","authority_id":"a","action":"issue","resource":"r","authorized":true,"time_evaluated":"2026-01-01T00:00:00Z"}`,
		"about another moment":    `{"entity_id":"e","authority_id":"a","action":"issue","resource":"r","authorized":true,"time_evaluated":"2026-01-01T00:00:00Z","time_requested":"2026-01-01T00:00:00Z"}`,
		"without a moment at all": `{"entity_id":"e","authority_id":"a","action":"issue","resource":"r","authorized":true}`,
		"endless":                 `{"entity_id":"e","authority_id":"a","action":"issue","resource":"r","authorized":true,"message":"` + strings.Repeat("x", MaxBytes) + `"}`,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(body)) }))
		c := Client{HTTP: srv.Client(), Endpoint: srv.URL}
		if a, err := c.Authorization(t.Context(), Query{Entity: "e", Authority: "a", Action: "issue", Resource: "r"}); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: got %+v and %v, want ErrMessage", name, a, err)
		}
		srv.Close()
	}
}

// FuzzParseQuery: what is read is written and read again as the same question.
func FuzzParseQuery(f *testing.F) {
	f.Add([]byte(`{"entity_id":"e","authority_id":"a","action":"issue","resource":"r","context":{"time":"2026-06-19T11:30:00Z","locator":"x"}}`))
	f.Add([]byte(`{"entity_id":"did:web:a.example","authority_id":"a","action":"issue","resource":"r"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		q, err := ParseQuery(raw)
		if err != nil {
			return
		}
		first, err := q.Marshal()
		if err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		again, err := ParseQuery(first)
		if err != nil {
			t.Fatalf("written but not read: %s: %v", first, err)
		}
		if second, err := again.Marshal(); err != nil || !bytes.Equal(first, second) {
			t.Errorf("got %s, then %s", first, second)
		}
	})
}

// FuzzParseAnswer: no answer breaks a reader.
func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"entity_id":"e","authority_id":"a","action":"issue","resource":"r","authorized":true,"time_evaluated":"2026-01-01T00:00:00Z","paspoort_log":{"origin":"o","size":3,"index":1}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if a, err := parseAnswer(raw, authorization); err == nil {
			if _, err := a.marshal(authorization); err != nil {
				t.Errorf("read but not written: %v", err)
			}
		}
	})
}
