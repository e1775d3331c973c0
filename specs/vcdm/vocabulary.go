package vcdm

import (
	"maps"
	"slices"
	"strings"
)

// Contexts that are known without being fetched.
const (
	ContextV2 = "https://www.w3.org/ns/credentials/v2"
	ContextV1 = "https://www.w3.org/2018/credentials/v1" // VCDM 1.1, for imports only
	// ContextOpenBadges is the context of Open Badges 3.0 that we write.
	ContextOpenBadges = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
)

// openBadgesContexts are the context files of Open Badges 3.0; "breaking context
// changes get a new file name".
var openBadgesContexts = []string{
	ContextOpenBadges,
	"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json",
	"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json",
	"https://purl.imsglobal.org/spec/ob/v3p0/context.json",
}

// contextExtensions holds terms for data, and no type.
const contextExtensions = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"

// Namespaces of the type terms.
const (
	namespaceVC = "https://www.w3.org/2018/credentials#"
	namespaceOB = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"
)

// A Vocabulary knows contexts: for each the terms that may stand in type, and the
// IRI each stands for. It is immutable.
type Vocabulary struct {
	terms map[string]map[string]string
	vocab map[string]string // @vocab, for terms that a context does not name
}

// Standard is the vocabulary of VCDM 2.0 and Open Badges 3.0.
func Standard() *Vocabulary {
	v := &Vocabulary{terms: map[string]map[string]string{}, vocab: map[string]string{}}
	v.terms[ContextV2] = named(namespaceVC, "VerifiableCredential", "VerifiablePresentation", "EnvelopedVerifiableCredential",
		"EnvelopedVerifiablePresentation", "JsonSchema", "JsonSchemaCredential")
	for _, c := range []string{"BitstringStatusListCredential", "BitstringStatusList", "BitstringStatusListEntry"} {
		v.terms[ContextV2][c] = "https://www.w3.org/ns/credentials/status#" + c
	}
	v.terms[ContextV1] = named(namespaceVC, "VerifiableCredential", "VerifiablePresentation")
	ob := named(namespaceOB, "Achievement", "AchievementCredential", "AchievementSubject", "Address", "Alignment", "Criteria",
		"EndorsementCredential", "EndorsementSubject", "Evidence", "GeoCoordinates", "IdentifierEntry", "IdentityObject", "Image",
		"OpenBadgeCredential", "Profile", "Related", "Result", "ResultDescription", "RubricCriterionLevel")
	v.terms[contextExtensions] = nil
	for _, c := range openBadgesContexts {
		v.terms[c] = ob
	}
	return v
}

func named(namespace string, terms ...string) map[string]string {
	m := make(map[string]string, len(terms))
	for _, t := range terms {
		m[t] = namespace + t
	}
	return m
}

// With is v with one more context. A term that ends up with two IRIs in one
// credential gets that of the last context, as in JSON-LD.
func (v *Vocabulary) With(context string, terms map[string]string) *Vocabulary {
	w := &Vocabulary{terms: maps.Clone(v.terms), vocab: maps.Clone(v.vocab)}
	w.terms[context] = maps.Clone(terms)
	return w
}

// Knows says whether a context URL is pinned.
func (v *Vocabulary) Knows(context string) bool {
	_, ok := v.terms[context]
	return ok
}

// Expand gives the IRI of each type term under a value of @context, and the terms
// that have none. An IRI stands for itself. An inline context counts when it only
// maps terms to IRIs and sets @vocab.
func (v *Vocabulary) Expand(contexts []any, types []string) (iris, unknown []string) {
	for _, term := range types {
		if iri := v.expand(contexts, term); iri != "" {
			iris = append(iris, iri)
		} else {
			unknown = append(unknown, term)
		}
	}
	return iris, unknown
}

func (v *Vocabulary) expand(contexts []any, term string) string {
	fallback := ""
	for _, c := range slices.Backward(contexts) {
		switch c := c.(type) {
		case string:
			if iri := v.terms[c][term]; iri != "" {
				return iri
			}
		case map[string]any:
			if iri, ok := c[term].(string); ok && !strings.HasPrefix(term, "@") {
				return iri
			}
			if vocab, ok := c["@vocab"].(string); ok && fallback == "" {
				fallback = vocab
			}
		}
	}
	if strings.Contains(term, ":") {
		return term
	}
	if fallback != "" {
		return fallback + term
	}
	return ""
}

// plainInline says whether an inline context is of the form that Expand reads:
// terms and @vocab with string values.
func plainInline(c map[string]any) bool {
	for name, v := range c {
		if _, ok := v.(string); !ok || strings.HasPrefix(name, "@") && name != "@vocab" {
			return false
		}
	}
	return len(c) > 0
}
