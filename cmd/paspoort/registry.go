package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
)

// registryFlags are the flags of every registry command.
type registryFlags struct {
	config     string
	nodes      []string
	region     string
	as, key    string
	caFile     string
	loopback   bool
	private    []string // ranges
	passphrase string   // file
	json       bool
	lang       string
}

func newRegistryCommand() *cobra.Command {
	f := &registryFlags{}
	cmd := &cobra.Command{
		Use:   "registry",
		Short: "Have a say in a region, and see what it decides",
		Long: `Have a say in a region, and see what it decides: apply for admission, approve or
refuse, suspend and withdraw, change keys and addresses.

Who you are and where the region is stand in one file, which "paspoort registry init"
makes. Your key signs here and goes nowhere; only what you signed is sent. Its
passphrase, or the PIN of its token, is asked for, or read from --passphrase-file.

Looking needs no file and no key:

  paspoort registry list --node https://knoop-1.example`,
		Args:              noArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error { return checkLanguage(f.lang) },
	}
	f.register(cmd)
	cmd.AddCommand(
		newRegistryInitCommand(f),
		newRegistryApplyCommand(f),
		newRegistryAppealCommand(f),
		newRegistryStatusCommand(f),
		newRegistryVoteCommand(f, true),
		newRegistryVoteCommand(f, false),
		newRegistryMeasureCommand(f, registry.KindSuspended),
		newRegistryMeasureCommand(f, registry.KindReinstated),
		newRegistryMeasureCommand(f, registry.KindWithdrawn),
		newRegistryRotateCommand(f),
		newRegistryAliasCommand(f),
		newRegistrySucceedCommand(f),
		newRegistryListCommand(f),
		newRegistryShowCommand(f),
		newRegistryWhyCommand(f),
		newRegistryFunctionCommand(f),
		newRegistryModuleCommand(f),
		newRegistryHobbelCommand(f),
		newRegistryCertificateCommand(f),
		newRegistryWitnessCommand(f),
		newRegistryCustodianCommand(f),
		newRegistryProposeCommand(f),
		newRegistrySignCommand(f),
		newRegistrySendCommand(f),
	)
	f.speaks(cmd.Commands()...)
	return cmd
}

func (f *registryFlags) register(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.config, "config", defaultSeat(), "file with who you are and where the region is")
	flags.StringArrayVar(&f.nodes, "node", nil, "address of a node, instead of those in the file; may be repeated")
	flags.StringVar(&f.region, "region", "", "genesis of the region, instead of the one in the file")
	flags.StringVar(&f.as, "as", "", "who signs: member/ID or organisation/ID, instead of who is in the file")
	flags.StringVar(&f.key, "key", "", "key file, or pkcs11: address of a key on a token, instead of the one in the file")
	flags.StringVar(&f.caFile, "ca-file", "", "certificates to trust for https beside the system's")
	flags.BoolVar(&f.loopback, "loopback-http", false, "allow plain http on this computer")
	flags.StringArrayVar(&f.private, "allow-private", nil, privateUsage)
	flags.StringVar(&f.passphrase, "passphrase-file", os.Getenv("PASPOORT_KEY_PASSPHRASE_FILE"), "file with the passphrase of the key, or the PIN of its token; without it you are asked")
	flags.BoolVar(&f.json, "json", false, "answer as JSON")
	flags.StringVar(&f.lang, "lang", defaultLanguage(), "language of the answer: nl or en")
}

// speaks has commands say what went wrong in the reader's words, or as JSON.
func (f *registryFlags) speaks(cmds ...*cobra.Command) {
	for _, cmd := range cmds {
		cmd.RunE = told(governed(cmd.RunE, &f.lang), &f.lang, &f.json)
	}
}

// standsAlone makes a command that is not under "registry" behave as if it were.
func (f *registryFlags) standsAlone(cmd *cobra.Command) {
	f.register(cmd)
	f.speaks(cmd)
	cmd.PersistentPreRunE = func(*cobra.Command, []string) error { return checkLanguage(f.lang) }
}

func defaultSeat() string {
	if file := os.Getenv("PASPOORT_SEAT"); file != "" {
		return file
	}
	base, err := os.UserConfigDir()
	if err != nil {
		return "registry.json"
	}
	return filepath.Join(base, "paspoort", "registry.json")
}

