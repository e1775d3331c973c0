package statuslist

import (
	"testing"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// What decodes must keep every status through another encoding.

func FuzzDecode(f *testing.F) {
	f.Add(2, pack(f, []byte{0xc9, 0x44, 0xf9}))
	f.Add(1, "eNrbuRgAAhcBXQ")
	f.Add(8, "")
	f.Fuzz(func(t *testing.T, bits int, lst string) {
		list, err := Decode(bits, lst, Limits{Inflated: 1 << 16})
		if err != nil {
			if list != nil {
				t.Error("a list beside an error")
			}
			return
		}
		roundTrip(t, list)
	})
}

func FuzzParseToken(f *testing.F) {
	list, err := New(2, 9, Invalid)
	if err != nil {
		f.Fatal(err)
	}
	compact, err := list.Token(testkit.P256(f), jose.Header{KeyID: "k"}, TokenClaims{Subject: uri, IssuedAt: testkit.Noon, TTL: 60e9})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(compact)
	f.Fuzz(func(t *testing.T, compact string) {
		token, err := ParseToken(compact, Limits{Inflated: 1 << 16})
		if err == nil && (token.Subject == "" || token.List.Size() == 0 || token.IssuedAt.IsZero()) {
			t.Errorf("accepted %+v", token)
		}
	})
}

// FuzzReference: a reference that is accepted makes the claim that it was read from.
func FuzzReference(f *testing.F) {
	f.Add([]byte(`{"status":{"status_list":{"idx":412,"uri":"https://a.example/status/1"}}}`))
	f.Add([]byte(`{"status":{"status_list":{"idx":-0,"uri":"a:"}}}`))
	f.Add([]byte(`{"status_lists":["https://a.example/status/1"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := ParseAggregation(raw); err == nil && len(raw) == 0 {
			t.Error("an aggregation out of nothing")
		}
		var claims map[string]any
		if ijson.Unmarshal(raw, &claims) != nil {
			return
		}
		r, err := ParseReference(claims)
		if err != nil {
			return
		}
		again, err := ParseReference(map[string]any{"status": r.Claim()})
		if err != nil || again != r || r.Index < 0 || r.URI == "" {
			t.Errorf("%+v came back as %+v, %v", r, again, err)
		}
	})
}
