package wallet

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/sdjwt"
)

// A Request is a request to show something that was read and authenticated, with
// what the holder must know before deciding.
type Request struct {
	Consent Consent

	exchange *openid4vp.Exchange
	client   *openid4vp.Client
	asker    string // what the slot is kept under
	slot     int
	taken    map[string]int // slots by asker
	shows    []prepared     // one for each Consent.Items
	wish     int            // the asker's own slot; slot is the one it gets
	fetch    []*credential  // need a new copy at slot, once the holder agrees
	first    []Warning      // about the asker and the request

	found      *dcql.Result
	candidates []prepared
	picks      map[string]int // what the holder chose, by Choice.ID
	noFetch    bool           // new copies were wanted and not to be had
	told       string         // the language of the consent
}

// Consent is what the holder decides about. Nothing in it is shortened: what is not
// here does not go.
type Consent struct {
	Asker Party `json:"asker"`
	// Purpose is why, in the asker's own words and language.
	Purpose         string `json:"purpose,omitempty"`
	PurposeLanguage string `json:"purpose_language,omitempty"`
	// Items are what goes, one for each presentation.
	Items []ConsentItem `json:"items"`
	// Choices are where the asker takes one of several.
	Choices []Choice `json:"choices,omitempty"`
	// Missing are the queries for which there is nothing, by type where the query
	// names one of ours.
	Missing []string `json:"missing,omitempty"`
	// Encrypted: only the asker can read the answer.
	Encrypted bool   `json:"encrypted"`
	SentTo    string `json:"sent_to"` // host
	// Warnings the holder must have read.
	Warnings []Warning `json:"warnings,omitempty"`
}

