package host

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/kv"
)

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// scan says whether a text stands anywhere in a store.
func scan(t *testing.T, s kv.Store, text string) (found bool) {
	t.Helper()
	err := s.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(key, value []byte) error {
			found = found || bytes.Contains(key, []byte(text)) || bytes.Contains(value, []byte(text))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// accountsOf are the ids of all accounts.
func accountsOf(t *testing.T, g *rig) (ids []string) {
	t.Helper()
	err := g.store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(accountPrefix), func(key, _ []byte) error {
			ids = append(ids, strings.TrimPrefix(string(key), accountPrefix))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// TestNothingReadable: no word of a holder stands in the store, the log, or an address. A
// planted word is found first.
func TestNothingReadable(t *testing.T) {
	g := newRig(t)
	g.holder("Samira").collect()
	words := []string{"Samira", goodSecret, "Verzorgen", "given_name", issuerName, "eyJ0eXAi"}
	for _, w := range words {
		if scan(t, g.store, w) {
			t.Errorf("%q stands in the store", w)
		}
		if strings.Contains(g.log.String(), w) {
			t.Errorf("%q stands in the log", w)
		}
	}
	if err := g.store.Update(func(tx kv.Tx) error { return tx.Set([]byte("x"), []byte("Samira")) }); err != nil {
		t.Fatal(err)
	}
	if !scan(t, g.store, "Samira") {
		t.Error("control: a planted word is not found")
	}
}

// TestNumbers: a mistyped number is found before anything is tried with it.
func TestNumbers(t *testing.T) {
	g := newRig(t)
	for range 200 {
		number, err := newNumber(g.host.c.Rand)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := readNumber(spaced(number)); !ok || got != number {
			t.Fatalf("%s is not read", number)
		}
		for at := range number {
			wrong := []byte(number)
			wrong[at] = '0' + (wrong[at]-'0'+1)%10
			if _, ok := readNumber(string(wrong)); ok {
				t.Errorf("%s passes for %s", wrong, number)
			}
		}
	}
}

// FuzzNumber: whatever is typed is a number of eight digits or refused.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"4821 9157", "", "١٢٣٤٥٦٧٨", "123456789012"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		if got, ok := readNumber(typed); ok && (len(got) != numberSize || strings.Trim(got, "0123456789") != "") {
			t.Errorf("%q gives %q", typed, got)
		}
	})
}

// FuzzBring: whatever is pasted is an offer, a request, or refused, and is never longer than
// it may be.
func FuzzBring(f *testing.F) {
	for _, seed := range []string{"openid-credential-offer://?credential_offer_uri=https://x", "openid4vp://?client_id=x", "https://x.example/r/1", " ", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		bring, ok := bringFrom(text)
		if ok && !strings.HasPrefix(bring, bringsOffer) && !strings.HasPrefix(bring, bringsRequest) || len(bring) > maxBring+16 {
			t.Errorf("%q gives %q", text, bring)
		}
	})
}

// FuzzLocalPath: where one goes after signing in is always on this site.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/paspoort", "//elsewhere.example", "/\\elsewhere", "https://elsewhere.example", "javascript:x", "/x?y#z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got := localPath(path)
		u, err := url.Parse(got)
		if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") {
			t.Errorf("%q gives %q", path, got)
		}
	})
}

// FuzzQRPhoto: a hostile picture is refused and breaks nothing.
func FuzzQRPhoto(f *testing.F) {
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add([]byte("\xff\xd8\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 1<<16 {
			return
		}
		_, _ = readQR(raw)
	})
}
