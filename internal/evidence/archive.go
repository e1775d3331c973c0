package evidence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/statusarchive"
	"paspoort.example/paspoort/specs/statuslist"
)

// StatusArchive has status list tokens from somebody else than their issuer. The error wraps
// [ErrNoStatus] when it has none.
type StatusArchive interface {
	StatusToken(ctx context.Context, uri string) (*StatusToken, error)
}

// BundlesConfig says whose bundles are taken.
type BundlesConfig struct {
	HTTP statusarchive.Doer
	// Regions are the archives of each region's nodes, one's own region first. It is asked each
	// time, because nodes come and go.
	Regions func() [][]string
	// Copies tell whose status certificates are recorded: a token of anybody else is left alone.
	Copies func() []Copy
	Every  time.Duration // between two bundles of a region; 0 means 30 minutes
	Clock  func() time.Time
	Log    *slog.Logger
}

// Bundles is a [StatusArchive] that takes the newest tokens of all lists of a region at once
// from its nodes. No issuer learns that somebody looks, and the nodes do not learn at whose
// list. Safe for use from many goroutines.
type Bundles struct {
	config BundlesConfig
	group  singleflight.Group

	mu      sync.Mutex
	regions []bundle // as Regions gave them
	next    time.Time
	turn    int // which node is asked first
}

// bundle is what a region's nodes gave.
type bundle struct {
	url, tag string           // of the node that gave it
	tokens   map[string]given // by the list's address
}

// given is a token that a recorded status certificate signed.
type given struct {
	compact      string
	issued       time.Time
	organisation string // whose certificate it is
}

// NewBundles starts nothing: see [Bundles.Run].
func NewBundles(c BundlesConfig) (*Bundles, error) {
	if c.HTTP == nil || c.Regions == nil || c.Copies == nil {
		return nil, errors.New("evidence: status bundles of which nodes, and by which registry?")
	}
	if c.Every <= 0 {
		c.Every = 30 * time.Minute
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Bundles{config: c}, nil
}

// bundlePause is between tries when a region's nodes gave nothing.
const bundlePause = 30 * time.Second

// Run takes bundles on schedule until ctx ends, so that when a node is asked does not tell when
// somebody is checked.
func (b *Bundles) Run(ctx context.Context) error {
	for {
		b.refresh(ctx)
		b.mu.Lock()
		wait := b.next.Sub(b.config.Clock())
		b.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(wait, time.Second)):
		}
	}
}

