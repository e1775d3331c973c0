package node

import (
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/kv"
)

// BenchmarkApplyBatch applies committed applications in batches of 64, as a node that runs does.
func BenchmarkApplyBatch(b *testing.B) {
	r := newRegion(b, 1, time.Now(), func(int) string { return "knoop-1.example:7000" })
	var raws [][]byte
	for i := range 6400 {
		raw, err := r.application(fmt.Sprint("Zorggroep ", i), r.start).Marshal()
		if err != nil {
			b.Fatal(err)
		}
		raws = append(raws, raw)
	}
	var m *machine
	i := 100
	for b.Loop() {
		if i == 100 {
			b.StopTimer()
			store, err := kv.OpenBadger(b.TempDir(), kv.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			if m, err = openKept(store, r.genesis); err != nil {
				b.Fatal(err)
			}
			m.Apply(entry(1, r.start, r.founding))
			i = 0
			b.StartTimer()
		}
		m.ApplyBatch([]*raft.Log{entry(uint64(i+2), r.start, raws[i*64:i*64+64]...)})
		i++
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/64, "us/event")
}
