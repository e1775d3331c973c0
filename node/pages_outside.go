package node

import (
	"encoding/json"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// factRow is one thing that a decision says, in words.
type factRow struct{ Label, Value paspoort.Text }

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
		row := factRow{f.Label, paspoort.Text{NL: f.In("nl"), EN: f.In("en")}}
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
