package govern_test

import (
	"context"
	"crypto"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// serve puts a handler on a port of its own.
func serve(t *testing.T, h http.Handler) registry.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return registry.Client{HTTP: s.Client(), URL: s.URL}
}

func client(r *registrytest.Region, nodes ...registry.Client) *govern.Client {
	return &govern.Client{Genesis: r.Genesis(), Nodes: nodes, Clock: func() time.Time { return r.Now }, Patience: 5 * time.Second}
}

// counted counts how often a key signed.
type counted struct {
	crypto.Signer
	n atomic.Int32
}

func (c *counted) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	c.n.Add(1)
	return c.Signer.Sign(random, digest, o)
}

// TestSubmitOutlivesNodes: nodes that are gone, without leader or busy are passed over, a lost
// answer is asked for again, and the key signs once.
func TestSubmitOutlivesNodes(t *testing.T) {
	r := registrytest.New(t)
	good := r.Handler()
	var asked, lost atomic.Int32
	moody := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method != http.MethodPost {
			good.ServeHTTP(w, q)
			return
		}
		switch asked.Add(1) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"error":"no-leader","error_description":"x"}`)
		case 2: // it is written, and nobody hears of it
			good.ServeHTTP(httptest.NewRecorder(), q)
			lost.Add(1)
			panic(http.ErrAbortHandler)
		default:
			good.ServeHTTP(w, q)
		}
	})
	gone := httptest.NewServer(good)
	gone.Close()
	c := client(r, registry.Client{HTTP: http.DefaultClient, URL: gone.URL}, serve(t, moody))
	a := r.Application("vaart", registry.Issuer)
	party := r.Party(registry.OrganisationParty(a.Organisation))
	key := &counted{Signer: party.Key}
	party.Key = key
	_, err := c.Submit(t.Context(), govern.Act{Kind: registry.KindApplied, Body: a}, party)
	// The test's node takes no event twice; that it says so proves that the same one came.
	if !errors.Is(err, registry.ErrDuplicate) {
		t.Errorf("got %v, want that the event is there already", err)
	}
	if key.n.Load() != 1 || lost.Load() != 1 {
		t.Errorf("signed %d times, lost %d answers, want 1 and 1", key.n.Load(), lost.Load())
	}
	if got := len(r.State.View().Proposals()); got != 1 {
		t.Errorf("got %d proposals, want 1", got)
	}
}

// TestDecisions walks from an application over a refusal and a self-approval to admission.
func TestDecisions(t *testing.T) {
	r := registrytest.New(t)
	c := client(r, serve(t, r.Handler()))
	a := r.Application("vaart", registry.Issuer)
	out, err := c.Submit(t.Context(), govern.Act{Kind: registry.KindApplied, Body: a}, r.Party(registry.OrganisationParty(a.Organisation)))
	if err != nil {
		t.Fatal(err)
	}
	if in, ever, err := c.Admitted(t.Context(), a.Organisation, registry.Issuer); in || ever || err != nil {
		t.Errorf("before: got %v %v %v", in, ever, err)
	}
	if _, err := c.Refuse(t.Context(), out.Event, "", r.Party(registrytest.Opleiders)); !errors.Is(err, registry.ErrBody) {
		t.Errorf("a refusal without reason: got %v", err)
	}
	if _, err := c.Refuse(t.Context(), out.Event, "geen examen", r.Party(registrytest.Opleiders)); err != nil {
		t.Error(err)
	}
	if _, err := c.Approve(t.Context(), out.Event, "gezien", r.Party(registrytest.Vakbond)); err != nil {
		t.Error(err)
	}
	if _, err := c.Approve(t.Context(), out.Event, "gezien", r.Party(registrytest.Vakbond)); !errors.Is(err, registry.ErrTwice) {
		t.Errorf("twice: got %v", err)
	}
	done, err := c.Approve(t.Context(), out.Event, "", r.Party(registrytest.Gemeente))
	if err != nil || len(done.Enacted) != 1 || done.Enacted[0] != out.Event {
		t.Errorf("got %+v %v, want the application enacted", done, err)
	}
	p, err := c.Progress(t.Context(), out.Event)
	if err != nil || p.Status != registry.Enacted || len(p.Approvals) != 2 || len(p.Refusals) != 1 {
		t.Errorf("got %+v %v", p, err)
	}
	p.Event.Subject = registry.OrganisationParty(registrytest.OrganisationID("linde"))
	if err := c.Check(p); !errors.Is(err, govern.ErrForged) {
		t.Errorf("another event under the same id: got %v", err)
	}
	if in, ever, err := c.Admitted(t.Context(), a.Organisation, registry.Issuer); !in || !ever || err != nil {
		t.Errorf("after: got %v %v %v", in, ever, err)
	}
}

// TestOnePersonFirm: what is personal is committed to and travels beside the event.
func TestOnePersonFirm(t *testing.T) {
	r := registrytest.New(t)
	c := client(r, serve(t, r.Handler()))
	payloads, err := govern.Seal(strings.NewReader(strings.Repeat("r", 1000)), map[string]string{"name": "Jansen Advies", "url": ""})
	if err != nil || len(payloads) != 1 {
		t.Fatalf("got %d payloads and %v", len(payloads), err)
	}
	a := &registry.Application{Criteria: "criteria-1", OnePerson: true, Organisation: registrytest.OrganisationID("jansen"), Role: registry.Verifier, Purposes: []string{"werving"}}
	if _, err := c.Submit(t.Context(), govern.Act{Kind: registry.KindApplied, Body: a, Payloads: payloads}, r.Party(registrytest.Opleiders)); err != nil {
		t.Error(err)
	}
}

// TestRefusals: what another node cannot mend is told at once.
func TestRefusals(t *testing.T) {
	r := registrytest.New(t)
	node := serve(t, r.Handler())
	vote := func(c *govern.Client, key crypto.Signer) error {
		_, err := c.Approve(t.Context(), strings.Repeat("a", 64), "", registry.Party{Name: registrytest.Vakbond, Key: key})
		return err
	}
	key := r.Party(registrytest.Vakbond).Key
	other := client(r, node)
	other.Genesis = strings.Repeat("b", 64)
	if err := vote(other, key); !errors.Is(err, govern.ErrOtherRegion) {
		t.Errorf("other region: got %v", err)
	}
	if err := vote(client(r, node), broken{key}); !errors.Is(err, errToken) {
		t.Errorf("a broken token: got %v", err)
	}
	if err := vote(client(r), key); !errors.Is(err, govern.ErrNoNode) {
		t.Errorf("no nodes: got %v", err)
	}
	if err := vote(client(r, node), key); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("unknown proposal: got %v", err)
	}
	impatient := client(r, registry.Client{HTTP: http.DefaultClient, URL: "http://127.0.0.1:1"})
	impatient.Patience = time.Millisecond
	if err := vote(impatient, key); !errors.Is(err, govern.ErrNoNode) {
		t.Errorf("nobody home: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := impatient.Any(ctx, func(registry.Client) error { return errToken }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

var errToken = errors.New("the card was taken out")

type broken struct{ crypto.Signer }

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errToken }

// TestRefusedIsNoSuccess: a refusal is one, also in an answer that a node gives as a success.
func TestRefusedIsNoSuccess(t *testing.T) {
	r := registrytest.New(t)
	good := r.Handler()
	odd := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method != http.MethodPost {
			good.ServeHTTP(w, q)
			return
		}
		raw, _ := io.ReadAll(q.Body)
		s, err := registry.ParseEvent(raw)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"event":"`+s.Event.ID()+`","state":"refused","error":"conflict-of-interest","error_description":"x"}`)
	})
	out, err := client(r, serve(t, odd)).Approve(t.Context(), r.Genesis(), "", r.Party(registrytest.Vakbond))
	if !errors.Is(err, registry.ErrConflict) {
		t.Errorf("got %+v, %v", out, err)
	}
}
