package node

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
	"paspoort.example/paspoort/specs/statusarchive"
	"paspoort.example/paspoort/specs/statuslist"
)

// archived is a region in memory, the roads to its issuers, and the archive of one node.
type archived struct {
	*registrytest.Region
	roads  *roads
	others []statusarchive.Client
	*archive
}

func newArchived(t testing.TB) *archived {
	a := &archived{Region: registrytest.New(t), roads: newRoads()}
	a.archive = a.node("knoop-1")
	return a
}

// node is the archive of another node.
func (a *archived) node(id string) *archive {
	store := kv.NewMemory()
	return newArchive(archiveConfig{Node: id, Reader: a, HTTP: a.roads, Others: func() []statusarchive.Client { return a.others },
		Open: func(bool) (kv.Store, error) { return store, nil }, Every: 15 * time.Minute, Clock: func() time.Time { return a.Now }, Log: slog.New(slog.DiscardHandler)})
}

// Read gives the state as it is.
func (a *archived) Read(_ context.Context, fn func(registry.View, paspoort.RegistryFacts) error) error {
	return fn(a.State.View(), paspoort.RegistryFacts{})
}

// round is one turn of the schedule.
func (a *archived) round(of *archive) {
	a.T.Helper()
	if err := of.look(a.T.Context()); err != nil {
		a.T.Fatal(err)
	}
	of.fetch(a.T.Context())
}

// listsOf is an issuer that publishes one status list.
type listsOf struct {
	a     *archived
	id    string
	uri   string
	key   *ecdsa.PrivateKey
	chain []*x509.Certificate
	list  *statuslist.List
	token string // as published last
	same  int    // answers that nothing is new
}

func (a *archived) issuer(name string) *listsOf {
	i := &listsOf{a: a, id: a.Admit(name, registry.Issuer), uri: "https://" + name + ".example/status/1"}
	i.chain, i.key = a.Certificate(i.id, registry.UsageStatus)
	var err error
	if i.list, err = statuslist.New(2, 64, statuslist.Invalid); err != nil {
		a.T.Fatal(err)
	}
	i.publish()
	a.roads.hosts[name+".example"] = i
	return i
}

func (i *listsOf) set(index int, s statuslist.Status) {
	if err := i.list.Set(index, s); err != nil {
		i.a.T.Fatal(err)
	}
}

func (i *listsOf) publish() { i.token = i.sign(i.list, i.uri, i.a.Now) }

func (i *listsOf) sign(l *statuslist.List, uri string, at time.Time) string {
	i.a.T.Helper()
	token, err := l.Token(i.key, jose.Header{X5C: [][]byte{i.chain[0].Raw}}, statuslist.TokenClaims{Subject: uri, IssuedAt: at, ExpiresAt: at.Add(24 * time.Hour), TTL: 15 * time.Minute})
	if err != nil {
		i.a.T.Fatal(err)
	}
	return token
}

func (i *listsOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	base := strings.TrimSuffix(i.uri, "/status/1")
	switch r.URL.Path {
	case "/.well-known/oauth-authorization-server":
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": base, "status_list_aggregation_endpoint": base + "/status"})
	case "/status":
		_ = json.NewEncoder(w).Encode(statuslist.Aggregation{StatusLists: []string{i.uri}})
	case "/status/1":
		tag := `"` + registry.Fingerprint([]byte(i.token)) + `"`
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			i.same++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write([]byte(i.token))
	default:
		http.NotFound(w, r)
	}
}

