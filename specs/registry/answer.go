package registry

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/ijson"
)

func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if strings.TrimSpace(strings.ToLower(media)) != "application/json" {
		return nil, ErrRequest.with("send application/json")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, ErrTooLarge
	case err != nil:
		return nil, ErrRequest
	}
	return raw, nil
}

// parseTime reads seconds since 1970, a day or a moment of RFC 3339; absent is now.
func parseTime(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return now, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 && n < 1<<40 {
		return time.Unix(n, 0).UTC(), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil && t.Unix() > 0 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, ErrRequest.with("at is a day or a moment, such as 2026-11-21 or 2026-11-21T09:30:00Z")
}

func parseNumber(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0, ErrRequest.with("a number of leaves is a number")
	}
	return n, nil
}

// statusOf is the one table from refusals to HTTP status.
func statusOf(err error) int {
	for status, list := range map[int][]*Refusal{
		http.StatusBadRequest:            {ErrMalformed, ErrRequest, ErrQuery, ErrTooFarAs},
		http.StatusRequestEntityTooLarge: {ErrTooLarge},
		http.StatusNotFound:              {ErrNotFound},
		http.StatusConflict:              {ErrStale, ErrDuplicate, ErrTaken, ErrTwice, ErrClosed, ErrTransition},
		http.StatusForbidden:             {ErrSigner, ErrKey, ErrSignature, ErrConflict, ErrNotAdmitted},
		http.StatusServiceUnavailable:    {ErrNoLeader, ErrNoLog, ErrBusy, ErrOutcome},
		http.StatusInternalServerError:   {ErrServer},
	} {
		for _, r := range list {
			if errors.Is(err, r) {
				return status
			}
		}
	}
	return http.StatusUnprocessableEntity
}

// fail answers with a refusal. What is not a refusal stays inside.
func fail(w http.ResponseWriter, err error) {
	var r *Refusal
	if !errors.As(err, &r) {
		r = ErrServer
	}
	if statusOf(r) == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	answer(w, statusOf(r), struct {
		Code   string `json:"error"`
		Detail string `json:"error_description"`
	}{r.Code, r.Detail})
}

func answer(w http.ResponseWriter, status int, v any) {
	raw, err := ijson.Marshal(v)
	if err != nil {
		status, raw = http.StatusInternalServerError, []byte(`{"error":"server-error"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(raw)))
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}