// StatusToken implements [StatusArchive]. Only before the first bundle it waits for one.
func (b *Bundles) StatusToken(ctx context.Context, uri string) (*StatusToken, error) {
	b.mu.Lock()
	due := !b.config.Clock().Before(b.next)
	b.mu.Unlock()
	if due {
		if _, err := together(ctx, &b.group, "", func(ctx context.Context) struct{} { b.refresh(ctx); return struct{}{} }); err != nil {
			b.config.Log.Debug("no status bundle in time", "error", err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, region := range b.regions {
		if token, ok := region.tokens[uri]; ok {
			return ParseStatusToken(token.compact, StatusLimits)
		}
	}
	return nil, ErrNoStatus
}

// refresh takes what is new of every region. What a region's nodes gave before stays when none
// of them answers.
func (b *Bundles) refresh(ctx context.Context) {
	regions := b.config.Regions()
	b.mu.Lock()
	old, turn := b.regions, b.turn
	b.turn++
	b.mu.Unlock()
	wait := b.config.Every
	next := make([]bundle, len(regions))
	for i, nodes := range regions {
		before := keptOf(old, nodes)
		got, err := b.of(ctx, nodes, turn, before)
		if err != nil {
			b.config.Log.Warn("no node gave its status lists", "nodes", nodes, "error", err)
			got, wait = before, min(wait, bundlePause)
		}
		next[i] = got
	}
	if ctx.Err() != nil && len(old) > 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.regions, b.next = next, b.config.Clock().Add(wait)
}

// keptOf is what one of these nodes gave before.
func keptOf(old []bundle, nodes []string) bundle {
	for _, b := range old {
		for _, url := range nodes {
			if b.url == url {
				return b
			}
		}
	}
	return bundle{}
}

// of asks the nodes of one region, each time another one first.
func (b *Bundles) of(ctx context.Context, nodes []string, turn int, before bundle) (got bundle, err error) {
	err = ErrNoStatus
	for i := range nodes {
		url := nodes[(i+turn)%len(nodes)]
		tag := ""
		if url == before.url {
			tag = before.tag
		}
		var tokens []string
		tokens, tag, err = statusarchive.Client{HTTP: b.config.HTTP, URL: url}.Bundle(ctx, tag)
		switch {
		case errors.Is(err, statusarchive.ErrUnchanged):
			return before, nil
		case err == nil:
			return bundle{url, tag, b.newest(b.known(ctx, tokens), before.tokens)}, nil
		}
	}
	return before, err
}

// known are the tokens that a recorded status certificate signed. Whether it may sign for the
// issuer in question is judged at each verdict; this keeps anybody else's tokens from standing
// in the way.
func (b *Bundles) known(ctx context.Context, tokens []string) map[string]given {
	out, now := map[string]given{}, b.config.Clock()
	var read []*StatusToken
	for _, compact := range tokens {
		token, err := ParseStatusToken(compact, StatusLimits)
		if err == nil {
			err = token.CheckTime(now)
		}
		if err != nil && !errors.Is(err, statuslist.ErrExpired) {
			b.config.Log.Debug("a status token of a bundle is not usable", "error", err)
			continue
		}
		read = append(read, token)
	}
	for _, c := range b.config.Copies() {
		err := c.Read(ctx, func(v registry.View, _ paspoort.RegistryFacts) error {
			for _, token := range read {
				cert, err := v.Certificate(token.Fingerprint)
				if old, held := out[token.Subject]; err != nil || cert.Usage != registry.UsageStatus || held && !old.issued.Before(token.IssuedAt) {
					continue
				}
				out[token.Subject] = given{token.String(), token.IssuedAt, cert.Organisation}
			}
			return nil
		})
		if err != nil {
			b.config.Log.Debug("registry not to be read", "error", err)
		}
	}
	return out
}

// newest leaves of a list that was had before the newer token when the same organisation signed
// both: a node that lags, or wants somebody who was revoked to count, gives an older one.
func (b *Bundles) newest(now, before map[string]given) map[string]given {
	for uri, token := range now {
		if old, had := before[uri]; had && old.organisation == token.organisation && token.issued.Before(old.issued) {
			b.config.Log.Warn("a node gives an older status list than there was", "list", uri)
			now[uri] = old
		}
	}
	return now
}

// StatusLimits are those of tokens that are fetched for a verdict.
var StatusLimits = statuslist.Limits{}

// ParseStatusToken reads a token and verifies its signature with the certificate that it
// carries. Its time is not judged: an expired one is still evidence of what was.
func ParseStatusToken(compact string, limits statuslist.Limits) (*StatusToken, error) {
	token, err := statuslist.ParseToken(compact, limits)
	if err != nil {
		return nil, err
	}
	fingerprint, pub, err := statusSigner(token)
	if err != nil {
		return nil, err
	}
	if err := token.Verify(pub, token.IssuedAt); err != nil {
		return nil, err
	}
	return &StatusToken{Token: token, Fingerprint: fingerprint}, nil
}

// archived is what the archive has of a list, if that is about it and of no later moment than
// now.
func (s *statuses) archived(ctx context.Context, uri string) (*StatusToken, error) {
	if s.archive == nil {
		return nil, ErrNoStatus
	}
	token, err := s.archive.StatusToken(ctx, uri)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNoStatus, err)
	case token.Subject != uri:
		return nil, statuslist.ErrSubject
	}
	if err := token.CheckTime(s.clock()); err != nil && !errors.Is(err, statuslist.ErrExpired) {
		return nil, err
	}
	return token, nil
}
