package statusarchive

import (
	"crypto/sha256"
	"encoding/hex"

	"paspoort.example/paspoort/specs/statuslist"
)

// Digest is of what a list says, as [List] gives it: equal digests of two tokens mean that
// every entry has the same status in both.
func Digest(l *statuslist.List) string {
	sum := sha256.Sum256(append([]byte{byte(l.Bits())}, l.Bytes()...))
	return hex.EncodeToString(sum[:])
}
