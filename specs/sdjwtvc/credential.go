package sdjwtvc

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/sdjwt"
)

// Values of the header parameter typ (2.2.1).
const (
	Type       = "dc+sd-jwt"
	LegacyType = "vc+sd-jwt" // drafts before November 2024; now the name of a W3C format
)

// What can be wrong with a credential. Errors of sdjwt pass through.
var (
	ErrType      = errors.New("typ is not dc+sd-jwt")
	ErrClaim     = errors.New("missing or malformed claim")
	ErrSelective = errors.New("claim may not be selectively disclosable")
)

// Options say how Read judges.
type Options struct {
	// Now is the time of verification. The zero time leaves nbf and exp unjudged,
	// for a caller that reports validity as a check of its own.
	Now  time.Time
	Skew time.Duration // how far clocks may differ
	// AcceptLegacyType also takes typ vc+sd-jwt (2.2.1: "for a reasonable
	// transitional period"). The payload must then have no @context, which would
	// make it a W3C credential under the same name.
	AcceptLegacyType bool
}

// A Credential is an SD-JWT VC whose form is right.
type Credential struct {
	Token  *sdjwt.SDJWT
	Claims map[string]any // the processed payload
	VCT    string         // vct
	// Integrity is vct#integrity, empty when absent.
	Integrity string
	// OtherTypes is aka_vcts.
	OtherTypes []string
	// Issuer is iss. It may be empty: then the subject of the x5c leaf is the issuer.
	Issuer string
	// IssuedAt, NotBefore and ExpiresAt are iat, nbf and exp; zero when absent.
	// iat is the issuer's own word, and a holder may leave it out.
	IssuedAt, NotBefore, ExpiresAt time.Time
}

// undisclosable are the claims that "MUST NOT be included in the Disclosures"
// (2.2.2.3).
var undisclosable = []string{"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"}

// Read checks the header and the claims of section 2.2 and builds the processed
// payload. It does not verify the signature; call it after VerifyIssuer.
//
// Errors: ErrType, ErrClaim, ErrSelective, sdjwt.ErrExpired, sdjwt.ErrNotYetValid,
// and those of sdjwt's Claims.
func Read(t *sdjwt.SDJWT, o Options) (*Credential, error) {
	claims, err := t.Claims()
	if err != nil {
		return nil, err
	}
	if err := checkType(t.Header().Type, claims, o); err != nil {
		return nil, err
	}
	for _, name := range undisclosable {
		issued, inClear := t.Payload()[name]
		_, present := claims[name]
		if present && !inClear || hasDigest(issued) {
			return nil, fmt.Errorf("%w: %s", ErrSelective, name)
		}
	}
	c := &Credential{Token: t, Claims: claims}
	if err := c.readStrings(); err != nil {
		return nil, err
	}
	if err := c.readTimes(); err != nil {
		return nil, err
	}
	for _, name := range []string{"cnf", "status"} {
		if v, ok := claims[name]; ok {
			if _, ok := v.(map[string]any); !ok {
				return nil, fmt.Errorf("%w: %s is no object", ErrClaim, name)
			}
		}
	}
	if o.Now.IsZero() {
		return c, nil
	}
	return c, sdjwt.CheckTimes(claims, o.Now, o.Skew)
}

// checkType: "The typ value MUST use dc+sd-jwt" (2.2.1).
func checkType(typ string, claims map[string]any, o Options) error {
	switch {
	case typ == Type:
		return nil
	case typ == LegacyType && o.AcceptLegacyType:
		if _, w3c := claims["@context"]; !w3c {
			return nil
		}
	}
	return ErrType
}

// hasDigest says whether an issued value has a digest in it, so that a part of it
// is selectively disclosable, disclosed or not. That no other use of these names
// passes, Claims has checked.
func hasDigest(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			if name == "_sd" || name == "..." || hasDigest(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasDigest)
	}
	return false
}

// readStrings reads vct, vct#integrity, aka_vcts and iss.
func (c *Credential) readStrings() error {
	var err error
	if c.VCT, err = optionalString(c.Claims, "vct"); err != nil {
		return err
	}
	if c.VCT == "" { // 2.2.2.3: "vct: REQUIRED"
		return fmt.Errorf("%w: vct", ErrClaim)
	}
	if c.Integrity, err = optionalString(c.Claims, "vct#integrity"); err != nil {
		return err
	}
	if c.Issuer, err = optionalString(c.Claims, "iss"); err != nil {
		return err
	}
	if _, err = optionalString(c.Claims, "sub"); err != nil {
		return err
	}
	v, ok := c.Claims["aka_vcts"]
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 { // 2.2.2.2: "MUST be a non-empty array"
		return fmt.Errorf("%w: aka_vcts", ErrClaim)
	}
	for _, e := range list {
		name, ok := e.(string)
		// "The array MUST NOT contain the value of the vct claim".
		if !ok || name == "" || name == c.VCT {
			return fmt.Errorf("%w: aka_vcts", ErrClaim)
		}
		c.OtherTypes = append(c.OtherTypes, name)
	}
	return nil
}

func (c *Credential) readTimes() error {
	for name, at := range map[string]*time.Time{"iat": &c.IssuedAt, "nbf": &c.NotBefore, "exp": &c.ExpiresAt} {
		v, ok := c.Claims[name]
		if !ok {
			continue
		}
		if *at, ok = sdjwt.NumericDate(v); !ok {
			return fmt.Errorf("%w: %s", ErrClaim, name)
		}
	}
	return nil
}

// optionalString is a claim that is absent or a non-empty string.
func optionalString(claims map[string]any, name string) (string, error) {
	v, ok := claims[name]
	if !ok {
		return "", nil
	}
	s, ok := v.(string)
	if !ok || s == "" {
		return "", fmt.Errorf("%w: %s", ErrClaim, name)
	}
	return s, nil
}

// IsType says whether the credential is of type vct, by vct or by aka_vcts
// (2.2.2.2). Types that it extends are the metadata's to say.
func (c *Credential) IsType(vct string) bool {
	return c.VCT == vct || slices.Contains(c.OtherTypes, vct)
}
