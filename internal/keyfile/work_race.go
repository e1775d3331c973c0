//go:build race

package keyfile

// workFactor under the race detector, which makes scrypt ten times as slow. A program that is
// built like this is for tests.
const workFactor = 12
