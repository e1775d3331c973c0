package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/registry"
)

// proposeFlags say who signs and how long others can decide.
type proposeFlags struct {
	signers []string
	draft   string
	within  int
	yes     bool
}

// newRegistryProposeCommand makes any kind of event from a file: what has no command of its own.
func newRegistryProposeCommand(f *registryFlags) *cobra.Command {
	p := &proposeFlags{}
	active, _ := registry.Kinds()
	names := make([]string, len(active))
	for i, kind := range active {
		names[i] = string(kind)
	}
	slices.Sort(names)
	cmd := &cobra.Command{
		Use:   "propose KIND FILE",
		Short: "Propose anything that the rules know, from a file",
		Long: `Propose anything that the rules know, from a file with its contents in JSON: the list of
hobbels, a step of a hobbel, the charter, members, certificates, the clock. For much of this
there is a shorter command; look there first.

Some events need several signatures at once. Name all who sign, in order, with --signer:
yours is put on, and the file goes to the next one, who types "paspoort registry sign FILE".
A region takes it within seven days.

  paspoort registry propose hobbel.catalogue hobbels.json
  paspoort registry propose certificate.recorded certificate.json \
    --signer member/gemeente --signer organisation/org_... --draft certificate.draft.json

The kinds: ` + strings.Join(names, ", ") + ".",
		Args: exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.propose(cmd, p, registry.Kind(args[0]), args[1])
		},
	}
	cmd.Flags().StringArrayVar(&p.signers, "signer", nil, "who signs, in order, you among them; without it you alone")
	cmd.Flags().StringVar(&p.draft, "draft", "", "file to write for the other signers")
	cmd.Flags().IntVar(&p.within, "decide-within", 30, "for how many days members can decide")
	cmd.Flags().BoolVar(&p.yes, "yes", false, "sign without asking")
	return cmd
}

func (f *registryFlags) propose(cmd *cobra.Command, p *proposeFlags, kind registry.Kind, file string) error {
	raw, err := readFileOrStdin(cmd, file)
	if err != nil {
		return err
	}
	return f.proposeRaw(cmd, p, kind, file, raw)
}

// proposeRaw proposes what was read from file.
func (f *registryFlags) proposeRaw(cmd *cobra.Command, p *proposeFlags, kind registry.Kind, file string, raw []byte) error {
	body, err := registry.ParseBody(registry.RulesVersion, kind, raw)
	if err != nil {
		return badBody(file, err)
	}
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	if len(p.signers) > 1 && p.draft == "" {
		return needs("draft")
	}
	act := govern.Act{Kind: kind, Body: body, Lifetime: time.Duration(p.within) * 24 * time.Hour}
	if err := v.agreesTo(act, p.yes); err != nil {
		return err
	}
	if len(p.signers) < 2 {
		return v.propose(act)
	}
	event, err := v.Draft(cmd.Context(), act, p.signers...)
	if err != nil {
		return err
	}
	return v.countersign(&event, p.draft)
}

// badBody says what is wrong in a file.
func badBody(file string, err error) error {
	detail := withoutCode(err)
	return withWords(errors.New(detail), "bad_body", words("In "+file+" klopt iets niet: "+detail+".", "Something is wrong in "+file+": "+detail+"."),
		words("Wat er kan staan zegt schema/leaf-3.json van specs/registry; de soorten noemt: paspoort registry propose --help", "What can stand there is told by schema/leaf-3.json of specs/registry; the kinds by: paspoort registry propose --help"))
}

// withoutCode is what an error says is wrong; a refusal begins with a code for programs.
func withoutCode(err error) string {
	if r, ok := errors.AsType[*registry.Refusal](err); ok {
		return r.Detail
	}
	return err.Error()
}

// newRegistrySignCommand puts one more signature on a draft.
func newRegistrySignCommand(f *registryFlags) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "sign FILE",
		Short: "Sign a draft that several sign",
		Long: `Sign a draft that several sign, which "paspoort registry propose --draft" made. Your
signature is put into the file; nothing is sent.`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := f.speaker(cmd)
			if err != nil {
				return err
			}
			event, err := v.readDraft(args[0])
			if err != nil {
				return err
			}
			if err := v.agrees(event.Event, yes); err != nil {
				return err
			}
			return v.countersign(&event, args[0])
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "sign without asking")
	return cmd
}

// newRegistrySendCommand sends a draft that all have signed; it needs no key.
func newRegistrySendCommand(f *registryFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "send FILE",
		Short: "Send a draft that all its signers signed",
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			event, err := v.readDraft(args[0])
			if err != nil {
				return err
			}
			if waiting := event.Waiting(); len(waiting) > 0 {
				return withWords(fmt.Errorf("%d signatures are missing", len(waiting)), "unsigned",
					words("Nog niet iedereen heeft getekend: "+parties(waiting)+".", "Not everybody has signed yet: "+parties(waiting)+"."),
					words("Laat hen typen: paspoort registry sign "+args[0], "Let them type: paspoort registry sign "+args[0]))
			}
			out, err := v.Send(cmd.Context(), event)
			if err != nil {
				return err
			}
			return v.proposed(out)
		},
	}
}

// readDraft reads a draft for the region that is pinned.
func (v *voice) readDraft(file string) (registry.SignedEvent, error) {
	raw, err := readFileOrStdin(v.cmd, file)
	if err != nil {
		return registry.SignedEvent{}, err
	}
	event, _, err := registry.ParseUnsigned(raw)
	if err != nil {
		return event, badBody(file, err)
	}
	if v.Genesis == "" {
		v.Genesis = event.Event.Genesis
	}
	if event.Event.Genesis != v.Genesis {
		return event, govern.ErrOtherRegion
	}
	return event, nil
}

// countersign puts the speaker's signature on an event, writes it for the next signer and says
// what is to be done.
func (v *voice) countersign(event *registry.SignedEvent, file string) error {
	err := v.signs(func(p registry.Party) error { return event.AddSignature(p.Name, p.Key) })
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(event, "", "  ")
	if err != nil {
		return err
	}
	// Whole or not at all: signatures of others are in it.
	if err := keyfile.WriteAtomic(file, append(raw, '\n'), 0o600); err != nil {
		return err
	}
	waiting := event.Waiting()
	answer := map[string]any{"file": file, "event": event.Event.ID(), "waiting": waiting}
	return v.f.say(v.cmd, answer, func(p *registryPrinter) {
		p.line("%s Getekend: %s", "%s Signed: %s", p.s.good("✓"), file)
		if len(waiting) > 0 {
			p.line("Nu nog: %s. Geef hun het bestand; zij typen:\n  paspoort registry sign %s", "Still to sign: %s. Give them the file; they type:\n  paspoort registry sign %s", parties(waiting), file)
			return
		}
		p.line("Iedereen heeft getekend. Verstuur het:\n  paspoort registry send %s", "Everybody has signed. Send it:\n  paspoort registry send %s", file)
	})
}

func parties(list []registry.Signer) string {
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = s.Party
	}
	return strings.Join(names, ", ")
}
