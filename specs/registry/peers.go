package registry

import (
	"slices"
	"time"
)

// maxPeerTerm is how long another region is accepted at most, in seconds: 36 months. After that
// members look again.
const maxPeerTerm = 1096 * 24 * 3600

// PeerAcceptance says that this region relies on another one (D10): for some types or all, until
// a day, and not on whom that region accepts. Accepting again renews, or changes the scope.
// Apply never reads the other region's log; who relies on it does.
type PeerAcceptance struct {
	Continues string   `json:"continues,omitempty"` // region accepted before that this one goes on for, by id
	Genesis   string   `json:"genesis"`             // id of the other region: what is pinned
	Name      string   `json:"name"`                // what it calls itself
	Origin    string   `json:"origin"`              // of its log
	Reason    string   `json:"reason"`
	Types     []string `json:"types,omitempty"` // credential types (vct) that it is relied on for, sorted; all when absent
	Until     int64    `json:"until"`
	URLs      []string `json:"urls"` // where its nodes are found
}

// PeerDrop ends the acceptance of another region, perhaps with effect on the past.
type PeerDrop struct {
	EffectiveFrom int64  `json:"effective_from,omitzero"` // when absent: when it is decided; only the past
	Genesis       string `json:"genesis"`
	Reason        string `json:"reason"`
}

// PeerRecord is another region with all that was decided about it, in the order of decisions.
type PeerRecord struct {
	Accepted []PeerGrant `json:"accepted"`
	Dropped  []PeerEnd   `json:"dropped,omitempty"`
}

// PeerGrant is one acceptance. It begins at its log time.
type PeerGrant struct {
	PeerAcceptance
	Event string `json:"event"`
	Since int64  `json:"since"`
}

// PeerEnd drops what was accepted before it.
type PeerEnd struct {
	Decided       int64  `json:"decided"`        // log time
	EffectiveFrom int64  `json:"effective_from"` // not after Decided
	Event         string `json:"event"`
	Reason        string `json:"reason"`
}

func (p *PeerAcceptance) subject() string { return PeerSubject(p.Genesis) }
func (p *PeerDrop) subject() string       { return PeerSubject(p.Genesis) }

func (p *PeerAcceptance) check() error {
	if !isHash(p.Genesis) || p.Continues != "" && (!isHash(p.Continues) || p.Continues == p.Genesis) {
		return ErrBody.with("a region is named by its id, the SHA-256 of its founding event in hexadecimal")
	}
	if err := checkText("name", p.Name, 200); err != nil {
		return err
	}
	if !isOrigin(p.Origin) {
		return ErrBody.with("the origin is not a host and path without scheme, such as aakermonde.example/register")
	}
	if len(p.URLs) == 0 || len(p.URLs) > 25 {
		return ErrBody.with("an accepted region has 1 to 25 addresses of nodes")
	}
	var seen unique
	for _, u := range p.URLs {
		if !isURL(u) {
			return ErrBody.with("a node's address is an http(s) URL without trailing slash")
		}
		seen.add(u)
	}
	if seen.twice != "" || len(p.Types) > 64 || !isSortedSet(p.Types) {
		return ErrBody.with("addresses are named once; up to 64 types stand in order, each once")
	}
	for _, t := range p.Types {
		if err := checkText("type", t, 200); err != nil {
			return err
		}
	}
	if p.Until <= 0 || p.Until > maxTime {
		return ErrBody.with("an acceptance has an end")
	}
	return checkText("reason", p.Reason, 2000)
}

func (p *PeerDrop) check() error {
	if !isHash(p.Genesis) || p.EffectiveFrom < 0 {
		return ErrBody.with("a region is named by its id, and no moment before 1970")
	}
	return checkText("reason", p.Reason, 2000)
}

// authorisePeer: members decide, and not on what could not take effect anyway.
func authorisePeer(x *step) error {
	if err := onlyMembers(x); err != nil {
		return err
	}
	return x.peerAccepted(x.body.(*PeerAcceptance))
}

// peerAccepted checks an acceptance against what is known when it is asked for and when it
// takes effect.
func (x *step) peerAccepted(p *PeerAcceptance) error {
	switch {
	case p.Genesis == x.s.genesis:
		return ErrTransition.with("a region does not accept itself")
	case p.Origin == x.s.currentCharter().Origin:
		return ErrTaken.with("the other region's log has the origin of this one")
	case p.Until <= x.now || p.Until > x.now+maxPeerTerm:
		return ErrBody.with("an acceptance ends after it begins, and within 36 months")
	}
	if p.Continues != "" {
		if _, ok := x.s.peers.get(p.Continues, x.s.size); !ok {
			return ErrUnknown.with("the region that it continues was not accepted before")
		}
	}
	for _, id := range x.s.peers.keys(x.s.size) {
		// Witnesses remember a log by its origin: two logs of one name would look like a fork.
		other, _ := x.s.peers.get(id, x.s.size)
		if id != p.Genesis && other.last().Origin == p.Origin {
			return ErrTaken.with("another accepted region has a log with this origin")
		}
	}
	return nil
}

func enactPeerAccepted(x *step) error {
	p := x.body.(*PeerAcceptance)
	if err := x.peerAccepted(p); err != nil {
		return err
	}
	r, _ := x.s.peers.get(p.Genesis, x.s.size)
	r.Accepted = append(slices.Clone(r.Accepted), PeerGrant{PeerAcceptance: *p, Event: x.id, Since: x.now})
	put(x, &x.s.peers, p.Genesis, r)
	return nil
}

