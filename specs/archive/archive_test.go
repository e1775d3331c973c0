package archive

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
)

var (
	secret = []byte("een zin om mee te nemen")
	day    = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
)

func sample() Archive {
	return Archive{Made: day, WorkFactor: 1, Files: map[string]json.RawMessage{
		"settings.json": json.RawMessage(`{"regions":[]}`), "askers.json": json.RawMessage(`{"slots":{}}`), "person.json": json.RawMessage(`{"name":"Samira"}`),
		"slots/0000.json": json.RawMessage(`{"kty":"EC"}`), "credentials/abc2.json": json.RawMessage(`{"id":"abc2"}`),
		"declarations/x7.json": json.RawMessage(`{"id":"x7"}`), "history/00000001.json": json.RawMessage(`{"kind":"declared"}`),
	}}
}

func written(t testing.TB, a Archive) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, secret, a); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRoundTrip(t *testing.T) {
	want := sample()
	file := written(t, want)
	if bytes.Contains(file, []byte("Samira")) {
		t.Error("it can be read")
	}
	got, err := Read(bytes.NewReader(file), secret)
	if err != nil {
		t.Fatal(err)
	}
	want.WorkFactor = 0
	if d := cmp.Diff(&want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	empty, err := Read(bytes.NewReader(written(t, Archive{Made: day, WorkFactor: 1})), secret)
	if err != nil || len(empty.Files) != 0 {
		t.Errorf("empty: %v, %v", empty, err)
	}
}

func TestWriteRefuses(t *testing.T) {
	many := Archive{Files: map[string]json.RawMessage{}}
	for n := range MaxFiles + 1 {
		many.Files[fmt.Sprintf("history/%08d.json", n)] = json.RawMessage(`0`)
	}
	one := func(name, body string) Archive {
		return Archive{WorkFactor: 1, Files: map[string]json.RawMessage{name: json.RawMessage(body)}}
	}
	for _, tt := range []struct {
		name       string
		a          Archive
		passphrase string
		want       error
	}{
		{"a name outside the format", one("../settings.json", "{}"), "x", ErrName},
		{"the manifest", one("manifest.json", "{}"), "x", ErrName},
		{"no JSON", one("settings.json", "{"), "x", ErrChanged},
		{"a member twice", one("settings.json", `{"a":1,"a":2}`), "x", ErrChanged},
		{"a large file", one("settings.json", `"`+strings.Repeat("x", MaxFile)+`"`), "x", ErrTooLarge},
		{"many files", many, "x", ErrTooLarge},
		{"no passphrase", one("settings.json", "{}"), "", ErrPassphrase},
		{"too much work", Archive{WorkFactor: 19}, "x", ErrTooLarge},
	} {
		if err := Write(io.Discard, []byte(tt.passphrase), tt.a); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

// part is one file of a hand-made tar.
type part struct {
	name, body string
	kind       byte
}

func tarOf(t testing.TB, parts ...part) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, p := range parts {
		h := &tar.Header{Name: p.name, Typeflag: p.kind, Mode: 0o600}
		switch p.kind {
		case 0:
			h.Typeflag, h.Size = tar.TypeReg, int64(len(p.body))
		case tar.TypeSymlink:
			h.Linkname = p.body
		}
		err := w.WriteHeader(h)
		if err == nil && h.Typeflag == tar.TypeReg {
			_, err = io.WriteString(w, p.body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// listed is a manifest for files, with changes by replacement.
func listed(t testing.TB, files []part, replace ...string) part {
	t.Helper()
	a := Archive{Made: day, Files: map[string]json.RawMessage{}}
	for _, f := range files {
		a.Files[f.name] = json.RawMessage(f.body)
	}
	m, err := manifestOf(a)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return part{name: manifestName, body: strings.NewReplacer(replace...).Replace(string(raw))}
}

// TestManifest: the contents are exactly what the manifest lists.
func TestManifest(t *testing.T) {
	one, two := part{name: "person.json", body: `{"a":1}`}, part{name: "settings.json", body: `{"b":2}`}
	both := []part{one, two}
	m := listed(t, both)
	for _, tt := range []struct {
		name  string
		parts []part
		want  error
	}{
		{"as listed", []part{m, one, two}, nil},
		{"in another order", []part{m, two, one}, nil},
		{"missing", []part{m, one}, ErrChanged},
		{"extra", []part{listed(t, both[:1]), one, two}, ErrChanged},
		{"changed", []part{m, one, {name: two.name, body: `{"b":3}`}}, ErrChanged},
		{"other size", []part{m, one, {name: two.name, body: `{"b": 2}`}}, ErrChanged},
		{"duplicated", []part{m, one, one, two}, ErrChanged},
		{"a link", []part{m, one, {name: two.name, body: "person.json", kind: tar.TypeSymlink}}, ErrChanged},
		{"a folder", []part{m, {name: "slots", kind: tar.TypeDir}, one, two}, ErrChanged},
		{"the manifest last", []part{one, two, m}, ErrNotArchive},
		{"two manifests", []part{m, m, one, two}, ErrChanged},
		{"nothing at all", nil, ErrNotArchive},
		{"another format", []part{listed(t, both, Format, "anders"), one, two}, ErrNotArchive},
		{"a newer version", []part{listed(t, both, `"version":1`, `"version":2`), one, two}, ErrVersion},
		{"listed twice", []part{listed(t, both, "settings.json", "person.json"), one, two}, ErrChanged},
		{"listed outside the format", []part{listed(t, both, "settings.json", "zoiets.json"), one, two}, ErrName},
		{"listed as large", []part{listed(t, both, `"size":7`, `"size":99999999999`), one, two}, ErrTooLarge},
		{"listed as less than nothing", []part{listed(t, both, `"size":7`, `"size":-7`), one, two}, ErrTooLarge},
		{"no moment", []part{listed(t, both, "2026-03", "gisteren"), one, two}, ErrChanged},
		{"a manifest that is no JSON", []part{{name: manifestName, body: "{"}}, ErrNotArchive},
	} {
		got, err := readTar(bytes.NewReader(tarOf(t, tt.parts...)))
		if !errors.Is(err, tt.want) || (err == nil) != (got != nil) {
			t.Errorf("%s: got %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

// TestReadRefuses: what is not ours, not for this passphrase, or damaged on the way.
func TestReadRefuses(t *testing.T) {
	file := written(t, sample())
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var keyed bytes.Buffer
	w, err := age.Encrypt(&keyed, key.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(file)
	flipped[len(flipped)-1] ^= 1
	for _, tt := range []struct {
		name       string
		file       []byte
		passphrase string
		want       error
	}{
		{"another passphrase", file, "een andere", ErrPassphrase},
		{"no passphrase", file, "", ErrPassphrase},
		{"cut off", file[:len(file)-20], string(secret), ErrChanged},
		{"one bit", flipped, string(secret), ErrChanged},
		{"something behind it", append(bytes.Clone(file), 'x'), string(secret), ErrChanged},
		{"empty", nil, string(secret), ErrNotArchive},
		{"a text", []byte("paspoort"), string(secret), ErrNotArchive},
		{"for a key", keyed.Bytes(), string(secret), ErrNotArchive},
		{"years of work", bytes.Replace(file, []byte(" 1\n"), []byte(" 30\n"), 1), string(secret), ErrTooLarge},
	} {
		got, err := Read(bytes.NewReader(tt.file), []byte(tt.passphrase))
		if !errors.Is(err, tt.want) || got != nil {
			t.Errorf("%s: got %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

// TestReadEndlessZeros: a small file may hold much; it is not read for ever.
func TestReadEndlessZeros(t *testing.T) {
	m := listed(t, nil)
	endless := io.MultiReader(bytes.NewReader(tarOf(t, m)), zeros{})
	if _, err := readTar(endless); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// FuzzRead: what is read can be written and read again as the same.
func FuzzRead(f *testing.F) {
	one := part{name: "person.json", body: `{"a":1}`}
	f.Add(tarOf(f, listed(f, []part{one}), one))
	f.Add(tarOf(f, listed(f, nil)))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := readTar(bytes.NewReader(raw))
		if err != nil {
			if a != nil {
				t.Error("an error with contents")
			}
			return
		}
		a.WorkFactor = 1
		again, err := Read(bytes.NewReader(written(t, *a)), secret)
		if err != nil {
			t.Fatal(err)
		}
		a.WorkFactor = 0
		if d := cmp.Diff(a, again); d != "" {
			t.Errorf("(-first +again):\n%s", d)
		}
	})
}

func Example() {
	var file bytes.Buffer
	err := Write(&file, []byte("een lange wachtwoordzin"), Archive{
		Made: day, WorkFactor: 10, Files: map[string]json.RawMessage{"person.json": json.RawMessage(`{"name":"Samira"}`)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := Read(&file, []byte("een lange wachtwoordzin"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(got.Made.Format(time.DateOnly), string(got.Files["person.json"]))
	// Output: 2026-03-02 {"name":"Samira"}
}
