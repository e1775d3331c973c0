package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/paspoort"
)

// TestMain lets the test binary be the program itself: in scripts, and for the
// processes of a region.
func TestMain(m *testing.M) {
	if os.Getenv("PASPOORT_TEST_PROGRAM") == "1" {
		main()
	}
	testscript.Main(m, map[string]func(){"paspoort": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}})
}

// TestScripts plays the journeys in testdata/script: what a person types and sees.
//
//	code N COMMAND...   runs a command that must end with exit code N
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		Setup:         func(env *testscript.Env) error { return evidenceFiles(t, env) },
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"code": exitCode},
		UpdateScripts: os.Getenv("PASPOORT_UPDATE_SCRIPTS") != "",
	})
}

func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("%q is no exit code", args[0])
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = failed.ExitCode()
	}
	if got != want {
		ts.Fatalf("got exit code %d, want %d", got, want)
	}
}

// evidenceFiles puts a region's snapshot, credentials and a status list in the
// folder of a script, and the region's id in $GENESIS. A second region, which knows
// none of them, is other.snapshot with $OTHER.
func evidenceFiles(t *testing.T, env *testscript.Env) error {
	clock := func() time.Time { return time.Now().UTC() }
	region, other := evidencetest.New(t, clock), evidencetest.New(t, clock)
	issuer := region.Issuer("vaart.example", paspoort.Opleiding)
	good := issuer.Issue(paspoort.Opleiding, testkit.P256(t).Public()).String()
	broken := good[:len(good)/3] + flip(good[len(good)/3]) + good[len(good)/3+1:]
	files := map[string][]byte{
		"region.snapshot": region.Snapshot(), "other.snapshot": other.Snapshot(),
		"good.txt": []byte(good + "\n"), "broken.txt": []byte(broken),
		"lists/vaart": []byte(issuer.StatusToken()),
	}
	env.Setenv("GENESIS", region.Follower().Genesis())
	env.Setenv("OTHER", other.Follower().Genesis())
	env.Setenv("LANG", "nl_NL.UTF-8")
	for name, body := range files {
		path := filepath.Join(env.WorkDir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, body, 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// flip gives another character of base64url.
func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}
