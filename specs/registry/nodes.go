package registry

import (
	"slices"
)

func (n *NodeChange) subject() string {
	if n.Node != nil {
		return NodeSubject(n.Node.ID)
	}
	return NodeSubject(n.ID)
}

func (a *AnchorChange) subject() string {
	if a.Anchor != nil {
		return anchorSubject + a.Anchor.Fingerprint
	}
	return anchorSubject + a.Fingerprint
}

func (n *NodeChange) check() error {
	if (n.Node == nil) != isSlug(n.ID) || n.Node != nil && n.Keys != nil || n.CompromisedSince < 0 ||
		n.CompromisedSince != 0 && n.Keys == nil {
		return ErrBody.with("a change of nodes brings a node, or names one and may bring keys")
	}
	if n.Node != nil {
		if err := n.Node.check(); err != nil {
			return err
		}
	}
	if n.Keys != nil && *n.Keys == (NodeKeys{}) {
		return ErrBody.with("no key is changed")
	}
	return checkText("reason", n.Reason, 2000)
}

// checkUnder: before version 3 nodes signed nothing for OpenID Federation.
func (n *NodeChange) checkUnder(rules int) error {
	return onlyUnder(3, rules, n.Node != nil && n.Node.FederationKey != "" || n.Keys != nil && n.Keys.Federation != "")
}

func (a *AnchorChange) check() error {
	if (a.Anchor == nil) != isHash(a.Fingerprint) {
		return ErrBody.with("a change of anchors brings one or names one")
	}
	if a.Anchor != nil {
		if err := a.Anchor.check(); err != nil {
			return err
		}
	}
	return checkText("reason", a.Reason, 2000)
}

// activeNodes lists the nodes of the region, sorted by id.
func (s *State) activeNodes() []NodeRecord {
	var out []NodeRecord
	for _, id := range s.nodes.keys(s.size) {
		if n, _ := s.nodes.get(id, s.size); n.Removed == 0 {
			out = append(out, n)
		}
	}
	return out
}

func (x *step) addNode(n Node) {
	put(x, &x.s.nodes, n.ID, NodeRecord{Node: n, Keys: []NodeKeyPeriod{{NodeKeys: n.keys(), From: x.now}}, Since: x.now})
	put(x, &x.s.heads, NodeSubject(n.ID), x.id)
	x.effect.Nodes = true
}

// putPolicy notes from which size on which nodes make a checkpoint count (D7).
func (x *step) putPolicy() {
	var nodes []PolicyNode
	for _, n := range x.s.activeNodes() {
		nodes = append(nodes, PolicyNode{Cosigner: n.CosignerKey, ID: n.ID, Log: n.LogKey})
	}
	if last, ok := x.s.policies.get(current, x.s.size); !ok || !slices.Equal(last.Nodes, nodes) {
		put(x, &x.s.policies, current, PolicyRecord{Nodes: nodes, Size: x.index + 1})
	}
}

func enactNode(x *step) error {
	change := x.body.(*NodeChange)
	var err error
	switch x.leaf.Event.Kind {
	case KindNodeAdded:
		err = x.nodeAdded(change)
	case KindNodeRemoved:
		err = x.nodeRemoved(change)
	default:
		err = x.nodeKeys(change)
	}
	if err != nil {
		return err
	}
	x.effect.Nodes = true
	x.putPolicy()
	return nil
}

func (x *step) nodeAdded(change *NodeChange) error {
	if change.Node == nil {
		return ErrBody.with("the node is missing")
	}
	n := *change.Node
	if old, ok := x.s.nodes.get(n.ID, x.s.size); ok && old.Removed == 0 {
		return ErrTaken.with("there is a node with this id")
	}
	operator, ok := x.s.members.get(n.Operator, x.s.size)
	if !ok || operator.Removed != 0 {
		return ErrUnknown.with("the operator is no member")
	}
	if err := x.nodeClaims(n); err != nil {
		return err
	}
	x.addNode(n)
	return nil
}

