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

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/archive"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/sdjwtvc"
)

// ErrArchive: what is in an archive does not fit together, so nothing of it was taken in.
var ErrArchive = errors.New("what is in this archive does not fit together")

// Imported says what an archive brought that was not here yet.
type Imported struct {
	Made         time.Time `json:"made"` // when the archive was made
	Credentials  int       `json:"credentials"`
	Copies       int       `json:"copies"` // of these and of credentials that were here
	Declarations int       `json:"declarations"`
	Events       int       `json:"events"`
	Regions      int       `json:"regions"`
	// RegionsLeft are regions that cannot be followed from here.
	RegionsLeft int `json:"regions_left,omitempty"`
}

// New is how much was new in all.
func (i Imported) New() int {
	return i.Credentials + i.Copies + i.Declarations + i.Events + i.Regions
}

// luggage is an archive, read and held against itself.
type luggage struct {
	settings     archivedSettings
	person       archivedPerson
	askers       archivedAskers
	slots        map[int]*jose.PrivateKey
	raw          map[int]json.RawMessage // the same keys as they go into the store
	credentials  []*credential
	declarations []*declaration
	events       []Event
}

// What one transaction takes in: a store bounds its transactions.
const (
	importCopies = 20
	importRows   = 50
)

// ImportArchive takes in what an archive holds and is not here yet, whether the wallet is
// empty or has contents. Nothing doubles, so an archive can be taken in again, also after
// it was broken off: what was taken in is whole. Keys whose number is taken here get
// another, and the copies that are bound to them follow. Whoever was shown something from
// the other place keeps seeing the same key, and nobody else gets a key or a copy that came
// along while fresh ones are to be had: the other place may have shown it since.
//
// Errors: those of archive.Read, ErrArchive.
func (w *Wallet) ImportArchive(in io.Reader, passphrase []byte) (Imported, error) {
	a, err := archive.Read(in, passphrase)
	if err != nil {
		return Imported{}, err
	}
	l, err := unpack(a)
	if err != nil {
		return Imported{}, err
	}
	got := Imported{Made: a.Made}
	here, err := w.origin()
	if err != nil {
		return got, err
	}
	away := l.settings.Origin != here // else it is our own that comes back
	places, err := w.importSlots(l, away)
	if err != nil {
		return got, err
	}
	for _, c := range l.credentials {
		for i := range c.Copies {
			if c.Copies[i].Slot >= 0 {
				c.Copies[i].Slot = places[c.Copies[i].Slot]
			}
		}
		if err := w.importCredential(c, away, &got); err != nil {
			return got, fmt.Errorf("credential %s: %w", c.ID, err)
		}
	}
	for _, step := range []func(*luggage, string, *Imported) error{w.importDeclarations, w.importHistory, w.importSettings} {
		if err := step(l, here, &got); err != nil {
			return got, err
		}
	}
	if got.New() == 0 {
		return got, nil
	}
	return got, w.c.Store.Update(func(tx kv.Tx) error { return w.remember(tx, Event{Kind: EventImported}) })
}

// unpack reads the files of an archive.
func unpack(a *archive.Archive) (*luggage, error) {
	l := &luggage{slots: map[int]*jose.PrivateKey{}, raw: map[int]json.RawMessage{}}
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		if err := l.file(name, a.Files[name]); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrArchive, name, err)
		}
	}
	if l.settings.Origin == "" {
		return nil, fmt.Errorf("%w: it does not say where it is from", ErrArchive)
	}
	for asker, n := range l.askers.Slots {
		if l.slots[n] == nil || asker == "" {
			return nil, fmt.Errorf("%w: an asker without a key", ErrArchive)
		}
	}
	for _, c := range l.credentials {
		if err := l.check(c); err != nil {
			return nil, fmt.Errorf("%w: credential %s: %w", ErrArchive, c.ID, err)
		}
	}
	return l, nil
}

func (l *luggage) file(name string, raw []byte) error {
	id := strings.TrimSuffix(name[strings.IndexByte(name, '/')+1:], fileEnd)
	switch {
	case name == fileSettings:
		return ijson.Unmarshal(raw, &l.settings)
	case name == filePerson:
		return ijson.Unmarshal(raw, &l.person)
	case name == fileAskers:
		return ijson.Unmarshal(raw, &l.askers)
	case strings.HasPrefix(name, fileSlots):
		n, err := strconv.Atoi(id)
		if err != nil || n >= maxSlots {
			return errors.New("no number of a key")
		}
		l.raw[n] = raw
		l.slots[n], err = jose.ParsePrivate(raw)
		return err
	case strings.HasPrefix(name, fileCredentials):
		c := new(credential)
		l.credentials = append(l.credentials, c)
		return errors.Join(ijson.Unmarshal(raw, c), sameID(c.ID, id))
	case strings.HasPrefix(name, fileDeclarations):
		d := new(declaration)
		if err := ijson.Unmarshal(raw, d); err != nil {
			return err
		}
		l.declarations = append(l.declarations, d)
		return errors.Join(sameID(d.ID, id), paspoort.CheckClaims(paspoort.Zelfverklaring, d.Data.Claims))
	case strings.HasPrefix(name, fileHistory):
		var e Event
		if err := ijson.Unmarshal(raw, &e); err != nil {
			return err
		}
		if e.Origin == "" {
			return errors.New("an event without its origin")
		}
		l.events = append(l.events, e)
		return sameID(e.ID, id)
	}
	return errors.New("of no known kind")
}

