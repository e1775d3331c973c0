package wallet_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/wallet"
)

// prf is what a passkey gives.
var prf = bytes.Repeat([]byte("prf!"), 8)

// TestUnlockers: each unlocker opens the same wallet, and nothing that looks like one does.
func TestUnlockers(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	id, err := holder.Declare(words())
	must(t, err)
	code, err := holder.NewRecoveryCode()
	must(t, err)
	must(t, holder.AddPasskey("sleutel-1", prf))
	others, err := wallet.ParseRecoveryCode(strings.ToLower(code.String()))
	must(t, err)
	if others != code {
		t.Error("a code does not survive paper")
	}
	var blank wallet.RecoveryCode
	for _, tt := range []struct {
		name string
		open func(wallet.Config) (*wallet.Wallet, error)
		want error
	}{
		{"passphrase", func(c wallet.Config) (*wallet.Wallet, error) { return wallet.Unlock(c, []byte(passphrase)) }, nil},
		{"recovery code", func(c wallet.Config) (*wallet.Wallet, error) { return wallet.UnlockWithRecovery(c, code) }, nil},
		{"passkey", func(c wallet.Config) (*wallet.Wallet, error) { return wallet.UnlockWithPasskey(c, "sleutel-1", prf) }, nil},
		{"another code", func(c wallet.Config) (*wallet.Wallet, error) { return wallet.UnlockWithRecovery(c, blank) }, wallet.ErrRecoveryCode},
		{"the code as passphrase", func(c wallet.Config) (*wallet.Wallet, error) { return wallet.Unlock(c, []byte(code.String())) }, wallet.ErrPassphrase},
		{"another passkey", func(c wallet.Config) (*wallet.Wallet, error) { return wallet.UnlockWithPasskey(c, "sleutel-2", prf) }, wallet.ErrPasskey},
		{"another secret", func(c wallet.Config) (*wallet.Wallet, error) {
			return wallet.UnlockWithPasskey(c, "sleutel-1", bytes.Repeat([]byte{1}, 32))
		}, wallet.ErrPasskey},
		{"a short secret", func(c wallet.Config) (*wallet.Wallet, error) {
			return wallet.UnlockWithPasskey(c, "sleutel-1", prf[:16])
		}, wallet.ErrPasskey},
	} {
		got, err := tt.open(w.config())
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
		if tt.want != nil || err != nil {
			continue
		}
		if _, err := got.Declaration(id); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	events, err := holder.History()
	must(t, err)
	if last := events[len(events)-1]; last.Kind != wallet.EventRecovered {
		t.Errorf("that the code was used is not in the history: %+v", last)
	}
}

// TestWrapsChanged: a wrap belongs to its kind and its id, whatever its key.
func TestWrapsChanged(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	code, err := holder.NewRecoveryCode()
	must(t, err)
	must(t, holder.AddPasskey("sleutel-1", prf))
	good := vaultRow(t, w.store)
	for name, tt := range map[string]struct {
		from, to string
		open     func() error
		want     error
	}{
		"recovery as passkey": {`"kind":"recovery","id":"recovery"`, `"kind":"recovery","id":"ander"`, func() error {
			_, err := wallet.UnlockWithRecovery(w.config(), code)
			return err
		}, wallet.ErrRecoveryCode},
		"passkey under another id": {`"id":"sleutel-1"`, `"id":"sleutel-2"`, func() error {
			_, err := wallet.UnlockWithPasskey(w.config(), "sleutel-2", prf)
			return err
		}, wallet.ErrPasskey},
		"inbox of somebody else": {`"inbox":"`, `"inbox":"AAAA`, func() error {
			_, err := wallet.Unlock(w.config(), []byte(passphrase))
			return err
		}, wallet.ErrDamaged},
	} {
		changed := bytes.Replace(good, []byte(tt.from), []byte(tt.to), 1)
		if bytes.Equal(changed, good) {
			t.Fatalf("%s: nothing changed in %s", name, good)
		}
		must(t, w.store.Update(func(tx kv.Tx) error { return tx.Set([]byte("vault"), changed) }))
		if err := tt.open(); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

func vaultRow(t *testing.T, s kv.Store) (raw []byte) {
	t.Helper()
	must(t, s.View(func(tx kv.Tx) (err error) {
		raw, err = tx.Get([]byte("vault"))
		return err
	}))
	return raw
}

// rowsOf is a store as it stands.
func rowsOf(t *testing.T, s kv.Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, s.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(k, v []byte) error {
			out[string(k)] = string(v)
			return nil
		})
	}))
	return out
}

