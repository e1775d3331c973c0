package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/dev"
	"paspoort.example/paspoort/internal/privacyscan"
)

// planted are the names of people in the sample data that the demo uses. None may
// be left behind anywhere: not on a disk, in a log or in a metric.
var planted = []string{"Samira", "Voorbeeld-Idrissi", "Testerveen", "Agnieszka", "Proefowska", "Modelpersad", "Schijnstra", "Fictihabte"}

// known stands in the registry, so on every node's disk: if the scan does not find
// it there, it finds nothing.
const known = "Opleidingshuis De Vaart"

// TestDemo runs the whole demo in real processes, this test binary as the program,
// and then looks at everything that is left behind.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo starts a dozen processes; run without -short")
	}
	t.Setenv("PASPOORT_TEST_PROGRAM", "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	scanned := false
	err = dev.Demo(t.Context(), dev.DemoOptions{
		Dir: t.TempDir() + "/region", Program: self, Out: &out, Log: t.Output(),
		Before: func(w *dev.World) error {
			scanned = true
			return leftBehind(t, w)
		},
	})
	if err != nil {
		t.Errorf("%v\nuntil then:\n%s", err, out.String())
	}
	t.Log("\n" + out.String())
	if got := strings.Count(out.String(), "\n"); err == nil && (got != 8 || !scanned) {
		t.Errorf("got %d lines, want one for each of 8 steps, and the scan %v", got, scanned)
	}
}

// leftBehind scans the folder of the region and the metrics of its processes.
func leftBehind(t *testing.T, w *dev.World) error {
	scanner, err := privacyscan.New(planted...)
	if err != nil {
		return err
	}
	report, err := scanner.Tree(w.Dir())
	if err != nil {
		return err
	}
	t.Logf("scanned %d files, %d stores with %d entries, %d bytes", report.Files, report.Stores, report.Entries, report.Bytes)
	findings := report.Findings
	for name, url := range w.Addresses() {
		body, _, err := w.HTTP.Get(t.Context(), url+"/metrics")
		if err != nil {
			return err
		}
		findings = append(findings, scanner.Bytes("metrics of "+name, body)...)
	}
	for _, f := range findings {
		err = errors.Join(err, fmt.Errorf("a person's name is left behind: %v", f))
	}
	return errors.Join(err, control(w))
}

// control scans the nodes for a word that must be there.
func control(w *dev.World) error {
	scanner, err := privacyscan.New(known)
	if err != nil {
		return err
	}
	for name := range w.Addresses() {
		if !strings.HasPrefix(name, "knoop-") {
			continue
		}
		report, err := scanner.Tree(w.Dir() + "/" + name)
		if err != nil {
			return err
		}
		if len(report.Findings) == 0 {
			return fmt.Errorf("control: %q is not found on the disk of %s, so the scan sees nothing", known, name)
		}
	}
	return nil
}

// TestDevRefuses tries what must not start a region.
func TestDevRefuses(t *testing.T) {
	var out, errs bytes.Buffer
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"dev", "--data", file}, strings.NewReader(""), &out, &errs); code != exitFailed {
		t.Errorf("a file for a folder: got exit code %d", code)
	}
	if code := run(t.Context(), []string{"dev", "extra"}, strings.NewReader(""), &out, &errs); code != exitUsage {
		t.Errorf("an argument: got exit code %d", code)
	}
}
