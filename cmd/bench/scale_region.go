package main

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// A region of the simulation is a log on disk, made without nodes: what matters to who mirrors it
// is what its nodes signed. Organisations share one key, because making keys is not measured; all
// else is as in a real log: five events for each, with seven signatures.
const (
	scaleEvents     = 5 // of an organisation: it asks, two members approve, two certificates are recorded
	scaleSignatures = 7 // over those
)

// scaleRegion makes one log.
type scaleRegion struct {
	genesis string
	anchor  string
	origin  string
	charter registry.Charter
	members [2]*ecdsa.PrivateKey
	org     *ecdsa.PrivateKey
	orgKey  registry.PublicKey
	logs    []ed25519.PrivateKey // of its nodes
	signing []ed25519.PrivateKey // as cosigners
	now     time.Time
}

func newScaleRegion(i int, now time.Time) (*scaleRegion, registry.SignedEvent, error) {
	r := &scaleRegion{now: now, origin: fmt.Sprintf("regio-%d.meetlat.example/register", i)}
	anchor := registry.NewAnchor([]byte("no certificates here"), "lid-1")
	r.anchor = anchor.Fingerprint
	r.charter = registry.Charter{
		Admission: registry.DefaultTerm(), Criteria: criteria, Name: fmt.Sprintf("Regio Meetlat %d", i), Origin: r.origin,
		Thresholds: registry.DefaultThresholds(), Anchors: []registry.Anchor{anchor},
	}
	keys := map[string]crypto.Signer{}
	for m, group := range []registry.Group{registry.Werkgevers, registry.Werknemers} {
		key, pub, err := newKey()
		if err != nil {
			return nil, registry.SignedEvent{}, err
		}
		id := memberID(m)
		r.members[m], keys[id] = key, key
		r.charter.Members = append(r.charter.Members, registry.Member{Group: group, ID: id, Key: pub, Name: id})
	}
	for n := range 3 {
		if err := r.addNode(n + 1); err != nil {
			return nil, registry.SignedEvent{}, err
		}
	}
	var err1, err2 error
	r.org, r.orgKey, err1 = newKey()
	r.charter.Nonce, err2 = registry.NewNonce(rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		return nil, registry.SignedEvent{}, err
	}
	founding, err := registry.Found(r.charter, now, keys)
	r.genesis = founding.Event.ID()
	return r, founding, err
}

func memberID(i int) string { return fmt.Sprintf("lid-%d", i+1) }

func (r *scaleRegion) addNode(i int) error {
	logPub, logKey, err1 := ed25519.GenerateKey(rand.Reader)
	coPub, coKey, err2 := ed25519.GenerateKey(rand.Reader)
	tls, _, err3 := newKey()
	_, stamp, err4 := newKey()
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	id, text := fmt.Sprintf("knoop-%d", i), base64.RawURLEncoding.EncodeToString
	r.logs, r.signing = append(r.logs, logKey), append(r.signing, coKey)
	r.charter.Nodes = append(r.charter.Nodes, registry.Node{
		CosignerKey: text(coPub), ID: id, LogKey: text(logPub), Operator: "lid-1", RaftAddress: fmt.Sprintf("127.0.0.1:%d", 7000+i),
		TLSKey: registry.SPKIHash(tls.Public()), TimestampKey: stamp, URL: "https://" + id + "." + strings.SplitN(r.origin, "/", 2)[0],
	})
	return nil
}

// organisation makes the events of one, and gives its address.
func (r *scaleRegion) organisation() (url string, events []registry.SignedEvent, err error) {
	id, err := registry.NewOrganisationID(rand.Reader)
	if err != nil {
		return "", nil, err
	}
	name := id[4:]
	url = "https://" + name + ".example"
	party := registry.Party{Name: registry.OrganisationParty(id), Key: r.org}
	sign := func(kind registry.Kind, before string, body registry.Body, parties ...registry.Party) (id string) {
		if err != nil {
			return ""
		}
		var e registry.SignedEvent
		e, err = registry.Compose(registry.Draft{Genesis: r.genesis, Now: r.now, Predecessor: before}, kind, body, parties...)
		events = append(events, e)
		return e.Event.ID()
	}
	asked := sign(registry.KindApplied, "", &registry.Application{
		Aliases:  []registry.Alias{{Type: registry.AliasURL, Value: url}, {Type: registry.AliasDID, Value: "did:web:" + name + ".example"}},
		Criteria: criteria, Key: r.orgKey, Name: "Machinefabriek Ossekamp " + name, Organisation: id, Registration: "KvK 90000001",
		Domains: []string{"metaal"}, Types: []string{"urn:paspoort:opleiding:1", "urn:paspoort:werkervaring:1"}, Role: registry.Issuer,
	}, party)
	for m, key := range r.members {
		vote := &registry.Decision{Proposal: asked, Voter: registry.MemberParty(memberID(m))}
		sign(registry.KindApproved, asked, vote, registry.Party{Name: registry.MemberParty(memberID(m)), Key: key})
	}
	for _, usage := range []registry.Usage{registry.UsageCredential, registry.UsageStatus} {
		record := &registry.CertificateRecord{
			Anchor: r.anchor, Fingerprint: hash(id + string(usage)), NotAfter: r.now.AddDate(1, 0, 0).Unix(), NotBefore: r.now.Unix(),
			Organisation: id, SPKI: hash(string(usage) + id), Usage: usage,
		}
		sign(registry.KindCertificate, "", record, registry.Party{Name: registry.MemberParty("lid-1"), Key: r.members[0]}, party)
	}
	return url, events, err
}

