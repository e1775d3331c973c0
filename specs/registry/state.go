package registry

import (
	"slices"
	"sync"
	"time"
)

// State is what the leaves of a region amount to. Only [Apply] changes it. It is not safe for
// use while Apply runs; afterwards it can be read from many goroutines.
type State struct {
	genesis string
	size    uint64 // leaves applied
	logTime int64  // of the newest leaf: the next one's floor

	digest sync.Mutex // held while Digest hashes what is new
	good   good       // signatures that Check looked at

	kept *kept // nil: everything is in memory

	testingSelfApproval bool // tests plant this fault to see that they would notice

	tables
}

// tables is all that the leaves brought. A new one is named here, in newTables and in stores.
type tables struct {
	charter      table[CharterRecord]            // "current"
	members      table[MemberRecord]             // by member id
	nodes        table[NodeRecord]               // by node id
	anchors      table[AnchorRecord]             // by fingerprint
	policies     table[PolicyRecord]             // "current"
	orgs         table[OrganisationRecord]       // by organisation id
	aliases      table[[]string]                 // by type and value: organisations that ever had it
	standings    table[Standing]                 // by organisation id and role
	certificates table[CertificateFact]          // by fingerprint or commitment
	keyHolders   table[[]string]                 // by SPKI hash: certificates under which it stands
	holdings     table[[]string]                 // by organisation id: its certificates
	proposals    table[Proposal]                 // by event id
	catalogues   table[CatalogueRecord]          // "current"
	hobbels      table[[]HobbelFact]             // by hobbel id and scope
	commitments  table[CommitmentRecord]         // by commitment
	functions    table[Listing[FunctionProfile]] // by function id
	modules      table[Listing[Module]]          // by module id
	attested     table[DigestRecord]             // "current"
	peers        table[PeerRecord]               // by region id
	witnesses    table[WitnessRecord]            // "current"
	custodians   table[[]CustodianStanding]      // by organisation id: whose lists
	clocks       table[ClockRecord]              // "current"
	heads        table[string]                   // by subject: id of its last event
	events       table[int64]                    // by event id: log time; its version tells the leaf
}

// NewState is the state before the first leaf. Without a region id the first founding event
// is believed; with one, any other region is refused ([ErrRegion]).
func NewState(genesis string) *State {
	return &State{genesis: genesis, good: good{}, tables: newTables()}
}

func newTables() tables {
	return tables{
		charter:      newSmallTable[CharterRecord]("charter"),
		members:      newSmallTable[MemberRecord]("member"),
		nodes:        newSmallTable[NodeRecord]("node"),
		anchors:      newSmallTable[AnchorRecord]("anchor"),
		policies:     newSmallTable[PolicyRecord]("policy"),
		orgs:         newTable[OrganisationRecord]("organisation"),
		aliases:      newTable[[]string]("alias"),
		standings:    newTable[Standing]("standing"),
		certificates: newTable[CertificateFact]("certificate"),
		keyHolders:   newTable[[]string]("key"),
		holdings:     newTable[[]string]("holding"),
		proposals:    newTable[Proposal]("proposal"),
		catalogues:   newSmallTable[CatalogueRecord]("catalogue"),
		hobbels:      newSmallTable[[]HobbelFact]("hobbel"),
		commitments:  newTable[CommitmentRecord]("commitment"),
		functions:    newTable[Listing[FunctionProfile]]("function"),
		modules:      newTable[Listing[Module]]("module"),
		attested:     newSmallTable[DigestRecord]("digest"),
		peers:        newSmallTable[PeerRecord]("peer"),
		witnesses:    newSmallTable[WitnessRecord]("witness"),
		custodians:   newSmallTable[[]CustodianStanding]("custodian"),
		clocks:       newSmallTable[ClockRecord]("clock"),
		heads:        newTable[string]("head"),
		events:       newTable[int64]("event"),
	}
}

