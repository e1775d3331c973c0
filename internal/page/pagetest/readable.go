package pagetest

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/page"
)

const (
	worstShown  = 20 // texts listed per language
	leastWords  = 3  // a text of fewer is a label: it has no score
	longestEasy = 15 // words in a sentence of easy Dutch
)

// Readable holds every text of the kit to the rules for words and logs (go test -v)
// the twenty that are hardest to read, and the jargon. The score is that of Flesch,
// for Dutch with the weights of Douma (1960): 100 is easy, 60 is B1, below 30 is for
// scholars. It says how long words and sentences are and no more, so it is no limit.
func Readable(t *testing.T, k *page.Kit) {
	t.Helper()
	for _, lang := range k.Languages() {
		texts := k.Texts(lang)
		var scored []scoredText
		var jargon []string
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			for _, text := range texts[key] {
				for _, fault := range wordFaults(lang, text) {
					t.Errorf("%s %s: %s: %q", lang, key, fault, text)
				}
				if found := jargonIn(text); len(found) > 0 {
					jargon = append(jargon, key+": "+strings.Join(found, ", "))
				}
			}
			if text := texts[key][0]; len(words(unslotted(text))) >= leastWords {
				scored = append(scored, scoredText{key, text, score(lang, text)})
			}
		}
		report(t, lang, scored, jargon)
	}
}

type scoredText struct {
	key, text string
	score     float64
}

func report(t *testing.T, lang page.Language, scored []scoredText, jargon []string) {
	t.Helper()
	slices.SortFunc(scored, func(a, b scoredText) int { return cmp.Compare(a.score, b.score) })
	var b strings.Builder
	total := 0.0
	for i, s := range scored {
		total += s.score
		if i < worstShown {
			fmt.Fprintf(&b, "\n%6.0f  %s: %s", s.score, s.key, s.text)
		}
	}
	if len(scored) > 0 {
		t.Logf("%s: %d texts score %.0f on average; the worst:%s", lang, len(scored), total/float64(len(scored)), b.String())
	}
	if len(jargon) > 0 {
		t.Logf("%s: jargon in\n  %s", lang, strings.Join(jargon, "\n  "))
	}
}

var (
	// Words of our trade that nobody outside it needs (easy Dutch).
	tradeWords = regexp.MustCompile(`(?i)\b(wallet|credential|issuer|verifier|passkey)s?\b`)
	// Claims about the law that are not true of what we make (every language).
	falseClaims = regexp.MustCompile(`(?i)gekwalificeerd|erkend door de overheid`)
	// Words that make a reader stop.
	jargonWords = regexp.MustCompile(`(?i)\b(authenti\w*|autoris\w*|authoriz\w*|metadata|verifi(?:ër|eer|cat|y|er)\w*|tokens?|crypto\w*|revo(?:ke|cat)\w*|` +
		`hash(?:es)?|protocol\w*|sess(?:ie|ion)s?|endpoint\w*|server\w*|url|uri|json|jwt|api|key ?pair|sleutelpaar|checkpoint|quorum|` +
		`raft|leader|node|holder|houder|presentati(?:e|on)s?|issuers?|verifiers?|wallets?|credentials?|passkeys?|attestati\w*|` +
		`encrypt\w*|versleutel\w*|gedecodeer\w*|valider\w*|valid(?:ate|ity)\w*|implement\w*|identifi\w*|conform|middels|betreffende|desbetreffend\w*|` +
		`teneinde|inzake|derhalve|alsmede|digitale handtekening|signature|parameter\w*|browser|account\w*)\b`)
	slotText = regexp.MustCompile(`\{[a-z]+\}`)
)

// wordFaults are the rules that a text breaks.
func wordFaults(lang page.Language, text string) (faults []string) {
	text = unslotted(text)
	if found := falseClaims.FindString(text); found != "" {
		faults = append(faults, fmt.Sprintf("%q claims what is not so", found))
	}
	if lang != page.EasyDutch {
		return faults
	}
	if found := tradeWords.FindString(text); found != "" {
		faults = append(faults, fmt.Sprintf("%q is no word of easy Dutch", found))
	}
	for _, s := range sentences(text) {
		if n := len(words(s)); n > longestEasy {
			faults = append(faults, fmt.Sprintf("a sentence of %d words, more than %d", n, longestEasy))
		}
	}
	return faults
}

func jargonIn(text string) []string {
	found := jargonWords.FindAllString(strings.ToLower(unslotted(text)), -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// unslotted puts a short name where a value comes.
func unslotted(text string) string { return slotText.ReplaceAllString(text, "Jan") }

var sentenceEnd = regexp.MustCompile(`[.!?…]+(?:["”')]*)(?:\s+|$)|\n+`)

func sentences(text string) (out []string) {
	for _, s := range sentenceEnd.Split(text, -1) {
		if len(words(s)) > 0 {
			out = append(out, s)
		}
	}
	return out
}

var wordPattern = regexp.MustCompile(`[\p{L}\p{N}]+(?:['’.-][\p{L}\p{N}]+)*`)

func words(text string) []string { return wordPattern.FindAllString(strings.ToLower(text), -1) }

// score is Flesch-Douma for Dutch (206.84 - 0.93 x words per sentence - 77 x syllables
// per word) and Flesch for English (206.835 - 1.015 x and 84.6 x).
func score(lang page.Language, text string) float64 {
	text = unslotted(text)
	all, parts, count := words(text), len(sentences(text)), 0
	if len(all) == 0 || parts == 0 {
		return 100
	}
	for _, w := range all {
		if lang == page.English {
			count += englishSyllables(w)
		} else {
			count += dutchSyllables(w)
		}
	}
	perSentence, perWord := float64(len(all))/float64(parts), float64(count)/float64(len(all))
	if lang == page.English {
		return 206.835 - 1.015*perSentence - 84.6*perWord
	}
	return 206.84 - 0.93*perSentence - 77*perWord
}

// Vowels that sound as one, the longest first. A diaeresis begins a new syllable.
var dutchVowels = regexp.MustCompile(`aai|ooi|oei|eeu|ieu|[ïi]e|aa|ee|oo|uu|oe|eu|[uü]i|[iï]j|ei|au|ou|ai|[aeiouyáàâäéèêëíìîïóòôöúùûü]`)

func dutchSyllables(word string) int {
	return max(1, len(dutchVowels.FindAllString(word, -1)))
}

var (
	englishVowels = regexp.MustCompile(`[aeiou]+y?|y`)
	silentEnd     = regexp.MustCompile(`([^aeiouyl]e|[^aeiouytd]ed|[^aeiouyszxgc]es)$`)
)

func englishSyllables(word string) int {
	n := len(englishVowels.FindAllString(word, -1))
	if n > 1 && silentEnd.MatchString(word) {
		n--
	}
	return max(1, n)
}
