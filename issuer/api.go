package issuer

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/paspoort"
)

//go:embed openapi.yaml
var openAPI []byte

// maxAPIBody is the most bytes of an API request; claims are a few kilobytes.
const maxAPIBody = 128 << 10

// api adds the administrator's API (openapi.yaml).
func (i *Issuer) api(site *web.Site) {
	site.Protocol.Handle("/openapi.yaml", web.Static("application/yaml", openAPI, time.Hour)).Methods(http.MethodGet, http.MethodHead)
	r := site.Protocol.PathPrefix("/api/v1").Subrouter()
	r.Use(mux.MiddlewareFunc(web.Bearer(i.c.AdminToken)))
	r.HandleFunc("/offers", i.answer(i.postOffer)).Methods(http.MethodPost)
	r.HandleFunc("/configurations", i.answer(i.getConfigurations)).Methods(http.MethodGet)
	r.HandleFunc("/configurations/{id}/sample", i.answer(i.getSample)).Methods(http.MethodGet)
	r.HandleFunc("/credentials", i.answer(i.getCredentials)).Methods(http.MethodGet)
	r.HandleFunc("/credentials/{id}", i.answer(i.getCredential)).Methods(http.MethodGet)
	r.HandleFunc("/credentials/{id}/{action:suspend|reinstate|revoke}", i.answer(i.postAction)).Methods(http.MethodPost)
}

// reply is an answer of the API before it is written.
type reply struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

// answer writes what a handler returns; errors that are ours are logged and not
// told.
func (i *Issuer) answer(handle func(*http.Request) (*reply, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out, err := handle(r)
		if err != nil {
			if web.WriteFailure(w, err) {
				i.c.Log.Error("an API request could not be answered", "error", err)
			}
			return
		}
		web.WriteJSON(w, out.Status, out.Body)
	}
}

func newReply(status int, v any) (*reply, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("issuer: encode answer: %w", err)
	}
	return &reply{status, bytes.TrimSpace(body.Bytes())}, nil
}

// postOffer makes an offer.
func (i *Issuer) postOffer(r *http.Request) (*reply, error) {
	body, err := jsonBody(r)
	if err != nil {
		return nil, err
	}
	var q offerRequest
	if err := ijson.UnmarshalClosed(body, &q); err != nil {
		return nil, web.Errorf(http.StatusBadRequest, "invalid_request",
			"send a JSON object with credential_configuration_id, claims and, if wanted, tx_code, and nothing else")
	}
	return i.once(r, body, func(tx kv.Tx) (*reply, error) {
		offer, err := i.createOffer(tx, q)
		if err != nil {
			return nil, err
		}
		return newReply(http.StatusCreated, offer)
	})
}

// postAction suspends, reinstates or revokes.
func (i *Issuer) postAction(r *http.Request) (*reply, error) {
	body, err := web.ReadBody(r, maxAPIBody)
	if err != nil {
		return nil, err
	}
	vars := mux.Vars(r)
	return i.once(r, body, func(tx kv.Tx) (*reply, error) {
		v, err := i.change(tx, vars["id"], action(vars["action"]))
		if err != nil {
			return nil, err
		}
		return newReply(http.StatusOK, v)
	})
}