func sameID(got, want string) error {
	if got != want {
		return errors.New("it stands under another id")
	}
	return nil
}

// check holds every copy to the key that it is bound to.
func (l *luggage) check(c *credential) error {
	if len(c.Copies) == 0 {
		return errors.New("it has no copy")
	}
	for _, at := range c.Copies {
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
		if l.slots[at.Slot] == nil || !jose.SameKey(key, l.slots[at.Slot].Public()) {
			return errors.New("a copy is bound to a key that is not there")
		}
	}
	return nil
}

// importSlots puts the keys in place, and says where each came.
func (w *Wallet) importSlots(l *luggage, away bool) (map[int]int, error) {
	places := map[int]int{}
	for numbers := range slices.Chunk(slices.Sorted(maps.Keys(l.slots)), importRows) {
		err := w.c.Store.Update(func(tx kv.Tx) error {
			s, err := w.slotsHere(tx)
			if err != nil {
				return err
			}
			for _, n := range numbers {
				at, known := s.find(l.slots[n].Public())
				if !known {
					if at, err = s.free(n, l.slots); err != nil {
						return err
					}
					s.keys[at] = l.slots[n].Public()
					if err := w.box.put(tx, slotKey(at), l.raw[n]); err != nil {
						return err
					}
				}
				places[n] = at
				if away {
					s.askers.elsewhere(at)
				}
			}
			return w.box.put(tx, keyAskers, s.askers)
		})
		if err != nil {
			return nil, err
		}
	}
	return places, w.c.Store.Update(func(tx kv.Tx) error {
		a, err := w.readAskers(tx)
		if err != nil {
			return err
		}
		for asker, n := range l.askers.Slots {
			switch at, known := a.Slots[asker]; {
			case !known:
				a.Slots[asker] = places[n]
			case at != places[n]:
				// It saw that key too, so nobody else may get it.
				a.Slots[keptFor+asker] = places[n]
			}
		}
		return w.box.put(tx, keyAskers, a)
	})
}

// slotsHere are the keys of this wallet and what they are in use for.
type slotsHere struct {
	keys   map[int]crypto.PublicKey
	inUse  map[int]bool // bound in a copy, or shown to an asker
	askers askers
}

func (w *Wallet) slotsHere(tx kv.Tx) (*slotsHere, error) {
	s := &slotsHere{keys: map[int]crypto.PublicKey{}, inUse: map[int]bool{}}
	var err error
	if s.askers, err = w.readAskers(tx); err != nil {
		return nil, err
	}
	for _, n := range s.askers.Slots {
		s.inUse[n] = true
	}
	for _, n := range s.askers.Elsewhere {
		s.inUse[n] = true
	}
	held, err := w.credentials(tx)
	if err != nil {
		return nil, err
	}
	for _, c := range held {
		for _, at := range c.Copies {
			s.inUse[at.Slot] = true
		}
	}
	return s, w.box.each(tx, slotPrefix, func(name string, body []byte) error {
		n, err := strconv.Atoi(strings.TrimPrefix(name, slotPrefix))
		if err != nil {
			return ErrDamaged
		}
		key, err := jose.ParsePrivate(body)
		if err != nil {
			return ErrDamaged
		}
		s.keys[n] = key.Public()
		return nil
	})
}

// find is the slot that has a key.
func (s *slotsHere) find(key crypto.PublicKey) (int, bool) {
	for n, have := range s.keys {
		if jose.SameKey(have, key) {
			return n, true
		}
	}
	return 0, false
}

// free is the number itself when nothing here hangs on it, else the first that neither
// side has.
func (s *slotsHere) free(n int, theirs map[int]*jose.PrivateKey) (int, error) {
	if !s.inUse[n] {
		return n, nil
	}
	for at := range maxSlots {
		if s.keys[at] == nil && theirs[at] == nil && !s.inUse[at] {
			return at, nil
		}
	}
	return 0, errors.New("there is no room for more keys")
}

