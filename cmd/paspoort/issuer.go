package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/issuer"
	"paspoort.example/paspoort/specs/paspoort"
)

func newIssuerCommand() *cobra.Command {
	var config string
	serve := &cobra.Command{
		Use:   "serve",
		Short: "Run an issuer, until Ctrl-C",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return serveIssuer(cmd.Context(), config) },
	}
	serve.Flags().StringVar(&config, "config", "issuer.json", "configuration file")
	cmd := &cobra.Command{
		Use:   "issuer",
		Short: "Issue credentials, and suspend or revoke them",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(serve, newTestAlertsCommand("issuer", issuerServer), newIssuerOffersCommand(), newIssuerSampleCommand(), newIssuerRestoredCommand())
	return cmd
}

func serveIssuer(ctx context.Context, path string) (err error) {
	var c conf.Issuer
	if err := loadConfig(path, &c); err != nil {
		return err
	}
	log, err := c.Logger("issuer")
	if err != nil {
		return err
	}
	store, err := kv.OpenBadger(c.Data, kv.Options{Sync: true, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	config := issuer.Config{
		URL: c.URL, Name: c.Name, Country: c.Country, Organisation: c.Organisation, Store: store, Log: log,
		PublishEvery: time.Duration(c.PublishSeconds) * time.Second, Federation: c.Federation,
	}
	if config.FederationHTTP, err = superiors(c.Federation, c.Outbound); err != nil {
		return err
	}
	for _, name := range c.Types {
		config.Types = append(config.Types, paspoort.Type(name))
	}
	for _, w := range c.Wallets {
		config.Wallets = append(config.Wallets, issuer.Wallet(w))
	}
	if err := issuerKeys(&c, &config); err != nil {
		return err
	}
	custody, region, err := custodyOf(&c, store, log)
	if err != nil {
		return err
	}
	if custody != nil {
		config.Custody = custody
	}
	i, err := issuer.New(config)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	if region != nil {
		group.Go(func() error { return region.Run(ctx) })
	}
	group.Go(func() error { return i.Run(ctx) })
	group.Go(func() error { return c.ServeRole(ctx, i.Handler(), conf.Role{Name: "issuer", Data: c.Data}) })
	return group.Wait()
}

// issuerKeys reads the key, token and certificate files that the configuration
// names. An issuer that is not admitted yet has no certificates; its credentials
// then name their key by DID only.
func issuerKeys(c *conf.Issuer, config *issuer.Config) (err error) {
	if config.AdminToken, err = keyfile.Secret(c.AdminToken); err != nil {
		return err
	}
	if c.Secret == "" {
		c.Secret = filepath.Join(filepath.Dir(c.Data), "store.secret")
	}
	secret, err := keyfile.Secret(c.Secret)
	if err != nil {
		return err
	}
	config.Secret = []byte(secret)
	if config.CredentialKey, err = keyfile.Load(c.CredentialKey, nil); err != nil {
		return err
	}
	if config.StatusKey, err = keyfile.Load(c.StatusKey, nil); err != nil {
		return err
	}
	if c.CredentialChain != "" {
		if config.CredentialChain, err = readChain(c.CredentialChain); err != nil {
			return err
		}
	}
	if c.StatusChain != "" {
		config.StatusChain, err = readChain(c.StatusChain)
	}
	return err
}

// offersFlags are the flags of `issuer offers`.
type offersFlags struct {
	config, url, tokenFile, caFile string
	modules, participants          string
	configuration                  string
	json                           bool
}

func newIssuerOffersCommand() *cobra.Command {
	var f offersFlags
	cmd := &cobra.Command{
		Use:   "offers",
		Short: "Make offers of the participants in a spreadsheet",
		Long: `Make an offer for each participant, at an issuer that runs.

Reads two CSV files (UTF-8, comma or semicolon): the modules with what they teach,
and the participants with what they reached. Nothing is offered unless every row is
right. When the command breaks off, run it again: rows that were done give the same
offer, for a day.

Without --modules and --participants the invented samples are used; 'paspoort issuer
sample' writes them down, to fill in. What each column holds stands in
issuer/sample/README.md.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return makeOffers(cmd.Context(), cmd.OutOrStdout(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "configuration file of the issuer: gives address and token")
	flags.StringVar(&f.url, "url", "", "address of the issuer, without --config")
	flags.StringVar(&f.tokenFile, "token-file", "", "file with the administrator's token, with --url")
	flags.StringVar(&f.caFile, "ca-file", "", "PEM file with a certificate authority to trust beside the system's")
	flags.StringVar(&f.modules, "modules", "", "CSV file with modules")
	flags.StringVar(&f.participants, "participants", "", "CSV file with participants")
	flags.StringVar(&f.configuration, "configuration", paspoort.ConfigurationID(paspoort.Opleiding, paspoort.FormatSDJWTVC), "credential configuration to offer")
	flags.BoolVar(&f.json, "json", false, "print a JSON list")
	return cmd
}

func makeOffers(ctx context.Context, out io.Writer, f offersFlags) error {
	rows, err := readOffers(f)
	if err != nil {
		return err
	}
	importer, err := f.importer()
	if err != nil {
		return err
	}
	offers := []*issuer.ImportedOffer{}
	for _, row := range rows {
		offer, err := importer.Offer(ctx, row)
		if err != nil {
			return hint(err, fmt.Sprintf("%d of %d offers were made; run the same command again to make the rest", len(offers), len(rows)))
		}
		offers = append(offers, offer)
	}
	if f.json {
		return printJSON(out, offers)
	}
	for _, o := range offers {
		fmt.Fprintf(out, "%s %s, %s\n  page:  %s\n  phone: %s\n", o.GivenName, o.FamilyName, o.Module, o.Page, o.Invocation)
		if o.TxCode != "" {
			fmt.Fprintf(out, "  code:  %s (give it apart from the link)\n", o.TxCode)
		}
	}
	return nil
}

// readOffers reads the sheets, before anything is sent.
func readOffers(f offersFlags) ([]issuer.SheetOffer, error) {
	if (f.modules == "") != (f.participants == "") {
		return nil, exitError{exitUsage, errors.New("--modules and --participants go together")}
	}
	open := func(name string) (fs.File, error) { return os.Open(name) }
	if f.modules == "" {
		f.modules, f.participants = "sample/modules.csv", "sample/deelnemers.csv"
		open = issuer.Samples.Open
	}
	modules, err := open(f.modules)
	if err != nil {
		return nil, err
	}
	defer modules.Close()
	participants, err := open(f.participants)
	if err != nil {
		return nil, err
	}
	defer participants.Close()
	rows, err := issuer.ReadSheets(modules, participants)
	return rows, hint(err, "nothing was offered; correct the files and try again")
}

// importer finds the issuer and the token.
func (f offersFlags) importer() (*issuer.Importer, error) {
	settings := outbound.Settings{CAFile: f.caFile, LoopbackHTTP: true, AllowPrivate: thisComputer}
	switch {
	case f.config != "" && f.url == "":
		var c conf.Issuer
		if err := conf.Load(f.config, &c); err != nil {
			return nil, err
		}
		f.url, f.tokenFile, settings = c.URL, c.AdminToken, c.Outbound
	case f.config != "" || f.url == "" || f.tokenFile == "":
		return nil, exitError{exitUsage, errors.New("give --config, or --url and --token-file")}
	}
	// keyfile.Secret makes a token where there is none, and here that would hide a
	// misspelt name.
	if _, err := os.Stat(f.tokenFile); err != nil {
		return nil, err
	}
	token, err := keyfile.Secret(f.tokenFile)
	if err != nil {
		return nil, err
	}
	policy, err := settings.Policy()
	if err != nil {
		return nil, err
	}
	return &issuer.Importer{HTTP: outbound.New(policy), URL: f.url, Token: token, ConfigurationID: f.configuration}, nil
}

func newIssuerSampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sample FOLDER",
		Short: "Write sample spreadsheets, to fill in",
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			for _, name := range []string{"modules.csv", "deelnemers.csv"} {
				body, err := issuer.Samples.ReadFile("sample/" + name)
				if err != nil {
					return err
				}
				path := filepath.Join(args[0], name)
				file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
				if err != nil {
					return hint(err, "choose another folder: what is there is not written over")
				}
				if _, err = file.Write(body); err == nil {
					err = file.Close()
				}
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), path)
			}
			fmt.Fprintf(cmd.OutOrStdout(), typed("\nNext: paspoort issuer offers --config FILE --modules %[1]s --participants %[2]s\n"),
				filepath.Join(args[0], "modules.csv"), filepath.Join(args[0], "deelnemers.csv"))
			return nil
		},
	}
}

func newIssuerRestoredCommand() *cobra.Command {
	var config string
	cmd := &cobra.Command{
		Use:   "restored",
		Short: "Say that the issuer's folder was put back from a backup, before it serves again",
		Long: `Say that the issuer's folder was put back from a backup, before it serves again.

The backup does not know what was given out after it was made. After this command new
credentials get their entries in a new status list, so no entry is used twice.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			var c conf.Issuer
			if err := loadConfig(config, &c); err != nil {
				return err
			}
			store, err := kv.OpenBadger(c.Data, kv.Options{Sync: true})
			if err != nil {
				return hint(err, "end the issuer first")
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			next, err := issuer.Restored(store, 0)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), typed("New credentials will stand in status list %d.\n\n"+
				"Next: what was suspended or revoked after the backup was made, must be so again.\n"+
				"Look in your own records, then: paspoort issuer serve --config %s\n"), next, config)
			return nil
		},
	}
	cmd.Flags().StringVar(&config, "config", "issuer.json", "configuration file")
	return cmd
}
