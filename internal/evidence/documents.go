package evidence

import (
	"context"
	"time"

	"golang.org/x/sync/singleflight"

	"paspoort.example/paspoort/specs/did"
)

const (
	documentTTL   = 5 * time.Minute  // how long a fetched key document is used
	negativeTTL   = 15 * time.Second // how long a failure to fetch is remembered
	documentCache = 16 << 20         // bytes of documents
)

// documents is a did.Fetcher that remembers: DID documents and issuer metadata for a few
// minutes, failures for a few seconds, so that one dead issuer does not delay every
// credential of an answer. Many who ask for one address at a time cause one fetch.
type documents struct {
	fetch did.Fetcher // nil: nothing can be fetched
	clock func() time.Time
	cache *cache[document]
	group singleflight.Group
}

type document struct {
	body        []byte
	contentType string
	err         error
	until       time.Time
}

func newDocuments(fetch did.Fetcher, clock func() time.Time) *documents {
	return &documents{fetch: fetch, clock: clock, cache: newCache[document](documentCache)}
}

// Get implements did.Fetcher. Without a way to fetch it fails with [ErrOffline].
func (d *documents) Get(ctx context.Context, url string, accept ...string) ([]byte, string, error) {
	if doc, ok := d.cache.get(url); ok && d.clock().Before(doc.until) {
		return doc.body, doc.contentType, doc.err
	}
	if d.fetch == nil {
		return nil, "", ErrOffline
	}
	got, _, _ := d.group.Do(url, func() (any, error) {
		doc := document{until: d.clock().Add(documentTTL)}
		doc.body, doc.contentType, doc.err = d.fetch.Get(ctx, url, accept...)
		if doc.err != nil {
			doc.until = d.clock().Add(negativeTTL)
		}
		if ctx.Err() == nil { // an asker who left says nothing about the address
			d.cache.put(url, doc, len(doc.body)+len(url)+256)
		}
		return doc, nil
	})
	doc := got.(document)
	return doc.body, doc.contentType, doc.err
}
