// Package conf is the form of the configuration files: one JSON file per process,
// mode 0600, which names key and token files and holds no secret itself. Paths are
// relative to the folder of the file.
//
// It knows the words of a file and no role: cmd/paspoort maps a file onto a role's
// Config, and the region on your own computer (package dev) writes files.
//
//	var c conf.Issuer
//	err := conf.Load("issuer.json", &c)
//	err = c.ServeRole(ctx, handler, conf.Role{Name: "issuer", Data: c.Data})
package conf

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/ijson"
)

// ErrConfig: the file cannot be used; the text says what to change.
var ErrConfig = errors.New("configuration")

// Server is where a process listens and how the world calls it.
type Server struct {
	// Listen is host:port, for example "127.0.0.1:4001".
	Listen string `json:"listen"`
	// URL is the public address without trailing slash. Identifiers are made from
	// it; the Host header of a request is never believed.
	URL string `json:"url"`
	// TLSCert and TLSKey are PEM files; without them the process speaks plain
	// http, which belongs on loopback or behind a proxy.
	TLSCert string `json:"tls_cert,omitempty"`
	TLSKey  string `json:"tls_key,omitempty"`
	// ACME gets a certificate from an authority and renews it, instead of TLSCert.
	ACME *ACME `json:"acme,omitempty"`
	// BehindProxy says that a proxy of your own ends https before this process: plain
	// http is then spoken on addresses other than loopback too.
	BehindProxy bool `json:"behind_proxy,omitempty"`
	Operate
}

// Region says which region is relied on and where its nodes are.
type Region struct {
	// Genesis is the region's id, 64 hexadecimal digits: what is pinned.
	Genesis string `json:"genesis"`
	// Nodes are public URLs.
	Nodes []string `json:"nodes"`
	// EverySeconds is how often the log is asked for news; 0 means the default of
	// the follower.
	EverySeconds int `json:"every_seconds,omitzero"`
	// Status is how status lists are had: "" fetches each from its issuer, and from the nodes
	// when that fails; "nodes" takes all of them from the nodes, so that no issuer learns that
	// somebody looks. Then keys are taken from certificates and the registry only.
	Status string `json:"status,omitempty"`
	// Federations count beside it, for issuers that neither this region nor one that it
	// accepted knows. To find such an issuer out it is asked itself, with those above it.
	Federations []Federation `json:"federations,omitempty"`
}

// StatusNodes is the value of Region.Status with which no issuer is contacted.
const StatusNodes = "nodes"

// Node is the file of `paspoort node serve`.
type Node struct {
	Server
	ID       string `json:"id"`       // in the charter, e.g. "knoop-1"
	Founding string `json:"founding"` // file with the founding event
	Data     string `json:"data"`     // folder
	// PeerListen is where other nodes connect, host:port, the charter's raft address.
	PeerListen   string `json:"peer_listen"`
	PeerKey      string `json:"peer_key"` // key files, PEM
	LogKey       string `json:"log_key"`
	CosignerKey  string `json:"cosigner_key"`
	TimestampKey string `json:"timestamp_key"`
	// FederationKey signs OpenID Federation statements; empty signs none.
	FederationKey string            `json:"federation_key,omitempty"`
	Check         bool              `json:"check"` // answer POST /v1/verify and show the check page
	Outbound      outbound.Settings `json:"outbound"`
	// Profile is how far the nodes are apart: "lan" or "wan" (see node.Profiles); empty
	// is for several nodes on one computer.
	Profile string `json:"profile,omitempty"`
	// Control is the socket on which the operator's commands reach a running node; empty
	// means control.sock in the folder Data. Who may write to the file is an operator.
	Control string `json:"control,omitempty"`
	// BackupRecipients are public keys of age, age1..., of who can read backups.
	BackupRecipients []string `json:"backup_recipients,omitempty"`
	// ElectionMillis is raft's heartbeat and election timeout; 0 means the default.
	ElectionMillis int `json:"election_millis,omitzero"`
	// CosignSeconds is after how long an unchanged log is cosigned again; 0 means
	// the default.
	CosignSeconds int `json:"cosign_seconds,omitzero"`
	// MirrorSeconds is how often each accepted region is asked for news; 0 means the
	// default.
	MirrorSeconds int `json:"mirror_seconds,omitzero"`
	// ArchiveSeconds is the least time between two looks at one status list; 0 means the
	// default of the node.
	ArchiveSeconds int `json:"archive_seconds,omitzero"`
}

