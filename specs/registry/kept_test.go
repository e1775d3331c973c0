package registry_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
)

// memoryRows are rows in a map, as a store would keep them.
type memoryRows struct {
	values map[string][]byte
	broken error
}

func (r *memoryRows) Get(key []byte) ([]byte, error) { return r.values[string(key)], r.broken }

func (r *memoryRows) Scan(prefix []byte, fn func(key, value []byte) error) error {
	for _, key := range slices.Sorted(maps.Keys(r.values)) {
		if strings.HasPrefix(key, string(prefix)) {
			if err := fn([]byte(key), r.values[key]); err != nil {
				return err
			}
		}
	}
	return r.broken
}

// keeper is a state whose rows are kept, as a node does it.
type keeper struct {
	rows  *memoryRows
	state *registry.State
}

func openKeeper(genesis string, rows *memoryRows) (*keeper, error) {
	s, err := registry.OpenState(genesis, rows)
	return &keeper{rows, s}, err
}

// store stores all fresh rows, or the first few: then the process dies.
func (k *keeper) store(part float64) {
	fresh := k.state.Fresh()
	for _, r := range fresh[:int(part*float64(len(fresh)))] {
		k.rows.values[string(r.Key)] = r.Value
	}
	if part == 1 {
		k.state.Stored()
	}
}

// TestKeptStates: a state whose rows are elsewhere is the same state, whenever it is stored, shut
// and opened, and wherever it was broken off.
func TestKeptStates(t *testing.T) {
	for _, g := range goldens {
		for name, next := range map[string]func(i int) (store, reopen bool, crash float64){
			"opened each leaf":    func(int) (bool, bool, float64) { return true, true, 0 },
			"stored now and then": func(i int) (bool, bool, float64) { return i%5 == 4, i%10 == 9, 0 },
			"broken off":          func(i int) (bool, bool, float64) { return i%3 == 2, false, float64(i%4) / 4 },
		} {
			t.Run(g.name+"/"+name, func(t *testing.T) {
				snap, want := readGolden(t, g.name)
				got, err := keptLines(snap, next)
				if err != nil {
					t.Fatal(err)
				}
				if got != want {
					t.Error("the digests are not the golden ones")
				}
			})
		}
	}
}

func keptLines(snap registry.Snapshot, next func(i int) (store, reopen bool, crash float64)) (string, error) {
	k, err := openKeeper(snap.Genesis, &memoryRows{values: map[string][]byte{}})
	if err != nil {
		return "", err
	}
	lines := make([]string, len(snap.Leaves))
	crashed := map[int]bool{}
	for i := 0; i < len(snap.Leaves); {
		leaf, err := registry.ParseLeaf(snap.Leaves[i])
		if err != nil {
			return "", err
		}
		if _, err := registry.Apply(k.state, leaf); err != nil {
			return "", fmt.Errorf("leaf %d, %s: %w", i, leaf.Event.Kind, err)
		}
		lines[i] = fmt.Sprintf("%d %s %s\n", i, leaf.Event.Kind, k.state.Digest())
		store, reopen, crash := next(i)
		if crash > 0 && !crashed[i] {
			crashed[i] = true
			k.store(crash)
			store, reopen = false, true
		}
		if store {
			k.store(1)
		}
		if reopen {
			if k, err = openKeeper(snap.Genesis, k.rows); err != nil {
				return "", err
			}
			if digest, err := registry.DigestOf(k.rows, snap.Genesis, k.state.Size()); k.state.Size() > 0 && (err != nil || digest != k.state.Digest()) {
				return "", fmt.Errorf("leaf %d: the digest of the rows is %s, %w", i, digest, err)
			}
		}
		i = int(k.state.Size())
	}
	return strings.Join(lines, ""), nil
}

// TestKeptAnswers: what is asked of a kept state is answered as of one in memory, at each size.
func TestKeptAnswers(t *testing.T) {
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			snap, want := readGolden(t, g.name)
			rep, _, err := snap.Replay(snap.Genesis)
			if err != nil {
				t.Fatal(err)
			}
			k, err := openKeeper(snap.Genesis, &memoryRows{values: map[string][]byte{}})
			if err != nil {
				t.Fatal(err)
			}
			for _, raw := range snap.Leaves {
				leaf, err := registry.ParseLeaf(raw)
				if err == nil {
					_, err = registry.Apply(k.state, leaf)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			k.store(1)
			if k, err = openKeeper(snap.Genesis, k.rows); err != nil {
				t.Fatal(err)
			}
			now := k.state.LogTime()
			for i, line := range strings.Split(strings.TrimSpace(want), "\n") {
				size := uint64(i) + 1
				if i%8 != 0 && size < k.state.Size() {
					continue
				}
				if got, err := registry.DigestOf(k.rows, snap.Genesis, size); err != nil || !strings.HasSuffix(line, " "+got) || k.state.DigestAt(size) != got {
					t.Fatalf("after %d leaves: digest %s, %v, golden %s", size, got, err, line)
				}
				if got, want := answersOf(t, k.state, size, now), answersOf(t, rep.State(), size, now); got != want {
					t.Fatalf("after %d leaves: the answers differ\n%s\n%s", size, got, want)
				}
			}
		})
	}
}

