package paspoort

import (
	"strings"
	"testing"
	"time"
)

// withdrawn ends the admission of an input, decided now minus a day.
func withdrawn(f *Facts, from time.Time, fraud bool) {
	f.Admission.Withdrawals = []Withdrawal{{EffectiveFrom: from, Decided: now.Add(-time.Hour), Fraud: fraud}}
}

func TestRulesOfAdmission(t *testing.T) {
	testRules(t, Opleiding, []verdictRule{
		{"admitted", func(*Input, *Facts) {}, CheckIssuerAdmitted, OK, "admitted"},
		{"no registry", func(in *Input, _ *Facts) { in.Registry = nil }, CheckIssuerAdmitted, Unknown, "registry_absent"},
		{"registry not asked", func(_ *Input, f *Facts) { f.Admission = nil }, CheckIssuerAdmitted, Unknown, "registry_absent"},
		{"registry of eight days ago", func(in *Input, _ *Facts) { in.Registry.Time = now.AddDate(0, 0, -8) }, CheckIssuerAdmitted, Unknown, "registry_too_old"},
		{"registry of six days ago", func(in *Input, _ *Facts) { in.Registry.Time = now.AddDate(0, 0, -6) }, CheckIssuerAdmitted, OK, "admitted"},
		{"own limit", func(in *Input, _ *Facts) { in.Limits.RegistryAge = 30 * time.Minute }, CheckIssuerAdmitted, Unknown, "registry_too_old"},
		{"registry from the future", func(in *Input, _ *Facts) { in.Registry.Time = now.Add(time.Hour) }, CheckIssuerAdmitted, Unknown, "registry_too_old"},
		{"not in the region", func(_ *Input, f *Facts) { f.Admission = &Admission{} }, CheckIssuerAdmitted, Failed, "issuer_not_in_region"},
		{"erased", func(_ *Input, f *Facts) { f.Admission.Erased = true }, CheckIssuerAdmitted, Unknown, "erased_by_law"},
		{"perhaps erased", func(_ *Input, f *Facts) { f.Admission = &Admission{Certified: true} }, CheckIssuerAdmitted, Unknown, "perhaps_erased"},
		{"key without an event", func(_ *Input, f *Facts) { f.Admission.Key = nil }, CheckIssuerAdmitted, Failed, "key_not_recorded"},
		{"key too young", func(_ *Input, f *Facts) { f.Admission.Key.NotBefore = at("2026-05-09 00:00") }, CheckIssuerAdmitted, Failed, "key_not_valid_on_day"},
		{"key of that very day", func(_ *Input, f *Facts) { f.Admission.Key.NotBefore = at("2026-05-08 14:00") }, CheckIssuerAdmitted, OK, "admitted"},
		{"key expired before", func(_ *Input, f *Facts) { f.Admission.Key.NotAfter = at("2026-05-07 23:00") }, CheckIssuerAdmitted, Failed, "key_not_valid_on_day"},
		{"key expired since", func(_ *Input, f *Facts) { f.Admission.Key.NotAfter = at("2026-09-01 00:00") }, CheckIssuerAdmitted, OK, "admitted"},
		{"other type", func(_ *Input, f *Facts) { f.Admission.Grants[0].Types = []string{"Werkervaring"} }, CheckIssuerAdmitted, Failed, "not_admitted_on_day"},
		{"admitted a day later", func(_ *Input, f *Facts) { f.Admission.Grants[0].From = at("2026-05-09 00:01") }, CheckIssuerAdmitted, Failed, "not_admitted_on_day"},
		{"admitted that day", func(_ *Input, f *Facts) { f.Admission.Grants[0].From = at("2026-05-08 16:00") }, CheckIssuerAdmitted, OK, "admitted"},
		{"grant without an end is none", func(_ *Input, f *Facts) { f.Admission.Grants[0].Until = time.Time{} }, CheckIssuerAdmitted, Failed, "not_admitted_on_day"},
		{"between two grants", func(_ *Input, f *Facts) {
			f.Admission.Grants = []Grant{{Types: []string{"Opleiding"}, From: at("2026-01-01 00:00"), Until: at("2026-04-01 00:00")},
				{Types: []string{"Opleiding"}, From: at("2026-06-01 00:00"), Until: at("2027-06-01 00:00")}}
		}, CheckIssuerAdmitted, Failed, "not_admitted_on_day"},
		{"no date", func(_ *Input, f *Facts) { delete(f.Claims, "iat") }, CheckIssuerAdmitted, Unknown, "no_signing_date"},
		{"ran out since, with timestamps", func(_ *Input, f *Facts) { f.Admission.Grants[0].Until = at("2026-09-01 00:00") }, CheckIssuerAdmitted, OK, "admitted_then"},
		{"ran out since, without", func(_ *Input, f *Facts) {
			f.Admission.Grants[0].Until, f.Timestamps = at("2026-09-01 00:00"), nil
		}, CheckIssuerAdmitted, Unknown, "signing_day_unknown"},
		{"signed during a suspension", func(_ *Input, f *Facts) {
			f.Admission.Suspensions = []Suspension{{at("2026-05-07 10:00"), at("2026-05-20 00:00")}}
		}, CheckIssuerAdmitted, Failed, "not_admitted_on_day"},
		{"suspended now, with timestamps", func(_ *Input, f *Facts) {
			f.Admission.Suspensions = []Suspension{{From: at("2026-10-01 00:00")}}
		}, CheckIssuerAdmitted, OK, "admitted_then"},
		{"suspended now, without", func(_ *Input, f *Facts) {
			f.Admission.Suspensions, f.Timestamps = []Suspension{{From: at("2026-10-01 00:00")}}, nil
		}, CheckIssuerAdmitted, Unknown, "signing_day_unknown"},
		{"suspension over", func(_ *Input, f *Facts) {
			f.Admission.Suspensions, f.Timestamps = []Suspension{{at("2026-09-01 00:00"), at("2026-10-01 00:00")}}, nil
		}, CheckIssuerAdmitted, OK, "admitted"},
	})
}

