//go:build !linux

package bench

import "time"

// cpuTime is the time on the wall where processor time is not to be had.
func cpuTime() time.Duration { return wallTime() }
