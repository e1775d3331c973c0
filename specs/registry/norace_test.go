//go:build !race

package registry_test

// sequences is how many the property test draws. Nightly runs ask for more:
// go test ./specs/registry -run Sequences -rapid.checks=5000
const sequences = "35"
