// Package house keeps the house rules as tests: which package may import which,
// what specs may not do, how large a file may grow, which words may not stand in
// the tree. Each refusal says why, so that the rule can be weighed and, when a
// better form shows itself, changed here and in the architecture text.
//
// It has no code of its own. Run it with
//
//	go test ./internal/house
//
// It reads sources only and compiles nothing, so it also judges a tree that does
// not build.
package house
