package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
)

var (
	errNoPeer      = errors.New("no such region was accepted")
	errOtherPeer   = errors.New("the node at this address is not of the region that was named")
	errPeerAway    = errors.New("the other region could not be read")
	errNoWitness   = errors.New("no such witness")
	errWitnessHere = errors.New("these witnesses are there already")
)

func newNodePeerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "peer",
		Short: "Have this region rely on another one, or not any more",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPeerAcceptCommand(), newPeerDropCommand(), newPeerListCommand())
	return cmd
}

// peerFlags say for what and how long another region counts.
type peerFlags struct {
	genesis, until, continues, reason string
	types                             []string
	within                            int
	yes                               bool
}

func newPeerAcceptCommand() *cobra.Command {
	f, p := &registryFlags{}, &peerFlags{}
	cmd := &cobra.Command{
		Use:   "accept URL",
		Short: "Propose to rely on another region, as a member",
		Long: `Propose to rely on another region, as a member: whom it admitted then counts here too, for
the types that you name or for all, until a day. Whom it relies on itself does not count.
URL is the address of any of its nodes. Its log is read and checked against its id first;
ask the region for that id over another channel, such as the telephone.

  paspoort node peer accept https://knoop.lindewaard.example --genesis 5f3c... \
    --until 2027-12-31 --reason "zelfde criteria, bezocht op 3 maart"

Accepting again renews it or changes the types. Other members approve it with
"paspoort registry approve".`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.acceptPeer(cmd, p, args[0]) },
	}
	f.standsAlone(cmd)
	flags := cmd.Flags()
	flags.StringVar(&p.genesis, "genesis", "", "id of the other region, 64 hexadecimal digits")
	flags.StringVar(&p.until, "until", "", "day on which it ends, at most 36 months ahead; a year from now when absent")
	flags.StringArrayVar(&p.types, "type", nil, "type of credential that it is relied on for; may be repeated; all when absent")
	flags.StringVar(&p.continues, "continues", "", "id of the accepted region that it goes on for; found by itself when its charter says so")
	flags.StringVar(&p.reason, "reason", "", "why; it becomes public")
	p.decides(cmd)
	return cmd
}

// decides adds the flags of every proposal.
func (p *peerFlags) decides(cmd *cobra.Command) {
	cmd.Flags().IntVar(&p.within, "decide-within", 30, "for how many days members can decide")
	cmd.Flags().BoolVar(&p.yes, "yes", false, "sign without asking")
}

// proposes shows what is to be signed, asks, and signs it.
func (p *peerFlags) proposes(v *voice, kind registry.Kind, body registry.Body) error {
	act := govern.Act{Kind: kind, Body: body, Lifetime: time.Duration(p.within) * 24 * time.Hour}
	if err := v.agreesTo(act, p.yes); err != nil {
		return err
	}
	return v.propose(act)
}

func (f *registryFlags) acceptPeer(cmd *cobra.Command, p *peerFlags, url string) error {
	switch {
	case p.reason == "":
		return errNeedReason
	case p.genesis == "":
		return needs("genesis")
	}
	until, err := parseDay(p.until)
	if err != nil {
		return err
	}
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	if p.genesis == v.seat.Region.Genesis {
		return withWords(errors.New("a region accepts others, not itself"), "own_region",
			words("Dit is uw eigen regio; die hoeft u niet te erkennen. Er is niets getekend.", "This is your own region; there is no need to accept it. Nothing was signed."),
			words("Noem met --genesis het nummer van de andere regio.", "Name the id of the other region with --genesis."))
	}
	other, err := v.otherRegion(cmd.Context(), p.genesis, url)
	if err != nil {
		return err
	}
	body := &registry.PeerAcceptance{
		Genesis: p.genesis, Name: other.Name, Origin: other.Origin, Reason: p.reason, Until: until,
		Types: slices.Compact(slices.Sorted(slices.Values(p.types))), Continues: p.continues,
	}
	if until == 0 {
		body.Until = v.Clock().AddDate(1, 0, 0).Unix()
	}
	for _, n := range other.Nodes {
		if n.Removed == 0 && !slices.Contains(body.URLs, n.URL) {
			body.URLs = append(body.URLs, n.URL)
		}
	}
	if body.Continues == "" && other.Continues != nil {
		if _, err := v.peer(cmd.Context(), other.Continues.Genesis); err == nil {
			body.Continues = other.Continues.Genesis
		}
	}
	return p.proposes(v, registry.KindPeerAccepted, body)
}

