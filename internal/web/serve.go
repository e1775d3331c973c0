package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// grace is how long running requests may take after the end was asked.
const grace = 10 * time.Second

// Serve answers requests on l until ctx ends, then lets running requests finish and
// returns nil. With a nil config it speaks plain http, which belongs on loopback or
// behind a proxy. It closes l.
func Serve(ctx context.Context, l net.Listener, h http.Handler, config *tls.Config) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    32 << 10,
		// The server's own messages name the address of the client: nobody needs it.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	if config != nil {
		srv.TLSConfig = config.Clone()
	}
	failed := make(chan error, 1)
	go func() { failed <- listen(srv, l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("web: %w", err)
	case <-ctx.Done():
	}
	return shutdown(srv, failed)
}

func listen(srv *http.Server, l net.Listener) error {
	if srv.TLSConfig != nil {
		return srv.ServeTLS(l, "", "")
	}
	return srv.Serve(l)
}

func shutdown(srv *http.Server, failed <-chan error) error {
	// The context that ended is no measure for the time that is left.
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	if end := <-failed; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// TLS reads a certificate chain and its key, for Serve. When the files change they are read
// again, so that a renewed certificate needs no restart; files that cannot be used leave the
// old certificate in place.
func TLS(certFile, keyFile string) (*tls.Config, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile}
	if err := c.load(); err != nil {
		return nil, err
	}
	return &tls.Config{
		GetCertificate: c.get,
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
	}, nil
}

// certificate is what stood in two files when they last changed.
type certificate struct {
	certFile, keyFile string
	mu                sync.Mutex
	changed           [2]time.Time
	pair              *tls.Certificate
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.times() != c.changed {
		// Perhaps only one of the two files is written yet: then the next handshake finds both.
		_ = c.load()
	}
	return c.pair, nil
}

func (c *certificate) load() error {
	changed := c.times()
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("web: certificate: %w", err)
	}
	c.pair, c.changed = &pair, changed
	return nil
}

// times are when the files were written; a file that is not there has none.
func (c *certificate) times() (out [2]time.Time) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			out[i] = info.ModTime()
		}
	}
	return out
}
