package host

import (
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"paspoort.example/paspoort/wallet"
)

// carePage is where a holder looks after the paspoort itself.
type carePage struct {
	Name, Number string
	Confirmed    bool // the recovery code
	Passkeys     []passkeyRow
	Secure       bool // passkeys need https, or this very computer
	Credentials  int
	Shares       int
	Devices      int
	BackupDays   int
}

type passkeyRow struct {
	ID, Label string
	Added     time.Time
	Opens     bool
}

// takePage makes the archive, and puts one back.
type takePage struct {
	Fault string // "", passphrase-short, archive, archive-passphrase, archive-large, archive-newer
}

// sheetPage is for paper: how to get back in, and who can give everything again.
type sheetPage struct {
	Host, Number string
	Issuers      []string
}

// endPage asks once more before everything goes.
type endPage struct {
	Credentials, Words, Shares int
	BackupDays                 int
	Fault                      string // "", wrong, wait, busy
	Minutes                    int
}

// endedPage says what is left.
type endedPage struct {
	BackupDays int
	Until      time.Time
}

func (h *Host) careRoutes() {
	h.getMember("/care", "care", h.showCare)
	h.postMember("/care/name", h.rename)
	h.postMember("/care/devices", h.forgetDevices)
	h.getMember("/care/sheet", "sheet", h.showSheet)
	h.get("/take", "take", h.sure(h.showTake))
	h.takeRoutes()
	h.getMember("/end", "end", h.showEnd)
	h.postMember("/end", h.endAll)
	h.get("/ended", "ended", h.showEnded)
}

func (h *Host) showCare(w http.ResponseWriter, r *http.Request, s *session) error {
	a, err := h.account(s.holder)
	if err != nil {
		return err
	}
	paspoort := h.open(r, s)
	person, err := paspoort.Person()
	if err != nil {
		return err
	}
	items, err := paspoort.List()
	if err != nil {
		return err
	}
	shares, err := h.openShares(paspoort, s.holder)
	if err != nil {
		return err
	}
	data := carePage{Name: person.Name, Number: spaced(a.Number), Confirmed: person.RecoveryConfirmed, Secure: h.passkeysWork(), Credentials: len(items), Shares: shares, Devices: len(a.Devices), BackupDays: h.c.BackupDays}
	for _, p := range a.Passkeys {
		id := hex.EncodeToString(p.Credential.ID)
		data.Passkeys = append(data.Passkeys, passkeyRow{id, person.Passkeys[id], p.Added, p.Opens})
	}
	return show(h, h.views.care, w, r, s, http.StatusOK, data)
}

// passkeysWork says whether browsers allow passkeys here: over https, and on localhost.
func (h *Host) passkeysWork() bool {
	return h.secure() || strings.HasPrefix(h.c.URL, "http://localhost")
}

func (h *Host) rename(w http.ResponseWriter, r *http.Request, s *session) error {
	name := strings.TrimSpace(r.PostForm.Get("name"))
	if name == "" || len([]rune(name)) > maxName {
		return errBadForm
	}
	if err := h.open(r, s).ChangePerson(func(p *wallet.Person) { p.Name = name }); err != nil {
		return err
	}
	s.say("renamed")
	return see(w, r, "/care")
}

// forgetDevices ends every other session, and no device is known any more.
func (h *Host) forgetDevices(w http.ResponseWriter, r *http.Request, s *session) error {
	h.sessions.endAll(s.holder, s)
	err := h.change(s.holder, func(a *account) error {
		a.Devices = nil
		return nil
	})
	if err != nil {
		return err
	}
	h.setCookie(w, deviceCookie, "", -time.Second)
	s.say("devices")
	return see(w, r, "/care")
}

func (h *Host) showSheet(w http.ResponseWriter, r *http.Request, s *session) error {
	a, err := h.account(s.holder)
	if err != nil {
		return err
	}
	items, err := h.open(r, s).List()
	if err != nil {
		return err
	}
	return show(h, h.views.sheet, w, r, s, http.StatusOK, sheetPage{Host: h.c.URL, Number: spaced(a.Number), Issuers: issuersOf(items)})
}

func (h *Host) showTake(w http.ResponseWriter, r *http.Request, s *session) error {
	return h.renderTake(w, r, s, "")
}

func (h *Host) renderTake(w http.ResponseWriter, r *http.Request, s *session, fault string) error {
	status := http.StatusOK
	if fault != "" {
		status = http.StatusUnprocessableEntity
	}
	return show(h, h.views.take, w, r, s, status, takePage{Fault: fault})
}

func (h *Host) showEnd(w http.ResponseWriter, r *http.Request, s *session) error {
	return h.renderEnd(w, r, s, "", 0)
}

func (h *Host) renderEnd(w http.ResponseWriter, r *http.Request, s *session, fault string, minutes int) error {
	paspoort := h.open(r, s)
	items, err := paspoort.List()
	if err != nil {
		return err
	}
	data := endPage{BackupDays: h.c.BackupDays, Fault: fault, Minutes: minutes}
	for _, i := range items {
		if i.OwnWords {
			data.Words++
		} else {
			data.Credentials++
		}
	}
	if data.Shares, err = h.openShares(paspoort, s.holder); err != nil {
		return err
	}
	return show(h, h.views.end, w, r, s, faultStatus(fault), data)
}

// endAll deletes everything. The passphrase is asked once more: a session that was left
// open must not be enough to destroy a paspoort.
func (h *Host) endAll(w http.ResponseWriter, r *http.Request, s *session) error {
	fault, minutes, err := h.proves(r, s)
	switch {
	case errors.Is(err, wallet.ErrNoWallet): // broken off before: go on
	case err != nil:
		return err
	case fault != "":
		return h.renderEnd(w, r, s, fault, minutes)
	}
	if err := h.closeShares(s.holder); err != nil {
		return err
	}
	h.sessions.endAll(s.holder, s)
	if err := h.remove(s.holder); err != nil {
		return err
	}
	h.sessions.leave(s)
	h.setCookie(w, sessionCookie, "", -time.Second)
	h.setCookie(w, deviceCookie, "", -time.Second)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return see(w, r, "/ended")
}

func (h *Host) showEnded(w http.ResponseWriter, r *http.Request, s *session) error {
	h.clearCookies(w, r, s)
	data := endedPage{BackupDays: h.c.BackupDays, Until: h.c.Clock().AddDate(0, 0, h.c.BackupDays)}
	return show(h, h.views.ended, w, r, s, http.StatusOK, data)
}
