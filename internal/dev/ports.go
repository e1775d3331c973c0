package dev

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"

	"paspoort.example/paspoort/internal/conf"
)

// settings are chosen when a region is made and never change: its identifiers
// contain them.
type settings struct {
	TLS   bool           `json:"tls"`
	Ports map[string]int `json:"ports"`
}

const settingsFile = "settings.json"

// settle reads the settings of the folder, or chooses them: free ports, once.
func settle(l layout, tls bool, names []string) (settings, error) {
	file := l.path(settingsFile)
	var s settings
	found, err := readJSON(file, &s)
	if err != nil {
		return s, err
	}
	if found {
		return s, s.check(l, tls, names)
	}
	if s.Ports, err = freePorts(names); err != nil {
		return s, err
	}
	s.TLS = tls
	return s, writeJSON(file, s)
}

// check holds settings that exist against what is asked, and each port against the
// programs that run now.
func (s settings) check(l layout, tls bool, names []string) error {
	if s.TLS != tls {
		had, want := "http", "https"
		if s.TLS {
			had, want = want, had
		}
		return fmt.Errorf("the region in %s speaks %s and its identifiers say so: it cannot go on over %s; choose another folder with --data", l.dir, had, want)
	}
	var faults []error
	for _, name := range names {
		if s.Ports[name] == 0 {
			return fmt.Errorf("the region in %s has no port for %s: it was made by another version; choose another folder with --data", l.dir, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Ports)) {
		listener, err := conf.Open(s.address(name))
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
			continue
		}
		faults = append(faults, listener.Close())
	}
	return errors.Join(faults...)
}

// address is where a process listens; others find it as localhost.
func (s settings) address(name string) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Ports[name]))
}

// url is the public address of a process. It says localhost, so that a certificate
// has a name to be for.
func (s settings) url(name string) string {
	scheme := "http"
	if s.TLS {
		scheme = "https"
	}
	return scheme + "://localhost:" + strconv.Itoa(s.Ports[name])
}

// freePorts asks the system for ports that are free, all at the same time so that
// none comes twice.
func freePorts(names []string) (map[string]int, error) {
	out := map[string]int{}
	for _, name := range names {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("choose a free port: %w", err)
		}
		defer listener.Close()
		out[name] = listener.Addr().(*net.TCPAddr).Port
	}
	return out, nil
}
