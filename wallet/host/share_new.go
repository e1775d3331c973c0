package host

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// sharePickPage chooses from a paspoort with too much in it for one form.
type sharePickPage struct {
	Items []sharePickItem
	Most  int
	Fault string // "", nothing, many
}

type sharePickItem struct {
	ID, Name string
	Type     paspoort.Text
	Issuer   string
	OwnWords bool
	Chosen   bool
}

// shareNewPage makes a share.
type shareNewPage struct {
	Token       string
	Form        shareForm
	Items       []shareNewItem
	DayChoices  []int
	TimeChoices []int
	More        bool   // there is more to choose from on the page before
	Seen        bool   // one of the items has a copy that somebody saw
	Drafted     bool   // filled with what was kept
	Fault       string // "", nothing, by, purpose, label, full, big, again, busy
}

type shareNewItem struct {
	sharePickItem
	Seen   bool
	Always []wallet.Line
	Lines  []shareNewLine
}

type shareNewLine struct {
	Key, Label, Value string
	Chosen            bool
}

// shareForm is what the form says.
type shareForm struct {
	Label, By, Purpose string
	Days, Times        int
	Second, KnowsSeen  bool
	items              []string
	lines              map[string][]string // by item; nil: the defaults
}

var (
	dayChoices  = []int{1, 7, 14, 30, 90}
	timeChoices = []int{1, 3, 10, 25, 100}
)

const (
	onePage       = 8 // so many items fit on the form with all their lines
	maxShareLabel = 60
	maxShareBy    = 80
	maxPurpose    = 300
)

// shareStart is a share in the making, held by the session: pressing the button twice makes
// one share.
type shareStart struct {
	items []string // on the form; nil means all
	again string   // the share that this one is to replace

	mu   sync.Mutex
	made string // path of the page with the link
}

// showPick lists everything, to choose a few.
func (h *Host) showPick(w http.ResponseWriter, r *http.Request, s *session) error {
	return h.renderPick(w, r, s, nil, "")
}

func (h *Host) renderPick(w http.ResponseWriter, r *http.Request, s *session, chosen []string, fault string) error {
	items, err := h.open(r, s).Shareable()
	if err != nil {
		return err
	}
	data := sharePickPage{Most: wallet.MaxShareItems, Fault: fault}
	for _, i := range items {
		data.Items = append(data.Items, pickItem(i, slices.Contains(chosen, i.ID)))
	}
	status := http.StatusOK
	if fault != "" {
		status = http.StatusUnprocessableEntity
	}
	return show(h, h.shares.pick, w, r, s, status, data)
}

func pickItem(i wallet.ShareItem, chosen bool) sharePickItem {
	out := sharePickItem{ID: i.ID, Name: i.Name, OwnWords: i.OwnWords, Chosen: chosen, Type: paspoort.Text{NL: i.Type, EN: i.Type}}
	if t, err := paspoort.ParseType(i.Type); err == nil {
		out.Type = t.Name()
	}
	if !i.OwnWords {
		out.Issuer = i.Issuer.DisplayName()
	}
	return out
}

func (h *Host) postPick(w http.ResponseWriter, r *http.Request, s *session) error {
	chosen := r.PostForm["item"]
	switch {
	case len(chosen) == 0:
		return h.renderPick(w, r, s, nil, "nothing")
	case len(chosen) > wallet.MaxShareItems:
		return h.renderPick(w, r, s, chosen, "many")
	}
	name, err := s.hold(h.c.Rand, h.c.Clock(), &shareStart{items: chosen})
	if err != nil {
		return err
	}
	return see(w, r, "/shares/new?with="+url.QueryEscape(name))
}

// showNewShare shows the form: for what was picked, for one thing (?item=), for what a
// share had before (?again=), or for everything when that is not much.
func (h *Host) showNewShare(w http.ResponseWriter, r *http.Request, s *session) error {
	q := r.URL.Query()
	paspoort := h.open(r, s)
	items, err := paspoort.Shareable()
	if err != nil {
		return err
	}
	form, err := h.firstForm(paspoort)
	if err != nil {
		return err
	}
	start, picked := holding[*shareStart](s, q.Get("with"))
	if !picked {
		start = &shareStart{again: q.Get("again")}
		if item := q.Get("item"); item != "" {
			start.items = []string{item}
		}
	}
	drafted := false
	if start.again != "" {
		if err := again(paspoort, start, &form); err != nil {
			return err
		}
	} else if !picked && start.items == nil {
		if drafted, err = h.fromDraft(paspoort, start, &form); err != nil {
			return err
		}
	}
	if start.items == nil && len(items) > onePage {
		return see(w, r, "/shares/pick")
	}
	if !drafted {
		form.items = start.items
	}
	return h.renderNewShare(w, r, s, start, shareNewPage{Form: form, Drafted: drafted})
}

// firstForm is the form before anything was filled in.
func (h *Host) firstForm(paspoort *wallet.Wallet) (shareForm, error) {
	person, err := paspoort.Person()
	return shareForm{By: person.Name, Days: 14, Times: 10, Second: true}, err
}

