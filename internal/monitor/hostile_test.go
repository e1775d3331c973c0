package monitor_test

import (
	"crypto/ed25519"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/audit/audittest"
	"paspoort.example/paspoort/internal/monitor"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// altered are the first leaves of the log with the time of one a few seconds later.
func (w *world) altered(size, index int, seconds int64) [][]byte {
	w.t.Helper()
	out := slices.Clone(w.r.Leaves[:size])
	leaf, err := registry.ParseLeaf(out[index])
	if err != nil {
		w.t.Fatal(err)
	}
	leaf.LogTime += seconds
	if out[index], err = leaf.Marshal(); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// nobody signs a checkpoint as no node of the region.
func (w *world) nobody(leaves [][]byte, origin string) []byte {
	w.t.Helper()
	c, err := tlog.PeekCheckpoint(audittest.Signed(w.t, w.r, leaves))
	if err != nil {
		w.t.Fatal(err)
	}
	if origin != "" {
		c.Origin = origin
	}
	signer, err := tlog.NewSigner(c.Origin, tlog.TypeLog, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		w.t.Fatal(err)
	}
	line, err := signer.Line(c.Text(), w.r.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	return tlog.JoinNote(c.Text(), line)
}

// TestNobodySilencesTheMonitor: whoever shows another history at each look, without a signature
// or with its own, is told of once each, and leaves room for the proofs and alarms of others.
func TestNobodySilencesTheMonitor(t *testing.T) {
	w := newWorld(t)
	w.show(w.r.Leaves[:50])
	m := w.monitor()
	w.look(m)
	for i := range 5 {
		leaves := w.altered(40, 35, int64(i+1))
		w.web["knoop-3.example"] = audittest.Serve(t, leaves, w.nobody(leaves, ""))
		w.look(m)
	}
	proofs, err := filepath.Glob(filepath.Join(w.dir, "*", "fork-*.json"))
	if codes := w.in.codes(); err != nil || len(codes) != 1 || len(proofs) != 0 {
		t.Errorf("without signatures: alarms %v, proofs %v, %v", codes, proofs, err)
	}
	for i := range 5 {
		leaves := w.altered(40, 35, int64(i+1))
		w.web["knoop-3.example"] = audittest.Serve(t, leaves, audittest.Signed(t, w.r, leaves, "knoop-3"))
		w.look(m)
	}
	proofs, err = filepath.Glob(filepath.Join(w.dir, "*", "fork-*.json"))
	if codes := w.in.codes(); err != nil || len(codes) != 2 || len(proofs) != 1 {
		t.Errorf("with its own: alarms %v, proofs %v, %v", codes, proofs, err)
	}
}

// TestUnsignedIsTold: a checkpoint that few or none stand behind, or that is of another log, is
// told of though it contradicts nothing.
func TestUnsignedIsTold(t *testing.T) {
	w := newWorld(t)
	for name, note := range map[string][]byte{
		"as it is":     w.nobody(w.r.Leaves[:50], ""),
		"of one node":  audittest.Signed(t, w.r, w.r.Leaves[:50], "knoop-3"),
		"smaller":      w.nobody(w.r.Leaves[:40], ""),
		"another name": w.nobody(w.r.Leaves[:50], "elders.example/log"),
		"another log":  w.nobody(w.altered(60, 35, 1), "elders.example/log"),
	} {
		t.Run(name, func(t *testing.T) {
			w.in, w.dir = &inbox{}, t.TempDir()
			w.show(w.r.Leaves[:50])
			m := w.monitor()
			w.look(m)
			c, err := tlog.PeekCheckpoint(note)
			if err != nil {
				t.Fatal(err)
			}
			w.web["knoop-3.example"] = audittest.Serve(t, w.r.Leaves[:min(c.Size, 50)], note)
			w.look(m)
			w.look(m)
			if codes := w.in.codes(); len(codes) != 1 || codes[0] != string(audit.Unsigned) {
				t.Errorf("alarms %v", codes)
			}
			w.show(w.r.Leaves[:50])
			w.look(m)
			w.web["knoop-3.example"] = audittest.Serve(t, w.r.Leaves[:min(c.Size, 50)], note)
			w.look(m)
			if codes := w.in.codes(); len(codes) != 2 && c.Origin == w.r.Charter.Origin {
				t.Errorf("again: alarms %v", codes)
			}
		})
	}
}

// TestNothingIsReadForOneNode: under a checkpoint that one node signs alone nothing is read, so
// that none can keep the monitor busy without end.
func TestNothingIsReadForOneNode(t *testing.T) {
	w := newWorld(t)
	w.show(w.r.Leaves[:50])
	m := w.monitor()
	w.look(m)
	log, read := audittest.Serve(t, w.r.Leaves[:60], audittest.Signed(t, w.r, w.r.Leaves[:60], "knoop-3")), atomic.Int32{}
	w.web["knoop-3.example"] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/tile/entries/") {
			read.Add(1)
		}
		log.ServeHTTP(rw, r)
	})
	w.look(m)
	if codes := w.in.codes(); read.Load() != 0 || len(codes) != 1 || codes[0] != string(audit.Unsigned) {
		t.Errorf("%d bundles read, alarms %v", read.Load(), codes)
	}
	w.show(w.r.Leaves[:60])
	w.look(m)
	if got := w.in.events(); len(got) == 0 || got[len(got)-1].Index != 59 {
		t.Errorf("after it was put right: %d events", len(got))
	}
}

// TestHandoversOfALiarAreNotKept: beside a good checkpoint a node may show handovers that are
// none. They do not spoil the copy.
func TestHandoversOfALiarAreNotKept(t *testing.T) {
	w := newWorld(t)
	w.show(w.r.Leaves[:50])
	m := w.monitor()
	w.look(m)
	for _, bad := range [][]byte{w.nobody(w.r.Leaves[:5], ""), w.nobody(w.altered(40, 35, 1), "")} {
		w.web["knoop-2.example"] = audittest.Serve(t, w.r.Leaves[:60], audittest.Signed(t, w.r, w.r.Leaves[:60]), bad)
	}
	w.look(m)
	w.look(w.monitor()) // it begins again
	w.show(w.r.Leaves)
	m = w.monitor()
	w.look(m)
	w.look(w.monitor())
	if got := w.in.events(); len(got) == 0 || got[len(got)-1].Index != uint64(len(w.r.Leaves)-1) || len(w.in.codes()) != 0 {
		t.Errorf("%d events, alarms %v", len(got), w.in.codes())
	}
}

// TestWordsOfOthersStayOnTheirLine: names and details in a message are of others, who write no
// lines and no headers in it.
func TestWordsOfOthersStayOnTheirLine(t *testing.T) {
	got := &letters{}
	evil := "Vaart\r\nBcc: ik@elders.example\n\n! Regio Lindewaard\u2028\u202e"
	msg := monitor.Message{Monitor: "redactie", Alarms: []monitor.Alarm{{Region: "g", Name: evil, Code: "x", At: time.Unix(0, 0), Text: paspoort.Text{NL: "mis", EN: "wrong"}, Detail: evil + strings.Repeat("x", 9999)}},
		Events: []monitor.Event{{Region: "g", RegionName: evil, Name: evil, Text: paspoort.Text{NL: "doet", EN: "does"}}}}
	if err := (monitor.Mail{Sender: got}).Tell(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(got)
	if strings.Contains(text, "\nBcc") || strings.Contains(text, "\n! Regio Lindewaard") || strings.ContainsAny(text, "\r\u2028\u202e") || len(text) > 3000 {
		t.Errorf("got %q", text)
	}
}
