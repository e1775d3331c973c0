package main

import (
	"context"
	"strconv"
	"time"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// Ages of a copy of a registry at which its operator is told. At seven days verifiers say
// "unknown" of every issuer.
const (
	copyOld    = 24 * time.Hour
	copyTooOld = 5 * 24 * time.Hour
)

// copyAges looks how old the copies are that a role judges by.
func copyAges(copies ...evidence.Copy) func(context.Context, time.Time) []alert.Finding {
	return func(ctx context.Context, now time.Time) []alert.Finding {
		var out []alert.Finding
		for _, c := range copies {
			_ = c.Read(ctx, func(_ registry.View, facts paspoort.RegistryFacts) error { // without a copy the role is not ready, and says so
				out = append(out, copyAge(facts, now))
				return nil
			})
		}
		return out
	}
}

func copyAge(facts paspoort.RegistryFacts, now time.Time) alert.Finding {
	age := now.Sub(facts.Time)
	f := alert.Finding{Code: "copy_old", Subject: facts.Name, Value: strconv.Itoa(int(age / time.Hour))}
	switch {
	case facts.Time.IsZero(): // nothing says how fresh it is: the verdicts do
	case age > copyTooOld:
		f.Raise = alert.Critical
	case age > copyOld:
		f.Raise = alert.Warning
	}
	return f
}

func asCopies(followers []*evidence.Follower) []evidence.Copy {
	var out []evidence.Copy
	for _, f := range followers {
		out = append(out, f)
	}
	return out
}
