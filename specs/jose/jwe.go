package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"

	"paspoort.example/paspoort/specs/ijson"
)

// Names of RFC 7518 4.1 and 5.1 that exist here.
const (
	ECDHES  = "ECDH-ES" // key agreement on P-256, direct (RFC 7518 4.6)
	A128GCM = "A128GCM"
	A256GCM = "A256GCM"
)

// Encrypt makes a JWE in compact form to a P-256 key, with enc A128GCM or A256GCM.
// The header gets alg, enc, epk and the kid of the key; Type, ContentType, and apu
// and apv in Extra are taken from h.
func Encrypt(plaintext []byte, to Key, enc string, h Header) (string, error) {
	pub, ok := to.Public.(*ecdsa.PublicKey)
	if !ok || pub.Curve != elliptic.P256() {
		return "", fmt.Errorf("%w: only a P-256 key can be encrypted to", ErrKey)
	}
	if to.Use == "sig" || to.Algorithm != "" && to.Algorithm != ECDHES {
		return "", fmt.Errorf("%w: key is not for ECDH-ES", ErrKey)
	}
	if err := CheckPublicKey(pub); err != nil {
		return "", err
	}
	if enc != A128GCM && enc != A256GCM {
		return "", fmt.Errorf("%w: enc %.20q", ErrAlgorithm, enc)
	}
	if len(plaintext) > MaxBytes {
		return "", fmt.Errorf("%w: plaintext", ErrSize)
	}
	headers, err := jweHeaders(to.KeyID, h)
	if err != nil {
		return "", err
	}
	// As headers of the recipient, because there jwx looks for apu and apv; with
	// one recipient they become part of the protected header.
	out, err := jwe.Encrypt(plaintext,
		jwe.WithKey(jwa.ECDH_ES, pub, jwe.WithPerRecipientHeaders(headers)),
		jwe.WithContentEncryption(jwa.ContentEncryptionAlgorithm(enc)))
	if err != nil {
		return "", fmt.Errorf("jose: encrypt: %w", err)
	}
	return string(out), nil
}

func jweHeaders(keyID string, h Header) (jwe.Headers, error) {
	headers := jwe.NewHeaders()
	set := func(name, value string) error {
		if value == "" {
			return nil
		}
		return headers.Set(name, value)
	}
	for name, value := range map[string]string{"kid": keyID, "typ": h.Type, "cty": h.ContentType} {
		if err := set(name, value); err != nil {
			return nil, fmt.Errorf("jose: header %s: %w", name, err)
		}
	}
	for name, value := range h.Extra {
		text, ok := value.(string)
		if !ok || slices.Contains(reserved, name) || name == "enc" || name == "epk" {
			return nil, fmt.Errorf("%w: header parameter %.20q cannot be set", ErrSyntax, name)
		}
		var err error
		if name == "apu" || name == "apv" {
			err = setPartyInfo(headers, name, text)
		} else {
			err = set(name, text)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: header %.20q: %w", ErrSyntax, name, err)
		}
	}
	return headers, nil
}

// setPartyInfo sets apu or apv, of which jwx wants the bytes (RFC 7518 4.6.1.2).
func setPartyInfo(headers jwe.Headers, name, encoded string) error {
	info, err := DecodeBase64URL(encoded)
	if err != nil {
		return err
	}
	return headers.Set(name, info)
}

// Encrypted is the readable part of a JWE.
type Encrypted struct {
	Header Header // Algorithm is "ECDH-ES"; enc, epk, apu and apv are in Extra

	enc     string
	compact string
}

