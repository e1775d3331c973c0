package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
)

// DemoOptions say where the demo runs and what it tells.
type DemoOptions struct {
	// Dir is the folder of the region. Empty means a new one, which is removed when
	// the demo ends well.
	Dir string
	// Program is the paspoort binary.
	Program string
	// Out gets one line per step; Log what happens in between.
	Out, Log io.Writer
	// Dress decorates the name of a step for a terminal. Nil leaves it plain.
	Dress func(name string) string
	// Before is called before the processes are ended, when every step up to then
	// went well, for tests that look at what is left behind. Nil means nothing.
	Before func(*World) error
}

// demo is the main job in progress.
type demo struct {
	*World
	o      DemoOptions
	holder *holder

	offers   []offer      // made by the opleider, for all participants
	modules  []credential // of the holder, as the opleider's API lists them
	answer   shown        // what the holder last showed
	verdict  paspoort.Verdict
	snapshot string // file
	lists    string // folder with status lists
	evidence string // file with the credentials that were shown
}

// step is one step of the main job. do returns the line that tells it.
type step struct {
	name string
	do   func(*demo, context.Context) (string, error)
}

var steps = []step{
	{"found", (*demo).found},
	{"offer", (*demo).offer},
	{"accept", (*demo).accept},
	{"present", (*demo).present},
	{"verify", (*demo).verify},
	{"crash", (*demo).crash},
	{"abroad", (*demo).abroad},
	{"status", (*demo).status},
	{"offline", (*demo).offline},
}

// Demo runs the main job on a region of its own: each step really happens, in
// processes, and is checked; the first thing that is not as it should be ends the
// demo with an error.
func Demo(ctx context.Context, o DemoOptions) (err error) {
	dir := o.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "paspoort-demo-"); err != nil {
			return err
		}
		defer func() {
			if err == nil || ctx.Err() != nil {
				err = errors.Join(err, os.RemoveAll(dir))
			}
		}()
	}
	if _, err := os.Stat(layout{dir}.path(settingsFile)); err == nil {
		return fmt.Errorf("there is a region in %s already, and the demo ends with a fraud: choose a new folder with --data", dir)
	}
	if o.Dress == nil {
		o.Dress = func(name string) string { return name }
	}
	say := func(text string) { fmt.Fprintln(o.Log, "  "+text) }
	world, err := open(Options{Dir: dir, TLS: true, Program: o.Program, Say: say})
	if err != nil {
		return err
	}
	d := &demo{World: world, o: o}
	for i, s := range steps {
		begin := time.Now()
		line, err := s.do(d, ctx)
		if ctx.Err() != nil {
			return errors.Join(errors.New("the demo was stopped"), world.Stop())
		}
		if err != nil {
			return errors.Join(fmt.Errorf("step %d (%s): %w; the folder is kept: %s", i+1, s.name, err, dir), world.Stop())
		}
		fmt.Fprintf(o.Out, "%d %s %s (%.1f s)\n", i+1, o.Dress(fmt.Sprintf("%-8s", s.name)), line, time.Since(begin).Seconds())
	}
	return world.Stop()
}

// found is step 1: the region, and who is admitted to it.
func (d *demo) found(ctx context.Context) (string, error) {
	if err := d.up(ctx); err != nil {
		return "", err
	}
	certificates, names := 0, ""
	for i, o := range d.organisations {
		certificates += len(o.certificates())
		if i > 0 {
			names += ", "
		}
		names += fmt.Sprintf("%s (%s)", o.name, o.role)
	}
	return fmt.Sprintf("%s %s: %d members of four groups, %d nodes; admitted by two groups each: %s; %d certificates recorded; beside it %s %s",
		d.name, short(d.Genesis), len(d.members), len(d.nodes), names, certificates, d.Neighbour.name, short(d.Neighbour.Genesis)), nil
}

func short(hash string) string { return hash[:min(12, len(hash))] }

// expect makes an error of something that is not as it should be.
func expect(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// eventually tries check until it succeeds, and gives its last error when it does
// not in time.
func eventually(ctx context.Context, patience time.Duration, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", patience, err)
		case <-tick.C:
		}
	}
}
