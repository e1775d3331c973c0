package evidence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/statusarchive"
	"paspoort.example/paspoort/specs/statuslist"
)

// CustodyConfig says for whom an organisation may sign on, and where the lists are kept.
type CustodyConfig struct {
	Organisation string // the custodian
	Region       Copy   // whose registry decides
	// Archives are those of the region's nodes; asked each time.
	Archives func() []string
	HTTP     statusarchive.Doer
	Clock    func() time.Time
	Log      *slog.Logger
}

// Custody finds the status lists that the region asked an organisation to sign on. Safe for use
// from one goroutine at a time.
type Custody struct{ config CustodyConfig }

// Held is the newest token of a list in custody.
type Held struct {
	*StatusToken
	// Own says that the custodian signed it itself.
	Own bool
}

// ErrNoArchive says that no node told which status lists it keeps.
var ErrNoArchive = errors.New("no node told which status lists it keeps")

// NewCustody starts nothing.
func NewCustody(c CustodyConfig) *Custody {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Custody{c}
}

// Held are the lists in custody now, by the organisation whose they are; one without lists has
// none that are kept. All nodes are asked, because one alone could keep back the newest. It fails
// with [ErrNoCopy] or [ErrNoArchive].
func (c *Custody) Held(ctx context.Context) (map[string][]Held, error) {
	found := map[string]map[string]Held{}
	err := c.config.Region.Read(ctx, func(v registry.View, _ paspoort.RegistryFacts) error {
		for _, s := range v.Custodians(c.config.Clock()) {
			if s.By == c.config.Organisation {
				found[s.Organisation] = map[string]Held{}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := map[string][]Held{}
	if len(found) == 0 {
		return out, nil
	}
	failed := ErrNoArchive
	for _, url := range c.config.Archives() {
		if err := c.from(ctx, statusarchive.Client{HTTP: c.config.HTTP, URL: url}, found); err != nil {
			c.config.Log.Debug("a node's status archive could not be read", "url", url, "error", err)
			continue
		}
		failed = nil
	}
	if failed != nil {
		return nil, failed
	}
	for id, lists := range found {
		out[id] = nil
		for _, held := range lists {
			out[id] = append(out[id], held)
		}
	}
	return out, nil
}

// from takes what one node keeps that is newer than what the others gave.
func (c *Custody) from(ctx context.Context, client statusarchive.Client, found map[string]map[string]Held) error {
	all, err := client.Lists(ctx)
	if err != nil {
		return err
	}
	for _, l := range all {
		lists, ok := found[l.Organisation]
		if old, had := lists[l.URI]; !ok || had && !l.IssuedAt.After(old.IssuedAt) {
			continue
		}
		held, err := c.token(ctx, client, l)
		if err != nil {
			c.config.Log.Warn("a status list in custody is not usable", "list", l.URI, "from", client.URL, "error", err)
			continue
		}
		if old, had := lists[l.URI]; !had || held.IssuedAt.After(old.IssuedAt) {
			lists[l.URI] = held
		}
	}
	return nil
}

var errNotSigned = errors.New("the registry does not let its signer sign for that organisation")

// token gets one and verifies it: a custodian signs on nothing that somebody made up.
func (c *Custody) token(ctx context.Context, client statusarchive.Client, l statusarchive.List) (held Held, err error) {
	compact, err := client.Token(ctx, l.URI, time.Time{})
	if err != nil {
		return held, err
	}
	if held.StatusToken, err = ParseStatusToken(compact, StatusLimits); err != nil {
		return held, err
	}
	if held.Subject != l.URI {
		return held, statuslist.ErrSubject
	}
	if err := held.CheckTime(c.config.Clock()); err != nil && !errors.Is(err, statuslist.ErrExpired) {
		return held, err
	}
	return held, c.config.Region.Read(ctx, func(v registry.View, _ paspoort.RegistryFacts) error {
		if !v.MaySignStatus(held.Fingerprint, l.Organisation, held.IssuedAt) {
			return errNotSigned
		}
		signer, err := v.Certificate(held.Fingerprint)
		if err != nil {
			return fmt.Errorf("status signer: %w", err)
		}
		held.Own = signer.Organisation == c.config.Organisation
		return nil
	})
}
