package founding

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
)

var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// founder is an organisation with its keys.
type founder struct {
	facts Facts
	keys  map[string]crypto.Signer
}

func newFounder(t *testing.T, id string, group registry.Group, withCA bool) founder {
	t.Helper()
	p256 := func() crypto.Signer { return testkit.P256(t) }
	seed := func(name string) ed25519.PrivateKey {
		sum := sha256.Sum256([]byte(id + name))
		return ed25519.NewKeyFromSeed(sum[:])
	}
	text := func(k crypto.Signer) registry.PublicKey {
		pub, err := registry.NewPublicKey(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		return pub
	}
	keys := map[string]crypto.Signer{KeyMember: p256(), KeyTLS: p256(), KeyTimestamp: p256(), KeyFederation: p256(), KeyLog: seed("log"), KeyCosigner: seed("cosigner")}
	raw := func(k crypto.Signer) string {
		return base64.RawURLEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
	}
	f := founder{keys: keys, facts: Facts{
		Member: &registry.Member{Group: group, ID: id, Key: text(keys[KeyMember]), Name: "Organisatie " + id},
		Node: &registry.Node{ID: "knoop-" + id, Operator: id, RaftAddress: id + ".example:7001", URL: "https://" + id + ".example",
			CosignerKey: raw(keys[KeyCosigner]), LogKey: raw(keys[KeyLog]), TLSKey: registry.SPKIHash(keys[KeyTLS].Public()), TimestampKey: text(keys[KeyTimestamp]), FederationKey: text(keys[KeyFederation])},
	}}
	if withCA {
		keys[KeyAnchor] = p256()
		cert, err := ca.NewRoot(keys[KeyAnchor], ca.Root{Name: "Regio Aakermonde CA", NotBefore: now, NotAfter: now.AddDate(10, 0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		anchor := registry.NewAnchor(cert.Raw, id)
		f.facts.Anchor = &anchor
	}
	return f
}

func (f founder) card(t *testing.T) Card {
	t.Helper()
	c, err := NewCard(f.facts, f.keys)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadCard(raw)
	if err != nil || read.Fingerprint() != c.Fingerprint() {
		t.Fatalf("a card does not survive its file: %v", err)
	}
	return read
}

func founders(t *testing.T) []founder {
	return []founder{newFounder(t, "kring", registry.Werkgevers, false), newFounder(t, "bond", registry.Werknemers, false), newFounder(t, "gemeente", registry.Overheid, true)}
}

var samplePlan = Plan{Name: "Regio", Origin: "aakermonde.example/register", Criteria: "c", Entity: "https://aakermonde.example"}

func draftOf(t *testing.T, p Plan, all []founder) *Draft {
	t.Helper()
	var cards []Card
	for _, f := range all {
		cards = append(cards, f.card(t))
	}
	charter, err := Charter(p, nil, cards...)
	if err != nil {
		t.Fatal(err)
	}
	draft, err := NewDraft(charter, now)
	if err != nil {
		t.Fatal(err)
	}
	return draft
}

func signed(t *testing.T, draft *Draft, all []founder) {
	t.Helper()
	for _, f := range all {
		if _, err := draft.Sign(f.keys[KeyMember]); err != nil {
			t.Fatal(err)
		}
	}
}

// passOn writes a draft and reads it again, as it travels between organisations.
func passOn(t *testing.T, d *Draft) *Draft {
	t.Helper()
	raw, err := d.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	out, err := ReadDraft(raw)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestThreeOrganisationsFoundARegion(t *testing.T) {
	all := founders(t)
	draft := draftOf(t, Plan{Name: "Regio Aakermonde", Origin: "aakermonde.example/register", Criteria: "criteria-2026-1"}, all)
	region, shown := draft.Region(), draft.Fingerprint()
	if _, err := draft.Founding(); !errors.Is(err, ErrUnsigned) {
		t.Errorf("unsigned: got %v, want ErrUnsigned", err)
	}
	// One passes on to the next, and one signs a copy of its own.
	copyOf := passOn(t, draft)
	for i, signer := range []*Draft{draft, draft, copyOf} {
		draft2 := passOn(t, signer)
		who, err := draft2.Sign(all[i].keys[KeyMember])
		if err != nil || who != all[i].facts.Member.ID {
			t.Fatalf("signed as %q, %v", who, err)
		}
		if err := draft.Merge(draft2); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := draft.Founding()
	if err != nil {
		t.Fatal(err)
	}
	event, err := registry.ParseEvent(raw)
	if err != nil || event.Event.ID() != region || draft.Fingerprint() != shown {
		t.Errorf("another event came out: %v", err)
	}
	if _, err := registry.Apply(registry.NewState(region), registry.NewLeaf(event, now.Add(time.Minute))); err != nil {
		t.Errorf("the registry refuses it: %v", err)
	}
}

func TestCardsOfOthersAreRefused(t *testing.T) {
	good := newFounder(t, "kring", registry.Werkgevers, true)
	other := newFounder(t, "bond", registry.Werknemers, true)
	for name := range good.keys {
		t.Run("without the "+name+" key", func(t *testing.T) {
			keys := maps.Clone(good.keys)
			keys[name] = other.keys[name]
			if _, err := NewCard(good.facts, keys); !errors.Is(err, ErrCard) {
				t.Errorf("got %v, want ErrCard", err)
			}
		})
	}
	raw, err := good.card(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"another address": {"kring.example:7001", "roof.example:7001"}, "another name": {"Organisatie kring", "Organisatie krans"},
		"another version": {`"version": 1`, `"version": 2`}, "an unknown member": {`"version": 1`, `"version": 1, "extra": 1`},
	} {
		t.Run(name, func(t *testing.T) {
			changed := bytes.Replace(raw, []byte(change[0]), []byte(change[1]), 1)
			if bytes.Equal(changed, raw) {
				t.Fatal("nothing was changed")
			}
			if _, err := ReadCard(changed); !errors.Is(err, ErrCard) {
				t.Errorf("got %v, want ErrCard", err)
			}
		})
	}
}

func TestWhatMakesNoCharter(t *testing.T) {
	all := founders(t)
	for name, tt := range map[string]struct {
		cards []Card
		want  string
	}{
		"no authority": {[]Card{all[0].card(t), all[1].card(t)}, "--ca"},
		"one group":    {[]Card{all[2].card(t)}, "two of the groups"},
	} {
		_, err := Charter(samplePlan, nil, tt.cards...)
		if !errors.Is(err, ErrCharter) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

func TestForgedSignaturesFoundNothing(t *testing.T) {
	all := founders(t)
	draft := draftOf(t, samplePlan, all)
	if _, err := draft.Sign(testkit.P256(t)); !errors.Is(err, ErrNoMember) {
		t.Errorf("a stranger signed: %v", err)
	}
	signed(t, draft, all)
	bond, kring := registry.MemberParty("bond"), registry.MemberParty("kring")
	draft.Signatures[bond] = draft.Signatures[kring]
	if _, err := draft.Founding(); !errors.Is(err, ErrDraft) {
		t.Errorf("got %v, want ErrDraft", err)
	}
}

// TestContinuing: a region that goes on from another says from where, and only of a snapshot
// that is that region's.
func TestContinuing(t *testing.T) {
	old := evidencetest.New(t, time.Now)
	genesis := old.Follower().Genesis()
	from, err := Continuation(genesis, bytes.NewReader(old.Snapshot()), &registry.Text{NL: "een dag", EN: "one day"})
	if err != nil || from.Genesis != genesis || from.Size == 0 {
		t.Fatalf("got %+v, %v", from, err)
	}
	all := founders(t)
	plan := samplePlan
	plan.Continues = from
	draft := draftOf(t, plan, all)
	signed(t, draft, all)
	if _, err := draft.Founding(); err != nil {
		t.Error(err)
	}
	if _, err := Continuation(strings.Repeat("a", 64), bytes.NewReader(old.Snapshot()), nil); !errors.Is(err, registry.ErrRegion) {
		t.Errorf("the snapshot of another region: got %v, want ErrRegion", err)
	}
}

func FuzzReadCard(f *testing.F) {
	f.Add([]byte(`{"card":{"version":1},"signatures":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ReadCard(raw)
		if err == nil && c.Check() != nil {
			t.Error("a card was read that does not check")
		}
		_, _ = ReadDraft(raw)
	})
}
