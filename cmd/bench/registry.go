package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"paspoort.example/paspoort/internal/bench"
	"paspoort.example/paspoort/specs/registry"
)

// registryRows measure the registry over real nodes: a write is an application that comes in
// over HTTP, is checked, ordered by raft over mutual TLS, on the disks of a quorum, applied and
// answered. The limit of a write is one append of as many bytes with fsync in the same folder;
// that of a read is an HTTP answer of the same bytes that are there already.
func registryRows() []bench.Row {
	return []bench.Row{
		{Name: "registry-write-1", Setup: writes(1, 1)},
		{Name: "registry-write-3", Setup: writes(3, 1)},
		{Name: "registry-write-3-64-at-once", Setup: writes(3, 64)},
		{Name: "registry-read", Setup: reads(registry.Stale)},
		{Name: "registry-read-linearizable", Setup: reads(registry.Linearizable)},
	}
}

const (
	writeOps = 400
	readOps  = 4000
)

var errTmpfs = errors.New("the folder is in memory: there a sync costs nothing; run this where the disk is")

// benchFolder is a new folder beside the program's sources, on the disk that they are on.
func benchFolder() (string, error) {
	if err := os.MkdirAll("build", 0o755); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("build", "bench-registry-")
	if err != nil {
		return "", err
	}
	const tmpfs = 0x01021994 // statfs(2), TMPFS_MAGIC
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return "", fmt.Errorf("look at %s: %w", dir, err)
	}
	if fs.Type == tmpfs {
		return "", errors.Join(errTmpfs, os.RemoveAll(dir))
	}
	return dir, nil
}

// world is a cluster in a folder of its own.
func world(size int) (*cluster, string, func(), error) {
	dir, err := benchFolder()
	if err != nil {
		return nil, "", nil, err
	}
	c, err := startCluster(dir, size)
	if err != nil {
		return nil, "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, dir, func() {
		if err := errors.Join(c.close(), os.RemoveAll(dir)); err != nil {
			fmt.Fprintln(os.Stderr, "bench: stop the nodes:", err)
		}
	}, nil
}

// writes measures rounds of so many writes at once; an operation is one round.
func writes(nodes, atOnce int) func() (*bench.Case, error) {
	return func() (*bench.Case, error) {
		c, dir, stop, err := world(nodes)
		if err != nil {
			return nil, err
		}
		ops := writeOps / (1 + atOnce/8)
		events, err := composeAll(c.genesis, ops*atOnce)
		if err != nil {
			stop()
			return nil, err
		}
		raw, err := events[0].Marshal()
		if err != nil {
			stop()
			return nil, err
		}
		file, err := os.Create(filepath.Join(dir, "fsync"))
		if err != nil {
			stop()
			return nil, err
		}
		return &bench.Case{
			Subject: func(i int) error { return c.write(events[i*atOnce : (i+1)*atOnce]) },
			Limit: func(int) error {
				for range atOnce {
					if _, err := file.Write(raw); err != nil {
						return err
					}
					if err := file.Sync(); err != nil {
						return err
					}
				}
				return nil
			},
			Ops: ops, Round: max(ops/20, 1),
			Close: func() { _ = file.Close(); stop() },
		}, nil
	}
}

func composeAll(genesis string, n int) ([]registry.SignedEvent, error) {
	events := make([]registry.SignedEvent, n)
	for i := range events {
		var err error
		if events[i], err = application(genesis); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// write submits events at once and wants all of them in the log.
func (c *cluster) write(events []registry.SignedEvent) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	errs := make([]error, len(events))
	var wg sync.WaitGroup
	for i, e := range events {
		wg.Go(func() {
			out, err := c.leader.Submit(ctx, registry.Submission{Event: e})
			for err != nil && ctx.Err() == nil { // an election: sending again does no harm
				out, err = c.leader.Submit(ctx, registry.Submission{Event: e})
			}
			if err == nil && out.Index == nil {
				err = errors.New("the event did not enter the log")
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// reads asks the leader of three nodes for one organisation.
func reads(how registry.Consistency) func() (*bench.Case, error) {
	return func() (*bench.Case, error) {
		c, _, stop, err := world(3)
		if err != nil {
			return nil, err
		}
		e, err := application(c.genesis)
		if err == nil {
			err = c.write([]registry.SignedEvent{e})
		}
		if err != nil {
			stop()
			return nil, err
		}
		org := e.Event.Subject[len(registry.OrganisationParty("")):]
		path := "/v1/organisations/" + org + "?consistency=" + string(how)
		answer, err := get(c.leader, path)
		for until := time.Now().Add(patience); err != nil && time.Now().Before(until); { // a follower applies a moment later
			answer, err = get(c.leader, path)
		}
		if err != nil {
			stop()
			return nil, err
		}
		bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer)
		}))
		limit := registry.Client{HTTP: c.leader.HTTP, URL: bare.URL}
		return &bench.Case{
			Subject: func(int) error { _, err := get(c.leader, path); return err },
			Limit:   func(int) error { _, err := get(limit, path); return err },
			Ops:     readOps, Round: readOps / 20,
			Close: func() { bare.Close(); stop() },
		}, nil
	}
}

func get(c registry.Client, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", res.StatusCode)
	}
	return body, nil
}
