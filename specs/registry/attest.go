package registry

import (
	"crypto/sha256"
	"sort"
)

// DigestSubject is the subject of digests of the state.
const DigestSubject = "digest"

// digestPause is the least time between two digests in the log: each replica computes them all
// over the whole state, which is much work for one event.
const digestPause = 20 * 3600

// StateDigest is a member's word, checked by every replica, for what the first Size leaves
// amount to. Whoever starts from a copy of the state can hold it against a leaf. A copy whose
// state went astray refuses the leaf: a mirror freezes, a node has another root than the others.
type StateDigest struct {
	Digest string `json:"digest"` // as State.Digest gives it
	Size   uint64 `json:"size"`   // leaves; up to the one before this
}

// DigestRecord is a digest that the log holds.
type DigestRecord struct {
	StateDigest
	At     int64  `json:"at"`
	Event  string `json:"event"`
	Member string `json:"member"`
}

func (d *StateDigest) subject() string { return DigestSubject }

func (d *StateDigest) check() error {
	if !isHash(d.Digest) || d.Size == 0 || d.Size > maxTime {
		return ErrBody.with("a digest is a SHA-256 in hexadecimal over one leaf or more")
	}
	return nil
}

// authoriseDigest: one member, not too often, and the digest is right.
func authoriseDigest(x *step) error {
	d := x.body.(*StateDigest)
	if _, err := x.onlySigner(memberParty); err != nil {
		return err
	}
	last, ok := x.s.attested.get(current, x.s.size)
	switch {
	case d.Size > x.index:
		return ErrTransition.with("a digest is of leaves that are there")
	case ok && d.Size <= last.Size:
		return ErrTransition.with("there is a digest of more leaves")
	case ok && x.now < last.At+digestPause:
		return ErrTransition.with("one digest a day is enough")
	}
	if got := x.s.DigestAt(d.Size); got != d.Digest {
		return ErrDigest.with("after %d leaves the digest here is %s", d.Size, got)
	}
	return nil
}

func enactDigest(x *step) error {
	member, err := x.onlySigner(memberParty)
	if err != nil {
		return err
	}
	put(x, &x.s.attested, current, DigestRecord{StateDigest: *x.body.(*StateDigest), At: x.now, Event: x.id, Member: member})
	return nil
}

// DigestAt is what [State.Digest] was after the first size leaves; of more leaves than there are
// it is the newest.
func (s *State) DigestAt(size uint64) string {
	s.digest.Lock()
	defer s.digest.Unlock()
	size = min(size, s.size)
	if s.kept != nil {
		return s.digestKept(size)
	}
	rows := map[string][sha256.Size]byte{}
	for _, st := range s.stores() {
		st.digests(rows, size)
	}
	rows[logRow] = logChain(s.genesis, size, s.logTimeAt(size))
	return merkle(rows)
}

// logTimeAt is the stamp of the last of the first size leaves.
func (s *State) logTimeAt(size uint64) int64 {
	if size == s.size {
		return s.logTime
	}
	for _, rows := range s.events.rows {
		if rows[0].Leaf+1 == size { // one event, one leaf
			return rows[0].Value
		}
	}
	return 0
}

// upTo is how many of the versions of a row the first size leaves brought.
func upTo[T any](rows []version[T], size uint64) int {
	return sort.Search(len(rows), func(i int) bool { return rows[i].Leaf >= size })
}
