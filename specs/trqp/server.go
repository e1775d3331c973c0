package trqp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"time"
)

// Registry answers the questions. Yes, Message and Log are its to say; the server repeats the
// question and adds the time. What it does not know it refuses with a [Problem]. It is called
// by many at once.
type Registry interface {
	// Authorized says whether the authority authorises the entity.
	Authorized(ctx context.Context, q Query) (Answer, error)
	// Recognized says whether the authority recognises the entity as an authority.
	Recognized(ctx context.Context, q Query) (Answer, error)
}

// Server answers POST .../authorization and .../recognition below any path.
type Server struct {
	Registry Registry
	Clock    func() time.Time
	// Report gets errors of the registry that are nobody's fault outside; nil drops them.
	Report func(ctx context.Context, err error)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := s.answer(w, r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if id := r.Header.Get("X-Request-ID"); id != "" && len(id) <= 100 {
		w.Header().Set("X-Request-ID", id) // the binding's optional tracing header, given back as its examples do
	}
	w.Write(raw)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	k := kind(path.Base(r.URL.Path))
	ask := s.Registry.Authorized
	switch k {
	case authorization:
	case recognition:
		ask = s.Registry.Recognized
	default:
		return nil, NotKnown("there are two questions here: authorization and recognition")
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, &Problem{Status: http.StatusMethodNotAllowed, Title: "method not allowed", Detail: "send the question with POST"}
	}
	// "All HTTPS requests MUST include a Content-Type: application/json header."
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, &Problem{Status: http.StatusUnsupportedMediaType, Title: "unsupported media type", Detail: "send the question as application/json"}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBytes))
	if err != nil {
		return nil, &Problem{Status: http.StatusRequestEntityTooLarge, Title: "too large", Detail: "a question has at most 64 KiB"}
	}
	q, err := ParseQuery(raw)
	if err != nil {
		return nil, &Problem{Status: http.StatusBadRequest, Title: "bad request", Detail: err.Error()}
	}
	a, err := ask(r.Context(), q)
	if err != nil {
		return nil, err
	}
	a.Query, a.Evaluated = q, s.Clock()
	return a.marshal(k)
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var p *Problem
	if !errors.As(err, &p) {
		if s.Report != nil {
			s.Report(r.Context(), err)
		}
		p = &Problem{Status: http.StatusInternalServerError, Title: "server error", Detail: "something went wrong here; try again later"}
	}
	body, err := json.Marshal(map[string]any{"type": "about:blank", "title": p.Title, "status": p.Status, "detail": p.Detail})
	if err != nil {
		return // texts and a number
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	w.Write(body)
}

// Problem is an error answer (RFC 7807).
type Problem struct {
	Status int
	Title  string
	Detail string // one sentence for people
}

// Error implements error.
func (p *Problem) Error() string { return fmt.Sprintf("trqp: %s: %s", p.Title, p.Detail) }

// NotKnown refuses a question about an entity, authority, action or resource that the registry
// does not know: 404 in the binding's table.
func NotKnown(format string, args ...any) *Problem {
	return &Problem{Status: http.StatusNotFound, Title: "not found", Detail: fmt.Sprintf(format, args...)}
}
