package operate

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"
)

func TestManager(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	hear := func() string {
		t.Helper()
		l.SetReadDeadline(time.Now().Add(10 * time.Second))
		buf := make([]byte, 100)
		n, err := l.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	env := map[string]string{"NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "3000"}
	m := ManagerOf(func(name string) string { return env[name] })
	m.Say("READY=1")
	if got := hear(); got != "READY=1" {
		t.Errorf("got %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- m.Alive(ctx, func() bool { return true }) }()
	for range 2 {
		if got := hear(); got != "WATCHDOG=1" {
			t.Errorf("got %q", got)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	// Nobody to speak to, and signs of life meant for another process.
	ManagerOf(func(string) string { return "" }).Say("READY=1")
	env["WATCHDOG_PID"] = "1"
	if err := ManagerOf(func(name string) string { return env[name] }).Alive(t.Context(), nil); err != nil {
		t.Error(err)
	}
	env["NOTIFY_SOCKET"] = filepath.Join(t.TempDir(), "nowhere")
	ManagerOf(func(name string) string { return env[name] }).Say("READY=1")
}
