package wallet

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/kv"
)

// The inbox: what arrives while the wallet is locked. Its public key stands in the vault
// for whoever runs the store; its private key is sealed like all else. A message is
// sealed with HPKE (RFC 9180) to that key, so that nobody reads it back but the holder.

var (
	// ErrInboxFull: as many messages wait as may. The holder has to sign in first.
	ErrInboxFull = errors.New("the inbox of this paspoort is full")
	// ErrMessage: a message that is too large, or of no kind.
	ErrMessage = errors.New("this message does not fit in an inbox")
)

const (
	maxWaiting = 500
	maxAsked   = maxWaiting / 2 // anybody can ask: that must leave room for what matters more
	maxMessage = 64 << 10
	inboxInfo  = "paspoort/wallet/inbox/v1"
)

// A Message is what the host has for a holder.
type Message struct {
	Kind string          `json:"kind"` // "draft", "opened", "asked", or another
	At   time.Time       `json:"at"`
	Body json.RawMessage `json:"body,omitempty"`
}

// The kinds of messages that Inbox handles by itself, with their bodies.
const (
	MessageDraft  = "draft"  // DraftMessage
	MessageOpened = "opened" // OpenedMessage
	MessageAsked  = "asked"  // AskedMessage
)

// DraftMessage is a form that was not sent before the session ended.
type DraftMessage struct {
	Form   string     `json:"form"`
	Values url.Values `json:"values"`
}

// OpenedMessage says that somebody opened a share.
type OpenedMessage struct {
	Share   string    `json:"share"`
	Label   string    `json:"label"`
	At      time.Time `json:"at"`
	Receipt string    `json:"receipt"`
	Left    int       `json:"left"`
}

// AskedMessage says that somebody asked for a new link of a closed share.
type AskedMessage struct {
	Share string    `json:"share"`
	Label string    `json:"label"`
	At    time.Time `json:"at"`
}

// inboxCount is the value under inboxCountKey.
type inboxCount struct {
	Waiting int `json:"waiting"`
	Asked   int `json:"asked,omitempty"` // of these, questions
}

func inboxKEM() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }

// Deliver puts a message in the inbox of a wallet, locked or not. Of the questions about
// one share the first waits for the holder, and others are dropped until it was read.
// Errors: ErrNoWallet, ErrInboxFull, ErrMessage, ErrDraft.
func Deliver(store kv.Store, random io.Reader, m Message) error {
	plain, err := m.check()
	if err != nil {
		return err
	}
	key, err := m.key(random)
	if err != nil {
		return err
	}
	return store.Update(func(tx kv.Tx) error {
		v, err := readVault(tx)
		if err != nil {
			return err
		}
		public, err := inboxKEM().NewPublicKey(v.Inbox)
		if err != nil {
			return fmt.Errorf("%w: key of the inbox", kv.ErrFormat)
		}
		if _, err := tx.Get(key); !errors.Is(err, kv.ErrNotFound) {
			return err // nil: this was asked already
		}
		n, err := readInboxCount(tx)
		if err != nil {
			return err
		}
		if n.Waiting++; isAsked(key) {
			n.Asked++
		}
		if n.Waiting > maxWaiting || isAsked(key) && n.Asked > maxAsked {
			return ErrInboxFull
		}
		sealed, err := sealMessage(public, pad(plain), key)
		if err != nil {
			return err
		}
		if err := kv.PutJSON(tx, inboxCountKey, valueFormat, n); err != nil {
			return err
		}
		return tx.Set(key, kv.Value(valueFormat, sealed))
	})
}

// check is the message as it is sealed, when it can be kept.
func (m Message) check() ([]byte, error) {
	if m.Kind == MessageDraft {
		var d DraftMessage
		if err := json.Unmarshal(m.Body, &d); err != nil {
			return nil, fmt.Errorf("%w: no form", ErrMessage)
		}
		if err := checkDraft(d.Form, d.Values); err != nil {
			return nil, err
		}
	}
	plain, err := json.Marshal(m)
	if err != nil || m.Kind == "" || len(plain) > maxMessage {
		return nil, fmt.Errorf("%w: %d bytes of kind %q", ErrMessage, len(plain), m.Kind)
	}
	return plain, nil
}

