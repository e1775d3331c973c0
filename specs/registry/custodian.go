package registry

import (
	"slices"
	"strings"
	"time"
)

// Custodian says who signs on the status lists of an organisation that ceased to, or asks for it.
// Without one, the last list runs out and what was revoked since is not known. Naming nobody ends
// it.
type Custodian struct {
	By           string `json:"custodian,omitempty"` // organisation id; admitted as status signer or issuer
	From         int64  `json:"from,omitzero"`       // when absent or past: when it is decided
	Organisation string `json:"organisation"`        // whose lists
	Reason       string `json:"reason"`
	Until        int64  `json:"until,omitzero"` // when absent: until another event
}

// CustodianStanding is one time of a custodian. Grants never reach back: it begins at Since.
type CustodianStanding struct {
	Custodian
	Event string `json:"event"`
	Since int64  `json:"since"` // the later of From and log time
}

func (c *Custodian) subject() string { return OrganisationParty(c.Organisation) }

func (c *Custodian) check() error {
	if !isOrganisation(c.Organisation) || c.By != "" && (!isOrganisation(c.By) || c.By == c.Organisation) {
		return ErrBody.with("a custodian and whose lists it signs are two organisations, by id")
	}
	if c.From < 0 || c.From > maxTime || c.Until < 0 || c.Until > maxTime || c.Until != 0 && c.Until <= c.From {
		return ErrBody.with("custody ends after it begins")
	}
	if c.By == "" && (c.From != 0 || c.Until != 0) {
		return ErrBody.with("what ends custody ends it when it is decided")
	}
	return checkText("reason", c.Reason, 2000)
}

// authoriseCustodian: members sign, the two organisations may.
func authoriseCustodian(x *step) error {
	c := x.body.(*Custodian)
	for _, signer := range x.leaf.Event.Signers {
		if signer.Party != OrganisationParty(c.Organisation) && !strings.HasPrefix(signer.Party, memberParty) &&
			(c.By == "" || signer.Party != OrganisationParty(c.By)) {
			return ErrSigner.with("members and the two organisations sign this")
		}
	}
	if err := x.standingSigner(); err != nil {
		return err
	}
	_, err := x.custody(c)
	return err
}

// custody checks a custodian against what is known, and gives those that were there before.
func (x *step) custody(c *Custodian) ([]CustodianStanding, error) {
	org, err := x.s.organisation(c.Organisation)
	if err != nil {
		return nil, err
	}
	if org.Since == 0 {
		return nil, ErrNotAdmitted.with("an organisation that was never admitted has no status lists that count")
	}
	list, _ := x.s.custodians.get(c.Organisation, x.s.size)
	if c.By == "" {
		if n := len(list); n == 0 || list[n-1].Until != 0 && list[n-1].Until <= x.now {
			return nil, ErrTransition.with("the organisation has no custodian to end")
		}
		return list, nil
	}
	if c.Until != 0 && c.Until <= x.now {
		return nil, ErrBody.with("custody does not end before it begins")
	}
	for _, role := range []Role{StatusSigner, Issuer} {
		if st, _ := x.s.standings.get(standingKey(c.By, role), x.s.size); st.admitted(x.now) {
			return list, nil
		}
	}
	return nil, ErrNotAdmitted.with("a custodian is admitted as status signer or as issuer")
}

func enactCustodian(x *step) error {
	c := *x.body.(*Custodian)
	list, err := x.custody(&c)
	if err != nil {
		return err
	}
	list = slices.Clone(list)
	since := max(c.From, x.now)
	if n := len(list); n > 0 && (list[n-1].Until == 0 || list[n-1].Until > since) {
		list[n-1].Until = since
	}
	if c.By != "" {
		list = append(list, CustodianStanding{Custodian: c, Event: x.id, Since: since})
	}
	put(x, &x.s.custodians, c.Organisation, list)
	return nil
}

// Custodian is who signs on the status lists of an organisation at a moment; false when nobody
// was asked to.
func (v View) Custodian(organisation string, at time.Time) (CustodianStanding, bool) {
	list, _ := v.State.custodians.get(organisation, v.AsOf)
	for _, c := range slices.Backward(list) {
		if t := at.Unix(); c.Since <= t && (c.Until == 0 || t < c.Until) {
			return c, true
		}
	}
	return CustodianStanding{}, false
}

// Custodians lists who signs on whose status lists at a moment, by the organisation's id.
func (v View) Custodians(at time.Time) []CustodianStanding {
	out := []CustodianStanding{}
	for _, id := range v.State.custodians.keys(v.AsOf) {
		if c, ok := v.Custodian(id, at); ok {
			out = append(out, c)
		}
	}
	return out
}

// custodianOf says whether an organisation signs on the status lists of another, being admitted
// to at that moment.
func (v View) custodianOf(holder, organisation string, at time.Time) bool {
	c, ok := v.Custodian(organisation, at)
	if !ok || c.By != holder && v.successor(c.By, at.Unix()) != holder {
		return false
	}
	for _, role := range []Role{StatusSigner, Issuer} {
		if a, err := v.Admission(Question{Lookup: Lookup{Organisation: holder}, Role: role, At: at}); err == nil && a.Admitted {
			return true
		}
	}
	return false
}
