package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/node/desk"
	"paspoort.example/paspoort/specs/registry"
)

func newDeskCommand() *cobra.Command {
	f := &registryFlags{}
	var listen string
	cmd := &cobra.Command{
		Use:   "desk",
		Short: "Decide as a member of a region, as pages in your own browser, until Ctrl-C",
		Long: `Decide as a member of a region, as pages in your own browser, until Ctrl-C: what waits,
the criteria, what an applicant rests on; approve or refuse with a reason, suspend or
withdraw.

The desk listens on this computer only, to programs of your own user where the system
tells, and opens by a link that works once. It reads a copy of the registry that it
verified itself. Your key signs here and goes nowhere; only what you signed is sent. The
same file as for "paspoort registry" says who you are.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.desk(cmd, listen) },
	}
	f.standsAlone(cmd)
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "address on this computer; port 0 takes a free one")
	return cmd
}

func (f *registryFlags) desk(cmd *cobra.Command, listen string) (err error) {
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	if !v.member() {
		return errMembersOnly
	}
	listener, err := openLoopback(listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	follower, done, err := v.follow()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	key, err := keyfile.Open(v.seat.Key, func() (string, error) { return f.secret(cmd, v.seat.Key, false) })
	if err != nil {
		return fmt.Errorf("%w: %w", errKey, err)
	}
	defer func() { err = errors.Join(err, key.Close()) }()
	d, err := desk.New(desk.Config{
		Copy: follower, Region: v.Client, Member: registry.Party{Name: v.seat.Party, Key: key},
		Host: listener.Addr().String(), Clock: time.Now, Log: f.deskLog(cmd),
		Announce: func(link string) { f.announce(cmd, link) },
	})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(cmd.Context())
	group.Go(func() error { return follower.Run(ctx) })
	group.Go(func() error { return web.Serve(ctx, ownListener{listener, f.deskLog(cmd)}, d.Handler(), nil) })
	return group.Wait()
}

// deskLog says what goes wrong, to who sits at the terminal; requests are nobody's business.
func (f *registryFlags) deskLog(cmd *cobra.Command) *slog.Logger {
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: withoutTime}))
}

// openLoopback listens on this computer and nowhere else.
func openLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, exitError{exitUsage, fmt.Errorf("%w: --listen is an address on this computer, such as 127.0.0.1:4711", errNeedFlag)}
	}
	return conf.Open(address)
}

// follow opens the desk's own copy of the registry. done closes what it is kept in.
func (v *voice) follow() (f *evidence.Follower, done func() error, err error) {
	done = func() error { return nil }
	var store kv.Store
	if v.seat.Data != "" {
		if store, err = kv.OpenBadger(v.seat.Data, kv.Options{MemTable: 4 << 20}); err != nil {
			return nil, done, err
		}
		done = store.Close
	}
	followed, err := followRegion(v.seat.Region, v.seat.Outbound, store, v.f.deskLog(v.cmd))
	if err != nil {
		return nil, done, errors.Join(err, done())
	}
	// A node that is away is told of on the pages; the copy of before is still there.
	ctx, cancel := context.WithTimeout(v.cmd.Context(), 10*time.Second)
	defer cancel()
	_ = followed.Follower.Refresh(ctx)
	return followed.Follower, done, nil
}

// announce prints the link that opens the desk.
func (f *registryFlags) announce(cmd *cobra.Command, link string) {
	_ = f.say(cmd, map[string]string{"open": link}, func(p *registryPrinter) {
		p.line("Open uw bureau in een browser op deze computer:\n\n  %s\n\nDe link werkt één keer. Ctrl-C sluit het bureau.",
			"Open your desk in a browser on this computer:\n\n  %s\n\nThe link works once. Ctrl-C closes the desk.", p.s.link(link))
	})
}
