package main

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/keyfile/keyfiletest"
	"paspoort.example/paspoort/node"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// A council is a region with four members and one real node, and the files from which
// each of them has its say.
type council struct {
	t            *testing.T
	dir          string
	genesis, url string
	secret       string // file with the passphrase of sealed keys
	anchor       string // fingerprint of the region's CA
}

const councilPassphrase = "vier woorden op papier"

func newCouncil(t *testing.T) *council {
	t.Helper()
	peer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{}
	for name, kind := range map[string]keyfile.Kind{"tls": keyfile.ES256, "log": keyfile.Ed25519, "cosigner": keyfile.Ed25519, "timestamp": keyfile.ES256} {
		if keys[name], err = keyfile.Generate(kind); err != nil {
			t.Fatal(err)
		}
	}
	ed := func(name string) string {
		return base64.RawURLEncoding.EncodeToString(keys[name].Public().(ed25519.PublicKey))
	}
	c := &council{t: t, dir: t.TempDir()}
	charter := registry.Charter{
		Admission: registry.DefaultTerm(), Criteria: "criteria-1", Name: "Regio Aakermonde", Origin: "aakermonde.example/register",
		Nonce: base64.RawURLEncoding.EncodeToString(make([]byte, 16)), Thresholds: registry.DefaultThresholds(),
		Anchors: []registry.Anchor{registry.NewAnchor(c.authority(), "gemeente")},
		Nodes: []registry.Node{{
			ID: "knoop-1", Operator: "gemeente", RaftAddress: peer.Addr().String(), URL: "https://knoop-1.example",
			TLSKey: registry.SPKIHash(keys["tls"].Public()), TimestampKey: registrytest.PublicKey(keys["timestamp"]), LogKey: ed("log"), CosignerKey: ed("cosigner"),
		}},
	}
	members := map[string]crypto.Signer{}
	for i, id := range []string{"kring", "vakbond", "beraad", "gemeente"} {
		key := registrytest.NamedKey(id)
		members[id] = key
		if err := keyfile.Create(c.path(id+".key"), key, ""); err != nil {
			t.Fatal(err)
		}
		group := []registry.Group{registry.Werkgevers, registry.Werknemers, registry.Opleiders, registry.Overheid}[i]
		charter.Members = append(charter.Members, registry.Member{Contact: "toelating@" + id + ".example", ID: id, Name: "Lid " + id, Group: group, Key: registrytest.PublicKey(key)})
	}
	founding, err := registry.Found(charter, time.Now(), members)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := founding.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	c.genesis = founding.Event.ID()
	c.serve(node.Config{ID: "knoop-1", Founding: raw, Dir: c.path("node"), Peer: peer, VerifyOff: true, CheckpointInterval: 20 * time.Millisecond,
		TLSKey: keys["tls"], LogKey: keys["log"], CosignerKey: keys["cosigner"], TimestampKey: keys["timestamp"]})
	c.secret = c.path("passphrase")
	if err := os.WriteFile(c.secret, []byte(councilPassphrase+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for id := range members {
		c.ok(id, "init", "--pin", c.genesis+"="+c.url, "--as", "member/"+id, "--key", c.path(id+".key"))
	}
	return c
}

// authority makes the region's CA, in ca.pem and ca.key.
func (c *council) authority() (der []byte) {
	c.t.Helper()
	key := registrytest.NamedKey("ca")
	cert, err := ca.NewRoot(key, ca.Root{Name: "Regio Aakermonde CA", NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0)})
	if err == nil {
		err = errors.Join(keyfile.Create(c.path("ca.key"), key, ""), os.WriteFile(c.path("ca.pem"), ca.PEM(cert), 0o600))
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.anchor = registry.Fingerprint(cert.Raw)
	return cert.Raw
}

// serve runs the node until the test ends.
func (c *council) serve(config node.Config) {
	c.t.Helper()
	n, err := node.New(config)
	if err != nil {
		c.t.Fatal(err)
	}
	handler, err := n.Handler()
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	server := httptest.NewServer(handler)
	c.url = server.URL
	c.t.Cleanup(func() {
		server.Close()
		stop()
		if err := <-done; err != nil {
			c.t.Error(err)
		}
	})
}

func (c *council) path(name string) string { return filepath.Join(c.dir, name) }

// types has somebody type a registry command, and gives what it printed.
func (c *council) types(who string, args ...string) (code int, out, errs string) {
	c.t.Helper()
	flags := []string{"--config", c.path(who + ".json"), "--passphrase-file", c.secret, "--loopback-http", "--lang", "nl"}
	full := slices.Concat([]string{"registry"}, flags, args)
	if args[0] == "node" || args[0] == "region" { // the commands of a member that stand beside those of an operator
		full = slices.Concat(args, flags)
	}
	code, out, errs = play(c.t, full...)
	if strings.Contains(out+errs, councilPassphrase) {
		c.t.Errorf("%v: the passphrase was printed", args)
	}
	return code, out, errs
}

// ok types a command that must work.
func (c *council) ok(who string, args ...string) string {
	c.t.Helper()
	code, out, errs := c.types(who, args...)
	if code != exitOK {
		c.t.Fatalf("%s: %v: exit code %d\n%s%s", who, args, code, out, errs)
	}
	return out
}

// refused types a command that must fail with an error of this code.
func (c *council) refused(want, who string, args ...string) {
	c.t.Helper()
	code, out, errs := c.types(who, append(args, "--json")...)
	var f failure
	if err := json.Unmarshal([]byte(out), &f); code == exitOK || err != nil || f.Error != want {
		c.t.Errorf("%s: %v: got exit code %d and %q, want %s\n%s%s", who, args, code, f.Error, want, out, errs)
	}
	if f.Description == "" {
		c.t.Errorf("%s: %v: no sentence for a person", who, args)
	}
}

// sees types a command and looks for words in its answer.
func (c *council) sees(who string, args []string, want ...string) {
	c.t.Helper()
	out := c.ok(who, args...)
	for _, w := range want {
		if !strings.Contains(out, w) {
			c.t.Errorf("%s: %v: %q is not in\n%s", who, args, w, out)
		}
	}
}

// asks types a command and reads one member of its JSON.
func (c *council) asks(who, member string, args ...string) (value string) {
	c.t.Helper()
	var answer map[string]any
	if err := json.Unmarshal([]byte(c.ok(who, append(args, "--json")...)), &answer); err != nil {
		c.t.Fatal(err)
	}
	for name := range strings.SplitSeq(member, ".") {
		switch v := answer[name].(type) {
		case map[string]any:
			answer = v
		default:
			value = fmt.Sprint(v)
		}
	}
	return value
}

// applies has a new organisation apply as issuer.
func (c *council) applies() (id string) {
	c.t.Helper()
	c.ok("vaart", "init", "--pin", c.genesis+"="+c.url)
	return c.asks("vaart", "application", "apply", "--role", "issuer", "--name", "Opleidingshuis De Vaart", "--url", "https://vaart.example", "--type", "Opleiding", "--yes")
}

// TestRegistry is an application, from the first key to giving it up, against a real node.
func TestRegistry(t *testing.T) {
	c := newCouncil(t)
	c.ok("vaart", "init", "--pin", c.genesis+"="+c.url)
	c.refused("seat_exists", "vaart", "init", "--pin", c.genesis+"="+c.url)
	c.sees("vaart", []string{"status"}, "Er wacht niets op een besluit.")
	id := c.asks("vaart", "application", "apply", "--role", "issuer", "--name", "Opleidingshuis De Vaart", "--url", "https://vaart.example", "--type", "Opleiding", "--domain", "zorg", "--yes")

	t.Run("what can be seen", func(t *testing.T) {
		c.t = t
		c.sees("vaart", []string{"status", id[:8]}, "Opleidingshuis De Vaart", "https://vaart.example", "criteria-1", "Nog nodig: 2 leden, uit 2 groepen", "Lid vakbond", "toelating@vakbond.example", "Uiterlijk")
		c.sees("vakbond", []string{"status"}, "Wacht op u", id[:12], "vakbond.json approve")
		c.sees("nobody", []string{"list", "proposals", "--node", c.url}, id[:12], "wacht op besluit", "Opleidingshuis De Vaart")
		c.sees("nobody", []string{"list", "members", "--node", c.url}, "Lid gemeente", "werknemers", "toelating@gemeente.example")
		c.sees("nobody", []string{"list", "--node", c.url, "--lang", "en"}, "No organisations are admitted.")
	})
	c.t = t
	t.Run("what is not signed", func(t *testing.T) {
		c.t = t
		c.refused("unsigned", "vakbond", "approve", id)
		c.refused("reason_needed", "vakbond", "refuse", id, "--yes")
		c.refused("members_only", "vaart", "approve", id, "--yes")
		c.refused("no_such_id", "vakbond", "approve", "abcdefab", "--yes")
		c.refused("other_region", "vakbond", "suspend", "x", "--role", "issuer", "--reason", "x", "--region", strings.Repeat("a", 64), "--yes")
		c.refused("bad-key", "vakbond", "approve", id, "--yes", "--key", c.path("kring.key"))
		c.refused("no_seat", "nobody", "approve", id, "--yes")
	})
	c.t = t
	c.ok("beraad", "refuse", id, "--reason", "Geen examen gezien", "--yes")
	vaart := c.asks("vaart", "organisation", "status", id)
	c.sees("nobody", []string{"show", vaart, "--node", c.url}, "Opleidingshuis De Vaart", "Niet toegelaten", "https://vaart.example")
	c.sees("vakbond", []string{"approve", id[:10], "--reason", "Alles gezien", "--yes"}, "Nog nodig: 1 lid, uit 1 andere groep")
	c.sees("gemeente", []string{"approve", id, "--yes"}, "Besloten op")
	c.refused("closed", "kring", "approve", id, "--yes")
	c.sees("nobody", []string{"show", "opleidingshuis de vaart", "--node", c.url}, "toegelaten  ", "bewijzen uitgeven, tot")
	c.sees("nobody", []string{"why", "https://vaart.example", "--node", c.url}, "Geen examen gezien", "Alles gezien", "Besloten op")
	c.sees("nobody", []string{"why", id, "--node", c.url}, "in het register", "dit is het voorstel zelf", "een organisatie toelaten")
	c.afterAdmission()
}

// afterAdmission: keys, addresses, suspension, and the end.
func (c *council) afterAdmission() {
	c.t.Helper()
	alias := c.asks("vaart", "outcome.event", "alias", "--add", "https://nieuw.example", "--yes")
	c.sees("kring", []string{"approve", alias, "--yes"}, "Besloten op")
	c.sees("vaart", []string{"rotate-key", "--new-key", c.path("vaart2.key"), "--reason", "jaarlijks", "--yes"}, "Het geldt vanaf nu")
	var seat conf.Seat
	if err := conf.Load(c.path("vaart.json"), &seat); err != nil || seat.Key != c.path("vaart2.key") {
		c.t.Errorf("got %q and %v, want the new key in the file", seat.Key, err)
	}
	c.refused("bad-key", "vaart", "alias", "--end", "https://vaart.example", "--yes", "--key", c.path("registry.key"))
	c.certificates()
	c.sees("gemeente", []string{"rotate-key", "--new-key", c.path("gemeente2.key"), "--reason", "jaarlijks", "--yes"}, "Het geldt vanaf nu")
	c.sees("gemeente", []string{"suspend", "https://nieuw.example", "--reason", "Onderzoek loopt", "--yes"}, "Besloten op")
	c.sees("nobody", []string{"show", "https://nieuw.example", "--node", c.url}, "geschorst", "Onderzoek loopt")
	end := c.asks("gemeente", "outcome.event", "reinstate", "https://nieuw.example", "--reason", "In orde", "--yes")
	c.sees("vakbond", []string{"approve", end, "--yes"}, "Besloten op")
	lost := c.asks("kring", "outcome.event", "rotate-key", "--member", "beraad", "--lost", "--reason", "sleutel kwijt", "--yes")
	c.sees("kring", []string{"status", lost}, "een verloren sleutel", "niemand keurt zichzelf goed")
	c.sees("vaart", []string{"withdraw", "Opleidingshuis De Vaart", "--reason", "Wij stoppen", "--yes"}, "Het geldt vanaf nu")
	c.sees("vaart", []string{"status"}, "ingetrokken", "Wij stoppen")
	firm := c.asks("gemeente", "application", "apply", "--one-person", "--role", "verifier", "--name", "Jansen Advies", "--purpose", "werving", "--yes")
	c.sees("kring", []string{"status", firm}, "eenpersoonsbedrijf", "Nog nodig")
	c.ok("kring", "approve", firm, "--yes")
	c.appeals()
	c.refused("flag_needed", "kring", "hobbel", "claim", "H03", "--yes")
	c.sees("nobody", []string{"hobbel", "list", "--node", c.url}, "nog geen lijst")
	raw, err := paspoort.HobbelCatalogue()
	if err == nil {
		err = os.WriteFile(c.path("hobbels.json"), raw, 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	list := c.asks("kring", "outcome.event", "propose", "hobbel.catalogue", c.path("hobbels.json"), "--yes")
	c.sees("gemeente", []string{"approve", list, "--yes"}, "Besloten op")
	claim := c.asks("kring", "outcome.event", "hobbel", "claim", "H03", "--status", "experiment", "--sector", "zorg", "--summary", "Budget gaat mee",
		"--title", "Proeftuin Zij-instroom", "--participants", "12", "--placed", "9", "--yes")
	c.refused("conflict-of-interest", "kring", "hobbel", "confirm", claim, "--yes")
	c.sees("vakbond", []string{"hobbel", "confirm", claim, "--yes"}, "Nog nodig: 2 leden")
	c.ok("beraad", "approve", claim, "--yes")
	c.sees("gemeente", []string{"approve", claim, "--yes"}, "Besloten op")
	c.sees("nobody", []string{"hobbel", "list", "--node", c.url}, "experiment", "sector: zorg")
}

// certificates: asked, made, signed by both, sent; and renewed before the end.
func (c *council) certificates() {
	c.t.Helper()
	request := func(name, url string) string {
		c.ok("vaart", "certificate", "request", "--usage", "credential", "--url", url, "--service-key", c.path("credential.key"), "--out", c.path(name+".csr"))
		return c.path(name + ".csr")
	}
	authority := []string{"--ca-cert", c.path("ca.pem"), "--ca-key", c.path("ca.key"), "--yes"}
	c.refused("bad_request", "gemeente", append([]string{"certificate", "issue", request("foreign", "https://linde.example")}, authority...)...)
	c.refused("bad_authority", "kring", append([]string{"certificate", "issue", request("credential", "https://nieuw.example")}, authority...)...)
	for _, name := range []string{"credential", "renewed"} {
		c.ok("gemeente", append([]string{"certificate", "issue", request(name, "https://nieuw.example")}, authority...)...)
		c.refused("unsigned", "vaart", "send", c.path(name+".draft.json"))
		c.ok("vaart", "sign", c.path(name+".draft.json"), "--yes")
		c.sees("vaart", []string{"send", c.path(name + ".draft.json")}, "Het geldt vanaf nu")
	}
	c.sees("nobody", []string{"certificate", "list", "https://nieuw.example", "--node", c.url}, "credential", "geldig tot")
	c.revocations(authority)
}

// revocations: what a member revoked comes to who reads a revocation list.
func (c *council) revocations(authority []string) {
	c.t.Helper()
	raw, err := os.ReadFile(c.path("credential.pem"))
	if err != nil {
		c.t.Fatal(err)
	}
	chain, err := ca.ParsePEM(raw)
	if err != nil || len(chain[0].CRLDistributionPoints) != 1 {
		c.t.Fatalf("got %+v, %v", chain, err)
	}
	body := fmt.Sprintf(`{"certificate":%q,"reason":"sleutel zoekgeraakt","compromised":true}`, registry.Fingerprint(chain[0].Raw))
	if err := os.WriteFile(c.path("revoke.json"), []byte(body), 0o600); err != nil {
		c.t.Fatal(err)
	}
	list := c.path("region.crl")
	makes := append([]string{"certificate", "crl", "make", "--out", list}, authority...)
	c.ok("gemeente", makes...)
	c.ok("gemeente", "propose", "certificate.revoked", c.path("revoke.json"), "--yes")
	c.refused("bad_crl", "nobody", "certificate", "crl", "send", list, "--node", c.url)
	c.refused("bad_authority", "kring", makes...)
	c.sees("nobody", []string{"certificate", "crl", "show", "--node", c.url}, "nog geen lijst", "1")
	c.ok("gemeente", makes...)
	c.sees("nobody", []string{"certificate", "crl", "send", list, "--node", c.url}, "De knooppunten hebben lijst")
	c.sees("nobody", []string{"certificate", "crl", "show", "--node", c.url}, "volledig, met 1")
}

// appeals: who was refused asks once more, and takes the place of another.
func (c *council) appeals() {
	c.t.Helper()
	c.ok("brug", "init", "--pin", c.genesis+"="+c.url, "--key", c.path("brug.key"))
	id := c.asks("brug", "application", "apply", "--role", "verifier", "--name", "Taalschool De Brug", "--purpose", "werving", "--yes")
	c.refused("bad-transition", "brug", "appeal", id, "--reason", "te vroeg", "--yes")
	c.ok("vakbond", "refuse", id, "--reason", "onduidelijk", "--yes")
	c.sees("kring", []string{"refuse", id, "--reason", "onduidelijk", "--yes"}, "Afgewezen op", "kring.json appeal")
	appeal := c.asks("brug", "outcome.event", "appeal", id, "--reason", "Nu met uitleg", "--yes")
	c.sees("nobody", []string{"status", appeal, "--node", c.url}, "Nu met uitleg", "een nieuw besluit vragen")
	c.refused("conflict-of-interest", "kring", "approve", appeal, "--yes")
	c.ok("beraad", "approve", appeal, "--yes")
	c.sees("gemeente", []string{"approve", appeal, "--yes"}, "Besloten op")
	c.sees("nobody", []string{"show", "Taalschool De Brug", "--node", c.url}, "toegelaten  ")
	took := c.asks("brug", "outcome.event", "succeed", "Opleidingshuis De Vaart", "--on", "2026-01-01", "--alias", "https://nieuw.example", "--reason", "fusie", "--yes")
	c.ok("kring", "approve", took, "--yes")
	c.sees("gemeente", []string{"approve", took, "--yes"}, "Besloten op")
	c.sees("nobody", []string{"show", "https://nieuw.example", "--node", c.url}, "Taalschool De Brug")
}

// TestRegistryToken votes with a key that stays on its token.
func TestRegistryToken(t *testing.T) {
	key := keyfiletest.Token(t, registrytest.NamedKey("vakbond"))
	c := newCouncil(t)
	pin := c.path("pin")
	if err := os.WriteFile(pin, []byte(keyfiletest.PIN+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := c.asks("gemeente", "application", "apply", "--one-person", "--role", "verifier", "--name", "Jansen Advies", "--purpose", "werving", "--yes")
	c.refused("wrong_passphrase", "vakbond", "approve", id, "--key", key, "--yes") // the file holds another secret
	c.sees("vakbond", []string{"approve", id, "--key", key, "--passphrase-file", pin, "--reason", "gezien", "--yes"}, "Getekend")
	c.sees("kring", []string{"status", id}, "Lid vakbond (werknemers", "gezien")
}
