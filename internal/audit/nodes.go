package audit

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// NodeReport is how one node of the region compares with the log that was audited.
type NodeReport struct {
	ID       string    `json:"id"`
	URL      string    `json:"url"`
	Reached  bool      `json:"reached"`
	Error    string    `json:"error,omitempty"` // why not, or why no more was compared
	Size     uint64    `json:"size,omitzero"`   // leaves under its checkpoint
	Freshest time.Time `json:"freshest,omitzero"`
	Answers  int       `json:"answers"` // that were compared
}

// nodeKeys are all keys that a node ever signed checkpoints with.
func nodeKeys(origin string, n registry.NodeRecord) (out []tlog.VerifierKey) {
	add := func(name string, kind tlog.KeyType, text string) {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return
		}
		if k, err := tlog.NewVerifierKey(name, kind, ed25519.PublicKey(raw)); err == nil {
			out = append(out, k)
		}
	}
	add(origin, tlog.TypeLog, n.LogKey)
	add(registry.CosignerName(origin, n.ID), tlog.TypeCosigner, n.CosignerKey)
	for _, k := range n.Keys {
		add(origin, tlog.TypeLog, k.Log)
		add(registry.CosignerName(origin, n.ID), tlog.TypeCosigner, k.Cosigner)
	}
	return out
}

// nodes compares every node of the charter with what was audited.
func (a *audit) nodes(ctx context.Context) {
	for _, n := range a.replay.state.View().ActiveNodes() {
		report := NodeReport{ID: n.ID, URL: n.URL}
		if err := a.node(ctx, n, &report); err != nil {
			report.Error = err.Error() // of its answers
		}
		a.report.Nodes = append(a.report.Nodes, report)
	}
}

func (a *audit) node(ctx context.Context, n registry.NodeRecord, report *NodeReport) error {
	source := Web(a.config.Client, n.URL)
	note, err := source.File(ctx, fileCheckpoint, tlog.MaxNote)
	if err != nil {
		return err
	}
	report.Reached = true
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		a.add(Finding{Code: NoCheckpoint, Node: n.ID, Detail: err.Error(), Text: textNoCheckpoint})
		return nil
	}
	report.Size = c.Size
	if !a.stands(n, note, c, report) {
		return nil
	}
	forked, err := a.compare(ctx, note, source, n.ID)
	if err != nil || forked {
		return err
	}
	return a.answers(ctx, n, min(c.Size, a.replay.seen.Checkpoint.Size), report)
}

// lagging is how long after the others a node may still show fewer entries than they do.
const lagging = time.Hour

// stands looks who stands behind a node's checkpoint, and whether it is of today. It is false when
// nothing more can be said of the node.
func (a *audit) stands(n registry.NodeRecord, note []byte, c tlog.Checkpoint, report *NodeReport) bool {
	view, ours := a.replay.state.View(), a.replay.seen
	if c.Origin != ours.Checkpoint.Origin {
		a.add(Finding{Code: Unsigned, Node: n.ID, Detail: "the checkpoint is of the log " + c.Origin, Text: textUnsigned})
		return false
	}
	seen, err := view.CheckCheckpoint(note)
	switch {
	case err != nil && c.Size <= ours.Checkpoint.Size:
		a.add(Finding{Code: Unsigned, Node: n.ID, Detail: err.Error(), Text: textUnsigned})
	case err != nil:
		if len(signers(view, note)) == 0 { // by the keys up to here; there may be others after it
			report.Error = "no node that is known up to here signed what it shows beyond that"
		}
	default:
		report.Freshest = seen.Freshest()
		if late := ours.Freshest().Sub(report.Freshest); c.Size < ours.Checkpoint.Size && late > lagging {
			// What it answers to people it answers from these entries, or from no known ones.
			a.add(Finding{Code: WentBack, Node: n.ID, Leaf: at(c.Size), Until: at(ours.Checkpoint.Size - 1), Since: report.Freshest,
				Text: textBehind, Detail: "last signed " + late.Round(time.Minute).String() + " before the log that was read"})
		}
	}
	return true
}

// compare holds another checkpoint against the log that was audited, and adds what it finds.
func (a *audit) compare(ctx context.Context, note []byte, source Source, node string) (forked bool, err error) {
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		return false, err
	}
	ours, mine := a.replay.seen.Checkpoint, a.replay.note
	smaller, larger, tiles := mine, note, source
	if c.Size < ours.Size {
		smaller, larger, tiles = note, mine, a.config.Source
	}
	if c.Size == ours.Size && c.Root == ours.Root || c.Size == 0 {
		return false, nil
	}
	fork, err := ForkOf(ctx, a.config.Genesis, smaller, larger, tiles)
	if errors.Is(err, ErrNoFork) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	fork.Seen = a.config.Now().UTC()
	sides := fork.Signers(a.replay.state.View())
	f := Finding{Code: Forked, Node: node, Text: textForked, Fork: &fork, Signed: sides.Counts}
	if len(sides.Both) == 0 && !sides.Counts {
		f.Text = textFalseFork
	}
	if where, ok := compareTrees(ctx, source, c.Size, a.config.Source, ours, 0); ok {
		f.Leaf, f.Until, f.Kind, f.Since = where.Leaf, where.Until, where.Kind, where.Since
	}
	a.add(f)
	return true, nil
}

// known holds the checkpoints that somebody kept from before against the log.
func (a *audit) known(ctx context.Context, notes [][]byte) error {
	ours := a.replay.seen.Checkpoint
	for _, note := range notes {
		c, err := tlog.PeekCheckpoint(note)
		if err != nil {
			return err
		}
		if len(signers(a.replay.state.View(), note)) == 0 {
			return errors.New("a checkpoint that was kept is signed by no node of this region")
		}
		if c.Size > ours.Size {
			a.add(Finding{Code: WentBack, Leaf: at(ours.Size), Until: at(c.Size - 1), Since: a.replay.held, Text: textWentBack})
			continue
		}
		if _, err := a.compare(ctx, note, a.config.Source, ""); err != nil {
			return err
		}
	}
	return nil
}
