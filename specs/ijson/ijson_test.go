package ijson_test

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/specs/ijson"
)

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// refusals are texts that must not be read into a value of type any.
var refusals = []struct {
	name string
	text string
	want error
}{
	{"empty", "", ijson.ErrSyntax},
	{"white space only", " \n", ijson.ErrSyntax},
	{"cut off", `{"a":`, ijson.ErrSyntax},
	{"second value", `{} {}`, ijson.ErrSyntax},
	{"trailing byte", `{}x`, ijson.ErrSyntax},
	{"trailing nul", "{}\x00", ijson.ErrSyntax},
	{"trailing comma", `[1,]`, ijson.ErrSyntax},
	{"comment", `{/*a*/}`, ijson.ErrSyntax},
	{"single quotes", `{'a':1}`, ijson.ErrSyntax},
	{"byte order mark", "\ufeff{}", ijson.ErrSyntax},
	{"NaN", `NaN`, ijson.ErrSyntax},
	{"plus sign", `+1`, ijson.ErrSyntax},
	{"leading zero", `01`, ijson.ErrSyntax},
	{"hexadecimal", `0x10`, ijson.ErrSyntax},
	{"bare control character", "\"\x01\"", ijson.ErrSyntax},
	{"not UTF-8", "\"\xff\"", ijson.ErrSyntax},
	{"overlong UTF-8", "\"\xc0\xaf\"", ijson.ErrSyntax},
	{"surrogate as UTF-8", "\"\xed\xa0\x80\"", ijson.ErrSyntax},
	{"lone high surrogate", `"\ud800"`, ijson.ErrSyntax},
	{"lone low surrogate", `"\udc00x"`, ijson.ErrSyntax},
	{"surrogates swapped", `"\udc00\ud800"`, ijson.ErrSyntax},
	{"same name twice", `{"a":1,"a":2}`, ijson.ErrDuplicate},
	{"same name twice, escaped", `{"a":1,"\u0061":1}`, ijson.ErrDuplicate},
	{"same name twice, deep", `[{"x":{"a":1,"b":2,"a":1}}]`, ijson.ErrDuplicate},
	{"too deep", nested(ijson.MaxDepth + 1), ijson.ErrDepth},
	{"far too deep", nested(200000), ijson.ErrDepth},
	{"too deep in objects", strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65), ijson.ErrDepth},
	{"too deep and cut off", strings.Repeat("[", 1000), ijson.ErrDepth},
	{"2^53", `9007199254740992`, ijson.ErrNumber},
	{"-2^53", `[-9007199254740992]`, ijson.ErrNumber},
	{"2^53+1", `{"a":9007199254740993}`, ijson.ErrNumber},
	{"huge exponent", `[1e300]`, ijson.ErrNumber},
	{"exponent beyond float64", `[1e400]`, ijson.ErrType},
	{"too long", `"` + strings.Repeat("a", ijson.MaxBytes) + `"`, ijson.ErrSize},
}

func TestUnmarshalRefuses(t *testing.T) {
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			var v any
			if err := ijson.Unmarshal([]byte(tt.text), &v); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestUnmarshalAccepts(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		want any
	}{
		{"scalar", ` 1.5 `, 1.5},
		{"largest integer", `9007199254740991`, float64(ijson.MaxInteger)},
		{"object", `{"a":[true,null,"x"],"":{}}`, map[string]any{"a": []any{true, nil, "x"}, "": map[string]any{}}},
		{"names that differ in case", `{"a":1,"A":2}`, map[string]any{"a": 1.0, "A": 2.0}},
		{"surrogate pair", `"\ud83d\ude00"`, "\U0001F600"},
		{"brackets inside a string", `"` + strings.Repeat("[", 300) + `"`, strings.Repeat("[", 300)},
		{"many brackets, not deep", "[" + strings.Repeat("[],", 99) + "[]]", anyArrays(100)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got any
			if err := ijson.Unmarshal([]byte(tt.text), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
		})
	}
	var deepest any
	if err := ijson.Unmarshal([]byte(nested(ijson.MaxDepth)), &deepest); err != nil {
		t.Errorf("depth %d: %v", ijson.MaxDepth, err)
	}
}

func anyArrays(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = []any{}
	}
	return out
}

