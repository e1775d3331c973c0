package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// askedNode is another node of the charter, asked for what it shows before one recovers.
type askedNode struct {
	registry.Node
	note   []byte
	leaves uint64 // under its checkpoint
	err    error  // why it showed none
}

type askedNodes struct {
	list   []askedNode
	needed int // nodes that together are the region's majority
}

// askNodes asks all nodes of the charter but this one for their checkpoints.
func askNodes(cmd *cobra.Command, charter []registry.Node, c *conf.Node) askedNodes {
	out := askedNodes{needed: len(charter)/2 + 1}
	for _, n := range charter {
		if n.ID == c.ID {
			continue
		}
		a := askedNode{Node: n}
		client, err := regionClientBy(n.URL, c.Outbound)
		if err == nil {
			ctx, cancel := context.WithTimeout(cmd.Context(), statusTimeout)
			a.note, err = client.Checkpoint(ctx)
			cancel()
		}
		if err == nil {
			var shown tlog.Checkpoint
			shown, err = tlog.PeekCheckpoint(a.note)
			a.leaves = shown.Size
		}
		a.err = err
		out.list = append(out.list, a)
	}
	return out
}

// print says who answers, who does not and why, and how many leaves each shows.
func (a askedNodes) print(out io.Writer) {
	for _, n := range a.list {
		if n.err != nil {
			fmt.Fprintf(out, "%-12s cannot be asked at %s: %v\n", n.ID, n.URL, n.err)
			continue
		}
		fmt.Fprintf(out, "%-12s answers at %s and shows %d leaves\n", n.ID, n.URL, n.leaves)
	}
}

func (a askedNodes) silent() (ids []string) {
	for _, n := range a.list {
		if n.err != nil {
			ids = append(ids, n.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// permit refuses while the majority runs, and while it is not said of each node that could not be
// asked that it may be passed over. Without --yes a person is asked that instead.
func (a askedNodes) permit(named []string, yes bool) error {
	silent := a.silent()
	if running := len(a.list) - len(silent); running >= a.needed {
		return hint(fmt.Errorf("%d other nodes answer, which is a majority: the region has lost nothing, and would go on twice", running),
			"this node takes part again with an empty folder: paspoort node recover --give-way")
	}
	if len(named) == 0 && !yes {
		return nil
	}
	named = slices.Compact(slices.Sorted(slices.Values(named)))
	if slices.Equal(named, silent) {
		return nil
	}
	for _, id := range named {
		if !slices.Contains(silent, id) {
			return hint(fmt.Errorf("--unreachable names %s, which answers or is no other node of the region", id), "name exactly those that cannot be asked: "+cmp.Or(strings.Join(silent, ","), "none, so leave the flag out"))
		}
	}
	return hint(fmt.Errorf("these nodes could not be asked, and may run and hold more: %s", strings.Join(silent, ", ")),
		"see why above. When each of them is stopped or gone for good, say so: --unreachable "+strings.Join(silent, ","))
}

func (a askedNodes) question() string {
	who := "Every other node answers."
	if silent := a.silent(); len(silent) > 0 {
		who = "Not asked: " + strings.Join(silent, ", ") + ". If one of them runs, the region goes on twice, and nothing brings the two together again."
	}
	return who + "\nAre the disks of the majority lost for good, and is every node stopped? A disk that comes back later cannot take part any more. (yes/no) "
}

// known are the checkpoints that were shown, by who showed them.
func (a askedNodes) known() map[string][]byte {
	known := map[string][]byte{}
	for _, n := range a.list {
		if n.err == nil {
			known[n.ID+" at "+n.URL] = n.note
		}
	}
	return known
}
