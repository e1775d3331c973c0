package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// limit is the least that a region has to do for a write: each node checks the signature, and
// has the bytes on its disk. It runs in turns with what it is held against.
type limit struct {
	key    *ecdsa.PrivateKey
	digest [32]byte
	sig    []byte
	files  []*os.File // one for each node
}

var errTmpfs = errors.New("the folder is in memory: there a sync costs nothing; run this where the disk is")

// benchFolder is a new folder beside the program's sources, on the disk that they are on.
func benchFolder() (string, error) {
	if err := os.MkdirAll("build", 0o755); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("build", "bench-registry-")
	if err != nil {
		return "", err
	}
	const tmpfs = 0x01021994 // statfs(2), TMPFS_MAGIC
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return "", fmt.Errorf("look at %s: %w", dir, err)
	}
	if fs.Type == tmpfs {
		return "", errors.Join(errTmpfs, os.RemoveAll(dir))
	}
	return dir, nil
}

func newLimit(dir string, nodes int) (*limit, error) {
	key, _, err := newKey()
	if err != nil {
		return nil, err
	}
	l := &limit{key: key, digest: sha256.Sum256([]byte("an event"))}
	if l.sig, err = ecdsa.SignASN1(rand.Reader, key, l.digest[:]); err != nil {
		return nil, err
	}
	for i := range nodes {
		f, err := os.Create(filepath.Join(dir, fmt.Sprint("fsync-", i)))
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		l.files = append(l.files, f)
	}
	return l, nil
}

// write is the least for so many writes that come at once: the signature checks of all nodes on
// all processors, then the bytes in the files of all nodes, each synced once, side by side.
func (l *limit) write(writes int) error {
	if err := l.checks(writes * len(l.files)); err != nil {
		return err
	}
	errs := make([]error, len(l.files))
	var wg sync.WaitGroup
	for i, f := range l.files {
		wg.Go(func() {
			_, err := f.Write(make([]byte, writes*eventSize))
			errs[i] = errors.Join(err, f.Sync())
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// checks checks so many signatures on all processors.
func (l *limit) checks(n int) error {
	checks := make(chan struct{}, n)
	for range n {
		checks <- struct{}{}
	}
	close(checks)
	errs := make([]error, min(runtime.NumCPU(), n))
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for range checks {
				if !ecdsa.VerifyASN1(&l.key.PublicKey, l.digest[:], l.sig) {
					errs[w] = errors.New("a good signature was refused")
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// verify is the processor time of one bare signature check.
func (l *limit) verify() (time.Duration, error) {
	const checks = 400
	start, err := ownCPU()
	if err != nil {
		return 0, err
	}
	for range checks {
		if !ecdsa.VerifyASN1(&l.key.PublicKey, l.digest[:], l.sig) {
			return 0, errors.New("a good signature was refused")
		}
	}
	end, err := ownCPU()
	return (end - start) / checks, err
}

func (l *limit) close() error {
	var errs []error
	for _, f := range l.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// ownCPU is the processor time that this process has used.
func ownCPU() (time.Duration, error) {
	var t unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t)
	return time.Duration(t.Nano()), err
}