func (s *State) stores() []store {
	return []store{&s.charter, &s.members, &s.nodes, &s.anchors, &s.policies, &s.orgs, &s.aliases,
		&s.standings, &s.certificates, &s.keyHolders, &s.holdings, &s.proposals, &s.catalogues, &s.hobbels,
		&s.commitments, &s.functions, &s.modules, &s.attested, &s.peers, &s.witnesses, &s.custodians, &s.clocks, &s.heads, &s.events}
}

// Genesis is the region's id: the id of its founding event. Empty before the first leaf of a
// state that pinned none.
func (s *State) Genesis() string { return s.genesis }

// Size is the number of leaves applied.
func (s *State) Size() uint64 { return s.size }

// LogTime is the stamp of the newest leaf.
func (s *State) LogTime() time.Time { return time.Unix(s.logTime, 0).UTC() }

// Head is the id of the subject's last event, to be signed as predecessor; "" when the
// subject has none. The subject of a vote has the proposal as its first predecessor.
func (s *State) Head(subject string) string {
	head, ok := s.heads.get(subject, s.size)
	if !ok {
		return voteProposal(subject)
	}
	return head
}

// Leaf finds an event in the log by its id.
func (s *State) Leaf(eventID string) (index uint64, ok bool) {
	rows := s.events.row(eventID)
	if len(rows) == 0 {
		return 0, false
	}
	return rows[0].Leaf, true
}

// Digest is a hash over everything the state holds: equal after the same leaves on every
// machine. It may be asked for wherever the state may be read. It is a Merkle root over the rows of all tables sorted by name, in hexadecimal.
func (s *State) Digest() string { return s.DigestAt(s.size) }

// asKnown is the state as the first size leaves made it, to ask questions of: what it shares
// with s must not change meanwhile.
func (s *State) asKnown(size uint64) *State {
	return &State{genesis: s.genesis, size: size, logTime: s.logTime, tables: s.tables}
}

// rollback forgets the leaves from size on, none of which is stored; logTime is what it was then.
func (s *State) rollback(size uint64, genesis string, logTime int64) {
	if s.kept != nil {
		s.kept.rollback(size)
	}
	for _, st := range s.stores() {
		st.rollback(size)
	}
	s.size, s.genesis, s.logTime = size, genesis, logTime
}

// organisation is the record of an organisation as it stands.
func (s *State) organisation(id string) (OrganisationRecord, error) {
	org, ok := s.orgs.get(id, s.size)
	if !ok {
		return org, ErrUnknown.with("no organisation with this id has applied")
	}
	return org, nil
}

func (s *State) currentCharter() CharterRecord {
	c, _ := s.charter.get(current, s.size)
	return c
}

// current is the key of tables that hold one thing.
const current = "current"

// activeMembers lists the members that can sign at t: in the region, within their mandate
// and with a key in force.
func (s *State) activeMembers(t int64) []MemberRecord {
	var out []MemberRecord
	for _, id := range s.members.keys(s.size) {
		m, _ := s.members.get(id, s.size)
		if m.active(t) {
			out = append(out, m)
		}
	}
	return out
}

func (m MemberRecord) active(t int64) bool {
	_, ok := currentKey(m.Keys)
	return m.Removed == 0 && (m.Until == 0 || t <= m.Until) && ok
}

// currentKey is the key in force: the last one, unless it ended.
func currentKey(keys []KeyPeriod) (PublicKey, bool) {
	if len(keys) == 0 || keys[len(keys)-1].Until != 0 {
		return "", false
	}
	return keys[len(keys)-1].Key, true
}

// endKey returns keys with the last one ended at t, and then the new one if there is one. A
// theft taints every key that was in use since: a thief may have gone on to a key of its own.
func endKey(keys []KeyPeriod, t, compromisedSince int64, next PublicKey) []KeyPeriod {
	out := slices.Clone(keys)
	if n := len(out); n > 0 && out[n-1].Until == 0 {
		out[n-1].Until = t
	}
	for i, k := range out {
		if compromisedSince != 0 && k.Until > compromisedSince && (k.CompromisedSince == 0 || compromisedSince < k.CompromisedSince) {
			out[i].CompromisedSince = compromisedSince
		}
	}
	if next != "" {
		out = append(out, KeyPeriod{From: t, Key: next})
	}
	return out
}
