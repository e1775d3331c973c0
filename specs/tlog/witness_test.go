package tlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
)

// shelf is a store of a witness in memory. It can fail to write.
type shelf struct {
	mu    sync.Mutex
	keys  map[string][]VerifierKey
	notes map[string][]byte // by origin hash
	fail  error
}

func (s *shelf) LogKeys(_ context.Context, origin string) ([]VerifierKey, error) {
	keys, ok := s.keys[origin]
	if !ok {
		return nil, ErrUnknownLog
	}
	return keys, nil
}

func (s *shelf) Latest(_ context.Context, hash string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if note := s.notes[hash]; note != nil {
		return note, nil
	}
	return nil, ErrUnknownLog
}

func (s *shelf) Update(_ context.Context, origin string, fn func([]byte) ([]byte, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, err := fn(s.notes[OriginHash(origin)])
	if err == nil {
		err = s.fail
	}
	if err == nil {
		s.notes[OriginHash(origin)] = next
	}
	return err
}

// witnessed is a log of 300 leaves that grows, its signer, and a witness over HTTP.
type witnessed struct {
	t       testing.TB
	log     *Signer
	tiles   memory
	roots   map[uint64]Hash
	witness *WitnessServer
	shelf   *shelf
	client  WitnessClient
}

const witnessedOrigin = "aakermonde.example/register"

func newWitnessed(t testing.TB) *witnessed {
	w := &witnessed{t: t, log: newSigner(t, witnessedOrigin, TypeLog, 1), tiles: memory{}, roots: map[uint64]Hash{0: EmptyRoot()}}
	tree := NewTree()
	for i := range 300 {
		tiles, err := tree.Append(LeafHash(fmt.Appendf(nil, "%d", i)))
		if err != nil {
			t.Fatal(err)
		}
		w.tiles.put(tiles)
		w.roots[tree.Size()] = tree.Root()
	}
	w.shelf = &shelf{keys: map[string][]VerifierKey{witnessedOrigin: {w.log.VerifierKey()}}, notes: map[string][]byte{}}
	self := newSigner(t, "roostergracht.example/register/node/kade", TypeCosigner, 9)
	w.witness = &WitnessServer{Store: w.shelf, Signer: self, Now: func() time.Time { return cosignedAt }}
	server := httptest.NewServer(http.StripPrefix("/witness", w.witness))
	t.Cleanup(server.Close)
	w.client = WitnessClient{HTTP: server.Client(), URL: server.URL + "/witness", Key: self.VerifierKey()}
	return w
}

func (w *witnessed) note(size uint64, root Hash) []byte {
	text := Checkpoint{Origin: witnessedOrigin, Size: size, Root: root}.Text()
	return JoinNote(text, line(w.t, w.log, text, time.Time{}))
}

// prove proves up to size. The largest tile of the tree serves all smaller trees.
func (w *witnessed) prove(size uint64) func(uint64) ([]Hash, error) {
	return func(old uint64) ([]Hash, error) {
		return ProveConsistency(Checkpoint{Size: size, Root: w.roots[size]}, old, w.tiles)
	}
}

func (w *witnessed) cosign(size, old uint64) (Signature, error) {
	return w.client.Cosign(w.t.Context(), w.note(size, w.roots[size]), old, w.prove(size))
}

func TestWitnessVectors(t *testing.T) {
	var v struct {
		Cases []struct {
			Name, Rule string
			State      struct {
				Origin, Root string
				LogVkey      string `json:"log_vkey"`
				Size         uint64
			} `json:"witness_state"`
			Request string  `json:"request_body"`
			Status  int     `json:"expect_status"`
			Body    *string `json:"expect_body"`
		}
	}
	testkit.Vectors(t, "c2sp").JSON(t, "witness-derived-cases.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases")
	}
	self := newSigner(t, "getuige", TypeCosigner, 9)
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			key, err := ParseVerifierKey(c.State.LogVkey)
			if err != nil {
				t.Fatal(err)
			}
			root, err := ParseHash(c.State.Root)
			if err != nil {
				t.Fatal(err)
			}
			store := &shelf{keys: map[string][]VerifierKey{c.State.Origin: {key}}, notes: map[string][]byte{}}
			if c.State.Size > 0 {
				text := Checkpoint{Origin: c.State.Origin, Size: c.State.Size, Root: root}.Text()
				store.notes[OriginHash(c.State.Origin)] = JoinNote(text, line(t, self, text, cosignedAt))
			}
			w := &WitnessServer{Store: store, Signer: self, Now: func() time.Time { return cosignedAt }}
			rec := httptest.NewRecorder()
			w.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(c.Request)))
			if rec.Code != c.Status || c.Body != nil && rec.Body.String() != *c.Body {
				t.Errorf("%s: %d %q, want %d", c.Rule, rec.Code, rec.Body, c.Status)
			}
			if c.Status == http.StatusConflict && rec.Header().Get("Content-Type") != "text/x.tlog.size" {
				t.Errorf("content type %q", rec.Header().Get("Content-Type"))
			}
			a, err := ParseAddCheckpoint([]byte(c.Request))
			if err != nil || string(a.Marshal()) != c.Request {
				t.Errorf("written back: %v", err)
			}
			if c.Status == http.StatusOK {
				if _, err := Open(append(a.Checkpoint, rec.Body.Bytes()...), self.VerifierKey()); err != nil {
					t.Errorf("the answer %q: %v", rec.Body, err)
				}
			}
		})
	}
}

