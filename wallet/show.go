package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

// ErrNotHere: nothing in the wallet has this id.
var ErrNotHere = errors.New("nothing here has this id")

// An Item is one thing in the wallet as a line of a list.
type Item struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Type     string    `json:"type"`
	OwnWords bool      `json:"own_words,omitempty"`
	Issuer   Party     `json:"issuer,omitzero"`
	Accepted time.Time `json:"accepted"`
	Copies   int       `json:"copies,omitempty"`
	Unused   int       `json:"unused,omitempty"` // copies that nobody saw yet
	// FewLeft: new copies may be had, and it is time to (see Renew).
	FewLeft bool `json:"few_left,omitempty"`
}

// fewCopies is how many unseen copies are few.
const fewCopies = 2

// List is everything in the wallet, oldest first.
func (w *Wallet) List() ([]Item, error) {
	out := []Item{}
	err := w.c.Store.View(func(tx kv.Tx) error {
		credentials, err := w.credentials(tx)
		if err != nil {
			return err
		}
		for _, c := range credentials {
			out = append(out, c.item())
		}
		declarations, err := w.declarations(tx)
		if err != nil {
			return err
		}
		for _, d := range declarations {
			out = append(out, Item{ID: d.ID, Name: d.name(), Type: string(paspoort.Zelfverklaring), OwnWords: true, Accepted: d.Written})
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b Item) int { return a.Accepted.Compare(b.Accepted) })
	return out, err
}

func (c *credential) item() Item {
	i := Item{ID: c.ID, Name: c.Name, Type: c.ConfigurationID, Issuer: c.Party, Accepted: c.Accepted, Copies: len(c.Copies)}
	if t, err := c.token(); err == nil {
		if claims, err := t.Claims(); err == nil {
			if own := typeOf(claims); own != "" {
				i.Type = string(own)
			}
			if read, err := paspoort.Read(claims); err == nil && read.Text("title") != "" {
				i.Name = read.Text("title")
			}
		}
	}
	for _, copy := range c.Copies {
		if copy.Uses == 0 && !copy.Maybe {
			i.Unused++
		}
	}
	i.FewLeft = c.Renewal != nil && i.Unused <= fewCopies
	return i
}

// Details is one thing in the wallet, whole.
type Details struct {
	Item
	Lines []Line `json:"lines"`
	// Claims are all claims as the issuer wrote them, or the own words.
	Claims map[string]any `json:"claims"`
	// Renewable: its issuer gave what is needed to get new copies.
	Renewable bool `json:"renewable,omitempty"`
	// Timestamps are the days that nodes saw it on.
	Timestamps int `json:"timestamps,omitempty"`
	// Verdict is what anybody would find who checks it now; nil for own words.
	Verdict *paspoort.Verdict `json:"verdict,omitempty"`
}

// Show gives one thing, with a fresh verdict on it. ErrNotHere.
func (w *Wallet) Show(ctx context.Context, id string) (*Details, error) {
	out, err := w.Look(id)
	if err != nil || out.OwnWords {
		return out, err
	}
	verdict, err := w.Judge(ctx, id)
	out.Verdict = &verdict
	return out, err
}

// lookAt is the first copy as the holder could show it, timestamps included, so that
// the verdict sees what anybody else would see. It stays here.
func (w *Wallet) lookAt(c *credential) (string, error) {
	first := c.Copies[0]
	if first.Slot < 0 {
		return first.Text, nil
	}
	keys, err := w.slotSigners([]int{first.Slot})
	if err != nil {
		return "", err
	}
	token, err := sdjwt.Parse(first.Text)
	if err != nil {
		return "", err
	}
	nonce, err := w.newID()
	if err != nil {
		return "", err
	}
	return w.bind(prepared{slot: first.Slot, key: keys[first.Slot], token: token, timestamps: first.Timestamps}, paspoort.FileAudience, nonce)
}

// find is the credential or the declaration with this id. Error: ErrNotHere.
func (w *Wallet) find(id string) (c *credential, d *declaration, err error) {
	err = w.c.Store.View(func(tx kv.Tx) error {
		c, d, err = w.findNow(tx, id)
		return err
	})
	return c, d, err
}

// findNow is find as it stands in this transaction.
func (w *Wallet) findNow(tx kv.Tx, id string) (*credential, *declaration, error) {
	c, err := w.credentialNow(tx, id)
	if err == nil {
		return c, nil, nil
	}
	if !errors.Is(err, ErrNotHere) {
		return nil, nil, err
	}
	d := new(declaration)
	err = w.box.get(tx, declarationPrefix+id, d)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, nil, ErrNotHere
	}
	if err != nil {
		return nil, nil, err
	}
	return nil, d, nil
}

// Delete removes one thing at once. The history keeps that it was there.
func (w *Wallet) Delete(id string) error {
	return w.c.Store.Update(func(tx kv.Tx) error {
		c, d, err := w.findNow(tx, id)
		if err != nil {
			return err
		}
		e := Event{Kind: EventDeleted, Credential: id}
		if c != nil {
			e.Name, e.Party = c.Name, c.Party
			err = w.deleteCredential(tx, id)
		} else {
			e.Name = d.name()
			err = w.box.delete(tx, declarationPrefix+id)
		}
		if err != nil {
			return err
		}
		return w.remember(tx, e)
	})
}

