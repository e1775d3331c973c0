package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"paspoort.example/paspoort/internal/operate"
)

// A full disk is met before it is full: the store writes to its log through memory, and a
// page for which the disk has no room ends the process without a word. So a node looks how
// much is free and stops while it can still say why. The others go on without it.

// spaceEvery is how often a node looks; MinFree is far more than it writes meanwhile.
const spaceEvery = 250 * time.Millisecond

// ErrDiskFull: too little is free on the disk of the data folder.
var ErrDiskFull = errors.New("the disk is nearly full")

// checkSpace fails with ErrDiskFull. Where the system does not tell, nothing is checked.
func checkSpace(c Config) error {
	free, _, err := operate.DiskOf(c.Dir)
	if err != nil || free >= c.MinFree {
		return nil
	}
	return fmt.Errorf("node %s: %w: %d MiB are free for %s and a node needs %d: make room and start it again, nothing is lost",
		c.ID, ErrDiskFull, free>>20, c.Dir, c.MinFree>>20)
}

// mirrorsLeave is how many times MinFree mirrors leave: another region decides how large its log
// is, and may not stop this node with it.
const mirrorsLeave = 8

// roomForMirrors fails with ErrDiskFull long before this node has to stop.
func roomForMirrors(c Config) error {
	if c.Dir == "" {
		return nil
	}
	c.MinFree *= mirrorsLeave
	if checkSpace(c) != nil {
		return fmt.Errorf("%w: copies of other regions do not grow while less than %d MiB are free for %s", ErrDiskFull, c.MinFree>>20, c.Dir)
	}
	return nil
}

// watchSpace ends the node when its disk gets full.
func (n *Node) watchSpace(ctx context.Context) {
	for n.cfg.Dir != "" {
		if err := checkSpace(n.cfg); err != nil {
			n.log.Error("cannot go on", "error", err) // now: closing a store on a full disk takes its time
			n.cancel(err)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(spaceEvery):
		}
	}
}
