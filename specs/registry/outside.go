package registry

import (
	"context"
	"net/http"
	"time"
)

// PeersAnswer lists the regions that this one accepted, with what it was read from.
type PeersAnswer struct {
	Moment
	Peers []PeerStanding `json:"peers"`
	Read  ReadInfo       `json:"read"`
}

// WitnessesAnswer lists the witnesses of the log, as known, with what it was read from.
type WitnessesAnswer struct {
	Moment
	Witnesses []Witness `json:"witnesses"`
	Read      ReadInfo  `json:"read"`
}

// CustodiansAnswer lists who signs on whose status lists, with what it was read from.
type CustodiansAnswer struct {
	Moment
	Custodians []CustodianStanding `json:"custodians"`
	Read       ReadInfo            `json:"read"`
}

// Peers lists the regions that the node's region accepted by a moment.
func (c Client) Peers(ctx context.Context, w When) (PeersAnswer, error) {
	var out PeersAnswer
	return out, c.get(ctx, "/v1/peers", w.values(), &out)
}

// Witnesses lists the witnesses of the region's log.
func (c Client) Witnesses(ctx context.Context, w When) (WitnessesAnswer, error) {
	var out WitnessesAnswer
	return out, c.get(ctx, "/v1/witnesses", w.values(), &out)
}

// Custodians lists who signs on whose status lists at a moment.
func (c Client) Custodians(ctx context.Context, w When) (CustodiansAnswer, error) {
	var out CustodiansAnswer
	return out, c.get(ctx, "/v1/custodians", w.values(), &out)
}

// outsideRoutes are those about who is outside the region, or stands in for who is gone.
func (s server) outsideRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/peers", func(w http.ResponseWriter, r *http.Request) {
		s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
			return PeersAnswer{v.moment(at), v.Peers(at), info}, nil
		})
	})
	mux.HandleFunc("GET /v1/witnesses", func(w http.ResponseWriter, r *http.Request) {
		s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
			return WitnessesAnswer{v.moment(at), v.Witnesses(), info}, nil
		})
	})
	mux.HandleFunc("GET /v1/custodians", func(w http.ResponseWriter, r *http.Request) {
		s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
			return CustodiansAnswer{v.moment(at), v.Custodians(at), info}, nil
		})
	})
}
