package registry

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
)

// Group is one of the four groups of a region.
type Group string

// The groups. Approvals must come from different ones.
const (
	Werkgevers Group = "werkgevers"
	Werknemers Group = "werknemers"
	Opleiders  Group = "opleiders"
	Overheid   Group = "overheid"
)

var groups = []Group{Werkgevers, Werknemers, Opleiders, Overheid}

// Charter is what a region agrees on beforehand: the body of its founding event.
type Charter struct {
	Admission  AdmissionTerm        `json:"admission"`
	Anchors    []Anchor             `json:"anchors"`                 // of the region's small CA
	Continues  *Continuation        `json:"continues,omitempty"`     // a region that stopped; from rules version 2 on
	Criteria   string               `json:"criteria"`                // version of the criteria for admission
	Text       *CriteriaText        `json:"criteria_text,omitempty"` // where they can be read; from rules version 2 on
	Entity     string               `json:"entity,omitempty"`        // OpenID Federation entity id of the region; from rules version 3 on
	Members    []Member             `json:"members"`                 // all of them sign the founding event
	Name       string               `json:"name"`                    // e.g. "Regio Aakermonde"
	Nodes      []Node               `json:"nodes"`                   // the truth about who is in the cluster
	Nonce      string               `json:"nonce"`                   // 16 random bytes, base64url: no two regions are alike
	Origin     string               `json:"origin"`                  // C2SP origin line of the log
	Thresholds map[string]Threshold `json:"thresholds"`              // all of the For... names
}

// AdmissionTerm bounds how long an admission lasts. There is none without an end.
type AdmissionTerm struct {
	Days    int `json:"days"`     // when the application asks for nothing; 548 is 18 months
	MaxDays int `json:"max_days"` // what an application can ask for
}

// defaultTerm is 18 months, and no longer.
var defaultTerm = AdmissionTerm{Days: 548, MaxDays: 548}

// Threshold is how many members from how many groups must agree.
type Threshold struct {
	Groups  int `json:"groups"`
	Members int `json:"members"`
}

// Member is a body that decides in the region.
type Member struct {
	// Contact is where it can be reached: a page of its own (https) or the e-mail address of a
	// function, such as toelating@gemeente.example. Of the organisation, never of a person: the
	// log keeps it for good. From rules version 2 on. See [IsContact].
	Contact       string    `json:"contact,omitempty"`
	Group         Group     `json:"group"`
	ID            string    `json:"id"` // e.g. "vakbond-aakermonde"
	Key           PublicKey `json:"key"`
	Name          string    `json:"name"`
	Organisations []string  `json:"organisations,omitempty"` // organisation ids that it is or controls
	Until         int64     `json:"until,omitzero"`          // end of its mandate; none when absent
}

// Node is a machine that keeps the registry. Its keys have one task each.
type Node struct {
	CosignerKey string `json:"cosigner_key"` // Ed25519, base64url: C2SP cosignatures
	// FederationKey signs OpenID Federation statements for the region; a node without one signs
	// none. From rules version 3 on.
	FederationKey PublicKey `json:"federation_key,omitempty"`
	ID            string    `json:"id"`           // e.g. "knoop-1"; kid of its timestamps
	LogKey        string    `json:"log_key"`      // Ed25519, base64url: signs checkpoints
	Operator      string    `json:"operator"`     // member that runs it
	RaftAddress   string    `json:"raft_address"` // host:port between nodes
	TLSKey        string    `json:"tls_key"`      // SPKI hash of its key between nodes
	TimestampKey  PublicKey `json:"timestamp_key"`
	URL           string    `json:"url"` // public, without trailing slash
}

// Anchor is a certificate of the region's CA. Its key is a member's, never a node's.
type Anchor struct {
	Certificate string `json:"certificate"` // DER in standard base64, as in x5c
	Fingerprint string `json:"fingerprint"` // SHA-256 of the DER
	Operator    string `json:"operator"`    // member that issues with it and records certificates
}

// NewAnchor describes a CA certificate.
func NewAnchor(der []byte, operator string) Anchor {
	return Anchor{Certificate: base64.StdEncoding.EncodeToString(der), Fingerprint: Fingerprint(der), Operator: operator}
}

