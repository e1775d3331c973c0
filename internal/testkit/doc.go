// Package testkit is what tests of every package share: the folder of published
// test vectors, a clock that moves when told, a logger that belongs to the test,
// repeatable randomness, and listeners on free ports.
//
// It imports the standard library only, so that the tests inside any package of
// specs may use it without a cycle. It is for tests: no program imports it.
//
//	func TestVectors(t *testing.T) {
//		f := testkit.Vectors(t, "sd-jwt")
//		for _, name := range f.Glob(t, "spec-examples/*.json") {
//			t.Run(name, func(t *testing.T) { check(t, f.Read(t, name)) })
//		}
//	}
package testkit
