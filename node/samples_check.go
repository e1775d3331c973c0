package node

import (
	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
)

// sampleChecked is a credential with the checks that a file gives, changed by what is wrong.
func sampleChecked(kind paspoort.Type, title, issuer string, level int, skills []string, wrong ...paspoort.Check) paspoort.CredentialVerdict {
	c := paspoort.CredentialVerdict{Outcome: paspoort.Unknown, Type: kind, TypeName: kind.Name(), Issuer: paspoort.IssuerView{Name: issuer}, Status: "valid",
		ProofLevel: &level, ProofText: paspoort.LevelText(level), SignedOn: "2026-01-12", ValidUntil: "2031-01-11", Claims: map[string]any{"title": title}}
	var list []any
	for _, label := range skills {
		list = append(list, map[string]any{"label": label})
	}
	c.Claims["skills"] = list
	codes := []string{"format_ok", "signature_ok", "binding_for_file", "nothing_asked", "no_end", "status_valid", "admitted", "timestamped", "not_withdrawn", "schema_ok"}
	if kind.SelfSigned() {
		c.Status, c.SignedOn, c.ValidUntil = "none", "", ""
		codes = []string{"format_ok", "signature_ok", "binding_for_file", "nothing_asked", "no_end", "status_not_used", "self_said", "self_said", "self_said", "schema_ok"}
	}
	for i, name := range []string{paspoort.CheckFormat, paspoort.CheckSignature, paspoort.CheckHolderBinding, paspoort.CheckNonceAudience, paspoort.CheckValidity,
		paspoort.CheckStatus, paspoort.CheckIssuerAdmitted, paspoort.CheckSigningDay, paspoort.CheckWithdrawal, paspoort.CheckSchema} {
		check := sampleCheck(name, paspoort.OK, codes[i])
		if i == 2 || i == 3 {
			check.State = paspoort.Unknown
		}
		for _, w := range wrong {
			if w.Name == name {
				check = w
				if w.State == paspoort.Failed {
					c.ProofLevel, c.ProofText = nil, paspoort.Text{}
				}
			}
		}
		c.Checks = append(c.Checks, check)
	}
	return c
}

func sampleCheck(name string, state paspoort.State, code string) paspoort.Check {
	sentence := paspoort.Sentence(code)
	switch code { // a verdict fills in a day or an age
	case "status_valid":
		sentence = paspoort.Text{NL: "Niet ingetrokken. De lijst is 4 minuten oud.", EN: "Not revoked. The list is 4 minutes old."}
	case "admitted":
		sentence = paspoort.Text{NL: "De uitgever was toegelaten op 12 januari 2026 en is dat nog.", EN: "The issuer was admitted on 12 January 2026 and still is."}
	case "timestamped":
		sentence = paspoort.Text{NL: "Dit bewijs bestond al op 12 januari 2026. Dat is vastgelegd.", EN: "This credential existed on 12 January 2026. That was recorded."}
	}
	return paspoort.Check{Name: name, State: state, Code: code, Sentence: sentence}
}

// sampleUnread could not be read: nothing else of it was checked.
func sampleUnread() paspoort.CredentialVerdict {
	c := paspoort.CredentialVerdict{Outcome: paspoort.Failed, Status: "unknown", Checks: []paspoort.Check{sampleCheck(paspoort.CheckFormat, paspoort.Failed, "format_broken")}}
	for _, name := range []string{paspoort.CheckSignature, paspoort.CheckHolderBinding, paspoort.CheckNonceAudience, paspoort.CheckValidity, paspoort.CheckStatus,
		paspoort.CheckIssuerAdmitted, paspoort.CheckSigningDay, paspoort.CheckWithdrawal, paspoort.CheckSchema} {
		c.Checks = append(c.Checks, sampleCheck(name, paspoort.Unknown, "not_checked"))
	}
	return c
}

// sampleForged is signed by nobody: who issued it is its own word.
func sampleForged() paspoort.CredentialVerdict {
	c := sampleChecked(paspoort.Opleiding, "Lassen voor gevorderden", "", 0, []string{"TIG-lassen"}, sampleCheck(paspoort.CheckSignature, paspoort.Failed, "signature_invalid"), sampleCheck(paspoort.CheckHolderBinding, paspoort.Unknown, "signature_not_ok"),
		sampleCheck(paspoort.CheckIssuerAdmitted, paspoort.Unknown, "signature_not_ok"), sampleCheck(paspoort.CheckStatus, paspoort.Unknown, "status_not_available"))
	c.Outcome, c.Issuer, c.Status = paspoort.Failed, paspoort.IssuerView{CallsItself: "Opleidingshuis De Vaart"}, "unknown"
	return c
}

