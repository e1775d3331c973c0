package main

import (
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/tlog"
)

func newLogVerifyCommand(f *logFlags) *cobra.Command {
	var offline bool
	var checkpoints []string
	var sample int
	cmd := &cobra.Command{
		Use:   "verify URL|FOLDER",
		Short: "Check everything in a log, and whether the nodes answer what follows from it",
		Long: `Check a region's log from its public files alone: that every entry is in the tree that
the nodes signed, that every event carries the signatures it needs and keeps the
region's rules, and what follows from all of them. Then ask every node of the region
and compare: its log, and its answers.

What is wrong is said in plain words, with the entry and since when.

Exit codes:
  0  everything is in order
  1  the log could not be read, so nothing is said of it
  5  something is wrong
  6  nothing wrong was found, and not everything could be looked at`,
		Example: `  paspoort log verify https://knoop-1.example --genesis 3f2a...
  paspoort log verify copy/ --genesis 3f2a... --offline --checkpoint from-last-year.txt`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.genesis == "" {
				return needsGenesis()
			}
			if !isGenesis(f.genesis) {
				return withWords(exitError{exitUsage, errGenesis}, "bad_genesis",
					words("Een genesis is 64 tekens, 0 tot 9 en a tot f; dit zijn er "+strconv.Itoa(len(f.genesis))+".", "A genesis is 64 characters, 0 to 9 and a to f; this is "+strconv.Itoa(len(f.genesis))+"."),
					words("Vraag het hele nummer aan wie u vertrouwt.", "Ask somebody you trust for the whole id."))
			}
			source, client, err := f.source(args[0])
			if err != nil {
				return err
			}
			c := audit.Config{Genesis: f.genesis, Source: source, Sample: sample, Rand: unguessed()}
			if !offline {
				c.Client = client
			}
			for _, file := range checkpoints {
				note, err := readLimitedFile(file, tlog.MaxNote)
				if err != nil {
					return err
				}
				c.Known = append(c.Known, note)
			}
			scratch, clean := scratchStore()
			defer clean()
			c.Scratch = scratch
			report, err := audit.Run(cmd.Context(), c)
			if err != nil {
				return err
			}
			return showReport(cmd.OutOrStdout(), report, f)
		},
	}
	cmd.Flags().StringVar(&f.genesis, "genesis", "", "id of the region (64 hexadecimal digits)")
	cmd.Flags().BoolVar(&offline, "offline", false, "ask no node anything beyond the log itself")
	cmd.Flags().StringArrayVar(&checkpoints, "checkpoint", nil, "file with a checkpoint that you kept from before; may be repeated")
	cmd.Flags().IntVar(&sample, "sample", 32, "organisations, drawn at random, to ask each node about")
	return cmd
}

func needsGenesis() error {
	return withWords(exitError{exitUsage, errNeedsRegion}, "region_needed", words("Zeg van welke regio dit register moet zijn: --genesis", "Say of which region this log has to be: --genesis"),
		words("De genesis van een regio staat bij wie u vertrouwt: een lid, of een ander register.", "You find the genesis of a region with whom you trust: a member, or another registry."))
}

// unguessed draws what is asked, so that no node knows beforehand what to be honest about.
func unguessed() *rand.Rand {
	var seed [16]byte
	_, _ = crand.Read(seed[:]) // it never fails
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(seed[:8]), binary.BigEndian.Uint64(seed[8:])))
}

// scratchStore gives a store in a folder that goes when the work is done.
func scratchStore() (open func() (kv.Store, error), clean func()) {
	dir := ""
	open = func() (kv.Store, error) {
		var err error
		if dir, err = os.MkdirTemp("", "paspoort-audit-*"); err != nil {
			return nil, err
		}
		return kv.OpenBadger(filepath.Join(dir, "state"), kv.Options{})
	}
	return open, func() {
		if dir != "" {
			_ = os.RemoveAll(dir)
		}
	}
}

func readLimitedFile(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = errors.New(name + " is too large for what it has to be")
	}
	return raw, err
}

