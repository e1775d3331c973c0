package openid4vci

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
)

// maxErrorBody is the most bytes of an error answer that are read.
const maxErrorBody = 64 << 10

// reply is an answer with its body read.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// get fetches a JSON document.
func (c *Client) get(ctx context.Context, at string, limit int64) ([]byte, error) {
	if err := c.checkURL(at); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("Accept", mediaTypeJSON)
	if len(c.Languages) > 0 {
		r.Header.Set("Accept-Language", strings.Join(c.Languages, ", "))
	}
	answer, err := c.send(r, limit)
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK {
		return nil, &StatusError{Status: answer.status}
	}
	// 4.1.3 and 12.2.2: the media type is application/json.
	if t := mediaType(answer.header); t != mediaTypeJSON {
		return nil, fmt.Errorf("%w: the content type is not application/json", ErrResponse)
	}
	return answer.body, nil
}

// send sends r and reads at most limit bytes; more is an error.
func (c *Client) send(r *http.Request, limit int64) (*reply, error) {
	response, err := c.HTTP.Do(r)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", r.URL.Host, scrub(err))
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", r.URL.Host, err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrResponse, limit)
	}
	return &reply{status: response.StatusCode, header: response.Header, body: body}, nil
}

// scrub drops the URL that net/http puts in its errors: the one of an offer is a
// secret.
func scrub(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// post sends a request of the protocol with the headers it needs. A DPoP nonce
// that the server asks for is used in one retry (RFC 9449 8 and 9).
func (s *Session) post(ctx context.Context, at, contentType string, body []byte, accessToken *Token, limit int64) (*reply, error) {
	for attempt := 0; ; attempt++ {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("openid4vci: make request: %w", err)
		}
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		r.Header.Set("Accept", mediaTypeJSON+", "+mediaTypeJWT)
		if err := s.authorize(r, accessToken); err != nil {
			return nil, err
		}
		answer, err := s.client.send(r, limit)
		if err != nil {
			return nil, fmt.Errorf("openid4vci: %w", err)
		}
		fresh := answer.header.Get(headerDPoPNonce)
		if fresh != "" && len(fresh) <= maxIdentifier {
			s.dpopNonces[r.URL.Host] = fresh
		}
		err = answer.failure()
		if errors.Is(err, UseDPoPNonce) && fresh != "" && attempt == 0 {
			continue
		}
		return answer, err
	}
}

// failure turns an answer that is no success into an *Error.
func (a *reply) failure() error {
	if a.status >= 200 && a.status < 300 {
		return nil
	}
	if len(a.body) > maxErrorBody {
		return &StatusError{Status: a.status}
	}
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if mediaType(a.header) == mediaTypeJSON && ijson.Unmarshal(a.body, &body) == nil && body.Error != "" {
		return &Error{Code: Code(describe(body.Error)), Description: describe(body.Description), Status: a.status}
	}
	// RFC 9449 7.1 and RFC 6750 3: a protected resource may say it in the header only.
	if code := challengeError(a.header.Get(headerWWWAuthenticate)); code != "" {
		return &Error{Code: code, Status: a.status}
	}
	return &StatusError{Status: a.status}
}

// StatusError is an answer with an HTTP status that is no success, and without an error
// of the protocol in it. It is an ErrResponse.
type StatusError struct{ Status int }

func (e *StatusError) Error() string { return fmt.Sprintf("%v: HTTP status %d", ErrResponse, e.Status) }

// Unwrap makes it an ErrResponse.
func (e *StatusError) Unwrap() error { return ErrResponse }

// challengeError finds error="..." in a WWW-Authenticate value.
func challengeError(value string) Code {
	_, rest, found := strings.Cut(value, `error="`)
	code, _, closed := strings.Cut(rest, `"`)
	if !found || !closed {
		return ""
	}
	return Code(describe(code))
}

// postJSON sends v and returns the answer.
func (s *Session) postJSON(ctx context.Context, at string, v any, t *Token, limit int64) (*reply, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("openid4vci: encode request: %w", err)
	}
	return s.post(ctx, at, mediaTypeJSON, body, t, limit)
}
