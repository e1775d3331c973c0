package dev

import (
	"context"
	"net/http"

	"paspoort.example/paspoort/specs/paspoort"
)

// Invitation is what a person needs to try the region in a browser: the page of a sample
// offer, with the code that belongs to it, and the page of a sample request that the
// offered credential answers.
type Invitation struct {
	Offer, Code string
	Request     string
}

// Invite has the opleider make a sample offer and the employer a sample request.
func (w *World) Invite(ctx context.Context) (Invitation, error) {
	o, err := w.offerSample(ctx, opleider, paspoort.Opleiding)
	if err != nil {
		return Invitation{}, err
	}
	api, err := w.administrator(verifier)
	if err != nil {
		return Invitation{}, err
	}
	var made struct {
		Page string `json:"page"`
	}
	// The sample of a module teaches this skill.
	body := map[string]any{"skills": []map[string]string{{"uri": skillCare, "label": "Verzorgen"}}, "purpose": "Wij zoeken een helpende."}
	err = api.do(ctx, http.MethodPost, "/api/v1/requests", body, &made)
	return Invitation{Offer: o.Page, Code: o.TxCode, Request: made.Page}, err
}

// offerSample has an issuer offer the sample of a type, with a transaction code.
func (w *World) offerSample(ctx context.Context, process string, t paspoort.Type) (offer, error) {
	api, err := w.administrator(process)
	if err != nil {
		return offer{}, err
	}
	id := paspoort.ConfigurationID(t, paspoort.FormatSDJWTVC)
	var claims map[string]any
	if err := api.do(ctx, http.MethodGet, "/api/v1/configurations/"+id+"/sample", nil, &claims); err != nil {
		return offer{}, err
	}
	var o offer
	body := map[string]any{"credential_configuration_id": id, "claims": claims, "tx_code": true}
	return o, api.do(ctx, http.MethodPost, "/api/v1/offers", body, &o)
}
