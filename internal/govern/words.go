package govern

import (
	"strings"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// KindText is what an event of a kind does, as a person would say it.
func KindText(k registry.Kind) paspoort.Text { return textOf(kindTexts, k) }

// RoleText is what an organisation does in a role.
func RoleText(r registry.Role) paspoort.Text { return textOf(roleTexts, r) }

// GroupText is one of the four groups of a region.
func GroupText(g registry.Group) paspoort.Text { return textOf(groupTexts, g) }

// CodeText is where an admission stands.
func CodeText(c registry.Code) paspoort.Text { return textOf(codeTexts, c) }

// textOf is the text for a word of the registry. A word that this program does not know, of later
// rules, stands for itself.
func textOf[W ~string](texts map[W]paspoort.Text, word W) paspoort.Text {
	if t, ok := texts[word]; ok {
		return t
	}
	return plain(string(word))
}

// typeText is the name of a credential type, or what stands there.
func typeText(vct string) paspoort.Text {
	if t, err := paspoort.TypeOf(vct); err == nil {
		return t.Name()
	}
	return plain(vct)
}

func plain(s ...string) paspoort.Text {
	all := strings.Join(s, ", ")
	return paspoort.Text{NL: all, EN: all}
}

var roleTexts = map[registry.Role]paspoort.Text{
	registry.Issuer:       {NL: "bewijzen uitgeven", EN: "issue credentials"},
	registry.Verifier:     {NL: "om bewijzen vragen", EN: "ask for credentials"},
	registry.WalletHost:   {NL: "paspoorten bewaren voor mensen", EN: "keep paspoorten for people"},
	registry.StatusSigner: {NL: "voor anderen bijhouden wat is ingetrokken", EN: "sign status lists for others"},
}

var groupTexts = map[registry.Group]paspoort.Text{
	registry.Werkgevers: {NL: "werkgevers", EN: "employers"},
	registry.Werknemers: {NL: "werknemers", EN: "workers"},
	registry.Opleiders:  {NL: "opleiders", EN: "training providers"},
	registry.Overheid:   {NL: "overheid", EN: "public bodies"},
}

var codeTexts = map[registry.Code]paspoort.Text{
	registry.CodeAdmitted:    {NL: "toegelaten", EN: "admitted"},
	registry.CodeUnknown:     {NL: "onbekend", EN: "unknown"},
	registry.CodeErased:      {NL: "gewist volgens de wet", EN: "erased by law"},
	registry.CodeNever:       {NL: "nooit toegelaten", EN: "never admitted"},
	registry.CodeType:        {NL: "niet voor dit bewijs toegelaten", EN: "not admitted for this credential"},
	registry.CodeNotYet:      {NL: "nog niet toegelaten", EN: "not admitted yet"},
	registry.CodeExpired:     {NL: "verlopen", EN: "expired"},
	registry.CodeSuspended:   {NL: "geschorst", EN: "suspended"},
	registry.CodeWithdrawn:   {NL: "ingetrokken", EN: "withdrawn"},
	registry.CodeFraud:       {NL: "ingetrokken wegens fraude", EN: "withdrawn for fraud"},
	registry.CodeCertificate: {NL: "het certificaat telt niet", EN: "the certificate does not count"},
}

var kindTexts = map[registry.Kind]paspoort.Text{
	registry.KindFounded:         {NL: "de regio oprichten", EN: "found the region"},
	registry.KindAmended:         {NL: "de afspraken van de regio wijzigen", EN: "amend the charter of the region"},
	registry.KindClock:           {NL: "de klok van het register verzetten", EN: "correct the clock of the registry"},
	registry.KindKeyRotated:      {NL: "een sleutel van een lid vervangen", EN: "replace the key of a member"},
	registry.KindKeyLost:         {NL: "een verloren sleutel van een lid buiten gebruik stellen", EN: "end the lost key of a member"},
	registry.KindKeyStolen:       {NL: "een gestolen sleutel van een lid buiten gebruik stellen", EN: "end the stolen key of a member"},
	registry.KindNodeAdded:       {NL: "een knooppunt toevoegen", EN: "add a node"},
	registry.KindNodeRemoved:     {NL: "een knooppunt weghalen", EN: "remove a node"},
	registry.KindNodeKeys:        {NL: "sleutels van een knooppunt vervangen", EN: "replace the keys of a node"},
	registry.KindApplied:         {NL: "een organisatie toelaten", EN: "admit an organisation"},
	registry.KindApproved:        {NL: "een voorstel goedkeuren", EN: "approve a proposal"},
	registry.KindRefused:         {NL: "een voorstel afwijzen", EN: "refuse a proposal"},
	registry.KindConfirmed:       {NL: "een stap bij een hobbel bevestigen", EN: "confirm a step of a hobbel"},
	registry.KindSuspended:       {NL: "een toelating schorsen", EN: "suspend an admission"},
	registry.KindReinstated:      {NL: "een schorsing opheffen", EN: "end a suspension"},
	registry.KindWithdrawn:       {NL: "een toelating intrekken", EN: "withdraw an admission"},
	registry.KindDetails:         {NL: "de naam van een organisatie wijzigen", EN: "change the name of an organisation"},
	registry.KindAliases:         {NL: "de adressen van een organisatie wijzigen", EN: "change the addresses of an organisation"},
	registry.KindOrgKeys:         {NL: "de sleutel van een organisatie vervangen", EN: "replace the key of an organisation"},
	registry.KindCertificate:     {NL: "een certificaat vastleggen", EN: "record a certificate"},
	registry.KindCertRevoked:     {NL: "een certificaat intrekken", EN: "revoke a certificate"},
	registry.KindAnchorAdded:     {NL: "een hoofdcertificaat toevoegen", EN: "add a root certificate"},
	registry.KindAnchorRemoved:   {NL: "een hoofdcertificaat weghalen", EN: "remove a root certificate"},
	registry.KindCatalogue:       {NL: "de lijst van hobbels vaststellen", EN: "set the list of hobbels"},
	registry.KindHobbel:          {NL: "een hobbel een stap verder zetten", EN: "move a hobbel a step"},
	registry.KindErased:          {NL: "persoonlijke gegevens wissen", EN: "erase personal data"},
	registry.KindRules:           {NL: "nieuwe regels van het register invoeren", EN: "bring in new rules of the registry"},
	registry.KindContinued:       {NL: "verdergaan waar een andere regio ophield", EN: "go on where another region stopped"},
	registry.KindDigest:          {NL: "het kenmerk van de stand vastleggen", EN: "record the digest of the state"},
	registry.KindAppealed:        {NL: "een nieuw besluit vragen na een afwijzing", EN: "ask for a new decision after a refusal"},
	registry.KindRenewed:         {NL: "een toelating verlengen", EN: "renew an admission"},
	registry.KindSucceeded:       {NL: "een organisatie laten opvolgen door een andere", EN: "have an organisation succeeded by another"},
	registry.KindFunction:        {NL: "een functie publiceren", EN: "publish a job profile"},
	registry.KindFunctionChanged: {NL: "een functie wijzigen", EN: "change a job profile"},
	registry.KindFunctionClosed:  {NL: "een functie sluiten", EN: "close a job profile"},
	registry.KindModule:          {NL: "een module publiceren", EN: "publish a module"},
	registry.KindModuleChanged:   {NL: "een module wijzigen", EN: "change a module"},
	registry.KindModuleClosed:    {NL: "een module sluiten", EN: "close a module"},
	registry.KindPeerAccepted:    {NL: "een andere regio erkennen", EN: "accept another region"},
	registry.KindPeerDropped:     {NL: "een andere regio niet meer erkennen", EN: "drop another region"},
	registry.KindWitness:         {NL: "de getuigen van het register wijzigen", EN: "change the witnesses of the log"},
	registry.KindCustodian:       {NL: "een ander laten bijhouden wat is ingetrokken", EN: "hand status lists to a custodian"},
}
