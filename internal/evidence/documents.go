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
	fetchTimeout  = 15 * time.Second // of one fetch, whatever the client allows
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
	doc, err := together(ctx, &d.group, url, func(ctx context.Context) document {
		doc := document{until: d.clock().Add(documentTTL)}
		doc.body, doc.contentType, doc.err = d.fetch.Get(ctx, url, accept...)
		if doc.err != nil {
			doc.until = d.clock().Add(negativeTTL)
		}
		d.cache.put(url, doc, len(doc.body)+len(url)+256)
		return doc
	})
	if err != nil {
		return nil, "", err
	}
	return doc.body, doc.contentType, doc.err
}

// together lets all who want one thing at a time wait for one fetch. It goes on when an
// asker leaves, because others wait for it too; fetchTimeout ends it.
func together[T any](ctx context.Context, group *singleflight.Group, key string, fetch func(context.Context) T) (got T, err error) {
	answer := group.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		return fetch(ctx), nil
	})
	select {
	case r := <-answer:
		return r.Val.(T), nil
	case <-ctx.Done():
		return got, ctx.Err()
	}
}
