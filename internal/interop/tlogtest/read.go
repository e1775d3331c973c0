package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"filippo.io/torchwood"
	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/formats/witness"
	merkle "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// maxAnswer bounds one answer of a node.
const maxAnswer = 8 << 20

// reading is what one reader made of a log.
type reading struct {
	Origin  string
	Size    int64
	Root    string   // base64
	Entries [][]byte // each held against the tree
	Bare    bool     // the checkpoint satisfies the policy without witnesses from outside
	Whole   bool     // and the policy with them
	Proofs  []bool   // by index: the proof is good, and its checkpoint satisfies the whole policy
}

// policy is a tlog-policy file: which logs, and which cosigners make a checkpoint count.
type policy struct {
	logs   []note.Verifier
	quorum witness.Group
}

// read reads the log at an address with nothing but the address.
func read(ctx context.Context, in *json.Decoder, out *json.Encoder) error {
	var input struct{ URL string }
	if err := in.Decode(&input); err != nil {
		return err
	}
	var r reading
	raw, err := get(ctx, input.URL+"/checkpoint")
	if err != nil {
		return err
	}
	bare, err := policyAt(ctx, input.URL+"/v1/policy?witnesses=none")
	if err != nil {
		return err
	}
	whole, err := policyAt(ctx, input.URL+"/v1/policy")
	if err != nil {
		return err
	}
	c, err := bare.open(raw)
	if err != nil {
		return err
	}
	again, err := torchwood.ParseCheckpoint(string(c.Marshal())) // the other library agrees about the text
	if err != nil {
		return err
	}
	r.Origin, r.Size, r.Root = again.Origin, again.N, again.Hash.String()
	r.Bare, r.Whole = bare.quorum.Satisfied(raw), whole.quorum.Satisfied(raw)
	if r.Entries, err = entries(ctx, input.URL, again.Tree); err != nil {
		return err
	}
	for i, entry := range r.Entries {
		ok, err := proven(ctx, input.URL, whole, uint64(i), entry)
		if err != nil {
			return fmt.Errorf("proof of entry %d: %w", i, err)
		}
		r.Proofs = append(r.Proofs, ok)
	}
	return out.Encode(r)
}

// entries reads every entry over the tiles of a log.
func entries(ctx context.Context, url string, tree tlog.Tree) ([][]byte, error) {
	tiles, err := torchwood.NewTileFetcher(url)
	if err != nil {
		return nil, err
	}
	client, err := torchwood.NewClient(tiles)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for before := -1; before < len(all) && int64(len(all)) < tree.N; { // it stops before a partial tile, once
		before = len(all)
		for i, entry := range client.Entries(ctx, tree, int64(len(all))) {
			if i != int64(len(all)) {
				return nil, fmt.Errorf("entry %d where %d was due", i, len(all))
			}
			all = append(all, entry)
		}
		if err := client.Err(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// proven checks the tlog-proof of an entry, its inclusion twice.
func proven(ctx context.Context, url string, p policy, index uint64, entry []byte) (bool, error) {
	raw, err := get(ctx, fmt.Sprintf("%s/v1/proof/%d", url, index))
	if err != nil {
		return false, err
	}
	var f proof.TLogProof
	if err := f.Unmarshal(raw); err != nil {
		return false, err
	}
	if string(f.Marshal()) != string(raw) || f.Index != index {
		return false, fmt.Errorf("read as another proof: %q", f.Marshal())
	}
	c, err := p.open(f.Checkpoint)
	if err != nil {
		return false, err
	}
	var path [][]byte
	var record tlog.RecordProof
	for _, h := range f.Hashes {
		path, record = append(path, h[:]), append(record, tlog.Hash(h))
	}
	if err := merkle.VerifyInclusion(rfc6962.DefaultHasher, index, c.Size, rfc6962.DefaultHasher.HashLeaf(entry), path, c.Hash); err != nil {
		return false, err
	}
	if err := tlog.CheckRecord(record, int64(c.Size), tlog.Hash(c.Hash), int64(index), tlog.RecordHash(entry)); err != nil {
		return false, err
	}
	return p.quorum.Satisfied(f.Checkpoint), nil
}

// open takes a checkpoint of any of the logs of the policy.
func (p policy) open(raw []byte) (*log.Checkpoint, error) {
	err := fmt.Errorf("the policy has no log")
	for _, v := range p.logs {
		var c *log.Checkpoint
		if c, _, _, err = log.ParseCheckpoint(raw, v.Name(), v); err == nil {
			return c, nil
		}
	}
	return nil, err
}

// policyAt fetches a policy. The library is written for logs, which need the address of every witness, and refuses a
// line without: tlog-policy has it optional ("witness <name> <vkey> [<url>]"), so such lines get one that nobody asks.
func policyAt(ctx context.Context, url string) (p policy, err error) {
	raw, err := get(ctx, url)
	if err != nil {
		return p, err
	}
	var lines []string
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		switch {
		case len(f) >= 2 && f[0] == "log":
			v, err := note.NewVerifier(f[1])
			if err != nil {
				return p, err
			}
			p.logs = append(p.logs, v)
		case len(f) == 3 && f[0] == "witness":
			f = append(f, "https://none.invalid")
		}
		lines = append(lines, strings.Join(f, " ")+"\n")
	}
	p.quorum, err = witness.ParsePolicy([]byte(strings.Join(lines, "")))
	return p, err
}

func get(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", url, resp.StatusCode, raw)
	}
	return raw, err
}
