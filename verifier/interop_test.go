package verifier_test

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/interop"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/verifier"
)

// foreign is the verifier before a wallet that is not ours, in real time: the libraries read the clock themselves.
type foreign struct {
	*stage
	site *interop.Site
}

func newForeign(t *testing.T) *foreign {
	t.Helper()
	s := &stage{t: t, store: kv.NewMemory(), holder: key(t)}
	s.region = evidencetest.New(t, time.Now)
	s.issuer = s.region.Issuer("devaart.example", paspoort.Opleiding)
	site := interop.Serve(t, func(url string) http.Handler {
		access := key(t)
		org := s.region.Admit(registry.Application{Role: registry.Verifier, Name: "Machinefabriek Ossekamp", Purposes: []string{"aanname"},
			Aliases: []registry.Alias{{Type: registry.AliasURL, Value: url}}})
		cert := s.region.Certify(org, url, access.Public(), registry.UsageAccess)
		s.follower = s.region.Follower()
		s.refresh()
		service, err := evidence.New(evidence.Config{Copies: []evidence.Copy{s.follower}, Fetch: evidencetest.NewWeb(s.issuer)})
		must(t, err)
		s.verifier, err = verifier.New(verifier.Config{
			URL: url, Name: "Machinefabriek Ossekamp", Organisation: org, Region: s.region.Genesis, DIDKey: key(t),
			AccessKey: access, AccessChain: []*x509.Certificate{cert}, Evidence: service, Store: s.store, AdminToken: adminToken,
		})
		must(t, err)
		return s.verifier.Handler()
	})
	s.http, s.address = site.Client, site.URL
	s.held = append(s.held, s.issuer.Issue(paspoort.Opleiding, s.holder.Public()))
	return &foreign{s, site}
}

// walletAnswer is what the script vp.mjs says.
type walletAnswer struct {
	Prefix  string              `json:"prefix"`
	Purpose map[string]any      `json:"purpose"`
	Sent    map[string][]string `json:"sent"`
	Status  int                 `json:"status"`
	Body    string              `json:"body"`
	Error   string              `json:"error"`
}

func (f *foreign) present(invocation, hostile string) walletAnswer {
	f.t.Helper()
	holder, err := jose.MarshalPrivate(f.holder)
	must(f.t, err)
	var credentials []string
	for _, token := range f.held {
		credentials = append(credentials, token.String())
	}
	var got walletAnswer
	f.site.Run(f.t, "vp.mjs", map[string]any{
		"invocation": invocation, "anchors": []string{f.region.Charter.Anchors[0].Certificate}, "holder": json.RawMessage(holder),
		"credentials": credentials, "hostile": hostile,
	}, &got)
	return got
}

// TestForeignWallet: an unpatched wallet library answers our requests, in every way in which we ask.
func TestForeignWallet(t *testing.T) {
	cases := map[string]struct{ ask, prefix string }{
		"x509_hash, encrypted":                {`}`, "x509_hash"},
		"x509_hash, haip":                     {`,"profile":"haip"}`, "x509_hash"},
		"decentralized_identifier, diip":      {`,"profile":"diip","response_mode":"direct_post"}`, "decentralized_identifier"},
		"x509_san_dns":                        {`,"client_id_prefix":"x509_san_dns","response_mode":"direct_post"}`, "x509_san_dns"},
		"redirect_uri, by value, unencrypted": {`,"client_id_prefix":"redirect_uri","response_mode":"direct_post"}`, "redirect_uri"},
	}
	f := newForeign(t)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			made := f.ask(askSkills + c.ask)
			got := f.present(made.Invocation, "")
			if got.Error != "" || got.Status != http.StatusOK {
				t.Fatalf("%d %s %s", got.Status, got.Body, got.Error)
			}
			if got.Prefix != c.prefix || got.Purpose["format"] != openid4vp.PurposeFormat {
				t.Errorf("prefix %q, verifier_info %v", got.Prefix, got.Purpose)
			}
			f.checkVerdict(f.read(made.ID))
		})
	}
}

// TestForeignWalletHostile: the same library with one thing spoiled is refused, and the request stays open; a key binding by
// another key is judged and fails.
func TestForeignWalletHostile(t *testing.T) {
	cases := map[string]verifier.State{
		"nonce": verifier.Waiting, "audience": verifier.Waiting, "clear": verifier.Waiting, "unasked": verifier.Waiting, "key": verifier.Done,
	}
	f := newForeign(t)
	for hostile, want := range cases {
		t.Run(hostile, func(t *testing.T) {
			made := f.ask(askSkills + `}`)
			got := f.present(made.Invocation, hostile)
			if got.Error != "" {
				t.Fatal(got.Error)
			}
			read := f.read(made.ID)
			if read.State != want {
				t.Fatalf("state %q after %d %s, want %q", read.State, got.Status, got.Body, want)
			}
			if want == verifier.Waiting && got.Status != http.StatusBadRequest {
				t.Errorf("answered with %d %s", got.Status, got.Body)
			}
			if want == verifier.Done && read.Verdict.Outcome != paspoort.Failed {
				t.Errorf("outcome %q, want failed", read.Verdict.Outcome)
			}
		})
	}
}

