package main

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// TestWalletWordsComplete: each language has every word, and a word for each kind of
// event.
func TestWalletWordsComplete(t *testing.T) {
	kinds := []wallet.EventKind{wallet.EventAccepted, wallet.EventRenewed, wallet.EventDeclared, wallet.EventShown, wallet.EventRefused, wallet.EventExported, wallet.EventDeleted,
		wallet.EventShareMade, wallet.EventShareWithdrawn, wallet.EventShareOpened, wallet.EventShareAsked,
		wallet.EventArchived, wallet.EventImported, wallet.EventRecovered, wallet.EventPassphrase}
	for lang, words := range walletTexts {
		v := reflect.ValueOf(words)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s: no word for %s", lang, v.Type().Field(i).Name)
			}
		}
		for _, kind := range kinds {
			if words.events[kind] == "" {
				t.Errorf("%s: no word for %s", lang, kind)
			}
		}
	}
}

// TestConsentNamesEverything: whatever is in a consent appears in what the holder
// reads, in both languages.
func TestConsentNamesEverything(t *testing.T) {
	c := wallet.Consent{
		Asker:   wallet.Party{ID: "x509_hash:abc", Name: "Zorggroep Linde", Known: true, Admitted: true, Since: "2026-03-02"},
		Purpose: "Wij zoeken iemand.", SentTo: "linde.example", Missing: []string{"Assessment"},
		Items: []wallet.ConsentItem{{Name: "Helpen bij zorg", Issuer: "Opleidingshuis De Vaart", Lines: []wallet.Line{
			{Label: "Vaardigheden", Value: "Verzorgen"}, {Label: "Resultaat", Value: "gehaald", Always: true}, {Label: "Voornaam", Value: "Samira", Beyond: true},
		}}},
		Warnings: []wallet.Warning{{Code: "x", Sentence: paspoort.Text{NL: "Let op dit.", EN: "Mind this."}}},
	}
	for lang, words := range walletTexts {
		var b bytes.Buffer
		p := newWalletPrinter(&b, lang)
		p.consent(c)
		for _, want := range []string{"Zorggroep Linde", "2026-03-02", "x509_hash:abc", "Wij zoeken iemand.", "linde.example", "Assessment", "Helpen bij zorg",
			"Opleidingshuis De Vaart", "Verzorgen", "gehaald", words.always, "Samira", words.beyond, c.Warnings[0].Sentence.In(lang)} {
			if !bytes.Contains(b.Bytes(), []byte(want)) {
				t.Errorf("%s: %q is not said in\n%s", lang, want, b.String())
			}
		}
	}
}

// TestHistoryLine: what an event does not have leaves no sign behind.
func TestHistoryLine(t *testing.T) {
	linde := wallet.Party{ID: "x", Name: "Zorggroep Linde", Known: true}
	for name, c := range map[string]struct {
		event wallet.Event
		want  string
	}{
		"name and party": {wallet.Event{Kind: wallet.EventAccepted, Name: "Helpen", Party: linde}, "ontvangen      Helpen · Zorggroep Linde\n"},
		"party alone":    {wallet.Event{Kind: wallet.EventShown, Party: linde}, "laten zien     Zorggroep Linde\n"},
		"name alone":     {wallet.Event{Kind: wallet.EventDeleted, Name: "Helpen"}, "weggegooid     Helpen\n"},
		"neither":        {wallet.Event{Kind: wallet.EventPassphrase}, "wachtwoordzin\n"},
	} {
		var b bytes.Buffer
		newWalletPrinter(&b, "nl").history([]wallet.Event{c.event})
		if got := b.String(); len(got) < 18 || got[18:] != c.want {
			t.Errorf("%s: got %q, want a day and %q", name, got, c.want)
		}
	}
}

// TestStrangerIsDescribed: before somebody unknown is met, everything that its
// certificate says is shown.
func TestStrangerIsDescribed(t *testing.T) {
	var b bytes.Buffer
	newWalletPrinter(&b, "nl").stranger(wallet.Party{ID: "https://vreemd.example", CallsItself: "Vreemd", Certificate: &wallet.CertificateFacts{
		Subject: "CN=Vreemd", IssuedBy: "CN=Een CA", Names: []string{"vreemd.example"}, Fingerprint: "abcdef", NotAfter: time.Time{}}})
	for _, want := range []string{"Vreemd", "https://vreemd.example", "CN=Een CA", "vreemd.example", "abcdef"} {
		if !bytes.Contains(b.Bytes(), []byte(want)) {
			t.Errorf("%q is not said in\n%s", want, b.String())
		}
	}
}
