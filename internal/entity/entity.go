// Package entity lets an issuer or a verifier take part in OpenID Federation 1.1 below the
// regions that admitted it: it publishes the entity configuration of the service (section 9, as
// DIIP v5, Appendix B profiles it), and carries the trust marks that the superiors give.
//
// It is no trust anchor and makes no statements about others: a node does that. What stands in
// the configuration is the service's own word; a superior repeats the part that it vouches for.
//
//	e, err := entity.New(entity.Config{ID: url, Key: key, Metadata: metadata, Authorities: regions})
//	router.Handle(openidfed.WellKnown, e)
//	go e.Run(ctx)
package entity

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"paspoort.example/paspoort/specs/openidfed"
)

// Config says who the entity is.
type Config struct {
	ID string // entity identifier: the public address of the service
	// Key signs the configuration. A superior must know it as the service's: a region does when
	// its registry holds a certificate for it.
	Key         crypto.Signer
	Metadata    openidfed.Metadata // federation_entity included
	Authorities []string           // entity identifiers of the superiors
	HTTP        openidfed.Doer     // fetches trust marks; nil: none are carried
	Clock       func() time.Time
	Log         *slog.Logger
}

const (
	life      = 24 * time.Hour // of a configuration
	markEvery = 6 * time.Hour  // between two looks for trust marks, which last a day
	markPause = 5 * time.Minute
	maxMarks  = 32
)

// Entity is the service in the federation. It serves its configuration.
type Entity struct {
	config Config
	server *openidfed.Server
	client openidfed.Client

	mu    sync.Mutex
	marks []openidfed.TrustMarkEntry
}

// New checks the configuration by signing it once.
func New(c Config) (*Entity, error) {
	if len(c.Authorities) == 0 || c.Key == nil {
		return nil, errors.New("entity: below which regions, and signed with which key?")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	// Whether plain http may be used is the outbound client's rule.
	e := &Entity{config: c, client: openidfed.Client{HTTP: c.HTTP, AllowHTTP: true}}
	e.server = &openidfed.Server{EntityID: c.ID, Entity: e, Report: func(_ context.Context, err error) {
		c.Log.Error("the entity configuration could not be made", "error", err)
	}}
	if _, err := e.EntityConfiguration(context.Background()); err != nil {
		return nil, fmt.Errorf("entity: %w", err)
	}
	return e, nil
}

func (e *Entity) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.server.ServeHTTP(w, r) }

// EntityConfiguration implements [openidfed.Entity].
func (e *Entity) EntityConfiguration(context.Context) (string, error) {
	keys, err := openidfed.Keys(e.config.Key.Public())
	if err != nil {
		return "", err
	}
	now := e.config.Clock()
	s := openidfed.Statement{
		Issuer: e.config.ID, Subject: e.config.ID, IssuedAt: now, ExpiresAt: now.Add(life), Keys: keys,
		AuthorityHints: e.config.Authorities, Metadata: e.config.Metadata, TrustMarks: e.trustMarks(),
	}
	return s.Sign(e.config.Key)
}

func (e *Entity) trustMarks() []openidfed.TrustMarkEntry {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.marks)
}

// Run keeps the trust marks up to date until ctx ends.
func (e *Entity) Run(ctx context.Context) error {
	for e.config.HTTP != nil {
		wait := markEvery
		if err := e.Refresh(ctx); err != nil && ctx.Err() == nil {
			e.config.Log.Debug("trust marks could not be fetched", "error", err)
			wait = markPause
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
	<-ctx.Done()
	return nil
}

// Refresh asks the superiors for the trust marks that they give this entity. What one does not
// give any more is carried no more; what one that does not answer gave is kept while it lasts.
func (e *Entity) Refresh(ctx context.Context) error {
	var found []openidfed.TrustMarkEntry
	var wrong []error
	answered := map[string]bool{}
	for _, authority := range e.config.Authorities {
		marks, err := e.marksOf(ctx, authority)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", authority, err))
			continue
		}
		answered[authority], found = true, append(found, marks...)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, old := range e.marks {
		m, err := openidfed.ParseTrustMark(old.Token)
		if err == nil && !answered[m.Issuer] && (m.ExpiresAt.IsZero() || e.config.Clock().Before(m.ExpiresAt)) {
			found = append(found, old)
		}
	}
	e.marks = found
	return errors.Join(wrong...)
}

// marksOf are the marks that one superior gives.
func (e *Entity) marksOf(ctx context.Context, authority string) (out []openidfed.TrustMarkEntry, err error) {
	now := e.config.Clock()
	superior, err := e.client.Configuration(ctx, authority, now)
	if err != nil {
		return nil, err
	}
	var types []string
	for markType, issuers := range superior.TrustMarkIssuers {
		if slices.Contains(issuers, authority) {
			types = append(types, markType)
		}
	}
	slices.Sort(types)
	for _, markType := range types[:min(len(types), maxMarks)] {
		m, err := e.client.TrustMark(ctx, superior, markType, e.config.ID)
		var refused *openidfed.Error
		switch {
		case errors.As(err, &refused) && refused.Code == openidfed.NotFound:
			continue // it does not have this one
		case err != nil:
			return nil, err
		case m.Validate(e.config.ID, superior.Keys, superior, now) == nil:
			out = append(out, openidfed.TrustMarkEntry{Type: m.Type, Token: m.String()})
		}
	}
	return out, nil
}
