package registry

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ListingState says whether something that was published can still be used.
type ListingState string

// The states of function profiles and modules on a day.
const (
	ListingOpen     ListingState = "open"
	ListingClosed   ListingState = "closed"   // by its owner
	ListingEnded    ListingState = "ended"    // its last day is over
	ListingUnlisted ListingState = "unlisted" // its owner is not admitted on that day
)

// ListingView is a function profile or module as it stood at a time.
type ListingView[T Document] struct {
	Listing[T]
	OwnerName string       `json:"owner_name,omitempty"`
	State     ListingState `json:"state"`
}

// A function profile and a module as they are shown.
type (
	FunctionView = ListingView[FunctionProfile]
	ModuleView   = ListingView[Module]
)

// ListingStep is one step in the life of a function profile or module.
type ListingStep struct {
	At      int64  `json:"at"` // log time
	Event   string `json:"event"`
	Kind    Kind   `json:"kind"`
	Version int    `json:"version"`
}

// ListingQuery asks for function profiles or modules. What is empty asks nothing; what is
// given must all hold. Who does not want a node to know what is looked for takes the whole
// list and looks in it: see [Client.AllFunctions] and [Client.AllModules].
type ListingQuery struct {
	Text   string   // words, each somewhere in title, summary, skills, tasks, outcomes or owner's name
	Skills []string // URIs, each needed or learned (function), or taught (module)
	Place  string   // beginning of the name, region code or postcode of a place
	Sector string
	Owner  string // organisation id
	Closed bool   // also what is not open
	After  string // id: only what comes behind it in the list
	Limit  int    // at most so many, 0: all
}

// ListingPage is a dated list, or a page of it.
type ListingPage[T Document] struct {
	Moment
	Items []ListingView[T] `json:"items"`
	Total int              `json:"total"`          // that the question is true of
	Next  string           `json:"next,omitempty"` // for After, when there is more
}

// Functions lists function profiles by Dutch title.
func (v View) Functions(q ListingQuery, at time.Time) ListingPage[FunctionProfile] {
	return listings(v, &v.State.functions, q, at)
}

// Modules lists modules by Dutch title.
func (v View) Modules(q ListingQuery, at time.Time) ListingPage[Module] {
	return listings(v, &v.State.modules, q, at)
}

// Function is one function profile with its steps up to a time. It fails with [ErrUnknown].
func (v View) Function(id string, at time.Time) (FunctionView, []ListingStep, error) {
	return listing(v, &v.State.functions, id, at, [3]Kind{KindFunction, KindFunctionChanged, KindFunctionClosed})
}

// Module is one module with its steps up to a time. It fails with [ErrUnknown].
func (v View) Module(id string, at time.Time) (ModuleView, []ListingStep, error) {
	return listing(v, &v.State.modules, id, at, [3]Kind{KindModule, KindModuleChanged, KindModuleClosed})
}

func listing[T Document](v View, t *table[Listing[T]], id string, at time.Time, kinds [3]Kind) (ListingView[T], []ListingStep, error) {
	var steps []ListingStep
	for _, l := range t.history(id, v.AsOf) {
		step := ListingStep{At: l.Published, Event: l.Event, Kind: kinds[0], Version: l.Version}
		switch {
		case l.Closed != 0:
			step.At, step.Kind = l.Closed, kinds[2]
		case l.Changed != 0:
			step.At, step.Kind = l.Changed, kinds[1]
		}
		if step.At <= at.Unix() {
			steps = append(steps, step)
		}
	}
	o := owners{v: v, at: at}
	view, ok := viewListing(&o, t, id)
	if !ok {
		return view, nil, ErrUnknown.with("nothing was published under this id")
	}
	return view, steps, nil
}

// viewListing is what stood under an id at the time of the question.
func viewListing[T Document](o *owners, t *table[Listing[T]], id string) (view ListingView[T], ok bool) {
	if view.Listing, ok = t.get(id, o.v.AsOf); ok && view.since() > o.at.Unix() {
		ok = false
		for _, l := range t.history(id, o.v.AsOf) {
			if l.since() <= o.at.Unix() {
				view.Listing, ok = l, true
			}
		}
	}
	if !ok {
		return ListingView[T]{}, false
	}
	var admitted bool
	// Of an organisation that went on in another the successor answers for what is open.
	if view.Closed == 0 {
		view.Organisation = o.v.successor(view.Organisation, o.at.Unix())
	}
	view.OwnerName, admitted = o.look(view.Organisation, view.Document.traits())
	_, until := view.Document.head()
	switch {
	case view.Closed != 0:
		view.State = ListingClosed
	case until != "" && o.at.UTC().Format(time.DateOnly) > until:
		view.State = ListingEnded
	case !admitted:
		view.State = ListingUnlisted
	default:
		view.State = ListingOpen
	}
	return view, true
}

func listings[T Document](v View, t *table[Listing[T]], q ListingQuery, at time.Time) ListingPage[T] {
	out := ListingPage[T]{Moment: v.moment(at), Items: []ListingView[T]{}}
	o := owners{v: v, at: at}
	find := q.matcher()
	for _, id := range t.keys(v.AsOf) {
		view, ok := viewListing(&o, t, id)
		if !ok || view.State != ListingOpen && !q.Closed || q.Owner != "" && view.Organisation != q.Owner {
			continue
		}
		if find == nil || find(view.Document.search(), view.Document.AllSkills(), view.OwnerName) {
			out.Items = append(out.Items, view)
		}
	}
	out.Items = byTitle(out.Items)
	out.Total = len(out.Items)
	if q.After != "" {
		i := slices.IndexFunc(out.Items, func(l ListingView[T]) bool { return l.ID == q.After })
		if i < 0 {
			i = len(out.Items) - 1 // nothing comes behind what is not in the list
		}
		out.Items = out.Items[i+1:]
	}
	if q.Limit > 0 && len(out.Items) > q.Limit {
		out.Items, out.Next = out.Items[:q.Limit], out.Items[q.Limit-1].ID
	}
	return out
}

