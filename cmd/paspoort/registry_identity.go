package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/registry"
)

// rotateFlags say which key is replaced, and why.
type rotateFlags struct {
	fresh, member, reason, stolen string
	lost, yes                     bool
}

func newRegistryRotateCommand(f *registryFlags) *cobra.Command {
	r := &rotateFlags{}
	cmd := &cobra.Command{
		Use:   "rotate-key",
		Short: "Replace your key, or end one that was lost or stolen",
		Long: `Replace your key, or end one that was lost or stolen.

  paspoort registry rotate-key --new-key nieuw.key --reason "jaarlijks"
  paspoort registry rotate-key --stolen-since 2026-03-01 --reason "laptop gestolen"
  paspoort registry rotate-key --member vakbond-het-anker --lost --reason "sleutel kwijt"

A new key file that is not there is made, sealed with a passphrase; the old key and the
new one sign both, and the file of --config names the new one after. A member whose key was
stolen ends it alone; other members name its next one. An organisation whose key was stolen
brings a new key at once, and members approve.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.rotate(cmd, r) },
	}
	cmd.Flags().StringVar(&r.fresh, "new-key", "", "file of the new key, or pkcs11: address of one on a token")
	cmd.Flags().StringVar(&r.reason, "reason", "", "why; it becomes public")
	cmd.Flags().StringVar(&r.stolen, "stolen-since", "", "day or moment since which the key may be in other hands")
	cmd.Flags().StringVar(&r.member, "member", "", "id of another member whose key is lost or stolen")
	cmd.Flags().BoolVar(&r.lost, "lost", false, "with --member: its key is lost")
	cmd.Flags().BoolVar(&r.yes, "yes", false, "sign without asking")
	return cmd
}

func (f *registryFlags) rotate(cmd *cobra.Command, r *rotateFlags) error {
	if r.reason == "" {
		return errNeedReason
	}
	since, err := parseDay(r.stolen)
	if err != nil {
		return err
	}
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	id, isMember := strings.CutPrefix(v.seat.Party, registry.MemberParty(""))
	switch {
	case r.member != "" && !isMember:
		return errMembersOnly
	case r.member != "" && r.lost == (since != 0):
		return fmt.Errorf("%w: --lost, or --stolen-since", errNeedFlag)
	case r.member != "" || isMember && since != 0:
		kind := registry.KindKeyStolen
		if r.lost {
			kind = registry.KindKeyLost
		}
		body := &registry.MemberKey{Member: cmp.Or(r.member, id), Reason: r.reason, CompromisedSince: since}
		act := govern.Act{Kind: kind, Body: body, Lifetime: monthToDecide}
		if err := v.agreesTo(act, r.yes); err != nil {
			return err
		}
		return v.propose(act)
	case r.fresh == "":
		return needs("new-key")
	}
	return v.replaceKey(id, r, since)
}

// monthToDecide is how long members can decide about what has no flag for it.
const monthToDecide = 30 * 24 * time.Hour

// replaceKey signs with the old key and the new one. The new key is on disk before the
// region hears of it, and the seat names it only after: whatever breaks off in between, a
// key that the region knows is still there.
func (v *voice) replaceKey(member string, r *rotateFlags, since int64) error {
	made, err := v.f.makeKey(v.cmd, r.fresh)
	if err != nil {
		return err
	}
	fresh, err := keyfile.Open(r.fresh, func() (string, error) { return v.f.secret(v.cmd, r.fresh, false) })
	if err != nil {
		return fmt.Errorf("%w: %w", errKey, err)
	}
	defer fresh.Close() // after the signing nothing of it can fail that matters
	pub, err := registry.NewPublicKey(fresh.Public())
	if err != nil {
		return err
	}
	act := govern.Act{Kind: registry.KindKeyRotated, Body: &registry.MemberKey{Key: pub, Member: member, Reason: r.reason}}
	if org := v.organisation(); org != "" {
		act = govern.Act{Kind: registry.KindOrgKeys, Lifetime: monthToDecide,
			Body: &registry.OrganisationKey{Key: pub, Organisation: org, Reason: r.reason, CompromisedSince: since}}
	}
	if err := v.agreesTo(act, r.yes); err != nil {
		return err
	}
	var out registry.Outcome
	err = v.signs(func(old registry.Party) error {
		out, err = v.Submit(v.cmd.Context(), act, old, registry.Party{Name: old.Name, Key: fresh})
		return err
	})
	if err != nil {
		return err
	}
	// Until members approve, the old key is the one in force.
	if since == 0 {
		if err := v.nameKey(r.fresh); err != nil {
			return err
		}
	}
	if made && !v.f.json {
		v.f.printer(v.cmd.ErrOrStderr()).line("Nieuwe sleutel gemaakt: %s", "New key made: %s", r.fresh)
	}
	return v.proposed(out)
}

// nameKey puts the new key in the file of the seat, when there is one.
func (v *voice) nameKey(key string) error {
	var s conf.Seat
	if err := conf.Load(v.f.config, &s); err != nil || v.f.key != "" {
		return nil // the key came from a flag: that is where the new one is named next time
	}
	var err error
	if s.Key, err = absoluteKey(key); err != nil {
		return err
	}
	return conf.Write(v.f.config, s)
}

// aliasFlags say which addresses come and go.
type aliasFlags struct {
	add, end []string
	yes      bool
}

func newRegistryAliasCommand(f *registryFlags) *cobra.Command {
	a := &aliasFlags{}
	cmd := &cobra.Command{
		Use:   "alias [ORGANISATION]",
		Short: "Add addresses of an organisation, or end them",
		Long: `Add addresses of an organisation, or end them. An organisation does so for itself, a
member for the one it names; members approve. An address is a URL or a did:web.

  paspoort registry alias --add https://nieuw.example --end https://oud.example`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.alias(cmd, a, args) },
	}
	cmd.Flags().StringArrayVar(&a.add, "add", nil, "address that comes; may be repeated")
	cmd.Flags().StringArrayVar(&a.end, "end", nil, "address that goes; may be repeated")
	cmd.Flags().BoolVar(&a.yes, "yes", false, "sign without asking")
	return cmd
}

func (f *registryFlags) alias(cmd *cobra.Command, a *aliasFlags, args []string) error {
	if len(a.add)+len(a.end) == 0 {
		return needs("add")
	}
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	id := v.organisation()
	if len(args) == 1 {
		org, err := v.find(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		id = org.ID
	}
	if id == "" {
		return fmt.Errorf("%w: ORGANISATION", errNeedFlag)
	}
	act := govern.Act{Kind: registry.KindAliases, Lifetime: monthToDecide,
		Body: &registry.AliasChange{Organisation: id, Add: aliases(a.add), End: aliases(a.end)}}
	if err := v.agreesTo(act, a.yes); err != nil {
		return err
	}
	return v.propose(act)
}

func aliases(list []string) []registry.Alias {
	var out []registry.Alias
	for _, value := range list {
		kind := registry.AliasURL
		if strings.HasPrefix(value, "did:") {
			kind = registry.AliasDID
		}
		out = append(out, registry.Alias{Type: kind, Value: strings.TrimRight(value, "/")})
	}
	return out
}
