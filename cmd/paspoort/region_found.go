package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/founding"
	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/registry"
)

func newRegionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "region",
		Short: "Found a region, together with its other members",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRegionCardCommand(), newRegionFoundCommand(), newRegionSignCommand(), newRegionRulesCommand())
	return cmd
}

func newRegionCardCommand() *cobra.Command {
	var dir, group, id, name, contact, key, passphrase string
	var authority bool
	cmd := &cobra.Command{
		Use:   "card",
		Short: "Make the key and the card of a member that runs no node",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if id == "" || group == "" || name == "" {
				return exitError{exitUsage, errors.New("say --member, --group and --name")}
			}
			if contact != "" && !registry.IsContact(contact) {
				return exitError{exitUsage, badContact(contact)}
			}
			if err := checkGroup(group); err != nil {
				return exitError{exitUsage, err}
			}
			if !registry.IsID(id) {
				return exitError{exitUsage, badID("--member", id, "vakbond-het-anker")}
			}
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return err
			}
			f := nodeInit{member: id, group: group, name: name, contact: contact, memberKey: key, passphrase: passphrase, authority: authority}
			home := founding.Prepare(dir)
			if err := f.memberKeys(cmd, home); err != nil {
				home.Undo()
				return err
			}
			card, err := home.Card()
			if err != nil {
				home.Undo()
				return err
			}
			f.tell(cmd, home.Files, card)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "folder to make everything in")
	cmd.Flags().StringVar(&id, "member", "", "id of the member")
	cmd.Flags().StringVar(&group, "group", "", "group of the member: werkgevers, werknemers, opleiders or overheid")
	cmd.Flags().StringVar(&name, "name", "", "name of the member")
	cmd.Flags().StringVar(&contact, "contact", "", contactUsage)
	cmd.Flags().StringVar(&key, "member-key", "", "key that the member has already: a file, or a pkcs11: address")
	cmd.Flags().StringVar(&passphrase, "passphrase-file", os.Getenv("PASPOORT_KEY_PASSPHRASE_FILE"), "file with the passphrase of the member's key; without it you are asked")
	cmd.Flags().BoolVar(&authority, "ca", false, "make the region's certificate authority too, kept by this member")
	return cmd
}

func newRegionFoundCommand() *cobra.Command {
	var p founding.Plan
	var out, continues, lossesNL, lossesEN string
	var criteriaURL, criteriaNL, criteriaEN string
	cmd := &cobra.Command{
		Use:   "found CARD...",
		Short: "Make the draft of a region's founding, of the cards of its members",
		Long: `Make the draft of a region's founding, of the cards of its members. Check the
fingerprint of each card with its sender first. Every member then signs the draft
with "paspoort region sign"; with the last signature it is the founding event.`,
		Args: someArgs("the files with the cards"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if p.Continues, err = continuation(continues, lossesNL, lossesEN); err != nil {
				return err
			}
			p.Text = criteriaText(criteriaURL, criteriaNL, criteriaEN)
			return foundRegion(cmd, p, out, args)
		},
	}
	cmd.Flags().StringVar(&p.Name, "name", "", "name of the region, such as \"Regio Aakermonde\"")
	cmd.Flags().StringVar(&p.Origin, "origin", "", "name of its log, such as aakermonde.example/register")
	cmd.Flags().StringVar(&p.Entity, "entity", "", "https address under which the region speaks OpenID Federation, served by its nodes; none when absent")
	cmd.Flags().StringVar(&p.Criteria, "criteria", "criteria-1", "version of the criteria for admission")
	cmd.Flags().StringVar(&criteriaURL, "criteria-url", "", "https address where these criteria can be read")
	cmd.Flags().StringVar(&criteriaNL, "criteria-text", "", "the criteria in short, in Dutch")
	cmd.Flags().StringVar(&criteriaEN, "criteria-text-en", "", "the same in English")
	cmd.Flags().StringVar(&out, "out", "founding.draft.json", "file for the draft")
	cmd.Flags().StringVar(&continues, "continues", "", "GENESIS=SNAPSHOT: the region that this one goes on from, and the largest snapshot of it that anybody has")
	cmd.Flags().StringVar(&lossesNL, "losses-nl", "", "with --continues: what is known to be lost, in Dutch")
	cmd.Flags().StringVar(&lossesEN, "losses-en", "", "the same in English")
	return cmd
}

// criteriaText is where the criteria can be read; nil when nobody said so.
func criteriaText(url, nl, en string) *registry.CriteriaText {
	if url == "" && nl == "" && en == "" {
		return nil
	}
	t := &registry.CriteriaText{URL: url}
	if nl != "" || en != "" {
		t.Summary = &registry.Text{NL: nl, EN: en}
	}
	return t
}

