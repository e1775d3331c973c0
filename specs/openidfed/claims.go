package openidfed

import (
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// Limits of what is read. A statement of a region with many keys is some kilobytes.
const (
	MaxStatement = 256 << 10 // bytes of one JWT, but for resolve responses
	MaxChain     = 12        // statements in a trust chain
	maxDepth     = 32        // nesting of JSON
	maxEntries   = 1024      // entries of one array or object of claims
	maxTime      = 253402300799
)

// Leeway is how far an iat may lie in the future: clocks differ a little (3.2, step 7).
// An exp gets none.
const Leeway = time.Minute

// algorithms are those that statements of others may be signed with.
func algorithms() []jose.Algorithm {
	return []jose.Algorithm{jose.ES256, jose.ES384, jose.EdDSA, jose.RS256}
}

// parseTyped reads a JWT of one typ: "without a typ header parameter or with a different
// typ value MUST be rejected". The errors wrap kind.
func parseTyped(compact, typ string, limit int, kind error) (*jose.Signed, *claims, error) {
	signed, err := jose.ParseLimit(compact, limit)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", kind, err)
	}
	if signed.Header.Type != typ {
		return nil, nil, fmt.Errorf("%w: typ is not %s", kind, typ)
	}
	if signed.Header.KeyID == "" { // 3.2, step 11: "MUST be a non-zero length string"
		return nil, nil, fmt.Errorf("%w: kid is missing", kind)
	}
	c := &claims{kind: kind}
	if err := (ijson.Limits{Depth: maxDepth, Bytes: limit}).Unmarshal(signed.Payload, &c.members); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", kind, err)
	}
	if c.members == nil {
		return nil, nil, fmt.Errorf("%w: the payload is no object", kind)
	}
	return signed, c, nil
}

// verifyBy checks a signature with the key of the set that the header names.
func verifyBy(signed *jose.Signed, keys jose.KeySet) error {
	key, ok := keys.Find(signed.Header.KeyID)
	if !ok {
		return fmt.Errorf("%w: the key it names is not in the set", ErrSignature)
	}
	if err := signed.Verify(key.Public, algorithms()...); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// verified is v when err is nil: what was refused is not handed on.
func verified[T any](v *T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// checkTimes holds iat and exp against now; a zero exp is none.
func checkTimes(what string, issued, expires, now time.Time) error {
	if issued.After(now.Add(Leeway)) {
		return fmt.Errorf("%s: %w", what, ErrFuture)
	}
	if !expires.IsZero() && !now.Before(expires) {
		return fmt.Errorf("%s: %w on %s", what, ErrExpired, expires.UTC().Format(time.RFC3339))
	}
	return nil
}

// claims reads the members of a payload one by one and remembers the first thing wrong.
type claims struct {
	members map[string]any
	kind    error
	err     error
}

func (c *claims) fail(name, why string) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s %s", c.kind, name, why)
	}
}

func (c *claims) has(name string) bool {
	_, ok := c.members[name]
	return ok
}

// entity is a REQUIRED claim whose value is an Entity Identifier.
func (c *claims) entity(name string) string {
	s := c.text(name)
	if err := CheckEntityID(s); err != nil {
		c.fail(name, "is no entity identifier")
	}
	return s
}

// text is a REQUIRED string.
func (c *claims) text(name string) string {
	s, ok := c.members[name].(string)
	if !ok || s == "" {
		c.fail(name, "is missing or no text")
	}
	return s
}

// optional is a string that may be absent, never null.
func (c *claims) optional(name string) string {
	if !c.has(name) {
		return ""
	}
	return c.text(name)
}

// date is a NumericDate (RFC 7519 2).
func (c *claims) date(name string, required bool) time.Time {
	if !required && !c.has(name) {
		return time.Time{}
	}
	v, ok := c.members[name].(float64)
	if !ok || v < 0 || v > maxTime {
		c.fail(name, "is missing or no time")
		return time.Time{}
	}
	return time.Unix(int64(v), 0).UTC()
}

// object is a JSON object that may be absent.
func (c *claims) object(name string) map[string]any {
	if !c.has(name) {
		return nil
	}
	m, ok := c.members[name].(map[string]any)
	if !ok || len(m) > maxEntries {
		c.fail(name, "is no object")
		return nil
	}
	return m
}

// texts is an array of strings that may be absent.
func (c *claims) texts(name string) []string {
	if !c.has(name) {
		return nil
	}
	list, ok := textsOf(c.members[name])
	if !ok {
		c.fail(name, "is no list of texts")
	}
	return list
}

// entities is an array of entity identifiers that may be absent and "MUST NOT be the
// empty array" (3.1.2).
func (c *claims) entities(name string) []string {
	list := c.texts(name)
	if c.has(name) && len(list) == 0 {
		c.fail(name, "is empty")
	}
	for _, id := range list {
		if CheckEntityID(id) != nil {
			c.fail(name, "names what is no entity identifier")
		}
	}
	return list
}

// keys is a JWK Set: "Every JWK in the JWK Set MUST have a unique kid" (3.1.1).
func (c *claims) keys(name string) jose.KeySet {
	set, err := keySetOf(c.members[name], true)
	if err != nil {
		c.fail(name, err.Error())
	}
	return set
}

// textsOf reads an array of strings.
func textsOf(v any) ([]string, bool) {
	list, ok := v.([]any)
	if !ok || len(list) > maxEntries {
		return nil, false
	}
	out := make([]string, 0, len(list))
	for _, e := range list {
		s, ok := e.(string)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// keySetOf reads a JWK Set from decoded JSON. Keys of kinds that are not understood are
// left out (RFC 7517 5); one that shows a private key condemns the whole set.
func keySetOf(v any, kids bool) (jose.KeySet, error) {
	set, ok := v.(map[string]any)
	if !ok {
		return jose.KeySet{}, fmt.Errorf("is missing or no key set")
	}
	list, ok := set["keys"].([]any)
	if !ok || len(list) > maxEntries {
		return jose.KeySet{}, fmt.Errorf("is no key set")
	}
	return keysOf(list, kids)
}

func keysOf(list []any, kids bool) (jose.KeySet, error) {
	var out jose.KeySet
	seen := map[string]bool{}
	for _, e := range list {
		jwk, ok := e.(map[string]any)
		if !ok {
			return jose.KeySet{}, fmt.Errorf("holds what is no key")
		}
		kid, _ := jwk["kid"].(string)
		if kids && (kid == "" || seen[kid]) {
			return jose.KeySet{}, fmt.Errorf("holds a key without a kid of its own")
		}
		seen[kid] = true
		if _, private := jwk["d"]; private {
			return jose.KeySet{}, fmt.Errorf("shows a private key")
		}
		if key, err := jose.KeyOf(jwk); err == nil {
			out.Keys = append(out.Keys, key)
		}
	}
	return out, nil
}
