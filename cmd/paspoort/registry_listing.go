package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// What the commands for function profiles and for modules have in common.

// listing tells the two apart.
type listing[T registry.Document] struct {
	name                     string // of the command
	nl, en                   string // of one
	publish, change, closing registry.Kind
	newID                    func(io.Reader) (string, error)
	schema                   func() []byte
	example                  []byte
	page                     func(registry.Client, context.Context, registry.ListingQuery, registry.When) (registry.ListingPage[T], error)
	one                      func(registry.Client, context.Context, string) (shownListing[T], error)
	title                    func(T) registry.Text
	line                     func(*registryPrinter, T) // in a list
	tell                     func(*registryPrinter, T) // in full
}

// shownListing is one with its steps.
type shownListing[T registry.Document] struct {
	view   registry.ListingView[T]
	steps  []registry.ListingStep
	answer any // as the node gave it
}

func (l listing[T]) command(f *registryFlags, short, long string) *cobra.Command {
	cmd := &cobra.Command{
		Use: l.name, Short: short, Long: long, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(l.checkCommand(f), l.publishCommand(f), l.changeCommand(f), l.closeCommand(f), l.listCommand(f), l.showCommand(f))
	f.speaks(cmd.Commands()...)
	cmd.AddCommand(l.schemaCommand(), l.exampleCommand())
	return cmd
}

// document reads a file, or standard input for "-".
func (l listing[T]) document(cmd *cobra.Command, path string) (doc T, err error) {
	raw, err := readFileOrStdin(cmd, path)
	if err != nil {
		return doc, err
	}
	if doc, err = registry.ParseDocument[T](raw); err != nil {
		return doc, l.wrongFile(path, raw, err)
	}
	return doc, nil
}

// wrongFile says where in a file something is wrong.
func (l listing[T]) wrongFile(path string, raw []byte, err error) error {
	detail := withoutCode(err)
	said := words(detail, detail)
	if found, ok := misfit[T](raw, l.schema()); ok {
		said = found
	}
	next := "paspoort registry " + l.name + " schema"
	example := "paspoort registry " + l.name + " example"
	// Not the refusal itself: that has words of its own.
	return withWords(errors.New(detail), "bad_"+l.name, words("In "+path+" klopt iets niet: "+said.NL+".", "Something is wrong in "+path+": "+said.EN+"."),
		words("Wat er kan staan zegt: "+next+". Een voorbeeld: "+example, "What can stand there is told by: "+next+". An example: "+example))
}

// withWords is an error told in words of its own.
func withWords(err error, code string, text, next paspoort.Text) error {
	return &fault{code: code, text: typedText(text), next: typedText(next), cause: err}
}

func (l listing[T]) checkCommand(f *registryFlags) *cobra.Command {
	return &cobra.Command{
		Use: "check FILE", Short: "Say whether a file can be published, without a node or a key", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := l.document(cmd, args[0])
			if err != nil {
				return inLanguage(err, f.lang)
			}
			return f.say(cmd, map[string]any{"ok": true, "document": doc}, func(p *registryPrinter) {
				p.line("Dit bestand is in orde: %s", "This file is in order: %s", p.text(l.title(doc)))
			})
		},
	}
}

func (l listing[T]) publishCommand(f *registryFlags) *cobra.Command {
	var yes bool
	var id string
	cmd := &cobra.Command{
		Use: "publish FILE", Short: "Publish a " + l.en + " of your organisation", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if id == "" {
				if id, err = l.newID(rand.Reader); err != nil {
					return err
				}
			}
			return l.bring(cmd, f, l.publish, id, args[0], yes)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "sign without asking")
	cmd.Flags().StringVar(&id, "id", "", "publish under this id, to repeat what was broken off; a new one when absent")
	return cmd
}

func (l listing[T]) changeCommand(f *registryFlags) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "change ID FILE", Short: "Publish a new version of a " + l.en, Args: exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.bring(cmd, f, l.change, args[0], args[1], yes)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "sign without asking")
	return cmd
}

// publishedAnswer is what publishing and changing answer as JSON.
type publishedAnswer struct {
	ID string `json:"id"`
	registry.Outcome
}