func showReport(out io.Writer, r *audit.Report, f *logFlags) error {
	if f.json {
		if err := printJSON(out, struct {
			Verdict audit.Verdict `json:"verdict"`
			*audit.Report
		}{r.Verdict(), r}); err != nil {
			return err
		}
	} else {
		printReport(out, r, f.lang)
	}
	switch r.Verdict() {
	case audit.Wrong:
		return exitError{code: exitRegion}
	case audit.Open:
		return exitError{code: exitUnknown}
	}
	return nil
}

// printReport tells an audit to a person.
func printReport(out io.Writer, r *audit.Report, lang string) {
	s := styleOf(out)
	say := func(nl, en string, args ...any) { fmt.Fprintf(out, words(nl, en).In(lang)+"\n", args...) }
	name := r.Name
	if name == "" {
		name = fmt.Sprintf("%.12s", r.Genesis)
	}
	switch r.Verdict() {
	case audit.InOrder:
		say("%s Het register van %s is in orde: %d regels.", "%s The registry of %s is in order: %d entries.", s.good("✓"), s.bold(name), r.Size)
	case audit.Open:
		say("%s In het register van %s is niets verkeerds gevonden (%d regels), maar niet alles is bekeken.", "%s Nothing wrong was found in the registry of %s (%d entries), but not everything could be looked at.", s.wrap("33", "?"), s.bold(name), r.Size)
	default:
		say("%s Het register van %s klopt niet. In zichzelf in orde zijn de eerste %d regels.", "%s The registry of %s is not in order. The first %d entries are in order by themselves.", s.bad("✕"), s.bold(name), r.Size)
	}
	for _, f := range r.Findings {
		where := ""
		if f.Node != "" {
			where = f.Node + ": "
		}
		fmt.Fprintf(out, "  %s %s%s\n", s.bad("✕"), where, f.In(lang))
		if f.Detail != "" {
			fmt.Fprintf(out, "    %s\n", s.dim("("+shorten(f.Detail)+")"))
		}
	}
	if r.Size > 0 {
		printExtent(out, r, lang, say)
	}
	for _, n := range r.Nodes {
		sign, text := s.good("✓"), fmt.Sprintf(words("%d regels, %d antwoorden vergeleken", "%d entries, %d answers compared").In(lang), n.Size, n.Answers)
		if n.Error != "" {
			sign = s.wrap("33", "?")
			text = words("niet (helemaal) vergeleken: ", "not (wholly) compared: ").In(lang) + shorten(n.Error)
		}
		for _, f := range r.Findings {
			if f.Node == n.ID {
				sign = s.bad("✕")
			}
		}
		fmt.Fprintf(out, "  %s %s %s: %s\n", sign, n.ID, n.URL, text)
	}
	if !r.NodesAsked {
		say("  De knooppunten zijn niets gevraagd; alleen het register zelf is bekeken.", "  The nodes were asked nothing; only the log itself was looked at.")
	}
}

// printExtent tells what was looked at.
func printExtent(out io.Writer, r *audit.Report, lang string, say func(nl, en string, args ...any)) {
	say("  Van %s tot %s, met de regels van versie %d.", "  From %s to %s, under rules version %d.", r.First.Format(time.DateOnly), r.Last.Format(time.DateOnly), r.Rules)
	trust := words("alleen knooppunten van de regio zelf", "nodes of the region itself only")
	if !r.OwnNodes {
		trust = words("de regio en een getuige van buiten", "the region and a witness from outside")
	}
	say("  Ondertekend tot %s door %s.", "  Signed until %s by %s.", r.Freshest.UTC().Format("2006-01-02 15:04 UTC"), trust.In(lang))
	if r.Digest != "" {
		say("  Kenmerk van de stand: %s", "  Digest of the state: %s", r.Digest)
	}
	if r.Seconds > 0 {
		say("  Gecontroleerd in %.1f seconden, %.0f regels per seconde.", "  Checked in %.1f seconds, %.0f entries a second.", r.Seconds, float64(r.Size)/r.Seconds)
	}
}
