package paspoort

import "slices"

//go:generate go test -run TestGenerated -update .

// An SD says whether a claim is selectively disclosable, in the words of
// SD-JWT VC Type Metadata (draft 18, 4.6.4).
type SD string

const (
	SDAlways SD = "always"
	SDNever  SD = "never"
)

// A Field is one claim of the profile. The same name means the same thing in
// every type that has it.
type Field struct {
	Name string
	// Kind names the shape: an entry of $defs in the schemas.
	Kind string
	// SD: SDNever for what a verifier must always see to weigh the rest (kind of
	// evidence, result, supervision, identity check, levels, and who issued);
	// SDAlways for all that says something about the person, or that would let
	// two verifiers find out that they met the same one.
	SD SD
	// Each: an array of which every element is a disclosure of its own, so that
	// a request gets exactly the elements it asks.
	Each  bool
	Label Text
}

// Issued-only claims: the issuer's software fills them, an administrator does not.
const (
	claimRecord        = "record"
	claimIssuerName    = "issuer_name"
	claimIssuerCountry = "issuer_country"
)

// claimFederation is the issuer's Entity Identifier in OpenID Federation (DIIP v5, Appendix B).
const claimFederation = "fed"

// claimValidUntil is read from the input only and becomes the expiry.
const claimValidUntil = "valid_until"

var fields = []Field{
	{"given_name", "name", SDAlways, false, Text{"Voornaam", "Given name"}},
	{"family_name", "name", SDAlways, false, Text{"Achternaam", "Family name"}},
	{"title", "line", SDAlways, false, Text{"Titel", "Title"}},
	{"description", "text", SDAlways, false, Text{"Uitleg", "Description"}},
	{"can_do", "sentences", SDAlways, false, Text{"Wat deze persoon kan", "What this person can do"}},
	{"skills", "skills", SDAlways, true, Text{"Vaardigheden", "Skills"}},
	{"evidence", "evidence", SDNever, false, Text{"Soort bewijs", "Kind of evidence"}},
	{"result", "result", SDNever, false, Text{"Resultaat", "Result"}},
	{"supervision", "supervision", SDNever, false, Text{"Toezicht bij de toets", "Supervision of the assessment"}},
	{"identity_check", "identity_check", SDNever, false, Text{"Hoe is gecontroleerd wie dit is", "How the identity was checked"}},
	{"level_claimed", "level", SDNever, false, Text{"Niveau volgens de uitgever", "Level according to the issuer"}},
	{"level_classified", "level_classified", SDNever, false, Text{"Ingeschaald niveau", "Classified level"}},
	{"kind", "kind", SDAlways, false, Text{"Soort opleiding", "Kind of training"}},
	{"assessment_form", "assessment_form", SDAlways, false, Text{"Vorm van de toets", "Type of assessment"}},
	{"participation", "participation", SDAlways, false, Text{"Manier van meedoen", "Form of participation"}},
	{"quality_assurance", "quality_assurance", SDAlways, false, Text{"Bewaking van de kwaliteit", "Quality assurance"}},
	{"prerequisites", "text", SDAlways, false, Text{"Wat vooraf nodig was", "Prerequisites"}},
	{"grade", "line", SDAlways, false, Text{"Cijfer", "Grade"}},
	{"stackable", "flag", SDAlways, false, Text{"Telt mee voor een grotere opleiding", "Counts towards a larger programme"}},
	{"further_information", "url", SDAlways, false, Text{"Meer informatie", "Further information"}},
	{"module", "line", SDAlways, false, Text{"Code van de module", "Module code"}},
	{"programme_code", "code", SDAlways, false, Text{"Code van de opleiding", "Programme code"}},
	{"language", "language", SDAlways, false, Text{"Taal", "Language"}},
	{"hours", "hours", SDAlways, false, Text{"Uren", "Hours"}},
	{"ec", "ec", SDAlways, false, Text{"Studiepunten (EC)", "Credits (EC)"}},
	{"period", "period", SDAlways, false, Text{"Periode", "Period"}},
	{"awarded_on", "date", SDAlways, false, Text{"Datum van toekenning", "Date awarded"}},
	{"occupation", "concept", SDAlways, false, Text{"Beroep", "Occupation"}},
	{"sector", "code", SDAlways, false, Text{"Sector", "Sector"}},
	{"hours_per_week", "hours_per_week", SDAlways, false, Text{"Uren per week", "Hours per week"}},
	{"tasks", "tasks", SDAlways, false, Text{"Taken", "Tasks"}},
	{"learning_at_work", "text", SDAlways, false, Text{"Geleerd op het werk", "Learned at work"}},
	{"supervisor_role", "line", SDAlways, false, Text{"Functie van de begeleider", "Role of the supervisor"}},
	{"contact", "line", SDAlways, false, Text{"Vragen stellen bij", "Contact for questions"}},
	{"standard", "standard", SDAlways, false, Text{"Beoordeeld volgens", "Standard used"}},
	{"units", "units", SDAlways, true, Text{"Onderdelen", "Units"}},
	{"methods", "methods", SDAlways, false, Text{"Manier van beoordelen", "Methods of assessment"}},
	{"assessor_roles", "roles", SDAlways, false, Text{"Functie van de beoordelaars", "Roles of the assessors"}},
	{"recognition", "recognition", SDAlways, false, Text{"Erkenning van de organisatie", "Recognition of the organisation"}},
	{"advice", "text", SDAlways, false, Text{"Advies", "Advice"}},
	{"dossier", "code", SDAlways, false, Text{"Kwalificatiedossier", "Qualification file"}},
	{"work_processes", "work_processes", SDAlways, true, Text{"Werkprocessen", "Work processes"}},
	{"trainer_role", "line", SDAlways, false, Text{"Functie van de praktijkopleider", "Role of the practice trainer"}},
	{"school", "school", SDAlways, false, Text{"School", "School"}},
	{"relation", "relation", SDAlways, false, Text{"Kent deze persoon als", "Knows this person as"}},
	{"statement", "text", SDAlways, false, Text{"Referentie", "Reference"}},
	{"about_record", "record", SDAlways, false, Text{"Hoort bij een ander bewijs", "Belongs to another credential"}},
	{"who_i_am", "text", SDAlways, false, Text{"Wie ik ben", "Who I am"}},
	{"drives", "sentences", SDAlways, false, Text{"Wat mij energie geeft", "What drives me"}},
	{"talents", "sentences", SDAlways, false, Text{"Waar ik goed in ben", "My talents"}},
	{"wishes", "sentences", SDAlways, false, Text{"Wat ik wil", "What I want"}},
	{"hours_wanted", "hours_per_week", SDAlways, false, Text{"Uren per week die ik wil werken", "Hours per week I want to work"}},
	{"amount", "amount", SDAlways, false, Text{"Bedrag", "Amount"}},
	{"purpose", "text", SDAlways, false, Text{"Waarvoor", "Purpose"}},
	{"conditions", "text", SDAlways, false, Text{"Voorwaarden", "Conditions"}},
	{"portable", "flag", SDAlways, false, Text{"Gaat mee naar een andere werkgever", "Moves along to another employer"}},
	{claimRecord, "record", SDAlways, false, Text{"Kenmerk", "Record"}},
	{claimIssuerName, "line", SDNever, false, Text{"Uitgegeven door", "Issued by"}},
	{claimIssuerCountry, "country", SDNever, false, Text{"Land van de uitgever", "Country of the issuer"}},
	{claimValidUntil, "date", SDNever, false, Text{"Geldig tot en met", "Valid until"}},
}

