package registry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// A contact is the address of a page or of a function, in one spelling, and nothing that a
// link could be made to do more with.
func TestContacts(t *testing.T) {
	for contact, want := range map[string]bool{
		"https://gemeente.example":                       true,
		"https://gemeente.example/toelating":             true,
		"https://gemeente.example:8443/a/b":              true,
		"toelating@gemeente.example":                     true,
		"team.toelating+paspoort@loket.gemeente.example": true,
		"":                                                      false,
		"gemeente.example":                                      false,
		"http://gemeente.example":                               false,
		"https://gemeente":                                      false,
		"https://10.0.0.1/toelating":                            false,
		"https://gemeente.example/":                             false,
		"https://gemeente.example/?q=1":                         false,
		"https://iemand@gemeente.example":                       false,
		"javascript:alert(1)":                                   false,
		"mailto:toelating@gemeente.example":                     false,
		"Toelating@gemeente.example":                            false,
		"toelating@Gemeente.example":                            false,
		"toelating@gemeente":                                    false,
		"toelating@10.0.0.1":                                    false,
		"toelating@gemeente.example?bcc=a@b.example":            false,
		"toelating%0a@gemeente.example":                         false,
		".toelating@gemeente.example":                           false,
		"toe..lating@gemeente.example":                          false,
		"a@b@gemeente.example":                                  false,
		"\"toe lating\"@gemeente.example":                       false,
		"toelating@gemeente.example, ander@b.example":           false,
		"toelating@gemeente.example\n":                          false,
		"toelating@geme\u0435nte.example":                       false,
		strings.Repeat("a", 65) + "@gemeente.example":           false,
		"https://gemeente.example/" + strings.Repeat("a", 176):  false,
		"https://gemeente.example/" + strings.Repeat("a", 175):  true,
		"@gemeente.example":                                     false,
		"tel:+31201234567":                                      false,
		"https://gemeente.example/a b":                          false,
		"https://gemeente.example\\@elders.example/toelating":   false,
		"https://gemeente.example/toelating#" + "wie-te-bellen": false,
	} {
		if got := registry.IsContact(contact); got != want {
			t.Errorf("%q: %v, want %v", contact, got, want)
		}
	}
	for contact, want := range map[string]string{"": "", "https://a.example/b": "https://a.example/b", "post@a.example": "mailto:post@a.example"} {
		if got := registry.ContactLink(contact); got != want {
			t.Errorf("link of %q: %q, want %q", contact, got, want)
		}
	}
}

// Who waits for a decision reads where the members are reached. An amendment gives members a
// contact, changes it and takes it away; what was known before stays as it was.
func TestMembersCanBeReached(t *testing.T) {
	r := registrytest.New(t)
	id, _ := applied(r)
	amend := func(contacts map[string]string) {
		t.Helper()
		r.Do(registry.KindAmended, &registry.Amendment{Reason: "bereikbaar", Contacts: contacts}, vakbond, gemeente)
	}
	contact := func(member string) string {
		t.Helper()
		p, err := r.State.View().Progress(id, r.Now)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range p.Ask {
			if registry.MemberParty(v.Member) == member {
				return v.Contact
			}
		}
		t.Fatal("the member is not asked")
		return ""
	}
	if got := contact(gemeente); got != "" {
		t.Errorf("at first: %q", got)
	}
	before, digest := r.State.Size(), r.State.Digest()
	gemeenteID, vakbondID := strings.TrimPrefix(gemeente, "member/"), strings.TrimPrefix(vakbond, "member/")
	amend(map[string]string{gemeenteID: "toelating@gemeente.example", vakbondID: "https://vakbond.example/toelating"})
	if got := contact(gemeente); got != "toelating@gemeente.example" {
		t.Errorf("given: %q", got)
	}
	amend(map[string]string{gemeenteID: "", vakbondID: "https://vakbond.example/paspoort"})
	if g, v := contact(gemeente), contact(vakbond); g != "" || v != "https://vakbond.example/paspoort" {
		t.Errorf("changed: %q and %q", g, v)
	}
	if got := r.State.DigestAt(before); got != digest {
		t.Error("the state as it was has another digest")
	}
	key := registrytest.NamedKey("member/kamer")
	r.Keys["member/kamer"] = key
	r.Do(registry.KindAmended, &registry.Amendment{Reason: "nieuw lid", Add: []registry.Member{{
		Contact: "loket@kamer.example", Group: registry.Werkgevers, ID: "kamer", Key: registrytest.PublicKey(key), Name: "Kamer",
	}}}, vakbond, gemeente, "member/kamer")
	if got := contact("member/kamer"); got != "loket@kamer.example" {
		t.Errorf("who joined: %q", got)
	}
}

