package registry

import (
	"math/big"
	"testing"
)

// PlantSelfApproval makes a state forget that nobody approves itself: the control of the
// tests that check that.
func PlantSelfApproval(s *State) { s.testingSelfApproval = true }

// HighS gives the other signature that plain ECDSA would accept for the same event.
func HighS(t testing.TB, signature string) string {
	t.Helper()
	raw, err := b64.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	s := new(big.Int).SetBytes(raw[32:])
	s.Sub(p256Order, s).FillBytes(raw[32:])
	return b64.EncodeToString(raw)
}

// Rollback takes back the leaves from size on, as a replica does that was misled.
func Rollback(s *State, size uint64, logTime int64) {
	genesis := s.genesis
	if size == 0 {
		genesis = ""
	}
	s.rollback(size, genesis, logTime)
}

// TestingBody is the body that was prepared.
func (p *Prepared) TestingBody() Body { return p.body }
