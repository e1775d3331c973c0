package host

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/wallet"
)

// What a visitor brings is an offer or a request: a link with a query, a text that was
// pasted, or what a QR code said. It waits in the session, never in an address of ours.
const (
	bringsOffer   = "offer "
	bringsRequest = "request "
	maxBring      = 32 << 10
	// maxVisitorBring is for who is not signed in: anybody can have that kept.
	maxVisitorBring = 8 << 10
)

func isOffer(bring string) bool { return strings.HasPrefix(bring, bringsOffer) }

// bringing is what a visitor came with, as a word for the pages.
func (s *session) bringing() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, _, _ := strings.Cut(s.bring, " ")
	return kind
}

// bringFrom is what a pasted text is: told by what is in it. A bare web address may be the
// page of either, and is tried as an offer first.
func bringFrom(text string) (bring string, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxBring {
		return "", false
	}
	switch {
	case strings.Contains(text, "credential_offer"):
		return bringsOffer + text, true
	case strings.Contains(text, "client_id="):
		return bringsRequest + text, true
	case strings.HasPrefix(strings.ToLower(text), "https://"), strings.HasPrefix(strings.ToLower(text), "http://"):
		return bringsOffer + text, true
	}
	return "", false
}

// collectPage takes an offer or a request in another way than by a link.
type collectPage struct {
	Waiting waiting
	Fault   string // "", text, photo, photo-none, photo-large
}

// offerPage shows who offers what, before anything is fetched.
type offerPage struct {
	ID     string
	Issuer partyView
	Items  []wallet.OfferedCredential
	Code   *codeField
	Fault  string // "", wrong-code, code-needed
	Left   int    // attempts, when the issuer says so
	Anyway bool   // the holder goes on with an issuer that no region knows
}

// codeField is how the code of an offer is typed.
type codeField struct {
	Digits bool
	Length int
	Words  string // the issuer's own
}

// receivedPage shows what came in, before it is stored.
type receivedPage struct {
	ID     string
	Issuer partyView
	Items  []receivedItem
}

// receivedItem is one of them, told as on its own page later.
type receivedItem struct {
	Name string
	itemPage
}

func received(got *wallet.Received) receivedItem {
	item := receivedItem{Name: got.Item.Name}
	item.Type, item.By = typeText(got.Item.Type), partyView{}
	item.describe(&wallet.Details{Item: got.Item, Lines: got.Lines, Claims: got.Claims})
	return item
}

// offerInProgress is what a session holds of an offer.
type offerInProgress struct {
	came     atomic.Bool // it was fetched, and is neither kept nor refused
	mu       sync.Mutex  // one press of a button at a time
	offer    *wallet.Offer
	anyway   bool
	received []*wallet.Received
}

func (h *Host) collectRoutes() {
	h.get("/offer", "file:redirect-offer", h.bringOffer)
	h.getMember("/collect", "collect", h.showCollect)
	h.postMember("/collect", h.paste)
	h.postLarge("/collect/photo", h.photo)
	h.back("/collect/photo", "/collect")
	h.getMember("/offer/problem", "problem", h.offerProblem)
	h.postMember("/offer/anyway", h.offerAnyway)
	h.getMember("/offer/{id}", "offer", unkept(h.showOffer))
	h.postMember("/offer/{id}", h.fetchOffer)
	h.getMember("/offer/{id}/look", "received", unkept(h.showReceived))
	h.postMember("/offer/{id}/keep", h.keepReceived)
	h.postMember("/offer/{id}/drop", h.dropReceived)
}

// bringOffer is where issuers send people (OpenID4VCI 1.0, 4.1: the Credential Offer
// Endpoint of this wallet). The offer moves out of the address into the session at once.
func (h *Host) bringOffer(w http.ResponseWriter, r *http.Request, s *session) error {
	return h.brought(w, r, s, bringsOffer+openid4vci.OfferScheme+"://?", h.readOffer)
}

