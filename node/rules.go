package node

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"paspoort.example/paspoort/specs/registry"
)

// Raising the version of the rules (D5) must leave no node behind: one that does not know the
// new rules stops at the event that brings them in. So a leader takes no step towards it, the
// proposal or an approval, before every node of the charter has said that it knows them. That
// is a matter of order, not of authority: replicas judge the event by its signatures alone.

// codeBehind is the code of a refusal at the leader's door that ends with an upgrade. Nothing
// of it is remembered: the same event may be sent again.
const codeBehind = "nodes-behind"

// rulesDoor refuses a step towards rules that some node does not know yet; nil lets it pass.
func (n *Node) rulesDoor(ctx context.Context, event registry.SignedEvent) *registry.Outcome {
	version := n.rulesAsked(event.Event)
	if version == 0 {
		return nil
	}
	behind := n.behind(ctx, version)
	if len(behind) == 0 {
		return nil
	}
	o := refusal(event.Event.ID(), &registry.Refusal{Code: codeBehind,
		Detail: fmt.Sprintf("rules version %d waits for these nodes: %s; upgrade and start them, and send this again", version, strings.Join(behind, ", "))})
	return &o
}

// rulesAsked is the version that an event asks for or votes about; 0 when it is about
// something else.
func (n *Node) rulesAsked(e registry.Event) int {
	if e.Kind == registry.KindApproved {
		var d registry.Decision
		if json.Unmarshal(e.Body, &d) != nil {
			return 0
		}
		p, err := n.machine.proposal(d.Proposal)
		if err != nil {
			return 0
		}
		e = p.Event
	}
	var change registry.RulesChange
	if e.Kind != registry.KindRules || json.Unmarshal(e.Body, &change) != nil {
		return 0
	}
	return change.Version
}

// proposal is a proposal as it stands.
func (m *machine) proposal(id string) (p registry.Proposal, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	defer m.lostRows(&err)
	return m.state.View().Proposal(id)
}

// behind asks all nodes of the charter which rules they know and names those that do not know
// this version, each with the reason.
func (n *Node) behind(ctx context.Context, version int) []string {
	var mu sync.Mutex
	var out []string
	note := func(id, why string) {
		mu.Lock()
		defer mu.Unlock()
		out = append(out, id+" "+why)
	}
	if registry.RulesVersion < version {
		note(n.cfg.ID, fmt.Sprintf("(knows up to %d)", registry.RulesVersion))
	}
	var asking sync.WaitGroup
	for _, id := range n.others() {
		asking.Go(func() {
			h, err := n.askHello(ctx, id)
			switch {
			case err != nil:
				note(id, "(does not answer)")
			case max(h.Rules, 1) < version: // programs of the first version did not say it
				note(id, fmt.Sprintf("(knows up to %d)", max(h.Rules, 1)))
			}
		})
	}
	asking.Wait()
	slices.Sort(out)
	return out
}
