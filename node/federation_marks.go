package node

import (
	"cmp"
	"context"
	"crypto"
	"slices"
	"strings"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// Trust marks say for which credential types somebody is admitted as issuer: OpenID Federation
// has no other tie between an issuer and a type. One type of mark for each credential type.
const pathMarks = "/keurmerk/toegelaten/"

// markType is the identifier of the mark for a credential type; "" for types that are not of the
// profile.
func markType(entity, vct string) string {
	t, err := paspoort.TypeOf(vct)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(entity, "/") + pathMarks + t.Slug()
}

// typeOfMark is the credential type that a mark of this region is for; "" for other marks.
func typeOfMark(entity, mark string) string {
	for _, t := range paspoort.Types() {
		if markType(entity, t.VCT()) == mark {
			return t.VCT()
		}
	}
	return ""
}

// marked are the types among vcts for which there are marks.
func marked(vcts []string) (out []string) {
	for _, vct := range vcts {
		if _, err := paspoort.TypeOf(vct); err == nil {
			out = append(out, vct)
		}
	}
	return out
}

// TrustMark implements [openidfed.MarkIssuer].
func (f *federation) TrustMark(ctx context.Context, mark, id string) (string, error) {
	var m openidfed.TrustMark
	err := f.read(ctx, func(a *anchor) error {
		vct := typeOfMark(a.entity, mark)
		if vct == "" {
			return openidfed.Refuse(openidfed.NotFound, "this region issues no such trust mark")
		}
		answer, ok := a.admittedFor(id, vct)
		if !ok {
			return openidfed.Refuse(openidfed.NotFound, "this entity does not have this trust mark")
		}
		m = openidfed.TrustMark{
			Issuer: a.entity, Subject: id, Type: mark, IssuedAt: a.now,
			ExpiresAt: earlier(a.now.Add(markLife), unix(answer.Until)), Extra: a.logged(answer.Grant.Event),
		}
		if url := a.nodeURL(f.config.Node); url != "" {
			m.Ref = url + "/organisations/" + answer.Organisation.ID
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return m.Sign(f.config.Key)
}

// admittedFor says whether an entity is admitted now to issue a type.
func (a *anchor) admittedFor(id, vct string) (registry.Answer, bool) {
	answer, err := a.view.Admission(registry.Question{Lookup: registry.Lookup{URL: id}, Role: registry.Issuer, Type: vct, At: a.now})
	return answer, err == nil && a.stands(answer)
}

func (a *anchor) nodeURL(id string) string {
	for _, n := range a.nodes {
		if n.ID == id {
			return n.URL
		}
	}
	return ""
}

// TrustMarked implements [openidfed.MarkIssuer]: who has a mark, whether or not its service
// takes part in the federation already.
func (f *federation) TrustMarked(ctx context.Context, mark, id string) (out []string, err error) {
	if id != "" { // one is looked up, not looked for among all
		err = f.read(ctx, func(a *anchor) error {
			vct := typeOfMark(a.entity, mark)
			if answer, ok := a.admittedFor(id, vct); vct != "" && ok && slices.Contains(urlsOf(*answer.Organisation), id) {
				out = []string{id}
			}
			return nil
		})
		return out, err
	}
	return f.listings.get(ctx, f, "mark "+mark, func(a *anchor) (out []string) {
		vct := typeOfMark(a.entity, mark)
		if vct == "" {
			return nil
		}
		for _, known := range a.addresses() {
			if _, ok := a.admittedFor(known, vct); ok {
				out = append(out, known)
			}
		}
		return out
	})
}

// addresses are the entity identifiers of all organisations that are admitted as issuer or
// verifier.
func (a *anchor) addresses() (out []string) {
	for _, o := range a.view.Organisations(a.now).Organisations {
		admitted := slices.ContainsFunc(o.Roles, func(r registry.RoleView) bool {
			return r.Admitted && (r.Role == registry.Issuer || r.Role == registry.Verifier)
		})
		for _, alias := range o.Aliases {
			if admitted && alias.Type == registry.AliasURL && openidfed.CheckEntityID(alias.Value) == nil {
				out = append(out, alias.Value)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TrustMarkStatus implements [openidfed.MarkIssuer].
func (f *federation) TrustMarkStatus(ctx context.Context, token string) (string, error) {
	m, err := openidfed.ParseTrustMark(token)
	if err != nil {
		return "", openidfed.Refuse(openidfed.InvalidRequest, "this is no trust mark")
	}
	var status openidfed.TrustMarkStatus
	err = f.read(ctx, func(a *anchor) error {
		if m.Issuer != a.entity || typeOfMark(a.entity, m.Type) == "" {
			return openidfed.Refuse(openidfed.NotFound, "this region did not issue it")
		}
		status = openidfed.TrustMarkStatus{Issuer: a.entity, IssuedAt: a.now, Mark: token, Status: a.statusOf(m)}
		return nil
	})
	if err != nil {
		return "", err
	}
	return status.Sign(f.config.Key)
}

// statusOf judges a mark that names this region: by keys of today and of before, except what
// was in other hands.
func (a *anchor) statusOf(m *openidfed.TrustMark) openidfed.MarkStatus {
	keys := a.keys
	for _, k := range a.formerKeys() {
		if !m.IssuedAt.After(k.ExpiresAt) && (k.RevokedAt.IsZero() || k.Reason != openidfed.KeyCompromised || m.IssuedAt.Before(k.RevokedAt)) {
			keys.Keys = append(slices.Clone(keys.Keys), k.Key)
		}
	}
	if m.Verify(keys, m.IssuedAt) != nil {
		return openidfed.MarkInvalid
	}
	if !m.ExpiresAt.IsZero() && !a.now.Before(m.ExpiresAt) {
		return openidfed.MarkExpired
	}
	if _, ok := a.admittedFor(m.Subject, typeOfMark(a.entity, m.Type)); !ok {
		return openidfed.MarkRevoked
	}
	return openidfed.MarkActive
}

// activeMarks are the marks of this region in a subject's configuration that hold now.
func (f *federation) activeMarks(ctx context.Context, chain *openidfed.Chain) (out []*openidfed.TrustMark, err error) {
	own := chain.AnchorConfiguration()
	err = f.read(ctx, func(a *anchor) error {
		for _, entry := range chain.Subject().TrustMarks {
			m, err := openidfed.ParseTrustMark(entry.Token)
			if err != nil || m.Issuer != a.entity || m.Validate(chain.Subject().Subject, a.keys, own, a.now) != nil {
				continue
			}
			if a.statusOf(m) == openidfed.MarkActive {
				out = append(out, m)
			}
		}
		return nil
	})
	return out, err
}

// HistoricalKeys implements [openidfed.Historian]: the federation keys that nodes had before.
func (f *federation) HistoricalKeys(ctx context.Context) (string, error) {
	var h openidfed.HistoricalKeys
	err := f.read(ctx, func(a *anchor) error {
		h = openidfed.HistoricalKeys{Issuer: a.entity, IssuedAt: a.now, Keys: a.formerKeys()}
		return nil
	})
	if err != nil {
		return "", err
	}
	return h.Sign(f.config.Key)
}

// formerKeys are the federation keys of nodes that are in use no more, oldest first.
func (a *anchor) formerKeys() []openidfed.HistoricalKey {
	found := map[registry.PublicKey]*openidfed.HistoricalKey{}
	for _, n := range a.nodes {
		for _, p := range n.Keys {
			if p.Federation == "" || n.Removed == 0 && p.Federation == n.FederationKey {
				continue
			}
			end := p.Until
			if end == 0 {
				end = n.Removed
			}
			k := found[p.Federation]
			if k == nil {
				k = &openidfed.HistoricalKey{IssuedAt: unix(p.From)}
				found[p.Federation] = k
			}
			k.ExpiresAt = unix(end)
			if p.CompromisedSince != 0 {
				k.RevokedAt, k.Reason = unix(p.CompromisedSince), openidfed.KeyCompromised
			}
		}
	}
	out := []openidfed.HistoricalKey{}
	for text, k := range found {
		key, err := historicalKey(text)
		if err == nil {
			k.Key = key
			out = append(out, *k)
		}
	}
	slices.SortFunc(out, func(a, b openidfed.HistoricalKey) int {
		return cmp.Or(a.IssuedAt.Compare(b.IssuedAt), strings.Compare(a.Key.KeyID, b.Key.KeyID))
	})
	return out
}

func historicalKey(text registry.PublicKey) (jose.Key, error) {
	pub, err := text.ECDSA()
	if err != nil {
		return jose.Key{}, err
	}
	set, err := openidfed.Keys(crypto.PublicKey(pub))
	if err != nil {
		return jose.Key{}, err
	}
	return set.Keys[0], nil
}
