package node

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"paspoort.example/paspoort/internal/kv"
)

// A dump is all rows of a node's store at one moment: leaves, tiles, raft's index in them, what
// became of refused events, checkpoints and payloads. It holds no key of the node. What it does
// hold can be verified by whoever knows the region's id, except the payloads of one-person
// firms, which are personal: a dump travels and rests sealed.
//
// The form: the line below; for each row two lengths of 4 bytes, big endian, then key and
// value; at the end a row without a key, so that one that was cut off is known.
const dumpMagic = "paspoort-node-dump/v1\n"

// ErrDump: not a dump, or one that was cut off.
var ErrDump = errors.New("not a whole dump of a node")

const (
	maxDumpValue = 16 << 20 // far above any row
	loadBatch    = 1 << 20  // bytes of rows in one transaction
)

// Dump writes the store of a running node.
func (n *Node) Dump(w io.Writer) error { return dumpStore(n.store, w) }

// DumpFolder writes the store in the data folder of a node that does not run. It fails with
// kv.ErrInUse when it does.
func DumpFolder(dir string, w io.Writer) (err error) {
	store, err := openFolder(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return dumpStore(store, w)
}

// openFolder opens the store of a folder that has one.
func openFolder(dir string) (kv.Store, error) {
	path := filepath.Join(dir, dirStore)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%s is not the data folder of a node: %w", dir, err)
	}
	store, err := kv.OpenBadger(path, kv.Options{})
	if err != nil {
		return nil, err
	}
	if err := kv.CheckFormat(store, storeName, storeFormat); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// leftOut are rows that can be fetched or made again: status lists belong to nobody's memory, and
// whoever restores a dump replays its leaves.
func leftOut(key []byte) bool {
	return bytes.HasPrefix(key, []byte("status/")) || bytes.HasPrefix(key, []byte(prefixRow))
}

func dumpStore(store kv.Store, w io.Writer) error {
	out := bufio.NewWriter(w)
	out.WriteString(dumpMagic)
	err := store.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(key, value []byte) error {
			if leftOut(key) {
				return nil
			}
			return writeRow(out, key, value)
		})
	})
	if err == nil {
		err = writeRow(out, nil, nil)
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	return nil
}

func writeRow(out *bufio.Writer, key, value []byte) error {
	var lengths [8]byte
	binary.BigEndian.PutUint32(lengths[:4], uint32(len(key)))
	binary.BigEndian.PutUint32(lengths[4:], uint32(len(value)))
	for _, part := range [][]byte{lengths[:], key, value} {
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// loadDump puts the rows of a dump into an empty store. It believes nothing that is in them:
// see openMachine.
func loadDump(store kv.Store, r io.Reader) error {
	in := bufio.NewReader(r)
	magic := make([]byte, len(dumpMagic))
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != dumpMagic {
		return ErrDump
	}
	for done := false; !done; {
		err := store.Update(func(tx kv.Tx) error {
			for size := 0; size < loadBatch; {
				key, value, err := readRow(in)
				if err != nil {
					return err
				}
				if done = len(key) == 0; done {
					return nil
				}
				if leftOut(key) { // nobody wrote it here who believed nothing
					continue
				}
				if err := tx.Set(key, value); err != nil {
					return err
				}
				size += len(key) + len(value)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("load dump: %w", err)
		}
	}
	return nil
}

func readRow(in io.Reader) (key, value []byte, err error) {
	var lengths [8]byte
	if _, err := io.ReadFull(in, lengths[:]); err != nil {
		return nil, nil, ErrDump
	}
	k, v := binary.BigEndian.Uint32(lengths[:4]), binary.BigEndian.Uint32(lengths[4:])
	if k > kv.MaxKey || v > maxDumpValue {
		return nil, nil, ErrDump
	}
	row := make([]byte, k+v)
	if _, err := io.ReadFull(in, row); err != nil {
		return nil, nil, ErrDump
	}
	return row[:k], row[k:], nil
}

// Restore makes a data folder out of a dump. The node that starts on it comes back under a new
// raft id, without a vote until it has caught up, and signs nothing before it asked the others
// what it signed last (D6): a dump is always older than the disk that was lost.
func Restore(dir string, dump io.Reader) error {
	if err := emptyFolder(dir); err != nil {
		return err
	}
	return restore(dir, dump)
}

func restore(dir string, dump io.Reader) (err error) {
	store, err := kv.OpenBadger(filepath.Join(dir, dirStore), kv.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := loadDump(store, dump); err != nil {
		return err
	}
	if err := kv.CheckFormat(store, storeName, storeFormat); err != nil {
		return err
	}
	if err := kv.Sync(store); err != nil {
		return err
	}
	return folder{dir: dir}.saveMembers(members{Joined: true, Forgot: true})
}

// emptyFolder makes dir, and refuses one in which something is: nothing is overwritten.
func emptyFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty: move away what is in it, or choose another folder", dir)
	}
	return err
}
