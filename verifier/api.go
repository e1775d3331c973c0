package verifier

import (
	_ "embed"
	"errors"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
)

//go:embed openapi.yaml
var openAPI []byte

// created is the answer to POST /api/v1/requests.
type created struct {
	ID string `json:"id"`
	// Invocation is the complete link, or text of the QR code, for a wallet on another device.
	Invocation string `json:"invocation"`
	// Page shows the QR code, a button for a wallet on the same device, and the verdict when it comes.
	Page      string    `json:"page"`
	ExpiresAt time.Time `json:"expires_at"`
}

// status is the answer to GET /api/v1/requests/{id}.
type status struct {
	created
	State        State                  `json:"state"`
	CreatedAt    time.Time              `json:"created_at"`
	Purpose      string                 `json:"purpose"`
	ResponseMode openid4vp.ResponseMode `json:"response_mode"`
	Query        *dcql.Query            `json:"dcql_query"`
	Refusal      openid4vp.Code         `json:"refusal,omitempty"`
	// Verdict is there when State is done: whole as long as it is held, then as it may be kept.
	Verdict   *paspoort.Verdict `json:"verdict,omitempty"`
	Discarded int               `json:"discarded"`
	// Contents tells whether what was disclosed is still held.
	Contents bool `json:"contents"`
	// Shown is what came, as long as it is held: to have it judged by someone else as well.
	Shown *shown `json:"shown,omitempty"`
}

func (v *Verifier) apiRoutes(p *mux.Router) {
	p.Handle("/openapi.yaml", web.Static("application/yaml", openAPI, time.Hour)).Methods(http.MethodGet, http.MethodHead)
	// Not a subrouter: gorilla/mux then answers 404 where 405 is due.
	admin := web.Bearer(v.config.AdminToken)
	p.Handle("/api/v1/requests", admin(http.HandlerFunc(v.postRequest))).Methods(http.MethodPost)
	p.Handle("/api/v1/requests/{id}", admin(http.HandlerFunc(v.getRequest))).Methods(http.MethodGet)
	p.Handle("/api/v1/requests/{id}", admin(http.HandlerFunc(v.deleteRequest))).Methods(http.MethodDelete)
}

// maxAsk bounds the body of a request that an administrator makes.
const maxAsk = 128 << 10

func (v *Verifier) postRequest(w http.ResponseWriter, r *http.Request) {
	var ask Ask
	err := web.ReadJSON(r, maxAsk, &ask)
	if err != nil {
		v.failAPI(w, err)
		return
	}
	made, err := v.create(ask)
	if err != nil {
		v.failAPI(w, err)
		return
	}
	w.Header().Set("Location", v.config.URL+"/api/v1/requests/"+made.ID)
	web.WriteJSON(w, http.StatusCreated, v.describe(made))
}

func (v *Verifier) describe(r *record) created {
	return created{ID: r.ID, Invocation: r.Invocation, Page: v.pageURL(r.ID), ExpiresAt: r.Expires.UTC().Truncate(time.Second)}
}

func (v *Verifier) getRequest(w http.ResponseWriter, r *http.Request) {
	found, err := v.find(mux.Vars(r)["id"])
	if err != nil {
		v.failAPI(w, err)
		return
	}
	s := status{
		created: v.describe(found), State: found.State, CreatedAt: found.Created.UTC().Truncate(time.Second), Purpose: found.Purpose,
		ResponseMode: found.ResponseMode, Query: found.Query, Refusal: found.Refusal, Discarded: found.Discarded,
	}
	if s.State == Done {
		s.Verdict = found.Verdict
		if held, ok := v.contents.get(found.ID, v.config.Clock()); ok {
			s.Verdict, s.Contents, s.Shown = &held.verdict, true, &held.shown
		}
	}
	web.WriteJSON(w, http.StatusOK, s)
}

func (v *Verifier) deleteRequest(w http.ResponseWriter, r *http.Request) {
	if err := v.forget(mux.Vars(r)["id"]); err != nil {
		v.failAPI(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (v *Verifier) failAPI(w http.ResponseWriter, err error) {
	if errors.Is(err, errNoRequest) {
		err = web.Errorf(http.StatusNotFound, "not_found", "there is no such request; it may have been forgotten")
	}
	if web.WriteFailure(w, err) {
		v.config.Log.Error("admin api failed", "error", err)
	}
}
