package main

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/founding"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/node"
	"paspoort.example/paspoort/specs/registry"
)

// nodeInit are the flags of node init.
type nodeInit struct {
	dir                              string
	id, url, peer, listen, peerBound string
	admin                            string
	member, group, name, contact     string
	memberKey, passphrase            string
	authority, behindProxy           bool
	cert, key, email, directory      string
	profile                          string
	region, node, caFile             string
	private                          []string
}

func newNodeInitCommand() *cobra.Command {
	var f nodeInit
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the keys, the configuration and the card of a node",
		Long: `Make the keys, the configuration and the card of a node.

For a new region, also say which member of it you are: then the member's key is made
as well, sealed with a passphrase, and the card tells of both. Exactly one member of a
new region adds --ca, and keeps the authority that certifies issuers.

For a region that runs, name it: then the card is for "paspoort node join".

  paspoort node init --id knoop-1 --url https://knoop.kring.example --peer knoop.kring.example:7001 \
      --member werkgeverskring --group werkgevers --name "Werkgeverskring Aakermonde" \
      --contact toelating@kring.example
  paspoort node init --id knoop-4 --url https://knoop.rijn.example --peer knoop.rijn.example:7001 \
      --member opleidersberaad --node https://knoop.kring.example --region GENESIS`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "dir", ".", "folder to make everything in")
	flags.StringVar(&f.id, "id", "", "id of the node, such as knoop-1")
	flags.StringVar(&f.url, "url", "", "public address of the node, https")
	flags.StringVar(&f.peer, "peer", "", "host:port at which the other nodes reach this one")
	flags.StringVar(&f.listen, "listen", ":443", "where to listen for the public; for an http address on this computer that address")
	flags.StringVar(&f.peerBound, "peer-listen", "", "where to listen for the other nodes, when that is not the port of --peer")
	flags.StringVar(&f.admin, "admin-listen", "127.0.0.1:9101", "where the operator's pages and metrics are, on this computer; for an http address a thousand ports above it")
	flags.StringVar(&f.member, "member", "", "id of the member that runs the node")
	flags.StringVar(&f.group, "group", "", "group of the member: werkgevers, werknemers, opleiders or overheid")
	flags.StringVar(&f.name, "name", "", "name of the member")
	flags.StringVar(&f.contact, "contact", "", contactUsage)
	flags.StringVar(&f.memberKey, "member-key", "", "key that the member has already: a file, or a pkcs11: address")
	flags.StringVar(&f.passphrase, "passphrase-file", os.Getenv("PASPOORT_KEY_PASSPHRASE_FILE"), "file with the passphrase of the member's key; without it you are asked")
	flags.BoolVar(&f.authority, "ca", false, "make the region's certificate authority too, kept by this member")
	flags.StringVar(&f.cert, "tls-cert", "", "PEM file with the certificate for the public address")
	flags.StringVar(&f.key, "tls-key", "", "PEM file with its key")
	flags.StringVar(&f.email, "acme-email", "", "get a certificate by ACME; the authority writes to this address")
	flags.StringVar(&f.directory, "acme-directory", "", "ACME directory, when it is not Let's Encrypt's")
	flags.BoolVar(&f.behindProxy, "behind-proxy", false, "a proxy of your own ends https before the node")
	flags.StringVar(&f.profile, "profile", "wan", "how far the nodes are apart: lan or wan; empty for several on one computer")
	flags.StringVar(&f.node, "node", "", "public address of a node of a region that runs")
	flags.StringVar(&f.region, "region", "", "genesis of that region, from somebody you trust")
	flags.StringVar(&f.caFile, "ca-file", "", "PEM file with a certificate authority to trust beside the system's; the node trusts it too")
	flags.StringArrayVar(&f.private, "allow-private", nil, privateUsage)
	return cmd
}

