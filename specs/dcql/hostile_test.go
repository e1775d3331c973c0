package dcql

import (
	"encoding/json"
	"fmt"
	"testing"
)

// A query of the size that is accepted names the same claims in many sets, of which none can
// be satisfied. The work must not be their product with what the credential holds.
func TestManySetsCostLittle(t *testing.T) {
	var claims, ids, sets, skills []any
	for i := range maxClaims {
		id := fmt.Sprintf("c%d", i)
		claims, ids = append(claims, map[string]any{"id": id, "path": []any{"skills", nil, "uri"}, "values": []any{fmt.Sprint(i)}}), append(ids, id)
	}
	claims[maxClaims-1] = map[string]any{"id": fmt.Sprintf("c%d", maxClaims-1), "path": []any{"absent"}}
	for range 70 {
		sets = append(sets, ids)
	}
	for i := range 500 {
		skills = append(skills, map[string]any{"uri": fmt.Sprint(i)})
	}
	raw, err := json.Marshal(map[string]any{"credentials": []any{map[string]any{
		"id": "a", "format": "dc+sd-jwt", "meta": map[string]any{"vct_values": []any{"v"}}, "claims": claims, "claim_sets": sets}}})
	if err != nil {
		t.Fatal(err)
	}
	query, err := ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	held := []Credential{{Format: "dc+sd-jwt", Types: []string{"v"}, HolderBound: true, Claims: map[string]any{"skills": skills}}}
	got := testing.AllocsPerRun(1, func() {
		if Evaluate(query, held).Satisfiable {
			t.Error("satisfied without a claim that is absent")
		}
	})
	// Each claim looks at each skill once; once for each set is 70 times as much.
	if limit := float64(10 * maxClaims * len(skills)); got > limit {
		t.Errorf("%.0f allocations, at most %.0f", got, limit)
	}
}