func hash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// note signs a tree by all nodes, as log and as cosigner each.
func (r *scaleRegion) note(tree *tlog.Tree) (string, error) {
	c := tlog.Checkpoint{Origin: r.origin, Size: tree.Size(), Root: tree.Root()}
	var lines []string
	line := func(name string, kind tlog.KeyType, key ed25519.PrivateKey) error {
		s, err := tlog.NewSigner(name, kind, key)
		if err != nil {
			return err
		}
		l, err := s.Line(c.Text(), r.now)
		lines = append(lines, l)
		return err
	}
	for i, n := range r.charter.Nodes {
		if err := errors.Join(line(r.origin, tlog.TypeLog, r.logs[i]), line(registry.CosignerName(r.origin, n.ID), tlog.TypeCosigner, r.signing[i])); err != nil {
			return "", err
		}
	}
	return string(tlog.JoinNote(c.Text(), lines...)), nil
}

// scaleLog is a log on disk, and a source of it for a follower.
type scaleLog struct {
	Genesis string
	File    string   // the leaves one after another
	Ends    []uint64 // where each ends
	Notes   []string // checkpoints: of all but the last day, and of all
	URLs    []string // some organisations

	file *os.File
	note int // the one that is shown
}

// write makes the log of so many organisations, and of later ones that only the second
// checkpoint covers. The first of each are judged by the rules, so that what is measured is no
// log that anybody would refuse.
func (r *scaleRegion) write(file string, founding registry.SignedEvent, organisations, later int) (l *scaleLog, err error) {
	l = &scaleLog{Genesis: r.genesis, File: file}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	out, tree, end := bufio.NewWriter(f), tlog.NewTree(), uint64(0)
	defer func() { err = errors.Join(err, out.Flush(), f.Close()) }()
	judge := registry.NewState(r.genesis)
	put := func(e registry.SignedEvent) error {
		leaf := registry.NewLeaf(e, r.now)
		if len(l.Ends) < 100 {
			if _, err := registry.Apply(judge, leaf); err != nil {
				return fmt.Errorf("%s: %w", e.Event.Kind, err)
			}
		}
		raw, err := leaf.Marshal()
		if err != nil {
			return err
		}
		end += uint64(len(raw))
		l.Ends = append(l.Ends, end)
		_, err1 := tree.Append(registry.LeafHash(raw))
		_, err2 := out.Write(raw)
		return errors.Join(err1, err2)
	}
	if err := put(founding); err != nil {
		return nil, err
	}
	for _, n := range []int{organisations, later} {
		if err := r.take(l, n, put); err != nil {
			return nil, err
		}
		note, err := r.note(tree)
		if err != nil {
			return nil, err
		}
		l.Notes = append(l.Notes, note)
	}
	return l, nil
}

// take puts organisations into the log, made on all processors.
func (r *scaleRegion) take(l *scaleLog, n int, put func(registry.SignedEvent) error) error {
	const atOnce = 256
	for done := 0; done < n; done += atOnce {
		made := make([][]registry.SignedEvent, min(atOnce, n-done))
		urls, errs := make([]string, len(made)), make([]error, len(made))
		var group sync.WaitGroup
		workers := runtime.GOMAXPROCS(0)
		for w := range workers {
			group.Go(func() {
				for i := w; i < len(made); i += workers {
					urls[i], made[i], errs[i] = r.organisation()
				}
			})
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		l.URLs = append(l.URLs, urls...)
		for _, e := range slices.Concat(made...) {
			if err := put(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *scaleLog) open() (err error) {
	l.file, err = os.Open(l.File)
	return err
}

// Checkpoint implements evidence.Source.
func (l *scaleLog) Checkpoint(context.Context) ([]byte, error) { return []byte(l.Notes[l.note]), nil }

// Handovers implements evidence.Source.
func (l *scaleLog) Handovers(context.Context) ([][]byte, error) { return nil, nil }

// Leaves implements evidence.Source: as many at once as a node gives.
func (l *scaleLog) Leaves(_ context.Context, from, to uint64) ([][]byte, error) {
	to = min(to, from+1024, uint64(len(l.Ends)))
	start := uint64(0)
	if from > 0 {
		start = l.Ends[from-1]
	}
	raw := make([]byte, l.Ends[to-1]-start)
	if _, err := l.file.ReadAt(raw, int64(start)); err != nil {
		return nil, err
	}
	var out [][]byte
	for i := from; i < to; i++ {
		out = append(out, raw[:l.Ends[i]-start:l.Ends[i]-start])
		raw, start = raw[l.Ends[i]-start:], l.Ends[i]
	}
	return out, nil
}

// writeScale makes the logs of a simulation in a folder, and a file that names them.
func writeScale(dir string, regions, organisations, later int) (path string, bytes uint64, err error) {
	var logs []*scaleLog
	for i := range regions {
		r, founding, err := newScaleRegion(i, time.Now().Add(-time.Minute))
		if err != nil {
			return "", 0, err
		}
		l, err := r.write(fmt.Sprintf("%s/region-%d.log", dir, i), founding, organisations, later)
		if err != nil {
			return "", 0, err
		}
		logs, bytes = append(logs, l), bytes+l.Ends[len(l.Ends)-1]
	}
	raw, err := json.Marshal(logs)
	path = dir + "/logs.json"
	return path, bytes, errors.Join(err, os.WriteFile(path, raw, 0o600))
}
