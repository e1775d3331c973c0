package paspoort_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

// From claims to a verdict about a bare file: genuine, and not known whose.
func Example() {
	issuerKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	slot, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

	// The issuer.
	raw, _ := paspoort.Sample(paspoort.Opleiding)
	var claims map[string]any
	_ = json.Unmarshal(raw, &claims)
	data, err := paspoort.NewDataset(paspoort.Opleiding, claims, rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	issuer := paspoort.Issuer{ID: "https://opleidingshuis-devaart.example", Name: "Opleidingshuis De Vaart", Country: "NL"}
	typ, payload, err := paspoort.Render(paspoort.FormatSDJWTVC, issuer, data, paspoort.Copy{
		Holder: slot.Public(), IssuedAt: now, Status: &paspoort.StatusRef{URI: issuer.ID + "/status/1", Index: 7},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: issuerKey, Header: jose.Header{Type: typ}, Claims: payload, Rand: rand.Reader})
	if err != nil {
		fmt.Println(err)
		return
	}

	// Whoever checks: signatures here, registry and status from elsewhere.
	facts := paspoort.Examine(token.String(), []paspoort.IssuerKey{{Public: issuerKey.Public(), Source: "x5c"}})
	facts.Status = &paspoort.StatusFacts{Trusted: paspoort.Finding{State: paspoort.OK}, URI: issuer.ID + "/status/1", Index: 7, IssuedAt: now}
	facts.Admission = &paspoort.Admission{Found: true, Organisation: "org_vaart", Name: "Opleidingshuis De Vaart",
		Key:    &paspoort.KeyRecord{NotBefore: now.AddDate(0, -1, 0)},
		Grants: []paspoort.Grant{{Types: []string{"Opleiding"}, From: now.AddDate(0, -1, 0), Until: now.AddDate(1, 0, 0)}}}

	verdict := paspoort.Decide(paspoort.Input{Now: now, Flow: paspoort.File, Credentials: []paspoort.Facts{facts},
		Registry: &paspoort.RegistryFacts{Region: "9f2c", Time: now, Trust: paspoort.OwnNodes}})
	fmt.Println(verdict.Outcome, verdict.Code)
	fmt.Println(verdict.Sentence.NL)
	fmt.Println(verdict.Skills[0].Label, "|", verdict.Credentials[0].ProofText.NL)
	// Output:
	// unknown holder_not_shown
	// Dit bewijs is echt. Of de afzender de eigenaar is, is niet getoond.
	// Actief luisteren | bevestigd door iemand
}

func ExampleSkillsRequest() {
	query, err := paspoort.SkillsRequest{
		URIs:  []string{"https://linkeddata.competentnl.nl/id/humancapability/DB59A57C01"},
		Types: []paspoort.Type{paspoort.Werkervaring},
	}.Query()
	if err != nil {
		fmt.Println(err)
		return
	}
	c := query.Credentials[0]
	out, _ := json.Marshal(c.Claims)
	fmt.Println(c.ID, c.Meta.VCTValues, string(out))
	// Output:
	// werkervaring [urn:paspoort:werkervaring:1] [{"path":["skills",null,"uri"],"values":["https://linkeddata.competentnl.nl/id/humancapability/DB59A57C01"]}]
}
