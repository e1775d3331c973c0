package issuer

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
)

// Codes of the administrator's API that no standard names.
const (
	codeClaims     = "invalid_claims"
	codeWrongState = "wrong_state"
	codeNotFound   = "not_found"
)

// txCodeDigits is the length of a generated transaction code.
const txCodeDigits = 6

// offerRequest is what an administrator asks.
type offerRequest struct {
	ConfigurationID string          `json:"credential_configuration_id"`
	Claims          map[string]any  `json:"claims"`
	TxCode          json.RawMessage `json:"tx_code"` // true or an object: generate one; a string: this one; false, null, absent: none
}

// offerAnswer is what the administrator gets: the only time that the transaction
// code is shown.
type offerAnswer struct {
	ID                 string    `json:"id"`
	CredentialOfferURI string    `json:"credential_offer_uri"`
	Invocation         string    `json:"invocation"` // complete link or QR text for a wallet
	Page               string    `json:"page"`       // for the person
	TxCode             string    `json:"tx_code,omitempty"`
	ExpiresAt          time.Time `json:"expires_at"`
}

// createOffer checks the claims and stores an offer, all or nothing.
func (i *Issuer) createOffer(tx kv.Tx, q offerRequest) (*offerAnswer, error) {
	if !slices.Contains(i.configurations(), q.ConfigurationID) {
		return nil, web.Errorf(http.StatusBadRequest, string(openid4vci.UnknownCredentialConfiguration),
			"this issuer has no such credential_configuration_id; see /api/v1/configurations")
	}
	t, _, err := paspoort.ParseConfigurationID(q.ConfigurationID)
	if err != nil {
		return nil, err
	}
	dataset, err := paspoort.NewDataset(t, q.Claims, i.c.Rand)
	if errors.Is(err, paspoort.ErrClaims) {
		return nil, web.Errorf(http.StatusUnprocessableEntity, codeClaims, "%s; a complete example is at /api/v1/configurations/%s/sample", err, q.ConfigurationID)
	}
	if err != nil {
		return nil, err
	}
	r, err := i.newRecord(q.ConfigurationID)
	if err != nil {
		return nil, err
	}
	txCode, err := i.setTxCode(r, q.TxCode)
	if err != nil {
		return nil, err
	}
	if err := i.putDataset(tx, r.ID, dataset); err != nil {
		return nil, err
	}
	if err := tx.Set(key(prefixLink, r.Link), kv.Value(valueVersion, []byte(r.ID))); err != nil {
		return nil, err
	}
	if err := putRecord(tx, r); err != nil {
		return nil, err
	}
	uri := i.server.OfferURI(r.Link)
	return &offerAnswer{
		ID: r.ID, CredentialOfferURI: uri, Page: i.c.URL + "/offer/" + r.Link, TxCode: txCode, ExpiresAt: r.OfferUntil,
		Invocation: openid4vci.LinkByReference(openid4vci.OfferScheme+"://", uri),
	}, nil
}

// newRecord draws the names of an offer.
func (i *Issuer) newRecord(configuration string) (*record, error) {
	now := i.c.Clock().UTC()
	r := &record{ConfigurationID: configuration, State: Offered, CreatedAt: now, ChangedAt: now, OfferUntil: now.Add(i.c.OfferLifetime)}
	var err error
	if r.ID, err = i.vault.token(idBytes); err != nil {
		return nil, err
	}
	r.Link, err = i.vault.token(idBytes)
	return r, err
}

// setTxCode reads what tx_code asks for, and stores the code as a MAC: six digits
// are too few to hide behind a hash.
func (i *Issuer) setTxCode(r *record, raw json.RawMessage) (string, error) {
	code, err := i.wantedTxCode(raw)
	if err != nil || code == "" {
		return "", err
	}
	r.TxNumeric = len(code)
	for _, c := range code {
		if c < '0' || c > '9' {
			r.TxNumeric = 0
		}
	}
	r.TxCode, err = i.txMAC(r.ID, code)
	return code, err
}

func (i *Issuer) txMAC(id, code string) ([]byte, error) {
	return i.vault.mac("tx code "+id, []byte(code))
}

func (i *Issuer) wantedTxCode(raw json.RawMessage) (string, error) {
	if len(raw) == 0 {
		return "", nil
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", web.Errorf(http.StatusBadRequest, "invalid_request", "tx_code is true or false")
	}
	switch v := v.(type) {
	case nil:
		return "", nil
	case bool:
		if !v {
			return "", nil
		}
		return i.vault.digits(txCodeDigits)
	case map[string]any:
		return i.vault.digits(txCodeDigits)
	case string:
		if n := utf8.RuneCountInString(v); n < 4 || n > 32 {
			return "", web.Errorf(http.StatusBadRequest, "invalid_request", "a tx_code of your own has 4 to 32 characters; true makes one")
		}
		return v, nil
	}
	return "", web.Errorf(http.StatusBadRequest, "invalid_request", "tx_code is true or false")
}

// putDataset stores claims, sealed.
func (i *Issuer) putDataset(tx kv.Tx, id string, d paspoort.Dataset) error {
	plain, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("issuer: encode dataset: %w", err)
	}
	sealed, err := i.vault.seal("dataset "+id, plain)
	if err != nil {
		return err
	}
	return tx.Set(key(prefixDataset, id), kv.Value(valueVersion, sealed))
}

// dataset reads the claims of a credential; kv.ErrNotFound when they were deleted.
func (i *Issuer) dataset(tx kv.Tx, id string) (paspoort.Dataset, error) {
	var d paspoort.Dataset
	raw, err := tx.Get(key(prefixDataset, id))
	if err != nil {
		return d, err
	}
	_, sealed, err := kv.Body(raw)
	if err != nil {
		return d, err
	}
	plain, err := i.vault.open("dataset "+id, sealed)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(plain, &d); err != nil {
		return d, fmt.Errorf("issuer: decode dataset: %w", err)
	}
	return d, nil
}

func putRecord(tx kv.Tx, r *record) error {
	return kv.PutJSON(tx, key(prefixCredential, r.ID), valueVersion, r)
}

func getRecord(tx kv.Tx, id string) (*record, error) {
	r := &record{}
	if err := kv.GetJSON(tx, key(prefixCredential, id), valueVersion, r); err != nil {
		return nil, err
	}
	return r, nil
}

// byLink finds the record that the address of an offer leads to.
func byLink(tx kv.Tx, link string) (*record, error) {
	raw, err := tx.Get(key(prefixLink, link))
	if err != nil {
		return nil, err
	}
	_, id, err := kv.Body(raw)
	if err != nil {
		return nil, err
	}
	return getRecord(tx, string(id))
}
