package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/dev"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/paspoort"
)

// skillCare is the skill that the sample of a module teaches.
const skillCare = "https://linkeddata.competentnl.nl/id/humancapability/DB59A57C01"

// A land is a region in real processes, with a browser to travel through it.
type land struct {
	*dev.World
	ready   dev.Ready
	program string
	browser context.Context
	words   map[string]map[string]string // of the host's pages, by language and key

	mu      sync.Mutex
	secrets []string          // what must be found nowhere
	numbers []string          // paspoortnummers: these stand in the host's store in the clear
	hosts   map[string]string // second hosts by name: URL
	metrics map[string][]byte // of each process
	end     func(func())      // has something done at the end of all journeys
}

// found brings the region up.
func found(t *testing.T) *land {
	t.Helper()
	t.Setenv("PASPOORT_TEST_PROGRAM", "1") // the test binary becomes the program
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l := &land{program: self, hosts: map[string]string{}, metrics: map[string][]byte{}, end: t.Cleanup}
	dir := filepath.Join(t.TempDir(), "region")
	if l.World, err = dev.Start(t.Context(), dev.Options{Dir: dir, TLS: true, Program: self}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Stop(); err != nil {
			t.Error(err)
		}
	})
	if l.ready, err = l.Ready(); err != nil {
		t.Fatal(err)
	}
	l.words = catalogs(t, "wallet/host/catalogs/*.json", "internal/page/catalogs/*.json")
	l.browser = chromium(t, keyOf(t, l.hostConfig(t).TLSCert))
	return l
}

// keyOf is the hash of the key in a certificate file, as Chromium wants it.
func keyOf(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		t.Fatalf("%s holds no certificate", file)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// catalogs are the words on the pages. Of a text that counts, KEY is the plural and KEY/one
// the other.
func catalogs(t *testing.T, patterns ...string) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(testkit.Root(t), pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %d files", pattern, err, len(files))
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var texts map[string]any
			if err := json.Unmarshal(raw, &texts); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			lang := strings.TrimSuffix(filepath.Base(file), ".json")
			lang = lang[strings.LastIndex(lang, ".")+1:]
			if out[lang] == nil {
				out[lang] = map[string]string{}
			}
			for key, text := range texts {
				if forms, ok := text.(map[string]any); ok {
					text = forms["other"]
					out[lang][key+"/one"], _ = forms["one"].(string)
				}
				out[lang][key], _ = text.(string)
			}
		}
	}
	return out
}

// remember keeps what the scan at the end looks for.
func (l *land) remember(secrets ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets = append(l.secrets, secrets...)
}

// api speaks an admin API.
func (l *land) api(t *testing.T, method, url, token string, in, out any) {
	t.Helper()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := l.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode > 299 {
		t.Fatalf("%s %s: %d %s %v", method, url, resp.StatusCode, raw, err)
	}
	if out == nil {
		return
	}
	if keep, ok := out.(*[]byte); ok {
		*keep = raw
	} else if err := json.Unmarshal(raw, out); err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
}

// get fetches a page or a file as anybody may.
func (l *land) get(t *testing.T, url string) []byte {
	t.Helper()
	body, _, err := l.HTTP.Get(t.Context(), url)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return body
}

// An invitation is an offer that an issuer made.
type invitation struct {
	URI    string `json:"credential_offer_uri"`
	Page   string `json:"page"`
	TxCode string `json:"tx_code"`
}

// offer has the issuer of a role offer the sample of a type, made out to nobody's
// neighbour: the sample's person.
func (l *land) offer(t *testing.T, role string, kind paspoort.Type, change map[string]any) invitation {
	t.Helper()
	at := slices.IndexFunc(l.ready.Issuers, func(i dev.ReadyIssuer) bool { return i.Role == role })
	issuer := l.ready.Issuers[at]
	id := paspoort.ConfigurationID(kind, paspoort.FormatSDJWTVC)
	var claims map[string]any
	l.api(t, http.MethodGet, issuer.URL+"/api/v1/configurations/"+id+"/sample", issuer.AdminToken, nil, &claims)
	for name, value := range change {
		claims[name] = value
	}
	var made invitation
	l.api(t, http.MethodPost, issuer.URL+"/api/v1/offers", issuer.AdminToken, map[string]any{"credential_configuration_id": id, "claims": claims, "tx_code": true}, &made)
	return made
}

