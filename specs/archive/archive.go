// Package archive is the one file in which a holder takes a whole paspoort along: to
// another computer, another host or another program. README.md beside it is the format.
//
// It follows age v1 (https://c2sp.org/age, read 2 March 2026) for the outside, and says
// which files are inside and that none is missing, added or changed. What the files mean
// is told in the README; the members of each are the wallet's, which this package does not
// know. It is no backup of a store: what a host counts about shares stays behind.
//
//	err := archive.Write(out, passphrase, archive.Archive{Made: now, Files: files})
//	got, err := archive.Read(in, passphrase)
package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/ijson"
)

// The name and the version of the format, as they stand in the manifest.
const (
	Format  = "paspoort-archive"
	Version = 1
)

// What an archive holds at most.
const (
	MaxBytes = 256 << 20 // inside, everything together
	MaxFile  = 16 << 20
	MaxFiles = 100_000
)

// WorkFactor is what Write gives scrypt: 2^18, as age does, which takes 256 MiB and about
// a second. Read does no more than that for anybody.
const WorkFactor = 18

const manifestName = "manifest.json"

var (
	// ErrNotArchive: no age file with a passphrase, or something else inside.
	ErrNotArchive = errors.New("archive: this is no archive of a paspoort")
	// ErrPassphrase: the passphrase is another.
	ErrPassphrase = errors.New("archive: the passphrase is not right")
	// ErrVersion: made by a newer program.
	ErrVersion = errors.New("archive: of a version that is not known here")
	// ErrChanged: what is inside is cut off, changed, or not what the manifest lists.
	ErrChanged = errors.New("archive: incomplete or changed")
	// ErrTooLarge: beyond MaxBytes, MaxFile or MaxFiles, or too much work for scrypt.
	ErrTooLarge = errors.New("archive: too large")
	// ErrName: a file of a kind that the format does not have.
	ErrName = errors.New("archive: a file with a name that is not in the format")
)

// An Archive is what is inside.
type Archive struct {
	Made  time.Time
	Files map[string]json.RawMessage // by name
	// WorkFactor for Write, as a power of two; zero means WorkFactor.
	WorkFactor int
}

// manifest is the first file. It lists all others, in the order of their names.
type manifest struct {
	Format  string  `json:"format"`
	Version int     `json:"version"`
	Made    string  `json:"made"` // RFC 3339, UTC, seconds
	Files   []entry `json:"files"`
}

type entry struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hexadecimal, lower case
}

// names are the kinds of files. An id is what the wallet named the thing by.
var names = regexp.MustCompile(`^(?:(?:settings|askers|person)|slots/[0-9]{4}|(?:credentials|declarations)/[a-z0-9]{1,32}|history/[0-9]{8})\.json$`)

// manifestOf lists the files of an archive.
func manifestOf(a Archive) (*manifest, error) {
	if len(a.Files) > MaxFiles {
		return nil, fmt.Errorf("%w: %d files", ErrTooLarge, len(a.Files))
	}
	m := &manifest{Format: Format, Version: Version, Made: a.Made.UTC().Format(time.RFC3339), Files: make([]entry, 0, len(a.Files))}
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		body := a.Files[name]
		if err := checkFile(name, body); err != nil {
			return nil, err
		}
		m.Files = append(m.Files, entry{Name: name, Size: int64(len(body)), SHA256: hash(body)})
	}
	return m, nil
}

// checkFile holds one file to its name and to I-JSON.
func checkFile(name string, body []byte) error {
	if !names.MatchString(name) {
		return ErrName
	}
	if len(body) > MaxFile {
		return fmt.Errorf("%w: %s", ErrTooLarge, name)
	}
	var v any
	if err := ijson.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrChanged, name, err)
	}
	return nil
}

func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// readManifest reads the first file.
func readManifest(raw []byte) (*manifest, time.Time, error) {
	var m manifest
	if err := (ijson.Limits{Bytes: 2 * MaxFile}).Unmarshal(raw, &m); err != nil {
		return nil, time.Time{}, fmt.Errorf("%w: manifest: %w", ErrNotArchive, err)
	}
	if m.Format != Format {
		return nil, time.Time{}, fmt.Errorf("%w: the manifest names another format", ErrNotArchive)
	}
	if m.Version != Version {
		return nil, time.Time{}, fmt.Errorf("%w: version %d", ErrVersion, m.Version)
	}
	made, err := time.Parse(time.RFC3339, m.Made)
	if err != nil || made.UTC().Format(time.RFC3339) != m.Made {
		return nil, made, fmt.Errorf("%w: the manifest names no moment", ErrChanged)
	}
	made = made.UTC()
	if len(m.Files) > MaxFiles {
		return nil, made, fmt.Errorf("%w: %d files", ErrTooLarge, len(m.Files))
	}
	total := int64(0)
	for i, f := range m.Files {
		if !names.MatchString(f.Name) {
			return nil, made, ErrName
		}
		if i > 0 && f.Name <= m.Files[i-1].Name {
			return nil, made, fmt.Errorf("%w: the manifest is not in order", ErrChanged)
		}
		if f.Size < 0 || f.Size > MaxFile {
			return nil, made, fmt.Errorf("%w: %s", ErrTooLarge, f.Name)
		}
		if total += f.Size; total > MaxBytes {
			return nil, made, ErrTooLarge
		}
	}
	return &m, made, nil
}
