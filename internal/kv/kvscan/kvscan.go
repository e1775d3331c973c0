// Package kvscan reads everything that a Badger folder still holds, older
// versions and deleted entries that no compaction has dropped yet included. It
// is for tests that ask what a disk remembers; the program itself never uses it.
//
// It works on a copy, so the folder may belong to a process that was killed:
//
//	err := kvscan.Walk(dir, func(key, value []byte) error { ... })
package kvscan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
)

// manifest is the file that every Badger folder has.
const manifest = "MANIFEST"

// IsStore says whether a folder is Badger's.
func IsStore(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, manifest))
	return err == nil && info.Mode().IsRegular()
}

// Walk calls fn for every version of every key that can still be read, with the
// blocks decompressed. The slices are valid during the call only. An error of
// fn ends the walk and is returned.
func Walk(dir string, fn func(key, value []byte) error) (err error) {
	if !IsStore(dir) {
		return fmt.Errorf("kvscan: %s is no store", filepath.Base(dir))
	}
	work, err := os.MkdirTemp("", "kvscan-")
	if err != nil {
		return fmt.Errorf("kvscan: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	copied := filepath.Join(work, "store")
	if err := copyFiles(dir, copied); err != nil {
		return fmt.Errorf("kvscan: copy: %w", err)
	}
	db, err := badger.Open(badger.DefaultOptions(copied).WithLogger(nil).WithNumVersionsToKeep(1 << 30).
		WithValueLogFileSize(64 << 20).WithNumCompactors(2).WithMetricsEnabled(false))
	if err != nil {
		return fmt.Errorf("kvscan: open: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.View(func(txn *badger.Txn) error {
		all := badger.DefaultIteratorOptions
		all.AllVersions = true
		it := txn.NewIterator(all)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			item := it.Item()
			if err := item.Value(func(value []byte) error { return fn(item.Key(), value) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// copyFiles copies the regular files of one folder. A file that disappears on
// the way was dropped by its owner and is left out.
func copyFiles(from, to string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || e.Name() == "LOCK" {
			continue
		}
		err := copyFile(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// copyFile leaves holes where the file has zeros: Badger keeps much room for more.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	piece, zeros := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(0); ; {
		n, err := io.ReadFull(in, piece)
		if n > 0 && !bytes.Equal(piece[:n], zeros[:n]) {
			if _, err := out.WriteAt(piece[:n], at); err != nil {
				return errors.Join(err, out.Close())
			}
		}
		at += int64(n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.Join(out.Truncate(at), out.Close())
		}
		if err != nil {
			return errors.Join(err, out.Close())
		}
	}
}
