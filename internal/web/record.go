package web

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"

	"github.com/gorilla/mux"
)

// record is what one request leaves behind: which route, how it ended, how long it
// took. No address, no query, no values from the path, no headers: any of them may
// say something about a person.
type record struct {
	route  string
	status int
	bytes  int64
	silent bool // no line and no count when it went well
}

// quiet says that nobody should know of this request.
func (rec *record) quiet() bool { return rec.silent && rec.status < http.StatusBadRequest }

type recordKey struct{}

// record logs and measures each request, and turns a panic into a 500.
func (s *Site) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &record{route: "unknown"}
		rw := &recorder{ResponseWriter: w, rec: rec}
		start := s.o.Clock()
		r, traced := requestSpan(r)
		defer func() {
			p := recover()
			if p != nil && p != http.ErrAbortHandler {
				s.o.Log.Error("handler panicked", "route", rec.route, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
				if rec.status == 0 {
					WriteError(rw, http.StatusInternalServerError, "server_error", "something went wrong on our side; try again later")
				}
			}
			s.finish(r, rec, s.o.Clock().Sub(start).Seconds())
			traced(rec)
			if p == http.ErrAbortHandler {
				panic(p)
			}
		}()
		next.ServeHTTP(rw, r.WithContext(context.WithValue(r.Context(), recordKey{}, rec)))
	})
}

func (s *Site) finish(r *http.Request, rec *record, seconds float64) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	if rec.quiet() {
		return
	}
	method := knownMethod(r.Method)
	s.seen.WithLabelValues(s.o.Role, rec.route, method, strconv.Itoa(rec.status)).Inc()
	s.took.WithLabelValues(s.o.Role, rec.route).Observe(seconds)
	s.o.Log.Info("request", "method", method, "route", rec.route, "status", rec.status, "bytes", rec.bytes, "seconds", seconds)
}

// Unrecorded leaves requests that went well out of log and metrics: for an address of
// which the operator must not know whether one particular person opened it.
func Unrecorded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rec, ok := r.Context().Value(recordKey{}).(*record); ok {
			rec.silent = true
		}
		next.ServeHTTP(w, r)
	})
}

// nameRoute tells the record which route matched, as the pattern that we wrote.
func nameRoute(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec, ok := r.Context().Value(recordKey{}).(*record)
		if route := mux.CurrentRoute(r); ok && route != nil {
			if pattern, err := route.GetPathTemplate(); err == nil {
				rec.route = pattern
			}
		}
		next.ServeHTTP(w, r)
	})
}

// knownMethod keeps a stranger's words out of logs and labels.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// recorder notes the status and the size of an answer.
type recorder struct {
	http.ResponseWriter
	rec *record
}

func (w *recorder) WriteHeader(status int) {
	if w.rec.status == 0 && status >= 200 {
		w.rec.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.rec.status == 0 {
		w.rec.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.rec.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the writer below.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
