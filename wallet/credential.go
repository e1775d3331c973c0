package wallet

import (
	"encoding/base32"
	"encoding/json"
	"fmt"
	"io"
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

// A copyOf is one signed copy.
type copyOf struct {
	Slot int    `json:"slot"` // -1: bound to no key
	Text string `json:"text"`
	// Timestamps show when it existed; from two nodes when all went well.
	Timestamps []paspoort.TimestampProof `json:"timestamps,omitempty"`
	Uses       int                       `json:"uses,omitempty"`
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
