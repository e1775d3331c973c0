package paspoort

// valueTexts are the words for the codes that a claim may hold: what a person reads
// instead of `document_seen`.
var valueTexts = map[string]map[string]Text{
	"evidence": {
		"training": {"opleiding gevolgd", "training followed"}, "exam": {"toets of examen", "exam"},
		"work": {"betaald werk", "paid work"}, "volunteer_work": {"vrijwilligerswerk", "volunteer work"},
		"evc": {"erkenning van ervaring (EVC)", "recognition of experience (EVC)"}, "test": {"test", "test"},
		"observation": {"gezien tijdens het werk", "seen at work"}, "practice": {"praktijk in een leerbedrijf", "practice at a work placement company"},
		"endorsement": {"aanbeveling", "endorsement"}, "self": {"eigen woorden", "own words"}, "budget": {"budget", "budget"},
	},
	"result": {
		"passed": {"gehaald", "passed"}, "partly_passed": {"deels gehaald", "partly passed"},
		"not_passed": {"niet gehaald", "not passed"}, "participated": {"meegedaan", "participated"},
		"shown": {"aangetoond", "shown"}, "partly_shown": {"deels aangetoond", "partly shown"}, "not_shown": {"niet aangetoond", "not shown"},
	},
	"supervision": {
		"none": {"geen toezicht", "no supervision"}, "supervised": {"met toezicht", "supervised"},
		"online_identified": {"online, en gecontroleerd wie het was", "online, identity checked"},
		"onsite_identified": {"op locatie, en gecontroleerd wie het was", "on site, identity checked"},
	},
	"identity_check": {
		"none": {"niet gecontroleerd", "not checked"}, "own_account": {"eigen account", "own account"},
		"known_in_person": {"persoonlijk bekend", "known in person"}, "document_seen": {"identiteitsbewijs gezien", "identity document seen"},
		"electronic_identity": {"elektronisch bewezen", "proved electronically"},
	},
	"kind": {
		"micro_credential": {"korte opleiding met bewijs (microcredential)", "micro-credential"}, "module": {"module", "module"}, "course": {"cursus", "course"},
	},
	"assessment_form": {
		"written_exam": {"schriftelijke toets", "written exam"}, "oral_exam": {"mondelinge toets", "oral exam"},
		"practical_exam": {"praktijktoets", "practical exam"}, "portfolio": {"portfolio", "portfolio"}, "project": {"opdracht", "project"},
		"observation": {"gezien tijdens het werk", "seen at work"}, "interview": {"gesprek", "interview"}, "attendance": {"aanwezig geweest", "attendance"},
	},
	"participation": {
		"onsite": {"op locatie", "on site"}, "online": {"online", "online"}, "blended": {"deels online, deels op locatie", "partly online, partly on site"},
		"workplace": {"op de werkplek", "at the workplace"},
	},
	"relation": {
		"supervisor": {"leidinggevende", "supervisor"}, "colleague": {"collega", "colleague"}, "client": {"klant", "client"},
		"trainer": {"opleider of begeleider", "trainer"}, "volunteer_coordinator": {"begeleider van vrijwilligers", "volunteer coordinator"},
	},
	"methods": {
		"portfolio": {"portfolio", "portfolio"}, "criterion_interview": {"gesprek over uw ervaring", "criterion-based interview"},
		"practice_observation": {"kijken in de praktijk", "observation in practice"}, "practical_test": {"praktijktest", "practical test"},
		"written_test": {"schriftelijke test", "written test"}, "oral_test": {"mondelinge test", "oral test"},
		"online_test": {"online test", "online test"}, "work_sample": {"proefwerkstuk", "work sample"},
	},
	"independence": {
		"with_help": {"met hulp", "with help"}, "under_supervision": {"onder toezicht", "under supervision"}, "independent": {"zelfstandig", "independently"},
	},
}

// ValueText is the words for a code in the claim of this name; false when it is no
// code but text of its own.
func ValueText(claim, code string) (Text, bool) {
	t, ok := valueTexts[claim][code]
	return t, ok
}
