package vcdm_test

import (
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/vcdm"
)

// A document is held to the data model; problems have a code and a place.
func ExampleValidate() {
	doc := map[string]any{
		"@context":          []any{vcdm.ContextV2},
		"type":              []any{"VerifiableCredential"},
		"issuer":            "opleider",
		"validFrom":         "2026-03-01",
		"credentialSubject": map[string]any{"naam": "Fatima"},
	}
	fmt.Println(vcdm.Validate(doc, time.Time{}, nil))
	// Output: not a valid credential: issuer at issuer, date at validFrom
}