// Issuer is the file of `paspoort issuer serve`.
type Issuer struct {
	Server
	Region       Region            `json:"region"`
	Outbound     outbound.Settings `json:"outbound"`
	Data         string            `json:"data"`         // folder
	Name         string            `json:"name"`         // on pages and in credentials
	Country      string            `json:"country"`      // ISO 3166-1 alpha-2, e.g. "NL"
	Organisation string            `json:"organisation"` // permanent id in the registry
	Types        []string          `json:"types"`        // names of types: "Opleiding"
	AdminToken   string            `json:"admin_token"`  // file
	// Secret is a file with the secret that seals claims in the store, made when it
	// is not there; empty means store.secret beside the folder Data.
	Secret string `json:"secret,omitempty"`
	// Wallets are offered on the offer page beside the wallet on this device.
	Wallets []Wallet `json:"wallets,omitempty"`
	// Federation are the entity identifiers of the regions below which the issuer takes part in
	// OpenID Federation; empty takes no part.
	Federation []string `json:"federation,omitempty"`
	// CredentialKey signs credentials; CredentialChain is its PEM chain, leaf
	// first, without the anchor. StatusKey and StatusChain sign status lists.
	CredentialKey   string `json:"credential_key"`
	CredentialChain string `json:"credential_chain"`
	StatusKey       string `json:"status_key"`
	StatusChain     string `json:"status_chain"`
	// Custody says that status lists of organisations that ceased are signed on here, when
	// the region asks this one to. It needs region, status_chain and organisation.
	Custody bool `json:"custody,omitempty"`
	// PublishSeconds is the schedule on which status lists are published; 0 means
	// 900.
	PublishSeconds int `json:"publish_seconds,omitzero"`
}

// Verifier is the file of `paspoort verifier serve`.
type Verifier struct {
	Server
	Region       Region            `json:"region"`
	Outbound     outbound.Settings `json:"outbound"`
	Data         string            `json:"data"`
	Name         string            `json:"name"`
	Organisation string            `json:"organisation"`
	AdminToken   string            `json:"admin_token"` // file
	DIDKey       string            `json:"did_key"`     // signs requests as did:web
	AccessKey    string            `json:"access_key"`  // signs requests as x509_hash
	AccessChain  string            `json:"access_chain"`
	// Wallets are shown on the request page as other ways to answer.
	Wallets []Wallet `json:"wallets,omitempty"`
	// Federation are the entity identifiers of the regions below which the verifier takes part
	// in OpenID Federation; empty takes no part.
	Federation []string `json:"federation,omitempty"`
	// RequestSeconds is how long a request can be answered, KeepHours how long its
	// verdict is kept, KeepContentsMinutes how long what was disclosed is held in
	// memory; 0 means the default of the role.
	RequestSeconds      int `json:"request_seconds,omitzero"`
	KeepHours           int `json:"keep_hours,omitzero"`
	KeepContentsMinutes int `json:"keep_contents_minutes,omitzero"`
}

// Wallet is a wallet host that takes offers or requests at an https address.
type Wallet struct {
	Name string `json:"name"`
	URL  string `json:"url"` // e.g. "https://paspoort.example/offer" or "https://paspoort.example/present"
}

// WalletHost is the file of `paspoort wallet serve`.
type WalletHost struct {
	Server
	// Regions are what a new paspoort relies on, preferred first; one or more.
	Regions  []Region          `json:"regions"`
	Outbound outbound.Settings `json:"outbound"`
	Data     string            `json:"data"` // folder
	Name     string            `json:"name"` // of the host, on pages
	// Organisation is the permanent id in the registry; empty before the region
	// admitted the host.
	Organisation string `json:"organisation,omitempty"`
	// ReceiptKey signs the receipts that holders get of what others opened. The file
	// is made when it is not there; empty means receipt.key beside the folder Data.
	ReceiptKey string `json:"receipt_key,omitempty"`
	// Labels are CSV files with names of skills that are suggested while a holder
	// types: two columns, uri and label, with these words on the first line.
	Labels []string `json:"labels,omitempty"`
	// Proxies is how many proxies of your own stand before this host and add to
	// X-Forwarded-For; 0 means that it is reached directly.
	Proxies int `json:"proxies,omitzero"`
	// SessionMinutes is after how long without a page a session ends; 0 means the
	// default of the role.
	SessionMinutes int `json:"session_minutes,omitzero"`
	// BackupDays is how long backups of this host are kept, for the page about
	// deleting. 0 says that none are made: then it must be true.
	BackupDays int `json:"backup_days"`
	// MaxHolders bounds how many people can have a paspoort here; 0 means the
	// default of the role.
	MaxHolders int `json:"max_holders,omitzero"`
}

