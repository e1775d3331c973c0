package dcql

import (
	"errors"
	"fmt"
)

// Errors of an answer that does not fit its query.
var (
	// ErrAnswer: the answer as a whole breaks a rule; it MUST be rejected (section 8.6).
	ErrAnswer = errors.New("answer does not fit the query")
	// ErrMismatch: one presentation does not meet the criteria of its credential query; it MUST be discarded (section 8.6).
	ErrMismatch = errors.New("presentation does not match its credential query")
)

// CheckShape checks which credential queries an answer speaks to and with how many presentations (section 8.1), before any
// presentation is looked at. counts holds the number of presentations per credential query id. The error is [ErrAnswer].
func (q *Query) CheckShape(counts map[string]int) error {
	for id, n := range counts {
		c := q.Credential(id)
		if c == nil {
			return fmt.Errorf("%w: a presentation was sent under an id that was not asked", ErrAnswer)
		}
		// Section 8.1: "an array of one or more Presentations", and only one unless multiple is true.
		if n == 0 {
			return fmt.Errorf("%w: %s is an empty array", ErrAnswer, id)
		}
		if n > 1 && !c.Multiple {
			return fmt.Errorf("%w: %s has more than one presentation", ErrAnswer, id)
		}
	}
	return nil
}

// CheckPresentation checks one presentation, given as what it discloses, against the credential query it was sent for
// (section 8.6 step 2.2): wallets are not trusted to have done so. A presentation may show more than was asked. The error
// is [ErrMismatch], or [ErrAnswer] when there is no such credential query.
func (q *Query) CheckPresentation(id string, presented *Credential) error {
	c := q.Credential(id)
	switch {
	case c == nil:
		return fmt.Errorf("%w: a presentation was sent under an id that was not asked", ErrAnswer)
	case presented.Format != c.Format:
		return fmt.Errorf("%w %s: format", ErrMismatch, id)
	case !c.Meta.matches(c.Format, presented.Types):
		return fmt.Errorf("%w %s: type", ErrMismatch, id)
	case c.RequiresHolderBinding() && !presented.HolderBound:
		return fmt.Errorf("%w %s: no holder binding", ErrMismatch, id)
	case !c.authorityMatches(presented):
		return fmt.Errorf("%w %s: trusted authority", ErrMismatch, id)
	}
	if _, ok := c.match(presented); !ok {
		return fmt.Errorf("%w %s: claims", ErrMismatch, id)
	}
	return nil
}

// CheckSets checks that the presentations that held, per credential query id, satisfy the query as a whole (section 8.6
// step 3). The error is [ErrAnswer].
func (q *Query) CheckSets(held map[string]int) error {
	has := func(id string) bool { return held[id] > 0 }
	if len(q.CredentialSets) == 0 {
		for i := range q.Credentials {
			if !has(q.Credentials[i].ID) {
				return fmt.Errorf("%w: no presentation for %s", ErrAnswer, q.Credentials[i].ID)
			}
		}
		return nil
	}
	for i := range q.CredentialSets {
		set := &q.CredentialSets[i]
		if set.IsRequired() && firstOption(set.Options, has) == nil {
			return fmt.Errorf("%w: credential set %d is not satisfied", ErrAnswer, i)
		}
	}
	return nil
}
