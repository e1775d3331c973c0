package node

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// foundUnder founds the region anew under an older version of the rules.
func (r *testRegion) foundUnder(rules int) {
	r.t.Helper()
	var parties []registry.Party
	for _, m := range r.charter.Members {
		parties = append(parties, registry.Party{Name: registry.MemberParty(m.ID), Key: r.members[m.ID]})
	}
	event, err := registry.Compose(registry.Draft{Now: r.start, Rules: rules}, registry.KindFounded, &r.charter, parties...)
	if err != nil {
		r.t.Fatal(err)
	}
	if r.founding, err = event.Marshal(); err != nil {
		r.t.Fatal(err)
	}
	r.genesis = event.Event.ID()
}

// useOld gives a node a program that knows rules version 1 only: the same tests, built with a tag.
func (p *processes) useOld(program string, ids ...string) {
	if p.programs == nil {
		p.programs = map[string]string{}
	}
	for _, id := range p.charter.Nodes {
		delete(p.programs, id.ID)
	}
	for _, id := range ids {
		p.programs[id] = program
	}
}

// oldProgram builds the program of an older day. Only what depends on the rules is compiled anew.
func oldProgram(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "old")
	args := []string{"test", "-c", "-tags", "paspoort_rules1", "-o", out}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-race" && s.Value == "true" { // what else is built then is in the cache
				args = append(args, "-race")
			}
		}
	}
	build := exec.Command("go", append(args, ".")...)
	build.Env = append(os.Environ(), nodeVariable+"=")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the older program: %v\n%s", err, text)
	}
	return out
}

// act signs an event for members and sends it to a node. It gives the refusal, if there is one.
func (p *processes) act(id string, kind registry.Kind, body registry.Body, members ...string) (registry.Outcome, error) {
	p.t.Helper()
	c, _ := p.client(id)
	var head registry.HeadAnswer
	var err error
	eventually(p.t, id+" answers", func() bool {
		head, err = c.Head(context.Background(), registry.SubjectOf(body))
		return !chooses(err)
	})
	if err != nil {
		return registry.Outcome{}, err
	}
	var parties []registry.Party
	for _, m := range members {
		parties = append(parties, registry.Party{Name: registry.MemberParty(m), Key: p.members[m]})
	}
	rules := max(head.Rules, 1) // an older node does not say it
	e, err := registry.Compose(registry.Draft{Genesis: p.genesis, Predecessor: head.Head, Now: time.Now(), Rules: rules}, kind, body, parties...)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.send(id, e)
}

// send submits an event as clients do: again, as long as the nodes choose a leader.
func (p *processes) send(id string, e registry.SignedEvent) (o registry.Outcome, err error) {
	p.t.Helper()
	c, _ := p.client(id)
	eventually(p.t, id+" answers", func() bool {
		o, err = c.Submit(context.Background(), registry.Submission{Event: e})
		return !chooses(err)
	})
	return o, err
}

// chooses says whether an event is to be sent again because nobody led.
func chooses(err error) bool {
	return errors.Is(err, registry.ErrNoLeader) || errors.Is(err, registry.ErrOutcome)
}

func (p *processes) settled(leaves uint64) {
	p.t.Helper()
	for id := range p.listeners {
		eventually(p.t, id+" has everything under a checkpoint", func() bool {
			s, err := p.status(id)
			return err == nil && s.Leaves == leaves && s.Checkpoint != nil && s.Checkpoint.Size == leaves && s.Signs
		})
	}
}

// TestRollingUpgrade takes a region of three nodes from an older program to this one, node by
// node, and then to the rules that only this one knows. While a node is behind, no step towards
// those rules is taken; afterwards the older program does not go on, and loses nothing.
func TestRollingUpgrade(t *testing.T) {
	if testing.Short() {
		t.Skip("real processes are for the long run")
	}
	if registry.RulesVersion < 2 {
		t.Skip("there is no older program")
	}
	p := newProcesses(t, 3)
	p.foundUnder(1)
	p.writeConfigs()
	all := []string{"knoop-1", "knoop-2", "knoop-3"}
	old := oldProgram(t)
	p.useOld(old, all...)
	for _, id := range all {
		p.start(id)
	}
	p.settled(1)
	write := func(id, name string) {
		t.Helper()
		if o, err := p.send(id, p.applicationUnder(1, name, time.Now())); err != nil || o.Err() != nil {
			t.Fatalf("write at %s: %+v, %v", id, o, err)
		}
	}
	up := &registry.RulesChange{Version: 2, Reason: "alle knopen zijn bijgewerkt"}
	for i, id := range all {
		p.kill(id)
		p.useOld(old, all[i+1:]...)
		p.start(id)
		eventually(t, id+" takes part again", func() bool { s, err := p.status(id); return err == nil && s.Leader != "" && s.Signs })
		write(id, "Organisatie na "+id)
		if i < 2 { // whoever leads: an older leader does not know the kind, a newer one asks the nodes
			p.mustBeBehind(id, up, all[i+1:])
		}
	}
	p.settled(4)
	for _, id := range all {
		p.kill(id)
	}
	p.start("knoop-1")
	p.start("knoop-2")
	p.leader()
	p.mustBeBehind("knoop-1", up, []string{"knoop-3 (does not answer)"})
	p.start("knoop-3")
	p.settled(4)
	out, err := p.act("knoop-1", registry.KindRules, up, "lid-1")
	if err != nil {
		t.Fatal(err)
	}
	vote := &registry.Decision{Proposal: out.Event, Voter: registry.MemberParty("lid-2")}
	out, err = p.act("knoop-2", registry.KindApproved, vote, "lid-2")
	if err != nil || out.Err() != nil { // whether it was enacted: see the status below
		t.Fatalf("the rules were not raised: %+v, %v", out, err)
	}
	p.settled(6)
	if s, err := p.status("knoop-3"); err != nil || s.Rules != 2 || s.RulesKnown != registry.RulesVersion {
		t.Errorf("status after it: %+v, %v", s, err)
	}
	p.oldStops(old)
}

// mustBeBehind proposes the rules at a node, in vain. who are among those that hold it up.
func (p *processes) mustBeBehind(id string, up *registry.RulesChange, who []string) {
	p.t.Helper()
	_, err := p.act(id, registry.KindRules, up, "lid-1")
	var r *registry.Refusal
	if !errors.As(err, &r) || r.Code != codeBehind && r.Code != registry.ErrReserved.Code {
		p.t.Fatalf("rules beyond some node: got %v, want a refusal", err)
	}
	if r.Code == codeBehind && !slices.ContainsFunc(who, func(w string) bool { return strings.Contains(r.Detail, w) }) {
		p.t.Errorf("the refusal names nobody of %v: %s", who, r.Detail)
	}
}

// oldStops puts the older program on a disk that has the new rules: it says why it stops, and
// this program goes on from the same disk.
func (p *processes) oldStops(old string) {
	p.t.Helper()
	p.kill("knoop-3")
	raw, err := os.ReadFile(p.log("knoop-3"))
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(old)
	cmd.Env = append(os.Environ(), nodeVariable+"="+p.config("knoop-3"))
	cmd.ExtraFiles = []*os.File{p.listeners["knoop-3"]}
	text, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(text), "install a newer version") && !strings.Contains(string(text), "this program follows up to 1") {
		p.t.Errorf("the older program on the new rules: %v\n%s\n%s", err, text, raw[max(0, len(raw)-300):])
	}
	p.start("knoop-3")
	p.settled(6)
}
