package host

import "paspoort.example/paspoort/wallet"

// waiting is what a holder has to be reminded of: things that were begun and would be lost.
type waiting struct {
	Code     bool   // the recovery code is not confirmed
	Bringing string // what came along and was not looked at: offer, request
	Offer    string // page of a proof that was fetched and not kept
	Asked    int    // readers who asked for a new link
}

// Any says whether there is anything.
func (w waiting) Any() bool { return w != waiting{} }

func (h *Host) waitingFor(s *session, paspoort *wallet.Wallet, person wallet.Person) waiting {
	return waiting{Code: !person.RecoveryConfirmed, Bringing: s.bringing(), Offer: s.fetchedOffer(), Asked: h.askedFor(paspoort)}
}

// fetchedOffer is the page of a proof that was fetched and is neither kept nor refused: the
// offer is spent, so leaving it means losing it.
func (s *session) fetchedOffer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, h := range s.held {
		if o, ok := h.v.(*offerInProgress); ok && o.came.Load() {
			return "/offer/" + name + "/look"
		}
	}
	return ""
}

// A keptOffer is where what an offer brought stands now.
type keptOffer struct{ path string }

// keeps puts the mark of what was kept in the place of an offer, for who goes back in the
// browser. It is false when that was done before.
func (s *session) keeps(name, path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.held[name]
	if _, kept := h.v.(keptOffer); !ok || kept {
		return false
	}
	h.v = keptOffer{path}
	s.held[name] = h
	return true
}
