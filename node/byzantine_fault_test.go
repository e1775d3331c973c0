package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// bent is the transport of a node that lies: what it sends to the others is changed on the
// way. Only requests that lie go through it; pipelines are off, so that all do.
type bent struct {
	*raft.InmemTransport
	entries  atomic.Pointer[func(to string, entry *raft.Log) *raft.Log]
	snapshot atomic.Pointer[func(to string, args *raft.InstallSnapshotRequest, s *snapshot)]
}

func (b *bent) AppendEntriesPipeline(raft.ServerID, raft.ServerAddress) (raft.AppendPipeline, error) {
	return nil, raft.ErrPipelineReplicationNotSupported
}

func (b *bent) AppendEntries(id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	lie := b.entries.Load()
	if lie == nil {
		return b.InmemTransport.AppendEntries(id, to, args, resp)
	}
	changed := *args
	changed.Entries = nil
	for _, e := range args.Entries {
		changed.Entries = append(changed.Entries, (*lie)(nodeOf(id), e))
	}
	return b.InmemTransport.AppendEntries(id, to, &changed, resp)
}

func (b *bent) InstallSnapshot(id raft.ServerID, to raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	lie := b.snapshot.Load()
	if lie == nil {
		return b.InmemTransport.InstallSnapshot(id, to, args, resp, data)
	}
	var s snapshot
	if err := json.NewDecoder(data).Decode(&s); err != nil {
		return err
	}
	changed := *args
	(*lie)(nodeOf(id), &changed, &s)
	raw, err := json.Marshal(&s)
	if err != nil {
		return err
	}
	changed.Size = int64(len(raw))
	return b.InmemTransport.InstallSnapshot(id, to, &changed, resp, bytes.NewReader(raw))
}

// bendable is a cluster of which every node can be made to lie while it leads.
func bendable(t *testing.T) (*cluster, map[string]*bent) {
	c := newClusterOf(t, 3, nil)
	lies := map[string]*bent{}
	for id, m := range c.nodes {
		m.bend = func(trans *raft.InmemTransport) raft.Transport {
			lies[id] = &bent{InmemTransport: trans}
			return lies[id]
		}
		c.startNode(m)
	}
	return c, lies
}

// smuggle proposes events as a leader would that does not look at them.
func (c *cluster) smuggle(leader string, events ...registry.SignedEvent) {
	c.t.Helper()
	cmd := command{LogTime: time.Now().Unix()}
	for _, e := range events {
		raw, err := e.Marshal()
		if err != nil {
			c.t.Fatal(err)
		}
		cmd.Events = append(cmd.Events, raw)
	}
	if err := c.get(leader).raft.Apply(cmd.marshal(), applyTimeout).Error(); err != nil {
		c.t.Fatal(err)
	}
}

// TestLeaderThatSkipsChecks: what a leader puts into raft's order without looking is looked
// at by every node. The control is an event that is good.
func TestLeaderThatSkipsChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		lead := c.leader()
		application := c.application("Zorggroep Linde", time.Now())
		c.smuggle(lead, application)
		for _, id := range c.ids() {
			eventually(t, id+" has the good event", func() bool { return c.size(id) == 2 })
		}
		compose := func(kind registry.Kind, body registry.Body, at time.Time, signers ...registry.Party) registry.SignedEvent {
			return c.compose(c.get(lead), at, kind, body, signers...)
		}
		member := func(id, key string) registry.Party {
			return registry.Party{Name: registry.MemberParty(id), Key: namedP256(key)}
		}
		vote := &registry.Decision{Proposal: application.Event.ID(), Voter: registry.MemberParty("lid-1")}
		forged := compose(registry.KindApproved, vote, time.Now(), member("lid-1", "lid-1"))
		forged.Signatures[0] = compose(registry.KindApproved, vote, time.Now().Add(time.Second), member("lid-1", "lid-1")).Signatures[0]
		// One member proposes by this; it decides nothing.
		c.smuggle(lead, compose(registry.KindNodeRemoved, &registry.NodeChange{ID: "knoop-2", Reason: "De leider wil dit"}, time.Now(), member("lid-1", "lid-1")))
		bad := map[string]registry.SignedEvent{
			"a vote with another vote's signature": forged,
			"a vote with the leader's key":         compose(registry.KindApproved, vote, time.Now(), member("lid-1", "tls "+lead)),
			"an event of next week":                c.application("Toekomst", time.Now().Add(7*24*time.Hour)),
		}
		for _, name := range sortedKeys(bad) {
			c.smuggle(lead, bad[name])
		}
		c.smuggle(lead, c.application("Daarna", time.Now()))
		for _, id := range c.ids() {
			eventually(t, id+" has what came after", func() bool { return c.size(id) == 4 })
			if _, there := c.get(id).region().nodes["knoop-2"]; !there {
				t.Errorf("%s removed a node for one member", id)
			}
			for name, e := range bad {
				if _, ok := c.get(id).accepted(e.Event.ID()); ok {
					t.Errorf("%s took %s", id, name)
				}
			}
		}
		c.sameLogs()
	})
}

