package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/node"
)

func newNodeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Keep a region's registry, together with its other nodes",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newNodeInitCommand(), newNodeServeCommand(), newTestAlertsCommand("node", nodeServer), newNodeStatusCommand(),
		newNodeJoinCommand(), newNodeLeaveCommand(), newNodeTransferCommand(), newNodeBackupCommand(), newNodeRestoreCommand(),
		newNodeRecoverCommand(), newNodeCheckCommand(), newNodePeerCommand(), newNodeFederationKeyCommand())
	return cmd
}

func newNodeServeCommand() *cobra.Command {
	var config string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a registry node, until Ctrl-C",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return serveNode(cmd.Context(), config) },
	}
	cmd.Flags().StringVar(&config, "config", "node.json", "configuration file")
	return cmd
}

func serveNode(ctx context.Context, path string) error {
	var c conf.Node
	if err := loadConfig(path, &c); err != nil {
		return err
	}
	config, err := nodeConfig(&c)
	if err != nil {
		return err
	}
	if config.Peer, err = conf.OpenAs(c.PeerListen, "peer_listen"); err != nil {
		return err
	}
	node.LimitMemory()
	n, err := node.New(config)
	if err != nil {
		config.Peer.Close()
		return err
	}
	handler, err := n.Handler()
	if err != nil {
		config.Peer.Close()
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.Run(ctx) })
	group.Go(func() error { return n.ServeControl(ctx, controlSocket(&c)) })
	group.Go(func() error {
		return c.ServeRole(ctx, handler, conf.Role{Name: "node", Data: c.Data, Look: n.Look, Pages: n.OperatorPages})
	})
	return group.Wait()
}

// nodeConfig maps the file onto the role's configuration and reads the files it names.
func nodeConfig(c *conf.Node) (node.Config, error) {
	log, err := c.Logger("node")
	if err != nil {
		return node.Config{}, err
	}
	out := node.Config{
		ID: c.ID, Dir: c.Data, VerifyOff: !c.Check, Log: log,
		Election:       time.Duration(c.ElectionMillis) * time.Millisecond,
		CosignInterval: time.Duration(c.CosignSeconds) * time.Second,
		MirrorInterval: time.Duration(c.MirrorSeconds) * time.Second, ArchiveInterval: time.Duration(c.ArchiveSeconds) * time.Second,
	}
	if err := out.SetProfile(c.Profile); err != nil {
		return out, err
	}
	if out.Founding, err = os.ReadFile(c.Founding); errors.Is(err, fs.ErrNotExist) {
		return out, hint(err, "the founding event is not here yet: the last member to sign the draft of the region gets it, see specs/operations.md")
	} else if err != nil {
		return out, err
	}
	if out.TLSKey, err = keyfile.Load(c.PeerKey, nil); err != nil {
		return out, err
	}
	if out.LogKey, err = keyfile.Load(c.LogKey, nil); err != nil {
		return out, err
	}
	if out.CosignerKey, err = keyfile.Load(c.CosignerKey, nil); err != nil {
		return out, err
	}
	if out.TimestampKey, err = keyfile.Load(c.TimestampKey, nil); err != nil {
		return out, err
	}
	if c.FederationKey != "" { // nodes of before rules version 3 have none
		if out.FederationKey, err = keyfile.Load(c.FederationKey, nil); err != nil {
			return out, err
		}
	}
	policy, err := c.Outbound.Policy()
	if err != nil {
		return out, err
	}
	large := policy
	large.MaxBytes = max(large.MaxBytes, maxStatusBytes)
	out.Fetch, out.StatusFetch = outbound.New(policy), outbound.New(large)
	large.MaxBytes = max(large.MaxBytes, maxLeavesBytes)
	out.Outside = outbound.New(large)
	return out, nil
}

// statusTimeout is how long one node may take to tell how it is.
const statusTimeout = 5 * time.Second

