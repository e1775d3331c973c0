package host

import (
	"net/http"
	"strings"
)

// forwarded is the address that the outermost of our own proxies saw. Each proxy adds one
// entry at the end of X-Forwarded-For; what stands before those was written by a stranger.
func forwarded(r *http.Request, proxies int, otherwise string) string {
	entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	at := len(entries) - proxies
	if at < 0 {
		return otherwise
	}
	if s := strings.TrimSpace(entries[at]); s != "" {
		return s
	}
	return otherwise
}
