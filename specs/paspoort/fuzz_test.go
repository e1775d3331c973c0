package paspoort

import (
	"encoding/json"
	"testing"

	"paspoort.example/paspoort/specs/ijson"
)

// FuzzRead: any payload is read or refused, what is read renders the same
// verdict twice, and nothing of it is ok by itself.
func FuzzRead(f *testing.F) {
	for _, ty := range Types() {
		for _, format := range Formats() {
			raw, err := json.Marshal(claimsOf(f, ty, format))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(raw)
		}
	}
	for _, s := range []string{
		`{}`, `{"vct":"urn:paspoort:opleiding:1","skills":[null,1,{"label":"x"}],"status":{"status_list":{"idx":-1,"uri":"u"}}}`,
		`{"vct":"urn:paspoort:opleiding:1","exp":1e400}`, `{"@context":[],"type":[]}`,
		`{"@context":["https://www.w3.org/ns/credentials/v2",{"@vocab":"urn:paspoort:terms:1#","Opleiding":"urn:paspoort:opleiding:1"}],"type":["VerifiableCredential","Opleiding"],"issuer":[],"credentialSubject":{"achievement":{"alignment":[{}]},"result":[{}]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var claims map[string]any
		if ijson.Unmarshal(raw, &claims) != nil {
			return
		}
		c, err := Read(claims)
		if err != nil && c.Type != "" {
			t.Error("an error and a credential")
		}
		v := Decide(Input{Now: now, Credentials: []Facts{{Format: Finding{State: OK}, Claims: claims}}})
		if v.Outcome == OK || v.Credentials[0].Outcome == OK {
			t.Error("ok without a signature")
		}
		if _, err := json.Marshal(v); err != nil {
			t.Error(err)
		}
		NewProfile([]Credential{c}, nil)
	})
}

// FuzzExamine: anything may be presented.
func FuzzExamine(f *testing.F) {
	w := newWorld(f)
	tok := w.issue(f, FormatSDJWTVC, Opleiding)
	f.Add(tok.String())
	f.Add(w.present(f, tok, w.slot))
	f.Add("~~")
	f.Add("a.b.c~e30~")
	f.Fuzz(func(t *testing.T, text string) {
		facts := Examine(text, w.keys())
		if facts.Signature.State == OK && facts.Format.State != OK {
			t.Error("signature without a format")
		}
	})
}

// FuzzClaims: input of an administrator is taken or refused, and what is taken
// renders and is read back.
func FuzzClaims(f *testing.F) {
	for _, ty := range Types() {
		raw, err := Sample(ty)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(ty), raw)
	}
	holder := newKey(f)
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		var claims map[string]any
		if ijson.Unmarshal(raw, &claims) != nil || CheckClaims(Type(name), claims) != nil {
			return
		}
		d := Dataset{Type: Type(name), Record: "AAAAAAAAAAAAAAAAAAAAAA", Claims: claims}
		for _, format := range Formats() {
			if _, _, err := Render(format, issuer, d, Copy{Holder: holder.Public(), IssuedAt: issuedAt}); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
	})
}

// FuzzTimestamp: what a wallet shows as timestamps is foreign text.
func FuzzTimestamp(f *testing.F) {
	w := newWorld(f)
	tok := w.issue(f, FormatSDJWTVC, Opleiding)
	good := w.stamp(f, tok, "node_a", w.nodeA)
	f.Add(good["salt"].(string), good["timestamp"].(string))
	f.Add("", "..")
	f.Fuzz(func(t *testing.T, salt, stamp string) {
		got := CheckTimestamp(TimestampProof{salt, stamp}, tok.IssuerJWT(), w.nodeKey)
		if got.Valid.State == OK && (salt != good["salt"] || stamp != good["timestamp"]) {
			t.Error("another timestamp holds")
		}
	})
}
