package paspoort

import (
	"fmt"
	"strings"
	"time"
)

// sentences has one sentence per machine code, in plain Dutch (B1) and
// English. Words in braces are filled in; a name that ends in _en is used for
// English when there is one.
var sentences = map[string]Text{
	"outcome_ok":                {"Alles klopt.", "Everything is in order."},
	"outcome_failed":            {"Er klopt iets niet. Vertrouw dit bewijs niet voordat u weet wat er mis is.", "Something is wrong. Do not rely on this before you know what it is."},
	"outcome_unknown":           {"Niet alles kon worden gecontroleerd. Kijk hieronder wat nog onbekend is.", "Not everything could be checked. See below what is still unknown."},
	"outcome_holder_not_shown":  {"Dit bewijs is echt. Of de afzender de eigenaar is, is niet getoond.", "This credential is genuine. Whether the sender is its holder was not shown."},
	"outcome_skills_missing":    {"Wat is getoond klopt. Niet alles is getoond.", "What was shown is in order. Not everything was shown."},
	"outcome_skills_not_proved": {"Wat is getoond klopt. Niet elke vaardigheid is aangetoond.", "What was shown is in order. Not every skill is proved."},
	"outcome_nothing_shown":     {"Er is niets getoond.", "Nothing was shown."},

	"no_fact":          {"Dit kon niet worden gecontroleerd.", "This could not be checked."},
	"not_checked":      {"Dit is niet gecontroleerd, omdat het bewijs niet gelezen kon worden.", "This was not checked, because the credential could not be read."},
	"registry_absent":  {"Er was geen kopie van het register. Wie dit uitgaf is niet nagekeken.", "There was no copy of the registry. Who issued this was not looked up."},
	"registry_too_old": {"De kopie van het register is te oud. Haal een nieuwe kopie op.", "The copy of the registry is too old. Fetch a new one."},
	"erased_by_law":    {"De gegevens van deze uitgever zijn gewist, volgens de wet.", "The data about this issuer was erased by law."},
	"perhaps_erased":   {"De regio kende deze uitgever, maar heeft geen gegevens meer. Misschien zijn ze gewist, volgens de wet.", "The region knew this issuer, but holds no data any more. It may have been erased by law."},
	"signature_not_ok": {"De handtekening is niet in orde, dus wie dit uitgaf is niet zeker.", "The signature is not in order, so who issued this is not certain."},

	"format_ok":              {"Het bewijs is goed te lezen.", "The credential can be read."},
	"format_broken":          {"Dit is geen geldig bewijs. Het bestand is beschadigd of veranderd.", "This is not a valid credential. The file is damaged or was changed."},
	"signature_ok":           {"De handtekening klopt. Er is niets veranderd.", "The signature is correct. Nothing was changed."},
	"signature_invalid":      {"De handtekening klopt niet. Het bewijs is veranderd of nagemaakt.", "The signature is wrong. The credential was changed or forged."},
	"issuer_key_unavailable": {"De sleutel van de uitgever was niet te krijgen.", "The issuer's key could not be obtained."},
	"issuer_key_mismatch":    {"De sleutel hoort niet bij de uitgever die op het bewijs staat.", "The key does not belong to the issuer that is named."},
	"issuer_key_unusable":    {"De sleutel van de uitgever is niet te gebruiken om dit te controleren.", "The issuer's key cannot be used to check this."},

	"holder_ok":                {"De eigenaar heeft dit zelf getoond.", "The holder showed this."},
	"no_holder_key":            {"Dit bewijs hoort bij niemand. Van wie het is, is niet te zien.", "This credential is bound to nobody. Whose it is cannot be seen."},
	"holder_not_shown":         {"Of de afzender de eigenaar is, is niet getoond.", "Whether the sender is the holder was not shown."},
	"key_binding_missing":      {"De eigenaar heeft niet laten zien dat dit bewijs van hem of haar is.", "The holder did not show that this credential is theirs."},
	"key_binding_invalid":      {"De handtekening van de eigenaar klopt niet.", "The holder's signature is wrong."},
	"binding_in_future":        {"De handtekening van de eigenaar heeft een tijd in de toekomst.", "The holder's signature is dated in the future."},
	"binding_too_old":          {"De handtekening van de eigenaar is te oud. Vraag opnieuw.", "The holder's signature is too old. Ask again."},
	"binding_for_another":      {"De eigenaar heeft dit voor iemand anders ondertekend. Het kan een kopie zijn.", "The holder signed this for someone else. It may be a copy."},
	"binding_for_file":         {"De eigenaar heeft dit bestand gemaakt. Wie het nu heeft, is niet te zien.", "The holder made this file. Who has it now cannot be seen."},
	"binding_not_verified":     {"De handtekening van de eigenaar kon niet worden gecontroleerd.", "The holder's signature could not be checked."},
	"nothing_asked":            {"Er is niets gevraagd. Dit kan een kopie zijn.", "Nothing was asked. This may be a copy."},
	"wrong_nonce":              {"Dit antwoord hoort bij een andere vraag.", "This answer belongs to another request."},
	"wrong_audience":           {"Dit antwoord was voor iemand anders bedoeld.", "This answer was meant for someone else."},
	"nonce_audience_ok":        {"Dit antwoord hoort bij deze vraag.", "This answer belongs to this request."},
	"valid_until":              {"Geldig tot en met {date}.", "Valid up to and including {date}."},
	"no_end":                   {"Er is geen einddatum.", "There is no end date."},
	"expired":                  {"Verlopen op {date}.", "Expired on {date}."},
	"not_yet_valid":            {"Pas geldig vanaf {date}.", "Not valid before {date}."},
	"issued_in_future":         {"Ondertekend op een dag die nog moet komen: {date}.", "Signed on a day still to come: {date}."},
	"status_valid":             {"Niet ingetrokken. De lijst is {age} oud.", "Not revoked. The list is {age} old."},
	"status_not_used":          {"Eigen woorden worden niet ingetrokken.", "One's own words are not revoked."},
	"no_status":                {"Dit bewijs zegt niet waar te zien is of het is ingetrokken.", "This credential does not say where to see whether it was revoked."},
	"status_not_available":     {"De lijst met ingetrokken bewijzen was niet te krijgen.", "The list of revoked credentials could not be obtained."},
	"status_not_trusted":       {"De lijst met ingetrokken bewijzen is niet door de uitgever ondertekend.", "The list of revoked credentials was not signed by the issuer."},
	"status_signer_unknown":    {"De lijst met ingetrokken bewijzen is ondertekend met een sleutel die niet in het register staat.", "The list was signed with a key that is not in the registry."},
	"status_of_another":        {"De lijst hoort bij een ander bewijs.", "The list belongs to another credential."},
	"status_without_date":      {"De lijst zegt niet van wanneer hij is.", "The list does not say from when it is."},
	"status_in_future":         {"De lijst heeft een tijd in de toekomst.", "The list is dated in the future."},
	"status_too_old":           {"De lijst is te oud. Op {date} was dit bewijs nog geldig.", "The list is too old. On {date} this credential was still valid."},
	"status_value_unknown":     {"De lijst zegt iets dat wij niet kennen.", "The list says something that we do not know."},
	"revoked":                  {"Ingetrokken door de uitgever. Dat stond in de lijst van {date}.", "Revoked by the issuer, as the list of {date} says."},
	"suspended":                {"Tijdelijk niet geldig, volgens de lijst van {date}.", "Suspended, according to the list of {date}."},
	"suspended_when_last_seen": {"Op {date} was dit bewijs tijdelijk niet geldig. Hoe het nu is, is onbekend.", "On {date} this credential was suspended. How it is now is unknown."},

	"admitted":             {"De uitgever was toegelaten op {date} en is dat nog.", "The issuer was admitted on {date} and still is."},
	"admitted_then":        {"De uitgever was toegelaten toen dit bewijs werd gemaakt ({evidence}). Sinds {date} is de uitgever niet meer toegelaten.", "The issuer was admitted when this credential was made ({evidence}). Since {date} the issuer is no longer admitted."},
	"signing_day_unknown":  {"De uitgever is niet meer toegelaten sinds {date}. Of dit bewijs van daarvoor is, is niet te zien.", "The issuer is no longer admitted since {date}. Whether this credential is from before cannot be seen."},
	"issuer_not_in_region": {"Deze uitgever staat niet in het register van deze regio.", "This issuer is not in the registry of this region."},
	"key_not_recorded":     {"De sleutel waarmee is ondertekend, staat niet in het register.", "The key that signed is not in the registry."},
	"key_not_valid_on_day": {"De sleutel was niet geldig op {date}.", "The key was not valid on {date}."},
	"not_admitted_on_day":  {"De uitgever mocht dit soort bewijs niet uitgeven op {date}.", "The issuer was not admitted for this type on {date}."},
	"no_signing_date":      {"Er staat niet bij wanneer is ondertekend.", "It does not say when it was signed."},
	"self_said":            {"Dit zegt de eigenaar zelf.", "The holder says this."},
	"self_signed_by_other": {"Dit zijn niet de woorden van de eigenaar: iemand anders heeft ondertekend.", "These are not the holder's words: someone else signed."},

	"timestamped":           {"Dit bewijs bestond al op {date}. Dat is vastgelegd.", "This credential existed on {date}. That was recorded."},
	"issuers_word":          {"Ondertekend op {date}. Dat zegt de uitgever, en die is toegelaten.", "Signed on {date}. The issuer says so, and is admitted."},
	"signing_day_unproved":  {"De uitgever zegt: ondertekend op {date}. Of dat klopt, is niet te zien.", "The issuer says: signed on {date}. Whether that is true cannot be seen."},
	"timestamp_before_date": {"Dit bewijs bestond al op {date}. Dat is eerder dan de dag die erop staat.", "This credential existed on {date}. That is earlier than the day on it."},

	"not_withdrawn":        {"De toelating van de uitgever is niet ingetrokken.", "The issuer's admission was not withdrawn."},
	"withdrawn_since":      {"Niet meer toegelaten sinds {date}. Dat geldt niet voor wat daarvoor is uitgegeven.", "No longer admitted since {date}. That does not touch what was issued before."},
	"existed_before_fraud": {"De uitgever wordt vanaf {from} niet meer vertrouwd. Dit bewijs bestond al op {date}.", "The issuer is not trusted from {from}. This credential existed on {date}."},
	"withdrawn_for_fraud":  {"De uitgever wordt vanaf {date} niet vertrouwd vanwege fraude. Dat dit bewijs ouder is, is niet aangetoond.", "The issuer is not trusted from {date} because of fraud. That this credential is older was not shown."},
	"key_compromised":      {"De sleutel van de uitgever is sinds {date} niet veilig. Dat dit bewijs ouder is, is niet aangetoond.", "The issuer's key is not safe since {date}. That this credential is older was not shown."},

	"schema_ok":     {"De inhoud past bij dit soort bewijs.", "The contents fit this type of credential."},
	"schema_broken": {"De inhoud past niet bij dit soort bewijs.", "The contents do not fit this type of credential."},
	"type_unknown":  {"Dit soort bewijs kennen wij niet.", "We do not know this type of credential."},

	"one_credential":   {"Er is één bewijs getoond, door de eigenaar.", "One credential was shown, by its holder."},
	"same_key":         {"Alle bewijzen zijn van dezelfde eigenaar.", "All credentials belong to the same holder."},
	"names_differ":     {"De namen op de bewijzen zijn verschillend.", "The names on the credentials differ."},
	"only_names_equal": {"De namen zijn gelijk, maar dat bewijst niet dat het dezelfde persoon is.", "The names are equal, but that does not prove it is the same person."},
	"different_keys":   {"Of de bewijzen van dezelfde persoon zijn, is niet te zien.", "Whether the credentials belong to the same person cannot be seen."},

	"skill_proved":    {"Deze vaardigheid is aangetoond: {level}.", "This skill is proved: {level}."},
	"skill_self":      {"Dit zegt de persoon zelf.", "The person says so."},
	"skill_unknown":   {"Getoond, maar niet alles kon worden gecontroleerd.", "Shown, but not everything could be checked."},
	"skill_failed":    {"Getoond, maar het bewijs is niet in orde.", "Shown, but the proof is not in order."},
	"skill_not_shown": {"Niet getoond.", "Not shown."},

	"trust_witnessed": {"Het register is ondertekend door de regio en door een andere regio.", "The registry is signed by the region and by another region."},
	"trust_own_nodes": {"Het register is alleen ondertekend door de regio zelf.", "The registry is signed by the region's own nodes only."},
	"trust_unsigned":  {"Het register is door niemand ondertekend.", "The registry is signed by nobody."},

	"region_forked":              {"{region} heeft twee verschillende registers ondertekend. Welk register klopt, is niet te zien. Wacht tot dit is uitgezocht.", "{region} signed two different registries. Which one is right cannot be seen. Wait until this has been looked into."},
	"region_frozen":              {"Het register van {region} heeft iets dat tegen zijn eigen regels is. Wij volgen het niet verder.", "The registry of {region} holds something that is against its own rules. We do not follow it any further."},
	"region_newer_rules":         {"{region} werkt met nieuwere regels dan dit programma kent. Zet een nieuwere versie van dit programma neer.", "{region} follows newer rules than this program knows. Install a newer version of this program."},
	"region_accepted":            {"{home} vertrouwt op het register van {region}, tot {date}.", "{home} relies on the registry of {region}, until {date}."},
	"region_other_types":         {"{home} vertrouwt niet op {region} voor dit soort bewijs.", "{home} does not rely on {region} for this type of credential."},
	"region_ended":               {"{home} vertrouwde op het register van {region} tot {date}. De afspraak is voorbij.", "{home} relied on the registry of {region} until {date}. The agreement has ended."},
	"region_ended_before":        {"{home} vertrouwde op {region} tot {date}. Dit bewijs is van daarna.", "{home} relied on {region} until {date}. This credential is from after that."},
	"region_ended_since":         {"{home} vertrouwde op {region} tot {date}. Dit bewijs bestond al op {evidence}.", "{home} relied on {region} until {date}. This credential existed on {evidence}."},
	"region_ended_day_unknown":   {"{home} vertrouwde op {region} tot {date}. Of dit bewijs van daarvoor is, is niet te zien.", "{home} relied on {region} until {date}. Whether this credential is from before cannot be seen."},
	"region_dropped":             {"{home} vertrouwt niet meer op het register van {region}, vanaf {date}.", "{home} no longer relies on the registry of {region}, from {date}."},
	"region_dropped_before":      {"{home} vertrouwt niet meer op {region}, vanaf {date}. Dit bewijs is van daarna.", "{home} no longer relies on {region}, from {date}. This credential is from after that."},
	"region_dropped_since":       {"{home} vertrouwt niet meer op {region}, vanaf {date}. Dit bewijs bestond al op {evidence}.", "{home} no longer relies on {region}, from {date}. This credential existed on {evidence}."},
	"region_dropped_day_unknown": {"{home} vertrouwt niet meer op {region}, vanaf {date}. Of dit bewijs van daarvoor is, is niet te zien.", "{home} no longer relies on {region}, from {date}. Whether this credential is from before cannot be seen."},

	"federation_admitted":    {"{federation} staat nu in voor deze uitgever. De uitgever staat niet in het register van uw regio.", "{federation} vouches for this issuer now. The issuer is not in the registry of your region."},
	"federation_listed":      {"{federation} noemt deze uitgever nog. Of er eerder iets was, vertelt {federation} niet.", "{federation} still lists this issuer. Whether there was anything before, {federation} does not tell."},
	"federation_ended":       {"Wat {federation} over deze uitgever zegt, gold tot {date}. Controleer opnieuw met een verbinding.", "What {federation} says of this issuer held until {date}. Check again with a connection."},
	"federation_later":       {"{federation} zegt alleen iets over vandaag, niet over een dag van vroeger.", "{federation} speaks of today only, not of a day in the past."},
	"federation_other_key":   {"De sleutel waarmee is ondertekend, is volgens {federation} niet van deze uitgever.", "According to {federation} the key that signed is not this issuer's."},
	"federation_other_types": {"De uitgever hoort bij {federation}, maar u vertrouwt de uitgever niet voor dit soort bewijs.", "The issuer belongs to {federation}, but you do not rely on it for this type of credential."},
	"federation_not_shown":   {"Dit is niet te zien, omdat de uitgever niet is herkend.", "This cannot be seen, because the issuer was not recognised."},
	"federation_note":        {"{name} staat niet in het register van uw regio. Daarom is {federation} gevraagd, een stelsel buiten uw regio. Dat antwoord geldt tot {date}.", "{name} is not in the registry of your region. So {federation} was asked, a federation outside your region. That answer holds until {date}."},

	"flow_same_device":  {"Gevraagd en getoond op hetzelfde apparaat.", "Asked and shown on the same device."},
	"flow_cross_device": {"Getoond vanaf een ander apparaat. Iemand kan de vraag hebben doorgestuurd.", "Shown from another device. Someone may have passed on the request."},
	"flow_file":         {"Als bestand gekregen. Er is niets aan de eigenaar gevraagd.", "Received as a file. Nothing was asked of the holder."},
	"flow_unknown":      {"Hoe dit is getoond, is niet bekend.", "How this was shown is not known."},
}

