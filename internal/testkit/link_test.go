package testkit_test

import (
	"io"
	"net"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
)

// echo answers everything with itself.
func echo(t *testing.T) string {
	l := testkit.Listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	return l.Addr().String()
}

// say sends a byte and waits for it to come back, up to a while.
func say(t *testing.T, c net.Conn, patience time.Duration) error {
	t.Helper()
	if _, err := c.Write([]byte("x")); err != nil {
		return err
	}
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

func TestLink(t *testing.T) {
	const soon, late = 50 * time.Millisecond, 10 * time.Second
	for name, bad := range map[string]func(*testkit.Link){
		"held there": (*testkit.Link).HoldThere, "held back": (*testkit.Link).HoldBack,
		"slow": func(l *testkit.Link) { l.Slow(300 * time.Millisecond) }, "cut": (*testkit.Link).Cut,
	} {
		t.Run(name, func(t *testing.T) {
			l := testkit.NewLink(t, echo(t))
			dial := func() net.Conn {
				c, err := net.Dial("tcp", l.Addr())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				return c
			}
			c := dial()
			if err := say(t, c, late); err != nil {
				t.Fatal(err)
			}
			bad(l)
			if err := say(t, c, soon); err == nil {
				t.Error("it came through at once")
			}
			l.Free()
			if name == "cut" {
				c = dial()
			}
			if err := say(t, c, late); err != nil {
				t.Errorf("after it: %v", err)
			}
		})
	}
}
