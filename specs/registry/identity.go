package registry

import (
	"maps"
	"slices"
	"strings"
)

// identityThreshold: what an organisation asks for itself needs less agreement than what
// members decide about it, which could make its name or address somebody else's.
func identityThreshold(x *step) string {
	if x.signedBy(x.body.subject()) {
		return ForIdentity
	}
	return ForAdmission
}

// authoriseIdentity: the organisation itself or a member proposes; members decide.
func authoriseIdentity(x *step) error {
	id := strings.TrimPrefix(x.body.subject(), organisationParty)
	org, err := x.s.organisation(id)
	if err != nil {
		return err
	}
	if len(x.leaf.Event.Commitments) > 0 && !org.OnePerson {
		return ErrCommitment.with("only of a one-person firm")
	}
	for _, s := range x.leaf.Event.Signers {
		if s.Party != OrganisationParty(id) && !strings.HasPrefix(s.Party, memberParty) {
			return ErrSigner.with("the organisation or members sign this")
		}
	}
	if d, ok := x.body.(*Details); ok && (d.Name == "") != org.OnePerson {
		return ErrBody.with("the name stands in the open, except of a one-person firm")
	}
	if a, ok := x.body.(*AliasChange); ok {
		if org.OnePerson && len(a.Add)+len(a.End) > 0 || !org.OnePerson && len(a.Add)+len(a.End) == 0 {
			return ErrBody.with("addresses stand in the open, except of a one-person firm")
		}
		return x.freeAliases(id, a.Add)
	}
	return nil
}

func (d *Details) check() error {
	if !isOrganisation(d.Organisation) {
		return ErrBody.with("no organisation named")
	}
	if d.Name != "" {
		if err := checkText("name", d.Name, 200); err != nil {
			return err
		}
	}
	if d.Registration != "" {
		return checkText("registration", d.Registration, 100)
	}
	return nil
}

func (a *AliasChange) check() error {
	if !isOrganisation(a.Organisation) {
		return ErrBody.with("no organisation named")
	}
	return checkAliases(slices.Concat(a.Add, a.End))
}

func enactDetails(x *step) error {
	d := x.body.(*Details)
	org, err := x.s.organisation(d.Organisation)
	if err != nil {
		return err
	}
	org.Name, org.Registration = d.Name, d.Registration
	return x.putCommitted(org)
}

// putCommitted stores an organisation with the event's commitments in place of its older ones.
func (x *step) putCommitted(org OrganisationRecord) error {
	if len(x.leaf.Event.Commitments) > 0 {
		if err := x.commit(org.ID); err != nil {
			return err
		}
		merged := maps.Clone(org.Commitments)
		maps.Copy(merged, x.leaf.Event.Commitments)
		org.Commitments = merged
	}
	put(x, &x.s.orgs, org.ID, org)
	return nil
}

func enactAliases(x *step) error {
	a := x.body.(*AliasChange)
	org, err := x.s.organisation(a.Organisation)
	if err != nil {
		return err
	}
	org.Aliases = slices.Clone(org.Aliases)
	for _, gone := range a.End {
		i := slices.IndexFunc(org.Aliases, func(p AliasPeriod) bool { return p.Alias == gone && p.Until == 0 })
		if i < 0 {
			return ErrUnknown.with("the organisation does not have an alias that is to end")
		}
		org.Aliases[i].Until = x.now
	}
	if err := x.putCommitted(org); err != nil {
		return err
	}
	return x.addAliases(a.Organisation, a.Add)
}

// freeAliases refuses aliases that another organisation holds.
func (x *step) freeAliases(organisation string, list []Alias) error {
	for _, a := range list {
		holders, _ := x.s.aliases.get(a.key(), x.s.size)
		for _, id := range holders {
			org, _ := x.s.orgs.get(id, x.s.size)
			if id != organisation && org.holds(a) {
				return ErrTaken.with("another organisation has this alias")
			}
		}
	}
	return nil
}

func (a Alias) key() string { return a.Type + ":" + a.Value }

// holds says whether the organisation has the alias now.
func (o OrganisationRecord) holds(a Alias) bool {
	return slices.ContainsFunc(o.Aliases, func(p AliasPeriod) bool { return p.Alias == a && p.Until == 0 })
}

// addAliases gives an organisation aliases from the log time on.
func (x *step) addAliases(organisation string, list []Alias) error {
	if err := x.freeAliases(organisation, list); err != nil {
		return err
	}
	org, _ := x.s.orgs.get(organisation, x.s.size)
	for _, a := range list {
		if org.holds(a) {
			continue
		}
		org.Aliases = append(slices.Clone(org.Aliases), AliasPeriod{Alias: a, From: x.now})
		holders, _ := x.s.aliases.get(a.key(), x.s.size)
		if !slices.Contains(holders, organisation) {
			put(x, &x.s.aliases, a.key(), append(slices.Clone(holders), organisation))
		}
		if host := (Alias{Type: aliasHost, Value: urlHost(a.Value)}); a.Type == AliasURL {
			hosts, _ := x.s.aliases.get(host.key(), x.s.size)
			if !slices.Contains(hosts, organisation) {
				put(x, &x.s.aliases, host.key(), append(slices.Clone(hosts), organisation))
			}
		}
	}
	put(x, &x.s.orgs, organisation, org)
	return nil
}

// aliasHost indexes URLs by host: the client identifier prefix x509_san_dns names no more.
const aliasHost = "host"

func (k *OrganisationKey) check() error {
	if !isOrganisation(k.Organisation) || k.CompromisedSince < 0 {
		return ErrBody.with("a change of key names an organisation and no moment before 1970")
	}
	if _, err := k.Key.ECDSA(); err != nil {
		return ErrBody.with("the new key is not a P-256 key")
	}
	if k.Reason == "" {
		return nil
	}
	return checkText("reason", k.Reason, 2000)
}

// authoriseOrganisationKey: the new key signs, with the old one, or with a member when that is lost.
func authoriseOrganisationKey(x *step) error {
	k := x.body.(*OrganisationKey)
	self := OrganisationParty(k.Organisation)
	org, err := x.s.organisation(k.Organisation)
	if err != nil {
		return err
	}
	if org.OnePerson {
		return ErrSigner.with("a one-person firm has no key in the open")
	}
	if !x.signedWith(self, k.Key) {
		return ErrSigner.with("the new key signs too")
	}
	for _, s := range x.leaf.Event.Signers {
		if s.Party != self && !strings.HasPrefix(s.Party, memberParty) {
			return ErrSigner.with("the organisation or members sign this")
		}
	}
	return x.standingSigner()
}

// organisationKeyThreshold: with the old key it is a rotation; without it, or when the old key
// may be in other hands, members must agree as on an admission.
func organisationKeyThreshold(x *step) string {
	k := x.body.(*OrganisationKey)
	org, _ := x.s.orgs.get(k.Organisation, x.s.size)
	if old, ok := currentKey(org.Keys); ok && old != k.Key && k.CompromisedSince == 0 && x.signedWith(OrganisationParty(k.Organisation), old) {
		return ""
	}
	return ForAdmission
}

func enactOrganisationKey(x *step) error {
	k := x.body.(*OrganisationKey)
	org, err := x.s.organisation(k.Organisation)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(org.Keys, func(p KeyPeriod) bool { return p.Key == k.Key }) {
		return ErrTaken.with("the organisation has or had this key")
	}
	if k.CompromisedSince > x.now {
		return ErrBody.with("a key is not stolen in the future")
	}
	org.Keys = endKey(org.Keys, x.now, k.CompromisedSince, k.Key)
	put(x, &x.s.orgs, org.ID, org)
	return nil
}
