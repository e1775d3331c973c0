package registry

// What the state holds: values of its tables. All times are seconds since 1970, UTC; an end
// of 0 is no end. A value is never changed after it was put in.

// MemberRecord is a member with the keys it has had.
type MemberRecord struct {
	Member
	Keys    []KeyPeriod `json:"keys"`
	Removed int64       `json:"removed,omitzero"` // log time
	Since   int64       `json:"since"`
}

// KeyPeriod is a key from when to when, in the order in which keys followed each other.
type KeyPeriod struct {
	CompromisedSince int64     `json:"compromised_since,omitzero"` // what it signed since proves nothing
	From             int64     `json:"from"`
	Key              PublicKey `json:"key"`
	Until            int64     `json:"until,omitzero"`
}

// NodeRecord is a node with its periods of keys.
type NodeRecord struct {
	Node
	Keys    []NodeKeyPeriod `json:"keys"`
	Removed int64           `json:"removed,omitzero"`
	Since   int64           `json:"since"`
}

// NodeKeyPeriod are the keys of a node from when to when.
type NodeKeyPeriod struct {
	NodeKeys
	CompromisedSince int64 `json:"compromised_since,omitzero"`
	From             int64 `json:"from"`
	Until            int64 `json:"until,omitzero"`
}

// CharterRecord is the charter as it stands, without its lists.
type CharterRecord struct {
	Admission  AdmissionTerm        `json:"admission"`
	Continues  *Continuation        `json:"continues,omitempty"` // where another region stopped
	Criteria   string               `json:"criteria"`
	Text       *CriteriaText        `json:"criteria_text,omitempty"`
	Entity     string               `json:"entity,omitempty"` // OpenID Federation entity id; none: the region serves no federation
	From       int64                `json:"from"`
	Name       string               `json:"name"`
	Origin     string               `json:"origin"`
	Rules      int                  `json:"rules,omitzero"` // version of the rules; 1 is not written
	Thresholds map[string]Threshold `json:"thresholds"`
}

// AnchorRecord is a certificate of the region's CA.
type AnchorRecord struct {
	Anchor
	Removed int64 `json:"removed,omitzero"`
	Since   int64 `json:"since"`
}

// OrganisationRecord is an organisation. It exists from its first application on, but has
// Since only from its first admission.
type OrganisationRecord struct {
	Aliases      []AliasPeriod     `json:"aliases,omitempty"`
	Commitments  map[string]string `json:"commitments,omitempty"` // of a one-person firm: field -> commitment
	ID           string            `json:"id"`
	Keys         []KeyPeriod       `json:"keys,omitempty"`
	Members      []string          `json:"members,omitempty"`
	Name         string            `json:"name,omitempty"`
	OnePerson    bool              `json:"one_person,omitzero"`
	Predecessors []string          `json:"predecessors,omitempty"` // that went on in it, by id
	Registration string            `json:"registration,omitempty"`
	Since        int64             `json:"since,omitzero"`
	Succeeded    *SucceededBy      `json:"succeeded,omitempty"` // it went on in another
}

// AliasPeriod is an alias from when to when.
type AliasPeriod struct {
	Alias
	From  int64 `json:"from"`
	Until int64 `json:"until,omitzero"`
}

// Standing is where an organisation stands in one role: what it was granted and what was
// done about it, in the order of decisions.
type Standing struct {
	Grants       []Grant      `json:"grants"`
	Organisation string       `json:"organisation"`
	Role         Role         `json:"role"`
	Suspensions  []Suspension `json:"suspensions,omitempty"`
	Withdrawals  []Withdrawal `json:"withdrawals,omitempty"`
}

// Grant is one admission. It begins at its log time at the earliest and always ends.
type Grant struct {
	Criteria string      `json:"criteria"`
	Domains  []string    `json:"domains,omitempty"`
	Event    string      `json:"event"` // id of the application
	Levels   []LevelFact `json:"levels,omitempty"`
	Purposes []string    `json:"purposes,omitempty"`
	Serves   []string    `json:"serves,omitempty"`
	Since    int64       `json:"since"`
	Types    []string    `json:"types,omitempty"`
	Until    int64       `json:"until"`
}

// Suspension is a time in which the admissions of a role do not count.
type Suspension struct {
	Event  string `json:"event"`
	From   int64  `json:"from"`
	Reason string `json:"reason"`
	Until  int64  `json:"until,omitzero"` // reinstatement
}

