package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
)

func newRegionRulesCommand() *cobra.Command {
	f := &registryFlags{}
	var reason string
	var yes bool
	cmd := &cobra.Command{
		Use:   "rules VERSION",
		Short: "Propose the next version of the registry's rules, as a member",
		Long: `Propose the next version of the registry's rules, as a member. Every node has to run a
program that knows them: "paspoort node status" tells which version is in force and which
one the node knows. Other members approve it with "paspoort registry approve".`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			version, err := strconv.Atoi(args[0])
			if err != nil {
				return exitError{exitUsage, fmt.Errorf("%q is no version: it is a number, one more than the one in force", args[0])}
			}
			v, err := f.speaker(cmd)
			if err != nil {
				return err
			}
			return v.raiseRules(&registry.RulesChange{Version: version, Reason: reason}, yes)
		},
	}
	f.standsAlone(cmd)
	cmd.Flags().StringVar(&reason, "reason", "alle knooppunten kennen ze", "why; becomes public")
	cmd.Flags().BoolVar(&yes, "yes", false, "sign without asking")
	return cmd
}

// raiseRules holds the version against the one in force, shows it and asks, before it is signed.
func (v *voice) raiseRules(change *registry.RulesChange, yes bool) error {
	region, err := v.region()
	if err != nil {
		return err
	}
	if change.Version != region.Rules+1 {
		return rulesNotNext(change.Version, region.Rules)
	}
	if err := v.notYet(registry.KindRules, registry.RegionSubject, words("versie "+strconv.Itoa(change.Version), "version "+strconv.Itoa(change.Version)), func(registry.Event) bool { return true }); err != nil {
		return err
	}
	act := govern.Act{Kind: registry.KindRules, Body: change}
	if err := v.agreesTo(act, yes); err != nil {
		return err
	}
	return v.change(registry.KindRules, change)
}

func rulesNotNext(asked, now int) error {
	err := fmt.Errorf("rules version %d is in force, %d was asked", now, asked)
	if asked <= now {
		return withWords(err, "rules_there",
			words(fmt.Sprintf("Versie %d van de regels geldt hier al; er is niets getekend.", now), fmt.Sprintf("Version %d of the rules is in force here already; nothing was signed.", now)),
			words("Er is niets te doen.", "There is nothing to do."))
	}
	return withWords(err, "rules_not_next",
		words(fmt.Sprintf("Hier geldt versie %d van de regels, en versies gaan één voor één. Er is niets getekend.", now), fmt.Sprintf("Version %d of the rules is in force here, and versions go one by one. Nothing was signed.", now)),
		words(fmt.Sprintf("Begin met: paspoort region rules %d", now+1), fmt.Sprintf("Begin with: paspoort region rules %d", now+1)))
}
