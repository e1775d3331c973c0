package registry

func (m *MemberKey) subject() string { return MemberParty(m.Member) }

func (m *MemberKey) introduces() []Introduced {
	if m.Key == "" {
		return nil
	}
	return []Introduced{{MemberParty(m.Member), m.Key}}
}

func (m *MemberKey) check() error {
	if !isSlug(m.Member) || m.CompromisedSince < 0 {
		return ErrBody.with("a change of key names a member and no moment before 1970")
	}
	if m.Key != "" {
		if _, err := m.Key.ECDSA(); err != nil {
			return ErrBody.with("the new key is not a P-256 key")
		}
	}
	return checkText("reason", m.Reason, 2000)
}

// authoriseRotation: the member signs with the old key and with the new one.
func authoriseRotation(x *step) error {
	m := x.body.(*MemberKey)
	signers := x.leaf.Event.Signers
	if m.Key == "" || m.CompromisedSince != 0 || len(signers) != 2 {
		return ErrSigner.with("a rotation is signed with the old key and the new one")
	}
	for i, key := range []PublicKey{x.oldKey(m.Member), m.Key} {
		if signers[i] != (Signer{Party: MemberParty(m.Member), Key: key.Thumbprint()}) {
			return ErrSigner.with("a rotation is signed with the old key and the new one, in this order")
		}
	}
	return nil
}

func (x *step) oldKey(member string) PublicKey {
	m, _ := x.s.members.get(member, x.s.size)
	key, _ := currentKey(m.Keys)
	return key
}

// authoriseMemberKey: other members tell that a key was lost; that a key was stolen its owner
// may tell alone, since a thief would only end its own use of it. A new key signs too.
func authoriseMemberKey(x *step) error {
	m := x.body.(*MemberKey)
	if err := onlyMembers(x); err != nil {
		return err
	}
	if (x.leaf.Event.Kind == KindKeyLost) != (m.CompromisedSince == 0) {
		return ErrBody.with("a stolen key says since when, a lost key does not")
	}
	if m.Key != "" && !x.signedWith(MemberParty(m.Member), m.Key) {
		return ErrSigner.with("the new key signs too")
	}
	return nil
}

// memberKeyThreshold: the owner alone can end a stolen key, but not name the next one: the
// thief could do that as well.
func memberKeyThreshold(x *step) string {
	m := x.body.(*MemberKey)
	if x.leaf.Event.Kind == KindKeyStolen && m.Key == "" && x.signedWith(MemberParty(m.Member), x.oldKey(m.Member)) {
		return ""
	}
	return ForAmendment
}

func (x *step) signedWith(party string, key PublicKey) bool {
	want := Signer{Party: party, Key: key.Thumbprint()}
	for _, s := range x.leaf.Event.Signers {
		if s == want {
			return true
		}
	}
	return false
}

func enactMemberKey(x *step) error {
	change := x.body.(*MemberKey)
	m, ok := x.s.members.get(change.Member, x.s.size)
	if !ok || m.Removed != 0 {
		return ErrUnknown.with("no such member")
	}
	if change.CompromisedSince > x.now {
		return ErrBody.with("a key is not stolen in the future")
	}
	if change.Key != "" {
		if err := x.freshKey(change.Key); err != nil {
			return err
		}
		m.Key = change.Key
	}
	m.Keys = endKey(m.Keys, x.now, change.CompromisedSince, change.Key)
	put(x, &x.s.members, change.Member, m)
	return x.reachable()
}
