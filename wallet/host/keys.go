package host

import (
	"encoding/hex"

	"paspoort.example/paspoort/internal/kv"
)

// The rows of the store. None holds a word of a holder: what is a holder's stands in the
// holder's own part, sealed by package wallet.
const (
	storeName   = "wallet-host"
	storeFormat = 1
	valueFormat = 1

	accountPrefix  = "host/account/"  // host/account/ID: an account
	numberPrefix   = "host/number/"   // host/number/123456789: the ID it signs in to
	recoveryPrefix = "host/recovery/" // host/recovery/HEX: the ID that a recovery code belongs to
	countKey       = "host/count"     // how many accounts there are
	sharePrefix    = "host/share/"    // host/share/HEX: a share, by the hash of its secret
	holderPrefix   = "h/"             // h/ID/...: the store of one holder
)

func accountKey(id string) []byte    { return []byte(accountPrefix + id) }
func numberKey(number string) []byte { return []byte(numberPrefix + number) }
func recoveryKey(at [32]byte) []byte { return []byte(recoveryPrefix + hex.EncodeToString(at[:])) }

// part is the store of one holder.
func (h *Host) part(id string) kv.Store { return kv.Sub(h.c.Store, holderPrefix+id+"/") }
