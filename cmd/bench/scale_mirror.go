package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/node"
	"paspoort.example/paspoort/specs/registry"
)

// scaleVariable names the file that makes this program a mirror that is measured; scaleBegan is
// when it was started, in nanoseconds.
const (
	scaleVariable = "PASPOORT_BENCH_MIRROR"
	scaleBegan    = "PASPOORT_BENCH_BEGAN"
)

// The stages of a mirror.
const (
	stageBegin = "begin" // it has nothing, and fetches all but the last day
	stageStart = "start" // it starts with what it has, and is asked
	stageGap   = "gap"   // it fetches the last day
)

const (
	askedEach = 200 // questions to each region
	lookEvery = 20 * time.Millisecond
)

type scaleStage struct{ Logs, Dir, Stage string }

type scaleResult struct {
	Seconds float64 // until the stage was done
	CPU     float64 // seconds of processors
	Idle    float64 // MB of its own, before it was asked
	Own     float64 // MB of its own, most
	All     float64 // MB with pages of its files, most
	Asked   int
	Answer  float64 // seconds of one answer
}

// runScaleChild is one stage; its result goes to standard output.
func runScaleChild(path string) error {
	var stage scaleStage
	var logs []*scaleLog
	began, err := strconv.ParseInt(os.Getenv(scaleBegan), 10, 64)
	if err == nil {
		err = readJSON(path, &stage)
	}
	if err == nil {
		err = readJSON(stage.Logs, &logs)
	}
	if err != nil {
		return err
	}
	node.LimitMemory()
	most := watchMemory()
	store, err := kv.OpenBadger(stage.Dir, kv.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		return err
	}
	r, err := stage.run(store, logs, time.Unix(0, began))
	if err == nil {
		r.Own, r.All, err = most()
	}
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func readJSON(path string, to any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, to)
}

func (s scaleStage) run(store kv.Store, logs []*scaleLog, began time.Time) (r scaleResult, err error) {
	var followers []*evidence.Follower
	turns := make(chan struct{}, runtime.GOMAXPROCS(0)) // as evidence.Neighbours has it
	for _, l := range logs {
		if err := l.open(); err != nil {
			return r, err
		}
		defer l.file.Close()
		if s.Stage == stageGap {
			l.note = 1
		}
		f, err := evidence.NewFollower(evidence.FollowerConfig{Genesis: l.Genesis, Sources: []evidence.Source{l}, Store: store, Turns: turns})
		if err != nil {
			return r, err
		}
		followers = append(followers, f)
	}
	if s.Stage == stageGap {
		began = time.Now()
	}
	// As a node does: all regions at once.
	group, ctx := errgroup.WithContext(context.Background())
	for _, f := range followers {
		group.Go(func() error { return f.Refresh(ctx) })
	}
	if err := group.Wait(); err != nil {
		return r, err
	}
	for i, f := range followers {
		if err := askMirror(f, logs[i], 1); err != nil {
			return r, err
		}
	}
	r.Seconds = time.Since(began).Seconds()
	cpu, err := ownCPU()
	r.CPU = cpu.Seconds()
	if err != nil || s.Stage != stageStart {
		return r, err
	}
	return s.ask(followers, logs, r)
}

// ask has each region asked about many organisations.
func (s scaleStage) ask(followers []*evidence.Follower, logs []*scaleLog, r scaleResult) (scaleResult, error) {
	own, _, err := memory(os.Getpid())
	if err != nil {
		return r, err
	}
	r.Idle = float64(own) / 1000
	start := time.Now()
	for i, f := range followers {
		if err := askMirror(f, logs[i], askedEach); err != nil {
			return r, err
		}
		r.Asked += askedEach
	}
	r.Answer = time.Since(start).Seconds() / float64(r.Asked)
	return r, nil
}

// askMirror asks whether organisations are admitted, some of all in the log.
func askMirror(f *evidence.Follower, l *scaleLog, n int) error {
	return f.View(context.Background(), registry.Stale, func(v registry.View, _ registry.ReadInfo) error {
		for i := range n {
			url := l.URLs[i*7919%(len(l.URLs)*9/10)]
			a, err := v.Admission(registry.Question{Lookup: registry.Lookup{URL: url}, Role: registry.Issuer, At: time.Now()})
			if err != nil || !a.Admitted {
				return fmt.Errorf("%s is not admitted: %s, %w", url, a.Code, err)
			}
		}
		return nil
	})
}

// watchMemory looks how much memory this process takes, until it is asked what the most was, in MB.
func watchMemory() func() (own, all float64, err error) {
	stop, done := make(chan struct{}), make(chan struct{})
	var most, mark int64
	var failed error
	look := func() {
		own, all, err := memory(os.Getpid())
		most, mark, failed = max(most, own), max(mark, all), errors.Join(failed, err)
	}
	go func() {
		defer close(done)
		for {
			look()
			select {
			case <-stop:
				return
			case <-time.After(lookEvery):
			}
		}
	}()
	return func() (float64, float64, error) {
		close(stop)
		<-done
		look()
		return float64(most) / 1000, float64(mark) / 1000, failed
	}
}