// key is the row of a message: random, but for a question the one of its share, so that a
// locked wallet shows whether one waits. The share is the host's own to know.
func (m Message) key(random io.Reader) ([]byte, error) {
	if m.Kind == MessageAsked {
		var a AskedMessage
		if err := json.Unmarshal(m.Body, &a); err != nil {
			return nil, fmt.Errorf("%w: no question", ErrMessage)
		}
		sum := sha256.Sum256([]byte("paspoort/wallet/inbox/asked/v1\n" + a.Share))
		return append([]byte(askedPrefix), hex.EncodeToString(sum[:16])...), nil
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(random, id); err != nil {
		return nil, fmt.Errorf("random bytes: %w", err)
	}
	return append([]byte(inboxPrefix), hex.EncodeToString(id)...), nil
}

func isAsked(key []byte) bool { return bytes.HasPrefix(key, []byte(askedPrefix)) }

func readInboxCount(tx kv.Tx) (n inboxCount, err error) {
	err = kv.GetJSON(tx, inboxCountKey, valueFormat, &n)
	if errors.Is(err, kv.ErrNotFound) {
		err = nil
	}
	return n, err
}

// sealMessage seals for the inbox. The key of the row is bound to it, so that a message
// stands in one place only.
func sealMessage(public hpke.PublicKey, plain, key []byte) ([]byte, error) {
	enc, sender, err := hpke.NewSender(public, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), []byte(inboxInfo))
	if err != nil {
		return nil, err
	}
	sealed, err := sender.Seal(key, plain)
	return append(enc, sealed...), err
}

// encSize is Nenc of DHKEM(X25519), RFC 9180 7.1.
const encSize = 32

func openMessage(private hpke.PrivateKey, raw, key []byte) (m Message, err error) {
	version, sealed, err := kv.Body(raw)
	if err != nil || version != valueFormat || len(sealed) < encSize {
		return m, ErrDamaged
	}
	recipient, err := hpke.NewRecipient(sealed[:encSize], private, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), []byte(inboxInfo))
	if err != nil {
		return m, ErrDamaged
	}
	padded, err := recipient.Open(key, sealed[encSize:])
	if err != nil {
		return m, ErrDamaged
	}
	plain, err := unpad(padded)
	if err != nil {
		return m, err
	}
	return m, decode(plain, &m)
}

// newInbox draws the key pair of the inbox, seals the private half and returns the public.
func (b *box) newInbox(tx kv.Tx) ([]byte, error) {
	seed := make([]byte, 32)
	if _, err := io.ReadFull(b.random, seed); err != nil {
		return nil, fmt.Errorf("random bytes: %w", err)
	}
	private, err := inboxKEM().DeriveKeyPair(seed)
	if err != nil {
		return nil, err
	}
	raw, err := private.Bytes()
	if err != nil {
		return nil, err
	}
	return private.PublicKey().Bytes(), b.put(tx, keyInbox, raw)
}

// inboxPrivate is the private key of the inbox, kv.ErrNotFound when there is none yet.
func (b *box) inboxPrivate(tx kv.Tx) (hpke.PrivateKey, error) {
	var raw []byte
	if err := b.get(tx, keyInbox, &raw); err != nil {
		return nil, err
	}
	private, err := inboxKEM().NewPrivateKey(raw)
	if err != nil {
		return nil, ErrDamaged
	}
	return private, nil
}

// checkInbox makes sure that what arrives is sealed to a key of ours: a wallet without an
// inbox gets one, and a public key that somebody changed is an error.
func (b *box) checkInbox() error {
	good := false
	err := b.store.View(func(tx kv.Tx) error {
		v, err := readVault(tx)
		if err != nil || v.Inbox == nil {
			return err
		}
		private, err := b.inboxPrivate(tx)
		if errors.Is(err, kv.ErrNotFound) || err == nil && !bytes.Equal(private.PublicKey().Bytes(), v.Inbox) {
			return ErrDamaged
		}
		good = err == nil
		return err
	})
	if err != nil || good {
		return err
	}
	return b.store.Update(func(tx kv.Tx) error {
		v, err := readVault(tx)
		if err != nil {
			return err
		}
		private, err := b.inboxPrivate(tx)
		switch {
		case errors.Is(err, kv.ErrNotFound):
			v.Inbox, err = b.newInbox(tx)
		case err == nil:
			v.Inbox = private.PublicKey().Bytes()
		}
		if err != nil {
			return err
		}
		return v.write(tx)
	})
}

// A waiting is a message in its row.
type waiting struct {
	key []byte
	sum [sha256.Size]byte // of what stands in the row
	m   Message
}