// seat is the file with what the flags put in its place. Who only looks needs no file.
func (f *registryFlags) seat() (s conf.Seat, err error) {
	if _, missing := os.Stat(f.config); len(f.nodes) == 0 || missing == nil {
		if err := conf.Load(f.config, &s); errors.Is(err, fs.ErrNotExist) {
			return s, fmt.Errorf("%w: %w", errNoSeat, err)
		} else if err != nil {
			return s, err
		}
	}
	if len(f.nodes) > 0 {
		s.Region.Nodes = nil
		for _, n := range f.nodes {
			s.Region.Nodes = append(s.Region.Nodes, strings.TrimRight(n, "/"))
		}
	}
	for given, field := range map[*string]*string{&f.region: &s.Region.Genesis, &f.as: &s.Party, &f.key: &s.Key, &f.caFile: &s.Outbound.CAFile} {
		if *given != "" {
			*field = *given
		}
	}
	s.Outbound.LoopbackHTTP = s.Outbound.LoopbackHTTP || f.loopback
	if len(f.private) > 0 {
		s.Outbound.AllowPrivate = f.private
	}
	return s, nil
}

// waitForNodes is how long a person waits for nodes that elect a leader or are away: some
// elections, and no longer than one sits before a screen that stands still.
const waitForNodes = 15 * time.Second

// voice is somebody who speaks in a region, or only listens.
type voice struct {
	*govern.Client
	seat conf.Seat
	f    *registryFlags
	cmd  *cobra.Command
}

// listener can ask the region, and needs no key. The region's id is believed from the
// first node that answers when no other is pinned.
func (f *registryFlags) listener(cmd *cobra.Command) (*voice, error) {
	s, err := f.seat()
	if err != nil {
		return nil, err
	}
	policy, err := s.Outbound.Policy()
	if err != nil {
		return nil, err
	}
	policy.MaxBytes = max(policy.MaxBytes, maxStatusBytes)
	client := outbound.New(policy)
	v := &voice{Client: &govern.Client{Genesis: s.Region.Genesis, Clock: time.Now, Patience: waitForNodes}, seat: s, f: f, cmd: cmd}
	for _, url := range s.Region.Nodes {
		v.Nodes = append(v.Nodes, registry.Client{HTTP: client, URL: url})
	}
	return v, nil
}

// speaker can sign as well.
func (f *registryFlags) speaker(cmd *cobra.Command) (*voice, error) {
	v, err := f.listener(cmd)
	switch {
	case err != nil:
		return nil, err
	case v.seat.Region.Genesis == "" || v.seat.Party == "" || v.seat.Key == "":
		return nil, errNoSeat
	}
	return v, nil
}

// member says whether who speaks is a member of the region.
func (v *voice) member() bool {
	return strings.HasPrefix(v.seat.Party, registry.MemberParty(""))
}

// organisation is the id of who speaks, "" for a member.
func (v *voice) organisation() string {
	id, ok := strings.CutPrefix(v.seat.Party, registry.OrganisationParty(""))
	if !ok {
		return ""
	}
	return id
}

// signs opens the key for as long as fn takes.
func (v *voice) signs(fn func(registry.Party) error) error {
	key, err := keyfile.Open(v.seat.Key, func() (string, error) { return v.f.secret(v.cmd, v.seat.Key, false) })
	if err != nil {
		return fmt.Errorf("%w: %w", errKey, err)
	}
	return errors.Join(fn(registry.Party{Name: v.seat.Party, Key: key}), key.Close())
}

// submit signs an act and brings it into the log.
func (v *voice) submit(act govern.Act) (out registry.Outcome, err error) {
	err = v.signs(func(p registry.Party) error {
		out, err = v.Submit(v.cmd.Context(), act, p)
		return err
	})
	return out, err
}

// secret is the passphrase of a key file or the PIN of a token: from the file, else from
// the terminal, twice when it is new.
func (f *registryFlags) secret(cmd *cobra.Command, key string, fresh bool) (string, error) {
	if f.passphrase != "" {
		return passphraseOf(cmd, f.passphrase, "")
	}
	prompt := words("Wachtwoordzin van uw sleutel: ", "Passphrase of your key: ")
	if fresh {
		prompt = words(fmt.Sprintf("Nieuwe wachtwoordzin, minstens %d tekens: ", minPassphrase), fmt.Sprintf("New passphrase, at least %d characters: ", minPassphrase))
	}
	if conf.OnToken(key) {
		prompt = words("PIN van uw token: ", "PIN of your token: ")
	}
	asker := walletFlags{lang: f.lang}
	raw, err := asker.askSecret(cmd, "", prompt.In(f.lang), fresh, errNoPassphrase)
	return string(raw), err
}

