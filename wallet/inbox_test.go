package wallet_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/wallet"
)

func (w *world) deliver(kind string, body any) error {
	w.t.Helper()
	raw, err := json.Marshal(body)
	must(w.t, err)
	return wallet.Deliver(w.store, rand.Reader, wallet.Message{Kind: kind, At: w.clock.Now(), Body: raw})
}

// TestInbox: what arrives while nobody is signed in is kept where it belongs, once.
func TestInbox(t *testing.T) {
	w := newWorld(t)
	if err := w.deliver("anders", nil); !errors.Is(err, wallet.ErrNoWallet) {
		t.Errorf("no wallet: got %v", err)
	}
	w.wallet()
	opened := w.clock.Now()
	must(t, w.deliver(wallet.MessageOpened, wallet.OpenedMessage{Share: "s1", Label: "Zorggroep", At: opened, Receipt: "eyJ.ontvangst", Left: 9}))
	w.clock.Advance(time.Hour)
	must(t, w.deliver(wallet.MessageAsked, wallet.AskedMessage{Share: "s1", Label: "Zorggroep", At: w.clock.Now()}))
	must(t, w.deliver(wallet.MessageDraft, wallet.DraftMessage{Form: "own", Values: url.Values{"title": {"Half af"}}}))
	must(t, w.deliver("anders", "x"))
	must(t, w.deliver(wallet.MessageOpened, "no object"))
	for k, v := range rowsOf(t, w.store) {
		if strings.Contains(k+v, "Zorggroep") || strings.Contains(k+v, "Half af") {
			t.Errorf("%q can be read while locked", k)
		}
	}
	holder, err := wallet.Unlock(w.config(), []byte(passphrase))
	must(t, err)
	got, err := holder.Inbox()
	must(t, err)
	if len(got) != 5 || got[0].Kind != wallet.MessageOpened || got[0].At.After(got[1].At) {
		t.Errorf("messages: %+v", got)
	}
	events, err := holder.History()
	must(t, err)
	if len(events) != 2 || events[0].Kind != wallet.EventShareOpened || events[0].Receipt != "eyJ.ontvangst" ||
		events[0].Share != "s1" || events[0].Name != "Zorggroep" || !events[0].At.Equal(opened) || events[1].Kind != wallet.EventShareAsked {
		t.Errorf("history: %+v", events)
	}
	if d, err := holder.Draft("own"); err != nil || d.Get("title") != "Half af" {
		t.Errorf("draft: %v, %v", d, err)
	}
	if again, err := holder.Inbox(); err != nil || len(again) != 0 {
		t.Errorf("a second time: %v, %v", again, err)
	}
	if events, err = holder.History(); err != nil || len(events) != 2 {
		t.Errorf("history a second time: %v, %v", events, err)
	}
}

// TestInboxFails: when the store fails nothing is lost and nothing happens twice.
func TestInboxFails(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	for n := range 3 {
		must(t, w.deliver(wallet.MessageAsked, wallet.AskedMessage{Share: fmt.Sprint("s", n)}))
	}
	broken := errors.New("disk full")
	w.store.(*kv.Memory).FailNext(kv.NotDone, broken)
	if got, err := holder.Inbox(); !errors.Is(err, broken) || len(got) > 0 {
		t.Errorf("not done: got %v, %v", got, err)
	}
	w.store.(*kv.Memory).FailNext(kv.DoneButFailed, broken)
	if _, err := holder.Inbox(); !errors.Is(err, broken) {
		t.Errorf("done but failed: got %v", err)
	}
	_, err := holder.Inbox()
	must(t, err)
	if events, err := holder.History(); err != nil || len(events) != 3 {
		t.Errorf("history: %v, %v", events, err)
	}
}

