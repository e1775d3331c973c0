package host

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/wallet"
)

// A shareRow is what the host knows of a share: whose it is, how often and until when it
// may be opened, and two sealed parts that it cannot read.
type shareRow struct {
	Holder string             `json:"holder"`
	Share  string             `json:"share"` // the holder's own id of it
	Until  time.Time          `json:"until"`
	Most   int                `json:"most"`
	Left   int                `json:"left"`
	Tries  int                `json:"tries"` // wrong codes that are left
	Sealed wallet.SealedShare `json:"sealed"`
	// Closed is why it does not open any more. What was sealed is gone by then; the row
	// stays a while, so that a reader hears what happened.
	Closed   closing   `json:"closed,omitempty"`
	ClosedAt time.Time `json:"closed_at,omitzero"`
	AskedAt  time.Time `json:"asked_at,omitzero"` // when a reader last asked for a new link
	Heard    bool      `json:"heard,omitempty"`   // the holder saw that since
}

// closing is why a share was closed.
type closing string

const (
	closedWithdrawn closing = "withdrawn"
	closedEnded     closing = "ended"
	closedUsedUp    closing = "used-up"
	closedCodes     closing = "wrong-codes"
	closedLeft      closing = "holder-left"
)

const (
	maxOpenShares = 50
	maxShareSize  = 1 << 20 // of the sealed contents
	codeTries     = 5
	closedKept    = 90 * 24 * time.Hour
	askAgain      = 24 * time.Hour
)

var (
	errShareClosed = errors.New("this share is closed")
	errShareFull   = errors.New("this holder has too many open shares")
	errShareSize   = errors.New("this share is too large")
)

// shareLocks keep what happens to one thing one after another. An opening of a share is
// counted, told to its holder and shown, and none of that twice.
type shareLocks [64]sync.Mutex

func (l *shareLocks) of(place string) *sync.Mutex {
	sum := uint8(0)
	for i := range len(place) {
		sum = sum*31 + place[i]
	}
	return &l[sum%64]
}

func shareKey(place string) []byte { return []byte(sharePrefix + place) }

// placeOf is where the share of a secret stands.
func placeOf(secret wallet.ShareSecret) string {
	hash := secret.Hash()
	return hex.EncodeToString(hash[:])
}

// share reads a row as it is now; one whose time has come reads as closed. errNotHere.
func (h *Host) share(place string) (shareRow, error) {
	var row shareRow
	err := h.c.Store.View(func(tx kv.Tx) error { return kv.GetJSON(tx, shareKey(place), valueFormat, &row) })
	if errors.Is(err, kv.ErrNotFound) {
		return row, errNotHere
	}
	if err == nil && row.Closed == "" && !h.c.Clock().Before(row.Until) {
		row.close(closedEnded, row.Until)
	}
	return row, err
}

// close takes away what was sealed.
func (r *shareRow) close(why closing, at time.Time) {
	r.Closed, r.ClosedAt, r.Sealed = why, at.UTC(), wallet.SealedShare{}
}

// addShare stores a new row.
func (h *Host) addShare(place string, row shareRow) error {
	if len(row.Sealed.Content) > maxShareSize {
		return errShareSize
	}
	return h.c.Store.Update(func(tx kv.Tx) error { return kv.PutJSON(tx, shareKey(place), valueFormat, row) })
}

// changeShare changes the row of an open share. errNotHere, errShareClosed.
func (h *Host) changeShare(place string, fn func(*shareRow) error) error {
	return h.c.Store.Update(func(tx kv.Tx) error {
		var row shareRow
		err := kv.GetJSON(tx, shareKey(place), valueFormat, &row)
		if errors.Is(err, kv.ErrNotFound) {
			return errNotHere
		}
		if err != nil {
			return err
		}
		if row.Closed != "" {
			return errShareClosed
		}
		if err := fn(&row); err != nil {
			return err
		}
		return kv.PutJSON(tx, shareKey(place), valueFormat, row)
	})
}

// closeShare closes a share of a holder, at once. errNotHere for the share of another.
func (h *Host) closeShare(holder, place string, why closing) error {
	lock := h.shares.locks.of(place)
	lock.Lock()
	defer lock.Unlock()
	return h.changeShare(place, func(row *shareRow) error {
		if row.Holder != holder {
			return errNotHere
		}
		row.close(why, h.c.Clock())
		return nil
	})
}

// An opening is a share that was opened once.
type opening struct {
	frozen *wallet.FrozenShare
	number int // the first is 1
	left   int
}