// TestChangePassphrase: the new one opens, the old one does not, and of the data nothing
// is written again but the history.
func TestChangePassphrase(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	w.accept(holder, configID)
	before := rowsOf(t, w.store)
	if err := holder.ChangePassphrase([]byte("kort")); !errors.Is(err, wallet.ErrWeakPassphrase) {
		t.Errorf("a short one: got %v", err)
	}
	must(t, holder.ChangePassphrase([]byte("een nieuwe wachtwoordzin")))
	after := rowsOf(t, w.store)
	changed := 0
	for k, v := range after {
		if k != "vault" && before[k] != "" && before[k] != v {
			changed++
		}
	}
	if added := len(after) - len(before); changed != 1 || added != 1 { // the count of events, and the event
		t.Errorf("%d rows changed and %d were added, want the history only", changed, added)
	}
	if _, err := wallet.Unlock(w.config(), []byte(passphrase)); !errors.Is(err, wallet.ErrPassphrase) {
		t.Errorf("the old one: got %v", err)
	}
	got, err := wallet.Unlock(w.config(), []byte("een nieuwe wachtwoordzin"))
	must(t, err)
	if items, err := got.List(); err != nil || len(items) != 1 {
		t.Errorf("got %v, %v", items, err)
	}
}

// TestKnows: whoever is in can be asked for what opens, and what opened before does not
// count.
func TestKnows(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	if holder.KnowsRecoveryCode(wallet.RecoveryCode{}) {
		t.Error("no code was made, and one is right")
	}
	old, err := holder.NewRecoveryCode()
	must(t, err)
	code, err := holder.NewRecoveryCode()
	must(t, err)
	if !holder.KnowsRecoveryCode(code) || holder.KnowsRecoveryCode(old) {
		t.Error("of two recovery codes the last one counts")
	}
	must(t, holder.KnowsPassphrase([]byte(passphrase)))
	must(t, holder.ChangePassphrase([]byte("een nieuwe wachtwoordzin")))
	if err := holder.KnowsPassphrase([]byte(passphrase)); !errors.Is(err, wallet.ErrPassphrase) {
		t.Errorf("the old passphrase: got %v", err)
	}
	must(t, holder.KnowsPassphrase([]byte("een nieuwe wachtwoordzin")))
	events, err := holder.History()
	must(t, err)
	if len(events) != 1 { // the change of passphrase
		t.Errorf("asking left traces: %+v", events)
	}
	must(t, wallet.Destroy(w.store))
	if err := holder.KnowsPassphrase([]byte(passphrase)); !errors.Is(err, wallet.ErrNoWallet) {
		t.Errorf("a wallet that is gone: got %v", err)
	}
	w.wallet() // of somebody else, with the same passphrase
	if err := holder.KnowsPassphrase([]byte(passphrase)); !errors.Is(err, wallet.ErrPassphrase) {
		t.Errorf("another wallet in its place: got %v", err)
	}
}

// TestPasskeyIsNeverAlone: a passkey comes beside something that is not lost with a
// device, and goes again.
func TestPasskeyIsNeverAlone(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	must(t, holder.AddPasskey("sleutel-1", prf))
	must(t, holder.AddPasskey("sleutel-1", bytes.Repeat([]byte{2}, 32))) // again: one, with the last secret
	got, err := holder.Unlockers()
	must(t, err)
	if len(got) != 2 || got[0].Kind != "passphrase" || got[1] != (wallet.Unlocker{Kind: "passkey", ID: "sleutel-1"}) {
		t.Errorf("unlockers: %v", got)
	}
	if err := wallet.LeaveOnlyPasskeys(holder); !errors.Is(err, wallet.ErrLastUnlocker) {
		t.Errorf("passkeys alone: got %v", err)
	}
	must(t, holder.RemovePasskey("sleutel-1"))
	for _, id := range []string{"sleutel-1", ""} {
		if err := holder.RemovePasskey(id); !errors.Is(err, wallet.ErrNotHere) {
			t.Errorf("%q again: got %v", id, err)
		}
	}
	if _, err := wallet.UnlockWithPasskey(w.config(), "sleutel-1", prf); !errors.Is(err, wallet.ErrPasskey) {
		t.Errorf("a passkey that was removed: got %v", err)
	}
}

