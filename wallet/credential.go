package wallet

import (
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

// A credential is one dataset with all its copies, the value under
// credentialPrefix.
type credential struct {
	ID              string    `json:"id"`
	Issuer          string    `json:"issuer"` // credential_issuer
	ConfigurationID string    `json:"configuration"`
	Format          string    `json:"format"`
	Accepted        time.Time `json:"accepted"`
	Party           Party     `json:"party"` // the issuer as it was known at acceptance
	Copies          []copyOf  `json:"copies"`
	Renewal         *renewal  `json:"renewal,omitempty"`
	// Name and Labels are the issuer's words for the screen.
	Name   string             `json:"name,omitempty"`
	Labels []openid4vci.Claim `json:"labels,omitempty"`
}

// A copyOf is one signed copy. Of all but the first, what is long stands in a row of its
// own that is read when the copy is shown: see loadCopy.
type copyOf struct {
	Slot int    `json:"slot"` // -1: bound to no key
	Text string `json:"text,omitempty"`
	// Timestamps show when it existed; from two nodes when all went well.
	Timestamps []paspoort.TimestampProof `json:"timestamps,omitempty"`
	Uses       int                       `json:"uses,omitempty"`
	// Maybe: another place has it too, and may have shown it since.
	Maybe bool `json:"maybe,omitempty"`

	loaded bool // Text and Timestamps stand in their row
}

// size is about how many bytes it takes.
func (c copyOf) size() int {
	n := len(c.Text)
	for _, t := range c.Timestamps {
		n += len(t.Salt) + len(t.Timestamp)
	}
	return n
}

// copyRow is the value under copyPrefix. It never changes.
type copyRow struct {
	Text       string                    `json:"text"`
	Timestamps []paspoort.TimestampProof `json:"timestamps,omitempty"`
}

// A renewal is what is needed to get new copies.
type renewal struct {
	Server       string          `json:"server,omitempty"` // authorization server
	RefreshToken string          `json:"refresh_token"`
	DPoPKey      json.RawMessage `json:"dpop_key,omitempty"` // a private JWK
}

// copyAt is the copy bound to a slot, or nil.
func (c *credential) copyAt(slot int) *copyOf {
	for i := range c.Copies {
		if c.Copies[i].Slot == slot {
			return &c.Copies[i]
		}
	}
	return nil
}

// putCredential stores a credential, and the copies that are new in it.
func (w *Wallet) putCredential(tx kv.Tx, c *credential) error {
	row := *c
	row.Copies = slices.Clone(c.Copies)
	for i := range row.Copies {
		at := &row.Copies[i]
		if i == 0 {
			continue
		}
		if at.Text != "" && !at.loaded {
			if err := w.box.put(tx, copyKey(c.ID, i), copyRow{at.Text, at.Timestamps}); err != nil {
				return err
			}
		}
		at.Text, at.Timestamps = "", nil
	}
	return w.box.put(tx, credentialPrefix+c.ID, &row)
}

// loadCopy reads what a copy says, when it was not read yet.
func (w *Wallet) loadCopy(tx kv.Tx, c *credential, at *copyOf) error {
	if at.Text != "" {
		return nil
	}
	n := 0
	for n < len(c.Copies) && at != &c.Copies[n] {
		n++
	}
	var row copyRow
	err := w.box.get(tx, copyKey(c.ID, n), &row)
	if errors.Is(err, kv.ErrNotFound) {
		return ErrDamaged
	}
	at.Text, at.Timestamps, at.loaded = row.Text, row.Timestamps, err == nil
	return err
}

// credentialNow is a credential as it stands in this transaction. What was read before may
// have been shown, renewed or deleted since, so nothing else is ever written back. Error:
// ErrNotHere.
func (w *Wallet) credentialNow(tx kv.Tx, id string) (*credential, error) {
	var c credential
	err := w.box.get(tx, credentialPrefix+id, &c)
	if errors.Is(err, kv.ErrNotFound) {
		err = ErrNotHere
	}
	return &c, err
}

// deleteCredential removes a credential with all its copies.
func (w *Wallet) deleteCredential(tx kv.Tx, id string) error {
	c, err := w.credentialNow(tx, id)
	if err != nil {
		return err
	}
	for i := range c.Copies {
		if err := w.box.delete(tx, copyKey(id, i)); err != nil {
			return err
		}
	}
	return w.box.delete(tx, credentialPrefix+id)
}

// token is the first copy, which says what all say.
func (c *credential) token() (*sdjwt.SDJWT, error) { return sdjwt.Parse(c.Copies[0].Text) }

// credentials reads all of them, oldest first.
func (w *Wallet) credentials(tx kv.Tx) ([]*credential, error) {
	var out []*credential
	err := w.box.each(tx, credentialPrefix, func(_ string, body []byte) error {
		c := new(credential)
		if err := decode(body, c); err != nil {
			return err
		}
		out = append(out, c)
		return nil
	})
	return out, err
}

// newID is a short identifier for something in this wallet. Nobody else sees it.
func (w *Wallet) newID() (string, error) {
	b := make([]byte, 5)
	if _, err := io.ReadFull(w.c.Rand, b); err != nil {
		return "", fmt.Errorf("random bytes: %w", err)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(b)), nil
}
