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
	place := h.limits.place(r)
	if data.Minutes = waitMinutes([]tryKey{{h.limits.places, place}}); data.Minutes > 0 {
		return refuse(http.StatusTooManyRequests, "wait")
	}
	code, err := wallet.ParseRecoveryCode(r.PostForm.Get("code"))
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "code")
	}
	a, err := h.accountOf(recoveryKey(code.Lookup()))
	var paspoort *wallet.Wallet
	if err == nil {
		paspoort, err = wallet.UnlockWithRecovery(h.engine(a.ID, h.kit.Language(r)), code)
	}
	switch {
	case errors.Is(err, errNoAccount), errors.Is(err, wallet.ErrRecoveryCode), errors.Is(err, wallet.ErrNoWallet):
		h.limits.places.failed(place)
		return refuse(http.StatusUnprocessableEntity, "unknown")
	case err != nil:
		return err
	}
	if err := h.enter(w, r, s, a, paspoort, !data.Away); err != nil {
		return err
	}
	s.mu.Lock()
	s.held = map[string]held{lostHeld: {true, h.c.Clock()}}
	s.mu.Unlock()
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
	lost := s.drop(lostHeld)
	if lost {
		if _, err := h.makeCode(r, s); err != nil {
			return err
		}
		return see(w, r, "/code")
	}
	s.say("passphrase")
	return see(w, r, "/care")
}
