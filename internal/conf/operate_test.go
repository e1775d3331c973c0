package conf

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/operate"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/internal/web"
)

// Settings that cannot work are refused at the start, with what to change.
func TestOperateSettings(t *testing.T) {
	open := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(open, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	alerts := func(change func(*Alerts)) Operate {
		a := Alerts{SMTP: "mail.example:587", From: "a@linde.example", To: []string{"b@linde.example"}}
		change(&a)
		return Operate{Alerts: &a}
	}
	for _, tt := range []struct {
		name string
		o    Operate
		want string
	}{
		{"level", Operate{Log: Log{Level: "loud"}}, "choose debug, info, warn or error"},
		{"format", Operate{Log: Log{Format: "xml"}}, "choose json or text"},
		{"admin for everybody", Operate{AdminListen: ":9101"}, "listens on this computer only"},
		{"admin for the network", Operate{AdminListen: "192.0.2.1:9101"}, "listens on this computer only"},
		{"no collector", Operate{OpenTelemetry: &web.Tracing{Endpoint: "collector"}}, "opentelemetry"},
		{"no port", alerts(func(a *Alerts) { a.SMTP = "mail.example" }), "host:port"},
		{"nobody", alerts(func(a *Alerts) { a.To = nil }), "nobody to send to"},
		{"language", alerts(func(a *Alerts) { a.Language = "fr" }), "choose one of nl, en"},
		{"no password", alerts(func(a *Alerts) { a.PasswordFile = open + "2" }), "password_file"},
		{"open password", alerts(func(a *Alerts) { a.PasswordFile = open }), "make it 0600"},
	} {
		err := Server{Listen: "127.0.0.1:0", Operate: tt.o}.ServeRole(t.Context(), http.NotFoundHandler(), Role{})
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// With an admin address metrics and pages are there, and the public address has neither.
func TestServeRole(t *testing.T) {
	public, admin := testkit.Listen(t), testkit.Listen(t)
	public.Close()
	admin.Close()
	s := Server{Listen: public.Addr().String(), Operate: Operate{AdminListen: admin.Addr().String(), Log: Log{Level: "error"}}}
	site := web.New(web.Options{Role: "issuer", Ready: func(context.Context) error { return errors.New("not yet") }})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- s.ServeRole(ctx, site.Handler(), Role{Name: "issuer", Data: filepath.Join(t.TempDir(), "data"), Pages: func(*operate.Watch) (http.Handler, error) {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the page") }), nil
		}})
	}()
	get := func(address, path string) (int, string) {
		resp, err := http.Get("http://" + address + path)
		if err != nil {
			return 0, ""
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	tick, deadline := time.NewTicker(10*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for shown := false; !shown; {
		if _, body := get(s.AdminListen, "/metrics"); strings.Contains(body, `paspoort_ready{role="issuer"} 0`) && strings.Contains(body, `paspoort_disk_free_bytes{role="issuer"}`) {
			shown = true
			continue
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the metrics of the watch are not shown")
		}
	}
	for _, tt := range []struct {
		address, path string
		status        int
		body          string
	}{
		{s.AdminListen, "/", 200, "the page"}, {s.AdminListen, "/readyz", 503, "not yet"}, {s.AdminListen, "/healthz", 200, "ok"},
		{s.Listen, "/metrics", 404, ""}, {s.Listen, "/healthz", 200, "ok"}, {s.Listen, "/", 404, ""},
	} {
		if status, body := get(tt.address, tt.path); status != tt.status || !strings.Contains(body, tt.body) {
			t.Errorf("%s%s: got %d %.60q, want %d %q", tt.address, tt.path, status, body, tt.status, tt.body)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Without an admin address the numbers are shown on one's own computer only.
func TestMetricsAreNotPublic(t *testing.T) {
	for url, want := range map[string]int{"http://localhost:1": 200, "http://127.0.0.1:1": 200, "https://knoop.linde.example": 404, "": 404} {
		l := testkit.Listen(t)
		l.Close()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- Server{Listen: l.Addr().String(), URL: url, Operate: Operate{Log: Log{Level: "error"}}}.ServeRole(ctx, web.New(web.Options{Role: "node"}).Handler(), Role{})
		}()
		tick, deadline := time.NewTicker(10*time.Millisecond), time.After(20*time.Second)
		for got := 0; got != want; {
			if resp, err := http.Get("http://" + l.Addr().String() + "/metrics"); err == nil {
				resp.Body.Close()
				if got = resp.StatusCode; got != want {
					t.Errorf("%q: got %d, want %d", url, got, want)
					break
				}
				continue
			}
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatal("it does not listen")
			}
		}
		tick.Stop()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A line of the log holds route and status, and nothing that says who asked for what.
func TestLogLinesNameNobody(t *testing.T) {
	var out bytes.Buffer
	site := web.New(web.Options{Role: "node", Log: slog.New(slog.NewJSONHandler(&out, nil))})
	s := testkit.Listen(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- web.Serve(ctx, s, site.Handler(), nil) }()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Addr().String()+"/nowhere/Willemijn?naam=Willemijn", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", "Willemijn")
	r.Header.Set("X-Forwarded-For", "192.0.2.7")
	r.Header.Set("Referer", "https://willemijn.example/Willemijn")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	line := out.String()
	if !strings.Contains(line, `"route":"unknown"`) {
		t.Errorf("got %q", line)
	}
	for _, never := range []string{"Willemijn", "willemijn", "127.0.0.1", "192.0.2.7", "naam"} {
		if strings.Contains(line, never) {
			t.Errorf("%q is in the log: %s", never, line)
		}
	}
}
