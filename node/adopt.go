package node

import (
	"context"
	"errors"
	"fmt"
)

// A checkpoint up to and including a change of nodes counts by the nodes before it (D7). So a
// node that was just taken in cannot sign one that counts before something follows its coming,
// which may take weeks. Until then it serves what another node published, after comparing it
// with its own tree.

// adopt asks the others for a checkpoint that counts, after this node's own did not.
func (p *publisher) adopt(ctx context.Context, own error) error {
	for _, id := range p.n.others() {
		call, cancel := context.WithTimeout(ctx, p.n.cfg.PeerTimeout)
		note, err := p.n.peers.call(call, id, opPublished, nil)
		cancel()
		if err != nil || len(note) == 0 {
			continue
		}
		if err := p.take(note); err != nil {
			own = errors.Join(own, fmt.Errorf("checkpoint of %s: %w", id, err))
			continue
		}
		return nil
	}
	return own
}

// take serves a note of another node if it counts, is newer, and is of this node's own tree.
func (p *publisher) take(note []byte) error {
	p.n.machine.mu.RLock()
	head := p.n.machine.head()
	seen, err := p.n.machine.state.View().CheckCheckpoint(note)
	p.n.machine.mu.RUnlock()
	if err != nil {
		return err
	}
	if !p.due(seen.Checkpoint.Size) {
		return errors.New("not newer than what is served")
	}
	if err := p.n.compare(head, seen.Checkpoint); err != nil {
		return err
	}
	return p.publish(note, p.n.region())
}
