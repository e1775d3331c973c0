package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestDeskTakesOwnProgramsOnly: of the sockets of this computer, that of another user, of one
// who closed it already, or of nobody is refused.
func TestDeskTakesOwnProgramsOnly(t *testing.T) {
	far, near := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711}
	row := func(from, to string, uid, inode int) string {
		return fmt.Sprintf("   0: %s %s 01 00000000:00000000 00:00000000 00000000 %5d        0 %d 1 0000000000000000 20 4 30 10 -1\n", from, to, uid, inode)
	}
	client, desk := inTable(far), inTable(near)
	me, other := os.Getuid(), os.Getuid()+1
	for name, tt := range map[string]struct {
		tables []string
		want   bool
	}{
		"mine":                          {[]string{row(client[1], desk[1], me, 7)}, true},
		"mine, as IPv6":                 {[]string{"", row(client[0], desk[0], me, 7)}, true},
		"of root":                       {[]string{row(client[1], desk[1], 0, 7)}, true},
		"of another":                    {[]string{row(client[1], desk[1], other, 7)}, false},
		"closed already":                {[]string{row(client[1], desk[1], 0, 0)}, false},
		"not there":                     {[]string{row(desk[1], client[1], me, 7)}, false},
		"of another, from 127.0.0.2":    {[]string{row(inTable(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: 40000})[1], desk[1], me, 7), row(client[1], desk[1], other, 8)}, false},
		"where the system does not say": {nil, true},
	} {
		if got := ownConnection(far, near, tt.tables); got != tt.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		inner, err := net.Listen("tcp", address)
		if err != nil {
			continue // no IPv6 here
		}
		l := ownListener{inner, slog.New(slog.NewTextHandler(io.Discard, nil))}
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.Accept()
		if err != nil || got.RemoteAddr().String() != conn.LocalAddr().String() {
			t.Errorf("my own program: %v", err)
		}
		if tables := socketTables(); len(tables) > 0 && me > 0 {
			theirs := strings.ReplaceAll(strings.Join(tables, ""), fmt.Sprintf(" %5s ", strconv.Itoa(me)), fmt.Sprintf(" %5d ", other))
			if ownConnection(got.RemoteAddr(), got.LocalAddr(), []string{theirs}) {
				t.Errorf("%s: the table of this computer does not tell whose a socket is", address)
			}
		}
		for _, c := range []io.Closer{conn, got, l} {
			_ = c.Close()
		}
	}
}
