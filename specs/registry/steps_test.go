package registry_test

import (
	"slices"
	"testing"

	"paspoort.example/paspoort/specs/registry"
)

func TestStepsOfAStanding(t *testing.T) {
	grant := func(event string, since, until int64, types ...string) registry.Grant {
		return registry.Grant{Event: event, Since: since, Until: until, Types: types}
	}
	step := func(code registry.Code, event string, from int64) registry.Step {
		return registry.Step{Code: code, Event: event, From: from}
	}
	for _, tt := range []struct {
		name     string
		standing registry.Standing
		typ      string
		until    int64
		want     []registry.Step
	}{
		{"never admitted", registry.Standing{}, "", 100, nil},
		{"admitted for another type", registry.Standing{Grants: []registry.Grant{grant("a", 10, 20, "x")}}, "y", 100, nil},
		{"admitted, what is to come is left out", registry.Standing{Grants: []registry.Grant{grant("a", 10, 20, "x")}}, "x", 15,
			[]registry.Step{step(registry.CodeAdmitted, "a", 10)}},
		{"expired and admitted again", registry.Standing{Grants: []registry.Grant{grant("a", 10, 20, "x"), grant("b", 30, 40, "x")}}, "x", 35,
			[]registry.Step{step(registry.CodeAdmitted, "a", 10), step(registry.CodeExpired, "", 20), step(registry.CodeAdmitted, "b", 30)}},
		{"renewed without a gap", registry.Standing{Grants: []registry.Grant{grant("a", 10, 20, "x"), grant("b", 15, 40, "x")}}, "x", 35,
			[]registry.Step{step(registry.CodeAdmitted, "a", 10), step(registry.CodeAdmitted, "b", 20)}},
		{"suspended for a time", registry.Standing{Grants: []registry.Grant{grant("a", 10, 50)}, Suspensions: []registry.Suspension{{From: 20, Until: 30}}}, "", 99,
			[]registry.Step{step(registry.CodeAdmitted, "a", 10), step(registry.CodeSuspended, "a", 20), step(registry.CodeAdmitted, "a", 30), step(registry.CodeExpired, "", 50)}},
		{"withdrawn with effect on the past", registry.Standing{Grants: []registry.Grant{grant("a", 10, 50)}, Withdrawals: []registry.Withdrawal{{Decided: 40, EffectiveFrom: 25}}}, "", 45,
			[]registry.Step{step(registry.CodeAdmitted, "a", 10), step(registry.CodeWithdrawn, "", 25)}},
		{"fraud from before the admission", registry.Standing{Grants: []registry.Grant{grant("a", 10, 50)}, Withdrawals: []registry.Withdrawal{{Decided: 40, EffectiveFrom: 5, Fraud: true}}}, "", 45,
			[]registry.Step{step(registry.CodeFraud, "", 10)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.standing.Steps(tt.typ, tt.until); !slices.Equal(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
