package openid4vp

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// Handler serves the request and response endpoints, at /request/{id} and /response/{id} under where it is mounted (strip
// the prefix first). Every refusal is JSON with error and error_description and is not to be cached.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/request/{id}", s.serveRequest)
	mux.HandleFunc("/response/{id}", s.serveResponse)
	return mux
}

type httpError struct {
	status int
	*Error
}

func refuse(status int, code Code, format string, args ...any) *httpError {
	return &httpError{status, fail(code, format, args...)}
}

// serveRequest is the Request URI endpoint, GET (RFC 9101) and POST (section 5.10).
func (s *Server) serveRequest(w http.ResponseWriter, r *http.Request) {
	object, err := s.request(w, r)
	if err != nil {
		s.fail(w, "request", err)
		return
	}
	w.Header().Set("Content-Type", "application/"+RequestObjectType)
	w.Header().Set("Cache-Control", "no-store")
	s.config.Observe("request", http.StatusOK, "", nil)
	_, _ = io.WriteString(w, object)
}

func (s *Server) request(w http.ResponseWriter, r *http.Request) (string, *httpError) {
	walletNonce := ""
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		form, err := readForm(w, r, MaxInvocationSize)
		if err != nil {
			return "", err
		}
		if walletNonce = form.Get("wallet_nonce"); len(walletNonce) > maxParameter {
			return "", refuse(http.StatusBadRequest, InvalidRequest, "wallet_nonce is longer than %d bytes", maxParameter)
		}
		if raw := form.Get("wallet_metadata"); raw != "" {
			// Nothing in it changes what is asked; it is checked because a wallet that sends nonsense should hear so.
			var metadata map[string]any
			if ijson.Unmarshal([]byte(raw), &metadata) != nil {
				return "", refuse(http.StatusBadRequest, InvalidRequest, "wallet_metadata is not a JSON object")
			}
		}
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		return "", refuse(http.StatusMethodNotAllowed, InvalidRequest, "use GET or POST")
	}
	t, err := s.transaction(r, InvalidRequestURI)
	if err != nil {
		return "", err
	}
	object, signErr := s.object(t, walletNonce)
	if signErr != nil {
		return "", refuse(http.StatusInternalServerError, ServerError, "the request cannot be signed: %w", signErr)
	}
	return object, nil
}

// transaction finds the open transaction of this path.
func (s *Server) transaction(r *http.Request, code Code) (*Transaction, *httpError) {
	t, err := s.config.Backend.Transaction(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, ErrUnknownTransaction):
		return nil, refuse(http.StatusNotFound, code, "this request is unknown or has expired: ask for a new one")
	case err != nil:
		return nil, refuse(http.StatusInternalServerError, ServerError, "the request cannot be read: %w", err)
	case t.Answered:
		return nil, refuse(http.StatusBadRequest, code, "this request was already answered: ask for a new one")
	case !s.config.Now().Before(t.Expires):
		return nil, refuse(http.StatusNotFound, code, "this request is unknown or has expired: ask for a new one")
	}
	return t, nil
}

// serveResponse is the Response URI (section 8.2).
func (s *Server) serveResponse(w http.ResponseWriter, r *http.Request) {
	redirect, err := s.response(w, r)
	if err != nil {
		s.fail(w, "response", err)
		return
	}
	// "it MUST respond with an HTTP status code of 200 with Content-Type of application/json and a JSON object"
	answer := map[string]string{}
	if redirect != "" {
		answer["redirect_uri"] = redirect
	}
	s.config.Observe("response", http.StatusOK, "", nil)
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) response(w http.ResponseWriter, r *http.Request) (string, *httpError) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		return "", refuse(http.StatusMethodNotAllowed, InvalidRequest, "use POST")
	}
	form, err := readForm(w, r, MaxResponseSize)
	if err != nil {
		return "", err
	}
	t, err := s.transaction(r, InvalidRequest)
	if err != nil {
		return "", err
	}
	answer, err := t.open(form)
	if err != nil {
		return "", err
	}
	if t.Request.State != "" && subtle.ConstantTimeCompare([]byte(answer.state), []byte(t.Request.State)) != 1 {
		return "", refuse(http.StatusBadRequest, InvalidRequest, "state is not that of the request")
	}
	var redirect string
	var backendErr error
	if answer.refusal != nil {
		redirect, backendErr = s.config.Backend.Refusal(r.Context(), t, answer.refusal)
	} else {
		if err := t.check(answer.token); err != nil {
			return "", err
		}
		redirect, backendErr = s.config.Backend.Answer(r.Context(), t, answer.token)
	}
	return redirect, translate(backendErr)
}

func translate(err error) *httpError {
	var protocol *Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrAnswered):
		return refuse(http.StatusBadRequest, InvalidRequest, "this request was already answered: ask for a new one")
	case errors.Is(err, ErrUnknownTransaction):
		return refuse(http.StatusNotFound, InvalidRequest, "this request is unknown or has expired: ask for a new one")
	case errors.As(err, &protocol):
		return &httpError{http.StatusBadRequest, protocol}
	}
	return refuse(http.StatusInternalServerError, ServerError, "the answer cannot be kept: %w", err)
}

