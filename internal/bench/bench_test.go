package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/paspoort"
)

func TestMeasure(t *testing.T) {
	calls := map[string]int{}
	count := func(name string) Op {
		return func(int) error { calls[name]++; return nil }
	}
	closed := false
	row := Row{Name: "row", Aim: 2, Setup: func() (*Case, error) {
		return &Case{Subject: count("subject"), Limit: count("limit"), Ops: 25, Round: 10, Close: func() { closed = true }}, nil
	}}
	var out bytes.Buffer
	results, err := Run(&out, row)
	if err != nil {
		t.Fatal(err)
	}
	if calls["subject"] != 25 || calls["limit"] != 25 || !closed || !strings.Contains(out.String(), "row") {
		t.Errorf("%v, closed %v, %s", calls, closed, out.String())
	}
	path := filepath.Join(t.TempDir(), "bench.json")
	if err := Write(path, results); err != nil {
		t.Fatal(err)
	}
	var read []map[string]any
	raw, _ := os.ReadFile(path)
	if err := json.Unmarshal(raw, &read); err != nil || len(read) != 1 {
		t.Fatalf("%s: %v", raw, err)
	}
	for _, member := range []string{"name", "ns_op", "limit_ns_op", "ratio", "allocs_op"} {
		if _, ok := read[0][member]; !ok || len(read[0]) != 5 {
			t.Errorf("no %s, or more than it: %s", member, raw)
		}
	}
}

func TestMeasureFails(t *testing.T) {
	bad := errors.New("bad")
	for name, c := range map[string]*Case{
		"subject": {Subject: func(int) error { return bad }, Limit: func(int) error { return nil }, Ops: 1, Round: 1},
		"limit":   {Subject: func(int) error { return nil }, Limit: func(int) error { return bad }, Ops: 1, Round: 1},
	} {
		_, err := Run(&bytes.Buffer{}, Row{Name: name, Setup: func() (*Case, error) { return c, nil }})
		if !errors.Is(err, bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSpoiled: each way of spoiling is noticed, and nothing else is refused.
func TestSpoiled(t *testing.T) {
	keys, known, err := issuerKeys(2)
	if err != nil {
		t.Fatal(err)
	}
	data, err := sample(paspoort.Opleiding)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		good, err := present(keys[i%2], issuerURL(i%2), data, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(good.text, known); err != nil || good.spoiled {
			t.Errorf("presentation %d refused: %v", i, err)
		}
		if err := verify(spoil(good.text, i), known); err == nil {
			t.Errorf("spoiled in way %d and accepted", i)
		}
	}
}

func BenchmarkVerifyPresentation(b *testing.B) { run(b, verifyPresentation(paspoort.Ontwikkelbudget)) }
func BenchmarkIssue(b *testing.B)              { run(b, issue(paspoort.Ontwikkelbudget)) }

func run(b *testing.B, setup func() (*Case, error)) {
	c, err := setup()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := c.Subject(i % c.Ops); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
