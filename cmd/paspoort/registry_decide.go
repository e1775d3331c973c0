package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
)

// newRegistryVoteCommand is approve, or refuse.
func newRegistryVoteCommand(f *registryFlags, approve bool) *cobra.Command {
	var reason string
	var yes bool
	var s staying
	cmd := &cobra.Command{
		Use:   "refuse ID",
		Short: "Refuse a proposal, with the reason",
		Long: `Refuse a proposal, with the reason. Both become public. ID is the number of the
proposal, or its beginning, as "paspoort registry status" shows it.`,
		Args: exactArgs(1),
	}
	if approve {
		cmd.Use, cmd.Short = "approve ID", "Approve a proposal"
		cmd.Long = `Approve a proposal. When enough members of enough groups did, it takes effect. ID is
the number of the proposal, or its beginning, as "paspoort registry status" shows it.

What is shown is what you sign for: its number is the hash of it.`
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !approve && reason == "" {
			return errNeedReason
		}
		return f.vote(cmd, args[0], approve, reason, yes, s)
	}
	if approve {
		s.flags(cmd)
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; it becomes public")
	cmd.Flags().BoolVar(&yes, "yes", false, "sign without asking")
	return cmd
}

func (f *registryFlags) vote(cmd *cobra.Command, id string, approve bool, reason string, yes bool, s staying) error {
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	if !v.member() {
		return errMembersOnly
	}
	proposal, err := v.shown(id, yes)
	if err != nil {
		return err
	}
	if approve && proposal.Kind == registry.KindNodeRemoved {
		if err := s.ofProposal(v, proposal); err != nil {
			return err
		}
	}
	if err := v.confirm(yes); err != nil {
		return err
	}
	var out registry.Outcome
	err = v.signs(func(p registry.Party) error {
		cast := v.Refuse
		if approve {
			cast = v.Approve
		}
		out, err = cast(cmd.Context(), proposal.ID, reason, p)
		return err
	})
	if err != nil {
		return err
	}
	if !approve {
		return v.afterRefusal(out, proposal.ID)
	}
	return v.after(out, proposal.ID)
}

// shown is the proposal that a person means by its id or the beginning of it. What is to be
// decided on is on the screen first.
func (v *voice) shown(beginning string, yes bool) (registry.Progress, error) {
	id, err := v.proposalID(v.cmd.Context(), beginning)
	if err != nil {
		return registry.Progress{}, err
	}
	proposal, err := v.Progress(v.cmd.Context(), id)
	if err != nil {
		return proposal, unknown(err, id)
	}
	if !v.shows(yes) {
		return proposal, nil
	}
	p := v.f.printer(v.cmd.ErrOrStderr())
	p.progress(proposal)
	return proposal, p.err
}

// after tells what became of a decision: whether more members are needed.
func (v *voice) after(out registry.Outcome, proposal string) error {
	progress, err := v.Progress(v.cmd.Context(), proposal)
	if err != nil {
		return err
	}
	return v.stands(out, progress)
}

func (v *voice) stands(out registry.Outcome, progress registry.Progress) error {
	return v.f.say(v.cmd, map[string]any{"outcome": out, "proposal": progress}, func(p *registryPrinter) {
		p.line("%s Getekend. Het staat in het register.", "%s Signed. It is in the registry.", p.s.good("✓"))
		p.standing(progress)
		if progress.Status == registry.Pending && out.Event == progress.ID { // proposed now
			p.approves(progress.ID)
		}
	})
}

// afterRefusal tells that it was one: what is still needed for approval is also said of a proposal
// that somebody refused.
func (v *voice) afterRefusal(out registry.Outcome, proposal string) error {
	progress, err := v.Progress(v.cmd.Context(), proposal)
	if err != nil {
		return err
	}
	return v.f.say(v.cmd, map[string]any{"outcome": out, "proposal": progress}, func(p *registryPrinter) {
		p.line("%s Getekend: u hebt dit afgewezen. Het staat in het register.", "%s Signed: you refused this. It is in the registry.", p.s.good("✓"))
		if progress.Status == registry.Pending {
			p.line("Zolang het voorstel open is, kunnen anderen het nog goedkeuren.", "While the proposal is open, others can still approve it.")
		}
		p.standing(progress)
	})
}

// approves tells how other members approve what was proposed.
func (p *registryPrinter) approves(id string) {
	p.line("Voorgesteld. Een lid van een andere groep keurt het goed met:\n  %s approve %s", "Proposed. A member of another group approves it with:\n  %s approve %s", p.command, id)
}

// proposalID is the id that a person means by its beginning.
func (v *voice) proposalID(ctx context.Context, beginning string) (string, error) {
	beginning = strings.ToLower(strings.TrimSpace(beginning))
	if len(beginning) == 64 {
		return beginning, nil
	}
	if len(beginning) < 6 {
		return "", fmt.Errorf("%w: %q is too short, six characters at least", errNoSuch, beginning)
	}
	list, err := look(ctx, v, func(c registry.Client) (registry.ProposalsAnswer, error) { return c.Proposals(ctx, freshly) })
	if err != nil {
		return "", err
	}
	found := ""
	for _, p := range list.Proposals {
		if !strings.HasPrefix(p.ID, beginning) {
			continue
		}
		if found != "" {
			return "", fmt.Errorf("%w: %s begins several proposals", errNoSuch, beginning)
		}
		found = p.ID
	}
	if found == "" {
		return "", fmt.Errorf("%w: %s", errNoSuch, beginning)
	}
	return found, nil
}

// measureFlags are what a measure says.
type measureFlags struct {
	role, reason, since string
	fraud, yes          bool
	within              int
}

// newRegistryMeasureCommand is suspend, reinstate or withdraw.
func newRegistryMeasureCommand(f *registryFlags, kind registry.Kind) *cobra.Command {
	m := &measureFlags{}
	cmd := &cobra.Command{
		Use:   "suspend ORGANISATION",
		Short: "Suspend an admission: it does not count until it is reinstated",
		Args:  exactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return f.measure(cmd, kind, m, args[0]) },
	}
	switch kind {
	case registry.KindReinstated:
		cmd.Use, cmd.Short = "reinstate ORGANISATION", "End a suspension"
	case registry.KindWithdrawn:
		cmd.Use, cmd.Short = "withdraw ORGANISATION", "Withdraw an admission for good, or give up your own"
		cmd.Long = `Withdraw an admission for good, or give up your own. What was signed before stays
valid, except with --fraud: then nothing counts that was signed from --since on, whatever
date it bears. Members of two groups are needed; an organisation gives up its own alone.`
		cmd.Flags().BoolVar(&m.fraud, "fraud", false, "for fraud: what was signed from --since on is void")
		cmd.Flags().StringVar(&m.since, "since", "", "day from which it has effect, also in the past; without it from when it is decided")
	}
	cmd.Flags().StringVar(&m.role, "role", "", "role: issuer, verifier, wallet-host or status-signer; when there is one only it may be left out")
	cmd.Flags().StringVar(&m.reason, "reason", "", "why; it becomes public")
	cmd.Flags().IntVar(&m.within, "decide-within", 30, "for how many days other members can decide")
	cmd.Flags().BoolVar(&m.yes, "yes", false, "sign without asking")
	return cmd
}

