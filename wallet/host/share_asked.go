package host

import (
	"errors"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/wallet"
)

// heardAll remembers that the holder was told who asked for a new link.
func (h *Host) heardAll(entries []shareEntry) {
	for _, e := range entries {
		if !e.unheard {
			continue
		}
		if err := h.heard(e); err != nil {
			h.c.Log.Error("it could not be kept that a question was seen", "kind", errorKinds(err))
		}
	}
}

// heard leaves a question alone that came after the list was read.
func (h *Host) heard(e shareEntry) error {
	lock := h.shares.locks.of(e.Place)
	lock.Lock()
	defer lock.Unlock()
	return h.c.Store.Update(func(tx kv.Tx) error {
		var row shareRow
		err := kv.GetJSON(tx, shareKey(e.Place), valueFormat, &row)
		if errors.Is(err, kv.ErrNotFound) || err == nil && !row.AskedAt.Equal(e.AskedAt) {
			return nil
		}
		if err != nil {
			return err
		}
		row.Heard = true
		return kv.PutJSON(tx, shareKey(e.Place), valueFormat, row)
	})
}

// askedFor is of how many links somebody asked for a new one since the holder last looked at
// the list of links.
func (h *Host) askedFor(paspoort *wallet.Wallet) int {
	shares, err := paspoort.Shares()
	if err != nil {
		h.c.Log.Error("the shares could not be read", "kind", errorKinds(err))
		return 0
	}
	n := 0
	for _, s := range shares {
		// The id was drawn for this paspoort: the row is of its holder.
		if row, err := h.share(s.Place); err == nil && row.Share == s.ID && !row.AskedAt.IsZero() && !row.Heard {
			n++
		}
	}
	return n
}
