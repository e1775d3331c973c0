package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/wallet"
)

func newWalletRecoveryCommand(f *walletFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "recovery",
		Short: "Make a recovery code, for when the passphrase is lost",
		Long: `Make a recovery code, for when the passphrase is lost. It is shown once: write it on
paper and keep that away from this computer. A code that was made before opens nothing
any more.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd, func(_ context.Context, w *wallet.Wallet) error {
				code, err := w.NewRecoveryCode()
				if err != nil {
					return err
				}
				return f.say(cmd, map[string]any{"recovery_code": code.String()}, func(p *walletPrinter) { p.recovery(code) })
			})
		},
	}
}

func newWalletPassphraseCommand(f *walletFlags) *cobra.Command {
	var fresh string
	cmd := &cobra.Command{
		Use:   "passphrase",
		Short: "Choose another passphrase",
		Long: `Choose another passphrase. When you lost the one you had, open your paspoort with the
recovery code:

  paspoort wallet passphrase --recovery-code-file FILE`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd, func(_ context.Context, w *wallet.Wallet) error {
				secret, err := f.askSecret(cmd, fresh, walletTexts[f.lang].newPassphrase, true, errNoNewPassphrase)
				if err != nil {
					return err
				}
				if err := w.ChangePassphrase(secret); err != nil {
					return err
				}
				return f.say(cmd, map[string]any{"changed": true}, func(p *walletPrinter) { p.line("%s", p.t.changed) })
			})
		},
	}
	cmd.Flags().StringVar(&fresh, "new-passphrase-file", "", "file with the new passphrase; without it you are asked")
	return cmd
}

func newWalletArchiveCommand(f *walletFlags) *cobra.Command {
	var sealed string
	cmd := &cobra.Command{
		Use:   "archive FILE",
		Short: "Write your whole paspoort to one file, to take along",
		Long: `Write your whole paspoort to one file, sealed with a passphrase that you choose for
it. Another paspoort takes it in: on another computer with "paspoort wallet import", or
on a website. Whoever has the file and its passphrase has your paspoort.`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, func(ctx context.Context, w *wallet.Wallet) error {
				secret, err := f.askSecret(cmd, sealed, walletTexts[f.lang].archivePassphrase, true, errNoArchivePassphrase)
				if err != nil {
					return err
				}
				if err := writeArchive(ctx, args[0], w, secret); err != nil {
					return err
				}
				return f.say(cmd, map[string]any{"file": args[0]}, func(p *walletPrinter) { p.archived(args[0]) })
			})
		},
	}
	cmd.Flags().StringVar(&sealed, "archive-passphrase-file", "", "file with the passphrase of the archive; without it you are asked")
	return cmd
}

// writeArchive writes beside the file and puts it in place when it is whole.
func writeArchive(ctx context.Context, path string, w *wallet.Wallet, secret []byte) (err error) {
	out, err := os.CreateTemp(filepath.Dir(path), ".archive-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(out.Name()))
		}
	}()
	err = w.ExportArchive(ctx, out, secret)
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), path)
}

func newWalletImportCommand(f *walletFlags) *cobra.Command {
	var sealed string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take in a paspoort that was written with archive",
		Long: `Take in a paspoort that was written with "paspoort wallet archive", or that a website
gave you. What you have already does not come twice.`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			in, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, in.Close()) }()
			return f.with(cmd, func(ctx context.Context, w *wallet.Wallet) error {
				secret, err := f.askSecret(cmd, sealed, walletTexts[f.lang].archivePassphrase, false, errNoArchivePassphrase)
				if err != nil {
					return err
				}
				got, err := w.ImportArchive(ctx, in, secret)
				if err != nil {
					return err
				}
				return f.say(cmd, got, func(p *walletPrinter) { p.imported(got) })
			})
		},
	}
	cmd.Flags().StringVar(&sealed, "archive-passphrase-file", "", "file with the passphrase of the archive; without it you are asked")
	return cmd
}

// unlock opens the wallet with the recovery code when there is a file with it, else with the
// passphrase.
func (f *walletFlags) unlock(cmd *cobra.Command) (*openedWallet, error) {
	if f.recovery != "" {
		raw, err := os.ReadFile(f.recovery)
		if err != nil {
			return nil, err
		}
		code, err := wallet.ParseRecoveryCode(string(raw))
		if err != nil {
			return nil, err
		}
		return f.open(cmd, func(c wallet.Config) (*wallet.Wallet, error) { return wallet.UnlockWithRecovery(c, code) })
	}
	secret, err := f.secret(cmd, false)
	if err != nil {
		return nil, err
	}
	return f.open(cmd, func(c wallet.Config) (*wallet.Wallet, error) { return wallet.Unlock(c, secret) })
}

// askSecret is a passphrase: from a file, else from the terminal, twice when it is new.
// With nobody to ask it fails with nobody, whose words name the flag for the file.
func (f *walletFlags) askSecret(cmd *cobra.Command, file, prompt string, fresh bool, nobody error) ([]byte, error) {
	if file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		return bytes.TrimRight(raw, "\r\n"), nil
	}
	first, err := readHidden(cmd, prompt)
	if errors.Is(err, errNoTerminal) {
		return nil, nobody
	}
	if err != nil || !fresh {
		return first, err
	}
	again, err := readHidden(cmd, walletTexts[f.lang].again)
	if err == nil && !bytes.Equal(first, again) {
		err = errDiffer
	}
	return first, err
}

func (p *walletPrinter) recovery(code wallet.RecoveryCode) {
	p.line("%s\n\n  %s\n", p.t.recoveryCode, p.s.bold(code.String()))
	p.line("%s", p.t.recoveryPaper)
}

func (p *walletPrinter) archived(path string) {
	p.line("%s %s\n  %s", p.s.good("✓"), p.t.archived, path)
	p.line("\n%s:\n  paspoort wallet --dir %s import %s", p.t.archivedNext, p.t.folder, path)
}

func (p *walletPrinter) imported(got wallet.Imported) {
	if got.New() == 0 {
		p.line("%s", p.t.nothingNew)
	} else {
		p.line("%s "+p.t.importedCounts, p.s.good("✓"), got.Credentials, got.Copies, got.Declarations, got.Events)
	}
	if got.RegionsLeft > 0 {
		p.line("  "+p.t.regionsLeft, got.RegionsLeft)
	}
	if got.Copies > 0 {
		p.line("  %s", p.s.dim(typed(p.t.bothPlaces)))
	}
}
