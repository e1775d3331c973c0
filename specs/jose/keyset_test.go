package jose_test

import (
	"encoding/json"
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

func TestKeySet(t *testing.T) {
	a, b := newKey(t, jose.ES256), newKey(t, jose.EdDSA)
	raw, err := json.Marshal(jose.KeySet{Keys: []jose.Key{
		{Public: a.Public(), KeyID: "a", Use: "sig", Algorithm: "ES256"}, {Public: b.Public(), KeyID: "b"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var set jose.KeySet
	if err := ijson.Unmarshal(raw, &set); err != nil {
		t.Fatal(err)
	}
	if k, ok := set.Find("b"); !ok || !jose.SameKey(k.Public, b.Public()) {
		t.Errorf("find b: %v %v", k, ok)
	}
	if k, ok := set.Find("a"); !ok || k.Use != "sig" || k.Algorithm != "ES256" {
		t.Errorf("find a: %v %v", k, ok)
	}
	for _, kid := range []string{"c", "A", ""} {
		if k, ok := set.Find(kid); ok {
			t.Errorf("find %q: %v", kid, k)
		}
	}
	only := jose.KeySet{Keys: set.Keys[:1]}
	if _, ok := only.Find(""); !ok {
		t.Error("the only key is not found without a kid")
	}
}

func TestKeySetLeavesOut(t *testing.T) {
	var set jose.KeySet
	err := set.UnmarshalJSON([]byte(`{"keys":[
		{"kty":"oct","k":"AAAA"}, {"kty":"OKP","crv":"X25519","x":"AAAA"}, {"kty":"new"}, {}, 1,
		{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"},
		{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"good"}]}`))
	if err != nil || len(set.Keys) != 1 || set.Keys[0].KeyID != "good" {
		t.Errorf("got %+v, %v", set.Keys, err)
	}
	for _, text := range []string{`{}`, `[]`, `{"keys":{}}`, `{"keys":[],"keys":[]}`, ``} {
		if err := set.UnmarshalJSON([]byte(text)); !errors.Is(err, jose.ErrSyntax) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
