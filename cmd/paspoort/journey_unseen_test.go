package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/kv/kvscan"
	"paspoort.example/paspoort/specs/paspoort"
)

// A trace is everything that a request leaves with the one who asked.
type trace struct {
	id      string
	api     []byte         // the admin API's answer
	page    string         // its page, as the asker's own browser sees it
	log     map[string]int // lines by method, route and status
	metrics map[string]string
	rows    [][]byte // what stands on the disk, by kind and in order
}

// neverSeen makes requests alike and treats each in another way: nobody opens it; it is
// opened in a paspoort and left; it is refused there in silence. To the asker they are the
// same: in the API, on the page, in log and metrics, and on the disk. First for a request
// that came by a QR code, then for the button on the asker's page, where the asker's browser
// is the holder's. What it gives looks at the disk, when the asker's process has ended.
func (l *land) neverSeen(t *testing.T) (onDisk func(*testing.T)) {
	p := l.traveller(t, "Onzichtbare Toeschouwer", 360, "nl")
	p.tab.name = "unseen"
	p.firstCredential(l.offer(t, "opleider", paspoort.Opleiding, nil))
	visitor := p.another("nobody") // who has no paspoort and goes away
	read := func(q question) {     // from a QR code or a text message
		p.open(p.host + "/collect")
		p.fill("#text", q.Invocation)
		p.submit("/collect")
		p.at("/present/[^/]+")
	}
	// The button is a link. The asker's page itself is opened by nobody here: it asks how the
	// request stands every three seconds, and how often it does that on a slow machine says
	// nothing about a holder.
	press := func(b *traveller, q question) { b.open(q.Page + "/open?wallet=1") }
	refuse := func() {
		p.submitWithin(`form[action$="/no"]`)
		p.reads("answered.title.refused")
	}
	nothing := func(question) {}
	byCode := l.traces(t, map[string]func(question){
		"untouched": nothing, "untouched too": nothing,
		"opened": read, "refused in silence": func(q question) { read(q); refuse() },
	})
	leave := func(q question) { press(visitor, q) }
	byButton := l.traces(t, map[string]func(question){
		"untouched": leave, "untouched too": leave, // by a holder: somebody pressed and left
		"pressed and opened": func(q question) { press(p, q) }, "pressed and refused": func(q question) { press(p, q); refuse() },
	})
	return func(t *testing.T) {
		l.onDisk(t, byCode, byButton)
		t.Run("by code", func(t *testing.T) { alike(t, byCode) })
		t.Run("by button", func(t *testing.T) { alike(t, byButton) })
		seesMore(t, byCode)
	}
}

// traces makes one request for each way and looks at it as its asker does.
func (l *land) traces(t *testing.T, ways map[string]func(question)) map[string]*trace {
	t.Helper()
	out := map[string]*trace{}
	for _, name := range slices.Sorted(maps.Keys(ways)) {
		v := l.ready.Verifiers[0]
		before, counted := l.verifierLog(t), l.counters(t)
		q := l.askFor(t, "Wij zoeken stilte.")
		ways[name](q)
		tr := &trace{id: q.ID}
		l.api(t, http.MethodGet, v.URL+"/api/v1/requests/"+q.ID, v.AdminToken, nil, &tr.api)
		tr.page = string(l.get(t, q.Page))
		tr.log, tr.metrics = l.newLines(t, before), more(counted, l.counters(t))
		out[name] = tr
	}
	return out
}

func (l *land) verifierLog(t *testing.T) string {
	t.Helper()
	return read(t, filepath.Join(l.Dir(), "logs", "verifier.log"))
}

// newLines are the lines that the verifier wrote since, without time and duration.
func (l *land) newLines(t *testing.T, before string) map[string]int {
	t.Helper()
	out := map[string]int{}
	for line := range strings.Lines(strings.TrimPrefix(l.verifierLog(t), before)) {
		var said map[string]any
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if route, _ := said["route"].(string); route == "/metrics" || route == "/readyz" {
			continue // ours
		}
		delete(said, "time")
		delete(said, "seconds")
		if route, _ := said["route"].(string); strings.HasSuffix(route, "/qr.svg") {
			delete(said, "bytes") // of a picture of chance
		}
		rest, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		out[string(rest)]++
	}
	return out
}

// counters are those of the verifier that count what somebody did.
func (l *land) counters(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for line := range strings.Lines(string(l.get(t, l.ready.Verifiers[0].URL+"/metrics"))) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if i := strings.LastIndex(line, " "); i > 0 {
			name, value = strings.TrimSpace(line[:i]), strings.TrimSpace(line[i:])
		}
		// Durations and the process itself vary by chance; how often does not.
		if !ok || strings.HasPrefix(name, "#") || !counter.MatchString(name) || strings.Contains(name, "/metrics") {
			continue
		}
		out[name] = value
	}
	return out
}

var counter = regexp.MustCompile(`^[a-z_]*(_total|_count)(\{|$)`)

// more is what was counted between. Counters of the program itself are left out.
func more(before, after map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range after {
		if before[name] != value && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			out[name] = difference(before[name], value)
		}
	}
	return out
}

func difference(before, after string) string {
	var b, a float64
	fmt.Sscan(before, &b)
	fmt.Sscan(after, &a)
	return fmt.Sprint(a - b)
}