// continuation reads where the region stopped that the new one goes on from; nil for none.
func continuation(from, nl, en string) (*registry.Continuation, error) {
	if from == "" {
		return nil, nil
	}
	genesis, file, ok := strings.Cut(from, "=")
	if !ok || nl == "" && en != "" {
		return nil, exitError{exitUsage, errors.New("--continues is GENESIS=SNAPSHOT, and what was lost is said in Dutch, and then in English if you like")}
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var losses *registry.Text
	if nl != "" {
		losses = &registry.Text{NL: nl, EN: en}
	}
	return founding.Continuation(genesis, f, losses)
}

func foundRegion(cmd *cobra.Command, p founding.Plan, out string, files []string) error {
	if p.Name == "" || p.Origin == "" {
		return exitError{exitUsage, errors.New("say --name and --origin of the region")}
	}
	var cards []founding.Card
	for _, file := range files {
		card, err := founding.ReadCardFile(file)
		if err != nil {
			return err
		}
		cards = append(cards, card)
		fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", card.Fingerprint(), file)
		if m := card.Facts.Member; m != nil {
			fmt.Fprintf(cmd.OutOrStdout(), "  %s, key of this member %s\n", oneLine(m.Name), m.Key.Thumbprint())
		}
	}
	charter, err := founding.Charter(p, nil, cards...)
	if err != nil {
		return err
	}
	draft, err := founding.NewDraft(charter, time.Now())
	if err != nil {
		return err
	}
	if err := writeDraft(out, draft); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Draft %s in %s\n", draft.Fingerprint(), out)
	fmt.Fprintln(cmd.OutOrStdout(), typed("Each member signs it within a week, and passes it on or sends its copy back:\n  paspoort region sign "+out+" --key member.key --card card.json"))
	return nil
}

func writeDraft(path string, d *founding.Draft) error {
	raw, err := d.Marshal()
	if err != nil {
		return err
	}
	return keyfile.WriteAtomic(path, raw, 0o644)
}

func newRegionSignCommand() *cobra.Command {
	var s signing
	cmd := &cobra.Command{
		Use:   "sign DRAFT...",
		Short: "Sign the founding of a region, as a member",
		Long: `Sign the founding of a region, as a member. The draft is shown before the key is
asked for. Given several copies of one draft, their signatures are put together; with
the signature of every member, the founding event is written beside the draft.

Whoever made the draft could have put a key of its own under the name of another
member. With --card the draft is held against cards that you have from the members
themselves; without it, have each member read "Key of this member" to you, as its "node init" or
"region card" printed it, and compare that with what is shown.`,
		Args: someArgs("the draft"),
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd, args) },
	}
	cmd.Flags().StringArrayVar(&s.cards, "card", nil, "card of a member, as you have it from that member; may be repeated")
	cmd.Flags().StringVar(&s.key, "key", "", "the member's key: a file, or a pkcs11: address; without it signatures are only put together")
	cmd.Flags().StringVar(&s.passphrase, "passphrase-file", os.Getenv("PASPOORT_KEY_PASSPHRASE_FILE"), "file with the passphrase of the key; without it you are asked")
	cmd.Flags().StringVar(&s.out, "out", "", "file for the founding event; without it founding.json beside the draft")
	cmd.Flags().BoolVar(&s.yes, "yes", false, "sign without asking")
	return cmd
}

// signing is how a member signs a draft.
type signing struct {
	cards                []string // files
	key, passphrase, out string
	yes                  bool
}

func (s signing) run(cmd *cobra.Command, files []string) error {
	draft, err := founding.ReadDraftFile(files[0])
	if err != nil {
		return err
	}
	for _, file := range files[1:] {
		other, err := founding.ReadDraftFile(file)
		if err == nil {
			err = draft.Merge(other)
		}
		if err != nil {
			return err
		}
	}
	showDraft(cmd, draft)
	for _, file := range s.cards {
		card, err := founding.ReadCardFile(file)
		if err == nil {
			err = draft.Holds(card)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "Card %s (%s) stands in the draft as it is.\n", card.Fingerprint(), file)
	}
	if s.key != "" {
		if err := signDraft(cmd, draft, s.key, s.passphrase, s.yes); err != nil {
			return err
		}
	}
	if err := writeDraft(files[0], draft); err != nil {
		return err
	}
	if missing := draft.Missing(); len(missing) > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "Still to sign: %s. Pass %s on.\n", strings.Join(missing, ", "), files[0])
		return nil
	}
	raw, err := draft.Founding()
	if err != nil {
		return err
	}
	out := cmp.Or(s.out, filepath.Join(filepath.Dir(files[0]), foundingFile))
	if err := keyfile.WriteAtomic(out, raw, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "All have signed: %s\nThe region's id, which everybody pins: %s\n", out, draft.Region())
	fmt.Fprintln(cmd.OutOrStdout(), typed("Give this file to every node, in the folder of its node.json, and start each within a week:\n  paspoort node serve --config node.json"))
	return nil
}

func signDraft(cmd *cobra.Command, draft *founding.Draft, key, passphrase string, yes bool) error {
	if err := sure(cmd, yes, "Is this what you agreed on? Sign it? (yes/no) ", "nothing was signed"); err != nil {
		return err
	}
	opened, err := openKey(cmd, key, passphrase)
	if err != nil {
		return err
	}
	defer opened.Close()
	member, err := draft.Sign(opened)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Signed by %s.\n", member)
	return nil
}

// showDraft tells what is about to be signed: all of it, each member with its key.
func showDraft(cmd *cobra.Command, d *founding.Draft) {
	out := cmd.ErrOrStderr()
	for _, f := range govern.Facts(d.Event) {
		fmt.Fprintf(out, "  %-32s %s\n", f.Label.In("en"), oneLine(f.In("en")))
	}
	fmt.Fprintf(out, "  %-32s %d\n", "Rules", d.Event.Rules)
	fmt.Fprintf(out, "Draft %s\n", d.Fingerprint())
}

// oneLine keeps a text that somebody else wrote on the line that it belongs to.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}
