package registry

import "slices"

// Function profiles and modules are published, changed and closed by their owner alone: an
// organisation that the region admitted, with its own signature. Nobody votes about them.

// Publication publishes a function profile or a module, or changes it into what stands here.
type Publication[T Document] struct {
	Document     T      `json:"document"`
	ID           string `json:"id"`           // permanent, chosen at random by the owner
	Organisation string `json:"organisation"` // the owner
}

// The bodies of the kinds function.profile, function.changed, module.published and
// module.changed.
type (
	FunctionPublication = Publication[FunctionProfile]
	ModulePublication   = Publication[Module]
)

// Document is what can be published: [FunctionProfile] or [Module].
type Document interface {
	FunctionProfile | Module
	Check() error
	traits() traits
	AllSkills() []SkillRef
	head() (title Text, until string)
	search() searched
}

// traits is what the rules know of a kind of document.
type traits struct {
	schema string // what it calls itself
	prefix string // of ids
	roles  []Role // in one of which the owner is admitted
	typ    string // credential type for which it is admitted, "" for any
}

// An employer is admitted to ask (verifier) or to state what people did (issuer).
func (f FunctionProfile) traits() traits {
	return traits{schema: FunctionSchema, prefix: functionPrefix, roles: []Role{Verifier, Issuer}}
}

func (m Module) traits() traits {
	return traits{schema: ModuleSchema, prefix: modulePrefix, roles: []Role{Issuer}, typ: m.Credential.Type}
}

// Closing takes a function profile or a module from the lists for good.
type Closing struct {
	ID           string `json:"id"`
	Organisation string `json:"organisation"` // the owner
	Reason       Text   `json:"reason"`       // e.g. "De plaatsen zijn vervuld."
}

// Listing is a version of a function profile or a module.
type Listing[T Document] struct {
	Changed      int64  `json:"changed,omitzero"` // log time of this version, when it is not the first
	Closed       int64  `json:"closed,omitzero"`  // log time
	Document     T      `json:"document"`
	Event        string `json:"event"` // that brought this
	ID           string `json:"id"`
	Organisation string `json:"organisation"`
	Published    int64  `json:"published"` // log time of the first version
	Reason       Text   `json:"reason,omitzero"`
	Version      int    `json:"version"`
}

// MaxVersions is how many versions a function profile or a module can have. Every node keeps them
// all, reads them to add the next one, and needs nobody's vote for it.
const MaxVersions = 200

// FunctionSubject is the subject of a function profile.
func FunctionSubject(id string) string { return "function/" + id }

// ModuleSubject is the subject of a module.
func ModuleSubject(id string) string { return "module/" + id }

func listingSubject(id string) string {
	if isListingID(functionPrefix, id) {
		return FunctionSubject(id)
	}
	return ModuleSubject(id)
}

func (p *Publication[T]) subject() string { return listingSubject(p.ID) }
func (c *Closing) subject() string        { return listingSubject(c.ID) }

func (p *Publication[T]) check() error {
	if prefix := p.Document.traits().prefix; !isListingID(prefix, p.ID) {
		return ErrBody.with("id: %s and 26 characters of base32", prefix)
	}
	if !isOrganisation(p.Organisation) {
		return ErrBody.with("organisation: the id of the owner")
	}
	return p.Document.Check()
}

func (c *Closing) check() error {
	if !isListingID(functionPrefix, c.ID) && !isListingID(modulePrefix, c.ID) || !isOrganisation(c.Organisation) {
		return ErrBody.with("a closing names a function profile or module, and its owner")
	}
	var p parts
	p.text("reason", c.Reason, 500, true)
	return p.err
}

// authorisePublication: the owner signs alone, and is admitted now.
func authorisePublication[T Document](x *step) error {
	p := x.body.(*Publication[T])
	if err := x.onlyOwner(p.Organisation); err != nil {
		return err
	}
	want := p.Document.traits()
	for _, role := range want.roles {
		if st, ok := x.s.standings.get(standingKey(p.Organisation, role), x.s.size); ok && st.admittedFor(want.typ, x.now) {
			return nil
		}
	}
	if want.typ != "" {
		return ErrNotAdmitted.with("who publishes a module is admitted now as issuer of the credential that comes of it")
	}
	return ErrNotAdmitted.with("who publishes a function profile is admitted now as verifier or issuer")
}

// admittedFor is admitted in a grant that names the credential type; any when typ is "".
func (s Standing) admittedFor(typ string, t int64) bool {
	only := s
	only.Grants = nil
	for _, g := range s.Grants {
		if typ == "" || slices.Contains(g.Types, typ) {
			only.Grants = append(only.Grants, g)
		}
	}
	return only.admitted(t)
}

func (x *step) onlyOwner(organisation string) error {
	if signers := x.leaf.Event.Signers; len(signers) != 1 || signers[0].Party != OrganisationParty(organisation) {
		return ErrSigner.with("the owner signs alone")
	}
	return nil
}

// authoriseClosing: an owner can always stop, admitted or not.
func authoriseClosing(x *step) error { return x.onlyOwner(x.body.(*Closing).Organisation) }

// enactPublication stores the first version or, for a change, the next one.
func enactPublication[T Document](t func(*State) *table[Listing[T]], change bool) func(*step) error {
	return func(x *step) error {
		p := x.body.(*Publication[T])
		old, known := t(x.s).get(p.ID, x.s.size)
		next := Listing[T]{Document: p.Document, Event: x.id, ID: p.ID, Organisation: p.Organisation, Published: x.now, Version: 1}
		switch {
		case known && !change:
			return ErrTaken.with("this id is in use; a change is another kind of event")
		case change:
			if err := old.open(x, p.Organisation); err != nil {
				return err
			}
			if old.Version >= MaxVersions {
				return ErrTransition.with("it was changed %d times; close it and publish it under a new id", MaxVersions-1)
			}
			next.Published, next.Changed, next.Version = old.Published, x.now, old.Version+1
		}
		put(x, t(x.s), p.ID, next)
		return nil
	}
}

func enactClosing[T Document](t func(*State) *table[Listing[T]]) func(*step) error {
	return func(x *step) error {
		c := x.body.(*Closing)
		l, _ := t(x.s).get(c.ID, x.s.size)
		if err := l.open(x, c.Organisation); err != nil {
			return err
		}
		l.Closed, l.Reason, l.Event, l.Organisation = x.now, c.Reason, x.id, c.Organisation
		put(x, t(x.s), c.ID, l)
		return nil
	}
}

// open refuses a change of what is not there, of another owner, or closed. What an organisation
// published goes over to the one that it went on in.
func (l Listing[T]) open(x *step, owner string) error {
	switch {
	case l.Version == 0:
		return ErrUnknown.with("nothing was published under this id")
	case l.Organisation != owner && x.s.View().successor(l.Organisation, x.now) != owner:
		return ErrSigner.with("it belongs to another organisation")
	case l.Closed != 0:
		return ErrTransition.with("it is closed; publish it again under a new id")
	}
	return nil
}

func functionTable(s *State) *table[Listing[FunctionProfile]] { return &s.functions }
func moduleTable(s *State) *table[Listing[Module]]            { return &s.modules }
