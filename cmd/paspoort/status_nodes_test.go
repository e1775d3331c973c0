package main

import (
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/statusarchive"
)

func TestHowStatusListsAreHad(t *testing.T) {
	region := conf.Region{Genesis: strings.Repeat("ab", 32), Nodes: []string{"https://knoop-1.example"}}
	for _, tt := range []struct{ status, want string }{{"", ""}, {conf.StatusNodes, ""}, {"knopen", `"knopen"`}} {
		r := region
		r.Status = tt.status
		got, err := followRegion(r, outbound.Settings{}, kv.NewMemory(), testkit.Logger(t))
		if tt.want == "" && (err != nil || got.onlyNodes != (tt.status != "")) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q: %v", tt.status, err)
		}
	}
}

// archives: each node keeps the status list of the opleider, as its signer signed it, and gives
// it with all others.
func archives(t *testing.T, r *region) {
	t.Helper()
	policy, err := outbound.Settings{CAFile: r.ready.CAFile, LoopbackHTTP: true, AllowPrivate: thisComputer}.Policy()
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range r.ready.Regions[0].Nodes {
		c := statusarchive.Client{HTTP: outbound.New(policy), URL: node.URL + archivePath}
		until(t, time.Minute, node.URL+" keeps the status list of the opleider", func() bool {
			tokens, _, err := c.Bundle(t.Context(), "")
			if err != nil {
				return false
			}
			for _, compact := range tokens {
				token, err := evidence.ParseStatusToken(compact, evidence.StatusLimits)
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(token.Subject, r.ready.Issuers[0].URL+"/status/") {
					return true
				}
			}
			return false
		})
	}
}
