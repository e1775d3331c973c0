package wallet

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/openid4vp"
)

// People paste what they were sent, and that is often the address of the page with the
// QR code on it. A page of ours answers a program with the text of that code. Nothing
// is believed because a page says it: who asks is shown by the request itself.

func isWebAddress(text string) bool {
	u, err := url.Parse(strings.TrimSpace(text))
	return err == nil && u.Host != "" && (strings.EqualFold(u.Scheme, "https") || strings.EqualFold(u.Scheme, "http"))
}

// pageAnswer is what the page of a request answers a program.
type pageAnswer struct {
	Invocation  string `json:"invocation"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// fromPage asks the page of a request for its invocation. A page that has none is
// ErrInvocation; one that says why is a *openid4vp.RefusedError.
func (w *Wallet) fromPage(ctx context.Context, at string) (*openid4vp.Invocation, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSpace(at), nil)
	if err != nil {
		return nil, openid4vp.ErrInvocation // the cause repeats the address, which is a secret
	}
	r.Header.Set("Accept", "application/json")
	resp, err := w.c.HTTP.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", openid4vp.ErrFetch, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, openid4vp.MaxInvocationSize+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", openid4vp.ErrFetch, err)
	}
	var answer pageAnswer
	contentType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if contentType != "application/json" || len(body) > openid4vp.MaxInvocationSize || ijson.Unmarshal(body, &answer) != nil {
		answer = pageAnswer{}
	}
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil, &openid4vp.RefusedError{Status: resp.StatusCode, Code: openid4vp.Code(answer.Error), Description: answer.Description}
	case answer.Invocation == "":
		return nil, fmt.Errorf("%w: the page has no request on it", openid4vp.ErrInvocation)
	}
	return openid4vp.ParseInvocation(answer.Invocation)
}
