package paspoort

import "time"

// A State is the answer of a check. The zero value, like any fact that is
// missing, counts as Unknown: nothing becomes ok by being absent.
type State string

const (
	OK      State = "ok"
	Failed  State = "failed"
	Unknown State = "unknown"
)

// A Finding is what the collector of facts found about one thing, with a
// machine code for the reason. Codes that the verdict has a sentence for are in
// sentences.go; others get a general sentence.
type Finding struct {
	State State
	Code  string
}

// A Flow says how the answer travelled.
type Flow string

const (
	SameDevice  Flow = "same_device"
	CrossDevice Flow = "cross_device" // relay cannot be excluded
	File        Flow = "file"         // handed over, nothing was asked
)

// Input is all that a verdict is decided from.
type Input struct {
	Now  time.Time
	Flow Flow
	// Expected is nil when nothing was asked: a bare file.
	Expected *Expected
	// Asked are the uris of the skills that were asked for, if any.
	Asked []string
	// Registry is the one that the verdict relies on; nil when no copy of any was at hand.
	Registry    *RegistryFacts
	Limits      Limits
	Credentials []Facts
}

// FileAudience is the audience of a key binding that the holder made for a file:
// it carries timestamps, and shows nothing about who hands the file over.
const FileAudience = "urn:paspoort:file"

// Expected is what the request of this transaction contained.
type Expected struct{ Nonce, Audience string }

// Limits are the verifier's. Zero values mean the defaults.
type Limits struct {
	RegistryAge time.Duration // 7 days: older, and who is admitted is unknown
	StatusAge   time.Duration // 24 hours: older, and the status is unknown
	BindingAge  time.Duration // 15 minutes between the holder's signature and now
	Skew        time.Duration // 2 minutes that clocks may differ
	Timestamps  int           // 2 distinct nodes that must have seen a copy before it counts as evidence
}

func (l Limits) orDefaults() Limits {
	for _, d := range []struct {
		p   *time.Duration
		def time.Duration
	}{{&l.RegistryAge, 7 * day}, {&l.StatusAge, day}, {&l.BindingAge, 15 * time.Minute}, {&l.Skew, 2 * time.Minute}} {
		if *d.p <= 0 {
			*d.p = d.def
		}
	}
	if l.Timestamps <= 0 {
		l.Timestamps = 2
	}
	return l
}

// Trust says who vouches for the state of a registry copy.
type Trust string

const (
	Witnessed Trust = "witnessed" // a counting checkpoint with an outside witness
	OwnNodes  Trust = "own_nodes" // a majority of the region's own nodes
	Unsigned  Trust = "unsigned"  // no checkpoint that counts
)

// RegistryFacts say which copy of which registry was consulted.
type RegistryFacts struct {
	Region string // hash of the genesis
	Name   string // what the region calls itself
	Leaves uint64 // how much of the log: the `asof` of the answers
	// Time is how fresh the copy is for certain: the oldest timestamp in the
	// smallest sufficient set of cosignatures. Zero when nothing says so.
	Time   time.Time
	Trust  Trust
	Source string // "own copy", "snapshot", or the node that answered
	// Via is nil for the verifier's own registries.
	Via *Via
	// Doubt is one of the Doubts, or empty.
	Doubt string
}

// Facts are what is known about one presented credential.
type Facts struct {
	Query string // id of the DCQL credential query it answers
	// Copy is the SHA-256 of the issuer-signed JWT in base64url: two presentations of
	// one copy have the same.
	Copy string
	// Format: it parsed, its header type and all disclosures are in order.
	Format Finding
	// Claims is the processed payload, nil when Format failed.
	Claims map[string]any
	// Signature: the issuer's signature under the key with this thumbprint (RFC
	// 7638), which came from here: x5c, did:web, did:jwk, jwt-vc-issuer, registry, federation.
	Signature Finding
	Key       string
	KeySource string
	// HolderKey is the thumbprint of the key in cnf, empty without one.
	HolderKey string
	Binding   Binding
	// Status is nil when no status token was at hand.
	Status *StatusFacts
	// Registry is the one that Admission is from, when it is not that of the Input.
	Registry *RegistryFacts
	// Admission is nil when the registry was not asked about this issuer.
	Admission *Admission
	// Federation is what a trust chain says, for an issuer that no registry knows; nil: none did.
	Federation *FederationFacts
	Timestamps []Timestamp
}

// Binding is the key binding of a presentation.
type Binding struct {
	// Signature is that of the KB-JWT under HolderKey, with its sd_hash. Leave it
	// zero when there is no key binding; Present tells the two apart.
	Present   bool
	Signature Finding
	Nonce     string
	Audience  string
	IssuedAt  time.Time
	// Claims are all claims of the verified KB-JWT.
	Claims map[string]any
}

// StatusFacts are what a status list token says about one index.
type StatusFacts struct {
	// Trusted: the token is signed by a key that may speak for this issuer.
	Trusted   Finding
	URI       string // `sub` of the token
	Index     int
	Value     uint8 // 0 valid, 1 invalid, 2 suspended (Token Status List draft 20, 7.1)
	IssuedAt  time.Time
	ExpiresAt time.Time     // zero when it names none
	TTL       time.Duration // zero when it names none
}

// An Admission is what the registry knows of the organisation whose `iss` and
// key a credential carries.
type Admission struct {
	// Found is false when the registry has no organisation with this `iss`.
	Found        bool
	Organisation string // permanent id
	Name         string
	// Erased: the entry was erased by law, so nothing can be said.
	Erased bool
	// Certified: there is no entry, the region's authority certified the key, and entries were
	// erased: this may be one of those.
	Certified bool
	// Key is the record of the key that signed; nil when the registry has none for
	// this organisation.
	Key         *KeyRecord
	Grants      []Grant
	Withdrawals []Withdrawal
	Suspensions []Suspension
}

// A KeyRecord is what the registry knows of one key or certificate.
type KeyRecord struct {
	// NotBefore is no earlier than the moment it entered the log; NotAfter no
	// later than an ordinary revocation.
	NotBefore, NotAfter time.Time
	// CompromisedFrom is when the key may have been in other hands; zero: never.
	CompromisedFrom time.Time
}

// A Grant lets an organisation issue types for some time. Every grant ends.
type Grant struct {
	Types       []string // short names of our types, the vct of others
	From, Until time.Time
	Audited     []Audit
}

// An Audit is a fact about an organisation that an auditor established and
// members approved. Proof levels 3 and 4 rest on nothing less.
type Audit struct {
	Level     int // 3 or 4
	Types     []string
	On, Until time.Time
}

// A Withdrawal ends the grants that were given before it was decided.
type Withdrawal struct {
	EffectiveFrom time.Time
	// Decided is its log time. A grant given later was given in spite of it and
	// stands. Zero: later than every grant.
	Decided time.Time
	// Fraud reaches back: what was signed after EffectiveFrom never counted.
	Fraud bool
}

// A Suspension is a time in which grants do not count. Until is zero while it lasts.
type Suspension struct{ From, Until time.Time }

// A Timestamp is a region's node saying when it saw a commitment to this copy.
type Timestamp struct {
	Region string // of the node
	Node   string
	At     time.Time
	// Valid: signature, node and commitment were checked.
	Valid Finding
}
