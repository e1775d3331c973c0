package node

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"paspoort.example/paspoort/internal/keyfile"
)

// files are the few things that a node writes outside raft and its store, each small and
// on the disk before the call returns.
type files interface {
	birth() (string, error) // made at the first call, the same ever after
	loadMembers() (*members, error)
	saveMembers(members) error
	loadRecord() (record, error)
	saveRecord(record) error
}

// folder keeps them in a directory.
type folder struct {
	dir  string
	rand io.Reader
}

const (
	fileBirth   = "birth"
	fileMembers = "members.json"
	fileRecord  = "cosigned.json"
	dirRaft     = "raft"
	dirStore    = "store"
)

func (f folder) birth() (string, error) {
	raw, err := os.ReadFile(filepath.Join(f.dir, fileBirth))
	if err == nil {
		return string(raw), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("birth of the data folder: %w", err)
	}
	id, err := newBirth(f.rand)
	if err != nil {
		return "", err
	}
	return id, keyfile.WriteAtomic(filepath.Join(f.dir, fileBirth), []byte(id), 0o600)
}

// newBirth is 8 random bytes in hexadecimal.
func newBirth(random io.Reader) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	raw := make([]byte, 8)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("birth of the data folder: %w", err)
	}
	return hex.EncodeToString(raw), nil
}

// rebirth makes the folder one that never took part: raft's log and votes go, the store
// of verified leaves stays, because what is in it is checked again anyway.
func (f folder) rebirth() error {
	if err := os.RemoveAll(filepath.Join(f.dir, dirRaft)); err != nil {
		return err
	}
	for _, name := range []string{fileBirth, fileMembers} {
		if err := os.Remove(filepath.Join(f.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (f folder) loadMembers() (*members, error) {
	var m members
	found, err := f.load(fileMembers, &m)
	if !found {
		return nil, err
	}
	return &m, err
}

func (f folder) saveMembers(m members) error { return f.save(fileMembers, m) }

func (f folder) loadRecord() (record, error) {
	var r record
	_, err := f.load(fileRecord, &r)
	return r, err
}

func (f folder) saveRecord(r record) error { return f.save(fileRecord, r) }

func (f folder) load(name string, v any) (found bool, err error) {
	raw, err := os.ReadFile(filepath.Join(f.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}

func (f folder) save(name string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return keyfile.WriteAtomic(filepath.Join(f.dir, name), raw, 0o600)
}