func TestRulesOfWithdrawal(t *testing.T) {
	before, after := at("2026-05-01 00:00"), at("2026-10-20 12:00")
	testRules(t, Opleiding, []verdictRule{
		{"withdrawn, timestamps from before: admission", func(_ *Input, f *Facts) { withdrawn(f, after, false) }, CheckIssuerAdmitted, OK, "admitted_then"},
		{"withdrawn, timestamps from before: past", func(_ *Input, f *Facts) { withdrawn(f, after, false) }, CheckWithdrawal, OK, "withdrawn_since"},
		{"withdrawn, no timestamps: admission", func(_ *Input, f *Facts) { withdrawn(f, after, false); f.Timestamps = nil }, CheckIssuerAdmitted, Unknown, "signing_day_unknown"},
		{"withdrawn, no timestamps: day", func(_ *Input, f *Facts) { withdrawn(f, after, false); f.Timestamps = nil }, CheckSigningDay, Unknown, "signing_day_unproved"},
		{"withdrawn the same day, timestamps of that morning", func(_ *Input, f *Facts) { withdrawn(f, at("2026-05-08 18:00"), false) }, CheckIssuerAdmitted, OK, "admitted_then"},
		{"withdrawn the same day, timestamps of that evening", func(_ *Input, f *Facts) { withdrawn(f, at("2026-05-08 14:00"), false) }, CheckIssuerAdmitted, Unknown, "signing_day_unknown"},
		{"one timestamp is not enough", func(_ *Input, f *Facts) { withdrawn(f, after, false); f.Timestamps = f.Timestamps[:1] }, CheckIssuerAdmitted, Unknown, "signing_day_unknown"},
		{"two of one node are one", func(_ *Input, f *Facts) { withdrawn(f, after, false); f.Timestamps[1].Node = "node_a" }, CheckIssuerAdmitted, Unknown, "signing_day_unknown"},
		{"a timestamp that does not verify", func(_ *Input, f *Facts) {
			withdrawn(f, after, false)
			f.Timestamps[1].Valid = Finding{Failed, "timestamp_invalid"}
		}, CheckIssuerAdmitted, Unknown, "signing_day_unknown"},
		{"a timestamp nobody checked", func(_ *Input, f *Facts) { withdrawn(f, after, false); f.Timestamps[1].Valid = Finding{} }, CheckIssuerAdmitted, Unknown, "signing_day_unknown"},
		{"a timestamp from the future", func(_ *Input, f *Facts) { withdrawn(f, after, false); f.Timestamps[1].At = now.Add(time.Hour) }, CheckIssuerAdmitted, Unknown, "signing_day_unknown"},
		{"signed after the withdrawal", func(_ *Input, f *Facts) { withdrawn(f, before, false) }, CheckIssuerAdmitted, Failed, "not_admitted_on_day"},
		{"admitted anew", func(_ *Input, f *Facts) {
			f.Admission.Withdrawals = []Withdrawal{{EffectiveFrom: at("2026-02-01 00:00"), Decided: at("2026-02-01 00:00")}}
			f.Admission.Grants = append(f.Admission.Grants, Grant{Types: []string{"Opleiding"}, From: at("2026-03-01 00:00"), Until: at("2027-03-01 00:00")})
			f.Timestamps = nil
		}, CheckIssuerAdmitted, OK, "admitted"},
		{"fraud, evidence from before", func(_ *Input, f *Facts) { withdrawn(f, at("2026-08-01 00:00"), true) }, CheckWithdrawal, OK, "existed_before_fraud"},
		{"fraud, no evidence, iat from before", func(_ *Input, f *Facts) { withdrawn(f, at("2026-08-01 00:00"), true); f.Timestamps = nil }, CheckWithdrawal, Failed, "withdrawn_for_fraud"},
		{"fraud, evidence from after", func(_ *Input, f *Facts) { withdrawn(f, at("2026-05-08 14:00"), true) }, CheckWithdrawal, Failed, "withdrawn_for_fraud"},
		{"fraud from before the admission", func(_ *Input, f *Facts) { withdrawn(f, at("2025-01-01 00:00"), true) }, CheckWithdrawal, Failed, "withdrawn_for_fraud"},
		{"fraud in an old registry still counts", func(in *Input, f *Facts) {
			withdrawn(f, before, true)
			in.Registry.Time = now.AddDate(0, 0, -30)
		}, CheckWithdrawal, Failed, "withdrawn_for_fraud"},
		{"fraud long ago, admitted again since", func(_ *Input, f *Facts) {
			f.Admission.Withdrawals = []Withdrawal{{EffectiveFrom: at("2025-01-01 00:00"), Decided: at("2025-02-01 00:00"), Fraud: true}}
		}, CheckWithdrawal, OK, "not_withdrawn"},
		{"key compromised, no evidence", func(_ *Input, f *Facts) {
			f.Admission.Key.CompromisedFrom, f.Timestamps = at("2026-07-01 00:00"), nil
		}, CheckWithdrawal, Failed, "key_compromised"},
		{"key compromised, evidence", func(_ *Input, f *Facts) { f.Admission.Key.CompromisedFrom = at("2026-07-01 00:00") }, CheckWithdrawal, OK, "existed_before_fraud"},
		{"nothing known in an old registry", func(in *Input, _ *Facts) { in.Registry.Time = now.AddDate(0, 0, -30) }, CheckWithdrawal, Unknown, "registry_too_old"},
		{"existed before the day it bears", func(_ *Input, f *Facts) { f.Claims["iat"] = float64(at("2026-06-01 00:00").Unix()) }, CheckSigningDay, Failed, "timestamp_before_date"},
		{"timestamped", func(*Input, *Facts) {}, CheckSigningDay, OK, "timestamped"},
		{"the word of an issuer in good standing", func(_ *Input, f *Facts) { f.Timestamps = nil }, CheckSigningDay, OK, "issuers_word"},
	})
}