// importCredential takes in a credential, or the copies of it that are not here, some at a
// time.
func (w *Wallet) importCredential(theirs *credential, away bool, got *Imported) error {
	for done := false; !done; {
		err := w.c.Store.Update(func(tx kv.Tx) (err error) {
			fresh, added := false, 0
			done, fresh, added, err = w.mergeCredential(tx, theirs, away)
			if err != nil {
				return err
			}
			got.Copies += added
			if fresh {
				got.Credentials++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// mergeCredential does so in one transaction.
func (w *Wallet) mergeCredential(tx kv.Tx, theirs *credential, away bool) (done, fresh bool, added int, err error) {
	var ours credential
	err = w.box.get(tx, credentialPrefix+theirs.ID, &ours)
	switch {
	case errors.Is(err, kv.ErrNotFound):
		ours, fresh = *theirs, true
		ours.Copies = nil
	case err != nil:
		return false, false, 0, err
	case ours.Issuer != theirs.Issuer || ours.ConfigurationID != theirs.ConfigurationID || ours.Format != theirs.Format:
		return false, false, 0, fmt.Errorf("%w: another one has this id here", ErrArchive)
	}
	changed := fresh
	if ours.Renewal == nil && theirs.Renewal != nil {
		ours.Renewal, changed = theirs.Renewal, true
	}
	byText := make(map[string]int, len(ours.Copies))
	for i := range ours.Copies {
		if err := w.loadCopy(tx, &ours, &ours.Copies[i]); err != nil {
			return false, false, 0, err
		}
		byText[ours.Copies[i].Text] = i
	}
	done = true
	for _, at := range theirs.Copies {
		if i, known := byText[at.Text]; known {
			mine := &ours.Copies[i]
			if mine.Uses < at.Uses || away && !mine.Maybe {
				mine.Uses, mine.Maybe, changed = max(mine.Uses, at.Uses), mine.Maybe || away, true
			}
			continue
		}
		if added == importCopies {
			done = false
			break
		}
		at.Maybe, at.loaded = away, false
		ours.Copies = append(ours.Copies, at)
		added++
	}
	if !changed && added == 0 {
		return done, false, 0, nil
	}
	return done, fresh, added, w.putCredential(tx, &ours)
}

// importDeclarations takes in own words; of the same words in two places, the last written.
func (w *Wallet) importDeclarations(l *luggage, _ string, got *Imported) error {
	for some := range slices.Chunk(l.declarations, importCopies) {
		n := 0
		err := w.c.Store.Update(func(tx kv.Tx) error {
			n = 0
			for _, d := range some {
				var ours declaration
				err := w.box.get(tx, declarationPrefix+d.ID, &ours)
				if err != nil && !errors.Is(err, kv.ErrNotFound) {
					return err
				}
				if err == nil && !d.last().After(ours.last()) {
					continue
				}
				if err := w.box.put(tx, declarationPrefix+d.ID, d); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil {
			return err
		}
		got.Declarations += n
	}
	return nil
}

// last is when the words were last written.
func (d *declaration) last() time.Time {
	if d.Changed.After(d.Written) {
		return d.Changed
	}
	return d.Written
}

// importHistory adds the events that did not happen or arrive here.
func (w *Wallet) importHistory(l *luggage, here string, got *Imported) error {
	for some := range slices.Chunk(l.events, importRows) {
		n := 0
		err := w.c.Store.Update(func(tx kv.Tx) error {
			n = 0
			ours, err := w.history(tx)
			if err != nil {
				return err
			}
			known := make(map[string]bool, len(ours))
			for _, e := range ours {
				known[e.originHere(here)] = true
			}
			for _, e := range some {
				if known[e.Origin] {
					continue
				}
				known[e.Origin] = true
				e.ID = ""
				if err := w.remember(tx, e); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil {
			return err
		}
		got.Events += n
	}
	return nil
}

// importSettings adds the regions that can be followed from here, and the name of the
// holder where there is none.
func (w *Wallet) importSettings(l *luggage, _ string, got *Imported) error {
	return w.c.Store.Update(func(tx kv.Tx) error {
		var s settings
		if err := w.box.get(tx, keySettings, &s); err != nil {
			return err
		}
		added, left := 0, 0
		for _, r := range l.settings.Regions {
			if slices.ContainsFunc(s.Regions, func(have RegionSettings) bool { return have.Genesis == r.Genesis }) {
				continue
			}
			// A region that does not open would keep the wallet from opening.
			if w.c.Regions == nil {
				left++
			} else if _, err := w.c.Regions(r); err != nil {
				left++
			} else {
				s.Regions = append(s.Regions, r)
				added++
			}
		}
		if added > 0 {
			if err := w.box.put(tx, keySettings, s); err != nil {
				return err
			}
		}
		got.Regions, got.RegionsLeft = added, left
		var p Person
		if err := w.box.get(tx, keyPerson, &p); err != nil && !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		if p.Name != "" || l.person.Name == "" {
			return nil
		}
		p.Name = l.person.Name
		return w.box.put(tx, keyPerson, p)
	})
}