// Withdrawal ends the admissions of a role that were granted before it.
type Withdrawal struct {
	Decided       int64  `json:"decided"`        // log time
	EffectiveFrom int64  `json:"effective_from"` // not after Decided
	Event         string `json:"event"`
	Fraud         bool   `json:"fraud,omitzero"` // what was signed from EffectiveFrom on is void
	Reason        string `json:"reason"`
}

// Retroactive says whether the withdrawal has effect on what was before its decision.
func (w Withdrawal) Retroactive() bool { return w.EffectiveFrom < w.Decided }

// CertificateFact is a certificate of the region's CA as the registry knows it.
type CertificateFact struct {
	Anchor       string            `json:"anchor"`
	Commitments  map[string]string `json:"commitments,omitempty"`
	Event        string            `json:"event"`
	Fingerprint  string            `json:"fingerprint,omitempty"`
	NotAfter     int64             `json:"not_after"`
	NotBefore    int64             `json:"not_before"`
	Organisation string            `json:"organisation"`
	Recorded     int64             `json:"recorded"`         // log time: it counts from here
	Renews       string            `json:"renews,omitempty"` // the certificate that it follows
	Revoked      *Revocation       `json:"revoked,omitempty"`
	SPKI         string            `json:"spki,omitempty"`
	Usage        Usage             `json:"usage"`
}

// Revocation ends a certificate.
type Revocation struct {
	Compromised   bool   `json:"compromised,omitzero"`
	Decided       int64  `json:"decided"`
	EffectiveFrom int64  `json:"effective_from"`
	Reason        string `json:"reason"`
}

// Proposal is an event that takes effect when enough members agree.
type Proposal struct {
	Appeal    string      `json:"appeal,omitempty"` // event that asked for a second look
	Approvals []Vote      `json:"approvals,omitempty"`
	Barred    []string    `json:"barred,omitempty"`     // of an appeal: members that refused before, sorted
	Confirmed string      `json:"confirmed,omitempty"`  // party that confirmed a hobbel
	Decided   int64       `json:"decided,omitzero"`     // log time; from rules version 2 on
	DecidedBy string      `json:"decided_by,omitempty"` // event that completed it
	Event     Event       `json:"event"`
	ID        string      `json:"id"`
	Opened    int64       `json:"opened"`
	Refusals  []Vote      `json:"refusals,omitempty"`
	Status    Disposition `json:"status"`
	Threshold string      `json:"threshold"`
}

// Vote is a member's decision.
type Vote struct {
	At     int64  `json:"at"`
	Event  string `json:"event"`
	Group  Group  `json:"group"`
	Member string `json:"member"`
	Reason string `json:"reason,omitempty"`
}

// Disposition is what became of a proposal.
type Disposition string

// The dispositions. A pending proposal whose event has expired is lapsed; queries say so.
const (
	Pending Disposition = "pending"
	Enacted Disposition = "enacted"
	Refused Disposition = "refused"
)

// CatalogueRecord is a version of the hobbels with the day from which it holds.
type CatalogueRecord struct {
	Catalogue
	From int64 `json:"from"`
}

// HobbelFact is a step of a hobbel.
type HobbelFact struct {
	HobbelClaim
	Claimant  string `json:"claimant"`  // party
	Confirmed string `json:"confirmed"` // another party
	Event     string `json:"event"`
	Since     int64  `json:"since"` // log time
}

// CommitmentRecord says whose a commitment is, and whether its payload was erased.
type CommitmentRecord struct {
	Erased       int64  `json:"erased,omitzero"` // log time
	Event        string `json:"event"`
	Field        string `json:"field"`
	Organisation string `json:"organisation"`
}

// PolicyRecord is which nodes' signatures make a checkpoint count, for checkpoints larger
// than Size and up to and including the next record's Size.
type PolicyRecord struct {
	Nodes []PolicyNode `json:"nodes"`
	Size  uint64       `json:"size"` // leaves up to and including the one that made it
}

// PolicyNode are the keys of one node in a policy, sorted by ID.
type PolicyNode struct {
	Cosigner string `json:"cosigner_key"`
	ID       string `json:"id"`
	Log      string `json:"log_key"`
}

// ClockRecord is a correction of the log's clock.
type ClockRecord struct {
	Corrected int64  `json:"corrected"` // log time from here on
	Event     string `json:"event"`
	Was       int64  `json:"was"` // highest log time before
}
