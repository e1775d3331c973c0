package registry

// Ahead are signatures of a leaf that were found good before it was its turn.
type Ahead [][32]byte

// LookAhead checks the signatures of a leaf that comes soon, as far as the keys of its signers
// are known by now. That is most of the work of [Apply] and the only part that processors can
// share: many goroutines may do it at once while nobody applies. Nothing changes, and nothing is
// decided: who may sign with which key, and whatever could not be checked, Apply judges.
func (s *State) LookAhead(l Leaf) Ahead {
	input, err := l.Event.SigningInput()
	if err != nil {
		return nil
	}
	x := &step{s: s, leaf: l, input: input, id: eventID(input), rules: l.Event.Rules, now: l.LogTime}
	x.body, _ = l.Event.decode() // one that does not decode brings no keys
	var out Ahead
	for i, signer := range l.Event.Signers {
		if i >= len(l.Signatures) {
			break
		}
		key, err := x.signerKey(signer)
		if err != nil {
			continue
		}
		pub, err := key.ECDSA()
		if err == nil && verify(pub, input, l.Signatures[i]) == nil {
			out = append(out, goodKey(x.id, key, l.Signatures[i]))
		}
	}
	return out
}

// Spare has the Apply of a leaf that [State.LookAhead] looked at spared the signatures that it
// found good.
func (s *State) Spare(a Ahead) {
	for _, k := range a {
		s.good.put(k)
	}
}
