package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/wallet"
)

func TestLabels(t *testing.T) {
	long := strings.Repeat("x", maxLabel+1)
	for _, tt := range []struct {
		name, file string
		want       []string
		fails      bool
	}{
		{"two", "uri,label\nurn:a,Lassen\nurn:b,\"Plannen, en organiseren\"\n", []string{"Lassen", "Plannen, en organiseren"}, false},
		{"byte order mark", "\ufeffuri,label\nurn:a, Lassen \n", []string{"Lassen"}, false},
		{"none", "uri,label\n", nil, false},
		{"empty file", "", nil, true},
		{"other columns", "label,uri\nLassen,urn:a\n", nil, true},
		{"a column too many", "uri,label\nurn:a,Lassen,x\n", nil, true},
		{"no label", "uri,label\nurn:a,  \n", nil, true},
		{"too long", "uri,label\nurn:a," + long + "\n", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := labels(strings.NewReader(tt.file))
			if !slices.Equal(got, tt.want) || errors.Is(err, errLabels) != tt.fails || (err != nil) != tt.fails {
				t.Errorf("got %q and %v, want %q and failure %v", got, err, tt.want, tt.fails)
			}
		})
	}
}

// TestLabelsOfFiles: each label once, in order, and an error names the file.
func TestLabelsOfFiles(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{"a": "uri,label\nurn:z,Zagen\nurn:l,Lassen\n", "b": "uri,label\nurn:l,Lassen\n", "bad": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readLabels([]string{filepath.Join(dir, "a"), filepath.Join(dir, "b")})
	if want := []string{"Lassen", "Zagen"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q and %v, want %q", got, err, want)
	}
	if _, err := readLabels([]string{filepath.Join(dir, "bad")}); !errors.Is(err, errLabels) || !strings.Contains(err.Error(), "bad") {
		t.Errorf("got %v, want the file named", err)
	}
	if _, err := readLabels([]string{filepath.Join(dir, "absent")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestReceiptKeyStays: receipts that were signed before a restart can be checked after.
func TestReceiptKeyStays(t *testing.T) {
	c := conf.WalletHost{Data: filepath.Join(t.TempDir(), "data")}
	first, err := receiptKey(&c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := receiptKey(&c)
	if err != nil || !jose.SameKey(first.Public(), again.Public()) {
		t.Errorf("another key, or %v", err)
	}
	if info, err := os.Stat(filepath.Join(filepath.Dir(c.Data), "receipt.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info, err)
	}
}

// TestRegionsOfAHost: a paspoort that relies on a region which this host does not follow
// still opens, and makes the host fetch nothing.
func TestRegionsOfAHost(t *testing.T) {
	follower := evidencetest.New(t, testkit.NewClock(testkit.Noon).Now).Follower()
	open := shared([]*regionEvidence{{Follower: follower, Neighbours: neighboursOf(t, follower)}})
	genesis := follower.Genesis()
	known, err := open(wallet.RegionSettings{Genesis: genesis, Nodes: []string{"https://elsewhere.example"}})
	if err != nil || known.Copy != evidence.Copy(follower) || known.Refresh == nil {
		t.Errorf("got %+v, %v, want the host's own copy", known, err)
	}
	other, err := open(wallet.RegionSettings{Genesis: strings.Repeat("0", 64), Nodes: []string{"https://elsewhere.example"}})
	if err != nil || other.Copy.Genesis() != strings.Repeat("0", 64) || other.Refresh != nil {
		t.Errorf("got %+v, %v", other, err)
	}
	if err := other.Copy.Read(t.Context(), nil); !errors.Is(err, evidence.ErrNoCopy) {
		t.Errorf("got %v, want ErrNoCopy", err)
	}
	name := regionNames([]*evidence.Follower{follower}, neighboursOf(t, follower))
	if err := follower.Refresh(t.Context()); err != nil || name(genesis) == "" {
		t.Errorf("got %v, want the name of %.8s", err, genesis)
	}
	if _, err := followRegions(conf.WalletHost{}, kv.NewMemory(), nil); !errors.Is(err, conf.ErrConfig) {
		t.Errorf("no region: got %v", err)
	}
}

// TestNodesAreSpared: many holders at once ask the nodes once.
func TestNodesAreSpared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		refresh := atMost(time.Second, func(context.Context) error {
			asked++
			return errors.New("away")
		})
		if err := refresh(t.Context()); err == nil {
			t.Error("the failure is not told")
		}
		for range 100 {
			if err := refresh(t.Context()); err != nil {
				t.Errorf("got %v", err)
			}
		}
		time.Sleep(time.Second)
		_ = refresh(t.Context()) // the count below says whether it asked
		if asked != 2 {
			t.Errorf("asked %d times, want 2", asked)
		}
	})
}

// TestAdmissionIsTold: who is not admitted hears of it.
func TestAdmissionIsTold(t *testing.T) {
	region := evidencetest.New(t, func() time.Time { return time.Now().UTC() })
	host := region.Admit(registry.Application{Role: registry.WalletHost, Name: "Paspoorthuis Aakermonde"})
	for name, tt := range map[string]struct {
		organisation string
		warns        bool
	}{
		"admitted": {host, false}, "unknown": {"org_aaaaaaaaaaaaaaaaaaaaaaaaaa", true},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			tellAdmission(t.Context(), tt.organisation, []*evidence.Follower{region.Follower()}, slog.New(slog.NewTextHandler(&said, nil)))
			if warned := strings.Contains(said.String(), "no region admits"); warned != tt.warns {
				t.Errorf("said %q, want a warning %v", said.String(), tt.warns)
			}
		})
	}
}

func neighboursOf(t *testing.T, home evidence.Copy) *evidence.Neighbours {
	n, err := evidence.NewNeighbours(evidence.NeighboursConfig{Home: home, Source: func(string) evidence.Source { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
