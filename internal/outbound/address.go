package outbound

import "net/netip"

// reserved are the ranges beyond what netip knows by name. IANA special-purpose
// address registries (RFC 6890 and later): not globally reachable, or they carry
// an IPv4 address inside, by which a private one could be reached.
var reserved = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
	"2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func (p Policy) allowed(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if public(a) || inside(a, p.AllowPrivate) {
		return true
	}
	return p.AllowLoopbackHTTP && a.IsLoopback()
}

func onlyLoopback(a netip.Addr) bool { return a.Unmap().IsLoopback() }

func public(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !inside(a, reserved)
}

func inside(a netip.Addr, ranges []netip.Prefix) bool {
	for _, p := range ranges {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func isLoopbackName(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