// twoFaced sends one node another event in the place of the one that all others get, while it lies.
func twoFaced(t *testing.T, lying *atomic.Bool, deceived string, one, other registry.SignedEvent) func(to string, e *raft.Log) *raft.Log {
	first, err := one.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	second, err := other.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return func(to string, e *raft.Log) *raft.Log {
		if !lying.Load() || to != deceived || !bytes.Contains(e.Data, first) {
			return e
		}
		cmd, err := parseCommand(e.Data)
		if err != nil {
			t.Error(err)
			return e
		}
		changed := *e
		changed.Data = command{cmd.LogTime, [][]byte{second}}.marshal()
		return &changed
	}
}

// forkedCluster has a leader that sent one event to one follower and another to the other;
// it stands itself by the first.
func forkedCluster(t *testing.T) (c *cluster, liar string, honest []string, lying *atomic.Bool) {
	c, lies := bendable(t)
	lying = &atomic.Bool{}
	lying.Store(true)
	liar = c.leader()
	for _, id := range c.ids() {
		if id != liar {
			honest = append(honest, id)
		}
		eventually(t, id+" published the founding", func() bool { return c.get(id).covered() == 1 })
	}
	one, other := c.application("Voor de een", time.Now()), c.application("Voor de ander", time.Now())
	lie := twoFaced(t, lying, honest[1], one, other)
	lies[liar].entries.Store(&lie)
	if o, err := c.submit(liar, one); err != nil || o.Err() != nil {
		t.Fatalf("%+v, %v", o, err)
	}
	return c, liar, honest, lying
}

// TestLeaderThatSendsDifferentEntries: raft believes its leader, so two followers have two
// logs. Both notice, keep the other's signature, sign nothing more and say why, also after a
// restart. It ends when a wrong folder is filled anew; but if that node signed the wrong history
// before it noticed, its word is given, and it signs no more for good.
func TestLeaderThatSendsDifferentEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, liar, honest, lying := forkedCluster(t)
		defer c.close()
		for i, id := range honest {
			eventually(t, id+" stops signing", func() bool { return strings.Contains(c.get(id).publisher.withheld(), "signed another history") })
			if s := c.get(id).Status(); s.Signs || !s.Forked || !strings.Contains(s.Withheld, "node "+honest[1-i]) && !strings.Contains(s.Withheld, "node "+liar) {
				t.Errorf("%s says %+v", id, s)
			}
		}
		if found := c.get(honest[0]).look(t.Context(), time.Now()); !slices.ContainsFunc(found, func(f alert.Finding) bool {
			return f.Code == "fork" && f.Raise == alert.Critical && f.After == 0
		}) {
			t.Errorf("its operator is told: %+v", found)
		}
		for _, id := range honest {
			c.stopNode(id)
			c.startNode(c.nodes[id])
		}
		c.leader()
		for _, id := range honest {
			eventually(t, id+" asked the others", func() bool {
				c.get(id).publisher.mu.Lock()
				defer c.get(id).publisher.mu.Unlock()
				return c.get(id).publisher.clear
			})
			if why := c.get(id).publisher.withheld(); !strings.Contains(why, "signed another history") {
				t.Errorf("%s forgot after a restart: %q", id, why)
			}
		}
		// Of the two followers at most one has a checkpoint that counts, with the liar's help;
		// none of the two stands behind both histories.
		both := 0
		for _, id := range honest {
			if c.get(id).covered() > 1 {
				both++
			}
		}
		if both == 2 {
			t.Error("two histories count, each with one honest node")
		}
		// The operator of the node that was lied to fills its folder anew.
		m := c.nodes[honest[1]]
		c.stopNode(honest[1])
		signed := m.disk.rec
		m.wipe()
		m.disk.rec = signed // the record of what it signed is no part of the lie
		lying.Store(false)
		c.startNode(m)
		eventually(t, "nobody sees a fork", func() bool {
			return c.get(honest[0]).forked() == "" && c.get(honest[1]).forked() == "" && c.size(honest[1]) == 2
		})
		c.mustSubmit(honest[0], "Na het herstel")
		c.sameLogs()
		for _, id := range c.ids() {
			if id == honest[1] && signed.Size == 2 {
				eventually(t, id+" keeps to what it signed", func() bool { return c.get(id).publisher.withheld() == whyTorn && c.get(id).Status().Forked })
				continue
			}
			eventually(t, id+" publishes again", func() bool { return c.get(id).covered() == 3 })
		}
	})
}

