package registry_test

import (
	"bytes"
	"crypto"
	"os"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

func keysOf(parties []registry.Party) []crypto.Signer {
	var out []crypto.Signer
	for _, p := range parties {
		out = append(out, p.Key)
	}
	return out
}

// rotateMember gives a member a new key, derived from a name.
func rotateMember(r *registrytest.Region, party, name string) {
	next := registrytest.NamedKey(name)
	k := &registry.MemberKey{Key: registrytest.PublicKey(next), Member: strings.TrimPrefix(party, "member/"), Reason: "jaarlijks"}
	s, err := registry.Compose(r.Draft(k), registry.KindKeyRotated, k, r.Party(party), registry.Party{Name: party, Key: next})
	if err != nil {
		r.T.Fatal(err)
	}
	r.Must(s)
	r.Keys[party] = next
}

// catalogue is a small catalogue of hobbels.
func catalogue(version string) *registry.Catalogue {
	return &registry.Catalogue{Version: version, Hobbels: []registry.Hobbel{
		{ID: "H03", Levels: []string{"bedrijf"}, Title: registry.Text{NL: "Werven op diploma en cv"},
			Doorbraak: registry.Text{NL: "Aannemen op het Persoonlijk Profiel Paspoort", EN: "Hiring on the passport"}},
		{ID: "H04", Levels: []string{"instantie"}, Title: registry.Text{NL: "Toelating alleen op diploma"},
			Doorbraak: registry.Text{NL: "Toelating op het paspoort"}},
	}}
}

func decode(t interface{ Fatal(...any) }, raw []byte, v any) {
	if err := ijson.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
}

type example struct {
	content []byte
	genesis string
	at      time.Time
}

// exampleFile is the golden log, as if it had come by mail.
func exampleFile() example {
	raw, err := os.ReadFile(goldenLog)
	if err != nil {
		panic(err)
	}
	snap, err := registry.ReadSnapshot(bytes.NewReader(raw))
	if err != nil {
		panic(err)
	}
	return example{content: raw, genesis: snap.Genesis, at: registrytest.Start.AddDate(1, 0, 0)}
}