func (f *nodeInit) run(cmd *cobra.Command) error {
	f.onThisComputer(cmd.Flags().Changed)
	if err := f.check(); err != nil {
		return misused(cmd, err)
	}
	if err := f.checkHTTPS(); err != nil {
		return misused(cmd, err)
	}
	if _, err := (outbound.Settings{CAFile: f.caFile, AllowPrivate: f.private}).Policy(); err != nil {
		return err
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	config := filepath.Join(f.dir, "node.json")
	if _, err := os.Stat(config); !errors.Is(err, fs.ErrNotExist) {
		return hint(errors.Join(fmt.Errorf("%s is there already", config), err), "choose another folder with --dir; a node is made once")
	}
	home := founding.Prepare(f.dir)
	done := false
	defer func() {
		if !done {
			home.Undo()
		}
	}()
	if err := f.makeKeys(cmd, home); err != nil {
		return err
	}
	if f.region != "" {
		if err := f.fetchFounding(cmd.Context()); err != nil {
			return err
		}
		home.Files = append(home.Files, filepath.Join(f.dir, foundingFile))
	}
	home.Facts.Region = f.region
	card, err := home.Card()
	if err != nil {
		return err
	}
	if err := conf.Write(config, f.config()); err != nil {
		return err
	}
	done = true
	f.tell(cmd, append(home.Files, config), card)
	return nil
}

func (f *nodeInit) check() error {
	u, err := url.Parse(f.url)
	switch {
	case f.id == "" || f.url == "" || f.peer == "" || f.member == "":
		return errors.New("say --id, --url, --peer and --member")
	case err != nil || u.Host == "" || u.Path != "" || outbound.New(outbound.Policy{AllowLoopbackHTTP: true}).CheckURL(f.url) != nil:
		return fmt.Errorf("--url is %q: it should be an address such as https://knoop.kring.example, also behind a proxy; plain http is for this computer only, such as http://localhost:8080", f.url)
	case !registry.IsID(f.id):
		return badID("--id", f.id, "knoop-1")
	case !registry.IsID(f.member):
		return badID("--member", f.member, "gemeente-aakermonde")
	case !registry.IsHostPort(f.peer):
		return fmt.Errorf("--peer is %q: it needs host:port, such as knoop.kring.example:7001", f.peer)
	case (f.region == "") != (f.node == ""):
		return errors.New("--region and --node go together: the region's genesis is what you trust, the node is where to fetch")
	case f.region == "" && (f.group == "" || f.name == ""):
		return errors.New("say --group and --name of the member, for a new region; or --region and --node, for one that runs")
	case f.region == "" && checkGroup(f.group) != nil:
		return checkGroup(f.group)
	case f.region != "" && f.contact != "":
		return errors.New("--contact is for a new region; in one that runs the members change it with an amendment (contacts)")
	case f.contact != "" && !registry.IsContact(f.contact):
		return badContact(f.contact)
	case f.region != "" && (f.authority || f.memberKey != ""):
		return errors.New("--ca and --member-key are for a new region; in one that runs the member signs with: paspoort node join")
	case (f.cert == "") != (f.key == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case f.profile != "" && f.profile != "lan" && f.profile != "wan":
		return fmt.Errorf("--profile is %q: choose lan or wan", f.profile)
	}
	return nil
}

func badID(flag, given, such string) error {
	return fmt.Errorf("%s is %q: it should be 1 to 40 of a-z, 0-9 and '-', such as %s", flag, given, such)
}

// checkHTTPS says what would keep the node from serving: its address is in the charter by then.
func (f *nodeInit) checkHTTPS() error {
	err := f.config().CheckHTTPS()
	if errors.Is(err, conf.ErrPlain) {
		return errors.New("say how the node gets its certificate for https: --acme-email, --tls-cert with --tls-key, or --behind-proxy")
	}
	return err
}

// onThisComputer fills in what follows from a plain http address, for several nodes on one
// computer: each listens at its own address, and for its operator a thousand ports further.
func (f *nodeInit) onThisComputer(given func(flag string) bool) {
	u, err := url.Parse(f.url)
	if err != nil || u.Scheme != "http" {
		return
	}
	port, err := strconv.Atoi(cmp.Or(u.Port(), "80"))
	if err != nil {
		return
	}
	if !given("listen") {
		f.listen = net.JoinHostPort(u.Hostname(), strconv.Itoa(port))
	}
	if !given("admin-listen") {
		f.admin = ""
		if port += 1000; port < 1<<16 {
			f.admin = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		}
	}
	if !given("profile") {
		f.profile = ""
	}
}

// checkGroup says which groups there are.
func checkGroup(group string) error {
	if slices.Contains([]registry.Group{registry.Werkgevers, registry.Werknemers, registry.Opleiders, registry.Overheid}, registry.Group(group)) {
		return nil
	}
	return fmt.Errorf("--group is %q: choose %s, %s, %s or %s", group, registry.Werkgevers, registry.Werknemers, registry.Opleiders, registry.Overheid)
}

const contactUsage = "where applicants reach the member: an https page or an e-mail address of the organisation, such as toelating@kring.example, never of a person: it stays public for good"

func badContact(contact string) error {
	return fmt.Errorf("--contact is %q: it should be a page such as https://kring.example/toelating or an address such as toelating@kring.example, in small letters and at most 200", contact)
}

// makeKeys makes the keys of the node and, for a new region, those of the member.
func (f *nodeInit) makeKeys(cmd *cobra.Command, home *founding.Home) error {
	err := home.Node(registry.Node{ID: f.id, Operator: f.member, RaftAddress: f.peer, URL: f.url})
	if err != nil || f.region != "" {
		return err
	}
	return f.memberKeys(cmd, home)
}

// memberKeys makes the key of the member, and the region's authority when it keeps that.
func (f *nodeInit) memberKeys(cmd *cobra.Command, home *founding.Home) (err error) {
	var key crypto.Signer
	passphrase := ""
	if f.memberKey != "" {
		opened, err := openKey(cmd, f.memberKey, f.passphrase)
		if err != nil {
			return err
		}
		defer opened.Close()
		key = opened
	}
	if f.memberKey == "" || f.authority {
		if passphrase, err = newPassphrase(cmd, f.passphrase); err != nil {
			return err
		}
	}
	m := registry.Member{Contact: f.contact, Group: registry.Group(f.group), ID: f.member, Name: f.name}
	if err := home.Member(m, key, passphrase); err != nil {
		return err
	}
	if !f.authority {
		return nil
	}
	return home.Authority("CA "+f.name, passphrase, time.Now())
}

const foundingFile = "founding.json"

// fetchFounding gets the founding event of a region that runs, and holds it against the
// region's id.
func (f *nodeInit) fetchFounding(ctx context.Context) error {
	client, err := regionClientBy(f.node, outbound.Settings{CAFile: f.caFile, AllowPrivate: f.private})
	if err != nil {
		return err
	}
	leaves, err := client.Leaves(ctx, 0, 1)
	if err != nil || len(leaves) != 1 {
		return hint(errors.Join(errors.New("the region does not give its founding event"), err), "is this the public address of a node that runs?")
	}
	leaf, err := registry.ParseLeaf(leaves[0])
	if err != nil {
		return err
	}
	event := registry.SignedEvent{Event: leaf.Event, Signatures: leaf.Signatures}
	if event.Event.ID() != f.region {
		return hint(errors.New("the region at this address has another id than the one you gave"), "ask the region for its id over another channel")
	}
	raw, err := event.Marshal()
	if err != nil {
		return err
	}
	if err := f.fits(ctx, client); err != nil {
		return err
	}
	if err := f.fetchHint(ctx, client); err != nil {
		return err
	}
	return keyfile.WriteAtomic(filepath.Join(f.dir, foundingFile), raw, 0o644)
}

// fits says at once what the members would refuse: an id that is taken, a member that there is not.
func (f *nodeInit) fits(ctx context.Context, client registry.Client) error {
	now, err := client.Region(ctx, freshly)
	if err != nil {
		return err
	}
	if _, err := operatorOf(now.Nodes, &registry.NodeChange{Node: &registry.Node{ID: f.id, Operator: f.member}}); err != nil {
		return inLanguage(err, "en")
	}
	return inLanguage(isMember(now.Members, f.member), "en")
}

// fetchHint gets who the nodes are now, if that changed: those of the founding may be gone.
func (f *nodeInit) fetchHint(ctx context.Context, client registry.Client) error {
	changes, err := client.Handovers(ctx)
	if err != nil || len(changes) == 0 {
		return err
	}
	today, err := client.Snapshot(ctx)
	if err != nil {
		return err
	}
	return node.WriteHint(filepath.Join(f.dir, "data"), f.region, today)
}

func (f *nodeInit) config() conf.Node {
	c := conf.Node{
		Server: conf.Server{Listen: f.listen, URL: f.url, TLSCert: absolute(f.cert), TLSKey: absolute(f.key), BehindProxy: f.behindProxy},
		ID:     f.id, Founding: foundingFile, Data: "data", PeerListen: f.peerBound,
		PeerKey: founding.FilePeerKey, LogKey: founding.FileLogKey, CosignerKey: founding.FileCosignerKey, TimestampKey: founding.FileTimestampKey, FederationKey: founding.FileFederationKey,
		Check: true, Profile: f.profile,
	}
	c.AdminListen = f.admin
	if c.PeerListen == "" {
		c.PeerListen = f.peer[max(0, strings.LastIndexByte(f.peer, ':')):]
	}
	if f.email != "" {
		c.ACME = &conf.ACME{Email: f.email, Cache: "acme", Directory: f.directory, CAFile: absolute(f.caFile)}
	}
	c.Outbound = outbound.Settings{CAFile: absolute(f.caFile), AllowPrivate: f.private}
	if u, err := url.Parse(f.url); err == nil && u.Scheme == "http" { // a region on this computer
		c.Outbound.LoopbackHTTP = true
		c.Outbound.AllowPrivate = slices.Concat(thisComputer, f.private)
	}
	return c
}

// absolute is for paths that were typed here and go into a file elsewhere.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

func (f *nodeInit) tell(cmd *cobra.Command, files []string, card founding.Card) {
	out := cmd.OutOrStdout()
	slices.Sort(files)
	fmt.Fprintln(out, "Written:")
	for _, file := range files {
		fmt.Fprintln(out, "  "+file)
	}
	fmt.Fprintf(out, "Card %s\n", card.Fingerprint())
	if m := card.Facts.Member; m != nil {
		fmt.Fprintf(out, "Key of this member %s\n", m.Key.Thumbprint())
	}
	next := "Give card.json to whoever puts the region together, and read the lines above to them over the telephone. Then wait for their draft, and type:\n  paspoort region sign founding.draft.json --key member.key --card card.json"
	if f.memberKey != "" {
		next = strings.Replace(next, "member.key", f.memberKey, 1)
	}
	if f.region != "" {
		next = "The member that runs this node now types, where it keeps its key:\n  paspoort node join card.json --node " + f.node + " --region " + f.region + " --as " + registry.MemberParty(f.member) + " --key member.key\nand after the approval of the other members, here:\n  paspoort node serve --config " + filepath.Join(f.dir, "node.json")
	}
	fmt.Fprintln(out, typed(next))
	if f.region == "" && f.contact == "" {
		fmt.Fprintln(out, "The card does not say where applicants reach the member; --contact does, and the members can add it later.")
	}
	if f.region == "" && f.memberKey == "" {
		fmt.Fprintln(out, "Move member.key to a computer of the people who decide, and keep a copy on paper or in a safe: it does not belong on a server.")
	}
}
