package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/specs/registry"
)

func newRegistryWitnessCommand(f *registryFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "witness",
		Short: "See or change who outside the region watches its log",
		Long: `See or change who outside the region watches its log. A witness signs only what follows
on what it signed before, so that the nodes of this region cannot show two histories. A
region goes on without witnesses; its checkpoints are then marked "own nodes only".`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newWitnessListCommand(f), newWitnessAddCommand(f), newWitnessRemoveCommand(f))
	f.speaks(cmd.Commands()...)
	return cmd
}

func newWitnessListCommand(f *registryFlags) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the witnesses of the region's log", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			list, err := v.witnesses(cmd.Context())
			if err != nil {
				return err
			}
			return f.say(cmd, list, func(p *registryPrinter) {
				for _, w := range list.Witnesses {
					p.line("%-20s %s", "%-20s %s", w.ID, w.Name)
					p.fact("Adres", "Address", w.URL)
				}
				if len(list.Witnesses) == 0 {
					p.line("Niemand buiten de regio kijkt mee met het register.", "Nobody outside the region watches its log.")
				}
			})
		},
	}
}

func (v *voice) witnesses(ctx context.Context) (registry.WitnessesAnswer, error) {
	return look(ctx, v, func(c registry.Client) (registry.WitnessesAnswer, error) { return c.Witnesses(ctx, freshly) })
}

// witnessFlags name a witness that is of no accepted region.
type witnessFlags struct {
	peerFlags
	from, name, key, url string
}

