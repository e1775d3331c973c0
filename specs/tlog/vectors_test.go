package tlog

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/testkit"
)

// The published vectors are read where they stand; what each shows is in its README.

func TestSignedNoteVector(t *testing.T) {
	var c struct {
		Vkey, Note string
		Valid      bool
	}
	testkit.Vectors(t, "c2sp").JSON(t, "signed-note-example.json", &c)
	key, err := ParseVerifierKey(c.Vkey)
	if err != nil {
		t.Fatal(err)
	}
	if got := key.String(); got != c.Vkey {
		t.Errorf("vkey = %s, want %s", got, c.Vkey)
	}
	if _, err := Open([]byte(c.Note), key); err != nil {
		t.Errorf("open: %v", err)
	}
	if _, err := Open([]byte(strings.Replace(c.Note, "example message", "exemple message", 1)), key); !errors.Is(err, ErrSignature) {
		t.Errorf("changed text: %v, want %v", err, ErrSignature)
	}
}

func TestMerkleProofVectors(t *testing.T) {
	var cases []struct {
		File string
		Case json.RawMessage
	}
	testkit.Vectors(t, "c2sp").JSON(t, "merkle-proofs.json", &cases)
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases {
		t.Run(c.File, func(t *testing.T) {
			var v struct {
				LeafIdx, TreeSize, Size1, Size2 uint64
				Root, LeafHash, Root1, Root2    []byte
				Proof                           [][]byte
				WantErr                         bool
			}
			if err := json.Unmarshal(c.Case, &v); err != nil {
				t.Fatal(err)
			}
			path, err := hashesOf(v.Proof)
			if err == nil {
				if strings.HasPrefix(c.File, "inclusion/") {
					err = includes(v.LeafIdx, v.TreeSize, v.LeafHash, path, v.Root)
				} else {
					err = consistent(v.Size1, v.Size2, path, v.Root1, v.Root2)
				}
			}
			if (err != nil) != v.WantErr {
				t.Errorf("got %v, want an error: %t", err, v.WantErr)
			}
		})
	}
}

func includes(index, size uint64, leaf []byte, path []Hash, root []byte) error {
	if len(leaf) != HashSize || len(root) != HashSize {
		return ErrProof
	}
	return VerifyInclusion(index, size, Hash(leaf), path, Hash(root))
}

func consistent(a, b uint64, path []Hash, root1, root2 []byte) error {
	if len(root1) != HashSize || len(root2) != HashSize {
		return ErrProof
	}
	return VerifyConsistency(a, b, path, Hash(root1), Hash(root2))
}

func hashesOf(raw [][]byte) ([]Hash, error) {
	out := make([]Hash, len(raw))
	for i, b := range raw {
		if len(b) != HashSize {
			return nil, ErrProof
		}
		out[i] = Hash(b)
	}
	return out, nil
}

// folderTiles reads tiles of a log that lies in a folder under its tile paths.
type folderTiles struct {
	t *testing.T
	f testkit.Folder
}

func (r folderTiles) ReadTiles(tiles []Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		out = append(out, r.f.Read(r.t, "tessera-log/"+tile.Path()))
	}
	return out, nil
}

func TestTesseraLog(t *testing.T) {
	f := testkit.Vectors(t, "c2sp")
	var v struct {
		Vkey       string
		Entries    []string
		LeafHashes []string `json:"leaf_hashes"`
		Roots      map[int]string
		Inclusion  []struct {
			Index, Size uint64
			Proof       []string
		} `json:"inclusion_proofs"`
		Consistency []struct {
			From, To uint64
			Proof    []string
		} `json:"consistency_proofs"`
	}
	f.JSON(t, "tessera-log.json", &v)
	key, err := ParseVerifierKey(v.Vkey)
	if err != nil {
		t.Fatal(err)
	}
	at := map[uint64]Checkpoint{}
	for _, name := range f.Glob(t, "tessera-log/checkpoint*") {
		c, _, err := OpenCheckpoint(f.Read(t, name), key.Name, key)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, want := c.Root.String(), v.Roots[int(c.Size)]; got != want {
			t.Errorf("%s: root %s, want %s", name, got, want)
		}
		at[c.Size] = c
	}
	checkAppend(t, f, v.Entries, v.LeafHashes, v.Roots)
	tiles := folderTiles{t, f}
	for _, p := range v.Inclusion {
		got, err := ProveInclusion(at[p.Size], p.Index, tiles)
		if err != nil || !sameHashes(got, p.Proof) {
			t.Errorf("inclusion of %d in %d = %v, %v, want %v", p.Index, p.Size, got, err, p.Proof)
		}
	}
	for _, p := range v.Consistency {
		got, err := ProveConsistency(at[p.To], p.From, tiles)
		if err != nil || !sameHashes(got, p.Proof) {
			t.Errorf("consistency of %d with %d = %v, %v, want %v", p.From, p.To, got, err, p.Proof)
		}
		if root, err := RootAt(at[p.To], p.From, tiles); err != nil || root != at[p.From].Root {
			t.Errorf("root at %d in %d = %v, %v", p.From, p.To, root, err)
		}
	}
}

