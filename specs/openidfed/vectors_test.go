package openidfed

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
)

// TestMetadataPolicyVectors runs all published policy vectors: the policies of anchor and
// intermediate merged, and the merged one applied.
func TestMetadataPolicyVectors(t *testing.T) {
	var cases []struct {
		N                  int
		TA, INT, Merged    map[string]any
		Metadata, Resolved map[string]any
		Error              string
		ErrorDescription   string `json:"error_description"`
	}
	testkit.Vectors(t, "openid-federation").JSON(t, "metadata-policy-vectors.json", &cases)
	if len(cases) < 1000 {
		t.Fatalf("got %d cases, want all", len(cases))
	}
	for _, c := range cases {
		policies := make([]Policy, 0, 2)
		var err error
		for _, raw := range []map[string]any{c.TA, c.INT} {
			p, e := parsePolicy(map[string]any{"any": raw})
			if e != nil && err == nil {
				err = e
			}
			policies = append(policies, p)
		}
		var merged Policy
		if err == nil {
			merged, err = MergePolicies(policies[0], policies[1])
		}
		if want := c.Error == "invalid_policy"; want != errors.Is(err, ErrPolicy) {
			t.Errorf("%d: got error %v, want invalid_policy %v (%s)", c.N, err, want, c.ErrorDescription)
			continue
		} else if want {
			continue
		}
		if c.Merged != nil {
			want, _ := parsePolicy(map[string]any{"any": c.Merged})
			for name, ops := range want["any"] {
				for op, v := range ops {
					if got := merged["any"][name][op]; !equal(got, v) {
						t.Errorf("%d: got %s.%s %v, want %v", c.N, name, op, got, v)
					}
				}
				if len(ops) != len(merged["any"][name]) {
					t.Errorf("%d: got %v, want %v", c.N, merged["any"][name], ops)
				}
			}
		}
		got, err := merged.Apply(Metadata{"any": c.Metadata})
		if want := c.Error == "invalid_metadata"; want != errors.Is(err, ErrMetadata) {
			t.Errorf("%d: got error %v, want invalid_metadata %v (%s)", c.N, err, want, c.ErrorDescription)
			continue
		} else if want {
			continue
		}
		if err != nil || !sameMembers(got["any"], c.Resolved) {
			t.Errorf("%d: got %v (%v), want %v", c.N, got["any"], err, c.Resolved)
		}
	}
}

func sameMembers(got, want map[string]any) bool {
	for name, v := range want {
		if !equal(got[name], v) {
			return false
		}
	}
	return len(got) == len(want)
}

func TestDerivedChains(t *testing.T) {
	var file struct {
		Chains []struct {
			Name       string
			TrustChain []string `json:"trust_chain"`
			Expect     string
			Rule       string
			Now        int64
			Anchor     TrustAnchor `json:"trust_anchor"`
			Expires    int64       `json:"chain_exp"`
		} `json:"trust_chains"`
	}
	testkit.Vectors(t, "openid-federation").JSON(t, "derived-cases.json", &file)
	// What kind of failure each must be.
	kinds := map[string]error{
		"n01-leaf-expired": ErrExpired, "n02-leaf-signed-with-key-unknown-to-superior": ErrSignature,
		"n03-superior-not-in-authority-hints": ErrChain, "n04-subject-issuer-break": ErrChain, "n05-typ-missing": ErrStatement,
		"n07-anchor-key-not-pinned": ErrSignature, "n08-max-path-length-0": ErrConstraints,
		"n18-two-leaf-statements-no-anchor": ErrChain, "n20-alg-none": jose.ErrAlgorithm,
	}
	if len(file.Chains) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Chains {
		t.Run(c.Name, func(t *testing.T) {
			statements, err := ParseChain(c.TrustChain)
			var chain *Chain
			if err == nil {
				chain, err = ValidateChain(statements, []TrustAnchor{c.Anchor}, time.Unix(c.Now, 0))
			}
			if c.Expect == "accept" {
				if err != nil || chain.ExpiresAt.Unix() != c.Expires || chain.Anchor != c.Anchor.EntityID {
					t.Fatalf("got %v, %v, want accept until %d", chain, err, c.Expires)
				}
				return
			}
			if want := kinds[c.Name]; want == nil || !errors.Is(err, want) || !errors.Is(err, ErrChain) {
				t.Errorf("got %v, want %v (%s)", err, want, c.Rule)
			}
		})
	}
}