// answersOf is what a state says when it is asked everything.
func answersOf(t *testing.T, s *registry.State, size uint64, at time.Time) string {
	t.Helper()
	v, err := s.AsOf(size)
	if err != nil {
		t.Fatal(err)
	}
	all := []any{v.Organisations(at), v.Hobbels(at), v.Region(at), v.Proposals(), v.ProposalsLike(registry.ProposalFilter{}, at),
		v.Nodes(), v.Ending(at, 1000*time.Hour), v.Functions(registry.ListingQuery{}, at), v.Modules(registry.ListingQuery{}, at), v.Criteria(at), v.Unopened()}
	for _, p := range v.Proposals() {
		all = append(all, v.ProgressOf(p, at))
	}
	raw, err := ijson.Canonical(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestDamagedRows: a row that was changed is not read, nor one that cannot be read.
func TestDamagedRows(t *testing.T) {
	snap, _ := readGolden(t, goldens[0].name)
	k, err := openKeeper(snap.Genesis, &memoryRows{values: map[string][]byte{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range snap.Leaves {
		leaf, _ := registry.ParseLeaf(raw)
		if _, err := registry.Apply(k.state, leaf); err != nil {
			t.Fatal(err)
		}
	}
	k.store(1)
	at := k.state.LogTime()
	for key, value := range k.rows.values {
		if strings.HasPrefix(key, "organisation/") || strings.HasPrefix(key, "member/") {
			bad := slices.Clone(value)
			bad[len(bad)-3] ^= 1
			k.rows.values[key] = bad
			if err := tryAll(snap.Genesis, k.rows, at); !errors.Is(err, registry.ErrRows) {
				t.Errorf("%q changed: got %v", key, err)
			}
			k.rows.values[key] = value
		}
	}
	if err := tryAll(snap.Genesis, k.rows, at); err != nil {
		t.Error(err)
	}
	if _, err := registry.OpenState(strings.Repeat("0", 64), k.rows); !errors.Is(err, registry.ErrRegion) {
		t.Errorf("rows of another region: got %v", err)
	}
	k, err = openKeeper(snap.Genesis, k.rows)
	if err != nil {
		t.Fatal(err)
	}
	k.rows.broken = errors.New("no disk")
	func() {
		defer func() {
			if err, _ := recover().(error); !errors.Is(err, registry.ErrRows) || !errors.Is(err, k.rows.broken) {
				t.Errorf("a disk that fails: got %v", err)
			}
		}()
		k.state.View().Organisations(at)
	}()
}

// TestKeptNewerRules: a program does not go on with a state that newer ones made.
func TestKeptNewerRules(t *testing.T) {
	head := `{"genesis":"` + strings.Repeat("0", 64) + `","log_time":1,"rules":%d,"size":1,"version":1,"more":true}`
	rows := &memoryRows{values: map[string][]byte{"\x00state": fmt.Appendf(nil, head, registry.RulesVersion+1)}}
	if _, err := openKeeper("", rows); !errors.Is(err, registry.ErrNewer) {
		t.Errorf("got %v, want %v", err, registry.ErrNewer)
	}
}

// tryAll opens rows and asks for all organisations.
func tryAll(genesis string, rows *memoryRows, at time.Time) (err error) {
	k, err := openKeeper(genesis, rows)
	if err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = p.(error)
		}
	}()
	k.state.View().Organisations(at)
	return nil
}

// reopen opens the kept state on its rows.
func (m *machine) reopen(rows *memoryRows, plant bool) {
	var err error
	if m.kept, err = openKeeper(m.Genesis(), rows); err != nil {
		m.rt.Fatal(err)
	}
	if m.planted = plant; plant {
		registry.PlantSelfApproval(m.kept.state)
	}
}

// keep gives a leaf to the kept state, which is stored and opened anew now and then.
func (m *machine) keep(leaf registry.Leaf) {
	if _, err := registry.Apply(m.kept.state, leaf); err != nil {
		m.rt.Fatalf("the kept state refuses leaf %d: %v", len(m.Leaves)-1, err)
	}
	if got := m.kept.state.Digest(); got != m.mirror.Digest() {
		m.rt.Fatalf("after leaf %d: the digest of the kept state differs", len(m.Leaves)-1)
	}
	switch len(m.Leaves) % 5 {
	case 2:
		m.kept.store(1)
	case 4:
		m.kept.store(1)
		m.reopen(m.kept.rows, m.planted)
	}
	if got, want := m.ask(m.kept.state.View(), m.Now), m.ask(m.mirror.View(), m.Now); got != want {
		m.rt.Fatalf("after leaf %d: the kept state answers otherwise", len(m.Leaves)-1)
	}
}
