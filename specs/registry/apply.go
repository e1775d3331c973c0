package registry

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Bounds on the log time of an event (D2).
const (
	clockSkew   = 5 * 60          // seconds that a signer's clock may run ahead of the leader's
	maxTransit  = 7 * 24 * 3600   // seconds between signing and entering the log
	maxLifetime = 366 * 24 * 3600 // seconds between signing and expiry: how long a vote can take
)

// Effect tells what a leaf brought about, for those who must act on it.
type Effect struct {
	Index   uint64 // of the leaf
	Event   string
	Kind    Kind
	Subject string
	Enacted []string // proposals that took effect, by event id
	Nodes   bool     // the nodes or their keys changed: raft and transport follow
	Rules   int      // when the event changed the rules: their version from here on
	Erased  []string // commitments whose payloads and keys are to be destroyed
}

// Apply applies the next leaf. It is deterministic and reads nothing but its arguments; when
// it fails, the state is as before. The refusals, in the order of the checks:
//
//   - form: [ErrMalformed], [ErrTooLarge], [ErrCommitment];
//   - repetition, also of an event under older rules: [ErrDuplicate];
//   - rules version and kind: [ErrRules], [ErrNewer], [ErrKind], [ErrReserved];
//   - place: [ErrGenesis], [ErrRegion], [ErrLogTime], [ErrExpired];
//   - body and subject: [ErrBody], [ErrSubject];
//   - predecessor and signatures: [ErrStale], [ErrSigner], [ErrKey], [ErrSignature];
//   - what the kind demands: the others.
//
// [ErrNewer] is unlike the others: programs of a newer version may accept the leaf. Whoever
// keeps a state stops there.
func Apply(s *State, l Leaf) (Effect, error) { return apply(s, l, nil) }

func apply(s *State, l Leaf, p *Prepared) (Effect, error) {
	x := &step{s: s, leaf: l, prepared: p, index: s.size, now: l.LogTime, was: s.logTime}
	genesis, logTime := s.genesis, s.logTime
	s.size++ // so that the step reads what it writes
	if err := x.run(); err != nil {
		x.undo()
		s.size, s.genesis, s.logTime = x.index, genesis, logTime
		return Effect{}, err
	}
	if s.kept != nil {
		s.kept.note(x.journal)
	}
	x.effect.Index, x.effect.Event = x.index, x.id
	x.effect.Kind, x.effect.Subject = l.Event.Kind, l.Event.Subject
	return x.effect, nil
}

// Check says whether s would accept the event at this log time, without changing what s holds.
// As Apply it needs s to itself. An Apply of the event that follows is spared its signatures.
func Check(s *State, e SignedEvent, logTime time.Time) error {
	return check(s, NewLeaf(e, logTime), nil)
}

func check(s *State, l Leaf, p *Prepared) error {
	x := &step{s: s, leaf: l, prepared: p, index: s.size, now: l.LogTime, was: s.logTime, only: true}
	genesis, last := s.genesis, s.logTime
	s.size++
	err := x.run()
	x.undo()
	s.size, s.genesis, s.logTime = x.index, genesis, last
	return err
}

// step is one leaf on its way into the state.
type step struct {
	s     *State
	leaf  Leaf
	index uint64

	prepared *Prepared // the event of the leaf; nil: prepared by nobody

	id      string // of the event
	input   []byte // what its signers sign
	rules   int    // version of the rules that judge it
	now     int64  // log time
	was     int64  // log time of the leaf before
	only    bool   // it is only looked at: see good
	body    Body
	effect  Effect
	journal []entry // what was put, in order
}

// Body is the typed body of a kind: the pointer types of this package that have a subject,
// such as *[Charter], *[Application] and *[Decision].
type Body interface {
	check() error
	subject() string
}

// introducer is a body that brings keys which its own event is signed with.
type introducer interface {
	introduces() []Introduced
}

// Introduced is a key that a body brings for a party.
type Introduced struct {
	Party string
	Key   PublicKey
}

// rule is what a kind demands and does.
type rule struct {
	new func() Body
	// authorise says who may sign; nil means that the threshold alone decides.
	authorise func(*step) error
	// threshold names the agreement that is needed; "" when the event takes effect at once.
	threshold func(*step) string
	// enact gives the event effect. For a proposal it runs at the leaf that completes it.
	enact func(*step) error
	// commits allows commitments in the event.
	commits bool
}

func always(name string) func(*step) string { return func(*step) string { return name } }

func (x *step) run() error {
	e := x.leaf.Event
	if err := x.checkForm(); err != nil {
		return err
	}
	rule, _ := ruleOf(x.rules, e.Kind)
	if len(e.Commitments) > 0 && !rule.commits {
		return ErrCommitment.with("this kind of event carries none")
	}
	if err := x.checkPlace(); err != nil {
		return err
	}
	if err := x.readBody(rule); err != nil {
		return err
	}
	if x.body.subject() != e.Subject {
		return ErrSubject
	}
	if e.Predecessor != x.s.Head(e.Subject) {
		return ErrStale
	}
	if err := x.checkSignatures(); err != nil {
		return err
	}
	put(x, &x.s.events, x.id, x.now)
	put(x, &x.s.heads, e.Subject, x.id)
	if x.s.logTime = x.now; x.index == 0 {
		x.s.genesis = x.id
	}
	if rule.authorise != nil {
		if err := rule.authorise(x); err != nil {
			return err
		}
	}
	if rule.threshold != nil {
		if name := rule.threshold(x); name != "" {
			return x.propose(name)
		}
	}
	return rule.enact(x)
}

