package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/outbound"
)

// logFlags are what every command about logs takes.
type logFlags struct {
	genesis, caFile string
	loopback        bool
	private         []string
	json            bool
	lang            string
}

func newLogCommand() *cobra.Command {
	f := &logFlags{}
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Check a region's public log yourself, and watch it",
		Long: `Check a region's public log yourself, and watch it. Nobody has to take the word of
the region's nodes: everything that they decided is in the log, with the signatures
of who decided it.

You bring one thing, the id of the region (its genesis), from where you trust it.`,
		Example: `  paspoort log verify https://knoop-1.example --genesis 3f2a...
  paspoort log fetch https://knoop-1.example copy/
  paspoort log verify copy/ --genesis 3f2a... --offline
  paspoort log monitor --config monitor.json`,
		Args:              noArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error { return checkLanguage(f.lang) },
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.caFile, "ca-file", "", "certificates to trust for https beside the system's")
	flags.BoolVar(&f.loopback, "loopback-http", false, "allow plain http on this computer")
	flags.StringArrayVar(&f.private, "allow-private", nil, privateUsage)
	flags.BoolVar(&f.json, "json", false, "answer as JSON")
	flags.StringVar(&f.lang, "lang", defaultLanguage(), "language of the answer: nl or en")
	cmd.AddCommand(newLogVerifyCommand(f), newLogFetchCommand(f), newLogProofCommand(f), newLogMonitorCommand(f))
	for _, sub := range cmd.Commands() {
		sub.RunE = told(audited(sub.RunE), &f.lang, &f.json)
	}
	return cmd
}

// client asks nodes, for bundles of the largest size.
func (f *logFlags) client() (*outbound.Client, error) {
	policy, err := outbound.Settings{LoopbackHTTP: f.loopback, AllowPrivate: f.private, CAFile: f.caFile}.Policy()
	if err != nil {
		return nil, exitError{exitUsage, err}
	}
	policy.MaxBytes = audit.MaxFile
	return outbound.New(policy), nil
}

// source is the log that a person names: an address or a folder.
func (f *logFlags) source(name string) (audit.Source, *outbound.Client, error) {
	client, err := f.client()
	if err != nil {
		return nil, nil, err
	}
	if isWeb(name) {
		return audit.Web(client, name), client, nil
	}
	if _, err := os.Stat(name); err != nil {
		return nil, nil, err
	}
	return audit.Folder(name), client, nil
}

func isWeb(name string) bool {
	u, err := url.Parse(name)
	return err == nil && u.Host != "" && strings.HasPrefix(u.Scheme, "http")
}

// isThere says whether a place can hold a log at all.
func isThere(name string) bool {
	info, err := os.Stat(name)
	return isWeb(name) || err == nil && info.IsDir()
}

// audited gives what goes wrong with a log its own words.
func audited(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		var unknown x509.UnknownAuthorityError
		switch {
		case err == nil, errors.Is(err, context.Canceled):
			return err
		case errors.Is(err, audit.ErrOtherCopy):
			return withWords(err, "other_copy", words("In deze map staat een ander register, of al meer van dit register dan daar te zien is.", "This folder holds another log, or more of this one than is shown there."),
				words("Kies een andere map, en vergelijk: paspoort log verify MAP --genesis GENESIS", "Choose another folder, and compare: paspoort log verify FOLDER --genesis GENESIS"))
		case len(args) > 0 && errors.Is(err, fs.ErrNotExist) && isThere(args[0]):
			return withWords(err, "no_log", words("Op deze plek staat geen register.", "There is no log at this place."),
				words("Noem het adres van een knooppunt, of een map die paspoort log fetch maakte.", "Name the address of a node, or a folder that paspoort log fetch made."))
		case errors.Is(err, outbound.ErrAddress), errors.Is(err, outbound.ErrURL):
			return withWords(err, "not_allowed", words("Dit adres mag niet worden gebruikt: het is van deze computer, van een eigen netwerk, of geen https.", "This address may not be used: it is of this computer or of a private network, or it is not https."),
				words("Voor een regio op deze computer: --loopback-http. Voor een eigen netwerk: --allow-private BEREIK.", "For a region on this computer add --loopback-http. For a private network add --allow-private RANGE."))
		case errors.As(err, &unknown):
			return withWords(err, "unknown_authority", words("Het certificaat van dit adres is van een autoriteit die deze computer niet kent.", "The certificate of this address is of an authority that this computer does not know."),
				words("Noem haar certificaat: --ca-file BESTAND", "Name its certificate: --ca-file FILE"))
		case isNetworkError(err) && !errors.Is(err, fs.ErrNotExist):
			return withWords(err, "unreachable", words("Het register is niet te bereiken, dus er is niets over gezegd.", "The log cannot be reached, so nothing is said of it."),
				words("Kijk het adres en uw internet na, of noem een ander knooppunt.", "Check the address and your internet, or name another node."))
		}
		return err
	}
}

func newLogFetchCommand(f *logFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "fetch URL FOLDER",
		Short: "Copy a log into a folder, to check it later or keep it",
		Long: `Copy a log into a folder, to check it later, to keep it, or to serve it as it is: the
files stand under the names that they have on the web. A copy that is there already
is brought up to date. Nothing is checked here: see paspoort log verify.`,
		Args: exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, _, err := f.source(args[0])
			if err != nil {
				return err
			}
			dir, err := filepath.Abs(args[1])
			if err != nil {
				return err
			}
			size, err := audit.Fetch(cmd.Context(), source, audit.Dir{Path: dir})
			if err != nil {
				return err
			}
			if f.json {
				return printJSON(cmd.OutOrStdout(), map[string]any{"size": size, "folder": dir})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), words("%d regels staan in %s; ze zijn nog niet gecontroleerd.\n", "%d entries are in %s; they have not been checked yet.\n").In(f.lang), size, args[1])
			return err
		},
	}
}
