package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	walfs "github.com/hashicorp/raft-wal/fs"
	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/segment"
)

// startRaft opens raft's stores and starts it: with the configuration it knows, the one it
// founds, or none until the leader takes it in.
func (n *Node) startRaft(ctx context.Context) error {
	if err := n.openRaft(); err != nil {
		return err
	}
	if err := n.checkTail(); err != nil {
		return err
	}
	c := n.raftConfig()
	exists, err := raft.HasExistingState(n.logs, n.votes, n.snapshots)
	if err != nil {
		return fmt.Errorf("raft: %w", err)
	}
	if exists {
		if err := n.finishRestore(); err != nil {
			return err
		}
	} else if err := n.bootstrap(ctx, c); err != nil {
		return err
	}
	n.raft, err = newRaft(c, n.machine, n.logs, n.votes, n.snapshots, addressing{n.transport, n})
	if errors.Is(err, errLogBroken) && !n.restarted {
		// What raft cannot read it may have voted on: this disk is not what it was (D6).
		n.log.Error("raft's log cannot be read: coming back under a new raft id", "error", err)
		n.restarted = true
		if err := errors.Join(n.closeRaft(), n.startOver()); err != nil {
			return err
		}
		return n.startRaft(ctx)
	}
	if err != nil {
		return fmt.Errorf("raft: %w", err)
	}
	n.leaderCh = n.raft.LeaderCh()
	n.verified = &leadership{raft: verifying{n.raft, n}, lastCommand: n.lastCommand, moment: n.heard.now, quorumSince: n.quorumSince}
	return nil
}

// errLogBroken: an entry that raft's log says it has cannot be read.
var errLogBroken = errors.New("raft's log is broken")

// newRaft is raft.NewRaft, which panics when it cannot read its log; nothing was started
// then. A SIGKILL can leave a segment of raft-wal that is sealed and has no index.
func newRaft(c *raft.Config, machine raft.FSM, logs raft.LogStore, votes raft.StableStore, snapshots raft.SnapshotStore, transport raft.Transport) (r *raft.Raft, err error) {
	defer func() {
		if p := recover(); p != nil {
			r, err = nil, fmt.Errorf("%w: %v", errLogBroken, p)
		}
	}()
	return raft.NewRaft(c, machine, logs, votes, snapshots, transport)
}

// checkTail starts over when raft's log ends before what was applied from it: then the disk
// lost what it had promised to keep, and this node may have voted for what it forgot (D6).
func (n *Node) checkTail() error {
	last, err := n.logs.LastIndex()
	if err != nil {
		return fmt.Errorf("raft log: %w", err)
	}
	list, err := n.snapshots.List()
	if err != nil {
		return fmt.Errorf("raft snapshots: %w", err)
	}
	if len(list) > 0 {
		last = max(last, list[0].Index)
	}
	n.machine.mu.RLock()
	applied := n.machine.meta.Applied
	n.machine.mu.RUnlock()
	if applied <= last || n.forgot && last == 0 {
		return nil
	}
	n.log.Error("raft's log has lost its tail: coming back under a new raft id", "applied", applied, "last", last)
	if err := n.closeRaft(); err != nil {
		return err
	}
	if err := n.startOver(); err != nil {
		return err
	}
	return n.openRaft()
}

func (n *Node) bootstrap(ctx context.Context, c *raft.Config) error {
	first, err := n.takePart(ctx)
	if err != nil {
		return err
	}
	if first == nil {
		n.joined, n.forgot = true, true
		return n.files.saveMembers(members{Joined: true, Forgot: true})
	}
	if err := raft.BootstrapCluster(c, n.logs, n.votes, n.snapshots, n.transport, *first); err != nil {
		return fmt.Errorf("raft: %w", err)
	}
	return nil
}

// finishRestore completes a restore that a stop interrupted: raft has kept the snapshot,
// and its log before it is gone.
func (n *Node) finishRestore() error {
	list, err := n.snapshots.List()
	if err != nil || len(list) == 0 {
		return err
	}
	_, r, err := n.snapshots.Open(list[0].ID)
	if err != nil {
		return err
	}
	return n.machine.Restore(r)
}

// openRaft opens raft's log and snapshots on disk, unless tests brought their own.
func (n *Node) openRaft() error {
	if n.logs != nil {
		return nil
	}
	dir := filepath.Join(n.cfg.Dir, dirRaft)
	logs := filepath.Join(dir, "log")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return err
	}
	votes := &metadb.BoltMetaDB{} // of our own, because the log's Close leaves its own one open
	if err := mendLog(logs, votes, segment.NewFiler(logs, walfs.New())); err != nil {
		return fmt.Errorf("raft log: %w", errors.Join(err, votes.Close()))
	}
	w, err := wal.Open(logs, wal.WithLogger(raftLog(n.log)), wal.WithMetaStore(votes))
	if err != nil {
		return fmt.Errorf("raft log: %w", errors.Join(err, votes.Close()))
	}
	n.closeRaft = func() error {
		n.logs = nil
		return errors.Join(w.Close(), votes.Close())
	}
	cached, err := raft.NewLogCache(cachedEntries, w)
	if err != nil {
		return err
	}
	n.logs, n.votes = cached, w
	if n.testingLogs != nil {
		n.logs = n.testingLogs(n.logs)
	}
	n.snapshots, err = raft.NewFileSnapshotStoreWithLogger(dir, 2, raftLog(n.log))
	return err
}

// cachedEntries are the newest entries of raft's log that stay in memory for who lags a little. Each
// can have a megabyte, and raft sends as many at once at most.
const cachedEntries = 64

// commitTimeout is how soon followers hear what was committed when nothing else is sent: who
// writes through a follower waits for that.
const commitTimeout = 20 * time.Millisecond

func (n *Node) raftConfig() *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = n.raftID
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = n.cfg.Election, n.cfg.Election, n.cfg.Election
	c.CommitTimeout = min(commitTimeout, n.cfg.Election/10)
	c.MaxAppendEntries = cachedEntries
	c.BatchApplyCh = true
	c.NoSnapshotRestoreOnStart = true // the machine knows how far it is; see finishRestore
	c.ShutdownOnRemove = false
	c.NoLegacyTelemetry = true
	c.Logger = raftLog(n.log)
	return c
}

// raftLog gives raft's warnings to slog.
func raftLog(log *slog.Logger) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, DisableTime: true, Output: logWriter{log}})
}

type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(p []byte) (int, error) {
	w.log.Debug("raft", "says", string(p))
	return len(p), nil
}
