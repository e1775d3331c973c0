package dev

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"paspoort.example/paspoort/internal/outbound"
)

// admin speaks the admin API of an issuer or a verifier, as an administrator's
// program would.
type admin struct {
	http       *outbound.Client
	url, token string
}

// do sends in as JSON (nothing when nil) and decodes the answer into out (unless
// nil). Any answer above 299 is an error with what the server said.
func (a admin) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, a.url+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode > 299 {
		return fmt.Errorf("%s %s: %d: %s", method, path, resp.StatusCode, bytes.TrimSpace(raw))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// administrator is who holds the admin token of a process.
func (w *World) administrator(process string) (admin, error) {
	token, err := w.token(process)
	return admin{w.HTTP, w.settings.url(process), token}, err
}
