package govern

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// A Fact is one thing that an event says, with the words for it.
type Fact struct {
	Label paspoort.Text
	Value paspoort.Text
	Day   time.Time // instead of Value
}

// In is the value in a language, days as they are written everywhere.
func (f Fact) In(lang string) string {
	if !f.Day.IsZero() {
		return f.Day.UTC().Format(time.DateOnly)
	}
	return f.Value.In(lang)
}

type facts []Fact

func (l *facts) add(nl, en string, value paspoort.Text) {
	if value.NL != "" {
		*l = append(*l, Fact{Label: paspoort.Text{NL: nl, EN: en}, Value: value})
	}
}

func (l *facts) day(nl, en string, at int64) {
	if at != 0 {
		*l = append(*l, Fact{Label: paspoort.Text{NL: nl, EN: en}, Day: time.Unix(at, 0).UTC()})
	}
}

// key shows a key by its thumbprint: who gives somebody a key, gives it a say.
func (l *facts) key(nl, en string, k registry.PublicKey) {
	if k != "" {
		l.add(nl, en, plain(k.Thumbprint()))
	}
}

func (l *facts) reason(reason string) { l.add("Reden", "Reason", plain(reason)) }

// amount is a number with what it counts.
func amount(n int, nl, en string) paspoort.Text {
	s := strconv.Itoa(n)
	return paspoort.Text{NL: s + " " + nl, EN: s + " " + en}
}

// Facts are what an event asks for, in the order in which a person weighs them: all that it
// says, since who approves it approves all of it. Of a kind without words of its own they are
// the body as it stands.
func Facts(e registry.Event) []Fact {
	var l facts
	switch e.Kind {
	case registry.KindApplied:
		with(e, l.application)
	case registry.KindSuspended, registry.KindReinstated, registry.KindWithdrawn:
		with(e, l.measure)
	case registry.KindAliases:
		with(e, func(a registry.AliasChange) {
			l.add("Adres erbij", "Address added", aliasText(a.Add))
			l.add("Adres vervalt", "Address ended", aliasText(a.End))
		})
	case registry.KindDetails:
		with(e, func(d registry.Details) {
			l.add("Nieuwe naam", "New name", plain(d.Name))
			l.add("Inschrijving", "Registration", plain(d.Registration))
		})
	case registry.KindOrgKeys:
		with(e, func(k registry.OrganisationKey) {
			l.key("Nieuwe sleutel", "New key", k.Key)
			l.day("Oude sleutel gestolen sinds", "Old key stolen since", k.CompromisedSince)
			l.reason(k.Reason)
		})
	case registry.KindKeyLost, registry.KindKeyStolen, registry.KindKeyRotated:
		with(e, func(k registry.MemberKey) {
			l.add("Lid", "Member", plain(k.Member))
			l.key("Nieuwe sleutel", "New key", k.Key)
			l.day("Gestolen sinds", "Stolen since", k.CompromisedSince)
			l.reason(k.Reason)
		})
	case registry.KindHobbel:
		with(e, l.hobbel)
	case registry.KindAppealed:
		with(e, func(a registry.Appeal) {
			l.add("Eerdere aanvraag", "Application before", plain(a.Proposal))
			l.reason(a.Reason)
		})
	case registry.KindSucceeded:
		with(e, l.succession)
	default:
		if !l.region(e) && !l.outside(e) {
			l.add("Inhoud", "Contents", plain(string(e.Body)))
		}
	}
	l.add("Verzegeld naast het register", "Sealed beside the registry", plain(slices.Sorted(maps.Keys(e.Commitments))...))
	return l
}

// with decodes the body of an event. What does not decode has no facts: the registry took
// the event, so this happens only when a node made it up.
func with[T any](e registry.Event, fn func(T)) {
	var body T
	if err := ijson.Unmarshal(e.Body, &body); err == nil {
		fn(body)
	}
}

func (l *facts) application(a registry.Application) {
	l.add("Wil", "Wants to", RoleText(a.Role))
	l.add("Naam", "Name", plain(a.Name))
	if a.OnePerson {
		l.add("Soort", "Kind", paspoort.Text{NL: "eenpersoonsbedrijf; de gegevens staan niet in het register", EN: "one-person firm; its details are not in the registry"})
	}
	l.add("Inschrijving", "Registration", plain(a.Registration))
	l.add("Adres", "Address", aliasText(a.Aliases))
	l.key("Sleutel", "Key", a.Key)
	l.add("Bewijzen", "Credentials", typesText(a.Types))
	l.add("Doelen", "Purposes", plain(a.Purposes...))
	l.add("Gebied", "Domain", plain(a.Domains...))
	l.add("Tekent voor", "Signs for", plain(a.Serves...))
	if a.Days > 0 {
		l.add("Hoe lang", "How long", amount(a.Days, "dagen", "days"))
	}
	l.add("Criteria", "Criteria", plain(a.Criteria))
	l.add("Leden die deze organisatie zijn of besturen", "Members that are or control it", plain(a.Members...))
	for _, f := range a.Levels {
		l.level(f)
	}
}

// level is what a proof level of 3 or 4 rests on.
func (l *facts) level(f registry.LevelFact) {
	level := strconv.Itoa(f.Level)
	label := paspoort.Text{NL: "Bewijsniveau " + level + " rust op", EN: "Proof level " + level + " rests on"}
	on, until := time.Unix(f.On, 0).UTC().Format(time.DateOnly), time.Unix(f.Until, 0).UTC().Format(time.DateOnly)
	value, types := listed(f.Basis, f.Domain, f.Auditor, f.Independence, f.Reference), typesText(f.Types)
	*l = append(*l, Fact{Label: label, Value: paspoort.Text{
		NL: value + "; voor " + types.NL + "; van " + on + " tot " + until,
		EN: value + "; for " + types.EN + "; from " + on + " until " + until,
	}})
}

