package statuslist

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
)

const uri = "https://vaart.example/status/1"

// pack compresses bytes as a list is, without our checks.
func pack(t testing.TB, data []byte) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b.Bytes())
}

// TestAllWidths sets random entries of every width and checks that no other entry
// moved, against a slice of statuses.
func TestAllWidths(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, bits := range []int{1, 2, 4, 8} {
		fill := Status(rnd.IntN(1 << bits))
		list, err := New(bits, 1003, fill)
		if err != nil {
			t.Fatal(err)
		}
		model := make([]Status, 1003)
		for i := range model {
			model[i] = fill
		}
		for range 3000 {
			i, s := rnd.IntN(len(model)), Status(rnd.IntN(1<<bits))
			model[i] = s
			if err := list.Set(i, s); err != nil {
				t.Fatal(err)
			}
		}
		for i, want := range model {
			if got, err := list.Get(i); err != nil || got != want {
				t.Fatalf("%d bits: status %d = %v, %v, want %v", bits, i, got, err, want)
			}
		}
		roundTrip(t, list)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		bits, size int
		fill       Status
		want       error
	}{
		"bits 3": {3, 8, 0, ErrBits}, "bits 0": {0, 8, 0, ErrBits}, "bits 16": {16, 8, 0, ErrBits}, "size 0": {1, 0, 0, ErrIndex},
		"size negative": {1, -1, 0, ErrIndex}, "size huge": {1, MaxSize + 1, 0, ErrIndex}, "fill too wide": {1, 8, Suspended, ErrStatus},
	} {
		if _, err := New(c.bits, c.size, c.fill); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestSetAndGetRefuse(t *testing.T) {
	list, err := New(2, 5, Invalid)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{-1, 5, 8, 1 << 40} { // 5 to 7 are padding, not entries
		if _, err := list.Get(i); !errors.Is(err, ErrIndex) {
			t.Errorf("get %d: %v", i, err)
		}
		if err := list.Set(i, Valid); !errors.Is(err, ErrIndex) {
			t.Errorf("set %d: %v", i, err)
		}
	}
	if err := list.Set(0, 4); !errors.Is(err, ErrStatus) {
		t.Errorf("status 4 in two bits: %v", err)
	}
	if s, err := list.Get(4); err != nil || s != Invalid {
		t.Errorf("an entry never allocated is %v, %v, want INVALID", s, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := pack(t, []byte{0xb9, 0xa3})
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	flip := bytes.Clone(raw)
	flip[len(flip)-1] ^= 1
	for name, c := range map[string]struct {
		bits   int
		lst    string
		limits Limits
		want   error
	}{
		"good":              {1, good, Limits{}, nil},
		"bits 5":            {5, good, Limits{}, ErrBits},
		"padded":            {1, base64.URLEncoding.EncodeToString(raw), Limits{}, ErrEncoding},
		"standard alphabet": {1, good[:2] + "+/" + good[4:], Limits{}, ErrEncoding},
		"line break":        {1, good[:4] + "\n" + good[4:], Limits{}, ErrEncoding},
		"stray bits":        {1, good[:len(good)-1] + "R", Limits{}, ErrEncoding},
		"empty":             {1, "", Limits{}, ErrEncoding},
		"no entries":        {1, pack(t, nil), Limits{}, ErrEncoding},
		"cut off":           {1, b64(raw[:len(raw)-3]), Limits{}, ErrEncoding},
		"checksum":          {1, b64(flip), Limits{}, ErrEncoding},
		"trailing bytes":    {1, b64(append(bytes.Clone(raw), 0)), Limits{}, ErrEncoding},
		"second stream":     {1, b64(append(bytes.Clone(raw), raw...)), Limits{}, ErrEncoding},
		"raw deflate":       {1, b64(deflate(t, []byte{1, 2, 3})), Limits{}, ErrEncoding},
		"over the limit":    {1, good, Limits{Inflated: 1}, ErrTooLarge},
		"at the limit":      {1, good, Limits{Inflated: 2}, nil},
		"token limit":       {1, good, Limits{Token: 4}, ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode(c.bits, c.lst, c.limits); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func deflate(t *testing.T, data []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 9)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// TestBomb: a gigabyte of zeroes in a megabyte must cost no more than the limit.
func TestBomb(t *testing.T) {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	zeroes := make([]byte, 1<<20)
	for range 256 {
		if _, err := w.Write(zeroes); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	bomb := base64.RawURLEncoding.EncodeToString(b.Bytes())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Decode(1, bomb, Limits{Inflated: 1 << 20}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want %v", err, ErrTooLarge)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("refusing took %d MB", used>>20)
	}
}

func TestTokenRoundTrip(t *testing.T) {
	key := testkit.P256(t)
	list, err := New(2, 100, Invalid)
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Set(7, Suspended); err != nil {
		t.Fatal(err)
	}
	now := testkit.Noon
	claims := TokenClaims{uri, now, now.Add(time.Hour), 15 * time.Minute, "https://vaart.example/status"}
	compact, err := list.Token(key, jose.Header{KeyID: "1"}, claims)
	if err != nil {
		t.Fatal(err)
	}
	token, err := ParseToken(compact, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if token.TokenClaims != claims || token.Header.Type != Type || token.String() != compact {
		t.Errorf("got %+v, want %+v", token.TokenClaims, claims)
	}
	if s, err := token.Status(Reference{7, uri}); err != nil || s != Suspended {
		t.Errorf("status = %v, %v", s, err)
	}
	for name, c := range map[string]struct {
		at   time.Time
		want error
	}{
		"now": {now, nil}, "clock a little behind": {now.Add(-Leeway), nil}, "clock far behind": {now.Add(-Leeway - time.Second), ErrFuture},
		"last second": {now.Add(time.Hour - time.Second), nil}, "expired": {now.Add(time.Hour), ErrExpired},
	} {
		if err := token.Verify(key.Public(), c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := token.Verify(testkit.P256(t).Public(), now); !errors.Is(err, jose.ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	if got, want := token.RefreshAt(now), now.Add(15*time.Minute); !got.Equal(want) {
		t.Errorf("refresh = %v, want %v", got, want)
	}
	if got, want := token.RefreshAt(now.Add(50*time.Minute)), now.Add(time.Hour); !got.Equal(want) {
		t.Errorf("refresh near exp = %v, want %v", got, want)
	}
}

func TestTokenRefusesToSign(t *testing.T) {
	list, err := New(1, 8, Valid)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]TokenClaims{
		"no sub": {IssuedAt: testkit.Noon}, "no iat": {Subject: uri}, "ttl below a second": {Subject: uri, IssuedAt: testkit.Noon, TTL: time.Millisecond},
	} {
		if _, err := list.Token(testkit.P256(t), jose.Header{}, c); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseTokenRefuses(t *testing.T) {
	key := testkit.P256(t)
	lst := pack(t, []byte{1, 2})
	const ok = `"sub":"https://a.example/1","iat":1700000000,`
	for name, c := range map[string]struct {
		typ, payload string
		want         error
	}{
		"good":            {Type, `{` + ok + `"other":[1],"status_list":{"bits":1,"lst":"` + lst + `","x":1}}`, nil},
		"no typ":          {"", `{` + ok + `"status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"other case":      {"StatusList+JWT", `{` + ok + `"status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"no sub":          {Type, `{"iat":1,"status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"sub not a uri":   {Type, `{"sub":"x","iat":1,"status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"sub a number":    {Type, `{"sub":1,"iat":1,"status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"no iat":          {Type, `{"sub":"https://a.example/1","status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"iat text":        {Type, `{"sub":"https://a.example/1","iat":"1","status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"iat negative":    {Type, `{"sub":"https://a.example/1","iat":-1,"status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"exp beyond time": {Type, `{` + ok + `"exp":1e300,"status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"ttl zero":        {Type, `{` + ok + `"ttl":0,"status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"ttl negative":    {Type, `{` + ok + `"ttl":-5,"status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"ttl text":        {Type, `{` + ok + `"ttl":"60","status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"no list":         {Type, `{` + ok + `"x":1}`, ErrToken},
		"list null":       {Type, `{` + ok + `"status_list":null}`, ErrToken},
		"no bits":         {Type, `{` + ok + `"status_list":{"lst":"` + lst + `"}}`, ErrBits},
		"bits 3":          {Type, `{` + ok + `"status_list":{"bits":3,"lst":"` + lst + `"}}`, ErrBits},
		"bits 1.5":        {Type, `{` + ok + `"status_list":{"bits":1.5,"lst":"` + lst + `"}}`, ErrBits},
		"bits huge":       {Type, `{` + ok + `"status_list":{"bits":1e30,"lst":"` + lst + `"}}`, ErrBits},
		"no lst":          {Type, `{` + ok + `"status_list":{"bits":1}}`, ErrEncoding},
		"lst a number":    {Type, `{` + ok + `"status_list":{"bits":1,"lst":1}}`, ErrToken},
		"repeated member": {Type, `{` + ok + `"sub":"https://b.example/1","status_list":{"bits":1,"lst":"` + lst + `"}}`, ErrToken},
		"trailing bytes":  {Type, `{` + ok + `"status_list":{"bits":1,"lst":"` + lst + `"}} {}`, ErrToken},
		"not an object":   {Type, `[]`, ErrToken},
		"deep":            {Type, `{` + ok + `"x":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`, ErrToken},
	} {
		t.Run(name, func(t *testing.T) {
			compact, err := jose.Sign(key, jose.Header{Type: c.typ}, []byte(c.payload))
			if err != nil {
				t.Fatal(err)
			}
			token, err := ParseToken(compact, Limits{})
			if !errors.Is(err, c.want) || (err != nil && token != nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	if _, err := ParseToken("a.b", Limits{}); !errors.Is(err, ErrToken) {
		t.Errorf("two parts: %v", err)
	}
	if _, err := ParseToken(strings.Repeat("a", 100), Limits{Token: 99}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too long: %v", err)
	}
}

func TestParseReference(t *testing.T) {
	at := func(idx, u any) map[string]any {
		return map[string]any{"status": map[string]any{"status_list": map[string]any{"idx": idx, "uri": u}}}
	}
	want := Reference{5, uri}
	if got, err := ParseReference(map[string]any{"status": want.Claim()}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for name, c := range map[string]struct {
		claims map[string]any
		want   error
	}{
		"no status": {map[string]any{}, ErrNoReference}, "other mechanism": {map[string]any{"status": map[string]any{"x": 1.0}}, ErrNoReference},
		"status text":   {map[string]any{"status": "valid"}, ErrReference},
		"list an array": {map[string]any{"status": map[string]any{"status_list": []any{}}}, ErrReference},
		"idx negative":  {at(-1.0, uri), ErrReference}, "idx 1.5": {at(1.5, uri), ErrReference}, "idx text": {at("1", uri), ErrReference},
		"idx huge": {at(1e18, uri), ErrReference}, "no idx": {at(nil, uri), ErrReference}, "no uri": {at(1.0, nil), ErrReference},
		"uri relative": {at(1.0, "/status/1"), ErrReference}, "uri malformed": {at(1.0, "https://a b"), ErrReference},
	} {
		if got, err := ParseReference(c.claims); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v, want %v", name, got, err, c.want)
		}
	}
}

func TestParseAggregation(t *testing.T) {
	got, err := ParseAggregation([]byte(`{"status_lists":["https://a.example/1","https://a.example/2"],"x":1}`))
	if err != nil || len(got.StatusLists) != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{`{}`, `{"status_lists":null}`, `{"status_lists":["x"]}`, `{"status_lists":"https://a.example"}`, `[]`, `{"status_lists":[1]}`} {
		if _, err := ParseAggregation([]byte(bad)); err == nil {
			t.Errorf("%s accepted", bad)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	list, err := New(2, 10_000_000, Invalid)
	if err != nil {
		b.Fatal(err)
	}
	for i := range b.N {
		if _, err := list.Get(i % 10_000_000); err != nil {
			b.Fatal(err)
		}
	}
}