// maxFile is far above what any of these files needs.
const maxFile = 256 << 10

// Load reads the file into v, one of the types above, and makes its paths absolute.
// Unknown members are refused: a misspelt one would silently do nothing.
func Load(path string, v any) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%w: others can read %s, make it 0600", ErrConfig, path)
	}
	if info.Size() > maxFile {
		return fmt.Errorf("%w: %s is too large", ErrConfig, path)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	var loose any
	if err := ijson.Unmarshal(body, &loose); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrConfig, path, err)
	}
	strict := json.NewDecoder(bytes.NewReader(body))
	strict.DisallowUnknownFields()
	if err := strict.Decode(v); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrConfig, path, err)
	}
	return absolute(filepath.Dir(path), v)
}

// absolute resolves the paths of a file against its folder.
func absolute(dir string, v any) error {
	var paths []*string
	server := func(s *Server) {
		paths = append(paths, &s.TLSCert, &s.TLSKey)
		if s.Alerts != nil {
			paths = append(paths, &s.Alerts.PasswordFile)
		}
		if s.ACME != nil {
			paths = append(paths, &s.ACME.Cache, &s.ACME.CAFile)
		}
	}
	switch c := v.(type) {
	case *Node:
		server(&c.Server)
		paths = append(paths, &c.Founding, &c.Data, &c.PeerKey, &c.LogKey, &c.CosignerKey, &c.TimestampKey, &c.FederationKey, &c.Control, &c.Outbound.CAFile)
	case *Issuer:
		server(&c.Server)
		paths = append(paths, &c.Data, &c.AdminToken, &c.Secret, &c.CredentialKey, &c.CredentialChain, &c.StatusKey, &c.StatusChain, &c.Outbound.CAFile)
	case *Verifier:
		server(&c.Server)
		paths = append(paths, &c.Data, &c.AdminToken, &c.DIDKey, &c.AccessKey, &c.AccessChain, &c.Outbound.CAFile)
	case *WalletHost:
		server(&c.Server)
		paths = append(paths, &c.Data, &c.ReceiptKey, &c.Outbound.CAFile)
		for i := range c.Labels {
			paths = append(paths, &c.Labels[i])
		}
	case *Monitor:
		paths = append(paths, c.paths()...)
	case *Seat:
		paths = append(paths, c.paths()...)
	default:
		return fmt.Errorf("%w: no such kind of file: %T", ErrConfig, v)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	return nil
}

// Write puts v in a file that Load reads.
func Write(path string, v any) error {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return keyfile.WriteAtomic(path, append(body, '\n'), 0o600)
}

// Open starts to listen. A taken port is an error that names it.
func Open(address string) (net.Listener, error) { return OpenAs(address, "") }

// OpenAs is [Open] of the address that stands under name in the configuration file.
func OpenAs(address, name string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		where := ""
		if name != "" {
			where = " (" + name + " in the configuration file)"
		}
		return nil, fmt.Errorf("port %s is taken by another program: end that program, or choose another port%s", address, where)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return l, nil
}

// serve answers on l until ctx ends, with https as the file says. It closes l.
func (s Server) serve(ctx context.Context, l net.Listener, h http.Handler) error {
	if s.TLSCert == "" && s.ACME == nil {
		if err := s.plain(); err != nil {
			return errors.Join(err, l.Close())
		}
		return web.Serve(ctx, l, h, nil)
	}
	if s.ACME != nil {
		return s.serveACME(ctx, l, h)
	}
	config, err := web.TLS(s.TLSCert, s.TLSKey)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	return web.Serve(ctx, l, h, config)
}

// Every is EverySeconds as a duration.
func (r Region) Every() time.Duration { return time.Duration(r.EverySeconds) * time.Second }
