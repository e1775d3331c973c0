package host

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/wallet"
)

// consentPage is the one screen on which a holder decides: who asks, in which role the
// region knows them, why, what exactly goes, and what is asked beyond the purpose.
type consentPage struct {
	ID    string
	Asker partyView
	wallet.Consent
	Items []consentItem
	Fault string // "", again, chosen, incomplete, nothing
	// Seen names what stands on the page: an answer to something else is none.
	Seen string
	// Purpose is in the asker's language, which the page marks.
	Anyway bool
}

type consentItem struct {
	wallet.ConsentItem
	N    int
	Goes bool
	// Ask are the facts that were asked, Along those that always go with them, Beyond those
	// that say more than the request is about.
	Ask, Along, Beyond []wallet.Line
}

// answeredPage says what went, and where to go on.
type answeredPage struct {
	Asker    partyView
	State    string // sent, unsure, refused, told
	Redirect string // page of the asker, or ""
	SentTo   string
}

// requestInProgress is what a session holds of a request.
type requestInProgress struct {
	mu      sync.Mutex // guards all of it: one look or press at a time
	request *wallet.Request
	anyway  bool
	done    *answeredPage
}

func (h *Host) answerRoutes() {
	h.get("/present", "file:redirect-present", h.bringRequest)
	h.getMember("/present/{id}", "consent", unanswered(h.showConsent))
	h.postMember("/present/{id}", unanswered(h.answer))
	h.postMember("/present/{id}/choose", unanswered(h.choose))
	h.postMember("/present/{id}/no", unanswered(h.sayNo))
	h.getMember("/present/{id}/done", "answered", h.showAnswered)
}

// unanswered gives fn the request of the path, one look or press at a time. One that was
// answered leads to what became of it.
func unanswered(fn func(http.ResponseWriter, *http.Request, *session, *requestInProgress, string) error) handler {
	return func(w http.ResponseWriter, r *http.Request, s *session) error {
		p, id, err := inProgress[*requestInProgress](r, s)
		if err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.done != nil {
			return see(w, r, "/present/"+id+"/done")
		}
		return fn(w, r, s, p, id)
	}
}

// bringRequest is where askers send people (OpenID4VP 1.0, 5: the Authorization Endpoint of
// this wallet). The request moves out of the address into the session at once.
func (h *Host) bringRequest(w http.ResponseWriter, r *http.Request, s *session) error {
	return h.brought(w, r, s, bringsRequest+walletEndpoint, h.readRequest)
}

func (h *Host) readRequest(w http.ResponseWriter, r *http.Request, s *session) error {
	return h.beginRequest(w, r, s, s.takeBring(), false)
}

// beginRequest fetches the request and shows it. The asker sees the fetch and no more: not
// whether anybody looked at it.
func (h *Host) beginRequest(w http.ResponseWriter, r *http.Request, s *session, text string, anyway bool) error {
	request, err := h.open(r, s).Request(r.Context(), text, wallet.Trust{AcceptUnknown: anyway})
	if err != nil {
		return h.meetProblem(w, r, s, err, bringsRequest+text)
	}
	id, err := s.hold(h.c.Rand, h.c.Clock(), &requestInProgress{request: request, anyway: anyway})
	if err != nil {
		return err
	}
	return see(w, r, "/present/"+id)
}

func (h *Host) showConsent(w http.ResponseWriter, r *http.Request, s *session, p *requestInProgress, id string) error {
	return h.renderConsent(w, r, s, id, p, nil, "")
}

// seen names what a consent says, all of it.
func seen(c wallet.Consent) (string, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return hashText(string(raw))[:32], nil
}

// renderConsent shows what would go. skip are the items that the holder left out. p.mu is
// held.
func (h *Host) renderConsent(w http.ResponseWriter, r *http.Request, s *session, id string, p *requestInProgress, skip []int, fault string) error {
	if err := h.open(r, s).Retell(r.Context(), p.request); err != nil {
		return err
	}
	c := p.request.Consent
	name, err := seen(c)
	if err != nil {
		return err
	}
	data := consentPage{ID: id, Asker: h.party(c.Asker), Consent: c, Fault: fault, Anyway: p.anyway, Seen: name}
	if !strings.Contains(c.Asker.ID, "://") {
		data.Asker.Address = c.SentTo // the hash of a certificate tells people nothing
	}
	for n, item := range c.Items {
		v := consentItem{ConsentItem: item, N: n, Goes: !slices.Contains(skip, n)}
		for _, l := range item.Lines {
			switch {
			case l.Always:
				v.Along = append(v.Along, l)
			case l.Beyond:
				v.Beyond = append(v.Beyond, l)
			default:
				v.Ask = append(v.Ask, l)
			}
		}
		data.Items = append(data.Items, v)
	}
	status := http.StatusOK
	if fault != "" {
		status = http.StatusUnprocessableEntity
	}
	return show(h, h.views.consent, w, r, s, status, data)
}