// A question is a request that the employer made.
type question struct {
	ID         string            `json:"id"`
	Invocation string            `json:"invocation"`
	Page       string            `json:"page"`
	State      string            `json:"state"`
	Verdict    *paspoort.Verdict `json:"verdict"`
}

func (l *land) askFor(t *testing.T, purpose string) question {
	t.Helper()
	v := l.ready.Verifiers[0]
	var made question
	body := map[string]any{"skills": []map[string]string{{"uri": skillCare, "label": "Verzorgen"}}, "purpose": purpose}
	l.api(t, http.MethodPost, v.URL+"/api/v1/requests", v.AdminToken, body, &made)
	return made
}

// answered reads how a request stands.
func (l *land) answered(t *testing.T, id string) (q question) {
	t.Helper()
	v := l.ready.Verifiers[0]
	l.api(t, http.MethodGet, v.URL+"/api/v1/requests/"+id, v.AdminToken, nil, &q)
	return q
}

// hostConfig is the configuration of the region's host of paspoorten.
func (l *land) hostConfig(t *testing.T) (c conf.WalletHost) {
	t.Helper()
	if err := conf.Load(filepath.Join(l.Dir(), "wallet", "config.json"), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// A house is another host of paspoorten, which no region admitted.
type house struct {
	url string
	cmd *exec.Cmd
}

// secondHost starts another host beside the region's, with its data and log in the same
// folder, so that the scan at the end sees them.
func (l *land) secondHost(t *testing.T, name string, change func(*conf.WalletHost)) *house {
	t.Helper()
	dir := filepath.Join(l.Dir(), name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c := l.hostConfig(t)
	port := freePort(t)
	c.Listen, c.URL = fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("https://localhost:%d", port)
	c.Data, c.ReceiptKey, c.Organisation, c.Name = filepath.Join(dir, "data"), "", "", "Huis "+name
	if change != nil {
		change(&c)
	}
	file := filepath.Join(dir, "config.json")
	if err := conf.Write(file, c); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(l.Dir(), "logs", name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	h := &house{url: c.URL, cmd: exec.Command(l.program, "wallet", "serve", "--config", file)}
	h.cmd.Stdout, h.cmd.Stderr = log, log
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.end(h.stop)
	until(t, patience, name+" is up", func() bool {
		_, _, err := l.HTTP.Get(t.Context(), c.URL+"/readyz")
		return err == nil
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hosts[name] = c.URL
	return h
}

// stop ends the host.
func (h *house) stop() {
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	_ = h.cmd.Wait()
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// A purse is a paspoort on the command line.
type purse struct {
	t    *testing.T
	land *land
	dir  string
}

// newPurse makes one. Its folder is not the region's: nobody scans a person's own computer.
func (l *land) newPurse(t *testing.T) *purse {
	t.Helper()
	p := &purse{t, l, t.TempDir()}
	p.write("passphrase", "vier woorden op papier\n")
	ready := filepath.Join(p.dir, "ready.json")
	if err := l.WriteReady(ready); err != nil {
		t.Fatal(err)
	}
	p.run(nil, "init", "--ready-file", ready)
	return p
}

func (p *purse) write(name, text string) (file string) {
	p.t.Helper()
	file = filepath.Join(p.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return file
}

// run types a command and reads its JSON.
func (p *purse) run(out any, args ...string) {
	p.t.Helper()
	full := append([]string{"wallet", "--dir", filepath.Join(p.dir, "wallet"), "--passphrase-file", filepath.Join(p.dir, "passphrase"), "--json"}, args...)
	cmd := exec.CommandContext(p.t.Context(), p.land.program, full...)
	var said, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaints
	if err := cmd.Run(); err != nil {
		p.t.Fatalf("wallet %s: %v: %s%s", strings.Join(args, " "), err, complaints.String(), said.String())
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(said.Bytes(), out); err != nil {
		p.t.Fatalf("wallet %s answered %q: %v", args[0], said.String(), err)
	}
}
