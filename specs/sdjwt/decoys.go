package sdjwt

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Decoys is so many decoy digests (RFC 9901 4.2.5) in one place, for an issuer
// that hides how many claims there are: as the member "_sd" of an object they join
// the digests of that object, as an element of an array they stand in its place.
// Put them behind the other elements: there are wallets that count places in the
// array as it was signed, and choose another element when decoys stand before it.
type Decoys int

// MarshalJSON refuses, for the reason that SD does.
func (Decoys) MarshalJSON() ([]byte, error) {
	return nil, errors.New("sdjwt.Decoys inside a type that Issue does not walk")
}

// decoyPositions says how many decoys of the options stand before each element,
// and behind the last. An array without marks gets none.
func (w *issuance) decoyPositions(in []any) (map[int]int, error) {
	if w.decoys == 0 || !hidesElements(in) {
		return nil, nil
	}
	at := make(map[int]int)
	for range w.decoys {
		i, err := w.below(len(in) + 1)
		if err != nil {
			return nil, err
		}
		at[i]++
	}
	return at, nil
}

func hidesElements(in []any) bool {
	return slices.ContainsFunc(in, func(v any) bool { _, ok := v.(SD); return ok })
}

// elementDecoys appends n decoys as elements.
func (w *issuance) elementDecoys(dst []byte, n int) ([]byte, error) {
	if n < 0 || n > MaxDisclosures {
		return nil, fmt.Errorf("%w: %d decoys", ErrTooLarge, n)
	}
	for range n {
		decoy, err := w.decoy()
		if err != nil {
			return nil, err
		}
		dst = appendElementDigest(dst, decoy)
	}
	return dst, nil
}

// decoy is "a hash over a cryptographically secure random number" (4.2.5); so
// many random bits of the same length cannot be told from one.
func (w *issuance) decoy() (string, error) {
	random, err := w.random(w.alg.size())
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(random), nil
}

// below is a random number in [0, n) for n up to MaxDisclosures: the remainder
// of 32 random bits, whose bias (under 2^-20) only concerns where a decoy stands.
func (w *issuance) below(n int) (int, error) {
	b, err := w.random(placeSize)
	if err != nil {
		return 0, err
	}
	x := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
	return int(x % uint32(n)), nil
}

// placeSize is what below takes.
const placeSize = 4

// need is how many random bytes the claims take. What is too deep or too much
// counts for nothing here and is refused when it is written.
func (w *issuance) need(v any, depth int) (n int) {
	if depth > MaxDepth {
		return 0
	}
	switch v := v.(type) {
	case map[string]any:
		decoys, marked := 0, false
		for _, member := range v {
			switch member := member.(type) {
			case Decoys:
				decoys += int(member)
			case SD:
				marked = true
				n += saltSize + w.need(member.Value, depth+1)
			default:
				n += w.need(member, depth+1)
			}
		}
		if marked {
			decoys += w.decoys
		}
		n += decoys * w.alg.size()
	case []any:
		if hidesElements(v) {
			n += w.decoys * (w.alg.size() + placeSize)
		}
		for _, e := range v {
			switch e := e.(type) {
			case Decoys:
				n += int(e) * w.alg.size()
			case SD:
				n += saltSize + w.need(e.Value, depth+1)
			default:
				n += w.need(e, depth+1)
			}
		}
	}
	return n
}

// maxAhead bounds what is read ahead at once.
const maxAhead = 1 << 16

// random takes n bytes, reading all that the token needs at once.
func (w *issuance) random(n int) ([]byte, error) {
	if len(w.pool) < n {
		w.pool = make([]byte, max(n, min(w.ahead, maxAhead)))
		w.ahead -= len(w.pool)
		if _, err := io.ReadFull(w.rand, w.pool); err != nil {
			return nil, fmt.Errorf("random bytes: %w", err)
		}
	}
	b := w.pool[:n]
	w.pool = w.pool[n:]
	return b, nil
}
