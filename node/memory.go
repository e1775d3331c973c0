package node

import (
	"os"
	"runtime/debug"
)

// memoryLimit is from where on Go's collector works harder: what a node holds for good is some
// tens of megabytes, however long its log is, and the rest is room that its store and its
// batches take now and then. Go would let that double before it collects.
const memoryLimit = 128 << 20

// LimitMemory is for a process that runs one node and little else. GOMEMLIMIT goes before it.
func LimitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
