package outbound

import (
	"net/netip"
	"net/url"
	"testing"
)

// FuzzCheckURL: what passes is an absolute https URL with a host and no user.
func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{"https://a.example/x?y#z", "http://localhost:1", "https://u@a", "https://[::1]:443/", "//a", "https:a", "https://%00/"} {
		f.Add(seed)
	}
	strict := New(Policy{})
	f.Fuzz(func(t *testing.T, raw string) {
		if strict.CheckURL(raw) != nil {
			return
		}
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			t.Errorf("%q passes", raw)
		}
	})
}

// FuzzAddress: an address and the same one mapped into IPv6 are judged alike, and
// nothing private passes in either form.
func FuzzAddress(f *testing.F) {
	for _, seed := range [][]byte{{10, 0, 0, 1}, {127, 0, 0, 1}, {93, 184, 215, 14}, {169, 254, 169, 254}, {100, 64, 0, 1}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, ok := netip.AddrFromSlice(raw)
		if !ok {
			return
		}
		got := Policy{}.allowed(a)
		if a.Is4() && (Policy{}).allowed(netip.AddrFrom16(a.As16())) != got {
			t.Errorf("%v is judged otherwise when mapped", a)
		}
		plain := a.Unmap()
		if got && (plain.IsPrivate() || plain.IsLoopback() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified()) {
			t.Errorf("%v passes", a)
		}
	})
}