// TestControlNoFork: a leader that sends the same to all stops nobody, and a node that merely
// says that there is another history, without signing one, stops nobody either.
func TestControlNoFork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		c.mustSubmit("knoop-1", "Zorggroep Linde")
		c.published(2)
		n := c.get("knoop-1")
		n.askTree(context.Background(), "knoop-2", 2)
		same, err := c.get("knoop-2").serveTree([]byte("2"))
		if err != nil {
			t.Fatal(err)
		}
		text := tlog.Checkpoint{Origin: n.founding.origin, Size: 2, Root: tlog.LeafHash(nil)}.Text()
		line, err := c.get("knoop-3").publisher.log.Line(text, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for name, note := range map[string][]byte{"the same tree": same, "signed by another": tlog.JoinNote(text, line), "not a note": []byte("x")} {
			if err := n.keepFork("knoop-2", note); name == "the same tree" && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if why := n.publisher.withheld(); why != "" {
				t.Errorf("%s: %s", name, why)
			}
		}
		if err := n.keepFork("knoop-3", tlog.JoinNote(text, line)); err != nil || n.publisher.withheld() == "" {
			t.Errorf("signed by itself: %v, withheld %q", err, n.publisher.withheld())
		}
		for _, body := range []string{"", "0", "-1", "3"} {
			if _, err := n.serveTree([]byte(body)); err == nil {
				t.Errorf("a tree of size %q was signed", body)
			}
		}
	})
}

// TestLeaderThatPoisonsASnapshot: a lagging node is sent a snapshot that is wrong. It signs
// nothing from it, stops and says why; started again it takes back what came with it and
// comes back under a new raft id. Nothing that was acknowledged is lost.
func TestLeaderThatPoisonsASnapshot(t *testing.T) {
	elsewhere := tlog.LeafHash([]byte("another history")).String()
	for _, x := range []struct {
		name string
		bend func(*raft.InstallSnapshotRequest, *snapshot)
	}{
		{"another root", func(_ *raft.InstallSnapshotRequest, s *snapshot) { s.Root = elsewhere }},
		{"another state", func(_ *raft.InstallSnapshotRequest, s *snapshot) { s.Digest = strings.Repeat("0", 64) }},
		{"fewer leaves than the node has", func(_ *raft.InstallSnapshotRequest, s *snapshot) { s.Size = 1 }},
		{"fewer leaves with another root", func(_ *raft.InstallSnapshotRequest, s *snapshot) { s.Size -= 2 }},
		{"old, with another root", func(_ *raft.InstallSnapshotRequest, s *snapshot) { s.Applied, s.Size, s.Root = 1, 1, elsewhere }},
		{"more leaves than entries", func(_ *raft.InstallSnapshotRequest, s *snapshot) { s.Applied = 1 }},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { poisoned(t, x.bend) })
		})
	}
}

func poisoned(t *testing.T, bend func(*raft.InstallSnapshotRequest, *snapshot)) {
	c, lies := bendable(t)
	defer c.close()
	c.leader()
	c.mustSubmit("knoop-1", "Voor de afwezigheid")
	c.sameLogs()
	victim := ""
	for _, id := range c.ids() {
		if id != c.leader() {
			victim = id
		}
	}
	before := c.get(victim).raftID
	c.stopNode(victim)
	for i := range 10 {
		c.mustSubmit(c.leader(), fmt.Sprint("Organisatie ", i))
	}
	var sent atomic.Int64
	for id, b := range lies {
		if id == victim {
			continue
		}
		lie := func(to string, args *raft.InstallSnapshotRequest, s *snapshot) {
			if to == victim && sent.Add(1) == 1 { // once: the next leader is another one
				bend(args, s)
			}
		}
		b.snapshot.Store(&lie)
		c.cutLogs(id)
	}
	m := c.nodes[victim]
	c.startNode(m)
	err := c.failed(m)
	if !errors.Is(err, errPoisoned) {
		t.Fatalf("the node ended with %v, want %v", err, errPoisoned)
	}
	if got := m.record().Size; got > 2 {
		t.Errorf("it signed %d leaves", got)
	}
	c.startNode(m)
	eventually(t, "it has everything", func() bool { n := c.get(victim); return n.running() && c.size(victim) == 12 })
	if c.get(victim).raftID == before {
		t.Error("it votes under its old raft id")
	}
	c.mustSubmit(victim, "Na het herstel")
	c.sameLogs()
	eventually(t, "it signs", func() bool { return c.get(victim).covered() == 13 })
}

// failed waits for a node that ends by itself.
func (c *cluster) failed(m *member) error {
	c.t.Helper()
	select {
	case err := <-m.done:
		c.mu.Lock()
		m.node = nil
		c.connect()
		c.mu.Unlock()
		return err
	case <-time.After(time.Minute):
		c.t.Fatalf("%s goes on", m.id)
		return nil
	}
}
