package sdjwt

import "fmt"

// Claims is the Processed SD-JWT Payload (RFC 9901 7.1 steps 3 to 5): every
// disclosure put in its place, all digests removed. Each call builds a new map,
// which the caller may change. Time claims are the business of CheckTimes, step 6.
//
// Errors: ErrDisclosure, ErrReservedName, ErrClaimExists, ErrDuplicateDigest,
// ErrUnreferenced, ErrTooLarge.
func (t *SDJWT) Claims() (map[string]any, error) {
	claims, err := t.process(nil)
	return claims, err
}

// process does steps 3 to 5. When places is not nil, it also notes where each
// disclosure stands.
func (t *SDJWT) process(places *[]place) (map[string]any, error) {
	p := processor{
		disclosures: t.disclosures,
		digests:     make(map[string]int, 2*len(t.disclosures)+8),
		places:      places,
	}
	for i := range t.disclosures {
		d := t.disclosures[i].digest
		if _, dup := p.digests[d]; dup {
			// The same disclosure twice: only one of the two can be referenced (step 5),
			// and a holder MUST NOT send one more than once (section 4).
			return nil, fmt.Errorf("%w: the same disclosure twice", ErrDuplicateDigest)
		}
		p.digests[d] = i
	}
	claims, err := p.object(t.payload, nil, -1, 0)
	if err != nil {
		return nil, err
	}
	delete(claims, claimSDAlg) // step 3.f
	if p.used != len(t.disclosures) {
		return nil, ErrUnreferenced // step 5
	}
	return claims, nil
}

// A place is where a disclosure stands in the processed payload.
type place struct {
	disclosure int   // index in disclosures
	parent     int   // index in places of the disclosure it stands in, or -1
	path       []any // string for a member, int for an element
	value      any   // processed
}

// A processor walks a payload once.
type processor struct {
	disclosures []Disclosure
	digests     map[string]int // index of a disclosure not met yet, or met
	used        int            // disclosures met
	places      *[]place
}

// met marks in digests what was encountered already, with or without a
// disclosure.
const met = -1

// take finds the disclosure for an embedded digest (step 3.c.i). nil means that
// there is none and the digest is to be ignored.
func (p *processor) take(digest string) (*Disclosure, int, error) {
	i, known := p.digests[digest]
	p.digests[digest] = met
	switch {
	case !known:
		return nil, 0, nil
	case i == met:
		// Step 4: "If any digest value is encountered more than once in the
		// Issuer-signed JWT payload (directly or recursively via other Disclosures),
		// the SD-JWT MUST be rejected."
		return nil, 0, ErrDuplicateDigest
	}
	p.used++
	return &p.disclosures[i], i, nil
}

// value processes any JSON value found at path inside the disclosure that
// parent names.
func (p *processor) value(v any, path []any, parent, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrTooLarge, MaxDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v[claimSDAlg]; ok {
			// 4.1.1: "It MUST NOT be used in any object nested within the payload."
			return nil, fmt.Errorf("%w: nested %s", ErrReservedName, claimSDAlg)
		}
		return p.object(v, path, parent, depth)
	case []any:
		return p.array(v, path, parent, depth)
	default:
		return v, nil
	}
}

func (p *processor) object(in map[string]any, path []any, parent, depth int) (map[string]any, error) {
	size := len(in)
	if list, ok := in[claimSD].([]any); ok {
		size += min(len(list), len(p.disclosures)) - 1
	}
	out := make(map[string]any, size)
	for name, v := range in {
		switch name {
		case claimSD:
			continue
		case claimEllipsis: // 4.1 rule 7: only as the single member of an array element
			return nil, fmt.Errorf("%w: %s in an object", ErrReservedName, claimEllipsis)
		}
		v, err := p.value(v, extend(p, path, name), parent, depth+1)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	embedded, ok := in[claimSD]
	if !ok {
		return out, nil
	}
	// Step 3.b.i: "an _sd key that refers to an array of strings"; anything else
	// is against 4.1 rule 7.
	digests, ok := embedded.([]any)
	if !ok {
		return nil, fmt.Errorf("%w: %s is no array", ErrReservedName, claimSD)
	}
	for _, e := range digests {
		digest, ok := e.(string)
		if !ok {
			return nil, fmt.Errorf("%w: %s holds what is no string", ErrReservedName, claimSD)
		}
		if err := p.member(out, digest, path, parent, depth); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// member inserts the claim that a digest in _sd stands for (step 3.c.ii).
func (p *processor) member(out map[string]any, digest string, path []any, parent, depth int) error {
	d, i, err := p.take(digest)
	if d == nil {
		return err
	}
	if d.Element { // 3.c.ii.1
		return fmt.Errorf("%w: two elements for an object member", ErrDisclosure)
	}
	// 3.c.ii.2 names _sd and ...; a disclosed _sd_alg would be removed again at the
	// top and is forbidden below it (4.1.1), so it is refused at once.
	switch d.Name {
	case claimSD, claimEllipsis, claimSDAlg:
		return fmt.Errorf("%w: disclosed %s", ErrReservedName, d.Name)
	}
	if _, exists := out[d.Name]; exists { // 3.c.ii.3
		return ErrClaimExists
	}
	v, err := p.disclosed(d, i, extend(p, path, d.Name), parent, depth)
	if err != nil {
		return err
	}
	out[d.Name] = v
	return nil
}

func (p *processor) array(in []any, path []any, parent, depth int) ([]any, error) {
	out := make([]any, 0, len(in))
	for _, e := range in {
		digest, isDigest, err := elementDigest(e)
		if err != nil {
			return nil, err
		}
		at := extend(p, path, len(out))
		if !isDigest {
			v, err := p.value(e, at, parent, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
			continue
		}
		d, i, err := p.take(digest)
		if err != nil {
			return nil, err
		}
		if d == nil { // step 3.d: remove elements whose digest was not found
			continue
		}
		if !d.Element { // 3.c.iii.1
			return nil, fmt.Errorf("%w: three elements for an array element", ErrDisclosure)
		}
		v, err := p.disclosed(d, i, at, parent, depth)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// elementDigest recognises "array elements that are objects with one key, that
// key being ... and referring to a string" (3.b.ii). Any other use of ... is
// against 4.1 rule 7.
func elementDigest(e any) (digest string, ok bool, err error) {
	m, isObject := e.(map[string]any)
	if !isObject {
		return "", false, nil
	}
	v, has := m[claimEllipsis]
	if !has {
		return "", false, nil
	}
	digest, isString := v.(string)
	if !isString || len(m) != 1 {
		return "", false, fmt.Errorf("%w: %s in an array element", ErrReservedName, claimEllipsis)
	}
	return digest, true, nil
}

// disclosed processes the value of disclosure i, which stands at path (steps
// 3.c.ii.5 and 3.c.iii.3).
func (p *processor) disclosed(d *Disclosure, i int, path []any, parent, depth int) (any, error) {
	if p.places == nil {
		return p.value(d.Value, nil, parent, depth+1)
	}
	self := len(*p.places)
	*p.places = append(*p.places, place{disclosure: i, parent: parent, path: path})
	v, err := p.value(d.Value, path, self, depth+1)
	(*p.places)[self].value = v
	return v, err
}

// extend is path with one more step, or nil when nobody asked for places.
func extend[Step string | int](p *processor, path []any, step Step) []any {
	if p.places == nil {
		return nil
	}
	return append(path[:len(path):len(path)], step)
}
