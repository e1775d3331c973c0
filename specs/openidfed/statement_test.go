package openidfed

import (
	"errors"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
)

// TestStatementIsRefused signs payloads that 3.2 forbids.
func TestStatementIsRefused(t *testing.T) {
	w := newWorld(t)
	p := w.add("a.example", Statement{})
	key, other := p.keys.Keys[0], "https://b.example"
	for name, tt := range map[string]struct {
		change func(m map[string]any)
		want   error
	}{
		"no iss":         {func(m map[string]any) { delete(m, "iss") }, ErrStatement},
		"iss is no URL":  {func(m map[string]any) { m["iss"] = "a" }, ErrStatement},
		"sub with query": {func(m map[string]any) { m["sub"] = "https://a.example?x" }, ErrStatement},
		"no exp":         {func(m map[string]any) { delete(m, "exp") }, ErrStatement},
		"exp is text":    {func(m map[string]any) { m["exp"] = "1" }, ErrStatement},
		"no jwks":        {func(m map[string]any) { delete(m, "jwks") }, ErrStatement},
		"jwks is bare":   {func(m map[string]any) { m["jwks"] = []any{key} }, ErrStatement},
		"kid twice":      {func(m map[string]any) { m["jwks"] = map[string]any{"keys": []any{key, key}} }, ErrStatement},
		"private key": {func(m map[string]any) {
			m["jwks"] = map[string]any{"keys": []any{map[string]any{"kid": "a", "d": "x"}}}
		}, ErrStatement},
		"hints empty":                  {func(m map[string]any) { m["authority_hints"] = []any{} }, ErrStatement},
		"hints null":                   {func(m map[string]any) { m["authority_hints"] = nil }, ErrStatement},
		"hints in subordinate":         {func(m map[string]any) { m["sub"] = other; m["authority_hints"] = []any{other} }, ErrStatement},
		"policy in configuration":      {func(m map[string]any) { m["metadata_policy"] = map[string]any{} }, ErrStatement},
		"constraints in configuration": {func(m map[string]any) { m["constraints"] = map[string]any{} }, ErrStatement},
		"metadata null":                {func(m map[string]any) { m["metadata"] = map[string]any{"x": map[string]any{"y": nil}} }, ErrStatement},
		"metadata no object":           {func(m map[string]any) { m["metadata"] = map[string]any{"x": "y"} }, ErrStatement},
		"keys under federation_entity": {func(m map[string]any) {
			m["metadata"] = map[string]any{FederationEntity: map[string]any{"jwks": map[string]any{}}}
		}, ErrStatement},
		"crit empty":               {func(m map[string]any) { m["crit"] = []any{} }, ErrStatement},
		"crit of the standard":     {func(m map[string]any) { m["crit"] = []any{"exp"} }, ErrStatement},
		"crit absent claim":        {func(m map[string]any) { m["crit"] = []any{"x"} }, ErrStatement},
		"crit unknown":             {func(m map[string]any) { m["crit"] = []any{"x"}; m["x"] = 1 }, ErrCritical},
		"policy operator critical": {func(m map[string]any) { m["sub"] = other; m["metadata_policy_crit"] = []any{"regexp"} }, ErrPolicy},
		"policy contradiction": {func(m map[string]any) {
			m["sub"] = other
			m["metadata_policy"] = map[string]any{"x": map[string]any{"y": map[string]any{"one_of": []any{"a"}, "add": []any{"a"}}}}
		}, ErrPolicy},
		"path length below zero": {func(m map[string]any) { m["sub"] = other; m["constraints"] = map[string]any{"max_path_length": -1} }, ErrStatement},
		"federation_entity constrained": {func(m map[string]any) {
			m["sub"] = other
			m["constraints"] = map[string]any{"allowed_entity_types": []any{FederationEntity}}
		}, ErrStatement},
		"mark of another type": {func(m map[string]any) {
			m["trust_marks"] = []any{map[string]any{"trust_mark_type": "a", "trust_mark": "b"}}
		}, ErrStatement},
		"owner without keys": {func(m map[string]any) { m["trust_mark_owners"] = map[string]any{"a": map[string]any{"sub": other}} }, ErrStatement},
	} {
		t.Run(name, func(t *testing.T) {
			m := map[string]any{"iss": p.id, "sub": p.id, "iat": now.Unix(), "exp": now.Unix() + 60, "jwks": p.keys}
			tt.change(m)
			token, err := sign(p.key, TypeStatement, m)
			if err != nil {
				t.Fatal(err)
			}
			if s, err := ParseStatement(token); !errors.Is(err, tt.want) || s != nil {
				t.Errorf("got %v, %v, want %v", s, err, tt.want)
			}
		})
	}
}