// otherRegion reads another region from the first of the addresses that gives its whole log,
// checked against its id.
func (v *voice) otherRegion(ctx context.Context, genesis string, urls ...string) (registry.Region, error) {
	var errs []error
	for _, url := range urls {
		snap, err := registry.Client{HTTP: v.Nodes[0].HTTP, URL: strings.TrimRight(url, "/")}.Snapshot(ctx)
		if err == nil && snap.Genesis != genesis {
			err = fmt.Errorf("%w: it serves %.64s", errOtherPeer, snap.Genesis)
		}
		if err == nil {
			var r *registry.Replica
			if r, _, err = snap.Replay(genesis); err == nil {
				return r.State().View().Region(v.Clock()), nil
			}
		}
		errs = append(errs, fmt.Errorf("%s: %w", url, err))
	}
	return registry.Region{}, fmt.Errorf("%w: %w", errPeerAway, errors.Join(errs...))
}

func newPeerDropCommand() *cobra.Command {
	f, p := &registryFlags{}, &peerFlags{}
	var since string
	cmd := &cobra.Command{
		Use:   "drop REGION",
		Short: "Propose to rely on another region no more, as a member",
		Long: `Propose to rely on another region no more, as a member. REGION is its name, or its id or
the beginning of it. With --since what it said from that day on counts no more, also what
was signed meanwhile. Other members approve it with "paspoort registry approve".`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if p.reason == "" {
				return errNeedReason
			}
			from, err := parseDay(since)
			if err != nil {
				return err
			}
			v, err := f.speaker(cmd)
			if err != nil {
				return err
			}
			if from > v.Clock().Unix() {
				return onlyPast()
			}
			peer, err := v.peer(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return p.proposes(v, registry.KindPeerDropped, &registry.PeerDrop{Genesis: peer.Genesis, Reason: p.reason, EffectiveFrom: from})
		},
	}
	f.standsAlone(cmd)
	cmd.Flags().StringVar(&since, "since", "", "day from which it has effect, in the past; without it from when it is decided")
	cmd.Flags().StringVar(&p.reason, "reason", "", "why; it becomes public")
	p.decides(cmd)
	return cmd
}

// onlyPast refuses a day to come: members could not decide it.
func onlyPast() error {
	return withWords(exitError{exitUsage, errors.New("--since is in the future")}, "only_past",
		words("--since ligt in de toekomst. Er is niets getekend.", "--since is in the future. Nothing was signed."),
		words("Laat --since weg: dan geldt het vanaf het besluit.", "Leave --since out: it then holds from the decision on."))
}

func newPeerListCommand() *cobra.Command {
	f := &registryFlags{}
	cmd := &cobra.Command{
		Use: "list", Short: "List the regions that this one relies on, or did", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			list, err := v.peers(cmd.Context())
			if err != nil {
				return err
			}
			return f.say(cmd, list, func(p *registryPrinter) { p.peers(list.Peers) })
		},
	}
	f.standsAlone(cmd)
	return cmd
}

func (v *voice) peers(ctx context.Context) (registry.PeersAnswer, error) {
	return look(ctx, v, func(c registry.Client) (registry.PeersAnswer, error) { return c.Peers(ctx, freshly) })
}

// peer is the accepted region that a person means by its name, its id or the beginning of it.
func (v *voice) peer(ctx context.Context, name string) (found registry.PeerStanding, err error) {
	list, err := v.peers(ctx)
	if err != nil {
		return found, err
	}
	hits := 0
	for _, p := range list.Peers {
		if strings.EqualFold(p.Name, name) || len(name) >= 6 && strings.HasPrefix(p.Genesis, strings.ToLower(name)) {
			found = p
			hits++
		}
	}
	if hits != 1 {
		return found, fmt.Errorf("%w: %.64s", errNoPeer, name)
	}
	return found, nil
}

func (p *registryPrinter) peers(list []registry.PeerStanding) {
	if len(list) == 0 {
		p.line("Deze regio rekent op geen andere.", "This region relies on no other.")
	}
	for _, r := range list {
		p.line("%s  (%s)", "%s  (%s)", oneLine(r.Name), r.Genesis[:12])
		state := map[registry.PeerState]string{
			registry.PeerAccepted: words("erkend", "accepted").In(p.lang), registry.PeerEnded: words("afgelopen", "ended").In(p.lang),
			registry.PeerDropped: words("niet meer erkend", "dropped").In(p.lang),
		}[r.State]
		p.fact("Stand", "State", state)
		p.fact("Telt voor", "Counts for", strings.Join(r.Types, ", "))
		p.fact("Sinds", "Since", day(r.Since))
		p.fact("Tot", "Until", day(r.Until))
		p.fact("Vervallen vanaf", "Dropped from", day(r.DroppedFrom))
		p.fact("Omdat", "Because", r.DropReason)
		if r.ContinuedBy != "" {
			p.fact("Gaat verder in", "Goes on in", r.ContinuedBy[:12])
		}
		p.fact("Knooppunten", "Nodes", strings.Join(r.URLs, ", "))
	}
}
