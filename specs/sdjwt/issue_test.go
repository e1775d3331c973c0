package sdjwt_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/sdjwt"
)

// sample has marks of every kind: a member, an element, a mark inside a mark, and
// a mark below something in clear.
func sample() map[string]any {
	return map[string]any{
		"iss":        "https://opleider.example",
		"given_name": sdjwt.SD{Value: "Fatima"},
		"skills": []any{
			sdjwt.SD{Value: map[string]any{"uri": "urn:skill:1", "label": "lassen <MIG> & snijden"}},
			"in het zicht",
			sdjwt.SD{Value: map[string]any{"uri": "urn:skill:2"}},
		},
		"adres": sdjwt.SD{Value: map[string]any{"plaats": sdjwt.SD{Value: "Aakermonde"}, "land": "NL"}},
		"uren":  map[string]any{"per_week": sdjwt.SD{Value: 32}},
	}
}

// TestIssueRoundTrip: what is issued is read back whole, in each hash function.
func TestIssueRoundTrip(t *testing.T) {
	want := map[string]any{
		"iss":        "https://opleider.example",
		"given_name": "Fatima",
		"skills": []any{
			map[string]any{"uri": "urn:skill:1", "label": "lassen <MIG> & snijden"},
			"in het zicht",
			map[string]any{"uri": "urn:skill:2"},
		},
		"adres": map[string]any{"plaats": "Aakermonde", "land": "NL"},
		"uren":  map[string]any{"per_week": 32.0},
	}
	key, holder := testkit.P256(t), testkit.P256(t)
	for _, hash := range []string{"", "sha-256", "sha-384", "sha-512"} {
		for _, decoys := range []int{0, 5} {
			t.Run(fmt.Sprint(hash, decoys), func(t *testing.T) {
				tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Claims: sample(), HashAlgorithm: hash, Decoys: decoys})
				if err != nil {
					t.Fatal(err)
				}
				bound, err := tok.Bind(holder, sdjwt.KeyBinding{Audience: policy.Audience, Nonce: policy.Nonce, IssuedAt: noon})
				if err != nil {
					t.Fatal(err)
				}
				got, claims, err := open(bound.String(), &key.PublicKey)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, claims); diff != "" {
					t.Errorf("claims (-want +got):\n%s", diff)
				}
				if _, err := got.VerifyKeyBinding(&holder.PublicKey, policy); err != nil {
					t.Errorf("key binding with %s: %v", hash, err)
				}
			})
		}
	}
}

// TestDisclosable: each disclosure has its place, its value and its parent.
func TestDisclosable(t *testing.T) {
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: testkit.P256(t), Claims: sample(), Decoys: 3})
	if err != nil {
		t.Fatal(err)
	}
	places, err := tok.Disclosable()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range places {
		parent := ""
		if p.Parent >= 0 {
			parent = fmt.Sprint(places[p.Parent].Path)
		}
		got[fmt.Sprint(p.Path)] = parent
	}
	want := map[string]string{"[given_name]": "", "[skills 0]": "", "[skills 2]": "", "[adres]": "", "[adres plaats]": "[adres]", "[uren per_week]": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

// TestSelectKeepsParents: choosing a child takes its parent along and no sibling,
// and what is shown gives away nothing of what is not.
func TestSelectKeepsParents(t *testing.T) {
	key := testkit.P256(t)
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Claims: sample()})
	if err != nil {
		t.Fatal(err)
	}
	shown, err := tok.Select(func(path []any, _ any) bool { return path[len(path)-1] == "plaats" })
	if err != nil {
		t.Fatal(err)
	}
	_, claims, err := open(shown.String(), &key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"iss": "https://opleider.example", "skills": []any{"in het zicht"}, "uren": map[string]any{},
		"adres": map[string]any{"plaats": "Aakermonde", "land": "NL"},
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	for _, d := range tok.Disclosures() {
		if d.Name == "given_name" && strings.Contains(shown.String(), d.String()) {
			t.Error("a disclosure that was not chosen is in the text")
		}
	}
}

