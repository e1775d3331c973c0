package registry_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// lindewaard is another region, as a test needs it: by its id, its log and its nodes.
func lindewaard(r *registrytest.Region) *registry.PeerAcceptance {
	return &registry.PeerAcceptance{
		Genesis: registry.Fingerprint([]byte("regio lindewaard")), Name: "Regio Lindewaard", Origin: "lindewaard.example/register",
		Reason: "buurregio met dezelfde criteria", Until: r.Now.AddDate(1, 0, 0).Unix(), URLs: []string{"https://knoop.lindewaard.example"},
	}
}

// outside is a node of another region that witnesses, with its key.
func outside(id, origin string) (registry.Witness, ed25519.PrivateKey) {
	seed := sha256.Sum256([]byte("witness " + id))
	key := ed25519.NewKeyFromSeed(seed[:])
	return registry.Witness{
		ID: id, Key: base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey)),
		Name: registry.CosignerName(origin, "knoop-1"), URL: "https://" + id + ".example/witness",
	}, key
}

// outsideStory goes on where newerStory ends, with everything that rules version 3 brought.
func outsideStory(t testing.TB, r *registrytest.Region) {
	t.Helper()
	r.Advance(day)
	r.Do(registry.KindAmended, &registry.Amendment{Entity: "https://aakermonde.example/regio", Reason: "vindbaar voor andere stelsels"}, werkgevers, gemeente)
	r.Do(registry.KindNodeKeys, &registry.NodeChange{ID: "knoop-2", Reason: "tekent verklaringen",
		Keys: &registry.NodeKeys{Federation: registrytest.PublicKey(registrytest.NamedKey("federation knoop-2"))}}, werkgevers, gemeente)

	peer := lindewaard(r)
	r.Do(registry.KindPeerAccepted, peer, werkgevers, gemeente)
	w, _ := outside("lindewaard-1", peer.Origin)
	w.Genesis = peer.Genesis
	r.Do(registry.KindWitness, &registry.WitnessChange{Reason: "buurregio's getuigen voor elkaar", Witnesses: []registry.Witness{w}}, vakbond, gemeente)
	r.Advance(day)
	peer.Types, peer.Until = []string{opleiding}, r.Now.AddDate(2, 0, 0).Unix()
	p := r.Do(registry.KindPeerAccepted, peer, werkgevers)
	r.Approve(p.Event.ID(), opleiders)

	drop := &registry.PeerDrop{Genesis: peer.Genesis, Reason: "twee geschiedenissen getoond", EffectiveFrom: r.Now.Add(-day).Unix()}
	r.Advance(day)
	r.Do(registry.KindPeerDropped, drop, vakbond, gemeente)
	again := lindewaard(r)
	again.Genesis, again.Origin, again.Continues = registry.Fingerprint([]byte("regio lindewaard, verder")), "lindewaard.example/register-2", peer.Genesis
	r.Do(registry.KindPeerAccepted, again, werkgevers, gemeente)
	r.Do(registry.KindWitness, &registry.WitnessChange{Reason: "geen getuige meer", Witnesses: []registry.Witness{}}, vakbond, gemeente)

	custody := &registry.Custodian{By: registrytest.OrganisationID("toetshuis"), Organisation: registrytest.OrganisationID("ossekamp"), Reason: "opgehouden"}
	r.Do(registry.KindCustodian, custody, vakbond, gemeente)
	r.Advance(day)
	r.Do(registry.KindCustodian, &registry.Custodian{Organisation: custody.Organisation, Reason: "niet meer nodig"}, opleiders, gemeente)
}
