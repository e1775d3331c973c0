package alert

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/testkit"
)

// outbox keeps messages; it can refuse.
type outbox struct {
	subjects, bodies []string
	broken           error
}

func (o *outbox) Send(_ context.Context, subject, body string) error {
	if o.broken != nil {
		return o.broken
	}
	o.subjects, o.bodies = append(o.subjects, subject), append(o.bodies, body)
	return nil
}

func problem(code, subject string, level Level) Problem {
	return Problem{Code: code, Subject: subject, Level: level, Since: start, Value: "1", Limit: "2"}
}

func TestNotifier(t *testing.T) {
	box := &outbox{}
	n, err := NewNotifier(Config{Sender: box, Name: "knoop-1", Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	lost, away := problem("quorum_lost", "", Critical), problem("peer_away", "knoop-2", Warning)
	tell := func(at time.Duration, changes []Change, open ...Problem) error {
		return n.Tell(t.Context(), start.Add(at), changes, open)
	}
	must := func(err error, messages int) {
		t.Helper()
		if err != nil || len(box.subjects) != messages {
			t.Fatalf("got %v and %q, want %d messages", err, box.subjects, messages)
		}
	}
	must(tell(0, nil), 0)
	must(tell(0, []Change{{lost, Fine}, {away, Fine}}, lost, away), 1)
	if want := "[knoop-1] Act now: Too few nodes of the region can be reached"; box.subjects[0] != want {
		t.Errorf("got %q, want %q", box.subjects[0], want)
	}
	for _, want := range []string{"New, or worse:", "knoop-2 cannot be reached", "This node reaches 1 and 2 are needed.", "Call the organisation that runs knoop-2."} {
		if !strings.Contains(box.bodies[0], want) {
			t.Errorf("no %q in\n%s", want, box.bodies[0])
		}
	}
	must(tell(time.Hour, nil, lost, away), 1) // nothing changed
	must(tell(24*time.Hour, nil, lost, away), 2)
	if !strings.Contains(box.bodies[1], "Still going on:") {
		t.Errorf("a reminder says what goes on:\n%s", box.bodies[1])
	}
	fine := lost
	fine.Level = Fine
	must(tell(25*time.Hour, []Change{{fine, Critical}}, away), 3)
	if want := "[knoop-1] Warning: knoop-2 cannot be reached"; box.subjects[2] != want {
		t.Errorf("got %q, want %q", box.subjects[2], want)
	}
	home := away
	home.Level = Fine
	must(tell(26*time.Hour, []Change{{home, Warning}}), 4)
	if want := "[knoop-1] Fine: all is well again"; box.subjects[3] != want {
		t.Errorf("got %q, want %q", box.subjects[3], want)
	}
}

func TestNotifierTriesAgainAndNeverFloods(t *testing.T) {
	box := &outbox{broken: errors.New("no route")}
	n, err := NewNotifier(Config{Sender: box, Name: "knoop-1"})
	if err != nil {
		t.Fatal(err)
	}
	away := problem("peer_away", "knoop-2", Warning)
	if err := n.Tell(t.Context(), start, []Change{{away, Fine}}, []Problem{away}); err == nil || n.Failed() != 1 {
		t.Fatalf("got %v, %d failures: a message that did not leave is an error", err, n.Failed())
	}
	box.broken = nil
	if err := n.Tell(t.Context(), start.Add(time.Second), nil, []Problem{away}); err != nil || len(box.subjects) != 0 {
		t.Fatalf("got %v, %q: not again at once", err, box.subjects)
	}
	if err := n.Tell(t.Context(), start.Add(3*time.Minute), nil, []Problem{away}); err != nil || len(box.subjects) != 1 {
		t.Fatalf("got %v, %q: what waited is sent later", err, box.subjects)
	}
	// Something that comes and goes every minute for two hours.
	fine := away
	fine.Level = Fine
	for i := range 120 {
		c := Change{away, Fine}
		if i%2 == 0 {
			c = Change{fine, Warning}
		}
		if err := n.Tell(t.Context(), start.Add(time.Hour+time.Duration(i)*time.Minute), []Change{c}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(box.subjects) > 1+2*6+1 {
		t.Errorf("got %d messages in two hours, want at most six an hour", len(box.subjects))
	}
	// What began and ended before anybody was told is nobody's news.
	box.broken = errors.New("no route")
	later := start.Add(12 * time.Hour)
	n.Tell(t.Context(), later, []Change{{away, Fine}}, []Problem{away})
	box.broken, box.subjects = nil, nil
	n.waiting = nil
	n.Tell(t.Context(), later, []Change{{away, Fine}}, nil)
	n.Tell(t.Context(), later.Add(time.Hour), []Change{{fine, Warning}}, nil)
	if len(box.subjects) != 0 {
		t.Errorf("got %q", box.subjects)
	}
}

// mailServer speaks just enough SMTP (RFC 5321) over STARTTLS, and gives what it received.
func mailServer(t *testing.T, config *tls.Config, offer bool) (address string, received <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	out := make(chan string, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			speak(conn, config, offer, out)
			conn.Close()
		}
	}()
	return l.Addr().String(), out
}

func speak(conn net.Conn, config *tls.Config, offer bool, out chan<- string) {
	r := bufio.NewReader(conn)
	say := func(s string) { conn.Write([]byte(s + "\r\n")) }
	say("220 mail.example")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.Fields(line + " -")[0]); verb {
		case "EHLO":
			if offer {
				say("250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN")
			} else {
				say("250 mail.example")
			}
		case "STARTTLS":
			say("220 go")
			conn = tls.Server(conn, config)
			r = bufio.NewReader(conn)
		case "AUTH":
			say("235 welcome")
		case "DATA":
			say("354 go")
			var b strings.Builder
			for line, err := r.ReadString('\n'); err == nil && line != ".\r\n"; line, err = r.ReadString('\n') {
				b.WriteString(line)
			}
			say("250 kept")
			out <- b.String()
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestSMTP(t *testing.T) {
	server, roots := testServerTLS(t)
	address, received := mailServer(t, server, true)
	s := SMTP{Server: address, User: "knoop", Password: "secret of the mail", From: "knoop-1@linde.example", To: []string{"beheer@linde.example", "wacht@linde.example"}, TLS: roots}
	n, err := NewNotifier(Config{Sender: s, Name: "knoop-1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Test(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := <-received
	for _, want := range []string{"From: <knoop-1@linde.example>", "beheer@linde.example", "Subject: [knoop-1] proefbericht", "Auto-Submitted: auto-generated", "Dit is een proef."} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "secret of the mail") {
		t.Error("the password is in the message")
	}
	s.TLS = nil // a certificate that nobody vouches for
	if err := s.Send(t.Context(), "a", "b"); err == nil {
		t.Error("sent to a server with an unknown certificate")
	}
	plain, _ := mailServer(t, nil, false)
	s.Server, s.TLS = plain, roots
	if err := s.Send(t.Context(), "a", "b"); err == nil {
		t.Error("sent without TLS")
	}
}

func testServerTLS(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key := testkit.P256(t)
	cert, err := ca.SelfSigned(key, "127.0.0.1", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}, &tls.Config{InsecureSkipVerify: true}
}

func TestSMTPCheck(t *testing.T) {
	good := SMTP{Server: "mail.example:587", From: "a@linde.example", To: []string{"b@linde.example"}}
	for _, tt := range []struct {
		name   string
		change func(*SMTP)
		ok     bool
	}{
		{"good", func(*SMTP) {}, true},
		{"no port", func(s *SMTP) { s.Server = "mail.example" }, false},
		{"port in words", func(s *SMTP) { s.Server = "mail.example:smtp" }, false},
		{"nobody", func(s *SMTP) { s.To = nil }, false},
		{"no address", func(s *SMTP) { s.To = []string{"beheer"} }, false},
		{"from nobody", func(s *SMTP) { s.From = "" }, false},
		{"unknown security", func(s *SMTP) { s.Security = "ssl" }, false},
		{"plain elsewhere", func(s *SMTP) { s.Security = Plain }, false},
		{"plain here", func(s *SMTP) { s.Server, s.Security = "127.0.0.1:25", Plain }, true},
		{"implicit", func(s *SMTP) { s.Server, s.Security = "mail.example:465", Implicit }, true},
	} {
		s := good
		tt.change(&s)
		if err := s.Check(); (err == nil) != tt.ok {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}
