package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/operate"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
)

// diskTrouble is a region of processes with writes that were acknowledged so far.
type diskTrouble struct {
	*processes
	acked map[string]uint64
	count int
}

func newDiskTrouble(t *testing.T, size int) *diskTrouble {
	if testing.Short() {
		t.Skip("real processes are for the long run")
	}
	d := &diskTrouble{processes: newProcesses(t, size), acked: map[string]uint64{}}
	d.faults = map[string]childFaults{}
	d.writeConfigs()
	for id := range d.listeners {
		d.start(id)
	}
	d.leader()
	return d
}

// writes makes some acknowledged writes, at whichever node takes them.
func (d *diskTrouble) writes(n int) {
	d.t.Helper()
	want := len(d.acked) + n
	eventually(d.t, "writes are acknowledged", func() bool {
		for id := range d.listeners {
			c, ok := d.client(id)
			if !ok {
				continue
			}
			d.count++
			e := d.application(fmt.Sprint("Organisatie ", d.count), time.Now())
			if o, err := c.Submit(context.Background(), registry.Submission{Event: e}); err == nil && o.Err() == nil && o.Index != nil {
				d.acked[e.Event.ID()] = *o.Index
			}
		}
		return len(d.acked) >= want
	})
}

// settled waits until all have everything under a checkpoint and holds that against what was
// acknowledged.
func (d *diskTrouble) settled() {
	d.t.Helper()
	d.checkLogs(d.acked)
}

func (d *diskTrouble) folder(id string) string { return filepath.Join(d.dir, id) }

func (d *diskTrouble) said(id, what string) bool {
	raw, err := os.ReadFile(d.log(id))
	return err == nil && bytes.Contains(raw, []byte(what))
}

// picture copies a node's folder as a backup does that stops its machine for a moment.
func (d *diskTrouble) picture(id string) string {
	d.t.Helper()
	d.signal(id, true)
	defer d.signal(id, false)
	to := filepath.Join(d.t.TempDir(), id)
	if err := os.CopyFS(to, os.DirFS(d.folder(id))); err != nil {
		d.t.Fatal(err)
	}
	return to
}

// signal stops a node's process for a while, or lets it go on.
func (p *processes) signal(id string, stop bool) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if cmd := p.running[id]; cmd != nil {
		if err := cmd.Process.Signal(map[bool]os.Signal{true: syscall.SIGSTOP, false: syscall.SIGCONT}[stop]); err != nil {
			p.t.Fatal(err)
		}
	}
}

// putBack gives a node that was killed an old folder.
func (d *diskTrouble) putBack(id, old string) {
	d.t.Helper()
	if err := errors.Join(os.RemoveAll(d.folder(id)), os.CopyFS(d.folder(id), os.DirFS(old))); err != nil {
		d.t.Fatal(err)
	}
}

// managed is ok, and once does what a service manager does: it starts a node again that ended
// because its disk was put back.
func (d *diskTrouble) managed(id string, ok func() bool) func() bool {
	again := false
	return func() bool {
		if !again && d.said(id, "Start it again: it comes back under a new raft id") {
			again = true
			d.kill(id)
			d.start(id)
		}
		return ok()
	}
}

