package registry

import (
	"bytes"
	"time"
)

// Prepared is a signed event with all of judging it that needs no state and is the same each
// time: its form is checked, its id and what its signers sign are made, its body is read. A node
// looks at an event before it orders it and again when it applies it, and prepares it once. What
// it holds follows from the bytes, and nothing changes it.
type Prepared struct {
	signed SignedEvent
	raw    []byte
	input  []byte // what its signers sign
	id     string
	body   Body  // under the rules that it names; nil when those know no such kind
	wrong  error // with the body
}

// Prepare reads a signed event from outside. It fails as [ParseEvent] does. The bytes may not be
// changed afterwards.
func Prepare(raw []byte) (*Prepared, error) {
	s, err := ParseEvent(raw)
	if err != nil {
		return nil, err
	}
	end, err := signaturesAt(raw)
	if err != nil {
		return nil, err
	}
	p := &Prepared{signed: s, raw: raw}
	// The event was held against its own encoding, so these bytes of it are the canonical form.
	p.input = append(append(make([]byte, 0, len(signingPrefix)+end), signingPrefix...), raw[len(eventBegin):end]...)
	p.id = eventID(p.input)
	if rule, ok := ruleOf(s.Event.Rules, s.Event.Kind); ok {
		p.body, p.wrong = decodeBody(rule, s.Event.Rules, s.Event.Body)
	}
	return p, nil
}

// Signed is the event.
func (p *Prepared) Signed() SignedEvent { return p.signed }

// ID is the id of the event.
func (p *Prepared) ID() string { return p.id }

// Raw is the event in canonical form.
func (p *Prepared) Raw() []byte { return p.raw }

// Check is [Check] of the event.
func (p *Prepared) Check(s *State, logTime time.Time) error {
	return check(s, NewLeaf(p.signed, logTime), p)
}

// Apply is [Apply] of the event as a leaf with this log time.
func (p *Prepared) Apply(s *State, logTime time.Time) (Effect, error) {
	return apply(s, NewLeaf(p.signed, logTime), p)
}

const (
	eventBegin      = `{"event":`
	signaturesBegin = `,"signatures":[`
)

// signaturesAt is where the event ends in the canonical form of a signed one.
func signaturesAt(raw []byte) (int, error) {
	// In a string the quotes would stand behind backslashes: the last one is the member.
	i := bytes.LastIndex(raw, []byte(signaturesBegin))
	if i < len(eventBegin) {
		return 0, ErrMalformed.with("not a signed event")
	}
	return i, nil
}
