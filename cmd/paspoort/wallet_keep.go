package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

func newWalletListCommand(f *walletFlags) *cobra.Command {
	var offline bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what you have, and how it stands today",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd, func(ctx context.Context, w *wallet.Wallet) error {
				items, err := w.List()
				if err != nil {
					return err
				}
				standings := map[string]wallet.Standing{}
				if !offline {
					if standings, err = w.Standings(ctx); err != nil {
						return err
					}
				}
				return f.say(cmd, map[string]any{"items": items, "standings": standings}, func(p *walletPrinter) { p.list(items, standings) })
			})
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "do not ask whether anything was revoked")
	return cmd
}

func newWalletShowCommand(f *walletFlags) *cobra.Command {
	var export string
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one thing whole, or make a file of it that anybody can check",
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, func(ctx context.Context, w *wallet.Wallet) error {
				if export != "" {
					return f.export(cmd, w, args[0], export)
				}
				d, err := w.Show(ctx, args[0])
				if err != nil {
					return err
				}
				return f.say(cmd, d, func(p *walletPrinter) { p.details(d) })
			})
		},
	}
	cmd.Flags().StringVar(&export, "export", "", "write the credential to this file, everything in it disclosed")
	return cmd
}

func (f *walletFlags) export(cmd *cobra.Command, w *wallet.Wallet, id, path string) error {
	text, err := w.Export(id)
	if err != nil {
		return err
	}
	if err := keyfile.WriteAtomic(path, []byte(text+"\n"), 0o600); err != nil {
		return err
	}
	return f.say(cmd, map[string]any{"file": path}, func(p *walletPrinter) { p.exported(path, w.Relies()) })
}

func newWalletDeclareCommand(f *walletFlags) *cobra.Command {
	var file, title, who, language string
	var drives, talents, wishes, can []string
	cmd := &cobra.Command{
		Use:   "declare",
		Short: "Write in your own words who you are, what you can and what you want",
		Long: `Write in your own words who you are, what you can and what you want. Nobody
has to confirm it. It is signed with a key of your own only when you show it.

  paspoort wallet declare --who-i-am "Ik werk graag met mensen." --wish "Werken in de zorg"
  paspoort wallet declare --claims words.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			claims := map[string]any{"evidence": "self", "language": language}
			if file != "" {
				raw, err := readFileOrStdin(cmd, file)
				if err != nil {
					return err
				}
				claims = map[string]any{}
				if err := ijson.Unmarshal(raw, &claims); err != nil {
					return fmt.Errorf("%w: %s: %w", errClaimsFile, file, err)
				}
			}
			for name, v := range map[string]string{"title": title, "who_i_am": who} {
				if v != "" {
					claims[name] = v
				}
			}
			for name, list := range map[string][]string{"drives": drives, "talents": talents, "wishes": wishes, "can_do": can} {
				if len(list) > 0 {
					claims[name] = anyList(list)
				}
			}
			if !saysSomething(claims) {
				return exitError{exitUsage, errNoWords}
			}
			return f.declare(cmd, claims)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&file, "claims", "", "JSON file with all of it; - reads standard input")
	flags.StringVar(&title, "title", "", "a name for it")
	flags.StringVar(&who, "who-i-am", "", "who you are")
	flags.StringArrayVar(&drives, "drive", nil, "what drives you; may be repeated")
	flags.StringArrayVar(&talents, "talent", nil, "what comes easy to you; may be repeated")
	flags.StringArrayVar(&wishes, "wish", nil, "what you want; may be repeated")
	flags.StringArrayVar(&can, "can", nil, "what you can do; may be repeated")
	flags.StringVar(&language, "language", "nl", "language of your words")
	return cmd
}

func (f *walletFlags) declare(cmd *cobra.Command, claims map[string]any) error {
	if _, ok := claims["title"]; !ok {
		claims["title"] = paspoort.Zelfverklaring.Name().In(f.lang)
	}
	return f.with(cmd, func(_ context.Context, w *wallet.Wallet) error {
		id, err := w.Declare(claims)
		if err != nil {
			return err
		}
		return f.say(cmd, map[string]any{"id": id}, func(p *walletPrinter) { p.declared(id) })
	})
}

// saysSomething: there is more in claims than what the command itself puts there.
func saysSomething(claims map[string]any) bool {
	for name, v := range claims {
		said := strings.Trim(fmt.Sprint(v), "[] \t\r\n") // also a list of nothing
		if name != "evidence" && name != "language" && v != nil && said != "" {
			return true
		}
	}
	return false
}

func anyList(in []string) []any {
	out := make([]any, len(in))
	for i, s := range in {
		out[i] = s
	}
	return out
}

func readFileOrStdin(cmd *cobra.Command, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(cmd.InOrStdin(), 1<<20))
	}
	return os.ReadFile(path)
}

func newWalletPageCommand(f *walletFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "page",
		Short: "See your paspoort as one page: who you are, what you can, what you want",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd, func(ctx context.Context, w *wallet.Wallet) error {
				page, err := w.Page(ctx)
				if err != nil {
					return err
				}
				return f.say(cmd, page, func(p *walletPrinter) { p.page(page) })
			})
		},
	}
}

func newWalletHistoryCommand(f *walletFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "history",
		Short: "See what happened: what came in, who saw what, what you refused",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd, func(_ context.Context, w *wallet.Wallet) error {
				events, err := w.History()
				if err != nil {
					return err
				}
				return f.say(cmd, map[string]any{"events": events}, func(p *walletPrinter) { p.history(events) })
			})
		},
	}
}

func newWalletRenewCommand(f *walletFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "renew [ID...]",
		Short: "Fetch new copies from the issuers, ahead of time",
		Long: `Fetch new copies from the issuers, ahead of time: of the things named, or of all
that have few copies left. Everybody you show something gets a copy of its own, so that
they cannot find each other through you. The issuer sees that you want new copies, and
not for whom; ask when nobody is waiting, and it learns nothing from the moment either.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, func(ctx context.Context, w *wallet.Wallet) error {
				done, err := w.Renew(ctx, args...)
				if err != nil {
					return err
				}
				failed := slices.ContainsFunc(done, func(r wallet.Renewed) bool { return r.Problem != nil })
				if failed && f.json {
					return withData{errNotAllNew, renewedJSON(done, f.lang)}
				}
				if err := f.say(cmd, map[string]any{"renewed": done}, func(p *walletPrinter) { p.renewed(done) }); err != nil || !failed {
					return err
				}
				return errNotAllNew
			})
		},
	}
}

