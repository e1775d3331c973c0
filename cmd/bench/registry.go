package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/bench"
)

// The registry is measured over three nodes, each a process: a write is an application of about
// 1 KB that comes in over HTTP, is checked, ordered by raft over mutual TLS, on the disks of a
// quorum, applied and answered. All writes go to the node that leads.

// Aims. Absolute ones hold for the machine that they were set on; ratios travel.
const (
	aimCPU      = 226 // us of three nodes for a write at 128 at once, without signature checks
	aimP50      = 1.2 // ms of a write at 1 at once
	aimFailover = 500 // ms in the LAN profile
	aimRestart  = 300 // ms of one node
	aimMemory   = 200 // MB of a node
)

// size says how long the registry is measured.
type size struct {
	writes map[int]int // at once -> writes in a round
	reads  int         // in a round
	rounds int
	kills  map[string]int // by profile
}

var (
	whole = size{writes: map[int]int{1: 100, 16: 400, 128: 1280}, reads: 2000, rounds: 5, kills: map[string]int{"lan": 5, "wan": 2}}
	brief = size{writes: map[int]int{1: 10, 16: 32, 128: 128}, reads: 100, rounds: 1, kills: map[string]int{"lan": 1}}
)

// registryFigures measures a region.
func registryFigures(s size) ([]bench.Figure, error) {
	dir, err := benchFolder()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	l, err := newLimit(dir, 3)
	if err != nil {
		return nil, err
	}
	defer l.close()
	r, err := newRegion(dir, 3, time.Now())
	if err != nil {
		return nil, err
	}
	defer r.close()
	audited, err := auditFigures(dir, l, s)
	if err != nil {
		return nil, err
	}
	load, err := loadFigures(r, l, s)
	load = append(audited, load...)
	if err != nil {
		return load, err
	}
	for _, profile := range []string{"lan", "wan"} {
		if s.kills[profile] == 0 {
			continue
		}
		more, err := killFigures(r, profile, s.kills[profile])
		load = append(load, more...)
		if err != nil {
			return load, fmt.Errorf("profile %s: %w", profile, err)
		}
	}
	return load, nil
}

// loadFigures are those of a cluster that runs: writes, reads, memory.
func loadFigures(r *region, l *limit, s size) (out []bench.Figure, err error) {
	c, err := startCluster(r, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	for _, workers := range []int{1, 16, 128} {
		w, err := c.writes(l, workers, s.writes[workers], s.rounds)
		if err != nil {
			return out, fmt.Errorf("writes, %d at once: %w", workers, err)
		}
		out = append(out, w.figures(workers)...)
	}
	syncs, err := c.syncFigures(2*s.writes[16], 16)
	if err != nil {
		return out, fmt.Errorf("syncs: %w", err)
	}
	out = append(out, syncs...)
	for _, consistency := range []string{"stale", "linearizable"} {
		f, err := c.reads(consistency, s)
		if err != nil {
			return out, fmt.Errorf("%s reads: %w", consistency, err)
		}
		out = append(out, f...)
	}
	peak, err := c.memoryFigure("peak memory of a node")
	return append(out, peak), err
}

// written is what rounds of writes came to, and of the limit in turns with them.
type written struct {
	took                []time.Duration
	rate, cpu           []float64 // of each round: writes a second, us of a write
	limitTook           []time.Duration
	limitRate, limitCPU []float64
	check               []float64 // us of a bare signature check
}

// writes measures rounds of n writes, so many at once, in turns with the limit.
func (c *cluster) writes(l *limit, workers, n, rounds int) (w written, err error) {
	events, err := compose(c.genesis, n*(rounds+1))
	if err != nil {
		return w, err
	}
	for i := range rounds + 1 {
		if i == 1 {
			w = written{} // the first round warms up
		}
		if err := w.subject(c, events[i*n:(i+1)*n], workers); err != nil {
			return w, err
		}
		if err := w.limit(l, n, workers); err != nil {
			return w, err
		}
	}
	return w, nil
}

func (w *written) subject(c *cluster, events [][]byte, workers int) error {
	leader, err := c.leader()
	if err != nil {
		return err
	}
	before, err := c.cpu()
	if err != nil {
		return err
	}
	start := time.Now()
	took, err := atOnce(len(events), workers, func(i int) error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return c.submit(ctx, leader, events[i])
	})
	if err != nil {
		return err
	}
	w.rate = append(w.rate, float64(len(events))/time.Since(start).Seconds())
	w.took = append(w.took, took...)
	if err := c.settled(); err != nil { // the followers' work belongs to it
		return err
	}
	after, err := c.cpu()
	w.cpu = append(w.cpu, micros(after-before)/float64(len(events)))
	return err
}

func (w *written) limit(l *limit, n, workers int) error {
	before, err := ownCPU()
	if err != nil {
		return err
	}
	start := time.Now()
	took, err := atOnce(n/workers, 1, func(int) error { return l.write(workers) })
	if err != nil {
		return err
	}
	after, err := ownCPU()
	if err != nil {
		return err
	}
	w.limitRate = append(w.limitRate, float64(n)/time.Since(start).Seconds())
	w.limitTook = append(w.limitTook, took...)
	w.limitCPU = append(w.limitCPU, micros(after-before)/float64(n))
	check, err := l.verify()
	w.check = append(w.check, micros(check))
	return err
}

