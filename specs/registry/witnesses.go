package registry

import (
	"crypto/ed25519"
	"slices"
	"strings"

	"paspoort.example/paspoort/specs/tlog"
)

// WitnessSubject is the subject of changes of the witnesses.
const WitnessSubject = "witnesses"

// maxWitnesses bounds how many witnesses a region asks.
const maxWitnesses = 16

// WitnessChange names all the witnesses of the region's log from here on; none when the list is
// empty. A witness is outside the region: it signs only what follows on what it signed before
// (C2SP tlog-witness), so that this region's nodes cannot show two histories, not even all
// together. A region goes on without its witnesses: they only make its checkpoints worth more (D11).
type WitnessChange struct {
	Reason    string    `json:"reason"`
	Witnesses []Witness `json:"witnesses"`
}

// Witness is one witness.
type Witness struct {
	Genesis string `json:"genesis,omitempty"` // accepted region whose node it is
	ID      string `json:"id"`                // what it is called here, e.g. "lindewaard-1"
	Key     string `json:"key"`               // Ed25519, base64url
	Name    string `json:"name"`              // of its key, e.g. "lindewaard.example/register/node/knoop-1"
	URL     string `json:"url"`               // prefix of add-checkpoint
}

// WitnessRecord are the witnesses of checkpoints of at least Size leaves.
type WitnessRecord struct {
	Event     string    `json:"event"`
	Since     int64     `json:"since"`
	Size      uint64    `json:"size"`
	Witnesses []Witness `json:"witnesses"`
}

func (w *WitnessChange) subject() string { return WitnessSubject }

func (w *WitnessChange) check() error {
	if w.Witnesses == nil || len(w.Witnesses) > maxWitnesses {
		return ErrBody.with("a change of witnesses lists all of them, at most %d", maxWitnesses)
	}
	var seen unique
	for _, one := range w.Witnesses {
		if err := one.check(); err != nil {
			return err
		}
		seen.add("id/"+one.ID, "key/"+one.Key, "name/"+one.Name, "url/"+one.URL)
	}
	if seen.twice != "" {
		return ErrBody.with("%s is given twice", seen.twice)
	}
	return checkText("reason", w.Reason, 2000)
}

func (w Witness) check() error {
	if !isSlug(w.ID) {
		return ErrBody.with("a witness's id is 1 to 40 of a-z, 0-9 and '-'")
	}
	if w.Genesis != "" && !isHash(w.Genesis) {
		return ErrBody.with("the region of witness %s is named by its id", w.ID)
	}
	if len(w.Name) > 250 || !isPrintableASCII(w.Name) || !isEd25519(w.Key) || !isURL(w.URL) {
		return ErrBody.with("witness %s has no usable name, Ed25519 key or URL", w.ID)
	}
	if _, err := w.verifierKey(); err != nil {
		return ErrBody.with("witness %s has a name that no key of C2SP signed-note can have", w.ID)
	}
	return nil
}

func (w Witness) verifierKey() (tlog.VerifierKey, error) {
	raw, err := decode64(w.Key, ed25519.PublicKeySize)
	if err != nil {
		return tlog.VerifierKey{}, err
	}
	return tlog.NewVerifierKey(w.Name, tlog.TypeCosigner, ed25519.PublicKey(raw))
}

// VerifierKey is the witness's key for checking its cosignatures.
func (w Witness) VerifierKey() (tlog.VerifierKey, error) { return w.verifierKey() }

// authoriseWitnesses: members decide, and not on what could not take effect anyway.
func authoriseWitnesses(x *step) error {
	if err := onlyMembers(x); err != nil {
		return err
	}
	return x.outsiders(x.body.(*WitnessChange))
}

// outsiders refuses witnesses that are not from outside the region: a node vouches for its own
// region already.
func (x *step) outsiders(change *WitnessChange) error {
	for _, w := range change.Witnesses {
		if strings.HasPrefix(w.Name, CosignerName(x.s.currentCharter().Origin, "")) {
			// Nodes remember what a cosigner signed last by its name.
			return ErrTaken.with("witness %s has a name that is kept for nodes of this region", w.ID)
		}
		for _, id := range x.s.nodes.keys(x.s.size) {
			n, _ := x.s.nodes.get(id, x.s.size)
			if slices.ContainsFunc(n.Keys, func(k NodeKeyPeriod) bool { return k.Cosigner == w.Key || k.Log == w.Key }) {
				return ErrTaken.with("witness %s has a key of node %s of this region", w.ID, id)
			}
		}
		if w.Genesis == "" {
			continue
		}
		if r, ok := x.s.peers.get(w.Genesis, x.s.size); !ok || r.dropped() {
			return ErrUnknown.with("the region of witness %s was not accepted, or was dropped", w.ID)
		}
	}
	return nil
}

func enactWitnesses(x *step) error {
	change := x.body.(*WitnessChange)
	if err := x.outsiders(change); err != nil {
		return err
	}
	put(x, &x.s.witnesses, current, WitnessRecord{Event: x.id, Since: x.now, Size: x.index + 1, Witnesses: change.Witnesses})
	return nil
}

// Witnesses lists the witnesses of the region's log, as known.
func (v View) Witnesses() []Witness {
	r, _ := v.State.witnesses.get(current, v.AsOf)
	return append([]Witness{}, r.Witnesses...)
}

// witnessesAt are the witnesses of checkpoints of size leaves.
func (v View) witnessesAt(size uint64) (out []Witness) {
	for _, r := range v.State.witnesses.history(current, v.AsOf) {
		if r.Size <= size {
			out = r.Witnesses
		}
	}
	return out
}
