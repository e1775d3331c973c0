package node

import (
	"fmt"
	"time"
)

// A profile is how far the nodes of a region are apart, as timings. All nodes of a region use
// the same one. Raft waits once to twice the election time for a silent leader; a peer call
// and a dial take a few round trips at most.
//
//   - "": several nodes on one computer, which disturb each other (see defaultElection);
//   - "lan": machines of their own with quick disks, in one data centre or city: up to 20 ms;
//   - "wan": different providers or countries: up to 300 ms, now and then a lost packet.
var profiles = map[string]Config{
	"":    {},
	"lan": {Election: 200 * time.Millisecond, PeerTimeout: time.Second},
	"wan": {Election: 2 * time.Second, PeerTimeout: 6 * time.Second, DialTimeout: 4 * time.Second, WriteTimeout: 30 * time.Second, ReadTimeout: 10 * time.Second, CheckpointInterval: time.Second},
}

// SetProfile fills in the timings of a profile that c does not set itself.
func (c *Config) SetProfile(name string) error {
	p, ok := profiles[name]
	if !ok {
		return fmt.Errorf("node: there is no profile %q: choose lan or wan, or leave it out for several nodes on one computer", name)
	}
	for _, d := range []struct {
		to    *time.Duration
		value time.Duration
	}{
		{&c.Election, p.Election}, {&c.PeerTimeout, p.PeerTimeout}, {&c.DialTimeout, p.DialTimeout}, {&c.WriteTimeout, p.WriteTimeout},
		{&c.ReadTimeout, p.ReadTimeout}, {&c.CheckpointInterval, p.CheckpointInterval},
	} {
		if *d.to == 0 {
			*d.to = d.value
		}
	}
	return nil
}
