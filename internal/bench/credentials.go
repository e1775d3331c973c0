package bench

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

// Rows are all rows, in the order of the table.
func Rows() []Row {
	return []Row{
		{Name: "verify-presentation", Aim: 1.25, Setup: verifyPresentation},
		{Name: "issue", Aim: 1.4, Setup: issue},
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

// shown is a presentation, whether it was spoiled, and the keys to compare with.
type shown struct {
	text    string
	spoiled bool
}

// verifyPresentation: an SD-JWT VC with key binding, about half of it disclosed, of which
// every key is met for the first time except the issuers'. The limit is two ECDSA
// verifications on P-256 with the standard library, of digests that are ready.
func verifyPresentation() (*Case, error) {
	keys, known, err := issuerKeys(issuers)
	if err != nil {
		return nil, err
	}
	data, err := sample(paspoort.Opleiding)
	if err != nil {
		return nil, err
	}
	all := make([]shown, presentations)
	for i := range all {
		if all[i], err = present(keys[i%issuers], issuerURL(i%issuers), data, i); err != nil {
			return nil, err
		}
	}
	limit, err := bareVerifications()
	if err != nil {
		return nil, err
	}
	return &Case{
		Ops: presentations, Round: 200, Limit: limit,
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
	s := shown{text: bound.String(), spoiled: i%tamperEvery == 0}
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

// bareVerifications verifies two signatures by two keys, fresh ones for each operation.
func bareVerifications() (Op, error) {
	type signed struct {
		key    *ecdsa.PublicKey
		digest [32]byte
		sig    []byte
	}
	all := make([]signed, presentations)
	for i := range all {
		key, err := jose.Generate(jose.ES256)
		if err != nil {
			return nil, err
		}
		s := &all[i]
		s.key, s.digest = key.Public().(*ecdsa.PublicKey), sha256.Sum256(fmt.Appendf(nil, "presentation %d", i))
		if s.sig, err = key.Sign(rand.Reader, s.digest[:], crypto.SHA256); err != nil {
			return nil, err
		}
	}
	return func(i int) error {
		for _, s := range []*signed{&all[i], &all[(i+1)%len(all)]} {
			if !ecdsa.VerifyASN1(s.key, s.digest[:], s.sig) {
				return errWrong
			}
		}
		return nil
	}, nil
}

// issue: one copy of a credential for one holder key, signed by one of the issuers. The
// limit is one ECDSA signature on P-256 with the standard library.
func issue() (*Case, error) {
	keys, _, err := issuerKeys(issuers)
	if err != nil {
		return nil, err
	}
	data, err := sample(paspoort.Opleiding)
	if err != nil {
		return nil, err
	}
	prepared := make([]map[string]any, 1000)
	for i := range prepared {
		holder, err := jose.Generate(jose.ES256)
		if err != nil {
			return nil, err
		}
		prepared[i] = render(issuerURL(i%issuers), data, holder.Public(), i)
	}
	digest := sha256.Sum256([]byte("issue"))
	return &Case{
		Ops: presentations, Round: 200,
		Subject: func(i int) error {
			_, err := sdjwt.IssueCompact(sdjwt.IssueOptions{
				Signer: keys[i%issuers], Claims: prepared[i%len(prepared)], Rand: rand.Reader,
				Header: jose.Header{Type: "dc+sd-jwt", KeyID: "did:web:opleider.example#1"},
			})
			return err
		},
		Limit: func(i int) error {
			ec, _ := keys[i%issuers].ECDSA()
			_, err := ecdsa.SignASN1(rand.Reader, ec, digest[:])
			return err
		},
	}, nil
}
