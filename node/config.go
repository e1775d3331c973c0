package node

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/registry"
)

// Config is what a node is made of.
type Config struct {
	// ID is the node's id in the charter, e.g. "knoop-1".
	ID string
	// Founding is the region's founding event (registry.SignedEvent in canonical form).
	Founding []byte
	// Dir is the data folder; the node makes what it needs in it.
	Dir string
	// Peer listens on the node's raft address; the node owns and closes it.
	Peer net.Listener

	// The node's four keys, as the charter names them. TLSKey is any key that crypto/tls
	// takes; LogKey and CosignerKey are Ed25519; TimestampKey is P-256.
	TLSKey, LogKey, CosignerKey, TimestampKey crypto.Signer

	// FederationKey, on P-256, signs OpenID Federation statements for the region, once the
	// charter names it as this node's. Nil signs none.
	FederationKey crypto.Signer

	// VerifyOff switches POST /v1/verify and the check page off.
	VerifyOff bool
	// Fetch and StatusFetch get what a check needs beside the registry: documents of
	// issuers, and status lists (which are larger). Nil fetches nothing: what is then not
	// known is unknown in the verdict.
	Fetch, StatusFetch did.Fetcher

	// Outside asks nodes of other regions: as witnesses of this one, and what they saw of this
	// node when it is theirs. Nil asks nobody: then this node witnesses nothing, and has no
	// witness.
	Outside outsider

	// Dial connects to the address of another node; nil means net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// MinFree is how many bytes must be free on the disk of Dir; with less the node stops and
	// says so. 0 means 64 MiB.
	MinFree uint64
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
	// Rand is for ids of no secrecy; nil means crypto/rand.
	Rand io.Reader
	// Log gets what happens; nil means nothing is logged.
	Log *slog.Logger

	// Timings; zero means the default.
	Election           time.Duration // heartbeat and election timeout of raft: 500 ms, see defaultElection
	PeerTimeout        time.Duration // of a call between nodes: 2 s
	DialTimeout        time.Duration // of connecting to another node, handshake included: 1 s
	WriteTimeout       time.Duration // of a write: 10 s
	ReadTimeout        time.Duration // of making sure a read is linearizable: 3 s
	CheckpointInterval time.Duration // between checkpoints while the log grows: 500 ms
	CosignInterval     time.Duration // after which an unchanged log is cosigned again: 30 min
	MirrorInterval     time.Duration // between two looks at each region that this one accepted: 30 s
	ArchiveInterval    time.Duration // at least, between two looks at one status list: 15 min

	// ApplicationsPerMinute bounds the leaves that a region makes, while this node leads, of
	// events signed by nobody whom it took in: applications for admission. 0 means 60.
	ApplicationsPerMinute int
}

// defaultElection is for nodes in one region, a few milliseconds apart. Raft waits between once
// and twice as long for a leader that is silent. What makes a healthy leader silent is not the
// network but a machine that is busy or a disk that syncs slowly, some hundreds of
// milliseconds at times: at 300 ms such nodes change leaders again and again, and each change
// costs more than the time that a shorter timeout saves when a leader really dies. Machines
// of their own with quick disks can do with 200 ms.
const defaultElection = 500 * time.Millisecond

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	if c.MinFree == 0 {
		c.MinFree = 64 << 20
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		to    *time.Duration
		value time.Duration
	}{
		{&c.Election, defaultElection}, {&c.PeerTimeout, 2 * time.Second}, {&c.DialTimeout, dialTimeout}, {&c.WriteTimeout, 10 * time.Second},
		{&c.ReadTimeout, 3 * time.Second}, {&c.CheckpointInterval, 500 * time.Millisecond}, {&c.CosignInterval, 30 * time.Minute},
		{&c.MirrorInterval, 30 * time.Second}, {&c.ArchiveInterval, 15 * time.Minute},
	} {
		if *d.to == 0 {
			*d.to = d.value
		}
	}
	if c.ApplicationsPerMinute == 0 {
		c.ApplicationsPerMinute = 60
	}
	return c
}

// check refuses a configuration that cannot work.
func (c Config) check() error {
	switch {
	case c.ID == "":
		return errors.New("node: no id")
	case c.TLSKey == nil || c.LogKey == nil || c.CosignerKey == nil || c.TimestampKey == nil:
		return fmt.Errorf("node %s: a node has four keys: tls, log, cosigner, timestamp", c.ID)
	}
	for name, key := range map[string]crypto.Signer{"log": c.LogKey, "cosigner": c.CosignerKey} {
		if _, ok := key.Public().(ed25519.PublicKey); !ok {
			return fmt.Errorf("node %s: the %s key is not an Ed25519 key", c.ID, name)
		}
	}
	if _, err := registry.NewPublicKey(c.TimestampKey.Public()); err != nil {
		return fmt.Errorf("node %s: timestamp key: %w", c.ID, err)
	}
	if c.FederationKey != nil {
		if _, err := registry.NewPublicKey(c.FederationKey.Public()); err != nil {
			return fmt.Errorf("node %s: federation key: %w", c.ID, err)
		}
	}
	return nil
}

func ed25519Key(raw []byte) ed25519.PublicKey { return ed25519.PublicKey(raw) }
