package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/audit/audittest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/monitor"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// inbox takes messages, or fails.
type inbox struct {
	got  []monitor.Message
	down bool
}

// Tell implements monitor.Teller.
func (i *inbox) Tell(_ context.Context, m monitor.Message) error {
	if i.down {
		return errors.New("mail server away")
	}
	i.got = append(i.got, m)
	return nil
}

func (i *inbox) events() (out []monitor.Event) {
	for _, m := range i.got {
		out = append(out, m.Events...)
	}
	return out
}

func (i *inbox) codes() (out []string) {
	for _, m := range i.got {
		for _, a := range m.Alarms {
			out = append(out, a.Code)
		}
	}
	return out
}

// world is a region whose log is shown as far as a test likes.
type world struct {
	t   *testing.T
	r   *registrytest.Region
	web audittest.Internet
	in  *inbox
	now time.Time
	dir string
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, r: audittest.Everything(t), web: audittest.Internet{}, in: &inbox{}, dir: t.TempDir()}
	w.now = w.r.Now
	return w
}

// show has all nodes, or one, show the first leaves.
func (w *world) show(leaves [][]byte, nodes ...string) {
	w.t.Helper()
	if len(nodes) == 0 {
		nodes = []string{"knoop-1", "knoop-2", "knoop-3", "knoop-4"}
	}
	log := audittest.Serve(w.t, leaves, audittest.Signed(w.t, w.r, leaves))
	for _, id := range nodes {
		w.web[id+".example"] = log
	}
}

