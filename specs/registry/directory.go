package registry

import (
	"slices"
	"strings"
	"time"
)

// Organisation is an organisation as it is shown.
type Organisation struct {
	ID           string       `json:"id"`
	Name         string       `json:"name,omitempty"`         // absent when erased or not at hand
	Registration string       `json:"registration,omitempty"` // number in a trade register
	OnePerson    bool         `json:"one_person,omitzero"`
	Erased       bool         `json:"erased,omitzero"` // its name was erased by law
	Since        int64        `json:"since,omitzero"`  // first admission; absent for an applicant
	Key          PublicKey    `json:"key,omitempty"`   // with which it signs events now; absent of a one-person firm
	Aliases      []Alias      `json:"aliases,omitempty"`
	Roles        []RoleView   `json:"roles,omitempty"`
	Head         string       `json:"head,omitempty"`         // predecessor for the next event about it
	Predecessors []string     `json:"predecessors,omitempty"` // organisations that went on in it
	Succeeded    *SucceededBy `json:"succeeded,omitempty"`    // it went on in another
}

// RoleView is where an organisation stands in one role.
type RoleView struct {
	Role     Role     `json:"role"`
	Admitted bool     `json:"admitted"` // on the day asked about
	Code     Code     `json:"code"`
	Standing Standing `json:"standing"`
}

// Organisation shows one organisation on a day. It fails with [ErrUnknown].
func (v View) Organisation(id string, at time.Time) (Organisation, error) {
	r, ok := v.State.orgs.get(id, v.AsOf)
	if !ok {
		return Organisation{}, ErrUnknown.with("no organisation with this id")
	}
	o := Organisation{ID: r.ID, Name: r.Name, Registration: r.Registration, OnePerson: r.OnePerson, Since: r.Since}
	o.Key, _ = currentKey(r.Keys)
	o.Head, _ = v.State.heads.get(OrganisationParty(id), v.AsOf)
	if r.OnePerson {
		v.reveal(&o, r)
	}
	day, next := dayOf(at.Unix())
	if r.Succeeded != nil && r.Succeeded.Since < next {
		o.Succeeded = r.Succeeded
	}
	for _, id := range r.Predecessors {
		if p, _ := v.State.orgs.get(id, v.AsOf); p.Succeeded != nil && p.Succeeded.Since < next {
			o.Predecessors = append(o.Predecessors, id)
		}
	}
	for _, p := range r.Aliases {
		if p.From < next && (p.Until == 0 || p.Until > day) {
			o.Aliases = append(o.Aliases, p.Alias)
		}
	}
	for _, role := range []Role{Issuer, Verifier, WalletHost, StatusSigner} {
		st, ok := v.State.standings.get(standingKey(id, role), v.AsOf)
		if !ok {
			continue
		}
		var a Answer
		v.judge(&a, st, Question{Role: role, At: at})
		o.Roles = append(o.Roles, RoleView{Role: role, Admitted: a.Admitted, Code: a.Code, Standing: st})
	}
	return o, nil
}

// reveal fills in what payloads say of a one-person firm.
func (v View) reveal(o *Organisation, r OrganisationRecord) {
	for field, commitment := range r.Commitments {
		record, _ := v.State.commitments.get(commitment, v.AsOf)
		if record.Erased != 0 {
			o.Erased = o.Erased || field == "name"
			continue
		}
		content, ok := v.Payloads.open(commitment)
		switch {
		case !ok:
		case field == "name":
			o.Name = content
		case field == "registration":
			o.Registration = content
		case field == AliasURL || field == AliasDID:
			o.Aliases = append(o.Aliases, Alias{field, content})
		}
	}
	slices.SortFunc(o.Aliases, func(a, b Alias) int { return strings.Compare(a.key(), b.key()) })
}

// OrganisationList is a dated list of organisations.
type OrganisationList struct {
	Moment
	Organisations []Organisation `json:"organisations"`
}

// Organisations lists the organisations that were ever admitted, by id.
func (v View) Organisations(at time.Time) OrganisationList {
	out := OrganisationList{Moment: v.moment(at), Organisations: []Organisation{}}
	for _, id := range v.State.orgs.keys(v.AsOf) {
		if o, err := v.Organisation(id, at); err == nil && o.Since != 0 {
			out.Organisations = append(out.Organisations, o)
		}
	}
	return out
}

// HobbelList is a dated list of hobbels.
type HobbelList struct {
	Moment
	Catalogue string       `json:"catalogue,omitempty"` // version
	Source    string       `json:"source,omitempty"`
	Hobbels   []HobbelView `json:"hobbels"`
}