// TestWitnessRoundTrip: a log asks with whatever size it believes in, and the witness keeps
// to the largest.
func TestWitnessRoundTrip(t *testing.T) {
	w := newWitnessed(t)
	if _, err := w.client.Latest(t.Context(), witnessedOrigin); !errors.Is(err, ErrUnknownLog) {
		t.Errorf("before the first: %v", err)
	}
	for _, step := range []struct{ size, old uint64 }{{0, 0}, {7, 0}, {7, 7}, {20, 7}, {257, 3}, {300, 0}, {300, 257}} {
		s, err := w.cosign(step.size, step.old)
		if err != nil || !s.Time.Equal(cosignedAt) {
			t.Fatalf("%+v: %+v, %v", step, s, err)
		}
		note, err := w.client.Latest(t.Context(), witnessedOrigin)
		if err != nil {
			t.Fatal(err)
		}
		// It "MUST include the cosignature(s) from the witness's key(s) and the cosignature from the log key(s)".
		c, opened, err := OpenCheckpoint(note, witnessedOrigin, w.log.VerifierKey(), w.client.Key)
		if err != nil || c.Size != step.size || len(opened.Signatures) != 2 {
			t.Errorf("latest: %+v, %v", c, err)
		}
	}
	var conflict *ConflictError
	if _, err := w.cosign(20, 7); !errors.As(err, &conflict) || conflict.Size != 300 {
		t.Errorf("a smaller tree: %v", err)
	}
	w.witness.Now = func() time.Time { return cosignedAt.Add(-time.Hour) }
	if s, err := w.cosign(300, 300); err != nil || !s.Time.Equal(cosignedAt) {
		t.Errorf("a clock that went back took a statement back: %v, %v", s.Time, err)
	}
	w.witness.Now = func() time.Time { return cosignedAt.Add(time.Hour) }
	if s, err := w.cosign(300, 300); err != nil || !s.Time.Equal(cosignedAt.Add(time.Hour)) {
		t.Errorf("again an hour later: %v, %v", s.Time, err)
	}
}

