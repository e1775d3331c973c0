package node

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A command is what raft replicates: one log time and the events of one batch. What is
// replicated is decided before it is replicated; the time travels in it (D2).
//
//	version (1) | log time, seconds (8, big endian) | { length (uvarint) | signed event }*
type command struct {
	LogTime int64
	Events  [][]byte
}

const commandVersion = 1

// Limits of a batch: performance and, together with MaxAppendEntries, memory.
const (
	maxBatchEvents = 512
	maxBatchBytes  = 1 << 20
	maxHeldEvents  = 128 // applied, give or take a batch, before those who read get a turn
)

var errCommand = errors.New("raft entry is not a command of this version")

func (c command) marshal() []byte {
	size := 9
	for _, e := range c.Events {
		size += binary.MaxVarintLen32 + len(e)
	}
	out := append(make([]byte, 0, size), commandVersion)
	out = binary.BigEndian.AppendUint64(out, uint64(c.LogTime))
	for _, e := range c.Events {
		out = append(binary.AppendUvarint(out, uint64(len(e))), e...)
	}
	return out
}

func parseCommand(data []byte) (command, error) {
	if len(data) < 9 {
		return command{}, errCommand
	}
	if data[0] != commandVersion { // D5: "a replica that meets an unknown one stops"
		return command{}, fmt.Errorf("%w: version %d", errCommand, data[0])
	}
	c := command{LogTime: int64(binary.BigEndian.Uint64(data[1:]))}
	for data = data[9:]; len(data) > 0; {
		n, k := binary.Uvarint(data)
		if k <= 0 || n > uint64(len(data)-k) || len(c.Events) >= maxBatchEvents {
			return command{}, errCommand
		}
		c.Events, data = append(c.Events, data[k:k+int(n)]), data[k+int(n):]
	}
	return c, nil
}