// A ConsentItem is one presentation.
type ConsentItem struct {
	Query      string `json:"query"`
	Credential string `json:"credential"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	OwnWords   bool   `json:"own_words,omitempty"`
	Issuer     string `json:"issuer,omitempty"`
	Lines      []Line `json:"lines"`
}

// A Warning is one sentence with its code.
type Warning struct {
	Code     string        `json:"code"`
	Sentence paspoort.Text `json:"sentence"`
}

// The warnings.
var (
	warnUnknown    = Warning{"asker_unknown", paspoort.Text{NL: "Geen regio die u koos kent deze vrager.", EN: "No region that you chose knows this asker."}}
	warnUnsigned   = Warning{"asker_unsigned", paspoort.Text{NL: "De vraag is niet ondertekend. Alleen het adres van de vrager is zeker.", EN: "The request is not signed. Only the asker's address is certain."}}
	warnWithdrawn  = Warning{"asker_not_admitted", paspoort.Text{NL: "Deze vrager is op dit moment niet toegelaten in de regio.", EN: "This asker is not admitted in the region at present."}}
	warnReused     = Warning{"copy_reused", paspoort.Text{NL: "Uw kopieën zijn op. U laat een kopie zien die iemand anders al zag; zij kunnen samen ontdekken dat u het was.", EN: "Your copies have run out. You show a copy that someone else saw; together they can find out that it was you."}}
	warnFetch      = Warning{"copies_fetched", paspoort.Text{NL: "Voor deze vrager zijn nieuwe kopieën nodig. Zegt u ja, dan vraagt uw paspoort die eerst aan de uitgever. Die ziet dat u ze wilt, niet voor wie.", EN: "New copies are needed for whoever asks. If you agree, your paspoort first asks the issuer for them. The issuer sees that you want them, not for whom."}}
	warnMaybe      = Warning{"copy_maybe_used", paspoort.Text{NL: "U nam uw paspoort mee van een andere plek. Misschien liet u deze kopie daar al aan iemand zien; dan kunnen zij samen ontdekken dat u het was.", EN: "You took your paspoort along from another place. You may have shown this copy to someone there; together they could then find out that it was you."}}
	warnApart      = Warning{"not_linked", paspoort.Text{NL: "De bewijzen hebben verschillende sleutels. De vrager ziet niet dat ze van dezelfde persoon zijn.", EN: "The credentials have different keys. The asker cannot see that they belong to the same person."}}
	warnBeyond     = Warning{"asks_more", paspoort.Text{NL: "De vrager vraagt meer dan alleen vaardigheden. Dat staat er apart bij.", EN: "The asker wants more than skills alone. It is marked below."}}
	warnNothing    = Warning{"nothing_fits", paspoort.Text{NL: "U hebt niets dat past bij deze vraag.", EN: "You have nothing that fits this request."}}
	warnOld        = Warning{"registry_old", paspoort.Text{NL: "Wat u van de regio weet is meer dan een week oud. De vrager kan intussen zijn geweigerd.", EN: "What you know of the region is more than a week old. The asker may have been withdrawn since."}}
	warnExpired    = Warning{"expired", paspoort.Text{NL: "Een van deze bewijzen is verlopen.", EN: "One of these credentials has expired."}}
	warnUnreadable = Warning{"not_encrypted", paspoort.Text{NL: "Het antwoord is niet apart versleuteld. Alleen de verbinding beschermt het.", EN: "The answer is not encrypted by itself. Only the connection protects it."}}
)

// registryLimit is the age from which on a copy of the registry no longer says who is
// admitted (design D11).
const registryLimit = 7 * 24 * time.Hour

// A prepared is one presentation, ready to be bound.
type prepared struct {
	query       string
	credential  *credential  // nil for own words
	declaration *declaration // nil for a credential
	format      paspoort.Format
	match       dcql.Match
	token       *sdjwt.SDJWT // only what was asked
	slot        int          // -1: bound to no key
	key         *jose.PrivateKey
	timestamps  []paspoort.TimestampProof
}

// Request reads an invocation (a link, the text of a QR code, or the address of the
// page that shows it), fetches and authenticates the request, looks up who asks, and finds what fits. Nothing is sent
// to the asker but the fetch of the request itself, and no issuer hears of it.
//
// Errors: UnknownError, ErrInvocation and *openid4vp.Error of openid4vp.
func (w *Wallet) Request(ctx context.Context, invocation string, trust Trust) (*Request, error) {
	inv, err := openid4vp.ParseInvocation(invocation)
	if errors.Is(err, openid4vp.ErrInvocation) && isWebAddress(invocation) {
		inv, err = w.fromPage(ctx, invocation)
	}
	if err != nil {
		return nil, err
	}
	w.refresh(ctx)
	regional := w.anchors(ctx)
	r := &Request{client: w.vp(append(regional, trust.Anchors...), trust.AcceptUnknown)}
	r.exchange, err = r.client.Fetch(ctx, inv, w.c.Clock())
	var untrusted *openid4vp.UntrustedError
	if errors.As(err, &untrusted) {
		p, lookErr := w.asker(ctx, untrusted.Verifier, nil)
		return nil, errors.Join(w.unknown(ctx, p, openid4vp.ErrUntrusted), lookErr)
	}
	if err != nil {
		return nil, err
	}
	v := r.exchange.Verifier
	if r.Consent.Asker, err = w.asker(ctx, v, r.exchange.Request.Purpose()); err != nil {
		return nil, err
	}
	r.Consent.Asker.Anchored = len(v.Chain) > 0 && jose.VerifyChain(v.Chain, regional, w.c.Clock()) == nil
	r.Consent.Asker.ByOwnAnchor = len(v.Chain) > 0 && !r.Consent.Asker.Anchored && v.ChainError == nil
	if a := r.Consent.Asker; !(a.Known && a.Admitted) && !trust.AcceptUnknown && !a.ByOwnAnchor {
		return nil, w.unknown(ctx, a, nil)
	}
	r.about(w.c.Clock())
	return r, w.matchUp(ctx, r)
}

// asker is who asks, held against the registry by what the request proves: the
// certificate, the DID, or for an unsigned request nothing but an address.
func (w *Wallet) asker(ctx context.Context, v openid4vp.Verifier, said *openid4vp.Purpose) (Party, error) {
	p := Party{ID: string(v.ClientID)}
	if said != nil {
		p.CallsItself = said.Organisation
	}
	var names []registry.Lookup
	prefix, id := v.ClientID.Split()
	switch {
	case len(v.Chain) > 0:
		p.Certificate = certificateFacts(v.Chain[0])
		if cn := v.Chain[0].Subject.CommonName; cn != "" {
			p.CallsItself = cn
		}
		names = append(names, registry.Lookup{Certificate: fingerprint(v.Chain[0])})
	case prefix == openid4vp.DecentralizedIdentifier:
		names = append(names, registry.Lookup{DID: id})
	}
	return p, w.lookUp(ctx, &p, registry.Verifier, names...)
}

// about fills in what the request says of itself.
func (r *Request) about(now time.Time) {
	q := r.exchange.Request
	if p := q.Purpose(); p != nil {
		r.Consent.Purpose, r.Consent.PurposeLanguage = p.Purpose, p.Language
	}
	r.Consent.Encrypted = q.ResponseMode.Encrypted()
	if u, err := url.Parse(q.ResponseURI); err == nil {
		r.Consent.SentTo = u.Host
	}
	a := r.Consent.Asker
	switch {
	case r.exchange.Verifier.Key == nil:
		r.warn(warnUnsigned)
	case !a.Known:
		r.warn(warnUnknown)
	case !a.Admitted:
		r.warn(warnWithdrawn)
	}
	if a.Known && now.Sub(a.RegistryTime) > registryLimit {
		r.warn(warnOld)
	}
	if !r.Consent.Encrypted {
		r.warn(warnUnreadable)
	}
	// One organisation keeps one slot, whichever of its identifiers it asks with.
	if r.asker = a.Organisation; r.asker == "" {
		r.asker = a.ID
	}
}

func (r *Request) warn(w Warning) { r.Consent.Warnings = append(r.Consent.Warnings, w) }

// matchUp evaluates the query over everything in the wallet and prepares what fits.
func (w *Wallet) matchUp(ctx context.Context, r *Request) error {
	var held []*credential
	var words []*declaration
	var own *jose.PrivateKey
	err := w.c.Store.Update(func(tx kv.Tx) error {
		a, err := w.readAskers(tx)
		if err != nil {
			return err
		}
		r.wish, r.taken = a.slotOf(r.asker), a.Slots
		if own, err = w.slotSigner(tx, r.wish); err != nil {
			return err
		}
		if held, err = w.credentials(tx); err != nil {
			return err
		}
		words, err = w.declarations(tx)
		return err
	})
	if err != nil {
		return err
	}
	query := r.exchange.Request.Query
	candidates, err := w.candidates(query, held, words, own)
	if err != nil {
		return err
	}
	facts := make([]dcql.Credential, len(candidates))
	for i, c := range candidates {
		if facts[i], err = factsOf(c); err != nil {
			return err
		}
	}
	r.found, r.candidates = dcql.Evaluate(query, facts), candidates
	r.first = slices.Clone(r.Consent.Warnings)
	return w.offerChoice(ctx, r)
}

// prepare puts the copies in place and describes what goes. It contacts nobody.
func (w *Wallet) prepare(ctx context.Context, r *Request, mayFetch bool) error {
	r.Consent.Warnings, r.Consent.Items = slices.Clone(r.first), []ConsentItem{}
	if err := w.settle(ctx, r, mayFetch); err != nil {
		return err
	}
	return w.describe(r)
}

// candidates are what a query may be held against: a copy of every credential, and
// own words in the formats that the query asks.
func (w *Wallet) candidates(q *dcql.Query, held []*credential, words []*declaration, own *jose.PrivateKey) ([]prepared, error) {
	var out []prepared
	for _, c := range held {
		t, err := c.token()
		if err != nil {
			return nil, fmt.Errorf("credential %s: %w", c.ID, err)
		}
		out = append(out, prepared{credential: c, format: paspoort.Format(c.Format), token: t})
	}
	formats := map[paspoort.Format]bool{}
	for _, cq := range q.Credentials {
		formats[paspoort.Format(cq.Format)] = true
	}
	for _, d := range words {
		for _, f := range paspoort.Formats() {
			if !formats[f] {
				continue
			}
			t, err := w.sign(d, f, own)
			if err != nil {
				return nil, err
			}
			out = append(out, prepared{declaration: d, format: f, token: t})
		}
	}
	return out, nil
}

// queryName is what a query asks, for people: the name of the type, else its id.
func queryName(cq dcql.CredentialQuery, lang string) string {
	names := cq.Meta.VCTValues
	for _, alternative := range cq.Meta.TypeValues {
		names = append(names, alternative...)
	}
	for _, name := range names {
		if t, err := paspoort.TypeOf(name); err == nil {
			return t.Name().In(lang)
		}
	}
	return cq.ID
}

// settle picks the slot and puts the copy at that slot in each presentation, reduced
// to what was asked.
func (w *Wallet) settle(ctx context.Context, r *Request, mayFetch bool) error {
	var bound []*credential
	for _, p := range r.shows {
		if p.credential != nil && p.credential.Copies[0].Slot >= 0 {
			bound = append(bound, p.credential)
		}
	}
	choice, err := w.chooseSlot(ctx, bound, r.wish, mayFetch)
	if err != nil {
		return err
	}
	r.slot, r.fetch = choice.slot, choice.fetch
	for asker, n := range r.taken {
		choice.reused = choice.reused || n == r.slot && asker != r.asker // its key was seen, if not its copies
	}
	if len(r.fetch) > 0 {
		r.warn(warnFetch)
	}
	_, known := r.taken[r.asker]
	switch {
	case choice.reused:
		r.warn(warnReused)
	case choice.maybe && !known:
		r.warn(warnMaybe)
	}
	if choice.apart {
		r.warn(warnApart)
	}
	for i := range r.shows {
		if err := w.putCopy(&r.shows[i], r.slot); err != nil {
			return err
		}
	}
	return nil
}

// putCopy puts the copy at the slot into a presentation.
func (w *Wallet) putCopy(p *prepared, slot int) error {
	p.slot = slot
	if p.credential != nil {
		c := p.credential.copyAt(slot)
		if c == nil {
			c = p.credential.leastUsed()
		}
		err := w.c.Store.View(func(tx kv.Tx) error { return w.loadCopy(tx, p.credential, c) })
		if err != nil {
			return err
		}
		p.slot, p.timestamps = c.Slot, c.Timestamps
		if p.token, err = sdjwt.Parse(c.Text); err != nil {
			return err
		}
	}
	if p.slot >= 0 {
		keys, err := w.slotSigners([]int{p.slot})
		if err != nil {
			return err
		}
		p.key = keys[p.slot]
	}
	if p.declaration != nil {
		var err error
		if p.token, err = w.sign(p.declaration, p.format, p.key); err != nil {
			return err
		}
	}
	var err error
	p.token, err = reduce(p.token, p.match.Disclose)
	return err
}

// reduce keeps the disclosures on the way to, at and below what is asked, and no
// other: of an array, only the elements that match.
func reduce(t *sdjwt.SDJWT, asked []dcql.Path) (*sdjwt.SDJWT, error) {
	return t.Select(func(path []any, _ any) bool {
		for _, p := range asked {
			if p.Covers(dcql.Path(path)) {
				return true
			}
		}
		return false
	})
}

// leafOf is the certificate that signed a token, if any.
func leafOf(t *sdjwt.SDJWT) []*x509.Certificate {
	chain, err := jose.ParseCertificates(t.Header().X5C)
	if err != nil {
		return nil
	}
	return chain
}