func newWitnessAddCommand(f *registryFlags) *cobra.Command {
	w := &witnessFlags{}
	cmd := &cobra.Command{
		Use:   "add REGION",
		Short: "Propose witnesses: the nodes of an accepted region, or one of your choice",
		Long: `Propose witnesses: the nodes of an accepted region, by its name or id. Their keys come from
that region's log, checked against its id. They sign when their region accepted yours.

  paspoort registry witness add "Regio Lindewaard" --reason "getuigen voor elkaar"

Any witness that speaks C2SP tlog-witness will do; then the argument is what you call it:

  paspoort registry witness add archief --name archief.example/getuige \
    --key-of-witness BASE64URL --url https://archief.example/getuige --reason "kijkt mee"`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.addWitnesses(cmd, w, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&w.from, "from", "", "address of a node of that region, instead of those that are known")
	flags.StringVar(&w.name, "name", "", "name of the key of a witness of your choice")
	flags.StringVar(&w.key, "key-of-witness", "", "its Ed25519 public key, base64url")
	flags.StringVar(&w.url, "url", "", "its address: what comes before /add-checkpoint")
	flags.StringVar(&w.reason, "reason", "", "why; it becomes public")
	w.decides(cmd)
	return cmd
}

// overWitnesses is who proposes other witnesses, for a reason, and the witnesses that there are.
func (f *registryFlags) overWitnesses(cmd *cobra.Command, w *witnessFlags) (*voice, []registry.Witness, error) {
	if w.reason == "" {
		return nil, nil, errNeedReason
	}
	v, err := f.speaker(cmd)
	if err != nil {
		return nil, nil, err
	}
	now, err := v.witnesses(cmd.Context())
	return v, now.Witnesses, err
}

func (f *registryFlags) addWitnesses(cmd *cobra.Command, w *witnessFlags, name string) error {
	v, now, err := f.overWitnesses(cmd, w)
	if err != nil {
		return err
	}
	added := []registry.Witness{{ID: name, Key: w.key, Name: w.name, URL: w.url}}
	if w.key == "" && w.name == "" && w.url == "" {
		if added, err = v.nodesAsWitnesses(cmd.Context(), name, w.from); err != nil {
			return err
		}
	}
	// Those that are known by their key get their newest name and address.
	added = slices.DeleteFunc(added, func(a registry.Witness) bool { return slices.Contains(now, a) })
	if len(added) == 0 {
		return errWitnessHere
	}
	kept := slices.DeleteFunc(slices.Clone(now), func(old registry.Witness) bool {
		return slices.ContainsFunc(added, func(a registry.Witness) bool { return a.ID == old.ID || a.Key == old.Key })
	})
	return w.proposes(v, registry.KindWitness, &registry.WitnessChange{Reason: w.reason, Witnesses: append(kept, added...)})
}

// nodesAsWitnesses are the nodes of an accepted region, as its own log names them.
func (v *voice) nodesAsWitnesses(ctx context.Context, name, from string) (out []registry.Witness, err error) {
	peer, err := v.peer(ctx, name)
	if err != nil {
		return nil, err
	}
	urls := slices.Clone(peer.URLs)
	if from != "" {
		urls = []string{from}
	}
	for _, node := range v.Nodes { // what our own nodes keep of it
		urls = append(urls, node.URL+"/regions/"+peer.Genesis)
	}
	other, err := v.otherRegion(ctx, peer.Genesis, urls...)
	if err != nil {
		return nil, err
	}
	for _, n := range other.Nodes {
		if n.Removed == 0 {
			out = append(out, registry.Witness{
				Genesis: peer.Genesis, ID: witnessID(peer.Origin, n.ID), Key: n.CosignerKey,
				Name: registry.CosignerName(peer.Origin, n.ID), URL: n.URL + "/witness",
			})
		}
	}
	return out, nil
}

// witnessID is what a node of another region is called here: the first label of the name of its
// log, and its own id.
func witnessID(origin, node string) string {
	label, _, _ := strings.Cut(origin, ".")
	id := strings.ToLower(label) + "-" + node
	return id[:min(len(id), 40)]
}

func newWitnessRemoveCommand(f *registryFlags) *cobra.Command {
	w := &witnessFlags{}
	cmd := &cobra.Command{
		Use:   "remove ID...",
		Short: "Propose to do without some of the witnesses",
		Args:  someArgs("the witnesses, as the list calls them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, kept, err := f.overWitnesses(cmd, w)
			if err != nil {
				return err
			}
			for _, id := range args {
				before := len(kept)
				if kept = slices.DeleteFunc(kept, func(w registry.Witness) bool { return w.ID == id }); len(kept) == before {
					return fmt.Errorf("%w: %.64s", errNoWitness, id)
				}
			}
			return w.proposes(v, registry.KindWitness, &registry.WitnessChange{Reason: w.reason, Witnesses: append([]registry.Witness{}, kept...)})
		},
	}
	cmd.Flags().StringVar(&w.reason, "reason", "", "why; it becomes public")
	w.decides(cmd)
	return cmd
}

func newRegistryCustodianCommand(f *registryFlags) *cobra.Command {
	p := &peerFlags{}
	var by, from string
	var end bool
	cmd := &cobra.Command{
		Use:   "custodian ORGANISATION",
		Short: "Have another organisation sign on the status lists of one that ceased",
		Long: `Have another organisation sign on the status lists of one that ceased, or that asks for it.
Without a custodian the last list runs out, and from then on nobody knows what was
withdrawn. The custodian is admitted as status signer or as issuer.

  paspoort registry custodian "Opleidingshuis De Vaart" --by "Bureau Status" --reason "failliet"
  paspoort registry custodian "Opleidingshuis De Vaart" --end --reason "de lijsten zijn afgelopen"`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case p.reason == "":
				return errNeedReason
			case by == "" && !end:
				return needs("by")
			case by != "" && end:
				return exitError{exitUsage, fmt.Errorf("--by names a custodian and --end ends it: give one of the two")}
			}
			body := &registry.Custodian{Reason: p.reason}
			var err error
			if body.From, err = parseDay(from); err != nil {
				return err
			}
			if body.Until, err = parseDay(p.until); err != nil {
				return err
			}
			v, err := f.speaker(cmd)
			if err != nil {
				return err
			}
			org, err := v.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			body.Organisation = org.ID
			if by != "" {
				custodian, err := v.find(cmd.Context(), by)
				if err != nil {
					return err
				}
				body.By = custodian.ID
			}
			return p.proposes(v, registry.KindCustodian, body)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&by, "by", "", "who signs on")
	flags.BoolVar(&end, "end", false, "nobody signs on any more")
	flags.StringVar(&from, "from", "", "first day; from when it is decided when absent")
	flags.StringVar(&p.until, "until", "", "day on which it ends; until another decision when absent")
	flags.StringVar(&p.reason, "reason", "", "why; it becomes public")
	p.decides(cmd)
	return cmd
}
