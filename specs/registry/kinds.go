package registry

// Kind says what an event is about. A kind has its name here before any rules give it effect,
// so that no later rules can give a name another meaning.
type Kind string

// The kinds with effect under all rules.
const (
	KindFounded       Kind = "region.founded"         // the charter; the first leaf and only there
	KindAmended       Kind = "region.amended"         // change of the charter
	KindClock         Kind = "region.clock"           // correction of the log's clock
	KindKeyRotated    Kind = "member.key.rotated"     // by the member, with old and new key
	KindKeyLost       Kind = "member.key.lost"        // by other members
	KindKeyStolen     Kind = "member.key.compromised" // by the member or others, may reach back
	KindNodeAdded     Kind = "node.added"
	KindNodeRemoved   Kind = "node.removed"
	KindNodeKeys      Kind = "node.keys"
	KindApplied       Kind = "organisation.applied" // application for one role; also renewal
	KindApproved      Kind = "proposal.approved"
	KindRefused       Kind = "proposal.refused"
	KindConfirmed     Kind = "proposal.confirmed" // by the second organisation that a hobbel needs
	KindSuspended     Kind = "admission.suspended"
	KindReinstated    Kind = "admission.reinstated"
	KindWithdrawn     Kind = "admission.withdrawn"
	KindDetails       Kind = "organisation.details"
	KindAliases       Kind = "organisation.aliases"
	KindOrgKeys       Kind = "organisation.keys"
	KindCertificate   Kind = "certificate.recorded"
	KindCertRevoked   Kind = "certificate.revoked"
	KindAnchorAdded   Kind = "anchor.added" // a certificate of the region's CA
	KindAnchorRemoved Kind = "anchor.removed"
	KindCatalogue     Kind = "hobbel.catalogue"
	KindHobbel        Kind = "hobbel.status"
	KindErased        Kind = "payload.erased"
	KindRules         Kind = "region.rules" // raises the rules version by one
)

// The kinds with effect under rules version 2 or 3 or, as yet, none: see the table in rules.go.
// Where a kind has no effect [Apply] refuses it with [ErrReserved].
const (
	KindContinued       Kind = "region.continued" // this region goes on where another stopped
	KindDigest          Kind = "region.digest"    // a digest of the state, see State.Digest
	KindAppealed        Kind = "proposal.appealed"
	KindRenewed         Kind = "admission.renewed"
	KindSucceeded       Kind = "organisation.succeeded"
	KindFunction        Kind = "function.profile" // published
	KindFunctionChanged Kind = "function.changed"
	KindFunctionClosed  Kind = "function.closed"
	KindModule          Kind = "module.published"
	KindModuleChanged   Kind = "module.changed"
	KindModuleClosed    Kind = "module.closed"
	KindPeerAccepted    Kind = "peer.accepted"
	KindPeerDropped     Kind = "peer.dropped"
	KindWitness         Kind = "witness.changed"
	KindCustodian       Kind = "status.custodian" // who signs on a ceased issuer's status lists
)

// The thresholds that a charter sets, by name.
const (
	ForAdmission      = "admission"      // applications; keys, aliases and details for which the organisation did not sign
	ForSuspension     = "suspension"     // suspension
	ForWithdrawal     = "withdrawal"     // withdrawal and reinstatement
	ForAmendment      = "amendment"      // the charter, members and their keys, the clock
	ForInfrastructure = "infrastructure" // nodes and anchors
	ForIdentity       = "identity"       // aliases and details, when the organisation itself asks
	ForHobbels        = "hobbels"        // catalogue and status of hobbels
	ForErasure        = "erasure"        // erasure of personal payloads
)

// floors are what no charter can go below: rules 3 and 6 of the domain want two groups
// behind each admission, withdrawal and change of a hobbel.
var floors = map[string]Threshold{
	ForAdmission:      {Groups: 2, Members: 2},
	ForSuspension:     {Groups: 1, Members: 1},
	ForWithdrawal:     {Groups: 2, Members: 2},
	ForAmendment:      {Groups: 2, Members: 2},
	ForInfrastructure: {Groups: 2, Members: 2},
	ForIdentity:       {Groups: 1, Members: 1},
	ForHobbels:        {Groups: 2, Members: 2},
	ForErasure:        {Groups: 2, Members: 2},
}

// kinds lists the names of all kinds.
var kinds = []Kind{
	KindFounded, KindAmended, KindClock, KindKeyRotated, KindKeyLost, KindKeyStolen,
	KindNodeAdded, KindNodeRemoved, KindNodeKeys, KindApplied, KindApproved, KindRefused, KindConfirmed,
	KindSuspended, KindReinstated, KindWithdrawn, KindDetails, KindAliases, KindOrgKeys,
	KindCertificate, KindCertRevoked, KindAnchorAdded, KindAnchorRemoved, KindCatalogue, KindHobbel, KindErased,
	KindRules,
	KindContinued, KindDigest, KindAppealed, KindRenewed, KindSucceeded,
	KindFunction, KindFunctionChanged, KindFunctionClosed, KindModule, KindModuleChanged,
	KindModuleClosed, KindPeerAccepted, KindPeerDropped, KindWitness, KindCustodian,
}

// Kinds lists the names of all kinds under the newest rules: those with effect, and the others.
func Kinds() (active, withoutEffect []Kind) { return KindsUnder(RulesVersion) }

// KindsUnder is [Kinds] under a rules version.
func KindsUnder(rules int) (active, withoutEffect []Kind) {
	for _, k := range kinds {
		if _, ok := ruleOf(rules, k); ok {
			active = append(active, k)
		} else {
			withoutEffect = append(withoutEffect, k)
		}
	}
	return active, withoutEffect
}
