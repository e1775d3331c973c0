package registry

import (
	"bytes"
	"context"
	"net/http"

	"paspoort.example/paspoort/specs/ijson"
)

// Consistency says how recent a read must be.
type Consistency string

// The consistencies of reads.
const (
	Stale        Consistency = "stale"        // what this node has; the answer tells its age
	Linearizable Consistency = "linearizable" // everything that was committed before the question
)

// ReadInfo tells what an answer was read from.
type ReadInfo struct {
	Consistency Consistency `json:"consistency"`
	Node        string      `json:"node"`
	Age         int64       `json:"age_seconds"`     // since this node last heard that it is up to date
	Checkpoint  uint64      `json:"checkpoint_size"` // leaves under the newest counting checkpoint
}

// OutcomeState is what became of a submitted event.
type OutcomeState string

// The outcomes. An event is committed when a quorum has it on disk, and logged when a
// counting checkpoint covers it.
const (
	OutcomeUnknown   OutcomeState = "unknown"
	OutcomeCommitted OutcomeState = "committed"
	OutcomeLogged    OutcomeState = "logged"
	OutcomeRefused   OutcomeState = "refused"
)

// Outcome is the answer to a submission, kept for a while under the event id.
type Outcome struct {
	Event   string       `json:"event"`
	State   OutcomeState `json:"state"`
	Index   *uint64      `json:"index,omitempty"`   // of the leaf
	LogTime int64        `json:"log_time,omitzero"` // of the leaf
	Enacted []string     `json:"enacted,omitempty"` // proposals that it completed
	Repeat  bool         `json:"repeat,omitzero"`   // the event was in the log already
	Code    string       `json:"error,omitempty"`   // of a refusal
	Detail  string       `json:"error_description,omitempty"`
}

// Err is the refusal of an outcome, or nil.
func (o Outcome) Err() error {
	if o.State != OutcomeRefused {
		return nil
	}
	return &Refusal{Code: o.Code, Detail: o.Detail}
}

// Submission is an event with the payloads behind its commitments. The wire form without
// payloads is the signed event itself.
type Submission struct {
	Event    SignedEvent
	Payloads []OpenPayload

	prepared *Prepared // of the event that came in
}

// Prepare is the event, ready to be judged. It fails as [Prepare] does. One that [ParseSubmission] read
// is ready already: it is not changed afterwards.
func (s Submission) Prepare() (*Prepared, error) {
	if s.prepared != nil {
		return s.prepared, nil
	}
	raw, err := s.Event.Marshal()
	if err != nil {
		return nil, err
	}
	return Prepare(raw)
}

type submissionBody struct {
	Payloads []OpenPayload `json:"payloads"`
	Signed   ijsonRaw      `json:"signed"`
}

// MaxSubmission is the most bytes of a submission: an event and its payloads.
const MaxSubmission = 4 * MaxEvent

// Marshal is the wire form.
func (s Submission) Marshal() ([]byte, error) {
	raw, err := s.Event.Marshal()
	if err != nil || len(s.Payloads) == 0 {
		return raw, err
	}
	return ijson.Canonical(submissionBody{Payloads: s.Payloads, Signed: raw})
}

// ParseSubmission reads the wire form and opens the payloads: each must belong to a
// commitment of the event. It fails as [ParseEvent] does, and with [ErrCommitment].
func ParseSubmission(raw []byte) (Submission, error) {
	if len(raw) > MaxSubmission {
		return Submission{}, ErrTooLarge
	}
	var envelope submissionBody
	if bytes.HasPrefix(raw, []byte(`{"event":`)) || ijson.UnmarshalClosed(raw, &envelope) != nil {
		envelope = submissionBody{Signed: raw}
	}
	p, err := Prepare(envelope.Signed)
	if err != nil {
		return Submission{}, err
	}
	e := p.signed
	s := Submission{Event: e, Payloads: envelope.Payloads, prepared: p}
	if len(s.Payloads) > len(e.Event.Commitments) {
		return Submission{}, ErrCommitment.with("more payloads than commitments")
	}
	for _, p := range s.Payloads {
		key, err := decode64(p.Key, payloadKeySize)
		if err != nil {
			return Submission{}, ErrCommitment.with("a payload's key is not 32 bytes in base64url")
		}
		field, _, err := p.Open([payloadKeySize]byte(key))
		if err != nil {
			return Submission{}, err
		}
		if e.Event.Commitments[field] != p.Commitment {
			return Submission{}, ErrCommitment.with("a payload belongs to no commitment of the event")
		}
	}
	return s, nil
}

// ijsonRaw is JSON kept as it stands.
type ijsonRaw []byte

// MarshalJSON gives the bytes.
func (r ijsonRaw) MarshalJSON() ([]byte, error) { return r, nil }

// UnmarshalJSON keeps the bytes.
func (r *ijsonRaw) UnmarshalJSON(b []byte) error {
	*r = append((*r)[:0], b...)
	return nil
}

