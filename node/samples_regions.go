package node

import (
	"strings"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

func sampleNeighbour(name, health string) neighbourRow {
	return neighbourRow{Genesis: strings.Repeat("5f0c6f0b", 8), Name: name, State: registry.PeerAccepted, Since: sampleDay.AddDate(0, -8, 0), Until: sampleDay.AddDate(1, 4, 0),
		Reason: "Hun leden beslissen zoals de onze, en zij kijken elk jaar bij elkaar mee.", Health: health, Age: 40 * time.Second, Time: sampleDay.Add(-40 * time.Second), Leaves: 1204, Witnessed: true,
		Address: "https://knoop-1.maasdal.example"}
}

func regionsSamples() []page.Sample[regionsPage] {
	from := source{"knoop-1", 2 * time.Second}
	scoped := sampleNeighbour("Regio Duinrand", evidence.RegionDown)
	scoped.Types, scoped.Age, scoped.Witnessed = []paspoort.Text{paspoort.Opleiding.Name(), paspoort.Assessment.Name()}, 26*time.Hour, false
	dropped := sampleNeighbour("Regio Veenkant", mirrorKept)
	dropped.State, dropped.Dropped, dropped.Reason = registry.PeerDropped, sampleDay.AddDate(0, -1, 0), "Zij lieten een opleider toe die niet bestaat."
	ended := sampleNeighbour("Regio Heideveld", mirrorOK)
	ended.State, ended.Until = registry.PeerEnded, sampleDay.AddDate(0, -2, 0)
	forked := sampleNeighbour("Regio Zandrug", paspoort.DoubtForked)
	forked.Fork, forked.Halted = true, true
	frozen := sampleNeighbour("Regio Rietland", paspoort.DoubtFrozen)
	frozen.Halted = true
	continued := sampleNeighbour("Regio Kreekrak", evidence.RegionDown)
	continued.ContinuedBy, continued.ContinuedName, continued.Age = strings.Repeat("ab", 32), "Regio Kreekrak (nieuw)", 30*24*time.Hour
	waiting := sampleNeighbour("Regio Bosrand", mirrorWaiting)
	waiting.Leaves, waiting.Age, waiting.Time = 0, 0, time.Time{}
	several := []neighbourRow{sampleNeighbour("Regio Maasdal", mirrorOK), scoped, forked, frozen,
		sampleNeighbour("Regio Polderhoek", paspoort.DoubtNewer), sampleNeighbour("Regio Waterkant", evidence.RegionLies), continued, ended, dropped, waiting, sampleNeighbour("Regio Terpland", mirrorDamaged)}
	return []page.Sample[regionsPage]{
		{Name: "several", Data: regionsPage{Name: "Regio Aakermonde", Regions: several, Source: from}},
		{Name: "none", Data: regionsPage{Name: "Regio Aakermonde", Source: from}},
	}
}

func neighbourSamples() []page.Sample[neighbourPage] {
	some := neighbourPage{Home: "Regio Aakermonde", Region: sampleNeighbour("Regio Maasdal", mirrorOK), Source: source{"knoop-1", 40 * time.Second}}
	for _, o := range organisationsSamples()[0].Data.Organisations {
		o.Path = some.Region.Path() + "/organisations/" + o.ID
		some.Organisations = append(some.Organisations, o)
	}
	waiting := neighbourPage{Home: "Regio Aakermonde", Region: sampleNeighbour("Regio Bosrand", mirrorWaiting), Source: source{Node: "knoop-1"}}
	waiting.Region.Leaves = 0
	return []page.Sample[neighbourPage]{{Name: "known", Data: some}, {Name: "waiting", Data: waiting}}
}
