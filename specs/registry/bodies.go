package registry

import "slices"

// Role is what an organisation is admitted for.
type Role string

// The roles.
const (
	Issuer       Role = "issuer"        // issues credentials of the types it is admitted for
	Verifier     Role = "verifier"      // asks for credentials for the purposes it is admitted for
	WalletHost   Role = "wallet-host"   // keeps paspoorten for people
	StatusSigner Role = "status-signer" // signs status lists for other organisations
)

// Application asks for admission of an organisation in one role. It is also how an admitted
// organisation renews, or asks for a second role: then it says nothing of identity.
//
// For a one-person firm the name, addresses and keys are personal data: they are commitments
// of the event, the body says only OnePerson, and a member signs in its name.
type Application struct {
	Aliases      []Alias     `json:"aliases,omitempty"`
	Criteria     string      `json:"criteria"`          // version of the criteria it was written for
	Days         int         `json:"days,omitzero"`     // asked duration; the charter's when absent
	Domains      []string    `json:"domains,omitempty"` // what about, e.g. "zorg", sorted
	Key          PublicKey   `json:"key,omitempty"`     // its key for events
	Levels       []LevelFact `json:"levels,omitempty"`  // audited facts behind proof levels 3 and 4
	Members      []string    `json:"members,omitempty"` // members that are it or control it, sorted
	Name         string      `json:"name,omitempty"`
	OnePerson    bool        `json:"one_person,omitzero"`
	Organisation string      `json:"organisation"`           // permanent id, chosen at random by the applicant
	Purposes     []string    `json:"purposes,omitempty"`     // of a verifier, sorted
	Registration string      `json:"registration,omitempty"` // number in a trade register, e.g. "KvK 90000001"
	Role         Role        `json:"role"`
	Serves       []string    `json:"serves,omitempty"` // of a status signer: organisation ids, sorted
	Types        []string    `json:"types,omitempty"`  // of an issuer: credential types (vct), sorted
}

// Alias is another name of an organisation: dated, while its id is permanent.
type Alias struct {
	Type  string `json:"type"`  // "url" (credential issuer, client id, federation entity) or "did"
	Value string `json:"value"` // e.g. "https://vaart.example", "did:web:vaart.example"
}

// The types of alias.
const (
	AliasURL = "url"
	AliasDID = "did"
)

// LevelFact is the audited fact that proof levels 3 (onafhankelijk beoordeeld) and 4 (erkend
// waardepapier) rest on. Only members' approvals make it count.
type LevelFact struct {
	Auditor string `json:"auditor"` // who looked, another body than the organisation
	Basis   string `json:"basis"`   // standard or recognition, e.g. "EVC-erkenning"
	// Domain is what it is about, e.g. "zorg"; Independence why whoever assesses does not gain
	// by the outcome. Both from rules version 2 on, and there always.
	Domain       string   `json:"domain,omitempty"`
	Independence string   `json:"independence,omitempty"`
	Level        int      `json:"level"`               // 3 or 4
	On           int64    `json:"on"`                  // when it was established
	Reference    string   `json:"reference,omitempty"` // number or address of the finding
	Types        []string `json:"types"`               // credential types it covers, sorted
	Until        int64    `json:"until"`               // when it ends
}

func (a Application) check() error {
	if !isOrganisation(a.Organisation) {
		return ErrBody.with("an organisation's id is org_ and 26 characters of base32")
	}
	if err := checkText("criteria", a.Criteria, 100); err != nil {
		return err
	}
	if a.Days < 0 || a.Days > 3660 {
		return ErrBody.with("an admission lasts 1 to 3660 days")
	}
	for _, list := range [][]string{a.Domains, a.Members, a.Purposes, a.Serves, a.Types} {
		if len(list) > 64 || !isSortedSet(list) {
			return ErrBody.with("lists hold up to 64 different values in order")
		}
	}
	for _, id := range a.Members {
		if !isSlug(id) {
			return ErrBody.with("a member is named by its id")
		}
	}
	if err := a.checkRole(); err != nil {
		return err
	}
	return a.checkIdentity()
}

