package registrytest

import (
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// Story is a region under the newest rules in which everything has happened that has effect
// under rules version 1, but for a change of the rules: each kind of event at least once. random
// is for the payloads of a one-person firm, which are returned.
func Story(t testing.TB, random io.Reader) (*Region, []registry.OpenPayload) {
	t.Helper()
	return StoryUnder(t, random, registry.RulesVersion)
}

// StoryUnder is the same under a version of the rules.
func StoryUnder(t testing.TB, random io.Reader, rules int) (*Region, []registry.OpenPayload) {
	t.Helper()
	r := NewUnder(t, Start, rules)
	s := story{Region: r, day: 24 * time.Hour}
	s.organisations()
	s.listings()
	s.hobbels()
	s.measures()
	s.keys()
	s.infrastructure()
	payloads := s.onePerson(random)
	s.clock()
	return r, payloads
}

type story struct {
	*Region
	day          time.Duration
	vaart, linde string
}

func (s *story) organisations() {
	s.vaart = s.Admit("vaart", registry.Issuer)
	s.Advance(s.day)
	a := s.Application("linde", registry.Verifier)
	s.linde = a.Organisation
	refused := s.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	for _, m := range []string{Werkgevers, Opleiders} {
		s.Do(registry.KindRefused, &registry.Decision{Proposal: refused.Event.ID(), Voter: m, Reason: "doel niet beschreven"}, m)
	}
	a.Purposes = []string{"toelating", "werving"}
	s.AdmitApplication(a)
	chain, _ := s.Certificate(s.vaart, registry.UsageCredential)
	s.Certificate(s.vaart, registry.UsageStatus)
	s.Certificate(s.linde, registry.UsageAccess)
	s.Advance(s.day)
	s.Do(registry.KindCertRevoked, &registry.CertificateRevocation{
		Certificate: registry.Fingerprint(chain[0].Raw), Compromised: true, EffectiveFrom: s.Now.Unix() - 3600, Reason: "sleutel zoekgeraakt",
	}, registry.OrganisationParty(s.vaart))
	s.Certificate(s.vaart, registry.UsageCredential)
	s.Do(registry.KindDetails, &registry.Details{Name: "Opleidingshuis De Vaart", Organisation: s.vaart, Registration: "KvK 90000001"},
		registry.OrganisationParty(s.vaart), Opleiders)
	moved := s.Do(registry.KindAliases, &registry.AliasChange{
		Add:          []registry.Alias{{Type: registry.AliasURL, Value: "https://opleidingshuis.example/vaart"}},
		End:          []registry.Alias{{Type: registry.AliasURL, Value: "https://vaart.example"}},
		Organisation: s.vaart,
	}, registry.OrganisationParty(s.vaart))
	s.Approve(moved.Event.ID(), Gemeente)
}

func (s *story) hobbels() {
	s.Do(registry.KindCatalogue, &registry.Catalogue{Version: "voorlopig-0", Hobbels: []registry.Hobbel{{
		ID: "H03", Levels: []string{"bedrijf"}, Title: registry.Text{NL: "Werven op diploma en cv", EN: "Hiring on diploma and résumé"},
		Doorbraak: registry.Text{NL: "Aannemen op het Persoonlijk Profiel Paspoort"},
	}}}, Werkgevers, Vakbond)
	claim := s.Do(registry.KindHobbel, &registry.HobbelClaim{
		Catalogue: "voorlopig-0", Hobbel: "H03", On: s.Now.Unix(), Status: registry.Experiment,
		Evidence: []registry.Evidence{{URL: "https://linde.example/proeftuin"}}, Summary: registry.Text{NL: "Proeftuin met tien deelnemers"},
	}, registry.OrganisationParty(s.linde))
	vaart := registry.OrganisationParty(s.vaart)
	s.Do(registry.KindConfirmed, &registry.Decision{Proposal: claim.Event.ID(), Voter: vaart}, vaart)
	s.Approve(claim.Event.ID(), Werkgevers, Vakbond)
}

func (s *story) measures() {
	s.Advance(30 * s.day)
	m := registry.Measure{Organisation: s.vaart, Role: registry.Issuer, Reason: "onderzoek naar toetsen"}
	s.Do(registry.KindSuspended, &m, Opleiders)
	s.Advance(10 * s.day)
	s.Do(registry.KindReinstated, &m, Opleiders, Vakbond)
	s.Advance(30 * s.day)
	m.Reason = "gestopt met opleiden"
	s.Do(registry.KindWithdrawn, &m, Werkgevers, Vakbond)
	m.Fraud, m.EffectiveFrom, m.Reason = true, s.Now.Add(-20*s.day).Unix(), "toetsen vervalst"
	s.Do(registry.KindWithdrawn, &m, Werkgevers, Vakbond)
}

func (s *story) keys() {
	s.rotate(Vakbond, "second key of vakbond")
	s.Do(registry.KindKeyStolen, &registry.MemberKey{CompromisedSince: s.Now.Unix() - 60, Member: id(Vakbond), Reason: "laptop gestolen"}, Vakbond)
	s.Keys[Vakbond] = NamedKey("third key of vakbond")
	s.Do(registry.KindKeyLost, &registry.MemberKey{Key: PublicKey(s.Keys[Vakbond]), Member: id(Vakbond), Reason: "nieuwe sleutel"},
		Vakbond, Werkgevers, Gemeente)
	self, next := registry.OrganisationParty(s.linde), NamedKey("second key of linde")
	k := &registry.OrganisationKey{Key: PublicKey(next), Organisation: s.linde, Reason: "jaarlijks"}
	s.sign(registry.KindOrgKeys, k, s.Party(self), registry.Party{Name: self, Key: next})
	s.Keys[self] = next
}

func (s *story) rotate(party, name string) {
	next := NamedKey(name)
	k := &registry.MemberKey{Key: PublicKey(next), Member: id(party), Reason: "jaarlijks"}
	s.sign(registry.KindKeyRotated, k, s.Party(party), registry.Party{Name: party, Key: next})
	s.Keys[party] = next
}

func (s *story) sign(kind registry.Kind, b registry.Body, parties ...registry.Party) {
	e, err := registry.Compose(s.Draft(b), kind, b, parties...)
	if err != nil {
		s.T.Fatal(err)
	}
	s.Must(e)
}

func id(party string) string { return strings.TrimPrefix(party, "member/") }

func (s *story) infrastructure() {
	n, keys := Node("knoop-4", "opleidersberaad")
	s.Nodes["knoop-4"] = keys
	s.Do(registry.KindNodeAdded, &registry.NodeChange{Node: &n, Reason: "vierde knoop"}, Werkgevers, Opleiders)
	s.Do(registry.KindNodeKeys, &registry.NodeChange{ID: "knoop-2", Reason: "nieuwe sleutel",
		Keys: &registry.NodeKeys{Timestamp: PublicKey(NamedKey("second timestamp key of knoop-2"))}}, Werkgevers, Opleiders)
	all := []string{"knoop-1", "knoop-2", "knoop-3", "knoop-4"}
	s.Handover(all...)
	s.Do(registry.KindNodeRemoved, &registry.NodeChange{ID: "knoop-1", Reason: "oude machine"}, Werkgevers, Opleiders)
	anchor := registry.NewAnchor([]byte("a second anchor"), "opleidersberaad")
	s.Do(registry.KindAnchorAdded, &registry.AnchorChange{Anchor: &anchor, Reason: "tweede anker"}, Werkgevers, Gemeente)
	s.Handover(all...)
	s.Do(registry.KindAnchorRemoved, &registry.AnchorChange{Fingerprint: anchor.Fingerprint, Reason: "niet nodig"}, Werkgevers, Gemeente)
	guest := "member/tweede-vakbond"
	s.Do(registry.KindAmended, &registry.Amendment{Criteria: "criteria-2", Reason: "nieuw lid", Add: []registry.Member{{
		Group: registry.Werknemers, ID: "tweede-vakbond", Key: PublicKey(s.Party(guest).Key), Name: "Tweede Vakbond",
	}}}, guest, Werkgevers, Gemeente)
}

func (s *story) onePerson(random io.Reader) []registry.OpenPayload {
	var open []registry.OpenPayload
	commitments := map[string]string{}
	for _, f := range [][2]string{{"name", "Trainingen J. Voorbeeld"}, {"url", "https://voorbeeld.example"}} {
		sealed, key, err := registry.Seal(random, f[0], f[1])
		if err != nil {
			s.T.Fatal(err)
		}
		commitments[f[0]] = sealed.Commitment
		open = append(open, registry.NewOpenPayload(sealed, key))
	}
	a := &registry.Application{
		Criteria: "criteria-2", OnePerson: true, Organisation: OrganisationID("eenmanszaak"), Role: registry.Issuer,
		Types: []string{"urn:paspoort:opleiding:1"},
	}
	d := s.Draft(a)
	d.Commitments = commitments
	e := s.ComposeWith(d, registry.KindApplied, a, Opleiders)
	s.Must(e)
	s.Approve(e.Event.ID(), Vakbond, Gemeente)
	s.Advance(s.day)
	s.Do(registry.KindErased, &registry.Erasure{Commitments: slices.Sorted(maps.Values(commitments)), Reason: "AVG artikel 17"}, Gemeente, Opleiders)
	return open
}

// clock: a member and a leader whose clocks ran ahead, and the correction.
func (s *story) clock() {
	a := s.Application("ossekamp", registry.Issuer)
	a.Criteria = "criteria-2"
	d := s.Draft(a)
	d.Now = s.Now.AddDate(0, 6, 0)
	ahead := s.ComposeWith(d, registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	if _, err := s.Stamp(ahead, d.Now); err != nil {
		s.T.Fatal(err)
	}
	s.Do(registry.KindClock, &registry.Clock{Reason: "klok van knoop-2 liep een half jaar voor"}, Werkgevers, Gemeente)
	s.Approve(ahead.Event.ID(), Vakbond, Gemeente)
}