func TestBadContactsAreRefused(t *testing.T) {
	r := registrytest.New(t)
	newcomer := registry.Member{Contact: "iemand", Group: registry.Werkgevers, ID: "kamer", Key: registrytest.PublicKey(registrytest.NamedKey("kamer")), Name: "Kamer"}
	reachable := newcomer
	reachable.Contact = "loket@kamer.example"
	for name, a := range map[string]registry.Amendment{
		"no address":       {Contacts: map[string]string{"gemeente-aakermonde": "iemand"}},
		"of nobody":        {Contacts: map[string]string{"De Gemeente": ""}},
		"of who joins":     {Contacts: map[string]string{"kamer": ""}, Add: []registry.Member{reachable}},
		"of who leaves":    {Contacts: map[string]string{"gemeente-aakermonde": ""}, Remove: []string{"gemeente-aakermonde"}},
		"joins without it": {Add: []registry.Member{newcomer}},
	} {
		t.Run(name, func(t *testing.T) {
			a.Reason = "x"
			if _, err := registry.Compose(r.Draft(&a), registry.KindAmended, &a, r.Party(vakbond)); !errors.Is(err, registry.ErrBody) {
				t.Errorf("error %v, want a bad body", err)
			}
		})
	}
	stranger := &registry.Amendment{Reason: "x", Contacts: map[string]string{"niemand": "post@niemand.example"}}
	if err := r.Try(registry.KindAmended, stranger, vakbond, gemeente); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("contact of no member: %v", err)
	}
}

// Version 1 has no place for a contact, whoever says it.
func TestContactsComeWithRules2(t *testing.T) {
	r := registrytest.NewUnder(t, registrytest.Start, 1)
	draft := registry.Draft{Now: r.Now, Rules: 1}
	joins := registry.Member{Contact: "loket@kamer.example", Group: registry.Werkgevers, ID: "kamer", Key: registrytest.PublicKey(registrytest.NamedKey("kamer")), Name: "Kamer"}
	charter := r.Charter
	charter.Members = append([]registry.Member(nil), charter.Members...)
	charter.Members[0].Contact = "https://werkgevers.example"
	for name, tt := range map[string]struct {
		kind registry.Kind
		body registry.Body
	}{
		"charter":   {registry.KindFounded, &charter},
		"joins":     {registry.KindAmended, &registry.Amendment{Reason: "x", Add: []registry.Member{joins}}},
		"amendment": {registry.KindAmended, &registry.Amendment{Reason: "x", Contacts: map[string]string{"gemeente-aakermonde": "toelating@gemeente.example"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := registry.Compose(draft, tt.kind, tt.body, r.Party(vakbond)); !errors.Is(err, registry.ErrBody) {
				t.Errorf("error %v, want a bad body", err)
			}
		})
	}
	r.Do(registry.KindRules, &registry.RulesChange{Version: 2, Reason: "alle knopen zijn bijgewerkt"}, vakbond, gemeente)
	r.Do(registry.KindAmended, &registry.Amendment{Reason: "bereikbaar", Contacts: map[string]string{"gemeente-aakermonde": "toelating@gemeente.example"}}, vakbond, gemeente)
}

// Whoever reads the log with the schema accepts what the rules accept.
func TestSchemaKnowsContacts(t *testing.T) {
	r := registrytest.New(t)
	r.Do(registry.KindAmended, &registry.Amendment{Reason: "x", Contacts: map[string]string{"gemeente-aakermonde": "toelating@gemeente.example", "vakbond-de-eendracht": ""}}, vakbond, gemeente)
	leaf := string(r.Leaves[len(r.Leaves)-1])
	schema := leafSchema(t, "leaf-3.json")
	for raw, want := range map[string]bool{leaf: true, strings.Replace(leaf, "toelating@", "mailto:toelating@", 1): false} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); (err == nil) != want {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
