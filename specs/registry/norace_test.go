//go:build !race

package registry_test

import "testing"

func fewerUnderRace(*testing.T) {}
