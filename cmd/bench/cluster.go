package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

const (
	criteria = "criteria-1"
	patience = 30 * time.Second
)

// region is a region that was founded for a run, and what its nodes are started with.
type region struct {
	dir       string
	charter   registry.Charter
	founding  []byte
	genesis   string
	configs   []childConfig
	listeners []*os.File // raft addresses, kept while a node is dead
}

// newRegion founds a region of size nodes, each with a folder under dir.
func newRegion(dir string, size int, now time.Time) (*region, error) {
	r := &region{dir: dir, charter: registry.Charter{
		Admission: registry.DefaultTerm(), Criteria: criteria, Name: "Regio Meetlat", Origin: "meetlat.example/register",
		Thresholds: registry.DefaultThresholds(), Anchors: []registry.Anchor{registry.NewAnchor([]byte("no certificates here"), "lid-1")},
	}}
	keys := map[string]crypto.Signer{}
	for i, group := range []registry.Group{registry.Werkgevers, registry.Werknemers} {
		id := fmt.Sprintf("lid-%d", i+1)
		key, pub, err := newKey()
		if err != nil {
			return nil, err
		}
		keys[id] = key
		r.charter.Members = append(r.charter.Members, registry.Member{Group: group, ID: id, Key: pub, Name: id})
	}
	for i := range size {
		if err := r.addNode(i + 1); err != nil {
			return nil, errors.Join(err, r.close())
		}
	}
	var err error
	if r.charter.Nonce, err = registry.NewNonce(rand.Reader); err != nil {
		return nil, errors.Join(err, r.close())
	}
	founding, err := registry.Found(r.charter, now, keys)
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.genesis = founding.Event.ID()
	if r.founding, err = founding.Marshal(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func newKey() (*ecdsa.PrivateKey, registry.PublicKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	pub, err := registry.NewPublicKey(key.Public())
	return key, pub, err
}

// addNode makes the keys and the address of a node.
func (r *region) addNode(i int) error {
	id := fmt.Sprintf("knoop-%d", i)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	r.listeners = append(r.listeners, f)
	tls, _, err1 := newKey()
	stamp, stampPub, err2 := newKey()
	logPub, logKey, err3 := ed25519.GenerateKey(rand.Reader)
	coPub, coKey, err4 := ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	c := childConfig{ID: id, Dir: filepath.Join(r.dir, id), Keys: map[string][]byte{}}
	for name, key := range map[string]any{"tls": tls, "timestamp": stamp, "log": logKey, "cosigner": coKey} {
		if c.Keys[name], err = x509.MarshalPKCS8PrivateKey(key); err != nil {
			return err
		}
	}
	r.configs = append(r.configs, c)
	text := base64.RawURLEncoding.EncodeToString
	r.charter.Nodes = append(r.charter.Nodes, registry.Node{
		CosignerKey: text(coPub), ID: id, LogKey: text(logPub), Operator: "lid-1", RaftAddress: l.Addr().String(),
		TLSKey: registry.SPKIHash(tls.Public()), TimestampKey: stampPub, URL: "https://" + id + ".example",
	})
	return nil
}

// write writes what node i is started with, and gives the file.
func (r *region) write(i int, profile string) (string, error) {
	c := r.configs[i]
	c.Founding, c.Profile = r.founding, profile
	raw, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	path := filepath.Join(r.dir, c.ID+".json")
	return path, os.WriteFile(path, raw, 0o600)
}

func (r *region) close() error {
	var errs []error
	for _, f := range r.listeners {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