// TestTree: the payload as issued shows what is selective and counts what is not
// disclosed.
func TestTree(t *testing.T) {
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: testkit.P256(t), Claims: sample()})
	if err != nil {
		t.Fatal(err)
	}
	shown, err := tok.Select(func(path []any, _ any) bool { return path[0] == "skills" && path[1] == 2 })
	if err != nil {
		t.Fatal(err)
	}
	root, err := shown.Tree()
	if err != nil {
		t.Fatal(err)
	}
	if root.HiddenMembers != 2 || root.Members["given_name"] != nil || root.Members["_sd_alg"] != nil {
		t.Errorf("top: %d hidden, members %v", root.HiddenMembers, root.Members)
	}
	skills := root.Members["skills"]
	hidden := []bool{true, false, false}
	for i, n := range skills.Elements {
		if n.Hidden != hidden[i] || n.Selective != (i != 1) {
			t.Errorf("skill %d: hidden %v, selective %v", i, n.Hidden, n.Selective)
		}
	}
	if diff := cmp.Diff([]any{"in het zicht", map[string]any{"uri": "urn:skill:2"}}, skills.Value); diff != "" {
		t.Errorf("processed skills (-want +got):\n%s", diff)
	}
	if root.Members["uren"].HiddenMembers != 1 {
		t.Error("what is hidden below was not counted")
	}
}

// TestUnlinkable intersects what two copies of one dataset show without any
// disclosure: no salt, digest or order is shared (RFC 9901 10.1).
func TestUnlinkable(t *testing.T) {
	key := testkit.P256(t)
	digests := func() []string {
		tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Claims: sample(), Decoys: 2})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, d := range tok.Disclosures() {
			out = append(out, d.Salt, d.Digest())
		}
		for _, d := range tok.Payload()["_sd"].([]any) {
			out = append(out, d.(string))
		}
		return out
	}
	first := digests()
	for _, d := range digests() {
		if slices.Contains(first, d) {
			t.Errorf("%s is in both copies", d)
		}
	}
}

// TestIssueRepeats: the same random bytes give the same disclosures, so that a
// golden file can exist.
func TestIssueRepeats(t *testing.T) {
	key := testkit.P256(t)
	text := func() string {
		tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Claims: sample(), Decoys: 1, Rand: testkit.Rand(7)})
		if err != nil {
			t.Fatal(err)
		}
		_, disclosures, _ := strings.Cut(tok.String(), "~")
		payload, _ := json.Marshal(tok.Payload())
		return disclosures + string(payload)
	}
	if a, b := text(), text(); a != b {
		t.Errorf("two results:\n%s\n%s", a, b)
	}
}

// TestOrderHidden: the order of digests says nothing about the order of claims
// (4.2.4.1).
func TestOrderHidden(t *testing.T) {
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: testkit.P256(t), Claims: sample(), Decoys: 4})
	if err != nil {
		t.Fatal(err)
	}
	var digests []string
	for _, d := range tok.Payload()["_sd"].([]any) {
		digests = append(digests, d.(string))
	}
	if !slices.IsSorted(digests) || len(digests) != 6 {
		t.Errorf("digests: %v", digests)
	}
	if n := len(tok.Payload()["skills"].([]any)); n != 7 {
		t.Errorf("elements with decoys: got %d, want 7", n)
	}
}

// TestDecoysInPlace: where the claims name decoys there are so many, also where
// nothing is hidden; reading back finds none of them, and all costs one read.
func TestDecoysInPlace(t *testing.T) {
	key := testkit.P256(t)
	claims := map[string]any{
		"_sd": sdjwt.Decoys(3), "naam": sdjwt.SD{Value: "Fatima"},
		"skills": []any{"een", sdjwt.SD{Value: "twee"}, "drie", sdjwt.Decoys(6)},
		"leeg":   []any{sdjwt.Decoys(8)},
		"adres":  map[string]any{"_sd": sdjwt.Decoys(2)},
	}
	reads := &countingReader{from: testkit.Rand(3)}
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Claims: claims, Rand: reads})
	if err != nil {
		t.Fatal(err)
	}
	if reads.n != 1 {
		t.Errorf("random bytes in %d reads, want 1", reads.n)
	}
	p := tok.Payload()
	got := []int{len(p["_sd"].([]any)), len(p["skills"].([]any)), len(p["leeg"].([]any)), len(p["adres"].(map[string]any)["_sd"].([]any))}
	if diff := cmp.Diff(got, []int{4, 9, 8, 2}); diff != "" {
		t.Errorf("digests (-got +want):\n%s", diff)
	}
	read, err := tok.Claims()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"naam": "Fatima", "skills": []any{"een", "twee", "drie"}, "leeg": []any{}, "adres": map[string]any{}}
	if diff := cmp.Diff(read, want); diff != "" {
		t.Errorf("claims (-got +want):\n%s", diff)
	}
}

