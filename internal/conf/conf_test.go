package conf

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/internal/testkit"
)

func TestFilesComeBack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "issuer.json")
	in := Issuer{Server: Server{Listen: "127.0.0.1:1", URL: "https://localhost:1", TLSCert: "tls.pem"}, Name: "Opleidingshuis De Vaart",
		Region: Region{Genesis: "ab", Nodes: []string{"https://localhost:2"}}, Data: "/elsewhere", AdminToken: "token"}
	if err := Write(path, in); err != nil {
		t.Fatal(err)
	}
	var got Issuer
	if err := Load(path, &got); err != nil {
		t.Fatal(err)
	}
	want := in
	want.TLSCert, want.AdminToken = filepath.Join(dir, "tls.pem"), filepath.Join(dir, "token")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestWalletHostFile: every path is resolved, also those of a list.
func TestWalletHostFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "wallet.json")
	in := WalletHost{
		Server: Server{Listen: "127.0.0.1:1", URL: "https://localhost:1", TLSKey: "tls.key"}, Name: "Paspoorthuis Aakermonde",
		Regions: []Region{{Genesis: "ab", Nodes: []string{"https://localhost:2"}}, {Genesis: "cd"}},
		Data:    "data", ReceiptKey: "receipt.key", Labels: []string{"esco.csv", "/elsewhere/own.csv"},
		SessionMinutes: 20, BackupDays: 35, MaxHolders: 500,
	}
	if err := Write(path, in); err != nil {
		t.Fatal(err)
	}
	var got WalletHost
	if err := Load(path, &got); err != nil {
		t.Fatal(err)
	}
	want := in
	want.TLSKey, want.Data, want.ReceiptKey = filepath.Join(dir, "tls.key"), filepath.Join(dir, "data"), filepath.Join(dir, "receipt.key")
	want.Labels = []string{filepath.Join(dir, "esco.csv"), "/elsewhere/own.csv"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestBadFiles(t *testing.T) {
	for _, tt := range []struct {
		name, body, want string
		mode             os.FileMode
	}{
		{"readable by others", `{}`, "0600", 0o644},
		{"misspelt", `{"lissen":"x"}`, "lissen", 0o600},
		{"twice", `{"listen":"x","listen":"y"}`, "twice", 0o600},
		{"not json", `listen = x`, "", 0o600},
		{"too large", strings.Repeat(" ", maxFile+1), "too large", 0o600},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "c.json")
			if err := os.WriteFile(path, []byte(tt.body), tt.mode); err != nil {
				t.Fatal(err)
			}
			var c Node
			err := Load(path, &c)
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrConfig with %q", err, tt.want)
			}
		})
	}
	if err := Load(filepath.Join(t.TempDir(), "absent"), &Node{}); !errors.Is(err, ErrConfig) {
		t.Errorf("absent: got %v, want ErrConfig", err)
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	l := testkit.Listen(t)
	err := Server{Listen: l.Addr().String()}.ServeRole(context.Background(), http.NotFoundHandler(), Role{})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()+" is taken") {
		t.Errorf("got %v, want the port in it", err)
	}
}
