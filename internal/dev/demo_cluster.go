package dev

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// nodeStatus is what a node says at /v1/status, as far as it matters here.
type nodeStatus struct {
	Node    string `json:"node"`
	State   string `json:"state"`
	Leader  string `json:"leader"`
	Leaves  uint64 `json:"leaves"`
	Applied uint64 `json:"applied"`
}

func (d *demo) nodeStatus(ctx context.Context, id string) (nodeStatus, error) {
	var s nodeStatus
	err := admin{http: d.HTTP, url: d.settings.url(id)}.do(ctx, http.MethodGet, "/v1/status", nil, &s)
	return s, err
}

// leader is the node that leads, as the nodes that run say.
func (d *demo) leader(ctx context.Context) (string, error) {
	var leader string
	err := eventually(ctx, retryFor, func() error {
		for _, n := range d.nodes {
			if !d.Process(n.id).Alive() {
				continue
			}
			s, err := d.nodeStatus(ctx, n.id)
			if err == nil && s.State == "leader" {
				leader = n.id
				return nil
			}
		}
		return fmt.Errorf("no node leads")
	})
	return leader, err
}

// crash is step 6: the leader is killed without a word.
func (d *demo) crash(ctx context.Context) (string, error) {
	old, err := d.leader(ctx)
	if err != nil {
		return "", err
	}
	pid := d.Process(old).Pid()
	killed := time.Now()
	if err := d.Process(old).Kill(); err != nil {
		return "", err
	}
	if err := d.stillVerifies(ctx, old); err != nil {
		return "", err
	}
	if err := d.write(ctx); err != nil {
		return "", err
	}
	resumed := time.Since(killed)
	heir, err := d.leader(ctx)
	if err != nil {
		return "", err
	}
	if err := d.startNode(d.Region, old); err != nil {
		return "", err
	}
	if err := d.ready(ctx, old); err != nil {
		return "", err
	}
	leaves, err := d.caughtUp(ctx, old, heir)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("leader %s killed (pid %d, SIGKILL); verification went on; %s (pid %d) took over and took a write after %.1f s; %s is back (pid %d) with all %d leaves",
		old, pid, heir, d.Process(heir).Pid(), resumed.Seconds(), old, d.Process(old).Pid(), leaves), nil
}

// stillVerifies asks the other nodes while they have no leader yet, and the verifier,
// which needs no node.
func (d *demo) stillVerifies(ctx context.Context, dead string) error {
	for _, n := range d.nodes {
		if n.id == dead {
			continue
		}
		v, err := d.through(ctx, n.id, d.answer)
		if err != nil {
			return fmt.Errorf("verify without a leader: %w", err)
		}
		if err := expect(v.Outcome == paspoort.OK, "verify without a leader: %s says %s", n.id, v.Sentence.EN); err != nil {
			return err
		}
	}
	done, err := d.ask(ctx, "direct_post.jwt")
	if err != nil {
		return fmt.Errorf("present without a leader: %w", err)
	}
	return expect(done.Verdict.Outcome == paspoort.OK, "present without a leader: %s", done.Verdict.Sentence.EN)
}

// write brings an event into the log: the verifier's organisation is renamed, as a
// member proposes.
func (d *demo) write(ctx context.Context) error {
	o, _ := d.named(verifier)
	id, err := o.id(d.l)
	if err != nil {
		return err
	}
	details := &registry.Details{Name: o.name + " en Omstreken", Organisation: id, Registration: o.registration}
	_, err = d.Governor.Submit(ctx, registry.KindDetails, details, registry.MemberParty("werkgeverskring"))
	return err
}

// caughtUp waits until a node has every leaf that another has.
func (d *demo) caughtUp(ctx context.Context, late, ahead string) (uint64, error) {
	var leaves uint64
	err := eventually(ctx, startWait, func() error {
		want, err := d.nodeStatus(ctx, ahead)
		if err != nil {
			return err
		}
		got, err := d.nodeStatus(ctx, late)
		if err != nil {
			return err
		}
		leaves = got.Leaves
		return expect(got.Leaves >= want.Leaves && got.Leaves > 0, "%s has %d leaves, %s has %d", late, got.Leaves, ahead, want.Leaves)
	})
	return leaves, err
}