func TestSpecificationChain(t *testing.T) {
	var file struct {
		TrustChain []string `json:"trust_chain"`
		Decoded    []struct{ Payload map[string]any }
		Anchor     string `json:"trust_anchor"`
		Expires    int64  `json:"chain_exp"`
	}
	testkit.Vectors(t, "openid-federation").JSON(t, "spec-trust-chain.json", &file)
	statements, err := ParseChain(file.TrustChain)
	if err != nil {
		t.Fatal(err)
	}
	anchor := TrustAnchor{EntityID: file.Anchor, Keys: statements[len(statements)-1].Keys}
	now := time.Unix(file.Expires, 0)
	chain, err := ValidateChain(statements, []TrustAnchor{anchor}, now.Add(-time.Hour))
	if err != nil || chain.ExpiresAt.Unix() != file.Expires {
		t.Fatalf("got %v, %v", chain, err)
	}
	want, _ := file.Decoded[0].Payload["metadata"].(map[string]any)
	for typ, params := range want {
		if !reflect.DeepEqual(map[string]any(chain.Metadata[typ]), params) {
			t.Errorf("%s: got %v, want %v", typ, chain.Metadata[typ], params)
		}
	}
	if _, err := ValidateChain(statements, []TrustAnchor{anchor}, now); !errors.Is(err, ErrExpired) {
		t.Errorf("at exp: got %v, want %v", err, ErrExpired)
	}
	// 4: the configuration of the anchor may be left out.
	if _, err := ValidateChain(statements[:len(statements)-1], []TrustAnchor{anchor}, now.Add(-time.Hour)); err != nil {
		t.Errorf("without the anchor's configuration: %v", err)
	}
	if _, err := ValidateChain(statements, nil, now.Add(-time.Hour)); !errors.Is(err, ErrNoChain) {
		t.Errorf("no anchor pinned: got %v, want %v", err, ErrNoChain)
	}
}

func TestDerivedTrustMarks(t *testing.T) {
	var file struct {
		Marks []struct {
			Name    string
			Entity  string
			Mark    string `json:"trust_mark"`
			Expect  string
			Rule    string
			Now     int64
			Issuers map[string][]string `json:"trust_anchor_trust_mark_issuers"`
			Issuer  struct {
				EntityID string      `json:"entity_id"`
				Keys     jose.KeySet `json:"jwks"`
			} `json:"trust_mark_issuer"`
		} `json:"trust_marks"`
	}
	testkit.Vectors(t, "openid-federation").JSON(t, "derived-cases.json", &file)
	if len(file.Marks) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Marks {
		m, err := ParseTrustMark(c.Mark)
		if err == nil {
			err = m.Validate(c.Entity, c.Issuer.Keys, &Statement{TrustMarkIssuers: c.Issuers}, time.Unix(c.Now, 0))
		}
		if (err == nil) != (c.Expect == "valid") || err != nil && !errors.Is(err, ErrTrustMark) {
			t.Errorf("%s: got %v, want %s (%s)", c.Name, err, c.Expect, c.Rule)
		}
	}
}

func TestSpecificationTrustMarks(t *testing.T) {
	var file struct {
		JWTs []struct {
			JWT     string
			Header  struct{ Typ string }
			Payload map[string]any
		}
	}
	testkit.Vectors(t, "openid-federation").JSON(t, "spec-trust-mark-jwts.json", &file)
	if len(file.JWTs) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.JWTs {
		var iss, sub, typ string
		switch c.Header.Typ {
		case TypeTrustMark:
			m, err := ParseTrustMark(c.JWT)
			if err != nil {
				t.Fatal(err)
			}
			iss, sub, typ = m.Issuer, m.Subject, m.Type
		case TypeDelegation:
			d, err := ParseDelegation(c.JWT)
			if err != nil {
				t.Fatal(err)
			}
			iss, sub, typ = d.Issuer, d.Subject, d.Type
		}
		if iss != c.Payload["iss"] || sub != c.Payload["sub"] || typ != c.Payload["trust_mark_type"] {
			t.Errorf("got %s %s %s, want %v", iss, sub, typ, c.Payload)
		}
	}
}

func TestWellKnownURLs(t *testing.T) {
	var file struct {
		Cases []struct{ Identifier, Federation string }
	}
	testkit.Vectors(t, "openid-federation").JSON(t, "well-known-urls.json", &file)
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Cases {
		if got := ConfigurationURL(c.Identifier); got != c.Federation {
			t.Errorf("%s: got %s, want %s", c.Identifier, got, c.Federation)
		}
	}
}