// TestRecoveryCode: as it is typed, and with the mistakes that people make.
func TestRecoveryCode(t *testing.T) {
	holder := newWorld(t).wallet()
	code, err := holder.NewRecoveryCode()
	must(t, err)
	text := code.String()
	if len(text) != 35 || strings.Count(text, "-") != 5 {
		t.Errorf("form of %s", text)
	}
	swap := []byte(text)
	at := 0
	for swap[at] == swap[at+1] || swap[at] == '-' || swap[at+1] == '-' {
		at++
	}
	swap[at], swap[at+1] = swap[at+1], swap[at]
	for name, tt := range map[string]struct {
		text string
		good bool
	}{
		"as printed":      {text, true},
		"lower case":      {strings.ToLower(text), true},
		"no dashes":       {strings.ReplaceAll(text, "-", ""), true},
		"spaces, dashes":  {" " + strings.ReplaceAll(text, "-", " \u2013\u00a0") + "\n", true},
		"letters as read": {strings.NewReplacer("0", "o", "1", "l").Replace(text), true},
		"I for 1":         {strings.ReplaceAll(text, "1", "i"), true},
		"empty":           {"", false},
		"cut off":         {text[:34], false},
		"one more":        {text + "0", false},
		"two swapped":     {string(swap), false},
		"one changed":     {strings.Replace(text, text[:1], string("0123456789"[(text[0]+1)%10]), 1), false},
		"a sentence":      {"dit is geen code maar een zin van dertig", false},
		"U is no digit":   {"U" + text[1:], false},
	} {
		got, err := wallet.ParseRecoveryCode(tt.text)
		if tt.good && (err != nil || got != code) || !tt.good && (!errors.Is(err, wallet.ErrRecoveryCode) || got != wallet.RecoveryCode{}) {
			t.Errorf("%s (%q): got %v, %v", name, tt.text, got, err)
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("test", "code", code)
	if strings.Contains(log.String(), text) {
		t.Errorf("the code is in the log: %s", log.String())
	}
	again, err := holder.NewRecoveryCode()
	must(t, err)
	if again == code || again.Lookup() == code.Lookup() {
		t.Error("a new code is the old one")
	}
}

// TestLookup: the name to find a wallet by is not what opens it, nor a part of it.
func TestLookup(t *testing.T) {
	code, err := newWorld(t).wallet().NewRecoveryCode()
	must(t, err)
	lookup, key := code.Lookup(), wallet.KeyOf(code)
	if len(key) != len(lookup) || bytes.Equal(lookup[:], key) || bytes.Equal(lookup[:8], key[:8]) {
		t.Error("the lookup gives the key away")
	}
}

// TestDestroy: of a wallet that is destroyed nothing is left in the store.
func TestDestroy(t *testing.T) {
	w := newWorld(t)
	whole := w.store
	for _, id := range []string{"een", "twee"} {
		w.store = kv.Sub(whole, "h/"+id+"/")
		w.accept(w.wallet(), configID)
	}
	must(t, wallet.Destroy(kv.Sub(whole, "h/een/")))
	for k := range maps.Keys(rowsOf(t, whole)) {
		if strings.HasPrefix(k, "h/een/") {
			t.Errorf("%q is left", k)
		}
	}
	w.store = kv.Sub(whole, "h/een/")
	if _, err := wallet.Unlock(w.config(), []byte(passphrase)); !errors.Is(err, wallet.ErrNoWallet) {
		t.Errorf("after: got %v", err)
	}
	w.wallet() // and one can begin again
	w.store = kv.Sub(whole, "h/twee/")
	got, err := wallet.Unlock(w.config(), []byte(passphrase))
	must(t, err)
	if items, err := got.List(); err != nil || len(items) != 1 {
		t.Errorf("the neighbour: %v, %v", items, err)
	}
}

func FuzzParseRecoveryCode(f *testing.F) {
	for _, s := range []string{"", "00000-00000-00000-00000-00000-00000", "7Q2XK-0M9ZT-4HWBE-VR8NC-D61YA-JS3FG", "\u2013 o l i"} {
		f.Add(s)
	}
	f.Add(fmt.Sprint(wallet.RecoveryCode{}))
	f.Fuzz(func(t *testing.T, text string) {
		code, err := wallet.ParseRecoveryCode(text)
		if err != nil {
			if code != (wallet.RecoveryCode{}) {
				t.Error("an error with a code")
			}
			return
		}
		again, err := wallet.ParseRecoveryCode(code.String())
		if err != nil || again != code {
			t.Errorf("%q became %q and then %v", text, code, err)
		}
	})
}
