package wallet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

var (
	// ErrEmptyShare: nothing was chosen, so there is nothing to share.
	ErrEmptyShare = errors.New("nothing was chosen to share")
	// ErrFullShare: more was chosen than MaxShareItems.
	ErrFullShare = errors.New("too much was chosen for one share: choose at most 25 things")
)

// MaxShareItems is what one share holds: a reader who wants more has no time to read it.
const MaxShareItems = 25

// A ShareDraft is what the holder decided about a share.
type ShareDraft struct {
	Label    string    // for the holder only
	By       string    // who shares, as the reader reads it
	Purpose  string    // for what
	Until    time.Time // when the link stops
	Openings int       // how often it may be opened
	Code     bool      // a second code goes another way
	Place    string    // where the host keeps it
	Choices  []ShareChoice
	// KnowsSeen: the holder read that somebody saw one of these copies before.
	KnowsSeen bool
}

// A ShareChoice is one thing that goes, with the keys of the lines that go along.
type ShareChoice struct {
	Item string   `json:"item"`
	Keys []string `json:"keys"`
}

// A FrozenShare is what the reader gets: a copy that nothing changes any more. It holds
// the proofs themselves, so that whoever reads it can check them elsewhere.
type FrozenShare struct {
	Version int          `json:"version"`
	ID      string       `json:"id"`
	By      string       `json:"by"`
	Purpose string       `json:"purpose"`
	Made    time.Time    `json:"made"`
	Until   time.Time    `json:"until"`
	Items   []FrozenItem `json:"items"`
}

// shareVersion is the version of the form above.
const shareVersion = 1

// A FrozenItem is one proof. What it says stands in the proof and nowhere beside it, so
// that the two cannot differ (see Facts).
type FrozenItem struct {
	TypeName paspoort.Text `json:"type_name"`
	OwnWords bool          `json:"own_words,omitempty"`
	Issuer   Party         `json:"issuer,omitzero"`
	// Level is the proof level as it was found on the day of sharing; nil when none was.
	Level        *int               `json:"level,omitempty"`
	Labels       []openid4vci.Claim `json:"labels,omitempty"` // the issuer's words, for a foreign type
	Presentation string             `json:"presentation"`
}

// Facts are what the proof shows, in a language, and its title: empty when the holder
// did not share it.
func (i FrozenItem) Facts(lang string) (title string, lines []Line, err error) {
	t, err := sdjwt.Parse(i.Presentation)
	if err != nil {
		return "", nil, err
	}
	w := &Wallet{c: Config{Languages: []string{lang}}}
	if lines, err = w.lines(t, i.Labels); err != nil {
		return "", nil, err
	}
	claims, err := t.Claims()
	if err != nil {
		return "", nil, err
	}
	if read, err := paspoort.Read(claims); err == nil {
		title = read.Text("title")
	}
	return title, lines, nil
}

// A Share is what the holder keeps of one: neither link nor code.
type Share struct {
	ID       string            `json:"id"`
	Label    string            `json:"label"`
	By       string            `json:"by"`
	Purpose  string            `json:"purpose"`
	Made     time.Time         `json:"made"`
	Until    time.Time         `json:"until"`
	Openings int               `json:"openings"`
	Code     bool              `json:"code,omitempty"`
	Place    string            `json:"place"`
	Shown    []ShownCredential `json:"shown"`
}

// Shares are all shares that were made and not forgotten, newest first.
func (w *Wallet) Shares() ([]Share, error) {
	out := []Share{}
	err := w.c.Store.View(func(tx kv.Tx) error {
		return w.box.each(tx, sharePrefix, func(_ string, body []byte) error {
			var s Share
			if err := decode(body, &s); err != nil {
				return err
			}
			out = append(out, s)
			return nil
		})
	})
	slices.SortStableFunc(out, func(a, b Share) int { return cmp.Or(b.Made.Compare(a.Made), cmp.Compare(b.ID, a.ID)) })
	return out, err
}

// shareLabel is what the holder called a share; empty when it was forgotten.
func (w *Wallet) shareLabel(tx kv.Tx, id string) (string, error) {
	var s Share
	err := w.box.get(tx, sharePrefix+id, &s)
	if errors.Is(err, kv.ErrNotFound) {
		err = nil
	}
	return s.Label, err
}

