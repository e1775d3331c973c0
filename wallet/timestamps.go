package wallet

import (
	"context"
	"crypto"
	"encoding/base64"
	"fmt"
	"io"
	"sync"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// timestampNodes is from how many nodes a copy gets a timestamp.
const timestampNodes = 2

// timestamp adds timestamps of two nodes to each copy. The nodes see 32 bytes that
// tell nothing: a salted commitment, another one for each copy and node. It returns
// from how many nodes every copy has one. Fewer than two is no reason to refuse: the
// credential is as good as its issuer's word then.
func (w *Wallet) timestamp(ctx context.Context, genesis string, copies []copyOf) int {
	region := w.regionFor(genesis)
	if region == nil {
		return 0
	}
	nodes := w.nodes(ctx, region)
	total := 0
	for _, node := range nodes {
		if total == timestampNodes {
			break
		}
		proofs, err := w.timestampAll(ctx, region, node, copies)
		if err != nil {
			w.c.Log.WarnContext(ctx, "node gave no timestamp", "node", node.ID, "cause", err)
			continue
		}
		for i := range copies {
			copies[i].Timestamps = append(copies[i].Timestamps, proofs[i])
		}
		total++
	}
	return total
}

// timestampAll asks one node about all copies, a few at a time. It is all or
// nothing, so that copies do not differ in what they can show.
func (w *Wallet) timestampAll(ctx context.Context, region *Region, node registry.NodeRecord, copies []copyOf) ([]paspoort.TimestampProof, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	proofs := make([]paspoort.TimestampProof, len(copies))
	errs := make([]error, len(copies))
	limit := make(chan struct{}, 4)
	var wait sync.WaitGroup
	for i := range copies {
		salt := make([]byte, 16)
		if _, err := io.ReadFull(w.c.Rand, salt); err != nil {
			return nil, fmt.Errorf("random bytes: %w", err)
		}
		wait.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			proofs[i], errs[i] = w.timestampOne(ctx, region, node, issuerJWT(copies[i].Text), salt)
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return proofs, nil
}

func (w *Wallet) timestampOne(ctx context.Context, region *Region, node registry.NodeRecord, jwt string, salt []byte) (paspoort.TimestampProof, error) {
	client := registry.Client{HTTP: w.c.HTTP, URL: node.URL}
	jws, err := client.Timestamp(ctx, paspoort.Commitment(salt, jwt))
	if err != nil {
		return paspoort.TimestampProof{}, err
	}
	proof := paspoort.TimestampProof{Salt: base64.RawURLEncoding.EncodeToString(salt), Timestamp: jws}
	fact := paspoort.CheckTimestamp(proof, jwt, w.nodeKey(ctx, region))
	if fact.Valid.State != paspoort.OK || fact.Node != node.ID {
		return proof, fmt.Errorf("the timestamp does not hold: %s", fact.Valid.Code)
	}
	if d := w.c.Clock().Sub(fact.At); d > 10*time.Minute || d < -10*time.Minute {
		return proof, fmt.Errorf("the clock of the node differs by %s", d)
	}
	return proof, nil
}

// nodeKey finds timestamp keys in a region's registry.
func (w *Wallet) nodeKey(ctx context.Context, region *Region) paspoort.NodeKey {
	return func(genesis, node string, at time.Time) (key crypto.PublicKey, ok bool) {
		if genesis != region.Copy.Genesis() {
			return nil, false
		}
		err := region.Copy.Read(ctx, func(v registry.View, _ paspoort.RegistryFacts) error {
			k, err := v.TimestampKey(node, at)
			if err != nil {
				return err
			}
			key, err = k.ECDSA()
			return err
		})
		return key, err == nil
	}
}

// regionFor is the region with this genesis, else the first one: any region may say
// when something existed.
func (w *Wallet) regionFor(genesis string) *Region {
	for i := range w.regions {
		if w.regions[i].Copy.Genesis() == genesis {
			return &w.regions[i]
		}
	}
	if len(w.regions) > 0 {
		return &w.regions[0]
	}
	return nil
}

// nodes are the nodes of a region that run now.
func (w *Wallet) nodes(ctx context.Context, region *Region) []registry.NodeRecord {
	var out []registry.NodeRecord
	err := region.Copy.Read(ctx, func(v registry.View, _ paspoort.RegistryFacts) error {
		out = v.ActiveNodes()
		return nil
	})
	if err != nil {
		w.c.Log.WarnContext(ctx, "region has no copy yet", "region", region.Copy.Genesis(), "cause", err)
	}
	return out
}

// issuerJWT is the part before the first tilde.
func issuerJWT(text string) string {
	for i := range len(text) {
		if text[i] == '~' {
			return text[:i]
		}
	}
	return text
}
