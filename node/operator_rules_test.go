package node

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"paspoort.example/paspoort/internal/operate"
	"paspoort.example/paspoort/internal/testkit"
)

// The rules for Prometheus speak of numbers that are there.
func TestRulesNameMetrics(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(testkit.Root(t), ".deb", "prometheus-rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"paspoort_http_requests_total"}
	note := func(descs chan *prometheus.Desc) {
		for d := range descs {
			known = append(known, regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String())[1])
		}
	}
	watch, err := operate.New(operate.Config{Role: "node"})
	if err != nil {
		t.Fatal(err)
	}
	counters := newCounters()
	for _, c := range []prometheus.Collector{collector{}, watch, counters.events, counters.commit, counters.batch} {
		descs := make(chan *prometheus.Desc, 100)
		c.Describe(descs)
		close(descs)
		note(descs)
	}
	used := regexp.MustCompile(`paspoort_[a-z_]+`).FindAllString(string(raw), -1)
	if len(used) < 8 {
		t.Fatalf("got %v", used)
	}
	for _, name := range used {
		if !slices.Contains(known, name) {
			t.Errorf("no metric is called %s", name)
		}
	}
}

// Every problem that a node or a server can find has words in every language.
func TestEveryProblemHasWords(t *testing.T) {
	n := &Node{founding: region{name: "Regio Aakermonde"}}
	p, err := newOperatorPages(n, nil)
	if err != nil {
		t.Fatal(err)
	}
	source := ""
	for _, file := range []string{"node/health.go", "internal/operate/operate.go", "cmd/paspoort/copies.go"} {
		raw, err := os.ReadFile(filepath.Join(testkit.Root(t), file))
		if err != nil {
			t.Fatal(err)
		}
		source += string(raw)
	}
	codes := regexp.MustCompile(`(?:add\(|Code: )"([a-z_]+)"`).FindAllStringSubmatch(source, -1)
	if len(codes) < 12 {
		t.Fatalf("got %v", codes)
	}
	for _, lang := range p.kit.Languages() {
		texts := p.kit.Texts(lang)
		for _, code := range codes {
			for _, part := range []string{"title", "text", "do"} {
				if texts["problem."+part+"."+code[1]] == nil {
					t.Errorf("%s: no %s of %s", lang, part, code[1])
				}
			}
		}
	}
}
