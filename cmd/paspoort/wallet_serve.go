package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/wallet"
	"paspoort.example/paspoort/wallet/host"
)

// holdersDir is where a host keeps the paspoorten in its folder, beside registryDir.
const holdersDir = "holders"

func newWalletServeCommand() *cobra.Command {
	var config string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Keep paspoorten for many people, as pages in a browser, until Ctrl-C",
		Long: `Keep paspoorten for many people, as pages in a browser, until Ctrl-C.

Each paspoort is sealed for its holder: only who signs in opens it. Give the host a
public https address; without https browsers know no passkeys, and a cookie that can
be read on the way is worth nothing.`,
		Args: noArgs,
		// The flags of the other commands are about one paspoort in a folder.
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			var given error
			cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) {
				if f.Changed {
					given = misused(cmd, fmt.Errorf("wallet serve takes no --%s", f.Name))
				}
			})
			return given
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return serveWallet(cmd.Context(), config) },
	}
	cmd.Flags().StringVar(&config, "config", "wallet.json", "configuration file")
	cmd.SetUsageTemplate(`Usage:
  {{.UseLine}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
`)
	return cmd
}

func serveWallet(ctx context.Context, path string) (err error) {
	var c conf.WalletHost
	if err := loadConfig(path, &c); err != nil {
		return err
	}
	log, err := c.Logger("wallet")
	if err != nil {
		return err
	}
	holders, err := kv.OpenBadger(filepath.Join(c.Data, holdersDir), kv.Options{Sync: true, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, holders.Close()) }()
	// Copies of public registries. They can be fetched again, so nothing waits for the disk.
	copies, err := kv.OpenBadger(filepath.Join(c.Data, registryDir), kv.Options{Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, copies.Close()) }()
	relied, err := followRegions(c, copies, log)
	if err != nil {
		return err
	}
	regions := followers(relied)
	config, err := walletHost(&c, relied, log)
	if err != nil {
		return err
	}
	config.Store = holders
	h, err := host.New(config)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, r := range relied {
		group.Go(func() error { return r.Follower.Run(ctx) })
	}
	group.Go(func() error { return relied[0].Neighbours.Run(ctx) })
	group.Go(func() error { return watchAdmission(ctx, c.Organisation, regions, log) })
	group.Go(func() error { return h.Run(ctx) })
	group.Go(func() error {
		return c.ServeRole(ctx, h.Handler(), conf.Role{Name: "wallet", Data: c.Data, Look: copyAges(asCopies(regions)...)})
	})
	return group.Wait()
}

