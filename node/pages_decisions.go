package node

import (
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// voteRow is a member's vote, as people know the member.
type voteRow struct {
	Member partyRow
	At     time.Time
	Reason string
}

func voteRows(votes []registry.Vote, who *names) []voteRow {
	var out []voteRow
	for _, v := range votes {
		out = append(out, voteRow{who.member(v.Member), dated(v.At), v.Reason})
	}
	return out
}

// decisionState is where a proposal stands, for people.
type decisionState string

const (
	decisionPending decisionState = "pending"
	decisionEnacted decisionState = "enacted"
	decisionRefused decisionState = "refused"
	decisionLapsed  decisionState = "lapsed" // the time ran out before enough members agreed
)

// decisionRow is a proposal in a list.
type decisionRow struct {
	ID     string
	Kind   registry.Kind
	State  decisionState
	Opened time.Time
	Until  time.Time // when it lapses
}

// Path is the page about it: applicants have one of their own.
func (d decisionRow) Path() string {
	if d.Kind == registry.KindApplied {
		return "/applications/" + d.ID
	}
	return "/decisions/" + d.ID
}

func newDecisionRow(d registry.Proposal, _ *names, now time.Time) decisionRow {
	row := decisionRow{ID: d.ID, Kind: d.Event.Kind, State: decisionState(d.Status), Opened: dated(d.Opened), Until: dated(d.Event.Expires)}
	if d.Status == registry.Pending && row.Until.Before(now) {
		row.State = decisionLapsed
	}
	return row
}
