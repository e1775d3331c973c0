package wallet_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/wallet"
)

// A foreign party knows nothing of regions. These tests meet an issuer and a verifier
// as DIIP v5 describes them: keys by did:web, a type of their own, one copy.

const (
	foreignHost = "diip.example.com"
	foreignVCT  = "https://" + foreignHost + "/types/lidmaatschap"
)

// serveForeign puts a did:web document and type metadata of a foreign party on the
// web, and gives it a key.
func serveForeign(t *testing.T, w *world, typeMetadata string) (key *jose.PrivateKey, id string) {
	t.Helper()
	key, err := jose.Generate(jose.ES256)
	must(t, err)
	id, err = did.WebFromURL("https://" + foreignHost)
	must(t, err)
	doc, err := did.NewDocument(id, "https://"+foreignHost, jose.Key{Public: key.Public(), KeyID: "k1"})
	must(t, err)
	raw, err := json.Marshal(doc)
	must(t, err)
	where, err := did.WebURL(id)
	must(t, err)
	w.web.Pages[where] = func() string { return string(raw) }
	if typeMetadata != "" {
		w.web.Pages[foreignVCT] = func() string { return typeMetadata }
	}
	return key, id
}

// serveForeignIssuer also makes the test's issuer speak in the foreign name, one copy
// at a time.
func serveForeignIssuer(t *testing.T, w *world, typeMetadata string) (key *jose.PrivateKey, id string) {
	t.Helper()
	key, id = serveForeign(t, w, typeMetadata)
	config := w.vci.Server.Metadata()
	config.CredentialIssuer = "https://" + foreignHost
	config.BatchIssuance = nil
	config.CredentialEndpoint, config.NonceEndpoint, config.NotificationEndpoint, config.DeferredCredentialEndpoint = "", "", "", ""
	c := config.Configurations[configID]
	c.VCT, c.BindingMethods = foreignVCT, []string{"did:jwk"}
	config.Configurations = map[string]openid4vci.CredentialConfiguration{configID: c}
	server, err := openid4vci.NewServer(openid4vci.ServerConfig{Metadata: config, Issuer: w.vci, Nonces: w.vci, Notified: w.vci, Now: w.clock.Now})
	must(t, err)
	w.hosts[foreignHost] = server
	w.vci.Server = server
	w.credential = func(r *openid4vci.Issuance, i int) (string, error) {
		return sdjwt.IssueCompact(sdjwt.IssueOptions{Signer: key, Header: jose.Header{Type: "dc+sd-jwt", KeyID: id + "#k1"}, Claims: map[string]any{
			"iss": "https://" + foreignHost, "vct": foreignVCT, "cnf": map[string]any{"kid": r.Keys[i].KeyID},
			"lid_sinds": sdjwt.SD{Value: "2019"}, "naam": sdjwt.SD{Value: "Samira"},
		}})
	}
	return key, id
}

// TestForeignIssuer: a credential of a DIIP issuer comes in knowingly, held to the
// type metadata that its vct points at.
func TestForeignIssuer(t *testing.T) {
	for name, tt := range map[string]struct {
		metadata string
		ok       bool
	}{
		"type metadata fits":      {`{"vct":"` + foreignVCT + `","claims":[{"path":["naam"],"sd":"always","mandatory":true}]}`, true},
		"no type metadata":        {"", true},
		"type metadata forbids":   {`{"vct":"` + foreignVCT + `","claims":[{"path":["naam"],"sd":"never"}]}`, false},
		"something is missing":    {`{"vct":"` + foreignVCT + `","claims":[{"path":["geboren"],"mandatory":true}]}`, false},
		"metadata of another vct": {`{"vct":"https://ander.example/"}`, true}, // not usable, so not used
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			serveForeignIssuer(t, w, tt.metadata)
			holder := w.wallet()
			offer, err := holder.Offer(t.Context(), w.vci.Link(configID, ""), wallet.Trust{AcceptUnknown: true})
			must(t, err)
			got, err := holder.Accept(t.Context(), offer, wallet.Choices{})
			if (err == nil) != tt.ok {
				t.Fatalf("got %v", err)
			}
			if !tt.ok {
				nothingStored(t, holder)
				return
			}
			if got[0].Copies != 1 || got[0].Issuer.Known {
				t.Errorf("got %+v", got)
			}
			d, err := holder.Show(t.Context(), got[0].ID)
			must(t, err)
			if len(d.Lines) != 2 || d.Lines[0].Name != "lid_sinds" || d.Lines[0].Always {
				t.Errorf("lines: %+v", d.Lines)
			}
		})
	}
}

// TestForeignVerifier: a DIIP verifier asks by did:web for a foreign credential and
// gets only what it asked.
func TestForeignVerifier(t *testing.T) {
	w := newWorld(t)
	key, id := serveForeignIssuer(t, w, "")
	holder := w.wallet()
	offer, err := holder.Offer(t.Context(), w.vci.Link(configID, ""), wallet.Trust{AcceptUnknown: true})
	must(t, err)
	_, err = holder.Accept(t.Context(), offer, wallet.Choices{})
	must(t, err)

	identity, err := openid4vp.NewDIDIdentity(id, id+"#k1", key)
	must(t, err)
	a := &asker{w: w, open: map[string]*openid4vp.Transaction{}}
	a.server, err = openid4vp.NewServer(openid4vp.ServerConfig{Backend: a, BaseURL: "https://" + foreignHost + "/vp", Identities: []openid4vp.Identity{identity}, Now: w.clock.Now})
	must(t, err)
	issuer := w.hosts[foreignHost]
	mux := http.NewServeMux()
	mux.Handle("/vp/", http.StripPrefix("/vp", a.server.Handler()))
	mux.Handle("/", issuer)
	w.hosts[foreignHost] = mux

	q, err := dcql.ParseQuery([]byte(`{"credentials":[{"id":"lid","format":"dc+sd-jwt","meta":{"vct_values":["` + foreignVCT + `"]},"claims":[{"path":["lid_sinds"]}]}]}`))
	must(t, err)
	transaction, err := a.server.Begin(openid4vp.Ask{Query: q, Profile: openid4vp.DIIP(), ResponseMode: openid4vp.DirectPost, Lifetime: 5 * time.Minute})
	must(t, err)
	a.open[transaction.ID] = transaction
	inv, err := a.server.Invocation(transaction)
	must(t, err)
	link, err := inv.Link("openid4vp://")
	must(t, err)

	r, err := holder.Request(t.Context(), link, wallet.Trust{AcceptUnknown: true})
	must(t, err)
	_, err = holder.Present(t.Context(), r, wallet.Decision{})
	must(t, err)
	shown := a.shown()[0]
	claims, err := shown.Claims()
	must(t, err)
	if claims["lid_sinds"] != "2019" || claims["naam"] != nil {
		t.Errorf("shown: %v", claims)
	}
	if _, err := shown.VerifyKeyBinding(keyOfCnf(t, claims), sdjwt.KeyBindingPolicy{Audience: "decentralized_identifier:" + id, Nonce: transaction.Request.Nonce, Now: w.clock.Now()}); err != nil {
		t.Errorf("key binding: %v", err)
	}
}
