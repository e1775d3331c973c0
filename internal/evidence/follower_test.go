package evidence_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// fake is a source that says what the test wants, and passes on the rest.
type fake struct {
	evidence.Source
	note   []byte
	leaves [][]byte
	err    error
	asked  int
}

func (f *fake) Checkpoint(ctx context.Context) ([]byte, error) {
	f.asked++
	if f.err != nil || f.note != nil {
		return f.note, f.err
	}
	return f.Source.Checkpoint(ctx)
}

func (f *fake) Leaves(ctx context.Context, from, to uint64) ([][]byte, error) {
	if f.leaves != nil {
		return f.leaves, nil
	}
	return f.Source.Leaves(ctx, from, to)
}

func newFollower(t *testing.T, c evidence.FollowerConfig) *evidence.Follower {
	t.Helper()
	f, err := evidence.NewFollower(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// facts reads how much a copy has and how fresh it is.
func facts(t *testing.T, c evidence.Copy) paspoort.RegistryFacts {
	t.Helper()
	var out paspoort.RegistryFacts
	err := c.Read(t.Context(), func(_ registry.View, f paspoort.RegistryFacts) error {
		out = f
		return nil
	})
	if err != nil && !errors.Is(err, evidence.ErrNoCopy) {
		t.Fatal(err)
	}
	return out
}

func TestFollowerKeepsItsCopy(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	region := evidencetest.New(t, clock.Now)
	region.Issuer("devaart.example", paspoort.Opleiding)
	store := kv.NewMemory()
	config := evidence.FollowerConfig{Genesis: region.Genesis, Sources: []evidence.Source{region}, Store: store, Clock: clock.Now}

	f := newFollower(t, config)
	if err := f.Read(t.Context(), nil); !errors.Is(err, evidence.ErrNoCopy) {
		t.Errorf("read before anything is known: %v", err)
	}
	for range 3 { // the log grows between visits
		if err := f.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		region.Issuer("ossekamp"+clock.Now().Format("150405")+".example", paspoort.Werkervaring)
		clock.Advance(time.Minute)
	}
	before := facts(t, f)

	offline := config
	offline.Sources = []evidence.Source{&fake{err: errors.New("down")}}
	g := newFollower(t, offline)
	if after := facts(t, g); after != before {
		t.Errorf("after a restart %+v, before %+v", after, before)
	}
	if err := g.Refresh(t.Context()); err == nil {
		t.Error("no node answered and that is fine?")
	}
	if after := facts(t, g); after != before {
		t.Errorf("a failed refresh changed the copy: %+v", after)
	}

	t.Run("a copy that was changed is refused", func(t *testing.T) {
		err := store.Update(func(tx kv.Tx) error {
			var key, value []byte
			err := tx.Scan([]byte("region/"), func(k, v []byte) error {
				if strings.Contains(string(k), "/leaf/") {
					key, value = append([]byte(nil), k...), append([]byte(nil), v...)
				}
				return nil
			})
			value[len(value)/2] ^= 1
			return errors.Join(err, tx.Set(key, value))
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := evidence.NewFollower(config); !errors.Is(err, registry.ErrRoot) {
			t.Errorf("error %v, want %v", err, registry.ErrRoot)
		}
	})
}

// TestFollowerSurvivesItsDisk: a store that fails once leaves a copy that can be read again,
// whether or not the write that failed was done.
func TestFollowerSurvivesItsDisk(t *testing.T) {
	for name, how := range map[string]kv.Failure{"not done": kv.NotDone, "done but reported as failed": kv.DoneButFailed} {
		t.Run(name, func(t *testing.T) {
			clock := testkit.NewClock(time.Time{})
			region := evidencetest.New(t, clock.Now)
			store := kv.NewMemory()
			config := evidence.FollowerConfig{Genesis: region.Genesis, Sources: []evidence.Source{region}, Store: store, Clock: clock.Now}
			f := newFollower(t, config)
			if err := f.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			region.Issuer("devaart.example", paspoort.Opleiding)
			store.FailNext(how, errors.New("disk full"))
			if err := f.Refresh(t.Context()); err == nil {
				t.Error("a failing disk went by unnoticed")
			}
			region.Issuer("ossekamp.example", paspoort.Werkervaring)
			if err := f.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			again := newFollower(t, config)
			if err := again.Refresh(t.Context()); err != nil || facts(t, again) != facts(t, f) {
				t.Errorf("after a restart: %v, %+v, want %+v", err, facts(t, again), facts(t, f))
			}
		})
	}
}

func TestFollowerNeverGoesBack(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	region := evidencetest.New(t, clock.Now)
	old := region.Sign()
	region.Issuer("devaart.example", paspoort.Opleiding)
	source := &fake{Source: region}
	f := newFollower(t, evidence.FollowerConfig{Genesis: region.Genesis, Sources: []evidence.Source{source}, Clock: clock.Now})
	refresh := func() error { return f.Refresh(t.Context()) }
	if err := refresh(); err != nil {
		t.Fatal(err)
	}
	have := facts(t, f)

	source.note = old // a node that lags behind is no error, and changes nothing
	if err := refresh(); err != nil || facts(t, f) != have {
		t.Errorf("smaller checkpoint: %v, %+v", err, facts(t, f))
	}
	clock.Advance(time.Hour)
	fresh := region.Sign()
	source.note = fresh
	if err := refresh(); err != nil || !facts(t, f).Time.Equal(clock.Now()) {
		t.Errorf("fresher checkpoint of the same size: %v, %+v", err, facts(t, f))
	}
	clock.Advance(-30 * time.Minute)
	source.note = region.Sign()
	have = facts(t, f)
	if err := refresh(); err != nil || facts(t, f) != have {
		t.Errorf("older checkpoint of the same size: %v, %+v", err, facts(t, f))
	}
}

func TestFollowerRefuses(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	region, other := evidencetest.New(t, clock.Now), evidencetest.New(t, clock.Now)
	region.Issuer("devaart.example", paspoort.Opleiding)
	for _, tt := range []struct {
		name   string
		source *fake
		want   error
	}{
		{"the log of another region", &fake{Source: other}, registry.ErrRegion},
		{"one cosignature of three", &fake{Source: region, note: region.Sign("knoop-2")}, registry.ErrCheckpoint},
		{"no checkpoint", &fake{Source: region, note: []byte("hallo")}, nil},
		{"other leaves than it signed", &fake{Source: region, leaves: [][]byte{[]byte("{}")}}, nil},
		{"no leaves", &fake{Source: region, leaves: [][]byte{}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := evidence.FollowerConfig{Genesis: region.Genesis, Sources: []evidence.Source{tt.source}, Clock: clock.Now}
			f := newFollower(t, c)
			err := f.Refresh(t.Context())
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if got := facts(t, f); got.Leaves != 0 {
				t.Errorf("took %d leaves", got.Leaves)
			}
			// One bad node does not keep a good one from being heard.
			c.Sources = append(c.Sources, region)
			if err := newFollower(t, c).Refresh(t.Context()); err != nil {
				t.Errorf("beside a good node: %v", err)
			}
		})
	}
	if _, err := evidence.NewFollower(evidence.FollowerConfig{Genesis: "aakermonde"}); err == nil {
		t.Error("a name taken for a region id")
	}
}

// TestFollowerHandover: the nodes changed twice since we looked, and both changes can be
// walked (design D7).
func TestFollowerHandover(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	region := evidencetest.New(t, clock.Now)
	store := kv.NewMemory()
	config := evidence.FollowerConfig{Genesis: region.Genesis, Sources: []evidence.Source{region}, Store: store, Clock: clock.Now}
	f := newFollower(t, config)
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	region.AddNode("knoop-4")
	region.AddNode("knoop-5")
	region.Issuer("devaart.example", paspoort.Opleiding)
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	config.Sources = nil
	if after := facts(t, newFollower(t, config)); after != facts(t, f) || after.Leaves < 10 {
		t.Errorf("after a restart %+v, before %+v", after, facts(t, f))
	}
	if _, err := evidence.ReadSnapshot(strings.NewReader(string(region.Snapshot())), region.Genesis); err != nil {
		t.Errorf("snapshot over two handovers: %v", err)
	}
}

func TestFollowerRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		region := evidencetest.New(t, time.Now)
		f := newFollower(t, evidence.FollowerConfig{
			Genesis: region.Genesis, Sources: []evidence.Source{region}, Clock: time.Now, Every: time.Minute,
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx) }()
		synctest.Wait()
		first := facts(t, f).Leaves
		region.Admit(registry.Application{Role: registry.WalletHost, Name: "Zorggroep Linde"})
		time.Sleep(61 * time.Second) // of the bubble
		synctest.Wait()
		if first == 0 || facts(t, f).Leaves <= first {
			t.Errorf("followed %d leaves, then %d", first, facts(t, f).Leaves)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}
