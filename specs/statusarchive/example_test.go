package statusarchive_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"time"

	"paspoort.example/paspoort/specs/statusarchive"
)

// kept is an archive of one token.
type kept struct{}

func (kept) Lists(context.Context) ([]statusarchive.List, error) {
	return []statusarchive.List{{URI: "https://vaart.example/status/1", Organisation: "org_vaart", IssuedAt: time.Unix(1772452800, 0).UTC(), Days: 1}}, nil
}

func (kept) Token(context.Context, string, time.Time) (string, error) {
	return "header.payload.signature", nil
}

func (kept) Proof(context.Context, string, string) ([]string, error) {
	return nil, statusarchive.ErrNotHeld
}

// A verifier takes all lists at once, and tells nobody which one it looks at.
func Example() {
	srv := httptest.NewServer(&statusarchive.Server{Archive: kept{}})
	defer srv.Close()
	c := statusarchive.Client{HTTP: srv.Client(), URL: srv.URL}
	tokens, tag, err := c.Bundle(context.Background(), "")
	fmt.Println(tokens, err)
	_, _, err = c.Bundle(context.Background(), tag)
	fmt.Println(errors.Is(err, statusarchive.ErrUnchanged))
	// Output:
	// [header.payload.signature] <nil>
	// true
}
