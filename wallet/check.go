package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/sdjwtvc"
	"paspoort.example/paspoort/specs/vcdm"
)

// ErrRefused: what the issuer sent does not verify; nothing of it was stored.
var ErrRefused = errors.New("what the issuer sent is not in order, so nothing was stored")

// expectation is what a copy is held to.
type expectation struct {
	format        string
	configuration OfferedCredential
	issuer        string
	trust         Trust
	party         *Party // filled in with what the certificate says
}

// verifyCopy does what a holder must on receipt (RFC 9901 7.2; SD-JWT VC 2.4): it is
// an SD-JWT without key binding, the issuer's key is the issuer's, the signature
// holds, format and type are those asked, and it is bound to our own key.
func (w *Wallet) verifyCopy(ctx context.Context, c *copyOf, e expectation) error {
	t, err := sdjwt.ParseIssued(c.Text)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	key, err := sdjwtvc.IssuerKey(ctx, t, sdjwtvc.KeyOptions{Fetcher: w.evidence.Fetcher(), At: w.c.Clock()})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := t.VerifyIssuer(key.Public); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	claims, issuer, err := w.readFormat(ctx, t, e)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := w.boundTo(ctx, claims, c.Slot); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if issuer != "" && issuer != e.issuer {
		return fmt.Errorf("%w: signed in the name of another issuer", ErrRefused)
	}
	return w.anchored(ctx, key, e)
}

// readFormat reads the copy in the format that was asked, and holds it to its type.
func (w *Wallet) readFormat(ctx context.Context, t *sdjwt.SDJWT, e expectation) (claims map[string]any, issuer string, err error) {
	now := w.c.Clock()
	if e.format == string(paspoort.FormatVCDM) {
		c, err := vcdm.Read(t, vcdm.Options{Now: now, UnknownTerms: true})
		if err != nil {
			return nil, "", err
		}
		if !slices.Contains(c.Types, e.configuration.Type) && !c.HasType(e.configuration.Type) {
			return nil, "", errors.New("it is of another type than was offered")
		}
		return c.Document, c.Issuer, nil
	}
	c, err := sdjwtvc.Read(t, sdjwtvc.Options{Now: now})
	if err != nil {
		return nil, "", err
	}
	if !c.IsType(e.configuration.Type) {
		return nil, "", errors.New("it is of another type than was offered")
	}
	return c.Claims, c.Issuer, w.checkType(ctx, c)
}

// checkType holds a credential to its Type Metadata (SD-JWT VC 4.7). Our own types
// are bundled; metadata of a foreign type is used when it can be had.
func (w *Wallet) checkType(ctx context.Context, c *sdjwtvc.Credential) error {
	_, foreign := paspoort.TypeOf(c.VCT)
	if foreign != nil && !strings.HasPrefix(c.VCT, "https://") {
		return nil
	}
	m, err := sdjwtvc.ResolveType(ctx, typeSource{w}, c.VCT, c.Integrity)
	if err != nil {
		// A broken integrity means that somebody changed the type; a page that is not
		// there means nothing (4.3.1: "it is at the consumer's discretion").
		if foreign == nil || errors.Is(err, sdjwtvc.ErrIntegrity) {
			return err
		}
		return nil
	}
	return c.CheckType(m, true)
}

// typeSource finds Type Metadata: bundled for our own types, else behind the URL.
type typeSource struct{ w *Wallet }

func (s typeSource) TypeMetadata(ctx context.Context, vct string) ([]byte, error) {
	if t, err := paspoort.TypeOf(vct); err == nil {
		return paspoort.TypeMetadata(t)
	}
	if !strings.HasPrefix(vct, "https://") {
		return nil, errors.New("no place to find this type")
	}
	body, _, err := s.w.c.Fetch.Get(ctx, vct, "application/json")
	return body, err
}

// boundTo checks that cnf names the key of the slot, and nobody else's.
func (w *Wallet) boundTo(ctx context.Context, claims map[string]any, slot int) error {
	_, has := claims["cnf"]
	if slot < 0 {
		if has {
			return errors.New("it is bound to a key that is not ours")
		}
		return nil
	}
	pub, err := sdjwtvc.HolderKey(ctx, claims)
	if err != nil {
		return err
	}
	keys, err := w.slotSigners([]int{slot})
	if err != nil {
		return err
	}
	if !jose.SameKey(pub, keys[slot].Public()) {
		return errors.New("it is bound to another key than we proved")
	}
	return nil
}

// anchored notes what the certificate says, and whether it leads to an anchor of a
// region or of the holder. An issuer that no region knows needs the holder's anchor
// or the holder's word.
func (w *Wallet) anchored(ctx context.Context, key sdjwtvc.IssuerKeyResult, e expectation) error {
	if len(key.Chain) > 0 {
		e.party.Certificate = certificateFacts(key.Chain[0])
		e.party.Anchored = jose.VerifyChain(key.Chain, w.anchors(ctx), w.c.Clock()) == nil
		if !e.party.Anchored && len(e.trust.Anchors) > 0 {
			e.party.ByOwnAnchor = jose.VerifyChain(key.Chain, e.trust.Anchors, w.c.Clock()) == nil
		}
	}
	if e.party.Known && e.party.Admitted || e.party.ByOwnAnchor || e.trust.AcceptUnknown {
		return nil
	}
	return &UnknownError{Party: *e.party}
}

// verdictAllows asks for the verdict on the first copy and refuses what has failed.
// What is unknown is not failed: an issuer may be met knowingly, a status list may
// be out of reach today.
func (w *Wallet) verdictAllows(ctx context.Context, c *credential, trust Trust) error {
	verdict, err := w.verdict(ctx, c.Copies[0].Text)
	if err != nil {
		return err
	}
	v := verdict.Credentials[0]
	if v.Type == "" { // a type that is none of ours: its form was checked already
		return nil
	}
	for _, check := range v.Checks {
		if check.State != paspoort.Failed {
			continue
		}
		knowingly := (check.Name == paspoort.CheckIssuerAdmitted || check.Name == paspoort.CheckWithdrawal) &&
			(trust.AcceptUnknown || c.Party.ByOwnAnchor)
		if !knowingly {
			return fmt.Errorf("%w: %s", ErrRefused, check.Sentence.In(w.c.Languages[0]))
		}
	}
	return nil
}

// verdict judges one copy as a bare credential: who issued it, whether it was
// revoked. Whose it is, a wallet knows by its keys.
func (w *Wallet) verdict(ctx context.Context, text string) (paspoort.Verdict, error) {
	return w.evidence.Verify(ctx, evidence.Request{Presentations: []evidence.Presentation{{Text: text}}, Flow: paspoort.File})
}
