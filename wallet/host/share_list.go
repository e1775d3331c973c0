package host

import (
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/wallet"
)

// sharesPage is everything that the holder shared by link.
type sharesPage struct {
	Open, Closed []shareEntry
	Full         bool // no more may be open at once
}

// shareEntry is one share on the list.
type shareEntry struct {
	wallet.Share
	Opened, Left int
	Why          closing // empty while it is open
	AskedAt      time.Time
	unheard      bool // the holder did not see yet that somebody asked
}

// closedElsewhere: this host does not have it, because it was made at another.
const closedElsewhere closing = "elsewhere"

func (h *Host) shareRoutes() {
	h.getMember("/shares", "shares", h.showShares)
	h.getMember("/shares/pick", "share-pick", h.showPick)
	h.postMember("/shares/pick", h.postPick)
	h.getMember("/shares/new", "share-new", h.showNewShare)
	h.postMember("/shares/new", h.postNewShare)
	h.getMember("/shares/made/{name}", "share-made", h.showMadeShare)
	h.getMember("/shares/made/{name}/qr.svg", "file:share-qr", h.madeQR)
	h.postMember("/shares/{id}/withdraw", h.withdrawShare)
	h.postMember("/shares/{id}/forget", h.forgetShare)
	h.readerRoutes()
}

// showShares tells how each share stands now: what came in while this page was away is
// taken out of the inbox first.
func (h *Host) showShares(w http.ResponseWriter, r *http.Request, s *session) error {
	paspoort := h.open(r, s)
	if _, err := paspoort.Inbox(); err != nil {
		h.c.Log.Error("an inbox could not be read", "kind", errorKinds(err))
	}
	entries, err := h.shareEntries(paspoort, s.holder)
	if err != nil {
		return err
	}
	var data sharesPage
	for _, e := range entries {
		if e.Why == "" {
			data.Open = append(data.Open, e)
		} else {
			data.Closed = append(data.Closed, e)
		}
	}
	data.Full = len(data.Open) >= maxOpenShares
	if err := show(h, h.shares.list, w, r, s, http.StatusOK, data); err != nil || r.Method == http.MethodHead {
		return err
	}
	h.heardAll(entries)
	return nil
}

// shareEntries are the shares of a holder, newest first.
func (h *Host) shareEntries(paspoort *wallet.Wallet, holder string) ([]shareEntry, error) {
	shares, err := paspoort.Shares()
	if err != nil {
		return nil, err
	}
	out := make([]shareEntry, len(shares))
	for i, s := range shares {
		row, err := h.share(s.Place)
		switch {
		case errors.Is(err, errNotHere), err == nil && row.Holder != holder:
			row = shareRow{Closed: closedElsewhere}
			if !h.c.Clock().Before(s.Until) {
				row.Closed = closedEnded
			}
		case err != nil:
			return nil, err
		}
		out[i] = shareEntry{Share: s, Opened: row.Most - row.Left, Left: row.Left, Why: row.Closed, AskedAt: row.AskedAt, unheard: !row.AskedAt.IsZero() && !row.Heard}
	}
	return out, nil
}

// mine is a share of this holder by its id.
func (h *Host) mine(r *http.Request, s *session) (*wallet.Wallet, wallet.Share, error) {
	paspoort := h.open(r, s)
	shares, err := paspoort.Shares()
	if err != nil {
		return nil, wallet.Share{}, err
	}
	id := mux.Vars(r)["id"]
	for _, share := range shares {
		if share.ID == id {
			return paspoort, share, nil
		}
	}
	return nil, wallet.Share{}, errNotHere
}

// withdrawShare closes a share at once: whoever opens the link after this reads nothing.
func (h *Host) withdrawShare(w http.ResponseWriter, r *http.Request, s *session) error {
	paspoort, share, err := h.mine(r, s)
	if err != nil {
		return err
	}
	err = h.closeShare(s.holder, share.Place, closedWithdrawn)
	if errors.Is(err, errShareClosed) || errors.Is(err, errNotHere) {
		return see(w, r, "/shares") // it was closed already
	}
	if err != nil {
		return err
	}
	if err := paspoort.ShareWithdrawn(share.ID); err != nil {
		return err
	}
	s.say("share-withdrawn")
	return see(w, r, "/shares")
}

