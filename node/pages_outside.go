package node

import (
	"encoding/json"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// factRow is one thing that a decision says: in words, or a day, or something to compare letter
// by letter.
type factRow struct {
	Label, Value paspoort.Text
	Day          time.Time
	Code         bool
}

// lettered are the labels of what nobody reads and somebody may have to compare.
var lettered = []string{"Id of the region", "Of region", "Goes on for region", "Key", "Name of the key", "Name of the log"}

// outsideFacts are what a decision about who is outside the region says: for what and how long
// another region counts, who watches the log, who signs on. The reason stands on the page already.
func outsideFacts(e registry.Event, who *names) (out []factRow) {
	switch e.Kind {
	case registry.KindPeerAccepted, registry.KindPeerDropped, registry.KindWitness, registry.KindCustodian:
	default:
		return nil
	}
	var custody registry.Custodian
	if e.Kind == registry.KindCustodian && json.Unmarshal(e.Body, &custody) != nil {
		return nil
	}
	for _, f := range govern.Facts(e) {
		row := factRow{Label: f.Label, Value: f.Value, Day: f.Day, Code: slices.Contains(lettered, f.Label.EN)}
		switch {
		case f.Label.EN == "Reason":
			continue
		case custody.By != "" && f.Value.NL == custody.By:
			if name := who.organisation(custody.By).Name; name != "" {
				row.Value = paspoort.Text{NL: name, EN: name}
			}
		}
		out = append(out, row)
	}
	return out
}

// region names another region that an event is about. There is a page of it when it was accepted.
func (n *names) region(genesis string, e registry.Event) partyRow {
	if p, ok := n.v.Peer(genesis, n.at); ok {
		return partyRow{Name: p.Name, Path: "/regions/" + genesis}
	}
	var body registry.PeerAcceptance
	if json.Unmarshal(e.Body, &body) != nil {
		return partyRow{}
	}
	return partyRow{Name: body.Name}
}
