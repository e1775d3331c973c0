package registry

import (
	"maps"
	"slices"
	"strings"
)

// maxContact bounds where a member can be reached, in bytes.
const maxContact = 200

// IsContact says whether s tells where an organisation can be reached: the https address of a
// page of its own, or an e-mail address, both in lower case where case says nothing. The
// address is to be one of the organisation (toelating@gemeente.example), never of a person:
// it stays in the log for good. No program can tell the two apart; who signs has to.
func IsContact(s string) bool {
	if len(s) > maxContact {
		return false
	}
	if strings.HasPrefix(s, "https://") {
		return isURL(s) && isDomain(urlHost(s))
	}
	return isMail(s)
}

// ContactLink is what a page links to for a contact that [IsContact] accepts.
func ContactLink(contact string) string {
	if contact == "" || strings.HasPrefix(contact, "https://") {
		return contact
	}
	return "mailto:" + contact
}

// isMail accepts a plain address of RFC 5321 4.1.2: a local part of dot-separated words, in
// lower case and without quotes, at a domain. '%' and '?' would change what a mailto: says.
func isMail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(local) > 64 || !isDomain(domain) {
		return false
	}
	for _, word := range strings.Split(local, ".") {
		if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789-_+") != "" {
			return false
		}
	}
	return true
}

// isDomain accepts a host name of two labels or more that is no IPv4 address.
func isDomain(s string) bool {
	i := strings.LastIndexByte(s, '.')
	return i > 0 && isHost(s) && strings.Trim(s[i+1:], "0123456789") != ""
}

func (m Member) checkContact() error {
	if m.Contact != "" && !IsContact(m.Contact) {
		return ErrBody.with("member %s has a contact that is no https address or e-mail address of at most %d characters", m.ID, maxContact)
	}
	return nil
}

// contacts says whether any of the members says where it can be reached.
func contacts(members []Member) bool {
	return slices.ContainsFunc(members, func(m Member) bool { return m.Contact != "" })
}

// checkContacts checks the contacts that an amendment gives to members that are there.
func (a *Amendment) checkContacts() error {
	if len(a.Contacts) > 100 {
		return ErrBody.with("at most 100 contacts at a time")
	}
	for _, id := range slices.Sorted(maps.Keys(a.Contacts)) {
		if !isSlug(id) {
			return ErrBody.with("a contact is given to a member, by id")
		}
		if err := (Member{ID: id, Contact: a.Contacts[id]}).checkContact(); err != nil {
			return err
		}
		joins := slices.ContainsFunc(a.Add, func(m Member) bool { return m.ID == id })
		if joins || slices.Contains(a.Remove, id) {
			return ErrBody.with("member %s joins or leaves: its contact does not change beside that", id)
		}
	}
	return nil
}

// setContacts gives members that are there another contact, or none.
func (x *step) setContacts(contacts map[string]string) error {
	for _, id := range slices.Sorted(maps.Keys(contacts)) {
		m, ok := x.s.members.get(id, x.s.size)
		if !ok || m.Removed != 0 {
			return ErrUnknown.with("no member %s to give a contact", id)
		}
		m.Contact = contacts[id]
		put(x, &x.s.members, id, m)
	}
	return nil
}
