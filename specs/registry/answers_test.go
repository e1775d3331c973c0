package registry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

func TestAuditedFactsAreOfTheirTypeAndTime(t *testing.T) {
	r := registrytest.New(t)
	a := r.Application("vaart", registry.Issuer)
	a.Types = []string{"urn:paspoort:assessment:1", "urn:paspoort:opleiding:1"}
	a.Levels = []registry.LevelFact{{
		Auditor: "Stichting Toets", Basis: "EVC-erkenning", Domain: "zorg", Independence: "toetst niet wie zij opleidt", Level: 3, On: r.Now.Unix(), Reference: "EVC-2026-017",
		Types: []string{"urn:paspoort:assessment:1"}, Until: r.Now.Add(100 * day).Unix(),
	}}
	org := r.AdmitApplication(a)
	for _, tt := range []struct {
		name, vct string
		at        time.Time
		want      int
	}{
		{"its type and time", "urn:paspoort:assessment:1", r.Now, 1},
		{"any type", "", r.Now, 1},
		{"another type", "urn:paspoort:opleiding:1", r.Now, 0},
		{"after the audit ran out", "urn:paspoort:assessment:1", r.Now.Add(101 * day), 0},
	} {
		got, err := r.State.View().Admission(registry.Question{Lookup: registry.Lookup{Organisation: org}, Role: registry.Issuer, Type: tt.vct, At: tt.at})
		if err != nil || !got.Admitted || len(got.Levels) != tt.want {
			t.Errorf("%s: %d facts, admitted %v, %v", tt.name, len(got.Levels), got.Admitted, err)
		}
	}
	got, err := r.State.View().Admission(registry.Question{Lookup: registry.Lookup{Organisation: org}, Role: registry.Issuer, Type: "urn:paspoort:referentie:1", At: r.Now})
	if err != nil || got.Admitted || got.Code != registry.CodeType {
		t.Errorf("a type that it is not admitted for: %s, %v", got.Code, err)
	}
}

func TestVerifierIsKnownByEachOfItsNames(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("linde", registry.Verifier)
	chain, key := r.Certificate(org, registry.UsageAccess)
	for _, l := range []registry.Lookup{
		{Organisation: org}, {URL: "https://linde.example"}, {DID: "did:web:linde.example"}, {Host: "linde.example"},
		{Certificate: registry.Fingerprint(chain[0].Raw)}, {SPKI: registry.SPKIHash(key.Public())},
	} {
		a, err := r.State.View().Admission(registry.Question{Lookup: l, Role: registry.Verifier, At: r.Now})
		if err != nil || !a.Admitted || a.Organisation.ID != org || a.Grant.Purposes[0] != "werving" {
			t.Errorf("%+v: %+v, %v", l, a, err)
		}
		if a, err := r.State.View().Admission(registry.Question{Lookup: l, Role: registry.Issuer, At: r.Now}); err != nil || a.Code != registry.CodeNever {
			t.Errorf("%+v as issuer: %s, %v", l, a.Code, err)
		}
	}
}

func TestCheckChangesNothing(t *testing.T) {
	r := registrytest.New(t)
	p, _ := applied(r)
	s := approval(r, p, vakbond)
	digest := r.State.Digest()
	if err := registry.Check(r.State, s, r.Now); err != nil {
		t.Errorf("a good event: %v", err)
	}
	if err := registry.Check(r.State, s, r.Now.AddDate(1, 0, 0)); !errors.Is(err, registry.ErrLogTime) {
		t.Errorf("a year ahead: %v", err)
	}
	if r.State.Digest() != digest {
		t.Error("checking changed the state")
	}
	r.Must(s) // and what was checked can still be applied
}

