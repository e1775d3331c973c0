package node

import (
	"cmp"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/interop"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// foreignReading is what programs of others make of a log, with nothing but its address.
type foreignReading struct {
	Origin      string
	Size        uint64
	Root        string
	Entries     [][]byte
	Bare, Whole bool
	Proofs      []bool
}

// overHTTP serves the public side of a node at an address of its own.
func (c *cluster) overHTTP(id string) string {
	h, err := c.get(id).Handler()
	if err != nil {
		c.t.Fatal(err)
	}
	server := httptest.NewServer(h)
	c.t.Cleanup(server.Close)
	return server.URL
}

// foreignWitness starts a witness of others that knows the log by the key of one node.
func (c *cluster) foreignWitness(p interop.Program, r *roads, id string) registry.Witness {
	log, err := c.get(id).region().logKey(id)
	if err != nil {
		c.t.Fatal(err)
	}
	var at struct{ URL, Key string }
	p.Start(c.t, "witness", map[string]string{"Name": "vreemd.example/getuige", "Log": log.String()}, &at)
	address, err := url.Parse(at.URL)
	if err != nil {
		c.t.Fatal(err)
	}
	key, err := tlog.ParseVerifierKey(at.Key)
	if err != nil {
		c.t.Fatal(err)
	}
	r.hosts["vreemd.example"] = http.StripPrefix("/witness", httputil.NewSingleHostReverseProxy(address))
	return registry.Witness{ID: "vreemd", Key: b64(key.Public), Name: key.Name, URL: "https://vreemd.example/witness"}
}

// TestForeignTools: programs of others read a region's log at each node: all entries against
// the tree, the checkpoint and each proof under the policy. A witness of others cosigns, and
// both they and we say that this satisfies the policy with witnesses, where it did and
// nowhere else.
func TestForeignTools(t *testing.T) {
	p, r := interop.Build(t, "tlogtest"), newRoads()
	c := newClusterWith(t, 3, func(c *Config) { c.Outside, c.ApplicationsPerMinute = r, 1000 })
	defer c.close()
	c.leader()
	c.appoint(c.foreignWitness(p, r, "knoop-1"))
	c.trusted("knoop-1", trustWitnessed, 2)
	size := uint64(2)
	var writers errgroup.Group
	writers.SetLimit(32)
	for range 258 { // a full tile and a partial one
		size++
		e := c.application(fmt.Sprintf("Zorggroep %d", size), time.Now())
		writers.Go(func() error {
			o, err := c.submit("knoop-1", e)
			return cmp.Or(err, o.Err())
		})
	}
	if err := writers.Wait(); err != nil {
		t.Fatal(err)
	}
	// This witness takes one key for a log ("the public key(s) it trusts" in tlog-witness), so
	// it cosigns for one node. Another that was late serves what that one published.
	c.trusted("knoop-1", trustWitnessed, size)
	c.published(size)
	for _, id := range []string{"knoop-1", "knoop-2", "knoop-3"} {
		leaves, err := c.get(id).Leaves(t.Context(), 0, size)
		if err != nil {
			t.Fatal(err)
		}
		_, seen := c.get(id).publisher.Checkpoint()
		witnessed := c.get(id).Status().Checkpoint.Trust == trustWitnessed
		want := foreignReading{Origin: c.charter.Origin, Size: size, Root: seen.Checkpoint.Root.String(),
			Bare: true, Whole: witnessed, Proofs: slices.Repeat([]bool{witnessed}, int(size))}
		want.Entries = append(want.Entries, leaves...)
		var got foreignReading
		p.Run(t, "read", map[string]string{"URL": c.overHTTP(id)}, &got)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("of %s they read %d entries of %s, %d, root %s, policy %v/%v, %d proofs", id, len(got.Entries), got.Origin, got.Size, got.Root, got.Bare, got.Whole, len(got.Proofs))
		}
	}
}

// foreignStep is a request for a cosignature by a log of others; foreignAnswer what it got.
type foreignStep struct {
	Size, Old           uint64
	Branch, Origin, Key string
	Spoil               bool
}

type foreignAnswer struct {
	Cosigned bool
	At       time.Time
	Size     uint64
	Refused  string
}

// TestForeignLogIsWitnessed: a log and a client of others have our witness cosign, and are
// told what they should be when it does not.
func TestForeignLogIsWitnessed(t *testing.T) {
	p := interop.Build(t, "tlogtest")
	c, b, _ := witnessing(t)
	defer c.close()
	b.grow("leaf 0") // what the log's own nodes have, which the witness asks after a start
	const full = "old size != current"
	steps := []struct {
		foreignStep
		refused string // in the words of their library
		latest  uint64
	}{
		{foreignStep: foreignStep{Size: 3}},
		{foreignStep: foreignStep{Size: 7, Old: 3}},
		{foreignStep: foreignStep{Size: 7, Old: 7}},
		{foreignStep{Size: 9, Old: 3}, full, 7},
		{foreignStep{Size: 9}, full, 7},
		{foreignStep{Size: 9, Old: 7, Spoil: true}, "consistency proof invalid", 0},
		{foreignStep{Size: 9, Old: 7, Branch: " elsewhere"}, "consistency proof invalid", 0},
		{foreignStep{Size: 7, Old: 7, Branch: " elsewhere"}, "consistency proof invalid", 0},
		{foreignStep{Size: 5, Old: 7}, "old size > current", 0},
		{foreignStep{Size: 9, Old: 7, Key: signerKey(b.origin, namedEd25519("somebody else"))}, "no valid signatures", 0},
		{foreignStep{Size: 9, Old: 7, Origin: "onbekend.example/log"}, "unknown log", 0},
		{foreignStep: foreignStep{Size: 300, Old: 7}},
	}
	input := map[string]any{"Key": signerKey(b.origin, namedEd25519("log of "+b.origin)),
		"Witness": map[string]string{"URL": c.overHTTP("knoop-1") + "/witness", "Key": c.get("knoop-1").publisher.self.VerifierKey().String()}}
	var list []foreignStep
	for _, s := range steps {
		list = append(list, s.foreignStep)
	}
	input["Steps"] = list
	var got []foreignAnswer
	p.Run(t, "log", input, &got)
	if len(got) != len(steps) {
		t.Fatalf("%d answers", len(got))
	}
	for i, s := range steps {
		a := got[i]
		if a.Refused != s.refused || a.Size != s.latest || a.Cosigned != (s.refused == "") || a.Cosigned && time.Since(a.At).Abs() > time.Minute {
			t.Errorf("%+v: %+v, want %q, %d", s.foreignStep, a, s.refused, s.latest)
		}
	}
}

// signerKey encodes a key for golang.org/x/mod/sumdb/note.
func signerKey(name string, key ed25519.PrivateKey) string {
	v, err := tlog.NewVerifierKey(name, tlog.TypeLog, key.Public())
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, v.KeyHash(), base64.StdEncoding.EncodeToString(append([]byte{byte(tlog.TypeLog)}, key.Seed()...)))
}
