package host

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"

	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/wallet"
)

// A problem is a meeting with another party that did not work: one sentence that says what
// happened and one that says what to do, under the keys problem.CODE and problem-next.CODE.
type problem struct {
	Code string
	// Party is whom it is about, when somebody is known to be there.
	Party *partyView
	// Anyway is where to go on all the same: for a party that no region knows, and only when
	// the holder knows it.
	Anyway string
}

// problems stand from particular to general: the first that fits is told.
var problems = []struct {
	code string
	fits func(error) bool
}{
	{"no-region", among(wallet.ErrNoRegion)},
	{"region-away", among(wallet.ErrRegionAway)},
	{"not-admitted", func(err error) bool {
		e, ok := errors.AsType[*wallet.UnknownError](err)
		return ok && e.Party.Known
	}},
	{"stranger", among(wallet.ErrUnknownParty)},
	{"offer-gone", among(openid4vci.ErrOfferGone)},
	{"wrong-code", isWrongCode},
	{"codes-spent", func(error) bool { return false }}, // told without an error
	{"offer-spent", among(openid4vci.InvalidGrant)},
	{"no-offer", among(openid4vci.ErrOffer)},
	{"unusable-offer", among(wallet.ErrUnusableOffer)},
	{"not-in-order", among(wallet.ErrRefused)},
	{"no-request", among(openid4vp.ErrInvocation)},
	{"request-gone", func(err error) bool {
		e, ok := errors.AsType[*openid4vp.RefusedError](err)
		return ok && (e.Status == http.StatusNotFound || e.Status == http.StatusGone || e.Code == openid4vp.InvalidRequestURI)
	}},
	{"nothing-fits", among(wallet.ErrNothing)},
	{"incomplete", among(wallet.ErrIncomplete)},
	{"bad-request", func(err error) bool {
		_, ok := errors.AsType[*openid4vp.Error](err)
		return ok
	}},
	{"address", among(outbound.ErrAddress, outbound.ErrURL)},
	{"connection", func(err error) bool {
		_, ok := errors.AsType[*tls.CertificateVerificationError](err)
		return ok
	}},
	{"unreachable", func(err error) bool {
		_, ok := errors.AsType[net.Error](err)
		return ok || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
	}},
	{"issuer-faulty", func(err error) bool {
		_, ok := errors.AsType[*openid4vci.Error](err)
		return ok || errors.Is(err, openid4vci.ErrMetadata) || errors.Is(err, openid4vci.ErrResponse)
	}},
	{"asker-faulty", among(openid4vp.ErrFetch)},
}

func among(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
}

// isWrongCode: OpenID4VCI 6.3 has one error code for every code that is not good; issuers of
// ours say which in the description.
func isWrongCode(err error) bool {
	e, ok := errors.AsType[*openid4vci.Error](err)
	return ok && e.Code == openid4vci.InvalidGrant && strings.HasPrefix(e.Description, "the tx_code is wrong")
}

// met is the problem in an error of a meeting, or "" when the fault is ours.
func met(err error) string {
	for _, p := range problems {
		if p.fits(err) {
			return p.code
		}
	}
	return ""
}

// problem answers with the page of what went wrong with another party. anyway is where the
// holder can go on all the same with a party that no region knows.
func (h *Host) problem(w http.ResponseWriter, r *http.Request, s *session, err error, anyway string) error {
	code := met(err)
	if code == "" || r.Context().Err() != nil {
		return err
	}
	data := problem{Code: code}
	if e, ok := errors.AsType[*wallet.UnknownError](err); ok {
		v := h.party(e.Party)
		data.Party, data.Anyway = &v, anyway
	}
	return show(h, h.views.problem, w, r, s, http.StatusUnprocessableEntity, data)
}

// A partyView is another party, for the page.
type partyView struct {
	Name string
	// State is known (a region admits it today), lapsed (known and not admitted) or stranger.
	State    string
	Role     string // issuer, verifier
	Region   string // in words
	Since    string // day
	Address  string // where it is
	Purposes []string
	// Certified: its certificate leads to the region.
	Certified bool
}

func (h *Host) party(p wallet.Party) partyView {
	v := partyView{Name: p.DisplayName(), State: "stranger", Role: p.Role, Since: p.Since, Address: addressOf(p.ID), Purposes: p.Purposes, Certified: p.Anchored}
	if p.Known {
		v.State = "lapsed"
	}
	if p.Known && p.Admitted {
		v.State = "known"
	}
	if v.Region = h.nameOf(p.Region); v.Region == "" && len(p.Region) > 12 {
		v.Region = p.Region[:12]
	}
	return v
}

// addressOf is the host in an identifier, for people: "https://vaart.example/x" is
// "vaart.example". Identifiers that are no address stay as they are, cut off.
func addressOf(id string) string {
	_, rest, ok := strings.Cut(id, "://")
	if !ok {
		if len(id) > 60 {
			return id[:60] + "…"
		}
		return id
	}
	host, _, _ := strings.Cut(rest, "/")
	return host
}
