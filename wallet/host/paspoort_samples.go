package host

import (
	"fmt"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// The paspoort of the samples is made of entries as the engine gives them, so that what is
// looked at went the way of the real page.
type samplePaspoort struct {
	entries   []wallet.Entry
	standings map[string]wallet.Standing
	serial    int
}

func (s *samplePaspoort) add(kind paspoort.Type, title, by string, months int, skills ...string) *wallet.Entry {
	s.serial++
	e := wallet.Entry{Read: true, Proves: true, Given: "Samira", Family: "El Amrani", Day: sampleTime.AddDate(0, -months, -s.serial%27).Format(time.DateOnly)}
	e.Item = wallet.Item{ID: fmt.Sprintf("proof%03d", s.serial), Name: title, Type: string(kind), Issuer: wallet.Party{ID: "https://x.example", Name: by, Known: true}, Accepted: sampleTime.AddDate(0, -months, 0)}
	for _, label := range skills {
		e.Skills = append(e.Skills, paspoort.Skill{Label: label})
	}
	s.entries = append(s.entries, e)
	return &s.entries[len(s.entries)-1]
}

// stands says how the entry that was added last was found.
func (s *samplePaspoort) stands(level int, state paspoort.State, status, code string) {
	standing := wallet.Standing{State: state, Status: status, Code: code}
	if level >= 0 {
		standing.Level = &level
	}
	s.standings[s.entries[len(s.entries)-1].ID] = standing
}

func (s *samplePaspoort) words(title string, claims map[string]any) {
	s.serial++
	e := wallet.Entry{Read: true, Proves: true, Claims: claims}
	e.Item = wallet.Item{ID: fmt.Sprintf("words%03d", s.serial), Name: title, Type: string(paspoort.Zelfverklaring), OwnWords: true, Accepted: sampleTime}
	for _, label := range rowsOf(claims["skills"]) {
		e.Skills = append(e.Skills, paspoort.Skill{Label: label})
	}
	s.entries = append(s.entries, e)
}

func texts(lines ...string) (out []any) {
	for _, l := range lines {
		out = append(out, l)
	}
	return out
}

func sampleWords() map[string]any {
	return map[string]any{
		"evidence": "self", "title": wordsTitle.NL, "language": "nl",
		"who_i_am": "Ik werk graag met mijn handen en met mensen. Thuis zorg ik al jaren voor mijn oma.\n\nIk kom uit een groot gezin en ben gewend dat het druk is.",
		"talents":  texts("Ik blijf rustig als het druk is.", "Ik zie snel wat iemand nodig heeft."),
		"drives":   texts("Ik wil dat mijn werk iemand helpt.", "Ik leer graag door te doen."),
		"can_do":   texts("Ik spreek Nederlands en Berbers."),
		"skills":   texts("Koken voor een grote groep", "Rustig blijven als het druk is"),
		"wishes":   texts("Werken in de zorg, dicht bij huis.", "Over twee jaar een diploma halen."), "hours_wanted": 28.0,
	}
}

// fullSample has every kind of proof and everything that can be the matter with one.
func fullSample() *samplePaspoort {
	s := &samplePaspoort{standings: map[string]wallet.Standing{}}
	s.add(paspoort.Werkervaring, "Helpende in de wijk", "Zorggroep Linde", 2, "Goed met ouderen omgaan", "Zelfstandig werken").Ongoing = true
	s.stands(2, paspoort.OK, "valid", "")
	e := s.add(paspoort.Opleiding, "Basis verzorgen", "Opleidingshuis De Vaart", 4, "Verzorgen", "Luisteren")
	e.Skills[0].Level = "zelfstandig"
	s.stands(3, paspoort.OK, "valid", "")
	s.add(paspoort.Praktijkverklaring, "Werken in de keuken", "Leerbedrijf De Pan", 9, "Hygiënisch werken met eten")
	s.stands(4, paspoort.OK, "valid", "")
	s.add(paspoort.Referentie, "Samira als vrijwilliger", "Buurthuis De Schakel", 12, "Luisteren", "Samenwerken")
	s.stands(1, paspoort.Unknown, "unknown", "status_not_available")
	s.add(paspoort.Opleiding, "Bedrijfshulpverlening", "Opleidingshuis De Vaart", 30, "Eerste hulp geven")
	s.stands(-1, paspoort.Failed, "valid", "expired")
	s.add(paspoort.Opleiding, "Tillen en verplaatsen", "Opleidingshuis De Vaart", 14, "Iemand tillen met een tillift")
	s.stands(-1, paspoort.Failed, "suspended", "suspended")
	s.add(paspoort.Assessment, "Test digitaal werken", "Testbureau Klaver", 16, "Werken met Excel")
	s.stands(-1, paspoort.Failed, "invalid", "revoked")
	s.add(paspoort.Ontwikkelbudget, "Budget om te leren", "Zorggroep Linde", 3).Proves = false
	s.stands(-1, paspoort.OK, "valid", "")
	e = s.add(paspoort.Opleiding, "Lassen voor beginners", "onbekend.example", 20, "Lassen")
	e.Issuer.Known = false
	s.stands(-1, paspoort.Unknown, "unknown", "issuer_not_in_region")
	s.words(wordsTitle.NL, sampleWords())
	return s
}

// manySample is the paspoort of somebody with n proofs.
func manySample(n int) *samplePaspoort {
	s := &samplePaspoort{standings: map[string]wallet.Standing{}}
	kinds := []paspoort.Type{paspoort.Opleiding, paspoort.Werkervaring, paspoort.Assessment, paspoort.Praktijkverklaring, paspoort.Referentie}
	all := everyday(page.Dutch)
	for i := range n {
		s.add(kinds[i%len(kinds)], fmt.Sprintf("%s, deel %d", longTitle, i+1), "Opleidingshuis De Vaart en Omstreken", i/4, all[i%len(all)], all[(i*7+3)%len(all)])
		s.stands(1+i%4, paspoort.OK, "valid", "")
	}
	s.words(wordsTitle.NL, sampleWords())
	return s
}

// longSample has the longest of everything.
func longSample() *samplePaspoort {
	s := &samplePaspoort{standings: map[string]wallet.Standing{}}
	word := strings.Repeat("Verzorgingswerkzaamheden", 3)[:60]
	for i := range 3 {
		e := s.add(paspoort.Opleiding, word+" "+longTitle, longName, i, word, longTitle)
		e.Given, e.Family, e.Issuer.Known = word, longName, i > 0
		e.Skills[0].Level = word
		s.stands(i+1, paspoort.OK, "valid", "")
	}
	s.words(wordsTitle.NL, longWords(word))
	s.words("Samira over zichzelf, geschreven op een andere plek", map[string]any{"evidence": "self", "talents": texts("Ik kan goed onthouden wat iemand zegt.")})
	return s
}

// longWords are as much as one can say.
func longWords(word string) map[string]any {
	sentence := strings.TrimSpace(strings.Repeat("Ik wil graag verder leren en werken in de zorg voor ouderen. ", 5)[:298])
	seven := make([]string, 7)
	for i := range seven {
		seven[i] = fmt.Sprintf("%d %s", i+1, sentence[:290])
	}
	story := strings.TrimSpace(strings.Repeat(sentence+"\n\n", 7)[:2000])
	return map[string]any{"evidence": "self", "title": wordsTitle.NL, "who_i_am": story, "talents": texts(seven...), "drives": texts(seven...), "can_do": texts(seven...),
		"skills": texts(word, longTitle), "wishes": texts(seven...), "hours_wanted": 32.5}
}

// mostSample is somebody with everything that fits.
func mostSample() *samplePaspoort {
	s := manySample(200)
	s.entries = s.entries[:200]
	s.words(wordsTitle.NL, longWords(longTitle))
	return s
}

// page makes the page of it.
func (s *samplePaspoort) page(name string) paspoortPage {
	j := judge{sampleTime, s.standings}
	data := paspoortPage{Name: name, Words: wordsIn(s.entries), Host: "https://paspoort.example", Suggestions: suggestions{Words: everyday(page.Dutch)}}
	if s.standings != nil {
		data.Checked = sampleTime
	}
	data.fill(j, s.entries)
	main := mainWords(s.entries)
	data.Who, data.Can, data.Want = formOf(sectionWho, main.ID, main.Claims), formOf(sectionCan, main.ID, main.Claims), formOf(sectionWant, main.ID, main.Claims)
	data.Who.Draft, data.Can.Draft, data.Want.Draft = true, true, true
	return data
}

func paspoortSamples() []page.Sample[paspoortPage] {
	full := fullSample()
	unchecked := fullSample()
	unchecked.standings = nil
	words := &samplePaspoort{}
	words.words(wordsTitle.NL, sampleWords())
	saved, drafted, wrong, want := full.page("Samira"), full.page("Samira"), full.page("Samira"), full.page("Samira")
	saved.Saved = sectionWho
	drafted.Who.Drafted, drafted.Who.Open = true, true
	wrong.Can.Open, wrong.Wrong = true, sectionCan
	wrong.Can.Fields[0].Fault, wrong.Can.Fields[1].Fault = "many", "long"
	most := mostSample().page(longName)
	most.Want.Open = true
	want.Want.Open, want.Wrong = true, sectionWant
	want.Want.Fields[1].Rows, want.Want.Fields[1].Fault = []string{"70"}, "hours"
	return inside(
		state("empty", (&samplePaspoort{}).page("Samira")), state("no-name", (&samplePaspoort{}).page("")), state("words", words.page("Samira")),
		state("full", full.page("Samira")), state("unchecked", unchecked.page("Samira")), state("saved", saved), state("drafted", drafted), state("wrong", wrong),
		state("wrong-hours", want), state("long", longSample().page(longName)), state("many", manySample(200).page("Samira")), state("most", most),
	)
}

func allSamples() []page.Sample[allPage] {
	make := func(s *samplePaspoort, n, last int) allPage {
		data := allPage{Total: len(s.entries), Page: n, Last: last}
		for _, e := range s.entries[:min(len(s.entries), perPage)] {
			data.Proofs = append(data.Proofs, judge{sampleTime, s.standings}.row(e))
		}
		return data
	}
	return inside(state("empty", allPage{Page: 1, Last: 1}), state("full", make(fullSample(), 1, 1)), state("long", make(longSample(), 1, 1)),
		state("first", make(manySample(200), 1, 6)), state("middle", make(manySample(200), 3, 6)), state("last", make(manySample(200), 6, 6)))
}

func removeSamples() []page.Sample[removePage] {
	return inside(state("proof", removePage{ID: "proof001", Title: "Basis verzorgen", By: "Opleidingshuis De Vaart"}),
		state("words", removePage{ID: "words001", Title: wordsTitle.NL, OwnWords: true}), state("long", removePage{ID: "proof001", Title: longTitle, By: longName}))
}

func itemSamples() []page.Sample[itemPage] {
	good := sampleItem(judgement{Level: "3"})
	revoked := sampleItem(judgement{levelNone, standRevoked, true})
	revoked.Sentence = paspoort.Text{NL: "Ingetrokken door de uitgever. Dat stond in de lijst van 2 maart 2026.", EN: "Revoked by the issuer, as the list of 2 March 2026 says."}
	partly := sampleItem(judgement{levelDoubt, standPartly, false})
	partly.By, partly.Sentence, partly.Renewable, partly.Unused = stranger, paspoort.Sentence("issuer_not_in_region"), false, 0
	unchecked := sampleItem(judgement{levelDoubt, standUnchecked, false})
	unchecked.Judged, unchecked.Checks, unchecked.Basis = false, nil, nil
	few := sampleItem(judgement{Level: "1"})
	few.FewLeft, few.Unused = true, 1
	budget := sampleItem(judgement{Level: levelNone})
	budget.Type, budget.About, budget.CanDo, budget.Skills, budget.How = paspoort.Ontwikkelbudget.Name(), paspoort.Ontwikkelbudget.About(), nil, nil, nil
	long := sampleItem(judgement{Level: "2"})
	long.Title, long.Person, long.By.Name = longTitle, longName, longName
	long.Skills = append(long.Skills, paspoort.Skill{Label: strings.Repeat("Verzorgingswerkzaamheden", 3)[:60], Level: longName})
	samples := []page.Sample[itemPage]{
		state("good", good), state("revoked", revoked), state("partly", partly), state("unchecked", unchecked), state("few", few), state("budget", budget), state("long", long),
	}
	for _, stand := range []string{standSuspended, standExpired, standFailed, standForeign} {
		samples = append(samples, state(stand, sampleItem(judgement{levelNone, stand, stand != standForeign})))
	}
	own := itemPage{ID: "words001", Title: wordsTitle.NL, Type: paspoort.Zelfverklaring.Name(), About: paspoort.Zelfverklaring.About(), OwnWords: true, Got: sampleTime,
		judgement: judgement{Level: levelOwn}, CanDo: []string{"Ik spreek Nederlands en Berbers."}, Skills: []paspoort.Skill{{Label: "Koken voor een grote groep"}},
		Says: []wallet.Line{{Label: "Wie ik ben", Value: "Ik werk graag met mijn handen en met mensen."}}, Suggestions: suggestions{Words: everyday(page.Dutch)}}
	for _, section := range []string{sectionWho, sectionCan, sectionWant} {
		f := formOf(section, own.ID, sampleWords())
		f.Back = "item"
		own.Forms = append(own.Forms, f)
	}
	saved := own
	saved.Saved = sectionCan
	wrong := own
	wrong.Wrong, wrong.Forms = sectionWho, []wordsForm{own.Forms[0]}
	return inside(append(samples, state("words", own), state("words-saved", saved), state("words-wrong", wrong))...)
}

func sampleItem(j judgement) itemPage {
	sentence := func(name, code string, state paspoort.State) itemCheck {
		return itemCheck{paspoort.CheckTitle(name), state, paspoort.Sentence(code)}
	}
	return itemPage{
		ID: "proof001", Title: "Basis verzorgen", Type: paspoort.Opleiding.Name(), About: paspoort.Opleiding.About(), Got: sampleTime, judgement: j,
		Person: "Samira El Amrani", By: sampleIssuer, Period: itemPeriod{sampleTime.AddDate(-1, 0, 0), sampleTime.AddDate(0, -6, 0)},
		CanDo:   []string{"U helpt iemand met wassen en aankleden.", "U merkt dat het met iemand niet goed gaat, en zegt dat door."},
		Skills:  []paspoort.Skill{{Label: "Verzorgen", Level: "zelfstandig"}, {Label: "Luisteren"}},
		Says:    []wallet.Line{{Label: "Uren", Value: "80"}},
		How:     []wallet.Line{{Label: "Soort bewijs", Value: "toets of examen"}, {Label: "Resultaat", Value: "gehaald"}, {Label: "Toezicht bij de toets", Value: "op locatie, en gecontroleerd wie het was"}},
		Awarded: sampleTime.AddDate(0, -6, 0), Until: sampleTime.AddDate(3, 0, 0), Judged: true,
		Checks: []itemCheck{sentence(paspoort.CheckSignature, "signature_ok", paspoort.OK), sentence(paspoort.CheckValidity, "no_end", paspoort.OK),
			sentence(paspoort.CheckStatus, "status_not_available", paspoort.Unknown), sentence(paspoort.CheckSchema, "schema_broken", paspoort.Failed)},
		Basis:     []registryLine{{"Regio Aakermonde", 3 * time.Hour, paspoort.Sentence("trust_witnessed")}},
		Technical: []technicalLine{{"id", "proof001"}, {"issuer", "https://vaart.example"}, {"format", "dc+sd-jwt"}, {"key", "x5c"}, {"signed", "2025-09-02"}, {"existed", "2025-09-02T10:00:00Z"}, {"status", "2026-03-02T12:00:00Z"}, {"timestamps", "2"}},
		Copies:    10, Unused: 7, Renewable: true,
	}
}
