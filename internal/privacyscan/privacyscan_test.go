package privacyscan

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/kv"
)

const word = "Geplant-Voorbeeldoğlu"

func newScan(t *testing.T, words ...string) *Scan {
	t.Helper()
	s, err := New(words...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each form is planted and must be found; without it nothing is.
func TestFindsWhatIsPlanted(t *testing.T) {
	s := newScan(t, word)
	disclosure := func(pad string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(pad + `["c2FsdA","family_name","` + word + `"]`))
	}
	for name, text := range map[string]string{
		"plain": "x " + word + " y", "upper case": strings.ToUpper("geplant-voorbeeld") + "OĞLU",
		"disclosure": disclosure(""), "disclosure, one further": disclosure(" "), "disclosure, two further": disclosure("  "),
		"std base64": base64.StdEncoding.EncodeToString([]byte("ab" + word)),
		"hex":        hex.EncodeToString([]byte(word)), "percent": "name=" + url.QueryEscape(word),
		"escaped": `{"name":"Geplant-Voorbeeldo\u011flu"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.Bytes("here", []byte("before "+text+" after")); len(got) == 0 {
				t.Errorf("not found in %s", text)
			}
		})
	}
	clean := strings.Repeat("Geplant Voorbeeld, oglu; R2VwbGFudA ", 50)
	if got := s.Bytes("here", []byte(clean)); len(got) != 0 {
		t.Errorf("found %v in a clean text", got)
	}
}

func TestEveryAlignment(t *testing.T) {
	s := newScan(t, "Planted")
	for before := range 7 {
		for after := range 4 {
			text := strings.Repeat("q", before) + "Planted" + strings.Repeat("z", after)
			if got := s.Bytes("x", []byte(base64.RawURLEncoding.EncodeToString([]byte(text)))); len(got) == 0 {
				t.Errorf("missed after %d and before %d bytes", before, after)
			}
		}
	}
}

// The control for stores: Badger compresses its blocks, so a plain look at the
// files misses what opening them finds.
func TestFindsInStores(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "node", "state")
	store, err := kv.OpenBadger(dir, kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		err := store.Update(func(tx kv.Tx) error {
			value := fmt.Sprintf(`{"n":%d,"text":%q}`, i, strings.Repeat("the same again and again ", 40))
			if i == 77 {
				value = `{"family_name":"` + word + `"}`
			}
			return tx.Set(fmt.Appendf(nil, "key/%04d", i), []byte(value))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := newScan(t, word).Tree(root)
	if err != nil {
		t.Fatal(err)
	}
	inStore := slices.ContainsFunc(r.Findings, func(f Finding) bool { return strings.Contains(f.Where, "key/0077") })
	if !inStore || r.Stores != 1 || r.Entries < 200 {
		t.Errorf("%d stores, %d entries, findings %v", r.Stores, r.Entries, r.Findings)
	}
	r, err = newScan(t, "Nowhere-To-Be-Found").Tree(root)
	if err != nil || len(r.Findings) != 0 {
		t.Errorf("got %v, %v", r.Findings, err)
	}
}

// What was overwritten or deleted is still on the disk for a while, and found.
func TestFindsWhatWasDeleted(t *testing.T) {
	root := t.TempDir()
	store, err := kv.OpenBadger(filepath.Join(root, "s"), kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func(kv.Tx) error{
		func(tx kv.Tx) error { return tx.Set([]byte("k"), []byte(word)) },
		func(tx kv.Tx) error { return tx.Delete([]byte("k")) },
	} {
		if err := store.Update(step); err != nil {
			t.Fatal(err)
		}
	}
	// The process is still there: a copy is read.
	r, err := newScan(t, word).Tree(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) == 0 {
		t.Error("not found")
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFindsInPackedFiles(t *testing.T) {
	root := t.TempDir()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(strings.Repeat("nothing here ", 100) + word))
	z.Close()
	if err := os.WriteFile(filepath.Join(root, "log.gz"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := newScan(t, word).Tree(root)
	if err != nil || len(r.Findings) == 0 {
		t.Errorf("got %v, %v", r.Findings, err)
	}
}

func TestRefuses(t *testing.T) {
	if _, err := New(); err == nil {
		t.Error("a scan for nothing")
	}
	if _, err := New("Jan"); err == nil {
		t.Error("a word that is found by chance")
	}
	if _, err := newScan(t, word).Tree(t.TempDir()); err == nil {
		t.Error("an empty folder proves nothing")
	}
}
