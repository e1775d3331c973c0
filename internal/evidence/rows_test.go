package evidence_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// logged is a region whose log is read as it is, and can lie.
type logged struct {
	*registrytest.Region
	handovers [][]byte
	read      int // leaves that were asked for
	spoil     func(index uint64, leaf []byte) []byte
	extra     []byte // a last leaf that the rules refuse
}

func (l *logged) Checkpoint(context.Context) ([]byte, error) {
	if l.extra != nil {
		return l.CheckpointOver(l.extra), nil
	}
	return l.Region.Checkpoint(), nil
}

func (l *logged) Handovers(context.Context) ([][]byte, error) { return l.handovers, nil }

func (l *logged) Leaves(_ context.Context, from, to uint64) (out [][]byte, _ error) {
	for ; from < to && len(out) < 100; from++ {
		leaf := l.extra
		if from < uint64(len(l.Region.Leaves)) {
			leaf = l.Region.Leaves[from]
		}
		if l.spoil != nil {
			leaf = l.spoil(from, leaf)
		}
		out = append(out, leaf)
	}
	l.read += len(out)
	return out, nil
}

// grow lets the region take in organisations: three leaves each.
func (l *logged) grow(n int) {
	for range n {
		l.Admit(fmt.Sprintf("o-%d", len(l.Region.Leaves)), registry.Issuer)
	}
}

func newLogged(t *testing.T, organisations int) (*logged, evidence.FollowerConfig) {
	l := &logged{Region: registrytest.New(t)}
	l.grow(organisations)
	return l, evidence.FollowerConfig{
		Genesis: l.Genesis(), Sources: []evidence.Source{l}, Store: kv.NewMemory(), Clock: func() time.Time { return l.Now },
	}
}

