package trqp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Client asks one endpoint.
type Client struct {
	HTTP     Doer
	Endpoint string // of the registry, without the name of the question
}

// Doer sends requests; *http.Client and internal/outbound do.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Authorization asks whether an authority authorises an entity. A refusal is a [*Problem]; an
// answer that is none, or to another question, wraps [ErrMessage].
func (c Client) Authorization(ctx context.Context, q Query) (Answer, error) {
	return c.ask(ctx, authorization, q)
}

// Recognition asks whether an authority recognises another; errors as in Authorization.
func (c Client) Recognition(ctx context.Context, q Query) (Answer, error) {
	return c.ask(ctx, recognition, q)
}

func (c Client) ask(ctx context.Context, k kind, q Query) (Answer, error) {
	body, err := q.Marshal()
	if err != nil {
		return Answer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.Endpoint, "/")+"/"+string(k), bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("trqp: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.HTTP.Do(r)
	if err != nil {
		return Answer{}, fmt.Errorf("trqp: asking %s: %w", k, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, MaxBytes+1))
	if err != nil {
		return Answer{}, fmt.Errorf("trqp: asking %s: %w", k, err)
	}
	if resp.StatusCode != http.StatusOK {
		return Answer{}, problemOf(resp.StatusCode, raw)
	}
	a, err := parseAnswer(raw, k)
	if err != nil {
		return Answer{}, err
	}
	if a.Entity != q.Entity || a.Authority != q.Authority || a.Action != q.Action || a.Resource != q.Resource || !a.Time.Equal(q.Time) {
		return Answer{}, fmt.Errorf("%w: the answer is to another question", ErrMessage)
	}
	return a, nil
}

func problemOf(status int, raw []byte) *Problem {
	p := &Problem{Status: status, Title: http.StatusText(status)}
	var said struct{ Title, Detail string }
	if len(raw) <= MaxBytes && json.Unmarshal(raw, &said) == nil {
		if said.Title != "" {
			p.Title = said.Title
		}
		p.Detail = said.Detail
	}
	return p
}
