package node

import (
	"context"
	"fmt"
	"time"

	"paspoort.example/paspoort/internal/kv"
)

// Erasing (D4) has two halves. The transaction of the erasing event deletes the payload with
// its key and notes that their traces are due: from then on nobody reads them here. Then the
// store rewrites the files that may still hold older versions of the row. The note is what
// makes a stop in between harmless: the next start finds it and goes on.
//
// Nothing else of a node ever held a payload: raft's log, snapshots and the public log have
// commitments only. What a disk keeps of files that are gone, and backups made before, are
// outside a node's reach.

// eraseAgain is how long a node waits before it tries again to rewrite its files.
const eraseAgain = 10 * time.Second

// runErasures takes the traces of erased payloads out of the files, now and whenever an event
// erases something.
func (n *Node) runErasures(ctx context.Context) {
	for {
		var again <-chan time.Time
		if err := n.eraseTraces(); err != nil && ctx.Err() == nil {
			n.log.Error("an erased payload is still in this node's files: trying again", "error", err)
			again = time.After(eraseAgain)
		}
		select {
		case <-ctx.Done():
			return
		case <-n.machine.erasures:
		case <-again:
		}
	}
}

// eraseTraces rewrites the files for all erasures that are due.
func (n *Node) eraseTraces() error {
	due, err := n.erasuresDue()
	if err != nil || len(due) == 0 {
		return err
	}
	rows := make([]string, len(due))
	for i, commitment := range due {
		rows[i] = string(keyPayload(commitment))
	}
	if err := kv.Purge(n.store, rows...); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	if err := kv.Sync(n.store); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	return n.store.Update(func(tx kv.Tx) error {
		for _, commitment := range due {
			if err := tx.Delete(keyErasing(commitment)); err != nil {
				return err
			}
		}
		return nil
	})
}

// erasuresDue are the commitments whose payload may still be somewhere in the files.
func (n *Node) erasuresDue() (due []string, err error) {
	err = n.store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(prefixErasing), func(key, _ []byte) error {
			due = append(due, string(key[len(prefixErasing):]))
			return nil
		})
	})
	return due, err
}