// ParseEncrypted reads the header of a JWE, to find the key by its kid. Everything
// that would not be decrypted anyway is refused: other algorithms ([ErrAlgorithm]),
// compression, a key part, an epk that is not a point on P-256 ([ErrKey]).
func ParseEncrypted(compact string) (*Encrypted, error) {
	// Ciphertext grows by a third in base64; the rest fits in a header's size.
	if len(compact) > MaxBytes*4/3+2*maxHeaderBytes {
		return nil, fmt.Errorf("%w: token of %d bytes", ErrSize, len(compact))
	}
	parts := strings.SplitN(compact, ".", 6)
	if len(parts) != 5 {
		return nil, fmt.Errorf("%w: a compact JWE has five parts", ErrSyntax)
	}
	h, err := parseHeader(parts[0])
	if err != nil {
		return nil, err
	}
	if h.Algorithm != ECDHES {
		return nil, fmt.Errorf("%w: %.20q", ErrAlgorithm, string(h.Algorithm))
	}
	enc, _ := h.Extra["enc"].(string)
	if enc != A128GCM && enc != A256GCM {
		return nil, fmt.Errorf("%w: enc %.20q", ErrAlgorithm, enc)
	}
	if _, zip := h.Extra["zip"]; zip {
		return nil, fmt.Errorf("%w: compression", ErrAlgorithm)
	}
	if err := checkEPK(h.Extra["epk"]); err != nil {
		return nil, err
	}
	// RFC 7516 5.2 step 10: with direct key agreement the encrypted key is empty.
	// RFC 7518 5.3: 96 bit IV, 128 bit tag.
	for i, want := range map[int]int{1: 0, 2: 12, 4: 16} {
		if part, err := DecodeBase64URL(parts[i]); err != nil || len(part) != want {
			return nil, fmt.Errorf("%w: part %d of the JWE", ErrSyntax, i+1)
		}
	}
	if _, err := DecodeBase64URL(parts[3]); err != nil {
		return nil, fmt.Errorf("%w: ciphertext", err)
	}
	return &Encrypted{Header: h, enc: enc, compact: compact}, nil
}

// checkEPK holds the ephemeral key to the rules of every public key, before any
// private key meets it (RFC 7518 4.6.1.1; the invalid curve attack).
func checkEPK(epk any) error {
	raw, err := ijson.Marshal(epk)
	if err != nil {
		return fmt.Errorf("%w: epk", ErrSyntax)
	}
	k, err := ParseKey(raw)
	if err != nil {
		return fmt.Errorf("epk: %w", err)
	}
	if pub, ok := k.Public.(*ecdsa.PublicKey); !ok || pub.Curve != elliptic.P256() {
		return fmt.Errorf("%w: epk is not on P-256", ErrKey)
	}
	return nil
}

// Decrypt opens the JWE with a key on P-256, a [PrivateKey] or *ecdsa.PrivateKey.
// encs, when given, are the enc values that were announced. All failures behind the
// checks of [ParseEncrypted] are one [ErrDecrypt].
func (e *Encrypted) Decrypt(key crypto.Signer, encs ...string) ([]byte, error) {
	if len(encs) > 0 && !slices.Contains(encs, e.enc) {
		return nil, fmt.Errorf("%w: enc %s", ErrAlgorithm, e.enc)
	}
	priv, ok := unwrap(key).(*ecdsa.PrivateKey)
	if !ok || priv.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: only a P-256 key can decrypt", ErrKey)
	}
	plaintext, err := jwe.Decrypt([]byte(e.compact), jwe.WithKey(jwa.ECDH_ES, priv))
	if err != nil {
		return nil, ErrDecrypt
	}
	return plaintext, nil
}

// Decrypt reads and opens a JWE in one step. keyID is the kid of the key: a token
// that names another is refused with [ErrKeyID].
func Decrypt(compact string, key crypto.Signer, keyID string, encs ...string) ([]byte, Header, error) {
	e, err := ParseEncrypted(compact)
	if err != nil {
		return nil, Header{}, err
	}
	if keyID != "" && e.Header.KeyID != "" && e.Header.KeyID != keyID {
		return nil, Header{}, ErrKeyID
	}
	plaintext, err := e.Decrypt(key, encs...)
	if err != nil {
		return nil, Header{}, err
	}
	return plaintext, e.Header, nil
}