// TestInboxBounds: strangers cannot fill the disk through a share, and what was full is
// emptied in whole transactions.
func TestInboxBounds(t *testing.T) {
	w := newWorld(t)
	s, err := kv.OpenBadger(t.TempDir(), kv.Options{MemTable: 4 << 20})
	must(t, err)
	defer s.Close()
	w.store = s
	holder := w.wallet()
	if err := w.deliver("groot", strings.Repeat("x", 64<<10)); !errors.Is(err, wallet.ErrMessage) {
		t.Errorf("too large: got %v", err)
	}
	if err := w.deliver("", 1); !errors.Is(err, wallet.ErrMessage) {
		t.Errorf("no kind: got %v", err)
	}
	receipt := strings.Repeat("r", 10<<10)
	for n := range 500 {
		must(t, w.deliver(wallet.MessageOpened, wallet.OpenedMessage{Share: fmt.Sprint(n), Receipt: receipt}))
	}
	if err := w.deliver("een", 1); !errors.Is(err, wallet.ErrInboxFull) {
		t.Errorf("full: got %v", err)
	}
	got, err := holder.Inbox()
	must(t, err)
	if len(got) != 500 {
		t.Errorf("%d messages came out", len(got))
	}
	must(t, w.deliver("weer", 1))
}

// TestInboxAsked: of the questions about a share one waits, and questions leave room for
// what else comes.
func TestInboxAsked(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	ask := func(share int) error {
		return w.deliver(wallet.MessageAsked, wallet.AskedMessage{Share: fmt.Sprint("s", share), At: w.clock.Now()})
	}
	for range 2 {
		for range 600 {
			must(t, ask(1))
		}
		if got, err := holder.Inbox(); err != nil || len(got) != 1 {
			t.Errorf("asked 600 times: %d messages, %v", len(got), err)
		}
	}
	for n := range 250 {
		must(t, ask(n))
	}
	if err := ask(250); !errors.Is(err, wallet.ErrInboxFull) {
		t.Errorf("more than half: got %v", err)
	}
	must(t, ask(7)) // waits already
	for n := range 249 {
		must(t, w.deliver(wallet.MessageOpened, wallet.OpenedMessage{Share: fmt.Sprint("s", n)}))
	}
	must(t, w.deliver(wallet.MessageDraft, wallet.DraftMessage{Form: "own"}))
	if got, err := holder.Inbox(); err != nil || len(got) != 500 {
		t.Errorf("%d messages, %v", len(got), err)
	}
	must(t, ask(250))
}

