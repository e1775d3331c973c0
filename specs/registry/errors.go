package registry

import "fmt"

// A Refusal is why an event or leaf was not accepted: a code for machines, one sentence for
// people. It compares by code: errors.Is(err, ErrStale). It never holds personal data.
type Refusal struct {
	Code   string // one of the codes below, also on the wire
	Detail string // what to look at or to do
}

func (r *Refusal) Error() string {
	if r.Detail == "" {
		return r.Code
	}
	return r.Code + ": " + r.Detail
}

// Is says whether target is a refusal with the same code.
func (r *Refusal) Is(target error) bool {
	t, ok := target.(*Refusal)
	return ok && t.Code == r.Code
}

// with is the same refusal with a sentence of its own.
func (r *Refusal) with(format string, args ...any) error {
	return &Refusal{Code: r.Code, Detail: fmt.Sprintf(format, args...)}
}

// The refusals. Which check gives which is told at [Apply].
var (
	ErrMalformed   = &Refusal{"malformed", "not a canonical event; see schema/leaf.json"}
	ErrTooLarge    = &Refusal{"too-large", "an event is at most 32 KiB; name larger content by its hash"}
	ErrRules       = &Refusal{"other-rules", "signed under other rules than those in force; ask for the head and sign again"}
	ErrNewer       = &Refusal{"unknown-rules", "the region follows rules that this program does not know; install a newer version"}
	ErrKind        = &Refusal{"unknown-kind", "no such kind of event"}
	ErrReserved    = &Refusal{"reserved-kind", "this kind of event has no effect under the rules in force"}
	ErrRegion      = &Refusal{"other-region", "the event names another region"}
	ErrGenesis     = &Refusal{"not-genesis", "a registry begins with its founding event, and has one only"}
	ErrBody        = &Refusal{"bad-body", "the body does not say what its kind demands"}
	ErrSubject     = &Refusal{"bad-subject", "the subject is not what the body is about"}
	ErrSigner      = &Refusal{"bad-signer", "the signer may not sign this event"}
	ErrKey         = &Refusal{"bad-key", "not a usable key of the signer"}
	ErrSignature   = &Refusal{"bad-signature", "the signature does not verify"}
	ErrLogTime     = &Refusal{"bad-log-time", "the log time is outside what the event allows"}
	ErrExpired     = &Refusal{"expired", "the event came after its own last moment"}
	ErrStale       = &Refusal{"stale-predecessor", "the subject has a newer event; look at it and sign again"}
	ErrDuplicate   = &Refusal{"duplicate", "this event is in the log already"}
	ErrUnknown     = &Refusal{"unknown-subject", "the registry does not know what this is about"}
	ErrConflict    = &Refusal{"conflict-of-interest", "nobody approves itself"}
	ErrTwice       = &Refusal{"voted-already", "this member has decided on the proposal already"}
	ErrClosed      = &Refusal{"closed", "the proposal is decided or has run out"}
	ErrUnreachable = &Refusal{"unreachable-threshold", "after this the members could not reach a threshold any more"}
	ErrTransition  = &Refusal{"bad-transition", "not a step that follows from where the subject stands"}
	ErrNotAdmitted = &Refusal{"not-admitted", "the organisation has no admission that covers this"}
	ErrTaken       = &Refusal{"taken", "somebody else holds this already"}
	ErrDigest      = &Refusal{"other-state", "the digest is not that of the state here"}
	ErrCommitment  = &Refusal{"bad-commitment", "not a commitment, or not one of this region"}

	// Of replicas and snapshots.
	ErrIndex      = &Refusal{"bad-index", "the leaf is not the next one"}
	ErrCheckpoint = &Refusal{"bad-checkpoint", "the checkpoint does not count for this region"}
	ErrRoot       = &Refusal{"other-root", "the leaves do not give the root of the checkpoint"}
	ErrHandover   = &Refusal{"handover-missing", "a checkpoint under the old and the new nodes is needed first"}
	ErrFrozen     = &Refusal{"frozen", "the log holds what its rules refuse; nothing after it is followed"}
	ErrSnapshot   = &Refusal{"bad-snapshot", "not a registry snapshot"}

	// Of queries.
	ErrQuery    = &Refusal{"bad-query", "the question is incomplete or contradicts itself"}
	ErrTooFarAs = &Refusal{"asof-ahead", "as-of lies beyond the leaves that are known here"}
)