func TestUnmarshalTyped(t *testing.T) {
	type claims struct {
		Iss   string         `json:"iss"`
		Iat   int64          `json:"iat"`
		Extra any            `json:"extra"`
		Map   map[string]any `json:"map"`
	}
	for _, tt := range []struct {
		name string
		text string
		want error
	}{
		{"fits", `{"iss":"a","iat":1,"unknown":99999999999999999999}`, nil},
		{"number where a string belongs", `{"iss":1}`, ijson.ErrType},
		{"fraction where an integer belongs", `{"iat":1.5}`, ijson.ErrType},
		{"integer beyond int64", `{"iat":99999999999999999999}`, ijson.ErrType},
		{"large number in any", `{"extra":[9007199254740993]}`, ijson.ErrNumber},
		{"large number in map", `{"map":{"x":{"y":1e20}}}`, ijson.ErrNumber},
		{"duplicate of a field", `{"iss":"a","iss":"a"}`, ijson.ErrDuplicate},
		{"duplicate of an unknown member", `{"u":1,"u":1}`, ijson.ErrDuplicate},
		{"duplicate inside any", `{"extra":{"u":1,"u":1}}`, ijson.ErrDuplicate},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c claims
			if err := ijson.Unmarshal([]byte(tt.text), &c); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	var object map[string]any
	for text, want := range map[string]error{`{"a":1}`: nil, `null`: nil, `[1]`: ijson.ErrType, `"a"`: ijson.ErrType, `{"a":1e300}`: ijson.ErrNumber} {
		if err := ijson.Unmarshal([]byte(text), &object); !errors.Is(err, want) {
			t.Errorf("%s as an object: error %v, want %v", text, err, want)
		}
	}
	var c claims
	if err := ijson.Unmarshal([]byte(`{"ISS":"a"}`), &c); err != nil || c.Iss != "" {
		t.Errorf("ISS read as iss: %q, %v", c.Iss, err)
	}
	if err := ijson.UnmarshalClosed([]byte(`{"ISS":"a"}`), &c); !errors.Is(err, ijson.ErrType) {
		t.Errorf("unknown member: error %v, want %v", err, ijson.ErrType)
	}
	err := ijson.Unmarshal([]byte(`{"iat":"geheim"}`), &c)
	if err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("error repeats the input: %v", err)
	}
}

func TestLimits(t *testing.T) {
	var v any
	if err := (ijson.Limits{Depth: 2}).Unmarshal([]byte(`[[[]]]`), &v); !errors.Is(err, ijson.ErrDepth) {
		t.Errorf("depth: %v", err)
	}
	if err := (ijson.Limits{Depth: 1000}).Unmarshal([]byte(nested(65)), &v); !errors.Is(err, ijson.ErrDepth) {
		t.Errorf("depth cannot be raised: %v", err)
	}
	if err := (ijson.Limits{Bytes: 4}).Unmarshal([]byte(`[1,2]`), &v); !errors.Is(err, ijson.ErrSize) {
		t.Errorf("size: %v", err)
	}
}

