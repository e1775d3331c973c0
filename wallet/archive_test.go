package wallet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/archive"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/wallet"
)

var takeAlong = []byte("een zin om mee te nemen")

// pack takes everything of a wallet along.
func (w *world) pack(holder *wallet.Wallet) []byte {
	w.t.Helper()
	var out bytes.Buffer
	must(w.t, holder.ExportArchive(w.t.Context(), &out, takeAlong))
	return out.Bytes()
}

// elsewhere is a fresh wallet in another place; the old store goes.
func (w *world) elsewhere() *wallet.Wallet {
	w.t.Helper()
	must(w.t, w.store.Close())
	w.store = kv.NewMemory()
	return w.wallet()
}

// unpack takes an archive in.
func (w *world) unpack(holder *wallet.Wallet, file []byte) wallet.Imported {
	w.t.Helper()
	got, err := holder.ImportArchive(w.t.Context(), bytes.NewReader(file), takeAlong)
	must(w.t, err)
	return got
}

// show answers a request about skills, and returns it.
func (w *world) show(holder *wallet.Wallet, a *asker) *wallet.Request {
	w.t.Helper()
	w.refresh()
	r, err := holder.Request(w.t.Context(), a.skills(false, openid4vp.DirectPost, verzorgen), wallet.Trust{})
	must(w.t, err)
	_, err = holder.Present(w.t.Context(), r, wallet.Decision{})
	if errors.Is(err, wallet.ErrAgain) {
		_, err = holder.Present(w.t.Context(), r, wallet.Decision{})
	}
	must(w.t, err)
	return r
}

// moved is a wallet with a life behind it, packed.
func (w *world) moved() []byte {
	w.t.Helper()
	holder := w.wallet()
	w.accept(holder, configID)
	_, err := holder.Declare(words())
	must(w.t, err)
	must(w.t, holder.ChangePerson(func(p *wallet.Person) { p.Name, p.RecoveryConfirmed = "Samira", true }))
	w.show(holder, w.verifier)
	return w.pack(holder)
}

// TestArchive: everything comes along to an empty wallet, and whoever was shown something
// keeps seeing the same person, with the old place gone.
func TestArchive(t *testing.T) {
	w := newWorld(t)
	file := w.moved()
	seen := holderKey(t, w.verifier.shown()[0])
	old, err := wallet.Unlock(w.config(), []byte(passphrase))
	must(t, err)
	want, err := old.List()
	must(t, err)
	events, err := old.History()
	must(t, err)
	if events[len(events)-1].Kind != wallet.EventArchived || want[0].Unused != 9 {
		t.Errorf("the old place: %+v, %+v", events[len(events)-1], want[0])
	}
	holder := w.elsewhere()
	_, err = holder.Page(t.Context()) // makes a key that nothing hangs on
	must(t, err)
	got := w.unpack(holder, file)
	if got.Credentials != 1 || got.Copies != 10 || got.Declarations != 1 || got.Events != 3 || !got.Made.Equal(w.clock.Now().Truncate(time.Second)) {
		t.Errorf("imported: %+v", got)
	}
	items, err := holder.List()
	must(t, err)
	for i := range want {
		if want[i].Unused > 0 {
			want[i].Unused, want[i].FewLeft = 0, true // the old place may show them
		}
	}
	if d := cmp.Diff(want, items); d != "" {
		t.Errorf("list (-want +got):\n%s", d)
	}
	if p, err := holder.Person(); err != nil || !cmp.Equal(p, wallet.Person{Name: "Samira"}) {
		t.Errorf("person: %+v, %v (the recovery code of there opens nothing here)", p, err)
	}
	events, err = holder.History()
	must(t, err)
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, string(e.Kind))
	}
	if d := cmp.Diff([]string{"accepted", "declared", "shown", "imported"}, kinds); d != "" {
		t.Errorf("history (-want +got):\n%s", d)
	}
	r := w.show(holder, w.verifier)
	if holderKey(t, w.verifier.shown()[0]) != seen || warns(r, "copy_maybe_used") || warns(r, "copies_fetched") || warns(r, "copy_reused") {
		t.Errorf("the asker of before sees another key, or there are warnings: %+v", r.Consent.Warnings)
	}
}

// TestArchiveTwice: what is there already changes nothing.
func TestArchiveTwice(t *testing.T) {
	w := newWorld(t)
	file := w.moved()
	own, err := wallet.Unlock(w.config(), []byte(passphrase))
	must(t, err)
	before := rowsOf(t, w.store)
	if got := w.unpack(own, file); got.New() != 0 {
		t.Errorf("into itself: %+v", got)
	}
	items, err := own.List()
	must(t, err)
	if items[0].Unused != 9 || len(rowsOf(t, w.store)) != len(before) {
		t.Errorf("into itself: %+v, %d rows instead of %d", items[0], len(rowsOf(t, w.store)), len(before))
	}
	holder := w.elsewhere()
	w.unpack(holder, file)
	before = rowsOf(t, w.store)
	list, err := holder.List()
	must(t, err)
	if got := w.unpack(holder, file); got.New() != 0 {
		t.Errorf("twice: %+v", got)
	}
	again, err := holder.List()
	must(t, err)
	if d := cmp.Diff(list, again); d != "" || len(rowsOf(t, w.store)) != len(before) {
		t.Errorf("twice (-once +twice), %d rows instead of %d:\n%s", len(rowsOf(t, w.store)), len(before), d)
	}
}

