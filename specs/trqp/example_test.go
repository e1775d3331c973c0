package trqp_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"paspoort.example/paspoort/specs/trqp"
)

// register admitted one organisation, on the first of March.
type register struct{}

func (register) Authorized(_ context.Context, q trqp.Query) (trqp.Answer, error) {
	since := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if q.Entity != "https://vaart.example" {
		return trqp.Answer{}, trqp.NotKnown("no organisation with this address is known")
	}
	return trqp.Answer{Yes: !q.Time.Before(since), Message: "admitted since 2026-03-01"}, nil
}

func (register) Recognized(context.Context, trqp.Query) (trqp.Answer, error) {
	return trqp.Answer{}, trqp.NotKnown("no other region is known")
}

func Example() {
	srv := httptest.NewServer(&trqp.Server{Registry: register{}, Clock: time.Now})
	defer srv.Close()
	c := trqp.Client{HTTP: srv.Client(), Endpoint: srv.URL}
	for _, signed := range []string{"2026-02-20", "2026-03-20"} {
		at, err := time.Parse(time.DateOnly, signed)
		if err != nil {
			panic(err)
		}
		a, err := c.Authorization(context.Background(), trqp.Query{Entity: "https://vaart.example", Authority: "https://regio.example",
			Action: "issue", Resource: "urn:paspoort:opleiding:1", Time: at})
		fmt.Println(signed, a.Yes, err)
	}
	// Output:
	// 2026-02-20 false <nil>
	// 2026-03-20 true <nil>
}
