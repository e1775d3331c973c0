package bench

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

// Rows are all rows, in the order of the table.
//
// The rows with an aim are of the size for which the aim was found: a credential with 12
// disclosures, of which 6 are shown. The rows of an Opleiding, our largest type with about
// twice as much, tell what size costs.
func Rows() []Row {
	return []Row{
		{Name: "verify-presentation", Aim: 1.25, Setup: verifyPresentation(paspoort.Ontwikkelbudget)},
		{Name: "issue", Aim: 1.4, Setup: issue(paspoort.Ontwikkelbudget)},
		{Name: "verify-presentation-opleiding", Setup: verifyPresentation(paspoort.Opleiding)},
		{Name: "issue-opleiding", Setup: issue(paspoort.Opleiding)},
		{Name: "inclusion-proof", Setup: inclusion},
	}
}

const (
	presentations = 10_000
	issuers       = 100
	tamperEvery   = 100 // one in a hundred is spoiled

	audience = "x509_hash:R7pQfL0bqs1Ww2hzEu3iUjEZ6ZoZ5lCQ1ssqyFTdPUY"
	nonce    = "5b2f9b1d0c4e4a7e8f00"
)

var benchTime = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

var errWrong = errors.New("the answer is wrong")

// shown is a presentation, whether it was spoiled, and the keys of issuer and holder.
type shown struct {
	text    string
	spoiled bool
	keys    [2]crypto.PublicKey
}

// verifyPresentation: an SD-JWT VC with key binding, half of it disclosed, of which every
// key is met for the first time except the issuers'. The limit is the two signatures.
func verifyPresentation(t paspoort.Type) func() (*Case, error) {
	return func() (*Case, error) { return verifyCase(t) }
}

func verifyCase(t paspoort.Type) (*Case, error) {
	keys, known, err := issuerKeys(issuers)
	if err != nil {
		return nil, err
	}
	data, err := sample(t)
	if err != nil {
		return nil, err
	}
	all := make([]shown, presentations)
	for i := range all {
		if all[i], err = present(keys[i%issuers], issuerURL(i%issuers), data, i); err != nil {
			return nil, err
		}
	}
	limit, err := bareVerifications(all)
	if err != nil {
		return nil, err
	}
	return &Case{
		Ops: presentations, Round: 50, CPU: true, Limit: limit,
		Subject: func(i int) error {
			if ok := verify(all[i].text, known) == nil; ok == all[i].spoiled {
				return fmt.Errorf("%w: presentation %d, spoiled %v", errWrong, i, all[i].spoiled)
			}
			return nil
		},
	}, nil
}

// verify is what a verifier does with a presentation when it knows the issuers' keys: RFC
// 9901 7.1 and 7.3, whole.
func verify(text string, known map[string]crypto.PublicKey) error {
	token, err := sdjwt.Parse(text)
	if err != nil {
		return err
	}
	iss, _ := token.Payload()["iss"].(string)
	issuer, ok := known[iss]
	if !ok {
		return errors.New("unknown issuer")
	}
	if err := token.VerifyIssuer(issuer, jose.ES256); err != nil {
		return err
	}
	claims, err := token.Claims()
	if err != nil {
		return err
	}
	if err := sdjwt.CheckTimes(claims, benchTime, time.Minute); err != nil {
		return err
	}
	holder, _, err := sdjwt.Confirmation(claims)
	if err != nil {
		return err
	}
	_, err = token.VerifyKeyBinding(holder, sdjwt.KeyBindingPolicy{
		Audience: audience, Nonce: nonce, Now: benchTime, Algorithms: []jose.Algorithm{jose.ES256},
	})
	return err
}

// issuerKeys makes the keys of n issuers, and the table by which a verifier knows them.
func issuerKeys(n int) ([]*jose.PrivateKey, map[string]crypto.PublicKey, error) {
	keys, known := make([]*jose.PrivateKey, n), map[string]crypto.PublicKey{}
	for i := range keys {
		key, err := jose.Generate(jose.ES256)
		if err != nil {
			return nil, nil, err
		}
		keys[i], known[issuerURL(i)] = key, key.Public()
	}
	return keys, known, nil
}

func issuerURL(i int) string { return fmt.Sprintf("https://opleider-%d.example", i) }

func sample(t paspoort.Type) (paspoort.Dataset, error) {
	raw, err := paspoort.Sample(t)
	if err != nil {
		return paspoort.Dataset{}, err
	}
	var claims map[string]any
	if err := ijson.Unmarshal(raw, &claims); err != nil {
		return paspoort.Dataset{}, err
	}
	return paspoort.NewDataset(t, claims, rand.Reader)
}

// present issues to a fresh holder key, takes about half of the disclosures and binds.
func present(key *jose.PrivateKey, iss string, data paspoort.Dataset, i int) (shown, error) {
	holder, err := jose.Generate(jose.ES256)
	if err != nil {
		return shown{}, err
	}
	token, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Header: jose.Header{Type: "dc+sd-jwt", KeyID: iss + "#1"}, Claims: render(iss, data, holder.Public(), i), Rand: rand.Reader})
	if err != nil {
		return shown{}, err
	}
	n := 0
	token, err = token.Select(func([]any, any) bool { n++; return n%2 == 0 })
	if err != nil {
		return shown{}, err
	}
	bound, err := token.Bind(holder, sdjwt.KeyBinding{Audience: audience, Nonce: nonce, IssuedAt: benchTime})
	if err != nil {
		return shown{}, err
	}
	s := shown{text: bound.String(), spoiled: i%tamperEvery == 0, keys: [2]crypto.PublicKey{key.Public(), holder.Public()}}
	if s.spoiled {
		s.text = spoil(s.text, i/tamperEvery)
	}
	return s, nil
}

