package vcdm

import (
	"fmt"
	"maps"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

// A Form is a way in which a JWT holds a credential.
type Form string

const (
	FormVCJWT       Form = "vc+jwt"      // VC-JOSE-COSE: the payload is the credential
	FormOpenBadges  Form = "ob-vc-jwt"   // Open Badges 3.0: the same with typ JWT and mirror claims
	FormOpenBadges1 Form = "ob-vc-jwt-1" // the credential of VCDM 1.1 in the claim vc
)

// An Import is a credential that came as JWT. We read it and never write it.
type Import struct {
	Form   Form
	Signed *jose.Signed // verify with the issuer's key; RS256 must be named as allowed
	Credential
}

// ReadJWT reads vc+jwt and the older JWT forms of Open Badges 3.0. It does not
// verify the signature: take the key by Issuer and Signed.Header.KeyID. The error
// is one of jose, or Problems.
func ReadJWT(compact string, o Options) (*Import, error) {
	signed, err := jose.Parse(compact)
	if err != nil {
		return nil, err
	}
	var payload map[string]any
	if err := ijson.Unmarshal(signed.Payload, &payload); err != nil {
		return nil, fmt.Errorf("%w: payload: %w", sdjwt.ErrMalformed, err)
	}
	i := &Import{Signed: signed}
	var problems Problems
	doc := payload
	old, hasVC := payload["vc"].(map[string]any)
	switch typ := signed.Header.Type; {
	case mediaType(typ, TypeJWT):
		i.Form = FormVCJWT
		if ct := signed.Header.ContentType; ct != "" && !mediaType(ct, ContentType) {
			problems = append(problems, Problem{CodeMediaType, "cty"})
		}
		problems = append(problems, claimProblems(doc)...)
	case typ != "" && !mediaType(typ, "JWT"):
		return nil, Problems{{CodeMediaType, "typ"}}
	case hasVC:
		i.Form = FormOpenBadges1
		doc = upgrade(old, payload)
		problems = mirrorProblems(doc, payload)
	default:
		i.Form = FormOpenBadges
		problems = mirrorProblems(doc, payload)
	}
	c, err := finish(doc, o, false, problems)
	if err != nil {
		return nil, err
	}
	i.Credential = *c
	return i, nil
}

// upgrade gives a credential of VCDM 1.1 the names of 2.0, so that one structure
// is checked. The signature stays over the original.
func upgrade(old, payload map[string]any) map[string]any {
	doc := maps.Clone(old)
	if contexts, ok := doc["@context"].([]any); ok && len(contexts) > 0 && contexts[0] == ContextV1 {
		renamed := []any{ContextV2}
		for _, c := range contexts[1:] {
			if c == "https://imsglobal.github.io/openbadges-specification/context.json" {
				c = ContextOpenBadges // where the context stood before its first release
			}
			renamed = append(renamed, c)
		}
		doc["@context"] = renamed
	}
	for from, to := range map[string]string{"issuanceDate": "validFrom", "expirationDate": "validUntil"} {
		if v, ok := doc[from]; ok {
			delete(doc, from)
			doc[to] = v
		}
	}
	for _, name := range []string{"nbf", "exp"} {
		if v, ok := payload[name]; ok {
			doc[name] = v
		}
	}
	return doc
}

// mirrorProblems: Open Badges 3.0 section 8.2: "iss, sub, nbf, jti are present and
// equal to the credential fields, and exp if present".
func mirrorProblems(doc, payload map[string]any) Problems {
	var problems Problems
	note := func(claim string, ok bool) {
		if !ok {
			problems = append(problems, Problem{CodeClaim, claim})
		}
	}
	note("iss", sameText(payload["iss"], issuerID(doc)))
	note("jti", sameText(payload["jti"], doc["id"]))
	if subjects := listOf(doc["credentialSubject"]); len(subjects) == 1 {
		m, _ := subjects[0].(map[string]any)
		// A subject known by an identifier only has no id to mirror.
		note("sub", m["id"] == nil && payload["sub"] == nil || sameText(payload["sub"], m["id"]))
	}
	note("nbf", sameInstant(payload["nbf"], doc["validFrom"]))
	if payload["exp"] != nil || doc["validUntil"] != nil {
		note("exp", sameInstant(payload["exp"], doc["validUntil"]))
	}
	return problems
}

// sameInstant compares a NumericDate with a dateTimeStamp, to the second.
func sameInstant(numeric, stamp any) bool {
	a, ok := sdjwt.NumericDate(numeric)
	b, ok2 := DateTimeStamp(stamp)
	return ok && ok2 && a.Truncate(time.Second).Equal(b.Truncate(time.Second))
}