// choose takes other options where the asker takes one of several.
func (h *Host) choose(w http.ResponseWriter, r *http.Request, s *session, p *requestInProgress, id string) error {
	if _, err := h.pick(r, s, p); err != nil {
		return err
	}
	return see(w, r, "/present/"+id)
}

// pick takes the options of the form, and says whether that changed anything. p.mu is held.
func (h *Host) pick(r *http.Request, s *session, p *requestInProgress) (changed bool, err error) {
	picks := map[string]int{}
	for _, c := range p.request.Consent.Choices {
		picks[c.ID] = c.Chosen
		typed := r.PostForm.Get("choice-" + c.ID)
		if typed == "" {
			continue
		}
		if picks[c.ID], err = strconv.Atoi(typed); err != nil {
			return false, errBadForm
		}
		changed = changed || picks[c.ID] != c.Chosen
	}
	if !changed {
		return false, nil
	}
	err = h.open(r, s).Choose(r.Context(), p.request, picks)
	if errors.Is(err, wallet.ErrChoice) {
		err = errBadForm
	}
	return true, err
}

// skipped are the items that the holder left out.
func skipped(r *http.Request, items int) []int {
	var skip []int
	for n := range items {
		if !slices.Contains(r.PostForm["go"], strconv.Itoa(n)) {
			skip = append(skip, n)
		}
	}
	return skip
}

// answer sends what the holder agreed to: what stood on the page that was answered, and
// nothing else. Pressed twice it sends once.
func (h *Host) answer(w http.ResponseWriter, r *http.Request, s *session, p *requestInProgress, id string) error {
	skip := skipped(r, len(p.request.Consent.Items))
	name, err := seen(p.request.Consent)
	if err != nil {
		return err
	}
	if r.PostForm.Get("seen") != name {
		return h.renderConsent(w, r, s, id, p, nil, "again")
	}
	if changed, err := h.pick(r, s, p); err != nil {
		return err
	} else if changed {
		return h.renderConsent(w, r, s, id, p, nil, "chosen")
	}
	if len(skip) == len(p.request.Consent.Items) {
		return h.renderConsent(w, r, s, id, p, skip, "nothing")
	}
	done := &answeredPage{Asker: h.party(p.request.Consent.Asker), State: "sent", SentTo: p.request.Consent.SentTo}
	done.Redirect, err = h.open(r, s).Present(r.Context(), p.request, wallet.Decision{Skip: skip})
	switch {
	case errors.Is(err, wallet.ErrAgain):
		return h.renderConsent(w, r, s, id, p, nil, "again")
	case errors.Is(err, wallet.ErrIncomplete):
		return h.renderConsent(w, r, s, id, p, skip, "incomplete")
	case errors.Is(err, openid4vp.ErrFetch) && !isRefused(err):
		// The asker may have it all the same: the history says so, and so does the page.
		done.State = "unsure"
	case err != nil:
		s.drop(id)
		return h.meetProblem(w, r, s, err, "")
	}
	p.done = done
	return see(w, r, "/present/"+id+"/done")
}

func isRefused(err error) bool {
	_, ok := errors.AsType[*openid4vp.RefusedError](err)
	return ok
}

// sayNo remembers that the holder said no. Nothing is sent unless the holder wants the asker
// to know.
func (h *Host) sayNo(w http.ResponseWriter, r *http.Request, s *session, p *requestInProgress, id string) error {
	tell := r.PostForm.Get("tell") != ""
	done := &answeredPage{Asker: h.party(p.request.Consent.Asker), State: "refused", SentTo: p.request.Consent.SentTo}
	redirect, err := h.open(r, s).Refuse(r.Context(), p.request, tell)
	if tell && err == nil {
		done.State, done.Redirect = "told", redirect
	}
	if err != nil && met(err) == "" {
		return err
	}
	p.done = done
	return see(w, r, "/present/"+id+"/done")
}

func (h *Host) showAnswered(w http.ResponseWriter, r *http.Request, s *session) error {
	p, id, err := inProgress[*requestInProgress](r, s)
	if err != nil {
		return err
	}
	p.mu.Lock()
	done := p.done
	p.mu.Unlock()
	if done == nil {
		return see(w, r, "/present/"+id)
	}
	return show(h, h.views.answered, w, r, s, http.StatusOK, *done)
}
