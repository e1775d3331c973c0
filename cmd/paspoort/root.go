package main

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
)

// Exit codes. Scripts rely on them; a code never changes its meaning.
const (
	exitOK      = 0
	exitFailed  = 1 // the command could not do its work
	exitUsage   = 2 // the command line is wrong
	exitInvalid = 3 // verify: at least one check failed
	exitStatus  = 4 // verify: nothing failed, the status is unknown
	exitRegion  = 5 // verify: the registry is not the pinned region's, or does not hold
	exitUnknown = 6 // verify: nothing failed, something else than the status is unknown
)

// exitError ends the program with a code. A nil err says nothing more.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// hinted is an error with what to do next.
type hinted struct {
	error
	next string
}

func (h hinted) Unwrap() error { return h.error }

// hint adds to an error what the person can do next.
func hint(err error, next string) error {
	if err == nil {
		return nil
	}
	return hinted{err, next}
}

// misused is an error in how a command was typed.
func misused(cmd *cobra.Command, err error) error {
	return exitError{exitUsage, hint(err, "see: "+cmd.CommandPath()+" --help")}
}

// loadConfig reads the configuration file of a role.
func loadConfig(path string, c any) error {
	return hint(conf.Load(path, c), "name the file with --config")
}

// newRoot puts the commands together.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "paspoort",
		Short: "Persoonlijk Profiel Paspoort: show what you can, and prove it",
		Long: `Paspoort is one program with five parts: the holder's wallet, an issuer, a
verifier, a node of a region's registry, and a whole region on this computer.

Try it:

  paspoort demo     the main job, step by step, on a region of its own
  paspoort dev      that region, to try things yourself`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: program},
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(misused)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		newDemoCommand(),
		newDeskCommand(),
		newDevCommand(),
		newIssuerCommand(),
		newLogCommand(),
		newManCommand(),
		newNodeCommand(),
		newRegistryCommand(),
		newRegionCommand(),
		newVerifyCommand(),
		newVerifierCommand(),
		newVersionCommand(),
		newWalletCommand(),
	)
	typedHelp(root)
	return root
}

// noArgs refuses arguments, with the exit code for a wrong command line.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("there is no %q here", args[0])
	return misused(cmd, err)
}

// exactArgs asks for n arguments, with the exit code for a wrong command line.
func exactArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		err := fmt.Errorf("%s takes %d argument(s), got %d", cmd.Name(), n, len(args))
		return misused(cmd, err)
	}
}

// someArgs asks for one argument or more, and says what when there is none.
func someArgs(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return misused(cmd, errors.New("name "+what))
	}
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which version this is",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "paspoort", version())
			return err
		},
	}
}

// version is the version of the module, or the commit that was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return "devel"
}
