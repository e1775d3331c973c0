package wallet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/archive"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/wallet"
)

// sealed is an archive of these files beside settings.
func sealed(t *testing.T, files map[string]json.RawMessage) []byte {
	t.Helper()
	if files["settings.json"] == nil {
		files["settings.json"] = json.RawMessage(`{"origin":"elders","regions":[]}`)
	}
	var out bytes.Buffer
	must(t, archive.Write(&out, takeAlong, archive.Archive{Made: time.Unix(0, 0), Files: files, WorkFactor: 1}))
	return out.Bytes()
}

func events(n int) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for i := range n {
		out[fmt.Sprintf("history/%08d.json", i+1)] = json.RawMessage(fmt.Sprintf(
			`{"id":"%08d","at":"2026-01-01T00:00:00Z","kind":"shown","origin":"elders/%d"}`, i+1, i))
	}
	return out
}

func slots(t *testing.T, n int) map[string]json.RawMessage {
	t.Helper()
	out := map[string]json.RawMessage{}
	for i := range n {
		key, err := jose.Generate(jose.ES256)
		must(t, err)
		out[fmt.Sprintf("slots/%04d.json", i)], err = jose.MarshalPrivate(key)
		must(t, err)
	}
	return out
}

func ownWords(t *testing.T, w *world, n int) map[string]json.RawMessage {
	t.Helper()
	holder := w.wallet()
	_, err := holder.Declare(words())
	must(t, err)
	whole, err := archive.Read(bytes.NewReader(w.pack(holder)), takeAlong)
	must(t, err)
	out := map[string]json.RawMessage{}
	for name, raw := range whole.Files {
		if id, is := strings.CutPrefix(strings.TrimSuffix(name, ".json"), "declarations/"); is {
			for i := range n {
				out[fmt.Sprintf("declarations/d%d.json", i)] = bytes.Replace(raw, []byte(id), fmt.Appendf(nil, "d%d", i), 1)
			}
		}
	}
	return out
}

// counting counts the bytes that go in and out of a store.
type counting struct {
	kv.Store
	bytes atomic.Int64
	ended func() // after each Update
}

func (s *counting) View(fn func(kv.Tx) error) error {
	return s.Store.View(func(tx kv.Tx) error { return fn(countingTx{tx, s}) })
}

func (s *counting) Update(fn func(kv.Tx) error) error {
	err := s.Store.Update(func(tx kv.Tx) error { return fn(countingTx{tx, s}) })
	if s.ended != nil {
		s.ended()
	}
	return err
}

type countingTx struct {
	kv.Tx
	s *counting
}

func (tx countingTx) Get(key []byte) ([]byte, error) {
	v, err := tx.Tx.Get(key)
	tx.s.bytes.Add(int64(len(v)))
	return v, err
}

func (tx countingTx) Set(key, value []byte) error {
	tx.s.bytes.Add(int64(len(value)))
	return tx.Tx.Set(key, value)
}

// TestTakeInTakesItsTime: four times as much takes about four times as much work, and not
// sixteen: others wait for a transaction.
func TestTakeInTakesItsTime(t *testing.T) {
	for name, make := range map[string]func(w *world, n int) map[string]json.RawMessage{
		"events": func(_ *world, n int) map[string]json.RawMessage { return events(n) },
		"keys":   func(_ *world, n int) map[string]json.RawMessage { return slots(t, n) },
		"words":  func(w *world, n int) map[string]json.RawMessage { return ownWords(t, w, n) },
	} {
		w := newWorld(t)
		work := func(n int) int64 {
			w.store = kv.NewMemory()
			file := sealed(t, make(w, n))
			s := &counting{Store: kv.NewMemory()}
			w.store = s
			holder := w.wallet()
			s.bytes.Store(0)
			if got := w.unpack(holder, file); name != "keys" && got.New() != n {
				t.Errorf("%s: %+v", name, got)
			}
			return s.bytes.Load()
		}
		if few, many := work(200), work(800); many > 6*few {
			t.Errorf("%s: %d bytes for 200, %d for 800", name, few, many)
		}
	}
}

// TestTakeInBounds: an archive with more than may come brings nothing.
func TestTakeInBounds(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	many := func(form string, n int) map[string]json.RawMessage {
		out := map[string]json.RawMessage{}
		for i := range n {
			out[fmt.Sprintf(form, i)] = json.RawMessage(`{}`)
		}
		return out
	}
	for name, files := range map[string]map[string]json.RawMessage{
		"events":      events(20_001),
		"credentials": many("credentials/c%d.json", 2_001),
		"own words":   many("declarations/d%d.json", 2_001),
		"regions":     {"settings.json": json.RawMessage(`{"origin":"elders","regions":[` + strings.Repeat(`{"genesis":"a"},`, 100) + `{}]}`)},
		"one event":   {"history/00000001.json": json.RawMessage(`{"id":"00000001","kind":"shown","origin":"elders/1","name":"` + strings.Repeat("x", 1<<20) + `"}`)},
	} {
		if _, err := wallet.OpenArchive(bytes.NewReader(sealed(t, files)), takeAlong); !errors.Is(err, wallet.ErrArchive) {
			t.Errorf("%s: got %v, want ErrArchive", name, err)
		}
	}
	l, err := wallet.OpenArchive(bytes.NewReader(sealed(t, slots(t, 10_000))), takeAlong)
	must(t, err)
	_, err = holder.Page(t.Context()) // makes a key
	must(t, err)
	before := len(rowsOf(t, w.store))
	if _, err := holder.TakeIn(t.Context(), l); !errors.Is(err, wallet.ErrArchive) {
		t.Errorf("no room for the keys: got %v", err)
	}
	if after := len(rowsOf(t, w.store)); after != before {
		t.Errorf("%d rows came all the same", after-before)
	}
}

