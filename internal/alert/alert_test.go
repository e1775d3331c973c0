package alert

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

func TestTracker(t *testing.T) {
	disk := func(raise, keep Level) []Finding {
		return []Finding{{Code: "disk", Raise: raise, Keep: keep, After: time.Minute, Value: "9", Limit: "10"}}
	}
	type step struct {
		at   time.Duration
		in   []Finding
		want string // changes, as was>is
	}
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"told once, after it lasted", []step{
			{0, disk(Warning, Warning), ""}, {59 * time.Second, disk(Warning, Warning), ""}, {time.Minute, disk(Warning, Warning), "fine>warning"}, {time.Hour, disk(Warning, Warning), ""}}},
		{"what is over in time is never told", []step{
			{0, disk(Critical, Critical), ""}, {30 * time.Second, disk(Fine, Fine), ""}, {2 * time.Minute, disk(Critical, Critical), ""}, {150 * time.Second, disk(Critical, Critical), ""}}},
		{"at the edge it stays", []step{
			{0, disk(Warning, Warning), ""}, {time.Minute, disk(Warning, Warning), "fine>warning"}, {time.Hour, disk(Fine, Warning), ""}, {2 * time.Hour, disk(Warning, Warning), ""}, {3 * time.Hour, disk(Fine, Warning), ""}}},
		{"over after it was better for long enough", []step{
			{0, disk(Warning, Warning), ""}, {time.Minute, disk(Warning, Warning), "fine>warning"}, {time.Hour, disk(Fine, Fine), ""}, {time.Hour + 4*time.Minute, disk(Warning, Warning), ""},
			{2 * time.Hour, disk(Fine, Fine), ""}, {2*time.Hour + 5*time.Minute, disk(Fine, Fine), "warning>fine"}}},
		{"worse and better", []step{
			{0, disk(Warning, Warning), ""}, {time.Minute, disk(Warning, Warning), "fine>warning"}, {2 * time.Minute, disk(Critical, Critical), ""}, {3 * time.Minute, disk(Critical, Critical), "warning>critical"},
			{time.Hour, disk(Warning, Warning), ""}, {2 * time.Hour, disk(Warning, Warning), "critical>warning"}, {3 * time.Hour, nil, ""}, {4 * time.Hour, nil, "warning>fine"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tracker := NewTracker(5 * time.Minute)
			for i, s := range tt.steps {
				var got []string
				for _, c := range tracker.Look(start.Add(s.at), s.in) {
					got = append(got, fmt.Sprintf("%v>%v", c.Was, c.Level))
				}
				if strings.Join(got, " ") != s.want {
					t.Fatalf("step %d: got %q, want %q", i, got, s.want)
				}
				raw, err := json.Marshal(tracker) // a restart between any two looks changes nothing
				if err != nil {
					t.Fatal(err)
				}
				tracker = NewTracker(5 * time.Minute)
				if err := json.Unmarshal(raw, tracker); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A value that swings around the threshold for a day is told once, at every period.
func TestTrackerDoesNotFlap(t *testing.T) {
	for period := 20 * time.Second; period < 2*time.Hour; period = period * 3 / 2 {
		tracker, told := NewTracker(5*time.Minute), 0
		for at := time.Duration(0); at < 24*time.Hour; at += 10 * time.Second {
			raise := Fine
			if (at/period)%2 == 1 {
				raise = Warning
			}
			told += len(tracker.Look(start.Add(at), []Finding{{Code: "disk", Raise: raise, Keep: Warning}}))
		}
		if told != 1 {
			t.Errorf("period %v: got %d changes, want 1", period, told)
		}
	}
}

func TestProblemsAreSortedByLevel(t *testing.T) {
	tracker := NewTracker(0)
	tracker.Look(start, []Finding{{Code: "b", Raise: Warning}, {Code: "c", Raise: Critical}, {Code: "a", Subject: "2", Raise: Warning}, {Code: "a", Subject: "1", Raise: Warning}, {Code: "d"}})
	var got []string
	for _, p := range tracker.Problems() {
		got = append(got, p.Code+p.Subject)
	}
	if want := []string{"c", "a1", "a2", "b"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Every text is there in every language, with the same values.
func TestWords(t *testing.T) {
	first, err := loadWords("")
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range Languages {
		w, err := loadWords(lang)
		if err != nil {
			t.Fatal(err)
		}
		if len(w) != len(first) || len(w) < 40 {
			t.Errorf("%s: got %d texts, want %d", lang, len(w), len(first))
		}
		for key, text := range first {
			for _, slot := range []string{"{subject}", "{value}", "{limit}"} {
				if strings.Contains(text, slot) != strings.Contains(w[key], slot) || w[key] == "" {
					t.Errorf("%s: %s: got %q beside %q", lang, key, w[key], text)
				}
			}
		}
	}
	if _, err := loadWords("fr"); err == nil {
		t.Error("got French")
	}
}
