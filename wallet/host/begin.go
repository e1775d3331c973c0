package host

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/wallet"
)

// frontPage is the first page: what a paspoort is, and the one step that follows.
type frontPage struct {
	Host string
	// Number is the paspoortnummer that was used on this device before, or "".
	Number string
	// Bringing: the visitor came with an offer or a request.
	Bringing string // "", offer, request
}

// beginPage makes a paspoort.
type beginPage struct {
	Name     string // as typed
	Away     bool   // "dit is niet mijn apparaat"
	Fault    string // "", name, passphrase-short, passphrase-known, full, later
	Example  string // a passphrase that nobody had before
	Bringing string
}

// codePage shows the recovery code and asks whether it was written down.
type codePage struct {
	Number   string
	Code     []string // in groups
	Host     string
	Fault    string // "", wrong
	Issuers  []string
	Fresh    bool // the first one of a new paspoort
	Bringing string
}

func (h *Host) accountRoutes() {
	h.get("/", "front", h.front)
	h.get("/begin", "begin", h.showBegin)
	h.post("/begin", h.begin)
	h.getMember("/code", "code", h.showCode)
	h.postMember("/code", h.confirmCode)
	h.post("/code/new", h.sure(h.newCode))
	h.getMember("/again", "again", h.showAgain)
	h.postMember("/again", h.again)
	h.get("/in", "in", h.showIn)
	h.post("/in", h.signIn)
	h.get("/recover", "recover", h.showRecover)
	h.post("/recover", h.recover)
	h.get("/passphrase", "passphrase", h.surePassphrase(h.showPassphrase))
	h.post("/passphrase", h.surePassphrase(h.changePassphrase))
	h.post("/leave", h.leave)
	h.get("/left", "left", h.left)
	h.post("/session/stay", h.stay)
	h.post("/draft", h.saveDraft)
	h.passkeyRoutes()
}

func (h *Host) front(w http.ResponseWriter, r *http.Request, s *session) error {
	if s.in() {
		return see(w, r, "/paspoort")
	}
	return show(h, h.views.front, w, r, s, http.StatusOK, frontPage{Host: h.c.Name, Number: spaced(h.deviceNumber(r)), Bringing: s.bringing()})
}

func (h *Host) showBegin(w http.ResponseWriter, r *http.Request, s *session) error {
	if s.in() {
		return see(w, r, "/paspoort")
	}
	return h.renderBegin(w, r, s, beginPage{})
}

func (h *Host) renderBegin(w http.ResponseWriter, r *http.Request, s *session, data beginPage) error {
	var err error
	if data.Example, err = example(h.c.Rand, h.kit.Language(r)); err != nil {
		return err
	}
	data.Bringing = s.bringing()
	status := http.StatusOK
	if data.Fault != "" {
		status = http.StatusUnprocessableEntity
	}
	return show(h, h.views.begin, w, r, s, status, data)
}

// maxName is how long a name to be greeted with may be, in letters.
const maxName = 60

// begin makes a paspoort: an account without a name, and a sealed store in which the name
// stands.
func (h *Host) begin(w http.ResponseWriter, r *http.Request, s *session) error {
	if s.in() {
		return see(w, r, "/paspoort")
	}
	data := beginPage{Name: strings.TrimSpace(r.PostForm.Get("name")), Away: r.PostForm.Get("away") != ""}
	passphrase := r.PostForm.Get("passphrase")
	place := h.limits.place(r)
	switch {
	case data.Name == "" || utf8.RuneCountInString(data.Name) > maxName || !utf8.ValidString(data.Name):
		data.Fault = "name"
	case wallet.CheckPassphrase([]byte(passphrase)) != nil:
		data.Fault = "passphrase-short"
	case tooKnown(passphrase, data.Name):
		data.Fault = "passphrase-known"
	case h.limits.founders.take(place) > 0: // it counts how many began
		data.Fault = "later"
	}
	if data.Fault != "" {
		return h.renderBegin(w, r, s, data)
	}
	a, paspoort, err := h.found(r, data.Name, []byte(passphrase))
	switch {
	case errors.Is(err, errFull):
		data.Fault = "full"
		return h.renderBegin(w, r, s, data)
	case errors.Is(err, errBusy):
		data.Fault = "later"
		return h.renderBegin(w, r, s, data)
	case err != nil:
		return err
	}
	if _, err := h.enter(w, r, s, a, paspoort, !data.Away); err != nil {
		return err
	}
	return see(w, r, "/code")
}

var errBusy = errors.New("too many key derivations at once")

// found makes the account and the paspoort, once it is its turn to derive a key. Until the
// last step the account is not whole, and is swept when that step never comes.
func (h *Host) found(r *http.Request, name string, passphrase []byte) (a *account, paspoort *wallet.Wallet, err error) {
	if !h.limits.derive(r.Context(), func() { a, paspoort, err = h.foundNow(h.kit.Language(r), name, passphrase) }) {
		return nil, nil, errBusy
	}
	return a, paspoort, err
}

func (h *Host) foundNow(lang page.Language, name string, passphrase []byte) (*account, *wallet.Wallet, error) {
	a, err := h.newAccount()
	if err != nil {
		return nil, nil, err
	}
	paspoort, err := wallet.Init(h.engine(a.ID, lang), passphrase, h.c.Regions...)
	if err == nil {
		err = paspoort.ChangePerson(func(p *wallet.Person) { p.Name = name })
	}
	if err == nil {
		err = h.change(a.ID, func(a *account) error {
			a.Whole = true
			return nil
		})
	}
	if err != nil {
		return nil, nil, errors.Join(err, h.remove(a.ID))
	}
	a.Whole = true
	return a, paspoort, nil
}

