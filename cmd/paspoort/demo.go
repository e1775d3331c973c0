package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/dev"
)

func newDemoCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the main job step by step, on a region of its own",
		Long: `Found a region on this computer, admit an opleider, two employers and a wallet host, issue, accept,
ask, verify, kill a node, rely on another region and not any more, suspend, revoke and withdraw,
and verify once more with everything ended and the network cut. Each step is one line, and is checked: the
first thing that is not as it should be ends the demo with an error.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			self, err := os.Executable()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			fmt.Fprintln(cmd.ErrOrStderr(), styleOf(os.Stderr).dim("A region on this computer, from founding to fraud. It takes less than a minute."))
			return dev.Demo(cmd.Context(), dev.DemoOptions{
				Dir: data, Program: self, Out: out, Log: cmd.ErrOrStderr(), Dress: styleOf(out).bold,
			})
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "new folder that keeps the region (default: one that is removed at the end)")
	return cmd
}
