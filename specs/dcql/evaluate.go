package dcql

import "slices"

// Credential is one credential as a query sees it: in the wallet with everything it holds, at the verifier with what was
// disclosed.
type Credential struct {
	Format string
	// Types are the type names that the credential may be asked by: for dc+sd-jwt its vct first, then the types it
	// extends (B.3.5); for the W3C formats the expanded types (B.1.1); for mso_mdoc its doctype.
	Types []string
	// HolderBound: in the wallet, the credential is bound to a key of the holder; at the verifier, a proof came along.
	HolderBound bool
	// Authorities are the identifiers of those who certify its issuer, by type of Trusted Authorities Query; for "aki"
	// what [AuthorityKeyIdentifiers] returns.
	Authorities map[string][]string
	// Claims is the processed payload as decoded JSON.
	Claims map[string]any
}

// Match is one credential that satisfies a credential query.
type Match struct {
	// Credential is its index in the slice that was given to [Evaluate].
	Credential int
	// Requested are the claims paths of the query that it answers (of the first claim set that it satisfies).
	Requested []Path
	// Disclose are the concrete claims to show, without null: of an array only the elements whose value was asked.
	Disclose []Path
}

// Result is what a wallet can answer to a query.
type Result struct {
	// Matches holds, per credential query id, the credentials that satisfy it; every id is present.
	Matches map[string][]Match
	// Satisfiable: every required credential set (or, without sets, every credential query) has a match. When it is false
	// the wallet MUST NOT return any credential (section 6.4.2).
	Satisfiable bool
	// Options holds, per credential set query, the first option that can be satisfied, or nil.
	Options [][]string
	// Alternatives holds, per credential set query, every option that can be satisfied, in the verifier's order of
	// preference. Section 6.4.2 lets the wallet take any; who has a choice puts it in Options.
	Alternatives [][][]string

	order []string
	sets  bool
}

// Evaluate finds which of the credentials match which credential queries, by section 6.4.
func Evaluate(q *Query, credentials []Credential) *Result {
	r := &Result{Matches: make(map[string][]Match, len(q.Credentials)), Satisfiable: true, sets: len(q.CredentialSets) > 0}
	for i := range q.Credentials {
		c := &q.Credentials[i]
		r.order = append(r.order, c.ID)
		matches := []Match{}
		for n := range credentials {
			if m, ok := c.match(&credentials[n]); ok {
				m.Credential = n
				matches = append(matches, m)
			}
		}
		r.Matches[c.ID] = matches
		if !r.sets && len(matches) == 0 {
			r.Satisfiable = false
		}
	}
	r.chooseOptions(q.CredentialSets)
	return r
}

func (r *Result) chooseOptions(sets []CredentialSetQuery) {
	for i := range sets {
		var can [][]string
		for _, option := range sets[i].Options {
			if !slices.ContainsFunc(option, func(id string) bool { return len(r.Matches[id]) == 0 }) {
				can = append(can, option)
			}
		}
		r.Alternatives = append(r.Alternatives, can)
		if len(can) > 0 {
			r.Options = append(r.Options, can[0])
			continue
		}
		r.Options = append(r.Options, nil)
		if sets[i].IsRequired() {
			r.Satisfiable = false
		}
	}
}

// firstOption is the first option of which every query has something.
func firstOption(options [][]string, has func(id string) bool) []string {
	for _, option := range options {
		if !slices.ContainsFunc(option, func(id string) bool { return !has(id) }) {
			return option
		}
	}
	return nil
}

// Answerable returns the ids of the credential queries to answer, in the order of the query: all of them without
// credential sets, else those of the first satisfiable option of each set. It is empty when the query cannot be satisfied
// and when every set is optional and none has a match: then there is nothing to send.
func (r *Result) Answerable() []string {
	if !r.Satisfiable {
		return nil
	}
	if !r.sets {
		return r.order
	}
	var ids []string
	for _, id := range r.order {
		if slices.ContainsFunc(r.Options, func(option []string) bool { return slices.Contains(option, id) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

// match applies one credential query to one credential.
func (c *CredentialQuery) match(cred *Credential) (Match, bool) {
	if cred.Format != c.Format || !c.Meta.matches(c.Format, cred.Types) || !c.authorityMatches(cred) {
		return Match{}, false
	}
	if c.RequiresHolderBinding() && !cred.HolderBound {
		return Match{}, false
	}
	// Section 6.4.1: no claims means nothing that is selectively disclosable.
	if len(c.Claims) == 0 {
		return Match{}, true
	}
	// Each claim is looked up once, however many sets name it: the query is the asker's.
	selected := make([][]Path, len(c.Claims))
	for i := range c.Claims {
		selected[i] = c.Claims[i].selects(cred.Claims)
	}
	for _, set := range c.combinations() {
		if !slices.ContainsFunc(set, func(i int) bool { return selected[i] == nil }) {
			return c.matchOf(set, selected), true
		}
	}
	return Match{}, false
}

// combinations returns the claims to try, by their index, in the verifier's order of preference.
func (c *CredentialQuery) combinations() [][]int {
	byID, all := make(map[string]int, len(c.Claims)), make([]int, len(c.Claims))
	for i := range c.Claims {
		byID[c.Claims[i].ID], all[i] = i, i
	}
	if len(c.ClaimSets) == 0 {
		return [][]int{all}
	}
	sets := make([][]int, len(c.ClaimSets))
	for i, ids := range c.ClaimSets {
		for _, id := range ids {
			sets[i] = append(sets[i], byID[id])
		}
	}
	return sets
}

// selects returns where the claims stand that a claims query selects, or nil.
func (c *ClaimsQuery) selects(root map[string]any) (paths []Path) {
	selected, err := c.Path.Select(root)
	if err != nil {
		return nil
	}
	for _, s := range selected {
		if c.valueMatches(s.Value) {
			paths = append(paths, s.Path)
		}
	}
	return paths
}

// matchOf is the match by a combination of claims that all select something.
func (c *CredentialQuery) matchOf(set []int, selected [][]Path) (m Match) {
	asked, shown := map[string]bool{}, map[string]bool{}
	for _, i := range set {
		// Section 6.1: wallets SHOULD ignore a second query for the same claim.
		if path := c.Claims[i].Path; !asked[path.key()] {
			asked[path.key()] = true
			m.Requested = append(m.Requested, path)
		}
		for _, path := range selected[i] {
			if !shown[path.key()] {
				shown[path.key()] = true
				m.Disclose = append(m.Disclose, path)
			}
		}
	}
	return m
}

// valueMatches is section 6.3: "only if the type and value of the claim both match exactly".
func (c *ClaimsQuery) valueMatches(value any) bool {
	if c.Values == nil {
		return true
	}
	return slices.ContainsFunc(c.Values, func(want any) bool {
		if n, ok := want.(int64); ok {
			got, isNumber := value.(float64)
			return isNumber && got == float64(n)
		}
		switch value.(type) {
		case string, bool:
			return want == value
		}
		return false
	})
}

// matches compares the type constraints of Appendix B with the types of a credential.
func (m *Meta) matches(format string, types []string) bool {
	switch {
	case m.VCTValues != nil:
		return slices.ContainsFunc(types, func(t string) bool { return slices.Contains(m.VCTValues, t) })
	case m.TypeValues != nil:
		// B.1.1: each inner array is a set that must be present as a whole.
		return slices.ContainsFunc(m.TypeValues, func(set []string) bool {
			return !slices.ContainsFunc(set, func(t string) bool { return !slices.Contains(types, t) })
		})
	case m.DoctypeValue != "":
		return slices.Contains(types, m.DoctypeValue)
	}
	return true
}
