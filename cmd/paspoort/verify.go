package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/paspoort"
)

// maxVerifyFile is far above a presentation of many credentials.
const maxVerifyFile = 4 << 20

// verifyFlags are what a verdict from files rests on.
type verifyFlags struct {
	genesis, snapshot, status, at, lang string
	json                                bool
}

func newVerifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Judge a credential from files alone, without a network",
		Long: `Judge the credentials in FILE (SD-JWTs, separated by white space; - reads standard
input) against a snapshot of a region's registry and a folder of status lists. It
asks nobody and tells nobody, and says how old its knowledge is.

A file that is handed over cannot show whose it is: that stays unknown, and does not
count for the exit code.

Exit codes:
  0  everything that a file can show is in order
  3  a check failed
  4  nothing failed; the status is unknown (no status list, or one that is too old)
  5  the registry is not that of the pinned region, or does not hold
  6  nothing failed; something else is unknown`,
		Example: `  paspoort verify bewijs.txt --genesis 3f2a... --registry region.snapshot --status lists/`,
		Args:    exactArgs(1),
		PreRunE: func(*cobra.Command, []string) error { return checkLanguage(f.lang) },
	}
	cmd.RunE = told(func(cmd *cobra.Command, args []string) error {
		return runVerify(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), args[0], f)
	}, &f.lang, &f.json)
	cmd.Flags().StringVar(&f.genesis, "genesis", "", "id of the region that you trust (64 hexadecimal digits)")
	cmd.Flags().StringVar(&f.snapshot, "registry", "", "snapshot of the registry, as a node gives at /v1/snapshot")
	cmd.Flags().StringVar(&f.status, "status", "", "folder with status list tokens, one a file")
	cmd.Flags().StringVar(&f.at, "at", "", "judge for this moment instead of now (2026-03-02 or 2026-03-02T12:00:00Z)")
	cmd.Flags().StringVar(&f.lang, "lang", defaultLanguage(), "language of the sentences: nl or en")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the whole verdict as JSON")
	return cmd
}

func runVerify(ctx context.Context, in io.Reader, out io.Writer, file string, f verifyFlags) error {
	if f.genesis == "" || f.snapshot == "" {
		return exitError{exitUsage, errNeedsRegion}
	}
	at, err := moment(f.at)
	if err != nil {
		return exitError{exitUsage, err}
	}
	shown, err := readPresentations(in, file)
	if err != nil {
		return err
	}
	service, err := offline(f)
	if err != nil {
		return err
	}
	verdict, err := service.Verify(ctx, evidence.Request{Presentations: shown, Flow: paspoort.File, At: at})
	if err != nil {
		return err
	}
	if f.json {
		err = printJSON(out, verdict)
	} else {
		err = printVerdict(out, verdict, f.lang)
	}
	if err != nil {
		return err
	}
	if code := verdictCode(verdict); code != exitOK {
		return exitError{code: code}
	}
	return nil
}

// offline is a service that fetches nothing.
func offline(f verifyFlags) (*evidence.Service, error) {
	snapshot, err := os.Open(f.snapshot)
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	region, err := evidence.ReadSnapshot(snapshot, f.genesis)
	if err != nil {
		return nil, exitError{exitRegion, fmt.Errorf("%w: %s: %w", errSnapshot, f.snapshot, err)}
	}
	c := evidence.Config{Copies: []evidence.Copy{region}}
	if f.status != "" {
		if _, err := os.Stat(f.status); err != nil {
			return nil, err // a folder that is not there is no folder without lists
		}
		c.StatusDir = os.DirFS(f.status)
	}
	return evidence.New(c)
}

func readPresentations(in io.Reader, file string) ([]evidence.Presentation, error) {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, maxVerifyFile+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxVerifyFile {
		return nil, errBigFile
	}
	var out []evidence.Presentation
	for _, text := range strings.Fields(string(body)) {
		out = append(out, evidence.Presentation{Text: text})
	}
	if len(out) == 0 {
		return nil, errNoFile
	}
	return out, nil
}

// moment reads a day or a moment; empty means now.
func moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: %.40q", errMoment, s)
}

// verdictCode is the exit code of a verdict from files. Whose a file is and for whom
// it was made cannot be known, so these checks do not count.
func verdictCode(v paspoort.Verdict) int {
	code := exitOK
	for _, c := range v.Credentials {
		for _, check := range c.Checks {
			switch {
			case check.State == paspoort.Failed:
				return exitInvalid
			case check.State == paspoort.OK, check.Name == paspoort.CheckHolderBinding, check.Name == paspoort.CheckNonceAudience:
			case check.Name == paspoort.CheckStatus:
				code = max(code, exitStatus)
			default:
				code = exitUnknown
			}
		}
	}
	return code
}