// What one transaction takes out: a store bounds its transactions.
const (
	inboxBatch      = 50
	inboxBatchBytes = 128 << 10
)

// Inbox takes out what arrived, oldest first. What the wallet knows it keeps: drafts as
// drafts, openings and questions in the history, in the transaction that takes the message
// out, so that nothing is lost or counted twice. A message that cannot be opened is
// dropped, and told with ErrDamaged beside the others: it would stand in the way for ever.
func (w *Wallet) Inbox() ([]Message, error) {
	found, damaged, err := w.waiting()
	if err != nil {
		return nil, err
	}
	out := []Message{}
	for len(found) > 0 {
		n, size := 0, 0
		for n < len(found) && n < inboxBatch && (n == 0 || size+len(found[n].m.Body) <= inboxBatchBytes) {
			size += len(found[n].m.Body)
			n++
		}
		taken, err := w.takeOut(found[:n])
		if err != nil {
			return out, err
		}
		out, found = append(out, taken...), found[n:]
	}
	if len(damaged) > 0 {
		if _, err := w.takeOut(damaged); err != nil {
			return out, err
		}
		return out, fmt.Errorf("%d messages: %w", len(damaged), ErrDamaged)
	}
	return out, nil
}

// waiting opens what arrived, oldest first, apart from what cannot be opened.
func (w *Wallet) waiting() (found, damaged []waiting, err error) {
	err = w.c.Store.View(func(tx kv.Tx) error {
		private, err := w.box.inboxPrivate(tx)
		if err != nil {
			return err
		}
		return tx.Scan([]byte(inboxPrefix), func(key, value []byte) error {
			at := waiting{key: bytes.Clone(key), sum: sha256.Sum256(value)}
			if at.m, err = openMessage(private, value, key); err != nil {
				damaged = append(damaged, at)
			} else {
				found = append(found, at)
			}
			return nil
		})
	})
	slices.SortStableFunc(found, func(a, b waiting) int { return a.m.At.Compare(b.m.At) })
	return found, damaged, err
}

// takeOut handles some messages and removes them, but those that another session took.
func (w *Wallet) takeOut(some []waiting) (out []Message, err error) {
	err = w.c.Store.Update(func(tx kv.Tx) error {
		n, err := readInboxCount(tx)
		if err != nil {
			return err
		}
		for _, at := range some {
			raw, err := tx.Get(at.key)
			if err != nil && !errors.Is(err, kv.ErrNotFound) {
				return err
			}
			if err != nil || sha256.Sum256(raw) != at.sum {
				continue // gone, or the next question about the same share
			}
			if err := w.handle(tx, at.m); err != nil {
				return fmt.Errorf("message %q: %w", at.m.Kind, err)
			}
			if err := tx.Delete(at.key); err != nil {
				return err
			}
			n.Waiting = max(n.Waiting-1, 0)
			if isAsked(at.key) {
				n.Asked = max(n.Asked-1, 0)
			}
			out = append(out, at.m)
		}
		return kv.PutJSON(tx, inboxCountKey, valueFormat, n)
	})
	return out, err
}

// handle keeps a message of a kind that the wallet knows. A body that does not parse is
// left to the caller.
func (w *Wallet) handle(tx kv.Tx, m Message) error {
	switch m.Kind {
	case MessageDraft:
		var d DraftMessage
		if json.Unmarshal(m.Body, &d) != nil || checkDraft(d.Form, d.Values) != nil {
			return nil
		}
		return w.putDraft(tx, draft{Form: d.Form, Values: d.Values, At: m.At})
	case MessageOpened:
		var o OpenedMessage
		if json.Unmarshal(m.Body, &o) != nil {
			return nil
		}
		if o.Label == "" { // the host does not know what the holder calls it
			var err error
			if o.Label, err = w.shareLabel(tx, o.Share); err != nil {
				return err
			}
		}
		return w.remember(tx, Event{Kind: EventShareOpened, Share: o.Share, Name: o.Label, Receipt: o.Receipt, At: o.At})
	case MessageAsked:
		var a AskedMessage
		if json.Unmarshal(m.Body, &a) != nil {
			return nil
		}
		if a.Label == "" {
			var err error
			if a.Label, err = w.shareLabel(tx, a.Share); err != nil {
				return err
			}
		}
		return w.remember(tx, Event{Kind: EventShareAsked, Share: a.Share, Name: a.Label, At: a.At})
	}
	return nil
}
