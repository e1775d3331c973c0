package wallet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/kv/kvscan"
	"paspoort.example/paspoort/internal/privacyscan"
	"paspoort.example/paspoort/wallet"
)

// two are two holders in one store on disk, as on a host, each with contents.
type two struct {
	*world
	dir   string
	whole kv.Store
}

const (
	partOne = "h/een/"
	partTwo = "h/twee/"
	secret2 = "de wachtwoordzin van twee"
)

func newTwo(t *testing.T) *two {
	t.Helper()
	w := &two{world: newWorld(t), dir: t.TempDir()}
	w.open()
	w.store = kv.Sub(w.whole, partOne)
	holder := w.wallet()
	w.accept(holder, configID)
	_, err := holder.Declare(words())
	must(t, err)
	must(t, holder.ChangePerson(func(p *wallet.Person) { p.Name = "Samira" }))
	must(t, holder.SaveDraft("own", map[string][]string{"title": {"Ossekamp"}}))
	must(t, w.deliver(wallet.MessageAsked, wallet.AskedMessage{Share: "s1", Label: "Voorbeeld-Idrissi"}))
	w.store = kv.Sub(w.whole, partTwo)
	second, err := wallet.Init(w.config(), []byte(secret2))
	must(t, err)
	_, err = second.Declare(words())
	must(t, err)
	must(t, w.deliver("anders", 2))
	return w
}

func (w *two) open() {
	w.t.Helper()
	var err error
	w.whole, err = kv.OpenBadger(w.dir, kv.Options{MemTable: 1 << 20})
	must(w.t, err)
	w.t.Cleanup(func() { w.whole.Close() })
}

// everything reads all that a wallet of the second part holds.
func (w *two) everything(passphrase string) error {
	w.store = kv.Sub(w.whole, partTwo)
	holder, err := wallet.Unlock(w.config(), []byte(passphrase))
	if err != nil {
		return err
	}
	_, listErr := holder.List()
	_, historyErr := holder.History()
	_, personErr := holder.Person()
	_, draftErr := holder.Draft("own")
	_, inboxErr := holder.Inbox()
	return errors.Join(listErr, historyErr, personErr, draftErr, inboxErr)
}

