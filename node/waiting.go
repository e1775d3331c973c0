package node

import (
	"sync"

	"paspoort.example/paspoort/specs/registry"
)

// waiting are the events that somebody waits for here, by their bytes: the node that leads looks at
// an event before it orders it, and need not read it again when raft hands it back. There are as
// many as requests are under way. An event that is not among them is read then.
type waiting struct {
	mu     sync.Mutex
	events map[string]*registry.Prepared
}

// add keeps an event until forget is called.
func (w *waiting) add(p *registry.Prepared) (forget func()) {
	key := string(p.Raw())
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.events == nil {
		w.events = map[string]*registry.Prepared{}
	}
	w.events[key] = p
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.events, key)
	}
}

// prepared is the event of these bytes. It fails as registry.Prepare does.
func (w *waiting) prepared(raw []byte) (*registry.Prepared, error) {
	w.mu.Lock()
	p, ok := w.events[string(raw)]
	w.mu.Unlock()
	if ok {
		return p, nil
	}
	return registry.Prepare(raw)
}