// general words what a code says that has no sentence of its own.
var general = Text{"Dit is niet in orde of niet te controleren.", "This is not in order or cannot be checked."}

var checkTitles = map[string]Text{
	CheckFormat: {"Leesbaar", "Format"}, CheckSignature: {"Handtekening", "Signature"}, CheckHolderBinding: {"Eigenaar", "Holder"},
	CheckNonceAudience: {"Bij deze vraag", "For this request"}, CheckValidity: {"Geldigheid", "Validity"}, CheckStatus: {"Intrekking", "Revocation"},
	CheckIssuerAdmitted: {"Uitgever", "Issuer"}, CheckSigningDay: {"Dag van ondertekenen", "Day of signing"},
	CheckWithdrawal: {"Toelating", "Admission"}, CheckSchema: {"Inhoud", "Contents"}, CheckSameHolder: {"Zelfde eigenaar", "Same holder"},
}

// CheckTitle is what people call a check; the empty Text for a name that is none.
func CheckTitle(name string) Text { return checkTitles[name] }

// Sentence is what a code says, with words in braces where a verdict fills in a
// day, an age or a level.
func Sentence(code string) Text { return sentence(code, nil) }

func sentence(code string, values map[string]string) Text {
	t, ok := sentences[code]
	if !ok {
		return general
	}
	for name, v := range values {
		if strings.HasSuffix(name, "_en") {
			continue
		}
		place := "{" + name + "}"
		t.NL = strings.ReplaceAll(t.NL, place, v)
		if e, ok := values[name+"_en"]; ok {
			v = e
		}
		t.EN = strings.ReplaceAll(t.EN, place, v)
	}
	return t
}