// checkRole checks that what is asked fits the role.
func (a Application) checkRole() error {
	want := map[Role][4]bool{ // types, purposes, serves, levels allowed
		Issuer: {0: true, 3: true}, Verifier: {1: true}, WalletHost: {}, StatusSigner: {2: true},
	}
	allowed, ok := want[a.Role]
	if !ok {
		return ErrBody.with("no such role")
	}
	given := [4]int{len(a.Types), len(a.Purposes), len(a.Serves), len(a.Levels)}
	for i, n := range given {
		if n > 0 && !allowed[i] || n == 0 && allowed[i] && i < 3 {
			return ErrBody.with("an issuer names types, a verifier purposes, a status signer whom it serves, nobody else does")
		}
	}
	for _, text := range slices.Concat(a.Types, a.Purposes, a.Domains) {
		if err := checkText("type, purpose or domain", text, 200); err != nil {
			return err
		}
	}
	for _, id := range a.Serves {
		if !isOrganisation(id) {
			return ErrBody.with("a status signer serves organisations, by id")
		}
	}
	if len(a.Levels) > 16 {
		return ErrBody.with("at most 16 audited facts")
	}
	for _, level := range a.Levels {
		if err := level.check(a.Types); err != nil {
			return err
		}
	}
	return nil
}

func (a Application) checkIdentity() error {
	if a.OnePerson && (a.Name != "" || a.Registration != "" || a.Key != "" || len(a.Aliases) > 0) {
		return ErrBody.with("name, number, key and addresses of a one-person firm are commitments, never in the body")
	}
	if a.Name != "" {
		if err := checkText("name", a.Name, 200); err != nil {
			return err
		}
	}
	if a.Registration != "" {
		if err := checkText("registration", a.Registration, 100); err != nil {
			return err
		}
	}
	if a.Key != "" {
		if _, err := a.Key.ECDSA(); err != nil {
			return ErrBody.with("the organisation's key is not a P-256 key")
		}
	}
	return checkAliases(a.Aliases)
}

func (f LevelFact) check(types []string) error {
	if f.Level != 3 && f.Level != 4 {
		return ErrBody.with("only levels 3 and 4 rest on audited facts")
	}
	if f.On <= 0 || f.Until <= f.On || len(f.Types) == 0 || !isSortedSet(f.Types) {
		return ErrBody.with("an audited fact has a beginning, an end and the types it covers")
	}
	for _, t := range f.Types {
		if !slices.Contains(types, t) {
			return ErrBody.with("an audited fact covers types of the same application")
		}
	}
	if err := checkText("auditor", f.Auditor, 200); err != nil {
		return err
	}
	if len(f.Reference) > 500 {
		return ErrBody.with("the reference is too long")
	}
	return checkText("basis", f.Basis, 200)
}

func checkAliases(list []Alias) error {
	if len(list) > 16 {
		return ErrBody.with("at most 16 aliases")
	}
	for i, a := range list {
		ok := a.Type == AliasURL && isURL(a.Value) || a.Type == AliasDID && isDID(a.Value)
		if !ok || slices.Contains(list[:i], a) {
			return ErrBody.with("an alias is a URL without trailing slash or a DID, named once")
		}
	}
	return nil
}

// Decision approves, refuses or confirms a proposal, by kind.
type Decision struct {
	Proposal string `json:"proposal"`         // event id
	Reason   string `json:"reason,omitempty"` // a refusal needs one
	Voter    string `json:"voter"`            // party: who signs
}

// Measure suspends, reinstates or withdraws an organisation in a role.
type Measure struct {
	EffectiveFrom int64  `json:"effective_from,omitzero"` // when absent: when it is decided; only the past
	Fraud         bool   `json:"fraud,omitzero"`          // of a withdrawal: what was signed since then is void
	Organisation  string `json:"organisation"`
	Reason        string `json:"reason"`
	Role          Role   `json:"role"`
}

