package wallet

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/archive"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/sdjwtvc"
)

// ErrArchive: what is in an archive does not fit together, does not fit beside what is
// here, or is more than may come at once. Nothing of it was taken in.
var ErrArchive = errors.New("what is in this archive does not fit together")

// What one archive may bring. A host takes it in for one holder while others wait.
const (
	maxEvents       = 20_000
	maxCredentials  = 2_000
	maxCopies       = 20_000
	maxDeclarations = 2_000
	maxRegions      = 100
	maxPiece        = 1 << 20 // bytes of what is stored at once
)

var errPiece = fmt.Errorf("a part of it is larger than %d bytes", maxPiece)

// Luggage is an archive that was opened, read and held against itself. Nothing of it is
// stored yet: see TakeIn.
type Luggage struct {
	made         time.Time
	settings     archivedSettings
	person       archivedPerson
	askers       archivedAskers
	slots        map[int]slotKeyOf
	credentials  []*credential
	declarations []packed[*declaration]
	events       []packed[Event]
}

// slotKeyOf is the key of a slot in an archive.
type slotKeyOf struct {
	public crypto.PublicKey
	thumb  string // its thumbprint
	raw    json.RawMessage
}

// packed is something with about how many bytes it takes.
type packed[T any] struct {
	v    T
	size int
}

// OpenArchive decrypts an archive and checks all that can be checked without a wallet. It
// takes a second and much memory on purpose. Errors: those of archive.Read, ErrArchive.
func OpenArchive(in io.Reader, passphrase []byte) (*Luggage, error) {
	a, err := archive.Read(in, passphrase)
	if err != nil {
		return nil, err
	}
	return unpack(a)
}

// checkCounts holds an archive to what one may bring.
func checkCounts(files map[string]json.RawMessage) error {
	counts := map[string]int{}
	for name := range files {
		counts[name[:strings.IndexByte(name, '/')+1]]++
	}
	for kind, most := range map[string]int{fileSlots: maxSlots, fileCredentials: maxCredentials, fileDeclarations: maxDeclarations, fileHistory: maxEvents} {
		if counts[kind] > most {
			return fmt.Errorf("%w: %s holds more than %d", ErrArchive, kind, most)
		}
	}
	return nil
}

// unpack reads the files of an archive.
func unpack(a *archive.Archive) (*Luggage, error) {
	if err := checkCounts(a.Files); err != nil {
		return nil, err
	}
	l := &Luggage{made: a.Made, slots: map[int]slotKeyOf{}}
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		if err := l.file(name, a.Files[name]); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrArchive, name, err)
		}
	}
	if l.settings.Origin == "" {
		return nil, fmt.Errorf("%w: it does not say where it is from", ErrArchive)
	}
	if len(l.settings.Regions) > maxRegions {
		return nil, fmt.Errorf("%w: more than %d regions", ErrArchive, maxRegions)
	}
	for asker, n := range l.askers.Slots {
		if _, found := l.slots[n]; !found || asker == "" {
			return nil, fmt.Errorf("%w: an asker without a key", ErrArchive)
		}
	}
	copies := 0
	for _, c := range l.credentials {
		if copies += len(c.Copies); copies > maxCopies {
			return nil, fmt.Errorf("%w: more than %d copies", ErrArchive, maxCopies)
		}
		if err := l.check(c); err != nil {
			return nil, fmt.Errorf("%w: credential %s: %w", ErrArchive, c.ID, err)
		}
	}
	return l, nil
}

func (l *Luggage) file(name string, raw []byte) error {
	if len(raw) > maxPiece && !strings.HasPrefix(name, fileCredentials) {
		return errPiece
	}
	id := strings.TrimSuffix(name[strings.IndexByte(name, '/')+1:], fileEnd)
	switch {
	case name == fileSettings:
		return ijson.Unmarshal(raw, &l.settings)
	case name == filePerson:
		return ijson.Unmarshal(raw, &l.person)
	case name == fileAskers:
		return ijson.Unmarshal(raw, &l.askers)
	case strings.HasPrefix(name, fileSlots):
		return l.slot(id, raw)
	case strings.HasPrefix(name, fileCredentials):
		c := new(credential)
		l.credentials = append(l.credentials, c)
		return errors.Join(ijson.Unmarshal(raw, c), sameID(c.ID, id))
	case strings.HasPrefix(name, fileDeclarations):
		d := new(declaration)
		if err := ijson.Unmarshal(raw, d); err != nil {
			return err
		}
		l.declarations = append(l.declarations, packed[*declaration]{d, len(raw)})
		return errors.Join(sameID(d.ID, id), paspoort.CheckClaims(paspoort.Zelfverklaring, d.Data.Claims))
	case strings.HasPrefix(name, fileHistory):
		var e Event
		if err := ijson.Unmarshal(raw, &e); err != nil {
			return err
		}
		if e.Origin == "" {
			return errors.New("an event without its origin")
		}
		l.events = append(l.events, packed[Event]{e, len(raw)})
		return sameID(e.ID, id)
	}
	return errors.New("of no known kind")
}

func (l *Luggage) slot(id string, raw []byte) error {
	n, err := strconv.Atoi(id)
	if err != nil || n < 0 || n >= maxSlots {
		return errors.New("no number of a key")
	}
	key, err := jose.ParsePrivate(raw)
	if err != nil {
		return err
	}
	thumb, err := jose.Thumbprint(key.Public())
	l.slots[n] = slotKeyOf{public: key.Public(), thumb: thumb, raw: raw}
	return err
}

func sameID(got, want string) error {
	if got != want {
		return errors.New("it stands under another id")
	}
	return nil
}

// check holds every copy to the key that it is bound to.
func (l *Luggage) check(c *credential) error {
	if len(c.Copies) == 0 {
		return errors.New("it has no copy")
	}
	head := *c
	head.Copies = nil
	if raw, err := json.Marshal(head); err != nil || len(raw) > maxPiece {
		return errors.Join(errPiece, err)
	}
	for _, at := range c.Copies {
		if at.size() > maxPiece {
			return errPiece
		}
		t, err := sdjwt.Parse(at.Text)
		if err != nil {
			return err
		}
		if at.Slot < 0 {
			continue
		}
		claims, err := t.Claims()
		if err != nil {
			return err
		}
		key, err := sdjwtvc.HolderKey(context.Background(), claims) // did:jwk and cnf.jwk: nobody is asked
		if err != nil {
			return err
		}
		if kept, found := l.slots[at.Slot]; !found || !jose.SameKey(key, kept.public) {
			return errors.New("a copy is bound to a key that is not there")
		}
	}
	return nil
}
