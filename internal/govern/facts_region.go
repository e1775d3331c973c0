package govern

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// region are the facts of what is about the region itself: its charter, members, nodes,
// certificates and lists. It says whether it knows the kind.
func (l *facts) region(e registry.Event) bool {
	switch e.Kind {
	case registry.KindFounded:
		with(e, l.charter)
	case registry.KindAmended:
		with(e, l.amendment)
	case registry.KindRules:
		with(e, func(r registry.RulesChange) {
			version := strconv.Itoa(r.Version)
			l.add("Regels", "Rules", paspoort.Text{NL: "versie " + version, EN: "version " + version})
			l.reason(r.Reason)
		})
	case registry.KindClock:
		with(e, func(c registry.Clock) { l.reason(c.Reason) })
	case registry.KindNodeAdded, registry.KindNodeRemoved, registry.KindNodeKeys:
		with(e, l.node)
	case registry.KindAnchorAdded, registry.KindAnchorRemoved:
		with(e, func(a registry.AnchorChange) {
			if a.Anchor != nil {
				l.anchor(*a.Anchor)
			}
			l.add("Vingerafdruk", "Fingerprint", plain(a.Fingerprint))
			l.reason(a.Reason)
		})
	case registry.KindCertRevoked:
		with(e, func(c registry.CertificateRevocation) {
			l.add("Certificaat", "Certificate", plain(c.Certificate))
			if c.Compromised {
				l.add("Sleutel", "Key", paspoort.Text{NL: "in andere handen", EN: "in other hands"})
			}
			l.day("Met ingang van", "With effect from", c.EffectiveFrom)
			l.reason(c.Reason)
		})
	case registry.KindCatalogue:
		with(e, func(c registry.Catalogue) {
			l.add("Versie", "Version", plain(c.Version))
			l.add("Bron", "Source", plain(c.Source))
			for _, h := range c.Hobbels {
				at := " (" + strings.Join(h.Levels, ", ") + ")"
				l.add(h.ID, h.ID, paspoort.Text{
					NL: h.Title.NL + " → " + h.Doorbraak.NL + at,
					EN: cmp.Or(h.Title.EN, h.Title.NL) + " → " + cmp.Or(h.Doorbraak.EN, h.Doorbraak.NL) + at,
				})
			}
		})
	case registry.KindContinued:
		with(e, func(c registry.Continued) {
			l.continuation(c.Continuation)
			l.reason(c.Reason)
		})
	case registry.KindErased:
		with(e, func(x registry.Erasure) {
			l.add("Gegevens", "Items", amount(len(x.Commitments), "stuks", "items"))
			l.add("Kenmerken", "Commitments", plain(x.Commitments...))
			l.reason(x.Reason)
		})
	default:
		return false
	}
	return true
}

func (l *facts) amendment(a registry.Amendment) {
	for _, m := range a.Add {
		l.member("Nieuw lid", "New member", m)
	}
	l.add("Lid vertrekt", "Member leaves", plain(a.Remove...))
	for _, id := range slices.Sorted(maps.Keys(a.Contacts)) {
		to := paspoort.Text{NL: id + ": niet meer vermeld", EN: id + ": no longer told"}
		if c := a.Contacts[id]; c != "" {
			to = plain(id + ": " + c)
		}
		l.add("Lid te bereiken via", "Member reached at", to)
	}
	l.add("Adres voor OpenID Federation", "Address for OpenID Federation", plain(a.Entity))
	l.criteria(a.Criteria, a.Text)
	if t := a.Admission; t != nil {
		l.term(*t)
	}
	l.thresholds(a.Thresholds)
	l.reason(a.Reason)
}

// charter is what a region is founded on.
func (l *facts) charter(c registry.Charter) {
	l.add("Regio", "Region", plain(c.Name))
	l.add("Naam van het register", "Name of the log", plain(c.Origin))
	l.add("Adres voor OpenID Federation", "Address for OpenID Federation", plain(c.Entity))
	for _, m := range c.Members {
		l.member("Lid", "Member", m)
	}
	for _, n := range c.Nodes {
		l.node(registry.NodeChange{Node: &n})
	}
	for _, a := range c.Anchors {
		l.anchor(a)
	}
	l.criteria(c.Criteria, c.Text)
	l.term(c.Admission)
	l.thresholds(c.Thresholds)
	if c.Continues != nil {
		l.continuation(*c.Continues)
	}
	l.add("Eenmalig kenmerk", "Nonce", plain(c.Nonce))
}

