package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/registry"
)

func newRegistryCertificateCommand(f *registryFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "certificate",
		Short: "Get a certificate of the region's authority, or give one out",
		Long: `Get a certificate of the region's authority, or give one out. Three steps:

  1  the organisation asks, with the key that it will sign with
       paspoort registry certificate request --usage credential --url https://vaart.example \
         --service-key credential.key --out credential.csr
  2  the member that keeps the authority makes the certificate, and signs that it did
       paspoort registry certificate issue credential.csr --ca-cert ca.pem --ca-key ca.key
  3  the organisation signs that the key is its own, and sends it
       paspoort registry sign credential.draft.json
       paspoort registry send credential.draft.json

Do the same before a certificate ends: the new one may overlap the old one.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCertificateRequestCommand(f), newCertificateIssueCommand(f), newCertificateListCommand(f), newCertificateCRLCommand(f))
	f.speaks(cmd.Commands()...)
	return cmd
}

const pemRequest = "CERTIFICATE REQUEST" // RFC 7468 7

var (
	errRequestFile = errors.New("not a request that this region can grant")
	errAuthority   = errors.New("not the authority of this region")
)

func newCertificateRequestCommand(f *registryFlags) *cobra.Command {
	var usage, address, key, out string
	cmd := &cobra.Command{
		Use:   "request",
		Short: "Ask for a certificate, for the key of your service",
		Long: `Ask for a certificate, for the key of your service: with usage credential or status for
an issuer, access for a verifier. A key file that is not there is made. Give the request
to the member that keeps the region's authority; it holds no secret.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			switch {
			case v.organisation() == "":
				return needs("as organisation/ID")
			case address == "":
				return needs("url")
			case key == "":
				return needs("service-key")
			case !slices.Contains(usages, registry.Usage(usage)):
				return needs("usage credential, status or access")
			}
			raw, err := certificateRequest(v.organisation(), registry.Usage(usage), address, key)
			if err != nil {
				return err
			}
			if err := keyfile.WriteAtomic(out, raw, 0o600); err != nil {
				return err
			}
			return f.say(cmd, map[string]any{"request": out, "key": key}, func(p *registryPrinter) {
				p.line("%s Gevraagd in %s", "%s Asked in %s", p.s.good("✓"), out)
				p.line("Geef dit bestand aan het lid dat het hoofdcertificaat van de regio beheert. Het typt:\n  paspoort registry certificate issue %s",
					"Give this file to the member that keeps the authority of the region. It types:\n  paspoort registry certificate issue %s", out)
			})
		},
	}
	cmd.Flags().StringVar(&usage, "usage", "", "credential, status or access")
	cmd.Flags().StringVar(&address, "url", "", "https address of the service, as the region knows it")
	cmd.Flags().StringVar(&key, "service-key", "", "key file of the service; it is made when it is not there")
	cmd.Flags().StringVar(&out, "out", "request.csr", "file for the request")
	return cmd
}

var usages = []registry.Usage{registry.UsageCredential, registry.UsageStatus, registry.UsageAccess}

// certificateRequest is a PKCS #10 request: the organisation's id as common name, the usage
// as organisational unit, the address as SAN.
func certificateRequest(organisation string, usage registry.Usage, address, file string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRequestFile, err)
	}
	key, err := keyfile.LoadOrCreate(file, keyfile.ES256)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKey, err)
	}
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: organisation, OrganizationalUnit: []string{string(usage)}}, URIs: []*url.URL{u}}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	return pem.EncodeToMemory(&pem.Block{Type: pemRequest, Bytes: der}), err
}

// issueFlags are where the authority is and what comes out.
type issueFlags struct {
	cert, key, out, draft string
	days                  int
	yes                   bool
}

