package verifier

import (
	"errors"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
)

// The keys of the store, all values JSON in format 1:
//
//	request/<id>       record: what was asked, in which state it is, the verdict as it may be kept
//	transaction/<id>   transaction: one open way to answer a request, with its decryption key; gone once answered
//	region/…           the copy of the region's registry, where the role shares its store with internal/evidence
//	status/…           public status lists of issuers, as fetched; which entry was looked at is not kept
//
// Nothing in the store holds a presentation, a disclosed claim or a key of a holder.
const (
	requestPrefix     = "request/"
	transactionPrefix = "transaction/"
	storeFormat       = 1
	valueFormat       = 1
)

// State of a request as the asker sees it.
type State string

// States. Waiting covers everything that the asker must not tell apart: never seen, opened, refused in silence.
const (
	Waiting  State = "waiting"
	Received State = "received" // an answer came; on the same device it counts when the browser comes back
	Done     State = "done"     // there is a verdict
	Refused  State = "refused"  // the holder chose to say no
	Expired  State = "expired"
	Rejected State = "rejected" // an answer came, but its browser was not the one that asked
)

// record is one request.
type record struct {
	ID       string    `json:"id"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires"`
	Forget   time.Time `json:"forget"`
	State    State     `json:"state"`
	Purpose  string    `json:"purpose"`
	Language string    `json:"lang"`

	Query        *dcql.Query            `json:"dcql_query"`
	Asked        []Skill                `json:"asked,omitempty"`
	Profile      string                 `json:"profile,omitempty"`
	Prefix       openid4vp.Prefix       `json:"client_id_prefix,omitempty"`
	ResponseMode openid4vp.ResponseMode `json:"response_mode"`

	// Invocation is that of the cross-device transaction: what a QR code shows.
	Invocation   string   `json:"invocation"`
	Transactions []string `json:"transactions"`

	// Refusal is the code with which the holder said no.
	Refusal openid4vp.Code `json:"refusal,omitempty"`
	// Verdict is reduced by kept. Discarded counts presentations that did not match what was asked.
	Verdict   *paspoort.Verdict `json:"verdict,omitempty"`
	Discarded int               `json:"discarded,omitempty"`
	// Return binds the verdict to a browser until it comes back; nil otherwise.
	Return *comeback `json:"return,omitempty"`
}

// comeback is what the browser that asked must show before the answer counts (OpenID4VP 13.3, 14.2). Both are hashes.
type comeback struct {
	Session      []byte `json:"session"`
	ResponseCode []byte `json:"response_code"`
}

// transaction is one way to answer a request: the QR code, or the button in one browser.
type transaction struct {
	openid4vp.Transaction
	RequestID string `json:"request_id"`
	// Session is the hash of the cookie of the browser that pressed the button; nil for the QR code.
	Session []byte `json:"session,omitempty"`
}

func (r *record) state(now time.Time) State {
	switch r.State {
	case Waiting, Received:
		if !now.Before(r.Expires) {
			return Expired
		}
	}
	return r.State
}

var errNoRequest = errors.New("no such request")

func getRequest(tx kv.Tx, id string) (*record, error) {
	r := &record{}
	err := kv.GetJSON(tx, []byte(requestPrefix+id), valueFormat, r)
	if errors.Is(err, kv.ErrNotFound) || errors.Is(err, kv.ErrKey) { // ErrKey: longer than any id of ours
		return nil, errNoRequest
	}
	return r, err
}

func putRequest(tx kv.Tx, r *record) error {
	return kv.PutJSON(tx, []byte(requestPrefix+r.ID), valueFormat, r)
}

func getTransaction(tx kv.Tx, id string) (*transaction, error) {
	t := &transaction{}
	err := kv.GetJSON(tx, []byte(transactionPrefix+id), valueFormat, t)
	if errors.Is(err, kv.ErrNotFound) || errors.Is(err, kv.ErrKey) {
		return nil, openid4vp.ErrUnknownTransaction
	}
	return t, err
}

func putTransaction(tx kv.Tx, t *transaction) error {
	return kv.PutJSON(tx, []byte(transactionPrefix+t.ID), valueFormat, t)
}

