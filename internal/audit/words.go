package audit

import "paspoort.example/paspoort/specs/paspoort"

// What an auditor says to people. The sentences stand alone; where and since when come after.
var (
	textNoCheckpoint = paspoort.Text{
		NL: "Het register laat geen leesbaar ondertekend overzicht (checkpoint) zien.",
		EN: "The registry shows no checkpoint that can be read."}
	textNoHandover = paspoort.Text{
		NL: "Een bewaard overzicht van een wisseling van knooppunten is niet te lezen.",
		EN: "A kept checkpoint of a change of nodes cannot be read."}
	textUnsigned = paspoort.Text{
		NL: "Te weinig knooppunten van de regio staan achter dit overzicht van het register: het is niet ondertekend zoals de regio afsprak.",
		EN: "Too few of the region's nodes stand behind this checkpoint: it is not signed as the region agreed."}
	textHandover = paspoort.Text{
		NL: "De knooppunten van de regio zijn gewisseld, en de knooppunten van voor de wisseling staan niet in voor die van erna.",
		EN: "The region's nodes changed, and those before the change do not vouch for those after it."}
	textOtherRegion = paspoort.Text{
		NL: "Dit is het register van een andere regio: het begint met een ander oprichtingsbesluit dan u noemde.",
		EN: "This is the registry of another region: it begins with another charter than the one you named."}
	textChanged = paspoort.Text{
		NL: "Een regel van het register is veranderd nadat de knooppunten hem ondertekenden.",
		EN: "An entry of the registry was changed after the nodes signed it."}
	textRemoved = paspoort.Text{
		NL: "Uit het register is weggehaald wat de knooppunten ondertekenden.",
		EN: "What the nodes signed was removed from the registry."}
	textInserted = paspoort.Text{
		NL: "In het register is tussengevoegd wat de knooppunten niet ondertekenden.",
		EN: "Something was put into the registry that the nodes did not sign."}
	textReordered = paspoort.Text{
		NL: "De regels van het register staan in een andere volgorde dan de knooppunten ondertekenden.",
		EN: "The entries of the registry stand in another order than the nodes signed."}
	textAltered = paspoort.Text{
		NL: "Dit register is niet wat de knooppunten ondertekenden. Welke regel anders is, blijkt niet uit deze kopie alleen: leg er een andere naast.",
		EN: "This registry is not what the nodes signed. Which entry differs cannot be told from this copy alone: hold another beside it."}
	textGone = paspoort.Text{
		NL: "Het register laat niet alles zien wat de knooppunten ondertekenden: er ontbreken regels, of ze zijn onleesbaar.",
		EN: "The registry does not show all that the nodes signed: entries are missing or cannot be read."}
	textTile = paspoort.Text{
		NL: "De rekenhulp bij het register (een tegel met controlegetallen) klopt niet met de regels: bewijzen die hieruit worden gemaakt, kloppen niet.",
		EN: "A tile of hashes beside the registry does not fit the entries: proofs made from it do not hold."}
	textRuleBroken = paspoort.Text{
		NL: "In het register staat een besluit dat tegen de regels van de regio ingaat.",
		EN: "The registry holds an event that breaks the region's rules."}
	textForged = paspoort.Text{
		NL: "In het register staat een besluit zonder de handtekening van wie het zou hebben genomen.",
		EN: "The registry holds an event without the signature of whom it is said to be by."}
	textNewer = paspoort.Text{
		NL: "De regio werkt vanaf hier met nieuwere regels dan dit programma kent. Over wat volgt is niets gezegd: gebruik een nieuwere versie.",
		EN: "From here on the region follows newer rules than this program knows. Nothing is said of what follows: use a newer version."}
	textForked = paspoort.Text{
		NL: "Er zijn twee verschillende geschiedenissen ondertekend. Dat is te bewijzen.",
		EN: "Two different histories were signed. That can be proved."}
	textFalseFork = paspoort.Text{
		NL: "Dit knooppunt laat een andere geschiedenis zien dan dit register, zonder dat de regio daarachter staat.",
		EN: "This node shows another history than this registry, without the region standing behind it."}
	textWentBack = paspoort.Text{
		NL: "Dit knooppunt laat een kleiner register zien dan het eerder ondertekende.",
		EN: "This node shows a smaller registry than it signed before."}
	textBehind = paspoort.Text{
		NL: "Dit knooppunt blijft achter: het laat een oud register zien, terwijl de regio al verder is. Wat er sindsdien is besloten, verzwijgt het.",
		EN: "This node lags behind: it shows an old registry while the region has gone on. It does not show what was decided since."}
	textOld = paspoort.Text{
		NL: "Het register is al meer dan een week niet opnieuw ondertekend. Wat er sindsdien is besloten, is niet bekend: vraag een ander knooppunt, of de leden.",
		EN: "The registry was not signed again for more than a week. What was decided since is not known: ask another node, or the members."}
	textToday = paspoort.Text{
		NL: "Wie dit knooppunt gewoon iets vraagt, krijgt een ander antwoord dan wie naar een bepaalde stand van het register vraagt.",
		EN: "Who simply asks this node something gets another answer than who asks about a certain state of the registry."}
	textFalseAnswer = paspoort.Text{
		NL: "Dit knooppunt antwoordt iets anders dan uit het register volgt.",
		EN: "This node answers otherwise than follows from the registry."}
	textShown = paspoort.Text{
		NL: "Dit knooppunt laat persoonlijke gegevens zien die volgens het register gewist moeten zijn.",
		EN: "This node shows personal data that the registry says must be erased."}

	textSigned  = paspoort.Text{NL: "De knooppunten van de regio hebben dit wel ondertekend.", EN: "The region's nodes did sign this."}
	textEntry   = paspoort.Text{NL: "Regel %d.", EN: "Entry %d."}
	textEntries = paspoort.Text{NL: "Regels %d tot en met %d.", EN: "Entries %d to %d."}
	textSince   = paspoort.Text{NL: "Sinds %s.", EN: "Since %s."}
)

// Words is the sentence that belongs to a code.
func Words(c Code) paspoort.Text {
	switch c {
	case NoCheckpoint:
		return textNoCheckpoint
	case Forked:
		return textForked
	case WentBack:
		return textWentBack
	case Altered:
		return textAltered
	case Unsigned:
		return textUnsigned
	}
	return paspoort.Text{NL: string(c), EN: string(c)}
}
