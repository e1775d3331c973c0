package outbound

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		addr string
		want bool
	}{
		{"93.184.215.14", true}, {"2606:2800:21f::1", true}, {"145.100.1.1", true},
		{"127.0.0.1", false}, {"127.9.9.9", false}, {"::1", false}, {"0.0.0.0", false}, {"::", false},
		{"10.0.0.1", false}, {"172.16.0.1", false}, {"192.168.1.1", false}, {"100.64.0.1", false},
		{"169.254.169.254", false}, {"224.0.0.1", false}, {"255.255.255.255", false}, {"198.18.0.1", false},
		{"::ffff:10.0.0.1", false}, {"::ffff:127.0.0.1", false}, {"::10.0.0.1", false},
		{"fe80::1", false}, {"fe80::1%eth0", false}, {"fd00::1", false}, {"ff02::1", false},
		{"64:ff9b::a00:1", false}, {"2002:a00:1::", false}, {"2001:0:0:1::", false}, {"2001:db8::1", false},
	} {
		if got := (Policy{}).allowed(netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.addr, got, tt.want)
		}
	}
	inside := Policy{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	if !inside.allowed(netip.MustParseAddr("10.1.2.3")) || inside.allowed(netip.MustParseAddr("192.168.0.1")) {
		t.Error("AllowPrivate must permit its ranges and no other")
	}
}

func TestURLs(t *testing.T) {
	for _, tt := range []struct {
		url             string
		strict, lenient error
	}{
		{"https://a.example/x", nil, nil},
		{"http://a.example/x", ErrURL, ErrURL},
		{"http://localhost:8080/x", ErrURL, nil},
		{"http://127.0.0.1:8080/x", ErrURL, nil},
		{"http://[::1]:8080/x", ErrURL, nil},
		{"http://localhost.a.example/", ErrURL, ErrURL},
		{"https://user@a.example/", ErrURL, ErrURL},
		{"https:///x", ErrURL, ErrURL},
		{"https://:443/x", ErrURL, ErrURL},
		{"file:///etc/passwd", ErrURL, ErrURL},
		{"//a.example/x", ErrURL, ErrURL},
		{"https://a\x00b/", ErrURL, ErrURL},
	} {
		if err := New(Policy{}).CheckURL(tt.url); !errors.Is(err, tt.strict) {
			t.Errorf("strict %q: got %v, want %v", tt.url, err, tt.strict)
		}
		if err := New(Policy{AllowLoopbackHTTP: true}).CheckURL(tt.url); !errors.Is(err, tt.lenient) {
			t.Errorf("lenient %q: got %v, want %v", tt.url, err, tt.lenient)
		}
	}
}

// world is a TLS server whose pages lead everywhere.
func world(t *testing.T) (*httptest.Server, Policy) {
	t.Helper()
	mux := http.NewServeMux()
	srv := httptest.NewTLSServer(mux)
	t.Cleanup(srv.Close)
	plain := httptest.NewServer(mux)
	t.Cleanup(plain.Close)
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "cookies %d accept %s", len(r.Cookies()), r.Header.Get("Accept"))
	})
	mux.HandleFunc("/cookie", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "who", Value: "you"})
		http.Redirect(w, r, "/ok", http.StatusFound)
	})
	mux.HandleFunc("/hop/{n}", func(w http.ResponseWriter, r *http.Request) {
		n := r.PathValue("n")
		if n == "0" {
			http.Redirect(w, r, "/ok", http.StatusFound)
			return
		}
		http.Redirect(w, r, "/hop/"+string(n[0]-1), http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/down", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL+"/ok", http.StatusFound)
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush() // chunked: no Content-Length warns
		_, _ = w.Write(make([]byte, 3000))
	})
	mux.HandleFunc("/declared", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, 3000)) })
	mux.HandleFunc("/exact", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, 2000)) })
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	return srv, Policy{AllowPrivate: Loopback(), Roots: roots, MaxBytes: 2000}
}

