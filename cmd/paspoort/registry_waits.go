package main

import (
	"encoding/json"
	"fmt"
	"reflect"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// region is who decides in the region and by which rules, now.
func (v *voice) region() (registry.RegionAnswer, error) {
	return look(v.cmd.Context(), v, func(c registry.Client) (registry.RegionAnswer, error) { return c.Region(v.cmd.Context(), freshly) })
}

// notYet refuses to propose what was proposed already and waits for a decision: after one of the
// two is decided, the other can never pass, and stands open for days.
func (v *voice) notYet(kind registry.Kind, subject string, what paspoort.Text, same func(registry.Event) bool) error {
	list, err := v.proposals(v.cmd.Context(), registry.ProposalFilter{Status: registry.Pending, Subject: subject, Kind: kind})
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.Kind != kind || p.Status != registry.Pending || !same(p.Event) {
			continue
		}
		return withWords(fmt.Errorf("proposal %s waits for a decision", p.ID), "pending_already",
			words("Dit is al voorgesteld ("+what.NL+", op "+day(p.Opened)+") en wacht op een besluit. Er is niets getekend.",
				"This was proposed already ("+what.EN+", on "+day(p.Opened)+") and waits for a decision. Nothing was signed."),
			words("Een ander lid keurt het goed met: paspoort registry approve "+p.ID, "Another member approves it with: paspoort registry approve "+p.ID))
	}
	return nil
}

// sameNode says whether an event proposes this very node: of the same id, with other keys, is another.
func sameNode(n *registry.Node) func(registry.Event) bool {
	return func(e registry.Event) bool {
		var change registry.NodeChange
		return json.Unmarshal(e.Body, &change) == nil && reflect.DeepEqual(change.Node, n)
	}
}