// bring signs a document and brings it into the log.
func (l listing[T]) bring(cmd *cobra.Command, f *registryFlags, kind registry.Kind, id, path string, yes bool) error {
	doc, err := l.document(cmd, path)
	if err != nil {
		return inLanguage(err, f.lang)
	}
	v, err := f.owner(cmd)
	if err != nil {
		return err
	}
	if !yes {
		p := f.printer(cmd.ErrOrStderr())
		l.tell(p, doc)
		p.line("\nWat u publiceert kan iedereen lezen, en blijft in het register staan.", "\nEverybody can read what you publish, and it stays in the registry.")
		if err := errors.Join(p.err, v.confirm(false)); err != nil {
			return err
		}
	}
	out, err := v.submit(govern.Act{Kind: kind, Body: &registry.Publication[T]{Document: doc, ID: id, Organisation: v.organisation()}})
	if err != nil {
		return err
	}
	return f.say(cmd, publishedAnswer{id, out}, func(p *registryPrinter) {
		p.line("Gepubliceerd: %s", "Published: %s", p.text(l.title(doc)))
		p.fact("nummer", "id", id)
		p.line("  veranderen: paspoort registry %s change %s FILE", "  to change: paspoort registry %s change %s FILE", l.name, id)
		p.line("  sluiten:    paspoort registry %s close %s --reason \"...\"", "  to close:  paspoort registry %s close %s --reason \"...\"", l.name, id)
	})
}

// owner can sign for an organisation.
func (f *registryFlags) owner(cmd *cobra.Command) (*voice, error) {
	v, err := f.speaker(cmd)
	if err == nil && v.organisation() == "" {
		return nil, inLanguage(withWords(errors.New("a member publishes nothing"), "owner_only",
			words("Alleen een organisatie publiceert, voor zichzelf.", "Only an organisation publishes, for itself."),
			words("Teken als organisatie: --as organisation/ID --key BESTAND", "Sign as an organisation: --as organisation/ID --key FILE")), f.lang)
	}
	return v, err
}

// inLanguage has a fault told in the language of the reader.
func inLanguage(err error, lang string) error {
	if f, ok := errors.AsType[*fault](err); ok {
		f.lang = lang
	}
	return err
}

func (l listing[T]) closeCommand(f *registryFlags) *cobra.Command {
	var yes bool
	var reason registry.Text
	cmd := &cobra.Command{
		Use: "close ID", Short: "Take a " + l.en + " from the lists for good", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason.NL == "" {
				return errNeedReason
			}
			v, err := f.owner(cmd)
			if err != nil {
				return err
			}
			act := govern.Act{Kind: l.closing, Body: &registry.Closing{ID: args[0], Organisation: v.organisation(), Reason: reason}}
			if err := v.agreesTo(act, yes); err != nil {
				return err
			}
			out, err := v.submit(act)
			if err != nil {
				return err
			}
			return f.say(cmd, publishedAnswer{args[0], out}, func(p *registryPrinter) {
				p.line("Gesloten. Er staat bij waarom.", "Closed. It says why.")
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "sign without asking")
	cmd.Flags().StringVar(&reason.NL, "reason", "", "why, in Dutch; everybody can read it")
	cmd.Flags().StringVar(&reason.EN, "reason-en", "", "why, in English")
	return cmd
}

func (l listing[T]) listCommand(f *registryFlags) *cobra.Command {
	var q registry.ListingQuery
	cmd := &cobra.Command{
		Use: "list [WORD...]", Short: "List what is open, or look for words", Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			q.Text, q.Limit = strings.Join(args, " "), 200
			all := []registry.ListingView[T]{} // as JSON a list, also when nothing is found
			when := registry.When{}
			for {
				page, err := look(cmd.Context(), v, func(c registry.Client) (registry.ListingPage[T], error) {
					return l.page(c, cmd.Context(), q, when)
				})
				if err != nil {
					return err
				}
				all = append(all, page.Items...)
				if page.Next == "" || len(page.Items) == 0 {
					break
				}
				q.After, when.At, when.AsOf = page.Next, page.At, page.AsOf
			}
			return f.say(cmd, map[string]any{"items": all}, func(p *registryPrinter) { l.print(p, all) })
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&q.Skills, "skill", nil, "URI of a skill; may be repeated, all are needed")
	flags.StringVar(&q.Place, "place", "", "beginning of a place or postcode, or the code of a labour market region")
	flags.StringVar(&q.Sector, "sector", "", "sector, such as zorg")
	flags.StringVar(&q.Owner, "owner", "", "id of the organisation that published it")
	flags.BoolVar(&q.Closed, "closed", false, "also what is closed or over")
	return cmd
}

func (l listing[T]) print(p *registryPrinter, all []registry.ListingView[T]) {
	if len(all) == 0 {
		p.line("Niets gevonden.", "Nothing found.")
	}
	for _, v := range all {
		state := ""
		if v.State != registry.ListingOpen {
			state = " (" + p.state(v.State) + ")"
		}
		p.line("%s%s", "%s%s", p.s.bold(p.text(l.title(v.Document))), state)
		p.line("  %s", "  %s", v.OwnerName)
		l.line(p, v.Document)
		p.line("  %s", "  %s", p.s.dim(v.ID))
	}
}

func (l listing[T]) showCommand(f *registryFlags) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one " + l.en, Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			shown, err := look(cmd.Context(), v, func(c registry.Client) (shownListing[T], error) { return l.one(c, cmd.Context(), args[0]) })
			if errors.Is(err, registry.ErrNotFound) {
				return fmt.Errorf("%w: %w", errNoSuch, err)
			}
			if err != nil {
				return err
			}
			return f.say(cmd, shown.answer, func(p *registryPrinter) {
				l.tell(p, shown.view.Document)
				p.fact("van", "of", shown.view.OwnerName)
				p.fact("staat", "state", p.state(shown.view.State))
				p.fact("waarom", "why", p.text(shown.view.Reason))
				for _, step := range shown.steps {
					what := words("gepubliceerd", "published")
					switch step.Kind {
					case l.change:
						what = words("gewijzigd", "changed")
					case l.closing:
						what = words("gesloten", "closed")
					}
					p.fact("versie "+fmt.Sprint(step.Version), "version "+fmt.Sprint(step.Version), day(step.At)+"  "+what.In(p.lang))
				}
			})
		},
	}
}

