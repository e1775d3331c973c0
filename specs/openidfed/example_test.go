package openidfed_test

import (
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
)

// A region states which school may issue; a verifier that pinned the region's keys
// follows the statements and takes the school's keys from them.
func Example() {
	now := time.Unix(1_800_000_000, 0)
	const region, school = "https://region.example", "https://school.example/issuer"
	regionKey, _ := jose.Generate(jose.ES256)
	schoolKey, _ := jose.Generate(jose.ES256)
	regionKeys, _ := openidfed.Keys(regionKey.Public())
	schoolKeys, _ := openidfed.Keys(schoolKey.Public())
	until := now.Add(24 * time.Hour)

	sign := func(key *jose.PrivateKey, s openidfed.Statement) string {
		s.IssuedAt, s.ExpiresAt = now, until
		token, err := s.Sign(key)
		if err != nil {
			fmt.Println(err)
		}
		return token
	}
	vc, _ := openidfed.Object(map[string]any{"jwks": schoolKeys})
	tokens := []string{
		sign(schoolKey, openidfed.Statement{
			Issuer: school, Subject: school, Keys: schoolKeys, AuthorityHints: []string{region},
			Metadata: openidfed.Metadata{
				openidfed.FederationEntity: {"display_name": "School Voorbeeld"},
				openidfed.VCIssuer:         vc,
			},
		}),
		sign(regionKey, openidfed.Statement{Issuer: region, Subject: school, Keys: schoolKeys}),
		sign(regionKey, openidfed.Statement{Issuer: region, Subject: region, Keys: regionKeys}),
	}

	statements, err := openidfed.ParseChain(tokens)
	if err != nil {
		fmt.Println(err)
		return
	}
	chain, err := openidfed.ValidateChain(statements, []openidfed.TrustAnchor{{EntityID: region, Keys: regionKeys}}, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	keys, err := chain.Metadata.Keys(openidfed.VCIssuer)
	fmt.Println(chain.Metadata.DisplayName(), len(keys.Keys), err)
	// Output: School Voorbeeld 1 <nil>
}