// brought takes what stands in the query, or goes on with what waits.
func (h *Host) brought(w http.ResponseWriter, r *http.Request, s *session, prefix string, read handler) error {
	if query := r.URL.Query(); r.URL.RawQuery != "" && !(len(query) == 1 && query.Has("lang")) {
		if len(r.URL.RawQuery) > maxBring || !s.in() && len(r.URL.RawQuery) > maxVisitorBring {
			return errBadForm
		}
		s.mu.Lock()
		s.bring = prefix + r.URL.RawQuery
		s.mu.Unlock()
		if err := h.remember(w, r, s); err != nil {
			return err
		}
		return see(w, r, r.URL.Path)
	}
	if !s.in() {
		return see(w, r, "/")
	}
	return h.member(func(w http.ResponseWriter, r *http.Request, s *session) error {
		person, err := h.open(r, s).Person()
		if err != nil {
			return err
		}
		switch {
		case !person.RecoveryConfirmed:
			return see(w, r, "/code")
		case s.bringing() == "":
			return see(w, r, "/collect")
		}
		return read(w, r, s)
	})(w, r, s)
}

// takeBring takes what waits out of the session.
func (s *session) takeBring() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, text, _ := strings.Cut(s.bring, " ")
	s.bring = ""
	return text
}

// readOffer asks the issuer what it offers and shows it. What cannot be read is told, and
// the text stays for going on all the same.
func (h *Host) readOffer(w http.ResponseWriter, r *http.Request, s *session) error {
	return h.beginOffer(w, r, s, s.takeBring(), false)
}

func (h *Host) beginOffer(w http.ResponseWriter, r *http.Request, s *session, text string, anyway bool) error {
	paspoort := h.open(r, s)
	offer, err := paspoort.Offer(r.Context(), text, wallet.Trust{AcceptUnknown: anyway})
	if errors.Is(err, openid4vci.ErrOffer) && isWeb(text) {
		// The page may be one that asks.
		return h.beginRequest(w, r, s, text, anyway)
	}
	if err != nil {
		return h.meetProblem(w, r, s, err, bringsOffer+text)
	}
	id, err := s.hold(h.c.Rand, h.c.Clock(), &offerInProgress{offer: offer, anyway: anyway})
	if err != nil {
		return err
	}
	return see(w, r, "/offer/"+id)
}

func isWeb(text string) bool {
	return strings.HasPrefix(strings.ToLower(text), "http") && !strings.Contains(text, "?")
}

// metProblem is a meeting that did not work, kept for the page that tells it.
type metProblem struct {
	err   error
	code  string // when it is not told by the error
	bring string
}

const problemHeld = "problem"

// meetProblem tells what went wrong in a meeting; other errors stay what they are.
func (h *Host) meetProblem(w http.ResponseWriter, r *http.Request, s *session, err error, bring string) error {
	if met(err) == "" {
		return err
	}
	return h.showMet(w, r, s, metProblem{err: err, bring: bring})
}

// showMet keeps a problem and shows it on a page of its own, so that loading that page again
// asks nobody anything.
func (h *Host) showMet(w http.ResponseWriter, r *http.Request, s *session, p metProblem) error {
	s.mu.Lock()
	if s.held == nil {
		s.held = map[string]held{}
	}
	s.held[problemHeld] = held{p, h.c.Clock()}
	s.mu.Unlock()
	return see(w, r, "/offer/problem")
}

func (h *Host) offerProblem(w http.ResponseWriter, r *http.Request, s *session) error {
	p, ok := holding[metProblem](s, problemHeld)
	if !ok {
		return see(w, r, "/collect")
	}
	if p.code != "" {
		return show(h, h.views.problem, w, r, s, http.StatusUnprocessableEntity, problem{Code: p.code})
	}
	return h.problem(w, r, s, p.err, "/offer/anyway")
}

// offerAnyway goes on with a party that no region knows, because the holder does.
func (h *Host) offerAnyway(w http.ResponseWriter, r *http.Request, s *session) error {
	p, ok := holding[metProblem](s, problemHeld)
	if !ok || !s.drop(problemHeld) {
		return see(w, r, "/collect")
	}
	_, text, _ := strings.Cut(p.bring, " ")
	if isOffer(p.bring) {
		return h.beginOffer(w, r, s, text, true)
	}
	return h.beginRequest(w, r, s, text, true)
}

