package alert

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	mail "github.com/wneessen/go-mail"
)

// Security is how the connection to a mail server is protected.
type Security string

// The ways.
const (
	StartTLS Security = "starttls" // RFC 3207, refused when the server does not offer it; port 587
	Implicit Security = "tls"      // RFC 8314; port 465
	Plain    Security = "none"     // for a server on this machine only
)

// SMTP is a mail server to send through.
type SMTP struct {
	Server   string   // host:port
	Security Security // empty means StartTLS
	User     string   // empty means that the server asks for none
	Password string
	From     string
	To       []string
	TLS      *tls.Config // nil means the system's certificate authorities
}

// Check says what is wrong with the settings.
func (s SMTP) Check() error {
	host, port, err := net.SplitHostPort(s.Server)
	if err != nil {
		return fmt.Errorf("mail server %q: write it as host:port, for example mail.example:587", s.Server)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("mail server %q: the port is no number", s.Server)
	}
	switch s.Security {
	case "", StartTLS, Implicit:
	case Plain:
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return errors.New("mail without TLS goes to a mail server on this machine only")
		}
	default:
		return fmt.Errorf("mail security %q: choose %s, %s or %s", s.Security, StartTLS, Implicit, Plain)
	}
	if len(s.To) == 0 {
		return errors.New("mail: nobody to send to")
	}
	_, err = s.message("", "")
	return err
}

// Send implements Sender.
func (s SMTP) Send(ctx context.Context, subject, body string) error {
	if err := s.Check(); err != nil {
		return err
	}
	m, err := s.message(subject, body)
	if err != nil {
		return err
	}
	host, text, _ := net.SplitHostPort(s.Server)
	port, _ := strconv.Atoi(text)
	options := []mail.Option{mail.WithPort(port), mail.WithTimeout(sendPatience), mail.WithHELO(domainOf(s.From))}
	switch s.Security {
	case Implicit:
		options = append(options, mail.WithSSL())
	case Plain:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.TLS != nil {
		c := s.TLS.Clone()
		c.ServerName = host
		options = append(options, mail.WithTLSConfig(c))
	}
	if s.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.User), mail.WithPassword(s.Password))
	}
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, m); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	return nil
}

func (s SMTP) message(subject, body string) (*mail.Msg, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := m.From(s.From); err != nil {
		return nil, fmt.Errorf("mail: the address to send from: %w", err)
	}
	if err := m.To(s.To...); err != nil {
		return nil, fmt.Errorf("mail: an address to send to: %w", err)
	}
	m.Subject(subject)
	m.SetDate()
	m.SetMessageIDWithValue(rand.Text() + "@" + domainOf(s.From)) // not this machine's own name
	// RFC 3834 5: "automatically generated mail", so that holiday answers stay away.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(mail.TypeTextPlain, body)
	return m, nil
}

// domainOf is the part of an address behind the @.
func domainOf(address string) string {
	return strings.Trim(address[strings.LastIndex(address, "@")+1:], "<> ")
}
