package wallet

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/ijson"
)

var (
	// ErrExists: there is a wallet in this store already.
	ErrExists = errors.New("there is a paspoort here already")
	// ErrNoWallet: the store holds no wallet.
	ErrNoWallet = errors.New("there is no paspoort here yet")
	// ErrPassphrase: no unlocker opens with this passphrase.
	ErrPassphrase = errors.New("the passphrase is not right")
	// ErrWeakPassphrase: too short to protect anything.
	ErrWeakPassphrase = errors.New("the passphrase is too short: use at least 8 characters")
)

// minPassphrase is in bytes. Length is what helps; rules about signs do not.
const minPassphrase = 8

const dataKeySize = chacha20poly1305.KeySize

// A vault is what opens the wallet: the random data key, sealed once for each
// unlocker. Adding or changing an unlocker never touches the data.
type vault struct {
	Wraps []wrap `json:"wraps"`
	// Inbox is the public key that seals what arrives while locked; see inbox.go.
	Inbox []byte `json:"inbox,omitempty"`
}

// A wrap is the data key sealed under what one unlocker gives. Its fields other
// than Sealed are the associated data, so that nobody can weaken them unnoticed.
type wrap struct {
	Kind   string    `json:"kind"` // see unlock.go
	ID     string    `json:"id"`
	Argon2 *argon2id `json:"argon2id,omitempty"`
	Sealed []byte    `json:"sealed,omitempty"` // nonce, then XChaCha20-Poly1305 of the data key
}

// argon2id are parameters of RFC 9106.
type argon2id struct {
	Salt   []byte `json:"salt"`
	Time   uint32 `json:"time"`
	Memory uint32 `json:"memory_kib"`
	Lanes  uint8  `json:"lanes"`
}

// newArgon2 draws a salt. A nil cost is what we write: the second recommended option
// of RFC 9106 section 4 ("t=3 iterations, p=4 lanes, m=2^(16) (64 MiB of RAM)"), which
// fits in a phone and in a host with many holders.
func newArgon2(random io.Reader, cost *argon2id) (*argon2id, error) {
	a := argon2id{Time: 3, Memory: 64 << 10, Lanes: 4}
	if cost != nil {
		a = *cost
	}
	a.Salt = make([]byte, 16)
	_, err := io.ReadFull(random, a.Salt)
	return &a, err
}

// key derives the key that the wrap is sealed with. Bounds keep a changed file from
// using up the machine.
func (a *argon2id) key(passphrase []byte) ([]byte, error) {
	if a == nil || len(a.Salt) < 16 || a.Time < 1 || a.Time > 16 || a.Memory < 8<<10 || a.Memory > 1<<20 || a.Lanes < 1 || a.Lanes > 16 {
		return nil, fmt.Errorf("%w: parameters of the key derivation", kv.ErrFormat)
	}
	return argon2.IDKey(passphrase, a.Salt, a.Time, a.Memory, a.Lanes, chacha20poly1305.KeySize), nil
}

// CheckPassphrase is ErrWeakPassphrase for one that Init refuses.
func CheckPassphrase(passphrase []byte) error {
	if len(passphrase) < minPassphrase {
		return ErrWeakPassphrase
	}
	return nil
}

// newVault draws a data key and seals it under a passphrase.
func newVault(passphrase []byte, random io.Reader, cost *argon2id) (*vault, []byte, error) {
	if err := CheckPassphrase(passphrase); err != nil {
		return nil, nil, err
	}
	dataKey := make([]byte, dataKeySize)
	if _, err := io.ReadFull(random, dataKey); err != nil {
		return nil, nil, fmt.Errorf("random bytes: %w", err)
	}
	v := &vault{}
	if err := v.addPassphrase(passphrase, dataKey, random, cost); err != nil {
		return nil, nil, err
	}
	return v, dataKey, nil
}

func (v *vault) addPassphrase(passphrase, dataKey []byte, random io.Reader, cost *argon2id) error {
	kdf, err := newArgon2(random, cost)
	if err != nil {
		return fmt.Errorf("random bytes: %w", err)
	}
	key, err := kdf.key(passphrase)
	if err != nil {
		return err
	}
	return v.add(wrap{Kind: kindPassphrase, ID: rand.Text(), Argon2: kdf}, key, dataKey, random)
}

// add seals the data key under what an unlocker gives.
func (v *vault) add(w wrap, key, dataKey []byte, random io.Reader) (err error) {
	if w.Sealed, err = sealBytes(key, dataKey, w.associated(), random); err != nil {
		return err
	}
	v.Wraps = append(v.Wraps, w)
	return nil
}

// associated is the wrap without what it seals.
func (w wrap) associated() []byte {
	w.Sealed = nil
	raw, _ := json.Marshal(w) // texts, numbers and bytes always encode
	return append([]byte("paspoort/wallet/wrap/v1\n"), raw...)
}

// open gives the data key to whoever knows the passphrase. Which of several
// unlockers it opened is not told.
func (v *vault) open(passphrase []byte) ([]byte, error) {
	for _, w := range v.Wraps {
		if w.Kind != kindPassphrase {
			continue
		}
		key, err := w.Argon2.key(passphrase)
		if err != nil {
			return nil, err
		}
		if dataKey := w.open(key); dataKey != nil {
			return dataKey, nil
		}
	}
	return nil, ErrPassphrase
}

// open is the data key, or nil when the key is another.
func (w wrap) open(key []byte) []byte {
	dataKey, err := openBytes(key, w.Sealed, w.associated())
	if err != nil || len(dataKey) != dataKeySize {
		return nil
	}
	return dataKey
}

func readVault(tx kv.Tx) (*vault, error) {
	raw, err := tx.Get(vaultKey)
	if errors.Is(err, kv.ErrNotFound) {
		raw, err = tx.Get(spareVaultKey) // see forgetWraps
	}
	if errors.Is(err, kv.ErrNotFound) {
		return nil, ErrNoWallet
	}
	if err != nil {
		return nil, err
	}
	version, body, err := kv.Body(raw)
	if err != nil {
		return nil, err
	}
	if version != valueFormat {
		return nil, fmt.Errorf("%w: vault of version %d", kv.ErrFormat, version)
	}
	var v vault
	if err := ijson.Unmarshal(body, &v); err != nil {
		return nil, fmt.Errorf("%w: vault: %w", kv.ErrFormat, err)
	}
	return &v, nil
}

// write stores the vault. A passkey can be lost with the device that holds it, so it is
// never the only unlocker.
func (v *vault) write(tx kv.Tx) error {
	if !slices.ContainsFunc(v.Wraps, func(w wrap) bool { return w.Kind == kindPassphrase || w.Kind == kindRecovery }) {
		return ErrLastUnlocker
	}
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Set(vaultKey, kv.Value(valueFormat, body))
}
