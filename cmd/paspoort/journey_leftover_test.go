package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/privacyscan"
	"paspoort.example/paspoort/specs/paspoort"
)

// moves is journey 7 with real processes: from the first host to the command line, and on to
// a second host while the first is gone; nothing doubles, and from there it answers.
func (l *land) moves(t *testing.T) {
	p := l.traveller(t, "Verhuizende Verkasser", 360, "nl")
	p.tab.name, p.own = "moves", "Ik verhuis met mijn hele doos"
	l.remember(p.own)
	p.firstCredential(l.offer(t, "opleider", paspoort.Opleiding, nil))
	p.share()
	p.goTo("/paspoort")
	p.click("#who details.words summary")
	p.fill("#who [name=who_i_am]", p.own)
	p.submit("/paspoort/words/who")
	file := p.archive("doos vol met bewijs")

	c := l.newPurse(t)
	secret := c.write("archive-passphrase", "doos vol met bewijs\n")
	c.run(nil, "import", file, "--archive-passphrase-file", secret)
	items := c.items()
	if len(items) != 2 {
		t.Fatalf("the command line has %v, want a proof and own words", items)
	}
	for _, id := range items {
		c.run(nil, "show", id)
	}
	carried := filepath.Join(c.dir, "onward.age")
	c.run(nil, "archive", carried, "--archive-passphrase-file", secret)

	l.count(t)                                         // its metrics go with it
	if err := l.Process("wallet").Kill(); err != nil { // the first host is gone without a word
		t.Fatal(err)
	}
	h := l.secondHost(t, "verder", nil)
	p.host = h.url
	q := p.another("verder")
	q.open(h.url + "/begin")
	q.begin()
	q.bringBack(carried, "doos vol met bewijs")
	q.reads("notice.imported")
	q.says(p.own, "Opleidingshuis De Vaart")
	if n := q.proofs(); n != 2 {
		q.fatalf("%d things came along, want 2", n)
	}
	q.bringBack(carried, "doos vol met bewijs")
	q.reads("notice.imported-nothing")
	if n := q.proofs(); n != 2 {
		q.fatalf("%d things after a second time, want 2: nothing doubles", n)
	}
	asked := l.askFor(t, "Wij zoeken een verhuizer.")
	q.goTo("/collect")
	q.fill("#text", asked.Invocation)
	q.submit("/collect")
	q.at("/present/[^/]+")
	q.says("Zorggroep Linde")
	q.submitWithin("form#answer")
	q.reads("answered.title.sent")
	q.rightVerdict(asked.ID)
}

// items are the ids of what is in the paspoort.
func (p *purse) items() (ids []string) {
	p.t.Helper()
	var list struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	p.run(&list, "list")
	for _, i := range list.Items {
		ids = append(ids, i.ID)
	}
	return ids
}

// count keeps the metrics of every process that runs.
func (l *land) count(t *testing.T) {
	t.Helper()
	addresses := maps.Clone(l.hosts)
	for name, url := range l.Addresses() {
		if l.Process(name).Alive() {
			addresses[name] = url
		}
	}
	for name, url := range addresses {
		l.metrics[name] = append(l.metrics[name], l.get(t, url+"/metrics")...)
	}
}

// leftBehind looks for what holders wrote and keep secret: on the disks of every host and of
// the asker, in the logs and metrics of every process. What must be there is found, and so is
// a word that was planted. The demo looks at the other disks.
func (l *land) leftBehind(t *testing.T) {
	scan := l.scanner(t, l.secrets...)
	var found []privacyscan.Finding
	for name, body := range l.metrics {
		found = append(found, scan.Bytes("metrics of "+name, body)...)
	}
	folders := append(slices.Collect(maps.Keys(l.hosts)), "logs", "wallet", "verifier")
	reports := make([]privacyscan.Report, len(folders))
	var all errgroup.Group
	all.SetLimit(2)
	for i, folder := range folders {
		all.Go(func() (err error) {
			reports[i], err = scan.Tree(filepath.Join(l.Dir(), folder))
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, r := range reports {
		t.Logf("%s: %d files, %d stores with %d entries, %d bytes", folders[i], r.Files, r.Stores, r.Entries, r.Bytes)
		found = append(found, r.Findings...)
	}
	t.Logf("looked for %d words there and in the metrics of %d processes", len(l.secrets), len(l.metrics))
	for _, f := range found {
		t.Errorf("left behind: %v", f)
	}
	l.controls(t)
}

// controls: the scan reads the host's store (a paspoortnummer stands in it in the clear),
// and finds a word wherever one is planted.
func (l *land) controls(t *testing.T) {
	t.Helper()
	report, err := l.scanner(t, l.numbers...).Tree(filepath.Join(l.Dir(), "wallet", "data"))
	if err != nil || len(report.Findings) == 0 {
		t.Errorf("control: no paspoortnummer is found in the host's store: %v", err)
	}
	dir := t.TempDir()
	store, err := kv.OpenBadger(filepath.Join(dir, "holders"), kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	word := l.secrets[0]
	err = store.Update(func(tx kv.Tx) error { return tx.Set([]byte("h/x/s/1"), kv.Value(1, []byte("name "+word))) })
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"wallet.log", "upload-123.tmp", "backup.bak"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat("x", 5000)+word), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report, err = l.scanner(t, word).Tree(dir)
	if err != nil || len(report.Findings) < 4 {
		t.Errorf("control: a planted word is found in %d of 4 places: %v %v", len(report.Findings), report.Findings, err)
	}
}

func (l *land) scanner(t *testing.T, words ...string) *privacyscan.Scan {
	t.Helper()
	scan, err := privacyscan.New(words...)
	if err != nil {
		t.Fatal(err)
	}
	return scan
}
