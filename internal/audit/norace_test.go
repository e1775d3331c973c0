//go:build !race

package audit_test

const lieOneIn = 1
