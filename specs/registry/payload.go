package registry

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
)

// committable are the fields of a one-person firm that are personal data: events carry
// commitments to them (D4).
var committable = map[string]bool{
	"name": true, "registration": true, "url": true, "did": true, "key": true, "certificate": true, "spki": true,
}

const (
	saltSize         = 32
	payloadKeySize   = 32
	nonceSize        = 12
	maxPayload       = 4096
	commitmentPrefix = "paspoort/registry/commitment/v1\n"
)

// SealedPayload is the content behind a commitment as it travels and is kept beside the log:
// encrypted with AES-256-GCM under a key of its own. Destroying the key erases it.
type SealedPayload struct {
	Commitment string `json:"commitment"`
	Sealed     string `json:"sealed"` // base64url of nonce, then ciphertext of salt and content
}

// Seal commits to a value of a field. The commitment is the SHA-256 of a prefix, 32 random
// bytes and the content; without those bytes it cannot be guessed from the content.
func Seal(random io.Reader, field, content string) (SealedPayload, [payloadKeySize]byte, error) {
	var key [payloadKeySize]byte
	if !committable[field] || len(content) == 0 || len(content) > maxPayload {
		return SealedPayload{}, key, ErrCommitment.with("no such field, or no content of at most %d bytes", maxPayload)
	}
	buf := make([]byte, payloadKeySize+nonceSize+saltSize)
	if _, err := io.ReadFull(random, buf); err != nil {
		return SealedPayload{}, key, fmt.Errorf("seal payload: %w", err)
	}
	copy(key[:], buf)
	nonce, salt := buf[payloadKeySize:payloadKeySize+nonceSize], buf[payloadKeySize+nonceSize:]
	plain := append(append([]byte{}, salt...), field+"\n"+content...)
	commitment := commit(plain)
	sealed := payloadCipher(key).Seal(append([]byte{}, nonce...), nonce, plain, []byte(commitment))
	return SealedPayload{Commitment: commitment, Sealed: b64.EncodeToString(sealed)}, key, nil
}

// NewOpenPayload puts a payload and its key together, to travel with the event.
func NewOpenPayload(p SealedPayload, key [payloadKeySize]byte) OpenPayload {
	return OpenPayload{SealedPayload: p, Key: b64.EncodeToString(key[:])}
}

// Open decrypts a payload and holds it against its commitment. It fails with [ErrCommitment].
func (p SealedPayload) Open(key [payloadKeySize]byte) (field, content string, err error) {
	raw, err := b64.DecodeString(p.Sealed)
	if err != nil || len(raw) < nonceSize || len(raw) > 2*maxPayload || !isHash(p.Commitment) {
		return "", "", ErrCommitment.with("not a sealed payload")
	}
	plain, err := payloadCipher(key).Open(nil, raw[:nonceSize], raw[nonceSize:], []byte(p.Commitment))
	if err != nil || len(plain) < saltSize || commit(plain) != p.Commitment {
		return "", "", ErrCommitment.with("the payload does not belong to its commitment")
	}
	field, content, ok := cutField(string(plain[saltSize:]))
	if !ok {
		return "", "", ErrCommitment.with("the payload names no field")
	}
	return field, content, nil
}

func commit(plain []byte) string {
	sum := sha256.Sum256(append([]byte(commitmentPrefix), plain...))
	return hex.EncodeToString(sum[:])
}

// payloadCipher cannot fail: the key has the size of AES-256.
func payloadCipher(key [payloadKeySize]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

func cutField(s string) (field, content string, ok bool) {
	for i := range len(s) {
		if s[i] == '\n' {
			return s[:i], s[i+1:], committable[s[:i]]
		}
	}
	return "", "", false
}

// Payloads are opened payloads, by commitment: what lets a reader name one-person firms. A
// state is complete without them.
type Payloads struct {
	content map[string]string   // commitment -> content
	index   map[string][]string // field and content -> commitments
}

// Add opens a payload and remembers it.
func (p *Payloads) Add(sealed SealedPayload, key [payloadKeySize]byte) error {
	field, content, err := sealed.Open(key)
	if err != nil {
		return err
	}
	if p.content == nil {
		p.content, p.index = map[string]string{}, map[string][]string{}
	}
	p.content[sealed.Commitment] = content
	if name := field + "\n" + content; !slices.Contains(p.index[name], sealed.Commitment) {
		p.index[name] = append(p.index[name], sealed.Commitment)
	}
	return nil
}

// Erase forgets a payload, as an erasure event demands.
func (p *Payloads) Erase(commitment string) {
	for k, all := range p.index {
		if i := slices.Index(all, commitment); i >= 0 {
			if p.index[k] = slices.Delete(all, i, i+1); len(p.index[k]) == 0 {
				delete(p.index, k)
			}
		}
	}
	delete(p.content, commitment)
}

// find are the commitments to a content of a field.
func (p *Payloads) find(field, content string) []string {
	if p == nil {
		return nil
	}
	return p.index[field+"\n"+content]
}

// open is the content behind a commitment.
func (p *Payloads) open(commitment string) (string, bool) {
	if p == nil {
		return "", false
	}
	content, ok := p.content[commitment]
	return content, ok
}
