package node

// Checker decides about credentials that somebody shows to this node.
type Checker interface{}