// HobbelView is a hobbel and where it stands: in the region as a whole, and in each sector and
// branche that anybody claimed something of.
type HobbelView struct {
	Hobbel
	Status  HobbelStatus  `json:"status"`
	History []HobbelFact  `json:"history,omitempty"` // up to At, oldest first
	Scopes  []HobbelScope `json:"scopes,omitempty"`  // by kind and name
}

// HobbelScope is where a hobbel stands in one scope.
type HobbelScope struct {
	Scope
	Status  HobbelStatus `json:"status"`
	History []HobbelFact `json:"history"`
}

// Hobbels lists the hobbels of the catalogue in force at a time, with where they stood.
func (v View) Hobbels(at time.Time) HobbelList {
	out := HobbelList{Moment: v.moment(at), Hobbels: []HobbelView{}}
	var c CatalogueRecord
	for _, r := range v.State.catalogues.history(current, v.AsOf) {
		if r.From <= at.Unix() {
			c = r
		}
	}
	out.Catalogue, out.Source = c.Version, c.Source
	keys := v.State.hobbels.keys(v.AsOf)
	for _, h := range c.Hobbels {
		view := HobbelView{Hobbel: h}
		view.Status, view.History = v.hobbel(h.ID, at)
		for _, key := range keys {
			if rest, ok := strings.CutPrefix(key, h.ID+"/"); ok {
				kind, name, _ := strings.Cut(rest, "/")
				scope := HobbelScope{Scope: Scope{Kind: ScopeKind(kind), Name: name}}
				if scope.Status, scope.History = v.hobbel(key, at); len(scope.History) > 0 {
					view.Scopes = append(view.Scopes, scope)
				}
			}
		}
		out.Hobbels = append(out.Hobbels, view)
	}
	return out
}

// hobbel is where a hobbel stood in one scope, and how it came there.
func (v View) hobbel(key string, at time.Time) (HobbelStatus, []HobbelFact) {
	status, history := Open, []HobbelFact(nil)
	facts, _ := v.State.hobbels.get(key, v.AsOf)
	for _, f := range facts {
		if f.Since <= at.Unix() {
			status, history = f.Status, append(history, f)
		}
	}
	return status, history
}

// Region is the charter as it stood.
type Region struct {
	Moment
	CharterRecord
	Members []MemberRecord `json:"members"`
	Nodes   []NodeRecord   `json:"nodes"`
	Anchors []AnchorRecord `json:"anchors"`
	// Versions are those of the criteria, oldest first.
	Versions []CriteriaVersion `json:"criteria_versions"`
}

// Region tells who decides and by which rules, as known; members, nodes and anchors that left
// are in it with the time at which they did.
func (v View) Region(at time.Time) Region {
	out := Region{Moment: v.moment(at), Members: []MemberRecord{}, Nodes: v.Nodes(), Anchors: []AnchorRecord{}, Versions: v.Criteria(at)}
	for _, c := range v.State.charter.history(current, v.AsOf) {
		if c.From <= at.Unix() || out.Name == "" {
			out.CharterRecord = c
		}
	}
	for _, id := range v.State.members.keys(v.AsOf) {
		m, _ := v.State.members.get(id, v.AsOf)
		out.Members = append(out.Members, m)
	}
	for _, fp := range v.State.anchors.keys(v.AsOf) {
		a, _ := v.State.anchors.get(fp, v.AsOf)
		out.Anchors = append(out.Anchors, a)
	}
	return out
}

// Nodes lists all nodes, also those that left, by id.
func (v View) Nodes() []NodeRecord {
	out := []NodeRecord{}
	for _, id := range v.State.nodes.keys(v.AsOf) {
		n, _ := v.State.nodes.get(id, v.AsOf)
		out = append(out, n)
	}
	return out
}

// ActiveNodes lists the nodes that are in the region as known.
func (v View) ActiveNodes() []NodeRecord {
	return slices.DeleteFunc(v.Nodes(), func(n NodeRecord) bool { return n.Removed != 0 })
}

// TimestampKey is the key with which a node signed timestamps at a moment. It fails with
// [ErrUnknown] when there was none, and when that key was in other hands by then: a timestamp
// of a stolen key proves nothing from the theft on.
func (v View) TimestampKey(node string, at time.Time) (PublicKey, error) {
	n, ok := v.State.nodes.get(node, v.AsOf)
	if !ok {
		return "", ErrUnknown.with("no such node")
	}
	t := at.Unix()
	for _, k := range n.Keys {
		if k.From <= t && (k.Until == 0 || t <= k.Until) && (k.CompromisedSince == 0 || t < k.CompromisedSince) {
			return k.Timestamp, nil
		}
	}
	return "", ErrUnknown.with("the node had no trusted timestamp key at that time")
}

