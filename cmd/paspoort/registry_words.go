package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/founding"
	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// Failures that only the registry commands know.
var (
	errNoSeat      = errors.New("nothing says who you are and where the region is")
	errKey         = errors.New("the key cannot be used")
	errUnsigned    = errors.New("nothing was signed")
	errMembersOnly = errors.New("only a member does this")
	errNoSuchOrg   = errors.New("no organisation of this name or id")
	errManySuch    = errors.New("several organisations fit")
	errSeatExists  = errors.New("the file is there already")
	errBadBody     = errors.New("the file holds no application")
	errNeedReason  = errors.New("a reason is needed")
	errNeedFlag    = errors.New("a flag is missing")
	errWeakKey     = errors.New("the passphrase is too short")
	errNoCatalogue = errors.New("the region has no list of hobbels")
	errPending     = errors.New("an application waits already")
	errNoRole      = errors.New("there is no such role")
	errPlainURL    = errors.New("not an https address")
	errNoSuch      = errors.New("nothing has this id")
)

// governed tells what goes wrong in a region in words for who decides there; what is left
// is told as everywhere.
func governed(run func(*cobra.Command, []string) error, lang *string) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if err == nil {
			return nil
		}
		if ctx := cmd.Context(); ctx != nil && ctx.Err() != nil {
			return err
		}
		for _, k := range governFaults {
			if !k.is(err) {
				continue
			}
			f := &fault{code: k.code, lang: *lang, cause: err, text: typedText(k.text), next: typedText(k.next)}
			if r, ok := errors.AsType[*registry.Refusal](err); ok {
				f.code = r.Code
			}
			if k.detail {
				f.detail = detailOf(err)
			}
			return f
		}
		if r, ok := errors.AsType[*registry.Refusal](err); ok {
			return &fault{code: r.Code, lang: *lang, cause: err, detail: shorten(r.Detail),
				text: words("De regio nam dit niet aan. Er is niets veranderd.", "The region did not take this. Nothing changed.")}
		}
		return err
	}
}

