package main

// What the wallet says to its holder, in Dutch at B1 and in English. The rules of
// print.go hold; besides, whoever asks stands above what goes, and everything that
// goes is named.

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// say answers as JSON or in words.
func (f *walletFlags) say(cmd *cobra.Command, v any, words func(*walletPrinter)) error {
	if f.json {
		return printJSON(cmd.OutOrStdout(), v)
	}
	p := newWalletPrinter(cmd.OutOrStdout(), f.lang)
	words(p)
	return p.err
}

// A walletPrinter writes sentences for one holder.
type walletPrinter struct {
	w   io.Writer
	s   style
	t   walletWords
	l   string
	err error
}

func newWalletPrinter(w io.Writer, lang string) *walletPrinter {
	return &walletPrinter{w: w, s: styleOf(w), t: walletTexts[lang], l: lang}
}

func (p *walletPrinter) line(format string, args ...any) {
	if _, err := fmt.Fprintf(p.w, typed(format)+"\n", args...); err != nil && p.err == nil {
		p.err = err
	}
}

func (p *walletPrinter) made(dir string, regions []wallet.RegionSettings) {
	p.line("%s %s", p.s.good("✓"), p.s.bold(p.t.made+" "+dir))
	for _, r := range regions {
		p.line("  %s %.12s…", p.t.relies, r.Genesis)
	}
	if len(regions) == 0 {
		p.line("  %s", p.t.noRegion)
	}
	p.line("  %s", p.s.dim(p.t.sealed))
	p.line("\n%s:\n  paspoort wallet accept 'openid-credential-offer://...' --tx-code CODE", p.t.next)
	p.line("%s:\n  paspoort wallet recovery", p.t.recoveryNext)
}

// party tells who somebody is: what a region says first, then its own words.
func (p *walletPrinter) party(who wallet.Party) {
	switch {
	case who.Known && who.Admitted:
		p.line("  %s %s %s", p.s.good("✓"), p.t.knownSince, who.Since)
	case who.Known:
		p.line("  %s %s", p.s.bad("✕"), p.t.notAdmitted)
	default:
		p.line("  %s %s", p.s.wrap("33", "?"), p.t.notKnown)
	}
	p.line("  %s", p.s.dim(who.ID))
	if c := who.Certificate; c != nil && !who.Known {
		p.line("  %s: %s (%s, SHA-256 %.16s…)", p.t.certificate, c.Subject, c.IssuedBy, c.Fingerprint)
		p.line("    %s", strings.Join(c.Names, ", "))
	}
}

// stranger describes who was refused; why stands in the error that follows.
func (p *walletPrinter) stranger(who wallet.Party) {
	p.line("  %s: %s", p.t.itSays, who.DisplayName())
	p.line("  %s", who.ID)
	if c := who.Certificate; c != nil {
		p.line("  %s: %s", p.t.certificate, c.Subject)
		p.line("    %s, SHA-256 %s", c.IssuedBy, c.Fingerprint)
		p.line("    %s", strings.Join(c.Names, ", "))
	}
}

func (p *walletPrinter) offer(o *wallet.Offer) {
	p.line("%s %s:", p.s.bold(o.Issuer.DisplayName()), p.t.offers)
	p.party(o.Issuer)
	for _, i := range o.Items {
		p.line("  • %s", i.Name)
		if i.Description != "" {
			p.line("    %s", p.s.dim(i.Description))
		}
	}
}

func (p *walletPrinter) accepted(all []wallet.Accepted) {
	for _, a := range all {
		p.line("%s %s: %s  %s", p.s.good("✓"), p.t.kept, p.s.bold(a.Name), p.s.dim(fmt.Sprintf("%s · %d %s", a.ID, a.Copies, p.t.copies)))
		if a.TimestampNodes >= 2 {
			p.line("  "+p.t.timestamps, a.TimestampNodes)
		} else {
			p.line("  %s %s", p.s.wrap("33", "!"), p.t.fewTimestamps)
		}
		if !a.Issuer.Known {
			p.line("  %s %s", p.s.wrap("33", "!"), p.t.unknownKept)
			p.party(a.Issuer)
		}
	}
}

func (p *walletPrinter) consent(c wallet.Consent) {
	p.line("%s %s:", p.s.bold(c.Asker.DisplayName()), p.t.asks)
	p.party(c.Asker)
	if c.Purpose != "" {
		p.line("  %s: “%s”", p.t.why, c.Purpose)
	}
	p.line("  %s: %s", p.t.to, c.SentTo)
	if len(c.Items) > 0 {
		p.line("\n%s:", p.s.bold(p.t.goes))
	}
	for i, item := range c.Items {
		from := item.Issuer
		if item.OwnWords {
			from = p.t.ownWords
		}
		p.line("  %d. %s  %s", i+1, p.s.bold(item.Name), p.s.dim(from))
		for _, l := range item.Lines {
			note := ""
			switch {
			case l.Always:
				note = "  " + p.s.dim("("+p.t.always+")")
			case l.Beyond:
				note = "  " + p.s.wrap("33", "("+p.t.beyond+")")
			}
			p.line("     %s: %s%s", l.Label, l.Value, note)
		}
	}
	if len(c.Missing) > 0 {
		p.line("  %s", p.s.dim(p.t.missing+": "+strings.Join(c.Missing, ", ")))
	}
	for _, w := range c.Warnings {
		p.line("  %s %s", p.s.wrap("33", "!"), w.Sentence.In(p.l))
	}
}

func (p *walletPrinter) sent(redirect string) {
	p.line("%s %s", p.s.good("✓"), p.t.done)
	if redirect != "" {
		p.line("  %s %s", p.t.open, p.s.link(redirect))
	}
}