func TestWitnessRefuses(t *testing.T) {
	w := newWitnessed(t)
	if _, err := w.cosign(257, 0); err != nil {
		t.Fatal(err)
	}
	path, err := w.prove(300)(257)
	if err != nil {
		t.Fatal(err)
	}
	good := AddCheckpoint{257, path, w.note(300, w.roots[300])}
	other := LeafHash([]byte("another history"))
	thief := newSigner(t, witnessedOrigin, TypeLog, 2)
	text := Checkpoint{Origin: witnessedOrigin, Size: 300, Root: w.roots[300]}.Text()
	stranger := Checkpoint{Origin: "elders.example/log", Size: 300, Root: w.roots[300]}.Text()
	for name, x := range map[string]struct {
		request AddCheckpoint
		want    error
	}{
		"another history":        {AddCheckpoint{257, path, w.note(300, other)}, ErrInconsistent},
		"no proof":               {AddCheckpoint{257, nil, good.Checkpoint}, ErrInconsistent},
		"proof one hash short":   {AddCheckpoint{257, path[1:], good.Checkpoint}, ErrInconsistent},
		"same size, other root":  {AddCheckpoint{257, nil, w.note(257, other)}, ErrInconsistent},
		"same size, with proof":  {AddCheckpoint{257, path, w.note(257, w.roots[257])}, ErrInconsistent},
		"key of another":         {AddCheckpoint{257, path, JoinNote(text, line(t, thief, text, time.Time{}))}, ErrUntrusted},
		"signature of otherwise": {AddCheckpoint{257, path, bytes.Replace(good.Checkpoint, []byte("\n300\n"), []byte("\n299\n"), 1)}, ErrUntrusted},
		"unknown log":            {AddCheckpoint{0, nil, JoinNote(stranger, line(t, newSigner(t, "elders.example/log", TypeLog, 3), stranger, time.Time{}))}, ErrUnknownLog},
		"old beyond":             {AddCheckpoint{301, path, good.Checkpoint}, ErrWitnessRequest},
		"empty with a root":      {AddCheckpoint{0, nil, w.note(0, other)}, ErrInconsistent},
	} {
		if _, err := w.client.Add(t.Context(), &x.request); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
	w.shelf.fail = fmt.Errorf("%w: no other node was asked", ErrNotNow)
	if _, err := w.client.Add(t.Context(), &good); !errors.Is(err, ErrNotNow) {
		t.Errorf("a witness that may not sign: %v", err)
	}
	w.shelf.fail = io.ErrShortWrite
	if _, err := w.client.Add(t.Context(), &good); !errors.Is(err, ErrWitnessAnswer) {
		t.Errorf("a disk that cannot write: %v", err)
	}
	w.shelf.fail = nil
	if _, err := w.client.Add(t.Context(), &good); err != nil {
		t.Errorf("control: %v", err)
	}
}

func TestParseAddCheckpointRefuses(t *testing.T) {
	w := newWitnessed(t)
	note := string(w.note(7, w.roots[7]))
	hash := w.roots[3].String() + "\n"
	if _, err := ParseAddCheckpoint([]byte("old 3\n" + hash + "\n" + note)); err != nil {
		t.Fatalf("control: %v", err)
	}
	for name, body := range map[string]string{
		"nothing": "", "no old line": "\n" + note, "another word": "size 3\n\n" + note, "leading zero": "old 03\n\n" + note,
		"negative": "old -3\n\n" + note, "beyond int64": "old 9223372036854775808\n\n" + note, "space after": "old 3 \n\n" + note,
		"64 hashes": "old 3\n" + strings.Repeat(hash, 64) + "\n" + note, "hash cut off": "old 3\n" + hash[2:] + "\n" + note,
		"no checkpoint": "old 3\n" + hash + "\n", "unsigned": "old 3\n\n" + note[:strings.Index(note, "\n\n")+1],
		"carriage returns": strings.ReplaceAll("old 3\n"+hash+"\n"+note, "\n", "\r\n"), "too large": "old 3\n\n" + note + strings.Repeat("x", maxAddCheckpoint),
	} {
		if a, err := ParseAddCheckpoint([]byte(body)); !errors.Is(err, ErrWitnessRequest) || a != nil {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
}

// TestWitnessNeverSignsTwoHistories: two histories that part at leaf 7 are offered at once,
// and again and again. Whatever is cosigned lies on one line.
func TestWitnessNeverSignsTwoHistories(t *testing.T) {
	w := newWitnessed(t)
	forks := []*witnessed{w, forkOf(w, 7)}
	var mu sync.Mutex
	signed := map[uint64]map[Hash]bool{}
	var wg sync.WaitGroup
	for _, f := range forks {
		for _, size := range []uint64{5, 8, 20, 150, 256, 300} {
			wg.Go(func() {
				if _, err := f.cosign(size, 0); err == nil {
					mu.Lock()
					defer mu.Unlock()
					if signed[size] == nil {
						signed[size] = map[Hash]bool{}
					}
					signed[size][f.roots[size]] = true
				}
			})
		}
	}
	wg.Wait()
	var sides [2]int
	for size, roots := range signed {
		for i, f := range forks {
			if size > 7 && roots[f.roots[size]] {
				sides[i]++
			}
		}
	}
	if sides[0] > 0 && sides[1] > 0 || sides[0]+sides[1] == 0 {
		t.Errorf("cosigned of two histories: %v", sides)
	}
}

// forkOf is the same log with other leaves from at on, before the same witness.
func forkOf(w *witnessed, at int) *witnessed {
	f := *w
	f.tiles, f.roots = memory{}, map[uint64]Hash{0: EmptyRoot()}
	tree := NewTree()
	for i := range 300 {
		text := fmt.Sprint(i)
		if i >= at {
			text += " otherwise"
		}
		tiles, err := tree.Append(LeafHash([]byte(text)))
		if err != nil {
			w.t.Fatal(err)
		}
		f.tiles.put(tiles)
		f.roots[tree.Size()] = tree.Root()
	}
	return &f
}

// TestWitnessAnswersOfOthers: what another program answers is not believed.
func TestWitnessAnswersOfOthers(t *testing.T) {
	w := newWitnessed(t)
	note := w.note(7, w.roots[7])
	text := note[:bytes.LastIndex(note, []byte("\n\n"))+1]
	other := newSigner(t, w.client.Key.Name, TypeCosigner, 5)
	own := w.witness.Signer
	fake := Checkpoint{Origin: witnessedOrigin, Size: 9, Root: w.roots[9]}.Text()
	for name, x := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"nothing":                 {200, "", ErrWitnessAnswer},
		"not a line":              {200, "<html>", ErrWitnessAnswer},
		"another key":             {200, line(t, other, text, cosignedAt) + "\n", ErrWitnessAnswer},
		"of another tree":         {200, line(t, own, fake, cosignedAt) + "\n", ErrWitnessAnswer},
		"a note within the lines": {200, "x\n\n" + line(t, own, append(append(bytes.Clone(text), '\n'), "x\n"...), cosignedAt) + "\n", ErrWitnessAnswer},
		"without a time":          {200, line(t, own, text, time.Unix(0, 0)) + "\n", ErrWitnessAnswer},
		"endless":                 {200, strings.Repeat("— x AAAAAAAA\n", 10000), ErrWitnessAnswer},
		"conflict without a size": {409, "seven\n", ErrWitnessAnswer},
		"a redirect":              {302, "", ErrWitnessAnswer},
		"control":                 {200, line(t, other, text, cosignedAt) + "\n" + line(t, own, text, cosignedAt) + "\n", nil},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(x.status)
			io.WriteString(rw, x.body)
		}))
		client := WitnessClient{HTTP: server.Client(), URL: server.URL, Key: w.client.Key}
		if _, err := client.Cosign(t.Context(), note, 0, w.prove(7)); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
		server.Close()
	}
}

func TestWitnessRoutes(t *testing.T) {
	w := newWitnessed(t)
	for _, x := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/add-checkpoint", 405}, {http.MethodPost, "/" + OriginHash("x") + "/checkpoint", 405},
		{http.MethodGet, "/" + OriginHash("x") + "/checkpoint", 404}, {http.MethodGet, "/" + strings.ToUpper(OriginHash("x")) + "/checkpoint", 404},
		{http.MethodPost, "/sign-subtree", 404}, {http.MethodGet, "/", 404},
	} {
		rec := httptest.NewRecorder()
		w.witness.ServeHTTP(rec, httptest.NewRequest(x.method, x.path, nil))
		if rec.Code != x.want {
			t.Errorf("%s %s: %d, want %d", x.method, x.path, rec.Code, x.want)
		}
	}
}