// TestInboxDraft: a form that would not be kept is refused when it comes, not dropped when
// the holder is back.
func TestInboxDraft(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	for name, tt := range map[string]struct {
		body any
		want error
	}{
		"as large as may be": {wallet.DraftMessage{Form: "own", Values: url.Values{"a": {strings.Repeat("x", 32<<10-10)}}}, nil},
		"larger":             {wallet.DraftMessage{Form: "own", Values: url.Values{"a": {strings.Repeat("x", 32<<10-9)}}}, wallet.ErrDraft},
		"much larger":        {wallet.DraftMessage{Form: "own", Values: url.Values{"a": {strings.Repeat("x", 100<<10)}}}, wallet.ErrDraft},
		"no name":            {wallet.DraftMessage{}, wallet.ErrDraft},
		"no form":            {"tekst", wallet.ErrMessage},
	} {
		if err := w.deliver(wallet.MessageDraft, tt.body); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	_, err := holder.Inbox()
	must(t, err)
	if d, err := holder.Draft("own"); err != nil || len(d.Get("a")) != 32<<10-10 {
		t.Errorf("kept: %d, %v", len(d.Get("a")), err)
	}
}

// TestInboxDamaged: a message that was changed, or put in another place, is not read, and
// does not hold up the others.
func TestInboxDamaged(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	must(t, w.deliver("een", 1))
	must(t, w.store.Update(func(tx kv.Tx) error {
		return tx.Scan([]byte("i/"), func(k, v []byte) error {
			changed := bytes.Clone(v)
			changed[len(changed)-1] ^= 1
			return errors.Join(tx.Set([]byte("i/verplaatst"), v), tx.Set([]byte("i/veranderd"), changed), tx.Set([]byte("i/leeg"), nil))
		})
	}))
	got, err := holder.Inbox()
	if !errors.Is(err, wallet.ErrDamaged) || len(got) != 1 || got[0].Kind != "een" {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err = holder.Inbox(); err != nil || len(got) != 0 {
		t.Errorf("again: got %v, %v", got, err)
	}
}

// TestInboxComesLater: a wallet without an inbox gets one when it is opened.
func TestInboxComesLater(t *testing.T) {
	w := newWorld(t)
	wallet.WithoutInbox(w.wallet())
	if err := w.deliver("een", 1); err == nil {
		t.Error("delivered to nobody")
	}
	for range 2 {
		_, err := wallet.Unlock(w.config(), []byte(passphrase))
		must(t, err)
		must(t, w.deliver("een", 1))
	}
	holder, err := wallet.Unlock(w.config(), []byte(passphrase))
	must(t, err)
	if got, err := holder.Inbox(); err != nil || len(got) != 2 {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestDrafts: half-filled forms are kept for a while, and not without bound.
func TestDrafts(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	if d, err := holder.Draft("own"); d != nil || err != nil {
		t.Errorf("none: got %v, %v", d, err)
	}
	for name, tt := range map[string]struct {
		form, value string
	}{"too large": {"own", strings.Repeat("x", 33<<10)}, "no name": {"", "x"}, "long name": {strings.Repeat("f", 201), "x"}} {
		if err := holder.SaveDraft(tt.form, url.Values{"a": {tt.value}}); !errors.Is(err, wallet.ErrDraft) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for n := range 21 {
		must(t, holder.SaveDraft(fmt.Sprint("form-", n), url.Values{"a": {fmt.Sprint(n)}}))
		w.clock.Advance(time.Minute)
	}
	if d, err := holder.Draft("form-0"); d != nil || err != nil {
		t.Errorf("the oldest made no room: %v, %v", d, err)
	}
	if d, err := holder.Draft("form-20"); err != nil || d.Get("a") != "20" {
		t.Errorf("the newest: %v, %v", d, err)
	}
	must(t, holder.SaveDraft("form-20", url.Values{"a": {"anders"}})) // takes nobody's place
	if d, err := holder.Draft("form-1"); err != nil || d.Get("a") != "1" {
		t.Errorf("saving again made another go: %v, %v", d, err)
	}
	must(t, holder.DropDraft("form-20"))
	if d, err := holder.Draft("form-20"); d != nil || err != nil {
		t.Errorf("dropped: %v, %v", d, err)
	}
	w.clock.Advance(31 * 24 * time.Hour)
	if d, err := holder.Draft("form-1"); d != nil || err != nil {
		t.Errorf("old: %v, %v", d, err)
	}
}

// TestPerson: kept sealed, empty at first.
func TestPerson(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	if p, err := holder.Person(); !cmp.Equal(p, wallet.Person{}) || err != nil {
		t.Errorf("first: %+v, %v", p, err)
	}
	want := wallet.Person{Name: "Samira", RecoveryConfirmed: true}
	must(t, holder.ChangePerson(func(p *wallet.Person) { *p = want }))
	if p, err := holder.Person(); !cmp.Equal(p, want) || err != nil {
		t.Errorf("got %+v, %v", p, err)
	}
}

// TestChangePerson: changes at once all stay.
func TestChangePerson(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			err := holder.ChangePerson(func(p *wallet.Person) {
				if p.Passkeys == nil {
					p.Passkeys = map[string]string{}
				}
				p.Passkeys[fmt.Sprint(n)] = "telefoon"
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	must(t, holder.ChangePerson(func(p *wallet.Person) { p.Name = "Samira" }))
	if p, err := holder.Person(); err != nil || p.Name != "Samira" || len(p.Passkeys) != 8 {
		t.Errorf("got %+v, %v", p, err)
	}
}

// TestRedeclare: own words are changed in place.
func TestRedeclare(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	id, err := holder.Declare(words())
	must(t, err)
	claims, err := holder.Declaration(id)
	must(t, err)
	claims["title"] = "Anders gezegd"
	must(t, holder.Redeclare(id, claims))
	items, err := holder.List()
	must(t, err)
	if len(items) != 1 || items[0].ID != id || items[0].Name != "Anders gezegd" {
		t.Errorf("list: %+v", items)
	}
	events, err := holder.History()
	must(t, err)
	if e := events[len(events)-1]; e.Kind != wallet.EventDeclared || e.Outcome != wallet.OutcomeChanged || e.Credential != id {
		t.Errorf("history: %+v", e)
	}
	if err := holder.Redeclare("nietes", claims); !errors.Is(err, wallet.ErrNotHere) {
		t.Errorf("nothing there: got %v", err)
	}
	if err := holder.Redeclare(id, map[string]any{"title": 7}); err == nil {
		t.Error("words that do not fit were taken")
	}
	if _, err := holder.Declaration("nietes"); !errors.Is(err, wallet.ErrNotHere) {
		t.Errorf("nothing there: got %v", err)
	}
}
