package host

import (
	"strings"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

const longTitle = "Persoonlijk begeleiden van mensen met een verstandelijke zorgvraag in de wijk"

func sampleEntry(id, label string, why closing) shareEntry {
	return shareEntry{
		Share: wallet.Share{
			ID: id, Label: label, By: "Samira Voorbeeld", Purpose: "Werken in de thuiszorg bij Zorggroep De Meent", Made: sampleTime.AddDate(0, 0, -3), Until: sampleTime.AddDate(0, 0, 11),
			Openings: 10, Code: true, Shown: []wallet.ShownCredential{{Name: "Helpen bij dagelijkse zorg", Claims: []string{"Titel", "Verzorgen (basis)", "Soort bewijs"}}, {Name: "Over mij", Claims: []string{"Wie ik ben"}}},
		},
		Opened: 2, Left: 8, Why: why,
	}
}

func sharesSamples() []page.Sample[sharesPage] {
	asked := sampleEntry("c", "", closedUsedUp)
	asked.AskedAt = sampleTime.Add(-time.Hour)
	long := sampleEntry("l", longName, "")
	long.Purpose = strings.Repeat("Lang en toch te lezen. ", 13)
	var full sharesPage
	for i := range maxOpenShares {
		full.Open = append(full.Open, sampleEntry("f"+string(rune('A'+i)), "Zorggroep De Meent", ""))
	}
	full.Full = true
	return inside(
		state("empty", sharesPage{}),
		page.Sample[sharesPage]{Name: "open", Data: sharesPage{Open: []shareEntry{sampleEntry("a", "Zorggroep De Meent", "")}}},
		page.Sample[sharesPage]{Name: "closed", Data: sharesPage{Closed: []shareEntry{asked, sampleEntry("d", "Zorggroep De Meent", closedWithdrawn), sampleEntry("e", "", closedEnded),
			sampleEntry("g", "", closedCodes), sampleEntry("h", "", closedElsewhere)}}},
		page.Sample[sharesPage]{Name: "long", Data: sharesPage{Open: []shareEntry{long}, Closed: []shareEntry{asked}}},
		page.Sample[sharesPage]{Name: "full", Data: full},
	)
}

func samplePick(n int) (out []sharePickItem) {
	for i := range n {
		out = append(out, sharePickItem{ID: "i" + string(rune('0'+i/10)) + string(rune('0'+i%10)), Name: longTitle, Type: paspoort.Opleiding.Name(), Issuer: "Opleidingshuis De Vaart", Chosen: i == 1})
	}
	return out
}

func sharePickSamples() []page.Sample[sharePickPage] {
	return inside(
		page.Sample[sharePickPage]{Name: "some", Data: sharePickPage{Items: samplePick(12), Most: wallet.MaxShareItems}},
		page.Sample[sharePickPage]{Name: "many", Data: sharePickPage{Items: samplePick(200), Most: wallet.MaxShareItems}},
		page.Sample[sharePickPage]{Name: "nothing", Data: sharePickPage{Items: samplePick(12), Most: wallet.MaxShareItems, Fault: "nothing"}},
	)
}

func sampleNewItems(n int) (out []shareNewItem) {
	for _, pick := range samplePick(n) {
		out = append(out, shareNewItem{sharePickItem: pick, Seen: pick.ID == "i01",
			Lines: []shareNewLine{{"title", "Titel", longTitle, true}, {"skill-1", "Vaardigheden", "Verzorgen (basis)", true}, {"given_name", "Voornaam", longName, false},
				{"can_do", "Wat deze persoon kan", "Helpt iemand met wassen, aankleden en eten.; Werkt schoon en veilig, volgens de regels van de afdeling.", true}},
			Always: []wallet.Line{{Name: "evidence", Label: "Soort bewijs", Value: "Examen", Always: true}, {Name: "result", Label: "Resultaat", Value: "Gehaald", Always: true}},
		})
	}
	return out
}

func shareNewSamples() []page.Sample[shareNewPage] {
	make := func(name string, n int, change func(*shareNewPage)) page.Sample[shareNewPage] {
		data := shareNewPage{Token: "x", Form: shareForm{By: "Samira Voorbeeld", Days: 14, Times: 10, Second: true}, Items: sampleNewItems(n), DayChoices: dayChoices, TimeChoices: timeChoices}
		change(&data)
		return page.Sample[shareNewPage]{Name: name, Data: data}
	}
	fault := func(word string) func(*shareNewPage) { return func(p *shareNewPage) { p.Fault = word } }
	return inside(
		make("empty", 0, func(*shareNewPage) {}),
		make("first", 1, func(*shareNewPage) {}),
		make("seen", 2, func(p *shareNewPage) { p.Seen = true }),
		make("many", wallet.MaxShareItems, func(p *shareNewPage) { p.More, p.Form.By = true, longName }),
		make("drafted", 2, func(p *shareNewPage) { p.Drafted, p.Form.Label, p.Form.Purpose = true, "De Meent", "Werken in de zorg" }),
		make("nothing", 2, fault("nothing")), make("by", 2, fault("by")), make("purpose", 2, fault("purpose")), make("label", 2, fault("label")), make("full", 2, fault("full")),
		make("big", 2, fault("big")), make("again", 2, fault("again")), make("changed", 2, fault("changed")), make("limits", 2, fault("limits")),
	)
}

func shareMadeSamples() []page.Sample[shareMadePage] {
	data := shareMadePage{Name: "x", Link: "https://paspoort.example/s/4fJb2kq0T6mXcW1nVtYzR8uHsE5pGdLaQo3iKjN7BxM", Message: shareMessage{"Samira Voorbeeld", "Werken in de thuiszorg bij Zorggroep De Meent"},
		Code: []string{"402", "816"}, Label: "De Meent", Until: sampleTime.AddDate(0, 0, 14), Openings: 10}
	plain := data
	plain.Code, plain.Message.By, plain.Openings = nil, longName, 1
	return inside(state("code", data), state("plain", plain))
}

func shareDoorSamples() []page.Sample[shareDoorPage] {
	data := shareDoorPage{Path: "/s/x", By: "Samira Voorbeeld", Purpose: "Werken in de thuiszorg bij Zorggroep De Meent", Until: sampleTime.AddDate(0, 0, 14), Left: 10, Tries: 4}
	with := func(name string, change func(*shareDoorPage)) page.Sample[shareDoorPage] {
		d := data
		change(&d)
		return page.Sample[shareDoorPage]{Name: name, Data: d}
	}
	return []page.Sample[shareDoorPage]{
		with("open", func(*shareDoorPage) {}),
		with("code", func(d *shareDoorPage) { d.NeedsCode = true }),
		with("wrong-code", func(d *shareDoorPage) { d.NeedsCode, d.Fault = true, "code" }),
		with("no-code", func(d *shareDoorPage) { d.NeedsCode, d.Fault = true, "empty" }),
		with("busy", func(d *shareDoorPage) { d.NeedsCode, d.Fault = true, "busy" }),
		with("later", func(d *shareDoorPage) { d.Fault = "later" }),
		with("last-long", func(d *shareDoorPage) { d.Left, d.By = 1, longName }),
	}
}

func shareClosedSamples() (out []page.Sample[shareClosedPage]) {
	for _, why := range []closing{closedWithdrawn, closedEnded, closedUsedUp, closedCodes, closedLeft} {
		out = append(out, page.Sample[shareClosedPage]{Name: string(why), Data: shareClosedPage{Path: "/s/x", Why: why, Can: why != closedLeft}})
	}
	return append(out, page.Sample[shareClosedPage]{Name: "asked", Data: shareClosedPage{Path: "/s/x", Why: closedEnded, Can: true, Asked: true}})
}

// sampleProof is a proof as it is found on a good day.
func sampleProof() openedItem {
	say := func(nl, en string) paspoort.Text { return paspoort.Text{NL: nl, EN: en} }
	return openedItem{
		Title: "Helpen bij dagelijkse zorg", Type: paspoort.Opleiding.Name(), By: "Opleidingshuis De Vaart", Known: true, Region: "Regio Aakermonde", Level: "3",
		ValidUntil: time.Date(2031, 5, 8, 0, 0, 0, 0, time.UTC), State: paspoort.OK,
		Checks: []openedCheck{
			{paspoort.CheckTitle(paspoort.CheckSignature), paspoort.OK, paspoort.Sentence("signature_ok")},
			{paspoort.CheckTitle(paspoort.CheckStatus), paspoort.OK, say("Niet ingetrokken. De lijst is 4 minuten oud.", "Not revoked. The list is 4 minutes old.")},
			{paspoort.CheckTitle(paspoort.CheckIssuerAdmitted), paspoort.OK, say("De uitgever was toegelaten op 8 mei 2026 en is dat nog.", "The issuer was admitted on 8 May 2026 and still is.")},
		},
		Lines: []openedLine{{say("Vaardigheden", "Skills"), say("Verzorgen (basis)", "Verzorgen (basis)")}, {say("Soort bewijs", "Kind of evidence"), say("Examen", "Exam")}, {say("Resultaat", "Result"), say("Gehaald", "Passed")}},
	}
}

func sampleOwn() openedItem {
	text := paspoort.Text{NL: "Ik werk graag met mensen.", EN: "Ik werk graag met mensen."}
	return openedItem{Title: "Over mij", Type: paspoort.Zelfverklaring.Name(), OwnWords: true, Level: "0", State: paspoort.OK, Lines: []openedLine{{paspoort.Text{NL: "Wie ik ben", EN: "Who I am"}, text}},
		Checks: []openedCheck{{paspoort.CheckTitle(paspoort.CheckSignature), paspoort.OK, paspoort.Sentence("signature_ok")}}}
}

func shareOpenedSamples() []page.Sample[shareOpenedPage] {
	base := func() shareOpenedPage {
		return shareOpenedPage{
			Path: "/s/x", Ticket: "x", Names: []string{"Samira Voorbeeld-Idrissi"}, By: "Samira Voorbeeld", Purpose: "Werken in de thuiszorg bij Zorggroep De Meent", Made: sampleTime, Until: sampleTime.AddDate(0, 0, 14),
			Number: 3, Left: 7, Items: []openedItem{sampleProof(), sampleOwn()}, Checked: true, At: sampleTime.AddDate(0, 0, 2), Host: "Paspoort Aakermonde",
			SameHolder: paspoort.Check{State: paspoort.Unknown, Sentence: paspoort.Sentence("only_names_equal")}, Nodes: []string{"https://knoop-1.aakermonde.example/check"}, ViewEnds: sampleTime.Add(ticketAge),
			Self:       []selfCheck{{Snippet: commands("https://knoop-1.aakermonde.example", strings.Repeat("3f2a", 16), []string{"https://opleidingshuis-de-vaart.example/status/opleiding/1"})}},
			Registries: []registryLine{{"Regio Aakermonde", 4 * time.Minute, paspoort.Sentence("trust_witnessed")}},
		}
	}
	with := func(name string, change func(*shareOpenedPage)) page.Sample[shareOpenedPage] {
		d := base()
		change(&d)
		return page.Sample[shareOpenedPage]{Name: name, Data: d}
	}
	return []page.Sample[shareOpenedPage]{
		with("good", func(*shareOpenedPage) {}),
		with("failed", func(d *shareOpenedPage) {
			d.Failed = 1
			i := &d.Items[0]
			i.Level, i.State = "", paspoort.Failed
			i.Checks[1].State, i.Checks[1].Sentence = paspoort.Failed, paspoort.Text{NL: "Ingetrokken door de uitgever. Dat stond in de lijst van 2 maart 2026.", EN: "Revoked by the issuer, as the list of 2 March 2026 says."}
		}),
		with("unknown", func(d *shareOpenedPage) {
			d.Doubtful, d.Names, d.Registries, d.Left = 1, nil, nil, 0
			i := &d.Items[0]
			i.Level, i.LevelThen, i.State, i.Known, i.Title, i.ValidUntil = "", "3", paspoort.Unknown, false, "", time.Time{}
			i.Checks[2].State, i.Checks[2].Sentence = paspoort.Unknown, paspoort.Sentence("registry_absent")
		}),
		with("unchecked", func(d *shareOpenedPage) {
			d.Checked, d.Names, d.Registries, d.SameHolder, d.Nodes, d.Self = false, nil, nil, paspoort.Check{}, nil, nil
			d.Items[0].Checks, d.Items[0].Level, d.Items[0].LevelThen, d.Items[0].State = nil, "", "3", paspoort.Unknown
		}),
		with("many-long", func(d *shareOpenedPage) {
			d.Names, d.By = []string{longName, "Samira Voorbeeld-Idrissi"}, longName
			d.Self[0].Region = "Regio Aakermonde"
			d.Self = append(d.Self, selfCheck{Region: longName, Snippet: commands("https://knoop-1.overkant.example", strings.Repeat("90bc", 16), nil)})
			for range wallet.MaxShareItems - 2 {
				i := sampleProof()
				i.Title, i.By = longTitle, longName
				d.Items = append(d.Items, i)
			}
		}),
	}
}
