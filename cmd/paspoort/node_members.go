package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/founding"
	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/node"
	"paspoort.example/paspoort/specs/registry"
)

// newNodeJoinCommand is for the member, where its key is: not on the machine of the node.
func newNodeJoinCommand() *cobra.Command {
	f := &registryFlags{}
	var reason string
	var yes bool
	cmd := &cobra.Command{
		Use:   "join CARD",
		Short: "Propose a new node to the region, as the member that runs it",
		Long: `Propose a new node to the region, as the member that runs it. CARD is the card.json
that "paspoort node init" made on the new machine. Other members approve it with
"paspoort registry approve"; then start the node, and it fetches everything by itself.

Who you are stands in the file of "paspoort registry init", or in the flags.`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			card, err := founding.ReadCardFile(args[0])
			if err != nil {
				return err
			}
			if card.Facts.Node == nil {
				return fmt.Errorf("%s tells of no node", args[0])
			}
			f.printer(cmd.ErrOrStderr()).line("Kaart %s: knooppunt %s op %s", "Card %s: node %s at %s", card.Fingerprint(), oneLine(card.Facts.Node.ID), oneLine(card.Facts.Node.URL))
			return joinNode(cmd, f, card.Facts, reason, yes)
		},
	}
	f.standsAlone(cmd)
	cmd.Flags().StringVar(&reason, "reason", "een knooppunt erbij", "why; becomes public")
	cmd.Flags().BoolVar(&yes, "yes", false, "sign without asking")
	return cmd
}

// joinNode proposes the node of a card to the region that the card is for.
func joinNode(cmd *cobra.Command, f *registryFlags, card founding.Facts, reason string, yes bool) error {
	s, err := f.seat()
	if err != nil {
		return err
	}
	if card.Region != "" && s.Region.Genesis != "" && card.Region != s.Region.Genesis {
		return withWords(fmt.Errorf("the card is for region %s", card.Region), "card_of_other_region",
			words("Deze kaart is voor een andere regio gemaakt: "+card.Region+". Er is niets getekend.", "This card was made for another region: "+card.Region+". Nothing was signed."),
			words("Maak het knooppunt voor deze regio: paspoort node init --node URL --region "+s.Region.Genesis, "Make the node for this region: paspoort node init --node URL --region "+s.Region.Genesis))
	}
	return changeNodes(cmd, f, registry.KindNodeAdded, &registry.NodeChange{Node: card.Node, Reason: reason}, yes, nil)
}

func newNodeLeaveCommand() *cobra.Command {
	f := &registryFlags{}
	var s staying
	var reason string
	var yes bool
	cmd := &cobra.Command{
		Use:   "leave NODE",
		Short: "Propose that a node leaves the region, as a member",
		Long: `Propose that a node leaves the region, as a member. NODE is its id, such as knoop-3.
Other members approve it with "paspoort registry approve"; the other nodes then take its
vote away. Both commands wait until all nodes that stay are up, because those have to
elect and to sign without it. Leave it running until its status says "left" and a
checkpoint lies beyond that: the nodes before and after the change sign one together.
Then stop it.`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeNodes(cmd, f, registry.KindNodeRemoved, &registry.NodeChange{ID: args[0], Reason: reason}, yes, &s)
		},
	}
	f.standsAlone(cmd)
	s.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "de beheerder stopt ermee", "why; becomes public")
	cmd.Flags().BoolVar(&yes, "yes", false, "sign without asking")
	return cmd
}

// changeNodes holds a change against the nodes that there are, shows it and asks, before it is
// signed: what is proposed stays in the log for good.
func changeNodes(cmd *cobra.Command, f *registryFlags, kind registry.Kind, change *registry.NodeChange, yes bool, s *staying) error {
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	region, err := v.region()
	if err != nil {
		return err
	}
	if change.Node != nil && region.Rules < 3 {
		older := *change.Node // its rules have no place for this key; node.keys brings it later
		older.FederationKey = ""
		change.Node = &older
	}
	operator, err := operatorOf(region.Nodes, change)
	if err != nil {
		return err
	}
	if n := change.Node; n != nil {
		if err := isMember(region.Members, operator); err != nil {
			return err
		}
		if err := v.notYet(kind, registry.NodeSubject(n.ID), words("knooppunt "+n.ID, "node "+n.ID), sameNode(n)); err != nil {
			return err
		}
	}
	if whose := registry.MemberParty(operator); whose != v.seat.Party && v.shows(yes) {
		f.printer(cmd.ErrOrStderr()).line("Let op: dit knooppunt is van %s; u tekent als %s.", "Mind: this node is of %s; you sign as %s.", oneLine(whose), oneLine(v.seat.Party))
	}
	if s != nil {
		if err := s.enough(v, region.Nodes, change.ID); err != nil {
			return err
		}
	}
	if err := v.agreesTo(govern.Act{Kind: kind, Body: change}, yes); err != nil {
		return err
	}
	if err := v.change(kind, change); err != nil {
		return err
	}
	if s != nil {
		v.beforeItGoes(region.Nodes, change.ID)
	}
	return nil
}

