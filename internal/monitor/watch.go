package monitor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// Watch is what somebody wants to be told of. All that it names must hold of an event; at least
// one thing is named.
type Watch struct {
	Name         string          `json:"name"`                   // stands in the message
	Region       string          `json:"region,omitempty"`       // genesis; empty: all that are followed
	Organisation string          `json:"organisation,omitempty"` // by id: events that are about it or name it
	Type         string          `json:"type,omitempty"`         // vct: events that name it, or an organisation that issues it
	Withdrawals  bool            `json:"withdrawals,omitempty"`  // only what takes away: withdrawn, suspended, revoked, dropped, stolen
	Kinds        []registry.Kind `json:"kinds,omitempty"`
	Everything   bool            `json:"everything,omitempty"`
}

// Check says what is wrong with a watch.
func (w Watch) Check() error {
	if w.Name == "" {
		return errors.New("a watch has a name, which stands in the messages")
	}
	if w.Organisation == "" && w.Type == "" && !w.Withdrawals && len(w.Kinds) == 0 && !w.Everything {
		return fmt.Errorf("watch %q names nothing to watch for: organisation, type, withdrawals, kinds or everything", w.Name)
	}
	active, later := registry.Kinds()
	for _, k := range w.Kinds {
		if !slices.Contains(active, k) && !slices.Contains(later, k) {
			return fmt.Errorf("watch %q: there is no kind of event %q", w.Name, k)
		}
	}
	return nil
}

func (w Watch) matches(e Event) bool {
	return (w.Region == "" || w.Region == e.Region) &&
		(w.Organisation == "" || slices.Contains(e.Organisations, w.Organisation)) &&
		(w.Type == "" || slices.Contains(e.Types, w.Type)) &&
		(!w.Withdrawals || e.Withdrawal) &&
		(len(w.Kinds) == 0 || slices.Contains(w.Kinds, e.Kind))
}

// Event is what happened in a region, as it is told.
type Event struct {
	Region        string        `json:"region"` // genesis
	RegionName    string        `json:"region_name"`
	Index         uint64        `json:"index"` // of the entry in the log
	At            time.Time     `json:"at"`    // log time
	ID            string        `json:"event"` // that it is about: the proposal, when a decision completes one
	Kind          registry.Kind `json:"kind"`
	Subject       string        `json:"subject"`
	State         State         `json:"state"`
	Organisations []string      `json:"organisations,omitempty"` // ids
	Name          string        `json:"name,omitempty"`          // of the first, as the region knows it
	Types         []string      `json:"types,omitempty"`
	Withdrawal    bool          `json:"withdrawal,omitempty"`
	Text          paspoort.Text `json:"text"`
	Watches       []string      `json:"watches"` // that it was told for
}

// State is how far an event is.
type State string

// The states.
const (
	Done     State = "done"     // it has effect
	Proposed State = "proposed" // members have yet to decide
)

// takesAway are the kinds after which somebody or something counts no more.
var takesAway = []registry.Kind{
	registry.KindWithdrawn, registry.KindSuspended, registry.KindCertRevoked, registry.KindPeerDropped,
	registry.KindKeyStolen, registry.KindAnchorRemoved,
}

// happened is what a leaf brought: the event itself, and each proposal that it completed.
func happened(genesis string, state *registry.State, leaf registry.Leaf, effect registry.Effect) []Event {
	view := state.View()
	out := []Event{describe(genesis, view, leaf, leaf.Event, effect)}
	for _, id := range effect.Enacted {
		if id == effect.Event {
			continue
		}
		if p, err := view.Proposal(id); err == nil {
			out = append(out, describe(genesis, view, leaf, p.Event, effect))
		}
	}
	return out
}

func describe(genesis string, view registry.View, leaf registry.Leaf, e registry.Event, effect registry.Effect) Event {
	at := time.Unix(leaf.LogTime, 0).UTC()
	out := Event{
		Region: genesis, RegionName: view.Region(at).Name, Index: effect.Index, At: at, ID: e.ID(), Kind: e.Kind, Subject: e.Subject,
		State: Done, Withdrawal: slices.Contains(takesAway, e.Kind), Text: govern.DoingText(e),
	}
	if p, err := view.Proposal(out.ID); err == nil && p.Status != registry.Enacted {
		out.State = Proposed
	}
	out.Organisations, out.Types = concerns(view, e)
	if len(out.Organisations) > 0 {
		if o, err := view.Organisation(out.Organisations[0], at); err == nil {
			out.Name = o.Name
		}
		if out.Name == "" {
			out.Name = govern.NameIn(e)
		}
	}
	return out
}

// named is what bodies of any kind may name. What a body has otherwise is not about these.
type named struct {
	Organisation string   `json:"organisation"`
	Successor    string   `json:"successor"`
	Custodian    string   `json:"custodian"`
	Proposal     string   `json:"proposal"`
	Serves       []string `json:"serves"`
	Types        []string `json:"types"`
}

// concerns are the organisations and credential types that an event is about. An event about an
// organisation is about the types that it was ever admitted to issue.
func concerns(view registry.View, e registry.Event) (organisations, types []string) {
	add := func(id string) {
		if id != "" && !slices.Contains(organisations, id) {
			organisations = append(organisations, id)
		}
	}
	var body named
	_ = ijson.Unmarshal(e.Body, &body) // what it does not say stays empty
	add(govern.About(e))
	add(body.Organisation)
	if p, err := view.Proposal(body.Proposal); err == nil && p.ID != e.ID() {
		theirs, of := concerns(view, p.Event)
		for _, id := range theirs {
			add(id)
		}
		types = of
	}
	if fingerprint, ok := strings.CutPrefix(e.Subject, registry.CertificateSubject("")); ok {
		if c, err := view.Certificate(fingerprint); err == nil {
			add(c.Organisation)
		}
	}
	for _, id := range append([]string{body.Successor, body.Custodian}, body.Serves...) {
		add(id)
	}
	types = append(types, body.Types...)
	if len(organisations) > 0 && len(body.Types) == 0 {
		types = append(types, issued(view, organisations[0])...)
	}
	slices.Sort(types)
	return organisations, slices.Compact(types)
}

// issued are the types that an organisation was ever admitted to issue.
func issued(view registry.View, id string) (types []string) {
	o, err := view.Organisation(id, view.State.LogTime())
	if err != nil {
		return nil
	}
	for _, role := range o.Roles {
		for _, g := range role.Standing.Grants {
			types = append(types, g.Types...)
		}
	}
	return types
}
