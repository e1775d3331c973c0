package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/wallet"
)

// walletFlags are the flags of every wallet command.
type walletFlags struct {
	dir        string
	passphrase string // file
	recovery   string // file with the recovery code
	json       bool
	lang       string
}

func newWalletCommand() *cobra.Command {
	f := &walletFlags{}
	cmd := &cobra.Command{
		Use:   "wallet",
		Short: "Your own paspoort: collect credentials and show what you choose",
		Long: `Your own paspoort: collect credentials and show what you choose.

Everything is kept in one folder, sealed with your passphrase. The passphrase is
asked for, or read from --passphrase-file or the file that PASPOORT_PASSPHRASE_FILE
names.`,
		Args:              noArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error { return checkLanguage(f.lang) },
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.dir, "dir", defaultWalletDir(), "folder of the wallet")
	flags.StringVar(&f.passphrase, "passphrase-file", os.Getenv("PASPOORT_PASSPHRASE_FILE"), "file with the passphrase; without it you are asked")
	flags.StringVar(&f.recovery, "recovery-code-file", "", "file with the recovery code, when the passphrase is lost")
	flags.BoolVar(&f.json, "json", false, "answer as JSON")
	flags.StringVar(&f.lang, "lang", defaultLanguage(), "language of the answer: nl or en")
	cmd.AddCommand(
		newWalletInitCommand(f),
		newWalletAcceptCommand(f),
		newWalletListCommand(f),
		newWalletShowCommand(f),
		newWalletPageCommand(f),
		newWalletPresentCommand(f),
		newWalletDeclareCommand(f),
		newWalletHistoryCommand(f),
		newWalletDeleteCommand(f),
		newWalletRenewCommand(f),
		newWalletRecoveryCommand(f),
		newWalletPassphraseCommand(f),
		newWalletArchiveCommand(f),
		newWalletImportCommand(f),
	)
	for _, sub := range cmd.Commands() {
		sub.RunE = told(sub.RunE, &f.lang, &f.json)
	}
	cmd.AddCommand(newWalletServeCommand())
	return cmd
}

func defaultWalletDir() string {
	if dir := os.Getenv("PASPOORT_WALLET"); dir != "" {
		return dir
	}
	base, err := os.UserConfigDir()
	if err != nil {
		return "paspoort-wallet"
	}
	return filepath.Join(base, "paspoort", "wallet")
}

// Files in the folder of a wallet. Only outboundFile is readable without the
// passphrase: it says how to reach the world and nothing about the holder.
const (
	storeDir     = "store"
	registryDir  = "registry" // copies of public registries
	outboundFile = "outbound.json"
)

// openedWallet is a wallet with what must be closed behind it.
type openedWallet struct {
	*wallet.Wallet
	stores []kv.Store
}

func (o *openedWallet) Close() error {
	var errs []error
	for _, s := range o.stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// with runs fn with the unlocked wallet.
func (f *walletFlags) with(cmd *cobra.Command, fn func(context.Context, *wallet.Wallet) error) (err error) {
	if _, err := os.Stat(filepath.Join(f.dir, outboundFile)); errors.Is(err, os.ErrNotExist) {
		return wallet.ErrNoWallet
	}
	o, err := f.unlock(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	return fn(cmd.Context(), o.Wallet)
}

// open opens the stores and hands their configuration to start.
func (f *walletFlags) open(cmd *cobra.Command, start func(wallet.Config) (*wallet.Wallet, error)) (o *openedWallet, err error) {
	var settings outbound.Settings
	raw, err := os.ReadFile(filepath.Join(f.dir, outboundFile))
	if err != nil {
		return nil, err
	}
	if err := ijson.Unmarshal(raw, &settings); err != nil {
		return nil, fmt.Errorf("%s: %w", outboundFile, err)
	}
	policy, err := settings.Policy()
	if err != nil {
		return nil, err
	}
	o = &openedWallet{}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
		}
	}()
	if err := writable(f.dir); err != nil {
		return o, err
	}
	store, err := kv.OpenBadger(filepath.Join(f.dir, storeDir), kv.Options{Sync: true, MemTable: 4 << 20})
	if err != nil {
		return o, err
	}
	o.stores = append(o.stores, store)
	copies, err := kv.OpenBadger(filepath.Join(f.dir, registryDir), kv.Options{MemTable: 4 << 20})
	if err != nil {
		return o, err
	}
	o.stores = append(o.stores, copies)
	o.Wallet, err = start(f.config(cmd, settings, policy, store, copies))
	return o, err
}

// writable tries it: the store hides the reason why it cannot be opened.
func writable(dir string) error {
	probe, err := os.CreateTemp(dir, ".probe-")
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func (f *walletFlags) config(cmd *cobra.Command, settings outbound.Settings, policy outbound.Policy, store, copies kv.Store) wallet.Config {
	large := policy
	large.MaxBytes = max(policy.MaxBytes, maxStatusBytes)
	client := outbound.New(large)
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: withoutTime}))
	return wallet.Config{
		Store: store, HTTP: client, Fetch: outbound.New(policy), StatusFetch: client, CheckURL: func(u *url.URL) error { return client.CheckURL(u.String()) },
		Clock: time.Now, Log: log, Languages: []string{f.lang, "nl", "en"},
		Regions: func(r wallet.RegionSettings) (wallet.Region, error) {
			followed, err := followRegion(conf.Region{Genesis: r.Genesis, Nodes: r.Nodes}, settings, copies, log)
			if err != nil {
				return wallet.Region{}, err
			}
			return wallet.Region{Copy: followed.Follower, Neighbours: followed.Neighbours, Refresh: followed.Refresh()}, nil
		},
	}
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

var (
	errDiffer              = errors.New("the two passphrases differ")
	errNoPassphrase        = errors.New("nobody to ask for the passphrase")
	errNoNewPassphrase     = errors.New("nobody to ask for the new passphrase")
	errNoArchivePassphrase = errors.New("nobody to ask for the passphrase of the archive")
)

// secret is the passphrase: from the file, else from the terminal, twice when it is
// new.
func (f *walletFlags) secret(cmd *cobra.Command, fresh bool) ([]byte, error) {
	return f.askSecret(cmd, f.passphrase, walletTexts[f.lang].passphrase, fresh, errNoPassphrase)
}
