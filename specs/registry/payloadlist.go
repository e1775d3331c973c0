package registry

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Limits of one answer of /v1/payloads and of all of them.
const (
	payloadsAnswer = 500
	maxPayloads    = 200_000
)

// PayloadsAnswer is a part of the payloads that are public, by commitment.
type PayloadsAnswer struct {
	Payloads []OpenPayload `json:"payloads"`
	More     bool          `json:"more,omitzero"` // ask on after the last commitment
}

// payloads sends what lets a copy of the log name one-person firms. It takes no question
// about one firm: who follows a region fetches all or nothing, so that a node does not learn
// who is looked up.
func (s server) payloads(w http.ResponseWriter, r *http.Request) {
	after := r.URL.Query().Get("after")
	if after != "" && !isHash(after) {
		fail(w, ErrRequest.with("a commitment is a SHA-256 in hexadecimal"))
		return
	}
	out := PayloadsAnswer{Payloads: []OpenPayload{}}
	if source, ok := s.Log.(PayloadSource); ok {
		list, err := source.Payloads(r.Context())
		if err != nil {
			fail(w, err)
			return
		}
		list = slices.DeleteFunc(list, func(p OpenPayload) bool { return p.Commitment <= after })
		slices.SortFunc(list, func(a, b OpenPayload) int { return strings.Compare(a.Commitment, b.Commitment) })
		out.More = len(list) > payloadsAnswer
		out.Payloads = append(out.Payloads, list[:min(len(list), payloadsAnswer)]...)
	}
	w.Header().Set("Cache-Control", "no-store") // they may be erased at any time
	answer(w, http.StatusOK, out)
}

// Payloads asks for all payloads that are public: [PayloadSource] over the network. They say
// nothing until they were opened and held against a commitment that the log has:
// [Payloads.AddOpen] and [View.Awaits].
func (c Client) Payloads(ctx context.Context) ([]OpenPayload, error) {
	var out []OpenPayload
	q := url.Values{}
	for {
		var part PayloadsAnswer
		if err := c.get(ctx, "/v1/payloads", q, &part); err != nil {
			return nil, err
		}
		for _, p := range part.Payloads {
			if p.Commitment <= q.Get("after") {
				return nil, ErrResponse.with("the payloads are out of order")
			}
			q.Set("after", p.Commitment)
		}
		out = append(out, part.Payloads...)
		if !part.More {
			return out, nil
		}
		if len(part.Payloads) == 0 || len(out) > maxPayloads {
			return nil, ErrResponse.with("the payloads do not end")
		}
	}
}

// Unopened says whether the log has commitments, not erased, whose payload is not at hand.
func (v View) Unopened() bool {
	for _, commitment := range v.State.commitments.keys(v.AsOf) {
		if _, known := v.Payloads.open(commitment); !known && v.Awaits(commitment) {
			return true
		}
	}
	return false
}

// Retain forgets the payloads for which keep says no, and returns their commitments. With
// [View.Awaits] it does what an erasure demands of a mirror.
func (p *Payloads) Retain(keep func(commitment string) bool) (dropped []string) {
	for commitment := range p.content {
		if !keep(commitment) {
			dropped = append(dropped, commitment)
		}
	}
	for _, commitment := range dropped {
		p.Erase(commitment)
	}
	return dropped
}

// SPKIOf is the hash of the key of a certificate. Of a one-person firm it is known when its
// payload is at hand, else empty.
func (v View) SPKIOf(c CertificateFact) string {
	if c.SPKI != "" {
		return c.SPKI
	}
	commitment, ok := c.Commitments["spki"]
	if !ok || !v.Awaits(commitment) {
		return ""
	}
	spki, _ := v.Payloads.open(commitment)
	return spki
}
