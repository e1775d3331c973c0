package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
)

// today asks a node what everybody asks it: without a word about how many leaves. Who answers
// truly about each state of the log may still give people another one. covered is how many leaves
// the node's own checkpoint and the log that was read have in common.
func (a *audit) today(ctx context.Context, q asker, node string, covered uint64, report *NodeReport) error {
	now := registry.When{At: q.at}
	about := func(what string, asof uint64, got, want any) error {
		if asof > q.state.Size() {
			return nil // decided since; what follows from it is not known here
		}
		report.Answers++
		g, err1 := ijson.Canonical(got)
		w, err2 := ijson.Canonical(want)
		if err := errors.Join(err1, err2); err != nil || asof >= covered && bytes.Equal(g, w) {
			return err
		}
		detail := what
		if asof < covered {
			detail += fmt.Sprintf(": from %d entries, its checkpoint covers %d", asof, covered)
		}
		a.add(Finding{Code: FalseAnswer, Node: node, Leaf: at(min(asof, covered)), Since: a.replay.held, Text: textToday, Detail: detail})
		return nil
	}
	region, err := q.client.Region(ctx, now)
	if err != nil {
		return err
	}
	if err := about("the region and its members", region.AsOf, region.Region, q.view(region.AsOf).Region(q.at)); err != nil {
		return err
	}
	all := q.view(covered).Organisations(q.at).Organisations
	for _, i := range a.sample(len(all)) {
		answer, err := q.client.Organisation(ctx, all[i].ID, now)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return err
		}
		asof, what := answer.Moment.AsOf, "organisation "+all[i].ID
		if err != nil { // it was known by then, and nobody leaves a registry
			a.add(Finding{Code: FalseAnswer, Node: node, Since: a.replay.held, Text: textToday, Detail: what})
			continue
		}
		want, err := q.view(asof).Organisation(all[i].ID, q.at)
		if err != nil {
			want = registry.Organisation{}
		}
		if err := about(what, asof, answer.Organisation, want); err != nil {
			return err
		}
	}
	return nil
}
