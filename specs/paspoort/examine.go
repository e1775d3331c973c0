package paspoort

import (
	"context"
	"crypto"
	"crypto/sha256"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/sdjwtvc"
	"paspoort.example/paspoort/specs/vcdm"
)

// An IssuerKey is a key that may have signed, and where it came from.
type IssuerKey struct {
	Public crypto.PublicKey
	Source string // "x5c", "did:web", "did:jwk", "jwt-vc-issuer", "registry"
}

// Examine checks the signatures of a presented SD-JWT, in either format, and
// states the facts that follow from them: format, signature, key binding. It
// fetches nothing: the caller hands in the keys that the credential names and
// adds status, admission and timestamps. Anything at all may be presented; what
// is malformed becomes a fact as well.
func Examine(presented string, keys []IssuerKey) Facts {
	t, err := sdjwt.Parse(presented)
	if err != nil {
		return Facts{Format: Finding{Failed, "format_broken"}}
	}
	return ExamineToken(t, keys)
}

// ExamineToken is Examine for what is parsed already.
func ExamineToken(t *sdjwt.SDJWT, keys []IssuerKey) Facts {
	sum := sha256.Sum256([]byte(t.IssuerJWT()))
	f := Facts{Copy: jose.EncodeBase64URL(sum[:])}
	// vct and @context are never selectively disclosable, so the payload as it
	// stands tells the formats apart.
	format, ok := DetectFormat(t.Payload())
	if !ok || !typeFits(t.Header().Type, format) {
		f.Format = Finding{Failed, "format_broken"}
		return f
	}
	claims, err := wellFormed(t, format)
	if err != nil {
		f.Format = Finding{Failed, "format_broken"}
		return f
	}
	f.Format, f.Claims = Finding{OK, ""}, claims
	f.examineSignature(t, keys)
	f.examineBinding(t, claims)
	return f
}

// wellFormed has the format's own package process the payload. Times are judged
// later.
//
// SD-JWT VC draft 18, 2.2.2.3: iss, nbf, exp, cnf, vct and status "cannot be
// selectively disclosed"; a hidden status would hide a revocation. For the W3C
// form VC-JOSE-COSE 3.2.1 says the like.
func wellFormed(t *sdjwt.SDJWT, f Format) (map[string]any, error) {
	if f == FormatSDJWTVC {
		c, err := sdjwtvc.Read(t, sdjwtvc.Options{AcceptLegacyType: true})
		if err != nil {
			return nil, err
		}
		return c.Claims, nil
	}
	c, err := vcdm.Read(t, vcdm.Options{UnknownTerms: true})
	if err != nil {
		return nil, err
	}
	return c.Document, nil
}

// typeFits: SD-JWT VC draft 18 2.2.1 demands typ dc+sd-jwt; vc+sd-jwt is its
// old name, still met in the field, and VC-JOSE-COSE 3.2.1's SHOULD for the
// W3C form, where none at all is allowed.
func typeFits(typ string, f Format) bool {
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "dc+sd-jwt":
		return f == FormatSDJWTVC
	case "vc+sd-jwt":
		return true
	case "":
		return f == FormatVCDM
	}
	return false
}

func (f *Facts) examineSignature(t *sdjwt.SDJWT, keys []IssuerKey) {
	if len(keys) == 0 {
		f.Signature = Finding{Unknown, "issuer_key_unavailable"}
		return
	}
	f.Signature = Finding{Failed, "signature_invalid"}
	for _, k := range keys {
		if t.VerifyIssuer(k.Public) != nil {
			continue
		}
		thumbprint, err := jose.Thumbprint(k.Public)
		if err != nil {
			continue
		}
		f.Signature, f.Key, f.KeySource = Finding{OK, ""}, thumbprint, k.Source
		return
	}
}

// examineBinding verifies the KB-JWT for what it says of itself; whether that
// is what was asked, Decide compares.
func (f *Facts) examineBinding(t *sdjwt.SDJWT, claims map[string]any) {
	holder, ok := HolderKey(claims)
	if !ok {
		return
	}
	var err error
	if f.HolderKey, err = jose.Thumbprint(holder); err != nil {
		f.HolderKey = ""
		return
	}
	if !t.HasKeyBinding() {
		return
	}
	f.Binding.Present = true
	f.Binding.Signature = Finding{Failed, "key_binding_invalid"}
	said, ok := peekBinding(t.String())
	if !ok {
		return
	}
	kb, err := t.VerifyKeyBinding(holder, sdjwt.KeyBindingPolicy{Audience: said.Audience, Nonce: said.Nonce, Now: time.Unix(said.IssuedAt, 0)})
	if err != nil {
		return
	}
	f.Binding = Binding{Present: true, Signature: Finding{OK, ""}, Nonce: kb.Nonce, Audience: kb.Audience, IssuedAt: kb.IssuedAt, Claims: kb.All}
}

type bindingClaims struct {
	Audience string `json:"aud"`
	Nonce    string `json:"nonce"`
	IssuedAt int64  `json:"iat"`
}

// peekBinding reads the KB-JWT after the last tilde before it is verified.
func peekBinding(presented string) (c bindingClaims, ok bool) {
	signed, err := jose.Parse(presented[strings.LastIndexByte(presented, '~')+1:])
	if err != nil {
		return c, false
	}
	var claims map[string]any
	if ijson.Unmarshal(signed.Payload, &claims) != nil {
		return c, false
	}
	c.Audience, _ = claims["aud"].(string)
	c.Nonce, _ = claims["nonce"].(string)
	iat, okTime := claims["iat"].(float64)
	if !okTime || iat < 0 || iat > 253402300799 {
		return c, false
	}
	c.IssuedAt = int64(iat)
	return c, true
}

// HolderKey is the key that cnf of a processed credential names, by jwk, by a
// kid that is a did:jwk or did:key (nothing is fetched), or by both alike.
func HolderKey(claims map[string]any) (crypto.PublicKey, bool) {
	key, err := sdjwtvc.HolderKey(context.Background(), claims)
	return key, err == nil
}