// sampleVerdict is what the page makes of credentials in a file: never ok as a whole, for whose
// they are was not shown.
func sampleVerdict(outcome paspoort.State, list ...paspoort.CredentialVerdict) *checkedView {
	return newCheckedView(paspoort.Verdict{Outcome: outcome, Credentials: list, FlowNote: paspoort.Sentence("flow_file"),
		SameHolder: sampleCheck(paspoort.CheckSameHolder, paspoort.Unknown, "holder_not_shown"),
		Registry:   &paspoort.RegistryView{Name: "Regio Aakermonde", AgeSeconds: 240, Note: paspoort.Sentence("trust_own_nodes")}})
}

func checkSamples() []page.Sample[checkPage] {
	from := source{Node: "knoop-1"}
	training := sampleChecked(paspoort.Opleiding, "Verpleegkundige handelingen in de wijk", "Opleidingshuis De Vaart", paspoort.LevelAssessed, []string{"Wondverzorging", "Medicatie toedienen", "Rapporteren"})
	work := sampleChecked(paspoort.Werkervaring, "Helpende in de thuiszorg", "Zorggroep De Linde", paspoort.LevelEmployer, []string{"Helpen bij dagelijkse zorg", "Plannen"})
	own := sampleChecked(paspoort.Zelfverklaring, "Waar ik goed in ben", "", paspoort.LevelSelf, []string{"Mensen geruststellen", "Koken voor een groep"})
	budget := sampleChecked(paspoort.Ontwikkelbudget, "Budget om te leren", "Zorggroep De Linde", 0, nil)
	budget.ProofLevel, budget.ProofText = nil, paspoort.Text{}
	stale := sampleChecked(paspoort.Assessment, "Beoordeling van praktijkervaring", "Toetsbureau Noorderlicht", paspoort.LevelAssessed, []string{"Leidinggeven"}, sampleCheck(paspoort.CheckStatus, paspoort.Unknown, "status_not_available"))
	stale.Status = "unknown"
	many := []paspoort.CredentialVerdict{sampleForged(), sampleUnread(), stale, own, budget}
	for len(many) < mostChecked {
		many = append(many, work)
	}
	shown := func(name string, v *checkedView) page.Sample[checkPage] {
		return page.Sample[checkPage]{Name: name, Data: checkPage{On: true, Verdict: v, Source: from}}
	}
	return []page.Sample[checkPage]{
		{Name: "form", Data: checkPage{On: true, Source: from}}, {Name: "off", Data: checkPage{Source: from}},
		{Name: "empty", Data: checkPage{On: true, Problem: "empty", Source: from}}, {Name: "large", Data: checkPage{On: true, Problem: "large", Source: from}},
		{Name: "unreadable", Data: checkPage{On: true, Problem: "unreadable", Source: from}}, {Name: "many", Data: checkPage{On: true, Problem: "many", Most: mostChecked, Source: from}},
		shown("genuine", sampleVerdict(paspoort.Unknown, training)), shown("own", sampleVerdict(paspoort.Unknown, own)), shown("unknown", sampleVerdict(paspoort.Unknown, stale)),
		shown("failed", sampleVerdict(paspoort.Failed, sampleForged())), shown("broken", sampleVerdict(paspoort.Failed, sampleUnread())),
		shown("share", sampleVerdict(paspoort.Unknown, training, work, own)), shown("all", sampleVerdict(paspoort.Unknown, training, work)),
		shown("doubt", sampleVerdict(paspoort.Unknown, work, stale)), shown("wrong", sampleVerdict(paspoort.Failed, work, sampleForged())),
		shown("false", sampleVerdict(paspoort.Failed, sampleForged(), sampleUnread())), shown("scraps", sampleVerdict(paspoort.Failed, sampleUnread(), sampleUnread())),
		shown("several", sampleVerdict(paspoort.Failed, many...)),
	}
}
