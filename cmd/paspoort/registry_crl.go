package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
)

// errCRLRefused: a node did not take a revocation list.
var errCRLRefused = errors.New("the node does not take this revocation list")

func newCertificateCRLCommand(f *registryFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "crl",
		Short: "Tell the world outside which certificates no longer count",
		Long: `Tell the world outside which certificates no longer count. Who reads the registry needs
no list; others look for one (RFC 5280). The member that keeps the authority makes it after
each revocation, and again before the last one ends:

  paspoort registry certificate crl make --ca-cert ca.pem --ca-key ca.key
  paspoort registry certificate crl send region.crl`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCRLMakeCommand(f), newCRLSendCommand(f), newCRLShowCommand(f))
	f.speaks(cmd.Commands()...)
	return cmd
}

// crlFlags are where the authority is and what comes out.
type crlFlags struct {
	cert, key, out string
	days           int
	yes            bool
}

func newCRLMakeCommand(f *registryFlags) *cobra.Command {
	c := &crlFlags{}
	cmd := &cobra.Command{
		Use:   "make",
		Short: "Make the revocation list of the authority that you keep",
		Long: `Make the revocation list of the authority that you keep. What stands in it comes from a
copy of the log that is checked here, not from the word of one node. The key of the
authority may be on a token (pkcs11:). The file holds no secret: send it from any machine.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.makeCRL(cmd, c) },
	}
	cmd.Flags().StringVar(&c.cert, "ca-cert", "ca.pem", "certificate of the region's authority")
	cmd.Flags().StringVar(&c.key, "ca-key", "ca.key", "key of the authority: file, or pkcs11: address")
	cmd.Flags().StringVar(&c.out, "out", "region.crl", "file for the list")
	cmd.Flags().IntVar(&c.days, "days", 30, "for how many days; make the next one before")
	cmd.Flags().BoolVar(&c.yes, "yes", false, "sign without asking")
	return cmd
}

func (f *registryFlags) makeCRL(cmd *cobra.Command, c *crlFlags) error {
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	if !v.member() {
		return errMembersOnly
	}
	root, _, err := v.authority(c.cert)
	if err != nil {
		return err
	}
	list, hidden, err := v.revoked(cmd.Context(), root)
	if err != nil {
		return err
	}
	if v.shows(c.yes) {
		p := f.printer(cmd.ErrOrStderr())
		p.line("Ingetrokken of opgeschort: %d", "Revoked or on hold: %d", len(list))
		for _, r := range list {
			why := oneLine(r.Reason)
			if r.Held {
				why = words("opgeschort: toelating geschorst of ingetrokken", "on hold: admission suspended or withdrawn").In(f.lang)
			}
			p.line("  %s  %s  %s", "  %s  %s  %s", day(r.Since.Unix()), r.Organisation, why)
		}
		if hidden > 0 {
			p.line("Van %d certificaten van eenmanszaken is hier niets bekend; die staan er niet in.", "Of %d certificates of one-person firms nothing is known here; they are not in it.", hidden)
		}
		if p.err != nil {
			return p.err
		}
	}
	if err := v.confirm(c.yes); err != nil {
		return err
	}
	key, err := keyfile.Open(c.key, func() (string, error) { return f.secret(cmd, c.key, false) })
	if err != nil {
		return fmt.Errorf("%w: %w", errKey, err)
	}
	defer key.Close()
	if registry.SPKIHash(key.Public()) != registry.SPKIHash(root.PublicKey) {
		return fmt.Errorf("%w: the key is not that of the certificate", errAuthority)
	}
	now := v.Clock().Truncate(time.Second)
	next := now.AddDate(0, 0, c.days)
	// The time is the number: it grows, whichever machine makes the next list.
	der, err := ca.NewCRL(root, key, now.Unix(), list, now, next)
	if err != nil {
		return err
	}
	if _, err := ca.ParseCRL(der); err != nil {
		return err
	}
	if err := keyfile.WriteAtomic(c.out, der, 0o644); err != nil {
		return err
	}
	return f.say(cmd, map[string]any{"crl": c.out, "revoked": len(list), "unknown": hidden, "next_update": next}, func(p *registryPrinter) {
		p.line("%s Gemaakt in %s; hij geldt tot %s", "%s Made in %s; it holds until %s", p.s.good("✓"), c.out, day(next.Unix()))
		p.line("Stuur hem naar de knooppunten:\n  paspoort registry certificate crl send %s", "Send it to the nodes:\n  paspoort registry certificate crl send %s", c.out)
	})
}

// revoked replays the log and lists what was revoked of an authority.
func (v *voice) revoked(ctx context.Context, root *x509.Certificate) (list []ca.Revoked, hidden int, err error) {
	var sources []evidence.Source
	for _, c := range v.Nodes {
		sources = append(sources, c)
	}
	follower, err := evidence.NewFollower(evidence.FollowerConfig{Genesis: v.Genesis, Sources: sources, Clock: v.Clock})
	if err != nil {
		return nil, 0, err
	}
	if err := follower.Refresh(ctx); err != nil {
		return nil, 0, err
	}
	return list, hidden, follower.Read(ctx, func(view registry.View, _ evidence.RegistryFacts) error {
		list, hidden = ca.RevokedIn(view, registry.Fingerprint(root.Raw), v.Clock())
		return nil
	})
}

func newCRLSendCommand(f *registryFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "send FILE",
		Short: "Give the nodes a revocation list",
		Long:  `Give the nodes a revocation list. Anybody may: its signature says whose it is, and the nodes take no list that tells anything else than the registry.`,
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			der, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			if _, err := ca.ParseCRL(der); err != nil {
				return err
			}
			var kept crlAnswer
			var refused error // another node would say the same
			err = v.Any(cmd.Context(), func(c registry.Client) error {
				err := crlCall(cmd.Context(), c, http.MethodPost, der, &kept)
				if errors.Is(err, errCRLRefused) {
					refused, err = err, nil
				}
				return err
			})
			if err = errors.Join(err, refused); err != nil {
				return err
			}
			return f.say(cmd, kept, func(p *registryPrinter) {
				p.line("%s De knooppunten hebben lijst %d; hij geldt tot %s", "%s The nodes have list %d; it holds until %s", p.s.good("✓"), kept.Number, day(kept.NextUpdate.Unix()))
			})
		},
	}
}

func newCRLShowCommand(f *registryFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "See whether the revocation lists are complete and in time",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			var got struct {
				Authorities []crlAnswer `json:"authorities"`
			}
			if err := v.Any(cmd.Context(), func(c registry.Client) error { return crlCall(cmd.Context(), c, http.MethodGet, nil, &got) }); err != nil {
				return err
			}
			return f.say(cmd, got.Authorities, func(p *registryPrinter) {
				for _, a := range got.Authorities {
					p.crl(a, v.Clock())
				}
				if len(got.Authorities) == 0 {
					p.line("Deze regio heeft geen hoofdcertificaat.", "This region has no authority.")
				}
			})
		},
	}
}

// crlAnswer is what a node says of an authority's list.
type crlAnswer struct {
	Anchor     string    `json:"anchor"`
	Subject    string    `json:"subject"`
	Revoked    int       `json:"revoked"`
	Missing    int       `json:"missing"`
	Number     int64     `json:"number,omitzero"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	Path       string    `json:"path,omitempty"`
}

func (p *registryPrinter) crl(a crlAnswer, now time.Time) {
	p.line("%s  %.16s", "%s  %.16s", p.s.bold(oneLine(a.Subject)), a.Anchor)
	switch {
	case a.Number == 0:
		p.line("  nog geen lijst; ingetrokken: %d", "  no list yet; revoked: %d", a.Revoked)
	case !now.Before(a.NextUpdate):
		p.line("  de lijst is verlopen op %s: maak een nieuwe", "  the list ended on %s: make a new one", day(a.NextUpdate.Unix()))
	case a.Missing > 0:
		p.line("  er ontbreken er %d van %d: maak een nieuwe", "  %d of %d are missing: make a new one", a.Missing, a.Revoked)
	default:
		p.line("  volledig, met %d; geldt tot %s", "  complete, with %d; holds until %s", a.Revoked, day(a.NextUpdate.Unix()))
	}
}

// crlCall asks a node about revocation lists, or sends it one.
func crlCall(ctx context.Context, c registry.Client, method string, der []byte, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.URL+"/v1/crl", bytes.NewReader(der))
	if err != nil {
		return err
	}
	if der != nil {
		r.Header.Set("Content-Type", "application/pkix-crl")
	}
	resp, err := c.HTTP.Do(r)
	if err != nil {
		return fmt.Errorf("%w: %w", govern.ErrNoNode, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var said struct {
			Description string `json:"error_description"`
		}
		if err := ijson.Unmarshal(raw, &said); err != nil || said.Description == "" {
			said.Description = resp.Status
		}
		if resp.StatusCode >= http.StatusInternalServerError {
			return fmt.Errorf("%w: %s", govern.ErrNoNode, said.Description)
		}
		return fmt.Errorf("%w: %s", errCRLRefused, said.Description)
	}
	return ijson.Unmarshal(raw, out)
}