// Export makes a file of one credential that anybody can check offline: everything
// in it is disclosed, and a key binding carries the timestamps. Who gets the file
// can pass it on.
func (w *Wallet) Export(id string) (string, error) {
	var text string
	err := w.c.Store.Update(func(tx kv.Tx) error {
		c, d, err := w.findNow(tx, id)
		if err != nil {
			return err
		}
		a, err := w.readAskers(tx)
		if err != nil {
			return err
		}
		slot := a.slotOf(paspoort.FileAudience)
		if c != nil && c.copyAt(slot) == nil {
			slot = c.leastUsed().Slot
		}
		e := Event{Kind: EventExported, Credential: id}
		if c != nil {
			e.Name, e.Party = c.item().Name, c.Party
		} else {
			e.Name = d.name()
		}
		if slot >= 0 {
			a.Slots[paspoort.FileAudience] = slot
			if err := w.box.put(tx, keyAskers, a); err != nil {
				return err
			}
		}
		if text, err = w.fileOf(tx, c, d, slot); err != nil {
			return err
		}
		return w.remember(tx, e)
	})
	return text, err
}

// fileOf is the text of the copy at a slot, key binding included.
func (w *Wallet) fileOf(tx kv.Tx, c *credential, d *declaration, slot int) (string, error) {
	if slot < 0 {
		return c.Copies[0].Text, nil
	}
	key, err := w.slotSigner(tx, slot)
	if err != nil {
		return "", err
	}
	p := prepared{slot: slot, key: key}
	if d != nil {
		p.token, err = w.sign(d, paspoort.FormatSDJWTVC, key)
	} else {
		copy := c.copyAt(slot)
		if err := w.loadCopy(tx, c, copy); err != nil {
			return "", err
		}
		copy.Uses++
		p.timestamps = copy.Timestamps
		if err := w.putCredential(tx, c); err != nil {
			return "", err
		}
		p.token, err = sdjwt.Parse(copy.Text)
	}
	if err != nil {
		return "", err
	}
	nonce, err := w.newID()
	if err != nil {
		return "", err
	}
	return w.bind(p, paspoort.FileAudience, nonce)
}

// seen orders copies by how many saw them for certain, and then by whether anybody may
// have.
func (c *copyOf) seen() int {
	if c.Maybe {
		return 2*c.Uses + 1
	}
	return 2 * c.Uses
}

// leastUsed is the copy that the fewest have seen.
func (c *credential) leastUsed() *copyOf {
	best := &c.Copies[0]
	for i := range c.Copies {
		if c.Copies[i].seen() < best.seen() {
			best = &c.Copies[i]
		}
	}
	return best
}

// Page is the paspoort as one page: wie ben ik, wat kan ik, wat wil ik. The proof levels are
// those that anybody would find who checks now; a proof that fails gives no level of its own.
func (w *Wallet) Page(ctx context.Context) (paspoort.Profile, error) {
	standings, err := w.Standings(ctx)
	if err != nil {
		return paspoort.Profile{}, err
	}
	var list []paspoort.Credential
	found := map[int]int{}
	err = w.c.Store.Update(func(tx kv.Tx) error {
		credentials, err := w.credentials(tx)
		if err != nil {
			return err
		}
		for _, c := range credentials {
			t, err := c.token()
			if err != nil {
				return fmt.Errorf("credential %s: %w", c.ID, err)
			}
			at := len(list)
			if err := appendRead(&list, t); err != nil {
				return fmt.Errorf("credential %s: %w", c.ID, err)
			}
			if s := standings[c.ID]; s.Level != nil {
				found[at] = *s.Level
			} else if s.State == paspoort.Failed {
				found[at] = 0
			}
		}
		declarations, err := w.declarations(tx)
		if err != nil {
			return err
		}
		key, err := w.slotSigner(tx, 0)
		if err != nil {
			return err
		}
		for _, d := range declarations {
			t, err := w.sign(d, paspoort.FormatSDJWTVC, key)
			if err != nil {
				return err
			}
			if err := appendRead(&list, t); err != nil {
				return err
			}
		}
		return nil
	})
	return paspoort.NewProfile(list, found), err
}

// appendRead adds what is of our profile; what is foreign is left out.
func appendRead(list *[]paspoort.Credential, t *sdjwt.SDJWT) error {
	claims, err := t.Claims()
	if err != nil {
		return err
	}
	if c, err := paspoort.Read(claims); err == nil {
		*list = append(*list, c)
	}
	return nil
}

// Relies are the ids of the regions whose registries this wallet can ask.
func (w *Wallet) Relies() []string {
	out := make([]string, len(w.regions))
	for i, r := range w.regions {
		out[i] = r.Copy.Genesis()
	}
	return out
}
