//go:build race

package audit_test

// lieOneIn is how many ways of lying share a kind of event: under the race detector, which makes an
// audit ten times as long, each kind is lied about in some ways, and in all by the kinds together.
const lieOneIn = 6