func TestWithdrawalSaysSinceWhen(t *testing.T) {
	in := goodInput(t, Opleiding)
	withdrawn(&in.Credentials[0], at("2026-10-20 12:00"), false)
	v := Decide(in)
	got := checkOf(t, v, CheckIssuerAdmitted).Sentence
	if v.Outcome != OK || !strings.Contains(got.NL, "Sinds 20 oktober 2026 is de uitgever niet meer toegelaten") || !strings.Contains(got.EN, "Since 20 October 2026") {
		t.Errorf("got %s: %+v", v.Outcome, got)
	}
	if v.Credentials[0].ExistedOn != "2026-05-08T15:01:00Z" {
		t.Errorf("evidence is the time of the second node: got %s", v.Credentials[0].ExistedOn)
	}
}

func TestRulesOfOwnWords(t *testing.T) {
	testRules(t, Zelfverklaring, []verdictRule{
		{"own words", func(*Input, *Facts) {}, CheckIssuerAdmitted, OK, "self_said"},
		{"without a registry", func(in *Input, _ *Facts) { in.Registry = nil }, CheckIssuerAdmitted, OK, "self_said"},
		{"signed by another", func(_ *Input, f *Facts) { f.Key = "else" }, CheckIssuerAdmitted, Failed, "self_signed_by_other"},
		{"signature wrong", func(_ *Input, f *Facts) { f.Signature = Finding{Failed, "signature_invalid"} }, CheckIssuerAdmitted, Unknown, "signature_not_ok"},
		{"bound to nobody", func(_ *Input, f *Facts) { f.HolderKey = "" }, CheckIssuerAdmitted, Unknown, "no_fact"},
	})
}

