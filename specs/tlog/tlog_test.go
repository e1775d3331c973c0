package tlog

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"paspoort.example/paspoort/internal/testkit"
)

var cosignedAt = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// newSigner makes a key from a seed, so that the examples print the same.
func newSigner(t testing.TB, name string, kind KeyType, seed byte) *Signer {
	s, err := NewSigner(name, kind, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func line(t testing.TB, s *Signer, text []byte, at time.Time) string {
	l, err := s.Line(text, at)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// memory is a store of tiles as a node keeps them: one value per tile, cut to the
// width that is asked.
type memory map[[2]uint64][]byte

func (m memory) put(tiles []TileData) {
	for _, t := range tiles {
		m[[2]uint64{uint64(t.Level), t.Index}] = t.Data
	}
}

func (m memory) ReadTiles(tiles []Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		data := m[[2]uint64{uint64(t.Level), t.Index}]
		if len(data) < t.Width*HashSize {
			return nil, fmt.Errorf("no %s", t.Path())
		}
		out = append(out, data[:t.Width*HashSize])
	}
	return out, nil
}

// TestTreeAgainstModel appends in batches and compares root, reloaded tree and proofs
// with golang.org/x/mod/sumdb/tlog, which stores every hash.
func TestTreeAgainstModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var stored []Hash
	model := tlog.HashReaderFunc(func(ix []int64) ([]Hash, error) {
		var out []Hash
		for _, i := range ix {
			out = append(out, stored[i])
		}
		return out, nil
	})
	tree, store := NewTree(), memory{}
	var leaves []Hash
	for _, batch := range []int{1, 1, 2, 5, 247, 1, 255, 300, 65536 - 812, 1, 700} {
		next := tree.Clone()
		var fresh []Hash
		for range batch {
			leaf := LeafHash(binaryEntry(rnd))
			add, err := tlog.StoredHashesForRecordHash(int64(len(leaves)), leaf, model)
			if err != nil {
				t.Fatal(err)
			}
			stored, leaves, fresh = append(stored, add...), append(leaves, leaf), append(fresh, leaf)
		}
		before := tree.Root()
		tiles, err := next.Append(fresh...)
		if err != nil {
			t.Fatal(err)
		}
		if tree.Root() != before {
			t.Fatal("appending to a clone changed the original")
		}
		store.put(tiles)
		tree = next
		size := int64(len(leaves))
		want, err := tlog.TreeHash(size, model)
		if err != nil || tree.Root() != want || tree.Size() != uint64(size) {
			t.Fatalf("tree of %d: root %v, want %v (%v)", size, tree.Root(), want, err)
		}
		loaded, err := LoadTree(uint64(size), store)
		if err != nil || loaded.Root() != want {
			t.Fatalf("loaded tree of %d: %v", size, err)
		}
		tree = loaded
		checkProofs(t, Checkpoint{Size: uint64(size), Root: want}, leaves, store, rnd)
	}
}

func binaryEntry(rnd *rand.Rand) []byte { return fmt.Appendf(nil, "entry %d", rnd.Uint64()) }

func checkProofs(t *testing.T, c Checkpoint, leaves []Hash, store memory, rnd *rand.Rand) {
	t.Helper()
	for range 5 {
		i, old := rnd.Uint64N(c.Size), rnd.Uint64N(c.Size+1)
		path, err := ProveInclusion(c, i, store)
		if err != nil {
			t.Fatal(err)
		}
		if err := VerifyInclusion(i, c.Size, leaves[i], path, c.Root); err != nil {
			t.Error(err)
		}
		if err := VerifyInclusion(i, c.Size, LeafHash(nil), path, c.Root); !errors.Is(err, ErrProof) {
			t.Errorf("other leaf: %v", err)
		}
		root, err := RootAt(c, old, store)
		if err != nil {
			t.Fatal(err)
		}
		if path, err = ProveConsistency(c, old, store); err != nil {
			t.Fatal(err)
		}
		if err := VerifyConsistency(old, c.Size, path, root, c.Root); err != nil {
			t.Error(err)
		}
	}
}

func TestTamperedTileIsNoticed(t *testing.T) {
	tree, store := NewTree(), memory{}
	for i := range 300 {
		tiles, err := tree.Append(LeafHash(fmt.Appendf(nil, "%d", i)))
		if err != nil {
			t.Fatal(err)
		}
		store.put(tiles)
	}
	store[[2]uint64{0, 0}][5] ^= 1
	c := Checkpoint{Size: 300, Root: tree.Root()}
	if _, err := ProveInclusion(c, 7, store); err == nil {
		t.Error("a path was computed from a changed tile")
	}
}

func TestTilePaths(t *testing.T) {
	for _, c := range []struct {
		tile Tile
		path string
	}{
		{Tile{Level: 0, Index: 0, Width: 256}, "tile/0/000"},
		{Tile{Level: 3, Index: 1234067, Width: 256}, "tile/3/x001/x234/067"},
		{Tile{Level: 63, Index: 999, Width: 1}, "tile/63/999.p/1"},
		{Tile{Entries: true, Index: 1000, Width: 255}, "tile/entries/x001/000.p/255"},
	} {
		if got := c.tile.Path(); got != c.path {
			t.Errorf("path = %s, want %s", got, c.path)
		}
		if got, err := ParseTilePath(c.path); err != nil || got != c.tile {
			t.Errorf("parse %s = %+v, %v", c.path, got, err)
		}
	}
	for _, bad := range []string{
		"", "tile", "tile/0", "tile/0/", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/+1/000", "tile/0/0", "tile/0/0000",
		"tile/0/x000/001", "tile/0/001/000", "tile/0/x001/x000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01",
		"tile/0/000.p/1.p/1", "tile/entries/../0", "tile/0/000/", "/tile/0/000", "tile/0/x1/000", "tile/data/000",
		"tile/0/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/999",
	} {
		if got, err := ParseTilePath(bad); err == nil {
			t.Errorf("parse %q = %+v, want a refusal", bad, got)
		}
	}
}

func TestTileInTree(t *testing.T) {
	for _, c := range []struct {
		tile Tile
		size uint64
		want bool
	}{
		// tlog-tiles: "a tree of size 256 will be represented by a full level 0 tile and a partial level 1 tile of width 1"
		{Tile{Width: 256}, 256, true}, {Tile{Level: 1, Width: 1}, 256, true}, {Tile{Level: 1, Width: 2}, 256, false},
		{Tile{Index: 1, Width: 1}, 256, false}, {Tile{Width: 256}, 255, false}, {Tile{Width: 255}, 255, true},
		// "a tree of size 70,000": 273 full tiles, then width 112; one full level 1 tile, then width 17; level 2 width 1
		{Tile{Index: 273, Width: 112}, 70000, true}, {Tile{Index: 273, Width: 113}, 70000, false},
		{Tile{Level: 1, Index: 1, Width: 17}, 70000, true}, {Tile{Level: 2, Width: 1}, 70000, true}, {Tile{Level: 2, Width: 2}, 70000, false},
		{Tile{Level: 63, Width: 1}, 1 << 62, false},
	} {
		if got := c.tile.InTree(c.size); got != c.want {
			t.Errorf("%s in a tree of %d = %t, want %t", c.tile.Path(), c.size, got, c.want)
		}
	}
}

// TestWeakKeys shows for every point we refuse as being of small order that it really
// verifies signatures that nobody made.
func TestWeakKeys(t *testing.T) {
	zeroS := make([]byte, 64)
	zeroS[0] = 1 // R is the neutral point, S is 0
	for _, y := range smallOrderY {
		if _, err := NewVerifierKey("weak", TypeLog, ed25519.PublicKey(y)); !errors.Is(err, ErrKey) {
			t.Errorf("%x accepted: %v", y, err)
		}
		forged := false
		for i := range 256 {
			forged = forged || ed25519.Verify(y, fmt.Appendf(nil, "%d", i), zeroS)
		}
		if !forged {
			t.Errorf("%x is refused, but nothing could be forged under it", y)
		}
	}
	if _, err := NewVerifierKey("weak", TypeLog, ed25519.PublicKey(mustHex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"))); !errors.Is(err, ErrKey) {
		t.Errorf("a point that is not canonical is accepted: %v", err)
	}
	key := newSigner(t, "good", TypeLog, 9).VerifierKey()
	if _, err := ParseVerifierKey(key.String()); err != nil {
		t.Errorf("a good key is refused: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	log, other, cosigner := newSigner(t, "log", TypeLog, 1), newSigner(t, "log", TypeLog, 2), newSigner(t, "w", TypeCosigner, 3)
	text := Checkpoint{Origin: "log", Size: 1, Root: LeafHash(nil)}.Text()
	good := line(t, log, text, cosignedAt)
	witness := line(t, cosigner, text, cosignedAt)
	stray := good[:len(good)-2] + string(good[len(good)-2]+1) + "=" // another spelling of the last bits
	for _, c := range []struct {
		name string
		note []byte
		want error
	}{
		{"good", JoinNote(text, good, witness), nil},
		{"good, with a stranger", JoinNote(text, line(t, other, text, cosignedAt), good), nil},
		{"strangers only", JoinNote(text, line(t, other, text, cosignedAt)), ErrUnsigned},
		{"no signature", append(bytes.Clone(text), '\n'), ErrNote},
		{"no blank line", append(bytes.Clone(text), good+"\n"...), ErrNote},
		{"final newline lost", bytes.TrimSuffix(JoinNote(text, good), []byte("\n")), ErrNote},
		{"other text", JoinNote(append([]byte("x"), text...), good), ErrSignature},
		{"malleable base64", JoinNote(text, stray), ErrNote},
		{"hyphen for a dash", JoinNote(text, strings.Replace(good, "—", "-", 1)), ErrNote},
		{"control character", JoinNote(append([]byte("\x00\n"), text...), good), ErrNote},
		{"not UTF-8", JoinNote(append([]byte("\xff\n"), text...), good), ErrNote},
		{"too many signatures", JoinNote(text, strings.Split(strings.Repeat(good+"\n", MaxSignatures)+good, "\n")...), ErrNote},
		{"too large", JoinNote(bytes.Repeat([]byte("x\n"), MaxNote/2), good), ErrNote},
		{"cosignature cut off", JoinNote(text, witness[:len(witness)-12]), ErrSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Open(c.note, log.VerifierKey(), cosigner.VerifierKey()); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestCosignatureTime(t *testing.T) {
	log, w := newSigner(t, "log", TypeLog, 1), newSigner(t, "w", TypeCosigner, 3)
	text := Checkpoint{Origin: "log", Size: 1, Root: LeafHash(nil)}.Text()
	_, n, err := OpenCheckpoint(JoinNote(text, line(t, w, text, cosignedAt)), "log", log.VerifierKey(), w.VerifierKey())
	if err != nil || len(n.Signatures) != 1 || !n.Signatures[0].Time.Equal(cosignedAt) {
		t.Errorf("got %+v, %v", n, err)
	}
	if _, _, err := OpenCheckpoint(JoinNote(text, line(t, w, text, cosignedAt)), "other", w.VerifierKey()); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("other origin: %v", err)
	}
	if _, err := w.Line(text, time.Unix(-1, 0)); err == nil {
		t.Error("cosigned before 1970")
	}
}

func TestParseCheckpointRefuses(t *testing.T) {
	root := LeafHash(nil).String()
	for _, bad := range []string{
		"", "log\n", "log\n1\n", "log\n1\n" + root, "\n1\n" + root + "\n", "log\n01\n" + root + "\n", "log\n-1\n" + root + "\n",
		"log\n+1\n" + root + "\n", "log\n9223372036854775808\n" + root + "\n", "log\n0\n" + root + "\n", "log\n1\n" + root[:40] + "\n",
		"log\n1\n" + root + "\n\n", "log\n1\n" + root + "\n\x01\n", "log\r\n1\n" + root + "\n", "log\n1 \n" + root + "\n", "l\xffg\n1\n" + root + "\n",
	} {
		if c, err := ParseCheckpoint([]byte(bad)); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%q = %+v, %v", bad, c, err)
		}
	}
}

func TestPolicy(t *testing.T) {
	log := newSigner(t, "regio.example/register", TypeLog, 1)
	w := []*Signer{newSigner(t, "a", TypeCosigner, 3), newSigner(t, "b", TypeCosigner, 4), newSigner(t, "c", TypeCosigner, 5)}
	head := fmt.Sprintf("log %s https://regio.example\n", log.VerifierKey())
	for i, s := range w {
		head += fmt.Sprintf("witness w%d %s\n", i, s.VerifierKey())
	}
	text := Checkpoint{Origin: "regio.example/register", Size: 1, Root: LeafHash(nil)}.Text()
	sign := func(who ...int) []byte {
		lines := []string{line(t, log, text, cosignedAt)}
		for _, i := range who {
			lines = append(lines, line(t, w[i], text, cosignedAt.Add(time.Duration(i)*time.Hour)))
		}
		return JoinNote(text, lines...)
	}
	for _, c := range []struct {
		name, tail string
		who        []int
		want       error
		hour       int // Freshest, hours after cosignedAt; -1: none
	}{
		{"none", "quorum none\n", nil, nil, -1},
		{"one witness", "quorum w1\n", []int{1}, nil, 1},
		{"another witness", "quorum w1\n", []int{0}, ErrQuorum, 0},
		{"two of three", "group g 2 w0 w1 w2\nquorum g\n", []int{0, 1}, nil, 0},
		{"two of three, all signed: the freshest two", "group g 2 w0 w1 w2\nquorum g\n", []int{0, 1, 2}, nil, 1},
		{"one is too few", "group g 2 w0 w1 w2\nquorum g\n", []int{2}, ErrQuorum, 0},
		{"any", "group g any w0 w1 w2\nquorum g\n", []int{2}, nil, 2},
		{"all", "group g all w0 w1\nquorum g\n", []int{0}, ErrQuorum, 0},
		{"groups of groups", "group g any w0 w1\ngroup h all g w2\nquorum h\n", []int{1, 2}, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := ParsePolicy([]byte(head + c.tail))
			if err != nil {
				t.Fatal(err)
			}
			seen, err := p.Check(sign(c.who...))
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err != nil {
				return
			}
			want := cosignedAt.Add(time.Duration(c.hour) * time.Hour)
			if c.hour < 0 {
				want = time.Time{}
			}
			if !seen.Freshest().Equal(want) {
				t.Errorf("freshest = %v, want %v", seen.Freshest(), want)
			}
		})
	}
	foreign := Checkpoint{Origin: "elders.example/register", Size: 1, Root: LeafHash(nil)}.Text()
	p, err := ParsePolicy([]byte(head + "quorum none\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Check(JoinNote(foreign, line(t, log, foreign, cosignedAt))); !errors.Is(err, ErrNoLog) {
		t.Errorf("a log's key under another origin: %v, want %v", err, ErrNoLog)
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	log, w := newSigner(t, "log", TypeLog, 1).VerifierKey(), newSigner(t, "w", TypeCosigner, 3).VerifierKey()
	same := VerifierKey{"other", TypeCosigner, w.Public}
	base := fmt.Sprintf("# comment\n\n \tlog %s\nwitness w %s\n", log, w)
	if _, err := ParsePolicy([]byte(base + "quorum w\n")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text string }{
		{"no quorum", base},
		{"two quorums", base + "quorum w\nquorum w\n"},
		{"unknown quorum", base + "quorum x\n"},
		{"unknown keyword", base + "quorum w\nfoo\n"},
		{"log key as witness", base + fmt.Sprintf("witness x %s\nquorum w\n", log)},
		{"witness key as log", base + fmt.Sprintf("log %s\nquorum w\n", same)},
		{"duplicate log", base + fmt.Sprintf("log %s\nquorum w\n", log)},
		{"duplicate witness key", base + fmt.Sprintf("witness x %s\nquorum w\n", same)},
		{"duplicate name", base + fmt.Sprintf("witness w %s\nquorum w\n", newSigner(t, "z", TypeCosigner, 7).VerifierKey())},
		{"witness named none", fmt.Sprintf("witness none %s\nquorum none\n", w)},
		{"none as member", base + "group g any none\nquorum g\n"},
		{"member later", base + "group g any h\ngroup h any w\nquorum g\n"},
		{"member twice", base + "group g any w\ngroup h any w\nquorum h\n"},
		{"threshold 0", base + "group g 0 w\nquorum g\n"},
		{"threshold 2 of 1", base + "group g 2 w\nquorum g\n"},
		{"threshold +1", base + "group g +1 w\nquorum g\n"},
		{"group without members", base + "group g all\nquorum g\n"},
		{"carriage return", strings.ReplaceAll(base+"quorum w\n", "\n", "\r\n")},
		{"last line cut off", base + "quorum w"},
		{"key id changed", strings.Replace(base, "+", "+0", 1) + "quorum w\n"},
		{"too large", base + "quorum w\n" + strings.Repeat("#\n", MaxPolicy)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := ParsePolicy([]byte(c.text)); !errors.Is(err, ErrPolicy) {
				t.Errorf("got %v, want %v", err, ErrPolicy)
			}
		})
	}
}

func TestParseProofRefuses(t *testing.T) {
	log := newSigner(t, "log", TypeLog, 1)
	text := Checkpoint{Origin: "log", Size: 1, Root: LeafHash(nil)}.Text()
	note := string(JoinNote(text, line(t, log, text, cosignedAt)))
	good := "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n\n" + note
	if _, err := ParseProof([]byte(good)); err != nil {
		t.Fatal(err)
	}
	hash := LeafHash(nil).String() + "\n"
	for _, c := range []struct{ name, old, new string }{
		{"version", "@v1", "@v2"}, {"index with zero", "index 0", "index 00"}, {"index negative", "index 0", "index -1"},
		{"no index", "index 0\n", ""}, {"extra empty", "extra AAAA", "extra "}, {"extra malleable", "extra AAAA", "extra AAAB="},
		{"hash short", "index 0\n", "index 0\nAAAA\n"}, {"too many hashes", "index 0\n", "index 0\n" + strings.Repeat(hash, 64)},
		{"no checkpoint", note, ""}, {"checkpoint malformed", "\n1\n", "\n01\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := ParseProof([]byte(strings.Replace(good, c.old, c.new, 1))); !errors.Is(err, ErrProofFile) {
				t.Errorf("got %v, want %v", err, ErrProofFile)
			}
		})
	}
}

func TestParseBundleRefuses(t *testing.T) {
	good, err := AppendEntry(nil, []byte("abc"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data  []byte
		width int
	}{"cut": {good[:4], 1}, "prefix cut": {good[:1], 1}, "trailing": {append(bytes.Clone(good), 0), 1}, "fewer": {good, 2}, "more": {append(bytes.Clone(good), good...), 1}} {
		if _, err := ParseBundle(c.data, c.width); !errors.Is(err, ErrTile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := AppendEntry(nil, make([]byte, MaxEntry+1)); !errors.Is(err, ErrTile) {
		t.Errorf("too long: %v", err)
	}
}

func TestSignerTakesOnlyEd25519(t *testing.T) {
	if _, err := NewSigner("log", TypeLog, testkit.P256(t)); !errors.Is(err, ErrKey) {
		t.Errorf("P-256: %v", err)
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb", "a\u00a0b", "\xff"} {
		if _, err := NewSigner(name, TypeLog, testkit.Ed25519(t)); !errors.Is(err, ErrKey) {
			t.Errorf("name %q: %v", name, err)
		}
	}
}