func (m Measure) check() error {
	if !isOrganisation(m.Organisation) || m.EffectiveFrom < 0 {
		return ErrBody.with("a measure names an organisation and no moment before 1970")
	}
	if !slices.Contains([]Role{Issuer, Verifier, WalletHost, StatusSigner}, m.Role) {
		return ErrBody.with("no such role")
	}
	if m.Fraud && m.EffectiveFrom == 0 {
		return ErrBody.with("a withdrawal for fraud says since when")
	}
	return checkText("reason", m.Reason, 2000)
}

// Details changes what an organisation is called.
type Details struct {
	Name         string `json:"name"`
	Organisation string `json:"organisation"`
	Registration string `json:"registration,omitempty"`
}

// AliasChange adds aliases to an organisation and ends others.
type AliasChange struct {
	Add          []Alias `json:"add,omitempty"`
	End          []Alias `json:"end,omitempty"`
	Organisation string  `json:"organisation"`
}

// OrganisationKey replaces the key with which an organisation signs events. The new key
// signs too; without the old key's signature members must approve.
type OrganisationKey struct {
	CompromisedSince int64     `json:"compromised_since,omitzero"` // of the old key; may reach back
	Key              PublicKey `json:"key"`
	Organisation     string    `json:"organisation"`
	Reason           string    `json:"reason,omitempty"`
}

// MemberKey changes the key of a member.
type MemberKey struct {
	CompromisedSince int64     `json:"compromised_since,omitzero"` // of a compromise; may reach back
	Key              PublicKey `json:"key,omitempty"`              // the new key, which signs too; absent: none yet
	Member           string    `json:"member"`
	Reason           string    `json:"reason"`
}

// Amendment changes the charter. What is absent stays.
type Amendment struct {
	Add       []Member       `json:"add,omitempty"`
	Admission *AdmissionTerm `json:"admission,omitempty"`
	// Contacts are the new ones of members that are there, by member id; "" takes one away. From
	// rules version 2 on.
	Contacts   map[string]string    `json:"contacts,omitempty"`
	Criteria   string               `json:"criteria,omitempty"`
	Entity     string               `json:"entity,omitempty"`        // from rules version 3 on
	Text       *CriteriaText        `json:"criteria_text,omitempty"` // of the new criteria; from rules version 2 on
	Reason     string               `json:"reason"`
	Remove     []string             `json:"remove,omitempty"` // member ids, sorted
	Thresholds map[string]Threshold `json:"thresholds,omitempty"`
}

// Clock says that the log's clock ran ahead: the log time of this event's leaf is right.
type Clock struct {
	Reason string `json:"reason"`
}

// NodeChange adds a node, changes its keys or removes it, by kind.
type NodeChange struct {
	CompromisedSince int64     `json:"compromised_since,omitzero"` // of the keys that are replaced
	Keys             *NodeKeys `json:"keys,omitempty"`             // node.keys
	Node             *Node     `json:"node,omitempty"`             // node.added
	ID               string    `json:"node_id,omitempty"`          // node.removed, node.keys
	Reason           string    `json:"reason"`
}

// AnchorChange adds an anchor or removes one, by kind.
type AnchorChange struct {
	Anchor      *Anchor `json:"anchor,omitempty"`      // anchor.added
	Fingerprint string  `json:"fingerprint,omitempty"` // anchor.removed
	Reason      string  `json:"reason"`
}

// Usage is what a certificate of the region's CA is for.
type Usage string

// The usages.
const (
	UsageCredential Usage = "credential" // signs credentials
	UsageStatus     Usage = "status"     // signs status lists
	UsageAccess     Usage = "access"     // signs requests of a verifier
)

