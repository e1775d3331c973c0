// Package web is the HTTP server kit: what every role's server has in common and no
// role decides for itself.
//
// A [Site] has two routers. Pages are for people: forms come from our own origin
// only (http.CrossOriginProtection), headers are strict, nothing is inline.
// Protocol is for programs: OpenID4VCI's token endpoint and OpenID4VP's
// direct_post are cross-origin by design, answers are JSON, errors too. A path
// belongs to one of the two.
//
// Around both stand the same things: headers, a limit on the body, a log line
// and two metrics per request that name the route and never an address, a query,
// or what stood in the path.
//
//	site := web.New(web.Options{Role: "issuer", Log: log})
//	site.Protocol.HandleFunc("/token", token).Methods("POST")
//	site.Pages.HandleFunc("/offer/{id}", offer).Methods("GET")
//	err := web.Serve(ctx, listener, site.Handler(), tlsConfig)
//
// It is not a framework: handlers are those of net/http.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options of a Site; useful when zero.
type Options struct {
	// Role names the server in logs and metrics: node, issuer, verifier, wallet.
	Role string

	// Log gets one line per request. Nil means none.
	Log *slog.Logger

	// Clock tells the time for durations. Nil means time.Now.
	Clock func() time.Time

	// MaxBody is the limit on a request body in bytes. Zero means 1 MiB.
	MaxBody int64

	// Ready says whether the server can do its work; /readyz answers 503 with the
	// text of the error, which must hold nothing private. Nil means always.
	Ready func(context.Context) error
}

// Site is one role's HTTP server in the making. Add routes, then call Handler.
type Site struct {
	// Protocol serves programs. Errors are JSON; requests may be cross-origin.
	Protocol *mux.Router
	// Pages serves people. Posts from another origin are refused with 403.
	Pages *mux.Router
	// Metrics is shown at /metrics. Labels hold names of our own making only,
	// never anything that came with a request.
	Metrics *prometheus.Registry

	o     Options
	seen  *prometheus.CounterVec
	took  *prometheus.HistogramVec
	cross *http.CrossOriginProtection
}

// New gives a Site with /healthz, /readyz and /metrics.
func New(o Options) *Site {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	s := &Site{
		Protocol: mux.NewRouter().SkipClean(true),
		Pages:    mux.NewRouter().SkipClean(true),
		Metrics:  prometheus.NewRegistry(),
		o:        o,
		cross:    http.NewCrossOriginProtection(),
	}
	s.measure()
	s.Protocol.Use(nameRoute)
	s.Pages.Use(nameRoute)
	s.Protocol.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	}).Methods(http.MethodGet, http.MethodHead)
	s.Protocol.HandleFunc("/readyz", s.ready).Methods(http.MethodGet, http.MethodHead)
	s.Protocol.Handle("/metrics", promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{})).Methods(http.MethodGet)
	return s
}

func (s *Site) measure() {
	s.seen = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "paspoort_http_requests_total", Help: "Requests by route, method and status.",
	}, []string{"role", "route", "method", "status"})
	s.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "paspoort_http_request_seconds", Help: "Duration of requests by route.",
		Buckets: []float64{.001, .005, .02, .1, .5, 2, 10},
	}, []string{"role", "route"})
	s.Metrics.MustRegister(s.seen, s.took, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

func (s *Site) ready(w http.ResponseWriter, r *http.Request) {
	if s.o.Ready != nil {
		if err := s.o.Ready(r.Context()); err != nil {
			WriteError(w, http.StatusServiceUnavailable, "not_ready", err.Error())
			return
		}
	}
	WriteJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

// Handler is the whole site. Routes are not added after it was called.
func (s *Site) Handler() http.Handler {
	pages := s.pages()
	s.Protocol.NotFoundHandler = pages // not a protocol path: perhaps a page
	s.Protocol.MethodNotAllowedHandler = s.protocolHeaders(methodNotAllowed(s.Protocol))
	s.Protocol.Use(func(next http.Handler) http.Handler { return s.protocolHeaders(next) })
	return handler{s.record(s.limit(s.Protocol)), s}
}

func (s *Site) pages() http.Handler {
	if s.Pages.NotFoundHandler == nil {
		s.Pages.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			WriteError(w, http.StatusNotFound, "not_found", "there is nothing at this address")
		})
	}
	s.Pages.MethodNotAllowedHandler = methodNotAllowed(s.Pages)
	return pageHeaders(s.cross.Handler(s.Pages))
}

func (s *Site) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, s.o.MaxBody)
		next.ServeHTTP(w, r)
	})
}

// methodNotAllowed answers 405. RFC 9110 15.5.6: "The origin server MUST generate
// an Allow header field in a 405 response", which gorilla/mux does not.
func methodNotAllowed(router *mux.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			probe := *r
			probe.Method = method
			var match mux.RouteMatch
			if router.Match(&probe, &match) && match.MatchErr == nil && match.Route != nil {
				w.Header().Add("Allow", method)
			}
		}
		WriteError(w, http.StatusMethodNotAllowed, "invalid_request", "this address does not take "+knownMethod(r.Method)+" requests")
	})
}
