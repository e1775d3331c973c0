package founding

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/registry"
)

// Files of a node's folder, and of a member's.
const (
	FilePeerKey       = "peer.key"
	FileLogKey        = "log.key"
	FileCosignerKey   = "cosigner.key"
	FileTimestampKey  = "timestamp.key"
	FileFederationKey = "federation.key"
	FileCard          = "card.json"
	FileMemberKey     = "member.key"
	FileCAKey         = "ca.key"
	FileCA            = "ca.pem"
)

// caYears is how long the region's authority lasts; a next one is an event.
const caYears = 10

// Home is what an organisation has made: keys in files, ready to sign.
type Home struct {
	Keys  map[string]crypto.Signer // by the names of a card's keys
	Files []string                 // that were written
	Facts Facts

	dir  string
	made []string // files that were not there before
}

// Prepare makes a home in dir, which must exist.
func Prepare(dir string) *Home { return &Home{Keys: map[string]crypto.Signer{}, dir: dir} }

// Undo removes the files that were made: what was not finished leaves nothing behind. Keys that
// were there already stay.
func (h *Home) Undo() {
	for _, file := range h.made {
		_ = os.Remove(file) // nothing more can be done about it
	}
	h.made, h.Files = nil, nil
}

// wrote notes a file that was made now.
func (h *Home) wrote(path string) {
	h.made, h.Files = append(h.made, path), append(h.Files, path)
}

// Node makes the five keys of a node; keys that are there already are used.
func (h *Home) Node(n registry.Node) error {
	for name, file := range map[string]string{KeyTLS: FilePeerKey, KeyLog: FileLogKey, KeyCosigner: FileCosignerKey, KeyTimestamp: FileTimestampKey, KeyFederation: FileFederationKey} {
		kind := keyfile.ES256
		if name == KeyLog || name == KeyCosigner {
			kind = keyfile.Ed25519
		}
		path := filepath.Join(h.dir, file)
		_, missing := os.Lstat(path)
		key, err := keyfile.LoadOrCreate(path, kind)
		if err != nil {
			return err
		}
		h.Keys[name] = key
		if errors.Is(missing, fs.ErrNotExist) {
			h.wrote(path)
		} else {
			h.Files = append(h.Files, path)
		}
	}
	raw := func(name string) string {
		return base64.RawURLEncoding.EncodeToString(h.Keys[name].Public().(ed25519.PublicKey))
	}
	var err error
	if n.TimestampKey, err = registry.NewPublicKey(h.Keys[KeyTimestamp].Public()); err != nil {
		return err
	}
	if n.FederationKey, err = registry.NewPublicKey(h.Keys[KeyFederation].Public()); err != nil {
		return err
	}
	n.LogKey, n.CosignerKey, n.TLSKey = raw(KeyLog), raw(KeyCosigner), registry.SPKIHash(h.Keys[KeyTLS].Public())
	h.Facts.Node = &n
	return nil
}

// Member makes the key with which a member decides, sealed with passphrase, or takes key when
// it is not nil.
func (h *Home) Member(m registry.Member, key crypto.Signer, passphrase string) error {
	var err error
	if key == nil {
		if key, err = h.sealed(FileMemberKey, passphrase); err != nil {
			return err
		}
	}
	if m.Key, err = registry.NewPublicKey(key.Public()); err != nil {
		return err
	}
	h.Keys[KeyMember] = key
	h.Facts.Member = &m
	return nil
}

// sealed makes an ES256 key in a file that only the passphrase opens.
func (h *Home) sealed(file, passphrase string) (crypto.Signer, error) {
	key, err := keyfile.Generate(keyfile.ES256)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(h.dir, file)
	err = keyfile.Create(path, key, passphrase)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is there already: move it away, or name it to use it: %w", path, err)
	}
	if err == nil {
		h.wrote(path)
	}
	return key, err
}

// Authority makes the region's certificate authority, kept by the member that Member named.
// Its key is sealed with passphrase: it is used a few times a year, away from any server.
func (h *Home) Authority(name, passphrase string, now time.Time) error {
	key, err := h.sealed(FileCAKey, passphrase)
	if err != nil {
		return err
	}
	cert, err := ca.NewRoot(key, ca.Root{Name: name, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(caYears, 0, 0)})
	if err != nil {
		return err
	}
	path := filepath.Join(h.dir, FileCA)
	if err := keyfile.WriteAtomic(path, ca.PEM(cert), 0o644); err != nil {
		return err
	}
	h.wrote(path)
	return h.anchor(key, cert)
}

func (h *Home) anchor(key crypto.Signer, cert *x509.Certificate) error {
	if h.Facts.Member == nil {
		return errors.New("the authority belongs to a member")
	}
	anchor := registry.NewAnchor(cert.Raw, h.Facts.Member.ID)
	h.Facts.Anchor, h.Keys[KeyAnchor] = &anchor, key
	return nil
}

// Card writes the card.
func (h *Home) Card() (Card, error) {
	c, err := NewCard(h.Facts, h.Keys)
	if err != nil {
		return c, err
	}
	raw, err := c.Marshal()
	if err != nil {
		return c, err
	}
	path := filepath.Join(h.dir, FileCard)
	h.wrote(path)
	return c, keyfile.WriteAtomic(path, raw, 0o644)
}

// ReadCardFile reads the card in a file.
func ReadCardFile(path string) (Card, error) { return fromFile(path, ReadCard) }

// ReadDraftFile reads the draft in a file.
func ReadDraftFile(path string) (*Draft, error) { return fromFile(path, ReadDraft) }

func fromFile[T any](path string, read func([]byte) (T, error)) (T, error) {
	var none T
	raw, err := os.ReadFile(path)
	if err != nil {
		return none, err
	}
	v, err := read(raw)
	if err != nil {
		return none, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}