// CertificateRecord tells of a certificate of the region's CA. For a one-person firm the
// fingerprint is a commitment of the event ("certificate"), and so is the key's hash ("key").
type CertificateRecord struct {
	Anchor       string `json:"anchor"` // fingerprint of the CA certificate it was made under
	Fingerprint  string `json:"fingerprint,omitempty"`
	NotAfter     int64  `json:"not_after"`
	NotBefore    int64  `json:"not_before"`
	Organisation string `json:"organisation"`
	// Renews is the certificate that this one follows, by fingerprint or commitment; the two may
	// overlap. From rules version 2 on.
	Renews string `json:"renews,omitempty"`
	SPKI   string `json:"spki,omitempty"`
	Usage  Usage  `json:"usage"`
}

// CertificateRevocation ends a certificate. It is final.
type CertificateRevocation struct {
	Certificate   string `json:"certificate"` // fingerprint or commitment
	Compromised   bool   `json:"compromised,omitzero"`
	EffectiveFrom int64  `json:"effective_from,omitzero"` // may reach back
	Reason        string `json:"reason"`
}

// Catalogue is a version of the list of hobbels: data, so that the official list can replace
// the provisional one without a new program.
type Catalogue struct {
	Hobbels []Hobbel `json:"hobbels"`
	Source  string   `json:"source,omitempty"`
	Version string   `json:"version"` // e.g. "voorlopig-0"
}

// Hobbel is one barrier to changing jobs, and the doorbraak that removes it.
type Hobbel struct {
	Doorbraak Text     `json:"doorbraak"`
	ID        string   `json:"id"`     // e.g. "H03"
	Levels    []string `json:"levels"` // of "mens", "bedrijf", "instantie", "wet"
	Title     Text     `json:"title"`
}

// Text is a text in the two languages of the product.
type Text struct {
	EN string `json:"en,omitempty"`
	NL string `json:"nl"`
}

// HobbelStatus is where a hobbel stands.
type HobbelStatus string

// The statuses: open -> experiment -> doorbraak, and back.
const (
	Open          HobbelStatus = "open"
	Experiment    HobbelStatus = "experiment"
	Doorbraak     HobbelStatus = "doorbraak"
	Teruggevallen HobbelStatus = "teruggevallen"
)

// HobbelClaim says that a hobbel moved. A second organisation confirms it and members of two
// groups approve.
type HobbelClaim struct {
	Catalogue string       `json:"catalogue"` // version that the id comes from
	Evidence  []Evidence   `json:"evidence"`
	Hobbel    string       `json:"hobbel"`
	On        int64        `json:"on"`              // when it happened; not in the future
	Scope     *Scope       `json:"scope,omitempty"` // absent: the region as a whole; from rules version 2 on
	Status    HobbelStatus `json:"status"`
	Summary   Text         `json:"summary"`
}

// Scope is the part of working life in which a hobbel stands somewhere: a barrier can be gone
// in one sector and high in the next. Each scope goes its own way.
type Scope struct {
	Kind ScopeKind `json:"kind"`
	Name string    `json:"name,omitempty"` // e.g. "zorg en welzijn"
}

// ScopeKind is what kind of part a scope is.
type ScopeKind string

// The kinds of scope. In a claim the region as a whole is no scope at all.
const (
	ScopeRegion  ScopeKind = "region"
	ScopeSector  ScopeKind = "sector"
	ScopeBranche ScopeKind = "branche"
)

// Evidence is one proeftuin: where to read more, with the hash of what stood there, and what
// came of it. Under rules version 1 it is an address and a hash; since version 2 it has an
// address or a title, and anything else that is known.
type Evidence struct {
	From         int64  `json:"from,omitzero"`         // when it began
	Participants int    `json:"participants,omitzero"` // how many people took part
	Place        string `json:"place,omitempty"`
	Placed       *int   `json:"placed,omitempty"` // how many of them have the job; nil: not known
	SHA256       string `json:"sha256,omitempty"`
	Title        string `json:"title,omitempty"`
	Until        int64  `json:"until,omitzero"` // when it ended
	URL          string `json:"url,omitempty"`
}

// Erasure says which payloads are to be destroyed everywhere.
type Erasure struct {
	Commitments []string `json:"commitments"` // sorted
	Reason      string   `json:"reason"`      // the legal ground, no personal data
}
