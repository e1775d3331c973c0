package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is what this process has used of the processors so far, by all its threads: the
// collector of garbage counts, other processes do not.
func cpuTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return wallTime()
	}
	return time.Duration(t.Nano())
}
