package node

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/tlog"
)

// A fork is two nodes with different leaves at one size: a leader sent different entries to
// different nodes, a node lies, or disks were put back. Who is right cannot be told from
// inside. So whoever meets another node's signature under another history keeps it, signs
// nothing more and says why. It ends when the charter names that node no more, or when this
// node's tree agrees with it, because one of the two folders was filled anew. The kept
// signature shows the members who said what.

// opTree asks for the other node's tree of a size, signed with its log key.
const opTree = "tree"

func keyFork(node string) []byte { return []byte(prefixFork + node) }

// serveTree gives this node's own word for what its tree was at a size.
func (n *Node) serveTree(body []byte) ([]byte, error) {
	size, err := strconv.ParseUint(string(body), 10, 63)
	if err != nil || size == 0 {
		return nil, errors.New("not a size")
	}
	n.machine.mu.RLock()
	head := n.machine.head()
	n.machine.mu.RUnlock()
	if size > head.Size {
		return nil, fmt.Errorf("this node has %d leaves only", head.Size)
	}
	c := tlog.Checkpoint{Origin: n.founding.origin, Size: size}
	if err := n.store.View(func(tx kv.Tx) (err error) {
		c.Root, err = tlog.RootAt(head, size, txTiles{tx})
		return err
	}); err != nil {
		return nil, err
	}
	line, err := n.publisher.log.Line(c.Text(), time.Time{})
	return tlog.JoinNote(c.Text(), line), err
}

// askTree follows up another node's word that it has another tree.
func (n *Node) askTree(ctx context.Context, node string, size uint64) {
	call, cancel := context.WithTimeout(ctx, n.cfg.PeerTimeout)
	defer cancel()
	note, err := n.peers.call(call, node, opTree, strconv.AppendUint(nil, size, 10))
	if err == nil {
		err = n.keepFork(node, note)
	}
	if err != nil {
		n.log.Warn("a node says that it has another history, and does not sign that", "node", node, "size", size, "error", err)
	}
}

// saysFork says whether a node refused because its tree is another one.
func saysFork(err error) bool {
	return errors.Is(err, ErrPeer) && strings.Contains(err.Error(), errFork.Error())
}

// keepFork keeps what a node signed, if it differs from this node's tree.
func (n *Node) keepFork(node string, note []byte) error {
	conflict, err := n.conflicts(node, note)
	if err != nil || !conflict {
		return err
	}
	if n.forked() == "" {
		n.log.Error("ANOTHER NODE SIGNED ANOTHER HISTORY: nothing is signed until that is settled", "node", node)
	}
	return n.store.Update(func(tx kv.Tx) error { return tx.Set(keyFork(node), kv.Value(valueFormat, note)) })
}

// conflicts holds a node's signed checkpoint against this node's tree. What is larger than
// this tree, or of a node that the charter names no more, does not conflict.
func (n *Node) conflicts(node string, note []byte) (bool, error) {
	region := n.region()
	key, err := region.logKey(node)
	if err != nil {
		return false, nil
	}
	c, _, err := tlog.OpenCheckpoint(note, region.origin, key)
	if err != nil {
		return false, err
	}
	n.machine.mu.RLock()
	head := n.machine.head()
	n.machine.mu.RUnlock()
	if c.Size > head.Size {
		return false, nil
	}
	err = n.compare(head, c)
	if errors.Is(err, errFork) {
		return true, nil
	}
	return false, err
}

// forks are the kept checkpoints of others, by node.
func (n *Node) forks() (map[string][]byte, error) {
	kept := map[string][]byte{}
	return kept, n.store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(prefixFork), func(key, value []byte) error {
			_, note, err := kv.Body(value)
			kept[string(key[len(prefixFork):])] = append([]byte{}, note...)
			return err
		})
	})
}

// forked says, for people, why this node cannot be sure of its history; empty when it can.
func (n *Node) forked() string {
	kept, err := n.forks()
	if err != nil {
		return "what is kept of other nodes cannot be read: " + err.Error()
	}
	for _, node := range sortedKeys(kept) {
		if conflict, err := n.conflicts(node, kept[node]); err != nil || conflict {
			return "node " + node + " signed another history than this node has. One of the two is wrong: " +
				"compare both with a copy from outside, then start the wrong one with an empty data folder, or let the members remove it"
		}
	}
	return ""
}

// settleForks asks the nodes with another history whether they have this node's by now. What
// they signed before stays as proof.
func (n *Node) settleForks(ctx context.Context) error {
	kept, err := n.forks()
	if err != nil {
		return err
	}
	for _, node := range sortedKeys(kept) {
		if conflict, err := n.conflicts(node, kept[node]); err != nil || !conflict {
			continue
		}
		c, err := tlog.PeekCheckpoint(kept[node])
		if err != nil {
			return err
		}
		call, cancel := context.WithTimeout(ctx, n.cfg.PeerTimeout)
		now, err := n.peers.call(call, node, opTree, strconv.AppendUint(nil, c.Size, 10))
		cancel()
		if err != nil || !n.agrees(node, now, c.Size) {
			continue
		}
		n.log.Warn("a node that signed another history has this one now", "node", node, "size", c.Size)
		if err := n.store.Update(func(tx kv.Tx) error {
			return errors.Join(tx.Set([]byte(prefixSettled+node), kv.Value(valueFormat, kept[node])), tx.Delete(keyFork(node)))
		}); err != nil {
			return err
		}
	}
	if why := n.forked(); why != "" {
		return fmt.Errorf("%w: %s", errWithheld, why)
	}
	return nil
}

// agrees says whether a node signed this node's tree of a size.
func (n *Node) agrees(node string, note []byte, size uint64) bool {
	region := n.region()
	key, err := region.logKey(node)
	if err != nil {
		return false
	}
	c, _, err := tlog.OpenCheckpoint(note, region.origin, key)
	if err != nil || c.Size != size {
		return false
	}
	conflict, err := n.conflicts(node, note)
	return err == nil && !conflict
}
