package host

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/page"
)

var (
	itemLink  = regexp.MustCompile(`href="/paspoort/([a-z2-7]{8})"`)
	hiddenID  = regexp.MustCompile(`name="id" value="([a-z2-7]{8})"`)
	wantShown = regexp.MustCompile(`<details class="pp-closed"( open)?>`)
)

// TestOwnWords: they are added, changed and taken away where they stand, and what is wanted
// stays closed.
func TestOwnWords(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	p.get("/paspoort").says("Uw paspoort is nog leeg", "Haal uw eerste bewijs op", "Schrijf iets over uzelf")

	p.post("/paspoort/words/who", "who_i_am", "Ik zorg voor mijn oma.\r\nAl jaren.", "talents", " Ik blijf  rustig. ", "talents", "", "drives", "Iemand helpen.").at("/paspoort")
	p.says("Bewaard. Dit staat nu in uw paspoort.", "Ik zorg voor mijn oma.", "Ik blijf rustig.", "Iemand helpen.")
	p.post("/paspoort/words/can", "skills", "Koken voor een grote groep", "skills", "Luisteren", "can_do", "Ik spreek Berbers.").at("/paspoort")
	p.says("Koken voor een grote groep", "Luisteren", "Ik spreek Berbers.", "zelf gezegd", "Ik blijf rustig.")
	p.post("/paspoort/words/want", "wishes", "Werken dicht bij huis.", "hours_wanted", "28,5").at("/paspoort")
	p.says("Werken dicht bij huis.", "28.5 uur per week werken", "Niemand ziet het")
	if found := wantShown.FindStringSubmatch(p.Page); found == nil || found[1] != "" {
		t.Errorf("what is wanted stands open: %q", found)
	}

	id := hiddenID.FindStringSubmatch(p.Page)
	if id == nil || len(slices.Compact(allFound(itemLink, p.Page))) != 1 {
		t.Fatalf("own words stand in %q, want one declaration", allFound(itemLink, p.Page))
	}
	p.post("/paspoort/words/can", "id", id[1], "skills", "Luisteren").at("/paspoort")
	if p.says("Luisteren"); strings.Contains(text(p.Page[strings.Index(p.Page, `id="can"`):]), "Ik spreek Berbers.") {
		t.Error("a line that was emptied is still there")
	}
	p.get("/paspoort/"+id[1]).says("Mijn eigen woorden", "Wat u zelf over uzelf zegt", "Ik zorg voor mijn oma.")
	p.post("/paspoort/words/who", "id", id[1], "back", "item").at("/paspoort/" + id[1]).says("Bewaard.")

	p.post("/paspoort/words/can", "id", id[1])
	p.post("/paspoort/words/want", "id", id[1]).at("/paspoort").says("Uw paspoort is nog leeg")
	p.get("/paspoort/" + id[1])
	if p.Status != http.StatusNotFound {
		t.Errorf("words of which nothing is left are still there: %d", p.Status)
	}
}

func allFound(re *regexp.Regexp, s string) (out []string) {
	for _, m := range re.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return out
}

// TestWordsThatDoNotFit: nothing is stored, what was typed stands there still, and the page
// says what to do.
func TestWordsThatDoNotFit(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	for _, tc := range []struct {
		name, section string
		fields        []string
		says          string
	}{
		{"too long", "who", []string{"talents", "Goed zo " + strings.Repeat("a", 300)}, "Een regel is te lang"},
		{"too many", "who", strings.Split(strings.Repeat("talents,x,", 8)[:len("talents,x,")*8-1], ","), ""}, // the same line eight times is one
		{"hours", "want", []string{"hours_wanted", "70"}, "Vul een getal in van 1 tot en met 60"},
		{"no number", "want", []string{"hours_wanted", "NaN"}, "Vul een getal in van 1 tot en met 60"},
		{"letters", "can", []string{"skills", "Koken\x07"}, "een teken"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p.post("/paspoort/words/"+tc.section, tc.fields...)
			if tc.says == "" {
				p.at("/paspoort").says("Bewaard.")
				p.post("/paspoort/words/" + tc.section)
				return
			}
			if p.Status != http.StatusUnprocessableEntity {
				t.Fatalf("got %d, want 422", p.Status)
			}
			p.says("Het is nog niet bewaard", tc.says)
			if typed := tc.fields[1]; !strings.Contains(p.Page, strings.TrimSuffix(typed, "\x07")) {
				t.Error("what was typed is gone")
			}
			p.get("/paspoort").says("Uw paspoort is nog leeg")
		})
	}
	p.post("/paspoort/words/other", "talents", "x")
	if p.Status != http.StatusNotFound {
		t.Errorf("a section that is none: got %d, want 404", p.Status)
	}
}

