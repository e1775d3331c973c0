package host

import (
	"errors"
	"net/http"

	"paspoort.example/paspoort/wallet"
)

// recoverPage opens a paspoort with its recovery code.
type recoverPage struct {
	Away     bool
	Fault    string // "", code, unknown, wait
	Minutes  int
	Bringing string
}

// passphrasePage sets a new passphrase.
type passphrasePage struct {
	// Lost: the holder came in with the recovery code and must choose a new passphrase.
	Lost    bool
	Number  string
	Fault   string // "", passphrase-short, passphrase-known, busy
	Example string
}

// lostHeld marks a session that came in with a recovery code.
const lostHeld = "lost"

func (h *Host) showRecover(w http.ResponseWriter, r *http.Request, s *session) error {
	if s.in() {
		return see(w, r, "/paspoort")
	}
	return show(h, h.views.recover, w, r, s, http.StatusOK, recoverPage{Bringing: s.bringing()})
}

// recover opens the paspoort that a recovery code belongs to. The code alone is enough: who
// lost the passphrase may have lost the number with it.
func (h *Host) recover(w http.ResponseWriter, r *http.Request, s *session) error {
	if s.in() {
		return see(w, r, "/paspoort")
	}
	data := recoverPage{Away: r.PostForm.Get("away") != "", Bringing: s.bringing()}
	refuse := func(status int, fault string) error {
		data.Fault = fault
		return show(h, h.views.recover, w, r, s, status, data)
	}
	code, err := wallet.ParseRecoveryCode(r.PostForm.Get("code"))
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "code")
	}
	keys := []tryKey{{h.limits.places, h.limits.place(r)}}
	if data.Minutes = attempt(keys); data.Minutes > 0 {
		return refuse(http.StatusTooManyRequests, "wait")
	}
	a, err := h.accountOf(recoveryKey(code.Lookup()))
	var paspoort *wallet.Wallet
	if err == nil {
		paspoort, err = wallet.UnlockWithRecovery(h.engine(a.ID, h.kit.Language(r)), code)
	}
	switch {
	case errors.Is(err, errNoAccount), errors.Is(err, wallet.ErrRecoveryCode), errors.Is(err, wallet.ErrNoWallet):
		return refuse(http.StatusUnprocessableEntity, "unknown")
	case err != nil:
		return err
	}
	giveBack(keys)
	next, err := h.enter(w, r, s, a, paspoort, !data.Away)
	if err != nil {
		return err
	}
	next.mu.Lock()
	next.held = map[string]held{lostHeld: {true, h.c.Clock()}}
	next.mu.Unlock()
	return see(w, r, "/passphrase")
}

func (h *Host) showPassphrase(w http.ResponseWriter, r *http.Request, s *session) error {
	return h.renderPassphrase(w, r, s, "")
}

func (h *Host) renderPassphrase(w http.ResponseWriter, r *http.Request, s *session, fault string) error {
	a, err := h.account(s.holder)
	if err != nil {
		return err
	}
	data := passphrasePage{Number: spaced(a.Number), Fault: fault}
	_, data.Lost = holding[bool](s, lostHeld)
	if data.Example, err = example(h.c.Rand, h.kit.Language(r)); err != nil {
		return err
	}
	status := http.StatusOK
	if fault != "" {
		status = http.StatusUnprocessableEntity
	}
	return show(h, h.views.passphrase, w, r, s, status, data)
}

// changePassphrase sets another passphrase and ends every other session. Who came in with
// the recovery code gets a new code as well: the old one was typed somewhere.
func (h *Host) changePassphrase(w http.ResponseWriter, r *http.Request, s *session) error {
	passphrase := r.PostForm.Get("passphrase")
	paspoort := h.open(r, s)
	person, err := paspoort.Person()
	if err != nil {
		return err
	}
	switch {
	case wallet.CheckPassphrase([]byte(passphrase)) != nil:
		return h.renderPassphrase(w, r, s, "passphrase-short")
	case tooKnown(passphrase, person.Name):
		return h.renderPassphrase(w, r, s, "passphrase-known")
	}
	if !h.limits.derive(r.Context(), func() { err = paspoort.ChangePassphrase([]byte(passphrase)) }) {
		return h.renderPassphrase(w, r, s, "busy")
	}
	if err != nil {
		return err
	}
	h.sessions.endAll(s.holder, s)
	if s.drop(lostHeld) {
		return h.newCode(w, r, s)
	}
	s.say("passphrase")
	return see(w, r, "/care")
}

// surePassphrase is sure, but for who came in with the recovery code: that holder has no
// passphrase to show.
func (h *Host) surePassphrase(fn handler) handler {
	member, sure := h.member(fn), h.sure(fn)
	return func(w http.ResponseWriter, r *http.Request, s *session) error {
		if _, lost := holding[bool](s, lostHeld); lost {
			return member(w, r, s)
		}
		return sure(w, r, s)
	}
}

// againPage asks the passphrase once more.
type againPage struct {
	To      string
	Fault   string // "", wrong, wait, busy
	Minutes int
}

func (h *Host) showAgain(w http.ResponseWriter, r *http.Request, s *session) error {
	return show(h, h.views.again, w, r, s, http.StatusOK, againPage{To: localPath(r.URL.Query().Get("to"))})
}

// again takes the passphrase of somebody who is signed in.
func (h *Host) again(w http.ResponseWriter, r *http.Request, s *session) error {
	data := againPage{To: localPath(r.PostForm.Get("to"))}
	var err error
	if data.Fault, data.Minutes, err = h.proves(r, s); err != nil {
		return err
	}
	if data.Fault != "" {
		return show(h, h.views.again, w, r, s, faultStatus(data.Fault), data)
	}
	s.mu.Lock()
	s.sure = h.c.Clock()
	s.mu.Unlock()
	return see(w, r, data.To)
}

// proves holds the passphrase of a form against the paspoort that is open.
func (h *Host) proves(r *http.Request, s *session) (fault string, minutes int, err error) {
	a, err := h.account(s.holder)
	if err != nil {
		return "", 0, err
	}
	keys := h.tryKeys(r, a)
	if minutes = attempt(keys); minutes > 0 {
		return "wait", minutes, nil
	}
	ran := h.limits.derive(r.Context(), func() { err = h.open(r, s).KnowsPassphrase([]byte(r.PostForm.Get("passphrase"))) })
	switch {
	case !ran:
		giveBack(keys)
		return "busy", 0, nil
	case errors.Is(err, wallet.ErrPassphrase):
		return "wrong", 0, nil
	case err != nil:
		return "", 0, err
	}
	succeeded(keys)
	return "", 0, nil
}

// faultStatus is the status of a page with a fault in its form.
func faultStatus(fault string) int {
	switch fault {
	case "":
		return http.StatusOK
	case "wait":
		return http.StatusTooManyRequests
	case "busy":
		return http.StatusServiceUnavailable
	}
	return http.StatusUnprocessableEntity
}
