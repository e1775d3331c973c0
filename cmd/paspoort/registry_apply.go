package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// applyFlags are what an application says, beside or instead of a file.
type applyFlags struct {
	role, name, registration string
	urls, dids               []string
	types, purposes, domains []string
	serves, members          []string
	days, within             int
	onePerson, yes, again    bool
	organisation             string
}

func newRegistryApplyCommand(f *registryFlags) *cobra.Command {
	a := &applyFlags{}
	cmd := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Apply for admission in a role, or for its renewal",
		Long: `Apply for admission in a role, or for its renewal. Members of at least two groups
decide. An organisation that is admitted applies again before its admission ends.

  paspoort registry apply --role issuer --name "Opleidingshuis De Vaart" \
    --url https://vaart.example --type Opleiding --domain zorg
  paspoort registry apply --role verifier --name "Zorggroep Linde" \
    --url https://linde.example --purpose werving

FILE holds the same as JSON, and what the proof levels 3 and 4 rest on:

  {"role": "issuer", "types": ["urn:paspoort:opleiding:1"], "levels": [{
    "level": 3, "basis": "audit van de examinering", "auditor": "Toetswacht",
    "domain": "zorg", "independence": "geen banden met de opleider",
    "on": 1767225600, "until": 1830297600, "types": ["urn:paspoort:opleiding:1"]}]}

A member applies for a one-person firm with --one-person: name and addresses are then
sealed beside the registry, where they can be erased.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.apply(cmd, a, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&a.role, "role", "", "issuer, verifier, wallet-host or status-signer")
	flags.StringVar(&a.name, "name", "", "name of the organisation")
	flags.StringVar(&a.registration, "registration", "", `number in a trade register, for example "KvK 90000001"`)
	flags.StringArrayVar(&a.urls, "url", nil, "https address of the organisation; may be repeated")
	flags.StringArrayVar(&a.dids, "did", nil, "did:web of the organisation; may be repeated")
	flags.StringArrayVar(&a.types, "type", nil, "of an issuer: type of credential, for example Opleiding; may be repeated")
	flags.StringArrayVar(&a.purposes, "purpose", nil, "of a verifier: what it asks for, for example werving; may be repeated")
	flags.StringArrayVar(&a.domains, "domain", nil, "what about, for example zorg; may be repeated")
	flags.StringArrayVar(&a.serves, "serves", nil, "of a status signer: id of an organisation that it signs for; may be repeated")
	flags.StringArrayVar(&a.members, "member", nil, "id of a member that is the organisation or controls it; may be repeated")
	flags.IntVar(&a.days, "days", 0, "for how many days; 0 is what the region gives")
	flags.IntVar(&a.within, "decide-within", 30, "for how many days members can decide")
	flags.BoolVar(&a.onePerson, "one-person", false, "for a one-person firm, signed by a member")
	flags.StringVar(&a.organisation, "organisation", "", "with --one-person: id of the firm, when it is known already")
	flags.BoolVar(&a.again, "again", false, "apply also when an application for this role waits already")
	flags.BoolVar(&a.yes, "yes", false, "sign without asking")
	return cmd
}

func (f *registryFlags) apply(cmd *cobra.Command, flags *applyFlags, args []string) error {
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	a, err := flags.application(cmd, args)
	if err != nil {
		return err
	}
	if a.Role == "" {
		return needs("role")
	}
	if err := checkApplication(a); err != nil {
		return err
	}
	if a.OnePerson && !v.member() {
		return errMembersOnly
	}
	act := govern.Act{Kind: registry.KindApplied, Body: a, Lifetime: time.Duration(flags.within) * 24 * time.Hour}
	if err := v.address(a, &act); err != nil {
		return err
	}
	answered := "" // the node that did: a link to one that is away helps nobody
	region, err := look(cmd.Context(), v, func(c registry.Client) (registry.RegionAnswer, error) {
		answered = c.URL
		return c.Region(cmd.Context(), freshly)
	})
	if err != nil {
		return err
	}
	if !flags.again {
		if err := v.waits(cmd.Context(), a); err != nil {
			return err
		}
	}
	if a.Criteria == "" {
		a.Criteria = region.Criteria
	}
	if v.shows(flags.yes) {
		f.printer(cmd.ErrOrStderr()).line("Aanvraag bij %s:", "Application to %s:", oneLine(region.Name))
	}
	if err := v.agreesTo(act, flags.yes); err != nil {
		return err
	}
	out, err := v.introduce(a, act)
	if err != nil {
		return err
	}
	answer := map[string]any{"organisation": a.Organisation, "outcome": out, "application": out.Event}
	return f.say(cmd, answer, func(p *registryPrinter) {
		p.line("%s De aanvraag staat in het register.", "%s The application is in the registry.", p.s.good("✓"))
		p.fact("Nummer", "Id", out.Event)
		p.fact("Organisatie", "Organisation", a.Organisation)
		p.line("\nVolg haar:\n  %s status %.12s", "\nFollow it:\n  %s status %.12s", p.command, out.Event)
		p.line("Of in een browser:\n  %s/applications/%s", "Or in a browser:\n  %s/applications/%s", answered, out.Event)
	})
}

// checkApplication says at once what the region would refuse later.
func checkApplication(a *registry.Application) error {
	roles := []registry.Role{registry.Issuer, registry.Verifier, registry.WalletHost, registry.StatusSigner}
	if !slices.Contains(roles, a.Role) {
		return exitError{exitUsage, fmt.Errorf("%w: %.40q", errNoRole, string(a.Role))}
	}
	if a.Role == registry.Issuer && len(a.Types) == 0 {
		return withWords(exitError{exitUsage, fmt.Errorf("%w: --type", errNoTypes)}, "flag_needed",
			words("Een uitgever zegt welke bewijzen hij uitgeeft.", "An issuer says which credentials it issues."),
			words("Noem met --type een of meer van: "+typeNames(), "Name with --type one or more of: "+typeNames()))
	}
	for _, alias := range a.Aliases {
		if alias.Type == registry.AliasURL && !strings.HasPrefix(alias.Value, "https://") {
			return exitError{exitUsage, fmt.Errorf("%w: %.80q", errPlainURL, alias.Value)}
		}
	}
	return nil
}

var errNoTypes = errors.New("no type of credential")

func noSuchType(name string, err error) error {
	name = shorten(oneLine(name))
	return withWords(exitError{exitUsage, err}, "no_such_type",
		words("Dit soort bewijs bestaat niet: "+name+".", "There is no such type of credential: "+name+"."),
		words("De soorten zijn: "+typeNames(), "The types are: "+typeNames()))
}

func typeNames() string {
	var names []string
	for _, t := range paspoort.Types() {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}

// waits fails with [errPending] when the organisation has an application for the same role that
// nobody decided on yet.
func (v *voice) waits(ctx context.Context, a *registry.Application) error {
	list, err := v.proposals(ctx, registry.ProposalFilter{Status: registry.Pending, Subject: registry.OrganisationParty(a.Organisation)})
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.Kind == registry.KindApplied && govern.RoleIn(p.Event) == a.Role && p.Status == registry.Pending {
			return fmt.Errorf("%w: %.12s, %s", errPending, p.ID, day(p.Opened))
		}
	}
	return nil
}

// application reads the file, and puts the flags in their places.
func (x *applyFlags) application(cmd *cobra.Command, args []string) (*registry.Application, error) {
	a := &registry.Application{}
	if len(args) == 1 {
		raw, err := readFileOrStdin(cmd, args[0])
		if err != nil {
			return nil, err
		}
		if err := ijson.UnmarshalClosed(raw, a); err != nil {
			return nil, fmt.Errorf("%w: %w", errBadBody, err)
		}
	}
	if x.role != "" {
		a.Role = registry.Role(x.role)
	}
	for given, field := range map[*string]*string{&x.name: &a.Name, &x.registration: &a.Registration} {
		if *given != "" {
			*field = *given
		}
	}
	for _, url := range x.urls {
		a.Aliases = append(a.Aliases, registry.Alias{Type: registry.AliasURL, Value: strings.TrimRight(url, "/")})
	}
	for _, did := range x.dids {
		a.Aliases = append(a.Aliases, registry.Alias{Type: registry.AliasDID, Value: did})
	}
	for _, name := range x.types {
		t, err := paspoort.ParseType(name)
		if err != nil {
			return nil, noSuchType(name, err)
		}
		a.Types = append(a.Types, t.VCT())
	}
	a.Purposes, a.Domains = append(a.Purposes, x.purposes...), append(a.Domains, x.domains...)
	a.Serves, a.Members = append(a.Serves, x.serves...), append(a.Members, x.members...)
	for _, list := range []*[]string{&a.Types, &a.Purposes, &a.Domains, &a.Serves, &a.Members} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if x.days > 0 {
		a.Days = x.days
	}
	a.OnePerson = a.OnePerson || x.onePerson
	if x.organisation != "" {
		a.Organisation = x.organisation
	}
	return a, nil
}

// address says whose application it is. Of a one-person firm what is personal moves from
// the body to sealed payloads; an organisation that was admitted before does not introduce
// itself again.
func (v *voice) address(a *registry.Application, act *govern.Act) error {
	if a.OnePerson {
		var err error
		if a.Organisation == "" {
			if a.Organisation, err = registry.NewOrganisationID(rand.Reader); err != nil {
				return err
			}
		}
		fields := map[string]string{"name": a.Name, "registration": a.Registration}
		for _, alias := range a.Aliases {
			fields[alias.Type] = alias.Value
		}
		a.Name, a.Registration, a.Aliases = "", "", nil
		act.Payloads, err = govern.Seal(rand.Reader, fields)
		return err
	}
	a.Organisation = v.organisation()
	if a.Organisation == "" {
		return fmt.Errorf("%w: an organisation applies for itself, a member with --one-person", errNeedFlag)
	}
	return nil
}

// introduce signs the application, with the organisation's key in it when the region does
// not know that yet.
func (v *voice) introduce(a *registry.Application, act govern.Act) (out registry.Outcome, err error) {
	if a.OnePerson {
		return v.submit(act)
	}
	_, ever, err := v.Admitted(v.cmd.Context(), a.Organisation, a.Role)
	if err != nil {
		return out, err
	}
	err = v.signs(func(p registry.Party) error {
		if ever {
			a.Name, a.Registration, a.Aliases, a.Key = "", "", nil, ""
		} else if a.Key, err = registry.NewPublicKey(p.Key.Public()); err != nil {
			return err
		}
		out, err = v.Submit(v.cmd.Context(), act, p)
		return err
	})
	return out, err
}
