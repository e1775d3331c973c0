package host

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"paspoort.example/paspoort/wallet"
)

// standings are how the credentials of a session stand, looked at once when the paspoort
// was opened. Pages wait a moment for it and go on without.
type standings struct {
	done  chan struct{}
	found map[string]wallet.Standing // written before done is closed
	at    time.Time
}

// standingsWait is how long a page waits for the look at everything.
const standingsWait = 2 * time.Second

// lookAtStandings begins the look. It ends by itself, at the latest after the time that the
// engine gives it.
func (h *Host) lookAtStandings(s *session, paspoort *wallet.Wallet) {
	look := &standings{done: make(chan struct{})}
	s.mu.Lock()
	s.standings = look
	s.mu.Unlock()
	h.background.Go(func() {
		defer close(look.done)
		defer func() {
			if p := recover(); p != nil { // one holder's trouble is not everybody's
				h.c.Log.Error("standings panicked", "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			}
		}()
		found, err := paspoort.Standings(h.life)
		if err != nil {
			h.c.Log.Warn("standings could not be looked at", "kind", errorKinds(err))
		}
		look.found, look.at = found, h.c.Clock()
	})
}

// standingsNow are the standings, or nil when they are not known yet.
func (s *session) standingsNow(ctx context.Context) map[string]wallet.Standing {
	s.mu.Lock()
	look := s.standings
	s.mu.Unlock()
	if look == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, standingsWait)
	defer cancel()
	select {
	case <-look.done:
		return look.found
	case <-ctx.Done():
		return nil
	}
}
