package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/specs/ijson"
)

// Error is a refusal that a handler can return up and hand to WriteFailure: a
// status, the code of the standard that was broken, and one sentence that says what
// to do. The sentence holds no personal data.
type Error struct {
	Status      int
	Code        string
	Description string
}

func (e *Error) Error() string { return e.Code + ": " + e.Description }

// Errorf makes an Error.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Description: fmt.Sprintf(format, args...)}
}

type errorBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// WriteJSON answers with v as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	body, err := marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"server_error"}`+"\n")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
}

func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// WriteError answers with an error object as RFC 6749 5.2 gives it: "error" and
// "error_description". RFC 6749 allows ASCII without quotes and backslash in the
// description; other characters become a question mark.
func WriteError(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Cache-Control", "no-store")
	WriteJSON(w, status, errorBody{code, describable(description)})
}

func describable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '\\':
			return '\''
		case r < 0x20 || r > 0x7e:
			return '?'
		}
		return r
	}, s)
}

// WriteFailure answers with err when it is or wraps an *Error, and otherwise with
// 500 and no details. It says whether it was the latter: then the caller logs.
func WriteFailure(w http.ResponseWriter, err error) (internal bool) {
	if known, ok := errors.AsType[*Error](err); ok {
		WriteError(w, known.Status, known.Code, known.Description)
		return false
	}
	WriteError(w, http.StatusInternalServerError, "server_error", "something went wrong on our side; try again later")
	return true
}

// ReadJSON decodes a body of at most limit bytes into v, strictly (package ijson:
// duplicate names, invalid UTF-8, trailing bytes and deep nesting are refused). The
// error is an *Error with code invalid_request.
func ReadJSON(r *http.Request, limit int64, v any) error {
	if !isJSON(r.Header.Get("Content-Type")) {
		return Errorf(http.StatusUnsupportedMediaType, "invalid_request", "send the body as application/json")
	}
	body, err := ReadBody(r, limit)
	if err != nil {
		return err
	}
	if err := ijson.Unmarshal(body, v); err != nil {
		return Errorf(http.StatusBadRequest, "invalid_request", "the body is not the JSON that is asked here: %s", reason(err))
	}
	return nil
}

// reason names the kind of fault and not the bytes that were sent.
func reason(err error) string {
	for _, kind := range []error{ijson.ErrDuplicate, ijson.ErrDepth, ijson.ErrSyntax} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	return "a member has the wrong type or name"
}

// isJSON takes application/json and application/x+json, with UTF-8 or no charset.
func isJSON(contentType string) bool {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || (media != "application/json" && !strings.HasSuffix(media, "+json")) {
		return false
	}
	charset, given := params["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}

// ReadBody reads a body of at most limit bytes. The error is an *Error.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || int64(len(body)) > limit {
		return nil, Errorf(http.StatusRequestEntityTooLarge, "invalid_request", "the body is larger than %d bytes", limit)
	}
	if err != nil {
		return nil, Errorf(http.StatusBadRequest, "invalid_request", "the body ended too early; send it again")
	}
	return body, nil
}

// Static serves bytes that do not change while the program runs, with an ETag and
// an age that clients may keep them.
func Static(contentType string, body []byte, maxAge time.Duration) http.Handler {
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:12]) + `"`
	cache := fmt.Sprintf("public, max-age=%d", int(maxAge.Seconds()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Cache-Control", cache)
		h.Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

// WantsJSON matches requests of programs, which ask for application/json, at an address
// that shows people a page. It has the shape of a mux.MatcherFunc.
func WantsJSON(r *http.Request, _ *mux.RouteMatch) bool {
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}