// renewedJSON says of each what became of it.
func renewedJSON(done []wallet.Renewed, lang string) []any {
	out := []any{}
	for _, r := range done {
		line := map[string]any{"id": r.ID, "name": r.Name, "copies": r.Copies, "unused": r.Unused}
		if r.Problem != nil {
			p := explain(r.Problem, lang)
			line["error"], line["error_description"] = p.code, p.Error()
		}
		out = append(out, line)
	}
	return out
}

func newWalletDeleteCommand(f *walletFlags) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete ID",
		Short: "Delete one thing for good, after asking",
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, func(_ context.Context, w *wallet.Wallet) error {
				sure, err := f.sure(cmd, w, args[0], yes)
				if err != nil {
					return err
				}
				if !sure {
					return f.say(cmd, map[string]any{"deleted": nil}, func(p *walletPrinter) { p.deleted(false) })
				}
				if err := w.Delete(args[0]); err != nil {
					return err
				}
				return f.say(cmd, map[string]any{"deleted": args[0]}, func(p *walletPrinter) { p.deleted(true) })
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "delete without asking")
	return cmd
}

// sure asks whether a thing may go, by its name: an ID is easily mistaken. Only a clear
// yes counts.
func (f *walletFlags) sure(cmd *cobra.Command, w *wallet.Wallet, id string, yes bool) (bool, error) {
	items, err := w.List()
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(items, func(i wallet.Item) bool { return i.ID == id })
	if i < 0 {
		return false, wallet.ErrNotHere
	}
	if yes {
		return true, nil
	}
	words := walletTexts[f.lang]
	answer, err := readLine(cmd, fmt.Sprintf(words.sure, items[i].Name))
	if errors.Is(err, io.EOF) {
		return false, nil // Ctrl-D is no yes
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", errNotSure, err)
	}
	return strings.HasPrefix(strings.ToLower(answer), words.yes), nil
}
