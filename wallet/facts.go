package wallet

import (
	"errors"
	"slices"
	"strings"

	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/vcdm"
)

// factsOf is a candidate as a query sees it.
func factsOf(p prepared) (dcql.Credential, error) {
	claims, err := p.token.Claims()
	if err != nil {
		return dcql.Credential{}, err
	}
	_, bound := claims["cnf"]
	d := dcql.Credential{Format: string(p.format), HolderBound: bound, Claims: claims}
	if chain := leafOf(p.token); len(chain) > 0 {
		d.Authorities = map[string][]string{dcql.AuthorityKeyIdentifier: dcql.AuthorityKeyIdentifiers(chain)}
	}
	if p.format == paspoort.FormatVCDM {
		contexts, _ := claims["@context"].([]any)
		d.Types, _ = vcdm.Standard().Expand(contexts, texts(claims["type"]))
		return d, nil
	}
	d.Types = append(texts(claims["vct"]), texts(claims["aka_vcts"])...)
	return d, nil
}

// texts is a text or a list of texts as a list.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// describe writes down what goes, for the holder to decide about.
func (w *Wallet) describe(r *Request) error {
	skills := asksSkills(r.exchange.Request.Query)
	beyond, expired := false, false
	for _, p := range r.shows {
		item := ConsentItem{Query: p.query}
		var err error
		if p.credential != nil {
			i := p.credential.item()
			item.Credential, item.Name, item.Type, item.Issuer = i.ID, i.Name, i.Type, p.credential.Party.DisplayName()
			item.Lines, err = w.lines(p.token, p.credential.Labels)
		} else {
			item.Credential, item.Name, item.Type, item.OwnWords = p.declaration.ID, p.declaration.name(), string(paspoort.Zelfverklaring), true
			item.Lines, err = w.lines(p.token, nil)
		}
		if err != nil {
			return err
		}
		expired = expired || w.expired(p.token)
		for i := range item.Lines {
			l := &item.Lines[i]
			l.Beyond = !l.Always && skills && l.Name != "skills"
			beyond = beyond || l.Beyond
		}
		r.Consent.Items = append(r.Consent.Items, item)
	}
	if beyond {
		r.warn(warnBeyond)
	}
	if expired {
		r.warn(warnExpired)
	}
	return nil
}

// expired says whether a credential's time has passed, in either format.
func (w *Wallet) expired(t *sdjwt.SDJWT) bool {
	claims := t.Payload() // times are never selectively disclosable
	if errors.Is(sdjwt.CheckTimes(claims, w.c.Clock(), 0), sdjwt.ErrExpired) {
		return true
	}
	until, ok := vcdm.DateTimeStamp(claims["validUntil"])
	return ok && w.c.Clock().After(until)
}

// asksSkills says whether a request is about skills: whatever else it asks then goes
// beyond that.
func asksSkills(q *dcql.Query) bool {
	for _, cq := range q.Credentials {
		for _, c := range cq.Claims {
			if slices.ContainsFunc(c.Path, func(step any) bool {
				s, _ := step.(string)
				return s == "skills" || strings.EqualFold(s, "alignment")
			}) {
				return true
			}
		}
	}
	return false
}