// operatorOf is the member that runs the node which is to come or go, if it can.
func operatorOf(nodes []registry.NodeRecord, change *registry.NodeChange) (string, error) {
	id := change.ID
	if change.Node != nil {
		id = change.Node.ID
	}
	var here []string
	for _, n := range nodes {
		switch {
		case change.Node != nil && n.Removed == 0 && n.ID == id:
			return "", withWords(fmt.Errorf("node %s is in the region already", id), "node_there",
				words("De regio heeft al een knooppunt "+id+". Er is niets getekend.", "The region has a node "+id+" already. Nothing was signed."),
				words("Maak het met een ander nummer: paspoort node init --id", "Make it with another id: paspoort node init --id"))
		case change.Node == nil && n.Removed == 0 && n.ID == id:
			return n.Operator, nil
		case n.Removed == 0:
			here = append(here, n.ID)
		}
	}
	if change.Node != nil {
		return change.Node.Operator, nil
	}
	list := strings.Join(here, ", ")
	return "", withWords(fmt.Errorf("no node %s", id), "no_such_node",
		words("De regio heeft geen knooppunt "+id+". Er is niets getekend.", "The region has no node "+id+". Nothing was signed."),
		words("De knooppunten zijn: "+list, "Its nodes are: "+list))
}

// isMember refuses a node of nobody who is in the region: members could not take it in.
func isMember(list []registry.MemberRecord, id string) error {
	var here []string
	for _, m := range list {
		if m.Removed != 0 {
			continue
		}
		if m.ID == id {
			return nil
		}
		here = append(here, m.ID)
	}
	return withWords(fmt.Errorf("no member %s", id), "no_such_member",
		words("De regio heeft geen lid "+oneLine(id)+". Er is niets getekend.", "The region has no member "+oneLine(id)+". Nothing was signed."),
		words("De leden zijn: "+strings.Join(here, ", "), "Its members are: "+strings.Join(here, ", ")))
}

// change signs a change of the region as a member and says what is left to do.
func (v *voice) change(kind registry.Kind, body registry.Body) error {
	out, err := v.submit(govern.Act{Kind: kind, Body: body})
	if err != nil {
		return err
	}
	w := v.cmd.OutOrStdout()
	if v.f.json {
		return printJSON(w, out)
	}
	if slices.Contains(out.Enacted, out.Event) {
		v.f.printer(w).line("Besloten: het geldt vanaf nu.", "Decided: it holds from now on.")
		return nil
	}
	v.f.printer(w).approves(out.Event)
	return nil
}

func newNodeTransferCommand() *cobra.Command {
	var config, to string
	cmd := &cobra.Command{
		Use:   "transfer-leadership",
		Short: "Let another node lead, before this one is stopped",
		Long: `Let another node lead, before this one is stopped: writes then go on without the wait
of an election. Type it on the machine that leads, as the user that runs the node.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var c conf.Node
			if err := loadConfig(config, &c); err != nil {
				return err
			}
			leader, err := node.Operator{Socket: controlSocket(&c)}.TransferLeadership(cmd.Context(), to)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "leader: %s\n", cmp.Or(leader, "none"))
			return nil
		},
	}
	cmd.Flags().StringVar(&config, "config", "node.json", "configuration file of the node")
	cmd.Flags().StringVar(&to, "to", "", "id of the node that should lead; without it the one that is furthest")
	return cmd
}

// controlSocket is where a running node takes its operator's commands.
func controlSocket(c *conf.Node) string {
	if c.Control != "" {
		return c.Control
	}
	return node.DefaultControl(c.Data)
}

// printPeers asks the other nodes too and says in a line each how they are doing.
func printPeers(ctx context.Context, out io.Writer, s node.Status, ask func(context.Context, string) (node.Status, error)) {
	for _, p := range s.Peers {
		other, err := s, error(nil)
		if p.ID != s.Node {
			other, err = ask(ctx, p.URL)
		}
		switch {
		case err != nil:
			fmt.Fprintf(out, "%-12s does not answer at %s: %v\n", p.ID, p.URL, err)
		case other.Region != s.Region:
			fmt.Fprintf(out, "%-12s serves another region at %s\n", p.ID, p.URL)
		default:
			signs := "signs"
			if !other.Signs {
				signs = "does not sign: " + other.Withheld
			}
			heard := "never heard from a leader"
			if other.Age >= 0 {
				heard = fmt.Sprintf("heard from a leader %d s ago", other.Age)
			}
			fmt.Fprintf(out, "%-12s %-9s %-9s %d leaves, %s, %s\n", p.ID, p.Member, other.State, other.Leaves, heard, signs)
		}
	}
}