func (w written) figures(workers int) []bench.Figure {
	name := fmt.Sprintf("write, %d at once: ", workers)
	nodes := 3.0
	cpu, check := bench.Median(w.cpu), bench.Median(w.check)
	out := []bench.Figure{
		bench.NewFigure(name+"rate", bench.Median(w.rate), "1/s", bench.Median(w.limitRate), 0),
		bench.NewFigure(name+"p50", millis(bench.Percentile(w.took, 0.5)), "ms", millis(bench.Percentile(w.limitTook, 0.5)), 0),
		bench.NewFigure(name+"p99", millis(bench.Percentile(w.took, 0.99)), "ms", millis(bench.Percentile(w.limitTook, 0.99)), 0),
		bench.NewFigure(name+"cpu", cpu, "us", bench.Median(w.limitCPU), 0),
		bench.NewFigure(name+"cpu, net", cpu-nodes*check, "us", 0, 0),
	}
	switch workers {
	case 1:
		out[1].Aim = aimP50
	case 128:
		out[4].Aim = aimCPU
	}
	out[4].Note = fmt.Sprintf("without %.0f checks of %.0f us", nodes, check)
	return out
}

// reads asks the leader for one organisation, 64 at once, in turns with a handler that has the
// same bytes at hand.
func (c *cluster) reads(consistency string, s size) ([]bench.Figure, error) {
	leader, err := c.leader()
	if err != nil {
		return nil, err
	}
	path := "/v1/region?consistency=" + consistency
	answer, err := c.get(leader, path)
	if err != nil {
		return nil, err
	}
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}))
	defer bare.Close()
	round := func(url string) (float64, error) {
		start := time.Now()
		_, err := atOnce(s.reads, 64, func(int) error {
			_, err := fetch(context.Background(), c.http, url, nil)
			return err
		})
		return float64(s.reads) / time.Since(start).Seconds(), err
	}
	var rate, limits, cpu []float64
	for range s.rounds {
		before, err := c.cpu()
		if err != nil {
			return nil, err
		}
		got, err := round(c.nodes[leader].url + path)
		if err != nil {
			return nil, err
		}
		after, err := c.cpu()
		if err != nil {
			return nil, err
		}
		most, err := round(bare.URL)
		if err != nil {
			return nil, err
		}
		rate, limits, cpu = append(rate, got), append(limits, most), append(cpu, micros(after-before)/float64(s.reads))
	}
	return []bench.Figure{
		bench.NewFigure(consistency+" reads, 64 at once: rate", bench.Median(rate), "1/s", bench.Median(limits), 0),
		bench.NewFigure(consistency+" reads, 64 at once: cpu", bench.Median(cpu), "us", 0, 0),
	}, nil
}

// killFigures kills the leader again and again, and then all at once.
func killFigures(r *region, profile string, kills int) (out []bench.Figure, err error) {
	c, err := startCluster(r, profile)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	var failover, restart, all []float64
	for range kills {
		took, again, err := c.failover()
		if err != nil {
			return nil, err
		}
		failover, restart = append(failover, millis(took)), append(restart, millis(again))
	}
	for range min(kills, 2) {
		took, err := c.coldStart()
		if err != nil {
			return nil, err
		}
		all = append(all, millis(took))
	}
	aims := map[string]float64{"lan": aimFailover}
	name := "profile " + profile + ": "
	out = []bench.Figure{
		bench.NewFigure(name+"leader killed to next write", bench.Median(failover), "ms", 0, aims[profile]),
		bench.NewFigure(name+"restart of a node to read", bench.Median(restart), "ms", 0, 0),
		bench.NewFigure(name+"all killed, start to write", bench.Median(all), "ms", 0, 0),
	}
	out[0].Note = fmt.Sprintf("%d kills, longest %.0f ms", kills, slices.Max(failover))
	return out, nil
}

// failover kills the leader and measures until a write comes through, then starts it again and
// measures until it answers a read.
func (c *cluster) failover() (failover, restart time.Duration, err error) {
	if err := c.settled(); err != nil {
		return 0, 0, err
	}
	leader, err := c.leader()
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	if err := c.kill(leader); err != nil {
		return 0, 0, err
	}
	if err := c.firstWrite(); err != nil {
		return 0, 0, err
	}
	failover = time.Since(start)
	start = time.Now()
	if err := c.start(leader); err != nil {
		return 0, 0, err
	}
	err = c.firstRead(leader)
	return failover, time.Since(start), err
}

// coldStart kills all nodes, starts them and measures until a write comes through.
func (c *cluster) coldStart() (time.Duration, error) {
	if err := c.settled(); err != nil {
		return 0, err
	}
	if err := c.stop(); err != nil {
		return 0, err
	}
	start := time.Now()
	if _, err := atOnce(len(c.nodes), len(c.nodes), c.start); err != nil {
		return 0, err
	}
	err := c.firstWrite()
	return time.Since(start), err
}

// firstWrite sends one event to all running nodes until one of them has it in the log.
func (c *cluster) firstWrite() error {
	events, err := compose(c.genesis, 1)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done := make(chan error, len(c.nodes))
	n := 0
	for i := range c.running() {
		n++
		go func() {
			err := errors.New("not tried")
			for err != nil && ctx.Err() == nil {
				if err = c.submit(ctx, i, events[0]); err != nil {
					time.Sleep(2 * time.Millisecond)
				}
			}
			done <- err
		}()
	}
	for range n {
		if err = <-done; err == nil {
			return nil
		}
	}
	return fmt.Errorf("no write came through: %w", err)
}

// firstRead asks a node until it answers.
func (c *cluster) firstRead(i int) error {
	var err error
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Millisecond) {
		if _, err = c.get(i, "/v1/region"); err == nil {
			return nil
		}
	}
	return err
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
