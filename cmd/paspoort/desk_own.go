package main

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// ownListener takes connections of this person's programs only, where the system tells whose
// they are. A browser sends a cookie of 127.0.0.1 to every port there (RFC 6265 8.5), so a page
// of another user of this computer learns it; with the cookie alone that user would sign.
type ownListener struct {
	net.Listener
	log *slog.Logger
}

// Accept implements net.Listener.
func (l ownListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || ownConnection(conn.RemoteAddr(), conn.LocalAddr(), socketTables()) {
			return conn, err
		}
		l.log.Warn("a program of another user of this computer was refused at the desk")
		_ = conn.Close() // nothing was written to it
	}
}

// socketTables are the sockets of this computer as Linux lists them, with whose they are; none
// where it cannot be told.
func socketTables() []string {
	var out []string
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if raw, err := os.ReadFile(name); err == nil {
			out = append(out, string(raw))
		}
	}
	return out
}

// ownConnection says whether the far end of a connection is a socket of this user, or of root,
// who can do anything here. A socket that its program closed already is nobody's: it has no
// inode, and its user reads as root.
func ownConnection(far, near net.Addr, tables []string) bool {
	from, ok := far.(*net.TCPAddr)
	to, ok2 := near.(*net.TCPAddr)
	if len(tables) == 0 || !ok || !ok2 {
		return true
	}
	froms, tos := inTable(from), inTable(to)
	for _, table := range tables {
		for line := range strings.Lines(table) {
			// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...
			f := strings.Fields(line)
			if len(f) < 10 || !slices.Contains(froms, f[1]) || !slices.Contains(tos, f[2]) {
				continue
			}
			return f[9] != "0" && (f[7] == "0" || f[7] == strconv.Itoa(os.Getuid()))
		}
	}
	return false
}

// inTable is an address as the tables have it: words in the order of this machine. One of IPv4
// may also stand there as one of IPv6.
func inTable(a *net.TCPAddr) []string {
	words := func(ip net.IP) (s string) {
		for i := 0; i < len(ip); i += 4 {
			s += fmt.Sprintf("%08X", binary.NativeEndian.Uint32(ip[i:]))
		}
		return s + fmt.Sprintf(":%04X", a.Port)
	}
	out := []string{words(a.IP.To16())}
	if v4 := a.IP.To4(); v4 != nil {
		out = append(out, words(v4))
	}
	return out
}
