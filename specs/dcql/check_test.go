package dcql_test

import (
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/dcql"
)

func TestCheckShape(t *testing.T) {
	q := parse(t, `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}},{"id":"b","format":"dc+sd-jwt","meta":{},"multiple":true}]}`)
	cases := map[string]struct {
		counts map[string]int
		err    error
	}{
		"one each":         {map[string]int{"a": 1, "b": 1}, nil},
		"several":          {map[string]int{"b": 3}, nil},
		"two where one":    {map[string]int{"a": 2}, dcql.ErrAnswer},
		"an empty array":   {map[string]int{"b": 0}, dcql.ErrAnswer},
		"what nobody asks": {map[string]int{"c": 1}, dcql.ErrAnswer},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := q.CheckShape(c.counts); !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
		})
	}
}

func TestCheckPresentation(t *testing.T) {
	q := parse(t, skillsQuery)
	unbound := skilled("urn:paspoort:opleiding:1", "urn:skill:lassen")
	unbound.HolderBound = false
	other := skilled("urn:paspoort:opleiding:1", "urn:skill:lassen")
	other.Format = dcql.FormatVCSDJWT
	cases := map[string]struct {
		id        string
		presented dcql.Credential
		err       error
	}{
		"what was asked":     {"opleiding", skilled("urn:paspoort:opleiding:1", "urn:skill:lassen"), nil},
		"more than asked":    {"opleiding", skilled("urn:paspoort:opleiding:1", "urn:skill:meten", "urn:skill:lassen"), nil},
		"other value":        {"opleiding", skilled("urn:paspoort:opleiding:1", "urn:skill:meten"), dcql.ErrMismatch},
		"nothing disclosed":  {"opleiding", skilled("urn:paspoort:opleiding:1"), dcql.ErrMismatch},
		"other type":         {"opleiding", skilled("urn:paspoort:werkervaring:1", "urn:skill:lassen"), dcql.ErrMismatch},
		"other format":       {"opleiding", other, dcql.ErrMismatch},
		"no holder binding":  {"opleiding", unbound, dcql.ErrMismatch},
		"under another name": {"diploma", skilled("urn:paspoort:opleiding:1", "urn:skill:lassen"), dcql.ErrAnswer},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := q.CheckPresentation(c.id, &c.presented); !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
		})
	}
}

func TestCheckSets(t *testing.T) {
	plain := parse(t, `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}},{"id":"b","format":"dc+sd-jwt","meta":{}}]}`)
	sets := parse(t, `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}},{"id":"b","format":"dc+sd-jwt","meta":{}},{"id":"c","format":"dc+sd-jwt","meta":{}}],
		"credential_sets":[{"options":[["a"],["b","c"]]},{"options":[["c"]],"required":false}]}`)
	cases := map[string]struct {
		query *dcql.Query
		held  map[string]int
		err   error
	}{
		"all of them":            {plain, map[string]int{"a": 1, "b": 1}, nil},
		"one is missing":         {plain, map[string]int{"a": 1}, dcql.ErrAnswer},
		"first option":           {sets, map[string]int{"a": 1}, nil},
		"second option":          {sets, map[string]int{"b": 1, "c": 1}, nil},
		"half the second option": {sets, map[string]int{"b": 1}, dcql.ErrAnswer},
		"only what is optional":  {sets, map[string]int{"c": 1}, dcql.ErrAnswer},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := c.query.CheckSets(c.held); !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
		})
	}
}
