package keyfile

import (
	"errors"
	"strings"
	"testing"
)

func TestTokenAddress(t *testing.T) {
	const module = "?module-path=/usr/lib/x.so"
	a, err := parseToken("pkcs11:token=Lid%20Anker;object=stem;id=%01%02;type=private" + module + "&pin-source=file:/etc/pin")
	if err != nil || a.token != "Lid Anker" || a.object != "stem" || string(a.id) != "\x01\x02" || a.module != "/usr/lib/x.so" || a.pinSource != "/etc/pin" {
		t.Errorf("got %+v and %v", a, err)
	}
	for name, address := range map[string]string{
		"a PIN in it": "pkcs11:token=a;object=b" + module + "&pin-value=1234",
		"no token":    "pkcs11:object=b" + module,
		"no key":      "pkcs11:token=a" + module,
		"no library":  "pkcs11:token=a;object=b",
		"twice":       "pkcs11:token=a;token=b;object=b" + module,
		"misspelt":    "pkcs11:tokn=a;object=b" + module,
		"bad escape":  "pkcs11:token=%zz;object=b" + module,
	} {
		if _, err := parseToken(address); !errors.Is(err, ErrToken) || strings.Contains(err.Error(), "1234") {
			t.Errorf("%s: got %v, want ErrToken without the PIN", name, err)
		}
	}
}

func FuzzTokenAddress(f *testing.F) {
	f.Add("pkcs11:token=a;object=b?module-path=/x&pin-source=y")
	f.Add("pkcs11:id=%00;serial=1?module-path=/x")
	f.Fuzz(func(t *testing.T, address string) {
		a, err := parseToken(address)
		if err == nil && (a.module == "" || a.token == "" && a.serial == "" || a.object == "" && len(a.id) == 0) {
			t.Errorf("%q was taken without %+v", address, a)
		}
	})
}
