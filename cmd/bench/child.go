package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/node"
)

// childVariable names the file that makes this program a node of the region that is measured:
// each node is a process of its own, so that its processor time and memory are its own too.
const childVariable = "PASPOORT_BENCH_NODE"

// childConfig is what a node is told. The keys are made for one run.
type childConfig struct {
	ID, Dir, Profile string
	Founding         []byte
	Keys             map[string][]byte // PKCS #8: tls, log, cosigner, timestamp
}

// runChild runs a node on the listener that the parent handed down and tells its HTTP address.
func runChild(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var c childConfig
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	config, err := c.node()
	if err != nil {
		return err
	}
	if config.Peer, err = net.FileListener(os.NewFile(3, "peer")); err != nil {
		return err
	}
	node.LimitMemory()
	n, err := node.New(config)
	if err != nil {
		return err
	}
	handler, err := n.Handler()
	if err != nil {
		return err
	}
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + public.Addr().String())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- web.Serve(ctx, public, handler, nil) }()
	err = n.Run(ctx)
	stop()
	return errors.Join(err, <-served)
}

func (c childConfig) node() (node.Config, error) {
	out := node.Config{
		ID: c.ID, Dir: c.Dir, Founding: c.Founding, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		VerifyOff: true, ApplicationsPerMinute: 1 << 30, // the limit that protects a node would be what is measured
	}
	for name, to := range map[string]*crypto.Signer{
		"tls": &out.TLSKey, "log": &out.LogKey, "cosigner": &out.CosignerKey, "timestamp": &out.TimestampKey,
	} {
		key, err := x509.ParsePKCS8PrivateKey(c.Keys[name])
		if err != nil {
			return out, fmt.Errorf("key %s: %w", name, err)
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return out, fmt.Errorf("key %s cannot sign", name)
		}
		*to = signer
	}
	return out, out.SetProfile(c.Profile)
}