func (h *Host) showCollect(w http.ResponseWriter, r *http.Request, s *session) error {
	paspoort := h.open(r, s)
	person, err := paspoort.Person()
	if err != nil {
		return err
	}
	return show(h, h.views.collect, w, r, s, http.StatusOK, collectPage{Waiting: h.waitingFor(s, paspoort, person)})
}

func (h *Host) refuseCollect(w http.ResponseWriter, r *http.Request, s *session, fault string) error {
	return show(h, h.views.collect, w, r, s, http.StatusUnprocessableEntity, collectPage{Fault: fault})
}

func (h *Host) paste(w http.ResponseWriter, r *http.Request, s *session) error {
	bring, ok := bringFrom(r.PostForm.Get("text"))
	if !ok {
		return h.refuseCollect(w, r, s, "text")
	}
	return h.goWith(w, r, s, bring)
}

// goWith goes on with an offer or a request that came in by hand.
func (h *Host) goWith(w http.ResponseWriter, r *http.Request, s *session, bring string) error {
	s.mu.Lock()
	s.bring = bring
	s.mu.Unlock()
	if isOffer(bring) {
		return see(w, r, "/offer")
	}
	return see(w, r, "/present")
}

// photo reads the QR code in a picture: taken now with the camera, or from a file.
func (h *Host) photo(w http.ResponseWriter, r *http.Request, s *session) error {
	var text string
	var err error
	if !h.limits.upload(r.Context(), func() { text, err = readPhoto(w, r) }) {
		return errBusy
	}
	switch {
	case errors.Is(err, errPhotoLarge):
		return h.refuseCollect(w, r, s, "photo-large")
	case errors.Is(err, errNoPhoto):
		return h.refuseCollect(w, r, s, "photo")
	case err != nil:
		return h.refuseCollect(w, r, s, "photo-none")
	}
	bring, ok := bringFrom(text)
	if !ok {
		return h.refuseCollect(w, r, s, "text")
	}
	return h.goWith(w, r, s, bring)
}

// inProgress is the offer or the request in the path.
func inProgress[T any](r *http.Request, s *session) (T, string, error) {
	id := mux.Vars(r)["id"]
	v, ok := holding[T](s, id)
	if !ok {
		return v, id, errGone
	}
	return v, id, nil
}

