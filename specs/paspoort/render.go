package paspoort

import (
	"crypto"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

// ErrRender says that a credential cannot be made from what was given.
var ErrRender = errors.New("cannot render the credential")

// An Issuer is who signs.
type Issuer struct {
	// ID is `iss`: the credential_issuer URL, or the did:jwk of a slot key for a
	// Zelfverklaring.
	ID string
	// Name and Country (two letters, ISO 3166-1) are the awarding body and the
	// country that an EU micro-credential names. A Zelfverklaring has neither.
	Name, Country string
	// Entity is the Entity Identifier in OpenID Federation of an issuer that takes part in one:
	// `fed`, and termsOfUse in the W3C form (DIIP v5, Appendix B). Empty for who does not.
	Entity string
}

// A StatusRef is one entry of a status list (Token Status List draft 20, 6.2).
type StatusRef struct {
	URI   string
	Index int
}

// A Copy is what differs between the copies of one dataset: nothing else does.
type Copy struct {
	// Holder is the key of the wallet's slot.
	Holder crypto.PublicKey
	// HolderKeyID is the DID URL under which the wallet proved that key. When
	// empty it is the did:jwk of the key. One key has several did:jwk spellings
	// and the wallet presents with the one the credential names.
	HolderKeyID string
	// Status is absent for a Zelfverklaring.
	Status *StatusRef
	// IssuedAt is rounded down to the day (UTC), ExpiresAt up: an exact second
	// would tie copies of one batch together. A zero ExpiresAt means no end.
	IssuedAt, ExpiresAt time.Time
}

const day = 24 * time.Hour

func floorDay(t time.Time) time.Time { return t.UTC().Truncate(day) }

func ceilDay(t time.Time) time.Time {
	if f := floorDay(t); !f.Equal(t) {
		return f.Add(day)
	}
	return t.UTC()
}

// expiry is the earlier of what the copy says and the end of the day until
// which the claims are valid; zero for neither.
func expiry(d Dataset, c Copy) time.Time {
	end := c.ExpiresAt
	if last, ok := d.ValidUntil(); ok {
		if next := last.Add(day); end.IsZero() || next.Before(end) {
			end = next
		}
	}
	if end.IsZero() {
		return end
	}
	return ceilDay(end)
}

// Render makes the claims of one copy, with marks on what is selectively
// disclosable and decoys that hide how much that is, ready for sdjwt.Issue with
// the header type typ. It does not check the claims again: NewDataset did.
func Render(f Format, iss Issuer, d Dataset, c Copy) (typ string, claims map[string]any, err error) {
	if _, err := ParseType(string(d.Type)); err != nil {
		return "", nil, err
	}
	if iss.ID == "" || c.IssuedAt.IsZero() || d.Record == "" {
		return "", nil, fmt.Errorf("%w: issuer, record and day of issue are needed", ErrRender)
	}
	cnf, err := confirmation(c)
	if err != nil {
		return "", nil, err
	}
	switch f {
	case FormatSDJWTVC:
		claims = renderSDJWTVC(iss, d, c, cnf)
	case FormatVCDM:
		claims = renderVCDM(iss, d, c, cnf)
	}
	if claims != nil {
		shapes[d.Type][f].pad(claims)
		return string(f), claims, nil
	}
	return "", nil, fmt.Errorf("%w: format %.20q", ErrRender, f)
}

// confirmation is `cnf` with both members: HAIP 1.0 demands `jwk`, DIIP v5 `kid`.
func confirmation(c Copy) (map[string]any, error) {
	if err := jose.CheckPublicKey(c.Holder); err != nil {
		return nil, fmt.Errorf("%w: holder key: %w", ErrRender, err)
	}
	kid := c.HolderKeyID
	if kid == "" {
		id, err := did.JWK(c.Holder)
		if err != nil {
			return nil, fmt.Errorf("%w: holder key: %w", ErrRender, err)
		}
		kid = id + "#0"
	}
	return map[string]any{"jwk": jose.Key{Public: c.Holder}, "kid": kid}, nil
}

func renderSDJWTVC(iss Issuer, d Dataset, c Copy, cnf map[string]any) map[string]any {
	out := map[string]any{
		"iss": iss.ID,
		"vct": d.Type.VCT(),
		"iat": floorDay(c.IssuedAt).Unix(),
		"cnf": cnf,
	}
	if end := expiry(d, c); !end.IsZero() {
		out["exp"] = end.Unix()
	}
	if c.Status != nil {
		out["status"] = statusClaim(*c.Status)
	}
	if iss.Entity != "" {
		out[claimFederation] = iss.Entity
	}
	for f, value := range flatClaims(iss, d) {
		out[f.Name] = mark(f, value)
	}
	return out
}

// flatClaims walks over the dataset with what the issuer's software adds.
func flatClaims(iss Issuer, d Dataset) iter.Seq2[Field, any] {
	added := map[string]string{claimRecord: d.Record, claimIssuerName: iss.Name, claimIssuerCountry: iss.Country}
	return func(yield func(Field, any) bool) {
		for _, f := range typeFieldList[d.Type] {
			v, ok := d.Claims[f.Name]
			if s, ours := added[f.Name]; ours {
				v, ok = s, s != ""
			}
			if ok && !yield(f, v) {
				return
			}
		}
	}
}

func mark(f Field, value any) any {
	if f.SD == SDNever {
		return value
	}
	if !f.Each {
		return sdjwt.SD{Value: value}
	}
	list, _ := value.([]any)
	marked := make([]any, len(list))
	for i, v := range list {
		marked[i] = sdjwt.SD{Value: v}
	}
	return marked
}

// statusClaim is the reference of Token Status List draft 20, 6.2.
func statusClaim(s StatusRef) map[string]any {
	return map[string]any{"status_list": map[string]any{"idx": s.Index, "uri": s.URI}}
}

// holderDID is the DID in front of the fragment of cnf.kid.
func holderDID(cnf map[string]any) string {
	kid, _ := cnf["kid"].(string)
	id, _, _ := strings.Cut(kid, "#")
	return id
}