// TestIsolation: whoever can write to the store cannot make the rows of one holder readable
// for another.
func TestIsolation(t *testing.T) {
	refused := func(err error) bool {
		return errors.Is(err, wallet.ErrDamaged) || errors.Is(err, wallet.ErrPassphrase) || errors.Is(err, wallet.ErrNoWallet)
	}
	one := newTwo(t)
	if err := one.everything(secret2); err != nil {
		t.Fatalf("control: %v", err)
	}
	rows := rowsOf(t, one.whole)
	for name, tt := range map[string]struct {
		change     func(tx kv.Tx, from, to string) error // of every pair of rows under one name
		passphrase string
		harmless   bool
	}{
		"the rows of one put in place of those of two": {func(tx kv.Tx, from, to string) error {
			if strings.HasPrefix(from, "s") {
				return tx.Set([]byte(partTwo+from), []byte(rows[partOne+from]))
			}
			return nil
		}, secret2, true}, // their keys are HMACs under another key: nothing of two is touched
		"the vault of one, opened by one": {func(tx kv.Tx, from, to string) error {
			return tx.Set([]byte(partTwo+"vault"), []byte(rows[partOne+"vault"]))
		}, passphrase, false},
		"the vault of one, opened by two": {func(tx kv.Tx, from, to string) error {
			return tx.Set([]byte(partTwo+"vault"), []byte(rows[partOne+"vault"]))
		}, secret2, false},
		"the inbox of one": {func(tx kv.Tx, from, to string) error {
			if strings.HasPrefix(from, "i/") {
				return tx.Set([]byte(partTwo+from), []byte(rows[partOne+from]))
			}
			return nil
		}, secret2, false},
		"the inbox key of one": {func(tx kv.Tx, from, to string) error {
			return tx.Set([]byte(partTwo+"vault"), withInbox(t, rows[partTwo+"vault"], rows[partOne+"vault"]))
		}, secret2, false},
		"no vault at all": {func(tx kv.Tx, from, to string) error { return tx.Delete([]byte(partTwo + "vault")) }, secret2, false},
	} {
		w := &two{world: one.world, whole: kv.NewMemory()}
		must(t, w.whole.Update(func(tx kv.Tx) error {
			for k, v := range rows {
				if err := tx.Set([]byte(k), []byte(v)); err != nil {
					return err
				}
			}
			return nil
		}))
		must(t, w.whole.Update(func(tx kv.Tx) error {
			for k := range rows {
				if from, ok := strings.CutPrefix(k, partOne); ok {
					if err := tt.change(tx, from, partTwo+from); err != nil {
						return err
					}
				}
			}
			return nil
		}))
		err := w.everything(tt.passphrase)
		if tt.harmless && err != nil || !tt.harmless && !refused(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestIsolationUnderOwnKeys: rows of one under the very keys of two are damage.
func TestIsolationUnderOwnKeys(t *testing.T) {
	w := newTwo(t)
	rows := rowsOf(t, w.whole)
	var theirs string
	for k, v := range rows {
		if strings.HasPrefix(k, partOne+"s") {
			theirs = v
		}
	}
	tried := 0
	for k, v := range rows {
		if !strings.HasPrefix(k, partTwo+"s") {
			continue
		}
		tried++
		must(t, w.whole.Update(func(tx kv.Tx) error { return tx.Set([]byte(k), []byte(theirs)) }))
		w.store = kv.Sub(w.whole, partTwo)
		holder, err := wallet.Unlock(w.config(), []byte(secret2))
		if err == nil {
			err = holder.ExportArchive(w.t.Context(), new(bytes.Buffer), takeAlong) // reads every row
		}
		if err == nil {
			_, err = holder.Inbox()
		}
		if !errors.Is(err, wallet.ErrDamaged) {
			t.Errorf("row %q: got %v", wallet.NameOf(holder, []byte(strings.TrimPrefix(k, partTwo)), []byte(v)), err)
		}
		must(t, w.whole.Update(func(tx kv.Tx) error { return tx.Set([]byte(k), []byte(v)) }))
	}
	if tried < 5 {
		t.Errorf("only %d rows were tried", tried)
	}
}

// withInbox is a vault with the inbox key of another.
func withInbox(t *testing.T, vault, other string) []byte {
	t.Helper()
	var v, o map[string]json.RawMessage
	must(t, json.Unmarshal([]byte(vault[1:]), &v))
	must(t, json.Unmarshal([]byte(other[1:]), &o))
	v["inbox"] = o["inbox"]
	raw, err := json.Marshal(v)
	must(t, err)
	return append([]byte{vault[0]}, raw...)
}

// TestNothingReadableOfTwo: in the store of a host with two holders no planted word can be
// read, neither of contents nor of what waits in an inbox or in a half-filled form. The
// control plants one and finds it.
func TestNothingReadableOfTwo(t *testing.T) {
	w := newTwo(t)
	must(t, w.whole.Close())
	scan, err := privacyscan.New(planted...)
	must(t, err)
	report, err := scan.Tree(w.dir)
	must(t, err)
	for _, f := range report.Findings {
		t.Error(f)
	}
	w.open()
	must(t, w.whole.Update(func(tx kv.Tx) error { return tx.Set([]byte(partOne+"control"), []byte("Samira in het zicht")) }))
	must(t, w.whole.Close())
	if report, err = scan.Tree(w.dir); err != nil || len(report.Findings) == 0 || report.Stores == 0 {
		t.Errorf("the control was not found: the search finds nothing (%+v, %v)", report, err)
	}
}

// TestDestroyLeavesNoWrap: every wrap is in the files before, and none after; the
// neighbour's stays.
func TestDestroyLeavesNoWrap(t *testing.T) {
	w := newTwo(t)
	w.store = kv.Sub(w.whole, partOne)
	holder, err := wallet.Unlock(w.config(), []byte(passphrase))
	must(t, err)
	_, err = holder.NewRecoveryCode()
	must(t, err)
	must(t, holder.AddPasskey("sleutel-1", prf))
	must(t, w.whole.Close()) // what is in memory goes into a table
	w.open()
	w.store = kv.Sub(w.whole, partOne)
	holder, err = wallet.Unlock(w.config(), []byte(passphrase))
	must(t, err)
	must(t, holder.ChangePassphrase([]byte("een nieuwe wachtwoordzin")))
	wraps := sealedWraps(t, w.store)
	neighbour := sealedWraps(t, kv.Sub(w.whole, partTwo))
	before := filesOf(t, w.dir)
	for i, wrap := range wraps {
		if !bytes.Contains(before, wrap) {
			t.Errorf("control: wrap %d is not in the files", i)
		}
	}
	must(t, wallet.Destroy(w.store))
	after := filesOf(t, w.dir)
	for i, wrap := range wraps {
		if bytes.Contains(after, wrap) {
			t.Errorf("wrap %d is still in the files", i)
		}
	}
	if !bytes.Contains(after, neighbour[0]) {
		t.Error("the neighbour's is gone too")
	}
	if err := w.everything(secret2); err != nil {
		t.Errorf("the neighbour: %v", err)
	}
	if _, err := wallet.Unlock(w.config(), []byte(secret2)); err != nil {
		t.Errorf("the neighbour: %v", err)
	}
}

// TestFormerWrapsGo: what the holder gave up does not stay in the files, whatever it was,
// and nothing else goes.
func TestFormerWrapsGo(t *testing.T) {
	w := newTwo(t)
	w.store = kv.Sub(w.whole, partOne)
	holder, err := wallet.Unlock(w.config(), []byte(passphrase))
	must(t, err)
	code, err := holder.NewRecoveryCode()
	must(t, err)
	must(t, holder.AddPasskey("sleutel-1", prf))
	former := sealedWraps(t, w.store)
	must(t, w.whole.Close()) // what is in memory goes into a table
	w.open()
	w.store = kv.Sub(w.whole, partOne)
	holder, err = wallet.Unlock(w.config(), []byte(passphrase))
	must(t, err)
	for i, change := range []func() error{
		func() error { return holder.ChangePassphrase([]byte("een nieuwe wachtwoordzin")) },
		func() error { code, err = holder.NewRecoveryCode(); return err },
		func() error { return holder.RemovePasskey("sleutel-1") },
	} {
		if !bytes.Contains(filesOf(t, w.dir), former[i]) {
			t.Errorf("control: wrap %d is not in the files", i)
		}
		must(t, change())
		if bytes.Contains(filesOf(t, w.dir), former[i]) {
			t.Errorf("wrap %d is still in the files", i)
		}
	}
	if _, err := wallet.Unlock(w.config(), []byte("een nieuwe wachtwoordzin")); err != nil || !holder.KnowsRecoveryCode(code) {
		t.Errorf("afterwards: %v", err)
	}
	if err := w.everything(secret2); err != nil {
		t.Errorf("the neighbour: %v", err)
	}
}

// TestFormerWrapsBrokenOff: wherever that was broken off, the paspoort opens, changes and
// goes.
func TestFormerWrapsBrokenOff(t *testing.T) {
	w := newWorld(t)
	w.wallet()
	must(t, w.store.Update(func(tx kv.Tx) error {
		raw, err := tx.Get([]byte("vault"))
		return errors.Join(err, tx.Set([]byte("spare/vault"), raw), tx.Delete([]byte("vault")))
	}))
	if _, err := wallet.Init(w.config(), []byte(passphrase)); !errors.Is(err, wallet.ErrExists) {
		t.Errorf("made anew: %v", err)
	}
	holder, err := wallet.Unlock(w.config(), []byte(passphrase))
	must(t, err)
	must(t, w.deliver("een", 1))
	must(t, holder.ChangePassphrase([]byte("een nieuwe wachtwoordzin")))
	if _, err := wallet.Unlock(w.config(), []byte(passphrase)); !errors.Is(err, wallet.ErrPassphrase) {
		t.Errorf("the old passphrase: %v", err)
	}
	must(t, wallet.Destroy(w.store))
	if _, err := wallet.Unlock(w.config(), []byte(passphrase)); !errors.Is(err, wallet.ErrNoWallet) {
		t.Errorf("destroyed: %v", err)
	}
}

// sealedWraps are the wraps of the data key as they stand in the store.
func sealedWraps(t *testing.T, s kv.Store) (out [][]byte) {
	t.Helper()
	var v struct {
		Wraps []struct {
			Sealed json.RawMessage `json:"sealed"`
		} `json:"wraps"`
	}
	must(t, json.Unmarshal(vaultRow(t, s)[1:], &v))
	for _, w := range v.Wraps {
		out = append(out, w.Sealed)
	}
	if len(out) == 0 {
		t.Fatal("no wraps")
	}
	return out
}

// filesOf is everything in the raw files of a store, and what Badger can still read of
// them: its blocks are compressed.
func filesOf(t *testing.T, dir string) []byte {
	t.Helper()
	var all bytes.Buffer
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		fmt.Fprintf(&all, "%s\n", bytes.TrimRight(raw, "\x00"))
		return err
	}))
	must(t, kvscan.Walk(dir, func(_, value []byte) error {
		fmt.Fprintf(&all, "%s\n", value)
		return nil
	}))
	return all.Bytes()
}
