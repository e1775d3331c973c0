package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/archive"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/wallet"
)

// Failures that only the commands themselves know.
var (
	errSpent       = errors.New("the certificate showed it only after the offer was used")
	errTakenBack   = errors.New("the asker did not take the answer")
	errNotAgreed   = errors.New("nobody agreed")
	errNoFile      = errors.New("the file holds no credential")
	errBigFile     = errors.New("the file is too large")
	errCA          = errors.New("no certificates")
	errSnapshot    = errors.New("the registry does not hold")
	errClaimsFile  = errors.New("not a JSON object")
	errNeedsRegion = errors.New("a region is needed")
	errMoment      = errors.New("no moment")
	errGenesis     = errors.New("no genesis")
	errReadyFile   = errors.New("no ready file")
	errNotAllNew   = errors.New("not all were renewed")
	errNotSure     = errors.New("nobody said that it may be deleted")
	errNoWords     = errors.New("no own words")
)

// A knownFault is a row of the table: the errors it is for, and its words.
type knownFault struct {
	code       string
	is         func(error) bool
	text, next paspoort.Text
	detail     bool // what the other side or the machine said goes along
}

func is(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
}

func words(nl, en string) paspoort.Text { return paspoort.Text{NL: nl, EN: en} }

// knownFaults stand from particular to general: the first that fits is told.
var knownFaults = []knownFault{
	{"interrupted", is(context.Canceled), words("U hebt het afgebroken. Er is niets half bewaard.", "You broke it off. Nothing was stored halfway."),
		words("Begin gerust opnieuw; is het aanbod al gebruikt, vraag de uitgever dan een nieuw.", "Just start again; if the offer has been used by now, ask the issuer for a new one."), false},

	// The wallet itself.
	{"no_wallet", is(wallet.ErrNoWallet), words("Er is hier nog geen paspoort.", "There is no paspoort here yet."),
		words("Maak er een: paspoort wallet init --region GENESIS --node URL", "Make one: paspoort wallet init --region GENESIS --node URL"), false},
	{"wallet_exists", is(wallet.ErrExists), words("Er is hier al een paspoort.", "There is a paspoort here already."),
		words("Kies met --dir een andere map.", "Choose another folder with --dir."), false},
	{"wrong_passphrase", is(wallet.ErrPassphrase), words("De wachtwoordzin klopt niet.", "The passphrase is not right."),
		words("Typ hem opnieuw. Bent u hem kwijt: paspoort wallet passphrase --recovery-code-file BESTAND", "Type it again. When you lost it: paspoort wallet passphrase --recovery-code-file FILE"), false},
	{"wrong_recovery_code", is(wallet.ErrRecoveryCode), words("De herstelcode klopt niet.", "The recovery code is not right."),
		words("Kijk hem na: dertig letters en cijfers in groepen van vijf. Een nieuwe code maakt de vorige ongeldig.", "Check it: thirty letters and digits in groups of five. A new code puts the one before out of use."), false},
	{"wrong_archive_passphrase", is(archive.ErrPassphrase), words("De wachtwoordzin van dit bestand klopt niet.", "The passphrase of this file is not right."),
		words("Het is de wachtwoordzin die bij het maken van het bestand is gekozen.", "It is the passphrase that was chosen when the file was made."), false},
	{"not_an_archive", is(archive.ErrNotArchive), words("Dit bestand is geen meegenomen paspoort.", "This file is no paspoort that was taken along."),
		words("Noem een bestand dat gemaakt is met: paspoort wallet archive BESTAND", "Name a file made by: paspoort wallet archive FILE"), false},
	{"newer_archive", is(archive.ErrVersion), words("Dit bestand is van een nieuwere versie.", "This file is of a newer version."),
		words("Gebruik een nieuwere versie van dit programma.", "Use a newer version of this program."), false},
	{"archive_changed", is(archive.ErrChanged, archive.ErrName, archive.ErrTooLarge, wallet.ErrArchive),
		words("Dit bestand is niet heel, of veranderd. Er is niets uit overgenomen.", "This file is incomplete or changed. Nothing of it was taken in."),
		words("Maak het bestand opnieuw, of haal het nog een keer op.", "Make the file again, or fetch it once more."), true},
	{"weak_passphrase", is(wallet.ErrWeakPassphrase), words("De wachtwoordzin is te kort.", "The passphrase is too short."),
		words("Gebruik minstens 8 tekens; een zin van een paar woorden is het beste.", "Use at least 8 characters; a sentence of a few words is best."), false},
	{"passphrases_differ", is(errDiffer), words("De twee wachtwoordzinnen zijn niet gelijk.", "The two passphrases differ."), words("Begin opnieuw.", "Start again."), false},
	{"no_terminal", is(errNoPassphrase), words("Er is niemand om de wachtwoordzin aan te vragen.", "There is nobody to ask for the passphrase."),
		words("Noem met --passphrase-file een bestand waar hij in staat.", "Name a file that holds the passphrase with --passphrase-file."), false},
	{"no_terminal", is(errNoNewPassphrase), words("Er is niemand om de nieuwe wachtwoordzin aan te vragen.", "There is nobody to ask for the new passphrase."),
		words("Noem met --new-passphrase-file een bestand waar hij in staat.", "Name a file that holds it with --new-passphrase-file."), false},
	{"no_terminal", is(errNoArchivePassphrase), words("Er is niemand om de wachtwoordzin van het bestand aan te vragen.", "There is nobody to ask for the passphrase of the archive."),
		words("Noem met --archive-passphrase-file een bestand waar hij in staat.", "Name a file that holds it with --archive-passphrase-file."), false},
	{"not_sure", is(errNotSure), words("Er is niets weggegooid: weggooien is voorgoed, en u hebt nog niet ja gezegd.", "Nothing was deleted: deleting is for good, and you have not agreed yet."),
		words("Weet u het zeker: --yes", "When you are sure: --yes"), false},
	{"wallet_in_use", is(kv.ErrInUse), words("Een ander venster gebruikt dit paspoort nu.", "Another command is using this paspoort now."),
		words("Wacht tot dat klaar is en probeer het opnieuw.", "Wait until it is done, then try again."), false},
	{"wallet_damaged", is(wallet.ErrDamaged, kv.ErrFormat), words("Dit paspoort is beschadigd of van een nieuwere versie.", "This paspoort is damaged, or of a newer version."),
		words("Zet de map terug uit een reservekopie.", "Put the folder back from a backup."), true},
	{"not_here", is(wallet.ErrNotHere), words("Dat staat niet in uw paspoort.", "That is not in your paspoort."),
		words("Bekijk de nummers: paspoort wallet list", "See the ids: paspoort wallet list"), false},
	{"read_only", is(syscall.EROFS, fs.ErrPermission), words("In deze map kan niet worden geschreven of gelezen. Er is niets veranderd.", "This folder cannot be written or read. Nothing was changed."),
		words("Kies een andere map, of geef uzelf er rechten op.", "Choose another folder, or give yourself the right to it."), true},
	{"disk_full", is(syscall.ENOSPC, syscall.EDQUOT), words("De schijf is vol. Er is niets half bewaard.", "The disk is full. Nothing was stored halfway."),
		words("Maak ruimte en probeer het opnieuw.", "Make room and try again."), true},

	// Who the other side is.
	{"no_region", is(wallet.ErrNoRegion), words("Uw paspoort kent nog geen regio, dus ook deze organisatie niet.", "Your paspoort relies on no region yet, so it knows no organisation."),
		words("Maak een paspoort met een regio, of zeg zelf dat u deze organisatie kent: --accept-unknown", "Make a paspoort with a region, or say that you know this organisation: --accept-unknown"), false},
	{"region_unreachable", is(wallet.ErrRegionAway), words("Uw regio is niet bereikbaar, dus niemand kan zeggen wie deze organisatie is.", "Your region cannot be reached, so nobody can say who this organisation is."),
		words("Probeer het later opnieuw.", "Try again later."), false},
	{"unknown_party", is(errSpent), words("Het certificaat van deze uitgever is niet van wie u vertrouwt. Er is niets bewaard; het aanbod is wel gebruikt.", "The certificate of this issuer is not from whom you trust. Nothing was stored; the offer has been used all the same."),
		words("Kent u de uitgever, vraag dan een nieuw aanbod en noem het juiste certificaat met --trust-ca, of zeg --accept-unknown.", "When you know the issuer, ask for a new offer and name the right certificate with --trust-ca, or say --accept-unknown."), false},
	{"not_admitted", isNotAdmitted, words("Deze organisatie is op dit moment niet toegelaten in de regio. Er is niets bewaard of verstuurd.", "This organisation is not admitted in the region at present. Nothing was stored or sent."),
		words("Wilt u toch verder: --accept-unknown", "To go on all the same: --accept-unknown"), false},
	{"unknown_party", is(wallet.ErrUnknownParty), words("Geen regio die u koos kent deze organisatie. Er is niets bewaard of verstuurd.", "No region that you chose knows this organisation. Nothing was stored or sent."),
		words("Kent u haar zelf, zeg dat dan: --accept-unknown, of --trust-ca BESTAND", "When you know it yourself, say so: --accept-unknown, or --trust-ca FILE"), false},

	// Accepting.
	{"offer_gone", is(openid4vci.ErrOfferGone), words("Dit aanbod is er niet meer: het is al gebruikt, verlopen of ingetrokken.", "This offer is gone: it was used, has expired or was taken back."),
		words("Vraag de uitgever om een nieuw aanbod.", "Ask the issuer for a new offer."), false},
	{wrongCode, isWrongCode, words("De code klopt niet.", "The code is not right."),
		words("Te veel verkeerde codes sluiten het aanbod: vraag de uitgever dan om een nieuw.", "Too many wrong codes close the offer: ask the issuer for a new one then."), true},
	{"invalid_grant", is(openid4vci.InvalidGrant), words("De uitgever neemt dit niet aan: de code klopt niet, of het aanbod is al gebruikt of verlopen.", "The issuer does not take this: the code is wrong, or the offer was used or has expired."),
		words("Kijk de code na en probeer het opnieuw; helpt dat niet, vraag dan een nieuw aanbod.", "Check the code and try again; if that does not help, ask for a new offer."), true},
	{"tx_code_needed", is(openid4vci.ErrTxCodeNeeded), words("Bij dit aanbod hoort een code, die u los van de link hebt gekregen.", "This offer needs a code, which you got apart from the link."),
		words("Zet hem erbij: --tx-code CODE", "Add it: --tx-code CODE"), false},
	{"invalid_offer", is(openid4vci.ErrOffer), words("Dit is geen aanbod.", "This is not an offer."),
		words("Plak de hele link van de uitgever, of de tekst van de QR-code.", "Paste the whole link from the issuer, or the text of the QR code."), true},
	{"unusable_offer", is(wallet.ErrUnusableOffer), words("Dit aanbod kan dit paspoort niet aannemen.", "This paspoort cannot accept this offer."),
		words("Vraag de uitgever om een aanbod met een vooraf gegeven code (pre-authorized code).", "Ask the issuer for an offer with a pre-authorized code."), true},
	{"bad_credential", is(wallet.ErrRefused), words("Wat de uitgever stuurde klopt niet. Er is niets van bewaard.", "What the issuer sent is not in order. Nothing of it was stored."),
		words("Meld het aan de uitgever.", "Tell the issuer."), true},
	{"no_renewal", is(wallet.ErrNoRenewal), words("De uitgever geeft hiervan geen nieuwe kopieën.", "The issuer gives no new copies of this."), paspoort.Text{}, false},
	{"not_renewed", is(errNotAllNew), words("Niet alles is vernieuwd.", "Not all was renewed."),
		words("Probeer het later opnieuw.", "Try again later."), false},

	// Showing.
	{"invalid_invocation", is(openid4vp.ErrInvocation), words("Dit is geen vraag om iets te laten zien.", "This is not a request to show something."),
		words("Plak de hele link van de vrager, of de tekst van de QR-code.", "Paste the whole link from the asker, or the text of the QR code."), false},
	{"answer_refused", is(errTakenBack), words("De vrager nam uw antwoord niet aan; wellicht is de vraag al beantwoord of verlopen.", "The asker did not take your answer; perhaps the request was answered or has expired."),
		words("Vraag om een nieuwe link.", "Ask for a new link."), true},
	{"request_gone", isRequestGone, words("Deze vraag is al beantwoord of verlopen. Er is niets verstuurd.", "This request was answered or has expired. Nothing was sent."),
		words("Vraag om een nieuwe link.", "Ask for a new link."), true},
	{"nothing_fits", is(wallet.ErrNothing), words("U hebt niets dat past bij deze vraag, of u laat niets over. Er is niets verstuurd.", "You have nothing that fits this request, or you leave nothing. Nothing was sent."),
		words("Verzamel eerst bewijzen, of zeg nee: --refuse", "Collect credentials first, or say no: --refuse"), false},
	{"incomplete", is(wallet.ErrIncomplete), words("De vrager wil dit alleen als geheel. Er is niets verstuurd.", "The asker takes this only as a whole. Nothing was sent."),
		words("Laat minder weg, of zeg nee: --refuse", "Leave out less, or say no: --refuse"), false},
	{"consent_changed", is(wallet.ErrAgain), words("Wat er meegaat is veranderd sinds u ja zei. Er is niets verstuurd.", "What goes has changed since you agreed. Nothing was sent."),
		words("Kijk nog een keer, en zeg dan ja.", "Look again, then agree."), false},
	{"consent_needed", is(errNotAgreed), words("Er is niets verstuurd: u hebt nog niet ja gezegd.", "Nothing was sent: you have not agreed yet."),
		words("Als u akkoord gaat: --yes", "When you agree: --yes"), false},
	{"invalid_request", isProtocolError, words("Deze vraag klopt niet. Er is niets verstuurd.", "This request is not in order. Nothing was sent."),
		words("Vraag de vrager om een nieuwe link.", "Ask the asker for a new link."), true},

	// Files and flags.
	{"no_words", is(errNoWords), words("Er is niets bewaard: u schreef nog niets op.", "Nothing was kept: you wrote nothing yet."),
		words("Schrijf iets over uzelf: paspoort wallet declare --who-i-am \"Ik werk graag met mensen.\"", "Write something about yourself: paspoort wallet declare --who-i-am \"I like to work with people.\""), false},
	{"claims_invalid", is(paspoort.ErrClaims), words("Uw eigen woorden passen zo niet in een paspoort.", "Your own words do not fit in a paspoort like this."),
		words("Zie: paspoort wallet declare --help", "See: paspoort wallet declare --help"), true},
	{"bad_file", is(errClaimsFile), words("Dit bestand bevat geen JSON met uw eigen woorden.", "This file holds no JSON with your own words."), words("Zie: paspoort wallet declare --help", "See: paspoort wallet declare --help"), true},
	{"bad_file", is(errCA), words("Dit bestand bevat geen certificaten (PEM).", "This file holds no certificates (PEM)."), words("Noem een ander bestand.", "Name another file."), true},
	{"bad_file", is(errReadyFile), words("Dit is geen ready-bestand van paspoort dev.", "This is not a ready file of paspoort dev."), words("Noem het bestand dat paspoort dev schreef.", "Name the file that paspoort dev wrote."), true},
	{"no_credential", is(errNoFile), words("In dit bestand staat geen bewijs.", "This file holds no credential."),
		words("Noem een bestand dat gemaakt is met: paspoort wallet show NUMMER --export BESTAND", "Name a file made by: paspoort wallet show ID --export FILE"), false},
	{"file_too_large", is(errBigFile), words("Dit bestand is te groot voor een bewijs.", "This file is too large for a credential."), words("Noem een ander bestand.", "Name another file."), false},
	{"other_region", is(registry.ErrRegion), words("Dit register is van een andere regio dan u met --genesis vastlegde.", "This registry is of another region than the one you pinned with --genesis."),
		words("Gebruik het register van uw regio, of leg de andere vast als u die vertrouwt.", "Use the snapshot of your region, or pin the other one if you trust it."), false},
	{"bad_registry", is(errSnapshot), words("Dit register klopt niet of is beschadigd.", "This registry does not hold, or is damaged."),
		words("Haal het opnieuw op bij een knooppunt: /v1/snapshot", "Fetch it again from a node: /v1/snapshot"), true},
	{"region_needed", is(errNeedsRegion), words("Een oordeel rust op een regio: --genesis en --registry zijn nodig.", "A verdict rests on a region: --genesis and --registry are required."),
		words("Zie: paspoort verify --help", "See: paspoort verify --help"), false},
	{"bad_moment", is(errMoment), words("Dat is geen moment.", "That is not a moment."), words("Schrijf 2026-03-02 of 2026-03-02T12:00:00Z.", "Write 2026-03-02 or 2026-03-02T12:00:00Z."), true},
	{"bad_region", is(errGenesis), words("Zo is een regio niet te vinden.", "A region cannot be found like this."),
		words("Een regio is een genesis van 64 hexadecimale tekens met minstens één knooppunt: --region GENESIS --node URL", "A region is a genesis of 64 hexadecimal digits with at least one node: --region GENESIS --node URL"), true},
	{"file_missing", is(fs.ErrNotExist), words("Dit bestand of deze map is er niet.", "This file or folder is not there."), words("Kijk de naam na.", "Check the name."), true},
	{"bad_file", isPathError, words("Dit bestand kan niet worden gelezen of geschreven.", "This file cannot be read or written."), words("Kijk de naam na.", "Check the name."), true},

	// The network.
	{"address_refused", is(outbound.ErrAddress, outbound.ErrURL), words("Naar dit adres gaat uw paspoort niet: het is geen veilig adres op internet (https).", "Your paspoort does not go to this address: it is no safe address on the internet (https)."),
		words("Is het een regio op deze computer, maak het paspoort dan met --ready-file BESTAND of --loopback-http.", "For a region on this computer, make the paspoort with --ready-file FILE or --loopback-http."), true},
	{"untrusted_connection", isCertificateError, words("De verbinding is niet te vertrouwen: het certificaat van de website klopt niet.", "The connection cannot be trusted: the certificate of the website is not in order."),
		words("Ga niet verder, tenzij u de uitgever van het certificaat kent: paspoort wallet init --ca-file BESTAND", "Do not go on, unless you know who made the certificate: paspoort wallet init --ca-file FILE"), true},
	{"unreachable", isNetworkError, words("De andere kant is niet bereikbaar.", "The other side cannot be reached."),
		words("Kijk de link en uw internet na, en probeer het later opnieuw.", "Check the link and your internet, and try again later."), true},
	{"issuer_faulty", isIssuerError, words("De uitgever geeft een antwoord dat niet klopt.", "The issuer gives an answer that is not in order."),
		words("Kijk de link na, of vraag de uitgever om een nieuw aanbod.", "Check the link, or ask the issuer for a new offer."), true},
	{"asker_faulty", is(openid4vp.ErrFetch), words("De vrager geeft een antwoord dat niet klopt.", "The asker gives an answer that is not in order."),
		words("Kijk de link na, of vraag om een nieuwe.", "Check the link, or ask for a new one."), true},
}