// unkept gives fn the offer of the path, one look at a time. One that was kept leads to what it
// brought, for who goes back in the browser.
func unkept(fn func(http.ResponseWriter, *http.Request, *session, *offerInProgress, string) error) handler {
	return func(w http.ResponseWriter, r *http.Request, s *session) error {
		if kept, ok := holding[keptOffer](s, mux.Vars(r)["id"]); ok {
			s.say("kept-before")
			return see(w, r, kept.path)
		}
		o, id, err := inProgress[*offerInProgress](r, s)
		if err != nil {
			return err
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		return fn(w, r, s, o, id)
	}
}

func (h *Host) showOffer(w http.ResponseWriter, r *http.Request, s *session, o *offerInProgress, id string) error {
	if len(o.received) > 0 {
		return see(w, r, "/offer/"+id+"/look")
	}
	return h.renderOffer(w, r, s, id, o, "", 0)
}

func (h *Host) renderOffer(w http.ResponseWriter, r *http.Request, s *session, id string, o *offerInProgress, fault string, left int) error {
	h.open(r, s).RetellOffer(o.offer)
	data := offerPage{ID: id, Issuer: h.party(o.offer.Issuer), Items: o.offer.Items, Fault: fault, Left: left, Anyway: o.anyway}
	if c := o.offer.TxCode; c != nil {
		data.Code = &codeField{Digits: c.InputMode != openid4vci.InputText, Length: c.Length, Words: c.Description}
	}
	status := http.StatusOK
	if fault != "" {
		status = http.StatusUnprocessableEntity
	}
	return show(h, h.views.offer, w, r, s, status, data)
}

// attemptsLeft is how an issuer of ours says how often a code may still be tried.
var attemptsLeft = regexp.MustCompile(`attempts left: ([0-9]{1,3})$`)

// fetchOffer gets what is offered and verifies it. Nothing is stored yet.
func (h *Host) fetchOffer(w http.ResponseWriter, r *http.Request, s *session) error {
	o, id, err := inProgress[*offerInProgress](r, s)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.received) > 0 {
		return see(w, r, "/offer/"+id+"/look")
	}
	code := strings.Join(strings.Fields(r.PostForm.Get("code")), "")
	if o.offer.TxCode != nil && code == "" {
		return h.renderOffer(w, r, s, id, o, "code-needed", 0)
	}
	received, err := h.open(r, s).Receive(r.Context(), o.offer, wallet.Choices{TxCode: code, Configurations: r.PostForm["item"]})
	if errors.Is(err, openid4vci.InvalidGrant) && o.offer.TxCode != nil {
		// OpenID4VCI 6.3 has one error for a wrong code and a spent offer. The holder can
		// only do something about the code.
		if !isWrongCode(err) {
			return h.renderOffer(w, r, s, id, o, "code-or-spent", 0)
		}
		left, found := 0, attemptsLeft.FindStringSubmatch(err.Error())
		if found != nil {
			left, _ = strconv.Atoi(found[1])
		}
		if found != nil && left == 0 {
			s.drop(id)
			return h.showMet(w, r, s, metProblem{code: "codes-spent"})
		}
		return h.renderOffer(w, r, s, id, o, "wrong-code", left)
	}
	if err != nil {
		s.drop(id)
		return h.meetProblem(w, r, s, err, "")
	}
	o.received = received
	o.came.Store(len(received) > 0)
	return see(w, r, "/offer/"+id+"/look")
}

func (h *Host) showReceived(w http.ResponseWriter, r *http.Request, s *session, o *offerInProgress, id string) error {
	if len(o.received) == 0 {
		return see(w, r, "/offer/"+id)
	}
	data := receivedPage{ID: id, Issuer: h.party(o.offer.Issuer)}
	for _, got := range o.received {
		if err := h.open(r, s).RetellReceived(got); err != nil {
			return err
		}
		data.Items = append(data.Items, received(got))
	}
	return show(h, h.views.received, w, r, s, http.StatusOK, data)
}

// keepReceived stores what came in. Pressed twice it does nothing the second time; what was
// not stored yet when something failed can be kept by pressing again.
func (h *Host) keepReceived(w http.ResponseWriter, r *http.Request, s *session) error {
	o, id, err := inProgress[*offerInProgress](r, s)
	if err != nil {
		return see(w, r, "/paspoort")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	paspoort, several := h.open(r, s), len(o.received) > 1
	last := ""
	for len(o.received) > 0 {
		kept, err := paspoort.Keep(r.Context(), o.received[0])
		if err != nil {
			return err
		}
		o.received, last = o.received[1:], kept.ID
	}
	path := "/paspoort"
	if !several {
		path += "/" + last
	}
	o.came.Store(false)
	if last == "" || !s.keeps(id, path) {
		return see(w, r, "/paspoort")
	}
	s.say("collected")
	h.lookAtStandings(s, paspoort)
	return see(w, r, path)
}

func (h *Host) dropReceived(w http.ResponseWriter, r *http.Request, s *session) error {
	o, id, err := inProgress[*offerInProgress](r, s)
	if err != nil || !s.drop(id) {
		return see(w, r, "/paspoort")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	paspoort := h.open(r, s)
	for _, got := range o.received {
		paspoort.Drop(r.Context(), got)
	}
	o.received = nil
	s.say("not-collected")
	return see(w, r, "/paspoort")
}

// walletEndpoint is the authorization endpoint of this wallet (OpenID4VP 1.0, 5.13), as the
// engine reads an invocation.
const walletEndpoint = "openid4vp://?"
