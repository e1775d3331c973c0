package wallet

// In is the same paspoort for a reader of other languages, most wanted first.
func (w *Wallet) In(languages ...string) *Wallet {
	c, client := *w, *w.vci
	client.Languages = languages
	c.c.Languages, c.vci = languages, &client
	return &c
}

// Waste does the work of a passphrase that opens nothing, so that nobody can tell by the
// time it takes whether there is a paspoort to open.
func Waste(c Config, passphrase []byte) {
	if c.check() != nil {
		return
	}
	if kdf, err := newArgon2(c.Rand, c.testingKDF); err == nil {
		_, _ = kdf.key(passphrase)
	}
}

// TestingCheap is c with a key derivation that protects nothing and takes no time: a door
// for the tests of what is built on this package.
func TestingCheap(c Config) Config {
	c.testingKDF = &argon2id{Time: 1, Memory: 8 << 10, Lanes: 1}
	return c
}