// DER is the certificate of the anchor.
func (a Anchor) DER() ([]byte, error) {
	der, err := base64.StdEncoding.Strict().DecodeString(a.Certificate)
	if err != nil || base64.StdEncoding.EncodeToString(der) != a.Certificate {
		return nil, ErrBody.with("the anchor is not a certificate in base64")
	}
	return der, nil
}

// DefaultThresholds are the least that the rules allow, with suspension and changes of
// identity by one member.
func DefaultThresholds() map[string]Threshold { return maps.Clone(floors) }

// DefaultTerm is 18 months, also at most: after that members look again.
func DefaultTerm() AdmissionTerm { return defaultTerm }

// checkUnder: version 1 knew none of these, version 2 no names and keys for OpenID Federation.
func (c *Charter) checkUnder(rules int) error {
	if c.Continues != nil {
		if err := c.Continues.check(); err != nil {
			return err
		}
	}
	if c.Text != nil {
		if err := c.Text.check(); err != nil {
			return err
		}
	}
	federated := slices.ContainsFunc(c.Nodes, func(n Node) bool { return n.FederationKey != "" })
	if err := onlyUnder(3, rules, c.Entity != "" || federated); err != nil {
		return err
	}
	return onlyUnder(2, rules, c.Continues != nil || c.Text != nil || contacts(c.Members))
}

func (c Charter) check() error {
	if err := checkText("name", c.Name, 200); err != nil {
		return err
	}
	if _, err := decode64(c.Nonce, 16); err != nil {
		return ErrBody.with("the nonce is not 16 bytes in base64url")
	}
	if !isOrigin(c.Origin) {
		return ErrBody.with("the origin is not a host and path without scheme, such as aakermonde.example/register")
	}
	if c.Entity != "" && !isURL(c.Entity) {
		return ErrBody.with("the entity id of the region is an http(s) URL without trailing slash")
	}
	if err := checkText("criteria", c.Criteria, 100); err != nil {
		return err
	}
	if err := c.Admission.check(); err != nil {
		return err
	}
	if err := checkThresholds(c.Thresholds); err != nil {
		return err
	}
	return c.checkParties()
}

// checkParties checks the lists of the charter: each entry, and that no name or key is
// given twice.
func (c Charter) checkParties() error {
	if len(c.Members) > 100 || len(c.Nodes) == 0 || len(c.Nodes) > 25 || len(c.Anchors) == 0 || len(c.Anchors) > 8 {
		return ErrBody.with("a charter names up to 100 members, 1 to 25 nodes and 1 to 8 anchors")
	}
	var seen unique
	for _, m := range c.Members {
		if err := m.check(); err != nil {
			return err
		}
		seen.add("member/"+m.ID, "key/"+string(m.Key))
	}
	isMember := func(id string) bool {
		return slices.ContainsFunc(c.Members, func(m Member) bool { return m.ID == id })
	}
	for _, n := range c.Nodes {
		if err := n.check(); err != nil {
			return err
		}
		if !isMember(n.Operator) {
			return ErrBody.with("node %s has an operator that is no member", n.ID)
		}
		seen.add(n.claims()...)
	}
	for _, a := range c.Anchors {
		if err := a.check(); err != nil {
			return err
		}
		if !isMember(a.Operator) {
			return ErrBody.with("an anchor has an operator that is no member")
		}
		seen.add("anchor/" + a.Fingerprint)
	}
	if seen.twice != "" {
		return ErrBody.with("%s is given twice", seen.twice)
	}
	return nil
}

func (t AdmissionTerm) check() error {
	if t.Days < 1 || t.MaxDays < t.Days || t.MaxDays > 3660 {
		return ErrBody.with("an admission lasts at least a day, and at most ten years")
	}
	return nil
}

func checkThresholds(thresholds map[string]Threshold) error {
	if len(thresholds) != len(floors) {
		return ErrBody.with("a charter sets exactly the thresholds of its rules version")
	}
	for _, name := range slices.Sorted(maps.Keys(floors)) {
		floor := floors[name]
		t, ok := thresholds[name]
		if !ok || t.Groups < floor.Groups || t.Members < floor.Members || t.Members < t.Groups || t.Groups > len(groups) || t.Members > 100 {
			return ErrBody.with("threshold %s is absent, or below %d members of %d groups", name, floor.Members, floor.Groups)
		}
	}
	return nil
}