// ShareWithdrawn remembers that the holder closed a share. ErrNotHere.
func (w *Wallet) ShareWithdrawn(id string) error {
	return w.withShare(id, func(tx kv.Tx, s Share) error {
		return w.remember(tx, Event{Kind: EventShareWithdrawn, Share: s.ID, Name: s.Label, Purpose: s.Purpose})
	})
}

// ForgetShare takes a closed share off the list. The history keeps it.
func (w *Wallet) ForgetShare(id string) error {
	return w.withShare(id, func(tx kv.Tx, s Share) error { return w.box.delete(tx, sharePrefix+s.ID) })
}

func (w *Wallet) withShare(id string, fn func(kv.Tx, Share) error) error {
	return w.c.Store.Update(func(tx kv.Tx) error {
		var s Share
		err := w.box.get(tx, sharePrefix+id, &s)
		if errors.Is(err, kv.ErrNotFound) {
			return ErrNotHere
		}
		if err != nil {
			return err
		}
		return fn(tx, s)
	})
}

// FreezeShare makes the copy that goes: each proof reduced to what was chosen, bound to
// a key that no other share and no asker gets, as long as copies last. Which copies went
// is counted, and the history says what goes, before anything leaves.
//
// Errors: ErrEmptyShare, ErrFullShare, ErrNotHere, and ErrAgain when a choice names something that is
// not there any more, or a copy was seen before and the holder was not told.
func (w *Wallet) FreezeShare(ctx context.Context, d ShareDraft) (*FrozenShare, error) {
	if len(d.Choices) == 0 {
		return nil, ErrEmptyShare
	}
	if len(d.Choices) > MaxShareItems {
		return nil, ErrFullShare
	}
	levels, err := w.levelsOf(ctx, d.Choices)
	if err != nil {
		return nil, err
	}
	id, err := w.newID()
	if err != nil {
		return nil, err
	}
	f := &FrozenShare{Version: shareVersion, ID: id, By: d.By, Purpose: d.Purpose, Made: w.c.Clock().UTC(), Until: d.Until.UTC()}
	kept := Share{ID: id, Label: d.Label, By: d.By, Purpose: d.Purpose, Made: f.Made, Until: f.Until, Openings: d.Openings, Code: d.Code, Place: d.Place}
	err = w.c.Store.Update(func(tx kv.Tx) error {
		s, err := w.beginShare(tx, id, d)
		if err != nil {
			return err
		}
		for _, choice := range d.Choices {
			item, shown, err := s.freeze(choice)
			if err != nil {
				return err
			}
			item.Level = levels[choice.Item]
			f.Items, kept.Shown = append(f.Items, item), append(kept.Shown, shown)
		}
		if err := w.box.put(tx, sharePrefix+id, kept); err != nil {
			return err
		}
		return w.remember(tx, Event{Kind: EventShareMade, Share: id, Name: d.Label, Purpose: d.Purpose, Shown: kept.Shown})
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// levelsOf are the proof levels today of what was chosen, all looked at in one go: what has
// to be fetched for them is waited for once.
func (w *Wallet) levelsOf(ctx context.Context, choices []ShareChoice) (map[string]*int, error) {
	out := map[string]*int{}
	request := evidence.Request{Flow: paspoort.File}
	var looked []string
	for _, choice := range choices {
		c, d, err := w.find(choice.Item)
		if err != nil {
			return nil, err
		}
		if d != nil {
			level := paspoort.LevelSelf
			out[choice.Item] = &level
			continue
		}
		text, err := w.lookAt(c)
		if err != nil {
			return nil, err
		}
		request.Presentations = append(request.Presentations, evidence.Presentation{Text: text})
		looked = append(looked, choice.Item)
	}
	if len(looked) == 0 {
		return out, nil
	}
	verdict, err := w.evidence.Verify(ctx, request)
	if err != nil {
		return nil, err
	}
	for i, id := range looked {
		out[id] = verdict.Credentials[i].ProofLevel
	}
	return out, nil
}

// A freezing is a share in the making, inside its transaction.
type freezing struct {
	w           *Wallet
	tx          kv.Tx
	slot        int
	credentials map[string]*credential
}

// beginShare reads what was chosen and picks the slot: one that nobody has, or else the
// least used one at which everything has a copy.
func (w *Wallet) beginShare(tx kv.Tx, id string, d ShareDraft) (*freezing, error) {
	a, err := w.readAskers(tx)
	if err != nil {
		return nil, err
	}
	asker := "share:" + id
	s := &freezing{w: w, tx: tx, slot: a.slotOf(asker), credentials: map[string]*credential{}}
	var bound []*credential
	seen, short := false, false
	for _, choice := range d.Choices {
		c := new(credential)
		err := w.box.get(tx, credentialPrefix+choice.Item, c)
		if errors.Is(err, kv.ErrNotFound) {
			continue // own words, or gone: freeze finds out
		}
		if err != nil {
			return nil, err
		}
		if s.credentials[choice.Item] != nil {
			return nil, fmt.Errorf("%w: one thing was chosen twice", ErrAgain)
		}
		s.credentials[choice.Item] = c
		seen = seen || c.seenAt(s.slot)
		if c.Copies[0].Slot >= 0 {
			bound, short = append(bound, c), short || c.copyAt(s.slot) == nil
		}
	}
	if seen && !d.KnowsSeen {
		return nil, ErrAgain
	}
	if short {
		s.slot = usedBefore(bound, s.slot).slot
	}
	a.Slots[asker] = s.slot
	return s, w.box.put(tx, keyAskers, a)
}

// freeze makes one item, and counts that its copy was shown.
func (s *freezing) freeze(choice ShareChoice) (FrozenItem, ShownCredential, error) {
	var none ShownCredential
	p := prepared{slot: s.slot}
	item := FrozenItem{TypeName: paspoort.Zelfverklaring.Name(), OwnWords: true}
	name, c := "", s.credentials[choice.Item]
	var err error
	if c != nil {
		if p, err = s.take(c); err == nil {
			name, item = c.item().Name, s.itemOf(c)
		}
	} else {
		name, err = s.words(choice.Item, &p)
	}
	if err != nil {
		return item, none, err
	}
	if p.token, err = reduceTo(p.token, choice.Keys); err != nil {
		return item, none, err
	}
	lines, err := s.w.lines(p.token, item.Labels)
	if err != nil {
		return item, none, err
	}
	nonce, err := s.w.newID()
	if err != nil {
		return item, none, err
	}
	item.Presentation, err = s.w.bind(p, paspoort.FileAudience, nonce)
	return item, shownOf(ConsentItem{Credential: choice.Item, Name: name, Lines: lines}), err
}

// take is the copy at the slot, or the least used one.
func (s *freezing) take(c *credential) (p prepared, err error) {
	copy := c.copyAt(s.slot)
	if copy == nil {
		copy = c.leastUsed()
	}
	if err := s.w.loadCopy(s.tx, c, copy); err != nil {
		return p, err
	}
	copy.Uses++
	p = prepared{slot: copy.Slot, timestamps: copy.Timestamps}
	if p.slot >= 0 {
		if p.key, err = s.w.slotSigner(s.tx, p.slot); err != nil {
			return p, err
		}
	}
	if p.token, err = sdjwt.Parse(copy.Text); err != nil {
		return p, err
	}
	return p, s.w.putCredential(s.tx, c)
}

// words signs own words with the key of the slot.
func (s *freezing) words(id string, p *prepared) (name string, err error) {
	var d declaration
	err = s.w.box.get(s.tx, declarationPrefix+id, &d)
	if errors.Is(err, kv.ErrNotFound) {
		return "", ErrNotHere
	}
	if err != nil {
		return "", err
	}
	if p.key, err = s.w.slotSigner(s.tx, p.slot); err != nil {
		return "", err
	}
	p.token, err = s.w.sign(&d, paspoort.FormatSDJWTVC, p.key)
	return d.name(), err
}

// itemOf is what the reader is told beside the proof: nothing that says more of the
// person than the type does.
func (s *freezing) itemOf(c *credential) FrozenItem {
	p := c.Party
	name := cmp.Or(c.Name, c.ConfigurationID)
	item := FrozenItem{TypeName: paspoort.Text{NL: name, EN: name}, Labels: c.Labels, Issuer: Party{ID: p.ID, CallsItself: p.CallsItself,
		Known: p.Known, Organisation: p.Organisation, Name: p.Name, Region: p.Region, Role: p.Role, Admitted: p.Admitted}}
	if t, err := paspoort.ParseType(c.item().Type); err == nil {
		item.TypeName, item.Labels = t.Name(), nil
	}
	return item
}
