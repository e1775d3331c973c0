package issuer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/statuslist"
)

// documentAge is how long clients may keep keys and type metadata.
const documentAge = 10 * time.Minute

// maxProtocolBody lets the protocol judge the length of its requests itself, with
// its own error codes.
const maxProtocolBody = 1 << 20

// routes puts everything together.
func (i *Issuer) routes() (http.Handler, error) {
	site := web.New(web.Options{Role: "issuer", Log: i.c.Log, Clock: i.c.Clock, MaxBody: maxProtocolBody, Ready: i.ready})
	i.api(site)
	if err := i.documents(site); err != nil {
		return nil, err
	}
	if err := i.federate(site); err != nil {
		return nil, err
	}
	i.status(site)
	i.custodyRoutes(site)
	for _, path := range []string{
		"/.well-known/openid-credential-issuer", "/.well-known/oauth-authorization-server",
		"/token", "/nonce", "/credential", "/notification", "/credential-offer/{offer}",
	} {
		site.Protocol.Handle(path, i.server)
	}
	if err := i.pages(site); err != nil {
		return nil, err
	}
	return site.Handler(), nil
}

// ready: status lists are published on schedule, and what surrounds us is ready.
func (i *Issuer) ready(ctx context.Context) error {
	lists := *i.published.Load()
	if len(lists) == 0 {
		return errors.New("the first status list is not published yet")
	}
	for _, p := range lists {
		if i.c.Clock().Sub(p.At) > 3*i.c.PublishEvery {
			return errors.New("the status lists are behind their schedule: see the log")
		}
	}
	if i.c.Ready != nil {
		return i.c.Ready(ctx)
	}
	return nil
}

// documents serves what never changes while we run: keys, DID and types.
func (i *Issuer) documents(site *web.Site) error {
	documents := map[string]any{}
	credential := jose.Key{Public: i.c.CredentialKey.Public(), KeyID: i.credentialKeyID, Algorithm: string(jose.ES256), Use: "sig", X5C: rawChain(i.c.CredentialChain)}
	status := jose.Key{Public: i.c.StatusKey.Public(), KeyID: i.statusKeyID, Algorithm: string(jose.ES256), Use: "sig", X5C: rawChain(i.c.StatusChain)}
	document, err := did.NewDocument(i.did, i.c.URL, jose.Key{Public: credential.Public}, jose.Key{Public: status.Public})
	if err != nil {
		return fmt.Errorf("issuer: DID document: %w", err)
	}
	documents["/.well-known/did.json"] = document
	documents["/jwks"] = jose.KeySet{Keys: []jose.Key{credential, status}}
	// SD-JWT VC, JWT VC Issuer Metadata: issuer and exactly one of jwks and jwks_uri.
	documents["/.well-known/jwt-vc-issuer"] = map[string]any{"issuer": i.c.URL, "jwks": jose.KeySet{Keys: []jose.Key{credential}}}
	for _, t := range i.c.Types {
		raw, err := paspoort.TypeMetadata(t)
		if err != nil {
			return fmt.Errorf("issuer: type metadata: %w", err)
		}
		documents["/v1/types/"+t.Slug()+"/1"] = json.RawMessage(raw)
	}
	for path, v := range documents {
		body, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("issuer: encode %s: %w", path, err)
		}
		if raw, ok := v.(json.RawMessage); ok {
			body = raw // byte for byte: integrity hashes are over these bytes
		}
		site.Protocol.Handle(path, web.CORS(web.Static("application/json", body, documentAge))).
			Methods(http.MethodGet, http.MethodHead, http.MethodOptions)
	}
	return nil
}

// status serves the status lists. They need no authentication and set no cookie, so
// that nobody learns who asks (Token Status List 13).
func (i *Issuer) status(site *web.Site) {
	get := []string{http.MethodGet, http.MethodHead, http.MethodOptions}
	site.Protocol.Handle("/status", web.CORS(http.HandlerFunc(i.serveAggregation))).Methods(get...)
	site.Protocol.Handle("/status/{list:[0-9]+}", web.CORS(http.HandlerFunc(i.serveStatus))).Methods(get...)
}

// serveStatus answers with the token that was published last. Caches keep it until
// the next publication, not longer.
func (i *Issuer) serveStatus(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("time") {
		// Token Status List 8.4: a server that keeps no history answers 501.
		web.WriteError(w, http.StatusNotImplemented, "invalid_request", "this issuer keeps no history; the nodes of the region do")
		return
	}
	number, err := strconv.Atoi(mux.Vars(r)["list"])
	p, ok := (*i.published.Load())[number]
	if err != nil || !ok {
		web.WriteError(w, http.StatusNotFound, codeNotFound, "there is no such status list")
		return
	}
	left := min(max(p.At.Add(i.c.PublishEvery).Sub(i.c.Clock()), 0), i.c.PublishEvery)
	h := w.Header()
	h.Set("Content-Type", statuslist.MediaType)
	h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(left.Seconds())))
	h.Set("ETag", p.ETag)
	http.ServeContent(w, r, "", p.At, bytes.NewReader([]byte(p.Token)))
}

// serveAggregation lists all lists (Token Status List 9).
func (i *Issuer) serveAggregation(w http.ResponseWriter, _ *http.Request) {
	uris := []string{}
	for _, number := range i.lists() {
		uris = append(uris, i.statusURI(number))
	}
	w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(i.c.PublishEvery.Seconds())))
	web.WriteJSON(w, http.StatusOK, statuslist.Aggregation{StatusLists: uris})
}