// nodeClaims refuses a node whose keys or address another one has or had.
func (x *step) nodeClaims(n Node) error {
	var seen unique
	for _, id := range x.s.nodes.keys(x.s.size) {
		old, _ := x.s.nodes.get(id, x.s.size)
		for _, k := range old.Keys {
			for _, claim := range k.list() {
				if slices.Contains(n.keys().list(), claim) && !(id == n.ID && old.Removed == 0) {
					seen.twice = claim
				}
			}
		}
		if old.Removed == 0 && id != n.ID && (old.URL == n.URL || old.RaftAddress == n.RaftAddress) {
			seen.twice = "address"
		}
	}
	if seen.twice != "" {
		return ErrTaken.with("another node has or had a key or address of this one")
	}
	for _, w := range x.s.View().Witnesses() {
		if w.Key == n.CosignerKey || w.Key == n.LogKey {
			return ErrTaken.with("witness %s has a key of this node", w.ID)
		}
	}
	return nil
}

// list is all keys that are there.
func (k NodeKeys) list() []string {
	out := []string{k.Cosigner, k.Log, k.TLS, string(k.Timestamp)}
	if k.Federation != "" {
		out = append(out, string(k.Federation))
	}
	return out
}

func (x *step) nodeRemoved(change *NodeChange) error {
	n, ok := x.s.nodes.get(change.ID, x.s.size)
	if !ok || n.Removed != 0 || change.Keys != nil {
		return ErrUnknown.with("no such node to remove")
	}
	if len(x.s.activeNodes()) == 1 {
		return ErrUnreachable.with("the last node cannot be removed")
	}
	n.Removed = x.now
	n.Keys = slices.Clone(n.Keys)
	n.Keys[len(n.Keys)-1].Until = x.now
	put(x, &x.s.nodes, n.ID, n)
	return nil
}

func (x *step) nodeKeys(change *NodeChange) error {
	n, ok := x.s.nodes.get(change.ID, x.s.size)
	if !ok || n.Removed != 0 || change.Keys == nil {
		return ErrUnknown.with("no such node, or no keys for it")
	}
	if change.CompromisedSince > x.now {
		return ErrBody.with("a key is not stolen in the future")
	}
	set := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	set(&n.CosignerKey, change.Keys.Cosigner)
	set(&n.LogKey, change.Keys.Log)
	set(&n.TLSKey, change.Keys.TLS)
	if change.Keys.Timestamp != "" {
		n.TimestampKey = change.Keys.Timestamp
	}
	if change.Keys.Federation != "" {
		n.FederationKey = change.Keys.Federation
	}
	if err := n.Node.check(); err != nil {
		return err
	}
	if err := x.nodeClaims(n.Node); err != nil {
		return err
	}
	n.Keys = slices.Clone(n.Keys)
	last := &n.Keys[len(n.Keys)-1]
	last.Until, last.CompromisedSince = x.now, change.CompromisedSince
	n.Keys = append(n.Keys, NodeKeyPeriod{From: x.now, NodeKeys: n.keys()})
	put(x, &x.s.nodes, n.ID, n)
	return nil
}

func enactAnchor(x *step) error {
	change := x.body.(*AnchorChange)
	if x.leaf.Event.Kind == KindAnchorAdded {
		if change.Anchor == nil {
			return ErrBody.with("the anchor is missing")
		}
		if _, ok := x.s.anchors.get(change.Anchor.Fingerprint, x.s.size); ok {
			return ErrTaken.with("the anchor is or was there")
		}
		operator, ok := x.s.members.get(change.Anchor.Operator, x.s.size)
		if !ok || operator.Removed != 0 {
			return ErrUnknown.with("the operator is no member")
		}
		put(x, &x.s.anchors, change.Anchor.Fingerprint, AnchorRecord{Anchor: *change.Anchor, Since: x.now})
		return nil
	}
	a, ok := x.s.anchors.get(change.Fingerprint, x.s.size)
	if !ok || a.Removed != 0 {
		return ErrUnknown.with("no such anchor to remove")
	}
	a.Removed = x.now
	put(x, &x.s.anchors, a.Fingerprint, a)
	return nil
}
