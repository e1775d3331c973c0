package dev

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"paspoort.example/paspoort/internal/keyfile"
)

// ErrBusy: another program runs a region in the same folder.
var ErrBusy = errors.New("a region runs in this folder already")

// layout is where things stand in the folder of a region.
type layout struct{ dir string }

func (l layout) path(parts ...string) string {
	return filepath.Join(append([]string{l.dir}, parts...)...)
}

func (l layout) log(process string) string { return l.path("logs", process+".log") }

// config is the configuration file of a process.
func (l layout) config(process string) string { return l.path(process, "config.json") }

// The folder is private: it holds keys and tokens.
func (l layout) make(folders ...string) error {
	for _, f := range append([]string{""}, folders...) {
		if err := os.MkdirAll(l.path(f), 0o700); err != nil {
			return fmt.Errorf("make the folder of the region: %w", err)
		}
	}
	return nil
}

// lock keeps a second program out of the folder until the file is closed.
func (l layout) lock() (*os.File, error) {
	f, err := os.OpenFile(l.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the folder of the region: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s", ErrBusy, l.dir), f.Close())
	}
	return f, nil
}

// readJSON reads a file of our own; ok is false when it is not there yet.
func readJSON(path string, v any) (ok bool, err error) {
	body, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return true, nil
}

func writeJSON(path string, v any) error {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return keyfile.WriteAtomic(path, append(body, '\n'), 0o600)
}
