package node

import (
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/statusarchive"
)

func organisationsSamples() []page.Sample[organisationsPage] {
	until := sampleDay.AddDate(1, 6, 0)
	return []page.Sample[organisationsPage]{
		{Name: "some", Data: organisationsPage{At: sampleDay, Source: source{Node: "knoop-1"}, Organisations: []organisationRow{
			{ID: "org_aaaaaaaaaaaaaaaaaaaaaaaaaa", Path: "/organisations/org_aaaaaaaaaaaaaaaaaaaaaaaaaa", Name: "Opleidingshuis De Vaart", Registration: "KvK 90000001", Roles: []roleRow{
				{Role: registry.Issuer, Code: registry.CodeAdmitted, Admitted: true, Until: until, Types: []paspoort.Text{paspoort.Opleiding.Name(), paspoort.Assessment.Name()}}}},
			{ID: "org_bbbbbbbbbbbbbbbbbbbbbbbbbb", Path: "/organisations/org_bbbbbbbbbbbbbbbbbbbbbbbbbb", Name: "Machinefabriek Ossekamp", Roles: []roleRow{
				{Role: registry.Verifier, Code: registry.CodeSuspended, Until: until, Purposes: []string{"werving"}, Reason: "Onderzoek naar vragen buiten het doel."},
				{Role: registry.Issuer, Code: registry.CodeFraud, Until: until, Reason: "Valse verklaringen."}}},
			{ID: "org_cccccccccccccccccccccccccc", Path: "/organisations/org_cccccccccccccccccccccccccc", Erased: true, Roles: []roleRow{{Role: registry.WalletHost, Code: registry.CodeExpired, Until: sampleDay}}},
		}}},
		{Name: "none", Data: organisationsPage{At: sampleDay, Source: source{Node: "knoop-1"}}},
	}
}

