package lote

import (
	"fmt"
	"net/url"
	"slices"
)

// check holds a list to what the schema of the standard demands beside the types: what must be
// there, what must not be empty, and what is a URI.
func (l *List) check() error {
	s := l.Scheme
	c := checker{at: "ListAndSchemeInformation"}
	c.that(s.Version > 0 && s.Sequence > 0, "no version or sequence number")
	c.texts("SchemeOperatorName", s.Operator, true)
	c.texts("SchemeName", s.Name, false)
	c.uris("SchemeInformationURI", s.Information, false)
	c.uris("SchemeTypeCommunityRules", s.Rules, false)
	c.uri("LoTEType", s.Type, false)
	c.uri("StatusDeterminationApproach", s.Approach, false)
	c.that(s.Territory == "" || len(s.Territory) == 2, "SchemeTerritory is two letters")
	c.that(!s.Issued.IsZero() && s.NextUpdate.After(s.Issued), "NextUpdate is not after ListIssueDateTime")
	for _, p := range s.Distribution {
		c.uri("DistributionPoints", p, true)
	}
	if s.Address != nil {
		c.postal(s.Address.Postal, true)
		c.uris("SchemeOperatorElectronicAddress", s.Address.Electronic, true)
	}
	for _, p := range s.Pointers {
		c.pointer(p)
	}
	c.that(len(l.Entities) <= maxEntities, "too many entities")
	for i, e := range l.Entities {
		c.at = fmt.Sprintf("entity %d", i)
		c.entity(e)
	}
	return c.err
}

// checker remembers the first thing that is wrong.
type checker struct {
	at  string
	err error
}

func (c *checker) that(ok bool, format string, args ...any) {
	if !ok && c.err == nil {
		c.err = fmt.Errorf("%w: %s: %s", ErrList, c.at, fmt.Sprintf(format, args...))
	}
}

func (c *checker) entity(e Entity) {
	c.texts("TEName", e.Information.Name, true)
	c.texts("TETradeName", e.Information.TradeName, false)
	c.postal(e.Information.Address.Postal, false)
	c.uris("TEElectronicAddress", e.Information.Address.Electronic, false)
	c.uris("TEInformationURI", e.Information.Information, true)
	c.that(len(e.Services) > 0, "no services")
	for _, s := range e.Services {
		c.texts("ServiceName", s.Now.Name, true)
		c.identity(s.Now.Identity)
		c.uri("ServiceTypeIdentifier", s.Now.Type, false)
		c.uri("ServiceStatus", s.Now.Status, false)
		for _, p := range s.Now.SupplyPoints {
			c.uri("ServiceSupplyPoints", p.URI, true)
			c.uri("ServiceType", p.Type, false)
		}
		c.uris("ServiceDefinitionURI", s.Now.Definition, false)
		c.uris("SchemeServiceDefinitionURI", s.Now.SchemeDefinition, false)
		for _, h := range s.History {
			c.texts("ServiceName", h.Name, true)
			c.identity(h.Identity)
			c.uri("ServiceStatus", h.Status, true)
			c.uri("ServiceTypeIdentifier", h.Type, false)
			c.that(!h.Since.IsZero(), "history without a StatusStartingTime")
		}
	}
}

func (c *checker) pointer(p Pointer) {
	c.uri("LoTELocation", p.Location, true)
	c.that(len(p.Identities) > 0 && len(p.Qualifiers) > 0, "a pointer without identities or qualifiers")
	for _, i := range p.Identities {
		c.identity(i)
	}
	for _, q := range p.Qualifiers {
		c.uri("LoTEType", q.Type, true)
		c.texts("SchemeOperatorName", q.Operator, true)
		c.that(q.MimeType != "", "a pointer without MimeType")
	}
}

func (c *checker) identity(i Identity) {
	for _, cert := range i.Certificates {
		c.that(len(cert.DER) > 0, "an empty certificate")
		c.uri("encoding", cert.Encoding, false)
	}
	for _, key := range i.Keys {
		c.that(key.Public != nil, "an empty key")
	}
	c.that(!slices.Contains(i.OtherIDs, ""), "an empty identifier")
}

func (c *checker) postal(list []Postal, needed bool) {
	c.that(!needed || len(list) > 0, "no postal address")
	for _, p := range list {
		c.that(p.Street != "" && p.Country != "", "a postal address without street or country")
	}
}

func (c *checker) texts(name string, list []Text, needed bool) {
	c.that(!needed || len(list) > 0, "no %s", name)
	for _, t := range list {
		c.that(t.Lang != "" && t.Value != "", "an empty %s", name)
	}
}

func (c *checker) uris(name string, list []URI, needed bool) {
	c.that(!needed || len(list) > 0, "no %s", name)
	for _, u := range list {
		c.that(u.Lang != "", "%s without a language", name)
		c.uri(name, u.Value, true)
	}
}

// uri wants an absolute URI (RFC 3986 4.3), a URN included.
func (c *checker) uri(name, raw string, needed bool) {
	if raw == "" {
		c.that(!needed, "no %s", name)
		return
	}
	u, err := url.Parse(raw)
	c.that(err == nil && u.Scheme != "", "%s is not a URI", name)
}