func flowNote(f Flow) Text {
	switch f {
	case SameDevice, CrossDevice, File:
		return sentence("flow_"+string(f), nil)
	}
	return sentence("flow_unknown", nil)
}

var months = [...]string{"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"}

// dated gives the day in both languages.
func dated(t time.Time) map[string]string { return dates("date", t, "", time.Time{}) }

func dates(name string, t time.Time, other string, u time.Time) map[string]string {
	m := map[string]string{name: date(t), name + "_en": t.UTC().Format("2 January 2006")}
	if other != "" {
		m[other], m[other+"_en"] = date(u), u.UTC().Format("2 January 2006")
	}
	return m
}

// Day is a day as people say it.
func Day(t time.Time) Text { return Text{date(t), t.UTC().Format("2 January 2006")} }

func date(t time.Time) string {
	t = t.UTC()
	return fmt.Sprintf("%d %s %d", t.Day(), months[t.Month()-1], t.Year())
}

// age is a duration as people say it: one unit, rounded down.
func age(d time.Duration) Text {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return Text{"minder dan een minuut", "less than a minute"}
	case d < 2*time.Hour:
		return Text{fmt.Sprintf("%d minuten", d/time.Minute), fmt.Sprintf("%d minutes", d/time.Minute)}
	case d < 2*day:
		return Text{fmt.Sprintf("%d uur", d/time.Hour), fmt.Sprintf("%d hours", d/time.Hour)}
	}
	return Text{fmt.Sprintf("%d dagen", d/day), fmt.Sprintf("%d days", d/day)}
}
