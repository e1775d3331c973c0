package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"paspoort.example/paspoort/internal/bench"
	"paspoort.example/paspoort/node"
)

// cluster is a region whose nodes are processes: raft over mutual TLS on loopback, each with a
// folder on disk, fsync on.
type cluster struct {
	*region
	profile string
	nodes   []*process
	http    *http.Client
}

type process struct {
	cmd *exec.Cmd
	url string
	own atomic.Int64 // most memory, kB
}

// startCluster starts all nodes of a region and waits until one leads.
func startCluster(r *region, profile string) (*cluster, error) {
	c := &cluster{region: r, profile: profile, nodes: make([]*process, len(r.configs)),
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512}}}
	for i := range c.nodes {
		if err := c.start(i); err != nil {
			return nil, errors.Join(err, c.stop())
		}
	}
	if _, err := c.leader(); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// start starts a node; it returns when the node has told its address.
func (c *cluster) start(i int) error {
	path, err := c.write(i, c.profile)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(c.dir, c.configs[i].ID+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"="+path)
	cmd.ExtraFiles, cmd.Stderr = []*os.File{c.listeners[i]}, log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return errors.Join(fmt.Errorf("%s did not start; see %s", c.configs[i].ID, log.Name()), cmd.Process.Kill(), cmd.Wait())
	}
	c.nodes[i] = &process{cmd: cmd, url: strings.TrimSpace(url)}
	go c.nodes[i].watch()
	return nil
}

// kill ends a node as a power cut of its process would: SIGKILL.
func (c *cluster) kill(i int) error {
	p := c.nodes[i]
	if p == nil {
		return nil
	}
	c.nodes[i] = nil
	err := p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed
	return err
}

func (c *cluster) stop() error {
	var errs []error
	for i := range c.nodes {
		errs = append(errs, c.kill(i))
	}
	return errors.Join(errs...)
}

// running are the nodes that were not killed.
func (c *cluster) running() iter.Seq2[int, *process] {
	return func(yield func(int, *process) bool) {
		for i, p := range c.nodes {
			if p != nil && !yield(i, p) {
				return
			}
		}
	}
}

// status asks a node how it is doing.
func (c *cluster) status(i int) (s node.Status, err error) {
	raw, err := c.get(i, "/v1/status")
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	return s, err
}

// leader waits until a node leads and has the founding event, and says which.
func (c *cluster) leader() (int, error) {
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		for i := range c.running() {
			if s, err := c.status(i); err == nil && s.State == "leader" && s.Leaves > 0 {
				return i, nil
			}
		}
	}
	return 0, fmt.Errorf("no leader within %v", patience)
}

// settled waits until all running nodes have the same number of leaves.
func (c *cluster) settled() error {
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		sizes := map[uint64]bool{}
		for i := range c.running() {
			s, err := c.status(i)
			if err != nil || s.Leader == "" {
				sizes[0] = true
			}
			sizes[s.Leaves] = true
		}
		if len(sizes) == 1 && !sizes[0] {
			return nil
		}
	}
	return errors.New("the nodes do not catch up with each other")
}

// cpu is the processor time that the nodes have used.
func (c *cluster) cpu() (sum time.Duration, err error) {
	for _, p := range c.running() {
		var t unix.Timespec
		clock := int32(^p.cmd.Process.Pid)<<3 | 2 // the process clock of another process, clock_getcpuclockid(3)
		if err := unix.ClockGettime(clock, &t); err != nil {
			return 0, err
		}
		sum += time.Duration(t.Nano())
	}
	return sum, nil
}

// watch notes the most memory of its own that a process has, until it is gone. The system keeps
// such a mark only of all memory, and that counts pages of files that it may take back.
func (p *process) watch() {
	for {
		own, _, err := memory(p.cmd.Process.Pid)
		if err != nil {
			return
		}
		p.own.Store(max(p.own.Load(), own))
		time.Sleep(20 * time.Millisecond)
	}
}

// peak is the most memory in MB that any node has had since it started: of its own, and with
// pages of its files.
func (c *cluster) peak() (own, all float64, err error) {
	for _, p := range c.running() {
		_, mark, err := memory(p.cmd.Process.Pid)
		if err != nil {
			return 0, 0, err
		}
		own, all = max(own, float64(p.own.Load())/1024), max(all, float64(mark)/1024)
	}
	return own, all, nil
}

// memory is what a process has now of its own, and the most that it had of all, in kB.
func memory(pid int) (own, mark int64, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(raw)) {
		for name, to := range map[string]*int64{"RssAnon:": &own, "VmHWM:": &mark} {
			if rest, ok := strings.CutPrefix(line, name); ok {
				if *to, err = strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64); err != nil {
					return 0, 0, err
				}
			}
		}
	}
	if own == 0 || mark == 0 {
		return 0, 0, errors.New("the system does not tell how much memory a node takes")
	}
	return own, mark, nil
}

// memoryFigure is the peak, with the aim.
func (c *cluster) memoryFigure(name string) (bench.Figure, error) {
	own, all, err := c.peak()
	f := bench.NewFigure(name, own, "MB", 0, aimMemory)
	f.Note = fmt.Sprintf("%.0f with pages of its files", all)
	return f, err
}

func (c *cluster) get(i int, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return fetch(ctx, c.http, c.nodes[i].url+path, nil)
}