func isNotAdmitted(err error) bool {
	e, ok := errors.AsType[*wallet.UnknownError](err)
	return ok && e.Party.Known
}

// isRequestGone: the asker knows the address, and no request is open there any more.
func isRequestGone(err error) bool {
	e, ok := errors.AsType[*openid4vp.RefusedError](err)
	return ok && (e.Status == http.StatusNotFound || e.Status == http.StatusGone || e.Code == openid4vp.InvalidRequestURI)
}

func isProtocolError(err error) bool {
	_, ok := errors.AsType[*openid4vp.Error](err)
	return ok
}

func isIssuerError(err error) bool {
	_, ok := errors.AsType[*openid4vci.Error](err)
	return ok || errors.Is(err, openid4vci.ErrMetadata) || errors.Is(err, openid4vci.ErrResponse)
}

func isPathError(err error) bool {
	_, ok := errors.AsType[*fs.PathError](err)
	return ok
}

func isCertificateError(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	return unknown
}

func isNetworkError(err error) bool {
	_, ok := errors.AsType[net.Error](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	return ok || record || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// wrongCode is the row of isWrongCode, until the protocol's own code takes its place.
const wrongCode = "wrong_code"

// isWrongCode: OpenID4VCI 6.3 has one error code for every code that is not good; ours
// says which in the description.
func isWrongCode(err error) bool {
	e, ok := errors.AsType[*openid4vci.Error](err)
	return ok && e.Code == openid4vci.InvalidGrant && strings.HasPrefix(e.Description, "the tx_code is wrong")
}
