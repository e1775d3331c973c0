package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
)

func newRegistryAppealCommand(f *registryFlags) *cobra.Command {
	var reason string
	var yes bool
	cmd := &cobra.Command{
		Use:   "appeal ID",
		Short: "Ask for a second look at your application that was refused or ran out",
		Long: `Ask for a second look at your application that was refused or ran out: once, and within
six weeks. Members decide on it as on an admission, if they can without who refused it.
When they grant it, the application takes effect as it was written.`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return errNeedReason
			}
			v, err := f.speaker(cmd)
			if err != nil {
				return err
			}
			application, err := v.shown(args[0], yes)
			if err != nil {
				return err
			}
			body := &registry.Appeal{Organisation: govern.About(application.Event), Proposal: application.ID, Reason: reason}
			act := govern.Act{Kind: registry.KindAppealed, Body: body, Lifetime: monthToDecide}
			if err := v.agreesTo(act, yes); err != nil {
				return err
			}
			return v.propose(act)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why members should look again; it becomes public")
	cmd.Flags().BoolVar(&yes, "yes", false, "sign without asking")
	return cmd
}

// succeedFlags say what goes over from one organisation to another.
type succeedFlags struct {
	on, reason     string
	roles, aliases []string
	yes            bool
}

func newRegistrySucceedCommand(f *registryFlags) *cobra.Command {
	s := &succeedFlags{}
	cmd := &cobra.Command{
		Use:   "succeed ORGANISATION",
		Short: "Take the place of another organisation, after a merger or under another legal form",
		Long: `Take the place of another organisation, after a merger or under another legal form. The
successor signs, which was admitted before; members decide what goes over. The old id
keeps its history and points on. A new name alone is no succession.

  paspoort registry succeed "Opleidingshuis De Vaart" --on 2026-09-01 --role issuer \
    --alias https://vaart.example --reason "fusie"`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.succeed(cmd, s, args[0]) },
	}
	cmd.Flags().StringVar(&s.on, "on", "", "day on which it became so by law")
	cmd.Flags().StringVar(&s.reason, "reason", "", "why; it becomes public")
	cmd.Flags().StringArrayVar(&s.roles, "role", nil, "role in which you take its place; may be repeated")
	cmd.Flags().StringArrayVar(&s.aliases, "alias", nil, "address of it that becomes yours; may be repeated")
	cmd.Flags().BoolVar(&s.yes, "yes", false, "sign without asking")
	return cmd
}

func (f *registryFlags) succeed(cmd *cobra.Command, s *succeedFlags, name string) error {
	if s.reason == "" {
		return errNeedReason
	}
	if s.on == "" {
		return needs("on")
	}
	on, err := parseDay(s.on)
	if err != nil {
		return err
	}
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	if v.organisation() == "" {
		return needs("as organisation/ID")
	}
	old, err := v.find(cmd.Context(), name)
	if err != nil {
		return err
	}
	body := &registry.Succession{Organisation: old.ID, Successor: v.organisation(), On: on, Reason: s.reason, Aliases: aliases(s.aliases)}
	for _, r := range s.roles {
		body.Roles = append(body.Roles, registry.Role(strings.TrimSpace(r)))
	}
	slices.Sort(body.Roles)
	act := govern.Act{Kind: registry.KindSucceeded, Body: body, Lifetime: monthToDecide}
	if err := v.agreesTo(act, s.yes); err != nil {
		return err
	}
	return v.propose(act)
}