// onDisk reads the rows of each request from the verifier's store: those with its id in the
// key, and the ways to answer it that the row names.
func (l *land) onDisk(t *testing.T, groups ...map[string]*trace) {
	t.Helper()
	rows := map[string][][]byte{} // every version that can still be read
	err := kvscan.Walk(filepath.Join(l.Dir(), "verifier", "data"), func(key, value []byte) error {
		rows[string(key)] = append(rows[string(key)], bytes.Clone(value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range groups {
		for name, tr := range group {
			at := "request/" + tr.id
			if len(rows[at]) == 0 {
				t.Fatalf("%s: no row of the request among %d rows", name, len(rows))
			}
			tr.rows = slices.Clone(rows[at])
			var ways struct {
				Transactions []string `json:"transactions"`
			}
			if err := json.Unmarshal(rows[at][0][1:], &ways); err != nil {
				t.Fatal(err)
			}
			for _, way := range ways.Transactions {
				if len(rows["transaction/"+way]) == 0 {
					t.Fatalf("%s: a way to answer stands in the row and nowhere else", name)
				}
				tr.rows = append(tr.rows, rows["transaction/"+way]...)
			}
		}
	}
}

// alike holds each trace against one of a request that nobody touched. What differs between
// two such requests may differ here too: ids, keys, times. Everything else is the same to the
// byte, and what differs has the same size.
func alike(t *testing.T, traces map[string]*trace) {
	t.Helper()
	a, b := traces["untouched"], traces["untouched too"]
	for name, tr := range traces {
		if !maps.Equal(tr.log, a.log) {
			t.Errorf("%s: the log says\n%v\nand of one that nobody touched\n%v", name, tr.log, a.log)
		}
		if !maps.Equal(tr.metrics, a.metrics) {
			t.Errorf("%s: counted is\n%v\nand of one that nobody touched\n%v", name, tr.metrics, a.metrics)
		}
		like(t, name+": the API", tr.api, a.api, b.api)
		if got, want := plainPage(tr), plainPage(a); got != want {
			t.Errorf("%s: the page is\n%s\nand of one that nobody touched\n%s", name, got, want)
		}
		if len(tr.rows) != len(a.rows) {
			t.Errorf("%s: %d rows on the disk, want %d", name, len(tr.rows), len(a.rows))
			continue
		}
		for i := range tr.rows {
			if got, want := size(tr.rows[i]), size(a.rows[i]); got != want {
				t.Errorf("%s: row %d has %d bytes on the disk, want %d", name, i, got, want)
			}
			like(t, fmt.Sprintf("%s: row %d", name, i), tr.rows[i][1:], a.rows[i][1:], b.rows[i][1:])
		}
	}
}

// size is that of a row. The fraction of a second loses its zeroes, so moments differ in
// length by chance and are not counted.
func size(row []byte) int { return len(fractions.ReplaceAll(row, nil)) }

var fractions = regexp.MustCompile(`:\d{2}(\.\d+)?Z`)

// plainPage is the page without its id and the minute until which it can be answered.
func plainPage(tr *trace) string {
	return moments.ReplaceAllString(strings.ReplaceAll(tr.page, tr.id, "ID"), "TIME")
}

var moments = regexp.MustCompile(`\d{1,2}[:.]\d{2}`)

// like compares JSON: where a and b are the same, got must be too; where they differ, got
// must have the same kind and length.
func like(t *testing.T, what string, got, a, b []byte) {
	t.Helper()
	var g, x, y any
	for raw, into := range map[*[]byte]*any{&got: &g, &a: &x, &b: &y} {
		if err := json.Unmarshal(*raw, into); err != nil {
			t.Fatalf("%s: %v in %.200q", what, err, *raw)
		}
	}
	for _, d := range unlike(what, g, x, y) {
		t.Error(d)
	}
}

// unlike are the differences.
func unlike(at string, g, x, y any) (out []string) {
	differ := func(got, want any) { out = append(out, fmt.Sprintf("%s: got %v, want %v", at, got, want)) }
	switch x := x.(type) {
	case map[string]any:
		g, ok := g.(map[string]any)
		if y, same := y.(map[string]any); ok && same {
			if !slices.Equal(slices.Sorted(maps.Keys(g)), slices.Sorted(maps.Keys(x))) {
				differ(slices.Sorted(maps.Keys(g)), slices.Sorted(maps.Keys(x)))
				return out
			}
			for name := range x {
				out = append(out, unlike(at+"."+name, g[name], x[name], y[name])...)
			}
			return out
		}
		differ(g, x)
	case []any:
		g, ok := g.([]any)
		if y, same := y.([]any); ok && same && len(g) == len(x) && len(y) == len(x) {
			for i := range x {
				out = append(out, unlike(fmt.Sprintf("%s[%d]", at, i), g[i], x[i], y[i])...)
			}
			return out
		}
		differ(g, x)
	case string:
		g, ok := g.(string)
		switch {
		case ok && isMoment.MatchString(g) && isMoment.MatchString(x):
		case !ok, x == y && g != x, len(g) != len(x):
			differ(g, x)
		}
	default:
		if x == y && g != x {
			differ(g, x)
		}
	}
	return out
}

// isMoment finds moments: the same for two requests by chance, when they were made within a
// second.
var isMoment = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T`)

// seesMore is the control: a difference is seen when there is one.
func seesMore(t *testing.T, traces map[string]*trace) {
	t.Helper()
	one, two := anyOf(t, traces["untouched"].api), anyOf(t, traces["untouched too"].api)
	other := maps.Clone(one)
	other["state"] = "opened"
	if got := unlike("control", other, one, two); len(got) != 1 {
		t.Errorf("control: another state gives the differences %q", got)
	}
}

func anyOf(t *testing.T, raw []byte) (v map[string]any) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
