package node

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// skewed is a cluster of which each node's clock can be set.
func skewed(t *testing.T) (*cluster, map[string]*atomic.Int64) {
	c := newClusterOf(t, 3, nil)
	ahead := map[string]*atomic.Int64{}
	for id, m := range c.nodes {
		by := &atomic.Int64{}
		ahead[id] = by
		m.tune = func(c *Config) { c.Clock = func() time.Time { return time.Now().Add(time.Duration(by.Load())) } }
		c.startNode(m)
	}
	return c, ahead
}

// logTime is the newest stamp that a node knows.
func (c *cluster) logTime(id string) time.Time {
	n := c.get(id)
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	return n.machine.state.LogTime()
}

// TestWrongClock: a leader whose clock goes wrong gives its leadership away, and writes go on
// with right stamps. The control has clocks that are a little off, as clocks are.
func TestWrongClock(t *testing.T) {
	for name, by := range map[string]time.Duration{"an hour ahead": time.Hour, "an hour behind": -time.Hour, "control: three seconds ahead": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, ahead := skewed(t)
				defer c.close()
				wrong := c.leader()
				c.mustSubmit(wrong, "Voor de klok")
				ahead[wrong].Store(int64(by))
				time.Sleep(2 * clockEvery)
				if now := c.leader(); (now != wrong) != (by.Abs() > clockTolerance) {
					t.Errorf("%s leads, the clock of %s is %v ahead", now, wrong, by)
				}
				for _, id := range c.ids() {
					c.mustSubmit(id, "Na de klok "+id)
				}
				if off := time.Until(c.logTime(wrong)).Abs(); off > clockTolerance {
					t.Errorf("the newest stamp is %v off", off)
				}
				c.sameLogs()
			})
		})
	}
}

// TestOneClockAgainstAnother: with two nodes left nobody can tell which clock is wrong. Nothing
// is stamped, reads are answered, and with the clock set writes go on.
func TestOneClockAgainstAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, ahead := skewed(t)
		defer c.close()
		lead := c.leader()
		for _, id := range c.ids() {
			if id != lead {
				c.stopNode(id)
				break
			}
		}
		ahead[lead].Store(int64(time.Hour))
		time.Sleep(2 * clockEvery)
		if o, err := c.submit(c.leader(), c.application("Zonder zekere tijd", time.Now())); err == nil && o.Err() == nil {
			t.Errorf("a write was acknowledged: %+v", o)
		}
		if got := time.Until(c.logTime(lead)); got > time.Minute {
			t.Errorf("stamped %v ahead", got)
		}
		if size, err := c.linearizable(c.leader()); err != nil || size != 1 {
			t.Errorf("a read: %d, %v", size, err)
		}
		ahead[lead].Store(0)
		time.Sleep(2 * clockEvery)
		if o, err := c.submit(c.leader(), c.application("Met zekere tijd", time.Now())); err != nil || o.Err() != nil {
			t.Errorf("%+v, %v", o, err)
		}
	})
}