func TestGet(t *testing.T) {
	srv, p := world(t)
	for _, tt := range []struct {
		name, path string
		policy     Policy
		want       error
	}{
		{"plain answer", "/ok", p, nil},
		{"three redirects", "/hop/2", p, nil},
		{"four redirects", "/hop/3", p, ErrRedirect},
		{"a redirect to plain http", "/down", p, ErrRedirect},
		{"a large answer", "/large", p, ErrTooLarge},
		{"an answer that declares itself too large", "/declared", p, ErrTooLarge},
		{"an answer of exactly the limit", "/exact", p, nil},
		{"an address inside", "/ok", Policy{Roots: p.Roots}, ErrAddress},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := New(tt.policy).Get(context.Background(), srv.URL+tt.path)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), tt.path) {
				t.Errorf("the error repeats the path: %v", err)
			}
		})
	}
	var status *StatusError
	if _, _, err := New(p).Get(context.Background(), srv.URL+"/absent"); !errors.As(err, &status) || status.Code != 404 {
		t.Errorf("got %v, want a StatusError of 404", err)
	}
}

func TestNoCookiesAndAccept(t *testing.T) {
	srv, p := world(t)
	body, contentType, err := New(p).Get(context.Background(), srv.URL+"/cookie", "application/json")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(body)+"|"+contentType, "cookies 0 accept application/json|text/plain"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPostIsNotRedirected(t *testing.T) {
	srv, p := world(t)
	r, err := http.NewRequest(http.MethodPost, srv.URL+"/hop/1", strings.NewReader("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(p).Do(r); !errors.Is(err, ErrRedirect) {
		t.Errorf("got %v, want ErrRedirect", err)
	}
}

func TestPlainHTTPReachesLoopbackOnly(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer srv.Close()
	body, _, err := New(Policy{AllowLoopbackHTTP: true}).Get(context.Background(), srv.URL)
	if err != nil || string(body) != "hello" {
		t.Errorf("got %q and %v, want hello", body, err)
	}
	if _, _, err := New(Policy{AllowPrivate: Loopback()}).Get(context.Background(), srv.URL); !errors.Is(err, ErrURL) {
		t.Errorf("without the policy value: got %v, want ErrURL", err)
	}
}

func TestUnknownAuthorityIsRefused(t *testing.T) {
	srv, p := world(t)
	p.Roots = x509.NewCertPool()
	var unknown x509.UnknownAuthorityError
	if _, _, err := New(p).Get(context.Background(), srv.URL+"/ok"); !errors.As(err, &unknown) {
		t.Errorf("got %v, want an unknown authority", err)
	}
}

func TestSettings(t *testing.T) {
	srv, _ := world(t)
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Settings{AllowPrivate: []string{"127.0.0.0/8"}, CAFile: file}.Policy()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := New(p).Get(context.Background(), srv.URL+"/ok"); err != nil {
		t.Error(err)
	}
	for name, s := range map[string]Settings{
		"a range that is none": {AllowPrivate: []string{"127.0.0.1"}},
		"an absent file":       {CAFile: file + ".not"},
	} {
		if _, err := s.Policy(); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// What can only be named as https (did:web) is reachable in a region that speaks plain
// http on loopback, and only there and only where the policy says so.
func TestHTTPSNameOfAPlainServer(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
	}))
	defer plain.Close()
	asked := "https" + strings.TrimPrefix(plain.URL, "http")
	if _, _, err := New(Policy{AllowLoopbackHTTP: true}).Get(t.Context(), asked); err != nil {
		t.Errorf("allowed: got %v, want an answer", err)
	}
	if _, _, err := New(Policy{AllowPrivate: Loopback()}).Get(t.Context(), asked); !errors.Is(err, http.ErrSchemeMismatch) {
		t.Errorf("not allowed: got %v, want %v", err, http.ErrSchemeMismatch)
	}
	post, err := http.NewRequestWithContext(t.Context(), http.MethodPost, asked, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Policy{AllowLoopbackHTTP: true}).Do(post); !errors.Is(err, http.ErrSchemeMismatch) {
		t.Errorf("with a body: got %v, want %v", err, http.ErrSchemeMismatch)
	}
}
