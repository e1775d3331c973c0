package wallet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/archive"
)

// Files of an archive; specs/archive has the format.
const (
	fileSettings     = "settings.json"
	filePerson       = "person.json"
	fileAskers       = "askers.json"
	fileSlots        = "slots/"
	fileCredentials  = "credentials/"
	fileDeclarations = "declarations/"
	fileHistory      = "history/"
	fileEnd          = ".json"
)

// archivedSettings is settings.json.
type archivedSettings struct {
	Origin  string           `json:"origin"` // which wallet it is from; see origin
	Regions []RegionSettings `json:"regions"`
}

// archivedPerson is person.json.
type archivedPerson struct {
	Name string `json:"name"`
}

// archivedAskers is askers.json.
type archivedAskers struct {
	Slots map[string]int `json:"slots"`
}

// ExportArchive writes everything in the wallet to one file, sealed with a passphrase of
// its own. Of this wallet nothing changes but the history; from now on both places may
// show the same copies. Shares stay behind: their links lead to the host that has them. Of
// a history that is longer than an archive may be the end goes. When ctx ends it stops
// between two steps.
//
// Errors: ErrWeakPassphrase, those of specs/archive and of out.
func (w *Wallet) ExportArchive(ctx context.Context, out io.Writer, passphrase []byte) error {
	if err := CheckPassphrase(passphrase); err != nil {
		return err
	}
	a := archive.Archive{Made: w.c.Clock().UTC(), Files: map[string]json.RawMessage{}}
	if w.c.testingKDF != nil {
		a.WorkFactor = 1
	}
	from, err := w.origin()
	if err != nil {
		return err
	}
	if err := w.c.Store.View(func(tx kv.Tx) error { return w.collect(tx, from, a.Files) }); err != nil {
		return err
	}
	if err := errors.Join(ctx.Err(), bounded(a.Files)); err != nil {
		return err
	}
	if err := archive.Write(out, passphrase, a); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.c.Store.Update(func(tx kv.Tx) error { return w.remember(tx, Event{Kind: EventArchived}) })
}

// bounded refuses to write what nobody could take in.
func bounded(files map[string]json.RawMessage) error {
	if err := checkCounts(files); err != nil {
		return fmt.Errorf("%w: %s", archive.ErrTooLarge, err.Error())
	}
	return nil
}

// origin is a random name of this wallet, drawn when it is first needed. Only archives
// carry it, so that what was taken along is known when it comes back.
func (w *Wallet) origin() (name string, err error) {
	err = w.c.Store.Update(func(tx kv.Tx) error {
		err := w.box.get(tx, keyOrigin, &name)
		if !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		for range 4 {
			part, err := w.newID()
			if err != nil {
				return err
			}
			name += part
		}
		return w.box.put(tx, keyOrigin, name)
	})
	return name, err
}

// collect reads all that goes along.
func (w *Wallet) collect(tx kv.Tx, from string, files map[string]json.RawMessage) error {
	var s settings
	if err := w.box.get(tx, keySettings, &s); err != nil {
		return err
	}
	p, err := w.readPerson(tx)
	if err != nil {
		return err
	}
	a, err := w.readAskers(tx)
	if err != nil {
		return err
	}
	err = errors.Join(
		addFile(files, fileSettings, archivedSettings{Origin: from, Regions: s.Regions}),
		addFile(files, filePerson, archivedPerson{Name: p.Name}),
		addFile(files, fileAskers, archivedAskers{Slots: a.Slots}),
	)
	if err != nil {
		return err
	}
	for _, folder := range []struct{ in, out string }{{slotPrefix, fileSlots}, {declarationPrefix, fileDeclarations}} {
		err := w.box.each(tx, folder.in, func(name string, body []byte) error {
			files[folder.out+strings.TrimPrefix(name, folder.in)+fileEnd] = body
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := w.collectCredentials(tx, files); err != nil {
		return err
	}
	return w.collectHistory(tx, from, files)
}

// collectCredentials adds each credential with all its copies.
func (w *Wallet) collectCredentials(tx kv.Tx, files map[string]json.RawMessage) error {
	held, err := w.credentials(tx)
	if err != nil {
		return err
	}
	copies := 0
	for _, c := range held {
		if copies += len(c.Copies); copies > maxCopies {
			return fmt.Errorf("%w: more than %d copies", archive.ErrTooLarge, maxCopies)
		}
		for i := range c.Copies {
			if err := w.loadCopy(tx, c, &c.Copies[i]); err != nil {
				return fmt.Errorf("credential %s: %w", c.ID, err)
			}
			c.Copies[i].Maybe = false // whoever takes it in marks all
		}
		if err := addFile(files, fileCredentials+c.ID+fileEnd, c); err != nil {
			return err
		}
	}
	return nil
}

// collectHistory adds the events, each with where it is from.
func (w *Wallet) collectHistory(tx kv.Tx, from string, files map[string]json.RawMessage) error {
	events, err := w.history(tx)
	if err != nil {
		return err
	}
	for _, e := range events[max(len(events)-maxEvents, 0):] {
		e.Origin = e.originHere(from)
		if err := addFile(files, fileHistory+e.ID+fileEnd, e); err != nil {
			return err
		}
	}
	return nil
}

// originHere names an event wherever it goes.
func (e Event) originHere(here string) string {
	if e.Origin != "" {
		return e.Origin
	}
	return here + "/" + e.ID
}

func addFile(files map[string]json.RawMessage, name string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	files[name] = raw
	return nil
}
