package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"paspoort.example/paspoort/internal/bench"
	"paspoort.example/paspoort/specs/registry"
)

// largeWorkers is how many writes at once fill a region.
const largeWorkers = 256

// largeFigures fills a region of so many nodes with so many entries, as any other writes, and
// measures what its length does to starting and to memory.
func largeFigures(entries, nodes int) (out []bench.Figure, err error) {
	dir, err := benchFolder()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r, err := newRegion(dir, nodes, time.Now())
	if err != nil {
		return nil, err
	}
	defer r.close()
	c, err := startCluster(r, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	name := fmt.Sprintf("%d entries, %d nodes: ", entries, nodes)
	start := time.Now()
	if err := c.fill(entries); err != nil {
		return nil, err
	}
	took := time.Since(start).Seconds()
	peak, err := c.memoryFigure(name + "peak memory of a node that was filled")
	if err != nil {
		return nil, err
	}
	peak.Note += fmt.Sprintf("; filled in %.0f s", took)
	out = append(out, peak)
	more, err := c.startFigures(name)
	return append(out, more...), err
}

// fill writes events, made on the way: they would take a gigabyte.
func (c *cluster) fill(entries int) error {
	leader, err := c.leader()
	if err != nil {
		return err
	}
	key, _, err := newKey()
	if err != nil {
		return err
	}
	_, err = atOnce(entries, largeWorkers, func(int) error {
		e, err := application(c.genesis, key, time.Now())
		if err != nil {
			return err
		}
		raw, err := (registry.Submission{Event: e}).Marshal()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for err = c.submit(ctx, leader, raw); err != nil && ctx.Err() == nil; { // another leads, or is busy: sending again does no harm
			time.Sleep(lookAgain)
			err = c.submit(ctx, leader, raw)
		}
		return err
	})
	return errors.Join(err, c.settled())
}

const lookAgain = 50 * time.Millisecond

// startFigures kills and starts: one node, several times, then all.
func (c *cluster) startFigures(name string) ([]bench.Figure, error) {
	var one, all []float64
	for range 3 {
		last := len(c.nodes) - 1
		if err := c.kill(last); err != nil {
			return nil, err
		}
		start := time.Now()
		if err := errors.Join(c.start(last), c.firstRead(last)); err != nil {
			return nil, err
		}
		one = append(one, millis(time.Since(start)))
		if err := c.settled(); err != nil {
			return nil, err
		}
		took, err := c.coldStart()
		if err != nil {
			return nil, err
		}
		all = append(all, millis(took))
	}
	fresh, err := c.memoryFigure(name + "memory of a node that started")
	return []bench.Figure{
		bench.NewFigure(name+"restart of a node to read", bench.Median(one), "ms", 0, aimRestart),
		bench.NewFigure(name+"all killed, start to write", bench.Median(all), "ms", 0, 0),
		fresh,
	}, err
}
