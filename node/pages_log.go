package node

import (
	"net/http"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/registry"
)

type logPage struct {
	Status Status
	Newest []logRow // newest first
}

type logRow struct {
	Index   uint64
	Kind    registry.Kind
	Time    time.Time
	Event   string
	Covered bool // under the checkpoint that this node serves
}

// Last is the highest number that the checkpoint covers: numbers begin at 0.
func (c CheckpointState) Last() uint64 { return max(c.Size, 1) - 1 }

const logRows = 20

func (p *pages) showLog(w http.ResponseWriter, r *http.Request) {
	data := logPage{Status: p.n.Status()}
	covered := p.n.covered()
	for i := data.Status.Leaves; i > 0 && len(data.Newest) < logRows; i-- {
		leaf, err := p.n.leaf(i - 1)
		if err != nil {
			p.rendered(err)
			p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.Broken}))
			return
		}
		data.Newest = append(data.Newest, logRow{i - 1, leaf.Event.Kind, time.Unix(leaf.LogTime, 0).UTC(), leaf.Event.ID(), i-1 < covered})
	}
	p.rendered(p.log.Render(w, r, http.StatusOK, data))
}
