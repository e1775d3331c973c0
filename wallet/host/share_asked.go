package host

import "paspoort.example/paspoort/wallet"

// askedFor is how many readers asked for a new link and wait.
func (h *Host) askedFor(*wallet.Wallet) int { return 0 }
