package paspoort

import (
	"strings"
	"testing"
	"time"
)

// via makes the registry of an input one that the home region accepted.
func via(in *Input) *Via {
	in.Registry.Name = "Regio Maasdal"
	in.Registry.Via = &Via{Region: strings.Repeat("a", 64), Name: "Regio Aakermonde", Time: now.Add(-time.Hour), Until: at("2028-03-01 00:00")}
	return in.Registry.Via
}

// What another region says counts as far as the home region accepted it, and no further.
func TestRulesOfAcceptedRegions(t *testing.T) {
	testRules(t, Opleiding, []verdictRule{
		{"accepted", func(in *Input, _ *Facts) { via(in) }, CheckIssuerAdmitted, OK, "admitted"},
		{"accepted for this type", func(in *Input, _ *Facts) { via(in).Types = []string{"Werkervaring", "Opleiding"} }, CheckIssuerAdmitted, OK, "admitted"},
		{"accepted for another type", func(in *Input, _ *Facts) { via(in).Types = []string{"Werkervaring"} }, CheckIssuerAdmitted, Failed, "region_other_types"},
		{"not admitted there", func(in *Input, f *Facts) { via(in); f.Admission.Grants[0].Types = nil }, CheckIssuerAdmitted, Failed, "not_admitted_on_day"},
		{"home copy too old", func(in *Input, _ *Facts) { via(in).Time = now.AddDate(0, 0, -8) }, CheckIssuerAdmitted, Unknown, "registry_too_old"},
		{"home copy too old: past", func(in *Input, _ *Facts) { via(in).Time = now.AddDate(0, 0, -8) }, CheckWithdrawal, Unknown, "registry_too_old"},
		{"ended before it was signed", func(in *Input, _ *Facts) { via(in).Until = at("2026-05-08 00:00") }, CheckIssuerAdmitted, Failed, "region_ended_before"},
		{"ended since, with timestamps", func(in *Input, _ *Facts) { via(in).Until = at("2026-09-01 00:00") }, CheckIssuerAdmitted, OK, "region_ended_since"},
		{"ended since, without", func(in *Input, f *Facts) { via(in).Until, f.Timestamps = at("2026-09-01 00:00"), nil }, CheckIssuerAdmitted, Unknown, "region_ended_day_unknown"},
		{"dropped with effect from before", func(in *Input, _ *Facts) { via(in).DroppedFrom = at("2026-05-01 00:00") }, CheckIssuerAdmitted, Failed, "region_dropped_before"},
		{"dropped since, with timestamps of others", func(in *Input, _ *Facts) { via(in).DroppedFrom = at("2026-09-01 00:00") }, CheckIssuerAdmitted, OK, "region_dropped_since"},
		{"dropped since, with its own timestamps", func(in *Input, f *Facts) {
			via(in).DroppedFrom = at("2026-09-01 00:00")
			f.Timestamps[0].Region = in.Registry.Region
		}, CheckIssuerAdmitted, Unknown, "region_dropped_day_unknown"},
		{"dropped later than now", func(in *Input, _ *Facts) { via(in).DroppedFrom = now.Add(time.Hour) }, CheckIssuerAdmitted, OK, "admitted"},
		{"two histories", func(in *Input, _ *Facts) { in.Registry.Doubt = DoubtForked }, CheckIssuerAdmitted, Unknown, "region_forked"},
		{"two histories: past", func(in *Input, _ *Facts) { in.Registry.Doubt = DoubtForked }, CheckWithdrawal, Unknown, "region_forked"},
		{"two histories, one knows of fraud", func(in *Input, f *Facts) {
			in.Registry.Doubt = DoubtForked
			withdrawn(f, at("2026-05-01 00:00"), true)
		}, CheckWithdrawal, Failed, "withdrawn_for_fraud"},
		{"against its own rules", func(in *Input, _ *Facts) { via(in); in.Registry.Doubt = DoubtFrozen }, CheckIssuerAdmitted, Unknown, "region_frozen"},
		{"newer rules, a fresh copy", func(in *Input, _ *Facts) { via(in); in.Registry.Doubt = DoubtNewer }, CheckIssuerAdmitted, OK, "admitted"},
		{"newer rules, an old copy", func(in *Input, _ *Facts) {
			via(in)
			in.Registry.Doubt, in.Registry.Time = DoubtNewer, now.AddDate(0, 0, -8)
		}, CheckIssuerAdmitted, Unknown, "region_newer_rules"},
	})
}

// The verdict says by whose word a registry counts, and what is wrong with it.
func TestVerdictSaysVia(t *testing.T) {
	in := goodInput(t, Opleiding)
	via(&in)
	r := Decide(in).Registry
	if r.Via == nil || r.Via.Name != "Regio Aakermonde" || r.Via.Until != "2028-03-01T00:00:00Z" {
		t.Errorf("via: got %+v", r.Via)
	}
	if !strings.HasSuffix(r.Note.NL, "Regio Aakermonde vertrouwt op het register van Regio Maasdal, tot 1 maart 2028.") {
		t.Errorf("note: got %q", r.Note.NL)
	}
	in.Registry.Via.DroppedFrom, in.Registry.Doubt = at("2026-05-01 00:00"), DoubtFrozen
	v := Decide(in)
	if r = v.Registry; r.Doubt != DoubtFrozen || !strings.Contains(r.Note.EN, "no longer relies on the registry of Regio Maasdal, from 1 May 2026") {
		t.Errorf("dropped: got %+v", r)
	}
	for _, c := range v.Credentials[0].Checks {
		if strings.ContainsAny(c.Sentence.NL+c.Sentence.EN, "{}") {
			t.Errorf("%s: words were not filled in: %+v", c.Name, c.Sentence)
		}
	}
}