// Bare file of a genuine credential: the sentence of design 6.
func TestBareFile(t *testing.T) {
	in := goodInput(t, Opleiding)
	in.Flow, in.Expected, in.Credentials[0].Binding = File, nil, Binding{}
	v := Decide(in)
	want := "Dit bewijs is echt. Of de afzender de eigenaar is, is niet getoond."
	if v.Outcome != Unknown || v.Code != "holder_not_shown" || v.Sentence.NL != want {
		t.Errorf("got %s %s %q", v.Outcome, v.Code, v.Sentence.NL)
	}
	in.Credentials[0].Status = nil
	if v := Decide(in); v.Code == "holder_not_shown" {
		t.Error("genuine, while the status is unknown")
	}
}

func TestSameHolder(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(a, b *Facts)
		state  State
		code   string
	}{
		{"one key", func(a, b *Facts) {}, OK, "same_key"},
		{"equal names under two keys", func(a, b *Facts) { b.HolderKey = "slot-2" }, Unknown, "only_names_equal"},
		{"two keys, no names", func(a, b *Facts) {
			b.HolderKey = "slot-2"
			delete(a.Claims, "given_name")
			delete(b.Claims, "given_name")
		}, Unknown, "different_keys"},
		{"one key, two names", func(a, b *Facts) { b.Claims["family_name"] = "Anders" }, Unknown, "names_differ"},
		{"one not signed for", func(a, b *Facts) { b.Binding.Signature = Finding{} }, Unknown, "holder_not_shown"},
		{"no key at all", func(a, b *Facts) { a.HolderKey, b.HolderKey = "", "" }, Unknown, "holder_not_shown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := goodInput(t, Opleiding, Werkervaring)
			test.change(&in.Credentials[0], &in.Credentials[1])
			got := Decide(in).SameHolder
			if got.State != test.state || got.Code != test.code {
				t.Errorf("got %s %s, want %s %s", got.State, got.Code, test.state, test.code)
			}
		})
	}
}
