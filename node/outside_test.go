package node

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// TestAWitnessMakesCheckpointsWorthMore: with a witness checkpoints say so, in each node's
// answers; without it the region goes on and says that only its own nodes stand behind them.
func TestAWitnessMakesCheckpointsWorthMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoads()
		c := newClusterWith(t, 3, func(c *Config) { c.Outside = r })
		defer c.close()
		c.leader()
		for _, id := range c.ids() {
			c.trusted(id, trustOwn, 1)
		}
		c.appoint(c.witnessOf(r, "kade.example"), c.witnessOf(r, "gracht.example"))
		for _, id := range c.ids() {
			c.trusted(id, trustWitnessed, 2)
		}
		r.set("gracht.example", true)
		c.mustSubmit("knoop-1", "Zorggroep Linde")
		for _, id := range c.ids() {
			c.trusted(id, trustWitnessed, 3) // one of the two is enough
		}
		eventually(t, "the one that is away is seen", func() bool {
			s := c.get("knoop-1").Status().Witnesses
			return len(s) == 2 && s[0].ID == "gracht-example" && s[0].Problem != "" && !s[0].Since.IsZero() && s[0].Size == 2 && s[1].Problem == "" && s[1].Size == 3
		})
		r.set("kade.example", true)
		c.mustSubmit("knoop-1", "Machinefabriek Ossekamp")
		c.published(4)
		time.Sleep(time.Minute)
		for _, id := range c.ids() {
			c.trusted(id, trustOwn, 4)
			if err := c.get(id).Read(t.Context(), func(_ registry.View, f paspoort.RegistryFacts) error {
				if f.Trust != paspoort.OwnNodes || f.Leaves != 4 {
					t.Errorf("%s answers with %+v", id, f)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
		r.set("kade.example", false)
		for _, id := range c.ids() {
			c.trusted(id, trustWitnessed, 4)
		}
	})
}

// TestWitnessedAgainHourly: a log that does not grow stays witnessed, never more than an hour ago.
func TestWitnessedAgainHourly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoads()
		c := newClusterWith(t, 1, func(c *Config) { c.Outside = r })
		defer c.close()
		c.leader()
		c.appoint(c.witnessOf(r, "kade.example"))
		c.trusted("knoop-1", trustWitnessed, 2)
		for range 12 {
			time.Sleep(20 * time.Minute)
			if err := c.get("knoop-1").Read(t.Context(), func(_ registry.View, f paspoort.RegistryFacts) error {
				if age := time.Since(f.Time); f.Trust != paspoort.Witnessed || age > time.Hour {
					t.Errorf("%s, %v old", f.Trust, age)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestPolicyAndProofFiles: what public tools read. The proof file of a leaf is checked under the
// policy file with a witness, with nothing else of ours.
func TestPolicyAndProofFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoads()
		c := newClusterWith(t, 1, func(c *Config) { c.Outside = r })
		defer c.close()
		c.leader()
		c.appoint(c.witnessOf(r, "kade.example"))
		c.mustSubmit("knoop-1", "Zorggroep Linde")
		c.trusted("knoop-1", trustWitnessed, 3)
		h, err := c.get("knoop-1").Handler()
		if err != nil {
			t.Fatal(err)
		}
		r.hosts["knoop-1.example"] = h
		get := func(path string) []byte {
			n := c.get("knoop-1")
			raw, err := n.fetchOutside(t.Context(), "https://knoop-1.example"+path, tlog.MaxNote)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			return raw
		}
		proof, err := tlog.ParseProof(get("/v1/proof/2"))
		if err != nil {
			t.Fatal(err)
		}
		entries, err := tlog.ParseBundle(get("/tile/entries/000.p/3"), 3)
		if err != nil {
			t.Fatal(err)
		}
		bare := *proof
		bare.Checkpoint = ownLines(t, c.charter.Origin, proof.Checkpoint)
		for _, x := range []struct {
			policy string
			proof  tlog.Proof
			want   error
		}{{"/v1/policy", *proof, nil}, {"/v1/policy", bare, tlog.ErrQuorum}, {"/v1/policy?witnesses=none", bare, nil}} {
			policy, err := tlog.ParsePolicy(get(x.policy))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := x.proof.Verify(policy, tlog.LeafHash(entries[2])); !errors.Is(err, x.want) {
				t.Errorf("under %s: %v, want %v", x.policy, err, x.want)
			}
		}
		witness := registry.CosignerName(c.charter.Origin, "knoop-1")
		if got := get("/v1/cosigned?cosigner=kade.example/witness"); string(got) != string(proof.Checkpoint) {
			t.Errorf("of the witness: %s", got)
		}
		for _, name := range []string{witness, "unknown.example/witness"} {
			if _, err := tlog.PeekCheckpoint(get("/v1/cosigned?cosigner=" + name)); err != nil {
				t.Errorf("of %s: %v", name, err)
			}
		}
		if _, err := c.get("knoop-1").fetchOutside(t.Context(), "https://knoop-1.example/v1/cosigned?cosigner=a+b", 1<<20); err == nil {
			t.Error("a name with a space was taken")
		}
	})
}

// ownLines is a note without the lines of witnesses.
func ownLines(t *testing.T, origin string, note []byte) []byte {
	lines, err := tlog.SignatureLines(note)
	if err != nil {
		t.Fatal(err)
	}
	lines = slices.DeleteFunc(lines, func(line string) bool { return len(line) < 5+len(origin) || line[4:4+len(origin)] != origin })
	return tlog.JoinNote(noteText(note), lines...)
}

// TestTwoOfThreeLie: two nodes are a majority, so what they sign counts in the region. A
// witness signs one history only: of the other, copies say that only its own nodes stand
// behind it; and when the liars come first, each honest node learns of it, and keeps the proof.
func TestTwoOfThreeLie(t *testing.T) {
	for name, first := range map[string]bool{"the liars ask the witness first": true, "the honest ask first": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRoads()
				c := newClusterWith(t, 3, func(c *Config) { c.Outside = r })
				defer c.close()
				c.leader()
				w := c.witnessOf(r, "kade.example")
				c.appoint(w)
				for _, id := range c.ids() {
					c.trusted(id, trustWitnessed, 2)
				}
				key, err := w.VerifierKey()
				if err != nil {
					t.Fatal(err)
				}
				client := tlog.WitnessClient{HTTP: r, URL: w.URL, Key: key}
				lie := c.otherHistory("knoop-1", "Wat niemand besloot")
				if !first {
					c.mustSubmit("knoop-3", "Zorggroep Linde")
					c.trusted("knoop-3", trustWitnessed, 3)
					if err := lie.ask(client); !errors.Is(err, tlog.ErrInconsistent) {
						t.Errorf("the witness signed two histories: %v", err)
					}
					c.onlyOwnNodes(lie, "knoop-1", "knoop-2")
					return
				}
				if err := lie.ask(client); err != nil {
					t.Fatal(err)
				}
				c.mustSubmit("knoop-3", "Zorggroep Linde")
				for _, id := range c.ids() {
					if id == "knoop-1" {
						continue // the honest program with a liar's key: it signed that itself
					}
					eventually(t, id+" learns of the other history", func() bool {
						s := c.get(id).Status()
						return s.Forked && !s.Signs && len(s.Witnesses) == 1 && s.Witnesses[0].Other
					})
					kept, err := c.get(id).forks()
					if err != nil || len(kept["knoop-1"]) == 0 {
						t.Errorf("%s keeps no proof: %v", id, err)
					}
					if found := c.get(id).look(t.Context(), time.Now()); !slices.ContainsFunc(found, func(f alert.Finding) bool { return f.Code == "fork" }) {
						t.Errorf("the operator of %s is not told: %+v", id, found)
					}
				}
			})
		})
	}
}

// otherHistory is what a node can sign with its key beside the region's log: one other leaf.
func (c *cluster) otherHistory(liar, leaf string) *neighbour {
	b := newNeighbour(c.t, c.charter.Origin)
	b.log = c.get(liar).publisher.log
	leaves, err := c.get(liar).Leaves(c.t.Context(), 0, c.size(liar))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, raw := range leaves {
		b.grow(string(raw))
	}
	b.grow(leaf)
	return b
}

// onlyOwnNodes: what nodes sign counts, and is marked as theirs alone.
func (c *cluster) onlyOwnNodes(b *neighbour, liars ...string) {
	c.t.Helper()
	note := b.note()
	for _, id := range liars {
		line, err := c.get(id).publisher.self.Line(b.head().Text(), time.Now())
		if err != nil {
			c.t.Fatal(err)
		}
		note = append(note, line+"\n"...)
	}
	n := c.get("knoop-3")
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	fresh, err := n.machine.state.View().Freshness(note)
	if err != nil || !fresh.OwnNodesOnly {
		c.t.Errorf("what two of three sign: %+v, %v", fresh, err)
	}
}
