package wallet

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
)

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

// What one transaction takes in: a store bounds its transactions, and others wait for it.
const (
	importCopies = 40
	importRows   = 50
	importSlots  = 200
	importBytes  = 256 << 10
)

// batches are the parts of something that fit in one transaction.
func batches[T any](all []packed[T]) iter.Seq[[]packed[T]] {
	return func(yield func([]packed[T]) bool) {
		for len(all) > 0 {
			n, size := 0, 0
			for n < len(all) && n < importRows && (n == 0 || size+all[n].size <= importBytes) {
				size += all[n].size
				n++
			}
			if !yield(all[:n]) {
				return
			}
			all = all[n:]
		}
	}
}

// ImportArchive is OpenArchive and TakeIn.
func (w *Wallet) ImportArchive(ctx context.Context, in io.Reader, passphrase []byte) (Imported, error) {
	l, err := OpenArchive(in, passphrase)
	if err != nil {
		return Imported{}, err
	}
	return w.TakeIn(ctx, l)
}

// TakeIn takes in what an archive holds and is not here yet, whether the wallet is empty or
// has contents. Nothing doubles, so an archive can be taken in again, also after it was
// broken off: what was taken in is whole. Keys whose number is taken here get another, and
// the copies that are bound to them follow. Whoever was shown something from the other
// place keeps seeing the same key, and nobody else gets a key or a copy that came along
// while fresh ones are to be had: the other place may have shown it since.
//
// One archive goes at a time. When ctx ends it stops between two transactions. Errors:
// ErrArchive, before anything was stored.
func (w *Wallet) TakeIn(ctx context.Context, l *Luggage) (Imported, error) {
	got := Imported{Made: l.made}
	select {
	case w.taking <- struct{}{}:
		defer func() { <-w.taking }()
	case <-ctx.Done():
		return got, ctx.Err()
	}
	t := &takingIn{w: w, ctx: ctx, l: l, got: &got, places: map[int]int{}}
	if err := t.look(); err != nil {
		return got, err
	}
	var err error
	if t.here, err = w.origin(); err != nil {
		return got, err
	}
	t.away = l.settings.Origin != t.here // else it is our own that comes back
	for _, step := range []func() error{t.takeSlots, t.takeAskers, t.takeCredentials, t.takeDeclarations, t.takeHistory, t.takeSettings} {
		if err := step(); err != nil {
			return got, err
		}
	}
	if got.New() == 0 {
		return got, nil
	}
	return got, w.c.Store.Update(func(tx kv.Tx) error { return w.remember(tx, Event{Kind: EventImported}) })
}

// takingIn is an archive on its way in.
type takingIn struct {
	w      *Wallet
	ctx    context.Context
	l      *Luggage
	got    *Imported
	here   string // the origin of this wallet
	away   bool   // another place has what comes
	slots  slotsHere
	places map[int]int // from the numbers of keys there to those here
}

// update is one transaction, unless ctx has ended.
func (t *takingIn) update(fn func(kv.Tx) error) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	return t.w.c.Store.Update(fn)
}

// look finds out, before anything is stored, whether what comes fits beside what is here.
func (t *takingIn) look() error {
	return t.w.c.Store.View(func(tx kv.Tx) error {
		for _, theirs := range t.l.credentials {
			ours, err := t.w.credentialNow(tx, theirs.ID)
			if errors.Is(err, ErrNotHere) {
				continue
			}
			if err != nil {
				return err
			}
			if !ours.same(theirs) {
				return fmt.Errorf("%w: another credential has the id %s here", ErrArchive, theirs.ID)
			}
		}
		return t.lookAtSlots(tx)
	})
}

// same says whether both are one dataset.
func (c *credential) same(other *credential) bool {
	return c.Issuer == other.Issuer && c.ConfigurationID == other.ConfigurationID && c.Format == other.Format
}

// lookAtSlots reads the keys that are here, and whether there is room for those that come.
func (t *takingIn) lookAtSlots(tx kv.Tx) error {
	t.slots = slotsHere{byThumb: map[string]int{}, keys: map[int]bool{}, wanted: map[int]bool{}}
	if err := t.slots.catchUp(t.w, tx); err != nil {
		return err
	}
	for n, key := range t.l.slots {
		if _, known := t.slots.byThumb[key.thumb]; !known {
			t.slots.wanted[n] = true
		}
	}
	a, err := t.w.readAskers(tx)
	if err != nil {
		return err
	}
	inUse := a.inUse()
	maps.Copy(inUse, t.slots.keys)
	if len(inUse)+len(t.slots.wanted) > maxSlots {
		return fmt.Errorf("%w: there is no room for so many more keys", ErrArchive)
	}
	return nil
}