// openShare is the opening of a share: the holder is told with a receipt, it is counted,
// and only then it is given. Errors: errNotHere, errShareClosed, wallet.ErrShareCode,
// errBusy.
func (h *Host) openShare(ctx context.Context, secret wallet.ShareSecret, code string) (*opening, error) {
	place := placeOf(secret)
	lock := h.shares.locks.of(place)
	lock.Lock()
	defer lock.Unlock()
	row, err := h.share(place)
	if err != nil {
		return nil, err
	}
	if row.Closed != "" {
		return nil, errShareClosed
	}
	frozen, err := h.unseal(ctx, row, secret, code)
	if errors.Is(err, wallet.ErrShareCode) {
		return nil, errors.Join(err, h.wrongCode(place))
	}
	if err != nil {
		return nil, err
	}
	number := row.Most - row.Left + 1
	if err := h.tellOpening(row, number); err != nil {
		return nil, err
	}
	err = h.changeShare(place, func(row *shareRow) error {
		row.Left, row.Tries = row.Left-1, codeTries
		if row.Left <= 0 {
			row.close(closedUsedUp, h.c.Clock())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &opening{frozen: frozen, number: number, left: row.Left - 1}, nil
}

// unseal opens the contents. With a second code that costs a key derivation.
func (h *Host) unseal(ctx context.Context, row shareRow, secret wallet.ShareSecret, code string) (frozen *wallet.FrozenShare, err error) {
	if !row.Sealed.NeedsCode() {
		return row.Sealed.Open(secret, "")
	}
	if !h.limits.derive(ctx, func() { frozen, err = row.Sealed.Open(secret, code) }) {
		return nil, errBusy
	}
	return frozen, err
}

// wrongCode counts a wrong code; the last one closes the share.
func (h *Host) wrongCode(place string) error {
	return h.changeShare(place, func(row *shareRow) error {
		if row.Tries--; row.Tries <= 0 {
			row.close(closedCodes, h.c.Clock())
		}
		return nil
	})
}

// tellOpening puts an opening in the holder's inbox, with the receipt.
func (h *Host) tellOpening(row shareRow, number int) error {
	at := h.c.Clock().UTC()
	receipt, err := h.receipt(row.Share, number, at)
	if err != nil {
		return err
	}
	return h.tell(row.Holder, wallet.MessageOpened, at, wallet.OpenedMessage{Share: row.Share, At: at, Receipt: receipt, Left: row.Left - 1})
}

func (h *Host) tell(holder, kind string, at time.Time, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return wallet.Deliver(h.part(holder), h.c.Rand, wallet.Message{Kind: kind, At: at, Body: raw})
}

// askForShare asks the holder of a closed share for a new link: once a day, however often
// the button is pressed.
func (h *Host) askForShare(place string) error {
	lock := h.shares.locks.of(place)
	lock.Lock()
	defer lock.Unlock()
	row, err := h.share(place)
	if err != nil {
		return err
	}
	now := h.c.Clock().UTC()
	if row.Closed == "" || row.Holder == "" || now.Sub(row.AskedAt) < askAgain {
		return nil
	}
	if err := h.tell(row.Holder, wallet.MessageAsked, now, wallet.AskedMessage{Share: row.Share, At: now}); err != nil {
		return err
	}
	row.AskedAt, row.Heard = now, false
	return h.c.Store.Update(func(tx kv.Tx) error { return kv.PutJSON(tx, shareKey(place), valueFormat, row) })
}

// ReceiptType is the typ of a receipt: a JWS with iss, share, opening (its number) and iat.
const ReceiptType = "paspoort-share-receipt+jwt"

// receipt is the host's word that a share was opened.
func (h *Host) receipt(share string, number int, at time.Time) (string, error) {
	id, err := jose.Thumbprint(h.c.ReceiptKey.Public())
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(map[string]any{"iss": h.c.URL, "share": share, "opening": number, "iat": at.Unix()})
	if err != nil {
		return "", err
	}
	text, err := jose.Sign(h.c.ReceiptKey, jose.Header{Type: ReceiptType, KeyID: id}, payload)
	if err != nil {
		return "", fmt.Errorf("receipt: %w", err)
	}
	return text, nil
}

// closeShares closes every share of a holder who leaves. The rows of shares stay a while, to
// tell readers that they closed, and say no more whose they were.
func (h *Host) closeShares(holder string) error {
	return h.eachShare(func(place string, row shareRow) error {
		if row.Holder != holder {
			return nil
		}
		lock := h.shares.locks.of(place)
		lock.Lock()
		defer lock.Unlock()
		return h.c.Store.Update(func(tx kv.Tx) error {
			var row shareRow
			if err := kv.GetJSON(tx, shareKey(place), valueFormat, &row); err != nil {
				return err
			}
			if row.Closed == "" {
				row.close(closedLeft, h.c.Clock())
			}
			row.Holder, row.Share = "", ""
			return kv.PutJSON(tx, shareKey(place), valueFormat, row)
		})
	})
}

// watchShares sweeps now and every hour, until the host ends.
func (h *Host) watchShares() {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := h.sweepShares(); err != nil {
			h.c.Log.Error("shares could not be swept", "kind", errorKinds(err))
		}
		select {
		case <-h.life.Done():
			return
		case <-tick.C:
		}
	}
}

// sweepShares closes shares whose time has come, and forgets those closed long ago.
func (h *Host) sweepShares() error {
	now := h.c.Clock()
	h.shares.tickets.sweep(now)
	return h.eachShare(func(place string, row shareRow) error {
		switch {
		case row.Closed != "" && now.Sub(row.ClosedAt) > closedKept:
			return h.c.Store.Update(func(tx kv.Tx) error { return tx.Delete(shareKey(place)) })
		case row.Closed == "" && !now.Before(row.Until):
			if err := h.closeShare(row.Holder, place, closedEnded); !errors.Is(err, errShareClosed) {
				return err
			}
		}
		return nil
	})
}

// eachShare calls fn for every share, outside of a transaction and without its contents.
func (h *Host) eachShare(fn func(place string, row shareRow) error) error {
	rows := map[string]shareRow{}
	err := h.c.Store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(sharePrefix), func(key, value []byte) error {
			var row shareRow
			if err := kv.DecodeJSON(value, valueFormat, &row); err != nil {
				return err
			}
			row.Sealed = wallet.SealedShare{}
			rows[string(key[len(sharePrefix):])] = row
			return nil
		})
	})
	for place, row := range rows {
		err = errors.Join(err, fn(place, row))
	}
	return err
}