// TestTakeInBesideAnother: a credential whose id is of another here is found before
// anything is stored.
func TestTakeInBesideAnother(t *testing.T) {
	w := newWorldOf(t, 2)
	file := w.moved()
	own, err := wallet.Unlock(w.config(), []byte(passphrase))
	must(t, err)
	whole, err := archive.Read(bytes.NewReader(file), takeAlong)
	must(t, err)
	for name, raw := range whole.Files {
		if strings.HasPrefix(name, "credentials/") {
			whole.Files[name] = bytes.Replace(raw, []byte(`"issuer":"https://`+issuerHost), []byte(`"issuer":"https://ander.example`), 1)
		}
	}
	for name, raw := range events(3) {
		whole.Files[strings.Replace(name, "history/0", "history/9", 1)] = bytes.Replace(raw, []byte(`"id":"0`), []byte(`"id":"9`), 1)
	}
	before := rowsOf(t, w.store)
	got, err := own.ImportArchive(t.Context(), bytes.NewReader(sealed(t, whole.Files)), takeAlong)
	if !errors.Is(err, wallet.ErrArchive) || got.New() != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	for k, v := range rowsOf(t, w.store) {
		if before[k] != v {
			t.Errorf("row %x changed", k)
		}
	}
}

// TestTakeInStops: between two transactions when nobody waits for it any more; what came
// is whole, and the rest comes when it is done again.
func TestTakeInStops(t *testing.T) {
	w := newWorldOf(t, 3)
	file := w.moved()
	s := &counting{Store: kv.NewMemory()}
	w.store = s
	holder := w.wallet()
	ctx, cancel := context.WithCancel(t.Context())
	updates := 0
	s.ended = func() {
		if updates++; updates == 3 {
			cancel()
		}
	}
	if _, err := holder.ImportArchive(ctx, bytes.NewReader(file), takeAlong); !errors.Is(err, context.Canceled) || updates != 3 {
		t.Errorf("after %d transactions: %v", updates, err)
	}
	if err := holder.ExportArchive(ctx, new(bytes.Buffer), takeAlong); !errors.Is(err, context.Canceled) {
		t.Errorf("export: %v", err)
	}
	if got := w.unpack(holder, file); got.Credentials != 1 || got.Events != 3 {
		t.Errorf("again: %+v", got)
	}
}

// TestTakeInKeepsKeys: a key that is here keeps its number, also when nothing is stored
// yet that is bound to it.
func TestTakeInKeepsKeys(t *testing.T) {
	w := newWorldOf(t, 3)
	file := w.moved()
	holder := w.elsewhere()
	offer, err := holder.Offer(t.Context(), w.vci.Link(configID, "493536"), wallet.Trust{})
	must(t, err)
	received, err := holder.Receive(t.Context(), offer, wallet.Choices{TxCode: "493536"})
	must(t, err)
	before := rowsOf(t, w.store)
	w.unpack(holder, file)
	after := rowsOf(t, w.store)
	for n := range 3 {
		row := wallet.RowOf(holder, fmt.Sprintf("slot/%04d", n))
		if before[string(row)] == "" || before[string(row)] != after[string(row)] {
			t.Errorf("key %d is another now", n)
		}
	}
	_, err = holder.Keep(t.Context(), received[0])
	must(t, err)
}

// TestTakeInTwiceAtOnce: nothing doubles, also when the button is pressed twice.
func TestTakeInTwiceAtOnce(t *testing.T) {
	w := newWorld(t)
	file := sealed(t, events(300))
	s := &counting{Store: kv.NewMemory()}
	w.store = s
	first := w.wallet()
	second, err := wallet.Unlock(w.config(), []byte(passphrase)) // another session
	must(t, err)
	done := make(chan error, 3)
	for _, holder := range []*wallet.Wallet{first.In("en"), first, second} {
		go func() {
			_, err := holder.ImportArchive(t.Context(), bytes.NewReader(file), takeAlong)
			done <- err
		}()
	}
	for range 3 {
		must(t, <-done)
	}
	all, err := first.History()
	must(t, err)
	came := 0
	for _, e := range all {
		if e.Kind == wallet.EventShown {
			came++
		}
	}
	if came != 300 {
		t.Errorf("%d events came, want 300", came)
	}
}
