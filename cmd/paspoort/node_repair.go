package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/node"
)

func newNodeCheckCommand() *cobra.Command {
	var config string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Verify the data folder of a node that does not run",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var c conf.Node
			if err := loadConfig(config, &c); err != nil {
				return err
			}
			i, err := inspectNode(&c)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), i)
			} else {
				printInspection(cmd.OutOrStdout(), i)
			}
			if err == nil && !i.OK() {
				err = exitError{exitFailed, hint(errors.New("not everything holds"), adviceOf(i))}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&config, "config", "node.json", "configuration file of the node")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

// adviceOf is what helps with what was found. What neither a backup nor an empty folder mends says
// so itself.
func adviceOf(i node.Inspection) string {
	for _, f := range i.Findings {
		if f.Advice != "" {
			return f.Advice
		}
	}
	return "keep the folder as it is, and restore this node from a backup, or let it begin again: paspoort node recover --give-way"
}

// inspectNode verifies the data folder that a file names.
func inspectNode(c *conf.Node) (node.Inspection, error) {
	config, err := nodeConfig(c)
	if err != nil {
		return node.Inspection{}, err
	}
	i, err := node.Inspect(config)
	if errors.Is(err, kv.ErrInUse) {
		err = hint(err, "stop the node first; what runs is told by: paspoort node status")
	}
	return i, err
}

func printInspection(out io.Writer, i node.Inspection) {
	s := styleOf(out)
	for _, f := range i.Findings {
		sign := s.good("✓")
		if !f.OK {
			sign = s.bad("✕")
		}
		fmt.Fprintf(out, "%s %-16s %s\n", sign, f.What, f.Detail)
	}
	fmt.Fprintf(out, "  %-16s %s\n", "state", i.State)
	fmt.Fprintf(out, "  %-16s %d payload(s) of one-person firms, %d ms\n", "and", i.Payloads, i.TookMillis)
}

func newNodeRecoverCommand() *cobra.Command {
	var config, caFile string
	var from, unreachable []string
	var giveWay, yes bool
	cmd := &cobra.Command{
		Use:   "recover",
		Short: "Go on after the majority of the nodes was lost for good",
		Long: `Go on after the majority of the nodes was lost for good. Do this on one node, with
everything that anybody still has: --from takes the data folder of a node that does not
run, a snapshot of the registry (of a mirror, or FILE from NODE/v1/snapshot), or the
address of a node that still answers. The node then begins a new cluster with the most
leaves that were brought; nothing under a checkpoint that counts is given up, and it is
refused while anybody is known to have signed more. Its old data is moved aside.

The other nodes of the region are asked first, by the "outbound" settings of the file. One
that cannot be asked may run and hold more: then the region would go on twice, and nothing
brings the two together again. So make sure of each of them, and name those that are stopped
or gone for good with --unreachable.

On every other node that is left, with its machine's old data:

  paspoort node recover --give-way

moves that data aside, so that the node comes back empty and is taken in. Start the
recovered node and the others together.

This is for disks. When the keys of a majority of nodes are gone too, no checkpoint of
this region can count again: found a new one that goes on from it, with
"paspoort region found --continues FILE".`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var c conf.Node
			if err := loadConfig(config, &c); err != nil {
				return err
			}
			if giveWay {
				return stepAside(cmd, &c, yes)
			}
			if caFile != "" {
				c.Outbound.CAFile = caFile
			}
			return recoverNode(cmd, &c, from, unreachable, yes)
		},
	}
	cmd.Flags().StringVar(&config, "config", "node.json", "configuration file of the node")
	cmd.Flags().StringArrayVar(&from, "from", nil, "folder, snapshot file or address with leaves of the region; may be repeated")
	cmd.Flags().StringVar(&caFile, "ca-file", "", "PEM file with a certificate authority to trust beside the system's, instead of the file's outbound.ca_file")
	cmd.Flags().StringSliceVar(&unreachable, "unreachable", nil, "ids of all nodes that cannot be asked, because each is stopped or gone for good; --yes needs it")
	cmd.Flags().BoolVar(&giveWay, "give-way", false, "move this node's data aside, because another node recovers")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func stepAside(cmd *cobra.Command, c *conf.Node, yes bool) error {
	if err := sure(cmd, yes, "Move the data of this node aside, because another node recovers the region? (yes/no) ", "nothing was changed"); err != nil {
		return err
	}
	aside, err := node.GiveWay(c.Data, time.Now())
	if errors.Is(err, kv.ErrInUse) {
		err = hint(err, "stop the node first")
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Moved to: %s\n", cmp.Or(aside, "none"))
	fmt.Fprintln(cmd.OutOrStdout(), typed("Next, once the recovered node runs:\n  paspoort node serve"))
	return nil
}

// sure asks, unless --yes was said; the error of a no says what did not happen.
func sure(cmd *cobra.Command, yes bool, question, instead string) error {
	if yes {
		return nil
	}
	answer, err := readLine(cmd, question)
	if errors.Is(err, errNoTerminal) {
		return hint(err, "a script says --yes")
	}
	if err == nil && !strings.HasPrefix(strings.ToLower(answer), "y") && !strings.HasPrefix(strings.ToLower(answer), "j") {
		err = errors.New(instead)
	}
	return err
}

func recoverNode(cmd *cobra.Command, c *conf.Node, from, unreachable []string, yes bool) error {
	config, err := nodeConfig(c)
	if err != nil {
		return err
	}
	var sources []node.Source
	for _, f := range from {
		s, err := readSource(cmd.Context(), f, c.Outbound)
		if err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		sources = append(sources, s)
	}
	charter, err := node.CharterNodes(config, sources...)
	if errors.Is(err, kv.ErrInUse) {
		err = hint(err, "stop the node first")
	}
	if err != nil {
		return err
	}
	asked := askNodes(cmd, charter, c)
	asked.print(cmd.ErrOrStderr())
	if err := asked.permit(unreachable, yes); err != nil {
		return err
	}
	if err := sure(cmd, yes, asked.question(), "nothing was changed"); err != nil {
		return err
	}
	out, err := node.Recover(config, asked.known(), sources...)
	switch {
	case errors.Is(err, kv.ErrInUse):
		return hint(err, "stop the node first")
	case errors.Is(err, node.ErrMoreIsKnown), errors.Is(err, node.ErrNothingCounts):
		return hint(err, "bring more with --from: another node's data folder, a restored backup, a snapshot that somebody downloaded")
	case err != nil:
		return err
	}
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "The region goes on with %d leaves of %s; %d of them are under a checkpoint that counts.\n", out.Leaves, out.Source, out.Counting)
	fmt.Fprintf(w, "root %s\n", out.Root)
	if out.Aside != "" {
		fmt.Fprintf(w, "The old data is in %s\n", out.Aside)
	}
	fmt.Fprintln(w, typed("On every other node with old data: paspoort node recover --give-way\nThen, on all of them:\n  paspoort node serve"))
	return nil
}
