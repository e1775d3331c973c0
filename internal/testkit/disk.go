package testkit

import (
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
)

// Disk is a disk in memory that forgets what was not synced when the power fails, and whose
// power fails at a step that the test names. Each write, sync, creation and deletion is a
// step. After the power failed everything still seems to work, so that a program under test
// can be stopped in good order, but nothing reaches the disk any more: a test counts no
// answer that was given while [Disk.Off] says so.
type Disk struct {
	mu     sync.Mutex
	now    map[string]*buffer
	kept   map[string][]byte // what survives
	steps  int
	stopAt int // 0: never
	off    bool
	lies   bool
}

type buffer struct {
	data     []byte
	unsynced []write
}

type write struct {
	at   int64
	data []byte
}

// NewDisk is an empty disk.
func NewDisk() *Disk { return &Disk{now: map[string]*buffer{}, kept: map[string][]byte{}} }

// StopAt lets the power fail at the n-th step from now on; that step does not happen any more.
func (d *Disk) StopAt(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.steps, d.stopAt = 0, n
}

// Lie makes the disk say that it synced without doing so.
func (d *Disk) Lie() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lies = true
}

// Off says whether the power failed.
func (d *Disk) Off() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.off
}

// Step counts something else that a machine does to its disk, and says whether it reaches it.
func (d *Disk) Step() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.step()
}

func (d *Disk) step() bool {
	if d.steps++; d.stopAt > 0 && d.steps >= d.stopAt {
		d.off = true
	}
	return !d.off
}

// PowerCut forgets what was not synced and switches the power on again. With randomness, some
// of what was not synced survives all the same, in any order, and cut off in the middle, as on
// a real disk. It says whether the power had failed by itself.
func (d *Disk) PowerCut(random *rand.Rand) (failed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if random != nil {
		for _, name := range slices.Sorted(maps.Keys(d.now)) {
			d.tear(name, random)
		}
	}
	failed, d.off, d.stopAt, d.lies = d.off, false, 0, false
	d.now = map[string]*buffer{}
	for name, data := range d.kept {
		d.now[name] = &buffer{data: slices.Clone(data)}
	}
	return failed
}

// tear keeps some of the unsynced writes of a file.
func (d *Disk) tear(name string, random *rand.Rand) {
	data, made := d.kept[name]
	if !made && random.IntN(2) == 0 {
		return // not even its name
	}
	for _, w := range d.now[name].unsynced {
		if random.IntN(2) == 0 {
			data = splice(data, w.at, w.data[:random.IntN(len(w.data)+1)])
		}
	}
	d.kept[name] = data
}

func splice(data []byte, at int64, piece []byte) []byte {
	if end := int(at) + len(piece); end > len(data) {
		data = append(data, make([]byte, end-len(data))...)
	}
	copy(data[at:], piece)
	return data
}

// Wipe empties the disk.
func (d *Disk) Wipe() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = map[string]*buffer{}
	if d.step() {
		d.kept = map[string][]byte{}
	}
}

// List are the names of the files, sorted.
func (d *Disk) List() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.now))
}

// Create makes a file with room of so many zeros; its name survives from its first Sync on.
func (d *Disk) Create(name string, room int) (*DiskFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now[name] != nil {
		return nil, fs.ErrExist
	}
	d.step()
	d.now[name] = &buffer{data: make([]byte, room)}
	return &DiskFile{d, name, d.now[name]}, nil
}

// Open opens a file for reading and writing.
func (d *Disk) Open(name string) (*DiskFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if b := d.now[name]; b != nil {
		return &DiskFile{d, name, b}, nil
	}
	return nil, fs.ErrNotExist
}

// Delete removes a file for good.
func (d *Disk) Delete(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.now, name)
	if d.step() {
		delete(d.kept, name)
	}
	return nil
}

// DiskFile is an open file of a [Disk].
type DiskFile struct {
	d    *Disk
	name string
	b    *buffer
}

// ReadAt implements io.ReaderAt.
func (f *DiskFile) ReadAt(p []byte, at int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if at >= int64(len(f.b.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.b.data[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements io.WriterAt.
func (f *DiskFile) WriteAt(p []byte, at int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	on := f.d.step()
	f.b.data = splice(f.b.data, at, p)
	if on {
		f.b.unsynced = append(f.b.unsynced, write{at, slices.Clone(p)})
	}
	return len(p), nil
}

// Sync makes what was written survive.
func (f *DiskFile) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.step() && !f.d.lies && f.d.now[f.name] == f.b {
		f.d.kept[f.name], f.b.unsynced = slices.Clone(f.b.data), nil
	}
	return nil
}

// Close closes the file; that writes nothing.
func (f *DiskFile) Close() error { return nil }