// member is who gets a say, and with which key.
func (l *facts) member(nl, en string, m registry.Member) {
	g := GroupText(m.Group)
	l.add(nl, en, paspoort.Text{NL: m.Name + " (" + m.ID + ", " + g.NL + ")", EN: m.Name + " (" + m.ID + ", " + g.EN + ")"})
	l.key("Sleutel van dit lid", "Key of this member", m.Key)
	l.add("Te bereiken via", "Reached at", plain(m.Contact))
	l.day("Mandaat tot", "Mandate until", m.Until)
	l.add("Is of bestuurt", "Is or controls", plain(m.Organisations...))
}

func (l *facts) criteria(version string, t *registry.CriteriaText) {
	l.add("Criteria", "Criteria", plain(version))
	if t == nil {
		return
	}
	if t.Summary != nil {
		l.add("In het kort", "In short", paspoort.Text{NL: t.Summary.NL, EN: t.Summary.EN})
	}
	l.add("Te lezen op", "To read at", plain(t.URL))
	l.add("Kenmerk van wat er staat", "Hash of what stands there", plain(t.SHA256))
}

func (l *facts) term(t registry.AdmissionTerm) {
	l.add("Toelating duurt", "Admission lasts", amount(t.Days, "dagen", "days"))
	l.add("Hoogstens", "At most", amount(t.MaxDays, "dagen", "days"))
}

func (l *facts) thresholds(all map[string]registry.Threshold) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t := all[name]
		label := thresholdTexts[name]
		l.add("Nodig voor "+label.NL, "Needed for "+label.EN,
			paspoort.Text{NL: counted(t.Members, "lid", "leden") + " uit " + counted(t.Groups, "groep", "groepen"), EN: counted(t.Members, "member", "members") + " from " + counted(t.Groups, "group", "groups")})
	}
}

// counted is a number with its word.
func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + more
}

func (l *facts) anchor(a registry.Anchor) {
	l.add("Hoofdcertificaat", "Root certificate", plain(a.Fingerprint))
	l.add("Beheerd door lid", "Kept by member", plain(a.Operator))
}

var thresholdTexts = map[string]paspoort.Text{
	registry.ForAdmission:      {NL: "toelating", EN: "admission"},
	registry.ForSuspension:     {NL: "schorsing", EN: "suspension"},
	registry.ForWithdrawal:     {NL: "intrekking", EN: "withdrawal"},
	registry.ForAmendment:      {NL: "wijziging van de afspraken", EN: "amendment of the charter"},
	registry.ForInfrastructure: {NL: "knooppunten en hoofdcertificaten", EN: "nodes and root certificates"},
	registry.ForIdentity:       {NL: "namen en adressen", EN: "names and addresses"},
	registry.ForHobbels:        {NL: "hobbels", EN: "hobbels"},
	registry.ForErasure:        {NL: "wissen", EN: "erasure"},
}

func (l *facts) node(n registry.NodeChange) {
	l.add("Knooppunt", "Node", plain(n.ID))
	if n.Node != nil {
		l.add("Knooppunt", "Node", plain(n.Node.ID))
		l.add("Beheerd door lid", "Run by member", plain(n.Node.Operator))
		l.add("Adres", "Address", plain(n.Node.URL))
		l.add("Adres tussen knooppunten", "Address between nodes", plain(n.Node.RaftAddress))
		l.nodeKeys(registry.NodeKeys{Cosigner: n.Node.CosignerKey, Log: n.Node.LogKey, TLS: n.Node.TLSKey, Timestamp: n.Node.TimestampKey, Federation: n.Node.FederationKey})
	}
	if k := n.Keys; k != nil {
		l.nodeKeys(*k)
	}
	l.day("Oude sleutels gestolen sinds", "Old keys stolen since", n.CompromisedSince)
	l.reason(n.Reason)
}

func (l *facts) nodeKeys(k registry.NodeKeys) {
	l.add("Sleutel van het log", "Log key", plain(k.Log))
	l.add("Sleutel als medeondertekenaar", "Cosigner key", plain(k.Cosigner))
	l.add("Sleutel tussen knooppunten", "Key between nodes", plain(k.TLS))
	l.key("Sleutel van tijdstempels", "Timestamp key", k.Timestamp)
	l.key("Sleutel van verklaringen (OpenID Federation)", "Key of statements (OpenID Federation)", k.Federation)
}

func (l *facts) continuation(c registry.Continuation) {
	l.add("Gaat verder dan regio", "Goes on from region", plain(c.Genesis))
	l.add("Tot en met blad", "Up to leaf", plain(strconv.FormatUint(c.Size, 10)))
	l.add("Wortel", "Root", plain(c.Root))
	if t := c.Losses; t != nil {
		l.add("Verloren", "Lost", paspoort.Text{NL: t.NL, EN: t.EN})
	}
}
