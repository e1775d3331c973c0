package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"time"

	"paspoort.example/paspoort/node"
	"paspoort.example/paspoort/specs/registry"
)

// cluster is a region of real nodes in this process: raft over mutual TLS on loopback, every
// node with a folder on disk, and the public side of the first over HTTP.
type cluster struct {
	genesis string
	leader  registry.Client
	stop    context.CancelFunc
	done    []chan error
	servers []*httptest.Server
}

const (
	criteria = "criteria-1"
	patience = 30 * time.Second
)

// startCluster founds a region with size nodes under dir and waits until it writes.
func startCluster(dir string, size int) (*cluster, error) {
	charter := registry.Charter{
		Admission: registry.DefaultTerm(), Criteria: criteria, Name: "Regio Meetlat", Origin: "meetlat.example/register",
		Thresholds: registry.DefaultThresholds(), Anchors: []registry.Anchor{registry.NewAnchor([]byte("no certificates here"), "lid-1")},
	}
	keys := map[string]crypto.Signer{}
	for i, group := range []registry.Group{registry.Werkgevers, registry.Werknemers} {
		id := fmt.Sprintf("lid-%d", i+1)
		key, pub, err := newKey()
		if err != nil {
			return nil, err
		}
		keys[id] = key
		charter.Members = append(charter.Members, registry.Member{Group: group, ID: id, Key: pub, Name: id})
	}
	configs := make([]node.Config, size)
	for i := range configs {
		n, c, err := newNode(filepath.Join(dir, fmt.Sprint(i+1)), i+1)
		if err != nil {
			return nil, err
		}
		charter.Nodes, configs[i] = append(charter.Nodes, n), c
	}
	var err error
	if charter.Nonce, err = registry.NewNonce(rand.Reader); err != nil {
		return nil, err
	}
	founding, err := registry.Found(charter, time.Now(), keys)
	if err != nil {
		return nil, err
	}
	raw, err := founding.Marshal()
	if err != nil {
		return nil, err
	}
	c := &cluster{genesis: founding.Event.ID()}
	return c, errors.Join(c.run(configs, raw))
}

func newKey() (*ecdsa.PrivateKey, registry.PublicKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	pub, err := registry.NewPublicKey(key.Public())
	return key, pub, err
}

func newNode(dir string, i int) (registry.Node, node.Config, error) {
	id := fmt.Sprintf("knoop-%d", i)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return registry.Node{}, node.Config{}, err
	}
	tls, _, err1 := newKey()
	stamp, stampPub, err2 := newKey()
	logPub, logKey, err3 := ed25519.GenerateKey(rand.Reader)
	coPub, coKey, err4 := ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return registry.Node{}, node.Config{}, errors.Join(err, l.Close())
	}
	text := base64.RawURLEncoding.EncodeToString
	return registry.Node{
			CosignerKey: text(coPub), ID: id, LogKey: text(logPub), Operator: "lid-1", RaftAddress: l.Addr().String(),
			TLSKey: registry.SPKIHash(tls.Public()), TimestampKey: stampPub, URL: "https://" + id + ".example",
		}, node.Config{
			ID: id, Dir: dir, Peer: l, TLSKey: tls, LogKey: logKey, CosignerKey: coKey, TimestampKey: stamp,
			VerifyOff: true, ApplicationsPerMinute: 1 << 30, // the limit that protects a node would be what is measured
		}, nil
}

// run starts the nodes and finds the one that leads.
func (c *cluster) run(configs []node.Config, founding []byte) error {
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	var clients []registry.Client
	for _, cfg := range configs {
		cfg.Founding = founding
		n, err := node.New(cfg)
		if err != nil {
			return err
		}
		handler, err := n.Handler()
		if err != nil {
			return err
		}
		done := make(chan error, 1)
		go func() { done <- n.Run(ctx) }()
		server := httptest.NewServer(handler)
		c.done, c.servers = append(c.done, done), append(c.servers, server)
		transport := &http.Transport{MaxIdleConnsPerHost: 256}
		clients = append(clients, registry.Client{HTTP: &http.Client{Transport: transport}, URL: server.URL})
	}
	return c.findLeader(ctx, clients)
}

// findLeader writes through each node until one is quickest: the one that need not forward.
func (c *cluster) findLeader(ctx context.Context, clients []registry.Client) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	best := time.Duration(0)
	for _, client := range clients {
		for range 4 {
			e, err := application(c.genesis)
			if err != nil {
				return err
			}
			start := time.Now()
			for err = registry.ErrNoLeader; err != nil && ctx.Err() == nil; {
				start = time.Now()
				_, err = client.Submit(ctx, registry.Submission{Event: e})
			}
			if err != nil {
				return fmt.Errorf("no leader within %v: %w", patience, err)
			}
			if took := time.Since(start); best == 0 || took < best {
				best, c.leader = took, client
			}
		}
	}
	return nil
}

func (c *cluster) close() error {
	c.stop()
	var errs []error
	for i := range c.done {
		c.servers[i].Close()
		if err := <-c.done[i]; err != nil && !errors.Is(err, context.Canceled) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// application is an event that needs nothing before it: a new organisation asks to be let in.
func application(genesis string) (registry.SignedEvent, error) {
	id, err := registry.NewOrganisationID(rand.Reader)
	if err != nil {
		return registry.SignedEvent{}, err
	}
	key, pub, err := newKey()
	if err != nil {
		return registry.SignedEvent{}, err
	}
	body := &registry.Application{
		Aliases:  []registry.Alias{{Type: registry.AliasURL, Value: "https://" + id[4:] + ".example"}},
		Criteria: criteria, Key: pub, Name: "Machinefabriek Ossekamp", Organisation: id,
		Purposes: []string{"werving"}, Role: registry.Verifier,
	}
	return registry.Compose(registry.Draft{Genesis: genesis, Now: time.Now()}, registry.KindApplied, body,
		registry.Party{Name: registry.OrganisationParty(id), Key: key})
}
