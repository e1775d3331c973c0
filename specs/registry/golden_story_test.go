package registry_test

import (
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// goldens are the golden logs with how each came about.
var goldens = []struct {
	name string
	make func(t testing.TB) *registrytest.Region // nil: kept as it was made
}{
	{"rules-1", nil},
	{"rules-1-to-2", nil},
	{"rules-2", nil},
	{"rules-2-to-3", func(t testing.TB) *registrytest.Region {
		r, _ := registrytest.StoryUnder(t, testkit.Rand(7), 2)
		newerStory(t, r)
		r.Do(registry.KindRules, &registry.RulesChange{Version: 3, Reason: "alle knopen zijn bijgewerkt"}, werkgevers, gemeente)
		outsideStory(t, r)
		return r
	}},
	{"rules-3", func(t testing.TB) *registrytest.Region {
		r, _ := registrytest.StoryUnder(t, testkit.Rand(7), 3)
		newerStory(t, r)
		outsideStory(t, r)
		return r
	}},
}

// newerStory goes on where registrytest.Story ends, with everything that rules version 2 brought.
func newerStory(t testing.TB, r *registrytest.Region) {
	t.Helper()
	s := newer{r, registrytest.OrganisationID("linde"), registrytest.OrganisationID("ossekamp")}
	r.Advance(day)
	r.Do(registry.KindAmended, &registry.Amendment{
		Criteria: "criteria-3", Reason: "toetsplan hoort erbij",
		Text: &registry.CriteriaText{SHA256: registry.Fingerprint([]byte("criteria")), URL: "https://aakermonde.example/criteria-3", Summary: &registry.Text{NL: "Ook een toetsplan"}},
	}, werkgevers, gemeente)
	toetshuis := s.appeal()
	s.scope()
	s.renewal()
	s.listings(toetshuis)
	r.Do(registry.KindContinued, &registry.Continued{Reason: "de oude regio stond stil", Continuation: registry.Continuation{
		Genesis: registry.Fingerprint([]byte("another region")), Losses: &registry.Text{NL: "Eén stem", EN: "One vote"},
		Root: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", Size: 12,
	}}, werkgevers, gemeente)
	r.Advance(day)
	r.Do(registry.KindDigest, &registry.StateDigest{Digest: r.State.Digest(), Size: r.State.Size()}, vakbond)
}

type newer struct {
	*registrytest.Region
	linde, ossekamp string
}

// appeal: an assessor that was refused, and admitted by those who had not looked.
func (s newer) appeal() string {
	a := s.Application("toetshuis", registry.Issuer)
	a.Criteria = "criteria-3"
	a.Levels = []registry.LevelFact{{
		Auditor: "Stichting Toetswacht", Basis: "audit van de toetsing", Domain: "zorg", Independence: "leidt zelf niet op", Level: 3,
		On: s.Now.Unix(), Types: []string{opleiding}, Until: s.Now.AddDate(2, 0, 0).Unix(),
	}}
	self := registry.OrganisationParty(a.Organisation)
	id := s.Do(registry.KindApplied, a, self).Event.ID()
	for _, m := range []string{werkgevers, opleiders} {
		s.Do(registry.KindRefused, &registry.Decision{Proposal: id, Voter: m, Reason: "geen toetsplan"}, m)
	}
	s.Advance(10 * day)
	e := s.Do(registry.KindAppealed, &registry.Appeal{Organisation: a.Organisation, Proposal: id, Reason: "het toetsplan is er nu"}, self)
	s.Approve(e.Event.ID(), vakbond, gemeente)
	return a.Organisation
}

// scope: a hobbel moves in one sector.
func (s newer) scope() {
	placed := 4
	claim := s.Do(registry.KindHobbel, &registry.HobbelClaim{
		Catalogue: "voorlopig-0", Hobbel: "H03", On: s.Now.Unix(), Status: registry.Experiment,
		Scope: &registry.Scope{Kind: registry.ScopeSector, Name: "zorg en welzijn"}, Summary: registry.Text{NL: "Proeftuin in de thuiszorg"},
		Evidence: []registry.Evidence{{
			Title: "Aannemen op het paspoort", Place: "Aakermonde", From: s.Now.AddDate(0, -3, 0).Unix(), Until: s.Now.Unix(),
			Participants: 12, Placed: &placed, URL: "https://linde.example/proeftuin",
		}},
	}, registry.OrganisationParty(s.linde))
	other := registry.OrganisationParty(s.ossekamp)
	s.Do(registry.KindConfirmed, &registry.Decision{Proposal: claim.Event.ID(), Voter: other}, other)
	s.Approve(claim.Event.ID(), werkgevers, vakbond)
}

func (s newer) renewal() {
	chain, _ := s.Certificate(s.ossekamp, registry.UsageCredential)
	s.Advance(time.Hour)
	cert, _ := s.UnrecordedCertificate(s.ossekamp, registry.UsageCredential)
	record := registry.NewCertificateRecord(cert, registry.Fingerprint(s.Anchor().Raw), s.ossekamp, registry.UsageCredential)
	record.Renews = registry.Fingerprint(chain[0].Raw)
	s.Do(registry.KindCertificate, record, gemeente, registry.OrganisationParty(s.ossekamp))
}

// listings: a function and a module, published, changed and closed; the module by who its owner
// went on in.
func (s newer) listings(successor string) {
	id := struct{ function, module string }{"fn_" + strings.Repeat("c", 25) + "a", "mod_" + strings.Repeat("c", 25) + "a"}
	linde, ossekamp := registry.OrganisationParty(s.linde), registry.OrganisationParty(s.ossekamp)
	f := &registry.FunctionPublication{Document: registrytest.Function(), ID: id.function, Organisation: s.linde}
	s.Do(registry.KindFunction, f, linde)
	f.Document.Positions = 7
	s.Do(registry.KindFunctionChanged, f, linde)
	s.Do(registry.KindFunctionClosed, &registry.Closing{ID: id.function, Organisation: s.linde, Reason: registry.Text{NL: "Alle plaatsen zijn bezet"}}, linde)
	m := &registry.ModulePublication{Document: registrytest.Module(), ID: id.module, Organisation: s.ossekamp}
	s.Do(registry.KindModule, m, ossekamp)
	p := s.Do(registry.KindSucceeded, &registry.Succession{
		Aliases: []registry.Alias{{Type: registry.AliasURL, Value: "https://ossekamp.example"}}, On: s.Now.Add(-day).Unix(),
		Organisation: s.ossekamp, Reason: "fusie", Roles: []registry.Role{registry.Issuer}, Successor: successor,
	}, registry.OrganisationParty(successor), ossekamp)
	s.Approve(p.Event.ID(), vakbond, gemeente)
	m.Organisation, m.Document.Seats = successor, 20
	s.Do(registry.KindModuleChanged, m, registry.OrganisationParty(successor))
	s.Do(registry.KindModuleClosed, &registry.Closing{ID: id.module, Organisation: successor, Reason: registry.Text{NL: "Gaat niet door"}}, registry.OrganisationParty(successor))
}
