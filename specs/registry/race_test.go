//go:build race

package registry_test

// sequences is kept small where every memory access is watched.
const sequences = "8"
