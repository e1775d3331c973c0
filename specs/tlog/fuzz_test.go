package tlog

import (
	"bytes"
	"testing"
)

// What parses must encode to the same bytes; what does not parse returns nothing.

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(Checkpoint{Origin: "log", Size: 7, Root: LeafHash(nil), Extensions: []string{"x"}}.Text())
	f.Add([]byte("log\n0\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCheckpoint(data)
		if err == nil && !bytes.Equal(c.Text(), data) {
			t.Errorf("%q written back as %q", data, c.Text())
		}
	})
}

func FuzzParseProof(f *testing.F) {
	log := newSigner(f, "log", TypeLog, 1)
	text := Checkpoint{Origin: "log", Size: 1, Root: LeafHash(nil)}.Text()
	note := JoinNote(text, line(f, log, text, cosignedAt))
	f.Add((&Proof{Extra: []byte("x"), Index: 3, Path: []Hash{LeafHash(nil)}, Checkpoint: note}).Marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseProof(data)
		if err == nil && !bytes.Equal(p.Marshal(), data) {
			t.Errorf("%q written back as %q", data, p.Marshal())
		}
	})
}

func FuzzOpen(f *testing.F) {
	log, w := newSigner(f, "log", TypeLog, 1), newSigner(f, "w", TypeCosigner, 3)
	text := Checkpoint{Origin: "log", Size: 1, Root: LeafHash(nil)}.Text()
	f.Add(JoinNote(text, line(f, log, text, cosignedAt), line(f, w, text, cosignedAt)))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := Open(data, log.VerifierKey(), w.VerifierKey())
		if err == nil && (!bytes.HasPrefix(data, n.Text) || len(n.Signatures) == 0) {
			t.Errorf("opened %q as %+v", data, n)
		}
	})
}

func FuzzParsePolicy(f *testing.F) {
	log, w := newSigner(f, "log", TypeLog, 1).VerifierKey(), newSigner(f, "w", TypeCosigner, 3).VerifierKey()
	f.Add([]byte("log " + log.String() + "\nwitness w " + w.String() + "\ngroup g all w\nquorum g\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePolicy(data)
		if err == nil {
			p.Check(JoinNote([]byte("log\n"), "— x AAAAAAAA")) // must not panic
		}
	})
}

func FuzzParseTilePath(f *testing.F) {
	f.Add("tile/0/x001/234.p/5")
	f.Add("tile/entries/000")
	f.Fuzz(func(t *testing.T, path string) {
		tile, err := ParseTilePath(path)
		if err == nil && tile.Path() != path {
			t.Errorf("%q written back as %q", path, tile.Path())
		}
	})
}

func FuzzParseBundle(f *testing.F) {
	f.Add([]byte("\x00\x03abc\x00\x00"), 2)
	f.Fuzz(func(t *testing.T, data []byte, width int) {
		entries, err := ParseBundle(data, width)
		if err != nil {
			return
		}
		var back []byte
		for _, e := range entries {
			back, _ = AppendEntry(back, e)
		}
		if !bytes.Equal(back, data) {
			t.Errorf("%x written back as %x", data, back)
		}
	})
}