func (l listing[T]) exampleCommand() *cobra.Command {
	return &cobra.Command{
		Use: "example", Short: "Print an example of a " + l.en + ", to change into your own", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(l.example)
			return err
		},
	}
}

func (l listing[T]) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of the file", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(l.schema())
			return err
		},
	}
}

// text is a text in the language of the reader, in Dutch when nobody wrote it.
func (p *registryPrinter) text(t registry.Text) string {
	if p.lang == "en" && t.EN != "" {
		return t.EN
	}
	return t.NL
}

var listingStates = map[registry.ListingState]paspoort.Text{
	registry.ListingOpen:     words("open", "open"),
	registry.ListingClosed:   words("gesloten", "closed"),
	registry.ListingEnded:    words("voorbij", "over"),
	registry.ListingUnlisted: words("niet getoond: de organisatie is nu niet toegelaten", "not shown: the organisation is not admitted now"),
}

func (p *registryPrinter) state(s registry.ListingState) string { return listingStates[s].In(p.lang) }

// need is a skill with the proof that is enough.
func (p *registryPrinter) need(n registry.SkillNeed) string {
	enough := words("genoeg: ", "enough: ").In(p.lang) + paspoort.LevelText(n.ProofLevel).In(p.lang)
	return p.skill(n.SkillRef) + " (" + enough + ")"
}

func (p *registryPrinter) skill(s registry.SkillRef) string {
	if s.Level != "" {
		return p.text(s.Label) + ", " + s.Level
	}
	return p.text(s.Label)
}

func (p *registryPrinter) places(list []registry.Place) string {
	names := make([]string, len(list))
	for i, place := range list {
		names[i] = place.Name
	}
	return strings.Join(names, ", ")
}

// choices are words of a fixed list, as people say them.
func (p *registryPrinter) choices(texts map[string]paspoort.Text, list []string) string {
	said := make([]string, len(list))
	for i, w := range list {
		said[i] = texts[w].In(p.lang)
	}
	return strings.Join(said, ", ")
}

func (p *registryPrinter) notes(list []registry.Note) {
	for _, n := range list {
		p.fact(n.Title.NL, cmp.Or(n.Title.EN, n.Title.NL), p.text(n.Text))
	}
}

// euros is an amount of cents.
func (p *registryPrinter) euros(cents int) string {
	return fmt.Sprintf("€ %d%s%02d", cents/100, words(",", ".").In(p.lang), cents%100)
}

var everyTexts = map[string]paspoort.Text{
	"any_time": words("op elk moment", "at any time"), "week": words("elke week", "every week"), "month": words("elke maand", "every month"),
	"quarter": words("elk kwartaal", "every quarter"), "half_year": words("elk half jaar", "every half year"), "year": words("elk jaar", "every year"),
}

func (p *registryPrinter) starts(s registry.Starts) string {
	parts := s.Dates
	if s.Every != "" {
		parts = append([]string{everyTexts[s.Every].In(p.lang)}, parts...)
	}
	return strings.Join(parts, ", ")
}
