package web

import (
	"context"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

// handler is a whole site that can still be asked about itself.
type handler struct {
	http.Handler
	site *Site
}

// Metrics is where collectors of the same process are added to what the site shows.
func (h handler) Metrics() *prometheus.Registry { return h.site.Metrics }

// Ready says what /readyz says.
func (h handler) Ready(ctx context.Context) error {
	if h.site.o.Ready == nil {
		return nil
	}
	return h.site.o.Ready(ctx)
}

// operatorPaths are for whoever runs the server.
var operatorPaths = map[string]bool{"/metrics": true}

// sharedPaths are for the operator and for the proxy or balancer before the server.
var sharedPaths = map[string]bool{"/healthz": true, "/readyz": true}

// Public is h without what is for its operator: for a server that has a listener for that.
func Public(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if operatorPaths[r.URL.Path] {
			WriteError(w, http.StatusNotFound, "not_found", "there is nothing at this address")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// Operator is the other side: of h only what is for its operator, and pages for all else,
// which may be nil. It is to listen on loopback, which is why it asks for no password; so it
// answers only who calls it by a loopback name. A page of a stranger whose name was made to
// point here (DNS rebinding) would otherwise read it through the operator's browser.
func Operator(h, pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !loopbackName(r.Host):
			WriteError(w, http.StatusMisdirectedRequest, "not_found", "call this address by 127.0.0.1 or localhost")
		case operatorPaths[r.URL.Path] || sharedPaths[r.URL.Path]:
			h.ServeHTTP(w, r)
		case pages != nil:
			SecurityHeaders(http.NewCrossOriginProtection().Handler(pages)).ServeHTTP(w, r)
		default:
			WriteError(w, http.StatusNotFound, "not_found", "here are /metrics, /healthz and /readyz")
		}
	})
}

// loopbackName says whether a Host header, or the host of an address to listen on, is of
// this computer.
func loopbackName(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Loopback says whether host:port is an address on which only this computer can be reached.
func Loopback(hostport string) bool {
	_, _, err := net.SplitHostPort(hostport)
	return err == nil && loopbackName(hostport)
}