// A countingReader counts how often it is read.
type countingReader struct {
	from io.Reader
	n    int
}

func (r *countingReader) Read(p []byte) (int, error) { r.n++; return r.from.Read(p) }

// typed is a container that Issue does not walk.
type typed struct{ A any }

// TestIssueRefuses: what may not be issued.
func TestIssueRefuses(t *testing.T) {
	key := testkit.P256(t)
	sd := func(v any) sdjwt.SD { return sdjwt.SD{Value: v} }
	deep := any("x")
	for range sdjwt.MaxDepth + 1 {
		deep = []any{deep}
	}
	for _, tt := range []struct {
		name    string
		options sdjwt.IssueOptions
		want    error
	}{
		{"claim _sd", sdjwt.IssueOptions{Claims: map[string]any{"_sd": []any{}}}, sdjwt.ErrReservedName},
		{"claim ...", sdjwt.IssueOptions{Claims: map[string]any{"a": map[string]any{"...": "x"}}}, sdjwt.ErrReservedName},
		{"claim _sd_alg", sdjwt.IssueOptions{Claims: map[string]any{"_sd_alg": "sha-256"}}, sdjwt.ErrReservedName},
		{"nested _sd_alg", sdjwt.IssueOptions{Claims: map[string]any{"a": map[string]any{"_sd_alg": "sha-256"}}}, sdjwt.ErrReservedName},
		{"disclosable _sd_alg", sdjwt.IssueOptions{Claims: map[string]any{"a": map[string]any{"_sd_alg": sd(1)}}}, sdjwt.ErrReservedName},
		{"disclosable _sd", sdjwt.IssueOptions{Claims: map[string]any{"_sd": sd("x")}}, sdjwt.ErrReservedName},
		{"hash function", sdjwt.IssueOptions{HashAlgorithm: "md5"}, sdjwt.ErrHashAlgorithm},
		{"negative decoys in an object", sdjwt.IssueOptions{Claims: map[string]any{"_sd": sdjwt.Decoys(-1)}}, sdjwt.ErrTooLarge},
		{"negative decoys in an array", sdjwt.IssueOptions{Claims: map[string]any{"a": []any{sdjwt.Decoys(-1)}}}, sdjwt.ErrTooLarge},
		{"decoys under a name", sdjwt.IssueOptions{Claims: map[string]any{"a": sdjwt.Decoys(1)}}, nil},
		{"negative decoys", sdjwt.IssueOptions{Decoys: -1}, sdjwt.ErrTooLarge},
		{"too deep", sdjwt.IssueOptions{Claims: map[string]any{"a": deep}}, sdjwt.ErrTooLarge},
		{"mark in a mark", sdjwt.IssueOptions{Claims: map[string]any{"a": sd(sd(1))}}, nil},
		{"mark in a struct", sdjwt.IssueOptions{Claims: map[string]any{"a": typed{A: sd(1)}}}, nil},
		{"mark in a typed slice", sdjwt.IssueOptions{Claims: map[string]any{"a": []sdjwt.SD{sd(1)}}}, nil},
		{"no random bytes", sdjwt.IssueOptions{Claims: map[string]any{"a": sd(1)}, Rand: iotest.ErrReader(errors.New("empty"))}, nil},
		{"not for JSON", sdjwt.IssueOptions{Claims: map[string]any{"a": sd(make(chan int))}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.Signer = key
			tok, err := sdjwt.Issue(tt.options)
			if err == nil || tok != nil {
				t.Fatalf("issued: %v", tok)
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
