package registry

import (
	"slices"
	"strings"
)

// Prefixes of parties and subjects.
const (
	memberParty       = "member/"
	organisationParty = "organisation/"
	nodeSubject       = "node/"
	anchorSubject     = "anchor/"
	certSubject       = "certificate/"
	hobbelSubject     = "hobbel/"
	voteSubject       = "vote/"
	peerSubject       = "peer/"

	// RegionSubject is the subject of what is about the region as a whole.
	RegionSubject = "region"
	// CatalogueSubject is the subject of the catalogue of hobbels.
	CatalogueSubject = "catalogue"
	// ErasureSubject is the subject of erasures.
	ErasureSubject = "erasure"
)

// MemberParty is the party and the subject of a member.
func MemberParty(id string) string { return memberParty + id }

// OrganisationParty is the party and the subject of an organisation.
func OrganisationParty(id string) string { return organisationParty + id }

// NodeSubject is the subject of a node.
func NodeSubject(id string) string { return nodeSubject + id }

// CertificateSubject is the subject of a certificate, by fingerprint or commitment.
func CertificateSubject(name string) string { return certSubject + name }

// HobbelSubject is the subject of a hobbel.
func HobbelSubject(id string) string { return hobbelSubject + id }

// PeerSubject is the subject of another region, by its id.
func PeerSubject(genesis string) string { return peerSubject + genesis }

// VoteSubject is the subject of a party's vote on a proposal: each has its own, so that two
// members can approve at the same time.
func VoteSubject(proposal, party string) string { return voteSubject + proposal + "/" + party }

// voteProposal is the proposal of a vote's subject, "" for other subjects.
func voteProposal(subject string) string {
	rest, ok := strings.CutPrefix(subject, voteSubject)
	if !ok {
		return ""
	}
	proposal, _, _ := strings.Cut(rest, "/")
	return proposal
}

// signedBy says whether the party is among the signers.
func (x *step) signedBy(party string) bool {
	return slices.ContainsFunc(x.leaf.Event.Signers, func(s Signer) bool { return s.Party == party })
}

// signingMembers lists the ids of the members among the signers, each once.
func (x *step) signingMembers() []string {
	var out []string
	for _, signer := range x.leaf.Event.Signers {
		if id, ok := strings.CutPrefix(signer.Party, memberParty); ok && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// onlyMembers refuses signers that are not members.
func onlyMembers(x *step) error {
	if len(x.signingMembers()) == 0 || slices.ContainsFunc(x.leaf.Event.Signers, func(s Signer) bool {
		return !strings.HasPrefix(s.Party, memberParty)
	}) {
		return ErrSigner.with("members sign this")
	}
	return x.standingSigner()
}

// standingSigner refuses an event of which every signer signed with a key that the event
// itself brings: a key is free, and whoever has one could open proposals about anybody, so
// that the subject has a newer event at each turn (D3).
func (x *step) standingSigner() error {
	for _, signer := range x.leaf.Event.Signers {
		if key, err := x.partyKey(signer.Party); err == nil && key.Thumbprint() == signer.Key {
			return nil
		}
	}
	return ErrSigner.with("a new key signs beside one that is in force: its owner's, or a member's")
}

// conflicted says whether a member is, controls or shares a key with an organisation, or with
// one that it went on in or that went on in it: then it has no say about it.
func (s *State) conflicted(member, organisation string) bool {
	m, ok := s.members.get(member, s.size)
	if !ok {
		return true
	}
	return slices.ContainsFunc(s.line(organisation), func(id string) bool { return s.controls(m, id) })
}

func (s *State) controls(m MemberRecord, organisation string) bool {
	if slices.Contains(m.Organisations, organisation) {
		return true
	}
	org, ok := s.orgs.get(organisation, s.size)
	if !ok {
		return false
	}
	return slices.Contains(org.Members, m.ID) || slices.ContainsFunc(m.Keys, func(k KeyPeriod) bool {
		return slices.ContainsFunc(org.Keys, func(o KeyPeriod) bool { return o.Key == k.Key })
	})
}

// related says whether two parties are one hand: the same, a member and an organisation of
// it, two organisations of one member, or one that went on in the other.
func (s *State) related(a, b string) bool {
	if a == b {
		return true
	}
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		member, isMember := strings.CutPrefix(pair[0], memberParty)
		org, isOrg := strings.CutPrefix(pair[1], organisationParty)
		if isMember && isOrg && s.conflicted(member, org) {
			return true
		}
	}
	orgA, okA := strings.CutPrefix(a, organisationParty)
	orgB, okB := strings.CutPrefix(b, organisationParty)
	if okA && okB && slices.Contains(s.line(orgA), orgB) {
		return true
	}
	return okA && okB && slices.ContainsFunc(s.members.keys(s.size), func(m string) bool {
		return s.conflicted(m, orgA) && s.conflicted(m, orgB)
	})
}
