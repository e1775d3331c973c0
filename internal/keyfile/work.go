//go:build !race

package keyfile

// workFactor of scrypt, as a power of two: about a quarter of a second, because sealed keys are
// opened at start.
const workFactor = 16
