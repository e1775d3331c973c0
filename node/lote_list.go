package node

import (
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/lote"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// Names of ours in a list of trusted entities: for attestations that are not qualified there are
// none of ETSI.
const (
	loteType      = "urn:paspoort:lote:type:region"
	loteApproach  = "urn:paspoort:lote:approach:public-log"
	loteStatus    = "urn:paspoort:lote:status:"
	loteGranted   = loteStatus + "granted"
	loteWithdrawn = loteStatus + "withdrawn"

	loteCertificates = "urn:paspoort:lote:service:certificates"  // certifies keys of admitted organisations
	loteIssuance     = "urn:paspoort:lote:service:issuance"      // issues credentials of one type
	loteVerification = "urn:paspoort:lote:service:verification"  // asks for credentials
	loteWallets      = "urn:paspoort:lote:service:wallet-host"   // keeps paspoorten
	loteStatusSigner = "urn:paspoort:lote:service:status-signer" // signs status lists of others

	loteForGood = 65535 // of HistoricalInformationPeriod: history stays in the list
)

// listSource says which node makes the list, from which checkpoint.
type listSource struct {
	node       string
	checkpoint string // signed note
}

// trustList makes a list from one read of the state.
type trustList struct {
	view   registry.View
	now    time.Time
	region registry.Region
	page   string // address of the node that makes it
}

// newTrustList lists everybody whom the region ever admitted, with history. One-person firms
// stand in it under their id only: the list is signed and travels, and their name must stay
// erasable.
func newTrustList(v registry.View, from listSource, now time.Time) *lote.List {
	now = now.UTC().Truncate(time.Second)
	t := &trustList{view: v, now: now, region: v.Region(now)}
	out := &lote.List{Scheme: lote.Scheme{
		// The number of leaves only grows, on every node alike: nobody can be shown an older list
		// as a newer one. Between two leaves the list may be issued again, under the same number.
		Version: lote.Version, Sequence: int64(v.AsOf), Type: loteType,
		Operator: bilingual(t.region.Name, ""), Name: bilingual("Organisaties die "+t.region.Name+" heeft toegelaten", "Organisations admitted by "+t.region.Name),
		Approach: loteApproach, HistoricalDays: loteForGood, Issued: now, NextUpdate: now.Add(loteLife),
		Extensions: []lote.Extension{{"paspoort_log": map[string]any{
			"origin": t.region.Origin, "genesis": t.region.Genesis, "size": int64(v.AsOf), "checkpoint": from.checkpoint,
		}}},
	}}
	for _, node := range v.ActiveNodes() {
		out.Scheme.Distribution = append(out.Scheme.Distribution, node.URL+"/v1/lote")
		if node.ID == from.node || t.page == "" {
			t.page = node.URL
		}
	}
	out.Scheme.Information = t.pages("/")
	if text := t.region.Text; text != nil && text.URL != "" {
		out.Scheme.Rules = []lote.URI{{Lang: "nl", Value: text.URL}}
	}
	out.Scheme.Pointers = t.pointers()
	out.Entities = append(t.authorities(), t.organisations()...)
	return out
}

func (t *trustList) pages(path string) []lote.URI {
	return []lote.URI{{Lang: "nl", Value: t.page + path}, {Lang: "en", Value: t.page + path}}
}

// pointers lead to the lists of the regions that this one relies on.
func (t *trustList) pointers() (out []lote.Pointer) {
	for _, p := range t.view.Peers(t.now) {
		if p.State != registry.PeerAccepted {
			continue
		}
		out = append(out, lote.Pointer{
			Location:   p.URLs[0] + "/v1/lote",
			Identities: []lote.Identity{{OtherIDs: append([]string{regionURN(p.Genesis)}, p.URLs...)}},
			Qualifiers: []lote.Qualifier{{Type: loteType, Operator: bilingual(p.Name, ""), MimeType: lote.MediaType}},
		})
	}
	return out
}

func regionURN(genesis string) string { return "urn:paspoort:region:" + genesis }

// authorities are the members that certify keys for the region, with their certificates: the
// trust anchors for who checks x5c.
func (t *trustList) authorities() (out []lote.Entity) {
	for _, a := range t.region.Anchors {
		cert := anchorCertificate(a.Anchor)
		if cert == nil {
			continue
		}
		name := a.Operator
		for _, m := range t.region.Members {
			if m.ID == a.Operator {
				name = m.Name
			}
		}
		identity := lote.Identity{Certificates: []lote.Certificate{{DER: cert.Raw}}, SubjectNames: []string{cert.Subject.String()}}
		if len(cert.SubjectKeyId) > 0 {
			identity.SKIs = [][]byte{cert.SubjectKeyId}
		}
		called := bilingual("Certificaten van de regio", "Certificates of the region")
		since := unix(a.Since)
		s := lote.Service{Now: lote.ServiceInformation{Name: called, Identity: identity, Type: loteCertificates, Status: loteGranted, Since: &since}}
		if a.Removed != 0 {
			s.History = []lote.ServiceHistory{{Name: called, Identity: identity, Type: loteCertificates, Status: loteGranted, Since: since}}
			removed := unix(a.Removed)
			s.Now.Status, s.Now.Since = loteWithdrawn, &removed
		}
		out = append(out, lote.Entity{
			Information: lote.EntityInformation{Name: bilingual(name, ""), Address: lote.EntityAddress{Electronic: t.pages("/")}, Information: t.pages("/")},
			Services:    []lote.Service{s},
		})
	}
	return out
}

func (t *trustList) organisations() (out []lote.Entity) {
	for _, o := range t.view.Organisations(t.now).Organisations {
		e := lote.Entity{Information: t.about(o)}
		identity := t.identity(o)
		for _, role := range o.Roles {
			if role.Role != registry.Issuer {
				e.Services = t.service(e.Services, role, "", identity)
				continue
			}
			for _, typ := range grantTypes(role.Standing) {
				e.Services = t.service(e.Services, role, typ, identity)
			}
		}
		if len(e.Services) > 0 {
			out = append(out, e)
		}
	}
	return out
}

func (t *trustList) about(o registry.Organisation) lote.EntityInformation {
	info := lote.EntityInformation{Name: bilingual(o.ID, ""), Information: t.pages("/organisations/" + o.ID)}
	info.Address.Electronic = info.Information
	extension := lote.Extension{"paspoort_organisation": o.ID}
	if o.OnePerson {
		extension["paspoort_one_person"] = true
	} else {
		if o.Name != "" {
			info.Name = bilingual(o.Name, "")
		}
		if o.Registration != "" {
			extension["paspoort_registration"] = o.Registration
		}
	}
	info.Extensions = []lote.Extension{extension}
	return info
}

// identity is how the organisation shows itself: by its addresses, and by certificates of the
// region's authorities in its name. Of the certificates the log has the hashes only.
func (t *trustList) identity(o registry.Organisation) lote.Identity {
	id := lote.Identity{OtherIDs: []string{"urn:paspoort:organisation:" + o.ID}}
	if o.OnePerson {
		return id
	}
	for _, a := range o.Aliases {
		id.OtherIDs = append(id.OtherIDs, a.Value)
	}
	certificates := t.view.Certificates(o.ID)
	for _, c := range certificates {
		id.OtherIDs = append(id.OtherIDs, "urn:paspoort:certificate:sha-256:"+c.Fingerprint)
	}
	if len(certificates) > 0 {
		id.SubjectNames = []string{"CN=" + o.ID}
	}
	return id
}

// service adds an organisation's role, of an issuer for one type, as it is and as it was.
func (t *trustList) service(list []lote.Service, role registry.RoleView, typ string, identity lote.Identity) []lote.Service {
	steps := role.Standing.Steps(typ, t.now.Unix())
	if len(steps) == 0 {
		return list
	}
	kind, called := serviceOf(role.Role, typ)
	var s lote.Service
	for i, step := range slices.Backward(steps) {
		since, status, extensions := unix(step.From), stepStatus(step.Code), t.extensions(role, typ, step)
		if i == len(steps)-1 {
			s.Now = lote.ServiceInformation{Name: called, Identity: identity, Type: kind, Status: status, Since: &since, Extensions: extensions}
			continue
		}
		s.History = append(s.History, lote.ServiceHistory{Name: called, Identity: identity, Type: kind, Status: status, Since: since, Extensions: extensions})
	}
	return append(list, s)
}

// extensions say of which type a service is, what it may, and where that stands in the log.
func (t *trustList) extensions(role registry.RoleView, typ string, step registry.Step) (out []lote.Extension) {
	if typ != "" {
		out = append(out, lote.Extension{"vct": fullType(typ)})
	}
	for _, g := range role.Standing.Grants {
		if g.Event != step.Event || step.Event == "" {
			continue
		}
		about := lote.Extension{"until": unix(g.Until).Format(time.RFC3339), "criteria": g.Criteria}
		if len(g.Purposes) > 0 {
			about["purposes"] = g.Purposes
		}
		if len(g.Serves) > 0 {
			about["serves"] = g.Serves
		}
		out = append(out, lote.Extension{"paspoort_admission": map[string]any(about)})
	}
	if index, ok := t.view.State.Leaf(step.Event); ok {
		out = append(out, lote.Extension{"paspoort_log": map[string]any{"origin": t.region.Origin, "index": int64(index)}})
	}
	return out
}

// fullType is the vct of a type: the registry knows ours by a short name.
func fullType(typ string) string {
	if t, err := paspoort.ParseType(typ); err == nil {
		return t.VCT()
	}
	return typ
}

// stepStatus is the status of a service under a code of the registry.
func stepStatus(c registry.Code) string {
	if c == registry.CodeAdmitted {
		return loteGranted
	}
	return loteStatus + strings.ReplaceAll(string(c), "_", "-")
}

func serviceOf(role registry.Role, typ string) (kind string, called []lote.Text) {
	switch role {
	case registry.Issuer:
		name := typeTexts(typ)
		return loteIssuance, bilingual("Geeft uit: "+name[0].Value, "Issues: "+name[1].Value)
	case registry.Verifier:
		return loteVerification, bilingual("Vraagt bewijzen", "Asks for credentials")
	case registry.WalletHost:
		return loteWallets, bilingual("Bewaart paspoorten", "Keeps paspoorten")
	}
	return loteStatusSigner, bilingual("Ondertekent statuslijsten", "Signs status lists")
}
