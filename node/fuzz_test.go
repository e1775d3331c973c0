package node

import (
	"bytes"
	"testing"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/specs/tlog"
)

type raftEntry = raft.Log

// What nodes send one another is parsed; what parses encodes to the same bytes.

func FuzzParseCommand(f *testing.F) {
	f.Add(command{LogTime: 1_800_000_000, Events: [][]byte{[]byte("a"), []byte("bc")}}.marshal())
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseCommand(data)
		if err != nil {
			return
		}
		again, err := parseCommand(c.marshal())
		if err != nil || again.LogTime != c.LogTime || len(again.Events) != len(c.Events) {
			t.Errorf("%x reads as %+v and then as %+v, %v", data, c, again, err)
		}
	})
}

func FuzzSplitLeaves(f *testing.F) {
	bundle, err := tlog.AppendEntry(nil, []byte("leaf"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bundle, uint64(3))
	f.Fuzz(func(t *testing.T, data []byte, most uint64) {
		leaves, err := splitLeaves(data, most)
		if err != nil {
			return
		}
		var again []byte
		for _, leaf := range leaves {
			again, _ = tlog.AppendEntry(again, leaf)
		}
		if !bytes.HasPrefix(data, again) || uint64(len(leaves)) > most {
			t.Errorf("%x with %d reads as %d leaves", data, most, len(leaves))
		}
	})
}
