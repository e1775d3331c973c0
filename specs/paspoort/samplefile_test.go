package paspoort

import (
	"encoding/json"
	"os"
	"testing"
)

// The issuer's sample of work experience, which ships beside its CSV files.
func TestIssuerSampleFits(t *testing.T) {
	raw, err := os.ReadFile("../../issuer/sample/werkervaring.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no samples")
	}
	for i, claims := range all {
		if err := CheckClaims(Werkervaring, claims); err != nil {
			t.Errorf("sample %d: %v", i, err)
		}
	}
}
