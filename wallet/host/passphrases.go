package host

import (
	"encoding/binary"
	"io"
	"strings"

	"paspoort.example/paspoort/internal/page"
)

// Helping with a passphrase: no rules about signs, an example that may be taken over, and
// a no to what everybody tries first.

// known are passphrases that are tried first by whoever guesses.
var known = []string{
	"wachtwoord", "password", "welkom", "geheim", "qwerty", "azerty", "paspoort", "passport", "12345678", "87654321", "11111111", "00000000",
	"letmein", "abcdefgh", "iloveyou", "ikhouvanjou", "voetbal", "feyenoord", "amsterdam", "nederland", "zomer", "winter", "lente", "herfst",
}

// tooKnown says whether a passphrase is one that is tried first: a known one with some
// digits behind it, one sign again and again, or the name.
func tooKnown(passphrase, name string) bool {
	p := strings.ToLower(strings.TrimSpace(passphrase))
	core := strings.TrimRight(p, "0123456789!?. ")
	for _, k := range append(known, strings.ToLower(strings.TrimSpace(name))) {
		if k != "" && (core == k || p == k) {
			return true
		}
	}
	return p != "" && strings.Trim(p, p[:1]) == ""
}

// exampleWords is how many words an example has: 4 of 256 are 32 bits, and each guess
// costs a derivation with 64 MiB.
const exampleWords = 4

// example is a passphrase that nobody had before.
func example(random io.Reader, lang page.Language) (string, error) {
	list := dutchWords
	if lang == page.English {
		list = englishWords
	}
	words := make([]string, exampleWords)
	for i := range words {
		var b [2]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", err
		}
		words[i] = list[int(binary.BigEndian.Uint16(b[:]))%len(list)]
	}
	return strings.Join(words, " "), nil
}
