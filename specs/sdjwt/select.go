package sdjwt

// A DisclosedAt says where a disclosure stands in the processed payload.
type DisclosedAt struct {
	// Path is the claims path: a string for an object member, an int for an
	// element of the processed array.
	Path []any
	// Value is the processed value: what a verifier would read there.
	Value any
	// Parent is the index, in the answer of Disclosable, of the disclosure that
	// holds the digest of this one; -1 when the issuer-signed JWT holds it.
	Parent     int
	Disclosure *Disclosure
}

// Disclosable lists the disclosures of t with their places; a parent comes
// before its children. The values are shared and must not be changed. Errors:
// those of Claims.
func (t *SDJWT) Disclosable() ([]DisclosedAt, error) {
	places := make([]place, 0, len(t.disclosures))
	if _, err := t.process(&places); err != nil {
		return nil, err
	}
	out := make([]DisclosedAt, len(places))
	for i, p := range places {
		out[i] = DisclosedAt{Path: p.path, Value: p.value, Parent: p.parent, Disclosure: &t.disclosures[p.disclosure]}
	}
	return out, nil
}

// Select is t with only the disclosures for which keep says yes, and those that
// hold their digests: "the hash of the Disclosure is contained in the claim value
// of another selected Disclosure" (RFC 9901 7.2). It keeps their order and drops
// any key binding, which covers other disclosures. Path and value are those of
// DisclosedAt.
func (t *SDJWT) Select(keep func(path []any, value any) bool) (*SDJWT, error) {
	places := make([]place, 0, len(t.disclosures))
	if _, err := t.process(&places); err != nil {
		return nil, err
	}
	chosen := make([]bool, len(t.disclosures))
	for i := range places {
		if !keep(places[i].path, places[i].value) {
			continue
		}
		for j := i; j >= 0; j = places[j].parent {
			chosen[places[j].disclosure] = true
		}
	}
	u := t.WithoutKeyBinding()
	u.disclosures, u.compact = nil, ""
	for i, yes := range chosen {
		if yes {
			u.disclosures = append(u.disclosures, t.disclosures[i])
		}
	}
	return u, nil
}
