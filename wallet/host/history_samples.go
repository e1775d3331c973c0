package host

import (
	"fmt"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/wallet"
)

func historySamples() []page.Sample[historyPage] {
	shown := []wallet.ShownCredential{{Name: "Basis verzorgen", Claims: []string{"Titel", "Verzorgen", "Soort bewijs", "Resultaat"}}, {Name: wordsTitle.NL, Claims: []string{"Wie ik ben"}}}
	vaart, linde := wallet.Party{ID: "https://vaart.example", Name: "Opleidingshuis De Vaart", Known: true}, wallet.Party{ID: "https://linde.example", Name: "Zorggroep Linde", Known: true}
	events := []wallet.Event{
		{Kind: wallet.EventShareOpened, Name: "Zorggroep De Meent", Receipt: sampleReceipt},
		{Kind: wallet.EventShareAsked, Name: "Zorggroep De Meent"},
		{Kind: wallet.EventShareWithdrawn, Purpose: "Werken in de thuiszorg"},
		{Kind: wallet.EventShareMade, Name: "Zorggroep De Meent", Purpose: "Werken in de thuiszorg", Shown: shown},
		{Kind: wallet.EventShown, Party: linde, Purpose: "Wij zoeken een helpende voor de avonddienst.", Shown: shown, Outcome: "taken"},
		{Kind: wallet.EventShown, Party: linde, Shown: shown[:1], Outcome: "not confirmed"},
		{Kind: wallet.EventRefused, Party: linde, Purpose: "Wij zoeken een helpende."},
		{Kind: wallet.EventRefused, Party: wallet.Party{ID: "https://onbekend.example", CallsItself: longName}, Told: true},
		{Kind: wallet.EventAccepted, Name: "Basis verzorgen", Party: vaart, Credential: "proof001"},
		{Kind: wallet.EventRenewed, Name: "Basis verzorgen", Party: vaart, Credential: "proof001"},
		{Kind: wallet.EventDeclared, Name: wordsTitle.NL, Credential: "words001"},
		{Kind: wallet.EventDeclared, Name: wordsTitle.NL, Outcome: wallet.OutcomeChanged},
		{Kind: wallet.EventExported, Name: longTitle, Party: vaart}, {Kind: wallet.EventDeleted, Name: "Test digitaal werken"},
		{Kind: wallet.EventArchived}, {Kind: wallet.EventImported}, {Kind: wallet.EventRecovered}, {Kind: wallet.EventPassphrase},
		{Kind: "moved_to_the_moon", Name: "Iets van later"},
	}
	make := func(events []wallet.Event, show string, n, last int) historyPage {
		data := historyPage{Show: show, Shows: historyShows, Total: len(events), Page: n, Last: last}
		for i, e := range events {
			e.ID, e.At = fmt.Sprintf("%08d", len(events)-i), sampleTime.Add(time.Duration(-i)*7*time.Hour)
			data.Rows = append(data.Rows, rowOf(e, map[string]bool{"proof001": true, "words001": true}))
		}
		return data
	}
	var many []wallet.Event
	for i := range historyPerPage {
		many = append(many, events[i%len(events)])
	}
	nothing := make(nil, showAllKinds, 1, 1)
	nothing.Nothing = true
	return inside(state("empty", nothing), state("full", make(events, showAllKinds, 1, 1)), state("none-of-these", make(nil, showCare, 1, 1)),
		state("went", make(events[:8], showWent, 1, 1)), state("many", make(many, showAllKinds, 2, 5)))
}

// sampleReceipt has the form of a receipt, for the third opening.
const sampleReceipt = "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Bvb3J0LXNoYXJlLXJlY2VpcHQrand0In0.eyJvcGVuaW5nIjozfQ.c2FtcGxl"
