package node

import (
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/registry"
)

// TestNewerRulesStop: a machine that is handed rules that it does not know makes no leaf of
// them, remembers no refusal, and goes no further: others may have gone on.
func TestNewerRulesStop(t *testing.T) {
	r, _, m := aloneMachine(t)
	body := &registry.RulesChange{Version: registry.RulesVersion + 1, Reason: "van later"}
	draft := registry.Draft{Genesis: r.genesis, Predecessor: m.state.Head(registry.SubjectOf(body)), Now: r.start}
	event, err := registry.Compose(draft, registry.KindRules, body,
		registry.Party{Name: "member/lid-1", Key: r.members["lid-1"]}, registry.Party{Name: "member/lid-2", Key: r.members["lid-2"]})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := event.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	size := m.meta.Size
	if err, ok := m.Apply(entry(2, r.start, raw)).(error); !ok || !errors.Is(err, registry.ErrNewer) {
		t.Errorf("response %v", err)
	}
	if m.meta.Size != size || m.meta.Applied != 1 {
		t.Errorf("%d leaves, raft entry %d stored", m.meta.Size, m.meta.Applied)
	}
	if err, ok := m.Apply(entry(3, r.start)).(error); !ok || !errors.Is(err, registry.ErrNewer) {
		t.Errorf("it went on: %v", err)
	}
}
