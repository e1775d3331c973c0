package issuer

import (
	"encoding/hex"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
)

// The keys of the store, all in one place. HASH is hexadecimal SHA-256: secrets are
// looked up by their hash and not kept.
//
//	c/ID             credential: record
//	d/ID             its dataset: sealed
//	link/LINK        offer address: the ID
//	t/HASH           access token: access
//	r/HASH           refresh token: refresh
//	m/HASH           notification id: delivered
//	n/HASH           spent nonce or proof id: expiry
//	i/MAC            Idempotency-Key: outcome, sealed
//	l/LIST           status list: listMeta
//	s/LIST/INDEX     status list entry: one byte, never deleted
//	v/TIME/RANDOM    entry that is published and not given out: entry
//	p/LIST           status list token as published: publication
//	o/HASH           status list of another, in custody: entrusted
//	requestkey       key that wallets encrypt requests to, sealed
const (
	prefixCredential  = "c/"
	prefixDataset     = "d/"
	prefixLink        = "link/"
	prefixAccess      = "t/"
	prefixRefresh     = "r/"
	prefixDelivered   = "m/"
	prefixSpent       = "n/"
	prefixOutcome     = "i/"
	prefixList        = "l/"
	prefixEntry       = "s/"
	prefixReserve     = "v/"
	prefixPublication = "p/"
	keyRequest        = "requestkey"
)

// storeName and storeVersion mark the store; valueVersion starts every value.
const (
	storeName    = "issuer"
	storeVersion = 1
	valueVersion = 1
)

func key(prefix, id string) []byte { return []byte(prefix + id) }

func hashKey(prefix string, hash [32]byte) []byte {
	return []byte(prefix + hex.EncodeToString(hash[:]))
}

func listKey(prefix string, list int) []byte { return fmt.Appendf(nil, "%s%06d", prefix, list) }

func entryPrefix(list int) []byte { return fmt.Appendf(nil, "%s%06d/", prefixEntry, list) }

func entryKey(e entry) []byte { return fmt.Appendf(entryPrefix(e.List), "%09d", e.Index) }

// State is where a credential stands.
type State string

// The states of a credential. Offered becomes Valid with the first copies; Valid
// and Suspended go to and fro; the others are final.
const (
	Offered   State = "offered"
	Valid     State = "valid"
	Suspended State = "suspended"
	Revoked   State = "revoked"
	Expired   State = "expired" // the offer was not accepted in time
	Closed    State = "closed"  // too many wrong transaction codes
)

// record is what is kept of one credential. It names no person.
type record struct {
	ID              string    `json:"id"`
	ConfigurationID string    `json:"configuration"`
	State           State     `json:"state"`
	Link            string    `json:"link"` // unguessable part of the offer's addresses
	CreatedAt       time.Time `json:"created"`
	ChangedAt       time.Time `json:"changed"`
	OfferUntil      time.Time `json:"offer_until"`
	IssuedAt        time.Time `json:"issued,omitzero"`     // first copies
	KeepUntil       time.Time `json:"keep_until,omitzero"` // claims are deleted then

	Redeemed   bool   `json:"redeemed,omitempty"`  // a pre-authorized code of this offer was used
	TxCode     []byte `json:"tx_code,omitempty"`   // MAC, until redeemed
	TxNumeric  int    `json:"tx_digits,omitempty"` // length of a numeric code, 0: text
	WrongCodes int    `json:"wrong_codes,omitempty"`

	// Refresh is the hash of the refresh token that was given out last, Previous the
	// one that it was given for: good until Refresh is used, because the answer with
	// Refresh may never have arrived.
	Refresh  []byte `json:"refresh,omitempty"`
	Previous []byte `json:"previous,omitempty"`
	Ended    bool   `json:"ended,omitempty"` // a token came back that was replaced: somebody else has them
	DPoPKey  string `json:"dpop,omitempty"`  // thumbprint that tokens are bound to

	Entries  []entry          `json:"entries,omitempty"` // of all copies ever made
	Notified openid4vci.Event `json:"notified,omitempty"`
}

// entry is a place in a status list.
type entry struct {
	List  int `json:"l"`
	Index int `json:"i"`
}

// access is what an access token allows.
type access struct {
	ID         string    `json:"id"`
	Until      time.Time `json:"until"`
	CopiesLeft int       `json:"left"`
	DPoPKey    string    `json:"dpop,omitempty"`
	Identifier string    `json:"identifier,omitempty"` // credential identifier, when the wallet asked for one
}

type refresh struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until"`
}

type delivered struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until"`
}

type spent struct {
	Until time.Time `json:"until"`
}

// parts splits a configuration id; New checked that it parses.
func (r *record) parts() (paspoort.Type, paspoort.Format) {
	t, f, _ := paspoort.ParseConfigurationID(r.ConfigurationID)
	return t, f
}