// governFaults stand from particular to general: the first that fits is told.
var governFaults = []knownFault{
	{"no_seat", is(errNoSeat), words("Er staat nog nergens wie u bent en waar de regio is.", "Nothing says yet who you are and where the region is."),
		words("Leg het vast: paspoort registry init --pin GENESIS=URL,URL", "Set it down: paspoort registry init --pin GENESIS=URL,URL"), false},
	{"seat_exists", is(errSeatExists), words("Dit bestand is er al; het is niet veranderd.", "This file is there already; it was not changed."),
		words("Kies met --config een ander bestand.", "Choose another file with --config."), true},
	{"key_open_to_others", is(keyfile.ErrPermissions), words("Anderen op deze computer kunnen uw sleutel lezen, of wat hem opent.", "Others on this computer can read your key, or what opens it."),
		words("Maak het bestand alleen voor uzelf leesbaar: chmod 600 BESTAND", "Make the file readable for yourself alone: chmod 600 FILE"), true},
	{"no_passphrase_file", func(err error) bool { return errors.Is(err, keyfile.ErrPassphrase) && errors.Is(err, fs.ErrNotExist) },
		words("Het bestand met de wachtwoordzin of PIN is er niet.", "The file with the passphrase or PIN is not there."),
		words("Noem het met --passphrase-file, of laat dat weg en typ hem zelf.", "Name it with --passphrase-file, or leave that out and type it yourself."), true},
	{"wrong_passphrase", is(keyfile.ErrPassphrase), words("De wachtwoordzin of PIN klopt niet, of ontbreekt.", "The passphrase or PIN is wrong, or missing."),
		words("Typ hem opnieuw, of noem een bestand met --passphrase-file. Let op: een token gaat op slot na een paar verkeerde PINs.", "Type it again, or name a file with --passphrase-file. Mind that a token locks itself after a few wrong PINs."), false},
	{"token", is(keyfile.ErrToken), words("De sleutel op uw token is niet te gebruiken.", "The key on your token cannot be used."),
		words("Kijk na of het token erin zit en of het adres klopt.", "Check that the token is in, and its address."), true},
	{"bad_key", is(keyfile.ErrContents), words("In dit bestand staat geen sleutel waarmee u kunt tekenen.", "This file holds no key that you can sign with."),
		words("Noem het bestand met uw sleutel: --key BESTAND", "Name the file with your key: --key FILE"), true},
	{"weak_passphrase", is(errWeakKey), words("De wachtwoordzin is te kort voor een sleutel waarmee u besluit.", "The passphrase is too short for a key that you decide with."),
		words("Gebruik minstens 12 tekens; een zin van een paar woorden is het beste.", "Use at least 12 characters; a sentence of a few words is best."), false},
	{"unsigned", is(errUnsigned), words("Er is niets getekend en niets verstuurd.", "Nothing was signed and nothing was sent."),
		words("Weet u het zeker: --yes", "When you are sure: --yes"), false},
	{"members_only", is(errMembersOnly), words("Alleen een lid van de regio kan dit.", "Only a member of the region can do this."),
		words("Teken als lid: --as member/ID --key BESTAND", "Sign as a member: --as member/ID --key FILE"), false},
	{"no_such_organisation", is(errNoSuchOrg), words("De regio kent geen organisatie met deze naam, dit adres of dit nummer.", "The region knows no organisation of this name, address or id."),
		words("Zie: paspoort registry list", "See: paspoort registry list"), true},
	{"several_fit", is(errManySuch), words("Meer organisaties heten zo.", "Several organisations are called this."),
		words("Gebruik het nummer: paspoort registry list", "Use the id: paspoort registry list"), true},
	{"no_card", is(founding.ErrCard), words("Dit bestand is geen kaart van een knooppunt. Er is niets getekend.", "This file is no card of a node. Nothing was signed."),
		words("Noem de card.json die op het knooppunt is gemaakt: paspoort node init", "Name the card.json that was made on the node: paspoort node init"), true},
	{"bad_application", is(errBadBody), words("Dit bestand bevat geen aanvraag.", "This file holds no application."),
		words("Zie: paspoort registry apply --help", "See: paspoort registry apply --help"), true},
	{"bad_request", is(errRequestFile, ca.ErrRequest), words("Hiervoor kan geen certificaat worden gemaakt.", "No certificate can be made for this."),
		words("Vraag het zo aan: paspoort registry certificate --help", "Ask for it like this: paspoort registry certificate --help"), true},
	{"bad_crl", is(errCRLRefused, ca.ErrCRL), words("Deze intrekkingslijst wordt niet aangenomen.", "This revocation list is not taken."),
		words("Maak een nieuwe: paspoort registry certificate crl make", "Make a new one: paspoort registry certificate crl make"), true},
	{"bad_authority", is(errAuthority), words("Dit is geen hoofdcertificaat van de regio dat u beheert.", "This is no authority of the region that you keep."),
		words("Noem het met --ca-cert en --ca-key.", "Name it with --ca-cert and --ca-key."), true},
	{"reason_needed", is(errNeedReason), words("Zeg waarom: wat de regio besluit is openbaar, met de reden.", "Say why: what the region decides is public, with the reason."),
		words("Zet de reden erbij: --reason \"...\"", "Add the reason: --reason \"...\""), false},
	{"no_catalogue", is(errNoCatalogue), words("De regio heeft nog geen lijst van hobbels. Er is niets getekend.", "The region has no list of hobbels yet. Nothing was signed."),
		words("Een lid stelt er een voor: paspoort registry hobbel catalogue", "A member proposes one: paspoort registry hobbel catalogue"), false},
	{"pending_already", is(errPending), words("Deze organisatie heeft voor deze rol al een aanvraag die op een besluit wacht. Er is niets getekend.", "This organisation has an application for this role that waits for a decision. Nothing was signed."),
		words("Volg die met: paspoort registry status NUMMER. Toch nog een: --again", "Follow it with: paspoort registry status ID. One more after all: --again"), true},
	{"no_such_role", is(errNoRole), words("Deze rol bestaat niet.", "There is no such role."),
		words("De rollen zijn: issuer, verifier, wallet-host, status-signer.", "The roles are: issuer, verifier, wallet-host, status-signer."), true},
	{"plain_url", is(errPlainURL), words("Dit adres kan niet in het register.", "This address cannot be in the registry."),
		words("Een adres begint met https://, bijvoorbeeld https://vaart.example", "An address begins with https://, for example https://vaart.example"), true},
	{"flag_needed", is(errNeedFlag), words("Er ontbreekt iets.", "Something is missing."), words("Zie de uitleg met --help.", "See the explanation with --help."), true},
	{"no_such_id", is(errNoSuch), words("Niets in de regio heeft dit nummer.", "Nothing in the region has this id."),
		words("Zie: paspoort registry list, of paspoort registry status", "See: paspoort registry list, or paspoort registry status"), true},
	{"no_such_region", is(errNoPeer), words("De regio kent geen andere regio met deze naam of dit nummer, of meer dan één.", "The region knows no other region of this name or id, or more than one."),
		words("Zie: paspoort node peer list", "See: paspoort node peer list"), true},
	{"not_that_region", is(errOtherPeer), words("Op dit adres is een andere regio dan u noemde. Er is niets getekend.", "At this address is another region than the one you named. Nothing was signed."),
		words("Vraag de regio per telefoon naar haar nummer (genesis).", "Ask the region for its id (genesis) by telephone."), true},
	{"other_region_begins", func(err error) bool { return errors.Is(err, errPeerAway) && errors.Is(err, registry.ErrNoLog) },
		words("De andere regio is er, maar haar register is nog niet door genoeg knooppunten getekend. Er is niets getekend.", "The other region is there, but not enough of its nodes have signed its log yet. Nothing was signed."),
		words("Probeer het over een minuut opnieuw.", "Try again in a minute."), false},
	{"other_region_unreadable", is(errPeerAway), words("Op dit adres is nu geen register te lezen. Er is niets getekend.", "No log can be read at this address now. Nothing was signed."),
		words("Kijk het adres na, of noem een ander knooppunt van die regio.", "Check the address, or name another node of that region."), true},
	{"no_such_witness", is(errNoWitness), words("De regio heeft geen getuige met dit nummer.", "The region has no witness with this id."),
		words("Zie: paspoort registry witness list", "See: paspoort registry witness list"), true},
	{"witness_there", is(errWitnessHere), words("Deze getuigen heeft de regio al. Er is niets getekend.", "The region has these witnesses already. Nothing was signed."),
		words("Zie: paspoort registry witness list", "See: paspoort registry witness list"), false},

	// What the region says.
	{"other_region", is(govern.ErrOtherRegion), words("Dit knooppunt is van een andere regio dan de uwe.", "This node is of another region than yours."),
		words("Kijk de adressen in het bestand na, of leg met --region een andere regio vast.", "Check the addresses in the file, or pin another region with --region."), false},
	{"forged", is(govern.ErrForged), words("Het knooppunt antwoordt iets anders dan er is voorgesteld. Vertrouw het niet.", "The node answers something else than was proposed. Do not trust it."),
		words("Gebruik een ander knooppunt, en meld het aan wie dit beheert.", "Use another node, and tell who runs this one."), false},
	{"", is(registry.ErrConflict), words("U mag hierover niet meebeslissen: niemand keurt zichzelf goed.", "You have no say in this: nobody approves itself."),
		words("Vraag een ander lid.", "Ask another member."), true},
	{"", is(registry.ErrTwice), words("U hebt hierover al besloten.", "You decided on this already."),
		words("Zie: paspoort registry status", "See: paspoort registry status"), false},
	{"", is(registry.ErrClosed), words("Hierover is al besloten, of de tijd is om.", "This was decided already, or its time has run out."),
		words("Zie: paspoort registry why NUMMER", "See: paspoort registry why ID"), false},
	{"", is(registry.ErrStale), words("Er is ondertussen iets veranderd aan waar dit over gaat.", "What this is about changed meanwhile."),
		words("Kijk nog eens, en teken dan opnieuw.", "Look again, then sign again."), false},
	{"", is(registry.ErrKey, registry.ErrSignature, registry.ErrSigner), words("De regio neemt deze handtekening niet aan.", "The region does not take this signature."),
		words("Kijk na of u als de juiste tekent, met de sleutel die de regio kent: --as en --key.", "Check that you sign as the right party, with the key that the region knows: --as and --key."), true},
	{"", is(registry.ErrTaken), words("Een ander heeft dit al.", "Somebody else holds this already."), words("Kies iets anders.", "Choose something else."), true},
	{"", is(registry.ErrNotAdmitted, registry.ErrTransition), words("Dit kan niet vanuit hoe het er nu voor staat.", "This does not follow from how things stand."),
		words("Zie hoe het staat: paspoort registry show NUMMER", "See how it stands: paspoort registry show ID"), true},
	{"", is(registry.ErrKind, registry.ErrReserved), words("De regels die nu in deze regio gelden kennen dit nog niet.", "The rules in force in this region do not know this yet."),
		words("Als alle knooppunten nieuw genoeg zijn, voert u nieuwe regels in: paspoort region rules VERSIE", "When all nodes are new enough, bring in new rules: paspoort region rules VERSION"), true},
	{"", is(registry.ErrBody), words("Wat u vraagt is zo niet goed.", "What you ask is not right like this."), words("Zie de uitleg met --help.", "See the explanation with --help."), true},
	{"", is(registry.ErrUnreachable), words("Hierna zouden de leden niets meer kunnen besluiten. Er is niets veranderd.", "After this the members could decide nothing any more. Nothing changed."), paspoort.Text{}, true},
	{"region_unreachable", is(govern.ErrNoNode), words("Geen knooppunt van de regio antwoordt, of ze kunnen het nu niet eens worden.", "No node of the region answers, or they cannot agree now."),
		words("Kijk uw internet na en probeer het later opnieuw. Nog eens sturen kan geen kwaad.", "Check your internet and try again later. Sending once more does no harm."), true},
	{"bad_seat", isSeatFault, words("Het bestand met wie u bent is niet te gebruiken.", "The file with who you are cannot be used."),
		words("Kijk het na, of maak een nieuw: paspoort registry init", "Check it, or make a new one: paspoort registry init"), true},
}

func isSeatFault(err error) bool {
	return errors.Is(err, conf.ErrConfig) && !errors.Is(err, fs.ErrPermission)
}

// needs is the error for a flag that is missing.
func needs(flag string) error { return exitError{exitUsage, fmt.Errorf("%w: --%s", errNeedFlag, flag)} }