// HeadAnswer is what a signer needs for its next event about a subject.
type HeadAnswer struct {
	Genesis string `json:"genesis"`
	Subject string `json:"subject"`
	Head    string `json:"head"`  // "" when the subject has no event
	Rules   int    `json:"rules"` // version to sign the next event under
	LogTime int64  `json:"log_time"`
}

// AdmissionAnswer is an answer with what it was read from.
type AdmissionAnswer struct {
	Answer
	Read ReadInfo `json:"read"`
}

// OrganisationAnswer is one organisation with what it was read from.
type OrganisationAnswer struct {
	Moment
	Organisation
	Certificates []CertificateFact `json:"certificates,omitempty"`
	Read         ReadInfo          `json:"read"`
}

// OrganisationsAnswer is the list with what it was read from.
type OrganisationsAnswer struct {
	OrganisationList
	Read ReadInfo `json:"read"`
}

// HobbelsAnswer is the list with what it was read from.
type HobbelsAnswer struct {
	HobbelList
	Read ReadInfo `json:"read"`
}

// RegionAnswer is the charter with what it was read from.
type RegionAnswer struct {
	Region
	Read ReadInfo `json:"read"`
}

// ProposalsAnswer is the list with what it was read from.
type ProposalsAnswer struct {
	Moment
	Proposals []Proposal `json:"proposals"`
	Read      ReadInfo   `json:"read"`
}

// ProgressAnswer is where a proposal stands with what it was read from.
type ProgressAnswer struct {
	Progress
	Read ReadInfo `json:"read"`
}

// EndingAnswer is what ends soon with what it was read from.
type EndingAnswer struct {
	Ending
	Read ReadInfo `json:"read"`
}

// EventAnswer is what became of an event; once it is in the log also its leaf, when a
// checkpoint covers it, and the proposal that it belongs to.
type EventAnswer struct {
	Outcome
	Leaf *Leaf `json:"leaf,omitempty"`
	Why  *Why  `json:"why,omitempty"`
}

// TimestampRequest asks a node for a signed time over 32 bytes that mean nothing to it.
type TimestampRequest struct {
	Commitment string `json:"commitment"` // base64url
}

// TimestampAnswer is the signed time.
type TimestampAnswer struct {
	Timestamp string `json:"timestamp"` // JWS, typ paspoort-timestamp+jwt
}

// HandoversAnswer lists the checkpoints at which nodes handed over, smallest first.
type HandoversAnswer struct {
	Handovers []string `json:"handovers"`
}

// Doer sends HTTP requests: *http.Client, or an outbound client that reaches nothing inside.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// The halves of a node that [NewServer] needs. All are called from many goroutines.
type (
	// Reader gives a view that stays as it is while fn runs. For [Linearizable] it first
	// waits until all that was committed before is applied, or fails with [ErrNoLeader].
	Reader interface {
		View(ctx context.Context, c Consistency, fn func(View, ReadInfo) error) error
	}
	// Log gives the log. Leaves gives those with from <= index < to that a checkpoint covers,
	// possibly fewer; Checkpoint the newest counting note; Handovers those at which the nodes
	// changed, smallest first.
	Log interface {
		Leaves(ctx context.Context, from, to uint64) ([][]byte, error)
		Checkpoint(ctx context.Context) ([]byte, error)
		Handovers(ctx context.Context) ([][]byte, error)
	}
	// Writer brings events into the log. Submit waits for the outcome; a refusal is an
	// outcome, not an error. It fails with [ErrNoLeader] when nobody can write now.
	Writer interface {
		Submit(ctx context.Context, s Submission) (Outcome, error)
		Outcome(ctx context.Context, event string) (Outcome, error)
	}
	// Timestamper signs the time over a commitment and keeps nothing.
	Timestamper interface {
		Timestamp(ctx context.Context, commitment [32]byte) (jws string, err error)
	}
	// PayloadSource gives the payloads that are public; a Log may implement it.
	PayloadSource interface {
		Payloads(ctx context.Context) ([]OpenPayload, error)
	}
)

// Errors of a node as such.
var (
	ErrNoLeader = &Refusal{"no-leader", "the region's nodes cannot agree now; try again"}
	ErrBusy     = &Refusal{"busy", "more comes in than the region takes at once; try again later"}
	ErrOutcome  = &Refusal{"outcome-unknown", "the event may have been written; ask for it by its id or send it again, which does no harm"}
	ErrNoLog    = &Refusal{"no-checkpoint", "there is no counting checkpoint yet; try again"}
	ErrRequest  = &Refusal{"bad-request", "the request cannot be read"}
	ErrNotFound = &Refusal{"not-found", "there is nothing here"}
	ErrServer   = &Refusal{"server-error", "the node could not answer"}
	ErrResponse = &Refusal{"bad-response", "the node did not answer as a registry node does"}
)