func (w *world) monitor(change ...func(*monitor.Config)) *monitor.Monitor {
	w.t.Helper()
	c := monitor.Config{
		Name: "redactie", Dir: w.dir, Client: w.web, Tellers: []monitor.Teller{w.in}, Now: func() time.Time { return w.now },
		Regions: []monitor.Region{{Genesis: w.r.Genesis(), Nodes: []string{"https://knoop-2.example"}}},
		Watches: []monitor.Watch{{Name: "alles", Everything: true}},
	}
	for _, f := range change {
		f(&c)
	}
	m, err := monitor.New(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func (w *world) look(m *monitor.Monitor) {
	w.t.Helper()
	if err := m.Look(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func TestTellsWhatIsNewOnceAndAfterRestarts(t *testing.T) {
	t.Run("in memory", func(t *testing.T) { tellsOnce(t, func(*monitor.Config) {}) })
	t.Run("in a store", func(t *testing.T) {
		tellsOnce(t, func(c *monitor.Config) {
			c.Large, c.Scratch = 1, func(string) (kv.Store, error) { return kv.NewMemory(), nil }
		})
	})
}

func tellsOnce(t *testing.T, change func(*monitor.Config)) {
	w := newWorld(t)
	all := w.r.Leaves
	w.show(all[:30])
	m := w.monitor(change)
	w.look(m)
	if got := w.in.events(); len(got) != 0 {
		t.Fatalf("the past was told: %d events", len(got))
	}
	w.show(all[:33])
	w.look(m)
	w.look(m)
	if got := w.in.events(); len(got) < 3 || got[0].Index != 30 || got[len(got)-1].Index != 32 {
		t.Fatalf("told %+v", got)
	}
	w.in.down = true
	w.show(all[:40])
	if err := m.Look(t.Context()); err == nil {
		t.Error("nothing said of a message that was not delivered")
	}
	w.in.down = false
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	m = w.monitor(change) // after a restart
	w.show(all)
	w.look(m)
	var indexes []uint64
	for _, e := range w.in.events() {
		if n := len(indexes); n == 0 || indexes[n-1] != e.Index {
			indexes = append(indexes, e.Index)
		}
	}
	for i, index := range indexes {
		if index != uint64(30+i) {
			t.Fatalf("entry %d was told at place %d: %v", index, i, indexes)
		}
	}
	if len(indexes) != len(all)-30 {
		t.Errorf("told of %d entries, want %d", len(indexes), len(all)-30)
	}
	if codes := w.in.codes(); len(codes) != 0 {
		t.Errorf("alarms of an honest region: %v", codes)
	}
	report, err := audit.Run(t.Context(), audit.Config{Genesis: w.r.Genesis(), Source: audit.Folder(filepath.Join(w.dir, w.r.Genesis(), "log"))})
	if err != nil || report.Verdict() != audit.InOrder || report.Size != uint64(len(all)) {
		t.Errorf("the copy that it keeps: %v, %+v", err, report)
	}
}

func TestWatches(t *testing.T) {
	w := newWorld(t)
	w.show(w.r.Leaves)
	vaart, linde := registrytest.OrganisationID("vaart"), registrytest.OrganisationID("linde")
	watches := []monitor.Watch{
		{Name: "de vaart", Organisation: vaart}, {Name: "linde", Organisation: linde},
		{Name: "opleidingen", Type: "urn:paspoort:opleiding:1", Withdrawals: true},
		{Name: "intrekkingen", Withdrawals: true}, {Name: "regio's", Kinds: []registry.Kind{registry.KindPeerAccepted, registry.KindPeerDropped}},
	}
	m := w.monitor(func(c *monitor.Config) {
		c.Watches, c.Regions[0].FromBegin = watches, true
	})
	w.look(m)
	count := map[string][]registry.Kind{}
	for _, e := range w.in.events() {
		for _, name := range e.Watches {
			count[name] = append(count[name], e.Kind)
		}
		if slices.Contains(e.Watches, "de vaart") && e.Kind == registry.KindWithdrawn && e.Name == "" {
			t.Errorf("withdrawn without a name: %+v", e)
		}
	}
	for name, want := range map[string]registry.Kind{
		"de vaart": registry.KindCertRevoked, "linde": registry.KindRefused, "opleidingen": registry.KindWithdrawn,
		"intrekkingen": registry.KindKeyStolen, "regio's": registry.KindPeerDropped,
	} {
		if !slices.Contains(count[name], want) {
			t.Errorf("%s was told of %v, and not of %s", name, count[name], want)
		}
	}
	if slices.Contains(count["linde"], registry.KindWithdrawn) || len(count["regio's"]) != 2 || slices.Contains(count["opleidingen"], registry.KindKeyStolen) {
		t.Errorf("told too much: %v", count)
	}
}

// TestForkIsProved: one node shows another history; the monitor keeps a proof that stands alone.
func TestForkIsProved(t *testing.T) {
	for name, size := range map[string]int{"shorter": 40, "longer": 60} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.show(w.r.Leaves[:50])
			m := w.monitor()
			w.look(m)
			other := slices.Clone(w.r.Leaves[:size])
			leaf, err := registry.ParseLeaf(other[35])
			if err != nil {
				t.Fatal(err)
			}
			leaf.LogTime++
			if other[35], err = leaf.Marshal(); err != nil {
				t.Fatal(err)
			}
			w.web["knoop-3.example"] = audittest.Serve(t, other, audittest.Signed(t, w.r, other, "knoop-3"))
			w.look(m)
			w.look(w.monitor()) // nothing is told again after a restart
			if codes := w.in.codes(); len(codes) != 1 || codes[0] != "forked" {
				t.Fatalf("alarms %v", codes)
			}
			raw, err := os.ReadFile(w.in.got[0].Alarms[0].Proof)
			if err != nil {
				t.Fatal(err)
			}
			fork, err := audit.ParseFork(raw)
			if err != nil || fork.Check() != nil {
				t.Fatalf("the proof: %v, %v", err, fork.Check())
			}
			sides, err := audit.SidesOf(t.Context(), fork, w.r.Genesis(), audit.Web(w.web, "https://knoop-2.example"))
			if err != nil || !slices.Equal(sides.Both, []string{"knoop-3"}) || sides.Counts {
				t.Errorf("sides %+v, %v", sides, err)
			}
			fork.Larger = fork.Smaller
			if fork.Check() == nil {
				t.Error("a checkpoint contradicts itself")
			}
		})
	}
}

// TestBadLogIsNotFollowed: a log that breaks the rules is told of once, and the copy stays good.
func TestBadLogIsNotFollowed(t *testing.T) {
	w := newWorld(t)
	w.show(w.r.Leaves[:50])
	m := w.monitor()
	w.look(m)
	w.show(append(slices.Clone(w.r.Leaves[:50]), w.r.Leaves[20]), "knoop-2")
	w.look(m)
	w.look(m)
	if codes := w.in.codes(); len(codes) != 1 || codes[0] != string(audit.RuleBroken) {
		t.Fatalf("alarms %v", codes)
	}
	w.show(w.r.Leaves[:52])
	w.look(m)
	if got := w.in.events(); len(got) < 2 || got[0].Index != 50 {
		t.Errorf("after it was put right: %+v", got)
	}
}

func TestSilenceIsTold(t *testing.T) {
	w := newWorld(t)
	w.show(w.r.Leaves[:50])
	m := w.monitor()
	w.look(m)
	clear(w.web)
	for range 4 {
		w.now = w.now.Add(30 * time.Minute)
		_ = m.Look(t.Context()) // it says that nobody answers
	}
	if codes := w.in.codes(); !slices.Equal(codes, []string{"unreachable"}) {
		t.Errorf("alarms %v", codes)
	}
}

func TestCopyThatWasChangedIsRefused(t *testing.T) {
	w := newWorld(t)
	w.show(w.r.Leaves[:50])
	w.look(w.monitor())
	name := filepath.Join(w.dir, w.r.Genesis(), "log", "tile", "entries", "000.p", "50")
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = monitor.New(t.Context(), monitor.Config{Dir: w.dir, Client: w.web, Tellers: []monitor.Teller{w.in},
		Regions: []monitor.Region{{Genesis: w.r.Genesis(), Nodes: []string{"https://knoop-2.example"}}}, Watches: []monitor.Watch{{Name: "a", Everything: true}}})
	if err == nil || !strings.Contains(err.Error(), "does not hold") {
		t.Errorf("error %v", err)
	}
}

// letters implements alert.Sender.
type letters struct{ subject, body string }

// Send implements alert.Sender.
func (l *letters) Send(_ context.Context, subject, body string) error {
	l.subject, l.body = subject, body
	return nil
}

func TestMailAndWebhook(t *testing.T) {
	w := newWorld(t)
	w.show(w.r.Leaves[:34])
	mail := &letters{}
	var posted monitor.Message
	var signature string
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		signature = r.Header.Get("Paspoort-Signature")
		if err := json.Unmarshal(raw, &posted); err != nil {
			t.Error(err)
		}
	}))
	defer hook.Close()
	m := w.monitor(func(c *monitor.Config) {
		c.Tellers = []monitor.Teller{monitor.Mail{Sender: mail}, monitor.Webhook{Client: hook.Client(), URL: hook.URL, Secret: []byte("geheim")}}
		c.Watches, c.Regions[0].FromBegin = []monitor.Watch{{Name: "intrekkingen", Withdrawals: true}}, true
	})
	w.look(m)
	if !strings.HasPrefix(mail.subject, "[redactie] Regio Aakermonde: ") || !strings.Contains(mail.body, "een toelating intrekken (bewijzen uitgeven): Opleidingshuis De Vaart") || !strings.Contains(mail.body, "U volgt: intrekkingen") {
		t.Errorf("%s\n\n%s", mail.subject, mail.body)
	}
	if len(posted.Events) == 0 || len(signature) != len("sha256=")+64 {
		t.Errorf("posted %+v, %q", posted, signature)
	}
}

// TestRunLooksAgain: Run looks at once and after each interval, and ends with its context.
func TestRunLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var shown atomic.Pointer[audittest.Files]
		show := func(size int) {
			log := audittest.Serve(t, w.r.Leaves[:size], audittest.Signed(t, w.r, w.r.Leaves[:size]))
			shown.Store(&log)
		}
		show(50)
		w.web["knoop-2.example"] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { shown.Load().ServeHTTP(rw, r) })
		m := w.monitor(func(c *monitor.Config) { c.Every = time.Minute })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.Run(ctx) }()
		synctest.Wait()
		show(51)
		time.Sleep(61 * time.Second) // of the bubble
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if len(w.in.events()) == 0 {
			t.Error("it did not look again")
		}
	})
}