// look asks the first node that answers.
func look[T any](ctx context.Context, v *voice, ask func(registry.Client) (T, error)) (out T, err error) {
	err = v.Any(ctx, func(c registry.Client) error {
		out, err = ask(c)
		return err
	})
	if said := genesisIn(out); err == nil && v.Genesis != "" && said != "" && said != v.Genesis {
		err = govern.ErrOtherRegion
	}
	return out, err
}

// genesisIn is the region that an answer says it is about.
func genesisIn(answer any) string {
	switch a := answer.(type) {
	case registry.RegionAnswer:
		return a.Genesis
	case registry.OrganisationsAnswer:
		return a.Genesis
	case registry.OrganisationAnswer:
		return a.Genesis
	case registry.ProposalsAnswer:
		return a.Genesis
	case registry.EndingAnswer:
		return a.Genesis
	case registry.PeersAnswer:
		return a.Genesis
	case registry.WitnessesAnswer:
		return a.Genesis
	case registry.AdmissionAnswer:
		return a.Genesis
	}
	return ""
}

// freshly is a read of all that was decided before the question.
var freshly = registry.When{Consistency: registry.Linearizable}

// registryPrinter writes sentences for one person.
type registryPrinter struct {
	w       io.Writer
	s       style
	lang    string
	command string // how this person types a registry command
	err     error
}

func (f *registryFlags) say(cmd *cobra.Command, v any, fn func(*registryPrinter)) error {
	if f.json {
		return printJSON(cmd.OutOrStdout(), v)
	}
	p := f.printer(cmd.OutOrStdout())
	fn(p)
	return p.err
}

func (f *registryFlags) printer(w io.Writer) *registryPrinter {
	command := typed("paspoort registry")
	if f.config != defaultSeat() {
		command += " --config " + f.config
	}
	return &registryPrinter{w: w, s: styleOf(w), lang: f.lang, command: command}
}

// line prints a sentence, in the language of the reader.
func (p *registryPrinter) line(nl, en string, args ...any) {
	if _, err := fmt.Fprintf(p.w, typed(words(nl, en).In(p.lang))+"\n", args...); err != nil && p.err == nil {
		p.err = err
	}
}

// fact prints a name with its value, on one line: neither may pass for something else.
func (p *registryPrinter) fact(nl, en, value string) {
	if value != "" {
		p.line("  %-24s %s", "  %-24s %s", oneLine(words(nl, en).In(p.lang)), oneLine(value))
	}
}

func (p *registryPrinter) facts(list []govern.Fact) {
	for _, f := range list {
		p.fact(f.Label.NL, f.Label.EN, f.In(p.lang))
	}
}

// day is a moment as people write a day.
func day(at int64) string {
	if at == 0 {
		return ""
	}
	return time.Unix(at, 0).UTC().Format(time.DateOnly)
}

// parseDay reads a day or a moment of a flag; "" is 0.
func parseDay(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Unix(), nil
		}
	}
	return 0, fmt.Errorf("%w: %.40q", errMoment, s)
}

// shows says whether what is about to be signed is shown: always when a person is asked, and
// not to a program that said --yes.
func (v *voice) shows(yes bool) bool { return !v.f.json || !yes }

// agrees shows all that is about to be signed, and asks.
func (v *voice) agrees(e registry.Event, yes bool) error {
	if v.shows(yes) {
		p := v.f.printer(v.cmd.ErrOrStderr())
		p.line("%s", "%s", p.s.bold(govern.KindText(e.Kind).In(p.lang)))
		p.fact("Gaat over", "Is about", e.Subject)
		p.facts(govern.Facts(e))
		if len(e.Signers) > 0 {
			p.fact("Tekenen", "Sign", parties(e.Signers))
			p.fact("Geldig tot", "Valid until", day(e.Expires))
		}
		if p.err != nil {
			return p.err
		}
	}
	return v.confirm(yes)
}

// agreesTo is agrees for an act that is not an event yet.
func (v *voice) agreesTo(act govern.Act, yes bool) error {
	raw, err := ijson.Canonical(act.Body)
	if err != nil {
		return err
	}
	return v.agrees(registry.Event{Kind: act.Kind, Body: raw, Subject: registry.SubjectOf(act.Body)}, yes)
}

// confirm asks whether to sign, unless the command line said so.
func (v *voice) confirm(yes bool) error {
	if yes {
		return nil
	}
	answer, err := readLine(v.cmd, words("Hiervoor tekenen? (ja/nee) ", "Sign this? (yes/no) ").In(v.f.lang))
	if err != nil {
		return fmt.Errorf("%w: %w", errUnsigned, err)
	}
	if a := strings.ToLower(answer); a != "ja" && a != "j" && a != "yes" && a != "y" {
		return errUnsigned
	}
	return nil
}
