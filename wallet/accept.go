package wallet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

// Choices are the holder's answers to an offer.
type Choices struct {
	TxCode string
	// Configurations to accept; empty means all that are offered.
	Configurations []string
}

// Accepted is what came of one offered credential.
type Accepted struct {
	ID     string `json:"id"` // for Show
	Name   string `json:"name"`
	Type   string `json:"type"`
	Copies int    `json:"copies"`
	Issuer Party  `json:"issuer"`
	// TimestampNodes is from how many nodes each copy has a timestamp; two are
	// wanted.
	TimestampNodes int `json:"timestamp_nodes"`
}

// maxBatch bounds the copies of one request, whatever an issuer allows.
const maxBatch = 20

// Accept exchanges the offer, asks for a batch of copies bound to the first key
// slots, verifies each, fetches timestamps, and stores everything at once. Of each
// credential all or nothing is stored, and the issuer is told which.
//
// Errors: ErrRefused for what did not verify, UnknownError, those of openid4vci
// (errors.Is(err, openid4vci.InvalidGrant) for a wrong code).
func (w *Wallet) Accept(ctx context.Context, o *Offer, choices Choices) ([]Accepted, error) {
	x, err := w.exchange(ctx, o, choices.TxCode)
	if err != nil {
		return nil, err
	}
	out := []Accepted{}
	for _, item := range o.chosen(choices) {
		r, err := w.receiveOne(ctx, x, item)
		if err != nil {
			return out, fmt.Errorf("%s: %w", describe(item.ConfigurationID), err)
		}
		a, err := w.Keep(ctx, r)
		if err != nil {
			return out, fmt.Errorf("%s: %w", describe(item.ConfigurationID), err)
		}
		out = append(out, a)
	}
	return out, nil
}

// Received is a credential that came in and was verified, and is not stored yet: the
// holder reads first what it says. Keep or Drop it.
type Received struct {
	Item  Item   `json:"item"`
	Lines []Line `json:"lines"`
	// Claims are all claims as the issuer wrote them.
	Claims map[string]any `json:"claims"`

	x      *exchanged
	c      *credential
	answer *openid4vci.CredentialResponse
	typ    string
}

// exchanged is an offer that was redeemed.
type exchanged struct {
	offer *Offer
	token *openid4vci.Token
	dpop  *jose.PrivateKey
}

// Receive is Accept up to where something is stored. The offer is spent by it: what is
// neither kept nor dropped is gone, and has to be offered anew. When one of several
// credentials does not verify none is given. Errors: as of Accept.
func (w *Wallet) Receive(ctx context.Context, o *Offer, choices Choices) ([]*Received, error) {
	x, err := w.exchange(ctx, o, choices.TxCode)
	if err != nil {
		return nil, err
	}
	var out []*Received
	for _, item := range o.chosen(choices) {
		r, err := w.receiveOne(ctx, x, item)
		if err != nil {
			for _, other := range out {
				w.notify(ctx, o.session, x.token, other.answer, openid4vci.CredentialFailure)
			}
			return nil, fmt.Errorf("%s: %w", describe(item.ConfigurationID), err)
		}
		out = append(out, r)
	}
	return out, nil
}

func (w *Wallet) exchange(ctx context.Context, o *Offer, txCode string) (*exchanged, error) {
	dpop, err := jose.Generate(jose.ES256)
	if err != nil {
		return nil, err
	}
	o.session.DPoPKey, o.session.ClientID = dpop, w.c.ClientID
	token, err := o.session.PreAuthorized(ctx, txCode)
	return &exchanged{o, token, dpop}, err
}

// chosen are the items that the holder wants.
func (o *Offer) chosen(choices Choices) []OfferedCredential {
	if len(choices.Configurations) == 0 {
		return o.Items
	}
	var out []OfferedCredential
	for _, item := range o.Items {
		if slices.Contains(choices.Configurations, item.ConfigurationID) {
			out = append(out, item)
		}
	}
	return out
}

func (w *Wallet) receiveOne(ctx context.Context, x *exchanged, item OfferedCredential) (*Received, error) {
	o := x.offer
	slots, err := w.freshSlots(min(o.session.Issuer.BatchSize(), maxBatch))
	if err != nil {
		return nil, err
	}
	copies, answer, err := w.fetchCopies(ctx, o.session, x.token, item.ConfigurationID, slots)
	if err != nil {
		return nil, err
	}
	c := &credential{
		Issuer: o.Issuer.ID, ConfigurationID: item.ConfigurationID, Format: item.Format,
		Accepted: w.c.Clock().UTC(), Copies: copies, Name: item.Name, Party: o.Issuer,
	}
	r := &Received{x: x, c: c, answer: answer, typ: item.Type}
	if c.ID, err = w.newID(); err == nil {
		err = w.keepable(ctx, o, item, c)
	}
	if err == nil {
		r.Item = c.item()
		var t *sdjwt.SDJWT
		if t, err = c.token(); err == nil {
			r.Lines, err = w.lines(t, c.Labels)
			if err == nil {
				r.Claims, err = t.Claims()
			}
		}
	}
	if err != nil {
		w.notify(ctx, o.session, x.token, answer, openid4vci.CredentialFailure)
		return nil, err
	}
	return r, nil
}

