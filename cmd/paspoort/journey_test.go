package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"paspoort.example/paspoort/specs/paspoort"
)

// budget is how many actions the way from a blank profile to the first credential may
// take, and from there to the first share.
const budget = 12

// A traveller is a holder with a browser, on one screen and in one language.
type traveller struct {
	*tab
	land *land
	host string // where the paspoort is kept
	lang string // as the catalogs name it

	name, passphrase string
	number, code     string // papers: paspoortnummer and recovery code
	own              string // words of one's own
	first            string // path of the first credential
}

// people are invented, a name for each pair of screen and language. The first is sixty
// letters long: pages must bear it.
var people = []string{
	"Wilhelmina-Catharina Schijnstra-van Oudshoorn tot Voorbeeldo", "Fenne Proefkonijn", "Mehmet Nagemaakt", "Agnieszka Verzonnen", "Bram Testerveld",
	"Ayaan Bedachtzaam", "Lotte Modelhuis", "Tesfay Nepstra", "Ingrid Fictiesen",
}

// TestJourneys walks every journey of a holder in a real browser, through a region in real
// processes, on three screens and in three languages. Then it looks at what is left behind.
func TestJourneys(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a region and a browser; run without -short")
	}
	l := found(t)
	l.remember(ownSkill, firstPurpose, passkeyLabel)
	all := &figures{}
	sessionOver := l.sessionEnds(t)       // after a minute, beside the journeys
	t.Run("holders", func(t *testing.T) { // returns when all that run beside each other are done
		for i, width := range []int{360, 768, 1280} {
			for j, lang := range []string{"nl", "nl-A2", "en"} {
				t.Run(fmt.Sprintf("%d/%s", width, lang), func(t *testing.T) {
					t.Parallel()
					p := l.traveller(t, people[3*i+j], width, lang)
					p.own = fmt.Sprintf("Ik bloei op bij %s en stilte", strings.Fields(p.name)[1])
					l.remember(p.own)
					p.walk(all)
				})
			}
		}
	})
	all.print(t)
	t.Run("a session that ended", sessionOver)
	var onDisk func(*testing.T)
	t.Run("never seen", func(t *testing.T) { onDisk = l.neverSeen(t) })
	t.Run("to another host", l.moves)
	l.count(t)
	if err := l.Process("verifier").Stop(); err != nil {
		t.Fatal(err)
	}
	if onDisk != nil {
		t.Run("never seen on the disk", onDisk)
	}
	t.Run("left behind", l.leftBehind)
}

// walk is all journeys of one holder.
func (p *traveller) walk(all *figures) {
	p.t.Helper()
	o := p.land.offer(p.t, "opleider", paspoort.Opleiding, nil)
	p.firstCredential(o)
	toFirst := p.effort
	p.share()
	toShare := p.effort.minus(toFirst)
	all.add(p.tab.name, "blank profile to first credential", toFirst)
	all.add(p.tab.name, "first credential to first share", toShare)
	if toFirst.actions > budget || toShare.actions > budget {
		p.t.Errorf("the budget is %d actions each; to the first credential: %v; from there to the first share: %v", budget, toFirst, toShare)
	}
	for name, journey := range p.journeys() {
		before := p.effort
		journey()
		all.add(p.tab.name, name, p.effort.minus(before))
	}
}

// journeys are those of the issue, in an order in which each finds what it needs.
func (p *traveller) journeys() func(yield func(string, func()) bool) {
	list := []struct {
		name string
		walk func()
	}{
		{"1 begin: passkeys, another's device", p.beginsWell},
		{"2 collect", p.collects},
		{"3 mijn paspoort", p.looks},
		{"4 answer a request", p.answers},
		{"5 share", p.shares},
		{"7 take along", p.takesAlong},
		{"6 history and care", p.cares},
	}
	return func(yield func(string, func()) bool) {
		for _, j := range list {
			if !yield(j.name, j.walk) {
				return
			}
		}
	}
}

// traveller is somebody with a blank browser.
func (l *land) traveller(t *testing.T, name string, width int, lang string) *traveller {
	t.Helper()
	accept := map[string]string{"nl": "nl-NL", "nl-A2": "nl-NL", "en": "en-GB"}[lang]
	p := &traveller{tab: newTab(t, l.browser, fmt.Sprintf("%d-%s", width, lang), width, accept), land: l, host: l.ready.Wallet.URL, lang: lang}
	p.name = name
	p.passphrase = "zeven " + strings.ToLower(strings.Fields(name)[1]) + " boten"
	l.remember(name, p.passphrase)
	return p
}

// another is a clean browser of somebody else or elsewhere, beside the traveller's.
func (p *traveller) another(what string) *traveller {
	p.t.Helper()
	out := *p
	accept := map[string]string{"nl": "nl-NL", "nl-A2": "nl-NL", "en": "en-GB"}[p.lang]
	out.tab = newTab(p.t, p.land.browser, p.tab.name+"-"+what, p.width, accept)
	return &out
}

// reads checks that the page says a text of the catalog in the traveller's language.
// Where values come, anything may stand.
func (p *traveller) reads(key string) {
	p.t.Helper()
	text, ok := p.land.words[p.lang][key]
	if !ok {
		p.t.Fatalf("no text %s in %s", key, p.lang)
	}
	rest := flat(p.page.Text)
	for _, part := range slots.Split(text, -1) {
		_, after, found := strings.Cut(rest, flat(part))
		if !found {
			p.fatalf("the page does not say %s: %q", key, text)
		}
		rest = after
	}
	p.speaks()
}

// speaks checks the language of the page.
func (p *traveller) speaks() {
	p.t.Helper()
	tag, easy := strings.CutSuffix(p.lang, "-A2")
	if p.page.Lang != tag || p.page.Easy != easy {
		p.fatalf("the page is in %q (easy: %v), want %s", p.page.Lang, p.page.Easy, p.lang)
	}
	if found := tradeWords.FindString(p.page.Text); easy && found != "" {
		p.fatalf("the page says %q, which is no word of easy Dutch", found)
	}
}

// tradeWords do not occur on a page in easy Dutch.
var tradeWords = regexp.MustCompile(`(?i)\b(wallet|credential|issuer|verifier|passkey)s?\b`)

// figures are the efforts of all, to print.
type figures struct {
	mu   sync.Mutex
	rows map[string]map[string]effort // by journey, by traveller
}

func (f *figures) add(who, journey string, e effort) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rows == nil {
		f.rows = map[string]map[string]effort{}
	}
	if f.rows[journey] == nil {
		f.rows[journey] = map[string]effort{}
	}
	f.rows[journey][who] = e
}

func (f *figures) print(t *testing.T) {
	var out strings.Builder
	for _, journey := range slices.Sorted(maps.Keys(f.rows)) {
		fmt.Fprintf(&out, "\n%s\n", journey)
		for _, who := range slices.Sorted(maps.Keys(f.rows[journey])) {
			fmt.Fprintf(&out, "  %-12s %v\n", who, f.rows[journey][who])
		}
	}
	t.Log(out.String())
}
