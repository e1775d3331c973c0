package main

import (
	"bytes"
	"encoding/pem"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
)

// TestRecoverAsks: the other nodes are asked by the file's outbound settings, and whoever cannot
// be asked is told with the cause.
func TestRecoverAsks(t *testing.T) {
	note := "registry.aakermonde.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— knoop-2 AAAAAAAA\n"
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(note)) }))
	secure.Config.ErrorLog = log.New(&bytes.Buffer{}, "", 0)
	secure.StartTLS()
	defer secure.Close()
	empty := httptest.NewServer(http.NotFoundHandler())
	defer empty.Close()
	gone := testkit.Listen(t)
	gone.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	charter := []registry.Node{{ID: "knoop-1"}, {ID: "knoop-2", URL: secure.URL}, {ID: "knoop-3", URL: "http://" + gone.Addr().String()}, {ID: "knoop-4", URL: empty.URL}}
	ask := func(o outbound.Settings) (askedNodes, string) {
		cmd, out := &cobra.Command{}, &bytes.Buffer{}
		cmd.SetContext(t.Context())
		asked := askNodes(cmd, charter, &conf.Node{ID: "knoop-1", Outbound: o})
		asked.print(out)
		return asked, out.String()
	}
	asked, said := ask(outbound.Settings{CAFile: ca})
	for _, want := range []string{"knoop-2      answers at " + secure.URL + " and shows 7 leaves\n", "connection refused", "404"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	if got := strings.Join(asked.silent(), " "); got != "knoop-3 knoop-4" || len(asked.known()) != 1 {
		t.Errorf("silent are %q, known %v", got, asked.known())
	}
	asked, said = ask(outbound.Settings{})
	if len(asked.silent()) != 3 || !strings.Contains(said, "certificate") {
		t.Errorf("without the file's authority:\n%s", said)
	}
}

// TestRecoverPermit: --yes alone never passes over a node that could not be asked.
func TestRecoverPermit(t *testing.T) {
	answers := func(id string) askedNode { return askedNode{Node: registry.Node{ID: id}, leaves: 7} }
	silent := func(id string) askedNode { return askedNode{Node: registry.Node{ID: id}, err: errNoTerminal} }
	one, none, both := askedNodes{[]askedNode{answers("knoop-2"), silent("knoop-3")}, 2}, askedNodes{[]askedNode{silent("knoop-2"), silent("knoop-3")}, 2}, askedNodes{[]askedNode{answers("knoop-2"), answers("knoop-3")}, 2}
	for _, tt := range []struct {
		name  string
		asked askedNodes
		named []string
		yes   bool
		want  string // in the error; empty for none
	}{
		{"nobody answers, and a script says yes", none, nil, true, "knoop-2, knoop-3"},
		{"one of them is named", none, []string{"knoop-2"}, true, "knoop-2, knoop-3"},
		{"both are named, in any order", none, []string{"knoop-3", "knoop-2"}, true, ""},
		{"a person is asked", none, nil, false, ""},
		{"a person who names is held to it", none, []string{"knoop-3"}, false, "knoop-2, knoop-3"},
		{"one answers", one, nil, true, "knoop-3"},
		{"and the other is named", one, []string{"knoop-3"}, true, ""},
		{"one that answers is named", one, []string{"knoop-2", "knoop-3"}, true, "names knoop-2"},
		{"the majority runs", both, nil, true, "majority"},
		{"the majority runs, whatever is named", both, []string{"knoop-2", "knoop-3"}, false, "majority"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.asked.permit(tt.named, tt.yes)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
