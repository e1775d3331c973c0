package paspoort

// The proof ladder (bewijsniveau). It is computed by whoever verifies, from the
// signature and the registry; no field of a credential can claim it. Levels 3 and
// 4 rest on audited facts of the admission: that the organisation assesses
// independently of who trains or employs, or that what it issues is a
// recognised document.
const (
	LevelSelf       = 0 // zelf gezegd
	LevelSomeone    = 1 // bevestigd door iemand
	LevelEmployer   = 2 // bevestigd door een werkgever of leerbedrijf
	LevelAssessed   = 3 // onafhankelijk beoordeeld
	LevelRecognised = 4 // erkend waardepapier
)

var levelTexts = [...]Text{
	{"zelf gezegd", "said by the person"},
	{"bevestigd door iemand", "confirmed by someone"},
	{"bevestigd door een werkgever of leerbedrijf", "confirmed by an employer or work placement company"},
	{"onafhankelijk beoordeeld", "assessed independently"},
	{"erkend waardepapier", "recognised document"},
}

// LevelText names a level; the empty Text for a number that is none.
func LevelText(level int) Text {
	if level < 0 || level >= len(levelTexts) {
		return Text{}
	}
	return levelTexts[level]
}

// ladder gives the level of a credential of which signature and admission are
// in order. ok is false when it proves no skill at all.
func ladder(c Credential, audited int) (level int, ok bool) {
	result := c.Text("result")
	if result == "not_passed" {
		return 0, false
	}
	switch c.Type {
	case Zelfverklaring:
		return LevelSelf, true
	case Werkervaring, Praktijkverklaring:
		level = LevelEmployer
	case Opleiding, Assessment, Referentie:
		level = LevelSomeone
	default:
		return 0, false // a budget proves no skill
	}
	if result != "passed" || !identityKnown(c) {
		return level, true
	}
	switch c.Type {
	case Opleiding, Assessment, Praktijkverklaring:
	default:
		return level, true
	}
	if audited >= LevelRecognised {
		return LevelRecognised, true
	}
	if audited >= LevelAssessed && supervised(c) {
		return LevelAssessed, true
	}
	return level, true
}

// identityKnown: a person who could be anybody was assessed by nobody.
func identityKnown(c Credential) bool {
	switch c.Text("identity_check") {
	case "known_in_person", "document_seen", "electronic_identity":
		return true
	}
	return false
}

func supervised(c Credential) bool {
	switch c.Text("supervision") {
	case "supervised", "online_identified", "onsite_identified":
		return true
	}
	return false
}

// ProvesSkills says whether a credential that is in order shows that somebody can do what
// stands in it: not when it is an exam that was not passed, nor a budget.
func ProvesSkills(c Credential) bool {
	_, proves := ladder(c, 0)
	return proves
}
