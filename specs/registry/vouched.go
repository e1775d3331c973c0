package registry

import "strings"

// Known says whether an event names among its signers a party that takes part in the region
// at the time of the newest leaf: a member that can sign, or an organisation that is admitted
// in some role and not suspended. Whoever orders events may bound what others send, because a key of one's own is free. It looks at no
// signature.
func (s *State) Known(e SignedEvent) bool {
	for i := range e.Event.Signers {
		if _, ok := s.signerInForce(e.Event.Signers[i]); ok {
			return true
		}
	}
	return false
}

// Vouched says whether such a party signed the event, with its key in force at the newest
// leaf. It says nothing about whether [Apply] accepts the event.
func (s *State) Vouched(e SignedEvent) bool {
	input, err := e.Event.SigningInput()
	if err != nil || len(e.Signatures) != len(e.Event.Signers) {
		return false
	}
	for i, signer := range e.Event.Signers {
		key, ok := s.signerInForce(signer)
		if !ok || key.Thumbprint() != signer.Key {
			continue
		}
		pub, err := key.ECDSA()
		if err == nil && verify(pub, input, e.Signatures[i]) == nil {
			return true
		}
	}
	return false
}

// signerInForce is the key in force of a signer that takes part in the region.
func (s *State) signerInForce(signer Signer) (PublicKey, bool) {
	if id, ok := strings.CutPrefix(signer.Party, organisationParty); ok {
		if _, known := s.orgs.get(id, s.size); !known {
			return "", false // without a look for each role that it has not
		}
	}
	x := &step{s: s, now: s.logTime}
	if x.mayClaim(signer.Party) != nil {
		return "", false
	}
	key, err := x.partyKey(signer.Party)
	return key, err == nil
}