// jsonBody reads a body that must be JSON.
func jsonBody(r *http.Request) ([]byte, error) {
	var raw json.RawMessage
	if err := web.ReadJSON(r, maxAPIBody, &raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// outcome is what an Idempotency-Key was answered with.
type outcome struct {
	Until   time.Time `json:"until"`
	Request []byte    `json:"request"` // MAC of method, path and body
	Sealed  []byte    `json:"sealed"`  // reply: it may hold a transaction code
}

const (
	idempotencyLifetime = 24 * time.Hour
	maxIdempotencyKey   = 255
)

// once does something in one transaction. With an Idempotency-Key header it is done
// once: who asks again with the same key and request gets the same answer, for a
// day. Refusals change nothing and are not remembered.
func (i *Issuer) once(r *http.Request, body []byte, do func(kv.Tx) (*reply, error)) (out *reply, err error) {
	name := r.Header.Get("Idempotency-Key")
	if len(name) > maxIdempotencyKey {
		return nil, web.Errorf(http.StatusBadRequest, "invalid_request", "Idempotency-Key has at most %d characters", maxIdempotencyKey)
	}
	// A MAC and no hash, of the name too: the body holds claims, the name may be made
	// from them, and whoever has the disk could try who it was.
	sum, err := i.vault.mac("request", fmt.Appendf(nil, "%s %s\n%s", r.Method, r.URL.Path, body))
	if err != nil {
		return nil, err
	}
	err = i.c.Store.Update(func(tx kv.Tx) error {
		if name != "" {
			if out, err = i.remembered(tx, name, sum); err != nil || out != nil {
				return err
			}
		}
		if out, err = do(tx); err != nil || name == "" {
			return err
		}
		return i.rememberOutcome(tx, name, sum, out)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (i *Issuer) remembered(tx kv.Tx, name string, request []byte) (*reply, error) {
	k, err := i.outcomeKey(name)
	if err != nil {
		return nil, err
	}
	var o outcome
	err = kv.GetJSON(tx, k, valueVersion, &o)
	if errors.Is(err, kv.ErrNotFound) || err == nil && !i.c.Clock().Before(o.Until) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(o.Request, request) {
		return nil, web.Errorf(http.StatusUnprocessableEntity, "idempotency_mismatch", "this Idempotency-Key was used for another request: take a new one")
	}
	plain, err := i.vault.open("outcome "+name, o.Sealed)
	if err != nil {
		return nil, err
	}
	out := &reply{}
	return out, json.Unmarshal(plain, out)
}

func (i *Issuer) outcomeKey(name string) ([]byte, error) {
	sum, err := i.vault.mac("outcome key", []byte(name))
	if err != nil {
		return nil, err
	}
	return hashKey(prefixOutcome, [32]byte(sum)), nil
}

func (i *Issuer) rememberOutcome(tx kv.Tx, name string, request []byte, out *reply) error {
	plain, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("issuer: encode outcome: %w", err)
	}
	sealed, err := i.vault.seal("outcome "+name, plain)
	if err != nil {
		return err
	}
	k, err := i.outcomeKey(name)
	if err != nil {
		return err
	}
	return kv.PutJSON(tx, k, valueVersion,
		outcome{Until: i.c.Clock().Add(idempotencyLifetime).UTC(), Request: request, Sealed: sealed})
}

// configurationView is a configuration as the API shows it.
type configurationView struct {
	ID     string         `json:"id"`
	Type   paspoort.Type  `json:"type"`
	Format string         `json:"format"`
	Name   paspoort.Text  `json:"name"`
	Schema map[string]any `json:"claims_schema"`
}

func (i *Issuer) getConfigurations(*http.Request) (*reply, error) {
	views := []configurationView{}
	for _, id := range i.configurations() {
		t, f, err := paspoort.ParseConfigurationID(id)
		if err != nil {
			return nil, err
		}
		raw, err := paspoort.ClaimsSchema(t)
		if err != nil {
			return nil, err
		}
		v := configurationView{ID: id, Type: t, Format: string(f), Name: t.Name()}
		if err := json.Unmarshal(raw, &v.Schema); err != nil {
			return nil, fmt.Errorf("issuer: schema of %s: %w", id, err)
		}
		views = append(views, v)
	}
	return newReply(http.StatusOK, map[string]any{"configurations": views})
}

// getSample answers with complete, valid and invented claims, as an offer takes them.
func (i *Issuer) getSample(r *http.Request) (*reply, error) {
	id := mux.Vars(r)["id"]
	if _, ok := i.server.Metadata().Configurations[id]; !ok {
		return nil, web.Errorf(http.StatusNotFound, codeNotFound, "there is no such configuration; see /api/v1/configurations")
	}
	t, _, err := paspoort.ParseConfigurationID(id)
	if err != nil {
		return nil, err
	}
	raw, err := paspoort.Sample(t)
	if err != nil {
		return nil, err
	}
	return &reply{http.StatusOK, raw}, nil
}

func (i *Issuer) getCredentials(r *http.Request) (*reply, error) {
	q, limit := r.URL.Query(), defaultPage
	if raw := q.Get("limit"); raw != "" {
		n, err := strconv.Atoi(raw)
		if err != nil || n < 1 || n > maxPage {
			return nil, web.Errorf(http.StatusBadRequest, "invalid_request", "limit is a number from 1 to %d", maxPage)
		}
		limit = n
	}
	state := State(q.Get("state"))
	if _, ok := wrongState[state]; !ok && state != "" {
		return nil, web.Errorf(http.StatusBadRequest, "invalid_request", "state is offered, valid, suspended, revoked, expired or closed")
	}
	page, err := i.credentials(q.Get("after"), state, limit)
	if err != nil {
		return nil, err
	}
	return newReply(http.StatusOK, page)
}

func (i *Issuer) getCredential(r *http.Request) (*reply, error) {
	var found *record
	err := i.c.Store.View(func(tx kv.Tx) (err error) {
		found, err = getRecord(tx, mux.Vars(r)["id"])
		return err
	})
	if errors.Is(err, kv.ErrNotFound) || errors.Is(err, kv.ErrKey) {
		return nil, web.Errorf(http.StatusNotFound, codeNotFound, "there is no credential with this id; see /api/v1/credentials")
	}
	if err != nil {
		return nil, err
	}
	return newReply(http.StatusOK, i.view(found))
}
