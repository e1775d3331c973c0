package issuer

import (
	"errors"
	"net/http"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/statuslist"
)

// action is what an administrator does to a credential.
type action string

const (
	suspend   action = "suspend"
	reinstate action = "reinstate"
	revoke    action = "revoke"
)

// transitions are the only steps there are. Revocation is final.
var transitions = map[action]map[State]State{
	suspend:   {Valid: Suspended},
	reinstate: {Suspended: Valid},
	revoke:    {Offered: Revoked, Valid: Revoked, Suspended: Revoked},
}

// wrongState says per state why a step is not there, and what to do.
var wrongState = map[State]string{
	Offered:   "this credential was not accepted yet: revoke withdraws the offer, nothing else is possible",
	Valid:     "this credential is valid: there is nothing to reinstate",
	Suspended: "this credential is suspended already",
	Revoked:   "this credential is revoked, and revocation is final: make a new offer",
	Expired:   "this offer has expired: make a new one",
	Closed:    "this offer was closed after too many wrong transaction codes: make a new one",
}

// listed maps a state to what the lists say.
var listed = map[State]statuslist.Status{Valid: statuslist.Valid, Suspended: statuslist.Suspended, Revoked: statuslist.Invalid}

// credentialView is a credential as the API shows it.
type credentialView struct {
	ID              string           `json:"id"`
	ConfigurationID string           `json:"credential_configuration_id"`
	State           State            `json:"state"`
	CreatedAt       time.Time        `json:"created_at"`
	ChangedAt       time.Time        `json:"changed_at"`
	IssuedAt        *time.Time       `json:"issued_at,omitempty"`
	Copies          int              `json:"copies"`
	Notified        openid4vci.Event `json:"notified,omitempty"`
	// PublishedBy is when the status lists will show the present state at the latest.
	PublishedBy *time.Time `json:"published_by,omitempty"`
}

func (i *Issuer) view(r *record) credentialView {
	v := credentialView{
		ID: r.ID, ConfigurationID: r.ConfigurationID, State: r.stateAt(i.c.Clock()), CreatedAt: r.CreatedAt,
		ChangedAt: r.ChangedAt, Copies: len(r.Entries), Notified: r.Notified,
	}
	if !r.IssuedAt.IsZero() {
		v.IssuedAt = &r.IssuedAt
	}
	if next := i.nextPublication(); len(r.Entries) > 0 && !r.ChangedAt.Before(next.Add(-i.c.PublishEvery)) {
		v.PublishedBy = &next
	}
	return v
}

// stateAt is the state, taking into account that an offer ends by itself.
func (r *record) stateAt(now time.Time) State {
	if r.State == Offered && !now.Before(r.OfferUntil) {
		return Expired
	}
	return r.State
}

// change does one step, and marks every copy. The lists follow on schedule.
func (i *Issuer) change(tx kv.Tx, id string, a action) (*credentialView, error) {
	r, err := getRecord(tx, id)
	if errors.Is(err, kv.ErrNotFound) || errors.Is(err, kv.ErrKey) {
		return nil, web.Errorf(http.StatusNotFound, codeNotFound, "there is no credential with this id; see /api/v1/credentials")
	}
	if err != nil {
		return nil, err
	}
	from := r.stateAt(i.c.Clock())
	to, ok := transitions[a][from]
	if !ok {
		return nil, web.Errorf(http.StatusConflict, codeWrongState, "%s", wrongState[from])
	}
	for _, e := range r.Entries {
		if err := setEntry(tx, e, listed[to]); err != nil {
			return nil, err
		}
	}
	if to == Revoked {
		// Nothing can be had any more, so nothing needs to be kept.
		if err := i.forget(tx, r); err != nil {
			return nil, err
		}
	}
	r.State, r.ChangedAt = to, i.c.Clock().UTC()
	if err := putRecord(tx, r); err != nil {
		return nil, err
	}
	v := i.view(r)
	return &v, nil
}

// forget deletes what is only needed while copies can be had: claims, codes and
// tokens. The caller stores the record.
func (i *Issuer) forget(tx kv.Tx, r *record) error {
	r.TxCode, r.Refresh, r.Previous, r.DPoPKey = nil, nil, nil, ""
	return tx.Delete(key(prefixDataset, r.ID))
}

// listPage is one page of credentials; Next is empty on the last.
type listPage struct {
	Credentials []credentialView `json:"credentials"`
	Next        string           `json:"next,omitempty"`
}

const (
	defaultPage = 100
	maxPage     = 1000
)

// credentials lists in the order of ids, which says nothing about time.
func (i *Issuer) credentials(after string, state State, limit int) (*listPage, error) {
	page := &listPage{Credentials: []credentialView{}}
	err := i.c.Store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(prefixCredential), func(k, value []byte) error {
			if string(k[len(prefixCredential):]) <= after {
				return nil
			}
			if len(page.Credentials) == limit {
				page.Next = page.Credentials[limit-1].ID
				return kv.ErrStop
			}
			var r record
			if err := kv.DecodeJSON(value, valueVersion, &r); err != nil {
				return err
			}
			if v := i.view(&r); state == "" || v.State == state {
				page.Credentials = append(page.Credentials, v)
			}
			return nil
		})
	})
	return page, err
}
