package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	f_log "github.com/transparency-dev/formats/log"
	f_note "github.com/transparency-dev/formats/note"
	client "github.com/transparency-dev/witness/client/http"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// step is one request for a cosignature.
type step struct {
	Size   int64  // of the tree that is shown
	Old    int64  // what the witness is said to have cosigned last
	Branch string // which history: leaves from the second on have its name in them
	Origin string // of the checkpoint; empty for the log's
	Key    string // signs it; empty for the log's
	Spoil  bool   // one hash of the consistency proof
}

// answer is what came of it.
type answer struct {
	Cosigned bool      // by the key that was expected
	At       time.Time // when
	Size     uint64    // what the witness says that it cosigned last
	Refused  string    // in the words of the library
}

// hashes are the stored hashes of a tree in memory.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, h[i])
	}
	return out, nil
}

// grow is a log that has a witness cosign it.
func grow(ctx context.Context, in *json.Decoder, out *json.Encoder) error {
	var input struct {
		Key     string // of the log: an encoded signer key
		Witness struct{ URL, Key string }
		Steps   []step
	}
	if err := in.Decode(&input); err != nil {
		return err
	}
	address, err := url.Parse(input.Witness.URL)
	if err != nil {
		return err
	}
	key, err := f_note.NewVerifierForCosignatureV1(input.Witness.Key)
	if err != nil {
		return err
	}
	w := client.NewWitness(address, http.DefaultClient)
	var answers []answer
	for _, s := range input.Steps {
		if s.Key == "" {
			s.Key = input.Key
		}
		signed, path, err := s.show()
		if err != nil {
			return err
		}
		lines, size, err := w.Update(ctx, uint64(s.Old), signed, path)
		a := answer{Size: size}
		if err != nil {
			a.Refused = err.Error()
		} else if a.At, err = cosigned(signed, lines, key); err != nil {
			return err
		}
		a.Cosigned = a.Refused == ""
		answers = append(answers, a)
	}
	return out.Encode(answers)
}

// show makes the signed checkpoint and the consistency proof of a step.
func (s step) show() (signed []byte, path [][]byte, err error) {
	var stored hashes
	for i := range s.Size {
		leaf := fmt.Sprintf("leaf %d", i)
		if i > 0 {
			leaf += s.Branch
		}
		more, err := tlog.StoredHashes(i, []byte(leaf), stored)
		if err != nil {
			return nil, nil, err
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(s.Size, stored)
	if err != nil {
		return nil, nil, err
	}
	if s.Old > 0 && s.Old <= s.Size {
		tree, err := tlog.ProveTree(s.Size, s.Old, stored)
		if err != nil {
			return nil, nil, err
		}
		for _, h := range tree {
			path = append(path, append([]byte{}, h[:]...))
		}
	}
	if s.Spoil {
		path[0][0] ^= 1
	}
	signer, err := note.NewSigner(s.Key)
	if err != nil {
		return nil, nil, err
	}
	if s.Origin == "" {
		s.Origin = signer.Name()
	}
	text := f_log.Checkpoint{Origin: s.Origin, Size: uint64(s.Size), Hash: root[:]}.Marshal()
	signed, err = note.Sign(&note.Note{Text: string(text)}, signer)
	return signed, path, err
}

// cosigned puts a witness's lines under a checkpoint and verifies them.
func cosigned(signed, lines []byte, key note.Verifier) (time.Time, error) {
	n, err := note.Open(append(append([]byte{}, signed...), lines...), note.VerifierList(key))
	if err != nil {
		return time.Time{}, err
	}
	return f_note.CoSigV1Timestamp(n.Sigs[0])
}
