// Package privacyscan looks for planted words in what a program leaves behind:
// files, stores, logs, metrics, answers. It shows that invariant 1 holds:
// nothing about a holder is on a node's disk, in a log or in a metric.
//
// A word is found as it stands and in the forms in which it would hide by
// accident: base64 and base64url at any alignment, hexadecimal, UTF-16,
// percent-encoding and JSON escapes. Badger folders are opened, because their
// blocks are compressed. What is encrypted or hashed is not found, and need not be.
//
// A scan that finds nothing proves something only beside one that finds: plant
// a word that must be there, such as an organisation's public name, and look
// for that as well.
//
//	scan, err := privacyscan.New("Planted-Name")
//	report, err := scan.Tree(dir)
//	for _, f := range report.Findings { t.Error(f) }
package privacyscan

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf16"

	"paspoort.example/paspoort/internal/kv/kvscan"
)

// MinWord is the least length of a word in bytes: a shorter one would be found
// by chance, and has no middle that is the same at every base64 alignment.
const MinWord = 6

// A Finding is one place where a word was found.
type Finding struct {
	Where string // file, or store and key
	Word  string
	Form  string // "plain", "base64", "hex", "utf16", "percent", "escaped"
}

func (f Finding) String() string { return fmt.Sprintf("%s holds %q (%s)", f.Where, f.Word, f.Form) }

// A Report says what was looked through.
type Report struct {
	Files, Stores, Entries int
	Bytes                  int64
	Findings               []Finding
}

type form struct {
	word, name string
	text       []byte
	fold       bool // compare without regard to case
}

// A Scan looks for words. It is safe for concurrent use.
type Scan struct{ forms []form }

// New prepares a scan. It refuses words that are too short to mean anything.
func New(words ...string) (*Scan, error) {
	if len(words) == 0 {
		return nil, errors.New("privacyscan: no words to look for")
	}
	s := &Scan{}
	for _, w := range words {
		if len(w) < MinWord {
			return nil, fmt.Errorf("privacyscan: a word of %d bytes is too short", len(w))
		}
		s.add(w)
	}
	return s, nil
}

func (s *Scan) add(w string) {
	plain := []byte(w)
	s.forms = append(s.forms, form{w, "plain", bytes.ToLower(plain), true}, form{w, "hex", []byte(hex.EncodeToString(plain)), true})
	for offset := range 3 {
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			s.forms = append(s.forms, form{w, "base64", middle(enc, plain, offset), false})
		}
	}
	wide := make([]byte, 0, 2*len(w))
	for _, u := range utf16.Encode([]rune(w)) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	s.forms = append(s.forms, form{w, "utf16", wide, false})
	if p := url.QueryEscape(w); p != w {
		s.forms = append(s.forms, form{w, "percent", []byte(strings.ToLower(p)), true})
	}
	if e := strings.Trim(strconv.QuoteToASCII(w), `"`); e != w {
		s.forms = append(s.forms, form{w, "escaped", []byte(strings.ToLower(e)), true})
	}
}

// middle is the part of the encoding of a word, standing at an offset in a
// larger text, that does not depend on what stands around it.
func middle(enc *base64.Encoding, word []byte, offset int) []byte {
	text := enc.EncodeToString(append(make([]byte, offset), word...))
	skip := []int{0, 2, 3}[offset] // characters that also hold bits of what stands before
	end := (offset + len(word)) * 8 / 6
	return []byte(text[skip:end])
}

// Bytes looks through one text.
func (s *Scan) Bytes(where string, text []byte) (found []Finding) {
	lower := bytes.ToLower(text)
	seen := map[string]bool{}
	for _, f := range s.forms {
		in := text
		if f.fold {
			in = lower
		}
		if key := f.word + f.name; !seen[key] && bytes.Contains(in, f.text) {
			seen[key] = true
			found = append(found, Finding{where, f.word, f.name})
		}
	}
	return found
}

// Tree looks through every file and Badger store under a folder.
func (s *Scan) Tree(root string) (Report, error) {
	var r Report
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // dropped by a process that still runs
		case err != nil:
			return err
		case d.IsDir() && kvscan.IsStore(path):
			return s.store(path, &r) // and its files, one by one, after this
		case !d.Type().IsRegular():
			return nil
		}
		return s.file(path, &r)
	})
	if err != nil {
		return r, fmt.Errorf("privacyscan: %w", err)
	}
	if r.Files == 0 {
		return r, fmt.Errorf("privacyscan: nothing to look through in %s", root)
	}
	return r, nil
}

func (s *Scan) store(path string, r *Report) error {
	r.Stores++
	return kvscan.Walk(path, func(key, value []byte) error {
		r.Entries++
		r.Bytes += int64(len(key) + len(value))
		where := path + " key " + strconv.QuoteToASCII(string(key[:min(len(key), 60)]))
		r.Findings = append(r.Findings, s.Bytes(where, key)...)
		for _, v := range unpacked(value) {
			r.Findings = append(r.Findings, s.Bytes(where, v)...)
		}
		return nil
	})
}

// maxFile is what one file is read up to; the files of a demo are far smaller.
const maxFile = 256 << 20

func (s *Scan) file(path string, r *Report) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := written(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	r.Files++
	r.Bytes += int64(len(text))
	for _, t := range unpacked(text) {
		r.Findings = append(r.Findings, s.Bytes(path, t)...)
	}
	return nil
}

// written is what a file holds without the room that a store keeps for more: whole pieces of
// zeros. A word can stand across two pieces, but not across one of zeros.
func written(f *os.File) ([]byte, error) {
	var text []byte
	piece, zeros := make([]byte, 64<<10), make([]byte, 64<<10)
	for read := 0; ; {
		n, err := io.ReadFull(f, piece)
		if read += n; read > maxFile {
			return nil, fmt.Errorf("is larger than %d bytes", maxFile)
		}
		if !bytes.Equal(piece[:n], zeros[:n]) {
			text = append(text, piece[:n]...)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return text, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// unpacked is a text and, where it is a gzip or zlib stream, what is inside.
func unpacked(text []byte) [][]byte {
	out := [][]byte{text}
	var inside io.Reader
	if z, err := gzip.NewReader(bytes.NewReader(text)); err == nil {
		inside = z
	} else if z, err := zlib.NewReader(bytes.NewReader(text)); err == nil {
		inside = z
	}
	if inside != nil {
		// A damaged tail still leaves what came before it.
		plain, _ := io.ReadAll(io.LimitReader(inside, maxFile))
		out = append(out, plain)
	}
	return out
}
