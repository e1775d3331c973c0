package host

import (
	"net/http"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/wallet"
)

// TestHistory: what came and went stands there with who and what, newest first, and goes
// along as a file.
func TestHistory(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	p.get("/history").says("Er is nog niets gebeurd")
	p.collect()
	p.post("/paspoort/words/who", "talents", "Rustig blijven")
	p.get("/history").says("U kreeg een bewijs van", "U schreef uw eigen woorden", "Mijn eigen woorden")
	if said := text(p.Page); strings.Index(said, "U schreef") > strings.Index(said, "U kreeg") {
		t.Error("the newest does not stand first")
	}
	p.get("/history?show=own").says("U schreef uw eigen woorden")
	if strings.Contains(text(p.Page), "U kreeg een bewijs van") {
		t.Error("a kind that was not asked is shown")
	}
	p.get("/history?show=care").says("Hier staat nog niets.")
	p.get("/history?show=<script>").says("U kreeg een bewijs van")

	p.post("/history/export")
	var file struct {
		Version int
		Events  []wallet.Event
	}
	p.asJSON(&file)
	if file.Version != 1 || len(file.Events) != 2 || !strings.HasPrefix(p.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("got %d events of version %d, %q", len(file.Events), file.Version, p.Header.Get("Content-Disposition"))
	}
}

// TestHistoryOfOpenings: each opening of a share has its number and its receipt.
func TestHistoryOfOpenings(t *testing.T) {
	g := newRig(t)
	receipt, err := g.host.receipt("share", 4, g.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	row := rowOf(wallet.Event{Kind: wallet.EventShareOpened, Share: "share", Receipt: receipt}, nil)
	if row.Number != 4 || row.Receipt != receipt || row.Kind != "share_opened" {
		t.Errorf("got %+v", row)
	}
	for _, bad := range []string{"x", "a.b.c", sampleReceipt[:40]} {
		if row := rowOf(wallet.Event{Kind: wallet.EventShareOpened, Receipt: bad}, nil); row.Number != 0 {
			t.Errorf("%q has number %d", bad, row.Number)
		}
	}
}

// TestHistoryOfTheFuture: an event that this version does not know breaks nothing.
func TestHistoryOfTheFuture(t *testing.T) {
	row := rowOf(wallet.Event{Kind: "moved_to_the_moon", Name: "Iets"}, nil)
	if row.Kind != "other" || groupOf("moved_to_the_moon") != showCare {
		t.Errorf("got %+v", row)
	}
	if !strings.Contains(sampleHTML(t, "history", "full", page.Dutch), "deze versie niet kent") {
		t.Error("the page does not say so")
	}
}

// TestLongHistory is cut in pages.
func TestLongHistory(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	mine := g.open(p)
	for range historyPerPage + 1 {
		id, err := mine.Declare(map[string]any{"evidence": "self", "talents": []any{"x"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := mine.Delete(id); err != nil {
			t.Fatal(err)
		}
	}
	p.get("/history").says("Blad 1 van 3")
	p.get("/history?show=own&page=3").says("Blad 3 van 3")
	if p.Status != http.StatusOK || len(p.Page) > 100<<10 {
		t.Errorf("got %d, %d bytes", p.Status, len(p.Page))
	}
}