func (f *registryFlags) measure(cmd *cobra.Command, kind registry.Kind, m *measureFlags, name string) error {
	if m.reason == "" {
		return errNeedReason
	}
	since, err := parseDay(m.since)
	if err != nil {
		return err
	}
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	if since > v.Clock().Unix() {
		return onlyPast()
	}
	org, err := v.find(cmd.Context(), name)
	if err != nil {
		return err
	}
	role := registry.Role(m.role)
	if role == "" {
		if len(org.Roles) != 1 {
			return needs("role")
		}
		role = org.Roles[0].Role
	}
	body := &registry.Measure{Organisation: org.ID, Role: role, Reason: m.reason, Fraud: m.fraud, EffectiveFrom: since}
	if v.shows(m.yes) {
		p := f.printer(cmd.ErrOrStderr())
		p.line("%s, volgens het knooppunt:", "%s, as the node says:", oneLine(cmp.Or(org.Name, org.ID)))
	}
	act := govern.Act{Kind: kind, Body: body, Lifetime: time.Duration(m.within) * 24 * time.Hour}
	if err := v.agreesTo(act, m.yes); err != nil {
		return err
	}
	return v.propose(act)
}

// propose signs an act and tells whether it took effect or waits for others.
func (v *voice) propose(act govern.Act) error {
	out, err := v.submit(act)
	if err != nil {
		return err
	}
	return v.proposed(out)
}

func (v *voice) proposed(out registry.Outcome) error {
	progress, err := v.Progress(v.cmd.Context(), out.Event)
	switch {
	case err == nil:
		return v.stands(out, progress)
	case !isUnknown(err): // what is no proposal has no progress
		return err
	}
	return v.f.say(v.cmd, map[string]any{"outcome": out}, func(p *registryPrinter) {
		p.line("%s Getekend. Het geldt vanaf nu.", "%s Signed. It holds from now on.", p.s.good("✓"))
	})
}
