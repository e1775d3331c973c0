package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/node"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// A node that leaves takes its vote along. Of four nodes the three that stay then have to elect
// whoever leads, and to sign what follows: all three of them. So its leaving is neither proposed
// nor approved before every node that stays is up.

// staying is what "node leave" and "registry approve" ask about that.
type staying struct {
	anyway bool
	wait   time.Duration
}

func (s *staying) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.anyway, "anyway", false, "a node may leave though another one is away: the region may then decide nothing until that is back")
	cmd.Flags().DurationVar(&s.wait, "wait", 30*time.Second, "how long to wait until all nodes that stay are up, when a node leaves")
}

// enough waits until all nodes that stay are up when one leaves.
func (s staying) enough(v *voice, nodes []registry.NodeRecord, gone string) error {
	stay := slices.DeleteFunc(slices.Clone(nodes), func(n registry.NodeRecord) bool { return n.Removed != 0 || n.ID == gone })
	if s.anyway || len(stay) == 0 {
		return nil
	}
	policy, err := v.seat.Outbound.Policy()
	if err != nil {
		return err
	}
	policy.MaxBytes, policy.Timeout = max(policy.MaxBytes, maxStatusBytes), statusTimeout
	client := outbound.New(policy)
	ctx, tick := v.cmd.Context(), time.NewTicker(time.Second)
	defer tick.Stop()
	over := time.After(s.wait)
	for told := false; ; told = true {
		down := notUp(stay, func(url string) (s node.Status, err error) { return statusAt(ctx, client, url) }, v.seat.Region.Genesis)
		if len(down) == 0 {
			return nil
		}
		if !told && s.wait > 0 && !v.f.json {
			v.f.printer(v.cmd.ErrOrStderr()).line("Wacht op de knooppunten die blijven: %s", "Waiting for the nodes that stay: %s", joined(down).In(v.f.lang))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over:
			return nodesAway(down, gone)
		case <-tick.C:
		}
	}
}

// ofProposal waits as well where the decision may fall.
func (s staying) ofProposal(v *voice, proposal registry.Progress) error {
	region, err := v.region()
	if err != nil {
		return err
	}
	return s.enough(v, region.Nodes, strings.TrimPrefix(proposal.Subject, registry.NodeSubject("")))
}

func nodesAway(down []paspoort.Text, gone string) error {
	list := joined(down)
	return withWords(errors.New("not all nodes that stay are up: "+list.EN), "nodes_away",
		words("Niet alle knooppunten die blijven doen mee: "+list.NL+". Er is niets getekend.", "Not all nodes that stay are up: "+list.EN+". Nothing was signed."),
		words("Wacht tot elk knooppunt meedoet (paspoort node status --all) en typ dit opnieuw. Komt er een nooit meer terug, laat dat dan eerst weggaan. Met --anyway vertrekt "+gone+" toch; de regio beslist dan misschien niets tot zij terug zijn.",
			"Wait until every node takes part (paspoort node status --all), and type this again. If one will never come back, let that one leave first. With --anyway "+gone+" leaves all the same; the region may then decide nothing until they are back."))
}

func joined(list []paspoort.Text) paspoort.Text {
	var nl, en []string
	for _, t := range list {
		nl, en = append(nl, t.NL), append(en, t.EN)
	}
	return words(strings.Join(nl, "; "), strings.Join(en, "; "))
}

func statusAt(ctx context.Context, client *outbound.Client, url string) (s node.Status, err error) {
	raw, _, err := client.Get(ctx, url+"/v1/status", "application/json")
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	return s, err
}

// notUp says of each node that is not up why not.
func notUp(nodes []registry.NodeRecord, ask func(url string) (node.Status, error), genesis string) (down []paspoort.Text) {
	why := make([]paspoort.Text, len(nodes))
	var asking sync.WaitGroup
	for i, n := range nodes {
		asking.Go(func() {
			s, err := ask(n.URL)
			why[i] = lacks(s, err, n, genesis)
		})
	}
	asking.Wait()
	return slices.DeleteFunc(why, func(t paspoort.Text) bool { return t == paspoort.Text{} })
}

// lacks is what a node lacks to elect and to sign; empty when it is up.
func lacks(s node.Status, err error, n registry.NodeRecord, genesis string) paspoort.Text {
	votes := slices.ContainsFunc(s.Peers, func(p node.Peer) bool { return p.ID == n.ID && p.Member == "voter" })
	say := func(nl, en string) paspoort.Text { return words(fmt.Sprintf(nl, n.ID), fmt.Sprintf(en, n.ID)) }
	switch {
	case err != nil:
		return say("%s antwoordt niet", "%s does not answer")
	case s.Node != n.ID || s.Region != genesis:
		return say("op het adres van %s antwoordt iets anders", "something else answers at the address of %s")
	case s.Leader == "":
		return say("%s hoort niemand die leidt", "%s hears nobody that leads")
	case !votes:
		return say("%s heeft geen stem", "%s has no vote")
	case !s.Signs:
		return say("%s ondertekent niet", "%s does not sign")
	}
	return paspoort.Text{}
}

// beforeItGoes tells what is to be done on the machine of the node that leaves.
func (v *voice) beforeItGoes(nodes []registry.NodeRecord, gone string) {
	if v.f.json {
		return
	}
	p := v.f.printer(v.cmd.ErrOrStderr())
	p.line("Leidt %s, typ dan op die computer voordat het besluit valt: paspoort node transfer-leadership", "If %s leads, type this on its machine before the decision falls: paspoort node transfer-leadership", gone)
	p.line("Laat %s daarna draaien tot zijn eigen status \"left\" zegt en de anderen verder hebben getekend dan zijn vertrek.", "Then leave %s running until its own status says \"left\" and the others have signed beyond its leaving.", gone)
	if here := slices.DeleteFunc(slices.Clone(nodes), func(n registry.NodeRecord) bool { return n.Removed != 0 }); len(here) == 2 {
		p.line("Er zijn twee knooppunten: zolang %s \"leaving\" zegt, geldt zonder zijn handtekening niets wat na het vertrek komt.", "There are two nodes: as long as %s says \"leaving\", nothing that comes after counts without its signature.", gone)
	}
}
