package wallet_test

import (
	"errors"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/wallet"
)

// TestAccept takes a batch in both formats: ten copies, each timestamped by two
// nodes, the issuer told, everything in the list and the history.
func TestAccept(t *testing.T) {
	for _, configuration := range []string{configID, "Opleiding_vc_sd_jwt"} {
		t.Run(configuration, func(t *testing.T) {
			w := newWorld(t)
			holder := w.wallet()
			got := w.accept(holder, configuration)
			if got.Copies != 10 || got.TimestampNodes != 2 || !got.Issuer.Known {
				t.Errorf("accepted %+v", got)
			}
			n := w.vci.Notifications()
			if len(n) != 1 || n[0].Event != openid4vci.CredentialAccepted {
				t.Errorf("notified %+v", n)
			}
			items, err := holder.List()
			if err != nil || len(items) != 1 || items[0].Unused != 10 || items[0].Name != "Helpen bij dagelijkse zorg" {
				t.Errorf("list: %+v, %v", items, err)
			}
			d, err := holder.Show(t.Context(), got.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range d.Verdict.Credentials[0].Checks {
				if c.State == paspoort.Failed {
					t.Errorf("%s failed: %s", c.Name, c.Code)
				}
			}
			events, err := holder.History()
			if err != nil || len(events) != 1 || events[0].Kind != wallet.EventAccepted || events[0].Party.Name == "" {
				t.Errorf("history: %+v, %v", events, err)
			}
			// Nodes saw one commitment for each copy and node, none twice.
			seen := map[[32]byte]bool{}
			for _, c := range w.committed {
				seen[c] = true
			}
			if len(w.committed) != 20 || len(seen) != 20 {
				t.Errorf("nodes saw %d commitments, %d of them different", len(w.committed), len(seen))
			}
		})
	}
}

// TestAcceptWithFewNodes: a node that is down costs a timestamp, not the credential.
func TestAcceptWithFewNodes(t *testing.T) {
	w := newWorld(t)
	w.nodesDown["knoop-1"] = true
	if got := w.accept(w.wallet(), configID); got.TimestampNodes != 2 {
		t.Errorf("one of three nodes down: %d nodes", got.TimestampNodes)
	}
	w = newWorld(t)
	w.nodesDown["knoop-1"], w.nodesDown["knoop-3"] = true, true
	if got := w.accept(w.wallet(), configID); got.TimestampNodes != 1 {
		t.Errorf("two of three nodes down: %d nodes", got.TimestampNodes)
	}
}

// TestTransactionCode: a wrong code is told as such and nothing is stored.
func TestTransactionCode(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	offer, err := holder.Offer(t.Context(), w.vci.Link(configID, "493536"), wallet.Trust{})
	if err != nil {
		t.Fatal(err)
	}
	if offer.TxCode == nil {
		t.Fatal("the offer does not say that a code is needed")
	}
	if _, err := holder.Accept(t.Context(), offer, wallet.Choices{TxCode: "000000"}); !errors.Is(err, openid4vci.InvalidGrant) {
		t.Errorf("wrong code: got %v", err)
	}
	if _, err := holder.Accept(t.Context(), offer, wallet.Choices{}); !errors.Is(err, openid4vci.ErrTxCodeNeeded) {
		t.Errorf("no code: got %v", err)
	}
	nothingStored(t, holder)
}

func nothingStored(t *testing.T, holder *wallet.Wallet) {
	t.Helper()
	items, err := holder.List()
	if err != nil || len(items) != 0 {
		t.Errorf("stored: %+v, %v", items, err)
	}
}

// TestAcceptRefuses: what an issuer sends and must not come in. Each time nothing is
// stored and the issuer hears that it failed.
func TestAcceptRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, why string
		make      func(w *world, r *openid4vci.Issuance, i int) string
	}{
		{"bound to another key", "another key", func(w *world, r *openid4vci.Issuance, i int) string {
			other, _ := jose.Generate(jose.ES256)
			return w.issuer.Issue(paspoort.Opleiding, other.Public()).String()
		}},
		{"one copy bound to another slot", "another key", func(w *world, r *openid4vci.Issuance, i int) string {
			return w.issuer.Issue(paspoort.Opleiding, r.Keys[min(i, 8)].Public).String()
		}},
		{"bound to no key", "confirmation", func(w *world, r *openid4vci.Issuance, i int) string {
			return w.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, r.Keys[i].Public, func(c map[string]any, _ *jose.Header) { delete(c, "cnf") }).String()
		}},
		{"another type", "another type", func(w *world, r *openid4vci.Issuance, i int) string {
			return w.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, r.Keys[i].Public, func(c map[string]any, _ *jose.Header) { c["vct"] = "urn:paspoort:assessment:1" }).String()
		}},
		{"another typ", "typ is not", func(w *world, r *openid4vci.Issuance, i int) string {
			return w.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, r.Keys[i].Public, func(_ map[string]any, h *jose.Header) { h.Type = "JWT" }).String()
		}},
		{"in the name of another", "does not belong", func(w *world, r *openid4vci.Issuance, i int) string {
			return w.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, r.Keys[i].Public, func(c map[string]any, _ *jose.Header) { c["iss"] = "https://ander.example.com" }).String()
		}},
		{"expired", "expired", func(w *world, r *openid4vci.Issuance, i int) string {
			return w.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, r.Keys[i].Public, func(c map[string]any, _ *jose.Header) { c["exp"] = w.clock.Now().Unix() - 10 }).String()
		}},
		{"a skill in clear", "must be selectively", func(w *world, r *openid4vci.Issuance, i int) string {
			return w.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, r.Keys[i].Public, func(c map[string]any, _ *jose.Header) {
				skills := c["skills"].([]any)
				skills[0] = skills[0].(sdjwt.SD).Value
			}).String()
		}},
		{"changed afterwards", "signature", func(w *world, r *openid4vci.Issuance, i int) string {
			jwt, rest, _ := strings.Cut(w.issuer.Issue(paspoort.Opleiding, r.Keys[i].Public).String(), "~")
			parts := strings.Split(jwt, ".")
			other := strings.Split(w.issuer.Issue(paspoort.Opleiding, r.Keys[i].Public).IssuerJWT(), ".")
			return parts[0] + "." + other[1] + "." + parts[2] + "~" + rest
		}},
		{"with a key binding already", "key binding", func(w *world, r *openid4vci.Issuance, i int) string {
			tok := w.issuer.Issue(paspoort.Opleiding, r.Keys[i].Public)
			bound, err := tok.Bind(w.issuer.Key, sdjwt.KeyBinding{Audience: "a", Nonce: "n", IssuedAt: w.clock.Now()})
			if err != nil {
				return err.Error()
			}
			return bound.String()
		}},
		{"nonsense", "malformed", func(*world, *openid4vci.Issuance, int) string { return "nonsense" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.credential = func(r *openid4vci.Issuance, i int) (string, error) { return tt.make(w, r, i), nil }
			holder := w.wallet()
			offer, err := holder.Offer(t.Context(), w.vci.Link(configID, ""), wallet.Trust{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = holder.Accept(t.Context(), offer, wallet.Choices{})
			if !errors.Is(err, wallet.ErrRefused) || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("got %v, want %v because of %q", err, wallet.ErrRefused, tt.why)
			}
			nothingStored(t, holder)
			n := w.vci.Notifications()
			if len(n) != 1 || n[0].Event != openid4vci.CredentialFailure {
				t.Errorf("notified %+v", n)
			}
		})
	}
}

