package sdjwt

// A Node is one place of the payload as it was issued: with what is selectively
// disclosable marked, and what is not disclosed still counted. Type metadata
// (SD-JWT VC 4.6) is judged against it, because it speaks of positions and of
// claims that a presentation may leave out.
type Node struct {
	// Selective: the place itself is a disclosure, disclosed or not. Being inside
	// one does not count.
	Selective bool
	// Hidden: an array element whose disclosure is not there. It has no value.
	Hidden bool
	// Value is the processed value; nil when Hidden.
	Value any
	// Members are the children of an object, Elements those of an array as issued,
	// hidden ones (and decoys, which cannot be told apart) included.
	Members  map[string]*Node
	Elements []*Node
	// HiddenMembers is the number of digests of an object that have no disclosure
	// here: claims that are not shown, or decoys.
	HiddenMembers int
}

// Tree is the payload as issued, as far as the disclosures show it. Errors: those
// of Claims.
func (t *SDJWT) Tree() (*Node, error) {
	if _, err := t.Claims(); err != nil {
		return nil, err
	}
	b := treeBuilder{byDigest: make(map[string]*Disclosure, len(t.disclosures))}
	for i := range t.disclosures {
		b.byDigest[t.disclosures[i].digest] = &t.disclosures[i]
	}
	root := b.object(t.payload)
	delete(root.Members, claimSDAlg)
	if m, ok := root.Value.(map[string]any); ok {
		delete(m, claimSDAlg)
	}
	return root, nil
}

// A treeBuilder walks a payload that Claims accepted, so that forms are known.
type treeBuilder struct {
	byDigest map[string]*Disclosure
}

func (b treeBuilder) node(v any) *Node {
	switch v := v.(type) {
	case map[string]any:
		return b.object(v)
	case []any:
		return b.array(v)
	default:
		return &Node{Value: v}
	}
}

func (b treeBuilder) object(in map[string]any) *Node {
	n := &Node{Members: make(map[string]*Node, len(in))}
	for name, v := range in {
		if name != claimSD {
			n.Members[name] = b.node(v)
		}
	}
	digests, _ := in[claimSD].([]any)
	for _, e := range digests {
		digest, _ := e.(string)
		d := b.byDigest[digest]
		if d == nil {
			n.HiddenMembers++
			continue
		}
		n.Members[d.Name] = b.node(d.Value)
		n.Members[d.Name].Selective = true
	}
	value := make(map[string]any, len(n.Members))
	for name, m := range n.Members {
		value[name] = m.Value
	}
	n.Value = value
	return n
}

func (b treeBuilder) array(in []any) *Node {
	n := &Node{Elements: make([]*Node, 0, len(in))}
	value := make([]any, 0, len(in))
	for _, e := range in {
		digest, isDigest, _ := elementDigest(e)
		child := &Node{Selective: true, Hidden: true}
		if !isDigest {
			child = b.node(e)
		} else if d := b.byDigest[digest]; d != nil {
			child = b.node(d.Value)
			child.Selective = true
		}
		n.Elements = append(n.Elements, child)
		if !child.Hidden {
			value = append(value, child.Value)
		}
	}
	n.Value = value
	return n
}
