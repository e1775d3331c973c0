package founding

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
)

// TestDraftHoldsItsCards: whoever makes the draft can put a key of its own under the name of a
// member that never hears of it. Who has that member's card finds out.
func TestDraftHoldsItsCards(t *testing.T) {
	all := founders(t)
	cards := []Card{all[0].card(t), all[1].card(t), all[2].card(t)}
	charter, err := Charter(samplePlan, nil, cards...)
	if err != nil {
		t.Fatal(err)
	}
	honest, err := NewDraft(charter, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := passOn(t, honest).Holds(cards...); err != nil {
		t.Errorf("the cards as they are: %v", err)
	}
	stranger := newFounder(t, "lindewaard", registry.Overheid, false).card(t)
	if err := honest.Holds(stranger); !errors.Is(err, ErrNotInDraft) || !strings.HasPrefix(err.Error(), "member lindewaard is not in this draft") {
		t.Errorf("the card of somebody else: %v", err)
	}
	late := newFounder(t, "rijn", registry.Overheid, false)
	late.facts.Region = strings.Repeat("a", 64)
	if _, err := Charter(samplePlan, nil, append(slices.Clone(cards), late.card(t))...); !errors.Is(err, ErrCharter) {
		t.Errorf("a card for a region that runs: %v", err)
	}
	mine, err := registry.NewPublicKey(testkit.P256(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, swap := range map[string]func(*registry.Charter){
		"member":    func(c *registry.Charter) { c.Members[1].Key = mine },
		"node":      func(c *registry.Charter) { c.Nodes[1].TimestampKey = mine },
		"authority": func(c *registry.Charter) { c.Anchors[0].Operator = "kring" },
	} {
		other := charter
		other.Members, other.Nodes, other.Anchors = slices.Clone(charter.Members), slices.Clone(charter.Nodes), slices.Clone(charter.Anchors)
		swap(&other)
		draft, err := NewDraft(other, now)
		if err != nil {
			t.Fatal(err)
		}
		if err := passOn(t, draft).Holds(cards...); !errors.Is(err, ErrCharter) || !strings.Contains(err.Error(), name) {
			t.Errorf("another %s: got %v", name, err)
		}
	}
}

// TestDraftsWithWrongPartsAreNotRead: nothing is shown or put together that would found nothing.
func TestDraftsWithWrongPartsAreNotRead(t *testing.T) {
	all := founders(t)
	draft := draftOf(t, samplePlan, all)
	signed(t, draft, all[:1])
	raw, err := draft.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"a charter with something else in it": {`"nonce":`, `"Members": [], "nonce":`},
		"a name that takes over the screen":   {"Organisatie bond", `Organisatie \u001b[2Jbond`},
		"a signature of another draft":        {"Organisatie bond", "Organisatie bont"},
		"a signature of a stranger":           {`"member/kring": "`, `"member/kraan": "`},
	} {
		changed := bytes.Replace(raw, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(changed, raw) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := ReadDraft(changed); !errors.Is(err, ErrDraft) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestCardsBringTheirOwn: a card brings no node or authority in the name of another member.
func TestCardsBringTheirOwn(t *testing.T) {
	for name, change := range map[string]func(*Facts){
		"node":      func(f *Facts) { f.Node.Operator = "bond" },
		"authority": func(f *Facts) { f.Anchor.Operator = "bond" },
	} {
		f := newFounder(t, "kring", registry.Werkgevers, true)
		change(&f.facts)
		if _, err := NewCard(f.facts, f.keys); !errors.Is(err, ErrCard) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
