package tlog

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Limits on a policy file. tlog-policy recommends support for at least 32 of each.
const (
	MaxPolicy      = 256 << 10
	maxPolicyNames = 1024
)

// Sentinels of policies.
var (
	ErrPolicy = errors.New("malformed policy")
	// ErrNoLog says that no log of the policy signed the checkpoint.
	ErrNoLog = errors.New("checkpoint is not signed by a log of the policy")
	// ErrQuorum says that too few witnesses of the policy cosigned.
	ErrQuorum = errors.New("checkpoint is not cosigned by a quorum")
)

// Policy is a parsed tlog-policy: which logs are accepted and which sets of witnesses
// suffice. Build one with [ParsePolicy]; write one with fmt from vkeys.
type Policy struct {
	Logs      []VerifierKey
	Witnesses []Witness
	groups    map[string]group
	quorum    string // a witness, a group, or "none"
}

// Witness is a named cosigner of a policy.
type Witness struct {
	Name string // meaningful within the policy only
	Key  VerifierKey
	URL  string
}

type group struct {
	threshold int
	members   []string
}

// Seen is what a policy concludes from a checkpoint note that satisfies it.
type Seen struct {
	Checkpoint   Checkpoint
	Log          VerifierKey          // the log key that signed
	Cosignatures map[string]time.Time // witness name in the policy -> when it cosigned
	oldest       time.Time
}

// Freshest is the oldest time in the freshest set of cosignatures that satisfies the
// quorum: "at this moment a whole quorum still stood behind this tree". Zero for a
// policy without witnesses.
func (s *Seen) Freshest() time.Time { return s.oldest }

// ParsePolicy reads a policy file. It fails with [ErrPolicy] and the line number.
func ParsePolicy(data []byte) (*Policy, error) {
	if len(data) > MaxPolicy {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrPolicy, MaxPolicy)
	}
	// "the allowed octet values are 0x09 (tab), 0x0A (newline), 0x20-0x7E, and 0x80-0xFF"
	for _, b := range data {
		if b < 0x20 && b != '\t' && b != '\n' || b == 0x7f {
			return nil, fmt.Errorf("%w: control character 0x%02x", ErrPolicy, b)
		}
	}
	if len(data) > 0 && data[len(data)-1] != '\n' { // "each line is terminated by ASCII newline"
		return nil, fmt.Errorf("%w: last line is not terminated", ErrPolicy)
	}
	b := policyBuilder{p: &Policy{groups: map[string]group{}}, names: map[string]bool{"none": true}, member: map[string]bool{}}
	for n, line := range bytes.Split(data, []byte("\n")) {
		if err := b.line(fieldsOf(string(line))); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrPolicy, n+1, err)
		}
	}
	if b.p.quorum == "" { // "A policy file must include exactly one quorum line."
		return nil, fmt.Errorf("%w: no quorum line", ErrPolicy)
	}
	return b.p, nil
}

// fieldsOf splits on ASCII space and tab "only": strings.Fields would also split on
// other Unicode spaces.
func fieldsOf(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
}

type policyBuilder struct {
	p      *Policy
	names  map[string]bool // witnesses and groups "share a single namespace"
	member map[string]bool // "Each defined name can be listed as a group member at most once"
}

func (b *policyBuilder) line(f []string) error {
	if len(f) == 0 || strings.HasPrefix(f[0], "#") {
		return nil
	}
	switch f[0] {
	case "log":
		return b.log(f[1:])
	case "witness":
		return b.witness(f[1:])
	case "group":
		return b.group(f[1:])
	case "quorum":
		return b.quorum(f[1:])
	}
	return errors.New("unknown keyword")
}

func (b *policyBuilder) log(f []string) error {
	if len(f) < 1 || len(f) > 2 {
		return errors.New("want log <vkey> [<url>]")
	}
	key, err := ParseVerifierKey(f[0])
	if err != nil {
		return err
	}
	if key.Type != TypeLog {
		return errors.New("a log key must have signature type 0x01")
	}
	for _, other := range b.p.Logs {
		if bytes.Equal(other.Public, key.Public) {
			return errors.New("duplicate log key")
		}
	}
	b.p.Logs = append(b.p.Logs, key)
	return nil
}

