package host

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/wallet"
)

// inPage signs in.
type inPage struct {
	Number string // known on this device, or typed
	// Known: the number is not asked, because this device knows it or a passkey said it.
	Known    bool
	ByKey    bool // signed in by a passkey that cannot unlock: only the passphrase is left
	Away     bool
	Fault    string // "", wrong, number, wait, busy
	Minutes  int    // to wait
	Bringing string
}

// leftPage says goodbye.
type leftPage struct{ Away bool }

func (h *Host) deviceNumber(r *http.Request) string {
	number, _, _ := cutDevice(h.cookie(r, deviceCookie))
	return number
}

// cutDevice reads the cookie of a device: the number, a point, a token.
func cutDevice(cookie string) (number, token string, ok bool) {
	if len(cookie) < numberSize+2 || cookie[numberSize] != '.' {
		return "", "", false
	}
	number, ok = readNumber(cookie[:numberSize])
	return number, cookie[numberSize+1:], ok
}

func (h *Host) showIn(w http.ResponseWriter, r *http.Request, s *session) error {
	if s.in() {
		return see(w, r, "/paspoort")
	}
	return h.renderIn(w, r, s, inPage{})
}

func (h *Host) renderIn(w http.ResponseWriter, r *http.Request, s *session, data inPage) error {
	number := h.deviceNumber(r)
	switch {
	case r.URL.Query().Has("other"):
	case s.holder != "":
		data.Known, data.ByKey = true, true
	case data.Number == "" && number != "":
		data.Number, data.Known = spaced(number), true
	}
	data.Bringing = s.bringing()
	return show(h, h.views.in, w, r, s, faultStatus(data.Fault), data)
}

// signIn opens a paspoort with its passphrase. A number that does not exist costs as much
// time as one that does, and is answered alike.
func (h *Host) signIn(w http.ResponseWriter, r *http.Request, s *session) error {
	if s.in() {
		return see(w, r, "/paspoort")
	}
	data := inPage{Number: r.PostForm.Get("number"), Away: r.PostForm.Get("away") != ""}
	a, fault, err := h.claimed(r, s)
	if err != nil {
		return err
	}
	if data.Fault = fault; fault != "" {
		return h.renderIn(w, r, s, data)
	}
	keys := h.tryKeys(r, a)
	if data.Minutes = attempt(keys); data.Minutes > 0 {
		data.Fault = "wait"
		return h.renderIn(w, r, s, data)
	}
	var paspoort *wallet.Wallet
	id := "none"
	if a != nil {
		id = a.ID
	}
	passphrase := []byte(r.PostForm.Get("passphrase"))
	ran := h.limits.derive(r.Context(), func() {
		if a == nil {
			wallet.Waste(h.engine(id, page.Dutch), passphrase)
			err = wallet.ErrPassphrase
			return
		}
		paspoort, err = wallet.Unlock(h.engine(id, h.kit.Language(r)), passphrase)
	})
	switch {
	case !ran:
		giveBack(keys)
		data.Fault = "busy"
		return h.renderIn(w, r, s, data)
	case errors.Is(err, wallet.ErrPassphrase), errors.Is(err, wallet.ErrNoWallet):
		data.Fault = "wrong"
		return h.renderIn(w, r, s, data)
	case err != nil:
		return err
	}
	succeeded(keys)
	next, err := h.enter(w, r, s, a, paspoort, !data.Away)
	if err != nil {
		return err
	}
	return see(w, r, next.next())
}

// claimed is the account that somebody wants to open: the one a passkey named, the one of
// the number typed, or that of this device. It is nil for a number that nobody has.
func (h *Host) claimed(r *http.Request, s *session) (a *account, fault string, err error) {
	number, ok := readNumber(r.PostForm.Get("number"))
	if typed := r.PostForm.Get("number"); typed == "" && s.holder != "" {
		a, err = h.account(s.holder)
		return a, "", err
	}
	if !ok && r.PostForm.Get("number") == "" {
		number, ok = h.deviceNumber(r), h.deviceNumber(r) != ""
	}
	if !ok {
		return nil, "number", nil
	}
	a, err = h.accountOf(numberKey(number))
	if errors.Is(err, errNoAccount) {
		return nil, "", nil
	}
	return a, "", err
}

