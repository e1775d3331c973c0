package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/wallet"
)

// trustFlags say how far a meeting goes beyond the regions.
type trustFlags struct {
	unknown bool
	anchors string
}

func (t *trustFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&t.unknown, "accept-unknown", false, "meet an organisation that no region knows; first see whom it claims to be")
	cmd.Flags().StringVar(&t.anchors, "trust-ca", "", "file with certificates (PEM) of another authority to trust, this once")
}

func (t *trustFlags) trust() (wallet.Trust, error) {
	out := wallet.Trust{AcceptUnknown: t.unknown}
	if t.anchors == "" {
		return out, nil
	}
	raw, err := os.ReadFile(t.anchors)
	if err != nil {
		return out, err
	}
	var chain []*x509.Certificate
	if chain, err = ca.ParsePEM(raw); err != nil {
		return out, fmt.Errorf("%w: %s: %w", errCA, t.anchors, err)
	}
	out.Anchors = chain
	return out, nil
}

// met explains why a meeting does not come about, above all an organisation that no
// region knows.
func (f *walletFlags) met(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*wallet.UnknownError](err); ok {
		if !f.json {
			newWalletPrinter(cmd.ErrOrStderr(), f.lang).stranger(unknown.Party)
		}
		return withData{err, map[string]any{"party": unknown.Party}}
	}
	return err
}

func newWalletAcceptCommand(f *walletFlags) *cobra.Command {
	var t trustFlags
	var code string
	cmd := &cobra.Command{
		Use:   "accept OFFER",
		Short: "Accept what an issuer offers: a link, or the text of a QR code",
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			trust, err := t.trust()
			if err != nil {
				return err
			}
			return f.with(cmd, func(ctx context.Context, w *wallet.Wallet) error {
				return f.accept(ctx, cmd, w, args[0], code, trust)
			})
		},
	}
	t.register(cmd)
	cmd.Flags().StringVar(&code, "tx-code", "", "the code that the issuer gave you another way")
	return cmd
}

func (f *walletFlags) accept(ctx context.Context, cmd *cobra.Command, w *wallet.Wallet, text, code string, trust wallet.Trust) error {
	words := walletTexts[f.lang]
	offer, err := w.Offer(ctx, text, trust)
	if err != nil {
		return f.met(cmd, err)
	}
	if !f.json {
		newWalletPrinter(cmd.OutOrStdout(), f.lang).offer(offer)
	}
	if offer.TxCode != nil && code == "" {
		if code, err = readLine(cmd, words.txCode); err != nil {
			return openid4vci.ErrTxCodeNeeded
		}
	}
	if offer.TxCode == nil {
		code = "" // a code that nobody asks is no reason to fail
	}
	accepted, err := w.Accept(ctx, offer, wallet.Choices{TxCode: code})
	if err != nil && len(accepted) > 0 { // what did come in stays
		newWalletPrinter(cmd.ErrOrStderr(), f.lang).accepted(accepted)
	}
	if errors.Is(err, wallet.ErrUnknownParty) {
		err = fmt.Errorf("%w: %w", errSpent, err)
	}
	if err != nil {
		return f.met(cmd, err)
	}
	return f.say(cmd, map[string]any{"accepted": accepted}, func(p *walletPrinter) { p.accepted(accepted) })
}

func newWalletPresentCommand(f *walletFlags) *cobra.Command {
	var t trustFlags
	var yes, refuse, tell bool
	var skip []int
	cmd := &cobra.Command{
		Use:   "present INVOCATION",
		Short: "See who asks for what, and send it if you agree: a link, or the text of a QR code",
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			trust, err := t.trust()
			if err != nil {
				return err
			}
			return f.with(cmd, func(ctx context.Context, w *wallet.Wallet) error {
				r, err := w.Request(ctx, strings.TrimSpace(args[0]), trust)
				if err != nil {
					return f.met(cmd, err)
				}
				if refuse {
					return f.refuse(ctx, cmd, w, r, tell)
				}
				return f.present(ctx, cmd, w, r, wallet.Decision{Skip: lessOne(skip)}, yes)
			})
		},
	}
	t.register(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "send without asking")
	cmd.Flags().IntSliceVar(&skip, "skip", nil, "numbers of what does not go")
	cmd.Flags().BoolVar(&refuse, "refuse", false, "say no; the asker hears nothing")
	cmd.Flags().BoolVar(&tell, "tell", false, "with --refuse: let the asker know")
	return cmd
}

// lessOne turns the numbers on the screen, from 1, into indexes.
func lessOne(numbers []int) []int {
	out := make([]int, len(numbers))
	for i, n := range numbers {
		out[i] = n - 1
	}
	return out
}

func (f *walletFlags) present(ctx context.Context, cmd *cobra.Command, w *wallet.Wallet, r *wallet.Request, d wallet.Decision, yes bool) error {
	if !f.json {
		newWalletPrinter(cmd.OutOrStdout(), f.lang).consent(r.Consent)
	}
	if len(r.Consent.Items) == 0 {
		return withData{wallet.ErrNothing, map[string]any{"consent": r.Consent}}
	}
	if agreed, err := f.agree(cmd, r, yes); err != nil {
		return err
	} else if !agreed {
		return f.refuse(ctx, cmd, w, r, false)
	}
	redirect, err := w.Present(ctx, r, d)
	if errors.Is(err, wallet.ErrAgain) {
		// The new copies did not come, or say something else: what goes now is read again.
		newWalletPrinter(cmd.ErrOrStderr(), f.lang).consent(r.Consent)
		if agreed, err := f.agree(cmd, r, yes); err != nil {
			return err
		} else if !agreed {
			return f.refuse(ctx, cmd, w, r, false)
		}
		redirect, err = w.Present(ctx, r, d)
	}
	if _, refused := errors.AsType[*openid4vp.RefusedError](err); refused {
		return fmt.Errorf("%w: %w", errTakenBack, err)
	}
	if err != nil {
		return err
	}
	return f.say(cmd, map[string]any{"sent": true, "consent": r.Consent, "redirect_uri": redirect}, func(p *walletPrinter) { p.sent(redirect) })
}

// agree asks the holder, unless the command line says yes. With nobody to ask, what it
// is about is part of the refusal.
func (f *walletFlags) agree(cmd *cobra.Command, r *wallet.Request, yes bool) (bool, error) {
	if yes {
		return true, nil
	}
	words := walletTexts[f.lang]
	answer, err := readLine(cmd, words.agree)
	if err != nil {
		return false, withData{fmt.Errorf("%w: %w", errNotAgreed, err), map[string]any{"consent": r.Consent}}
	}
	return strings.HasPrefix(strings.ToLower(answer), words.yes), nil
}

func (f *walletFlags) refuse(ctx context.Context, cmd *cobra.Command, w *wallet.Wallet, r *wallet.Request, tell bool) error {
	if _, err := w.Refuse(ctx, r, tell); err != nil {
		return err
	}
	return f.say(cmd, map[string]any{"sent": false, "told": tell, "consent": r.Consent}, func(p *walletPrinter) { p.notSent(tell) })
}
