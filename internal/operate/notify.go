package operate

import (
	"context"
	"net"
	"os"
	"strconv"
	"time"
)

// Manager is the service manager that started this process, if it wants to hear from it
// (sd_notify(3)). The zero value speaks to nobody.
type Manager struct {
	socket string
	every  time.Duration // between signs of life; zero when none are wanted
}

// ManagerOf reads what the service manager put into the environment.
func ManagerOf(getenv func(string) string) Manager {
	m := Manager{socket: getenv("NOTIFY_SOCKET")}
	if us, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && us > 0 {
		if pid := getenv("WATCHDOG_PID"); pid == "" || pid == strconv.Itoa(os.Getpid()) {
			m.every = time.Duration(us) * time.Microsecond / 3
		}
	}
	return m
}

// Say sends a state, such as READY=1 or STOPPING=1. That nobody listens is no error: the
// manager may be gone, the service goes on.
func (m Manager) Say(state string) {
	if m.socket == "" {
		return
	}
	name := m.socket
	if name[0] == '@' { // an abstract socket
		name = "\x00" + name[1:]
	}
	conn, err := net.Dial("unixgram", name)
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state))
}

// Alive gives a sign of life as often as the manager wants one, as long as alive says so. A
// process that hangs is then started again.
func (m Manager) Alive(ctx context.Context, alive func() bool) error {
	if m.socket == "" || m.every == 0 {
		return nil
	}
	for {
		if alive() {
			m.Say("WATCHDOG=1")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(m.every):
		}
	}
}
