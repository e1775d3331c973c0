package issuer

import (
	"context"
	"errors"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/statusarchive"
	"paspoort.example/paspoort/specs/statuslist"
)

// asked is what the region asks to sign on.
type asked struct {
	held map[string][]evidence.Held
	err  error
}

func (a *asked) Held(context.Context) (map[string][]evidence.Held, error) { return a.held, a.err }

// ceased is an organisation that signed lists once.
type ceased struct {
	r     *rig
	sign  func(l *statuslist.List, at time.Time) evidence.Held
	list  *statuslist.List
	asked *asked
}

const ceasedURI = "https://avondschool.example/status/1"

func newCeased(t *testing.T) *ceased {
	c := &ceased{asked: &asked{held: map[string][]evidence.Held{}}}
	c.r = newRig(t, func(config *Config) { config.Custody, config.Organisation = c.asked, "org_custodian" })
	key := testkit.P256(t)
	root, err := ca.NewRoot(key, ca.Root{Name: "Regio Aakermonde", NotBefore: testkit.Noon.Add(-time.Hour), NotAfter: testkit.Noon.AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if c.list, err = statuslist.New(2, 100, statuslist.Invalid); err != nil {
		t.Fatal(err)
	}
	for entry, s := range []statuslist.Status{statuslist.Valid, statuslist.Suspended, statuslist.Invalid} {
		if err := c.list.Set(entry, s); err != nil {
			t.Fatal(err)
		}
	}
	c.sign = func(l *statuslist.List, at time.Time) evidence.Held {
		compact, err := l.Token(key, jose.Header{X5C: [][]byte{root.Raw}}, statuslist.TokenClaims{Subject: ceasedURI, IssuedAt: at, ExpiresAt: at.Add(24 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return heldOf(t, compact, false)
	}
	return c
}

func heldOf(t *testing.T, compact string, own bool) evidence.Held {
	t.Helper()
	token, err := evidence.ParseStatusToken(compact, statuslist.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return evidence.Held{StatusToken: token, Own: own}
}

func (c *ceased) served(t *testing.T) (*statuslist.Token, error) {
	t.Helper()
	client := statusarchive.Client{HTTP: c.r.http.Client(), URL: c.r.http.URL + "/custody"}
	compact, err := client.Token(t.Context(), ceasedURI, time.Time{})
	if err != nil {
		return nil, err
	}
	token, err := statuslist.ParseToken(compact, statuslist.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Verify(c.r.config.StatusKey.Public(), c.r.clock.Now()); err != nil {
		t.Fatal(err)
	}
	return token, nil
}

// A custodian signs on what the list said last, from its event until it ends, also after a
// restart and while the nodes are away; it never goes back to an older list.
func TestCustody(t *testing.T) {
	c := newCeased(t)
	ctx := t.Context()
	c.r.turn(ctx)
	if _, err := c.served(t); !errors.Is(err, statusarchive.ErrNotHeld) {
		t.Fatalf("before it was asked: %v", err)
	}
	last := c.sign(c.list, c.r.clock.Now())
	c.asked.held["org_avondschool"] = []evidence.Held{last}
	goes := func(when string) *statuslist.Token {
		t.Helper()
		c.r.clock.Advance(48 * time.Hour)
		c.r.turn(ctx)
		token, err := c.served(t)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if !token.IssuedAt.Equal(c.r.clock.Now().Truncate(time.Second)) || token.Subject != ceasedURI || statusarchive.Digest(token.List) != statusarchive.Digest(c.list) {
			t.Errorf("%s: of %v, about %s", when, token.IssuedAt, token.Subject)
		}
		return token
	}
	own := goes("asked")
	c.asked.held["org_avondschool"] = []evidence.Held{heldOf(t, reread(t, c), true)}
	goes("the nodes have its own token")
	c.asked.err = evidence.ErrNoArchive
	goes("the nodes are away")
	c.r.start()
	goes("after a restart")
	c.asked.err = nil
	older := c.list.Clone()
	if err := older.Set(2, statuslist.Valid); err != nil {
		t.Fatal(err)
	}
	c.asked.held["org_avondschool"] = []evidence.Held{c.sign(older, last.IssuedAt.Add(-time.Hour))}
	goes("an older token")
	if err := c.list.Set(0, statuslist.Invalid); err != nil {
		t.Fatal(err)
	}
	c.asked.held["org_avondschool"] = []evidence.Held{c.sign(c.list, own.IssuedAt)}
	goes("a last word that came late")
	delete(c.asked.held, "org_avondschool")
	c.r.turn(ctx)
	if _, err := c.served(t); !errors.Is(err, statusarchive.ErrNotHeld) {
		t.Errorf("after custody ended: %v", err)
	}
	if left := c.r.keys(prefixCustody); len(left) != 0 {
		t.Errorf("kept after custody ended: %v", left)
	}
}

func reread(t *testing.T, c *ceased) string {
	t.Helper()
	client := statusarchive.Client{HTTP: c.r.http.Client(), URL: c.r.http.URL + "/custody"}
	tokens, _, err := client.Bundle(t.Context(), "")
	if err != nil || len(tokens) != 1 {
		t.Fatalf("bundle of %d, %v", len(tokens), err)
	}
	return tokens[0]
}

func TestCustodyNeedsACertificate(t *testing.T) {
	c := newCeased(t)
	config := c.r.config
	config.StatusChain = nil
	if _, err := New(config); err == nil {
		t.Error("an issuer without certificate signs on")
	}
	config.Custody = nil
	if _, err := New(config); err != nil {
		t.Error(err)
	}
}