func organisationSamples() []page.Sample[organisationPage] {
	from := source{"knoop-1", 2 * time.Second}
	since := sampleDay.AddDate(-2, 0, 0)
	vaart := organisationPage{ID: "org_aaaaaaaaaaaaaaaaaaaaaaaaaa", Name: "Opleidingshuis De Vaart", Registration: "KvK 90000001", Since: since, At: sampleDay, Source: from,
		Addresses: []registry.Alias{{Type: registry.AliasURL, Value: "https://uitgifte.vaart.example"}, {Type: registry.AliasDID, Value: "did:web:vaart.example"}},
		Roles: []roleDetail{{roleRow: roleRow{Role: registry.Issuer, Code: registry.CodeAdmitted, Admitted: true, Until: sampleDay.AddDate(0, 0, 41), Types: []paspoort.Text{paspoort.Opleiding.Name(), paspoort.Assessment.Name()}},
			Since: since, Ending: 42, Domains: []string{"techniek", "zorg"},
			Levels: []levelRow{{Level: paspoort.LevelText(paspoort.LevelAssessed), Basis: "EVC-erkenning", Auditor: "Toetsbureau Noorderlicht", Reference: "TN-2025-0117", Until: sampleDay.AddDate(0, 9, 0)},
				{Level: paspoort.LevelText(paspoort.LevelRecognised), Basis: "NLQF-inschaling", Auditor: "Stichting Toetswijzer", Until: sampleDay.AddDate(0, -1, 0), Over: true}},
			Moves: []standingMove{{What: "reinstated", On: sampleDay.AddDate(0, -4, 0)}, {What: "suspended", On: sampleDay.AddDate(0, -5, 0), Reason: "Een toets was niet onafhankelijk. De opleider herstelt dat.", Event: sampleID(11)},
				{What: "granted", On: since, Event: sampleID(12)}}}},
		Certificates: []certificateRow{{Usage: registry.UsageCredential, From: since, Until: sampleDay.AddDate(0, 0, 30), Code: "soon"}, {Usage: registry.UsageStatus, From: since, Until: sampleDay.AddDate(1, 0, 0), Code: "valid"},
			{Usage: registry.UsageCredential, From: since.AddDate(-1, 0, 0), Until: since, Code: "revoked", Reason: "Sleutel vervangen."}},
		Pending: []decisionRow{{ID: sampleID(13), Kind: registry.KindApplied, State: decisionPending, Opened: sampleDay, Until: sampleDay.AddDate(0, 1, 0)}}}
	vaart.Functions, vaart.Modules, vaart.Predecessors = 1, 3, []partyRow{{Name: "Avondschool Ossekamp", Path: "/organisations/org_ffffffffffffffffffffffffff"}}
	gone := organisationPage{ID: "org_bbbbbbbbbbbbbbbbbbbbbbbbbb", Name: "Machinefabriek Ossekamp", Since: since, At: sampleDay, Source: from, Roles: []roleDetail{
		{roleRow: roleRow{Role: registry.Issuer, Code: registry.CodeFraud, Until: sampleDay.AddDate(0, -2, 0), Reason: "Valse verklaringen."}, Since: since,
			Moves: []standingMove{{What: "fraud", On: sampleDay.AddDate(0, -1, 0), From: sampleDay.AddDate(0, -6, 0), Reason: "Valse verklaringen.", Event: sampleID(14)}, {What: "granted", On: since, Event: sampleID(15)}}},
		{roleRow: roleRow{Role: registry.Verifier, Code: registry.CodeAdmitted, Admitted: true, Until: sampleDay.AddDate(1, 0, 0), Purposes: []string{"werving"}}, Since: since, Moves: []standingMove{{What: "granted", On: since, Event: sampleID(16)}}}}}
	vaart.Status.Lists = []statusRow{{URI: "https://uitgifte.vaart.example/status/1", Issued: sampleDay, Days: 412, Kept: "/v1/statuses/token?uri=x"}}
	gone.Status = statusPart{Custodian: &sampleVaart, Lists: []statusRow{
		{URI: "https://ossekamp.example/status/1", Issued: sampleDay.AddDate(0, 0, -9), Days: 31, Over: true, Failing: sampleDay.AddDate(0, 0, -10), Kept: "/v1/statuses/token?uri=y",
			Notices: []noticeRow{{Code: statusarchive.RolledBack, Seen: sampleDay.AddDate(0, -1, 0), Count: 3, Proof: "/v1/statuses/proof?uri=y"}, {Code: statusarchive.Revived, Seen: sampleDay.AddDate(0, -1, 0), Count: 1, Proof: "/v1/statuses/proof?uri=y"}}},
		{URI: "https://ossekamp.example/status/2", Issued: sampleDay, Days: 1, Signer: &sampleVaart, Failing: sampleDay, Kept: "/v1/statuses/token?uri=z",
			Notices: []noticeRow{{Code: statusarchive.TwoFaced, Seen: sampleDay, Count: 1, Proof: "/v1/statuses/proof?uri=z"}, {Code: statusarchive.Shrunk, Seen: sampleDay, Count: 1, Proof: "/v1/statuses/proof?uri=z"}}},
		{URI: "https://ossekamp.example/status/3", Issued: sampleDay, Days: 1, Over: true, Kept: "/v1/statuses/token?uri=w"}, {URI: "https://ossekamp.example/status/4", Issued: sampleDay, Days: 2, Failing: sampleDay, Kept: "/v1/statuses/token?uri=v"}}}
	abroad, region := vaart, sampleNeighbour("Regio Maasdal", mirrorOK)
	abroad.Predecessors, abroad.Roles = nil, []roleDetail{{roleRow: vaart.Roles[0].roleRow, Since: since, Moves: []standingMove{{What: "granted", On: since}}}}
	abroad.Status = statusPart{} // the lists that this node keeps are those of its own region
	abroad.abroad(region)
	return []page.Sample[organisationPage]{{Name: "admitted", Data: vaart}, {Name: "fraud", Data: gone}, {Name: "abroad", Data: abroad},
		{Name: "applicant", Data: organisationPage{ID: "org_dddddddddddddddddddddddddd", Name: "Zorggroep De Linde", Registration: "KvK 90000004", Claims: true, At: sampleDay, Source: from, Addresses: []registry.Alias{{Type: registry.AliasURL, Value: "https://linde.example"}},
			Pending: []decisionRow{{ID: sampleID(17), Kind: registry.KindApplied, State: decisionPending, Opened: sampleDay, Until: sampleDay.AddDate(0, 1, 0)}}}},
		{Name: "succeeded", Data: organisationPage{ID: "org_ffffffffffffffffffffffffff", Name: "Avondschool Ossekamp", Since: since, At: sampleDay, Source: from, Successor: &sampleVaart, Succeeded: sampleDay.AddDate(0, -2, 0), Roles: gone.Roles[1:]}},
		{Name: "erased", Data: organisationPage{ID: "org_cccccccccccccccccccccccccc", OnePerson: true, Erased: true, Since: since, At: sampleDay, Source: from, Roles: []roleDetail{
			{roleRow: roleRow{Role: registry.WalletHost, Code: registry.CodeExpired, Until: sampleDay.AddDate(0, -1, 0)}, Since: since, Moves: []standingMove{{What: "granted", On: since, Event: sampleID(18)}}}}}}}
}
