package issuer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"paspoort.example/paspoort/specs/ijson"
)

// Doer sends an HTTP request.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Importer makes offers of the rows of a sheet, over the API of a running issuer.
type Importer struct {
	HTTP            Doer
	URL, Token      string
	ConfigurationID string // such as Opleiding_dc_sd_jwt
}

// ImportedOffer is one row and the offer that was made of it.
type ImportedOffer struct {
	Row        int    `json:"row"`
	Module     string `json:"module"`
	GivenName  string `json:"given_name"`
	FamilyName string `json:"family_name"`
	offerAnswer
}

// maxImportAnswer is the most bytes of an answer.
const maxImportAnswer = 64 << 10

// Offer makes one offer. The same row gives the same offer for a day, so an import
// that broke off is done by doing it again.
func (m Importer) Offer(ctx context.Context, o SheetOffer) (*ImportedOffer, error) {
	body, err := json.Marshal(map[string]any{
		"credential_configuration_id": m.ConfigurationID, "claims": o.Claims, "tx_code": o.TxCode,
	})
	if err != nil {
		return nil, fmt.Errorf("encode row %d: %w", o.Row, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL+"/api/v1/offers", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+m.Token)
	r.Header.Set("Idempotency-Key", o.Key)
	response, err := m.HTTP.Do(r)
	if err != nil {
		return nil, fmt.Errorf("row %d: %w", o.Row, err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxImportAnswer))
	if err != nil {
		return nil, fmt.Errorf("row %d: %w", o.Row, err)
	}
	if response.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("row %d: the issuer answered %d: %s", o.Row, response.StatusCode, complaint(raw))
	}
	out := &ImportedOffer{Row: o.Row, Module: o.Module}
	out.GivenName, _ = o.Claims["given_name"].(string)
	out.FamilyName, _ = o.Claims["family_name"].(string)
	if err := ijson.Unmarshal(raw, &out.offerAnswer); err != nil {
		return nil, fmt.Errorf("row %d: the issuer's answer: %w", o.Row, err)
	}
	return out, nil
}

// complaint is what an error answer says.
func complaint(raw []byte) string {
	var e struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	if ijson.Unmarshal(raw, &e) != nil || e.Code == "" {
		return "something that is not of this API: is this the address of an issuer?"
	}
	return e.Code + ": " + e.Description
}