// takeSlots puts the keys in place.
func (t *takingIn) takeSlots() error {
	for numbers := range slices.Chunk(slices.Sorted(maps.Keys(t.l.slots)), importSlots) {
		err := t.update(func(tx kv.Tx) error {
			if err := t.slots.catchUp(t.w, tx); err != nil {
				return err
			}
			a, err := t.w.readAskers(tx)
			if err != nil {
				return err
			}
			inUse, rows := a.inUse(), map[string]any{}
			for _, n := range numbers {
				key := t.l.slots[n]
				at, known := t.slots.byThumb[key.thumb]
				if !known {
					if at, err = t.slots.free(n, inUse); err != nil {
						return err
					}
					t.slots.byThumb[key.thumb], t.slots.keys[at] = at, true
					rows[slotKey(at)] = key.raw
				}
				t.places[n] = at
				if t.away {
					a.elsewhere(at)
				}
			}
			return errors.Join(t.w.box.putAll(tx, rows), t.w.box.put(tx, keyAskers, a))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// takeAskers keeps who was shown which key.
func (t *takingIn) takeAskers() error {
	return t.update(func(tx kv.Tx) error {
		a, err := t.w.readAskers(tx)
		if err != nil {
			return err
		}
		for asker, n := range t.l.askers.Slots {
			switch at, known := a.Slots[asker]; {
			case !known:
				a.Slots[asker] = t.places[n]
			case at != t.places[n]:
				// It saw that key too, so nobody else may get it.
				a.Slots[keptFor+asker] = t.places[n]
			}
		}
		return t.w.box.put(tx, keyAskers, a)
	})
}

// slotsHere are the keys of this wallet.
type slotsHere struct {
	byThumb map[string]int // by thumbprint
	keys    map[int]bool   // numbers that have one
	wanted  map[int]bool   // numbers of keys that come and are not here
	next    int            // no number below it is free
}

// catchUp reads the keys that came since it was called last.
func (s *slotsHere) catchUp(w *Wallet, tx kv.Tx) error {
	names, err := w.box.names(tx, slotPrefix)
	if err != nil {
		return err
	}
	for _, name := range names {
		n, err := strconv.Atoi(strings.TrimPrefix(name, slotPrefix))
		if err != nil {
			return ErrDamaged
		}
		if s.keys[n] {
			continue
		}
		key, err := w.slotKept(tx, n)
		if err != nil {
			return fmt.Errorf("%w: key %d: %w", ErrDamaged, n, err)
		}
		thumb, err := jose.Thumbprint(key.Public())
		if err != nil {
			return err
		}
		s.byThumb[thumb], s.keys[n] = n, true
	}
	return nil
}

// free is the number itself when it has no key here and nobody was promised it, else the
// first that neither side has. A key that is here keeps its number whatever hangs on it:
// what was received and is not kept yet is bound to it too.
func (s *slotsHere) free(n int, inUse map[int]bool) (int, error) {
	if !s.keys[n] && !inUse[n] {
		return n, nil
	}
	for ; s.next < maxSlots; s.next++ {
		if at := s.next; !s.keys[at] && !inUse[at] && !s.wanted[at] {
			return at, nil
		}
	}
	return 0, errors.New("there is no room for more keys")
}

// inUse are the numbers of keys that an asker was shown, here or elsewhere.
func (a askers) inUse() map[int]bool {
	out := make(map[int]bool, len(a.Slots)+len(a.Elsewhere))
	for _, n := range a.Slots {
		out[n] = true
	}
	for _, n := range a.Elsewhere {
		out[n] = true
	}
	return out
}

// takeCredentials takes in each credential, or the copies of it that are not here.
func (t *takingIn) takeCredentials() error {
	for _, theirs := range t.l.credentials {
		m := merging{t: t, theirs: theirs, known: map[[sha256.Size]byte]int{}}
		for done := false; !done; {
			err := t.update(func(tx kv.Tx) (err error) {
				done, err = m.some(tx)
				return err
			})
			if err != nil {
				return fmt.Errorf("credential %s: %w", theirs.ID, err)
			}
			t.got.Copies += m.added
			if m.fresh {
				t.got.Credentials++
			}
		}
	}
	return nil
}

// A merging is one credential on its way in, some copies at a time.
type merging struct {
	t      *takingIn
	theirs *credential
	next   int                       // the first copy of theirs that was not looked at
	known  map[[sha256.Size]byte]int // what copies here say
	read   int                       // how many copies here are in known
	began  bool
	// Of the last transaction:
	fresh bool
	added int
}

// some is one transaction.
func (m *merging) some(tx kv.Tx) (done bool, err error) {
	m.fresh, m.added = false, 0
	w := m.t.w
	ours, err := w.credentialNow(tx, m.theirs.ID)
	switch {
	case errors.Is(err, ErrNotHere) && m.began:
		return true, nil // the holder threw it away meanwhile
	case errors.Is(err, ErrNotHere):
		row := *m.theirs
		row.Copies = nil
		ours, m.fresh = &row, true
	case err != nil:
		return false, err
	case !ours.same(m.theirs), len(ours.Copies) < m.read:
		return false, errors.New("another one came in its place meanwhile")
	}
	m.began = true
	if err := m.catchUp(tx, ours); err != nil {
		return false, err
	}
	changed := m.copies(ours)
	if ours.Renewal == nil && m.theirs.Renewal != nil {
		ours.Renewal, changed = m.theirs.Renewal, true
	}
	done = m.next == len(m.theirs.Copies)
	if !changed {
		return done, nil
	}
	return done, w.putCredential(tx, ours)
}

// catchUp reads what the copies say that are here and were not read yet.
func (m *merging) catchUp(tx kv.Tx, ours *credential) error {
	for ; m.read < len(ours.Copies); m.read++ {
		at := ours.Copies[m.read] // of its own: what is read need not be kept in memory
		if at.Text == "" {
			var row copyRow
			if err := m.t.w.box.get(tx, copyKey(ours.ID, m.read), &row); errors.Is(err, kv.ErrNotFound) {
				return ErrDamaged
			} else if err != nil {
				return err
			}
			at.Text = row.Text
		}
		m.known[sha256.Sum256([]byte(at.Text))] = m.read
	}
	return nil
}

// copies adds the next copies that fit in one transaction, and says whether anything is
// other than before.
func (m *merging) copies(ours *credential) (changed bool) {
	away := m.t.away
	for size := 0; m.next < len(m.theirs.Copies); m.next++ {
		at := m.theirs.Copies[m.next]
		says := sha256.Sum256([]byte(at.Text))
		if i, known := m.known[says]; known {
			mine := &ours.Copies[i]
			if mine.Uses < at.Uses || away && !mine.Maybe {
				mine.Uses, mine.Maybe, changed = max(mine.Uses, at.Uses), mine.Maybe || away, true
			}
			continue
		}
		if size += at.size(); m.added > 0 && (m.added == importCopies || size > importBytes) {
			break
		}
		if at.Slot >= 0 {
			at.Slot = m.t.places[at.Slot]
		}
		at.Maybe, at.loaded = away, false
		m.known[says], m.read = len(ours.Copies), m.read+1
		ours.Copies = append(ours.Copies, at)
		m.added++
	}
	return changed || m.added > 0
}

// takeDeclarations takes in own words; of the same words in two places, the last written.
func (t *takingIn) takeDeclarations() error {
	for some := range batches(t.l.declarations) {
		rows := map[string]any{}
		err := t.update(func(tx kv.Tx) error {
			for _, d := range some {
				var ours declaration
				err := t.w.box.get(tx, declarationPrefix+d.v.ID, &ours)
				if err != nil && !errors.Is(err, kv.ErrNotFound) {
					return err
				}
				if err != nil || d.v.last().After(ours.last()) {
					rows[declarationPrefix+d.v.ID] = d.v
				}
			}
			return t.w.box.putAll(tx, rows)
		})
		if err != nil {
			return err
		}
		t.got.Declarations += len(rows)
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

// takeHistory adds the events that did not happen or arrive here.
func (t *takingIn) takeHistory() error {
	known, read := map[string]bool{}, 0
	catchUp := func(tx kv.Tx) error {
		count, err := t.w.historyCount(tx)
		for ; err == nil && read < count; read++ {
			var e Event
			if e, err = t.w.eventAt(tx, read+1); err == nil {
				known[e.originHere(t.here)] = true
			}
		}
		return err
	}
	if err := t.w.c.Store.View(catchUp); err != nil { // others need not wait for this
		return err
	}
	for some := range batches(t.l.events) {
		added := 0
		err := t.update(func(tx kv.Tx) error {
			if err := catchUp(tx); err != nil {
				return err
			}
			for _, e := range some {
				if known[e.v.Origin] {
					continue
				}
				known[e.v.Origin] = true
				e.v.ID = ""
				if err := t.w.remember(tx, e.v); err != nil {
					return err
				}
				added++
			}
			return nil
		})
		if err != nil {
			return err
		}
		t.got.Events += added
	}
	return nil
}

// takeSettings adds the regions that can be followed from here, and the name of the holder
// where there is none.
func (t *takingIn) takeSettings() error {
	var open []RegionSettings
	for _, r := range t.l.settings.Regions {
		// A region that does not open would keep the wallet from opening.
		if t.w.c.Regions == nil {
			continue
		}
		if _, err := t.w.c.Regions(r); err == nil {
			open = append(open, r)
		}
	}
	return t.update(func(tx kv.Tx) error {
		var s settings
		if err := t.w.box.get(tx, keySettings, &s); err != nil {
			return err
		}
		before := len(s.Regions)
		has := func(r RegionSettings) bool {
			return slices.ContainsFunc(s.Regions, func(have RegionSettings) bool { return have.Genesis == r.Genesis })
		}
		for _, r := range open {
			if !has(r) {
				s.Regions = append(s.Regions, r)
			}
		}
		t.got.Regions = len(s.Regions) - before
		for _, r := range t.l.settings.Regions {
			if !has(r) {
				t.got.RegionsLeft++
			}
		}
		if t.got.Regions > 0 {
			if err := t.w.box.put(tx, keySettings, s); err != nil {
				return err
			}
		}
		p, err := t.w.readPerson(tx)
		if err != nil || p.Name != "" || t.l.person.Name == "" {
			return err
		}
		p.Name = t.l.person.Name
		return t.w.box.put(tx, keyPerson, p)
	})
}
