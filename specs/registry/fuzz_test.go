package registry_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// goldenSnapshot is where the seeds come from.
func goldenSnapshot(f testing.TB) ([]byte, registry.Snapshot) {
	f.Helper()
	raw, err := os.ReadFile(goldenLog)
	if err != nil {
		f.Fatal(err)
	}
	snap, err := registry.ReadSnapshot(bytes.NewReader(raw))
	if err != nil {
		f.Fatal(err)
	}
	return raw, snap
}

// What parses encodes to the same bytes.
func FuzzParseLeaf(f *testing.F) {
	for _, g := range goldens {
		snap, _ := readGolden(f, g.name)
		for _, leaf := range snap.Leaves {
			f.Add(leaf)
		}
	}
	f.Add([]byte(`{"event":{"body":{},"expires":1,"kind":"x","rules":1,"signed":1,"signers":[],"subject":""},"log_time":1,"signatures":[],"version":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		leaf, err := registry.ParseLeaf(raw)
		if err != nil {
			return
		}
		again, err := leaf.Marshal()
		if err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%q became %q, %v", raw, again, err)
		}
		if len(leaf.Event.ID()) != 64 {
			t.Errorf("id %q", leaf.Event.ID())
		}
	})
}

func FuzzParseEvent(f *testing.F) {
	_, snap := goldenSnapshot(f)
	for _, raw := range snap.Leaves {
		leaf, err := registry.ParseLeaf(raw)
		if err != nil {
			f.Fatal(err)
		}
		event, err := leaf.Signed().Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(event)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := registry.ParseEvent(raw)
		if err != nil {
			return
		}
		again, err := s.Marshal()
		if err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%q became %q, %v", raw, again, err)
		}
	})
}

func FuzzParseSubmission(f *testing.F) {
	r, payloads := registrytest.Story(f, testkit.Rand(7))
	for _, raw := range r.Leaves {
		leaf, err := registry.ParseLeaf(raw)
		if err != nil {
			f.Fatal(err)
		}
		s := registry.Submission{Event: leaf.Signed()}
		if len(leaf.Event.Commitments) > 0 {
			s.Payloads = payloads
		}
		wire, err := s.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := registry.ParseSubmission(raw)
		if err != nil {
			return
		}
		if _, err := s.Marshal(); err != nil {
			t.Errorf("%q cannot be encoded again: %v", raw, err)
		}
	})
}

// Any bytes as the next leaf: applied or refused, never in between, and never a panic.
func FuzzApply(f *testing.F) {
	_, snap := goldenSnapshot(f)
	for i := 0; i < len(snap.Leaves); i += 6 { // each seed replays what came before
		f.Add(uint8(i), snap.Leaves[i])
	}
	f.Fuzz(func(t *testing.T, at uint8, raw []byte) {
		leaf, err := registry.ParseLeaf(raw)
		if err != nil {
			return
		}
		s := registry.NewState(snap.Genesis)
		for _, before := range snap.Leaves[:int(at)%len(snap.Leaves)] {
			l, err := registry.ParseLeaf(before)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := registry.Apply(s, l); err != nil {
				t.Fatal(err)
			}
		}
		digest, size := s.Digest(), s.Size()
		switch _, err := registry.Apply(s, leaf); {
		case err != nil && (s.Digest() != digest || s.Size() != size):
			t.Errorf("refused with %v, but the state changed", err)
		case err == nil && s.Size() != size+1:
			t.Errorf("accepted, but %d leaves became %d", size, s.Size())
		}
	})
}

func FuzzReadSnapshot(f *testing.F) {
	raw, _ := goldenSnapshot(f)
	f.Add(raw)
	f.Add(raw[:200])
	r := registrytest.New(f)
	var small bytes.Buffer
	if _, err := r.Snapshot().WriteTo(&small); err != nil {
		f.Fatal(err)
	}
	f.Add(small.Bytes())
	f.Fuzz(func(t *testing.T, raw []byte) {
		snap, err := registry.ReadSnapshot(bytes.NewReader(raw))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if _, err := snap.WriteTo(&again); err != nil {
			t.Fatal(err)
		}
		second, err := registry.ReadSnapshot(bytes.NewReader(again.Bytes()))
		if err != nil || len(second.Leaves) != len(snap.Leaves) {
			t.Errorf("written again: %v", err)
		}
		_, _, _ = snap.Replay(r.Genesis()) // whatever it says, no panic
	})
}

func FuzzOpenPayload(f *testing.F) {
	sealed, key, err := registry.Seal(testkit.Rand(1), "name", "J. Voorbeeld")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed.Commitment, sealed.Sealed)
	f.Fuzz(func(t *testing.T, commitment, text string) {
		p := registry.SealedPayload{Commitment: commitment, Sealed: text}
		if _, _, err := p.Open(key); err == nil && p != sealed {
			t.Errorf("another payload opened: %+v", p)
		}
	})
}

func FuzzPublicKey(f *testing.F) {
	f.Add(string(registrytest.PublicKey(registrytest.NamedKey("seed"))))
	f.Fuzz(func(t *testing.T, text string) {
		pub, err := registry.PublicKey(text).ECDSA()
		if err != nil {
			return
		}
		again, err := registry.NewPublicKey(pub)
		if err != nil || string(again) != text {
			t.Errorf("%q became %q, %v", text, again, err)
		}
	})
}

// A body that is read says the same once it is in an event, however it was spelled.
func FuzzParseBody(f *testing.F) {
	snap, _ := readGolden(f, "rules-2")
	for _, raw := range snap.Leaves {
		leaf, err := registry.ParseLeaf(raw)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(leaf.Event.Kind), []byte(leaf.Event.Body))
	}
	signer := registry.Signer{Key: registrytest.PublicKey(registrytest.NamedKey("x")).Thumbprint(), Party: vakbond}
	f.Fuzz(func(t *testing.T, kind string, raw []byte) {
		body, err := registry.ParseBody(2, registry.Kind(kind), raw)
		if err != nil {
			return
		}
		draft := registry.Draft{Genesis: snap.Genesis, Now: registrytest.Start, Rules: 2}
		s, err := registry.Unsigned(draft, registry.Kind(kind), body, signer)
		if err != nil {
			t.Fatalf("read and not taken: %v", err)
		}
		file, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := registry.ParseUnsigned(file)
		if err != nil || again.Event.ID() != s.Event.ID() {
			t.Fatalf("%s became %s, %v", s.Event.Body, again.Event.Body, err)
		}
	})
}
