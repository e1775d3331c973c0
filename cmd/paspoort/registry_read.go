package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
)

func newRegistryStatusCommand(f *registryFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "status [ID]",
		Short: "See what waits for a decision, and where a proposal stands",
		Long: `See what waits for a decision: for a member what it can decide, for an organisation
its own applications and admissions. With the ID of a proposal, or its beginning: what is
missing, who decided what, until when, and whom to ask.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return f.showProposal(v, args[0])
			}
			return f.status(v)
		},
	}
}

func (f *registryFlags) showProposal(v *voice, id string) error {
	id, err := v.proposalID(v.cmd.Context(), id)
	if err != nil {
		return err
	}
	p, err := v.Progress(v.cmd.Context(), id)
	if err != nil {
		return unknown(err, id)
	}
	return f.say(v.cmd, p, func(out *registryPrinter) {
		out.progress(p)
		out.standing(p)
	})
}

// unknown says in the caller's words that a node knows nothing of an id.
func unknown(err error, id string) error {
	if isUnknown(err) {
		return fmt.Errorf("%w: %.64s", errNoSuch, id)
	}
	return err
}

func isUnknown(err error) bool {
	return errors.Is(err, registry.ErrUnknown) || errors.Is(err, registry.ErrNotFound)
}

// registryStatus is what status answers as JSON.
type registryStatus struct {
	Party        string                 `json:"party,omitempty"`
	Waiting      []registry.Progress    `json:"waiting"` // for this member, or of this organisation
	Others       []registry.Progress    `json:"others"`  // pending, and nothing to do about here
	Organisation *registry.Organisation `json:"organisation,omitempty"`
	Ending       registry.Ending        `json:"ending"`
}

func (f *registryFlags) status(v *voice) error {
	ctx := v.cmd.Context()
	s := registryStatus{Party: v.seat.Party, Waiting: []registry.Progress{}, Others: []registry.Progress{}}
	pending, err := v.proposals(ctx, registry.ProposalFilter{Status: registry.Pending})
	if err != nil {
		return err
	}
	for _, p := range pending {
		switch {
		case p.Event.Subject == v.seat.Party: // they come below, with what was decided
		case canDecide(p, v.seat.Party):
			s.Waiting = append(s.Waiting, p)
		default:
			s.Others = append(s.Others, p)
		}
	}
	if v.organisation() != "" {
		own, err := v.proposals(ctx, registry.ProposalFilter{Subject: v.seat.Party})
		if err != nil {
			return err
		}
		s.Waiting = append(s.Waiting, own...)
	}
	for _, l := range [][]registry.Progress{s.Waiting, s.Others} {
		slices.SortFunc(l, func(a, b registry.Progress) int { return cmp.Compare(a.Deadline, b.Deadline) })
	}
	if id := v.organisation(); id != "" {
		org, err := look(ctx, v, func(c registry.Client) (registry.OrganisationAnswer, error) { return c.Organisation(ctx, id, freshly) })
		if err == nil {
			s.Organisation = &org.Organisation
		} else if !isUnknown(err) {
			return err
		}
	}
	ending, err := look(ctx, v, func(c registry.Client) (registry.EndingAnswer, error) { return c.Ending(ctx, 0, freshly) })
	if err != nil {
		return err
	}
	s.Ending = ending.Ending
	return f.say(v.cmd, s, func(p *registryPrinter) { p.status(s, v) })
}

// proposals asks where some of the proposals stand.
func (v *voice) proposals(ctx context.Context, f registry.ProposalFilter) (out []registry.Progress, err error) {
	list, err := look(ctx, v, func(c registry.Client) (registry.ProposalsAnswer, error) { return c.ProposalsLike(ctx, f, freshly) })
	if err != nil {
		return nil, err
	}
	for _, p := range list.Proposals {
		progress, err := v.Progress(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, progress)
	}
	return out, nil
}

// canDecide says whether a party still has a say in a proposal.
func canDecide(p registry.Progress, party string) bool {
	return p.Status == registry.Pending && slices.ContainsFunc(p.Ask, func(a registry.Voter) bool {
		return registry.MemberParty(a.Member) == party && a.Vote == "" && a.Barred == ""
	})
}

func newRegistryListCommand(f *registryFlags) *cobra.Command {
	var role string
	cmd := &cobra.Command{
		Use:   "list [organisations|proposals|members|ending]",
		Short: "List the organisations of a region, or its proposals, members, or what ends soon",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			what := "organisations"
			if len(args) == 1 {
				what = args[0]
			}
			return f.list(v, what, registry.Role(role))
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "only organisations with a standing in this role")
	return cmd
}

func (f *registryFlags) list(v *voice, what string, role registry.Role) error {
	ctx := v.cmd.Context()
	switch what {
	case "organisations":
		list, err := look(ctx, v, func(c registry.Client) (registry.OrganisationsAnswer, error) {
			return c.Organisations(ctx, registry.When{})
		})
		if err != nil {
			return err
		}
		list.Organisations = slices.DeleteFunc(list.Organisations, func(o registry.Organisation) bool {
			return role != "" && !slices.ContainsFunc(o.Roles, func(r registry.RoleView) bool { return r.Role == role })
		})
		slices.SortFunc(list.Organisations, func(a, b registry.Organisation) int { return cmp.Compare(a.Name, b.Name) })
		return f.say(v.cmd, list, func(p *registryPrinter) { p.organisations(list.Organisations) })
	case "proposals":
		list, err := look(ctx, v, func(c registry.Client) (registry.ProposalsAnswer, error) { return c.Proposals(ctx, freshly) })
		if err != nil {
			return err
		}
		slices.SortFunc(list.Proposals, func(a, b registry.Proposal) int { return cmp.Compare(a.Opened, b.Opened) })
		return f.say(v.cmd, list, func(p *registryPrinter) { p.proposals(list.Proposals, v.Clock().Unix()) })
	case "members":
		region, err := look(ctx, v, func(c registry.Client) (registry.RegionAnswer, error) { return c.Region(ctx, registry.When{}) })
		if err != nil {
			return err
		}
		return f.say(v.cmd, region, func(p *registryPrinter) { p.members(region) })
	case "ending":
		ending, err := look(ctx, v, func(c registry.Client) (registry.EndingAnswer, error) { return c.Ending(ctx, 0, registry.When{}) })
		if err != nil {
			return err
		}
		return f.say(v.cmd, ending, func(p *registryPrinter) { p.ending(ending.Ending) })
	}
	return noArgs(v.cmd, []string{what})
}

func newRegistryShowCommand(f *registryFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show an organisation by id, name or address, or a proposal by its number",
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			if isNumber(args[0]) {
				return f.showProposal(v, args[0])
			}
			org, err := v.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			named, err := v.claimed(cmd.Context(), org)
			if err != nil {
				return err
			}
			return f.say(cmd, org, func(p *registryPrinter) { p.organisation(named) })
		},
	}
}

// isNumber says whether a text is an event's id or its beginning, and no name.
func isNumber(s string) bool {
	return len(s) >= 6 && len(s) <= 64 && strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

func newRegistryWhyCommand(f *registryFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "why ID",
		Short: "Say what became of an event, or why an organisation stands where it does",
		Long: `Say what became of an event and why: refused or in the log, which proposal it was part
of, and who decided what with which reason. With an organisation: every decision about it.`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			if !isNumber(args[0]) {
				return f.whyOrganisation(v, args[0])
			}
			return f.whyEvent(v, strings.ToLower(args[0]))
		},
	}
}

func (f *registryFlags) whyEvent(v *voice, id string) error {
	ctx := v.cmd.Context()
	if len(id) < 64 {
		var err error
		if id, err = v.proposalID(ctx, id); err != nil {
			return err
		}
	}
	answer, err := look(ctx, v, func(c registry.Client) (registry.EventAnswer, error) { return c.Event(ctx, id) })
	if err != nil {
		return unknown(err, id)
	}
	if answer.Why == nil || answer.Why.Proposal == nil { // the node that answered may be behind
		if p, err := v.Progress(ctx, id); err == nil {
			answer.Why = &registry.Why{Event: id, As: registry.AsProposal, LogTime: p.Opened, Proposal: &p}
		}
	}
	if answer.State == registry.OutcomeUnknown && answer.Why == nil {
		return fmt.Errorf("%w: %s", errNoSuch, id)
	}
	return f.say(v.cmd, answer, func(p *registryPrinter) { p.why(answer) })
}

// whyOrganisation lists every decision about an organisation.
func (f *registryFlags) whyOrganisation(v *voice, name string) error {
	ctx := v.cmd.Context()
	org, err := v.find(ctx, name)
	if err != nil {
		return err
	}
	about, err := v.proposals(ctx, registry.ProposalFilter{Subject: registry.OrganisationParty(org.ID)})
	if err != nil {
		return err
	}
	named, err := v.claimed(ctx, org)
	if err != nil {
		return err
	}
	slices.SortFunc(about, func(a, b registry.Progress) int { return cmp.Compare(a.Opened, b.Opened) })
	return f.say(v.cmd, map[string]any{"organisation": org, "proposals": about}, func(p *registryPrinter) {
		p.organisation(named)
		for _, progress := range about {
			p.line("", "")
			p.progress(progress)
			p.standing(progress)
		}
	})
}

// claimed fills in what an organisation that was never admitted says of itself. What is
// answered as JSON stays what the registry knows.
func (v *voice) claimed(ctx context.Context, org registry.Organisation) (registry.Organisation, error) {
	if org.Since != 0 {
		return org, nil
	}
	filter := registry.ProposalFilter{Subject: registry.OrganisationParty(org.ID), Kind: registry.KindApplied}
	list, err := look(ctx, v, func(c registry.Client) (registry.ProposalsAnswer, error) {
		return c.ProposalsLike(ctx, filter, freshly)
	})
	if err != nil {
		return org, err
	}
	org, _ = govern.Claimed(org, list.Proposals, v.Clock().Unix())
	return org, nil
}

// find is the organisation that a person means by its id, name or address.
func (v *voice) find(ctx context.Context, name string) (registry.Organisation, error) {
	if strings.HasPrefix(name, "org_") {
		org, err := look(ctx, v, func(c registry.Client) (registry.OrganisationAnswer, error) {
			return c.Organisation(ctx, name, freshly)
		})
		if isUnknown(err) {
			err = fmt.Errorf("%w: %s", errNoSuchOrg, name)
		}
		return org.Organisation, err
	}
	if strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "did:") {
		return v.findAddress(ctx, strings.TrimRight(name, "/"))
	}
	list, err := look(ctx, v, func(c registry.Client) (registry.OrganisationsAnswer, error) { return c.Organisations(ctx, freshly) })
	if err != nil {
		return registry.Organisation{}, err
	}
	var found []registry.Organisation
	for _, o := range list.Organisations {
		if strings.EqualFold(o.Name, name) {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return registry.Organisation{}, fmt.Errorf("%w: %.80s", errNoSuchOrg, name)
	case 1:
		return found[0], nil
	}
	return registry.Organisation{}, fmt.Errorf("%w: %s, %s", errManySuch, found[0].ID, found[1].ID)
}

// findAddress is the organisation that has an address now: of two that had it today, the one
// that took it over.
func (v *voice) findAddress(ctx context.Context, address string) (registry.Organisation, error) {
	q := registry.Question{Role: registry.Issuer, Lookup: registry.Lookup{URL: address}}
	if strings.HasPrefix(address, "did:") {
		q.Lookup = registry.Lookup{DID: address}
	}
	a, err := look(ctx, v, func(c registry.Client) (registry.AdmissionAnswer, error) { return c.Admission(ctx, q, freshly) })
	if err != nil {
		return registry.Organisation{}, err
	}
	if a.Organisation == nil {
		return registry.Organisation{}, fmt.Errorf("%w: %.80s", errNoSuchOrg, address)
	}
	return *a.Organisation, nil
}
