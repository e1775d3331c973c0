package registry

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
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

// ProposalsLike asks for some of the proposals, newest first.
func (c Client) ProposalsLike(ctx context.Context, f ProposalFilter, w When) (ProposalsAnswer, error) {
	q := w.values()
	for name, value := range map[string]string{"status": string(f.Status), "subject": f.Subject, "kind": string(f.Kind)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	var out ProposalsAnswer
	return out, c.get(ctx, "/v1/proposals", q, &out)
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
	if err := s.explain(r.Context(), id, &out); err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, out)
}

// explain adds leaf and decision of an event that is in this node's log.
func (s server) explain(ctx context.Context, id string, out *EventAnswer) error {
	index, found := uint64(0), false
	err := s.Reader.View(ctx, Stale, func(v View, _ ReadInfo) error {
		index, found = v.State.Leaf(id)
		return nil
	})
	if err != nil || !found {
		return err
	}
	if out.Leaf, err = s.leafOf(ctx, index); err != nil || out.Leaf == nil {
		return err
	}
	return s.Reader.View(ctx, Stale, func(v View, _ ReadInfo) error {
		if why, err := v.Why(out.Leaf.Event, s.Now()); err == nil {
			out.Why = &why
		}
		return nil
	})
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

// proposals sends all proposals by id, or those that were asked for, newest first.
func (s server) proposals(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := ProposalFilter{Status: Disposition(q.Get("status")), Subject: q.Get("subject"), Kind: Kind(q.Get("kind"))}
	limit, err := parseNumber(q.Get("limit"))
	if err != nil || limit > maxAnswer || f.Status != "" && !slices.Contains([]Disposition{Pending, Enacted, Refused, Lapsed}, f.Status) {
		fail(w, ErrRequest.with("status is pending, enacted, refused or lapsed, and limit a number of proposals"))
		return
	}
	f.Limit = int(limit)
	s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
		list := v.Proposals
		if f != (ProposalFilter{}) {
			list = func() []Proposal { return v.ProposalsLike(f, at) }
		}
		return ProposalsAnswer{v.moment(at), list(), info}, nil
	})
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