// TestUnknownIssuer: an issuer that no region admits is refused with who it claims
// to be, and met only when the holder says so.
func TestUnknownIssuer(t *testing.T) {
	w := newWorld(t)
	w.region.Withdraw(w.issuer.ID, false, w.clock.Now())
	w.clock.Advance(48 * 3600e9)
	w.refresh()
	holder := w.wallet()
	_, err := holder.Offer(t.Context(), w.vci.Link(configID, ""), wallet.Trust{})
	var unknown *wallet.UnknownError
	if !errors.As(err, &unknown) || !errors.Is(err, wallet.ErrUnknownParty) {
		t.Fatalf("a withdrawn issuer: got %v", err)
	}
	if unknown.Party.CallsItself != "Opleidingshuis De Vaart" || unknown.Party.Admitted {
		t.Errorf("who it is: %+v", unknown.Party)
	}

	c := w.config()
	c.Regions = nil // a holder without any region
	stranger, err := wallet.Unlock(c, []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Offer(t.Context(), w.vci.Link(configID, ""), wallet.Trust{}); !errors.Is(err, wallet.ErrUnknownParty) {
		t.Errorf("without a region: got %v", err)
	}
	offer, err := stranger.Offer(t.Context(), w.vci.Link(configID, ""), wallet.Trust{AcceptUnknown: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := stranger.Accept(t.Context(), offer, wallet.Choices{})
	if err != nil {
		t.Fatal(err)
	}
	if p := got[0].Issuer; p.Known || p.Certificate == nil || p.Anchored {
		t.Errorf("the issuer as kept: %+v", p)
	}
}

// TestOwnAnchor: an authority that the holder names opens the door for who it
// certifies, and for nobody else.
func TestOwnAnchor(t *testing.T) {
	w := newWorld(t)
	c := w.config()
	c.Regions = nil
	holder, err := wallet.Init(c, []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	right := anchorOf(t, w.region)
	wrong := anchorOf(t, newWorld(t).region)
	for _, tt := range []struct {
		name  string
		trust wallet.Trust
		ok    bool
	}{{"another authority", wallet.Trust{Anchors: wrong}, false}, {"its authority", wallet.Trust{Anchors: right}, true}} {
		offer, err := holder.Offer(t.Context(), w.vci.Link(configID, ""), tt.trust)
		if err != nil {
			t.Fatal(err)
		}
		got, err := holder.Accept(t.Context(), offer, wallet.Choices{})
		if tt.ok != (err == nil) || !tt.ok && !errors.Is(err, wallet.ErrUnknownParty) {
			t.Errorf("%s: got %v", tt.name, err)
		}
		if tt.ok && !got[0].Issuer.ByOwnAnchor {
			t.Errorf("%s: %+v", tt.name, got[0].Issuer)
		}
	}
}