// Keep stores what was received, with timestamps, and tells the issuer.
func (w *Wallet) Keep(ctx context.Context, r *Received) (Accepted, error) {
	c, session := r.c, r.x.offer.session
	nodes := w.timestamp(ctx, c.Party.Region, c.Copies)
	if err := c.renewable(r.x.token, session, r.x.dpop); err != nil {
		return Accepted{}, err
	}
	err := w.c.Store.Update(func(tx kv.Tx) error {
		if err := w.putCredential(tx, c); err != nil {
			return err
		}
		return w.remember(tx, Event{Kind: EventAccepted, Credential: c.ID, Name: c.item().Name, Party: c.Party})
	})
	if err != nil {
		w.notify(ctx, session, r.x.token, r.answer, openid4vci.CredentialFailure)
		return Accepted{}, err
	}
	w.notify(ctx, session, r.x.token, r.answer, openid4vci.CredentialAccepted)
	return Accepted{ID: c.ID, Name: c.item().Name, Type: r.typ, Copies: len(c.Copies), Issuer: c.Party, TimestampNodes: nodes}, nil
}

// Drop tells the issuer that the holder does not want it (OpenID4VCI 1.0, 11:
// "credential_deleted"). Nothing of it was stored.
func (w *Wallet) Drop(ctx context.Context, r *Received) {
	w.notify(ctx, r.x.offer.session, r.x.token, r.answer, openid4vci.CredentialDeleted)
}

// keepable verifies every copy and fills in what they say of the issuer.
func (w *Wallet) keepable(ctx context.Context, o *Offer, item OfferedCredential, c *credential) error {
	for i := range c.Copies {
		if err := w.verifyCopy(ctx, &c.Copies[i], expectation{format: item.Format, configuration: item, issuer: c.Issuer, trust: o.trust, party: &c.Party}); err != nil {
			return err
		}
	}
	if configuration, err := o.session.Issuer.Configuration(item.ConfigurationID); err == nil && configuration.Metadata != nil {
		c.Labels = configuration.Metadata.Claims
	}
	return w.verdictAllows(ctx, c, o.trust)
}

// fetchCopies asks for one copy per slot.
func (w *Wallet) fetchCopies(ctx context.Context, s *openid4vci.Session, token *openid4vci.Token, configurationID string, slots []int) ([]copyOf, *openid4vci.CredentialResponse, error) {
	configuration, err := s.Issuer.Configuration(configurationID)
	if err != nil {
		return nil, nil, err
	}
	wanted := openid4vci.Wanted{ConfigurationID: configurationID}
	if len(configuration.ProofTypes) > 0 {
		keys, err := w.slotSigners(slots)
		if err != nil {
			return nil, nil, err
		}
		for _, n := range slots {
			key := openid4vci.ProofKey{Signer: keys[n]}
			if wantsDID(configuration.BindingMethods) {
				if key.KeyID, err = holderKeyID(keys[n].Public()); err != nil {
					return nil, nil, err
				}
			}
			wanted.Keys = append(wanted.Keys, key)
		}
	}
	answer, err := s.Credentials(ctx, token, wanted)
	if err != nil {
		return nil, nil, err
	}
	if len(answer.Credentials) == 0 {
		return nil, nil, errors.New("the issuer has it not ready yet: try the offer again later")
	}
	copies := make([]copyOf, 0, len(answer.Credentials))
	for i, issued := range answer.Credentials {
		text, err := issued.Text()
		if err != nil {
			return nil, answer, err
		}
		slot := -1
		if len(wanted.Keys) > 0 {
			slot = slots[i]
		}
		copies = append(copies, copyOf{Slot: slot, Text: text})
	}
	return copies, answer, nil
}

// renewable keeps what is needed for new copies, when the issuer gave it.
func (c *credential) renewable(token *openid4vci.Token, s *openid4vci.Session, dpop *jose.PrivateKey) error {
	if token.RefreshToken == "" {
		return nil
	}
	raw, err := jose.MarshalPrivate(dpop)
	if err != nil {
		return err
	}
	c.Renewal = &renewal{Server: s.Server.Issuer, RefreshToken: token.RefreshToken, DPoPKey: json.RawMessage(raw)}
	return nil
}

// notify tells the issuer what became of it (section 11). That it does not hear is
// no reason to stop.
func (w *Wallet) notify(ctx context.Context, s *openid4vci.Session, token *openid4vci.Token, answer *openid4vci.CredentialResponse, event openid4vci.Event) {
	if answer == nil || answer.NotificationID == "" {
		return
	}
	if err := s.Notify(ctx, token, openid4vci.Notification{ID: answer.NotificationID, Event: event}); err != nil {
		w.c.Log.WarnContext(ctx, "issuer was not notified", "event", event, "cause", err)
	}
}

// typeOf is the type of ours that a processed payload has, or "".
func typeOf(claims map[string]any) paspoort.Type {
	if c, err := paspoort.Read(claims); err == nil {
		return c.Type
	}
	return ""
}
