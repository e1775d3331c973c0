package registry

import (
	"maps"
	"slices"
)

func (a *Application) subject() string     { return OrganisationParty(a.Organisation) }
func (m *Measure) subject() string         { return OrganisationParty(m.Organisation) }
func (d *Details) subject() string         { return OrganisationParty(d.Organisation) }
func (a *AliasChange) subject() string     { return OrganisationParty(a.Organisation) }
func (k *OrganisationKey) subject() string { return OrganisationParty(k.Organisation) }

// introduces: an applicant signs with the key it brings.
func (a *Application) introduces() []Introduced {
	if a.Key == "" {
		return nil
	}
	return []Introduced{{OrganisationParty(a.Organisation), a.Key}}
}

func (k *OrganisationKey) introduces() []Introduced {
	return []Introduced{{OrganisationParty(k.Organisation), k.Key}}
}

// checkUnder: version 2 wants to know of an audited fact what it is about, and why whoever
// assesses is independent.
func (a *Application) checkUnder(rules int) error {
	for _, l := range a.Levels {
		if err := onlyUnder(2, rules, l.Domain != "" || l.Independence != ""); err != nil {
			return err
		}
		if rules < 2 {
			continue
		}
		if err := checkText("domain of an audited fact", l.Domain, 200); err != nil {
			return err
		}
		if err := checkText("independence of who assesses", l.Independence, 500); err != nil {
			return err
		}
	}
	return nil
}

// authoriseApplication: an organisation asks for itself; for a one-person firm a member asks,
// since its own key is personal data that nobody here can see.
func authoriseApplication(x *step) error {
	a := x.body.(*Application)
	self := OrganisationParty(a.Organisation)
	old, known := x.s.orgs.get(a.Organisation, x.s.size)
	if old.Succeeded != nil {
		return old.goneOn()
	}
	switch {
	case a.OnePerson || known && old.OnePerson:
		if err := onlyMembers(x); err != nil {
			return err
		}
	case !slices.ContainsFunc(x.leaf.Event.Signers, func(s Signer) bool { return s.Party == self }):
		return ErrSigner.with("the applicant signs its application")
	case slices.ContainsFunc(x.leaf.Event.Signers, func(s Signer) bool { return s.Party != self }):
		return ErrSigner.with("nobody else signs an application; members approve it")
	}
	charter := x.s.currentCharter()
	if a.Days > charter.Admission.MaxDays {
		return ErrBody.with("longer than the charter allows")
	}
	if a.Criteria != charter.Criteria {
		return ErrTransition.with("the criteria in force are another version")
	}
	if err := x.checkApplicant(a, old, known); err != nil {
		return err
	}
	// Who controls it counts from here on, for this vote and all others, and is never unsaid.
	members := union(old.Members, a.Members)
	if known && old.Since != 0 {
		old.Members = members
		put(x, &x.s.orgs, old.ID, old)
		return nil
	}
	// Remember whose id this is. Nothing is granted yet, and what it is called is what members
	// approve: see enactAdmission.
	org := OrganisationRecord{ID: a.Organisation, Keys: old.Keys, Members: members, OnePerson: a.OnePerson}
	if a.Key != "" && !known {
		org.Keys = []KeyPeriod{{From: x.now, Key: a.Key}}
	}
	if err := x.commit(a.Organisation); err != nil {
		return err
	}
	put(x, &x.s.orgs, org.ID, org)
	return nil
}

// union is the sorted set of both lists.
func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// checkApplicant checks who may say what of identity. An id belongs to the key that first
// used it, also before any admission.
func (x *step) checkApplicant(a *Application, old OrganisationRecord, known bool) error {
	identity := a.Name != "" || a.Key != "" || a.Registration != "" || len(a.Aliases) > 0 ||
		a.OnePerson || len(x.leaf.Event.Commitments) > 0
	if known && old.Since != 0 {
		if identity {
			return ErrBody.with("an admitted organisation changes name, addresses and keys by other events")
		}
		return nil
	}
	if known {
		key, ok := currentKey(old.Keys)
		if old.OnePerson != a.OnePerson || ok && key != a.Key {
			return ErrTaken.with("this id was used with another key")
		}
	}
	if a.OnePerson {
		if x.leaf.Event.Commitments["name"] == "" {
			return ErrCommitment.with("a one-person firm commits to its name at least")
		}
		return nil
	}
	if a.Name == "" || a.Key == "" || len(x.leaf.Event.Commitments) > 0 {
		return ErrBody.with("a new organisation gives its name and key, in the open")
	}
	return x.freeAliases(a.Organisation, a.Aliases)
}

// commit notes whose the event's commitments are. Each is used once: an erasure must not
// reach further than meant.
func (x *step) commit(organisation string) error {
	commitments := x.leaf.Event.Commitments
	for _, field := range slices.Sorted(maps.Keys(commitments)) {
		if _, ok := x.s.commitments.get(commitments[field], x.s.size); ok {
			return ErrCommitment.with("a commitment is used once")
		}
		put(x, &x.s.commitments, commitments[field], CommitmentRecord{Event: x.id, Field: field, Organisation: organisation})
	}
	return nil
}

// enactAdmission grants what was applied for, from the log time on.
func enactAdmission(x *step) error {
	a := x.body.(*Application)
	org, err := x.s.organisation(a.Organisation)
	if err != nil {
		return err
	}
	if org.Succeeded != nil { // since it applied
		return org.goneOn()
	}
	charter := x.s.currentCharter()
	days := a.Days
	if days == 0 {
		days = charter.Admission.Days
	}
	days = min(days, charter.Admission.MaxDays) // the charter may have changed since
	identity := a.Name != "" || a.OnePerson
	switch {
	case org.Since == 0:
		org.Since, org.Name, org.Registration, org.Commitments = x.now, a.Name, a.Registration, x.leaf.Event.Commitments
	case identity && (org.Name != a.Name || org.Registration != a.Registration):
		// Admitted by another application meanwhile, under another name.
		return ErrTransition.with("the organisation is known by another name; change that first")
	}
	put(x, &x.s.orgs, org.ID, org)
	if err := x.addAliases(org.ID, a.Aliases); err != nil {
		return err
	}
	key := standingKey(a.Organisation, a.Role)
	st, _ := x.s.standings.get(key, x.s.size)
	st.Organisation, st.Role = a.Organisation, a.Role
	st.Grants = append(slices.Clone(st.Grants), Grant{
		Criteria: a.Criteria, Domains: a.Domains, Event: x.id, Levels: a.Levels, Purposes: a.Purposes,
		Serves: a.Serves, Since: x.now, Types: a.Types, Until: x.now + int64(days)*86400,
	})
	put(x, &x.s.standings, key, st)
	return nil
}

func standingKey(organisation string, role Role) string { return organisation + "/" + string(role) }