// authorisePeerDrop: members decide, about a region that is there to be dropped.
func authorisePeerDrop(x *step) error {
	if err := onlyMembers(x); err != nil {
		return err
	}
	_, err := x.peerToDrop(x.body.(*PeerDrop))
	return err
}

func (x *step) peerToDrop(d *PeerDrop) (PeerRecord, error) {
	r, ok := x.s.peers.get(d.Genesis, x.s.size)
	if !ok {
		return r, ErrUnknown.with("no region with this id was accepted")
	}
	if r.dropped() {
		return r, ErrTransition.with("the region was dropped already")
	}
	return r, nil
}

func enactPeerDropped(x *step) error {
	d := x.body.(*PeerDrop)
	r, err := x.peerToDrop(d)
	if err != nil {
		return err
	}
	from, err := x.past(d.EffectiveFrom)
	if err != nil {
		return err
	}
	r.Dropped = append(slices.Clone(r.Dropped), PeerEnd{Decided: x.now, EffectiveFrom: from, Event: x.id, Reason: d.Reason})
	put(x, &x.s.peers, d.Genesis, r)
	return nil
}

// dropped says whether members ended the newest acceptance.
func (r PeerRecord) dropped() bool {
	n := len(r.Dropped)
	return n > 0 && r.Dropped[n-1].Decided >= r.last().Since
}

// last is the newest acceptance.
func (r PeerRecord) last() PeerGrant { return r.Accepted[len(r.Accepted)-1] }

// PeerState is where another region stands.
type PeerState string

// The states of a peer.
const (
	PeerAccepted PeerState = "accepted"
	PeerEnded    PeerState = "ended"   // its time ran out
	PeerDropped  PeerState = "dropped" // members decided so
)

// PeerStanding is where another region stands at a moment: the acceptance in force then, or the
// last before it.
type PeerStanding struct {
	PeerAcceptance
	Event       string    `json:"event"`                  // that accepted it so
	Since       int64     `json:"since"`                  // from when on it was accepted without a break
	Dropped     int64     `json:"dropped,omitzero"`       // log time at which members ended this acceptance
	DroppedFrom int64     `json:"dropped_from,omitzero"`  // with effect from here on; may lie before Dropped
	DropReason  string    `json:"drop_reason,omitempty"`  // why
	ContinuedBy string    `json:"continued_by,omitempty"` // accepted region that goes on for it, by id
	State       PeerState `json:"state"`
}

// Relies says whether the acceptance covers a credential type.
func (p PeerStanding) Relies(vct string) bool {
	return len(p.Types) == 0 || slices.Contains(p.Types, vct)
}

// Peers lists the regions that were accepted by a moment, by id. Acceptance does not pass on:
// whom these accept is not among them.
func (v View) Peers(at time.Time) []PeerStanding {
	out := []PeerStanding{}
	for _, id := range v.State.peers.keys(v.AsOf) {
		if p, ok := v.Peer(id, at); ok {
			out = append(out, p)
		}
	}
	return out
}

// Peer is where a region stands at a moment; false when it was not accepted by then.
func (v View) Peer(genesis string, at time.Time) (PeerStanding, bool) {
	r, ok := v.State.peers.get(genesis, v.AsOf)
	t := at.Unix()
	i := -1
	for n, g := range r.Accepted {
		if g.Since <= t {
			i = n
		}
	}
	if !ok || i < 0 {
		return PeerStanding{}, false
	}
	g := r.Accepted[i]
	out := PeerStanding{PeerAcceptance: g.PeerAcceptance, Event: g.Event, Since: r.since(i), State: PeerAccepted}
	if d := r.end(i); d != nil {
		out.Dropped, out.DroppedFrom, out.DropReason = d.Decided, d.EffectiveFrom, d.Reason
	}
	switch {
	case out.Dropped != 0 && t >= out.DroppedFrom:
		out.State = PeerDropped
	case t >= g.Until:
		out.State = PeerEnded
	}
	out.ContinuedBy = v.continuedBy(genesis, t)
	return out, true
}

// end is what dropped acceptance i: the first decision after it, unless another acceptance after
// a drop came in between, which cannot be.
func (r PeerRecord) end(i int) *PeerEnd {
	for _, d := range r.Dropped {
		if d.Decided >= r.Accepted[i].Since {
			return &d
		}
	}
	return nil
}

// since is when acceptance i began, with those before it that it renewed without a break.
func (r PeerRecord) since(i int) int64 {
	for ; i > 0; i-- {
		before := r.Accepted[i-1]
		if d := r.end(i - 1); before.Until < r.Accepted[i].Since || d != nil && d.Decided < r.Accepted[i].Since {
			break
		}
	}
	return r.Accepted[i].Since
}

// continuedBy is the last region whose acceptance by t says that it continues this one.
func (v View) continuedBy(genesis string, t int64) (id string) {
	var newest int64
	for _, other := range v.State.peers.keys(v.AsOf) {
		r, _ := v.State.peers.get(other, v.AsOf)
		for _, g := range r.Accepted {
			if g.Continues == genesis && g.Since <= t && g.Since >= newest {
				id, newest = other, g.Since
			}
		}
	}
	return id
}