// TestArchiveBack: what went and comes back with more brings only that, and marks what the
// other place had.
func TestArchiveBack(t *testing.T) {
	w := newWorldOf(t, 3)
	file := w.moved()
	home := w.store
	w.store = kv.NewMemory()
	away := w.wallet()
	w.unpack(away, file)
	w.show(away, w.newAsker("linde.example.com", true)) // a fresh copy
	back := w.pack(away)
	w.store = home
	holder, err := wallet.Unlock(w.config(), []byte(passphrase))
	must(t, err)
	got := w.unpack(holder, back)
	if got.Credentials != 0 || got.Copies != 3 || got.Declarations != 0 || got.Events != 3 { // imported, renewed, shown
		t.Errorf("came back: %+v", got)
	}
	items, err := holder.List()
	must(t, err)
	if items[0].Unused != 0 || items[0].Copies != 6 {
		t.Errorf("after: %+v", items[0])
	}
}

// TestArchiveBesideContents: numbers of keys that are taken move, copies follow, and both
// credentials go to one asker under one key.
func TestArchiveBesideContents(t *testing.T) {
	w := newWorldOf(t, 3)
	file := w.moved()
	seen := holderKey(t, w.verifier.shown()[0])
	holder := w.elsewhere()
	w.clock.Advance(time.Hour) // the status list of before is forgotten
	w.accept(holder, configID)
	linde := w.newAsker("linde.example.com", true)
	w.show(holder, linde)
	lindes := holderKey(t, linde.shown()[0])
	got := w.unpack(holder, file)
	if got.Credentials != 1 || got.Copies != 3 {
		t.Errorf("imported: %+v", got)
	}
	for _, tt := range []struct {
		name string
		a    *asker
		key  string
	}{
		{"whom the old place knew", w.verifier, seen},
		{"whom this place knew", linde, lindes},
		{"new here", w.newAsker("olm.example.com", true), ""},
	} {
		r := w.show(holder, tt.a)
		shown := tt.a.shown()
		if len(shown) != 3 { // two credentials and own words
			t.Fatalf("%s: %d shown, %+v", tt.name, len(shown), r.Consent)
		}
		key := holderKey(t, shown[0])
		for _, s := range shown {
			if holderKey(t, s) != key {
				t.Errorf("%s: what is shown has different keys", tt.name)
			}
		}
		if tt.key != "" && key != tt.key || tt.key == "" && (key == seen || key == lindes) {
			t.Errorf("%s: the key is not the one that belongs to this asker", tt.name)
		}
		for _, code := range []string{"copy_maybe_used", "copy_reused", "not_linked"} {
			if warns(r, code) {
				t.Errorf("%s: warned of %s", tt.name, code)
			}
		}
	}
}

// TestArchiveWithoutNewCopies: with the issuer gone a copy that may have been shown goes
// after one sentence, and never to two.
func TestArchiveWithoutNewCopies(t *testing.T) {
	w := newWorldOf(t, 3)
	file := w.moved()
	holder := w.elsewhere()
	w.unpack(holder, file)
	delete(w.hosts, issuerHost)
	keys := map[string]bool{holderKey(t, w.verifier.shown()[0]): true}
	for n := range 3 {
		a := w.newAsker(fmt.Sprintf("vrager-%d.example.com", n), true)
		r := w.show(holder, a)
		for _, s := range a.shown() {
			keys[holderKey(t, s)] = true
		}
		if maybe, reused := warns(r, "copy_maybe_used"), warns(r, "copy_reused"); maybe != (n < 2) || reused != (n == 2) {
			t.Errorf("asker %d: warnings %+v", n, r.Consent.Warnings)
		}
	}
	if len(keys) != 3 {
		t.Errorf("%d keys", len(keys))
	}
}

// TestArchiveBrokenOff: wherever taking in stops, doing it again gives the same as doing
// it once.
func TestArchiveBrokenOff(t *testing.T) {
	w := newWorldOf(t, 3)
	file := w.moved()
	broken := errors.New("disk full")
	for _, how := range []kv.Failure{kv.NotDone, kv.DoneButFailed} {
		for at := 1; ; at++ {
			memory := kv.NewMemory()
			f := &failing{Memory: memory, how: how, err: broken}
			w.store = f
			holder := w.wallet()
			f.in = at
			_, err := holder.ImportArchive(w.t.Context(), bytes.NewReader(file), takeAlong)
			f.in = 0
			if err == nil {
				if at < 5 {
					t.Errorf("only %d transactions", at-1)
				}
				break
			}
			if !errors.Is(err, broken) {
				t.Fatal(err)
			}
			w.unpack(holder, file)
			items, err := holder.List()
			must(t, err)
			events, err := holder.History()
			must(t, err)
			if len(items) != 2 || items[0].Copies != 3 || len(events) < 3 || len(events) > 4 {
				t.Errorf("stopped at %d: %+v, %d events", at, items, len(events))
			}
			if got := w.unpack(holder, file); got.New() != 0 {
				t.Errorf("stopped at %d: a third time brings %+v", at, got)
			}
		}
	}
}