func typesText(vcts []string) (out paspoort.Text) {
	for i, vct := range vcts {
		t := typeText(vct)
		if i > 0 {
			out.NL, out.EN = out.NL+", ", out.EN+", "
		}
		out.NL, out.EN = out.NL+t.NL, out.EN+t.EN
	}
	return out
}

func (l *facts) measure(m registry.Measure) {
	l.add("Organisatie", "Organisation", plain(m.Organisation))
	l.add("Toelating om", "Admission to", RoleText(m.Role))
	if m.Fraud {
		l.add("Wegens", "For", paspoort.Text{NL: "fraude: wat sindsdien is getekend telt niet", EN: "fraud: what was signed since does not count"})
	}
	l.day("Met ingang van", "With effect from", m.EffectiveFrom)
	l.reason(m.Reason)
}

func (l *facts) succession(s registry.Succession) {
	l.add("Organisatie", "Organisation", plain(s.Organisation))
	l.add("Gaat verder als", "Goes on as", plain(s.Successor))
	l.day("Sinds", "Since", s.On)
	l.add("Adressen gaan over", "Addresses go over", aliasText(s.Aliases))
	for _, r := range s.Roles {
		l.add("Toelating gaat over om", "Admission goes over to", RoleText(r))
	}
	l.reason(s.Reason)
}

func (l *facts) hobbel(h registry.HobbelClaim) {
	l.add("Hobbel", "Hobbel", plain(h.Hobbel))
	l.add("Van lijst", "Of list", plain(h.Catalogue))
	l.add("Wordt", "Becomes", plain(string(h.Status)))
	l.day("Sinds", "Since", h.On)
	l.add("Samenvatting", "Summary", paspoort.Text{NL: h.Summary.NL, EN: h.Summary.EN})
	if h.Scope != nil {
		l.add("Voor", "For", plain(string(h.Scope.Kind)+" "+h.Scope.Name))
	}
	for _, e := range h.Evidence {
		what := plain(listed(e.Title, e.Place, e.URL))
		if e.Participants > 0 {
			n := strconv.Itoa(e.Participants)
			what.NL, what.EN = what.NL+"; "+n+" deelnemers", what.EN+"; "+n+" participants"
		}
		if e.Placed != nil {
			n := strconv.Itoa(*e.Placed)
			what.NL, what.EN = what.NL+", "+n+" aan het werk", what.EN+", "+n+" have the job"
		}
		l.add("Onderbouwing", "Evidence", what)
		l.day("Begonnen", "Began", e.From)
		l.day("Geëindigd", "Ended", e.Until)
		l.add("Kenmerk van wat er stond", "Hash of what stood there", plain(e.SHA256))
	}
}

// listed joins what is said.
func listed(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

func aliasText(list []registry.Alias) paspoort.Text {
	values := make([]string, len(list))
	for i, a := range list {
		values[i] = a.Value
	}
	return plain(values...)
}

// About is the organisation that an event is about, by id, or "" when it is about
// something else.
func About(e registry.Event) string {
	id, ok := strings.CutPrefix(e.Subject, registry.OrganisationParty(""))
	if !ok {
		return ""
	}
	return id
}

// NameIn is the name that an event itself gives to the organisation it is about.
func NameIn(e registry.Event) (name string) {
	if e.Kind == registry.KindApplied {
		with(e, func(a registry.Application) { name = a.Name })
	}
	return name
}

// Claimed names an organisation that was never admitted: the registry knows its id only, and
// what it asks to be called stands in its applications, of which these are the newest first.
// One that waits goes before all others. It is false when there is nothing to fill in.
func Claimed(o registry.Organisation, list []registry.Proposal, now int64) (registry.Organisation, bool) {
	if o.Name != "" || o.OnePerson || o.Erased {
		return o, false
	}
	var best *registry.Proposal
	for i, p := range list {
		waits := p.Status == registry.Pending && p.Event.Expires >= now
		if p.Event.Kind == registry.KindApplied && About(p.Event) == o.ID && (best == nil || waits) {
			if best = &list[i]; waits {
				break
			}
		}
	}
	if best != nil {
		with(best.Event, func(a registry.Application) { o.Name, o.Registration, o.Aliases = a.Name, a.Registration, a.Aliases })
	}
	return o, o.Name != ""
}

// RoleIn is the role that an application or a measure is about, or "".
func RoleIn(e registry.Event) (role registry.Role) {
	switch e.Kind {
	case registry.KindApplied:
		with(e, func(a registry.Application) { role = a.Role })
	case registry.KindSuspended, registry.KindReinstated, registry.KindWithdrawn:
		with(e, func(m registry.Measure) { role = m.Role })
	}
	return role
}

// DoingText is what an event does, with the role that it is about: two proposals about one
// organisation can be told apart.
func DoingText(e registry.Event) paspoort.Text {
	t := KindText(e.Kind)
	if role := RoleIn(e); role != "" {
		r := RoleText(role)
		t.NL, t.EN = t.NL+" ("+r.NL+")", t.EN+" ("+r.EN+")"
	}
	return t
}

// CriteriaIn is the version of the criteria that an application was written for, or "".
func CriteriaIn(e registry.Event) (version string) {
	if e.Kind == registry.KindApplied {
		with(e, func(a registry.Application) { version = a.Criteria })
	}
	return version
}