func TestStatementRoundTrip(t *testing.T) {
	w := newWorld(t)
	p := w.add("a.example", Statement{})
	two := 2
	in := Statement{
		Issuer: p.id, Subject: "https://b.example", IssuedAt: now, ExpiresAt: now.Add(time.Hour), Keys: p.keys,
		Metadata:    Metadata{VCIssuer: {"jwks": map[string]any{"keys": []any{}}}},
		Policy:      Policy{"x": {"scope": {"subset_of": []string{"a", "b"}}}},
		Constraints: &Constraints{MaxPathLength: &two, Permitted: []string{".example"}, AllowedEntityTypes: []string{}},
		Extra:       map[string]any{"paspoort_log": map[string]any{"origin": "o", "index": 7.0}},
	}
	token, err := in.Sign(p.key)
	if err != nil {
		t.Fatal(err)
	}
	out, err := ParseStatement(token)
	if err != nil {
		t.Fatal(err)
	}
	again, err := out.Sign(p.key)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := jose.Parse(token)
	b, _ := jose.Parse(again)
	if string(a.Payload) != string(b.Payload) {
		t.Errorf("got %s, want %s", b.Payload, a.Payload)
	}
	if err := out.Verify(p.keys, now); err != nil {
		t.Error(err)
	}
	if err := out.Verify(p.keys, now.Add(-time.Hour)); !errors.Is(err, ErrFuture) {
		t.Errorf("an hour before: got %v", err)
	}
	in.Extra = map[string]any{"jwks": 1}
	if _, err := in.Sign(p.key); !errors.Is(err, ErrStatement) {
		t.Errorf("a defined claim as extra: got %v", err)
	}
	foreign, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	own := Statement{Issuer: p.id, Subject: p.id, IssuedAt: now, ExpiresAt: now.Add(time.Hour), Keys: p.keys}
	if _, err := own.Sign(foreign); !errors.Is(err, ErrSignature) {
		t.Errorf("a configuration by a key it does not list: got %v", err)
	}
}

// TestNames follows 6.2.2.
func TestNames(t *testing.T) {
	for _, tt := range []struct {
		host, name string
		want       bool
	}{
		{"host.example.com", ".example.com", true}, {"my.host.example.com", ".example.com", true}, {"example.com", ".example.com", false},
		{"host.example.com", "host.example.com", true}, {"x.host.example.com", "host.example.com", false}, {"HOST.example.com", "host.EXAMPLE.com", false},
		{"badexample.com", ".example.com", false},
	} {
		if got := nameMatches(tt.host, tt.name); got != tt.want {
			t.Errorf("%s in %s: got %v", tt.host, tt.name, got)
		}
	}
}

// TestScopeIsAList follows 6.1.3.1.8.
func TestScopeIsAList(t *testing.T) {
	p := Policy{"oauth_client": {"scope": {"subset_of": "openid profile", "add": []string{"openid"}}}}
	got, err := p.Apply(Metadata{"oauth_client": {"scope": "email profile"}})
	if err != nil || got["oauth_client"]["scope"] != "profile openid" {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestVCIssuerKeys: the bare array that DIIP v5 prints is read under vc_issuer only.
func TestVCIssuerKeys(t *testing.T) {
	key, err := Object(newWorld(t).add("a.example", Statement{}).keys.Keys[0])
	if err != nil {
		t.Fatal(err)
	}
	m := Metadata{VCIssuer: {"jwks": []any{key}}, CredentialVerifier: {"jwks": []any{key}}}
	if set, err := m.Keys(VCIssuer); err != nil || len(set.Keys) != 1 {
		t.Errorf("got %v, %v", set, err)
	}
	if _, err := m.Keys(CredentialVerifier); !errors.Is(err, ErrMetadata) {
		t.Errorf("got %v, want %v", err, ErrMetadata)
	}
}