func digest(t *testing.T, f *evidence.Follower) (out string) {
	t.Helper()
	err := f.View(t.Context(), registry.Stale, func(v registry.View, _ registry.ReadInfo) error {
		out = v.State.Digest()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func follow(t *testing.T, f *evidence.Follower) {
	t.Helper()
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// change applies fn to the first row with a part in its key.
func change(t *testing.T, store kv.Store, part string, fn func(kv.Tx, []byte, []byte) error) {
	t.Helper()
	err := store.Update(func(tx kv.Tx) error {
		var key, value []byte
		err := tx.Scan([]byte("region/"), func(k, v []byte) error {
			if !strings.Contains(string(k), part) {
				return nil
			}
			key, value = append([]byte(nil), k...), append([]byte(nil), v...)
			return kv.ErrStop
		})
		if err != nil || key == nil {
			return errors.Join(err, errors.New("no such row"))
		}
		return fn(tx, key, value)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func remove(tx kv.Tx, key, _ []byte) error { return tx.Delete(key) }

func spoil(tx kv.Tx, key, value []byte) error {
	value[len(value)-1] ^= 1
	return tx.Set(key, value)
}

// A long way behind, or a leaf at a time: the same state, in memory and in rows, and after a
// restart.
func TestFollowerFarBehind(t *testing.T) {
	l, config := newLogged(t, 150)
	n, keys := registrytest.Node("knoop-4", "opleidersberaad")
	l.Nodes["knoop-4"] = keys
	l.Do(registry.KindNodeAdded, &registry.NodeChange{Node: &n, Reason: "erbij"}, registrytest.Werkgevers, registrytest.Opleiders)
	l.grow(1)
	l.handovers = append(l.handovers, l.Region.Handover())
	l.grow(110)
	f := newFollower(t, config)
	follow(t, f)
	want := l.State.Digest()
	if got := digest(t, f); got != want {
		t.Error("another state after a long way")
	}
	if l.read > len(l.Region.Leaves)+2 {
		t.Errorf("read %d leaves of %d", l.read, len(l.Region.Leaves))
	}
	l.grow(2)
	follow(t, f)
	l.grow(100)
	follow(t, f)
	want = l.State.Digest()
	read := l.read
	again := newFollower(t, config)
	if got := digest(t, again); got != want || l.read != read {
		t.Errorf("another state after a restart, or read again: %d", l.read-read)
	}
	inMemory := config
	inMemory.Store = nil
	g := newFollower(t, inMemory)
	follow(t, g)
	if digest(t, g) != want {
		t.Error("another state in memory")
	}
	if leaves, err := again.Leaves(t.Context(), 0, uint64(len(l.Region.Leaves))); err != nil || len(leaves) != len(l.Region.Leaves) {
		t.Errorf("serves %d leaves: %v", len(leaves), err)
	}
	// Rows of another number of leaves, or none, are made again.
	change(t, config.Store, "/row/\x00state", remove)
	if got := digest(t, newFollower(t, config)); got != want || l.read != read+len(l.Region.Leaves)+1 { // in memory: the first leaf alone, to learn whose checkpoints count
		t.Errorf("another state after the rows were lost; %d leaves read", l.read-read)
	}
}

// What does not check on a long way leaves the copy as it was, and is not tried for ever.
func TestFollowerFarBehindALie(t *testing.T) {
	l, config := newLogged(t, 2)
	f := newFollower(t, config)
	follow(t, f)
	before := digest(t, f)
	l.grow(120)
	l.spoil = func(i uint64, leaf []byte) []byte {
		if i == 300 {
			return append([]byte(" "), leaf...)
		}
		return leaf
	}
	if err := f.Refresh(t.Context()); !errors.Is(err, registry.ErrRoot) || digest(t, f) != before {
		t.Errorf("changed leaf: %v", err)
	}
	l.spoil = nil
	l.extra = l.Region.Leaves[5] // a second time
	for range 2 {
		if err := f.Refresh(t.Context()); !errors.Is(err, registry.ErrFrozen) || digest(t, f) != before {
			t.Fatalf("broken rule: %v", err)
		}
	}
	if h := f.Health(); h.Code != paspoort.DoubtFrozen {
		t.Errorf("health %+v", h)
	}
	if read := l.read; f.Refresh(t.Context()) == nil || l.read != read {
		t.Error("the way is gone again each time")
	}
	if got := digest(t, newFollower(t, config)); got != before {
		t.Error("another state after a restart")
	}
}

// A row that was changed is no answer; the leaves beside it make it again.
func TestFollowerWithDamagedRows(t *testing.T) {
	l, config := newLogged(t, 3)
	follow(t, newFollower(t, config))
	change(t, config.Store, "/row/organisation/", spoil)
	f := newFollower(t, config)
	every := func() error {
		return f.View(t.Context(), registry.Stale, func(v registry.View, _ registry.ReadInfo) error {
			_ = v.State.Digest()
			v.Organisations(l.Now)
			return nil
		})
	}
	if err := every(); !errors.Is(err, registry.ErrRows) {
		t.Fatalf("answered from a damaged row: %v", err)
	}
	if h := f.Health(); h.Code != evidence.RegionDamaged {
		t.Errorf("health %+v", h)
	}
	follow(t, f)
	if err := every(); err != nil || digest(t, f) != l.State.Digest() {
		t.Errorf("afterwards: %v", err)
	}
}

// Of a long log the old leaves are looked at while it runs.
func TestFollowerLooksAtOldLeaves(t *testing.T) {
	l, config := newLogged(t, 200)
	follow(t, newFollower(t, config))
	change(t, config.Store, "/leaf/", spoil)
	f := newFollower(t, config)
	if digest(t, f) != l.State.Digest() {
		t.Error("another state")
	}
	ctx, cancel := context.WithCancel(t.Context())
	config.Sources = nil
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	for f.Health().Code != evidence.RegionDamaged {
		select {
		case <-t.Context().Done():
			t.Fatal("went by unnoticed")
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	<-done
	if err := f.Read(t.Context(), nil); !errors.Is(err, registry.ErrRoot) {
		t.Errorf("read: %v", err)
	}
}

// stopping is a store that calls stop at one of its writes.
type stopping struct {
	kv.Store
	writes int // until then
	stop   func()
}

func (s *stopping) Update(fn func(kv.Tx) error) error {
	if s.writes--; s.writes == 0 {
		s.stop()
	}
	return s.Store.Update(fn)
}

// A program that ends on a long way begins it again.
func TestFollowerStopsOnALongWay(t *testing.T) {
	l, config := newLogged(t, 360)
	ctx, cancel := context.WithCancel(t.Context())
	store := config.Store
	config.Store = &stopping{store, (len(l.Region.Leaves)+99)/100 + 1, cancel} // after the last leaves
	f := newFollower(t, config)
	if err := f.Refresh(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if err := f.Read(t.Context(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("read half of it: %v", err)
	}
	config.Store = store
	again := newFollower(t, config)
	if err := again.Read(t.Context(), nil); !errors.Is(err, evidence.ErrNoCopy) {
		t.Errorf("read half of it after a restart: %v", err)
	}
	follow(t, again)
	if digest(t, again) != l.State.Digest() {
		t.Error("another state")
	}
	follow(t, f)
	if digest(t, f) != l.State.Digest() {
		t.Error("another state in the program that went on")
	}
}
