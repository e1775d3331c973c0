package node

import (
	"fmt"
	"testing"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	walfs "github.com/hashicorp/raft-wal/fs"
	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/segment"
)

// TestLogWhoseEndWasCutOff: raft's log is read after entries were cut off its end and it was
// closed. The control opens it as raft-wal would, which cannot.
func TestLogWhoseEndWasCutOff(t *testing.T) {
	for name, mend := range map[string]bool{"mended": true, "control: as it is": false} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			open := func() (*wal.WAL, func()) {
				meta := &metadb.BoltMetaDB{}
				if mend {
					if err := mendLog(dir, meta, segment.NewFiler(dir, walfs.New())); err != nil {
						t.Fatal(err)
					}
				}
				w, err := wal.Open(dir, wal.WithMetaStore(meta), wal.WithLogger(raftLog(testLog(t))))
				if err != nil {
					t.Fatal(err)
				}
				return w, func() { w.Close(); meta.Close() }
			}
			store := func(w *wal.WAL, term, from, to uint64) {
				for i := from; i <= to; i++ {
					if err := w.StoreLog(&raft.Log{Index: i, Term: term, Data: fmt.Append(nil, term, i)}); err != nil {
						t.Fatal(err)
					}
				}
			}
			w, done := open()
			store(w, 1, 1, 20)
			if err := w.DeleteRange(1, 3); err != nil {
				t.Fatal(err)
			}
			for _, term := range []uint64{2, 3} { // twice, the second time in what is new
				if err := w.DeleteRange(21-3*term, 20); err != nil {
					t.Fatal(err)
				}
				store(w, term, 21-3*term, 20)
			}
			done()
			for range 2 {
				w, done := open()
				for i := uint64(4); i <= 20; i++ {
					var got raft.Log
					want := uint64(1)
					if i >= 12 {
						want = 3
					}
					err := w.GetLog(i, &got)
					if mend && (err != nil || got.Term != want || string(got.Data) != fmt.Sprint(want, i)) {
						t.Errorf("entry %d: %+v, %v", i, got, err)
					}
					if !mend && i == 4 && err == nil {
						t.Error("raft-wal reads it: nothing needs to be mended any more")
					}
				}
				done()
			}
		})
	}
}
