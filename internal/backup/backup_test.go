package backup

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"paspoort.example/paspoort/internal/keyfile"
)

func TestBackup(t *testing.T) {
	dir := t.TempDir()
	key, other := filepath.Join(dir, "key"), filepath.Join(dir, "other")
	recipient, err := NewKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewKey(key); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key was overwritten: %v", err)
	}
	if _, err := NewKey(other); err != nil {
		t.Fatal(err)
	}
	to, err := Recipients(recipient)
	if err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte("Aakermonde "), partSize/4) // some parts, the last one not full
	exact := make([]byte, partSize)
	var out bytes.Buffer
	w, err := NewWriter(&out, to)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(w.File("node.json", []byte("{}")), w.Stream("store", iotest.HalfReader(bytes.NewReader(large))),
		w.Stream("exact", bytes.NewReader(exact)), w.Stream("nothing", bytes.NewReader(nil)), w.File("last", []byte("x")), w.Close())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(out.Bytes(), []byte("Aakermonde")) {
		t.Error("the backup can be read by everybody")
	}
	ids, err := Identities(key)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]byte{}
	err = Read(bytes.NewReader(out.Bytes()), ids, func(name string, body io.Reader) error {
		got[name], err = io.ReadAll(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"node.json": []byte("{}"), "store": large, "exact": exact, "nothing": nil, "last": []byte("x")} {
		if !bytes.Equal(got[name], want) {
			t.Errorf("%s: got %d bytes, want %d", name, len(got[name]), len(want))
		}
	}
	// A reader that is not interested passes over everything.
	if err := Read(bytes.NewReader(out.Bytes()), ids, func(string, io.Reader) error { return nil }); err != nil {
		t.Error(err)
	}
	strange, err := Identities(other)
	if err != nil {
		t.Fatal(err)
	}
	all := func(_ string, body io.Reader) error { _, err := io.Copy(io.Discard, body); return err }
	if err := Read(bytes.NewReader(out.Bytes()), strange, all); !errors.Is(err, ErrKey) {
		t.Errorf("another key: got %v, want ErrKey", err)
	}
	for name, at := range map[string]int{"in the header": 20, "in the middle": out.Len() / 2, "at the end": out.Len() - 1} {
		if err := Read(bytes.NewReader(out.Bytes()[:at]), ids, all); !errors.Is(err, ErrArchive) {
			t.Errorf("cut off %s: got %v, want ErrArchive", name, err)
		}
		changed := bytes.Clone(out.Bytes())
		changed[at] ^= 1
		if err := Read(bytes.NewReader(changed), ids, all); err == nil {
			t.Errorf("changed %s: it was read", name)
		}
	}
}

// TestUnfinished: what Close did not end is no backup.
func TestUnfinished(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	recipient, err := NewKey(key)
	if err != nil {
		t.Fatal(err)
	}
	to, err := Recipients(recipient)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := NewWriter(&out, to)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.File("a", []byte("x")), w.tar.Close(), w.sealed.Close()); err != nil {
		t.Fatal(err)
	}
	ids, err := Identities(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := Read(&out, ids, func(string, io.Reader) error { return nil }); !errors.Is(err, ErrArchive) {
		t.Errorf("got %v, want ErrArchive", err)
	}
}

func TestKeysThatDoNotFit(t *testing.T) {
	for _, keys := range [][]string{nil, {""}, {"ssh-ed25519 AAAA"}, {"age1x"}} {
		if _, err := Recipients(keys...); !errors.Is(err, ErrKey) {
			t.Errorf("%q: got %v, want ErrKey", keys, err)
		}
	}
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		mode os.FileMode
		want error
	}{"text": {0o600, ErrKey}, "loose": {0o644, keyfile.ErrPermissions}} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("hallo"), tt.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Identities(path); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}
