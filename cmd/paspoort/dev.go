package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/dev"
)

func newDevCommand() *cobra.Command {
	var data, ready string
	var tls bool
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a whole region on this computer, until Ctrl-C",
		Long: `Run a whole region on this computer: three registry nodes, an opleider and an
employer that issue, an employer that asks, and a host where people have a paspoort in
the browser. Beside it stands a small region, of one node and one opleider; the two rely
on each other. Each is a process of its own.

Everything stands in one folder. Started again on the same folder, the same region
goes on: ports, keys and identifiers stay. Remove the folder to begin anew.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if ready == "" {
				ready = filepath.Join(data, "ready.json")
			}
			return runDev(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), data, ready, tls)
		},
	}
	cmd.Flags().StringVar(&data, "data", ".paspoort", "folder of the region")
	cmd.Flags().StringVar(&ready, "ready-file", "", "file that is written when all is up: addresses and tokens, as JSON (default ready.json in the folder)")
	cmd.Flags().BoolVar(&tls, "tls", false, "speak https, with an authority for this computer")
	return cmd
}

func runDev(ctx context.Context, out, errs io.Writer, data, ready string, tls bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := dev.RemoveReady(ready); err != nil {
		return err
	}
	say := func(text string) { fmt.Fprintln(errs, "  "+text) }
	world, err := dev.Start(ctx, dev.Options{Dir: data, TLS: tls, Program: self, Say: say})
	if err != nil {
		if ctx.Err() != nil {
			return nil // asked to stop while starting
		}
		if errors.Is(err, dev.ErrBusy) {
			return hint(err, "stop the other one, or choose another folder with --data")
		}
		return err
	}
	invitation, err := world.Invite(ctx)
	if err != nil {
		return errors.Join(err, world.Stop())
	}
	if err := world.WriteReady(ready); err != nil {
		return errors.Join(err, world.Stop())
	}
	if err := welcome(out, world, invitation, ready); err != nil {
		return errors.Join(err, world.Stop())
	}
	err = world.Wait(ctx)
	fmt.Fprintln(errs, "stopping")
	return errors.Join(err, dev.RemoveReady(ready), world.Stop())
}

// welcome says what to open and what to type next.
func welcome(out io.Writer, w *dev.World, try dev.Invitation, ready string) error {
	r, err := w.Ready()
	if err != nil {
		return err
	}
	s := styleOf(out)
	p := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	p("")
	p("%s", s.bold("De regio staat. / The region is up."))
	p("")
	p("%s", s.dim("Open in a browser"))
	p("  your paspoort          %s", s.link(r.Wallet.URL))
	p("  the region             %s", s.link(r.Regions[0].Nodes[0].URL))
	p("  check a credential     %s", s.link(r.Regions[0].Nodes[0].URL+"/check"))
	for _, other := range r.Neighbours {
		p("  a region beside it     %s  (what %s issues there counts here)", s.link(other.Nodes[0].URL), w.Name(other.Issuers[0].URL))
	}
	if r.CAFile != "" {
		p("  %s", s.dim("Your browser warns: it does not know the authority of this computer. Go on, or"))
		p("  %s", s.dim("let it trust "+r.CAFile+", which can speak for localhost only."))
	}
	p("")
	p("%s", s.dim("Try it in the browser"))
	p("  1  make your paspoort  %s", s.link(r.Wallet.URL))
	p("  2  collect a proof     %s  (code %s)", s.link(try.Offer), s.bold(try.Code))
	p("  3  show what you can   %s", s.link(try.Request))
	p("")
	p("%s", s.dim("Or type, in another window"))
	for i, step := range w.FirstSteps(program, ready) {
		p("  %d  %s", i+1, s.dim(step.Does))
		p("     %s", step.Command)
	}
	p("")
	p("%s", s.dim("Region "+r.Regions[0].Genesis))
	p("%s", s.dim("Logs   "+w.Logs()))
	p("%s", s.dim("Ctrl-C stops everything; the region stays in its folder."))
	return nil
}
