package statuslist

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
)

// The vectors of the draft and ours beside them. Compressed bytes are never compared:
// zlib implementations differ.

func TestAppendixC(t *testing.T) {
	f := testkit.Vectors(t, "token-status-list")
	for _, name := range f.Glob(t, "C.*.json") {
		t.Run(name, func(t *testing.T) {
			var v struct {
				Bits, Size int
				Statuses   map[string]Status
				JSON       struct {
					Bits int
					Lst  string
				} `json:"status_list_json"`
			}
			f.JSON(t, name, &v)
			list, err := Decode(v.JSON.Bits, v.JSON.Lst, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if list.Size() != v.Size || list.Bits() != v.Bits || len(v.Statuses) == 0 {
				t.Fatalf("%d entries of %d bits, want %d of %d", list.Size(), list.Bits(), v.Size, v.Bits)
			}
			for i := range v.Size {
				if got, err := list.Get(i); err != nil || got != v.Statuses[strconv.Itoa(i)] {
					t.Fatalf("status %d = %v, %v, want %v", i, got, err, v.Statuses[strconv.Itoa(i)])
				}
			}
			roundTrip(t, list)
		})
	}
}

// roundTrip encodes and decodes and compares every status.
func roundTrip(t *testing.T, list *List) {
	t.Helper()
	lst, err := list.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(list.Bits(), lst, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range list.Size() {
		got, err1 := back.Get(i)
		want, err2 := list.Get(i)
		if got != want || err1 != nil || err2 != nil {
			t.Fatalf("status %d = %v (%v), want %v (%v)", i, got, err1, want, err2)
		}
	}
}

func TestSmallExamples(t *testing.T) {
	var v struct {
		Cases []struct {
			Bits     int
			Hex      string `json:"byte_array_hex"`
			Statuses []Status
			Lst      string
		}
	}
	testkit.Vectors(t, "token-status-list").JSON(t, "small-examples.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range v.Cases {
		list, err := New(c.Bits, len(c.Statuses), Valid)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range c.Statuses {
			if err := list.Set(i, s); err != nil {
				t.Fatal(err)
			}
		}
		if got := hex.EncodeToString(list.Bytes()); got != c.Hex {
			t.Errorf("bytes = %s, want %s", got, c.Hex)
		}
		decoded, err := Decode(c.Bits, c.Lst, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(decoded.Bytes()); got != c.Hex {
			t.Errorf("decoded = %s, want %s", got, c.Hex)
		}
	}
}

func TestPublishedToken(t *testing.T) {
	var v struct {
		Token    string          `json:"status_list_token"`
		JWK      json.RawMessage `json:"public_jwk"`
		Statuses []Status
	}
	testkit.Vectors(t, "token-status-list").JSON(t, "status-list-token.json", &v)
	key, err := jose.ParseKey(v.JWK)
	if err != nil {
		t.Fatal(err)
	}
	token, err := ParseToken(v.Token, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Verify(key.Public, time.Unix(1700000000, 0)); err != nil {
		t.Error(err)
	}
	if token.TTL != 43200*time.Second || token.Subject != "https://example.com/statuslists/1" {
		t.Errorf("claims = %+v", token.TokenClaims)
	}
	for i, want := range v.Statuses {
		if got, err := token.Status(Reference{i, token.Subject}); err != nil || got != want {
			t.Errorf("status %d = %v, %v, want %v", i, got, err, want)
		}
	}
}

func TestDerivedCases(t *testing.T) {
	var v struct {
		Cases []struct {
			Name, Expect, Rule string
			Token              string `json:"status_list_token"`
			Reference          struct {
				URI string
				Idx int
			}
			Now int64
			JWK json.RawMessage `json:"public_jwk"`
		}
	}
	testkit.Vectors(t, "token-status-list").JSON(t, "derived-cases.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases")
	}
	wantStatus := map[string]Status{"VALID": Valid, "INVALID": Invalid, "SUSPENDED": Suspended, "application specific 3": ApplicationSpecific}
	wantErr := map[string]error{
		"n-index-out-of-bounds": ErrIndex, "n-sub-differs-from-uri": ErrSubject, "n-expired": ErrExpired,
		"n-typ-jwt": ErrToken, "n-bits-3": ErrBits, "n-signed-by-wrong-key": jose.ErrSignature,
	}
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			key, err := jose.ParseKey(c.JWK)
			if err != nil {
				t.Fatal(err)
			}
			status, err := resolve(c.Token, key, time.Unix(c.Now, 0), Reference{c.Reference.Idx, c.Reference.URI})
			if c.Expect == "reject" {
				if want := wantErr[c.Name]; want == nil || !errors.Is(err, want) {
					t.Errorf("%s: got %v, want %v", c.Rule, err, want)
				}
				return
			}
			if want, known := wantStatus[c.Expect]; err != nil || !known || status != want {
				t.Errorf("%s: got %v, %v, want %s", c.Rule, status, err, c.Expect)
			}
		})
	}
}

func resolve(compact string, key jose.Key, now time.Time, r Reference) (Status, error) {
	token, err := ParseToken(compact, Limits{})
	if err != nil {
		return 0, err
	}
	if err := token.Verify(key.Public, now); err != nil {
		return 0, err
	}
	return token.Status(r)
}
