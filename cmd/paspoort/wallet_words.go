package main

// The words of the wallet's answers, in Dutch at B1 and in English.

import "paspoort.example/paspoort/wallet"

// walletWords are the words of one language.
type walletWords struct {
	passphrase, again, txCode, agree, yes                     string
	made, relies, noRegion, next, sealed                      string
	offers, knownSince, notKnown, itSays, certificate, copies string
	notAdmitted                                               string
	kept, timestamps, fewTimestamps, unknownKept              string
	asks, why, goes, always, beyond, ownWords, missing, to    string
	done, open, nothingSent, told                             string
	who, can, want, level                                     string
	renewed, fewLeft, noneNeeded                              string
	empty, unused, deleted, exported, declared, noHistory     string
	events                                                    map[wallet.EventKind]string
}

var walletTexts = map[string]walletWords{
	"nl": {
		passphrase:    "Wachtwoordzin: ",
		again:         "Nog een keer: ",
		txCode:        "Code van de uitgever: ",
		agree:         "Wilt u dit versturen? (ja/nee) ",
		yes:           "j",
		made:          "Uw paspoort is gemaakt in",
		relies:        "Het vertrouwt op de regio",
		noRegion:      "Het kent nog geen regio. Elke organisatie is dan onbekend.",
		next:          "Typ nu",
		sealed:        "Alles staat versleuteld op uw computer. Zonder de wachtwoordzin kan niemand erbij, ook u niet.",
		offers:        "biedt aan",
		knownSince:    "toegelaten in de regio sinds",
		notKnown:      "Geen regio die u koos kent deze organisatie.",
		notAdmitted:   "Deze organisatie is op dit moment niet toegelaten in de regio.",
		itSays:        "Ze noemt zichzelf",
		certificate:   "Certificaat",
		copies:        "kopieën",
		kept:          "Bewaard",
		timestamps:    "Vastgelegd dat het nu bestaat, door %d computers van de regio.",
		fewTimestamps: "Let op: niet door twee computers van de regio vastgelegd wanneer dit bestond.",
		unknownKept:   "Let op: deze uitgever is bij geen regio bekend.",
		asks:          "vraagt",
		why:           "Waarom",
		goes:          "Dit gaat mee",
		always:        "gaat altijd mee",
		beyond:        "meer dan gevraagd voor het doel",
		ownWords:      "in uw eigen woorden",
		missing:       "Hiervoor hebt u niets",
		to:            "Naar",
		done:          "Verstuurd.",
		open:          "Ga verder op",
		nothingSent:   "Er is niets verstuurd.",
		told:          "De vrager weet dat u nee zei.",
		who:           "Wie ben ik",
		can:           "Wat kan ik",
		want:          "Wat wil ik",
		level:         "bewijsniveau",
		renewed:       "Vernieuwd",
		fewLeft:       "Bijna op. Haal nieuwe kopieën: paspoort wallet renew",
		noneNeeded:    "Er zijn nog genoeg kopieën.",
		empty:         "U hebt nog niets verzameld.",
		unused:        "nog niet gezien",
		deleted:       "Weg. In uw geschiedenis blijft staan dat het er was.",
		exported:      "Geschreven. Wie dit bestand krijgt, kan alles erin lezen en doorgeven:",
		declared:      "Bewaard in uw eigen woorden",
		noHistory:     "Er is nog niets gebeurd.",
		events: map[wallet.EventKind]string{
			wallet.EventAccepted: "ontvangen",
			wallet.EventRenewed:  "nieuwe kopieën",
			wallet.EventDeclared: "opgeschreven",
			wallet.EventShown:    "laten zien",
			wallet.EventRefused:  "geweigerd",
			wallet.EventExported: "bestand gemaakt",
			wallet.EventDeleted:  "weggegooid",
		},
	},
	"en": {
		passphrase:    "Passphrase: ",
		again:         "Once more: ",
		txCode:        "Code from the issuer: ",
		agree:         "Send this? (yes/no) ",
		yes:           "y",
		made:          "Your paspoort was made in",
		relies:        "It relies on region",
		noRegion:      "It knows no region yet. Every organisation is then unknown.",
		next:          "Type next",
		sealed:        "Everything is sealed on your computer. Without the passphrase nobody can open it, nor can you.",
		offers:        "offers",
		knownSince:    "admitted in the region since",
		notKnown:      "No region that you chose knows this organisation.",
		notAdmitted:   "This organisation is not admitted in the region at present.",
		itSays:        "It calls itself",
		certificate:   "Certificate",
		copies:        "copies",
		kept:          "Kept",
		timestamps:    "%d nodes recorded that it exists now.",
		fewTimestamps: "Note: two nodes did not record when this existed.",
		unknownKept:   "Note: no region knows this issuer.",
		asks:          "asks",
		why:           "Why",
		goes:          "This goes",
		always:        "always goes along",
		beyond:        "more than the purpose needs",
		ownWords:      "in your own words",
		missing:       "You have nothing for",
		to:            "To",
		done:          "Sent.",
		open:          "Go on at",
		nothingSent:   "Nothing was sent.",
		told:          "The asker knows that you said no.",
		who:           "Who I am",
		can:           "What I can",
		want:          "What I want",
		level:         "proof level",
		renewed:       "Renewed",
		fewLeft:       "Few left. Fetch new copies: paspoort wallet renew",
		noneNeeded:    "There are copies enough.",
		empty:         "You have collected nothing yet.",
		unused:        "not seen yet",
		deleted:       "Gone. Your history keeps that it was there.",
		exported:      "Written. Who gets this file can read all of it and pass it on:",
		declared:      "Kept in your own words",
		noHistory:     "Nothing has happened yet.",
		events: map[wallet.EventKind]string{
			wallet.EventAccepted: "received",
			wallet.EventRenewed:  "new copies",
			wallet.EventDeclared: "written",
			wallet.EventShown:    "shown",
			wallet.EventRefused:  "refused",
			wallet.EventExported: "file made",
			wallet.EventDeleted:  "deleted",
		},
	},
}
