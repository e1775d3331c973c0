package registry

import "crypto/sha256"

// maxGood bounds how many signatures are remembered as good.
const maxGood = 8192

// good are signatures that [Check] found to be good and that [Apply] has not met since: a node
// looks at an event before it orders it, and checking a signature is most of the work. Only that
// a signature fits a key and an event is remembered, under a hash of the three; who may sign
// with which key is judged anew. Digests and rows know nothing of it.
type good map[[sha256.Size]byte]struct{}

// goodKey is the hash under which it is remembered that key made this signature of an event.
// All three have one length each.
func goodKey(id string, key PublicKey, signature string) [sha256.Size]byte {
	var buf [512]byte
	text := append(append(append(buf[:0], id...), key...), signature...)
	return sha256.Sum256(text)
}

// take says whether the signature was remembered, and forgets it.
func (g good) take(k [sha256.Size]byte) bool {
	_, ok := g[k]
	delete(g, k)
	return ok
}

func (g good) put(k [sha256.Size]byte) {
	if g == nil {
		return // of a state that only answers questions
	}
	if len(g) >= maxGood { // events that were looked at and never came
		clear(g)
	}
	g[k] = struct{}{}
}
