package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

func newRegistryHobbelCommand(f *registryFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hobbel",
		Short: "See where the hobbels stand, claim that one moved, or confirm it",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newHobbelListCommand(f), newHobbelClaimCommand(f), newHobbelConfirmCommand(f), newHobbelCatalogueCommand(f))
	f.speaks(cmd.Commands()...)
	return cmd
}

func newHobbelListCommand(f *registryFlags) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the hobbels of the region and where each stands", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			list, err := look(cmd.Context(), v, func(c registry.Client) (registry.HobbelsAnswer, error) {
				return c.Hobbels(cmd.Context(), registry.When{})
			})
			if err != nil {
				return err
			}
			return f.say(cmd, list, func(p *registryPrinter) { p.hobbels(list) })
		},
	}
}

func (p *registryPrinter) hobbels(list registry.HobbelsAnswer) {
	for _, h := range list.Hobbels {
		p.line("%-4s %-14s %s", "%-4s %-14s %s", h.ID, h.Status, p.text(h.Title))
		for _, s := range h.Scopes {
			p.line("       %-12s %s: %s", "       %-12s %s: %s", s.Status, s.Kind, s.Name)
		}
	}
	if len(list.Hobbels) == 0 {
		p.line("De regio heeft nog geen lijst van hobbels. Een lid stelt er een voor:\n  %s hobbel catalogue", "The region has no list of hobbels yet. A member proposes one:\n  %s hobbel catalogue", p.command)
	}
}

// claimFlags are what a claim says, beside or instead of a file.
type claimFlags struct {
	status, on, summary, english, sector, branche string
	title, place, url                             string
	participants, placed                          int
	within                                        int
	yes                                           bool
}

func newHobbelClaimCommand(f *registryFlags) *cobra.Command {
	c := &claimFlags{}
	cmd := &cobra.Command{
		Use:   "claim HOBBEL [FILE]",
		Short: "Claim that a hobbel moved a step, with the proeftuin that shows it",
		Long: `Claim that a hobbel moved a step, with the proeftuin that shows it. A second
organisation confirms it and members of two groups approve.

  paspoort registry hobbel claim H03 --status experiment --on 2026-03-01 --sector zorg \
    --summary "Budget gaat mee naar de nieuwe sector" \
    --title "Proeftuin Zij-instroom" --place Aakermonde --participants 12 --placed 9

FILE holds a whole claim as JSON, with up to 16 pieces of evidence.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.claim(cmd, c, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&c.status, "status", "", "experiment, doorbraak, teruggevallen or open")
	flags.StringVar(&c.on, "on", "", "day on which it moved; today when absent")
	flags.StringVar(&c.summary, "summary", "", "what happened, in Dutch")
	flags.StringVar(&c.english, "summary-en", "", "what happened, in English")
	flags.StringVar(&c.sector, "sector", "", "in this sector only")
	flags.StringVar(&c.branche, "branche", "", "in this branche only")
	flags.StringVar(&c.title, "title", "", "name of the proeftuin")
	flags.StringVar(&c.place, "place", "", "where it was")
	flags.StringVar(&c.url, "url", "", "where to read more")
	flags.IntVar(&c.participants, "participants", 0, "how many people took part")
	flags.IntVar(&c.placed, "placed", -1, "how many of them have the job")
	flags.IntVar(&c.within, "decide-within", 30, "for how many days members can decide")
	flags.BoolVar(&c.yes, "yes", false, "sign without asking")
	return cmd
}

func (f *registryFlags) claim(cmd *cobra.Command, c *claimFlags, args []string) error {
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	body := &registry.HobbelClaim{}
	if len(args) == 2 {
		raw, err := readFileOrStdin(cmd, args[1])
		if err != nil {
			return err
		}
		if err := ijson.UnmarshalClosed(raw, body); err != nil {
			return badBody(args[1], err)
		}
	}
	if err := c.fill(body, args[0], v.Clock()); err != nil {
		return err
	}
	if body.Catalogue == "" {
		list, err := look(cmd.Context(), v, func(c registry.Client) (registry.HobbelsAnswer, error) { return c.Hobbels(cmd.Context(), freshly) })
		if err != nil {
			return err
		}
		if body.Catalogue = list.Catalogue; body.Catalogue == "" {
			return errNoCatalogue
		}
	}
	act := govern.Act{Kind: registry.KindHobbel, Body: body, Lifetime: time.Duration(c.within) * 24 * time.Hour}
	if err := v.agreesTo(act, c.yes); err != nil {
		return err
	}
	return v.propose(act)
}

// fill puts the flags in their places.
func (c *claimFlags) fill(body *registry.HobbelClaim, hobbel string, now time.Time) error {
	body.Hobbel = strings.ToUpper(hobbel)
	if c.status != "" {
		body.Status = registry.HobbelStatus(c.status)
	}
	if body.Status == "" {
		return needs("status")
	}
	on, err := parseDay(c.on)
	if err != nil {
		return err
	}
	switch {
	case on != 0:
		body.On = on
	case body.On == 0:
		body.On = now.Unix()
	}
	if c.summary != "" {
		body.Summary = registry.Text{NL: c.summary, EN: c.english}
	}
	if body.Summary.NL == "" {
		return needs("summary")
	}
	if c.sector != "" {
		body.Scope = &registry.Scope{Kind: registry.ScopeSector, Name: c.sector}
	}
	if c.branche != "" {
		body.Scope = &registry.Scope{Kind: registry.ScopeBranche, Name: c.branche}
	}
	if c.title != "" || c.url != "" {
		e := registry.Evidence{Title: c.title, Place: c.place, URL: c.url, Participants: c.participants}
		if c.placed >= 0 {
			e.Placed = &c.placed
		}
		body.Evidence = append(body.Evidence, e)
	}
	if len(body.Evidence) == 0 {
		return needs("title")
	}
	return nil
}

func newHobbelCatalogueCommand(f *registryFlags) *cobra.Command {
	p := &proposeFlags{}
	cmd := &cobra.Command{
		Use:   "catalogue [FILE]",
		Short: "Propose the list of hobbels of the region, as a member",
		Long: `Propose the list of hobbels of the region, as a member. FILE is a list in JSON. Without
it the list that this program brings is proposed, ` + paspoort.ProvisionalHobbels + `: a provisional one, which the
region replaces with a later list whenever it likes. It is shown before it is signed.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return f.propose(cmd, p, registry.KindCatalogue, args[0])
			}
			raw, err := paspoort.HobbelCatalogue()
			if err != nil {
				return err
			}
			return f.proposeRaw(cmd, p, registry.KindCatalogue, paspoort.ProvisionalHobbels, raw)
		},
	}
	cmd.Flags().IntVar(&p.within, "decide-within", 30, "for how many days members can decide")
	cmd.Flags().BoolVar(&p.yes, "yes", false, "sign without asking")
	return cmd
}

func newHobbelConfirmCommand(f *registryFlags) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "confirm ID",
		Short: "Confirm a claim about a hobbel, as the second organisation",
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := f.speaker(cmd)
			if err != nil {
				return err
			}
			claim, err := v.shown(args[0], yes)
			if err != nil {
				return err
			}
			if err := v.confirm(yes); err != nil {
				return err
			}
			out, err := v.submit(govern.Act{Kind: registry.KindConfirmed, Body: &registry.Decision{Proposal: claim.ID, Voter: v.seat.Party}})
			if err != nil {
				return err
			}
			return v.after(out, claim.ID)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "sign without asking")
	return cmd
}
