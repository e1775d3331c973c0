package node

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/internal/operate"
	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/web"
)

// The operator's pages are for the organisation that runs this node, on an address that only
// its own computer reaches. They show and change nothing: what an operator does to a node goes
// by commands.

//go:embed operator
var operatorFiles embed.FS

// Look asks the other nodes and says what needs a person; see operate.Config. It may take as
// long as a peer that does not answer.
func (n *Node) Look(ctx context.Context, now time.Time) []alert.Finding { return n.look(ctx, now) }

// OperatorPages are the pages beside what w sees.
func (n *Node) OperatorPages(w *operate.Watch) (http.Handler, error) {
	p, err := newOperatorPages(n, w)
	if err != nil {
		return nil, err
	}
	r := mux.NewRouter()
	p.mount(r)
	return r, nil
}

type operatorPages struct {
	n      *Node
	watch  *operate.Watch
	kit    *page.Kit
	status page.View[operatorPage]
}

func newOperatorPages(n *Node, w *operate.Watch) (*operatorPages, error) {
	files, err := fs.Sub(operatorFiles, "operator")
	if err != nil {
		return nil, err
	}
	p := &operatorPages{n: n, watch: w}
	p.kit, err = page.New(page.Options{Owner: n.founding.name, Sources: []fs.FS{files, alert.Catalogs()}, Nav: []page.Link{{Key: "operator.nav", Path: "/"}}})
	if err != nil {
		return nil, err
	}
	p.status, err = page.NewView(p.kit, "operator", operatorSamples()...)
	return p, err
}

func (p *operatorPages) mount(r *mux.Router) {
	read := []string{http.MethodGet, http.MethodHead}
	r.HandleFunc("/", p.show).Methods(read...).Name("operator")
	r.HandleFunc("/status.json", p.getStatus).Methods(read...).Name("file:status")
	r.PathPrefix(page.AssetPath).Handler(p.kit.Assets()).Name("file:assets")
	r.NotFoundHandler = p.kit.NotFound()
}

// operatorPage is all that one look at the node gives.
type operatorPage struct {
	Now      time.Time
	Status   Status
	Health   Health
	Watch    operate.Seen
	Verdict  string // fine, warning, critical, or starting before the first look
	Peers    []peerRow
	Unsettle string // why the node is not ready; empty when it is
}

// peerRow is another node in the table.
type peerRow struct {
	PeerHealth
	Lag     int
	Silent  time.Duration // since it does not answer
	Seconds int           // that its clock differs, when that can be told
}

func newOperatorPage(now time.Time, s Status, h Health, seen operate.Seen) operatorPage {
	out := operatorPage{Now: now, Status: s, Health: h, Watch: seen, Verdict: "starting"}
	if !seen.At.IsZero() {
		out.Verdict = alert.Fine.String()
	}
	if len(seen.Problems) > 0 { // the worst first
		out.Verdict = seen.Problems[0].Level.String()
	}
	if s.Forked { // not only after the next look
		out.Verdict = alert.Critical.String()
	}
	if seen.Ready != nil {
		out.Unsettle = seen.Ready.Error()
	}
	for _, p := range h.Peers {
		row := peerRow{PeerHealth: p}
		if p.Applied < s.Applied {
			row.Lag = int(s.Applied - p.Applied)
		}
		if !p.Away.IsZero() {
			row.Silent = now.Sub(p.Away)
		}
		if off := p.Clock.Abs() - p.Took/2; off >= time.Second {
			row.Seconds = int(off / time.Second)
		}
		out.Peers = append(out.Peers, row)
	}
	return out
}

// shownEnding is how many things that end are listed.
const shownEnding = 10

// Ending are the first of what ends soon.
func (p operatorPage) Ending() []EndingRow {
	return p.Health.Ending[:min(shownEnding, len(p.Health.Ending))]
}

// More is how many end beside those.
func (p operatorPage) More() int { return len(p.Health.Ending) - len(p.Ending()) }

// Gigabytes is a size for people.
func (operatorPage) Gigabytes(bytes uint64) float64 { return float64(bytes/(1<<20)) / 1024 }

// Megabytes is a smaller size for people.
func (operatorPage) Megabytes(bytes int64) float64 { return float64(bytes>>10) / 1024 }

// Since is how long ago something was.
func (p operatorPage) Since(t time.Time) time.Duration { return p.Now.Sub(t) }

func (p *operatorPages) show(w http.ResponseWriter, r *http.Request) {
	data := newOperatorPage(p.n.cfg.Clock(), p.n.Status(), p.n.Health(), p.watch.Seen())
	if err := p.status.Render(w, r, http.StatusOK, data); err != nil {
		p.n.log.Error("page failed", "error", err)
	}
}

// operatorStatus is the same for programs.
type operatorStatus struct {
	Status      Status          `json:"status"`
	Health      Health          `json:"health"`
	Problems    []alert.Problem `json:"problems"`
	DiskFree    uint64          `json:"disk_free_bytes,omitzero"`
	Certificate time.Time       `json:"certificate_until,omitzero"`
}

func (p *operatorPages) getStatus(w http.ResponseWriter, _ *http.Request) {
	seen := p.watch.Seen()
	out := operatorStatus{Status: p.n.Status(), Health: p.n.Health(), Problems: seen.Problems}
	if out.Problems == nil {
		out.Problems = []alert.Problem{}
	}
	if seen.Disk != nil {
		out.DiskFree = seen.Disk.Free
	}
	if seen.Certificate != nil {
		out.Certificate = seen.Certificate.Until
	}
	web.WriteJSON(w, http.StatusOK, out)
}