func newCertificateIssueCommand(f *registryFlags) *cobra.Command {
	i := &issueFlags{}
	cmd := &cobra.Command{
		Use:   "issue REQUEST",
		Short: "Make the certificate that an organisation asked for, and sign that you did",
		Long: `Make the certificate that an organisation asked for, and sign that you did. The region
must have admitted the organisation, and know the address in the request as its own. The
key of the authority may be on a token (pkcs11:). Give the two files that come out back to
the organisation: it signs too, and sends.`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.issue(cmd, i, args[0]) },
	}
	cmd.Flags().StringVar(&i.cert, "ca-cert", "ca.pem", "certificate of the region's authority")
	cmd.Flags().StringVar(&i.key, "ca-key", "ca.key", "key of the authority: file, or pkcs11: address")
	cmd.Flags().StringVar(&i.out, "out", "", "file for the certificate; NAME.pem beside the request NAME.csr when absent")
	cmd.Flags().StringVar(&i.draft, "draft", "", "file for the organisation to sign; NAME.draft.json when absent")
	cmd.Flags().IntVar(&i.days, "days", 365, "for how many days")
	cmd.Flags().BoolVar(&i.yes, "yes", false, "sign without asking")
	return cmd
}

func (f *registryFlags) issue(cmd *cobra.Command, i *issueFlags, file string) error {
	v, err := f.speaker(cmd)
	if err != nil {
		return err
	}
	if !v.member() {
		return errMembersOnly
	}
	name := strings.TrimSuffix(file, ".csr")
	i.out, i.draft = cmp.Or(i.out, name+".pem"), cmp.Or(i.draft, name+".draft.json")
	request, usage, err := readRequest(cmd, file)
	if err != nil {
		return err
	}
	org, err := v.grantable(request, usage)
	if err != nil {
		return err
	}
	root, crl, err := v.authority(i.cert)
	if err != nil {
		return err
	}
	if v.shows(i.yes) {
		p := f.printer(cmd.ErrOrStderr())
		p.fact("Certificaat voor", "Certificate for", org.Name)
		p.fact("Adres", "Address", request.URIs[0].String())
		p.fact("Waarvoor", "What for", string(usage))
	}
	if err := v.confirm(i.yes); err != nil {
		return err
	}
	cert, err := v.makeLeaf(i, root, crl, request, org.ID)
	if err != nil {
		return err
	}
	if err := keyfile.WriteAtomic(i.out, ca.PEM(cert), 0o600); err != nil {
		return err
	}
	record := registry.NewCertificateRecord(cert, registry.Fingerprint(root.Raw), org.ID, usage)
	event, err := v.Draft(cmd.Context(), govern.Act{Kind: registry.KindCertificate, Body: record}, v.seat.Party, registry.OrganisationParty(org.ID))
	if err != nil {
		return err
	}
	return v.countersign(&event, i.draft)
}

func readRequest(cmd *cobra.Command, file string) (*x509.CertificateRequest, registry.Usage, error) {
	raw, err := readFileOrStdin(cmd, file)
	if err != nil {
		return nil, "", err
	}
	block, rest := pem.Decode(raw)
	if block == nil || block.Type != pemRequest || len(bytes.TrimSpace(rest)) > 0 {
		return nil, "", fmt.Errorf("%w: the file holds no certificate request", errRequestFile)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err == nil {
		err = request.CheckSignature() // who asks has the key
	}
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", errRequestFile, err)
	}
	if _, err := registry.NewPublicKey(request.PublicKey); err != nil {
		return nil, "", fmt.Errorf("%w: %w", errRequestFile, err)
	}
	units := request.Subject.OrganizationalUnit
	if len(request.URIs) != 1 || len(units) != 1 || !slices.Contains(usages, registry.Usage(units[0])) {
		return nil, "", fmt.Errorf("%w: it names one usage and one address", errRequestFile)
	}
	return request, registry.Usage(units[0]), nil
}

