package dev

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// organisation is one that is admitted to a region.
type organisation struct {
	process      string // name of its process, folder and port
	name         string
	registration string
	role         registry.Role
	kind         string // of an issuer or verifier: "opleider" or "werkgever" in the ready file
	types        []paspoort.Type
	purposes     []string
	domains      []string
	audited      []paspoort.Type // types with an audited independent assessment: proof level 3
	approvers    []string        // members of two groups
}

// id is the organisation's permanent id, drawn the first time.
func (o organisation) id(l layout) (string, error) {
	file := l.path(o.process, "organisation")
	body, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(body)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	id, err := registry.NewOrganisationID(rand.Reader)
	if err != nil {
		return "", err
	}
	return id, keyfile.WriteAtomic(file, []byte(id+"\n"), 0o600)
}

func (o organisation) application(id, url string, key registry.PublicKey, now time.Time) (*registry.Application, error) {
	web, err := did.WebFromURL(url)
	if err != nil {
		return nil, err
	}
	a := &registry.Application{
		Aliases:  []registry.Alias{{Type: registry.AliasURL, Value: url}, {Type: registry.AliasDID, Value: web}},
		Criteria: criteria, Domains: o.domains, Key: key, Name: o.name, Organisation: id,
		Purposes: o.purposes, Registration: o.registration, Role: o.role,
	}
	for _, t := range o.types {
		a.Types = append(a.Types, t.VCT())
	}
	slices.Sort(a.Types)
	for _, t := range o.audited {
		a.Levels = append(a.Levels, registry.LevelFact{
			Auditor: "Stichting Toetswacht Aakermonde", Basis: "audit van de examinering", Level: 3,
			Domain: strings.Join(o.domains, ", "), Independence: "de toetsers geven geen les aan wie zij toetsen",
			On: now.AddDate(0, -6, 0).Unix(), Until: now.AddDate(2, 0, 0).Unix(), Types: []string{t.VCT()},
		})
	}
	return a, nil
}

// join has the organisation admitted and certified, as far as that is not done.
func (r *Region) join(ctx context.Context, o organisation) error {
	id, err := o.id(r.w.l)
	if err != nil {
		return err
	}
	in, ever, err := r.Governor.client.Admitted(ctx, id, o.role)
	if err != nil {
		return err
	}
	if !in {
		if err := r.admit(ctx, o, id, ever); err != nil {
			return fmt.Errorf("admit %s: %w", o.name, err)
		}
	}
	for _, c := range o.certificates() {
		if err := r.certify(ctx, o, id, c); err != nil {
			return fmt.Errorf("certify %s: %w", o.name, err)
		}
	}
	return nil
}

func (r *Region) admit(ctx context.Context, o organisation, id string, again bool) error {
	key, err := r.w.l.key(o.process, "organisation.key")
	if err != nil {
		return err
	}
	pub, err := registry.NewPublicKey(key.Public())
	if err != nil {
		return err
	}
	a, err := o.application(id, r.w.settings.url(o.process), pub, r.w.clock())
	if err != nil {
		return err
	}
	if again { // an organisation that was admitted before changes its identity by other events
		a.Aliases, a.Key, a.Name, a.Registration = nil, "", "", ""
	}
	return r.Governor.Admit(ctx, a, key, o.approvers...)
}

// certificate is a key of an organisation with the certificate for it.
type certificate struct {
	name  string // of the files: NAME.key, NAME.pem
	usage registry.Usage
}

// certificates are what the role signs with; a wallet host signs for nobody else.
func (o organisation) certificates() []certificate {
	switch o.role {
	case registry.Issuer:
		return []certificate{{"credential", registry.UsageCredential}, {"status", registry.UsageStatus}}
	case registry.Verifier:
		return []certificate{{"access", registry.UsageAccess}}
	}
	return nil
}

const certificateLife = 365 * 24 * time.Hour

// certify makes the certificate with the CA's key and records it as an event.
func (r *Region) certify(ctx context.Context, o organisation, id string, c certificate) error {
	key, err := r.w.l.key(o.process, c.name+".key")
	if err != nil {
		return err
	}
	now := r.w.clock()
	rootKey, root, err := r.regionCA(r.w.l, now)
	if err != nil {
		return err
	}
	cert, err := r.w.l.certificate(o.process+"/"+c.name+".pem", now, func() (*x509.Certificate, error) {
		return ca.Leaf(root, rootKey, ca.Request{
			Public: key.Public(), Organisation: id, URI: r.w.settings.url(o.process),
			NotBefore: now.Add(-time.Minute).Truncate(time.Second), NotAfter: now.Add(certificateLife),
		})
	})
	if err != nil {
		return err
	}
	record := registry.NewCertificateRecord(cert, registry.Fingerprint(root.Raw), id, c.usage)
	// The organisation signs too that the key is its own.
	self := registry.OrganisationParty(id)
	if r.Governor.keys[self], err = r.w.l.key(o.process, "organisation.key"); err != nil {
		return err
	}
	_, err = r.Governor.Submit(ctx, registry.KindCertificate, record, registry.MemberParty(r.caOperator), self)
	if errors.Is(err, registry.ErrTaken) {
		return nil // recorded by a start that was broken off
	}
	return err
}

// hobbels puts the catalogue of hobbels in the registry, once.
func (r *Region) hobbels(ctx context.Context) error {
	var known bool
	err := r.Governor.client.Any(ctx, func(c registry.Client) error {
		answer, err := c.Hobbels(ctx, registry.When{Consistency: registry.Linearizable})
		known = len(answer.Hobbels) > 0
		return err
	})
	if err != nil || known {
		return err
	}
	raw, err := paspoort.HobbelCatalogue()
	if err != nil {
		return err
	}
	var catalogue registry.Catalogue
	if err := ijson.Unmarshal(raw, &catalogue); err != nil {
		return err
	}
	_, err = r.Governor.Submit(ctx, registry.KindCatalogue, &catalogue, r.parties()...)
	return err
}
