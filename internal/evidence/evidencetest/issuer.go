package evidencetest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"maps"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/statuslist"
)

// Issuer is an admitted issuer with its keys and one status list.
type Issuer struct {
	ID   string // permanent id of the organisation
	URL  string // credential_issuer
	Key  *jose.PrivateKey
	Cert *x509.Certificate

	StatusURI  string
	List       *statuslist.List
	statusKey  *jose.PrivateKey
	StatusCert *x509.Certificate
	next       int
	region     *Region
}

// Issuer admits an issuer of types on a host and certifies its keys.
func (r *Region) Issuer(host string, types ...paspoort.Type) *Issuer {
	r.t.Helper()
	return r.equip(host, r.Admit(registry.Application{
		Role: registry.Issuer, Name: "Opleidingshuis " + host, Types: vcts(types),
		Aliases: []registry.Alias{{Type: registry.AliasURL, Value: "https://" + host}, {Type: registry.AliasDID, Value: "did:web:" + host}},
	}))
}

func vcts(types []paspoort.Type) []string {
	set := map[string]bool{}
	for _, t := range types {
		set[t.VCT()] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// equip gives an organisation keys, certificates and a status list.
func (r *Region) equip(host, organisation string) *Issuer {
	r.t.Helper()
	i := &Issuer{
		ID: organisation, URL: "https://" + host, StatusURI: "https://" + host + "/status/1",
		Key: newKey(r.t), statusKey: newKey(r.t), region: r,
	}
	i.Cert = r.Certify(i.ID, i.URL, i.Key.Public(), registry.UsageCredential)
	i.StatusCert = r.Certify(i.ID, i.URL, i.statusKey.Public(), registry.UsageStatus)
	var err error
	i.List, err = statuslist.New(2, 1024, statuslist.Invalid)
	r.check(err)
	return i
}

// Dataset is the sample of a type.
func (i *Issuer) Dataset(t paspoort.Type) paspoort.Dataset {
	i.region.t.Helper()
	raw, err := paspoort.Sample(t)
	i.region.check(err)
	var claims map[string]any
	i.region.check(ijson.Unmarshal(raw, &claims))
	d, err := paspoort.NewDataset(t, claims, rand.Reader)
	i.region.check(err)
	return d
}

// Issue makes one copy of the sample of a type, valid in the status list.
func (i *Issuer) Issue(t paspoort.Type, holder crypto.PublicKey) *sdjwt.SDJWT {
	i.region.t.Helper()
	return i.IssueAs(paspoort.FormatSDJWTVC, t, holder, func(map[string]any, *jose.Header) {})
}

// IssueAs is Issue in a format, with the claims and header changed before signing.
func (i *Issuer) IssueAs(f paspoort.Format, t paspoort.Type, holder crypto.PublicKey, change func(claims map[string]any, h *jose.Header)) *sdjwt.SDJWT {
	r := i.region
	r.t.Helper()
	index := i.next
	i.next++
	r.check(i.List.Set(index, statuslist.Valid))
	typ, claims, err := paspoort.Render(f, paspoort.Issuer{ID: i.URL, Name: "Opleidingshuis De Vaart", Country: "NL"}, i.Dataset(t), paspoort.Copy{
		Holder: holder, Status: &paspoort.StatusRef{URI: i.StatusURI, Index: index}, IssuedAt: r.clock(), ExpiresAt: r.clock().AddDate(1, 0, 0),
	})
	r.check(err)
	header := jose.Header{Type: typ, KeyID: "did:web:" + i.URL[len("https://"):] + "#1", X5C: [][]byte{i.Cert.Raw}}
	change(claims, &header)
	token, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: i.Key, Header: header, Claims: claims, Rand: rand.Reader})
	r.check(err)
	return token
}

// StatusToken publishes the status list now.
func (i *Issuer) StatusToken() string {
	return i.SignStatus(i.statusKey, i.StatusCert, i.StatusURI)
}

// SignStatus signs the list with any key and certificate, for any address.
func (i *Issuer) SignStatus(key crypto.Signer, cert *x509.Certificate, uri string) string {
	i.region.t.Helper()
	now := i.region.clock()
	token, err := i.List.Token(key, jose.Header{X5C: [][]byte{cert.Raw}}, statuslist.TokenClaims{
		Subject: uri, IssuedAt: now, ExpiresAt: now.Add(24 * time.Hour), TTL: 10 * time.Minute,
	})
	i.region.check(err)
	return token
}

// Web is a did.Fetcher of what issuers publish: pages by URL. It counts what was fetched.
type Web struct {
	Pages   map[string]func() string
	Fetched map[string]int
	Down    bool
}

// NewWeb publishes the status lists of issuers.
func NewWeb(issuers ...*Issuer) *Web {
	w := &Web{Pages: map[string]func() string{}, Fetched: map[string]int{}}
	for _, i := range issuers {
		w.Pages[i.StatusURI] = i.StatusToken
	}
	return w
}

// Get implements did.Fetcher.
func (w *Web) Get(_ context.Context, url string, _ ...string) ([]byte, string, error) {
	w.Fetched[url]++
	page, ok := w.Pages[url]
	if !ok || w.Down {
		return nil, "", errNotThere
	}
	return []byte(page()), "", nil
}

var errNotThere = errors.New("nothing at this address")
