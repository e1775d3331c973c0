package node

import (
	"os"
	"runtime/debug"
)

// What a node holds for good is some tens of megabytes, however long its log is; the rest is room
// that its store and its batches take now and then. Go's collector would run often as long as
// there is little, and let much double before it runs: here it may leave more, up to a limit.
// Making a table takes 50 MB for a moment, so a limit of 128 MB made the collector run all the
// time while much was written, at nearly half of the processor time.
const (
	memoryLimit = 176 << 20
	gcPercent   = 300

	// memTable is the table that the store fills in memory. There are up to three, and making a
	// file of one takes as much again. One transaction, of maxBatchBytes and what is written
	// beside them, takes 15 % of it at most.
	memTable = 10 << 20
)

// LimitMemory is for a process that runs one node and little else. GOMEMLIMIT or GOGC goes
// before it.
func LimitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" && os.Getenv("GOGC") == "" {
		debug.SetMemoryLimit(memoryLimit)
		debug.SetGCPercent(gcPercent)
	}
}
