package ca

import (
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// TestSerial: it follows from what the registry records, and a certificate bears it.
func TestSerial(t *testing.T) {
	root, key := region(t)
	pub := testkit.P256(t).Public()
	leaf, err := Leaf(root, key, Request{Public: pub, Organisation: "org_abc", URI: "https://vaart.example", NotBefore: from, NotAfter: to.Add(500 * time.Millisecond),
		CRL: []string{"https://knoop-1.example/v1/crl/abc"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := Serial(SPKI(leaf), leaf.NotBefore, leaf.NotAfter); leaf.SerialNumber.Cmp(want) != 0 {
		t.Errorf("got %x, want %x", leaf.SerialNumber, want)
	}
	if n := leaf.SerialNumber.BitLen(); leaf.SerialNumber.Sign() <= 0 || n > 159 {
		t.Errorf("a serial number of %d bits", n)
	}
	if len(leaf.CRLDistributionPoints) != 1 {
		t.Errorf("the certificate does not say where the list is")
	}
	if Serial(SPKI(leaf), from, to).Cmp(Serial(SPKI(leaf), from, to.Add(time.Second))) == 0 {
		t.Error("two certificates for a key have one serial number")
	}
}

func TestCRL(t *testing.T) {
	root, key := region(t)
	revoked := func(serial int64, end time.Time) Revoked {
		return Revoked{Serial: big.NewInt(serial), Decided: from.Add(2 * time.Hour), Since: from.Add(time.Hour), Compromised: true, NotAfter: end}
	}
	known := []Revoked{revoked(1, to), revoked(2, to), revoked(3, from.Add(time.Minute))}
	now := from.Add(3 * time.Hour)
	made := func(list []Revoked) *x509.RevocationList {
		der, err := NewCRL(root, key, 7, list, now, now.AddDate(0, 0, 30))
		if err != nil {
			t.Fatal(err)
		}
		l, err := ParseCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	good := made(known)
	if len(good.RevokedCertificateEntries) != 2 || good.RevokedCertificateEntries[0].ReasonCode != 1 || len(good.RevokedCertificateEntries[0].Extensions) != 2 {
		t.Errorf("got %+v", good.RevokedCertificateEntries)
	}
	other, _ := region(t)
	plain := slices.Clone(known)
	for i := range plain {
		plain[i].Compromised = false
	}
	for _, tt := range []struct {
		name   string
		list   *x509.RevocationList
		root   *x509.Certificate
		want   []Revoked
		hidden int
		at     time.Time
		bad    bool
	}{
		{"good", good, root, known, 0, now, false},
		{"what ran out may stay in it", good, root, known, 0, now.AddDate(0, 0, 20), false},
		{"of another authority", good, other, known, 0, now, true},
		{"from the future", good, root, known, 0, now.Add(-time.Hour), true},
		{"overdue", good, root, known, 0, now.AddDate(0, 0, 30), true},
		{"one is missing, which is told apart", made(known[:1]), root, known, 0, now, false},
		{"one on hold, which is admitted again", made([]Revoked{{Serial: big.NewInt(9), Decided: from, NotAfter: to, Held: true}}), root, nil, 0, now, false},
		{"for a worse reason", good, root, plain, 0, now, true},
		{"one too many", good, root, known[:1], 0, now, true},
		{"one too many, which this copy cannot know", good, root, known[:1], 1, now, false},
	} {
		if err := CheckCRL(tt.list, tt.root, tt.want, tt.hidden, tt.at); errors.Is(err, ErrCRL) != tt.bad {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
	if got := Missing(made(known[:1]), known, now); got != 1 {
		t.Errorf("got %d missing, want the one that did not run out", got)
	}
	for name, end := range map[string]time.Time{"before it begins": now, "in three years": now.AddDate(3, 0, 0)} {
		if der, err := NewCRL(root, key, 7, nil, now, end); err == nil {
			if _, err := ParseCRL(der); !errors.Is(err, ErrCRL) {
				t.Errorf("the next list %s: got %v", name, err)
			}
		}
	}
	old := *root
	old.KeyUsage = x509.KeyUsageCertSign
	if _, err := NewCRL(&old, key, 1, nil, now, now.Add(time.Hour)); !errors.Is(err, ErrCRL) {
		t.Errorf("an authority that may not sign lists: got %v", err)
	}
}

// TestRevokedIn: what members decide about an organisation puts its certificates in the list, and
// out again where that is allowed.
func TestRevokedIn(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	chain, _ := r.Certificate(org, registry.UsageCredential)
	r.Certificate(org, registry.UsageStatus)
	anchor := registry.Fingerprint(r.Anchor().Raw)
	listed := func(what string, revoked, held int) {
		t.Helper()
		list, hidden := RevokedIn(r.State.View(), anchor, r.Now)
		got := 0
		for _, c := range list {
			if c.Held {
				got++
			}
		}
		if got != held || len(list)-got != revoked || hidden != 0 {
			t.Errorf("%s: got %+v, %d hidden; want %d revoked, %d on hold", what, list, hidden, revoked, held)
		}
		r.Advance(time.Hour)
	}
	measure := func(kind registry.Kind) {
		t.Helper()
		s := r.Do(kind, &registry.Measure{Organisation: org, Role: registry.Issuer, Reason: "onderzoek"}, registrytest.Werkgevers)
		if p, err := r.State.View().Proposal(s.Event.ID()); err == nil && p.Status == registry.Pending {
			r.Approve(s.Event.ID(), registrytest.Vakbond)
		}
	}
	listed("at first", 0, 0)
	measure(registry.KindSuspended)
	listed("suspended", 0, 2)
	measure(registry.KindReinstated)
	listed("reinstated", 0, 0)
	r.Do(registry.KindCertRevoked, &registry.CertificateRevocation{Certificate: registry.Fingerprint(chain[0].Raw), Reason: "vervangen"}, registrytest.Gemeente)
	listed("one revoked", 1, 0)
	measure(registry.KindWithdrawn)
	listed("withdrawn", 1, 1)
	if list, _ := RevokedIn(r.State.View(), registry.Fingerprint([]byte("other")), r.Now); len(list) != 0 {
		t.Errorf("of another authority: got %+v", list)
	}
}

// FuzzParseCRL: a list of a stranger is refused or read, and breaks nothing.
func FuzzParseCRL(f *testing.F) {
	key := testkit.P256(f)
	root, err := NewRoot(key, Root{Name: "Regio", NotBefore: testkit.Noon, NotAfter: testkit.Noon.AddDate(1, 0, 0)})
	if err != nil {
		f.Fatal(err)
	}
	der, err := NewCRL(root, key, 1, []Revoked{{Serial: big.NewInt(5), Decided: testkit.Noon, NotAfter: testkit.Noon.AddDate(1, 0, 0)}}, testkit.Noon, testkit.Noon.Add(time.Hour))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		l, err := ParseCRL(der)
		if err != nil {
			return
		}
		if l.Number == nil || !l.NextUpdate.After(l.ThisUpdate) {
			t.Errorf("got %+v", l)
		}
		if err := CheckCRL(l, root, nil, 0, testkit.Noon); err != nil {
			return
		}
		for _, e := range l.RevokedCertificateEntries {
			if e.ReasonCode != certificateHold {
				t.Error("names what nobody revoked, and is taken")
			}
		}
	})
}