// checkForm checks the leaf by itself: it may come from memory rather than from ParseLeaf. That
// it is in the log already comes before the rules: what was accepted under older ones stays so.
func (x *step) checkForm() error {
	e := x.leaf.Event
	if err := x.prepare(); err != nil {
		return err
	}
	if _, dup := x.s.events.get(x.id, x.s.size); dup {
		return ErrDuplicate // whatever its signatures are
	}
	if err := x.checkRules(); err != nil {
		return err
	}
	if _, ok := ruleOf(x.rules, e.Kind); ok {
		return nil
	}
	if slices.Contains(kinds, e.Kind) {
		return ErrReserved
	}
	return ErrKind
}

// prepare does what needs no state, unless it was done.
func (x *step) prepare() (err error) {
	if x.prepared != nil {
		x.input, x.id = x.prepared.input, x.prepared.id
		return nil
	}
	if x.leaf.Version != LeafVersion {
		return ErrMalformed.with("not a leaf of version %d", LeafVersion)
	}
	if err := x.leaf.Signed().checkForm(); err != nil {
		return err
	}
	if x.input, err = x.leaf.Event.SigningInput(); err != nil {
		return err
	}
	if x.leaf.Signed().size(x.input) > MaxEvent {
		return ErrTooLarge
	}
	x.id = eventID(x.input)
	return nil
}

// readBody reads the body under the rules in force, which are those that the event names.
func (x *step) readBody(r rule) (err error) {
	if x.prepared != nil {
		x.body = x.prepared.body
		return x.prepared.wrong
	}
	x.body, err = decodeBody(r, x.rules, x.leaf.Event.Body)
	return err
}

// checkPlace checks region and log time.
func (x *step) checkPlace() error {
	e := x.leaf.Event
	if (x.index == 0) != (e.Kind == KindFounded) {
		return ErrGenesis
	}
	if x.index == 0 {
		if e.Genesis != "" || x.s.genesis != "" && x.s.genesis != x.id {
			return ErrRegion
		}
	} else if e.Genesis != x.s.genesis {
		return ErrRegion
	}
	switch {
	case x.now < x.s.logTime && e.Kind != KindClock:
		return ErrLogTime.with("before the newest leaf")
	case x.now < e.Signed-clockSkew:
		return ErrLogTime.with("more than five minutes before the event was signed")
	case x.now > e.Signed+maxTransit:
		return ErrLogTime.with("more than seven days after the event was signed")
	case x.now > e.Expires:
		return ErrExpired
	}
	return nil
}

// decodeBody reads the body into the type of its kind. Unknown members and second spellings
// of the same content are refused.
func decodeBody(r rule, version int, raw json.RawMessage) (Body, error) {
	b := r.new()
	if err := parseCanonical(raw, b); err != nil {
		return nil, ErrBody.with("%v", err)
	}
	if err := checkUnder(b, version); err != nil {
		return nil, err
	}
	return b, b.check()
}

// decode reads the body under the rules that the event names.
func (e Event) decode() (Body, error) {
	rule, ok := ruleOf(e.Rules, e.Kind)
	if !ok {
		return nil, ErrKind
	}
	return decodeBody(rule, e.Rules, e.Body)
}

// checkSignatures finds the key of each signer and verifies its signature.
func (x *step) checkSignatures() error {
	for i, signer := range x.leaf.Event.Signers {
		key, err := x.signerKey(signer)
		if err != nil {
			return err
		}
		seen := goodKey(x.id, key, x.leaf.Signatures[i])
		if !x.only && x.s.good.take(seen) {
			continue
		}
		pub, err := key.ECDSA()
		if err != nil {
			return err
		}
		if err := verify(pub, x.input, x.leaf.Signatures[i]); err != nil {
			return err
		}
		if x.only {
			x.s.good.put(seen)
		}
	}
	return nil
}

// signerKey is the key of a signer: one that the body brings, or the one in force.
func (x *step) signerKey(signer Signer) (PublicKey, error) {
	if b, ok := x.body.(introducer); ok {
		for _, in := range b.introduces() {
			if in.Party == signer.Party && in.Key.Thumbprint() == signer.Key {
				return in.Key, nil
			}
		}
	}
	key, err := x.partyKey(signer.Party)
	if err != nil {
		return "", err
	}
	if key.Thumbprint() != signer.Key {
		return "", ErrKey.with("the signer's key in force is another one")
	}
	return key, nil
}

// partyKey is the key in force of a member or an organisation.
func (x *step) partyKey(party string) (PublicKey, error) {
	if id, ok := strings.CutPrefix(party, memberParty); ok {
		m, ok := x.s.members.get(id, x.s.size)
		if !ok || !m.active(x.now) {
			return "", ErrSigner.with("no member with this id that can sign now")
		}
		key, _ := currentKey(m.Keys)
		return key, nil
	}
	if id, ok := strings.CutPrefix(party, organisationParty); ok {
		org, ok := x.s.orgs.get(id, x.s.size)
		if !ok {
			return "", ErrSigner.with("no organisation with this id")
		}
		key, ok := currentKey(org.Keys)
		if !ok {
			return "", ErrKey.with("the organisation has no key in force")
		}
		return key, nil
	}
	return "", ErrSigner.with("a signer is a member or an organisation")
}

// put adds a fact and notes how to take it back.
func put[T any](x *step, t *table[T], key string, value T) {
	t.put(key, x.index, value)
	index := len(t.rows[key]) - 1
	x.journal = append(x.journal, entry{
		undo: func() { t.pop(key) },
		row:  func() keptRow { return t.fresh(key, index) },
	})
}

// entry is one put: how to take it back, and how to keep it.
type entry struct {
	undo func()
	row  func() keptRow
}

func (x *step) undo() {
	for i := len(x.journal) - 1; i >= 0; i-- {
		x.journal[i].undo()
	}
	x.journal = nil
}
