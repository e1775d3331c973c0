package wallet

// Quick is c with a key derivation that protects nothing and takes no time.
func Quick(c Config) Config {
	c.testingKDF = &argon2id{Time: 1, Memory: 8 << 10, Lanes: 1}
	return c
}
