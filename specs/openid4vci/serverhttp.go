package openid4vci

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxForm is the most bytes of a token request.
const maxForm = 64 << 10

// ServeHTTP answers the protocol's endpoints. All answers, errors too, are JSON
// (or JWT) and, but for metadata, carry Cache-Control: no-store. Wallets in a
// browser come from any origin: no cookie is ever read here, so all may.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", headerDPoPNonce+", "+headerWWWAuthenticate)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	target, ok := s.route(r.URL.Path)
	switch {
	case !ok:
		s.fail(w, r, &Error{Code: InvalidRequest, Description: "there is nothing at this address", Status: http.StatusNotFound})
	case r.Method == http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", target.method)
		h.Set("Access-Control-Allow-Headers", strings.Join([]string{"Authorization", "Content-Type", headerDPoP, headerAttestation, headerAttestationPoP}, ", "))
		w.WriteHeader(http.StatusNoContent)
	case r.Method != target.method && (r.Method != http.MethodHead || target.method != http.MethodGet):
		h.Set("Allow", target.method)
		s.fail(w, r, &Error{Code: InvalidRequest, Description: "use " + target.method, Status: http.StatusMethodNotAllowed})
	default:
		if err := target.serve(w, r); err != nil {
			s.fail(w, r, err)
		}
	}
}

func (s *Server) route(path string) (route, bool) {
	if id, ok := strings.CutPrefix(path, s.offers); ok && id != "" && !strings.Contains(id, "/") {
		return route{http.MethodGet, s.serveOffer}, true
	}
	target, ok := s.routes[path]
	return target, ok
}

// fail writes a protocol error (RFC 6749 5.2, RFC 6750 3, OpenID4VCI 8.3.1).
// Errors are never encrypted (8.3.1.2).
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var protocol *Error
	if !errors.As(err, &protocol) && s.config.Report != nil {
		s.config.Report(r.Context(), err)
	}
	e := AsError(err)
	if e.Scheme != "" || e.HTTPStatus() == http.StatusUnauthorized {
		w.Header().Set(headerWWWAuthenticate, challenge(e))
	}
	body := map[string]string{"error": string(e.Code)}
	if e.Description != "" {
		body["error_description"] = describe(e.Description)
	}
	writeJSON(w, e.HTTPStatus(), body)
}

// challenge builds the WWW-Authenticate value of RFC 6750 3. A request without any
// authentication gets no error code there: "the resource server SHOULD NOT include
// an error code or other error information".
func challenge(e *Error) string {
	scheme := e.Scheme
	if scheme == "" {
		scheme = tokenTypeBearer
	}
	if e == errNoToken {
		return scheme
	}
	value := scheme + ` error="` + string(e.Code) + `"`
	if e.Description != "" {
		value += `, error_description="` + describe(e.Description) + `"`
	}
	return value
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", mediaTypeJSON)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a wallet that went away is not our error
}

// mediaType is the type of the body without parameters, in lower case.
func mediaType(h http.Header) string {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

// readBody reads at most limit bytes; tooLong is the code for more than that.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, tooLong Code) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		return body, nil
	}
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return nil, &Error{Code: tooLong, Description: "the request is too long", Status: http.StatusRequestEntityTooLarge}
	}
	return nil, Refuse(tooLong, "the request could not be read")
}

// readForm reads the parameters from the body; those in the query do not count
// (RFC 6749 3.2: parameters are sent "in the HTTP request entity-body").
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if mediaType(r.Header) != mediaTypeForm {
		return nil, Refuse(InvalidRequest, "the content type must be "+mediaTypeForm)
	}
	body, err := readBody(w, r, maxForm, InvalidRequest)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, Refuse(InvalidRequest, "the parameters are malformed")
	}
	return form, nil
}
