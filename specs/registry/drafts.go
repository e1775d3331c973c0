package registry

import (
	"crypto"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/ijson"
)

// ParseBody reads the body of a kind as a person writes it: JSON in any spelling, without
// unknown members. It fails with [ErrKind], [ErrReserved] or [ErrBody].
func ParseBody(rules int, kind Kind, raw []byte) (Body, error) {
	r, ok := ruleOf(rules, kind)
	if !ok {
		if slices.Contains(kinds, kind) {
			return nil, ErrReserved
		}
		return nil, ErrKind
	}
	b := r.new()
	if err := ijson.UnmarshalClosed(raw, b); err != nil {
		return nil, ErrBody.with("%v", err)
	}
	if err := checkUnder(b, rules); err != nil {
		return nil, err
	}
	return b, b.check()
}

// Introduces lists the keys that a body brings, with which its own event is signed.
func Introduces(b Body) []Introduced {
	if in, ok := b.(introducer); ok {
		return in.introduces()
	}
	return nil
}

// compose makes the event that the signers will sign.
func compose(d Draft, kind Kind, body Body, signers []Signer) (Event, error) {
	rules := d.Rules
	if rules == 0 {
		rules = RulesVersion
	}
	if rules > RulesVersion {
		return Event{}, ErrNewer
	}
	if _, ok := ruleOf(rules, kind); !ok {
		return Event{}, ErrKind
	}
	if err := checkUnder(body, rules); err != nil {
		return Event{}, err
	}
	if err := body.check(); err != nil {
		return Event{}, err
	}
	raw, err := ijson.Canonical(body)
	if err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrBody, err)
	}
	lifetime := d.Lifetime
	if lifetime == 0 {
		lifetime = maxTransit * time.Second
	}
	return Event{
		Body: raw, Commitments: d.Commitments, Expires: d.Now.Add(lifetime).Unix(), Genesis: d.Genesis, Kind: kind,
		Predecessor: d.Predecessor, Rules: rules, Signed: d.Now.Unix(), Signers: signers, Subject: body.subject(),
	}, nil
}

// Unsigned makes an event that its signers sign one after the other, each on a machine of its
// own, with [SignedEvent.AddSignature]. Until then the signatures are empty. A region takes it
// within seven days.
func Unsigned(d Draft, kind Kind, body Body, signers ...Signer) (SignedEvent, error) {
	e, err := compose(d, kind, body, signers)
	if err != nil {
		return SignedEvent{}, err
	}
	return SignedEvent{Event: e, Signatures: make([]string, len(signers))}, nil
}

// ParseUnsigned reads an event that lacks signatures, as another program wrote it, and its body.
// It fails with [ErrMalformed], or as [ParseBody] does.
func ParseUnsigned(raw []byte) (SignedEvent, Body, error) {
	var s SignedEvent
	if len(raw) > 2*MaxEvent {
		return s, nil, ErrTooLarge
	}
	if err := ijson.UnmarshalClosed(raw, &s); err != nil {
		return SignedEvent{}, nil, ErrMalformed.with("%v", err)
	}
	if len(s.Event.Signers) == 0 || len(s.Event.Signers) > MaxSigners || len(s.Signatures) != len(s.Event.Signers) {
		return SignedEvent{}, nil, ErrMalformed.with("not an event with a place for each signature")
	}
	if s.Event.Rules > RulesVersion {
		return SignedEvent{}, nil, ErrNewer
	}
	r, ok := ruleOf(s.Event.Rules, s.Event.Kind)
	if !ok {
		return SignedEvent{}, nil, ErrKind
	}
	// The file may be indented; what is signed is canonical.
	body, err := ijson.CanonicalBytes(s.Event.Body)
	if err != nil {
		return SignedEvent{}, nil, ErrBody.with("%v", err)
	}
	s.Event.Body = body
	b, err := decodeBody(r, s.Event.Rules, body)
	if err != nil {
		return SignedEvent{}, nil, err
	}
	if b.subject() != s.Event.Subject {
		return SignedEvent{}, nil, ErrSubject
	}
	return s, b, nil
}

// AddSignature signs for a party that is among the signers with this key. It fails with
// [ErrSigner], or with [ErrKey] when the event names another key of the party.
func (s *SignedEvent) AddSignature(party string, key crypto.Signer) error {
	pub, err := NewPublicKey(key.Public())
	if err != nil {
		return err
	}
	i := slices.Index(s.Event.Signers, Signer{Key: pub.Thumbprint(), Party: party})
	if i < 0 {
		if slices.ContainsFunc(s.Event.Signers, func(by Signer) bool { return by.Party == party }) {
			return ErrKey.with("the event waits for another key of %s", party)
		}
		return ErrSigner.with("%s is not among those who sign this", party)
	}
	input, err := s.Event.SigningInput()
	if err != nil {
		return err
	}
	sig, err := sign(key, input)
	if err != nil {
		return err
	}
	s.Signatures[i] = sig
	return nil
}

// Waiting lists the signers whose signature is not there yet, in their order.
func (s SignedEvent) Waiting() []Signer {
	var out []Signer
	for i, signer := range s.Event.Signers {
		if i >= len(s.Signatures) || s.Signatures[i] == "" {
			out = append(out, signer)
		}
	}
	return out
}