// followRegions opens the host's own copy of each region, which all paspoorten share. The first
// is at home here: the regions that it accepted count too.
func followRegions(c conf.WalletHost, copies kv.Store, log *slog.Logger) ([]*regionEvidence, error) {
	if len(c.Regions) == 0 {
		return nil, fmt.Errorf("%w: regions is empty: name at least one region to rely on", conf.ErrConfig)
	}
	var beside []string
	for _, r := range c.Regions[1:] {
		beside = append(beside, r.Genesis)
	}
	var out []*regionEvidence
	for _, r := range c.Regions {
		if r.Status != "" {
			return nil, fmt.Errorf("%w: \"status\" of a region is for verifiers; leave it out here", conf.ErrConfig)
		}
		one, err := followRegion(r, c.Outbound, copies, log, beside...)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func followers(regions []*regionEvidence) (out []*evidence.Follower) {
	for _, r := range regions {
		out = append(out, r.Follower)
	}
	return out
}

// walletHost is the configuration of the role.
func walletHost(c *conf.WalletHost, relied []*regionEvidence, log *slog.Logger) (host.Config, error) {
	regions := followers(relied)
	policy, err := c.Outbound.Policy()
	if err != nil {
		return host.Config{}, err
	}
	large := policy
	large.MaxBytes = max(policy.MaxBytes, maxStatusBytes)
	client, small := outbound.New(large), outbound.New(policy)
	out := host.Config{
		URL: c.URL, Name: c.Name, Idle: time.Duration(c.SessionMinutes) * time.Minute, BackupDays: c.BackupDays,
		MaxHolders: c.MaxHolders, Proxies: c.Proxies, RegionName: regionNames(regions, relied[0].Neighbours), Log: log,
		Wallet: wallet.Config{
			HTTP: client, Fetch: small, StatusFetch: client, Regions: shared(relied), Log: log,
			CheckURL: func(u *url.URL) error { return client.CheckURL(u.String()) },
		},
	}
	var sources []evidence.Copy
	for i, f := range regions {
		sources = append(sources, f)
		out.Regions = append(out.Regions, wallet.RegionSettings{Genesis: f.Genesis(), Nodes: c.Regions[i].Nodes})
	}
	// Without a StatusStore: whose lists were looked at here stays off the disk.
	out.Evidence, err = evidence.New(evidence.Config{
		Copies: sources, Neighbours: relied[0].Neighbours, Fetch: small, StatusFetch: client, StatusArchive: relied[0].Bundles, Log: log,
	})
	if err != nil {
		return out, err
	}
	if out.ReceiptKey, err = receiptKey(c); err != nil {
		return out, err
	}
	out.Labels, err = readLabels(c.Labels)
	return out, err
}

// shared gives every paspoort the host's copies. A region that came along from another host
// and is not followed here is known by name only: what rests on it is unknown, and a
// stranger's archive makes this host fetch nothing.
func shared(regions []*regionEvidence) func(wallet.RegionSettings) (wallet.Region, error) {
	known := map[string]wallet.Region{}
	for i, r := range regions {
		refresh := r.Follower.Refresh
		if i == 0 {
			refresh = r.Refresh()
		}
		known[r.Follower.Genesis()] = wallet.Region{Copy: r.Follower, Refresh: atMost(refreshEvery, refresh)}
	}
	return func(r wallet.RegionSettings) (wallet.Region, error) {
		if region, ok := known[r.Genesis]; ok {
			return region, nil
		}
		return wallet.Region{Copy: unfollowed(r.Genesis)}, nil
	}
}

// refreshEvery is how often all holders together make the host ask the nodes for news,
// beside its own schedule: somebody who was admitted a moment ago is no stranger.
const refreshEvery = time.Second

// atMost runs do, and not again before every has passed. Who comes while it runs waits for
// it; who comes soon after has what it brought.
func atMost(every time.Duration, do func(context.Context) error) func(context.Context) error {
	var mu sync.Mutex
	var last time.Time
	return func(ctx context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(last) < every {
			return nil
		}
		err := do(ctx)
		last = time.Now()
		return err
	}
}

// unfollowed is a region of which there is no copy here. It implements evidence.Copy.
type unfollowed string

func (u unfollowed) Genesis() string { return string(u) }

func (unfollowed) Read(context.Context, func(registry.View, paspoort.RegistryFacts) error) error {
	return evidence.ErrNoCopy
}

// regionNames tells what regions call themselves. A host can start before its region has
// nodes that answer, so it is looked up when it is wanted; a name is kept, since the pages
// ask for it often and the whole charter is read for it.
func regionNames(regions []*evidence.Follower, around *evidence.Neighbours) func(genesis string) string {
	var mu sync.Mutex
	names := map[string]string{}
	return func(genesis string) string {
		mu.Lock()
		defer mu.Unlock()
		if name := names[genesis]; name != "" {
			return name
		}
		if peer, ok := around.Get(genesis); ok {
			return peer.Name
		}
		for _, f := range regions {
			if f.Genesis() != genesis {
				continue
			}
			_ = f.Read(context.Background(), func(_ registry.View, facts paspoort.RegistryFacts) error {
				names[genesis] = facts.Name
				return nil
			}) // nothing was read yet: the page shows the region's id
		}
		return names[genesis]
	}
}

// watchAdmission looks now and then whether a region still knows the host as a wallet host:
// every admission ends some day, and people look for the name of their host in the
// region's list. It waits first, because a copy is a moment behind a decision.
func watchAdmission(ctx context.Context, organisation string, regions []*evidence.Follower, log *slog.Logger) error {
	wait := 5 * time.Minute
	for organisation != "" {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		tellAdmission(ctx, organisation, regions, log)
		wait = 24 * time.Hour
	}
	return nil
}

// tellAdmission warns when regions were read and none admits the organisation.
func tellAdmission(ctx context.Context, organisation string, regions []*evidence.Follower, log *slog.Logger) {
	read, admitted := false, false
	for _, f := range regions {
		// A region without a copy is not read, and says nothing about the host.
		_ = f.Read(ctx, func(v registry.View, _ paspoort.RegistryFacts) error {
			q := registry.Question{Lookup: registry.Lookup{Organisation: organisation}, Role: registry.WalletHost, At: time.Now()}
			a, err := v.Admission(q)
			read, admitted = true, admitted || err == nil && a.Admitted
			return nil
		})
	}
	if read && !admitted {
		log.Warn("no region admits this organisation as a wallet host", "organisation", organisation)
	}
}

// receiptKey reads the key that signs receipts, and makes it the first time.
func receiptKey(c *conf.WalletHost) (*jose.PrivateKey, error) {
	if c.ReceiptKey == "" {
		c.ReceiptKey = filepath.Join(filepath.Dir(c.Data), "receipt.key")
	}
	key, err := keyfile.LoadOrCreate(c.ReceiptKey, keyfile.ES256)
	if err != nil {
		return nil, err
	}
	raw, err := jose.MarshalPrivate(key)
	if err != nil {
		return nil, err
	}
	return jose.ParsePrivate(raw)
}

// Limits on files with labels: the whole of ESCO in one language is 14,000 rows.
const (
	maxLabelBytes = 16 << 20
	maxLabel      = 200
)

var errLabels = errors.New("no list of labels")

// readLabels reads the names of skills to suggest, each once, in order.
func readLabels(files []string) ([]string, error) {
	var out []string
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		found, err := labels(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, found...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// labels reads one file: the columns uri and label, with these words on the first line.
func labels(in io.Reader) ([]string, error) {
	rows := csv.NewReader(io.LimitReader(in, maxLabelBytes))
	rows.FieldsPerRecord = 2
	head, err := rows.Read()
	if err != nil || strings.TrimPrefix(head[0], "\ufeff") != "uri" || head[1] != "label" {
		return nil, errors.Join(fmt.Errorf("%w: the first line must be: uri,label", errLabels), err)
	}
	var out []string
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errLabels, err)
		}
		label := strings.TrimSpace(row[1])
		if label == "" || len(label) > maxLabel {
			line, _ := rows.FieldPos(1)
			return nil, fmt.Errorf("%w: line %d: a label has 1 to %d characters", errLabels, line, maxLabel)
		}
		out = append(out, label)
	}
}