// sweepAccounts takes away what was left half-made when the host was stopped.
func (h *Host) sweepAccounts() error {
	var half []string
	err := h.c.Store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(accountPrefix), func(key, value []byte) error {
			var a account
			if err := kv.DecodeJSON(value, valueFormat, &a); err != nil {
				return err
			}
			if !a.Whole && a.Made.Before(h.born) { // not one that is being made at this moment
				half = append(half, a.ID)
			}
			return nil
		})
	})
	for _, id := range half {
		err = errors.Join(err, h.remove(id))
	}
	return err
}

// showCode shows the recovery code that is not confirmed yet, and makes one when there is
// none. It stands sealed in the paspoort until then, so that every page and every device
// shows the same one.
func (h *Host) showCode(w http.ResponseWriter, r *http.Request, s *session) error {
	person, err := h.open(r, s).Person()
	if err != nil {
		return err
	}
	if person.RecoveryConfirmed {
		return see(w, r, "/care")
	}
	return h.renderCode(w, r, s, "")
}

// pendingCode is the code to write down: one that opens the paspoort and by which the
// account is found. What is left of one that was half-made, or replaced, is made anew.
func (h *Host) pendingCode(r *http.Request, s *session) (wallet.RecoveryCode, error) {
	h.codes.Lock()
	defer h.codes.Unlock()
	paspoort := h.open(r, s)
	person, err := paspoort.Person()
	if err != nil {
		return wallet.RecoveryCode{}, err
	}
	if code, err := wallet.ParseRecoveryCode(person.Code); err == nil {
		good, err := h.codeWorks(paspoort, s.holder, code)
		if err != nil || good {
			return code, err
		}
	}
	return h.makeCode(paspoort, s.holder)
}

// codeWorks says whether a code opens the paspoort, and leads to its account.
func (h *Host) codeWorks(paspoort *wallet.Wallet, holder string, code wallet.RecoveryCode) (bool, error) {
	a, err := h.account(holder)
	if err != nil {
		return false, err
	}
	at := code.Lookup()
	return a.Recovery == hexOf(at[:]) && paspoort.KnowsRecoveryCode(code), nil
}

// makeCode draws a recovery code; the one before opens nothing any more. h.codes is held.
func (h *Host) makeCode(paspoort *wallet.Wallet, holder string) (wallet.RecoveryCode, error) {
	code, err := paspoort.NewRecoveryCode()
	if err != nil {
		return code, err
	}
	at := code.Lookup()
	err = h.change(holder, func(a *account) error {
		a.Recovery = hexOf(at[:])
		return nil
	})
	if err != nil {
		return code, err
	}
	return code, paspoort.ChangePerson(func(p *wallet.Person) { p.Code, p.RecoveryConfirmed = code.String(), false })
}

func (h *Host) newCode(w http.ResponseWriter, r *http.Request, s *session) error {
	h.codes.Lock()
	_, err := h.makeCode(h.open(r, s), s.holder)
	h.codes.Unlock()
	if err != nil {
		return err
	}
	return see(w, r, "/code")
}

func (h *Host) renderCode(w http.ResponseWriter, r *http.Request, s *session, fault string) error {
	code, err := h.pendingCode(r, s)
	if err != nil {
		return err
	}
	a, err := h.account(s.holder)
	if err != nil {
		return err
	}
	items, err := h.open(r, s).List()
	if err != nil {
		return err
	}
	data := codePage{Number: spaced(a.Number), Code: strings.Split(code.String(), "-"), Host: h.c.URL, Fault: fault, Issuers: issuersOf(items), Bringing: s.bringing(), Fresh: len(items) == 0}
	status := http.StatusOK
	if fault != "" {
		status = http.StatusUnprocessableEntity
	}
	return show(h, h.views.code, w, r, s, status, data)
}

// issuersOf are the organisations that can give everything again, each once.
func issuersOf(items []wallet.Item) []string {
	out, seen := []string{}, map[string]bool{}
	for _, i := range items {
		name := i.Issuer.DisplayName()
		if i.OwnWords || seen[name] {
			continue
		}
		seen[name] = true
		out = append(out, name)
	}
	return out
}

// confirmCode asks for the last group: enough to show that the code is on paper. A code that
// was replaced meanwhile, on another device, is not confirmed.
func (h *Host) confirmCode(w http.ResponseWriter, r *http.Request, s *session) error {
	paspoort := h.open(r, s)
	person, err := paspoort.Person()
	if err != nil {
		return err
	}
	if person.RecoveryConfirmed {
		return see(w, r, s.next())
	}
	code, err := h.pendingCode(r, s)
	if err != nil {
		return err
	}
	text := code.String()
	last := text[strings.LastIndexByte(text, '-')+1:]
	if plain(r.PostForm.Get("last")) != plain(last) {
		return h.renderCode(w, r, s, "wrong")
	}
	confirmed := false
	err = paspoort.ChangePerson(func(p *wallet.Person) {
		if confirmed = p.Code == text; confirmed {
			p.Code, p.RecoveryConfirmed = "", true
		}
	})
	if err != nil {
		return err
	}
	if !confirmed {
		return see(w, r, "/code")
	}
	return see(w, r, s.next())
}

// plain is what was typed without what does not matter: a person reads a zero as an O.
func plain(s string) string {
	s = strings.ToUpper(strings.Map(func(c rune) rune {
		if c == ' ' || c == '-' {
			return -1
		}
		return c
	}, s))
	return strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(s)
}