// close ends every way to answer the request: the decryption keys go, what is left says only that it was answered.
func (r *record) closeTransactions(tx kv.Tx) error {
	for _, id := range r.Transactions {
		t, err := getTransaction(tx, id)
		if errors.Is(err, openid4vp.ErrUnknownTransaction) {
			continue
		}
		if err != nil {
			return err
		}
		t.Answered, t.DecryptionKey = true, nil
		if err := putTransaction(tx, t); err != nil {
			return err
		}
	}
	return nil
}

func (r *record) delete(tx kv.Tx) error {
	for _, id := range r.Transactions {
		if err := tx.Delete([]byte(transactionPrefix + id)); err != nil {
			return err
		}
	}
	return tx.Delete([]byte(requestPrefix + r.ID))
}

// sweepBatch is how many requests one transaction handles. A store on disk takes no transaction of any size, and a request
// with a long query stands in up to nine values of 64 KiB.
const sweepBatch = 3

// sweep forgets what is past its term and returns the ids of the requests that went, also beside an error.
func (v *Verifier) sweep(now time.Time) (gone []string, err error) {
	due, err := v.due(now)
	if err != nil {
		return nil, err
	}
	for batch := range slices.Chunk(due, sweepBatch) {
		err := v.config.Store.Update(func(tx kv.Tx) error {
			for _, id := range batch {
				if err := sweepOne(tx, id, now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return gone, err
		}
		gone = append(gone, batch...)
	}
	return gone, nil
}

// due are the ids of the requests that have to be forgotten or closed.
func (v *Verifier) due(now time.Time) (ids []string, err error) {
	err = v.config.Store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(requestPrefix), func(_, value []byte) error {
			r := &record{}
			if err := kv.DecodeJSON(value, valueFormat, r); err != nil {
				return err
			}
			if r.over(now) || r.lapsed(now) {
				ids = append(ids, r.ID)
			}
			return nil
		})
	})
	return ids, err
}

// over: the term is past.
func (r *record) over(now time.Time) bool { return !now.Before(r.Forget) }

// lapsed: nothing came in time, and the record does not say so yet.
func (r *record) lapsed(now time.Time) bool { return r.State != Expired && r.state(now) == Expired }

// sweepOne looks again: since it was found due, the request may have been deleted or answered.
func sweepOne(tx kv.Tx, id string, now time.Time) error {
	r, err := getRequest(tx, id)
	switch {
	case errors.Is(err, errNoRequest):
		return nil
	case err != nil:
		return err
	case r.over(now):
		return r.delete(tx)
	case !r.lapsed(now):
		return nil
	}
	// An answer that its browser never came back for goes with the request.
	r.State, r.Verdict, r.Return = Expired, nil, nil
	return errors.Join(r.closeTransactions(tx), putRequest(tx, r))
}

// kept is the verdict as it may be kept: how each check ended, and about each skill that was asked who proved it. The claims
// that were disclosed are taken out, and so are skills that nobody asked for and the keys by which persons sign themselves.
func kept(v paspoort.Verdict) *paspoort.Verdict {
	v.Credentials = slices.Clone(v.Credentials)
	for i := range v.Credentials {
		c := &v.Credentials[i]
		c.Claims, c.Issuer = map[string]any{}, keptIssuer(c.Issuer)
	}
	v.Skills = slices.DeleteFunc(slices.Clone(v.Skills), func(s paspoort.SkillVerdict) bool { return !s.Asked })
	for i := range v.Skills {
		v.Skills[i].Proofs = slices.Clone(v.Skills[i].Proofs)
		for j := range v.Skills[i].Proofs {
			p := &v.Skills[i].Proofs[j]
			p.By = keptIssuer(p.By)
		}
	}
	return &v
}

// keptIssuer leaves out an issuer that no registry knows and that is named by nothing but a key: that is a person, such as
// the holder who speaks for themselves.
func keptIssuer(by paspoort.IssuerView) paspoort.IssuerView {
	if by.Organisation == "" && (strings.HasPrefix(by.ID, "did:jwk:") || strings.HasPrefix(by.ID, "did:key:")) {
		return paspoort.IssuerView{KeySource: by.KeySource}
	}
	return by
}