// forgetShare takes a closed share off the list.
func (h *Host) forgetShare(w http.ResponseWriter, r *http.Request, s *session) error {
	paspoort, share, err := h.mine(r, s)
	if err != nil {
		return err
	}
	row, err := h.share(share.Place)
	if err == nil && row.Closed == "" && row.Holder == s.holder {
		return see(w, r, "/shares") // withdraw it first
	}
	if err != nil && !errors.Is(err, errNotHere) {
		return err
	}
	if err := paspoort.ForgetShare(share.ID); err != nil {
		return err
	}
	return see(w, r, "/shares")
}

// openShares counts what is open.
func (h *Host) openShares(paspoort *wallet.Wallet, holder string) (n int, err error) {
	entries, err := h.shareEntries(paspoort, holder)
	for _, e := range entries {
		if e.Why == "" {
			n++
		}
	}
	return n, err
}

// shareMadePage shows a link that was just made: now, and not later.
type shareMadePage struct {
	Name     string // in the address of this page
	Link     string
	Message  shareMessage
	Code     []string // in groups of three digits; none when there is no code
	Label    string
	Until    time.Time
	Openings int
}

// shareMessage is what the text to send is made of.
type shareMessage struct{ By, Purpose string }

// madeShare is what a session holds of it, for a while.
type madeShare struct {
	page shareMadePage
	at   time.Time
}

// madeAge is how long a new link can be looked at. It is not stored; who lost it makes
// another.
const madeAge = 15 * time.Minute

func (h *Host) heldMade(r *http.Request, s *session) (madeShare, bool) {
	made, ok := holding[madeShare](s, mux.Vars(r)["name"])
	return made, ok && h.c.Clock().Sub(made.at) < madeAge
}

func (h *Host) showMadeShare(w http.ResponseWriter, r *http.Request, s *session) error {
	made, ok := h.heldMade(r, s)
	if !ok {
		s.say("share-shown")
		return see(w, r, "/shares")
	}
	made.page.Name = mux.Vars(r)["name"]
	return show(h, h.shares.made, w, r, s, http.StatusOK, made.page)
}

func (h *Host) madeQR(w http.ResponseWriter, r *http.Request, s *session) error {
	made, ok := h.heldMade(r, s)
	if !ok {
		return errNotHere
	}
	return page.WriteQR(w, made.page.Link)
}

// makeShare does what the form says and gives the path of the page with the link.
func (h *Host) makeShare(r *http.Request, s *session, paspoort *wallet.Wallet, f *shareForm) (path string, err error) {
	if n, err := h.openShares(paspoort, s.holder); err != nil {
		return "", err
	} else if n >= maxOpenShares {
		return "", errShareFull
	}
	secret, err := wallet.NewShareSecret(h.c.Rand)
	if err != nil {
		return "", err
	}
	code := ""
	if f.Second {
		if code, err = wallet.NewShareCode(h.c.Rand); err != nil {
			return "", err
		}
	}
	now := h.c.Clock().UTC()
	hash := secret.Hash()
	place := hex.EncodeToString(hash[:])
	d := wallet.ShareDraft{
		Label: f.Label, By: f.By, Purpose: f.Purpose, Until: now.AddDate(0, 0, f.Days), Openings: f.Times, Code: f.Second, Place: place,
		Choices: f.choices(), KnowsSeen: f.KnowsSeen,
	}
	frozen, err := paspoort.FreezeShare(r.Context(), d)
	if err != nil {
		return "", err
	}
	row := shareRow{Holder: s.holder, Share: frozen.ID, Until: frozen.Until, Most: f.Times, Left: f.Times, Tries: codeTries}
	if row.Sealed, err = paspoort.Seal(frozen, secret, code); err == nil {
		err = h.addShare(place, row)
	}
	if err != nil {
		// It never opened; the history says that it was made and closed.
		return "", errors.Join(err, paspoort.ShareWithdrawn(frozen.ID), paspoort.ForgetShare(frozen.ID))
	}
	var groups []string
	if code != "" {
		groups = []string{code[:3], code[3:]}
	}
	name, err := s.hold(h.c.Rand, now, madeShare{at: now, page: shareMadePage{
		Link: h.c.URL + readerPath(secret), Code: groups, Label: f.Label, Until: frozen.Until, Openings: f.Times, Message: shareMessage{f.By, f.Purpose},
	}})
	return "/shares/made/" + url.PathEscape(name), err
}