// failing is a store whose in'th Update from now fails.
type failing struct {
	*kv.Memory
	how kv.Failure
	err error
	in  int
}

func (f *failing) Update(fn func(kv.Tx) error) error {
	if f.in--; f.in == 0 {
		f.FailNext(f.how, f.err)
	}
	return f.Memory.Update(fn)
}

// TestArchiveRefuses: an archive that does not fit together brings nothing.
func TestArchiveRefuses(t *testing.T) {
	w := newWorldOf(t, 2)
	file := w.moved()
	holder := w.elsewhere()
	before := len(rowsOf(t, w.store))
	whole, err := archive.Read(bytes.NewReader(file), takeAlong)
	must(t, err)
	only := func(prefix string) string {
		for name := range whole.Files {
			if strings.HasPrefix(name, prefix) {
				return name
			}
		}
		t.Fatalf("no %s", prefix)
		return ""
	}
	credential, declaration := only("credentials/"), only("declarations/")
	for name, change := range map[string]func(map[string]json.RawMessage){
		"no settings":            func(f map[string]json.RawMessage) { delete(f, "settings.json") },
		"a key is missing":       func(f map[string]json.RawMessage) { delete(f, "slots/0001.json") },
		"a key is another":       func(f map[string]json.RawMessage) { f["slots/0001.json"] = f["slots/0000.json"] },
		"a key is none":          func(f map[string]json.RawMessage) { f["slots/0001.json"] = json.RawMessage(`{}`) },
		"an asker without a key": func(f map[string]json.RawMessage) { f["askers.json"] = json.RawMessage(`{"slots":{"a":9}}`) },
		"under another id":       func(f map[string]json.RawMessage) { f["credentials/anders.json"] = f[credential] },
		"a credential of nothing": func(f map[string]json.RawMessage) {
			f[credential] = json.RawMessage(`{"id":"` + credential[12:20] + `"}`)
		},
		"words that do not fit": func(f map[string]json.RawMessage) {
			f[declaration] = bytes.Replace(f[declaration], []byte(`"title":"`), []byte(`"title":7,"x":"`), 1)
		},
		"an event from nowhere": func(f map[string]json.RawMessage) {
			f["history/00000001.json"] = json.RawMessage(`{"id":"00000001","at":"2026-03-02T12:00:00Z","kind":"shown"}`)
		},
	} {
		files := map[string]json.RawMessage{}
		for k, v := range whole.Files {
			files[k] = v
		}
		change(files)
		var out bytes.Buffer
		must(t, archive.Write(&out, takeAlong, archive.Archive{Made: whole.Made, Files: files, WorkFactor: 1}))
		if got, err := holder.ImportArchive(w.t.Context(), &out, takeAlong); !errors.Is(err, wallet.ErrArchive) || got.New() != 0 {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	if _, err := holder.ImportArchive(w.t.Context(), bytes.NewReader(file), []byte("een andere zin")); !errors.Is(err, archive.ErrPassphrase) {
		t.Errorf("another passphrase: got %v", err)
	}
	if _, err := holder.ImportArchive(w.t.Context(), bytes.NewReader(file[:len(file)/2]), takeAlong); !errors.Is(err, archive.ErrChanged) {
		t.Errorf("half: got %v", err)
	}
	if after := len(rowsOf(t, w.store)); after != before {
		t.Errorf("%d rows came all the same", after-before)
	}
	if err := holder.ExportArchive(w.t.Context(), io.Discard, []byte("kort")); !errors.Is(err, wallet.ErrWeakPassphrase) {
		t.Errorf("a short passphrase: got %v", err)
	}
}

// TestArchiveOfManyCopies: it fits in the transactions of a small store.
func TestArchiveOfManyCopies(t *testing.T) {
	w := newWorldOf(t, 10)
	holder := w.wallet()
	w.accept(holder, configID)
	w.clock.Advance(time.Hour)
	items, err := holder.List()
	must(t, err)
	for range 14 {
		done, err := holder.Renew(t.Context(), items[0].ID)
		must(t, errors.Join(err, done[0].Problem))
	}
	file := w.pack(holder)
	s, err := kv.OpenBadger(t.TempDir(), kv.Options{MemTable: 4 << 20})
	must(t, err)
	defer s.Close()
	w.store = s
	if got := w.unpack(w.wallet(), file); got.Copies != 150 || got.Credentials != 1 {
		t.Errorf("imported: %+v", got)
	}
}