// TestForeignEvaluation proves the skills query against another implementation of DCQL: over the samples of every type in
// both formats it finds the same credentials, and of each list of skills the same elements, as ours.
func TestForeignEvaluation(t *testing.T) {
	f := newForeign(t)
	var held []dcql.Credential
	var foreignHeld []map[string]any
	types := []paspoort.Type{paspoort.Opleiding, paspoort.Werkervaring, paspoort.Assessment, paspoort.Praktijkverklaring, paspoort.Referentie}
	for _, format := range paspoort.Formats() {
		for _, typ := range types {
			claims, err := f.issuer.IssueAs(format, typ, f.holder.Public(), func(map[string]any, *jose.Header) {}).Claims()
			must(t, err)
			seen := map[string]any{"format": string(format), "claims": claims, "vct": typ.VCT()}
			if format == paspoort.FormatVCDM {
				delete(seen, "vct")
				seen["types"] = []string{typ.VCT()}
			}
			foreignHeld = append(foreignHeld, seen)
			held = append(held, dcql.Credential{Format: string(format), Types: []string{typ.VCT()}, HolderBound: true, Claims: claims})
		}
	}
	for _, body := range []string{
		`{"skills":["` + verzorgen + `","` + luisteren + `","` + nobodyHas + `"],"formats":["dc+sd-jwt","vc+sd-jwt"],"purpose":"a"}`,
		`{"skills":["` + luisteren + `"],"names":true,"purpose":"a"}`,
		`{"skills":["` + nobodyHas + `"],"purpose":"a"}`,
	} {
		made := f.ask(body)
		var asked struct {
			Query *dcql.Query `json:"dcql_query"`
		}
		f.api("GET", "/api/v1/requests/"+made.ID, "", http.StatusOK, &asked)
		var got struct {
			Satisfied bool `json:"satisfied"`
			Matches   map[string][]struct {
				Credential int            `json:"credential"`
				Output     map[string]any `json:"output"`
			} `json:"matches"`
			Options [][]string `json:"options"`
		}
		f.site.Run(t, "dcql.mjs", map[string]any{"query": asked.Query, "credentials": foreignHeld}, &got)
		want := dcql.Evaluate(asked.Query, held)
		if got.Satisfied != want.Satisfiable {
			t.Errorf("%s: satisfied %v, ours says %v", body, got.Satisfied, want.Satisfiable)
		}
		if diff := cmp.Diff(got.Options, want.Options); diff != "" {
			t.Errorf("%s: options (-theirs +ours)\n%s", body, diff)
		}
		for id, matches := range want.Matches {
			if len(got.Matches[id]) != len(matches) {
				t.Errorf("%s: %s: they find %d, we find %d", body, id, len(got.Matches[id]), len(matches))
				continue
			}
			for i, m := range matches {
				theirs := got.Matches[id][i]
				if diff := cmp.Diff(theirs.Output, pick(held[m.Credential].Claims, m.Disclose)); theirs.Credential != m.Credential || diff != "" {
					t.Errorf("%s: %s[%d] is credential %d and %d (-theirs +ours)\n%s", body, id, i, theirs.Credential, m.Credential, diff)
				}
			}
		}
	}
}

// pick copies the claims at these paths into an otherwise empty object; elements of arrays that were not picked are nil.
func pick(claims map[string]any, paths []dcql.Path) map[string]any {
	var out any
	for _, path := range paths {
		selected, err := path.Select(claims)
		if err != nil {
			panic(err) // the paths come from an evaluation of these claims
		}
		out = put(out, path, selected[0].Value)
	}
	object, _ := out.(map[string]any)
	return object
}

func put(into any, path dcql.Path, value any) any {
	if len(path) == 0 {
		return value
	}
	switch component := path[0].(type) {
	case string:
		object, ok := into.(map[string]any)
		if !ok {
			object = map[string]any{}
		}
		object[component] = put(object[component], path[1:], value)
		return object
	case int:
		list, _ := into.([]any)
		for len(list) <= component {
			list = append(list, nil)
		}
		list[component] = put(list[component], path[1:], value)
		return list
	}
	return into
}