// again fills in what a share had that somebody wants a new link of.
func again(paspoort *wallet.Wallet, start *shareStart, form *shareForm) error {
	shares, err := paspoort.Shares()
	if err != nil {
		return err
	}
	at := slices.IndexFunc(shares, func(s wallet.Share) bool { return s.ID == start.again })
	if at < 0 {
		return errNotHere
	}
	form.Label, form.By, form.Purpose, form.Times, form.Second = shares[at].Label, shares[at].By, shares[at].Purpose, shares[at].Openings, shares[at].Code
	start.items = []string{}
	for _, shown := range shares[at].Shown {
		start.items = append(start.items, shown.Credential)
	}
	return nil
}

// fromDraft fills in what was kept of a form that was never sent.
func (h *Host) fromDraft(paspoort *wallet.Wallet, start *shareStart, form *shareForm) (bool, error) {
	kept, err := paspoort.Draft("share")
	if err != nil || kept == nil {
		return false, err
	}
	*form = readShareForm(kept)
	if shown := kept["shown"]; len(shown) > 0 {
		start.items = shown
	} else if len(form.items) > 0 {
		start.items = form.items
	}
	return true, nil
}

// readShareForm reads what was sent or kept.
func readShareForm(v url.Values) shareForm {
	f := shareForm{
		Label: strings.TrimSpace(v.Get("label")), By: strings.TrimSpace(v.Get("by")), Purpose: strings.TrimSpace(v.Get("purpose")),
		Second: v.Get("second") != "", KnowsSeen: v.Get("seen") != "", items: v["item"], lines: map[string][]string{},
	}
	f.Days, _ = strconv.Atoi(v.Get("days"))
	f.Times, _ = strconv.Atoi(v.Get("times"))
	for name, keys := range v {
		if id, ok := strings.CutPrefix(name, "line-"); ok {
			f.lines[id] = keys
		}
	}
	return f
}

// choices are the items that go with their lines.
func (f *shareForm) choices() []wallet.ShareChoice {
	var out []wallet.ShareChoice
	for _, id := range f.items {
		out = append(out, wallet.ShareChoice{Item: id, Keys: f.lines[id]})
	}
	return out
}

// check says which field is wrong.
func (f *shareForm) check() (fault string) {
	bad := func(s string, least, most int) bool {
		n := utf8.RuneCountInString(s)
		return n < least || n > most || !utf8.ValidString(s)
	}
	switch {
	case len(f.items) == 0:
		return "nothing"
	case bad(f.By, 1, maxShareBy):
		return "by"
	case bad(f.Purpose, 1, maxPurpose):
		return "purpose"
	case bad(f.Label, 0, maxShareLabel):
		return "label"
	case !slices.Contains(dayChoices, f.Days) || !slices.Contains(timeChoices, f.Times):
		return "limits"
	}
	return ""
}

func (h *Host) renderNewShare(w http.ResponseWriter, r *http.Request, s *session, start *shareStart, data shareNewPage) error {
	items, err := h.open(r, s).Shareable()
	if err != nil {
		return err
	}
	if data.Token, err = s.hold(h.c.Rand, h.c.Clock(), start); err != nil {
		return err
	}
	data.More, data.DayChoices, data.TimeChoices = len(items) > onePage, dayChoices, timeChoices
	for _, i := range items {
		if start.items != nil && !slices.Contains(start.items, i.ID) {
			continue
		}
		item := shareNewItem{sharePickItem: pickItem(i, slices.Contains(data.Form.items, i.ID)), Seen: i.Seen}
		data.Seen = data.Seen || i.Seen
		for _, l := range i.Lines {
			if l.Always {
				item.Always = append(item.Always, l.Line)
				continue
			}
			chosen := l.Default
			if data.Form.lines != nil {
				chosen = slices.Contains(data.Form.lines[i.ID], l.Key)
			}
			item.Lines = append(item.Lines, shareNewLine{l.Key, l.Label, l.Value, chosen})
		}
		data.Items = append(data.Items, item)
	}
	status := http.StatusOK
	if data.Fault != "" {
		status = http.StatusUnprocessableEntity
	}
	return show(h, h.shares.edit, w, r, s, status, data)
}

func (h *Host) postNewShare(w http.ResponseWriter, r *http.Request, s *session) error {
	form := readShareForm(r.PostForm)
	start, ok := holding[*shareStart](s, r.PostForm.Get("token"))
	if !ok {
		// The form is of another session. What was filled in is shown again.
		start = &shareStart{items: r.PostForm["shown"]}
		return h.renderNewShare(w, r, s, start, shareNewPage{Form: form, Fault: "again"})
	}
	start.mu.Lock()
	defer start.mu.Unlock()
	if start.made != "" {
		return see(w, r, start.made)
	}
	fault := form.check()
	paspoort := h.open(r, s)
	if fault == "" {
		path, err := h.makeShare(r, s, paspoort, &form)
		if fault = shareFault(err); fault == "" && err != nil {
			return err
		}
		start.made = path
	}
	if fault != "" {
		return h.renderNewShare(w, r, s, &shareStart{items: start.items, again: start.again}, shareNewPage{Form: form, Fault: fault})
	}
	if err := paspoort.DropDraft("share"); err != nil {
		return err
	}
	return see(w, r, start.made)
}

// shareFault is the word of an error that the holder can do something about.
func shareFault(err error) string {
	switch {
	case errors.Is(err, errShareFull):
		return "full"
	case errors.Is(err, errShareSize), errors.Is(err, wallet.ErrFullShare):
		return "big"
	case errors.Is(err, wallet.ErrAgain), errors.Is(err, wallet.ErrNotHere):
		return "changed"
	}
	return ""
}
