package registry_test

import (
	"crypto"
	"errors"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// Every sentence of the checks of bodies has the body that it refuses.
func TestBadBodiesAreRefused(t *testing.T) {
	r := registrytest.New(t)
	org := registrytest.OrganisationID("vaart")
	hash := strings.Repeat("0", 64)
	node, _ := registrytest.Node("knoop-9", "opleidersberaad")
	anchor := registry.NewAnchor([]byte("a certificate"), "opleidersberaad")
	level := registry.LevelFact{Auditor: "Stichting Toets", Basis: "EVC-erkenning", Domain: "zorg", Independence: "geeft geen les", Level: 3, On: 1, Until: 2, Types: []string{"urn:paspoort:opleiding:1"}}

	application := func(f func(*registry.Application)) registry.Body {
		a := r.Application("vaart", registry.Issuer)
		a.Levels = []registry.LevelFact{level}
		f(a)
		return a
	}
	withLevel := func(f func(*registry.LevelFact)) registry.Body {
		l := level
		f(&l)
		return application(func(a *registry.Application) { a.Levels = []registry.LevelFact{l} })
	}
	withNode := func(f func(*registry.Node)) registry.Body {
		n := node
		f(&n)
		return &registry.NodeChange{Node: &n, Reason: "nieuw"}
	}
	hobbel := func(f func(*registry.HobbelClaim)) registry.Body {
		h := &registry.HobbelClaim{Catalogue: "voorlopig-0", Evidence: []registry.Evidence{{URL: "https://vaart.example"}}, Hobbel: "H03",
			On: 1, Status: registry.Experiment, Summary: registry.Text{NL: "Proeftuin"}}
		f(h)
		return h
	}
	list := func(f func(*registry.Catalogue)) registry.Body {
		c := catalogue("voorlopig-0")
		f(c)
		return c
	}
	record := func(f func(*registry.CertificateRecord)) registry.Body {
		c := &registry.CertificateRecord{Anchor: hash, Fingerprint: hash, NotAfter: 2, NotBefore: 1, Organisation: org, SPKI: hash, Usage: registry.UsageStatus}
		f(c)
		return c
	}
	for name, body := range map[string]registry.Body{
		"application: no id":                 application(func(a *registry.Application) { a.Organisation = "org_x" }),
		"application: id in upper case":      application(func(a *registry.Application) { a.Organisation = strings.ToUpper(a.Organisation) }),
		"application: id with spare bits":    application(func(a *registry.Application) { a.Organisation = "org_" + strings.Repeat("a", 25) + "b" }),
		"application: no criteria":           application(func(a *registry.Application) { a.Criteria = "" }),
		"application: for ever":              application(func(a *registry.Application) { a.Days = 36600 }),
		"application: types out of order":    application(func(a *registry.Application) { a.Types[0], a.Types[1] = a.Types[1], a.Types[0] }),
		"application: a member by name":      application(func(a *registry.Application) { a.Members = []string{"De Gemeente"} }),
		"application: no role":               application(func(a *registry.Application) { a.Role = "king" }),
		"application: no types":              application(func(a *registry.Application) { a.Types, a.Levels = nil, nil }),
		"application: purposes of an issuer": application(func(a *registry.Application) { a.Purposes = []string{"werving"} }),
		"application: name of spaces":        application(func(a *registry.Application) { a.Name = "   " }),
		"application: name turned around":    application(func(a *registry.Application) { a.Name = "Regio \u202eslaaf" }),
		"application: name with a bell":      application(func(a *registry.Application) { a.Name = "Regio\a" }),
		"application: name too long":         application(func(a *registry.Application) { a.Name = strings.Repeat("x", 201) }),
		"application: registration":          application(func(a *registry.Application) { a.Registration = " 1" }),
		"application: no point":              application(func(a *registry.Application) { a.Key = registry.PublicKey(strings.Repeat("A", 87)) }),
		"application: alias with a slash":    application(func(a *registry.Application) { a.Aliases[0].Value += "/" }),
		"application: alias with a user":     application(func(a *registry.Application) { a.Aliases[0].Value = "https://a@b.example" }),
		"application: alias with dots":       application(func(a *registry.Application) { a.Aliases[0].Value = "https://b.example/../c" }),
		"application: alias with a query":    application(func(a *registry.Application) { a.Aliases[0].Value = "https://b.example?c" }),
		"application: alias upper case":      application(func(a *registry.Application) { a.Aliases[0].Value = "https://B.example" }),
		"application: alias bad port":        application(func(a *registry.Application) { a.Aliases[0].Value = "https://b.example:070" }),
		"application: alias by ftp":          application(func(a *registry.Application) { a.Aliases[0].Value = "ftp://b.example" }),
		"application: alias twice":           application(func(a *registry.Application) { a.Aliases[1] = a.Aliases[0] }),
		"application: alias no did":          application(func(a *registry.Application) { a.Aliases[1].Value = "did:web:" }),
		"application: did with fragment":     application(func(a *registry.Application) { a.Aliases[1].Value += "#key" }),
		"application: open one-person":       application(func(a *registry.Application) { a.OnePerson = true }),
		"level: of proof 2":                  withLevel(func(l *registry.LevelFact) { l.Level = 2 }),
		"level: without end":                 withLevel(func(l *registry.LevelFact) { l.Until = 0 }),
		"level: of another type":             withLevel(func(l *registry.LevelFact) { l.Types = []string{"urn:paspoort:referentie:1"} }),
		"level: of no type":                  withLevel(func(l *registry.LevelFact) { l.Types = nil }),
		"level: audited by nobody":           withLevel(func(l *registry.LevelFact) { l.Auditor = "" }),
		"level: on no basis":                 withLevel(func(l *registry.LevelFact) { l.Basis = "" }),
		"level: endless reference":           withLevel(func(l *registry.LevelFact) { l.Reference = strings.Repeat("x", 501) }),
		"level: about nothing":               withLevel(func(l *registry.LevelFact) { l.Domain = "" }),
		"level: independent of nothing":      withLevel(func(l *registry.LevelFact) { l.Independence = "" }),
		"measure: no organisation":           &registry.Measure{Reason: "x", Role: registry.Issuer},
		"measure: no role":                   &registry.Measure{Organisation: org, Reason: "x"},
		"measure: no reason":                 &registry.Measure{Organisation: org, Role: registry.Issuer},
		"measure: fraud since never":         &registry.Measure{Organisation: org, Reason: "x", Role: registry.Issuer, Fraud: true},
		"details: nobody":                    &registry.Details{Name: "x"},
		"details: registration":              &registry.Details{Name: "x", Organisation: org, Registration: "\n"},
		"aliases: nobody":                    &registry.AliasChange{},
		"keys: nobody":                       &registry.OrganisationKey{Key: registrytest.PublicKey(r.Keys[vakbond])},
		"keys: no key":                       &registry.OrganisationKey{Organisation: org},
		"member key: nobody":                 &registry.MemberKey{Member: "De Gemeente", Reason: "x"},
		"member key: no key":                 &registry.MemberKey{Member: "gemeente", Key: "x", Reason: "x"},
		"member key: no reason":              &registry.MemberKey{Member: "gemeente"},
		"decision: on nothing":               &registry.Decision{Proposal: "x", Voter: vakbond},
		"decision: reason of spaces":         &registry.Decision{Proposal: hash, Reason: " ", Voter: vakbond},
		"amendment: of nothing":              &registry.Amendment{Reason: "x"},
		"amendment: twice":                   &registry.Amendment{Reason: "x", Remove: []string{"a", "a"}},
		"amendment: bad member":              &registry.Amendment{Reason: "x", Add: []registry.Member{{ID: "a"}}},
		"amendment: bad term":                &registry.Amendment{Reason: "x", Admission: &registry.AdmissionTerm{Days: 2, MaxDays: 1}},
		"amendment: below the floor":         &registry.Amendment{Reason: "x", Thresholds: map[string]registry.Threshold{registry.ForAdmission: {Groups: 1, Members: 1}}},
		"amendment: entity id":               &registry.Amendment{Reason: "x", Entity: "https://aakermonde.example/"},
		"clock: no reason":                   &registry.Clock{},
		"node: nothing":                      &registry.NodeChange{Reason: "x"},
		"node: both":                         &registry.NodeChange{Reason: "x", ID: "knoop-1", Node: &node},
		"node: no keys changed":              &registry.NodeChange{Reason: "x", ID: "knoop-1", Keys: &registry.NodeKeys{}},
		"node: id":                           withNode(func(n *registry.Node) { n.ID = "Knoop" }),
		"node: url":                          withNode(func(n *registry.Node) { n.URL = "https://" }),
		"node: raft address":                 withNode(func(n *registry.Node) { n.RaftAddress = "knoop-9.example" }),
		"node: operator":                     withNode(func(n *registry.Node) { n.Operator = "" }),
		"node: one key, two tasks":           withNode(func(n *registry.Node) { n.LogKey = n.CosignerKey }),
		"node: key of small order":           withNode(func(n *registry.Node) { n.LogKey = "AQ" + strings.Repeat("A", 41) }),
		"node: timestamp key":                withNode(func(n *registry.Node) { n.TimestampKey = "" }),
		"node: federation key":               withNode(func(n *registry.Node) { n.FederationKey = "x" }),
		"node: federation is timestamp key":  withNode(func(n *registry.Node) { n.FederationKey = n.TimestampKey }),
		"node: tls key":                      withNode(func(n *registry.Node) { n.TLSKey = "x" }),
		"anchor: nothing":                    &registry.AnchorChange{Reason: "x"},
		"anchor: both":                       &registry.AnchorChange{Reason: "x", Anchor: &anchor, Fingerprint: hash},
		"anchor: another fingerprint":        &registry.AnchorChange{Reason: "x", Anchor: &registry.Anchor{Certificate: anchor.Certificate, Fingerprint: hash, Operator: "a"}},
		"anchor: bad base64":                 &registry.AnchorChange{Reason: "x", Anchor: &registry.Anchor{Certificate: "AB", Fingerprint: hash, Operator: "a"}},
		"certificate: usage":                 record(func(c *registry.CertificateRecord) { c.Usage = "any" }),
		"certificate: validity":              record(func(c *registry.CertificateRecord) { c.NotAfter = 1 }),
		"certificate: half":                  record(func(c *registry.CertificateRecord) { c.SPKI = "" }),
		"certificate: no hash":               record(func(c *registry.CertificateRecord) { c.SPKI = strings.Repeat("F", 64) }),
		"revocation: of nothing":             &registry.CertificateRevocation{Reason: "x"},
		"revocation: no reason":              &registry.CertificateRevocation{Certificate: hash},
		"catalogue: empty":                   &registry.Catalogue{Version: "x"},
		"catalogue: no version":              list(func(c *registry.Catalogue) { c.Version = "" }),
		"catalogue: source":                  list(func(c *registry.Catalogue) { c.Source = strings.Repeat("x", 501) }),
		"catalogue: twice":                   list(func(c *registry.Catalogue) { c.Hobbels[1].ID = c.Hobbels[0].ID }),
		"catalogue: id":                      list(func(c *registry.Catalogue) { c.Hobbels[1].ID = "H 3" }),
		"catalogue: no level":                list(func(c *registry.Catalogue) { c.Hobbels[1].Levels = nil }),
		"catalogue: level":                   list(func(c *registry.Catalogue) { c.Hobbels[1].Levels = []string{"buurt"} }),
		"catalogue: title":                   list(func(c *registry.Catalogue) { c.Hobbels[1].Title.NL = "" }),
		"catalogue: english":                 list(func(c *registry.Catalogue) { c.Hobbels[1].Title.EN = " " }),
		"hobbel: id":                         hobbel(func(h *registry.HobbelClaim) { h.Hobbel = "" }),
		"hobbel: status":                     hobbel(func(h *registry.HobbelClaim) { h.Status = "klaar" }),
		"hobbel: no evidence":                hobbel(func(h *registry.HobbelClaim) { h.Evidence = nil }),
		"hobbel: evidence by script":         hobbel(func(h *registry.HobbelClaim) { h.Evidence[0].URL = "javascript:alert(1)" }),
		"hobbel: evidence hash":              hobbel(func(h *registry.HobbelClaim) { h.Evidence[0].SHA256 = "x" }),
		"hobbel: scope of another kind":      hobbel(func(h *registry.HobbelClaim) { h.Scope = &registry.Scope{Kind: "straat", Name: "Dorpsstraat"} }),
		"hobbel: the region by name": hobbel(func(h *registry.HobbelClaim) {
			h.Scope = &registry.Scope{Kind: registry.ScopeRegion, Name: "Aakermonde"}
		}),
		"hobbel: scope without name":         hobbel(func(h *registry.HobbelClaim) { h.Scope = &registry.Scope{Kind: registry.ScopeSector} }),
		"hobbel: scope with a slash":         hobbel(func(h *registry.HobbelClaim) { h.Scope = &registry.Scope{Kind: registry.ScopeSector, Name: "a/b"} }),
		"hobbel: evidence of nothing":        hobbel(func(h *registry.HobbelClaim) { h.Evidence[0] = registry.Evidence{Place: "Aakermonde"} }),
		"hobbel: title of spaces":            hobbel(func(h *registry.HobbelClaim) { h.Evidence[0].Title = " " }),
		"hobbel: place of spaces":            hobbel(func(h *registry.HobbelClaim) { h.Evidence[0].Place = " " }),
		"hobbel: ended before it began":      hobbel(func(h *registry.HobbelClaim) { h.Evidence[0].From, h.Evidence[0].Until = 2, 1 }),
		"hobbel: more placed than took part": hobbel(func(h *registry.HobbelClaim) { n := 1; h.Evidence[0].Placed = &n }),
		"hobbel: catalogue":                  hobbel(func(h *registry.HobbelClaim) { h.Catalogue = "" }),
		"hobbel: summary":                    hobbel(func(h *registry.HobbelClaim) { h.Summary.NL = "" }),
		"erasure: of nothing":                &registry.Erasure{Reason: "x"},
		"erasure: no commitment":             &registry.Erasure{Reason: "x", Commitments: []string{"x"}},
		"erasure: no reason":                 &registry.Erasure{Commitments: []string{hash}},
	} {
		t.Run(name, func(t *testing.T) {
			// Any kind: the body is looked at first.
			if _, err := registry.Compose(r.Draft(body), registry.KindClock, body, r.Party(vakbond)); !errors.Is(err, registry.ErrBody) {
				t.Errorf("error %v, want a bad body", err)
			}
		})
	}
}

func TestBadChartersAreRefused(t *testing.T) {
	for name, change := range map[string]func(*registry.Charter){
		"no name":              func(c *registry.Charter) { c.Name = "" },
		"no nonce":             func(c *registry.Charter) { c.Nonce = "x" },
		"origin with a scheme": func(c *registry.Charter) { c.Origin = "https://a.example" },
		"origin with a space":  func(c *registry.Charter) { c.Origin = "a.example/the log" },
		"no criteria":          func(c *registry.Charter) { c.Criteria = "" },
		"no term":              func(c *registry.Charter) { c.Admission = registry.AdmissionTerm{} },
		"no thresholds":        func(c *registry.Charter) { c.Thresholds = nil },
		"one threshold too low": func(c *registry.Charter) {
			c.Thresholds[registry.ForAdmission] = registry.Threshold{Groups: 1, Members: 2}
		},
		"unknown threshold": func(c *registry.Charter) {
			delete(c.Thresholds, registry.ForErasure)
			c.Thresholds["parties"] = registry.Threshold{Groups: 1, Members: 1}
		},
		"no nodes":                func(c *registry.Charter) { c.Nodes = nil },
		"no anchors":              func(c *registry.Charter) { c.Anchors = nil },
		"two nodes with one key":  func(c *registry.Charter) { c.Nodes[1].LogKey = c.Nodes[0].LogKey },
		"node run by a stranger":  func(c *registry.Charter) { c.Nodes[1].Operator = "vreemd" },
		"anchor of a stranger":    func(c *registry.Charter) { c.Anchors[0].Operator = "vreemd" },
		"member without group":    func(c *registry.Charter) { c.Members[0].Group = "vrienden" },
		"member with a bad id":    func(c *registry.Charter) { c.Members[0].ID = "-a" },
		"member without key":      func(c *registry.Charter) { c.Members[0].Key = "" },
		"two members, one key":    func(c *registry.Charter) { c.Members[0].Key = c.Members[1].Key },
		"mandate before 1970":     func(c *registry.Charter) { c.Members[0].Until = -1 },
		"an organisation by name": func(c *registry.Charter) { c.Members[0].Organisations = []string{"De Vaart"} },
	} {
		t.Run(name, func(t *testing.T) {
			r := registrytest.New(t)
			c := r.Charter
			change(&c)
			keys := map[string]crypto.Signer{}
			for _, m := range c.Members {
				keys[m.ID] = r.Party(registry.MemberParty(m.ID)).Key
			}
			if _, err := registry.Found(c, r.Now, keys); !errors.Is(err, registry.ErrBody) {
				t.Errorf("error %v, want a bad body", err)
			}
		})
	}
}

// A founding event that not all members signed, or that cannot reach its own thresholds,
// founds nothing.
func TestFoundingTakesEverybody(t *testing.T) {
	r := registrytest.New(t)
	c := r.Charter
	var parties []registry.Party
	for _, m := range c.Members {
		parties = append(parties, r.Party(registry.MemberParty(m.ID)))
	}
	found := func(c registry.Charter, parties ...registry.Party) error {
		s, err := registry.Compose(registry.Draft{Now: r.Now}, registry.KindFounded, &c, parties...)
		if err != nil {
			return err
		}
		_, err = registry.Apply(registry.NewState(""), registry.NewLeaf(s, r.Now))
		return err
	}
	if err := found(c, parties...); err != nil {
		t.Errorf("everybody signed: %v", err)
	}
	if err := found(c, parties[:3]...); !errors.Is(err, registry.ErrSigner) {
		t.Errorf("one did not sign: %v", err)
	}
	for i := range c.Members {
		c.Members[i].Group = registry.Overheid
	}
	if err := found(c, parties...); !errors.Is(err, registry.ErrUnreachable) {
		t.Errorf("one group only: %v", err)
	}
}
