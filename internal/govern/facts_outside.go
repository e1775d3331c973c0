package govern

import (
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// outside are the facts of who counts though it is not of the region: other regions, witnesses,
// and who signs on for an organisation that ceased. It says whether it knows the kind.
func (l *facts) outside(e registry.Event) bool {
	switch e.Kind {
	case registry.KindPeerAccepted:
		with(e, l.peer)
	case registry.KindPeerDropped:
		with(e, func(d registry.PeerDrop) {
			l.add("Kenmerk van de regio", "Id of the region", plain(d.Genesis))
			l.day("Met ingang van", "With effect from", d.EffectiveFrom)
			l.reason(d.Reason)
		})
	case registry.KindWitness:
		with(e, func(c registry.WitnessChange) {
			if len(c.Witnesses) == 0 {
				l.add("Getuigen", "Witnesses", paspoort.Text{NL: "geen", EN: "none"})
			}
			for _, w := range c.Witnesses {
				l.witness(w)
			}
			l.reason(c.Reason)
		})
	case registry.KindCustodian:
		with(e, func(c registry.Custodian) {
			by := plain(c.By)
			if c.By == "" {
				by = paspoort.Text{NL: "niemand meer", EN: "nobody any more"}
			}
			l.add("Wie de lijsten voortaan tekent", "Who signs the lists from now on", by)
			l.day("Vanaf", "From", c.From)
			l.day("Tot", "Until", c.Until)
			l.reason(c.Reason)
		})
	default:
		return false
	}
	return true
}

func (l *facts) peer(p registry.PeerAcceptance) {
	l.add("Andere regio", "Other region", plain(p.Name))
	l.add("Kenmerk van de regio", "Id of the region", plain(p.Genesis))
	l.add("Naam van het register", "Name of the log", plain(p.Origin))
	types := typesText(p.Types)
	if len(p.Types) == 0 {
		types = paspoort.Text{NL: "alle bewijzen", EN: "all credentials"}
	}
	l.add("Telt voor", "Counts for", types)
	l.day("Tot", "Until", p.Until)
	l.add("Gaat verder voor regio", "Goes on for region", plain(p.Continues))
	l.add("Adressen van de knooppunten", "Addresses of its nodes", plain(p.URLs...))
	l.reason(p.Reason)
}

func (l *facts) witness(w registry.Witness) {
	l.add("Getuige", "Witness", plain(w.ID))
	l.add("Van regio", "Of region", plain(w.Genesis))
	l.add("Naam van de sleutel", "Name of the key", plain(w.Name))
	l.add("Sleutel", "Key", plain(w.Key))
	l.add("Adres", "Address", plain(w.URL))
}
