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
	"paspoort.example/paspoort/internal/outbound"
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
		return out, fmt.Errorf("%s: %w", t.anchors, err)
	}
	out.Anchors = chain
	return out, nil
}

// met explains why a meeting does not come about, above all an organisation that no
// region knows.
func (f *walletFlags) met(cmd *cobra.Command, err error) error {
	if errors.Is(err, outbound.ErrAddress) || errors.Is(err, outbound.ErrURL) {
		return hint(err, "for a region on this computer, make the wallet with --ready-file FILE or --loopback-http")
	}
	var unknown *wallet.UnknownError
	if !errors.As(err, &unknown) {
		return err
	}
	newWalletPrinter(cmd.ErrOrStderr(), f.lang).stranger(unknown.Party)
	return hint(err, "when you know this organisation, say so: --accept-unknown, or --trust-ca FILE")
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
				return f.accept(ctx, cmd, w, offerText(args[0]), code, trust)
			})
		},
	}
	t.register(cmd)
	cmd.Flags().StringVar(&code, "tx-code", "", "the code that the issuer gave you another way")
	return cmd
}

// offerText also takes the bare address of an offer, as an issuer's API gives it.
func offerText(text string) string {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "http") && !strings.Contains(text, "credential_offer") {
		return openid4vci.LinkByReference(openid4vci.OfferScheme+"://", text)
	}
	return text
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
			return hint(openid4vci.ErrTxCodeNeeded, "add --tx-code CODE")
		}
	}
	if offer.TxCode == nil {
		code = "" // a code that nobody asks is no reason to fail
	}
	accepted, err := w.Accept(ctx, offer, wallet.Choices{TxCode: code})
	if err != nil && len(accepted) > 0 { // what did come in stays
		newWalletPrinter(cmd.ErrOrStderr(), f.lang).accepted(accepted)
	}
	switch {
	case errors.Is(err, openid4vci.InvalidGrant):
		return hint(err, "the code is wrong, or the offer is used or too old: ask the issuer for a new one")
	case err != nil:
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
	words := walletTexts[f.lang]
	if !f.json {
		newWalletPrinter(cmd.OutOrStdout(), f.lang).consent(r.Consent)
	}
	if len(r.Consent.Items) == 0 {
		return hint(wallet.ErrNothing, "collect credentials first, or say no: --refuse")
	}
	if !yes {
		answer, err := readLine(cmd, words.agree)
		if err != nil {
			if f.json {
				err = errors.Join(printJSON(cmd.OutOrStdout(), map[string]any{"consent": r.Consent}), errors.New("nothing was sent"))
			}
			return hint(err, "when you agree, add --yes")
		}
		if !strings.HasPrefix(strings.ToLower(answer), words.yes) {
			return f.refuse(ctx, cmd, w, r, false)
		}
	}
	redirect, err := w.Present(ctx, r, d)
	var refused *openid4vp.Error
	if errors.As(err, &refused) {
		return hint(err, "the asker did not take it: ask for a new link")
	}
	if err != nil {
		return err
	}
	return f.say(cmd, map[string]any{"sent": true, "consent": r.Consent, "redirect_uri": redirect}, func(p *walletPrinter) { p.sent(redirect) })
}

func (f *walletFlags) refuse(ctx context.Context, cmd *cobra.Command, w *wallet.Wallet, r *wallet.Request, tell bool) error {
	if _, err := w.Refuse(ctx, r, tell); err != nil {
		return err
	}
	return f.say(cmd, map[string]any{"sent": false, "told": tell, "consent": r.Consent}, func(p *walletPrinter) { p.notSent(tell) })
}
