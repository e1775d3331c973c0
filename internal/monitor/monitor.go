package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// Region is a region to follow.
type Region struct {
	Genesis string   `json:"genesis"` // its id: the one thing that is believed beforehand
	Nodes   []string `json:"nodes"`   // addresses to begin with; those in the log are asked too
	// FromBegin tells what happened before the first look too.
	FromBegin bool `json:"from_begin,omitempty"`
}

// Config of a Monitor.
type Config struct {
	Name    string // in the messages; empty means "paspoort"
	Dir     string // for copies of the logs, checkpoints, proofs and what was told
	Regions []Region
	Watches []Watch
	Tellers []Teller
	Client  registry.Doer // to ask nodes with; it has to allow files of audit.MaxFile bytes
	// Scratch gives an empty store for the state of a region with a large log, whose folder is given,
	// and takes away what was there before; nil: in memory. The Monitor closes it.
	Scratch func(dir string) (kv.Store, error)
	Large   uint64        // more entries than this are a large log; 0 means audit.InMemory
	Every   time.Duration // between two looks; 0 means 5 minutes
	// Patience is how long no node of a region may answer before that is told; 0 means 1 hour.
	Patience time.Duration
	Now      func() time.Time // nil means time.Now
	Log      *slog.Logger     // nil means nothing is logged
}

// Monitor follows regions and tells.
type Monitor struct {
	config  Config
	regions []*follower
}

// New checks the configuration and reads and checks the copies of the logs that are there.
func New(ctx context.Context, c Config) (*Monitor, error) {
	if c.Name == "" {
		c.Name = "paspoort"
	}
	if c.Every <= 0 {
		c.Every = 5 * time.Minute
	}
	if c.Large == 0 {
		c.Large = audit.InMemory
	}
	if c.Patience <= 0 {
		c.Patience = time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if len(c.Regions) == 0 || len(c.Watches) == 0 || len(c.Tellers) == 0 {
		return nil, errors.New("monitor: name regions to follow, what to watch for, and where to tell it")
	}
	for _, w := range c.Watches {
		if err := w.Check(); err != nil {
			return nil, fmt.Errorf("monitor: %w", err)
		}
	}
	m := &Monitor{config: c}
	for _, r := range c.Regions {
		f, err := newFollower(ctx, c, r)
		if f != nil {
			m.regions = append(m.regions, f)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("monitor: region %.12s: %w", r.Genesis, err), m.Close())
		}
	}
	return m, nil
}

// Close ends the stores of the states. The copies of the logs stay.
func (m *Monitor) Close() error {
	var errs []error
	for _, f := range m.regions {
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}

// Run looks and tells until ctx ends. What goes wrong is logged and tried again.
func (m *Monitor) Run(ctx context.Context) error {
	tick := time.NewTicker(m.config.Every)
	defer tick.Stop()
	for {
		if err := m.Look(ctx); err != nil && ctx.Err() == nil {
			m.config.Log.Warn("not all was looked at or told", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Look looks at all regions once and tells what there is to tell. The error joins what could not be
// done; all of it is tried again at the next look.
func (m *Monitor) Look(ctx context.Context) error {
	var errs []error
	for _, f := range m.regions {
		if err := f.look(ctx); err != nil {
			errs = append(errs, fmt.Errorf("region %.12s: %w", f.region.Genesis, err))
		}
		if err := m.tell(ctx, f); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// perMessage bounds one message.
const perMessage = 50

// tell delivers what waits of a region, alarms first. Each message goes to all; one that a teller
// did not take is given to all again later: twice is better than never.
func (m *Monitor) tell(ctx context.Context, f *follower) error {
	for {
		events, next := f.waiting(perMessage)
		alarms := f.alarms()
		if len(events) == 0 && len(alarms) == 0 {
			return f.told(ctx, next, nil)
		}
		msg := Message{Monitor: m.config.Name, Events: events, Alarms: alarms}
		var errs []error
		for _, t := range m.config.Tellers {
			if err := t.Tell(ctx, msg); err != nil {
				errs = append(errs, err)
			}
		}
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("tell: %w", err)
		}
		m.config.Log.Info("told", "region", f.region.Genesis[:12], "events", len(events), "alarms", len(alarms))
		if err := f.told(ctx, next, alarms); err != nil {
			return err
		}
	}
}
