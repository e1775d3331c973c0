package keyfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// read returns a file that only its owner can read.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keyfile: %w", err)
	}
	defer f.Close()
	info, err := f.Stat() // of the open file, so that it cannot be another one
	if err != nil {
		return nil, fmt.Errorf("keyfile: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("keyfile: %s: %w", path, ErrPermissions)
	}
	body, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(body) > maxFile {
		err = ErrContents
	}
	if err != nil {
		return nil, fmt.Errorf("keyfile: %s: %w", path, err)
	}
	return body, nil
}

// create writes a new file that only its owner can read, on disk when it returns. It
// appears whole or not at all: who is killed in between leaves no half key behind.
func create(path string, body []byte) (err error) {
	temporary, err := writeTemporary(path, body, 0o600)
	if err != nil {
		return fmt.Errorf("keyfile: %w", err)
	}
	defer os.Remove(temporary)
	// A link, unlike a renaming, never takes the place of a file that is there.
	if err := os.Link(temporary, path); err != nil {
		return fmt.Errorf("keyfile: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// writeTemporary puts body in a new file beside path, on disk when it returns.
func writeTemporary(path string, body []byte, perm os.FileMode) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Chmod(perm), f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// WriteAtomic puts body in path so that a reader sees the old file or the new one,
// whole, also after a power cut. The file gets mode perm.
func WriteAtomic(path string, body []byte, perm os.FileMode) error {
	temporary, err := writeTemporary(path, body, perm)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(temporary)))
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the renaming itself durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// Remove deletes a file; one that is absent is no error.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return nil
}
