package registry

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Both halves of the questions about decisions: what became of my event, where does my
// proposal stand, what ends soon.

// Event asks what became of an event, with its leaf and its part in a decision.
func (c Client) Event(ctx context.Context, id string) (EventAnswer, error) {
	var out EventAnswer
	return out, c.get(ctx, "/v1/events/"+url.PathEscape(id), nil, &out)
}

// Progress asks where a proposal stands.
func (c Client) Progress(ctx context.Context, id string, w When) (ProgressAnswer, error) {
	var out ProgressAnswer
	return out, c.get(ctx, "/v1/proposals/"+url.PathEscape(id), w.values(), &out)
}

// Ending asks what ends within a time; it is rounded down to days, 0 is [Warning].
func (c Client) Ending(ctx context.Context, within time.Duration, w When) (EndingAnswer, error) {
	q := w.values()
	if within > 0 {
		q.Set("within", strconv.Itoa(int(within/day)))
	}
	var out EndingAnswer
	return out, c.get(ctx, "/v1/ending", q, &out)
}

const day = 24 * time.Hour

func (s server) event(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !isHash(id) {
		fail(w, ErrRequest.with("an event id is a SHA-256 in hexadecimal"))
		return
	}
	outcome, err := s.Writer.Outcome(r.Context(), id)
	if err != nil {
		fail(w, err)
		return
	}
	out := EventAnswer{Outcome: outcome}
	err = s.Reader.View(r.Context(), Stale, func(v View, _ ReadInfo) error {
		why, err := v.Why(id, s.Now())
		if err == nil {
			out.Why = &why
		}
		return nil // not in this node's log: the outcome says all there is
	})
	if err == nil && out.Why != nil {
		out.Leaf, err = s.leafOf(r.Context(), out.Why.Index)
	}
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, out)
}

// leafOf is a leaf of the log; nil while no checkpoint covers it.
func (s server) leafOf(ctx context.Context, index uint64) (*Leaf, error) {
	leaves, err := s.Log.Leaves(ctx, index, index+1)
	if errors.Is(err, ErrNoLog) || err == nil && len(leaves) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	leaf, err := ParseLeaf(leaves[0])
	return &leaf, err
}

func (s server) progress(w http.ResponseWriter, r *http.Request) {
	s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
		p, err := v.Progress(r.PathValue("id"), at)
		if err != nil {
			return nil, ErrNotFound.with("no proposal with this id")
		}
		return ProgressAnswer{p, info}, nil
	})
}

// maxEnding bounds how far ahead the ends are asked for, in days.
const maxEnding = 3660

func (s server) ending(w http.ResponseWriter, r *http.Request) {
	within := Warning
	if text := r.URL.Query().Get("within"); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil || days < 1 || days > maxEnding {
			fail(w, ErrRequest.with("within is a number of days from 1 to %d", maxEnding))
			return
		}
		within = time.Duration(days) * day
	}
	s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
		return EndingAnswer{v.Ending(at, within), info}, nil
	})
}