// grantable is the organisation that asks, when the region admitted it for what the usage
// needs and knows the address as its own.
func (v *voice) grantable(request *x509.CertificateRequest, usage registry.Usage) (registry.Organisation, error) {
	org, err := v.find(v.cmd.Context(), request.Subject.CommonName)
	if err != nil {
		return org, err
	}
	roles := map[registry.Usage][]registry.Role{
		registry.UsageCredential: {registry.Issuer}, registry.UsageStatus: {registry.Issuer, registry.StatusSigner}, registry.UsageAccess: {registry.Verifier},
	}[usage]
	if !slices.ContainsFunc(org.Roles, func(r registry.RoleView) bool { return r.Admitted && slices.Contains(roles, r.Role) }) {
		return org, fmt.Errorf("%w: the organisation is not admitted for usage %s", errRequestFile, usage)
	}
	address := registry.Alias{Type: registry.AliasURL, Value: request.URIs[0].String()}
	if !slices.Contains(org.Aliases, address) {
		return org, fmt.Errorf("%w: the region does not know %s as an address of the organisation", errRequestFile, address.Value)
	}
	return org, nil
}

// authority is the certificate of the file, when the region knows it as one of its own that
// this member keeps, and the addresses at which its revocation list is found.
func (v *voice) authority(file string) (cert *x509.Certificate, crl []string, err error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w: name its certificate with --ca-cert: %w", errAuthority, err)
	}
	if err != nil {
		return nil, nil, err
	}
	chain, err := ca.ParsePEM(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errAuthority, err)
	}
	region, err := v.region()
	if err != nil {
		return nil, nil, err
	}
	for _, a := range region.Anchors {
		if a.Fingerprint == registry.Fingerprint(chain[0].Raw) && a.Removed == 0 && registry.MemberParty(a.Operator) == v.seat.Party {
			for _, node := range region.Nodes {
				if node.Removed == 0 {
					crl = append(crl, node.URL+"/v1/crl/"+a.Fingerprint)
				}
			}
			return chain[0], crl, nil
		}
	}
	return nil, nil, fmt.Errorf("%w: the region knows no such certificate that you keep", errAuthority)
}

// makeLeaf signs the certificate with the key of the authority.
func (v *voice) makeLeaf(i *issueFlags, root *x509.Certificate, crl []string, request *x509.CertificateRequest, organisation string) (*x509.Certificate, error) {
	key, err := keyfile.Open(i.key, func() (string, error) { return v.f.secret(v.cmd, i.key, false) })
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKey, err)
	}
	defer key.Close()
	if registry.SPKIHash(key.Public()) != registry.SPKIHash(root.PublicKey) {
		return nil, fmt.Errorf("%w: the key is not that of the certificate", errAuthority)
	}
	now := v.Clock()
	return ca.Leaf(root, key, ca.Request{
		Public: request.PublicKey, Organisation: organisation, URI: request.URIs[0].String(), CRL: crl,
		NotBefore: now.Add(-time.Minute).Truncate(time.Second), NotAfter: now.Add(time.Duration(i.days) * 24 * time.Hour).Truncate(time.Second),
	})
}

func newCertificateListCommand(f *registryFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "list ORGANISATION",
		Short: "List the certificates of an organisation",
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := f.listener(cmd)
			if err != nil {
				return err
			}
			org, err := v.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			answer, err := look(cmd.Context(), v, func(c registry.Client) (registry.OrganisationAnswer, error) {
				return c.Organisation(cmd.Context(), org.ID, freshly)
			})
			if err != nil {
				return err
			}
			return f.say(cmd, answer.Certificates, func(p *registryPrinter) { p.certificates(answer.Certificates, v.Clock()) })
		},
	}
}

func (p *registryPrinter) certificates(list []registry.CertificateFact, now time.Time) {
	for _, c := range list {
		state := words("geldig tot ", "valid until ").In(p.lang) + day(c.NotAfter)
		switch {
		case c.Revoked != nil:
			state = words("ingetrokken: ", "revoked: ").In(p.lang) + c.Revoked.Reason
		case !c.ValidOn(now):
			state = words("verlopen op ", "expired on ").In(p.lang) + day(c.NotAfter)
		}
		p.line("  %-12s %.16s  %s", "  %-12s %.16s  %s", c.Usage, c.Fingerprint, state)
	}
	if len(list) == 0 {
		p.line("Deze organisatie heeft geen certificaten.", "This organisation has no certificates.")
	}
}
