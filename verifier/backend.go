package verifier

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

// backend is the role behind the protocol: openid4vp.Backend.
type backend struct{ *Verifier }

// judgeTime bounds how long a wallet waits while the verdict is found.
const judgeTime = 25 * time.Second

// Transaction implements openid4vp.Backend.
func (b backend) Transaction(_ context.Context, id string) (*openid4vp.Transaction, error) {
	var t *transaction
	err := b.config.Store.View(func(tx kv.Tx) (err error) {
		t, err = getTransaction(tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &t.Transaction, nil
}

// Answer implements openid4vp.Backend: the answer is held against the query, judged, and only the verdict is kept. Judging
// comes before anything is stored, so that nothing half-done stays behind; of two answers at once the second finds the
// transaction closed.
func (b backend) Answer(ctx context.Context, t *openid4vp.Transaction, token openid4vp.VPToken) (string, error) {
	accepted, discarded, err := match(t.Request.Query, token)
	if err != nil {
		return "", &openid4vp.Error{Code: openid4vp.InvalidRequest, Description: err.Error()}
	}
	own, r, err := b.opened(t.ID)
	if err != nil {
		return "", err
	}
	request := evidence.Request{
		Presentations: accepted,
		Flow:          paspoort.CrossDevice,
		Expected:      &paspoort.Expected{Nonce: t.Request.Nonce, Audience: string(t.Request.ClientID)},
	}
	if own.Session != nil {
		request.Flow = paspoort.SameDevice
	}
	for _, s := range r.Asked {
		request.Asked = append(request.Asked, s.URI)
	}
	// The wallet may hang up; the verdict is found all the same.
	judging, cancel := context.WithTimeout(context.WithoutCancel(ctx), judgeTime)
	defer cancel()
	verdict, err := b.config.Evidence.Verify(judging, request)
	if errors.Is(err, evidence.ErrTooMany) {
		return "", &openid4vp.Error{Code: openid4vp.InvalidRequest, Description: "too many presentations: send those that were asked"}
	}
	if err != nil {
		return "", fmt.Errorf("judge the answer: %w", err)
	}
	held := disclosed{shown: shown{Expected: expected{t.Request.Nonce, string(t.Request.ClientID)}}}
	for _, p := range accepted {
		held.shown.Presentations = append(held.shown.Presentations, p.Text)
	}
	return b.keep(own, verdict, held, discarded)
}

// opened returns the transaction with its request.
func (v *Verifier) opened(id string) (t *transaction, r *record, err error) {
	err = v.config.Store.View(func(tx kv.Tx) error {
		if t, err = getTransaction(tx, id); err != nil {
			return err
		}
		r, err = getRequest(tx, t.RequestID)
		return err
	})
	if errors.Is(err, errNoRequest) {
		err = openid4vp.ErrUnknownTransaction
	}
	return t, r, err
}

// keep stores the verdict and closes the request. For an answer from the same device it returns where the browser must come
// back to before the verdict counts.
func (v *Verifier) keep(t *transaction, verdict paspoort.Verdict, held disclosed, discarded int) (redirect string, err error) {
	code := ""
	if t.Session != nil {
		if code, err = v.secret(); err != nil {
			return "", err
		}
	}
	err = v.closeRequest(t, func(r *record) {
		r.Verdict, r.Discarded, r.State = kept(verdict), discarded, Done
		if t.Session != nil {
			r.State, r.Return = Received, &comeback{Session: t.Session, ResponseCode: hash(code)}
		}
	})
	if err != nil {
		return "", err
	}
	held.until, held.verdict = v.config.Clock().Add(v.config.KeepContents), verdict
	v.contents.put(t.RequestID, held)
	v.answers.WithLabelValues(string(verdict.Outcome)).Inc()
	v.config.Log.Info("answer judged", "outcome", string(verdict.Outcome), "flow", string(verdict.Flow), "credentials", len(verdict.Credentials), "discarded", discarded)
	if code == "" {
		return "", nil
	}
	return v.pageURL(t.RequestID) + "/return?response_code=" + code, nil
}

// closeRequest changes an open request for good and closes all its transactions.
func (v *Verifier) closeRequest(t *transaction, change func(*record)) error {
	return v.config.Store.Update(func(tx kv.Tx) error {
		r, err := getRequest(tx, t.RequestID)
		if errors.Is(err, errNoRequest) {
			return openid4vp.ErrUnknownTransaction
		}
		if err != nil {
			return err
		}
		if r.state(v.config.Clock()) != Waiting {
			return openid4vp.ErrAnswered
		}
		change(r)
		return errors.Join(putRequest(tx, r), r.closeTransactions(tx))
	})
}

// Refusal implements openid4vp.Backend. Of what the wallet says only the code is kept: its description is free text.
func (b backend) Refusal(_ context.Context, t *openid4vp.Transaction, e *openid4vp.Error) (string, error) {
	own, _, err := b.opened(t.ID)
	if err != nil {
		return "", err
	}
	err = b.closeRequest(own, func(r *record) { r.State, r.Refusal = Refused, e.Code })
	if err != nil {
		return "", err
	}
	b.answers.WithLabelValues("declined").Inc()
	if own.Session != nil {
		return b.pageURL(own.RequestID), nil
	}
	return "", nil
}

// comeBack lets the verdict count when the browser that asked returns with the response code. HAIP 5.1: "Verifiers MUST
// reject presentations if Wallets do not follow the redirect back or the redirect back arrives in a different user session".
func (v *Verifier) comeBack(id string, sessions []string, code string) error {
	rejected := false
	err := v.config.Store.Update(func(tx kv.Tx) error {
		r, err := getRequest(tx, id)
		if err != nil {
			return err
		}
		if r.state(v.config.Clock()) != Received || r.Return == nil ||
			subtle.ConstantTimeCompare(hash(code), r.Return.ResponseCode) != 1 {
			return errClosed
		}
		r.State = Done
		if !slices.ContainsFunc(sessions, func(s string) bool { return subtle.ConstantTimeCompare(hash(s), r.Return.Session) == 1 }) {
			r.State, r.Verdict, rejected = Rejected, nil, true
		}
		r.Return = nil
		return putRequest(tx, r)
	})
	if err == nil && rejected {
		v.contents.forget(v.config.Clock(), []string{id})
		return errOtherBrowser
	}
	return err
}

// errOtherBrowser: the answer came back in another browser than the one that asked.
var errOtherBrowser = errors.New("another browser came back than the one that asked")

// match holds each presentation against the query it was sent for (OpenID4VP 8.6): what does not fit is discarded, and what
// is left must satisfy the query as a whole.
func match(q *dcql.Query, token openid4vp.VPToken) (accepted []evidence.Presentation, discarded int, err error) {
	held := map[string]int{}
	for i := range q.Credentials {
		id := q.Credentials[i].ID
		for _, presented := range token[id] {
			seen, err := asSeen(q.Credentials[i].Format, presented)
			if err == nil {
				err = q.CheckPresentation(id, seen)
			}
			if err != nil {
				discarded++
				continue
			}
			held[id]++
			accepted = append(accepted, evidence.Presentation{Query: id, Text: presented})
		}
	}
	return accepted, discarded, q.CheckSets(held)
}

// asSeen is what a query can say about a presentation, before any signature was looked at.
func asSeen(format, presented string) (*dcql.Credential, error) {
	t, err := sdjwt.Parse(presented)
	if err != nil {
		return nil, err
	}
	claims, err := t.Claims()
	if err != nil {
		return nil, err
	}
	seen := &dcql.Credential{Format: format, HolderBound: t.HasKeyBinding(), Claims: claims}
	found, ok := paspoort.DetectFormat(claims)
	if !ok || string(found) != format {
		return nil, errors.New("another format than the query asks")
	}
	if vct, ok := claims["vct"].(string); ok {
		seen.Types = []string{vct}
	}
	seen.Types = append(seen.Types, expandedTypes(claims)...)
	if chain := t.Header().X5C; len(chain) > 0 {
		seen.Authorities = authorities(chain)
	}
	return seen, nil
}

// expandedTypes are the types of a W3C credential: those of ours by their IRI, others as they stand, which is their expanded
// form only where no context defines them (B.1.1).
func expandedTypes(claims map[string]any) []string {
	var out []string
	list, _ := claims["type"].([]any)
	for _, v := range list {
		name, ok := v.(string)
		if !ok {
			continue
		}
		out = append(out, name)
		if t, err := paspoort.ParseType(name); err == nil && !slices.Contains(out, t.VCT()) {
			out = append(out, t.VCT())
		}
	}
	return out
}
