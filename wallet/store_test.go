package wallet_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/privacyscan"
	"paspoort.example/paspoort/wallet"
)

// TestUnlock: the wallet opens with its passphrase and with no other, and is made
// once.
func TestUnlock(t *testing.T) {
	w := newWorld(t)
	if _, err := wallet.Unlock(w.config(), []byte(passphrase)); !errors.Is(err, wallet.ErrNoWallet) {
		t.Errorf("before: got %v", err)
	}
	if _, err := wallet.Init(w.config(), []byte("kort")); !errors.Is(err, wallet.ErrWeakPassphrase) {
		t.Errorf("short: got %v", err)
	}
	holder := w.wallet()
	w.accept(holder, configID)
	if _, err := wallet.Init(w.config(), []byte(passphrase)); !errors.Is(err, wallet.ErrExists) {
		t.Errorf("twice: got %v", err)
	}
	if _, err := wallet.Unlock(w.config(), []byte("een andere wachtwoordzin")); !errors.Is(err, wallet.ErrPassphrase) {
		t.Errorf("wrong passphrase: got %v", err)
	}
	again, err := wallet.Unlock(w.config(), []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	if items, err := again.List(); err != nil || len(items) != 1 {
		t.Errorf("after: %v, %v", items, err)
	}
}

// TestDamage: a value that was changed, put under another key or taken away is refused,
// not read as something else or passed over.
func TestDamage(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	id := w.accept(holder, configID).ID
	key, other := wallet.RowOf(holder, "credential/"+id), wallet.RowOf(holder, "copy/"+id+"/0001")
	rows := rowsOf(t, w.store)
	good := []byte(rows[string(key)])
	for name, change := range map[string]func(tx kv.Tx) error{
		"one bit": func(tx kv.Tx) error {
			v := bytes.Clone(good)
			v[len(v)-1] ^= 1
			return tx.Set(key, v)
		},
		"moved":          func(tx kv.Tx) error { return tx.Set(key, []byte(rows[string(other)])) },
		"cut off":        func(tx kv.Tx) error { return tx.Set(key, good[:10]) },
		"another format": func(tx kv.Tx) error { return tx.Set(key, append([]byte{9}, good[1:]...)) },
		"taken away":     func(tx kv.Tx) error { return tx.Delete(key) },
	} {
		must(t, w.store.Update(change))
		holder, err := wallet.Unlock(w.config(), []byte(passphrase))
		must(t, err)
		if _, err = holder.List(); !errors.Is(err, wallet.ErrDamaged) && !errors.Is(err, kv.ErrFormat) {
			t.Errorf("%s: got %v", name, err)
		}
		must(t, w.store.Update(func(tx kv.Tx) error { return tx.Set(key, good) }))
	}
	must(t, w.store.Update(func(tx kv.Tx) error { return tx.Delete(wallet.RowOf(holder, "settings")) }))
	if _, err := wallet.Unlock(w.config(), []byte(passphrase)); !errors.Is(err, wallet.ErrDamaged) {
		t.Errorf("a wallet without its settings: got %v", err)
	}
}

// TestDeleteLeavesNoCopy: with a credential all its rows go.
func TestDeleteLeavesNoCopy(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	id := w.accept(holder, configID).ID
	before := len(rowsOf(t, w.store))
	wallet.Multiply(holder, 2)
	if more := len(rowsOf(t, w.store)) - before; more != 10 { // the credential and nine copies
		t.Errorf("control: another one takes %d rows", more)
	}
	must(t, holder.Delete(id))
	if after := len(rowsOf(t, w.store)); after != before+1 { // the event
		t.Errorf("%d rows are left over", after-before-1)
	}
	if err := holder.Delete(id); !errors.Is(err, wallet.ErrNotHere) {
		t.Errorf("again: got %v", err)
	}
}

// TestVaultChanged: the parameters of the key derivation are part of what is sealed,
// and none may use up the machine.
func TestVaultChanged(t *testing.T) {
	w := newWorld(t)
	w.wallet()
	vault := []byte("vault")
	var good []byte
	must(t, w.store.View(func(tx kv.Tx) (err error) {
		good, err = tx.Get(vault)
		return err
	}))
	for name, tt := range map[string]struct {
		from, to string
		want     error
	}{
		"other cost":          {`"time":1`, `"time":2`, wallet.ErrPassphrase},
		"other kind":          {`"kind":"passphrase"`, `"kind":"passkey"`, wallet.ErrPassphrase},
		"memory of a machine": {`"memory_kib":8192`, `"memory_kib":4000000000`, kv.ErrFormat},
		"no memory":           {`"memory_kib":8192`, `"memory_kib":8`, kv.ErrFormat},
		"for ever":            {`"time":1`, `"time":4000000`, kv.ErrFormat},
		"no JSON":             {`"wraps":[`, `"wraps":`, kv.ErrFormat},
		"member twice":        {`"time":1`, `"time":1,"time":1`, kv.ErrFormat},
		"no unlocker":         {`{"wraps"`, `{"none"`, wallet.ErrPassphrase},
	} {
		changed := bytes.Replace(good, []byte(tt.from), []byte(tt.to), 1)
		if bytes.Equal(changed, good) {
			t.Fatalf("%s: nothing changed in %s", name, good)
		}
		must(t, w.store.Update(func(tx kv.Tx) error { return tx.Set(vault, changed) }))
		if _, err := wallet.Unlock(w.config(), []byte(passphrase)); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	must(t, w.store.Update(func(tx kv.Tx) error { return tx.Set(vault, good) }))
	if _, err := wallet.Unlock(w.config(), []byte(passphrase)); err != nil {
		t.Errorf("control: %v", err)
	}
}

// TestStoreFails: when the store fails while a credential comes in, nothing of it
// stays and the issuer hears of it.
func TestStoreFails(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	offer, err := holder.Offer(t.Context(), w.vci.Link(configID, ""), wallet.Trust{})
	must(t, err)
	memory := w.store.(*kv.Memory)
	w.web.Down = true // status lists out of reach are no reason to refuse
	memory.FailNext(kv.NotDone, errors.New("disk full"))
	if _, err := holder.Accept(t.Context(), offer, wallet.Choices{}); err == nil {
		t.Fatal("no error")
	}
	nothingStored(t, holder)
}

// planted are words that must not be readable in the files of a wallet, in any
// encoding.
var planted = []string{
	"Samira", "Voorbeeld-Idrissi", "Helpen bij dagelijkse zorg", "Verzorgen", "Opleidingshuis", issuerHost, verifierHost,
	"Ossekamp", "Ik werk graag met mensen", "wachtwoordzin", "credential/", "history/", "slot/0000", "settings", "askers",
	"eyJhbGci", // a JWT
	"knoop-1",  // a node
	"did:jwk:", // a holder key
	"urn:paspoort",
}

// TestNothingReadableOnDisk writes a whole life into a store on disk and looks for
// planted words in its files. The control plants one in clear and must find it.
func TestNothingReadableOnDisk(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t)
	open := func() kv.Store {
		s, err := kv.OpenBadger(dir, kv.Options{MemTable: 1 << 20})
		must(t, err)
		return s
	}
	w.store = open()
	holder := w.wallet()
	w.accept(holder, configID)
	_, err := holder.Declare(words())
	must(t, err)
	r, err := holder.Request(t.Context(), w.verifier.skills(true, "direct_post", verzorgen), wallet.Trust{})
	must(t, err)
	_, err = holder.Present(t.Context(), r, wallet.Decision{})
	must(t, err)
	must(t, w.store.Close())
	scan, err := privacyscan.New(planted...)
	must(t, err)
	report, err := scan.Tree(dir)
	must(t, err)
	for _, f := range report.Findings {
		t.Error(f)
	}

	store := open()
	must(t, store.Update(func(tx kv.Tx) error { return tx.Set([]byte("control"), []byte("Samira in het zicht")) }))
	must(t, store.Close())
	if report, err = scan.Tree(dir); err != nil || len(report.Findings) == 0 || report.Stores == 0 {
		t.Errorf("the control was not found: the search finds nothing (%+v, %v)", report, err)
	}
}

// TestNothingInLogs runs through the warnings that a wallet logs and looks for the
// holder in them.
func TestNothingInLogs(t *testing.T) {
	w := newWorldOf(t, 2)
	var log bytes.Buffer
	c := w.config()
	c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	holder, err := wallet.Init(c, []byte(passphrase), wallet.RegionSettings{Genesis: w.region.Genesis, Nodes: []string{"https://knoop-1.example"}})
	must(t, err)
	w.nodesDown["knoop-1"] = true
	w.accept(holder, configID)
	w.stale, w.web.Down = true, true
	_, err = holder.Standings(t.Context())
	must(t, err)
	delete(w.hosts, issuerHost)
	for i := range 3 { // until copies run out
		w.stale = false
		a := w.newAsker(fmt.Sprintf("vrager-%d.example.com", i), true)
		w.refresh()
		w.stale = true
		r, err := holder.Request(t.Context(), a.skills(true, "direct_post", verzorgen), wallet.Trust{AcceptUnknown: true})
		must(t, err)
		_, err = holder.Present(t.Context(), r, wallet.Decision{})
		if i == 2 && errors.Is(err, wallet.ErrAgain) {
			_, err = holder.Present(t.Context(), r, wallet.Decision{})
		}
		must(t, err)
	}
	if log.Len() == 0 {
		t.Fatal("nothing was logged: the test sees nothing")
	}
	for _, secret := range []string{"Samira", "Voorbeeld", "Verzorgen", verzorgen, "eyJ", passphrase, "did:jwk", "pre-authorized"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, log.String())
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
