package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"paspoort.example/paspoort/internal/testkit"
)

// Program is a program of others' libraries in Go, which stands in a module of its own below this folder.
type Program struct{ path string }

// Build makes a program. Without its libraries the test is skipped, or fails when CI is set.
func Build(t testing.TB, name string) Program {
	t.Helper()
	dir := filepath.Join(testkit.Root(t), "internal", "interop", name)
	p := Program{filepath.Join(t.TempDir(), name)}
	run := func(args ...string) ([]byte, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*scriptTime)
		defer cancel()
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = dir
		return cmd.CombinedOutput()
	}
	if out, err := run("mod", "download"); err != nil {
		testkit.Missing(t, "the libraries of %s cannot be had: run `go mod download` in internal/interop/%s (%v)\n%s", name, name, err, out)
	}
	if out, err := run("build", "-mod=readonly", "-o", p.path, "."); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return p
}

// Run gives one of its jobs this input and decodes what it answers into output.
func (p Program) Run(t testing.TB, job string, input, output any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	exchange(t, exec.CommandContext(ctx, p.path, job), input, output)
}

// Start begins a job that serves for the length of a test. It decodes its first answer into output.
func (p Program) Start(t testing.TB, job string, input, output any) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(p.path, job)
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close() // that ends it
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Logf("%s: %v\n%s", job, err, stderr.Bytes())
		}
	})
	if err := json.NewEncoder(stdin).Encode(input); err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(stdout).Decode(output); err != nil {
		t.Fatalf("%s: %v", job, err)
	}
}

// exchange gives a command its input and decodes its output.
func exchange(t testing.TB, cmd *exec.Cmd, input, output any) {
	t.Helper()
	in, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.Bytes())
	}
	if err := json.Unmarshal(out, output); err != nil {
		t.Fatalf("%s answered %q: %v\n%s", cmd, out, err, stderr.Bytes())
	}
}
