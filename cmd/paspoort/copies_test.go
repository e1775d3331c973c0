package main

import (
	"testing"
	"time"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/specs/paspoort"
)

func TestCopyAge(t *testing.T) {
	now := time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	for age, want := range map[time.Duration]alert.Level{0: alert.Fine, 23 * time.Hour: alert.Fine, 25 * time.Hour: alert.Warning, 6 * 24 * time.Hour: alert.Critical} {
		if got := copyAge(paspoort.RegistryFacts{Time: now.Add(-age)}, now); got.Raise != want {
			t.Errorf("%v: got %+v, want %v", age, got, want)
		}
	}
	if got := copyAge(paspoort.RegistryFacts{}, now); got.Raise != alert.Fine {
		t.Errorf("of unknown age: got %+v", got)
	}
}