// One token of each day stays, and an issuer is asked no more than it has to be.
func TestArchiveKeepsOneOfEachDay(t *testing.T) {
	a := newArchived(t)
	a.Now = a.Now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	i := a.issuer("vaart")
	first := a.Now
	for minute := range 3 * 24 * 60 {
		if minute%60 == 0 {
			i.publish()
		}
		if minute%5 == 0 {
			a.round(a.archive)
		}
		a.Advance(time.Minute)
	}
	if n := a.roads.asked["vaart.example/status/1"]; n > 3*24*4 || n < 3*24*2 {
		t.Errorf("asked %d times in three days, want at most each 15 minutes", n)
	}
	if n := a.roads.asked["vaart.example/.well-known/oauth-authorization-server"]; n > 12 {
		t.Errorf("metadata asked %d times in three days", n)
	}
	if i.same < 3*24 {
		t.Errorf("%d answers were that nothing is new", i.same)
	}
	all, err := a.Lists(t.Context())
	if err != nil || len(all) != 1 || all[0].Days != 3 || all[0].Organisation != i.id || all[0].Notices != nil || !all[0].Failing.IsZero() {
		t.Fatalf("lists: %+v, %v", all, err)
	}
	for name, tt := range map[string]struct{ at, want time.Time }{
		"now":       {time.Time{}, first.Add(71 * time.Hour)},
		"first day": {first.Add(24*time.Hour - time.Second), first.Add(23 * time.Hour)},
		"second":    {first.Add(48*time.Hour - time.Second), first.Add(47 * time.Hour)},
	} {
		compact, err := a.Token(t.Context(), i.uri, tt.at)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		token, err := statuslist.ParseToken(compact, statuslist.Limits{})
		if err != nil || !token.IssuedAt.Equal(tt.want) {
			t.Errorf("%s: of %v, want %v (%v)", name, token.IssuedAt, tt.want, err)
		}
	}
	if _, err := a.Token(t.Context(), i.uri, first.Add(-time.Hour)); !errors.Is(err, statusarchive.ErrNotHeld) {
		t.Errorf("before the first: %v", err)
	}
	a.Advance(archiveFor)
	if err := a.prune(a.Now); err != nil {
		t.Fatal(err)
	}
	if all, err := a.Lists(t.Context()); err != nil || all[0].Days != 1 {
		t.Errorf("long after: %+v, %v", all, err)
	}
	if err := a.erase([]string{i.id}); err != nil {
		t.Fatal(err)
	}
	if err := a.store.View(func(tx kv.Tx) error {
		for _, prefix := range []string{archiveRows, archiveDays, archiveTokens, archiveEver, archiveProofs} {
			if err := tx.Scan([]byte(prefix), func(key, _ []byte) error { t.Errorf("left: %s", key); return nil }); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// What a list does that an honest one does not is noticed, with its proof; what an honest one
// does is not.
func TestArchiveNotices(t *testing.T) {
	for name, tt := range map[string]struct {
		then func(*archived, *listsOf)
		want string
	}{
		"entries given out, suspended, back, revoked": {func(_ *archived, i *listsOf) {
			i.set(5, statuslist.Valid)
			i.set(1, statuslist.Suspended)
			i.publish()
			i.a.later()
			i.set(1, statuslist.Valid)
			i.set(2, statuslist.Invalid)
			i.publish()
		}, ""},
		"an old token by a cache": {func(a *archived, i *listsOf) {
			old := i.token
			i.publish()
			a.later()
			i.token = old
		}, ""},
		"rolled back": {func(a *archived, i *listsOf) {
			old := i.token
			a.Advance(3 * time.Hour)
			i.publish()
			a.later()
			i.token = old
		}, statusarchive.RolledBack},
		"put back from a backup and signed anew": {func(a *archived, i *listsOf) {
			before := i.list.Clone()
			i.set(1, statuslist.Invalid)
			i.publish()
			a.later()
			i.list = before
			i.publish()
		}, statusarchive.Revived},
		"two of one moment": {func(a *archived, i *listsOf) {
			at := a.Now
			i.publish()
			a.later()
			i.set(1, statuslist.Invalid)
			i.token = i.sign(i.list, i.uri, at)
		}, statusarchive.TwoFaced},
		"shrunk": {func(_ *archived, i *listsOf) {
			shorter, err := statuslist.FromBytes(2, i.list.Bytes()[:8])
			if err != nil {
				t.Fatal(err)
			}
			i.list = shorter
			i.publish()
		}, statusarchive.Shrunk},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArchived(t)
			i := a.issuer("vaart")
			for _, entry := range []int{1, 2, 3} {
				i.set(entry, statuslist.Valid)
			}
			i.publish()
			a.later()
			tt.then(a, i)
			a.later()
			a.later()
			all, err := a.ofOrganisation(i.id)
			if err != nil || len(all) != 1 {
				t.Fatalf("%+v, %v", all, err)
			}
			var got []string
			for _, n := range all[0].Notices {
				got = append(got, n.Code)
			}
			if tt.want == "" {
				if got != nil || !all[0].Failing.IsZero() {
					t.Errorf("noticed %v of an honest list, failing since %v", got, all[0].Failing)
				}
				return
			}
			if !slices.Equal(got, []string{tt.want}) {
				t.Fatalf("noticed %v, want %s", got, tt.want)
			}
			proof, err := a.Proof(t.Context(), i.uri, tt.want)
			if err != nil || len(proof) != 2 || proof[0] == proof[1] {
				t.Fatalf("proof: %d tokens, %v", len(proof), err)
			}
			for _, compact := range proof {
				if token, err := statuslist.ParseToken(compact, statuslist.Limits{}); err != nil || token.Verify(i.key.Public(), token.IssuedAt) != nil {
					t.Errorf("a token of the proof is not the issuer's: %v", err)
				}
			}
		})
	}
}

// later is when the schedule has come round.
func (a *archived) later() {
	a.round(a.archive)
	a.Advance(20 * time.Minute)
	a.round(a.archive)
}

// An issuer that tells one node something else than another is found out when they compare.
func TestArchivesCompare(t *testing.T) {
	a := newArchived(t)
	i := a.issuer("vaart")
	a.round(a.archive)
	second := a.node("knoop-2")
	i.set(9, statuslist.Valid)
	i.publish() // at the same moment
	a.round(second)
	a.roads.hosts["knoop-2.example"] = second.handler("/v1/statuses")
	a.others = []statusarchive.Client{{HTTP: a.roads, URL: "https://knoop-2.example/v1/statuses"}}
	a.compare(t.Context())
	all, err := a.ofOrganisation(i.id)
	if err != nil || len(all) != 1 || len(all[0].Notices) != 1 || all[0].Notices[0].Code != statusarchive.TwoFaced {
		t.Errorf("%+v, %v", all, err)
	}
	// What did not reach a node it has from another.
	a.roads.set("vaart.example", true)
	third := a.node("knoop-3")
	a.round(third)
	third.compare(t.Context())
	if got, err := third.Lists(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("third: %+v, %v", got, err)
	}
}

func TestArchiveRefuses(t *testing.T) {
	a := newArchived(t)
	i, other := a.issuer("vaart"), a.issuer("linde")
	stranger := *i
	stranger.key = namedP256("stranger")
	unrecorded, key := a.UnrecordedCertificate(i.id, registry.UsageStatus)
	late := *i
	late.key, late.chain = key, []*x509.Certificate{unrecorded}
	for name, token := range map[string]string{
		"another's signature":       other.sign(i.list, i.uri, a.Now),
		"forged":                    stranger.sign(i.list, i.uri, a.Now),
		"certificate not recorded":  late.sign(i.list, i.uri, a.Now),
		"about another list":        i.sign(i.list, i.uri+"0", a.Now),
		"of tomorrow":               i.sign(i.list, i.uri, a.Now.Add(24*time.Hour)),
		"no token":                  "<html>",
		"another's address, served": other.sign(other.list, i.uri, a.Now),
	} {
		i.token = token
		a.round(a.archive)
		a.Advance(time.Hour)
		if row, err := a.row(i.uri); !errors.Is(err, kv.ErrNotFound) {
			t.Errorf("%s: kept %+v, %v", name, row, err)
		}
	}
	if err := a.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	elsewhere := other.sign(other.list, "https://vaart.example/status/7", a.Now)
	if _, err := a.offer(t.Context(), a.publisher(other.id), "https://vaart.example/status/7", elsewhere, "", false); !errors.Is(err, errNotTheirs) {
		t.Errorf("a list at another's host, by a third: %v", err)
	}
}

// signedOn is what a custodian serves.
type signedOn struct{ tokens map[string]string }

func (s signedOn) Lists(context.Context) (out []statusarchive.List, err error) {
	for uri, token := range s.tokens {
		parsed, err := statuslist.ParseToken(token, statuslist.Limits{})
		if err != nil {
			return nil, err
		}
		out = append(out, statusarchive.List{URI: uri, Organisation: registrytest.OrganisationID("vaart"), IssuedAt: parsed.IssuedAt, Digest: statusarchive.Digest(parsed.List)})
	}
	return out, nil
}

func (s signedOn) Token(_ context.Context, uri string, _ time.Time) (string, error) {
	return s.tokens[uri], nil
}

func (s signedOn) Proof(context.Context, string, string) ([]string, error) {
	return nil, statusarchive.ErrNotHeld
}

// A ceased issuer's list goes on with its custodian; without one it stays as it last was.
func TestArchiveFollowsACustodian(t *testing.T) {
	a := newArchived(t)
	i := a.issuer("vaart")
	linde := a.issuer("linde")
	a.round(a.archive)
	last := a.Now
	a.roads.set("vaart.example", true)
	a.Advance(48 * time.Hour)
	a.round(a.archive)
	l, err := a.ofOrganisation(i.id)
	if err != nil || len(l) != 1 || l[0].Failing.IsZero() || !l[0].IssuedAt.Equal(last) {
		t.Fatalf("without custodian: %+v, %v", l, err)
	}
	custody := signedOn{map[string]string{}}
	archives := http.StripPrefix("/custody", &statusarchive.Server{Archive: custody})
	a.roads.hosts["linde.example"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/custody") {
			archives.ServeHTTP(w, r)
			return
		}
		linde.ServeHTTP(w, r)
	})
	custody.tokens[i.uri] = linde.sign(i.list, i.uri, a.Now)
	a.Advance(8 * time.Hour)
	a.round(a.archive)
	if l, _ := a.ofOrganisation(i.id); !l[0].IssuedAt.Equal(last) {
		t.Errorf("signed on by who is no custodian: %+v", l)
	}
	a.Do(registry.KindCustodian, &registry.Custodian{By: linde.id, Organisation: i.id, Reason: "opgehouden"}, registrytest.Vakbond, registrytest.Gemeente)
	a.Advance(8 * time.Hour)
	custody.tokens[i.uri] = linde.sign(i.list, i.uri, a.Now)
	custody.tokens["https://elders.example/status/1"] = linde.sign(i.list, "https://elders.example/status/1", a.Now)
	a.round(a.archive)
	l, err = a.ofOrganisation(i.id)
	if err != nil || len(l) != 1 || l[0].Signer != linde.id || !l[0].IssuedAt.Equal(a.Now) || !l[0].Failing.IsZero() || l[0].Notices != nil {
		t.Errorf("signed on: %+v, %v", l, err)
	}
}
