package evidence

import (
	"errors"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// Health is how following a region goes.
type Health struct {
	Asked    time.Time // when its nodes were last asked; zero: not since the start
	Answered time.Time // when one, or a mirror, last gave a checkpoint that counts; zero: not since the start
	// Code is empty when all is well, else one of the codes below or of the doubts of package
	// paspoort.
	Code string
	// Err is what the last round ended with, when nothing good came of it.
	Err error
	// Lied is what a node said in the last round that does not check, beside others that were
	// in order.
	Lied error
	Fork *Fork
}

// Codes of [Health], beside paspoort.DoubtForked and its like.
const (
	RegionDown    = "region_down" // none of its nodes answers
	RegionDamaged = "damaged"     // the copy on this disk cannot be read, or is not what was signed
	RegionLies    = "region_lies" // what comes does not check: it is not signed as it should be, or not what was signed
)

// Health tells how following goes.
func (f *Follower) Health() Health {
	doubt := f.doubt()
	f.told.RLock()
	defer f.told.RUnlock()
	h := f.health
	h.Fork = f.fork
	if doubt != "" {
		h.Code = doubt
	}
	if err := f.damaged(); err != nil {
		h.Code, h.Err = RegionDamaged, err
	}
	return h
}

// doubt is why the copy is not to be relied on.
func (f *Follower) doubt() string {
	f.told.RLock()
	defer f.told.RUnlock()
	switch {
	case f.fork != nil:
		return paspoort.DoubtForked
	case f.frozen == nil:
		return ""
	case errors.Is(f.frozen, registry.ErrNewer):
		return paspoort.DoubtNewer
	}
	return paspoort.DoubtFrozen
}

// lie says whether an error is about what a source said, and not about reaching it.
func lie(err error) bool {
	for _, wrong := range []error{
		registry.ErrCheckpoint, registry.ErrRoot, registry.ErrRegion, registry.ErrGenesis, registry.ErrHandover,
		registry.ErrResponse, registry.ErrMalformed, registry.ErrSignature, ErrForked, errLeaves,
	} {
		if errors.Is(err, wrong) {
			return true
		}
	}
	return false
}

// note remembers how a round went: whether anything good came of it, and whether that was from
// one of the region's own nodes. Who has the word of mirrors only still knows that the region
// is away.
func (f *Follower) note(good, own bool, errs []error) {
	f.told.Lock()
	defer f.told.Unlock()
	f.health.Asked, f.health.Code, f.health.Err, f.health.Lied = f.config.Clock(), "", nil, nil
	for _, err := range errs {
		if lie(err) {
			f.health.Lied = err
		}
		if errors.Is(err, registry.ErrFrozen) {
			f.frozen = err
		}
	}
	if good {
		f.health.Answered = f.health.Asked
	} else {
		f.health.Err = errors.Join(errs...)
	}
	switch {
	case own:
	case f.health.Lied != nil:
		f.health.Code = RegionLies
	default:
		f.health.Code = RegionDown
	}
}