// A tryKey is one thing that is counted for an attempt.
type tryKey struct {
	limiter *limiter
	key     [32]byte
}

// tryKeys are what an attempt counts against: the account, or on a device that the account
// knows that device; and the network, last.
func (h *Host) tryKeys(r *http.Request, a *account) []tryKey {
	place := tryKey{h.limits.places, h.limits.place(r)}
	if a == nil {
		number, _ := readNumber(r.PostForm.Get("number"))
		return []tryKey{{h.limits.accounts, h.limits.of("number", number)}, place}
	}
	device := h.cookie(r, deviceCookie)
	if a.knows(device) {
		return []tryKey{{h.limits.devices, h.limits.of("device", device)}, place}
	}
	return []tryKey{{h.limits.accounts, h.limits.of("number", a.Number)}, place}
}

// attempt counts an attempt before it is made, so that many at once are not free, and gives
// the minutes to wait when it may not be made.
func attempt(keys []tryKey) (minutes int) {
	var longest time.Duration
	for i, k := range keys {
		wait := k.limiter.take(k.key)
		if wait > 0 {
			giveBack(keys[:i])
		}
		if longest = max(longest, wait); wait > 0 {
			break
		}
	}
	return int((longest + time.Minute - 1) / time.Minute)
}

// giveBack undoes attempts that were not made after all.
func giveBack(keys []tryKey) {
	for _, k := range keys {
		k.limiter.undo(k.key)
	}
}

// succeeded forgets the attempts of who showed who it is. Of the place, which others share,
// only this one is given back.
func succeeded(keys []tryKey) {
	for _, k := range keys[:len(keys)-1] {
		k.limiter.well(k.key)
	}
	giveBack(keys[len(keys)-1:])
}

// enter makes a session for the holder, with a cookie of its own, takes out what waited in
// the inbox, and begins the look at how everything stands. own remembers the device.
func (h *Host) enter(w http.ResponseWriter, r *http.Request, s *session, a *account, paspoort *wallet.Wallet, own bool) (*session, error) {
	if _, err := paspoort.Inbox(); err != nil {
		// What waits there is not lost; the paspoort opens all the same.
		h.c.Log.Error("an inbox could not be read", "kind", errorKinds(err))
	}
	next := s.follow(a.ID)
	next.paspoort, next.own, next.sure = paspoort, own, h.c.Clock()
	if err := h.replace(w, s, next); err != nil {
		return nil, err
	}
	h.lookAtStandings(next, paspoort)
	return next, h.rememberDevice(w, r, a, own)
}

// replace gives the browser another session and ends the one of before. A cookie that
// somebody planted opens nothing.
func (h *Host) replace(w http.ResponseWriter, old, next *session) error {
	cookie, err := h.sessions.start(next)
	if err != nil {
		return err
	}
	if old.token != [32]byte{} {
		h.sessions.leave(old)
	}
	h.setCookie(w, sessionCookie, cookie, 0)
	return nil
}

// deviceAge is how long a device is remembered.
const deviceAge = 365 * 24 * time.Hour

// rememberDevice gives a device of the holder's own a cookie by which the account knows it.
// On another's device nothing is stored, and what stood there goes.
func (h *Host) rememberDevice(w http.ResponseWriter, r *http.Request, a *account, own bool) error {
	cookie := h.cookie(r, deviceCookie)
	if !own {
		if cookie != "" && a.knows(cookie) {
			h.setCookie(w, deviceCookie, "", -time.Second)
		}
		return nil
	}
	if a.knows(cookie) {
		h.setCookie(w, deviceCookie, cookie, deviceAge)
		return nil
	}
	token, err := newToken(h.c.Rand, 16)
	if err != nil {
		return err
	}
	err = h.change(a.ID, func(a *account) error {
		a.Devices = append(a.Devices, hashText(token))
		a.Devices = a.Devices[max(0, len(a.Devices)-maxDevices):]
		return nil
	})
	if err != nil {
		return err
	}
	h.setCookie(w, deviceCookie, a.Number+"."+token, deviceAge)
	return nil
}