func (p *walletPrinter) notSent(told bool) {
	p.line("%s", p.t.nothingSent)
	if told {
		p.line("%s", p.t.told)
	}
}

func (p *walletPrinter) list(items []wallet.Item, standings map[string]wallet.Standing) {
	if len(items) == 0 {
		p.line("%s", p.t.empty)
	}
	for _, i := range items {
		from := i.Issuer.DisplayName()
		if i.OwnWords {
			from = p.t.ownWords
		}
		p.line("%s  %s  %s", i.ID, p.s.bold(i.Name), p.s.dim(from+" · "+i.Accepted.Format(time.DateOnly)))
		if !i.OwnWords {
			p.line("          %s", p.s.dim(fmt.Sprintf("%d %s, %d %s", i.Copies, p.t.copies, i.Unused, p.t.unused)))
		}
		if i.FewLeft {
			p.line("          %s", typed(p.t.fewLeft))
		}
		if s, ok := standings[i.ID]; ok && s.State != paspoort.OK {
			p.line("          %s %s", p.s.sign(s.State), s.Sentence.In(p.l))
		}
	}
}

func (p *walletPrinter) details(d *wallet.Details) {
	p.line("%s", p.s.bold(d.Name))
	if !d.OwnWords {
		p.line("%s", d.Issuer.DisplayName())
		p.party(d.Issuer)
	}
	for _, l := range d.Lines {
		p.line("  %s: %s", l.Label, l.Value)
	}
	if d.Verdict == nil || len(d.Verdict.Credentials) == 0 {
		return
	}
	p.line("")
	for _, c := range d.Verdict.Credentials[0].Checks {
		// Whose it is and who asked, the holder knows.
		if c.Name != paspoort.CheckHolderBinding && c.Name != paspoort.CheckNonceAudience {
			p.line("  %s %s", p.s.sign(c.State), c.Sentence.In(p.l))
		}
	}
}

// page prints wie ben ik, wat kan ik, wat wil ik. A verifier finds the levels by its own
// registry.
func (p *walletPrinter) page(page paspoort.Profile) {
	part := func(title string, lines ...string) {
		p.line("%s", p.s.bold(title))
		for _, l := range lines {
			p.line("  %s", l)
		}
		p.line("")
	}
	part(p.t.who, append(page.Names, page.Who...)...)
	var can []string
	for _, s := range page.Can {
		can = append(can, fmt.Sprintf("%s  %s", s.Skill.Label, p.s.dim(fmt.Sprintf("%s %d · %s", p.t.level, s.Level, paspoort.LevelText(s.Level).In(p.l)))))
	}
	for _, d := range page.Done {
		can = append(can, strings.TrimSpace(fmt.Sprintf("• %s  %s", d.Title, p.s.dim(strings.Trim(d.Issuer+" · "+d.Period, " ·")))))
	}
	part(p.t.can, can...)
	part(p.t.want, append(page.Drives, page.Wants...)...)
}

func (p *walletPrinter) exported(path string, regions []string) {
	genesis := "GENESIS"
	if len(regions) == 1 {
		genesis = regions[0]
	}
	p.line("%s\n  %s", p.t.exported, path)
	p.line("\n%s:\n  paspoort verify %s --genesis %s --registry FILE --status LISTS", p.t.next, path, genesis)
}

func (p *walletPrinter) declared(id string) {
	p.line("%s %s  %s", p.s.good("✓"), p.t.declared, p.s.dim(id))
}

func (p *walletPrinter) renewed(all []wallet.Renewed) {
	if len(all) == 0 {
		p.line("%s", p.t.noneNeeded)
	}
	for _, r := range all {
		if r.Problem == nil {
			p.line("%s %s: %s  %s", p.s.good("✓"), p.t.renewed, p.s.bold(r.Name), p.s.dim(fmt.Sprintf("%d %s, %d %s", r.Copies, p.t.copies, r.Unused, p.t.unused)))
			continue
		}
		f := explain(r.Problem, p.l)
		p.line("%s %s: %s", p.s.bad("✕"), r.Name, f.Error())
		if f.detail != "" {
			p.line("  %s", p.s.dim("("+f.detail+")"))
		}
	}
}

func (p *walletPrinter) deleted(gone bool) {
	if !gone {
		p.line("%s", p.t.nothingDeleted)
		return
	}
	p.line("%s", p.t.deleted)
}

func (p *walletPrinter) history(events []wallet.Event) {
	if len(events) == 0 {
		p.line("%s", p.t.noHistory)
	}
	for _, e := range events {
		what := e.Name
		if who := e.Party.DisplayName(); e.Party.ID != "" && what != "" {
			what += " · " + who
		} else if e.Party.ID != "" {
			what = who
		}
		p.line("%s", strings.TrimRight(fmt.Sprintf("%s  %-14s %s", e.At.Local().Format("2006-01-02 15:04"), p.t.events[e.Kind], what), " "))
		for _, s := range e.Shown {
			p.line("                    %s: %s", s.Name, strings.Join(s.Claims, ", "))
		}
	}
}

// errNoTerminal: there is nobody to ask.
var errNoTerminal = errors.New("there is no terminal to ask on")

// readHidden asks for something that does not appear on the screen.
func readHidden(cmd *cobra.Command, prompt string) ([]byte, error) {
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, errNoTerminal
	}
	fmt.Fprint(cmd.ErrOrStderr(), prompt)
	secret, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(cmd.ErrOrStderr())
	return secret, err
}

// readLine asks a question on the terminal.
func readLine(cmd *cobra.Command, prompt string) (string, error) {
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", errNoTerminal
	}
	fmt.Fprint(cmd.ErrOrStderr(), prompt)
	line, err := bufio.NewReader(in).ReadString('\n')
	return strings.TrimSpace(line), err
}
