package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// eventSize is how many bytes the events of the load have, about.
const eventSize = 1 << 10

// application is an event that needs nothing before it: a new organisation asks to be let in.
func application(genesis string, key *ecdsa.PrivateKey, now time.Time) (registry.SignedEvent, error) {
	id, err := registry.NewOrganisationID(rand.Reader)
	if err != nil {
		return registry.SignedEvent{}, err
	}
	pub, err := registry.NewPublicKey(key.Public())
	if err != nil {
		return registry.SignedEvent{}, err
	}
	body := &registry.Application{
		Aliases:  []registry.Alias{{Type: registry.AliasURL, Value: "https://" + id[4:] + ".example"}},
		Criteria: criteria, Key: pub, Name: "Machinefabriek Ossekamp", Organisation: id,
		Domains:  []string{strings.Repeat("metaal", 25)},
		Purposes: []string{"werving"}, Role: registry.Verifier,
	}
	return registry.Compose(registry.Draft{Genesis: genesis, Now: now}, registry.KindApplied, body,
		registry.Party{Name: registry.OrganisationParty(id), Key: key})
}

// compose makes n submissions as they are sent, by one key: making keys is not what is measured.
func compose(genesis string, n int) ([][]byte, error) {
	key, _, err := newKey()
	if err != nil {
		return nil, err
	}
	out := make([][]byte, n)
	for i := range out {
		e, err := application(genesis, key, time.Now())
		if err != nil {
			return nil, err
		}
		if out[i], err = (registry.Submission{Event: e}).Marshal(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// atOnce does op(0) to op(n-1), so many at once, and gives how long each took.
func atOnce(n, workers int, op func(i int) error) ([]time.Duration, error) {
	took, errs := make([]time.Duration, n), make([]error, workers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || errs[w] != nil {
					return
				}
				start := time.Now()
				errs[w] = op(i)
				took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	return took, errors.Join(errs...)
}

// submit sends a submission to a node and wants it in the log.
func (c *cluster) submit(ctx context.Context, i int, submission []byte) error {
	answer, err := fetch(ctx, c.http, c.nodes[i].url+"/v1/events", submission)
	if err == nil && !bytes.Contains(answer, []byte(`"index":`)) {
		err = fmt.Errorf("the event did not enter the log: %s", answer)
	}
	return err
}

// fetch gets, or posts JSON, and wants a good answer.
func fetch(ctx context.Context, client *http.Client, url string, body []byte) ([]byte, error) {
	method, content := http.MethodGet, io.Reader(http.NoBody)
	if body != nil {
		method, content = http.MethodPost, bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	if res.StatusCode/100 != 2 {
		return nil, fmt.Errorf("status %d: %.200s", res.StatusCode, answer)
	}
	return answer, nil
}