// next is where to go once the paspoort is open: what the holder came with first.
func (s *session) next() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	wish := s.wish
	s.wish = ""
	switch {
	case s.bring != "" && isOffer(s.bring):
		return "/offer"
	case s.bring != "":
		return "/present"
	case wish != "":
		return localPath(wish)
	}
	return "/paspoort"
}

func (h *Host) leave(w http.ResponseWriter, r *http.Request, s *session) error {
	// Once: a proof that was fetched and not kept would be lost.
	offer := s.fetchedOffer()
	s.mu.Lock()
	own, warned := s.own, s.warned
	s.warned = true
	s.mu.Unlock()
	if offer != "" && !warned {
		s.say("not-kept-yet")
		return see(w, r, offer)
	}
	h.sessions.leave(s)
	h.setCookie(w, sessionCookie, "", -time.Second)
	if !own {
		// Everything that the browser kept of this site goes. The cookies go with the page that
		// follows: it must still know the language.
		w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
		return see(w, r, "/left?away=1")
	}
	return see(w, r, "/left")
}

func (h *Host) left(w http.ResponseWriter, r *http.Request, s *session) error {
	away := r.URL.Query().Has("away")
	if away {
		h.clearCookies(w, r, s)
	}
	return show(h, h.views.left, w, r, s, http.StatusOK, leftPage{Away: away})
}

// clearCookies has the browser forget every cookie of this site once it shows the page, which
// is still in the reader's language. A link on another site does not do that to anybody.
func (h *Host) clearCookies(w http.ResponseWriter, r *http.Request, s *session) {
	if !s.in() && r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		w.Header().Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
	}
}

// stay keeps a session alive: finding it has done that already.
func (h *Host) stay(w http.ResponseWriter, r *http.Request, s *session) error {
	if wantsJSON(r) {
		if !s.in() {
			w.WriteHeader(http.StatusUnauthorized)
			return nil
		}
		h.tellLeft(w, s)
		return nil
	}
	if !s.in() {
		return see(w, r, "/in")
	}
	return see(w, r, localPath(r.PostForm.Get("back")))
}

// tellLeft tells a script in how many seconds the session ends.
func (h *Host) tellLeft(w http.ResponseWriter, s *session) {
	soon, _ := s.ends(h.c.Idle, h.c.Longest)
	web.WriteJSON(w, http.StatusOK, map[string]int{"left": int(soon.Sub(h.c.Clock()).Seconds())})
}

func wantsJSON(r *http.Request) bool { return web.WantsJSON(r, nil) }

// saveDraft keeps a half-filled form, sealed. Scripts send it now and then.
func (h *Host) saveDraft(w http.ResponseWriter, r *http.Request, s *session) error {
	paspoort := s.wallet()
	if paspoort == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	form := r.PostForm.Get("form")
	if !slices.Contains(drafts, form) {
		return errNotHere
	}
	if err := paspoort.SaveDraft(form, draftOf(r.PostForm)); err != nil {
		return err
	}
	if wantsJSON(r) { // typing keeps the session alive, and the page must know
		h.tellLeft(w, s)
		return nil
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// drafts are the forms that may be kept half-filled.
var drafts = []string{draftOfWords(sectionWho), draftOfWords(sectionCan), draftOfWords(sectionWant), "share", "answer"}

// draftOf is a form without what is nobody's business later.
func draftOf(form url.Values) url.Values {
	out := url.Values{}
	for name, values := range form {
		switch name {
		case "form", "passphrase", "code", "again", "old":
		default:
			out[name] = values
		}
	}
	return out
}

// keepForm seals what was filled in for the holder whose session has ended, and gives the
// notice that says so.
func (h *Host) keepForm(r *http.Request) (notice string) {
	holder := h.sessions.whose(h.cookie(r, sessionCookie))
	if holder == "" || r.PostForm == nil || !slices.Contains(drafts, r.PostForm.Get("form")) {
		return "ended"
	}
	body, err := json.Marshal(map[string]any{"form": r.PostForm.Get("form"), "values": draftOf(r.PostForm)})
	if err == nil {
		err = wallet.Deliver(h.part(holder), h.c.Rand, wallet.Message{Kind: "draft", At: h.c.Clock().UTC(), Body: body})
	}
	if err != nil {
		h.c.Log.Error("a form could not be kept", "kind", errorKinds(err))
		return "ended"
	}
	return "form-kept"
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