// TestDisksThatForget: a disk that was put back under its old id, a virtual machine that was
// rolled back, a log with a damaged end and a damaged store: the node comes back under a new
// raft id or says why it does not, nothing that was acknowledged is lost, and it catches up. The
// control is a disk to which nothing happened: its node is the one that it was.
func TestDisksThatForget(t *testing.T) {
	t.Parallel() // it waits most of the time
	d := newDiskTrouble(t, 3)
	const under = "coming back under a new raft id"
	d.writes(6)
	for _, x := range []struct {
		name string
		to   func() string
		harm func(id string)
		says string
	}{
		{"control: nothing happened to the disk", d.follower, d.kill, ""},
		{"old disk under the old id", d.follower, func(id string) {
			d.kill(id)
			old := d.picture(id)
			d.start(id)
			d.writes(6)
			d.settled()
			d.kill(id)
			d.putBack(id, old)
		}, under},
		{"virtual machine rolled back", d.leader, func(id string) {
			old := d.picture(id)
			d.writes(6)
			d.settled()
			d.kill(id)
			d.putBack(id, old)
		}, under},
		{"raft's log without its end", d.follower, func(id string) { d.kill(id); d.spoilLog(id) }, under},
		{"wiped disk", d.follower, func(id string) {
			d.kill(id)
			if err := os.RemoveAll(d.folder(id)); err != nil {
				t.Fatal(err)
			}
		}, "asking to be taken in"},
	} {
		id := x.to()
		if err := os.WriteFile(d.log(id), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		before := d.birth(id)
		x.harm(id)
		d.start(id)
		d.writes(6)
		eventually(t, x.name+": it votes and signs again", d.managed(id, func() bool { return d.votes(id) }))
		d.settled()
		if sound := x.says == ""; (d.birth(id) == before) != sound {
			t.Errorf("%s: its birth was %s and is %s", x.name, before, d.birth(id))
		} else if sound && (d.said(id, under) || d.said(id, "asking to be taken in")) || !d.said(id, x.says) {
			t.Errorf("%s: it did not say %q, or said too much", x.name, x.says)
		}
	}
	t.Logf("%d acknowledged writes, all there", len(d.acked))
}

// birth is what a node's folder calls itself in raft.
func (d *diskTrouble) birth(id string) string {
	d.t.Helper()
	raw, err := os.ReadFile(filepath.Join(d.folder(id), fileBirth))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(raw)
}

// votes says whether a node is a voter again and signs.
func (p *processes) votes(id string) bool {
	s, err := p.status(id)
	return err == nil && s.Signs && s.Leader != "" && slices.ContainsFunc(s.Peers, func(p Peer) bool { return p.ID == id && p.Member == "voter" })
}

// spoilLog takes the last acknowledged entries out of raft's log, as a disk does that lost
// its newest sectors.
func (d *diskTrouble) spoilLog(id string) {
	d.t.Helper()
	files, err := filepath.Glob(filepath.Join(d.folder(id), dirRaft, "log", "*.wal"))
	if err != nil || len(files) == 0 {
		d.t.Fatalf("raft's log: %v, %v", files, err)
	}
	slices.Sort(files)
	last := files[len(files)-1]
	raw, err := os.ReadFile(last)
	if err != nil {
		d.t.Fatal(err)
	}
	end := len(bytes.TrimRight(raw, "\x00"))
	if end < 4096 {
		d.t.Fatalf("raft's log has %d bytes only", end)
	}
	for i := end - 4096; i < end; i++ {
		raw[i] ^= 0xa5
	}
	if err := os.WriteFile(last, raw, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// TestDamagedTablesAreFound: a node whose store was damaged does not start and says why; with
// an empty folder it comes back.
func TestDamagedTablesAreFound(t *testing.T) {
	r := newDiskRegion(t, 3)
	r.everywhere("is founded", func(n *Node) bool { return n.covered() == 1 })
	r.stop("knoop-2")
	tables, err := filepath.Glob(filepath.Join(r.dirs["knoop-2"], dirStore, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables: %v, %v", tables, err)
	}
	for _, table := range tables {
		raw, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(raw)-512; i += 100 { // not the footer, so that the table opens
			raw[i] ^= 0xa5
		}
		if err := os.WriteFile(table, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := r.config("knoop-2")
	cfg.Dir, cfg.Peer = r.dirs["knoop-2"], r.peers["knoop-2"]
	if n, err := New(cfg); err == nil {
		n.closeParts()
		t.Error("it starts on damaged tables")
	} else if text := err.Error(); !strings.Contains(text, "checksum") && !strings.Contains(text, "damaged") {
		t.Errorf("it does not say what is wrong: %v", err)
	}
	r.dirs["knoop-2"] = t.TempDir()
	r.again("knoop-2")
	eventually(t, "it comes back with an empty folder", func() bool { return r.nodes["knoop-2"].covered() == 1 })
}

// TestDifferentBackups: the folders of all nodes come from backups of different ages. No node
// can know what it promised since: nothing is acknowledged, nothing larger is signed than what
// was signed before, reads are answered, and each node says what it waits for.
func TestDifferentBackups(t *testing.T) {
	t.Parallel() // it waits most of the time
	d := newDiskTrouble(t, 3)
	ids := sortedKeys(d.listeners)
	old, sizes := map[string]string{}, map[string]uint64{}
	for _, id := range ids {
		d.writes(4)
		d.settled()
		s, err := d.status(id)
		if err != nil {
			t.Fatal(err)
		}
		old[id], sizes[id] = d.picture(id), s.Leaves
	}
	d.writes(4)
	d.settled()
	for _, id := range ids { // the control: with the disks that they have they go on, and that is seen
		if wrong := d.rash(id, sizes[id]); len(wrong) != 3 {
			t.Errorf("of a region that goes on only this is seen: %v", wrong)
		}
	}
	for _, id := range ids {
		d.kill(id)
		d.putBack(id, old[id])
		if err := os.WriteFile(d.log(id), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range ids {
		d.start(id)
	}
	// One that was asked before the others answered learns it when it runs, and ends to come
	// back: a service manager starts it again.
	for _, id := range ids[:2] {
		eventually(t, id+" says that its disk was put back", d.managed(id, func() bool { return d.said(id, "this disk was put back or is damaged") }))
	}
	for _, id := range ids {
		for _, wrong := range d.rash(id, sizes[id]) {
			t.Error(wrong)
		}
	}
}

// rash says what a node does that it must not do with the disk that it has: one of so many leaves.
func (d *diskTrouble) rash(id string, leaves uint64) (wrong []string) {
	d.t.Helper()
	c, _ := d.client(id)
	if o, err := c.Submit(context.Background(), registry.Submission{Event: d.application("Na de terugzetting "+id, time.Now())}); err == nil && o.Err() == nil {
		wrong = append(wrong, fmt.Sprintf("%s acknowledged a write: %+v", id, o))
	}
	s, err := d.status(id)
	if err != nil {
		d.t.Fatal(err)
	}
	region, err := c.Region(context.Background(), registry.When{})
	if err != nil || region.AsOf != leaves {
		wrong = append(wrong, fmt.Sprintf("%s answers a read with %d leaves, its backup has %d: %v", id, region.AsOf, leaves, err))
	}
	if s.State == "leader" || s.Checkpoint != nil && s.Checkpoint.Size > leaves || s.Leaves != leaves {
		wrong = append(wrong, fmt.Sprintf("%s says %+v, its backup has %d leaves", id, s, leaves))
	}
	return wrong
}

// TestDiskFull: a node stops with a sentence before its disk is full, the others go on, and
// with room made it comes back with everything. The control does not look at its disk.
func TestDiskFull(t *testing.T) {
	t.Parallel() // it waits most of the time
	d := newDiskTrouble(t, 3)
	small := d.follower()
	d.kill(small)
	if err := os.RemoveAll(d.folder(small)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(d.folder(small), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", d.folder(small), "tmpfs", 0, "size=96m"); err != nil {
		testkit.Missing(t, "needs a small disk, which only root can mount here: %v (TestLogThatIsFull shows the same in memory)", err)
	}
	t.Cleanup(func() {
		d.kill(small)
		if err := syscall.Unmount(d.folder(small), 0); err != nil {
			t.Error(err)
		}
	})
	fill := filepath.Join(d.folder(small), "someone else's file")
	for _, looks := range []bool{true, false} {
		d.faults[small] = childFaults{MinFree: map[bool]uint64{true: 16 << 20, false: 1}[looks]}
		d.writeConfigs()
		d.kill(small)
		d.start(small)
		d.writes(3)
		d.settled()
		if err := fillUp(fill, map[bool]uint64{true: 12 << 20, false: 0}[looks]); err != nil {
			t.Fatal(err)
		}
		if looks {
			eventually(t, "it says that its disk is full", func() bool { return d.said(small, "make room and start it again") })
		}
		d.writes(30) // whether it lives or not
		d.kill(small)
		if err := os.Remove(fill); err != nil {
			t.Fatal(err)
		}
		d.start(small)
		d.settled()
	}
}

// fillUp writes a file until so much of the disk is left.
func fillUp(path string, leave uint64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	block := bytes.Repeat([]byte("x"), 64<<10)
	for {
		free, _, err := operate.DiskOf(filepath.Dir(path))
		if err != nil || leave > 0 && free < leave {
			return err
		}
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// TestSlowDisk: a disk that takes its time makes nothing wrong, and a follower that has one
// holds nobody up. With two such disks each write waits for one of them: the control of the same
// measure.
func TestSlowDisk(t *testing.T) {
	t.Parallel() // it waits most of the time
	d := newDiskTrouble(t, 3)
	tr := d.newTraffic(4, 5) // and a fifth client, below
	const delay = 80 * time.Millisecond
	quick := func() bool {
		lead := d.leader()
		c, _ := d.client(lead)
		least := quickest(func() bool {
			d.count++
			return tr.write(4, c, d.application(fmt.Sprint("Snel ", d.count), time.Now()))
		})
		return least < delay || d.faults[lead].SlowDisk > 0 && len(d.faults) == 1 // then it is no follower
	}
	for i, slow := range []string{d.follower(), d.leader()} {
		d.kill(slow)
		d.faults[slow] = childFaults{SlowDisk: delay}
		d.writeConfigs()
		d.start(slow)
		tr.goesOn("with a slow disk at " + slow)
		if i == 0 {
			eventually(t, "a write does not wait for the slow disk of "+slow, quick)
		} else if quick() {
			t.Error("a write did not wait for two slow disks of three")
		}
	}
	eventually(t, "enough is written to judge", func() bool { return tr.acknowledged() > 40 })
	tr.end()
}
