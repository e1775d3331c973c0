package evidence

import (
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// TestBetter: of two checkpoints of one tree the later one says more, and one that a witness
// signed too says more than one that is a little later.
func TestBetter(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	at := func(ago time.Duration, own bool) registry.Freshness {
		return registry.Freshness{Size: 7, Time: now.Add(-ago), OwnNodesOnly: own}
	}
	for name, x := range map[string]struct {
		fresh, have registry.Freshness
		want        bool
	}{
		"later":                         {at(0, true), at(time.Minute, true), true},
		"the same":                      {at(0, true), at(0, true), false},
		"earlier":                       {at(time.Minute, false), at(0, false), false},
		"witnessed now":                 {at(0, false), at(0, true), true},
		"witnessed a moment ago":        {at(time.Minute, false), at(0, true), true},
		"witnessed yesterday":           {at(24*time.Hour, false), at(0, true), false},
		"without the witness":           {at(0, true), at(time.Hour, false), false},
		"the witness is away for a day": {at(0, true), at(24*time.Hour, false), true},
	} {
		if got := better(x.fresh, x.have); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
