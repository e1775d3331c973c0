package tlog

import (
	"bytes"
	"io"
	"net/http"
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

func FuzzParseAddCheckpoint(f *testing.F) {
	log := newSigner(f, "log", TypeLog, 1)
	text := Checkpoint{Origin: "log", Size: 4, Root: LeafHash(nil)}.Text()
	note := JoinNote(text, line(f, log, text, cosignedAt))
	f.Add((&AddCheckpoint{Old: 3, Path: []Hash{LeafHash(nil)}, Checkpoint: note}).Marshal())
	f.Add([]byte("old 0\n\nlog\n0\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ParseAddCheckpoint(data)
		if err == nil && !bytes.Equal(a.Marshal(), data) {
			t.Errorf("%q written back as %q", data, a.Marshal())
		}
	})
}

// FuzzWitnessAnswer: whatever a witness answers, what is taken from it is its cosignature of
// the checkpoint that was sent.
func FuzzWitnessAnswer(f *testing.F) {
	log, w := newSigner(f, "log", TypeLog, 1), newSigner(f, "w", TypeCosigner, 3)
	text := Checkpoint{Origin: "log", Size: 1, Root: LeafHash(nil)}.Text()
	a := &AddCheckpoint{Checkpoint: JoinNote(text, line(f, log, text, cosignedAt))}
	f.Add(200, []byte(line(f, w, text, cosignedAt)+"\n"))
	f.Add(409, []byte("7\n"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		s, err := WitnessClient{HTTP: fixed{status, body}, URL: "https://w.example", Key: w.VerifierKey()}.Add(t.Context(), a)
		if err != nil {
			return
		}
		if _, err := Open(JoinNote(text, s.Line), w.VerifierKey()); err != nil || status != 200 {
			t.Errorf("took %q from %d %q", s.Line, status, body)
		}
	})
}

// fixed answers every request with the same.
type fixed struct {
	status int
	body   []byte
}

func (f fixed) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: f.status, Body: io.NopCloser(bytes.NewReader(f.body))}, nil
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