func TestCanonical(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		want string
		err  error
	}{
		// The members sort by UTF-16 code units (RFC 8785 3.2.3): the emoji,
		// a surrogate pair, comes before U+FB33, a larger single unit.
		{"order of names", `{"\ufb33":1,"\ud83d\ude00":2,"1":3,"\u20ac":4,"\r":5,"\u00f6":6}`,
			"{\"\\r\":5,\"1\":3,\"ö\":6,\"€\":4,\"\U0001F600\":2,\"\ufb33\":1}", nil},
		{"numbers", `[1.0, 1e2, 4.50, 2e-3, 0.000000000000000000000000001, -0, 1E-7]`, `[1,100,4.5,0.002,1e-27,0,1e-7]`, nil},
		{"escapes", `"\u0041\/\u001f\"\\\u20ac"`, `"A/\u001f\"\\€"`, nil},
		{"white space", " { \"b\" : [ ] , \"a\" : null } ", `{"a":null,"b":[]}`, nil},
		{"integer too large", `{"a":9007199254740992}`, "", ijson.ErrNumber},
		{"exponent too large", `1e23`, "", ijson.ErrNumber},
		{"infinite", `1e999`, "", ijson.ErrNumber},
		{"duplicate", `{"a":1,"a":1}`, "", ijson.ErrDuplicate},
		{"not UTF-8", "\"\xff\"", "", ijson.ErrSyntax},
		{"trailing", `1 2`, "", ijson.ErrSyntax},
		{"empty", ``, "", ijson.ErrSyntax},
		{"too deep", nested(65), "", ijson.ErrDepth},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ijson.CanonicalBytes([]byte(tt.text))
			if !errors.Is(err, tt.err) || string(got) != tt.want {
				t.Errorf("got %q, %v\nwant %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestCanonicalValue(t *testing.T) {
	got, err := ijson.Canonical(map[string]any{"b": int64(2), "a": []string{"<&>"}})
	if want := `{"a":["<&>"],"b":2}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if !ijson.IsCanonical(got) || ijson.IsCanonical([]byte(`{"b":2, "a":1}`)) {
		t.Error("IsCanonical is wrong")
	}
	if _, err := ijson.Canonical(uint64(1) << 60); !errors.Is(err, ijson.ErrNumber) {
		t.Errorf("large integer: %v", err)
	}
}

func TestAppendValue(t *testing.T) {
	negativeZero := math.Copysign(0, -1)
	for _, v := range []any{nil, true, false, "", "a\"<\u20ac", 0, -7, int64(1) << 60, 0.0, negativeZero, 1.0, -3.0, 1.5, 1e15, 1e16,
		float64(ijson.MaxInteger), -float64(ijson.MaxInteger), 1e21, 1e-7, uint8(3), []string{"x"}, map[string]any{"b": 1, "a": nil}, struct{}{}} {
		want, err := ijson.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ijson.AppendValue([]byte("x"), v)
		if err != nil || string(got) != "x"+string(want) {
			t.Errorf("%v: got %s, %v, want x%s", v, got, err, want)
		}
	}
	for _, v := range []any{math.NaN(), math.Inf(1), "\xff", func() {}} {
		if got, err := ijson.AppendValue(nil, v); err == nil {
			t.Errorf("%v written as %s", v, got)
		}
	}
}

// FuzzUnmarshal holds the package against encoding/json: what we read, it reads to
// the same value; what we write, we read again.
func FuzzUnmarshal(f *testing.F) {
	for _, r := range refusals {
		if len(r.text) < 1000 {
			f.Add([]byte(r.text))
		}
	}
	f.Add([]byte(`{"a":[1,-2.5e3,"\ud83d\ude00é",true,null],"b":{"c":{}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var ours any
		if err := ijson.Unmarshal(data, &ours); err != nil {
			return
		}
		var theirs any
		if err := stdjson.Unmarshal(data, &theirs); err != nil {
			t.Fatalf("encoding/json refuses what we accept: %v", err)
		}
		if diff := cmp.Diff(theirs, ours); diff != "" {
			t.Fatalf("encoding/json -, ours +\n%s", diff)
		}
		raw, err := ijson.Marshal(ours)
		if err != nil {
			t.Fatal(err)
		}
		var again any
		if err := ijson.Unmarshal(raw, &again); err != nil || !cmp.Equal(ours, again) {
			t.Fatalf("changed on the way: %s, %v", raw, err)
		}
	})
}

// FuzzCanonical: the canonical form is canonical itself and means the same.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{"b":1.50,"a":"\u00e9"}`))
	f.Add([]byte(`[1e-7,-0,9007199254740991]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ijson.CanonicalBytes(data)
		if err != nil {
			return
		}
		again, err := ijson.CanonicalBytes(c)
		if err != nil || !bytes.Equal(c, again) {
			t.Fatalf("not idempotent: %q, then %q, %v", c, again, err)
		}
		var before, after any
		if err := ijson.Unmarshal(data, &before); err != nil {
			t.Fatalf("canonical but not readable: %v", err)
		}
		if err := ijson.Unmarshal(c, &after); err != nil || !cmp.Equal(before, after) {
			t.Fatalf("meaning changed: %q, %v", c, err)
		}
	})
}

// FuzzCanonicalValue: a value is brought into the same form as its text, whichever way that is
// found out.
func FuzzCanonicalValue(f *testing.F) {
	for _, text := range []string{
		`{"a":1,"b":[true,false,null,-12,"é\u2028"],"c":{"a":"","b":{}}}`, `{"b":1,"a":2}`, `{"":0,"a":1}`, `{"a":1,"a":2}`,
		`{"é":1,"a":2}`, `{"\ufb33":1,"\ud83d\ude00":2}`, `"\u0061"`, `"\t"`, `-0`, `0`, `01`, `1.0`, `1e3`, `123456789012345`, `1234567890123456`,
		`9007199254740993`, `[{"b":1},{"a":1,"c":[{"z":1,"y":2}]}]`, `{"a":{"z":1},"b":{"a":1}}`, " [1]", `[1 ,2]`, `{"a":"x\"y"}`, nested(64), nested(65),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, wantErr := ijson.CanonicalBytes(data)
		got, err := ijson.Canonical(stdjson.RawMessage(data))
		if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) {
			t.Fatalf("of the value %q, %v; of the text %q, %v", got, err, want, wantErr)
		}
	})
}

func ExampleUnmarshal() {
	var v any
	err := ijson.Unmarshal([]byte(`{"role":"holder","role":"issuer"}`), &v)
	fmt.Println(errors.Is(err, ijson.ErrDuplicate))
	// Output: true
}

func ExampleCanonicalBytes() {
	c, _ := ijson.CanonicalBytes([]byte(`{ "naam": "Linde", "jaar": 2.0e3 }`))
	fmt.Printf("%s\n", c)
	// Output: {"jaar":2000,"naam":"Linde"}
}
