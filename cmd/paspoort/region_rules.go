package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/specs/registry"
)

func newRegionRulesCommand() *cobra.Command {
	f := &registryFlags{}
	var reason string
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
			return v.change(registry.KindRules, &registry.RulesChange{Version: version, Reason: reason})
		},
	}
	f.standsAlone(cmd)
	cmd.Flags().StringVar(&reason, "reason", "all nodes know them", "why; becomes public")
	return cmd
}
