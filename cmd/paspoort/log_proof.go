package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/audit"
)

func newLogProofCommand(f *logFlags) *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "proof FILE",
		Short: "Check the proof that a region or a node signed two histories",
		Long: `Check a proof that two histories were signed, as paspoort log monitor keeps it. That the
two contradict each other can be seen from the file alone. Who signed them is judged by
the keys in the region's log: name a log of the region with --log.

Exit codes: 0 the proof holds, 3 it proves nothing.`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := readLimitedFile(args[0], audit.MaxFork)
			if err != nil {
				return err
			}
			fork, err := audit.ParseFork(raw)
			if err == nil {
				err = fork.Check()
			}
			if err != nil {
				return withWords(exitError{exitInvalid, err}, "no_proof", words("Dit bestand bewijst niet dat er twee geschiedenissen zijn.", "This file does not prove that there are two histories."), words("", ""))
			}
			if from == "" {
				return showFork(cmd.OutOrStdout(), fork, nil, f)
			}
			if f.genesis == "" {
				f.genesis = fork.Genesis
			}
			source, _, err := f.source(from)
			if err != nil {
				return err
			}
			sides, err := audit.SidesOf(cmd.Context(), fork, f.genesis, source)
			if err != nil {
				return err
			}
			return showFork(cmd.OutOrStdout(), fork, &sides, f)
		},
	}
	cmd.Flags().StringVar(&from, "log", "", "log of the region, an address or a folder, whose keys the signatures are judged by")
	cmd.Flags().StringVar(&f.genesis, "genesis", "", "id of the region; without it the one that the file names")
	return cmd
}

func showFork(out io.Writer, fork audit.Fork, sides *audit.Sides, f *logFlags) error {
	if f.json {
		return printJSON(out, map[string]any{"contradict": true, "genesis": fork.Genesis, "signers": sides})
	}
	fmt.Fprintln(out, words("Deze twee overzichten spreken elkaar tegen: het ene is niet het begin van het andere.", "These two checkpoints contradict each other: the one is not the beginning of the other.").In(f.lang))
	if sides == nil {
		fmt.Fprintln(out, "  "+typed(words("Wie ze ondertekende blijkt uit het register: paspoort log proof BESTAND --log URL", "Who signed them shows from the log: paspoort log proof FILE --log URL").In(f.lang)))
		return nil
	}
	list := func(ids []string) string {
		if len(ids) == 0 {
			return words("geen knooppunt van deze regio", "no node of this region").In(f.lang)
		}
		return strings.Join(ids, ", ")
	}
	fmt.Fprintf(out, words("  Het eerste is ondertekend door: %s\n  Het tweede door: %s\n  Allebei door: %s\n", "  The first is signed by: %s\n  The second by: %s\n  Both by: %s\n").In(f.lang),
		list(sides.Smaller), list(sides.Larger), list(sides.Both))
	if sides.Counts {
		fmt.Fprintln(out, words("  Allebei tellen ze: de regio zelf ondertekende twee geschiedenissen.", "  Both count: the region itself signed two histories.").In(f.lang))
	}
	if len(sides.Smaller) == 0 || len(sides.Larger) == 0 {
		return exitError{code: exitInvalid}
	}
	return nil
}
