package evidence_test

import (
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// What an accepted region could do to issuers that are not its own.

// Its nodes can date anything back: that must not save an issuer of the home region that was
// withdrawn for fraud.
func TestNeighbourDoesNotDateForOthers(t *testing.T) {
	b := newBorder(t)
	b.region.Accept(b.far, until(b))
	b.look()
	token := b.issuer.Issue(paspoort.Opleiding, b.holder.Public())
	far := b.farIssuer.Issue(paspoort.Opleiding, b.holder.Public())
	node := func(jwt string) []any {
		return []any{b.far.Timestamp("knoop-1", jwt), b.far.Timestamp("knoop-3", jwt)}
	}
	forHome, forOwn := node(token.IssuerJWT()), node(far.IssuerJWT())
	fraudFrom := b.clock.Now().Add(24 * time.Hour)
	b.clock.Advance(48 * time.Hour)
	b.region.Withdraw(b.issuer.ID, true, fraudFrom)
	b.far.Withdraw(b.farIssuer.ID, true, fraudFrom)
	b.clock.Advance(time.Hour)
	b.look()
	expect(t, b.verify(b.present(token, forHome...)), "outcome=failed", "withdrawal=failed/withdrawn_for_fraud")
	expect(t, b.verify(b.present(far, forOwn...)), "withdrawal=ok/existed_before_fraud") // of its own issuers they do tell
}

// It may have had the address of an issuer here before that was admitted: a date of before does
// not make it speak for that issuer.
func TestNeighbourDoesNotSpeakForIssuersOfHome(t *testing.T) {
	b := newBorder(t)
	b.region.Accept(b.far, until(b))
	taken := b.far.Issuer("nieuw.example", paspoort.Opleiding)
	before := taken.Issue(paspoort.Opleiding, b.holder.Public())
	b.look()
	expect(t, b.verify(b.present(before)), "issuer_admitted=ok/admitted") // nobody here has that address
	b.clock.Advance(10 * 24 * time.Hour)
	moved := b.region.Issuer("nieuw.example", paspoort.Opleiding)
	b.look()
	expect(t, b.verify(b.present(before)), "outcome=failed", "issuer_admitted=failed/issuer_not_in_region")
	// An issuer that came here from there, with its key, keeps what it signed there.
	b.region.Certify(moved.ID, moved.URL, taken.Key.Public(), "credential")
	b.look()
	expect(t, b.verify(b.present(before)), "issuer_admitted=ok/admitted")
}

// A region that was dropped vouches for nobody by way of the one that goes on for it.
func TestDroppedRegionHidesBehindItsSuccessor(t *testing.T) {
	for name, types := range map[string][]paspoort.Type{"dropped": nil, "other types": {paspoort.Werkervaring}} {
		t.Run(name, func(t *testing.T) {
			b := newBorder(t)
			b.region.Accept(b.far, until(b), types...)
			b.look()
			old := b.foreign(paspoort.Opleiding)
			b.clock.Advance(72 * time.Hour)
			root, size := b.far.Root()
			next := evidencetest.Named(t, b.clock.Now, "Regio Maasdal", "maasdal.example/2", func(c *registry.Charter) {
				c.Continues = &registry.Continuation{Genesis: b.far.Genesis, Root: root, Size: size}
				c.Nodes[0].URL = "https://opnieuw.example"
			})
			b.roads["https://opnieuw.example"] = next
			b.region.AcceptAs(next, until(b), func(p *registry.PeerAcceptance) { p.Continues = b.far.Genesis })
			next.Issuer("stroom.example", paspoort.Opleiding) // known there too, with another key
			if name == "dropped" {
				b.region.Drop(b.far, b.clock.Now().Add(-96*time.Hour))
			}
			b.look()
			expect(t, b.verify(old), "outcome=failed", "issuer_admitted=failed")
		})
	}
}
