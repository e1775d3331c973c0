package host

import (
	"embed"
	"errors"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

//go:embed templates catalogs assets
var files embed.FS

// views are the pages of this host but those of shares and of the paspoort itself.
type views struct {
	front      page.View[frontPage]
	begin      page.View[beginPage]
	code       page.View[codePage]
	in         page.View[inPage]
	recover    page.View[recoverPage]
	passphrase page.View[passphrasePage]
	again      page.View[againPage]
	left       page.View[leftPage]
	collect    page.View[collectPage]
	offer      page.View[offerPage]
	received   page.View[receivedPage]
	problem    page.View[problem]
	consent    page.View[consentPage]
	answered   page.View[answeredPage]
	care       page.View[carePage]
	take       page.View[takePage]
	sheet      page.View[sheetPage]
	end        page.View[endPage]
	ended      page.View[endedPage]
}

// A state is a page as it may be met.
func state[T any](name string, data T) page.Sample[T] { return page.Sample[T]{Name: name, Data: data} }

var sampleTime = time.Date(2026, 3, 2, 13, 30, 0, 0, time.UTC)

// member is the frame of somebody who is signed in.
var member = page.Frame{SignedIn: true, Ends: sampleTime.Add(30 * time.Minute), Last: sampleTime.Add(8 * time.Hour), Now: sampleTime}

// inside are states of pages for who is signed in.
func inside[T any](samples ...page.Sample[T]) []page.Sample[T] {
	for i := range samples {
		samples[i].Frame = member
	}
	return samples
}

// addView makes a view and collects what is wrong with it.
func addView[T any](h *Host, errs *error, name string, samples ...page.Sample[T]) page.View[T] {
	v, err := page.NewView(h.kit, name, samples...)
	*errs = errors.Join(*errs, err)
	return v
}

func (h *Host) makeViews() (err error) {
	v := &h.views
	v.front = addView(h, &err, "front", state("new", frontPage{Host: "Paspoorthuis Aakermonde"}), state("known", frontPage{Host: "Paspoorthuis Aakermonde", Number: "4821 9157"}),
		state("offer", frontPage{Host: "Paspoorthuis Aakermonde", Bringing: "offer"}), state("request", frontPage{Host: "Paspoorthuis Aakermonde", Bringing: "request"}))
	words := "tulp fiets brug koek"
	v.begin = addView(h, &err, "begin", state("empty", beginPage{Example: words}), state("offer", beginPage{Example: words, Bringing: "offer"}),
		state("no-name", beginPage{Example: words, Fault: "name"}), state("short", beginPage{Name: "Samira", Example: words, Fault: "passphrase-short"}),
		state("known", beginPage{Name: "Samira", Example: words, Fault: "passphrase-known", Away: true}), state("later", beginPage{Name: longName, Example: words, Fault: "later"}),
		state("full", beginPage{Name: "Samira", Example: words, Fault: "full"}))
	code := []string{"7Q2XK", "0M9ZT", "4HWBE", "VR8NC", "D61YA", "JS3FG"}
	v.code = addView(h, &err, "code", inside(state("first", codePage{Number: "4821 9157", Code: code, Host: "https://paspoort.example", Fresh: true}),
		state("wrong", codePage{Number: "4821 9157", Code: code, Host: "https://paspoort.example", Fresh: true, Fault: "wrong", Bringing: "offer"}),
		state("again", codePage{Number: "4821 9157", Code: code, Host: "https://paspoort.example", Issuers: []string{"Opleidingshuis De Vaart", longName}}))...)
	v.in = addView(h, &err, "in", state("empty", inPage{}), state("known", inPage{Number: "4821 9157", Known: true}), state("wrong", inPage{Number: "4821 9157", Fault: "wrong"}),
		state("number", inPage{Number: "4821", Fault: "number"}), state("wait", inPage{Number: "4821 9157", Known: true, Fault: "wait", Minutes: 4}),
		state("busy", inPage{Number: "4821 9157", Fault: "busy"}), state("by-passkey", inPage{Known: true, ByKey: true}), state("request", inPage{Bringing: "request"}))
	v.recover = addView(h, &err, "recover", state("empty", recoverPage{}), state("code", recoverPage{Fault: "code"}), state("unknown", recoverPage{Fault: "unknown"}), state("wait", recoverPage{Fault: "wait", Minutes: 2}))
	v.passphrase = addView(h, &err, "passphrase", inside(state("change", passphrasePage{Number: "4821 9157", Example: words}), state("lost", passphrasePage{Number: "4821 9157", Example: words, Lost: true}),
		state("short", passphrasePage{Number: "4821 9157", Example: words, Fault: "passphrase-short"}), state("known", passphrasePage{Number: "4821 9157", Example: words, Fault: "passphrase-known"}),
		state("busy", passphrasePage{Number: "4821 9157", Example: words, Fault: "busy"}))...)
	v.again = addView(h, &err, "again", inside(state("asked", againPage{To: "/take"}), state("wrong", againPage{To: "/take", Fault: "wrong"}),
		state("wait", againPage{To: "/take", Fault: "wait", Minutes: 3}), state("busy", againPage{To: "/take", Fault: "busy"}))...)
	v.left = addView(h, &err, "left", state("own", leftPage{}), state("away", leftPage{Away: true}))
	h.meetingViews(&err)
	h.careViews(&err)
	return errors.Join(err, h.makePaspoortViews())
}

// longName is a name of sixty letters.
var longName = strings.Repeat("Wilhelmina-Catharina ", 2) + "van Oudshoorn-Zeel"

var (
	sampleIssuer = partyView{Name: "Opleidingshuis De Vaart", State: "known", Role: "issuer", Region: "Regio Aakermonde", Since: "2026-01-12", Address: "vaart.example", Certified: true}
	sampleAsker  = partyView{Name: "Zorggroep Linde", State: "known", Role: "verifier", Region: "Regio Aakermonde", Since: "2026-01-12", Address: "linde.example", Purposes: []string{"werving"}, Certified: true}
	stranger     = partyView{Name: longName, State: "stranger", Role: "issuer", Address: "onbekend.example"}
	lapsed       = partyView{Name: "Machinefabriek Ossekamp", State: "lapsed", Role: "verifier", Region: "Regio Aakermonde", Address: "ossekamp.example"}
	sampleLines  = []wallet.Line{
		{Name: "given_name", Label: "Voornaam", Value: "Samira"}, {Name: "title", Label: "Titel", Value: "Basis verzorgen", Always: true},
		{Name: "skills", Label: "Vaardigheden", Value: "Verzorgen (zelfstandig)"}, {Name: "skills", Label: "Vaardigheden", Value: "Luisteren"},
		{Name: "hours", Label: "Uren", Value: "80", Always: true},
	}
)

func (h *Host) meetingViews(err *error) {
	v := &h.views
	v.collect = addView(h, err, "collect", inside(state("empty", collectPage{}), state("waiting", collectPage{Waiting: waiting{Code: true, Bringing: "request", Offer: "/offer/x/look", Asked: 2}}), state("text", collectPage{Fault: "text"}), state("photo", collectPage{Fault: "photo"}),
		state("photo-none", collectPage{Fault: "photo-none"}), state("photo-large", collectPage{Fault: "photo-large"}))...)
	item := wallet.OfferedCredential{Name: "Opleiding", Description: "Een opleider verklaart dat u deze module heeft gedaan."}
	digits := &codeField{Digits: true, Length: 6}
	v.offer = addView(h, err, "offer", inside(state("code", offerPage{ID: "x", Issuer: sampleIssuer, Items: []wallet.OfferedCredential{item}, Code: digits}),
		state("plain", offerPage{ID: "x", Issuer: sampleIssuer, Items: []wallet.OfferedCredential{item, item}}),
		state("wrong-code", offerPage{ID: "x", Issuer: sampleIssuer, Items: []wallet.OfferedCredential{item}, Code: digits, Fault: "wrong-code", Left: 3}),
		state("code-or-spent", offerPage{ID: "x", Issuer: sampleIssuer, Items: []wallet.OfferedCredential{item}, Code: digits, Fault: "code-or-spent"}),
		state("code-needed", offerPage{ID: "x", Issuer: sampleIssuer, Items: []wallet.OfferedCredential{item}, Code: &codeField{Words: "De code staat in de brief."}, Fault: "code-needed"}),
		state("stranger", offerPage{ID: "x", Issuer: stranger, Items: []wallet.OfferedCredential{item}, Anyway: true}))...)
	got := receivedItem{Name: "Basis verzorgen", itemPage: itemPage{Type: typeText(string(paspoort.Opleiding)), Person: "Samira El Amrani", Awarded: sampleTime,
		CanDo: []string{"U helpt iemand met wassen en aankleden."}, Skills: []paspoort.Skill{{Label: "Verzorgen", Level: "zelfstandig"}, {Label: "Luisteren"}}, Says: sampleLines[4:], How: sampleLines[4:]}}
	v.received = addView(h, err, "received", inside(state("one", receivedPage{ID: "x", Issuer: sampleIssuer, Items: []receivedItem{got}}),
		state("two", receivedPage{ID: "x", Issuer: sampleIssuer, Items: []receivedItem{got, {Name: longName, itemPage: itemPage{Type: typeText("Lasbewijs"), Says: sampleLines[:2]}}}}))...)
	var met []page.Sample[problem]
	for _, p := range problems {
		d := problem{Code: p.code}
		switch p.code {
		case "stranger":
			d.Party, d.Anyway = &stranger, "/offer/anyway"
		case "not-admitted":
			d.Party, d.Anyway = &lapsed, "/offer/anyway"
		}
		met = append(met, state(p.code, d))
	}
	v.problem = addView(h, err, "problem", inside(met...)...)
	h.consentViews(err)
}

func (h *Host) consentViews(err *error) {
	v := &h.views
	item := consentItem{ConsentItem: wallet.ConsentItem{Name: "Basis verzorgen", Issuer: "Opleidingshuis De Vaart"}, Goes: true, Ask: sampleLines[2:4], Along: []wallet.Line{sampleLines[1], sampleLines[4]}}
	beyond := item
	beyond.N, beyond.Beyond = 1, sampleLines[:1]
	own := consentItem{ConsentItem: wallet.ConsentItem{Name: "Mijn eigen woorden", OwnWords: true}, N: 2, Ask: sampleLines[2:3]}
	base := consentPage{ID: "x", Asker: sampleAsker, Items: []consentItem{item}, Consent: wallet.Consent{Purpose: "Wij zoeken een helpende voor de avonddienst.", PurposeLanguage: "nl", SentTo: "linde.example", Encrypted: true}}
	more := base
	more.Items = []consentItem{item, beyond, own}
	more.Missing = []string{"Werkervaring"}
	more.Warnings = []wallet.Warning{{Code: "asks_more"}, {Code: "not_encrypted"}}
	choices := base
	choices.Choices = []wallet.Choice{{ID: "one-module", Query: "Opleiding", Options: []wallet.ChoiceOption{{Name: "Basis verzorgen", Issuer: "Opleidingshuis De Vaart"}, {Name: longName, Issuer: "Opleidingshuis De Vaart"}}}}
	nothing := base
	nothing.Items, nothing.Missing, nothing.Warnings = nil, []string{"Opleiding"}, []wallet.Warning{{Code: "nothing_fits"}}
	strange := base
	strange.Asker, strange.Anyway, strange.Purpose = stranger, true, ""
	strange.Warnings = []wallet.Warning{{Code: "asker_unsigned"}, {Code: "asker_unknown"}}
	all := base
	for _, code := range []string{"asker_unknown", "asker_unsigned", "asker_not_admitted", "copy_reused", "copy_maybe_used", "copies_fetched", "not_linked", "asks_more", "registry_old", "expired", "not_encrypted"} {
		all.Warnings = append(all.Warnings, wallet.Warning{Code: code})
	}
	again, incomplete, none, chosen := base, base, base, choices
	chosen.Fault = "chosen"
	again.Fault, incomplete.Fault, none.Fault = "again", "incomplete", "nothing"
	v.consent = addView(h, err, "consent", inside(state("one", base), state("more", more), state("choices", choices), state("nothing", nothing), state("stranger", strange),
		state("warnings", all), state("again", again), state("chosen", chosen), state("incomplete", incomplete), state("none-left", none))...)
	v.answered = addView(h, err, "answered", inside(state("sent", answeredPage{Asker: sampleAsker, State: "sent", Redirect: "https://linde.example/r/1", SentTo: "linde.example"}),
		state("sent-alone", answeredPage{Asker: sampleAsker, State: "sent", SentTo: "linde.example"}), state("unsure", answeredPage{Asker: sampleAsker, State: "unsure", SentTo: "linde.example"}),
		state("refused", answeredPage{Asker: sampleAsker, State: "refused"}), state("told", answeredPage{Asker: sampleAsker, State: "told", SentTo: "linde.example"}))...)
}

func (h *Host) careViews(err *error) {
	v := &h.views
	full := carePage{Name: "Samira", Number: "4821 9157", Confirmed: true, Secure: true, Credentials: 12, Shares: 2, Devices: 2,
		Passkeys: []passkeyRow{{"ab", "Mijn telefoon", sampleTime, true}, {"cd", longName, sampleTime, false}}}
	v.care = addView(h, err, "care", inside(state("empty", carePage{Name: longName, Number: "4821 9157", Secure: true}), state("full", full))...)
	v.take = addView(h, err, "take", inside(state("empty", takePage{}), state("short", takePage{Fault: "passphrase-short"}), state("known", takePage{Fault: "passphrase-known"}), state("archive", takePage{Fault: "archive"}),
		state("archive-passphrase", takePage{Fault: "archive-passphrase"}), state("archive-large", takePage{Fault: "archive-large"}), state("archive-newer", takePage{Fault: "archive-newer"}), state("busy", takePage{Fault: "busy"}))...)
	v.sheet = addView(h, err, "sheet", inside(state("empty", sheetPage{Host: "https://paspoort.example", Number: "4821 9157"}),
		state("full", sheetPage{Host: "https://paspoort.example", Number: "4821 9157", Issuers: []string{"Opleidingshuis De Vaart", longName}}))...)
	v.end = addView(h, err, "end", inside(state("full", endPage{Credentials: 12, Words: 3, Shares: 1, BackupDays: 30}), state("empty", endPage{}), state("wrong", endPage{Credentials: 1, Fault: "wrong"}), state("wait", endPage{Credentials: 1, Fault: "wait", Minutes: 3}), state("busy", endPage{Credentials: 1, Fault: "busy"}))...)
	v.ended = addView(h, err, "ended", state("no-backups", endedPage{}), state("backups", endedPage{BackupDays: 30, Until: sampleTime.AddDate(0, 0, 30)}))
}
