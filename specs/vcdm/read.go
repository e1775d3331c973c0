package vcdm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/sdjwt"
)

// Media types as typ (VC-JOSE-COSE 3.1.1, 3.2.1) and the cty that goes with them.
const (
	TypeSDJWT   = "vc+sd-jwt"
	TypeJWT     = "vc+jwt"
	ContentType = "vc"
)

// Options say how a credential is judged.
type Options struct {
	// Now is the time of verification; the zero time leaves validity unjudged.
	Now time.Time
	// Vocabulary is nil for Standard.
	Vocabulary *Vocabulary
	// UnknownTerms takes contexts that are not pinned and types without an IRI: a
	// wallet may keep what it does not understand, a verifier does not rely on it.
	UnknownTerms bool
}

// A Credential is a VCDM credential whose structure is right.
type Credential struct {
	Document map[string]any // the processed payload: credential and JWT claims in one
	ID       string         // id, empty when absent
	Types    []string       // type as written
	IRIs     []string       // the IRIs of the types that have one
	Issuer   string         // issuer or issuer.id
	// ValidFrom and ValidUntil are zero when absent.
	ValidFrom, ValidUntil time.Time
}

// HasType says whether the credential has a type with this IRI, as DCQL's
// type_values name it.
func (c *Credential) HasType(iri string) bool { return slices.Contains(c.IRIs, iri) }

// undisclosable are the members that a verifier needs: VC-JOSE-COSE 3.2.1 names
// the first five ("SHOULD NOT" be selectively disclosable); the others say whose
// it is, until when, and how to check it.
var undisclosable = []string{"@context", "type", "credentialStatus", "credentialSchema", "relatedResource",
	"issuer", "iss", "validFrom", "validUntil", "nbf", "exp", "cnf", "status", "termsOfUse"}

// Read processes a credential secured as SD-JWT and checks header, claims and
// structure. Call it after VerifyIssuer. The error is one of sdjwt, or Problems.
func Read(t *sdjwt.SDJWT, o Options) (*Credential, error) {
	tree, err := t.Tree()
	if err != nil {
		return nil, err
	}
	doc := tree.Value.(map[string]any)
	var problems Problems
	h := t.Header()
	if !mediaType(h.Type, TypeSDJWT) {
		problems = append(problems, Problem{CodeMediaType, "typ"})
	}
	if h.ContentType != "" && !mediaType(h.ContentType, ContentType) {
		problems = append(problems, Problem{CodeMediaType, "cty"})
	}
	for _, name := range undisclosable {
		if n := tree.Members[name]; n != nil && (n.Selective || hasHidden(n)) {
			problems = append(problems, Problem{CodeSelective, name})
		}
	}
	problems = append(problems, claimProblems(doc)...)
	return finish(doc, o, hasHidden(tree), problems)
}

// mediaType compares a typ or cty, which may have the prefix application/ (RFC
// 7515 4.1.9).
func mediaType(got, want string) bool {
	return strings.EqualFold(strings.TrimPrefix(got, "application/"), want)
}

// hasHidden says whether something at or below n is not disclosed.
func hasHidden(n *sdjwt.Node) bool {
	if n.Hidden || n.HiddenMembers > 0 {
		return true
	}
	for _, m := range n.Members {
		if hasHidden(m) {
			return true
		}
	}
	return slices.ContainsFunc(n.Elements, hasHidden)
}

// claimProblems: vc and vp "MUST NOT be present" (VC-JOSE-COSE 3.1.3), iss "MUST
// match" the issuer (4.1.2), and jti and sub must not contradict either.
func claimProblems(doc map[string]any) Problems {
	var problems Problems
	for _, name := range []string{"vc", "vp"} {
		if _, ok := doc[name]; ok {
			problems = append(problems, Problem{CodeClaim, name})
		}
	}
	same := func(claim string, property any) {
		v, ok := doc[claim]
		if ok && property != nil && !sameText(v, property) {
			problems = append(problems, Problem{CodeClaim, claim})
		}
	}
	same("iss", issuerID(doc))
	same("jti", doc["id"])
	if subjects := listOf(doc["credentialSubject"]); len(subjects) == 1 {
		if m, ok := subjects[0].(map[string]any); ok {
			same("sub", m["id"])
		}
	}
	return problems
}

// sameText says whether both are the same text; JSON objects do not compare.
func sameText(a, b any) bool {
	s, ok := a.(string)
	u, ok2 := b.(string)
	return ok && ok2 && s == u
}

func issuerID(doc map[string]any) any {
	if m, ok := doc["issuer"].(map[string]any); ok {
		return m["id"]
	}
	return doc["issuer"]
}

// finish validates the document and fills in a Credential.
func finish(doc map[string]any, o Options, partial bool, problems Problems) (*Credential, error) {
	v := o.Vocabulary
	if v == nil {
		v = Standard()
	}
	if found, ok := validate(doc, o.Now, v, partial).(Problems); ok {
		problems = append(problems, found...)
	}
	if o.UnknownTerms {
		problems = slices.DeleteFunc(problems, func(p Problem) bool {
			return p.Code == CodeContextUnknown || p.Code == CodeTypeUnknown
		})
	}
	if !o.Now.IsZero() {
		if err := sdjwt.CheckTimes(doc, o.Now, 0); err != nil {
			return nil, fmt.Errorf("signature: %w", err)
		}
	}
	if err := problems.err(); err != nil {
		return nil, err
	}
	c := &Credential{Document: doc}
	c.ID, _ = doc["id"].(string)
	c.Issuer, _ = issuerID(doc).(string)
	c.Types = (&checker{}).types(doc["type"], "type")
	contexts, _ := doc["@context"].([]any)
	c.IRIs, _ = v.Expand(contexts, c.Types)
	c.ValidFrom, _ = DateTimeStamp(doc["validFrom"])
	c.ValidUntil, _ = DateTimeStamp(doc["validUntil"])
	return c, nil
}