// opened is an Authorization Response, decrypted where it has to be.
type opened struct {
	state   string
	token   VPToken
	refusal *Error
}

// open reads the parameters of the response: those of the form, or those inside the JWE.
func (t *Transaction) open(form url.Values) (opened, *httpError) {
	encrypted := t.Request.ResponseMode.Encrypted()
	if form.Has("response") {
		if !encrypted {
			return opened{}, refuse(http.StatusBadRequest, InvalidRequest, "response_mode is direct_post: send vp_token, not response")
		}
		return t.decrypt(form.Get("response"))
	}
	// Section 8.3.1: "If a Wallet is unable to generate an encrypted response, it MAY send an error response without
	// encryption". A vp_token in the clear is not accepted where encryption was asked.
	if encrypted && form.Has("vp_token") {
		return opened{}, refuse(http.StatusBadRequest, InvalidRequest, "response_mode is direct_post.jwt: the answer must be encrypted")
	}
	return read(form.Get("state"), form.Get("error"), form.Get("error_description"), func() (VPToken, error) {
		if !form.Has("vp_token") {
			return nil, fail(InvalidRequest, "neither vp_token nor error was sent")
		}
		return ParseVPToken([]byte(form.Get("vp_token")))
	})
}

func (t *Transaction) decrypt(jwe string) (opened, *httpError) {
	key, err := jose.ParsePrivate(t.DecryptionKey)
	if err != nil {
		return opened{}, refuse(http.StatusInternalServerError, ServerError, "the key of the request cannot be read: %w", err)
	}
	keyID := t.Request.Metadata.Keys[0].KeyID
	plain, header, err := jose.Decrypt(jwe, key, keyID, t.Request.Metadata.EncryptionMethods...)
	if err != nil {
		return opened{}, refuse(http.StatusBadRequest, InvalidRequest, "response cannot be decrypted: use the key and the methods in client_metadata")
	}
	// Section 8.3: "the JWE MUST include the same value in the kid".
	if header.KeyID != keyID {
		return opened{}, refuse(http.StatusBadRequest, InvalidRequest, "response has no kid of the key in client_metadata")
	}
	var payload map[string]any
	if ijson.Unmarshal(plain, &payload) != nil {
		return opened{}, refuse(http.StatusBadRequest, InvalidRequest, "the decrypted response is not a JSON object")
	}
	text := func(name string) string { s, _ := payload[name].(string); return s }
	return read(text("state"), text("error"), text("error_description"), func() (VPToken, error) {
		token, ok := payload["vp_token"].(map[string]any)
		if !ok {
			return nil, fail(InvalidRequest, "vp_token is not a JSON object inside the response")
		}
		return readVPToken(token)
	})
}

func read(state, code, description string, token func() (VPToken, error)) (opened, *httpError) {
	o := opened{state: state}
	if code != "" {
		o.refusal = &Error{Code: Code(code), Description: description}
		if !o.refusal.Code.Known() {
			o.refusal = &Error{Code: InvalidRequest, Description: "the wallet sent an unknown error code"}
		}
		return o, nil
	}
	var err error
	if o.token, err = token(); err != nil {
		return o, translate(err)
	}
	return o, nil
}

// check is what makes a response acceptable before its presentations are judged: section 8.6 step 1, and nonce and audience
// of each ("If any Verifiable Presentation in the response does not contain the correct nonce value, the response MUST be
// rejected").
func (t *Transaction) check(token VPToken) *httpError {
	if err := t.Request.Query.CheckShape(token.Counts()); err != nil {
		return refuse(http.StatusBadRequest, InvalidRequest, "%w", err)
	}
	for id, presentations := range token {
		query := t.Request.Query.Credential(id)
		for _, presentation := range presentations {
			if err := checkBinding(query, presentation, &t.Request); err != nil {
				return refuse(http.StatusBadRequest, InvalidRequest, "%w", err)
			}
		}
	}
	return nil
}

// readForm reads a bounded form in which every parameter occurs once.
func readForm(w http.ResponseWriter, r *http.Request, limit int64) (url.Values, *httpError) {
	if contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); contentType != formType {
		return nil, refuse(http.StatusUnsupportedMediaType, InvalidRequest, "send %s", formType)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, InvalidRequest, "the body is larger than %d bytes", limit)
	case err != nil:
		return nil, refuse(http.StatusBadRequest, InvalidRequest, "the body cannot be read")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, InvalidRequest, "the body is not a form")
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, refuse(http.StatusBadRequest, InvalidRequest, "the parameter %.40s occurs twice", name)
		}
	}
	return form, nil
}

func (s *Server) fail(w http.ResponseWriter, endpoint string, err *httpError) {
	description, cause := err.Description, error(nil)
	if err.status >= http.StatusInternalServerError {
		description, _, _ = strings.Cut(description, ":") // the cause is for the log of the role, not for the wallet
		cause = err.cause
	}
	s.config.Observe(endpoint, err.status, err.Code, cause)
	writeJSON(w, err.status, map[string]string{"error": string(err.Code), "error_description": description})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}
