package wallet

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"

	crand "crypto/rand"

	"golang.org/x/crypto/chacha20poly1305"

	"paspoort.example/paspoort/specs/jose"
)

var (
	// ErrShareSecret: a text is not the secret of a share.
	ErrShareSecret = errors.New("this is not the link of a share: copy it again, as a whole")
	// ErrShareCode: the second code is not right, or is needed and was not given.
	ErrShareCode = errors.New("the code is not right")
)

// A ShareSecret is what stands in the link of a share and nowhere else. A host keeps its
// Hash only; whoever has the link, and the second code if there is one, reads the share.
// Printed or logged it shows nothing.
type ShareSecret struct{ b [32]byte }

// NewShareSecret draws a secret.
func NewShareSecret(random io.Reader) (ShareSecret, error) {
	var s ShareSecret
	if _, err := io.ReadFull(random, s.b[:]); err != nil {
		return s, fmt.Errorf("random bytes: %w", err)
	}
	return s, nil
}

// ParseShareSecret reads the last part of a link. ErrShareSecret.
func ParseShareSecret(text string) (ShareSecret, error) {
	raw, err := jose.DecodeBase64URL(text)
	if err != nil || len(raw) != len(ShareSecret{}.b) {
		return ShareSecret{}, ErrShareSecret
	}
	return ShareSecret{[32]byte(raw)}, nil
}

// Text is the secret as it stands in a link.
func (s ShareSecret) Text() string { return jose.EncodeBase64URL(s.b[:]) }

// Format hides the secret under every verb.
func (s ShareSecret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "wallet.ShareSecret") }

// MarshalJSON refuses: a secret is not stored.
func (s ShareSecret) MarshalJSON() ([]byte, error) {
	return nil, errors.New("the secret of a share is not stored")
}

// Hash is what a host finds the share by.
func (s ShareSecret) Hash() [32]byte { return sha256.Sum256(s.b[:]) }

// NewShareCode draws a second code: six digits, each as likely.
func NewShareCode(random io.Reader) (string, error) {
	n, err := crand.Int(random, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("random bytes: %w", err)
	}
	return fmt.Sprintf("%06d", n), nil
}

// A ShareMeta is what whoever has the link may know before the share is opened.
type ShareMeta struct {
	By      string    `json:"by"`
	Purpose string    `json:"purpose"`
	Until   time.Time `json:"until"`
}

// A SealedShare is a share as a host keeps it. Meta opens with the secret, Content with
// the secret and the second code. Six digits stop nobody who has both the link and the
// host's disk; they stop who found the link alone, because a host counts the tries.
type SealedShare struct {
	Meta    []byte `json:"meta,omitempty"`
	Content []byte `json:"content,omitempty"`
	// Code derives from the second code; nil when there is none.
	Code *argon2id `json:"code,omitempty"`
}

// NeedsCode says whether there is a second code.
func (s SealedShare) NeedsCode() bool { return s.Code != nil }

// Seal seals a frozen share for a host. An empty code means none.
func (w *Wallet) Seal(f *FrozenShare, secret ShareSecret, code string) (SealedShare, error) {
	var s SealedShare
	if code != "" {
		var err error
		if s.Code, err = newArgon2(w.c.Rand, w.c.testingKDF); err != nil {
			return s, fmt.Errorf("random bytes: %w", err)
		}
	}
	var err error
	if s.Meta, err = sealPart(secret, shareMetaInfo, nil, ShareMeta{By: f.By, Purpose: f.Purpose, Until: f.Until}, w.c.Rand); err != nil {
		return s, err
	}
	stretched, err := s.stretch(code)
	if err != nil {
		return s, err
	}
	s.Content, err = sealPart(secret, shareContentInfo, stretched, f, w.c.Rand)
	return s, err
}

// OpenMeta reads what may be known before the share is opened.
func (s SealedShare) OpenMeta(secret ShareSecret) (ShareMeta, error) {
	var m ShareMeta
	return m, openPart(secret, shareMetaInfo, nil, s.Meta, &m)
}

// Open reads the share. ErrShareCode when a code is needed and this is not it.
func (s SealedShare) Open(secret ShareSecret, code string) (*FrozenShare, error) {
	if s.NeedsCode() && code == "" {
		return nil, ErrShareCode
	}
	stretched, err := s.stretch(code)
	if err != nil {
		return nil, err
	}
	f := new(FrozenShare)
	if err := openPart(secret, shareContentInfo, stretched, s.Content, f); err != nil {
		if s.NeedsCode() && errors.Is(err, ErrDamaged) {
			return nil, ErrShareCode
		}
		return nil, err
	}
	return f, nil
}

func (s SealedShare) stretch(code string) ([]byte, error) {
	if !s.NeedsCode() {
		return nil, nil
	}
	return s.Code.key([]byte(code))
}

// The keys of the two parts are of different infos, so neither opens the other.
const (
	shareMetaInfo    = "paspoort/share/meta/v1"
	shareContentInfo = "paspoort/share/content/v1"
)

func partKey(secret ShareSecret, info string, stretched []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, slices.Concat(secret.b[:], stretched), nil, info, chacha20poly1305.KeySize)
}

func sealPart(secret ShareSecret, info string, stretched []byte, v any, random io.Reader) ([]byte, error) {
	key, err := partKey(secret, info, stretched)
	if err != nil {
		return nil, err
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return sealBytes(key, pad(plain), []byte(info), random)
}

func openPart(secret ShareSecret, info string, stretched, sealed []byte, v any) error {
	key, err := partKey(secret, info, stretched)
	if err != nil {
		return err
	}
	padded, err := openBytes(key, sealed, []byte(info))
	if err != nil {
		return err
	}
	plain, err := unpad(padded)
	if err != nil {
		return err
	}
	return decode(plain, v)
}