func TestOnePersonCertificateIsACommitment(t *testing.T) {
	r := registrytest.New(t)
	random := testkit.Rand(3)
	id := registrytest.OrganisationID("eenmanszaak")
	commit := func(payloads *registry.Payloads, fields ...[2]string) map[string]string {
		out := map[string]string{}
		for _, f := range fields {
			sealed, key, err := registry.Seal(random, f[0], f[1])
			if err != nil {
				t.Fatal(err)
			}
			if err := payloads.AddOpen(registry.NewOpenPayload(sealed, key)); err != nil {
				t.Fatal(err)
			}
			out[f[0]] = sealed.Commitment
		}
		return out
	}
	payloads := &registry.Payloads{}
	a := &registry.Application{Criteria: "criteria-1", OnePerson: true, Organisation: id, Role: registry.Issuer, Types: []string{"urn:paspoort:opleiding:1"}}
	d := r.Draft(a)
	d.Commitments = commit(payloads, [2]string{"name", "J. Voorbeeld"})
	s := r.ComposeWith(d, registry.KindApplied, a, opleiders)
	r.Must(s)
	r.Approve(s.Event.ID(), vakbond, werkgevers)

	cert, _ := r.UnrecordedCertificate(id, registry.UsageCredential)
	anchor := registry.Fingerprint(r.Anchor().Raw)
	open := registry.NewCertificateRecord(cert, anchor, id, registry.UsageCredential)
	if err := r.Try(registry.KindCertificate, open, gemeente, vakbond); !errors.Is(err, registry.ErrCommitment) {
		t.Errorf("in the open: %v", err)
	}
	fp, spki := open.Fingerprint, open.SPKI
	open.Fingerprint, open.SPKI = "", ""
	d = r.Draft(open)
	d.Commitments = commit(payloads, [2]string{"certificate", fp}, [2]string{"spki", spki})
	if err := submit(r, r.ComposeWith(d, registry.KindCertificate, open, gemeente)); !errors.Is(err, registry.ErrSigner) {
		t.Errorf("by the operator alone: %v", err)
	}
	r.Must(r.ComposeWith(d, registry.KindCertificate, open, gemeente, vakbond))
	v := r.State.View()
	if _, err := v.Certificate(fp); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("without payloads: %v", err)
	}
	v.Payloads = payloads
	if c, err := v.Certificate(fp); err != nil || c.Organisation != id || c.Fingerprint != "" {
		t.Errorf("with payloads: %+v, %v", c, err)
	}
	for field, commitment := range d.Commitments {
		if !v.Awaits(commitment) {
			t.Errorf("nobody waits for the payload of %s", field)
		}
	}
	// Another member revokes as it would suspend.
	r.Do(registry.KindCertRevoked, &registry.CertificateRevocation{Certificate: d.Commitments["certificate"], Reason: "sleutel kwijt"}, vakbond)
	if c, err := v.Certificate(fp); err == nil && c.Revoked != nil {
		t.Error("the older view knows of the revocation")
	}
	v = r.State.View()
	v.Payloads = payloads
	if c, err := v.Certificate(fp); err != nil || c.Revoked == nil {
		t.Errorf("after revocation: %+v, %v", c, err)
	}
}

// doer answers every request in the same way.
type doer struct {
	status int
	body   string
	err    error
}

func (d doer) Do(*http.Request) (*http.Response, error) {
	if d.err != nil {
		return nil, d.err
	}
	return &http.Response{StatusCode: d.status, Body: io.NopCloser(strings.NewReader(d.body))}, nil
}

func TestClientMistrustsTheNode(t *testing.T) {
	r := registrytest.New(t)
	ctx := context.Background()
	event := r.Compose(registry.KindApplied, r.Application("vaart", registry.Issuer), registry.OrganisationParty(registrytest.OrganisationID("vaart")))
	cut := errors.New("connection cut")
	for name, f := range map[string]func() (error, error){
		"no answer": func() (error, error) {
			_, err := registry.Client{HTTP: doer{err: cut}}.Checkpoint(ctx)
			return err, cut
		},
		"outcome of another event": func() (error, error) {
			_, err := registry.Client{HTTP: doer{200, `{"event":"x","state":"committed"}`, nil}}.Submit(ctx, registry.Submission{Event: event})
			return err, registry.ErrResponse
		},
		"refusal without a code": func() (error, error) {
			_, err := registry.Client{HTTP: doer{500, `oops`, nil}}.Region(ctx, registry.When{})
			return err, registry.ErrResponse
		},
		"refusal with a code": func() (error, error) {
			_, err := registry.Client{HTTP: doer{503, `{"error":"no-leader"}`, nil}}.Head(ctx, "region")
			return err, registry.ErrNoLeader
		},
		"not json": func() (error, error) {
			_, err := registry.Client{HTTP: doer{200, `<html>`, nil}}.Hobbels(ctx, registry.When{})
			return err, registry.ErrResponse
		},
		"leaves cut off": func() (error, error) {
			_, err := registry.Client{HTTP: doer{200, "\x00\x05abc", nil}}.Leaves(ctx, 0, 1)
			return err, registry.ErrResponse
		},
		"more leaves than asked for": func() (error, error) {
			_, err := registry.Client{HTTP: doer{200, "\x00\x01a\x00\x01b", nil}}.Leaves(ctx, 0, 1)
			return err, registry.ErrResponse
		},
		"no snapshot": func() (error, error) {
			_, err := registry.Client{HTTP: doer{200, "x", nil}}.Snapshot(ctx)
			return err, registry.ErrSnapshot
		},
		"checkpoint that is none": func() (error, error) {
			_, err := registry.Client{HTTP: doer{200, `{"handovers":["x"]}`, nil}}.Follow(ctx, newReplica(t, r.Genesis()))
			return err, registry.ErrCheckpoint
		},
		"answer without end": func() (error, error) {
			_, err := registry.Client{HTTP: doer{200, strings.Repeat("x", 1<<20), nil}}.Checkpoint(ctx)
			return err, registry.ErrResponse
		},
	} {
		if got, want := f(); !errors.Is(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
