package govern_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// TestFactsAreWhole: who approves approves all that an event says, so all of it is shown.
func TestFactsAreWhole(t *testing.T) {
	story, _ := registrytest.Story(t, strings.NewReader(strings.Repeat("a story of a region", 5000)))
	var events []registry.Event
	for _, raw := range story.Leaves {
		l, err := registry.ParseLeaf(raw)
		if err != nil {
			t.Fatal(err)
		}
		if l.Event.Kind == registry.KindFounded || !slices.Contains(withoutVote, l.Event.Kind) {
			events = append(events, l.Event)
		}
	}
	key := registrytest.PublicKey(registrytest.NamedKey("een ander"))
	hash := strings.Repeat("a", 64)
	for kind, body := range map[registry.Kind]any{
		registry.KindKeyLost:   registry.MemberKey{Key: key, Member: "vakbond-het-anker", Reason: "kwijt"},
		registry.KindKeyStolen: registry.MemberKey{Key: key, CompromisedSince: 1767225600, Member: "vakbond-het-anker", Reason: "weg"},
		registry.KindErased:    registry.Erasure{Commitments: []string{hash}, Reason: "verzoek"},
		registry.KindNodeKeys:  registry.NodeChange{ID: "knoop-1", Reason: "jaarlijks", Keys: &registry.NodeKeys{Cosigner: "c", Log: "l", TLS: hash, Timestamp: key, Federation: key}},
		registry.KindContinued: registry.Continued{Continuation: registry.Continuation{Genesis: hash, Root: "wortel", Size: 12, Losses: &registry.Text{NL: "drie bladen"}}, Reason: "brand"},
		registry.KindApplied: registry.Application{Criteria: "c", Organisation: "org_a", Role: registry.Issuer, Key: key, Name: "n",
			Levels: []registry.LevelFact{{Auditor: "wie", Basis: "wat", Domain: "zorg", Independence: "los", Level: 4, On: 1767225600, Until: 1798761600, Reference: "nr 7", Types: []string{"urn:een:ander:1"}}}},
		registry.KindPeerAccepted: registry.PeerAcceptance{Genesis: hash, Continues: strings.Repeat("b", 64), Name: "Regio Lindewaard", Origin: "lindewaard.example/register",
			Reason: "buren", Types: []string{"urn:een:ander:1"}, Until: 1798761600, URLs: []string{"https://a.example", "https://b.example"}},
		registry.KindPeerDropped: registry.PeerDrop{Genesis: hash, Reason: "twee geschiedenissen", EffectiveFrom: 1767225600},
		registry.KindWitness: registry.WitnessChange{Reason: "buren", Witnesses: []registry.Witness{
			{Genesis: hash, ID: "lindewaard-1", Key: "sleutel", Name: "lindewaard.example/register/node/knoop-1", URL: "https://a.example/witness"}}},
		registry.KindCustodian: registry.Custodian{By: "org_c", Organisation: "org_a", From: 1767225600, Until: 1798761600, Reason: "opgehouden"},
		registry.KindAmended: registry.Amendment{Reason: "nieuw", Entity: "https://aakermonde.example", Criteria: "c2", Text: &registry.CriteriaText{URL: "https://c.example", SHA256: hash, Summary: &registry.Text{NL: "kort"}},
			Contacts: map[string]string{"gemeente": "toelating@gemeente.example"},
			Add:      []registry.Member{{Group: registry.Werknemers, ID: "bond", Key: key, Name: "Bond", Until: 1798761600, Organisations: []string{"org_b"}}}},
	} {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, registry.Event{Kind: kind, Body: raw})
	}
	for _, e := range events {
		var body any
		if err := json.Unmarshal(e.Body, &body); err != nil {
			t.Fatal(err)
		}
		var shown strings.Builder
		for _, f := range govern.Facts(e) {
			shown.WriteString(f.In("nl") + "\n" + f.In("en") + "\n" + f.Label.In("nl") + "\n")
		}
		for _, said := range leaves("", body) {
			if !strings.Contains(shown.String(), said.value) {
				t.Errorf("%s: %s is %q, and not shown in\n%s", e.Kind, said.name, said.value, shown.String())
			}
		}
	}
}

type said struct{ name, value string }

// inWords are members that are shown in words of their own, and the subject, which is what the
// page is about; a certificate is shown by its fingerprint.
var inWords = []string{"role", "roles", "group", "types", "kind", "type", "organisation", "fraud", "one_person", "certificate"}

// times are members that are shown as days.
var times = []string{"on", "until", "from", "effective_from", "compromised_since"}

// leaves are the values of a body, as they should be shown.
func leaves(name string, v any) (out []said) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if !slices.Contains(inWords, key) {
				out = append(out, leaves(key, value)...)
			}
		}
	case []any:
		for _, value := range v {
			out = append(out, leaves(name, value)...)
		}
	case string:
		if key := registry.PublicKey(v); key.Thumbprint() != "" {
			v = key.Thumbprint()
		}
		out = append(out, said{name, v})
	case float64:
		text := strconv.FormatInt(int64(v), 10)
		if slices.Contains(times, name) {
			text = time.Unix(int64(v), 0).UTC().Format(time.DateOnly)
		}
		out = append(out, said{name, text})
	}
	return out
}
