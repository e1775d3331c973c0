package audittest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

const (
	werkgevers = registrytest.Werkgevers
	vakbond    = registrytest.Vakbond
	opleiders  = registrytest.Opleiders
	gemeente   = registrytest.Gemeente
	day        = 24 * time.Hour
)

// Everything is a region in which each kind of event happened.
func Everything(t testing.TB) *registrytest.Region {
	t.Helper()
	r, _ := registrytest.StoryUnder(t, seeded{rand.New(rand.NewPCG(7, 7))}, 2)
	r.Do(registry.KindRules, &registry.RulesChange{Version: 3, Reason: "alle knopen zijn bijgewerkt"}, werkgevers, gemeente)
	s := story{r, registrytest.OrganisationID("linde"), registrytest.OrganisationID("ossekamp")}
	s.Advance(day)
	toetshuis := s.appeal()
	s.listings(toetshuis)
	s.outside()
	s.Do(registry.KindContinued, &registry.Continued{Reason: "de oude regio stond stil", Continuation: registry.Continuation{
		Genesis: registry.Fingerprint([]byte("another region")), Root: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", Size: 12,
	}}, werkgevers, gemeente)
	s.Advance(day)
	s.Do(registry.KindDigest, &registry.StateDigest{Digest: r.State.Digest(), Size: r.State.Size()}, vakbond)
	a := s.Application("zorggroep", registry.WalletHost)
	a.Criteria = "criteria-2"
	s.AdmitApplication(a)
	return r
}

type story struct {
	*registrytest.Region
	linde, ossekamp string
}

// appeal: refused, and admitted by those who had not looked.
func (s story) appeal() string {
	a := s.Application("toetshuis", registry.Issuer)
	a.Criteria = "criteria-2"
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

// listings: what an employer and an opleider offer; the module by who its owner went on in.
func (s story) listings(successor string) {
	function, module := "fn_"+strings.Repeat("c", 25)+"a", "mod_"+strings.Repeat("c", 25)+"a"
	linde, ossekamp, next := registry.OrganisationParty(s.linde), registry.OrganisationParty(s.ossekamp), registry.OrganisationParty(successor)
	f := &registry.FunctionPublication{Document: registrytest.Function(), ID: function, Organisation: s.linde}
	s.Do(registry.KindFunction, f, linde)
	f.Document.Positions = 7
	s.Do(registry.KindFunctionChanged, f, linde)
	s.Do(registry.KindFunctionClosed, &registry.Closing{ID: function, Organisation: s.linde, Reason: registry.Text{NL: "Alle plaatsen zijn bezet"}}, linde)
	m := &registry.ModulePublication{Document: registrytest.Module(), ID: module, Organisation: s.ossekamp}
	s.Do(registry.KindModule, m, ossekamp)
	p := s.Do(registry.KindSucceeded, &registry.Succession{
		Aliases: []registry.Alias{{Type: registry.AliasURL, Value: "https://ossekamp.example"}}, On: s.Now.Add(-day).Unix(),
		Organisation: s.ossekamp, Reason: "fusie", Roles: []registry.Role{registry.Issuer}, Successor: successor,
	}, next, ossekamp)
	s.Approve(p.Event.ID(), vakbond, gemeente)
	m.Organisation, m.Document.Seats = successor, 20
	s.Do(registry.KindModuleChanged, m, next)
	s.Do(registry.KindModuleClosed, &registry.Closing{ID: module, Organisation: successor, Reason: registry.Text{NL: "Gaat niet door"}}, next)
}

// outside: another region, a witness, a custodian.
func (s story) outside() {
	peer := &registry.PeerAcceptance{
		Genesis: registry.Fingerprint([]byte("regio lindewaard")), Name: "Regio Lindewaard", Origin: "lindewaard.example/register",
		Reason: "buurregio", Until: s.Now.AddDate(1, 0, 0).Unix(), URLs: []string{"https://knoop.lindewaard.example"},
	}
	s.Do(registry.KindPeerAccepted, peer, werkgevers, gemeente)
	seed := sha256.Sum256([]byte("witness"))
	key := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	w := registry.Witness{ID: "lindewaard-1", Genesis: peer.Genesis, Key: base64.RawURLEncoding.EncodeToString(key),
		Name: registry.CosignerName(peer.Origin, "knoop-1"), URL: "https://knoop.lindewaard.example/witness"}
	s.Do(registry.KindWitness, &registry.WitnessChange{Reason: "getuigen voor elkaar", Witnesses: []registry.Witness{w}}, vakbond, gemeente)
	s.Do(registry.KindCustodian, &registry.Custodian{By: registrytest.OrganisationID("toetshuis"), Organisation: s.linde, Reason: "opgehouden"}, vakbond, gemeente)
	s.Advance(day)
	s.Do(registry.KindPeerDropped, &registry.PeerDrop{Genesis: peer.Genesis, Reason: "twee geschiedenissen", EffectiveFrom: s.Now.Unix()}, vakbond, gemeente)
}

// seeded implements io.Reader.
type seeded struct{ *rand.Rand }

// Read implements io.Reader.
func (s seeded) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s.Uint32())
	}
	return len(p), nil
}
