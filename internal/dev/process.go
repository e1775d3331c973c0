package dev

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// patience is how long a process may take to end by itself.
const patience = 30 * time.Second

// Process is one started process.
type Process struct {
	Name string
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
	err  error         // how it ended; read after done
}

// Pid is its number at the system.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Alive says whether it has not ended.
func (p *Process) Alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Kill ends the process with SIGKILL: no goodbye, as when a machine fails.
func (p *Process) Kill() error {
	err := p.cmd.Process.Kill()
	<-p.done
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Stop asks the process to end, and waits. One that does not listen is killed, and
// that is an error.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	select {
	case <-p.done:
		if p.err != nil && !p.terminated() {
			return p.failure()
		}
		return nil
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("%s did not end within %v and was killed; see %s", p.Name, patience, p.log), p.Kill())
	}
}

// terminated says whether the process ended because it was asked so early that it
// did not listen to signals yet.
func (p *Process) terminated() bool {
	exit, ok := errors.AsType[*exec.ExitError](p.err)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGTERM
}

// failure says how the process ended and what it said last.
func (p *Process) failure() error {
	return fmt.Errorf("%s ended (%v); %s", p.Name, p.err, lastWords(p.log))
}

// lastWords are the last lines of a log, or where it is.
func lastWords(path string) string {
	body, err := os.ReadFile(path)
	if err != nil {
		return "its log is " + path
	}
	lines := bytes.Split(bytes.TrimSpace(body), []byte("\n"))
	last := lines[max(0, len(lines)-3):]
	return fmt.Sprintf("it said last, in %s:\n  %s", path, bytes.Join(last, []byte("\n  ")))
}

// starter starts processes that end when this program does, however it ends.
//
// Linux ties that wish to the thread which started the process (prctl(2),
// PR_SET_PDEATHSIG), so one thread starts them all and lives as long as the starter.
type starter struct{ ask chan func() }

func newStarter() *starter {
	s := &starter{ask: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for f := range s.ask {
			f()
		}
	}()
	return s
}

// close ends the thread; processes that still run are asked to end.
func (s *starter) close() { close(s.ask) }

// start runs the program with its output in a log file. The process gets a group of
// its own: a Ctrl-C in the terminal reaches us, and we end it in order.
func (s *starter) start(name, program string, args []string, logFile string) (*Process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes()
	started := make(chan error)
	s.ask <- func() { started <- cmd.Start() }
	err = <-started
	closed := log.Close() // the process has its own
	if err = errors.Join(err, closed); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{Name: name, cmd: cmd, log: logFile, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}