// Anchors are the CA certificates that counted at a moment, in DER.
func (v View) Anchors(at time.Time) [][]byte {
	var out [][]byte
	for _, fp := range v.State.anchors.keys(v.AsOf) {
		a, _ := v.State.anchors.get(fp, v.AsOf)
		_, next := dayOf(at.Unix())
		if der, err := a.DER(); err == nil && a.Since < next && (a.Removed == 0 || a.Removed > dayStart(at.Unix())) {
			out = append(out, der)
		}
	}
	return out
}

// Certificates lists the certificates of an organisation in the order of their recording.
func (v View) Certificates(organisation string) []CertificateFact {
	held, _ := v.State.holdings.get(organisation, v.AsOf)
	var out []CertificateFact
	for _, name := range held {
		c, _ := v.State.certificates.get(name, v.AsOf)
		out = append(out, c)
	}
	return out
}

// Certificate finds a certificate by its fingerprint. It fails with [ErrUnknown].
func (v View) Certificate(fingerprint string) (CertificateFact, error) {
	if f := v.findCertificate(fingerprint, "certificate"); f.certificate != nil {
		return *f.certificate, nil
	}
	return CertificateFact{}, ErrUnknown.with("no such certificate")
}

// CompromisedSince is the earliest moment from which the key of a certificate may have been
// in other hands, by the revocation of any certificate for that key: who stole the key shows
// the one that was not revoked. 0 means never.
func (v View) CompromisedSince(c CertificateFact) (since int64) {
	for _, fact := range v.sameKey(c) {
		if r := fact.Revoked; r != nil && r.Compromised && (since == 0 || r.EffectiveFrom < since) {
			since = max(r.EffectiveFrom, 1)
		}
	}
	return since
}

// sameKey is a certificate with all others for its key. Those of a one-person firm are
// found by their payloads, where these are at hand.
func (v View) sameKey(c CertificateFact) []CertificateFact {
	if c.SPKI == "" {
		key := v.SPKIOf(c)
		if key == "" {
			return []CertificateFact{c}
		}
		return slices.DeleteFunc(v.Certificates(c.Organisation), func(other CertificateFact) bool {
			return v.SPKIOf(other) != key
		})
	}
	under, _ := v.State.keyHolders.get(c.SPKI, v.AsOf)
	out := make([]CertificateFact, 0, len(under))
	for _, name := range under {
		if fact, ok := v.State.certificates.get(name, v.AsOf); ok {
			out = append(out, fact)
		}
	}
	return out
}

// MaySignStatus says whether a certificate may sign the status lists of an organisation on
// the day of at: it is recorded for status, and its holder is the organisation itself, what it went on in,
// its custodian, or an admitted status signer that serves it.
//
// at is the signer's own word. A key that was ever in other hands therefore signs nothing:
// the thief would date a list back to before the theft. After any other revocation the key
// signs nothing from that moment on.
func (v View) MaySignStatus(fingerprint, organisation string, at time.Time) bool {
	c, err := v.Certificate(fingerprint)
	if err != nil || c.Usage != UsageStatus || !c.ValidOn(at) || v.CompromisedSince(c) != 0 ||
		c.Revoked != nil && at.Unix() >= c.Revoked.EffectiveFrom {
		return false
	}
	if c.Organisation == organisation || c.Organisation == v.successor(organisation, at.Unix()) || v.custodianOf(c.Organisation, organisation, at) {
		return true
	}
	a, err := v.Admission(Question{Lookup: Lookup{Organisation: c.Organisation}, Role: StatusSigner, At: at})
	return err == nil && a.Admitted && slices.Contains(a.Grant.Serves, organisation)
}

// Proposals lists the proposals, by event id; pending ones whose time has run out at a moment
// are in it as pending with their expiry in the past.
func (v View) Proposals() []Proposal {
	out := []Proposal{}
	for _, id := range v.State.proposals.keys(v.AsOf) {
		p, _ := v.State.proposals.get(id, v.AsOf)
		out = append(out, p)
	}
	return out
}

// Proposal finds a proposal by its event id. It fails with [ErrUnknown].
func (v View) Proposal(id string) (Proposal, error) {
	p, ok := v.State.proposals.get(id, v.AsOf)
	if !ok {
		return p, ErrUnknown.with("no such proposal")
	}
	return p, nil
}