func (m Member) check() error {
	if !isSlug(m.ID) {
		return ErrBody.with("a member's id is 1 to 40 of a-z, 0-9 and '-'")
	}
	if !slices.Contains(groups, m.Group) {
		return ErrBody.with("member %s is in none of the four groups", m.ID)
	}
	if _, err := m.Key.ECDSA(); err != nil {
		return ErrBody.with("member %s has no usable key", m.ID)
	}
	for _, id := range m.Organisations {
		if !isOrganisation(id) {
			return ErrBody.with("member %s names an organisation by something else than its id", m.ID)
		}
	}
	if err := m.checkContact(); err != nil {
		return err
	}
	if m.Until < 0 || !isSortedSet(m.Organisations) {
		return ErrBody.with("member %s has organisations out of order or a mandate that ends before 1970", m.ID)
	}
	return checkText("name", m.Name, 200)
}

func (n Node) check() error {
	if !isSlug(n.ID) {
		return ErrBody.with("a node's id is 1 to 40 of a-z, 0-9 and '-'")
	}
	if !isURL(n.URL) {
		return ErrBody.with("node %s has no public URL", n.ID)
	}
	if !isHostPort(n.RaftAddress) {
		return ErrBody.with("node %s has no raft address of the form host:port", n.ID)
	}
	if !isSlug(n.Operator) {
		return ErrBody.with("node %s has no operator", n.ID)
	}
	return n.keys().check(n.ID)
}

func (n Node) keys() NodeKeys {
	return NodeKeys{Cosigner: n.CosignerKey, Federation: n.FederationKey, Log: n.LogKey, TLS: n.TLSKey, Timestamp: n.TimestampKey}
}

// claims are the names and keys that no other node can have.
func (n Node) claims() []string {
	out := []string{"node/" + n.ID, "ed25519/" + n.CosignerKey, "ed25519/" + n.LogKey,
		"tls/" + n.TLSKey, "key/" + string(n.TimestampKey), "url/" + n.URL}
	if n.FederationKey != "" {
		out = append(out, "key/"+string(n.FederationKey))
	}
	return out
}

// NodeKeys are the keys of a node. In an event that changes keys, absent ones stay.
type NodeKeys struct {
	Cosigner   string    `json:"cosigner_key,omitempty"`
	Federation PublicKey `json:"federation_key,omitempty"` // from rules version 3 on
	Log        string    `json:"log_key,omitempty"`
	TLS        string    `json:"tls_key,omitempty"`
	Timestamp  PublicKey `json:"timestamp_key,omitempty"`
}

func (k NodeKeys) check(node string) error {
	if !isEd25519(k.Log) || !isEd25519(k.Cosigner) {
		return ErrBody.with("node %s has a log or cosigner key that is not a usable Ed25519 key", node)
	}
	// C2SP tlog-cosignature: a key is used for one task only.
	if k.Log == k.Cosigner {
		return ErrBody.with("node %s uses one key as log and as cosigner", node)
	}
	if _, err := k.Timestamp.ECDSA(); err != nil || !isHash(k.TLS) {
		return ErrBody.with("node %s has a timestamp or TLS key that cannot be used", node)
	}
	if _, err := k.Federation.ECDSA(); k.Federation != "" && (err != nil || k.Federation == k.Timestamp) {
		return ErrBody.with("node %s has a federation key that cannot be used, or is its timestamp key", node)
	}
	return nil
}

func (a Anchor) check() error {
	der, err := a.DER()
	if err != nil {
		return err
	}
	if len(der) == 0 || len(der) > 4096 || Fingerprint(der) != a.Fingerprint || !isSlug(a.Operator) {
		return ErrBody.with("an anchor is a certificate of at most 4096 bytes, its fingerprint and its operator")
	}
	return nil
}

// isOrigin says whether s can be the origin line of a log (C2SP tlog-checkpoint: "SHOULD be
// a schema-less URL"). Spaces and '+' cannot stand in a key's name.
func isOrigin(s string) bool {
	host, _, _ := strings.Cut(s, "/")
	return len(s) <= 200 && strings.Contains(host, ".") && !strings.ContainsAny(s, " +\t\n?#") &&
		!strings.Contains(s, "//") && !strings.HasSuffix(s, "/") && isPrintableASCII(s)
}