// A use is a field in a type.
type use struct {
	name      string
	mandatory bool
}

func must(names ...string) (u []use) {
	for _, n := range names {
		u = append(u, use{n, true})
	}
	return u
}

func may(names ...string) (u []use) {
	for _, n := range names {
		u = append(u, use{n, false})
	}
	return u
}

// person and weight stand in every type that an organisation signs.
var (
	person = must("given_name", "family_name")
	weight = must("evidence", "identity_check")
)

// typeFields gives per type the claims of the input, in reading order. An
// Opleiding holds the mandatory elements of the EU micro-credential: learner,
// title, country and awarding body (filled from the issuer's configuration),
// date of issuing, learning outcomes, workload, level if applicable, type of
// assessment, form of participation, quality assurance. Then its optional ones.
var typeFields = map[Type][]use{
	Opleiding: slices.Concat(person,
		must("title", "can_do", "hours", "awarded_on", "assessment_form", "participation", "quality_assurance"), weight,
		must("result"), may("description", "skills", "supervision", "level_claimed", "level_classified", "kind", "ec",
			"grade", "prerequisites", "stackable", "further_information", "module", "programme_code", "language", "period", claimValidUntil)),
	// Werkervaring holds points (a) and (b) of a getuigschrift and no judgement:
	// that is a Referentie, and only when the worker asks for one.
	Werkervaring: slices.Concat(person, must("title", "period"), weight,
		may("description", "can_do", "skills", "occupation", "sector", "hours_per_week", "tasks", "learning_at_work",
			"supervisor_role", "supervision", "contact", "language", claimValidUntil)),
	Assessment: slices.Concat(person, must("title", "awarded_on", "methods"), weight, must("result"),
		may("description", "can_do", "skills", "supervision", "level_claimed", "level_classified", "standard", "units",
			"assessor_roles", "recognition", "advice", "grade", "hours", "language", "period", claimValidUntil)),
	Praktijkverklaring: slices.Concat(person, must("title", "work_processes", "awarded_on"), weight, must("result"),
		may("description", "can_do", "skills", "supervision", "level_claimed", "level_classified", "dossier", "recognition",
			"trainer_role", "school", "hours", "language", "period", claimValidUntil)),
	Referentie: slices.Concat(person, must("title", "statement", "relation"), weight,
		may("can_do", "skills", "about_record", "contact", "language", "period", "awarded_on", claimValidUntil)),
	Zelfverklaring: slices.Concat(must("evidence"),
		may("title", "who_i_am", "drives", "talents", "wishes", "can_do", "skills", "hours_wanted", "language")),
	Ontwikkelbudget: slices.Concat(person, must("title", "amount", "purpose"), weight,
		may("description", "conditions", "portable", "contact", "language", "period", claimValidUntil)),
}

var fieldByName = func() map[string]Field {
	m := make(map[string]Field, len(fields))
	for _, f := range fields {
		m[f.Name] = f
	}
	return m
}()

// Fields lists the claims of a type in reading order, those that the issuer's
// software fills included, the input-only valid_until excluded.
func (t Type) Fields() []Field { return slices.Clone(typeFieldList[t]) }

var typeFieldList = func() map[Type][]Field {
	m := map[Type][]Field{}
	for _, t := range Types() {
		var list []Field
		for _, u := range typeFields[t] {
			if u.name != claimValidUntil {
				list = append(list, fieldByName[u.name])
			}
		}
		if !t.SelfSigned() {
			list = append(list, fieldByName[claimIssuerName], fieldByName[claimIssuerCountry])
		}
		m[t] = append(list, fieldByName[claimRecord])
	}
	return m
}()

// mandatory says whether an issued credential of the type has the claim.
func (t Type) mandatory(name string) bool {
	if name == claimRecord {
		return true
	}
	if name == claimIssuerName {
		return !t.SelfSigned()
	}
	return slices.Contains(typeFields[t], use{name, true})
}