func render(iss string, data paspoort.Dataset, holder crypto.PublicKey, i int) map[string]any {
	_, claims, err := paspoort.Render(paspoort.FormatSDJWTVC, paspoort.Issuer{ID: iss, Name: "Opleidingshuis De Vaart", Country: "NL"}, data, paspoort.Copy{
		Holder: holder, Status: &paspoort.StatusRef{URI: iss + "/status/1", Index: i}, IssuedAt: benchTime, ExpiresAt: benchTime.AddDate(1, 0, 0),
	})
	if err != nil {
		panic(err) // the sample of the profile always renders
	}
	return claims
}

// spoil breaks a presentation in one of four ways: the issuer's signature, the holder's, a
// disclosure changed, a disclosure taken out.
func spoil(text string, way int) string {
	first, last := strings.IndexByte(text, '~'), strings.LastIndexByte(text, '~')
	second := first + 1 + strings.IndexByte(text[first+1:], '~')
	switch way % 4 {
	case 0:
		return flip(text, first-40)
	case 1:
		return flip(text, len(text)-40)
	case 2:
		return flip(text, first+10)
	}
	if second > last {
		return flip(text, len(text)-40)
	}
	return text[:first] + text[second:]
}

func flip(text string, at int) string {
	c := byte('A')
	if text[at] == 'A' {
		c = 'B'
	}
	return text[:at] + string(c) + text[at+1:]
}

// bare is a presentation with everything ready for the two verifications that cannot be
// left out: two signing inputs, keys and signatures.
type bare struct {
	input  [2][]byte
	sig    [2][]byte // ASN.1, as the standard library takes it
	key    [2]*ecdsa.PublicKey
	expect bool
}

// bareVerifications verifies the two signatures of each presentation with the standard
// library alone: ES256 (RFC 7518 3.4), SHA-256 of the signing input and ECDSA.
func bareVerifications(all []shown) (Op, error) {
	ready := make([]bare, len(all))
	for i, p := range all {
		jwt, _, _ := strings.Cut(p.text, "~")
		for j, token := range []string{jwt, p.text[strings.LastIndexByte(p.text, '~')+1:]} {
			at := strings.LastIndexByte(token, '.')
			raw, err := base64.RawURLEncoding.DecodeString(token[at+1:])
			if err != nil || len(raw) != 64 {
				return nil, fmt.Errorf("%w: signature of presentation %d", errWrong, i)
			}
			ready[i].input[j], ready[i].key[j] = []byte(token[:at]), p.keys[j].(*ecdsa.PublicKey)
			ready[i].sig[j], err = asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])})
			if err != nil {
				return nil, err
			}
		}
		ready[i].expect = !p.spoiled
	}
	return func(i int) error {
		b := &ready[i]
		good := true
		for j := range b.input {
			digest := sha256.Sum256(b.input[j])
			good = ecdsa.VerifyASN1(b.key[j], digest[:], b.sig[j]) && good
		}
		if b.expect && !good {
			return errWrong
		}
		return nil
	}, nil
}

// issue: one copy of a credential for one holder key, signed by one of the issuers. The
// limit is one signature with the standard library: ES256 of a payload of that size.
func issue(t paspoort.Type) func() (*Case, error) {
	return func() (*Case, error) { return issueCase(t) }
}

func issueCase(t paspoort.Type) (*Case, error) {
	keys, _, err := issuerKeys(issuers)
	if err != nil {
		return nil, err
	}
	data, err := sample(t)
	if err != nil {
		return nil, err
	}
	prepared := make([]map[string]any, issuers)
	for i := range prepared {
		holder, err := jose.Generate(jose.ES256)
		if err != nil {
			return nil, err
		}
		prepared[i] = render(issuerURL(i%issuers), data, holder.Public(), i)
	}
	once := func(i int) (string, error) {
		return sdjwt.IssueCompact(sdjwt.IssueOptions{
			Signer: keys[i%issuers], Claims: prepared[i%len(prepared)], Rand: rand.Reader,
			Header: jose.Header{Type: "dc+sd-jwt", KeyID: "did:web:opleider.example#1"},
		})
	}
	token, err := once(0)
	if err != nil {
		return nil, err
	}
	input := []byte(token[:strings.IndexByte(token, '~')])
	return &Case{
		Ops: presentations, Round: 50, CPU: true,
		Subject: func(i int) error {
			_, err := once(i)
			return err
		},
		Limit: func(i int) error {
			ec, _ := keys[i%issuers].ECDSA()
			digest := sha256.Sum256(input)
			_, err := ecdsa.SignASN1(rand.Reader, ec, digest[:])
			return err
		},
	}, nil
}
