package dcql_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/specs/dcql"
)

var person = map[string]any{
	"name":          "Arthur Dent",
	"address":       map[string]any{"locality": "Milliways"},
	"nationalities": []any{"British", "Betelgeusian"},
	"degrees":       []any{map[string]any{"type": "BSc", "level": 6.0}, map[string]any{"type": "MSc"}, map[string]any{"level": 7.0}},
	"mixed":         []any{map[string]any{"a": "b"}, "text"},
	"empty":         []any{},
	"adult":         true,
	"nothing":       nil,
}

func TestPath(t *testing.T) {
	cases := []struct {
		name string
		path dcql.Path
		want []dcql.Selected
		err  error
	}{
		{"member", dcql.Path{"name"}, []dcql.Selected{{Path: dcql.Path{"name"}, Value: "Arthur Dent"}}, nil},
		{"nested", dcql.Path{"address", "locality"}, []dcql.Selected{{Path: dcql.Path{"address", "locality"}, Value: "Milliways"}}, nil},
		{"index", dcql.Path{"nationalities", 1}, []dcql.Selected{{Path: dcql.Path{"nationalities", 1}, Value: "Betelgeusian"}}, nil},
		{"all, of those that have it", dcql.Path{"degrees", nil, "type"}, []dcql.Selected{
			{Path: dcql.Path{"degrees", 0, "type"}, Value: "BSc"}, {Path: dcql.Path{"degrees", 1, "type"}, Value: "MSc"}}, nil},
		{"null value", dcql.Path{"nothing"}, []dcql.Selected{{Path: dcql.Path{"nothing"}}}, nil},
		{"missing", dcql.Path{"nope"}, nil, dcql.ErrNotFound},
		{"index beyond", dcql.Path{"nationalities", 2}, nil, dcql.ErrNotFound},
		{"null on an empty array", dcql.Path{"empty", nil}, nil, dcql.ErrNotFound},
		{"null on an object", dcql.Path{"address", nil}, nil, dcql.ErrNotFound},
		{"name on an array", dcql.Path{"degrees", "type"}, nil, dcql.ErrNotFound},
		{"name on a string", dcql.Path{"name", "first"}, nil, dcql.ErrNotFound},
		{"one of the elements is no object", dcql.Path{"mixed", nil, "a"}, nil, dcql.ErrNotFound},
		{"no components", dcql.Path{}, nil, dcql.ErrPath},
		{"boolean component", dcql.Path{"degrees", true}, nil, dcql.ErrPath},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.path.Select(person)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("(-got +want)\n%s", diff)
			}
		})
	}
}

func TestPathCovers(t *testing.T) {
	cases := []struct {
		path, other dcql.Path
		want        bool
	}{
		{dcql.Path{"skills", nil, "uri"}, dcql.Path{"skills", 3}, true},
		{dcql.Path{"skills", nil, "uri"}, dcql.Path{"skills", 3, "uri"}, true},
		{dcql.Path{"skills", nil, "uri"}, dcql.Path{"skills", 3, "label"}, false},
		{dcql.Path{"skills", nil}, dcql.Path{"skills", "uri"}, false},
		{dcql.Path{"address"}, dcql.Path{"address", "locality"}, true},
		{dcql.Path{"address"}, dcql.Path{"name"}, false},
	}
	for _, c := range cases {
		if got := c.path.Covers(c.other); got != c.want {
			t.Errorf("%v covers %v: got %v, want %v", c.path, c.other, got, c.want)
		}
	}
}