func newNodeStatusCommand() *cobra.Command {
	var url, config, caFile string
	var private []string
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell how a node and its cluster are doing",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings := outbound.Settings{LoopbackHTTP: true, AllowPrivate: thisComputer}
			if url == "" {
				var c conf.Node
				if err := conf.Load(config, &c); err != nil {
					return hint(err, "name the configuration file of the node with --config, or its address with --url")
				}
				url, settings = c.URL, c.Outbound
			}
			if caFile != "" {
				settings.CAFile = caFile
			}
			settings.AllowPrivate = append(slices.Clone(settings.AllowPrivate), private...)
			return nodeStatus(cmd.Context(), cmd.OutOrStdout(), url, settings, asJSON, all)
		},
	}
	cmd.Flags().StringVar(&url, "url", "", "public address of the node")
	cmd.Flags().StringVar(&config, "config", "node.json", "configuration file of the node, when there is no --url")
	cmd.Flags().StringVar(&caFile, "ca-file", "", "PEM file with a certificate authority to trust beside the system's")
	cmd.Flags().StringArrayVar(&private, "allow-private", nil, privateUsage)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as JSON")
	cmd.Flags().BoolVar(&all, "all", false, "ask the other nodes of the region too")
	return cmd
}

func nodeStatus(ctx context.Context, out io.Writer, url string, settings outbound.Settings, asJSON, all bool) error {
	policy, err := settings.Policy()
	if err != nil {
		return err
	}
	policy.Timeout = statusTimeout
	client := outbound.New(policy)
	raw, _, err := client.Get(ctx, url+"/v1/status", "application/json")
	if errors.Is(err, syscall.ECONNREFUSED) {
		return hint(fmt.Errorf("nothing answers at %s: this node does not run", url), "start it with paspoort node serve; if it stopped by itself, its log says why")
	}
	if err != nil {
		return hint(err, "is the node running, and is this its address? give --ca-file for an authority of its own, --allow-private for a private network")
	}
	if asJSON {
		_, err := fmt.Fprintf(out, "%s\n", raw)
		return err
	}
	var s node.Status
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("the node answered with something else than its status: %w", err)
	}
	printStatus(out, s)
	if all {
		printPeers(ctx, out, s, func(ctx context.Context, url string) (node.Status, error) { return statusAt(ctx, client, url) })
	}
	return nil
}

func printStatus(out io.Writer, s node.Status) {
	fmt.Fprintf(out, "%s: %s of %s\n", s.Node, s.State, s.Name)
	fmt.Fprintf(out, "region      %s\n", s.Region)
	fmt.Fprintf(out, "leader      %s\n", cmp.Or(s.Leader, "none"))
	fmt.Fprintf(out, "raft index  %d, stored %d\n", s.RaftIndex, s.Applied)
	fmt.Fprintf(out, "leaves      %d\n", s.Leaves)
	fmt.Fprintf(out, "rules       %d in force, this node knows up to %d\n", s.Rules, s.RulesKnown)
	if s.Checkpoint == nil {
		fmt.Fprintf(out, "checkpoint  none yet\n")
	} else {
		fmt.Fprintf(out, "checkpoint  %d leaves, %s, %s\n", s.Checkpoint.Size, s.Checkpoint.Freshest.Format(time.RFC3339), s.Checkpoint.Trust)
	}
	if !s.Signs {
		fmt.Fprintf(out, "signs       no: %s\n", s.Withheld)
	}
	if s.WaitsFor != "" {
		fmt.Fprintf(out, "begins      when all nodes have heard each other; waits for %s\n", s.WaitsFor)
	}
	for _, p := range s.Peers {
		fmt.Fprintf(out, "node        %s %s (%s)\n", p.ID, p.URL, p.Member)
	}
	for _, w := range s.Witnesses {
		word := "has not signed yet"
		if !w.At.IsZero() {
			word = fmt.Sprintf("signed %d leaves, %s", w.Size, w.At.Format(time.RFC3339))
		}
		if w.Problem != "" {
			word += ", not now: " + w.Problem
		}
		if w.Other {
			word += ", AND ANOTHER HISTORY THAN THIS NODE HAS"
		}
		fmt.Fprintf(out, "witness     %s %s (%s)\n", w.ID, w.URL, word)
	}
}
