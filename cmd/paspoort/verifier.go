package main

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/verifier"
)

func newVerifierCommand() *cobra.Command {
	var config string
	serve := &cobra.Command{
		Use:   "serve",
		Short: "Run a verifier, until Ctrl-C",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return serveVerifier(cmd.Context(), config) },
	}
	serve.Flags().StringVar(&config, "config", "verifier.json", "configuration file")
	cmd := &cobra.Command{
		Use:   "verifier",
		Short: "Ask for skills and credentials, and judge what is shown",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(serve, newTestAlertsCommand("verifier", verifierServer))
	return cmd
}

func serveVerifier(ctx context.Context, path string) (err error) {
	var c conf.Verifier
	if err := loadConfig(path, &c); err != nil {
		return err
	}
	log, err := c.Logger("verifier")
	if err != nil {
		return err
	}
	store, err := kv.OpenBadger(c.Data, kv.Options{Sync: true, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	region, err := followRegion(c.Region, c.Outbound, store, log)
	if err != nil {
		return err
	}
	config := verifier.Config{
		URL: c.URL, Name: c.Name, Organisation: c.Organisation, Region: c.Region.Genesis, Federation: c.Federation,
		Evidence: region.Service, Ready: region.Ready, Store: store, Log: log,
		RequestLifetime: time.Duration(c.RequestSeconds) * time.Second,
		KeepVerdict:     time.Duration(c.KeepHours) * time.Hour,
		KeepContents:    time.Duration(c.KeepContentsMinutes) * time.Minute,
	}
	for _, w := range c.Wallets {
		config.Wallets = append(config.Wallets, verifier.Wallet(w))
	}
	if config.FederationHTTP, err = superiors(c.Federation, c.Outbound); err != nil {
		return err
	}
	if err := verifierKeys(&c, &config); err != nil {
		return err
	}
	v, err := verifier.New(config)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return region.Run(ctx) })
	group.Go(func() error { return v.Run(ctx) })
	group.Go(func() error {
		return c.ServeRole(ctx, v.Handler(), conf.Role{Name: "verifier", Data: c.Data, Look: copyAges(region.Follower)})
	})
	return group.Wait()
}

// verifierKeys reads the key and token files that the configuration names. A verifier that is not admitted yet has no
// access certificate; it can ask under its DID.
func verifierKeys(c *conf.Verifier, config *verifier.Config) (err error) {
	if config.AdminToken, err = keyfile.Secret(c.AdminToken); err != nil {
		return err
	}
	if config.DIDKey, err = keyfile.Load(c.DIDKey, nil); err != nil {
		return err
	}
	if c.AccessChain == "" {
		return nil
	}
	if config.AccessKey, err = keyfile.Load(c.AccessKey, nil); err != nil {
		return err
	}
	config.AccessChain, err = readChain(c.AccessChain)
	return err
}

// readChain reads a PEM file of certificates, the leaf first.
func readChain(path string) ([]*x509.Certificate, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ca.ParsePEM(body)
}