func (b *policyBuilder) witness(f []string) error {
	if len(f) < 2 || len(f) > 3 {
		return errors.New("want witness <name> <vkey> [<url>]")
	}
	key, err := ParseVerifierKey(f[1])
	if err != nil {
		return err
	}
	if key.Type != TypeCosigner {
		return errors.New("a witness key must have signature type 0x04")
	}
	for _, other := range b.p.Witnesses {
		if bytes.Equal(other.Key.Public, key.Public) {
			return errors.New("duplicate witness key")
		}
	}
	if err := b.define(f[0]); err != nil {
		return err
	}
	w := Witness{Name: f[0], Key: key}
	if len(f) == 3 {
		w.URL = f[2]
	}
	b.p.Witnesses = append(b.p.Witnesses, w)
	return nil
}

func (b *policyBuilder) group(f []string) error {
	if len(f) < 3 {
		return errors.New("want group <name>, then all, any or a number, then the members")
	}
	g := group{members: f[2:]}
	switch f[1] {
	case "all":
		g.threshold = len(g.members)
	case "any":
		g.threshold = 1
	default:
		k, err := strconv.Atoi(f[1])
		if err != nil || k < 1 || k > len(g.members) || strings.HasPrefix(f[1], "+") {
			return errors.New("threshold must be between 1 and the number of members")
		}
		g.threshold = k
	}
	for _, m := range g.members {
		if !b.names[m] || m == "none" {
			return errors.New("member is not defined on a preceding line")
		}
		if b.member[m] {
			return errors.New("member is listed in a group before")
		}
		b.member[m] = true
	}
	if err := b.define(f[0]); err != nil {
		return err
	}
	b.p.groups[f[0]] = g
	return nil
}

func (b *policyBuilder) quorum(f []string) error {
	switch {
	case len(f) != 1:
		return errors.New("want quorum <name>")
	case b.p.quorum != "":
		return errors.New("second quorum line")
	case !b.names[f[0]]:
		return errors.New("quorum is not defined on a preceding line")
	}
	b.p.quorum = f[0]
	return nil
}

func (b *policyBuilder) define(name string) error {
	if b.names[name] {
		return errors.New("name is defined before")
	}
	if len(b.names) >= maxPolicyNames {
		return errors.New("too many names")
	}
	b.names[name] = true
	return nil
}

// Keys are all keys of the policy, logs first: what to open a note with.
func (p *Policy) Keys() []VerifierKey {
	keys := append([]VerifierKey{}, p.Logs...)
	for _, w := range p.Witnesses {
		keys = append(keys, w.Key)
	}
	return keys
}

// Check opens a checkpoint note and holds it against the policy: "a checkpoint is
// considered valid if it is signed by any one of the listed logs, and it is cosigned
// by witnesses according to the defined quorum rule". It fails as [Open] does, and
// with [ErrCheckpoint], [ErrNoLog] or [ErrQuorum].
func (p *Policy) Check(data []byte) (*Seen, error) {
	opened, err := Open(data, p.Keys()...)
	if err != nil {
		return nil, err
	}
	c, err := ParseCheckpoint(opened.Text)
	if err != nil {
		return nil, err
	}
	seen := &Seen{Checkpoint: c, Cosignatures: map[string]time.Time{}}
	logged := false
	for _, s := range opened.Signatures {
		if s.Key.Type == TypeLog && s.Key.Name == c.Origin { // "This name MUST correspond to the log's origin line"
			seen.Log, logged = s.Key, true
		}
		for _, w := range p.Witnesses {
			if s.Key.Type == TypeCosigner && bytes.Equal(s.Key.Public, w.Key.Public) && s.Key.Name == w.Key.Name {
				seen.Cosignatures[w.Name] = s.Time
			}
		}
	}
	if !logged {
		return nil, ErrNoLog
	}
	if p.quorum == "none" {
		return seen, nil
	}
	oldest, ok := p.satisfied(p.quorum, seen.Cosignatures)
	if !ok {
		return nil, ErrQuorum
	}
	seen.oldest = oldest
	return seen, nil
}

// satisfied reports whether name witnessed, and the oldest time that its freshest
// sufficient members share: for k of n, the k-th newest.
func (p *Policy) satisfied(name string, times map[string]time.Time) (time.Time, bool) {
	g, isGroup := p.groups[name]
	if !isGroup {
		at, ok := times[name]
		return at, ok
	}
	var have []time.Time
	for _, m := range g.members {
		if at, ok := p.satisfied(m, times); ok {
			have = append(have, at)
		}
	}
	if len(have) < g.threshold {
		return time.Time{}, false
	}
	sort.Slice(have, func(i, j int) bool { return have[i].After(have[j]) })
	return have[g.threshold-1], true
}
