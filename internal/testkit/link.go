package testkit

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Link is a network between one who dials and one who listens: a proxy on a port of its own.
// It can hold back what goes one way or the other, as a network does that drops packets, be
// slow, or be cut. Two processes that reach each other through a link each way can be
// separated in one direction only.
type Link struct {
	target   string
	listener net.Listener

	mu    sync.Mutex
	there way // from who dials to who listens
	back  way
	cut   bool
	conns map[net.Conn]bool
	moved chan struct{} // closed and replaced at every change
}

// way is one direction.
type way struct {
	held  bool
	delay time.Duration
}

// NewLink starts a link to an address; the test ends it.
func NewLink(t testing.TB, target string) *Link {
	t.Helper()
	l := &Link{target: target, listener: Listen(t), conns: map[net.Conn]bool{}, moved: make(chan struct{})}
	t.Cleanup(l.Cut)
	go l.accept()
	return l
}

// Addr is where to dial instead of the target.
func (l *Link) Addr() string { return l.listener.Addr().String() }

func (l *Link) change(how func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	how()
	close(l.moved)
	l.moved = make(chan struct{})
}

// HoldThere holds back what the one who dials sends, until Free.
func (l *Link) HoldThere() { l.change(func() { l.there.held = true }) }

// HoldBack holds back what the one who listens sends, until Free.
func (l *Link) HoldBack() { l.change(func() { l.back.held = true }) }

// Slow makes everything take so much longer, each way.
func (l *Link) Slow(delay time.Duration) {
	l.change(func() { l.there.delay, l.back.delay = delay, delay })
}

// Cut ends all connections and refuses new ones, until Free.
func (l *Link) Cut() {
	l.change(func() {
		l.cut = true
		for c := range l.conns {
			c.Close()
		}
	})
}

// Free makes the link a good one again. What was held goes on its way.
func (l *Link) Free() { l.change(func() { l.there, l.back, l.cut = way{}, way{}, false }) }

func (l *Link) accept() {
	for {
		from, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.join(from)
	}
}

// keep registers a connection; not when the link is cut.
func (l *Link) keep(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.cut {
		l.conns[c] = true
	}
	return !l.cut
}

func (l *Link) drop(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	c.Close()
}

func (l *Link) join(from net.Conn) {
	defer l.drop(from)
	if !l.keep(from) {
		return
	}
	to, err := net.Dial("tcp", l.target)
	if err != nil {
		return
	}
	defer l.drop(to)
	if !l.keep(to) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { l.carry(to, from, &l.there); l.drop(from); l.drop(to) })
	both.Go(func() { l.carry(from, to, &l.back); l.drop(from); l.drop(to) })
	both.Wait()
}

type piece struct {
	data []byte
	at   time.Time
}

// carry moves bytes one way, each piece when its time has come and the way is free.
func (l *Link) carry(to, from net.Conn, w *way) {
	pieces := make(chan piece, 1024)
	go func() {
		defer close(pieces)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				pieces <- piece{data[:n], time.Now()}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		if !l.wait(w, p.at) {
			break
		}
		if _, err := to.Write(p.data); err != nil {
			break
		}
	}
	from.Close()
	for range pieces { // so that the reader ends
	}
}

// wait returns when a piece that came at a time may go; false when the link was cut.
func (l *Link) wait(w *way, at time.Time) bool {
	for {
		l.mu.Lock()
		cut, held, left, moved := l.cut, w.held, time.Until(at.Add(w.delay)), l.moved
		l.mu.Unlock()
		switch {
		case cut:
			return false
		case held:
			<-moved
		case left > 0:
			select {
			case <-time.After(left):
			case <-moved:
			}
		default:
			return true
		}
	}
}
