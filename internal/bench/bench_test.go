package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	if err := Write(path, Report{Rows: results, Figures: []Figure{NewFigure("figure", 3, "us", 2, 4)}}); err != nil {
		t.Fatal(err)
	}
	var read struct{ Rows, Figures []map[string]any }
	raw, _ := os.ReadFile(path)
	if err := json.Unmarshal(raw, &read); err != nil || len(read.Rows) != 1 || len(read.Figures) != 1 {
		t.Fatalf("%s: %v", raw, err)
	}
	for _, member := range []string{"name", "ns_op", "limit_ns_op", "ratio", "allocs_op"} {
		if _, ok := read.Rows[0][member]; !ok || len(read.Rows[0]) != 5 {
			t.Errorf("no %s, or more than it: %s", member, raw)
		}
	}
	if f := read.Figures[0]; f["name"] != "figure" || f["value"] != 3.0 || f["ratio"] != 1.5 || f["aim"] != 4.0 || f["limit"] != 2.0 || f["unit"] != "us" {
		t.Errorf("figure: %v", f)
	}
}

func TestPercentile(t *testing.T) {
	list := []time.Duration{5, 1, 4, 2, 3}
	for _, tt := range []struct {
		part float64
		want time.Duration
	}{{0, 1}, {0.5, 3}, {0.99, 5}, {1, 5}} {
		if got := Percentile(list, tt.part); got != tt.want {
			t.Errorf("%v: got %d, want %d", tt.part, got, tt.want)
		}
	}
	if Percentile(nil, 0.5) != 0 || Median(nil) != 0 || Median([]float64{9, 1, 2}) != 2 {
		t.Error("of nothing 0, of three the middle one")
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
