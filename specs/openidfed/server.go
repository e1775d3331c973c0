package openidfed

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
)

// Entity publishes its Entity Configuration (9), signed. Errors of these interfaces that
// are an [*Error] are answered as they are, others as server_error.
type Entity interface {
	EntityConfiguration(ctx context.Context) (string, error)
}

// Superior is an entity with subordinates (8.1, 8.2). A subject it makes no statement
// about is refused with [NotFound].
type Superior interface {
	SubordinateStatement(ctx context.Context, sub string) (string, error)
	Subordinates(ctx context.Context, q ListQuery) ([]string, error)
}

// MarkIssuer issues Trust Marks (8.4 to 8.6).
type MarkIssuer interface {
	TrustMark(ctx context.Context, markType, sub string) (string, error)
	TrustMarked(ctx context.Context, markType, sub string) ([]string, error)
	TrustMarkStatus(ctx context.Context, mark string) (string, error)
}

// Resolver answers about any entity that it has resolved already: "the resolve endpoint
// should only respond to unauthenticated Client requests with cached information" (18.1).
type Resolver interface {
	ResolveEntity(ctx context.Context, q ResolveQuery) (string, error)
}

// Historian publishes the keys that an entity used before (8.7).
type Historian interface {
	HistoricalKeys(ctx context.Context) (string, error)
}

// ListQuery is a subordinate listing request (8.2.1). All conditions hold together.
type ListQuery struct {
	EntityTypes   []string
	TrustMarked   bool
	TrustMarkType string
	Intermediate  *bool // nil: either
}

// ResolveQuery is a resolve request (8.3.1).
type ResolveQuery struct {
	Subject      string
	TrustAnchors []string // any of them will do
	EntityTypes  []string // empty: all
}

// Server serves the federation endpoints of one entity. What is nil is not served.
type Server struct {
	EntityID   string // its path is the prefix of all endpoints
	Entity     Entity
	Superior   Superior
	MarkIssuer MarkIssuer
	Resolver   Resolver
	Historian  Historian

	// Report is told of errors that are no answers of the protocol; nil: nobody.
	Report func(context.Context, error)
}

// Paths of the endpoints behind the path of the entity identifier.
const (
	pathFetch      = "/federation/fetch"
	pathList       = "/federation/list"
	pathResolve    = "/federation/resolve"
	pathMark       = "/federation/trust-mark"
	pathMarkList   = "/federation/trust-mark-list"
	pathMarkStatus = "/federation/trust-mark-status"
	pathHistorical = "/federation/historical-keys"
)

const (
	maxForm  = MaxStatement + 4096
	maxQuery = 16 << 10
	maxList  = 8 << 20 // a list "MAY be a very large list" (8.2)
)

// Endpoints are the members of federation_entity that tell where the endpoints are that
// this server serves (5.1.1).
func (s *Server) Endpoints() map[string]any {
	base := strings.TrimSuffix(s.EntityID, "/")
	out := map[string]any{}
	if s.Superior != nil {
		out["federation_fetch_endpoint"] = base + pathFetch
		out["federation_list_endpoint"] = base + pathList
	}
	if s.Resolver != nil {
		out["federation_resolve_endpoint"] = base + pathResolve
	}
	if s.MarkIssuer != nil {
		out["federation_trust_mark_endpoint"] = base + pathMark
		out["federation_trust_mark_list_endpoint"] = base + pathMarkList
		out["federation_trust_mark_status_endpoint"] = base + pathMarkStatus
	}
	if s.Historian != nil {
		out["federation_historical_keys_endpoint"] = base + pathHistorical
	}
	return out
}

// Prefix is the path of the entity identifier, in front of every endpoint.
func (s *Server) Prefix() string {
	u, err := url.Parse(s.EntityID)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}

// Serves says whether a path belongs to the entity.
func (s *Server) Serves(path string) bool {
	rest, ok := strings.CutPrefix(path, s.Prefix())
	return ok && s.route(rest) != nil
}

// answer is what an endpoint answers: a media type and a body.
type answer struct {
	mediaType string
	body      []byte
}

type endpoint struct {
	method string
	serve  func(ctx context.Context, q url.Values) (answer, error)
}

func (s *Server) route(path string) *endpoint {
	get := func(ok bool, serve func(context.Context, url.Values) (answer, error)) *endpoint {
		if !ok {
			return nil
		}
		return &endpoint{http.MethodGet, serve}
	}
	switch path {
	case WellKnown:
		return get(s.Entity != nil, s.configuration)
	case pathFetch:
		return get(s.Superior != nil, s.fetch)
	case pathList:
		return get(s.Superior != nil, s.list)
	case pathResolve:
		return get(s.Resolver != nil, s.resolve)
	case pathMark:
		return get(s.MarkIssuer != nil, s.mark)
	case pathMarkList:
		return get(s.MarkIssuer != nil, s.markList)
	case pathMarkStatus:
		if s.MarkIssuer != nil {
			return &endpoint{http.MethodPost, s.markStatus}
		}
	case pathHistorical:
		return get(s.Historian != nil, s.historical)
	}
	return nil
}

// ServeHTTP answers. Statements are public and anyone's page may read them; nothing of
// the asker is kept.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	rest, ok := strings.CutPrefix(r.URL.Path, s.Prefix())
	target := s.route(rest)
	if !ok || target == nil {
		s.fail(w, r, Refuse(NotFound, "there is nothing at this address"))
		return
	}
	if r.Method != target.method && !(r.Method == http.MethodHead && target.method == http.MethodGet) {
		h.Set("Allow", target.method)
		writeAnswer(w, http.StatusMethodNotAllowed, errorBody(Refuse(InvalidRequest, "use "+target.method)))
		return
	}
	q, err := parameters(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	a, err := target.serve(r.Context(), q)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeAnswer(w, http.StatusOK, a)
}

// parameters reads the query of a GET and the form of a POST.
func parameters(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	raw := r.URL.RawQuery
	if r.Method == http.MethodPost {
		if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" {
			return nil, Refuse(InvalidRequest, "the content type must be application/x-www-form-urlencoded")
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
		if err != nil {
			return nil, Refuse(InvalidRequest, "the request is too long or could not be read")
		}
		raw = string(body)
	} else if len(raw) > maxQuery {
		return nil, Refuse(InvalidRequest, "the request is too long")
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, Refuse(InvalidRequest, "the parameters are malformed")
	}
	return q, nil
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var protocol *Error
	if !errors.As(err, &protocol) && s.Report != nil {
		s.Report(r.Context(), err)
	}
	e := asError(err)
	writeAnswer(w, e.Status(), errorBody(e))
}

func errorBody(e *Error) answer {
	body, err := ijson.Marshal(map[string]string{"error": string(e.Code), "error_description": e.Description})
	if err != nil {
		body = []byte(`{"error":"server_error","error_description":"something went wrong here"}`)
	}
	return answer{mediaJSON, body}
}

func writeAnswer(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", a.mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(status)
	_, _ = w.Write(a.body) // an asker that went away is not our error
}
