package conf

import (
	"strings"

	"paspoort.example/paspoort/internal/outbound"
)

// Seat is the file of `paspoort registry` and `paspoort desk`: from where one member or
// organisation has its say in a region.
type Seat struct {
	Region   Region            `json:"region"`
	Outbound outbound.Settings `json:"outbound"`
	// Party is who signs: "member/ID" or "organisation/ID".
	Party string `json:"party"`
	// Key is a key file, or the address of a key on a token (RFC 7512), which begins
	// with "pkcs11:".
	Key string `json:"key"`
	// Data is the folder where the desk keeps its copy of the registry; empty means
	// that it fetches one at each start.
	Data string `json:"data,omitempty"`
}

// OnToken says whether the address of a key is that of one on a token.
func OnToken(key string) bool { return strings.HasPrefix(key, "pkcs11:") }

func (c *Seat) paths() []*string {
	out := []*string{&c.Data, &c.Outbound.CAFile}
	if !OnToken(c.Key) {
		out = append(out, &c.Key)
	}
	return out
}