// TestWordsFromElsewhere: a declaration that was not written on the page is seen there and
// changed in its own place.
func TestWordsFromElsewhere(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	id := g.declare(p, map[string]any{"evidence": "self", "title": "Samira over zichzelf", "talents": []any{"Goed onthouden"},
		"skills": []any{map[string]any{"label": "Luisteren", "framework": "ESCO", "uri": "http://data.europa.eu/esco/skill/x"}}})
	p.get("/paspoort").says("Goed onthouden", "Luisteren", "Samira over zichzelf", "Schrijf iets over uzelf")
	p.post("/paspoort/words/who", "talents", "Rustig blijven").says("Rustig blijven", "Goed onthouden")
	p.get("/paspoort/"+id).says("Samira over zichzelf", "Goed onthouden")
	p.post("/paspoort/words/can", "id", id, "back", "item", "skills", "Luisteren", "skills", "Koken").at("/paspoort/"+id).says("Koken", "Goed onthouden")
	claims, err := g.open(p).Declaration(id)
	if err != nil {
		t.Fatal(err)
	}
	if first := claims["skills"].([]any)[0].(map[string]any); first["framework"] != "ESCO" {
		t.Errorf("a skill that kept its name lost its code: %v", first)
	}
}

// TestWordsKept: a form that was half filled in comes back, with the sentence that says so,
// also when the session ended before it was sent.
func TestWordsKept(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	p.post("/draft", "form", "words-who", "talents", "Nog niet af")
	if p.Status != http.StatusNoContent {
		t.Fatalf("the draft was answered with %d", p.Status)
	}
	p.get("/paspoort").says("Hier was u mee bezig")
	if !strings.Contains(p.Page, `value="Nog niet af"`) {
		t.Error("the draft is not in the form")
	}
	p.post("/paspoort/words/who", "talents", "Wel af").at("/paspoort")
	if p.get("/paspoort"); strings.Contains(text(p.Page), "Hier was u mee bezig") {
		t.Error("the draft is still there after saving")
	}
	g.clock.Advance(31 * time.Minute)
	p.post("/paspoort/words/can", "form", "words-can", "skills", "Te laat verstuurd").at("/in").says("bewaard")
	p.post("/in", "number", p.number, "passphrase", goodSecret).at("/paspoort")
	p.get("/paspoort").says("Hier was u mee bezig")
	if !strings.Contains(p.Page, `value="Te laat verstuurd"`) {
		t.Error("the form of the ended session is not there")
	}
}

// TestSuggest: what is typed goes in a form and never in an address.
func TestSuggest(t *testing.T) {
	labels := []string{"Zorgtechnologie gebruiken"}
	for i := range maxListed {
		labels = append(labels, "Aaa vaardigheid "+string(rune('A'+i%26))+string(rune('a'+i/26)))
	}
	g := newRig(t, func(c *Config) { c.Labels = labels })
	p := g.holder("Samira")
	p.get("/paspoort")
	if strings.Contains(p.Page, "Zorgtechnologie") || !strings.Contains(p.Page, "data-more>") {
		t.Error("a long list stands in the page, or a script is not told to ask")
	}
	var answer struct{ Words []string }
	p.post("/suggest", "typed", "zorg")
	p.asJSON(&answer)
	if !slices.Equal(answer.Words, []string{"Zorgtechnologie gebruiken"}) {
		t.Errorf("got %q", answer.Words)
	}
	p.post("/suggest", "typed", "aaa")
	if p.asJSON(&answer); len(answer.Words) != maxSuggested {
		t.Errorf("got %d words, want %d", len(answer.Words), maxSuggested)
	}
	p.get("/suggest?typed=zorg")
	if p.Status == http.StatusOK {
		t.Error("suggestions can be had by an address")
	}
	for _, list := range [][]string{everyday(page.Dutch), everyday(page.English)} {
		if n := len(distinct(slices.Clone(list))); n != len(list) || n < 120 {
			t.Errorf("%d words, %d of them different", len(list), n)
		}
	}
}

// TestNothingInAddresses: whatever a holder writes and looks at, no address of the pages
// holds a word of it.
func TestNothingInAddresses(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira").collect()
	p.post("/paspoort/words/who", "talents", "Zeldzaamwoord", "who_i_am", "Zeldzaamwoord")
	p.post("/paspoort/words/can", "skills", "Zeldzaamwoord")
	links := regexp.MustCompile(`(?:href|action|src)="([^"]*)"`)
	for _, path := range []string{"/paspoort", "/paspoort/all", "/history", "/shares", p.item(t)} {
		for _, link := range allFound(links, p.get(path).Page) {
			plain, _ := url.QueryUnescape(link)
			for _, secret := range []string{"Zeldzaam", "Samira", "verzorgen", p.number} {
				if strings.Contains(strings.ToLower(plain), strings.ToLower(secret)) {
					t.Errorf("%s leads to %s", path, link)
				}
			}
		}
	}
	if log := g.log.String(); strings.Contains(log, "Zeldzaam") || strings.Contains(log, "Samira") {
		t.Errorf("the log tells of the holder: %s", log)
	}
}
