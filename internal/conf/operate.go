package conf

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/internal/operate"
	"paspoort.example/paspoort/internal/web"
)

// Operate is how a process is looked after. All of it is off unless it is written down.
type Operate struct {
	// AdminListen is host:port on loopback for /metrics and the operator's pages, for
	// example "127.0.0.1:9101". It asks for no password: who should see it from elsewhere
	// comes through a tunnel or a proxy of the operator's. Empty shows no pages, and /metrics only
	// where the public address is on loopback too: a region on your own computer.
	AdminListen string `json:"admin_listen,omitempty"`
	// Log is what the process writes to standard error.
	Log Log `json:"log,omitzero"`
	// OpenTelemetry sends spans to a collector.
	OpenTelemetry *web.Tracing `json:"opentelemetry,omitempty"`
	// Alerts sends mail about what needs a person.
	Alerts *Alerts `json:"alerts,omitempty"`
}

// Log is how lines are written. No line of any level holds an address or a query.
type Log struct {
	Level  string `json:"level,omitempty"`  // debug, info, warn or error; empty means info
	Format string `json:"format,omitempty"` // json or text; empty means json
}

// Alerts is where alerts go by mail.
type Alerts struct {
	SMTP         string         `json:"smtp"`               // host:port of the mail server
	Security     alert.Security `json:"security,omitempty"` // starttls, tls or none; empty means starttls
	User         string         `json:"user,omitempty"`
	PasswordFile string         `json:"password_file,omitempty"` // mode 0600
	From         string         `json:"from"`
	To           []string       `json:"to"`
	Language     string         `json:"language,omitempty"` // nl or en; empty means nl
	// RemindHours is how often a critical problem that lasts is told again; 0 means 24.
	RemindHours int `json:"remind_hours,omitzero"`
}

// Logger writes what a process has to say to standard error.
func (o Operate) Logger(role string) (*slog.Logger, error) {
	var options slog.HandlerOptions
	if o.Log.Level != "" {
		var level slog.Level
		if err := level.UnmarshalText([]byte(o.Log.Level)); err != nil {
			return nil, fmt.Errorf("%w: log.level %q: choose debug, info, warn or error", ErrConfig, o.Log.Level)
		}
		options.Level = level
	}
	switch o.Log.Format {
	case "", "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, &options)).With("role", role), nil
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, &options)).With("role", role), nil
	}
	return nil, fmt.Errorf("%w: log.format %q: choose json or text", ErrConfig, o.Log.Format)
}

// Role is what one role adds to what every server shows its operator.
type Role struct {
	Name string // node, issuer, verifier, wallet
	Data string // its folder
	// Look adds findings; see operate.Config. Nil adds none.
	Look func(context.Context, time.Time) []alert.Finding
	// Pages are the operator's pages; nil means none.
	Pages func(*operate.Watch) (http.Handler, error)
}

// Notifier is who sends the alerts, or nil when nobody is to get any.
func (s Server) Notifier(log *slog.Logger) (*alert.Notifier, error) {
	a := s.Alerts
	if a == nil {
		return nil, nil
	}
	mail, err := a.sender()
	if err != nil {
		return nil, fmt.Errorf("%w: alerts: %w", ErrConfig, err)
	}
	n, err := alert.NewNotifier(alert.Config{Sender: mail, Name: s.name(), Language: a.Language, Remind: time.Duration(a.RemindHours) * time.Hour, Log: log})
	if err != nil {
		return nil, fmt.Errorf("%w: alerts: %w", ErrConfig, err)
	}
	return n, nil
}

// name is how the operator knows this server: by its host.
func (s Server) name() string {
	if u, err := url.Parse(s.URL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "paspoort"
}

// certificate is the server's own: of its file, or of the folder that ACME keeps.
func (s Server) certificate() (name string, until time.Time, ok bool) {
	file := s.TLSCert
	if s.ACME != nil {
		file = filepath.Join(s.ACME.Cache, s.name())
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", time.Time{}, false
	}
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		leaf, err := x509.ParseCertificate(block.Bytes)
		return s.name(), leaf.NotAfter, err == nil
	}
	return "", time.Time{}, false
}

// ServeRole listens as the file says and answers until ctx ends, and looks after the process
// meanwhile.
func (s Server) ServeRole(ctx context.Context, h http.Handler, role Role) error {
	if s.OpenTelemetry != nil {
		stop, err := web.StartTracing(ctx, *s.OpenTelemetry, role.Name)
		if err != nil {
			return fmt.Errorf("%w: opentelemetry: %w", ErrConfig, err)
		}
		defer func() {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_ = stop(last) // a collector that is away is no reason to end with an error
		}()
	}
	watch, err := s.watch(h, role)
	if err != nil {
		return err
	}
	admin, pages, err := s.admin(watch, role)
	if err != nil {
		return err
	}
	l, err := OpenAs(s.Listen, "listen")
	if err != nil {
		if admin != nil {
			admin.Close()
		}
		return err
	}
	public := h
	if admin != nil || !web.Loopback(net.JoinHostPort(s.name(), "0")) {
		public = web.Public(h)
	}
	manager := operate.ManagerOf(os.Getenv)
	manager.Say("READY=1") // both addresses take connections
	defer manager.Say("STOPPING=1")
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return watch.Run(ctx) })
	group.Go(func() error { return manager.Alive(ctx, watch.Alive) })
	if admin != nil {
		group.Go(func() error { return web.Serve(ctx, admin, web.Operator(h, pages), nil) })
	}
	group.Go(func() error { return s.serve(ctx, l, public) })
	return group.Wait()
}

// admin opens the operator's address; nil when there is none.
func (s Server) admin(watch *operate.Watch, role Role) (l net.Listener, pages http.Handler, err error) {
	if s.AdminListen == "" {
		return nil, nil, nil
	}
	if !web.Loopback(s.AdminListen) {
		return nil, nil, fmt.Errorf("%w: admin_listen %q: it asks for no password, so it listens on this computer only, for example 127.0.0.1:9101", ErrConfig, s.AdminListen)
	}
	if role.Pages != nil {
		if pages, err = role.Pages(watch); err != nil {
			return nil, nil, err
		}
	}
	l, err = OpenAs(s.AdminListen, "admin_listen")
	return l, pages, err
}

// watch makes what looks after the process, and shows what it sees among the site's metrics.
func (s Server) watch(h http.Handler, role Role) (*operate.Watch, error) {
	log, err := s.Logger(role.Name)
	if err != nil {
		return nil, err
	}
	c := operate.Config{Role: role.Name, Certificate: s.certificate, Look: role.Look, Log: log}
	if role.Data != "" {
		c.Dir = filepath.Dir(role.Data)
		c.State = filepath.Join(c.Dir, "alerts.json")
	}
	if c.Notifier, err = s.Notifier(log); err != nil {
		return nil, err
	}
	site, ok := h.(interface {
		Metrics() *prometheus.Registry
		Ready(context.Context) error
	})
	if !ok {
		return operate.New(c)
	}
	c.Ready = site.Ready
	watch, err := operate.New(c)
	if err != nil {
		return nil, err
	}
	var twice prometheus.AlreadyRegisteredError
	if err := site.Metrics().Register(watch); err != nil && !errors.As(err, &twice) {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return watch, nil
}