// since is when this version began to count.
func (l Listing[T]) since() int64 { return max(l.Published, l.Changed, l.Closed) }

// byTitle orders by Dutch title, as people look for it, and then by id.
func byTitle[T Document](items []ListingView[T]) []ListingView[T] {
	type place struct {
		title, id string
		at        int
	}
	order := make([]place, len(items))
	for i := range items {
		title, _ := items[i].Document.head()
		order[i] = place{fold(title.NL), items[i].ID, i}
	}
	slices.SortFunc(order, func(a, b place) int {
		return cmp.Or(strings.Compare(a.title, b.title), strings.Compare(a.id, b.id))
	})
	out := make([]ListingView[T], len(items))
	for i, p := range order {
		out[i] = items[p.at]
	}
	return out
}

// owners remembers, for one question, who owners are and whether they are admitted.
type owners struct {
	v     View
	at    time.Time
	known map[string]Organisation
}

func (o *owners) look(id string, t traits) (name string, admitted bool) {
	org, ok := o.known[id]
	if !ok {
		org, _ = o.v.Organisation(id, o.at)
		if o.known == nil {
			o.known = map[string]Organisation{}
		}
		o.known[id] = org
	}
	day, next := dayOf(o.at.Unix())
	for _, r := range org.Roles {
		if !slices.Contains(t.roles, r.Role) {
			continue
		}
		for i := range r.Standing.Grants {
			admitted = admitted || r.Standing.codeOn(i, day, next, t.typ) == CodeAdmitted
		}
	}
	return org.Name, admitted
}

// searched is what a search looks at beside skills and owner.
type searched struct {
	title   Text
	texts   []Text
	places  []Place
	sectors []string
}

// head is the title and the last day.
func (f FunctionProfile) head() (Text, string) { return f.Title, f.Until }
func (m Module) head() (Text, string)          { return m.Title, m.Until }

func (f FunctionProfile) search() searched {
	texts := append([]Text{f.Summary}, f.Tasks...)
	if f.Occupation != nil {
		texts = append(texts, f.Occupation.Label)
	}
	return searched{f.Title, texts, f.Places, f.Sectors}
}

func (m Module) search() searched {
	texts := append([]Text{m.Summary}, m.Outcomes...)
	if s := m.Stacking.Programme; s != nil {
		texts = append(texts, s.Title)
	}
	return searched{m.Title, texts, m.Places, m.Sectors}
}

// AllSkills lists every skill that the module teaches.
func (m Module) AllSkills() []SkillRef { return m.Skills }

// matcher is the part of a question that looks inside a document, nil when nothing does.
func (q ListingQuery) matcher() func(searched, []SkillRef, string) bool {
	words := strings.Fields(fold(q.Text))
	place, sector := fold(strings.TrimSpace(q.Place)), fold(strings.TrimSpace(q.Sector))
	if len(words) == 0 && len(q.Skills) == 0 && place == "" && sector == "" {
		return nil
	}
	var text []byte // used again for each document
	return func(s searched, skills []SkillRef, owner string) bool {
		for _, uri := range q.Skills {
			if !slices.ContainsFunc(skills, func(r SkillRef) bool { return r.URI == uri }) {
				return false
			}
		}
		if sector != "" && !slices.ContainsFunc(s.sectors, func(own string) bool { return fold(own) == sector }) {
			return false
		}
		if place != "" && !slices.ContainsFunc(s.places, func(p Place) bool {
			return strings.HasPrefix(fold(p.Name), place) || fold(p.Region) == place || strings.HasPrefix(fold(p.Postcode), place)
		}) {
			return false
		}
		if len(words) == 0 {
			return true
		}
		text = s.appendAll(text[:0], skills, owner)
		return !slices.ContainsFunc(words, func(w string) bool { return !bytes.Contains(text, []byte(w)) })
	}
}

// appendAll adds everything that words are looked for in.
func (s searched) appendAll(dst []byte, skills []SkillRef, owner string) []byte {
	add := func(t Text) {
		dst = append(appendFold(dst, t.NL), '\n')
		dst = append(appendFold(dst, t.EN), '\n')
	}
	add(s.title)
	for _, t := range s.texts {
		add(t)
	}
	for i := range skills {
		add(skills[i].Label)
	}
	return appendFold(dst, owner)
}

// fold is a text as it is searched: small letters, no accents, since people leave them off
// when they type.
func fold(s string) string { return string(appendFold(nil, s)) }

func appendFold(dst []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r >= 'A' && r <= 'Z':
			dst = append(dst, byte(r)+'a'-'A')
		case r < utf8.RuneSelf:
			dst = append(dst, byte(r))
		default:
			r = unicode.ToLower(r)
			if i := strings.IndexRune(accented, r); i >= 0 {
				dst = append(dst, plain[i/2]) // each takes two bytes
				continue
			}
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// The letters with accents that Dutch names have, and those without, in the same order.
const (
	accented = "áàâäçéèêëíìîïñóòôöúùûü"
	plain    = "aaaaceeeeiiiinoooouuuu"
)