// checkAppend grows our own tree entry by entry and holds each tile and bundle
// against the published bytes.
func checkAppend(t *testing.T, f testkit.Folder, entries, leaves []string, roots map[int]string) {
	tree := NewTree()
	var bundle []byte
	for i, e := range entries {
		leaf := LeafHash([]byte(e))
		if leaf.String() != leaves[i] {
			t.Fatalf("leaf hash %d = %s, want %s", i, leaf, leaves[i])
		}
		changed, err := tree.Append(leaf)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := tree.Root().String(), roots[i+1]; got != want {
			t.Errorf("root of %d = %s, want %s", i+1, got, want)
		}
		for _, tile := range changed {
			if want := f.Read(t, "tessera-log/"+tile.Path()); string(tile.Data) != string(want) {
				t.Errorf("tile %s differs", tile.Path())
			}
		}
		if bundle, err = AppendEntry(bundle, []byte(e)); err != nil {
			t.Fatal(err)
		}
		name := Tile{Entries: true, Width: i + 1}.Path()
		if want := f.Read(t, "tessera-log/"+name); string(bundle) != string(want) {
			t.Errorf("bundle %s differs", name)
		}
		if got, err := ParseBundle(bundle, i+1); err != nil || string(got[i]) != e {
			t.Errorf("parse %s: %q, %v", name, got, err)
		}
	}
}

func sameHashes(got []Hash, want []string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i].String() != want[i] {
			return false
		}
	}
	return true
}

func TestProofVectors(t *testing.T) {
	var v struct {
		LogVkey      string            `json:"log_vkey"`
		WitnessVkeys map[string]string `json:"witness_vkeys"`
		Cases        []struct {
			Name, Entry, Policy, Expect, Rule string
			TlogProof                         string `json:"tlog_proof"`
		}
	}
	testkit.Vectors(t, "c2sp").JSON(t, "tlog-proof-derived-cases.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases")
	}
	wantErr := map[string]error{
		"n01-other-entry": ErrProof, "n02-one-witness-only": ErrQuorum,
		"n04-not-signed-by-log": ErrNoLog, "n07-index-changed": ErrProof,
	}
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			policy, err := ParsePolicy([]byte(c.Policy))
			if err != nil {
				t.Fatal(err)
			}
			proof, err := ParseProof([]byte(c.TlogProof))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(proof.Marshal()); got != c.TlogProof {
				t.Errorf("marshal = %q, want %q", got, c.TlogProof)
			}
			seen, err := proof.Verify(policy, LeafHash([]byte(c.Entry)))
			if c.Expect == "accept" {
				if err != nil {
					t.Fatalf("%s: %v", c.Rule, err)
				}
				if seen.Freshest().IsZero() {
					t.Error("no time although witnesses cosigned")
				}
				return
			}
			if want := wantErr[c.Name]; want == nil || !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", c.Rule, err, want)
			}
		})
	}
}

func ExampleTree_Append() {
	tree := NewTree()
	changed, _ := tree.Append(LeafHash([]byte("first event")), LeafHash([]byte("second event")))
	for _, tile := range changed {
		fmt.Println(tile.Path(), len(tile.Data), "bytes")
	}
	root := tree.Root()
	fmt.Println(tree.Size(), base64.StdEncoding.EncodeToString(root[:6]))
	// Output:
	// tile/0/000.p/2 64 bytes
	// 2 NvZdJhw0
}
